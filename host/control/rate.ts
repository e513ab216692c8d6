/** Places for askers; those that were silent longest go first. */
const MOST_ASKERS = 10_000;

export interface RateState {
  readonly limit: number;
  readonly periodS: number;
  readonly remaining: number;
  /** Seconds until a place is free again. */
  readonly resetS: number;
  readonly isOver: boolean;
}

/** So many requests a minute for each asker, in a bucket that fills evenly. */
export class RateLimit {
  readonly #perMinute: number;
  readonly #buckets = new Map<string, { left: number; atMs: number }>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Takes a place of `asker`, at `nowMs`, if there is one. */
  take(asker: string, nowMs: number): RateState {
    const known = this.#buckets.get(asker);
    this.#buckets.delete(asker);
    const filled = known ? Math.min(this.#perMinute, known.left + (Math.max(0, nowMs - known.atMs) * this.#perMinute) / 60_000) : this.#perMinute;
    const isOver = filled < 1;
    const left = isOver ? filled : filled - 1;
    this.#buckets.set(asker, { left, atMs: nowMs });
    if (this.#buckets.size > MOST_ASKERS) this.#buckets.delete(this.#buckets.keys().next().value!);
    return { limit: this.#perMinute, periodS: 60, remaining: Math.floor(left), resetS: Math.max(1, Math.ceil(((1 - Math.min(1, left)) * 60) / this.#perMinute)), isOver };
  }
}

export function rateHeaders({ limit, periodS, remaining, resetS }: RateState, name: string): Record<string, string> {
  return { "x-ratelimit-limit": String(limit), "x-ratelimit-period": String(periodS), "x-ratelimit-remaining": String(remaining), "x-ratelimit-reset": String(resetS), "x-ratelimit-name": name };
}
