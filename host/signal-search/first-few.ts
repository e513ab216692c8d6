/** The first so many of numbers in an order, in that order; how many were offered is not kept. */
export class FirstFew {
  readonly #limit: number;
  readonly #compare: (a: number, b: number) => number;
  /** A heap with the last on top. */
  readonly #heap: number[] = [];

  constructor(limit: number, compare: (a: number, b: number) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  add(item: number): void {
    if (this.#heap.length < this.#limit) {
      this.#rise(item);
      return;
    }
    if (this.#limit > 0 && this.#compare(item, this.#heap[0]!) < 0) this.#sink(item);
  }

  take(): number[] {
    return this.#heap.sort(this.#compare);
  }

  #rise(item: number): void {
    const heap = this.#heap;
    let at = heap.push(item) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (this.#compare(heap[up]!, item) >= 0) break;
      heap[at] = heap[up]!;
      at = up;
    }
    heap[at] = item;
  }

  /** In the place of the one on top. */
  #sink(item: number): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let down = at * 2 + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && this.#compare(heap[down + 1]!, heap[down]!) > 0) down++;
      if (this.#compare(heap[down]!, item) <= 0) break;
      heap[at] = heap[down]!;
      at = down;
    }
    heap[at] = item;
  }
}
