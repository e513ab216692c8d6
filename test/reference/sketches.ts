// Slow, obvious twins of the sketches: they keep everything.

export class ExactDistinct {
  readonly values = new Set<bigint>();
  add(hashes: Iterable<bigint>): void {
    for (const hash of hashes) this.values.add(hash);
  }
  count(): number {
    return this.values.size;
  }
}

export class ExactQuantile {
  readonly values: number[] = [];
  add(values: Iterable<number>): void {
    for (const value of values) if (Number.isFinite(value)) this.values.push(value);
  }
  /** Value of rank floor(q * (count - 1)). */
  quantile(q: number): number {
    const sorted = this.values.toSorted((a, b) => a - b);
    return sorted[Math.floor(q * (sorted.length - 1))]!;
  }
}

export class ExactFrequency {
  readonly counts = new Map<bigint, number>();
  total = 0;
  add(hash: bigint, weight = 1): void {
    this.counts.set(hash, (this.counts.get(hash) ?? 0) + weight);
    this.total += weight;
  }
  of(hash: bigint): number {
    return this.counts.get(hash) ?? 0;
  }
}

/** Remembers when a value was first seen, for as long as its generation lives. */
export class ExactSeen {
  readonly born = new Map<bigint, number>();
  readonly generations: number;
  readonly spanMs: number;
  #newest = -Infinity;

  constructor(generations: number, spanMs: number) {
    this.generations = generations;
    this.spanMs = spanMs;
  }
  add(ms: number, hash: bigint): boolean {
    this.#newest = Math.max(this.#newest, Math.floor(ms / this.spanMs));
    const born = this.born.get(hash);
    if (born !== undefined && born > this.#newest - this.generations) return false;
    this.born.set(hash, this.#newest);
    return true;
  }
}

/** Items by time, each compared with each. Similarity by whole numbers: shared * one >= threshold * either. */
export class ExactHistory {
  readonly items: { readonly ms: number; readonly set: ReadonlySet<bigint> }[] = [];
  readonly capacity: number;
  readonly threshold: number;

  constructor(capacity: number, threshold: number) {
    this.capacity = capacity;
    this.threshold = threshold;
  }
  add(ms: number, tokens: Iterable<bigint>): void {
    const set = new Set(tokens);
    if (!set.size || !Number.isFinite(ms)) return;
    if (this.items.length === this.capacity) this.items.shift();
    let at = this.items.length;
    while (at && this.items[at - 1]!.ms > ms) at--;
    this.items.splice(at, 0, { ms, set });
  }
  expire(throughMs: number): number {
    let gone = 0;
    while (this.items.length && this.items[0]!.ms <= throughMs) {
      this.items.shift();
      gone++;
    }
    return gone;
  }
  count(tokens: Iterable<bigint>, limit: number): number {
    const set = new Set(tokens);
    if (!set.size) return 0;
    const found = this.items.filter((item) => {
      const shared = [...set].filter((token) => item.set.has(token)).length;
      return shared * 10_000 >= this.threshold * (set.size + item.set.size - shared);
    }).length;
    return Math.min(limit, found);
  }
}
