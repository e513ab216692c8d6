import type { LogKey, SortOrder } from "./order.ts";
import { compareKeys } from "./order.ts";

/** The first so many of what is offered, in an order, and no more bytes than given; a heap with the last of them on top. */
export class TopLogs<T extends LogKey & { readonly bytes: Uint8Array }> {
  readonly #sign: number;
  readonly #mostBytes: number;
  #limit: number;
  #heap: T[] = [];
  #bytes = 0;

  constructor(order: SortOrder, limit: number, mostBytes: number) {
    this.#sign = order === "oldest" ? 1 : -1;
    this.#limit = limit;
    this.#mostBytes = mostBytes;
  }

  /** Logs came to so many bytes that fewer than asked for are kept. */
  isCut = false;

  get isFull(): boolean {
    return this.#heap.length >= this.#limit;
  }

  /** What is offered next has to come before this one; undefined while there is room. */
  get last(): T | undefined {
    return this.isFull ? this.#heap[0] : undefined;
  }

  takes(key: LogKey): boolean {
    if (this.#limit === 0) return false;
    const { last } = this;
    return last === undefined || this.#order(key, last) < 0;
  }

  add(log: T): void {
    this.#push(log);
    if (this.#heap.length > this.#limit) this.#pop();
    // One is always kept: a page without any would be the end.
    while (this.#bytes > this.#mostBytes && this.#heap.length > 1) {
      this.#pop();
      this.#limit = this.#heap.length;
      this.isCut = true;
    }
  }

  /** In order. */
  take(): T[] {
    return this.#heap.sort((a, b) => this.#order(a, b));
  }

  #order(a: LogKey, b: LogKey): number {
    return this.#sign * compareKeys(a, b);
  }

  #push(log: T): void {
    const heap = this.#heap;
    this.#bytes += log.bytes.length;
    let at = heap.push(log) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (this.#order(heap[up]!, log) >= 0) break;
      heap[at] = heap[up]!;
      at = up;
    }
    heap[at] = log;
  }

  #pop(): void {
    const heap = this.#heap;
    this.#bytes -= heap[0]!.bytes.length;
    const log = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = at * 2 + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && this.#order(heap[down + 1]!, heap[down]!) > 0) down++;
      if (this.#order(heap[down]!, log) <= 0) break;
      heap[at] = heap[down]!;
      at = down;
    }
    heap[at] = log;
  }
}
