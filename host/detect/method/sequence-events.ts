import type { Aggregation } from "../../rule/rule.ts";
import type { ByteReader, ByteWriter } from "./store-bytes.ts";

/** Where an event stands in the order of time; ties by arrival. */
export interface Place {
  readonly timeMs: number;
  readonly slot: number;
}

export function isBefore(a: Place, b: Place): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.slot < b.slot);
}

/** Events of one query, in order of time. Where it counts values, one entry for each value. */
export class EventList {
  readonly #times: number[] = [];
  /** -1 - slot: a hit was counted for the event. */
  readonly #slots: number[] = [];
  /** Metric or hash of a value, NaN where there is none; undefined where only events are counted. */
  readonly #numbers: number[] | undefined;

  constructor(hasNumbers: boolean) {
    this.#numbers = hasNumbers ? [] : undefined;
  }

  get length(): number {
    return this.#times.length;
  }

  get last(): Place | undefined {
    return this.length ? this.placeAt(this.length - 1) : undefined;
  }

  placeAt(at: number): Place {
    return { timeMs: this.#times[at]!, slot: this.slotAt(at) };
  }

  slotAt(at: number): number {
    const slot = this.#slots[at]!;
    return slot < 0 ? -1 - slot : slot;
  }

  numberAt(at: number): number {
    return this.#numbers?.[at] ?? Number.NaN;
  }

  isCounted(at: number): boolean {
    return this.#slots[at]! < 0;
  }

  setCounted(at: number): void {
    if (this.#slots[at]! >= 0) this.#slots[at] = -1 - this.#slots[at]!;
  }

  /** Number of entries at or before a place: where the ones after it begin. */
  upTo(timeMs: number, slot: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const time = this.#times[middle]!;
      if (time < timeMs || (time === timeMs && this.slotAt(middle) <= slot)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Of the entries from one to before another. */
  aggregate(aggregation: Aggregation, from: number, to: number): number {
    switch (aggregation) {
      case "cardinality": {
        const seen = new Set<number>();
        for (let at = from; at < to; at++) if (!Number.isNaN(this.numberAt(at))) seen.add(this.numberAt(at));
        return seen.size;
      }
      case "sum": {
        let sum = 0;
        for (let at = from; at < to; at++) if (!Number.isNaN(this.numberAt(at))) sum += this.numberAt(at);
        return sum;
      }
      case "max": {
        let max = Number.NEGATIVE_INFINITY;
        for (let at = from; at < to; at++) if (this.numberAt(at) > max) max = this.numberAt(at);
        return max === Number.NEGATIVE_INFINITY ? 0 : max;
      }
      default:
        return to - from;
    }
  }

  add(place: Place, number: number): void {
    const at = this.upTo(place.timeMs, place.slot);
    // An event counts once, unless each of its values does.
    if (!this.#numbers && at > 0 && this.slotAt(at - 1) === place.slot) return;
    if (at === this.length) {
      this.#times.push(place.timeMs);
      this.#slots.push(place.slot);
      this.#numbers?.push(number);
      return;
    }
    this.#times.splice(at, 0, place.timeMs);
    this.#slots.splice(at, 0, place.slot);
    this.#numbers?.splice(at, 0, number);
  }

  /** Takes an event out with all of its values; false where it was not there. */
  remove(place: Place): boolean {
    const to = this.upTo(place.timeMs, place.slot);
    const from = this.upTo(place.timeMs, place.slot - 1);
    this.#times.splice(from, to - from);
    this.#slots.splice(from, to - from);
    this.#numbers?.splice(from, to - from);
    return to > from;
  }

  dropFirst(count: number): void {
    if (count <= 0) return;
    this.#times.splice(0, count);
    this.#slots.splice(0, count);
    this.#numbers?.splice(0, count);
  }

  dropBefore(timeMs: number): void {
    if (this.length && this.#times[0]! < timeMs) this.dropFirst(this.upTo(timeMs, -1));
  }

  get sizeBytes(): number {
    return 96 + this.length * (this.#numbers ? 24 : 16);
  }

  write(writer: ByteWriter): void {
    writer.column(Float64Array.from(this.#times));
    writer.column(Float64Array.from(this.#slots));
    if (this.#numbers) writer.column(Float64Array.from(this.#numbers));
  }

  static read(reader: ByteReader, hasNumbers: boolean): EventList {
    const list = new EventList(hasNumbers);
    const columns = [reader.f64s(), reader.f64s(), ...(hasNumbers ? [reader.f64s()] : [])];
    reader.isWhole &&= columns.every((column) => column.length === columns[0]!.length);
    list.#times.push(...columns[0]!);
    list.#slots.push(...columns[1]!);
    list.#numbers?.push(...columns[2]!);
    return list;
  }
}
