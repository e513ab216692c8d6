/** Seeded generator, the same on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  /** Low numbers far more often than high ones. */
  skewed(n: number): number {
    return Math.min(n - 1, Math.floor(Math.exp(this.next() * Math.log(n + 1)) - 1));
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
  hex(length: number): string {
    let out = "";
    while (out.length < length) out += this.below(0x100000000).toString(16).padStart(8, "0");
    return out.slice(0, length);
  }
}
