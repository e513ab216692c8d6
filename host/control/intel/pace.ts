const MOST_ASKERS = 1000;

/** So many requests a second for each asker, and no more at once. */
export class Pace {
  readonly #perSecond: number;
  readonly #buckets = new Map<string, { left: number; atMs: number }>();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  take(asker: string, nowMs: number): boolean {
    const known = this.#buckets.get(asker);
    this.#buckets.delete(asker);
    const filled = known ? Math.min(this.#perSecond, known.left + (Math.max(0, nowMs - known.atMs) * this.#perSecond) / 1000) : this.#perSecond;
    this.#buckets.set(asker, { left: filled < 1 ? filled : filled - 1, atMs: nowMs });
    if (this.#buckets.size > MOST_ASKERS) this.#buckets.delete(this.#buckets.keys().next().value!);
    return filled >= 1;
  }
}
