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

const LIST_BYTES = 120;
/** Up to so many numbers a list is as large as what it holds: left to itself, it would take room for seventeen more. */
const EXACT_CELLS = 24;

/**
 * Events of one query, in order of time. Where it counts values, one entry for each value.
 *
 * All in one list of numbers, entry after entry: most groups have few events, and lists of their own for times and slots
 * would cost more than what they hold.
 */
export class EventList {
  /** Of each entry the time, the slot (-1 - slot where a hit was counted for the event), and the number where there are any. */
  #cells: number[] = [];
  readonly #width: 2 | 3;

  /** @param hasNumbers entries carry a metric or a value's hash, NaN where there is none; else only events are counted. */
  constructor(hasNumbers: boolean) {
    this.#width = hasNumbers ? 3 : 2;
  }

  get length(): number {
    return this.#cells.length / this.#width;
  }

  get last(): Place | undefined {
    return this.#cells.length ? this.placeAt(this.length - 1) : undefined;
  }

  placeAt(at: number): Place {
    return { timeMs: this.#timeAt(at), slot: this.slotAt(at) };
  }

  slotAt(at: number): number {
    const slot = this.#cells[at * this.#width + 1]!;
    return slot < 0 ? -1 - slot : slot;
  }

  numberAt(at: number): number {
    return this.#width === 3 ? this.#cells[at * 3 + 2]! : Number.NaN;
  }

  isCounted(at: number): boolean {
    return this.#cells[at * this.#width + 1]! < 0;
  }

  setCounted(at: number): void {
    const cell = at * this.#width + 1;
    if (this.#cells[cell]! >= 0) this.#cells[cell] = -1 - this.#cells[cell]!;
  }

  /** Number of entries at or before a place: where the ones after it begin. */
  upTo(timeMs: number, slot: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const time = this.#timeAt(middle);
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
    if (this.#width === 2 && at > 0 && this.slotAt(at - 1) === place.slot) return;
    const entry = this.#width === 3 ? [place.timeMs, place.slot, number] : [place.timeMs, place.slot];
    if (at < this.length) this.#cells.splice(at * this.#width, 0, ...entry);
    else if (this.#cells.length < EXACT_CELLS) this.#cells = this.#cells.concat(entry);
    else this.#cells.push(...entry);
  }

  /** Takes an event out with all of its values; false where it was not there. */
  remove(place: Place): boolean {
    const to = this.upTo(place.timeMs, place.slot);
    const from = this.upTo(place.timeMs, place.slot - 1);
    this.#cells.splice(from * this.#width, (to - from) * this.#width);
    return to > from;
  }

  dropFirst(count: number): void {
    if (count > 0) this.#cells.splice(0, count * this.#width);
  }

  dropBefore(timeMs: number): void {
    if (this.#cells.length && this.#cells[0]! < timeMs) this.dropFirst(this.upTo(timeMs, -1));
  }

  get sizeBytes(): number {
    return LIST_BYTES + this.#cells.length * (this.#cells.length > EXACT_CELLS ? 12 : 8);
  }

  write(writer: ByteWriter): void {
    for (let column = 0; column < this.#width; column++) {
      writer.column(Float64Array.from({ length: this.length }, (_, at) => this.#cells[at * this.#width + column]!));
    }
  }

  static read(reader: ByteReader, hasNumbers: boolean): EventList {
    const list = new EventList(hasNumbers);
    const columns = Array.from({ length: list.#width }, () => reader.f64s());
    reader.isWhole &&= columns.every((column) => column.length === columns[0]!.length);
    for (let at = 0; at < columns[0]!.length; at++) for (const column of columns) list.#cells.push(column[at]!);
    return list;
  }

  #timeAt(at: number): number {
    return this.#cells[at * this.#width]!;
  }
}
