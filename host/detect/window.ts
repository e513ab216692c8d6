import type { EventRef } from "./hit.ts";

/** All ones: the event has no value to count or add. */
const ABSENT = 0xffffffffffffffffn;
const bits = new DataView(new ArrayBuffer(8));

interface Entry {
  readonly ref: EventRef;
  readonly value: bigint;
  counted: boolean;
}

/** The events of one query and group that some window can still see, in event-time order (ties by arrival). */
export class EventWindow {
  readonly #entries: Entry[] = [];
  #first = 0;

  get size(): number {
    return this.#entries.length - this.#first;
  }

  get lastMs(): number {
    return this.size ? this.#entries.at(-1)!.ref.timeMs : Number.NEGATIVE_INFINITY;
  }

  insert(ref: EventRef, value: bigint): void {
    const entries = this.#entries;
    const entry = { ref, value, counted: false };
    if (!this.size || this.lastMs <= ref.timeMs) entries.push(entry);
    else entries.splice(this.#after(ref.timeMs), 0, entry);
  }

  /** Forgets what no window ending after `beforeMs` can see. */
  prune(beforeMs: number): void {
    while (this.#first < this.#entries.length && this.#entries[this.#first]!.ref.timeMs <= beforeMs) this.#first++;
    if (this.#first > 64 && this.#first * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** Events with afterMs < time <= untilMs. */
  count(afterMs: number, untilMs: number): number {
    return this.#after(untilMs) - this.#after(afterMs);
  }

  distinct(afterMs: number, untilMs: number, enough: number): number {
    const seen = new Set<bigint>();
    const start = this.#after(afterMs);
    for (let i = this.#after(untilMs) - 1; i >= start; i--) {
      const { value } = this.#entries[i]!;
      if (value !== ABSENT) seen.add(value);
      if (seen.size >= enough) break;
    }
    return seen.size;
  }

  numbers(afterMs: number, untilMs: number, kind: "sum" | "max"): number {
    let sum = 0;
    let max: number | undefined;
    for (let i = this.#after(afterMs); i < this.#after(untilMs); i++) {
      const { value } = this.#entries[i]!;
      if (value === ABSENT) continue;
      bits.setBigUint64(0, value);
      const number = bits.getFloat64(0);
      sum += number;
      if (max === undefined || number > max) max = number;
    }
    return kind === "sum" ? sum : max ?? 0;
  }

  /** Times of events in [fromMs, beforeMs), each once, ascending. */
  timesWithin(fromMs: number, beforeMs: number): number[] {
    const times: number[] = [];
    for (let i = this.#before(fromMs); i < this.#entries.length; i++) {
      const { timeMs } = this.#entries[i]!.ref;
      if (timeMs >= beforeMs) break;
      if (times.at(-1) !== timeMs) times.push(timeMs);
    }
    return times;
  }

  /** Events of the window that no hit counted yet; they count from now on. Newest counted one ends the search. */
  takeUncounted(afterMs: number, untilMs: number): EventRef[] {
    const taken: EventRef[] = [];
    const start = this.#after(afterMs);
    for (let i = this.#after(untilMs) - 1; i >= start; i--) {
      const entry = this.#entries[i]!;
      if (entry.counted) break;
      entry.counted = true;
      taken.push(entry.ref);
    }
    return taken.reverse();
  }

  /** First place whose time is later than `ms`. */
  #after(ms: number): number {
    let low = this.#first;
    let high = this.#entries.length;
    if (high > low && this.#entries[high - 1]!.ref.timeMs <= ms) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#entries[middle]!.ref.timeMs <= ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** First place whose time is not earlier than `ms`. */
  #before(ms: number): number {
    let low = this.#first;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#entries[middle]!.ref.timeMs < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
