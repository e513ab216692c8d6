import type { ByteReader, ByteWriter } from "./store-bytes.ts";

const FIRST_ROWS = 64;

/**
 * Short lists of 64-bit keys with the time each was last seen, all in the same flat columns. A list is known by its first row,
 * 0 for an empty one; its latest key stands first. Lists are walked, hence short.
 */
export class SeenLists {
  /** Keys that gave way to others, and were not forgotten. */
  evicted = 0;
  readonly #cap: number;
  /** Rows ever used, row 0 for none. */
  #count = 1;
  /** First of the rows that were given back. */
  #free = 0;
  #lo: Uint32Array = new Uint32Array(FIRST_ROWS);
  #hi: Uint32Array = new Uint32Array(FIRST_ROWS);
  #next: Uint32Array = new Uint32Array(FIRST_ROWS);
  #seen: Float64Array = new Float64Array(FIRST_ROWS);

  /** @param cap keys of one list. */
  constructor(cap: number) {
    this.#cap = cap;
  }

  get bytes(): number {
    return this.#lo.length * 20;
  }

  /** Bytes that one key more would take beside what there is: mostly none. */
  get nextBytes(): number {
    return this.#free !== 0 || this.#count < this.#lo.length ? 0 : (Math.ceil(this.#count * 1.5) - this.#count) * 20;
  }

  /** When the key was last seen; -Infinity if never. */
  lastSeen(first: number, lo: number, hi: number): number {
    for (let row = first; row !== 0; row = this.#next[row]!) {
      if (this.#lo[row] === lo && this.#hi[row] === hi) return this.#seen[row]!;
    }
    return Number.NEGATIVE_INFINITY;
  }

  /** Notes a sighting and answers the list's first row. In a full list the key longest unseen gives way, of equal ones the one longest there. */
  see(first: number, lo: number, hi: number, timeMs: number, forgottenMs: number): number {
    let length = 0;
    let oldest = 0;
    let beforeOldest = 0;
    for (let row = first, before = 0; row !== 0; before = row, row = this.#next[row]!) {
      if (this.#lo[row] === lo && this.#hi[row] === hi) {
        if (timeMs > this.#seen[row]!) this.#seen[row] = timeMs;
        return first;
      }
      length++;
      if (oldest === 0 || this.#seen[row]! <= this.#seen[oldest]!) [oldest, beforeOldest] = [row, before];
    }
    let row = oldest;
    if (length < this.#cap) row = this.#take();
    else {
      if (this.#seen[row]! > forgottenMs) this.evicted++;
      if (beforeOldest === 0) first = this.#next[row]!;
      else this.#next[beforeOldest] = this.#next[row]!;
    }
    this.#lo[row] = lo;
    this.#hi[row] = hi;
    this.#seen[row] = timeMs;
    this.#next[row] = first;
    return row;
  }

  /** Gives a whole list back. */
  release(first: number): void {
    if (first === 0) return;
    let last = first;
    while (this.#next[last] !== 0) last = this.#next[last]!;
    this.#next[last] = this.#free;
    this.#free = first;
  }

  /** Packs the lists with these first rows, all there are, and gives back what is left; the first rows are changed in place. */
  pack(firsts: Uint32Array): void {
    const rows = firsts.reduce((sum, first) => sum + this.#lengthOf(first), 1);
    const [lo, hi, next, seen] = [this.#lo, this.#hi, this.#next, this.#seen];
    const room = Math.max(FIRST_ROWS, rows);
    this.#lo = new Uint32Array(room);
    this.#hi = new Uint32Array(room);
    this.#next = new Uint32Array(room);
    this.#seen = new Float64Array(room);
    this.#free = 0;
    this.#count = 1;
    for (let i = 0; i < firsts.length; i++) {
      let row = firsts[i]!;
      if (row === 0) continue;
      firsts[i] = this.#count;
      for (; row !== 0; row = next[row]!) {
        const at = this.#count++;
        this.#lo[at] = lo[row]!;
        this.#hi[at] = hi[row]!;
        this.#seen[at] = seen[row]!;
        this.#next[at] = next[row] === 0 ? 0 : at + 1;
      }
    }
  }

  #lengthOf(first: number): number {
    let length = 0;
    for (let row = first; row !== 0; row = this.#next[row]!) length++;
    return length;
  }

  save(writer: ByteWriter): void {
    writer.f64(this.evicted);
    writer.u32(this.#count);
    writer.u32(this.#free);
    for (const column of [this.#lo, this.#hi, this.#next, this.#seen]) writer.column(column, this.#count);
  }

  restore(reader: ByteReader): boolean {
    this.evicted = reader.f64();
    this.#count = reader.u32();
    this.#free = reader.u32();
    [this.#lo, this.#hi, this.#next] = [reader.u32s(), reader.u32s(), reader.u32s()];
    this.#seen = reader.f64s();
    return reader.isWhole && [this.#lo, this.#hi, this.#next, this.#seen].every((column) => column.length === this.#count) && this.holds(this.#free) && this.#next.every((row) => this.holds(row));
  }

  holds(row: number): boolean {
    return row < this.#count;
  }

  #take(): number {
    if (this.#free !== 0) {
      const row = this.#free;
      this.#free = this.#next[row]!;
      return row;
    }
    if (this.#count === this.#lo.length) {
      const rows = Math.max(FIRST_ROWS, Math.ceil(this.#count * 1.5));
      this.#lo = grown(this.#lo, rows);
      this.#hi = grown(this.#hi, rows);
      this.#next = grown(this.#next, rows);
      const seen = new Float64Array(rows);
      seen.set(this.#seen);
      this.#seen = seen;
    }
    return this.#count++;
  }
}

function grown(column: Uint32Array, rows: number): Uint32Array {
  const larger = new Uint32Array(rows);
  larger.set(column);
  return larger;
}
