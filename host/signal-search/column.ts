import { type Bits, setBit } from "./bits.ts";
import { Codes, grown, resized } from "./growing.ts";

/** What a column's distinct values are kept in. */
export interface Dictionary {
  readonly count: number;
  trim(): void;
  readonly bytes: number;
}

/** Values of some rows, one after another: value `i` is of row `at[i]` of them, or of row `i` where `at` is absent. 0: the row has none. */
export interface Spread {
  readonly at: Uint32Array | undefined;
  readonly codes: Uint32Array;
  /** How many of the rows these are the values of. */
  readonly rows: number;
}

/** Rows a column may leave empty beside those that have a value, for it to hold one code for every row. */
const EMPTY_SHARE = 4;
/** Pairs that are passed one by one before they are leapt over. */
const NEAR_PAIRS = 8;
/** Values of one row that are looked through for the next; a set beyond. */
const LOOK_BACK = 32;

/**
 * The values of one field: for each row the codes of its distinct values.
 *
 * As long as most rows have one value and none has two, `codes[row]` is its code and 0 says it has none. After that it is pairs of
 * row and code, by row.
 */
export class Column<D extends Dictionary = Dictionary> {
  readonly dictionary: D;
  #codes = new Codes();
  /** Undefined while there is one code a row. */
  #rows: Uint32Array | undefined;
  #filled = 0;
  #seen: { readonly row: number; readonly codes: Set<number> } | undefined;

  constructor(dictionary: D) {
    this.dictionary = dictionary;
  }

  /** Values of all rows together. */
  get filled(): number {
    return this.#filled;
  }

  /** Rows come in ascending order, each as often as it has values. */
  add(row: number, code: number): void {
    if (this.#rows === undefined) {
      const { length, items } = this.#codes;
      if (row < length) {
        if (items[row] === code) return;
        this.#toPairs();
      } else if (row - length > 64 + this.#filled * EMPTY_SHARE) this.#toPairs();
      else {
        this.#codes.pad(row);
        this.#codes.push(code);
        this.#filled++;
        return;
      }
    }
    if (this.#has(row, code)) return;
    if (this.#filled === this.#rows!.length) this.#rows = grown(this.#rows!, Math.max(16, this.#filled * 2));
    this.#rows![this.#filled++] = row;
    this.#codes.push(code);
  }

  /** Sets the bits of rows with a value that `hits` names by code. */
  mark(hits: Uint8Array, bits: Bits): void {
    const codes = this.#codes.items;
    const rows = this.#rows;
    if (rows === undefined) {
      const { length } = this.#codes;
      for (let row = 0; row < length; row++) if (hits[codes[row]!] === 1) bits[row >>> 5]! |= 1 << (row & 31);
    } else for (let i = 0; i < this.#filled; i++) if (hits[codes[i]!] === 1) setBit(bits, rows[i]!);
  }

  /** Puts into `counts`, by code and empty before, the selected rows that have the value; returns rows that have any. */
  count(selected: Bits, counts: Uint32Array): number {
    const codes = this.#codes.items;
    const rows = this.#rows;
    let having = 0;
    if (rows === undefined) {
      const { length } = this.#codes;
      for (let word = 0; word << 5 < length; word++) {
        let rest = selected[word]!;
        if (rest === 0xffff_ffff && (word << 5) + 32 <= length) {
          for (let row = word << 5; row < (word << 5) + 32; row++) counts[codes[row]!]!++;
          continue;
        }
        for (; rest !== 0; rest &= rest - 1) {
          const row = (word << 5) + 31 - Math.clz32(rest & -rest);
          if (row < length) counts[codes[row]!]!++;
        }
      }
      counts[0] = 0;
      for (let code = 1; code < counts.length; code++) having += counts[code]!;
      return having;
    }
    let last = -1;
    for (let i = 0; i < this.#filled; i++) {
      const row = rows[i]!;
      if ((selected[row >>> 5]! & (1 << (row & 31))) === 0) continue;
      counts[codes[i]!]!++;
      if (row !== last) having++;
      last = row;
    }
    return having;
  }

  /** Where a row's codes begin and end in `codes`; both the same when it has none. */
  spanOf(row: number): readonly [number, number] {
    if (this.#rows === undefined) return row < this.#codes.length && this.#codes.items[row] !== 0 ? [row, row + 1] : [0, 0];
    const start = this.#firstAt(row, 0);
    let end = start;
    while (end < this.#filled && this.#rows[end] === row) end++;
    return [start, end];
  }

  get codes(): ArrayLike<number> {
    return this.#codes.items;
  }

  /**
   * All values of the given rows, which ascend and may repeat: for loops over many, where a call for each would cost more than the rest.
   *
   * @param most once there are so many, the rows that follow are left out: repeated rows of many values each would take all memory
   */
  spread(rows: Uint32Array, most = Number.POSITIVE_INFINITY): Spread {
    const codes = this.#codes.items;
    const own = this.#rows;
    if (own === undefined) {
      const { length } = this.#codes;
      const found = new Uint32Array(rows.length);
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]!;
        if (row < length) found[i] = codes[row]!;
      }
      return { at: undefined, codes: found, rows: rows.length };
    }
    const room = Math.min(rows.length, most) + 16;
    let [at, found] = [new Uint32Array(room), new Uint32Array(room)];
    let length = 0;
    let next = 0;
    const filled = this.#filled;
    let i = 0;
    for (; i < rows.length && length < most; i++) {
      const row = rows[i]!;
      // Mostly it is among the next ones; the last may have been the same row.
      const near = Math.min(filled, next + NEAR_PAIRS);
      while (next < near && own[next]! < row) next++;
      if (next < filled && own[next]! < row) next = this.#firstAt(row, next);
      let pair = next;
      do {
        if (length === at.length) [at, found] = [grown(at, length * 2), grown(found, length * 2)];
        at[length] = i;
        found[length++] = pair < filled && own[pair] === row ? codes[pair]! : 0;
        pair++;
      } while (pair < filled && own[pair] === row);
    }
    return { at: at.subarray(0, length), codes: found.subarray(0, length), rows: i };
  }

  /** Calls for each value of the given rows, which ascend and may repeat; with -1 as the code for a row without any. */
  each(rows: ArrayLike<number>, take: (index: number, code: number) => void): void {
    const codes = this.#codes.items;
    const own = this.#rows;
    if (own === undefined) {
      const { length } = this.#codes;
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]!;
        const code = row < length ? codes[row]! : 0;
        take(i, code === 0 ? -1 : code);
      }
      return;
    }
    let at = 0;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      // The last may have been the same row.
      if (at >= this.#filled || own[at]! < row) at = this.#firstAt(row, at);
      let found = at;
      while (found < this.#filled && own[found] === row) take(i, codes[found++]!);
      if (found === at) take(i, -1);
    }
  }

  /** Calls for each value of every row. */
  all(take: (row: number, code: number) => void): void {
    const codes = this.#codes.items;
    const count = this.#rows === undefined ? this.#codes.length : this.#filled;
    for (let i = 0; i < count; i++) if (codes[i] !== 0) take(this.#rows === undefined ? i : this.#rows[i]!, codes[i]!);
  }

  /** Calls for each value of each row that gets a new number: `to[row]`, -1 where it gets none. */
  move(to: Int32Array, take: (row: number, code: number) => void): void {
    const codes = this.#codes.items;
    const count = this.#rows === undefined ? this.#codes.length : this.#filled;
    for (let i = 0; i < count; i++) {
      const row = to[this.#rows === undefined ? i : this.#rows[i]!]!;
      if (row >= 0 && codes[i] !== 0) take(row, codes[i]!);
    }
  }

  /** Gives back what was kept for growing. */
  trim(): void {
    this.#codes.trim();
    if (this.#rows) this.#rows = resized(this.#rows, this.#filled + (this.#filled >>> 3) + 16);
    this.dictionary.trim();
  }

  get bytes(): number {
    return this.#codes.bytes + (this.#rows?.byteLength ?? 0) + this.dictionary.bytes;
  }

  /** The first pair of a row or a later one, from a place on. */
  #firstAt(row: number, from: number): number {
    const rows = this.#rows!;
    let step = 1;
    let low = from;
    while (low + step < this.#filled && rows[low + step]! < row) {
      low += step;
      step *= 2;
    }
    let high = Math.min(this.#filled, low + step);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (rows[middle]! < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #has(row: number, code: number): boolean {
    const [rows, codes] = [this.#rows!, this.#codes.items];
    if (this.#seen?.row === row) {
      if (this.#seen.codes.has(code)) return true;
      this.#seen.codes.add(code);
      return false;
    }
    let at = this.#filled - 1;
    for (; at >= 0 && rows[at] === row; at--) if (codes[at] === code) return true;
    if (this.#filled - 1 - at >= LOOK_BACK) this.#seen = { row, codes: new Set(Array.from(codes.subarray(at + 1, this.#filled)).concat(code)) };
    return false;
  }

  #toPairs(): void {
    const { length, items } = this.#codes;
    const rows = new Uint32Array(Math.max(16, this.#filled * 2));
    const codes = new Codes();
    for (let row = 0; row < length; row++) {
      if (items[row] === 0) continue;
      rows[codes.length] = row;
      codes.push(items[row]!);
    }
    this.#rows = rows;
    this.#codes = codes;
  }
}
