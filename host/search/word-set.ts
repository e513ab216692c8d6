/** Distinct 32-bit hashes of words. */
export class WordSet {
  #table = new Uint32Array(1 << 12);
  count = 0;

  /** 0 marks an empty place, so a hash of 0 counts as 1. */
  add(hash: number): void {
    const value = hash >>> 0 || 1;
    const table = this.#table;
    const mask = table.length - 1;
    let at = (value ^ (value >>> 15)) & mask;
    while (table[at] !== 0) {
      if (table[at] === value) return;
      at = (at + 1) & mask;
    }
    table[at] = value;
    if (++this.count * 2 > table.length) this.#grow();
  }

  clear(): void {
    this.#table.fill(0);
    this.count = 0;
  }

  *[Symbol.iterator](): Generator<number> {
    for (const value of this.#table) if (value !== 0) yield value;
  }

  #grow(): void {
    const before = this.#table;
    this.#table = new Uint32Array(before.length * 2);
    this.count = 0;
    for (const value of before) if (value !== 0) this.add(value);
  }
}
