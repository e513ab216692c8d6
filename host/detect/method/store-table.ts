import type { ByteReader, ByteWriter } from "./store-bytes.ts";

export const NO_ROW = 0xffffffff;
const FIRST_ROWS = 64;

/** How many columns of each kind a row has beside its key. */
export interface Columns {
  readonly f64: number;
  readonly u32: number;
}

/**
 * Rows found by a 64-bit key, in flat columns. Rows stand in the order they were added, so what is saved and put back is the
 * same table. Open addressing, at most three quarters full.
 */
export class KeyTable {
  count = 0;
  lo = new Uint32Array(FIRST_ROWS);
  hi = new Uint32Array(FIRST_ROWS);
  readonly f64: Float64Array[];
  readonly u32: Uint32Array[];
  /** Row + 1 by place; 0 is empty. */
  #index = new Uint32Array(FIRST_ROWS * 2);

  constructor(columns: Columns) {
    this.f64 = Array.from({ length: columns.f64 }, () => new Float64Array(FIRST_ROWS));
    this.u32 = Array.from({ length: columns.u32 }, () => new Uint32Array(FIRST_ROWS));
  }

  get bytes(): number {
    return this.lo.length * this.#rowBytes + this.#index.length * 4;
  }

  /** Bytes that one row more would take beside what there is: mostly none, now and then half as much again. */
  get nextBytes(): number {
    const rows = this.count === this.lo.length ? Math.ceil(this.count * 1.5) - this.count : 0;
    const index = (this.count + 1) * 4 > this.#index.length * 3 ? this.#index.length : 0;
    return rows * this.#rowBytes + index * 4;
  }

  get #rowBytes(): number {
    return 8 + this.f64.length * 8 + this.u32.length * 4;
  }

  /** Gives back what no row stands in. */
  shrink(): void {
    this.#grow(Math.max(FIRST_ROWS, this.count));
    this.#reindex(indexSize(this.lo.length));
  }

  /** Row of the key; -1 without one. */
  find(lo: number, hi: number): number {
    const mask = this.#index.length - 1;
    for (let at = lo & mask; ; at = (at + 1) & mask) {
      const row = this.#index[at]! - 1;
      if (row < 0 || (this.lo[row] === lo && this.hi[row] === hi)) return row;
    }
  }

  /** A row for a key that has none; its columns are zero. */
  add(lo: number, hi: number): number {
    if (this.count === this.lo.length) this.#grow(Math.ceil(this.count * 1.5));
    if ((this.count + 1) * 4 > this.#index.length * 3) this.#reindex(this.#index.length * 2);
    const row = this.count++;
    this.lo[row] = lo;
    this.hi[row] = hi;
    for (const column of this.f64) column[row] = 0;
    for (const column of this.u32) column[row] = 0;
    this.#put(row);
    return row;
  }

  /** Keeps these rows in their order; answers by old row which is the new one, `NO_ROW` for none. */
  keep(isKept: (row: number) => boolean): Uint32Array {
    const rows = new Uint32Array(this.count);
    let kept = 0;
    for (let row = 0; row < this.count; row++) {
      if (!isKept(row)) {
        rows[row] = NO_ROW;
        continue;
      }
      rows[row] = kept;
      for (const column of this.#all()) column[kept] = column[row]!;
      kept++;
    }
    this.count = kept;
    if (kept * 4 < this.lo.length) this.#grow(Math.max(FIRST_ROWS, Math.ceil(kept * 1.5)));
    this.#reindex(indexSize(this.lo.length));
    return rows;
  }

  save(writer: ByteWriter): void {
    writer.u32(this.count);
    for (const column of this.#all()) writer.column(column, this.count);
  }

  /** False where the bytes hold no such table. */
  restore(reader: ByteReader): boolean {
    const count = reader.u32();
    const u32 = [...Array(2 + this.u32.length)].map(() => reader.u32s());
    const f64 = this.f64.map(() => reader.f64s());
    if (!reader.isWhole || [...u32, ...f64].some((column) => column.length !== count)) return false;
    this.count = count;
    this.#grow(Math.max(FIRST_ROWS, count));
    [this.lo, this.hi, ...this.u32].forEach((column, i) => column.set(u32[i]!));
    this.f64.forEach((column, i) => column.set(f64[i]!));
    this.#reindex(indexSize(this.lo.length));
    return true;
  }

  #all(): Array<Uint32Array | Float64Array> {
    return [this.lo, this.hi, ...this.u32, ...this.f64];
  }

  #grow(rows: number): void {
    const count = Math.min(this.count, rows);
    const sized = (column: Uint32Array): Uint32Array<ArrayBuffer> => {
      const larger = new Uint32Array(rows);
      larger.set(column.subarray(0, Math.min(count, column.length)));
      return larger;
    };
    this.lo = sized(this.lo);
    this.hi = sized(this.hi);
    this.u32.forEach((column, i) => (this.u32[i] = sized(column)));
    this.f64.forEach((column, i) => {
      this.f64[i] = new Float64Array(rows);
      this.f64[i].set(column.subarray(0, Math.min(count, column.length)));
    });
  }

  #reindex(size: number): void {
    this.#index = new Uint32Array(size);
    for (let row = 0; row < this.count; row++) this.#put(row);
  }

  #put(row: number): void {
    const mask = this.#index.length - 1;
    let at = this.lo[row]! & mask;
    while (this.#index[at] !== 0) at = (at + 1) & mask;
    this.#index[at] = row + 1;
  }
}

function indexSize(rows: number): number {
  let size = 128;
  while (rows * 4 > size * 3) size *= 2;
  return size;
}

/** Marks the `drop` rows of the least times, of equal ones those added first: they give way when room is short. */
export function oldestRows(times: Float64Array, count: number, drop: number): Uint8Array {
  const marks = new Uint8Array(count);
  const limit = times.slice(0, count).toSorted()[drop - 1];
  if (limit === undefined) return marks;
  let ties = drop;
  for (let row = 0; row < count; row++) if (times[row]! < limit) ties--;
  for (let row = 0; row < count; row++) {
    if (times[row]! < limit || (times[row] === limit && ties-- > 0)) marks[row] = 1;
  }
  return marks;
}
