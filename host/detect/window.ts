/** The events of one query and group that some window can still see, in event-time order (ties by arrival). */
export class EventWindow {
  readonly #times: number[] = [];
  /** Slots in the recent events. */
  readonly #slots: number[] = [];
  /** Distinct-value hashes or metrics; NaN where an event has none. Kept only for aggregations that look at them. */
  readonly #values: number[] | undefined;
  #first = 0;
  /** Places before this one were counted by a hit. */
  #counted = 0;

  constructor(keepsValues: boolean) {
    if (keepsValues) this.#values = [];
  }

  get size(): number {
    return this.#times.length - this.#first;
  }

  get lastMs(): number {
    return this.#times.length > this.#first ? this.#times[this.#times.length - 1]! : Number.NEGATIVE_INFINITY;
  }

  insert(timeMs: number, slot: number, value: number): void {
    if (this.lastMs <= timeMs) {
      this.#times.push(timeMs);
      this.#slots.push(slot);
      this.#values?.push(value);
      return;
    }
    const at = this.#after(timeMs);
    this.#times.splice(at, 0, timeMs);
    this.#slots.splice(at, 0, slot);
    this.#values?.splice(at, 0, value);
    if (at < this.#counted) this.#counted++;
  }

  /** Forgets what no window ending after `beforeMs` can see. */
  prune(beforeMs: number): void {
    while (this.#first < this.#times.length && this.#times[this.#first]! <= beforeMs) this.#first++;
    if (this.#first > 16 && this.#first * 2 > this.#times.length) {
      this.#times.splice(0, this.#first);
      this.#slots.splice(0, this.#first);
      this.#values?.splice(0, this.#first);
      this.#counted = Math.max(0, this.#counted - this.#first);
      this.#first = 0;
    }
  }

  /** Events with afterMs < time <= untilMs. */
  count(afterMs: number, untilMs: number): number {
    return this.#after(untilMs) - this.#after(afterMs);
  }

  /** Distinct values of the window, `enough` at most: more would not change the answer. */
  distinct(afterMs: number, untilMs: number, enough: number): number {
    const start = this.#after(afterMs);
    const end = this.#after(untilMs);
    if (end - start < enough && end - start <= 1) return end - start === 1 && !Number.isNaN(this.#values![start]!) ? 1 : 0;
    const seen = new Set<number>();
    for (let i = end - 1; i >= start; i--) {
      const value = this.#values![i]!;
      if (!Number.isNaN(value)) seen.add(value);
      if (seen.size >= enough) break;
    }
    return seen.size;
  }

  numbers(afterMs: number, untilMs: number, kind: "sum" | "max"): number {
    let sum = 0;
    let max: number | undefined;
    const end = this.#after(untilMs);
    for (let i = this.#after(afterMs); i < end; i++) {
      const number = this.#values![i]!;
      if (Number.isNaN(number)) continue;
      sum += number;
      if (max === undefined || number > max) max = number;
    }
    return kind === "sum" ? sum : max ?? 0;
  }

  /** Times of events in [fromMs, beforeMs), each once, ascending. */
  timesWithin(fromMs: number, beforeMs: number): number[] {
    const times: number[] = [];
    for (let i = this.#before(fromMs); i < this.#times.length; i++) {
      const timeMs = this.#times[i]!;
      if (timeMs >= beforeMs) break;
      if (times.at(-1) !== timeMs) times.push(timeMs);
    }
    return times;
  }

  /** Slots of the window's events that no hit counted yet; they count from now on. */
  takeUncounted(afterMs: number, untilMs: number): number[] {
    const start = Math.max(this.#after(afterMs), this.#counted);
    const end = this.#after(untilMs);
    if (start >= end) return [];
    this.#counted = end;
    return this.#slots.slice(start, end);
  }

  /** First place whose time is later than `ms`. */
  #after(ms: number): number {
    const times = this.#times;
    let low = this.#first;
    let high = times.length;
    if (high > low && times[high - 1]! <= ms) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle]! <= ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** First place whose time is not earlier than `ms`. */
  #before(ms: number): number {
    let low = this.#first;
    let high = this.#times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#times[middle]! < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
