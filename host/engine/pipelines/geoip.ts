import * as layout from "../../../assembly/layout.ts";
import { ADDRESS, AS, type GeoipRecord, placeNames } from "../../event/enrichment/geoip-record.ts";
import { type GeoipData, type GeoipTable, geoipTable } from "../../event/enrichment/geoip-table.ts";
import { type Scalar, scalarsBelow, valuesAt } from "../../query/values.ts";
import type { Kernel } from "../kernel.ts";
import type { Arena } from "../memory.ts";
import type { Operation, PlannedOperation, RowMask } from "./operation.ts";

/** What a column is given of an address that is known. */
export interface GeoipFeed {
  readonly column: number;
  /** Below the parser's target; undefined for a column above it. */
  readonly rest: readonly string[] | undefined;
  readonly isExistence: boolean;
}

/** Which of an address's two halves must be known for a column to change: what stood there goes then. */
const ANY = 0;
const PLACE = 1;
const NETWORK = 2;

/** The half that a feed is of; undefined for members that no database tells. */
function halfOf({ rest }: GeoipFeed): number | undefined {
  const first = rest?.[0];
  if (first === undefined || first === ADDRESS) return ANY;
  if (first === AS) return NETWORK;
  return (placeNames as readonly string[]).includes(first) ? PLACE : undefined;
}

/** Feeds that the parser changes. */
export function geoipFeeds(feeds: readonly GeoipFeed[]): GeoipFeed[] {
  return feeds.filter((feed) => halfOf(feed) !== undefined);
}

/** Places and networks of the addresses in the first source that has a value; each record of a database is spelled out once. */
export function geoip(data: GeoipData, sources: readonly number[], feeds: readonly GeoipFeed[], mask: RowMask | undefined): PlannedOperation {
  return ({ kernel, arena, descriptorOf, bitset }) => new GeoipStep(kernel, arena, {
    table: geoipTable(data), sources: sources.map(descriptorOf), feeds: feeds.map((feed) => ({ ...feed, descriptor: descriptorOf(feed.column), half: halfOf(feed)! })), mask: mask && (() => mask.address), masks: [bitset(), bitset(), bitset()],
  });
}

interface PlacedFeed extends GeoipFeed {
  readonly descriptor: number;
  readonly half: number;
}

interface Placed {
  readonly table: GeoipTable;
  /** Descriptors. */
  readonly sources: readonly number[];
  readonly feeds: readonly PlacedFeed[];
  /** Where the rows are told that it concerns; undefined for all. */
  readonly mask: (() => number) | undefined;
  /** Addresses of bitsets: rows whose address is known, whose place is, whose network is. */
  readonly masks: readonly number[];
}

const TEXT_BYTES = 256 * 1024;
/** IPv4 addresses of which the record is known without asking the table. */
const SEEN_BITS = 12;
const NONE = 0;
const KIND_SHIFT = 28;
const LENGTH_MASK = 0x0fffffff;

class GeoipStep implements Operation {
  readonly #kernel: Kernel;
  readonly #arena: Arena;
  readonly #placed: Placed;
  readonly #bytes: Buffer;
  readonly #texts: number;
  #used = 0;
  /** Records spelled out, by number; 0 is none. A word of address and one of length and kind for each feed. */
  readonly #numbers = new Map<GeoipRecord, number>();
  readonly #records: GeoipRecord[] = [{}];
  #words = new Uint32Array(0);
  /** Address and number of record, in turn. */
  readonly #seen = new Uint32Array(2 << SEEN_BITS);
  /** By row: the record's number, and the cell that the address stood in. */
  readonly #rows = new Uint32Array(layout.ROW_CAP);
  readonly #cells = new Uint32Array(2 * layout.ROW_CAP);
  readonly #encoder = new TextEncoder();

  constructor(kernel: Kernel, arena: Arena, placed: Placed) {
    this.#kernel = kernel;
    this.#arena = arena;
    this.#placed = placed;
    this.#bytes = Buffer.from(arena.memory.buffer);
    this.#texts = arena.alloc(TEXT_BYTES + layout.READ_PAD, 64);
  }

  run(rows: number): boolean {
    // What cells of the batch before point to is needed no more.
    if (this.#used > TEXT_BYTES / 2) this.#forget();
    const any = this.#lookUp(rows);
    if (any === undefined) {
      this.#forget();
      return rows === 1;
    }
    if (!any || this.#placed.feeds.every((feed, f) => this.#lay(feed, f, rows))) return true;
    this.#forget();
    return rows === 1;
  }

  /** Finds each row's record. @returns whether there is any; undefined when there is no room to spell them out. */
  #lookUp(rows: number): boolean | undefined {
    const { u8, u32 } = this.#arena;
    const { masks } = this.#placed;
    const sources = this.#placed.sources.filter((descriptor) => u32[(descriptor + layout.COLUMN_BLANK) >>> 2] === 0);
    if (!sources.length) return false;
    const mask = this.#placed.mask?.();
    for (const each of masks) u8.fill(0, each, each + layout.ROW_WORD_BYTES);
    const cells = sources.map((descriptor) => u32[(descriptor + layout.COLUMN_CELLS) >>> 2]! >>> 2);
    let any = false;
    for (let row = 0; row < rows; row++) {
      this.#rows[row] = NONE;
      if (mask !== undefined && !(u8[mask + (row >> 3)]! & (1 << (row & 7)))) continue;
      let high = 0;
      let at = 0;
      for (let s = 0; s < cells.length && high === 0; s++) high = u32[(at = cells[s]! + row * 2) + 1]!;
      if (high >>> KIND_SHIFT !== layout.KIND_STRING) continue;
      const start = u32[at]!;
      const number = this.#numberAt(start, high & LENGTH_MASK);
      if (number === undefined) return undefined;
      if (number === NONE) continue;
      any = true;
      this.#rows[row] = number;
      this.#cells[row * 2] = start;
      this.#cells[row * 2 + 1] = high;
      const { place, as } = this.#records[number]!;
      const bit = 1 << (row & 7);
      u8[masks[ANY]! + (row >> 3)]! |= bit;
      if (place) u8[masks[PLACE]! + (row >> 3)]! |= bit;
      if (as) u8[masks[NETWORK]! + (row >> 3)]! |= bit;
    }
    return any;
  }

  /** Number of the record of the address that a text is. */
  #numberAt(start: number, length: number): number | undefined {
    const address = this.#address4(start, length);
    if (address < 0) {
      const found = length <= LONGEST_ADDRESS ? this.#placed.table.find(this.#bytes.toString("latin1", start, start + length)) : undefined;
      return found ? this.#number(found.record) : NONE;
    }
    const place = 2 * (Math.imul(address, 0x9e3779b1) >>> (32 - SEEN_BITS));
    if (this.#seen[place] === address && address !== 0) return this.#seen[place + 1]!;
    const record = this.#placed.table.find4(address);
    const number = record ? this.#number(record) : NONE;
    if (number === undefined) return undefined;
    this.#seen[place] = address;
    this.#seen[place + 1] = number;
    return number;
  }

  /** The number of a text that is four numbers below 256 with single dots, none with a zero before it; -1 of others. */
  #address4(start: number, length: number): number {
    if (length < 7 || length > 15) return -1;
    const { u8 } = this.#arena;
    let address = 0;
    let part = -1;
    let dots = 0;
    for (let i = start; i < start + length; i++) {
      const c = u8[i]!;
      if (c === DOT) {
        if (part < 0 || ++dots > 3) return -1;
        address = address * 256 + part;
        part = -1;
      } else {
        if (c < ZERO || c > NINE || part === 0) return -1;
        part = (part < 0 ? 0 : part * 10) + c - ZERO;
        if (part > 255) return -1;
      }
    }
    return dots === 3 && part >= 0 ? address * 256 + part : -1;
  }

  #number(record: GeoipRecord): number | undefined {
    return this.#numbers.get(record) ?? this.#spell(record);
  }

  #spell(record: GeoipRecord): number | undefined {
    const { feeds } = this.#placed;
    const number = this.#records.length;
    const at = number * feeds.length * 2;
    if (at + feeds.length * 2 > this.#words.length) {
      const wider = new Uint32Array(Math.max(1024, (at + feeds.length * 2) * 2));
      wider.set(this.#words);
      this.#words = wider;
    }
    const whole = { ...record.place, ...(record.as ? { as: record.as } : {}) };
    for (const [f, { rest, isExistence }] of feeds.entries()) {
      const found = rest?.length && rest[0] !== ADDRESS ? valuesAt(whole, rest) : [];
      const scalar = isExistence ? found.flatMap(scalarsBelow)[0] : found.find((each): each is Scalar => typeof each !== "object");
      const cell = scalar === undefined ? [0, 0] : this.#cell(scalar);
      if (!cell) return undefined;
      this.#words.set(cell, at + f * 2);
    }
    this.#records.push(record);
    this.#numbers.set(record, number);
    return number;
  }

  /** Undefined when there is no room. */
  #cell(scalar: Scalar): [number, number] | undefined {
    const bytes = this.#encoder.encode(String(scalar));
    if (this.#used + bytes.length > TEXT_BYTES) return undefined;
    const address = this.#texts + this.#used;
    this.#arena.u8.set(bytes, address);
    this.#used += bytes.length;
    const kind = typeof scalar === "number" ? layout.KIND_NUMBER : typeof scalar === "boolean" ? layout.KIND_BOOLEAN : layout.KIND_STRING;
    return [address, (bytes.length | (kind << KIND_SHIFT)) >>> 0];
  }

  /** @returns false when there is no room for an address in canonical text. */
  #lay({ descriptor, rest, isExistence, half }: PlacedFeed, f: number, rows: number): boolean {
    const { u32 } = this.#arena;
    const cells = u32[(descriptor + layout.COLUMN_CELLS) >>> 2]! >>> 2;
    const isAbove = rest === undefined;
    // What is above is there already where something beside it is; a scalar above, or one at the target, gives way to the object.
    if (!isAbove || !isExistence) this.#kernel.setRows(descriptor, this.#placed.masks[half]!, rows, 0, 0, 0);
    if (!isExistence && (isAbove || rest.length === 0)) return true;
    u32[(descriptor + layout.COLUMN_BLANK) >>> 2] = 0;
    const isAddress = rest === undefined || rest.length === 0 || (rest[0] === ADDRESS && rest.length === 1);
    for (let row = 0; row < rows; row++) {
      const number = this.#rows[row]!;
      if (number === NONE) continue;
      const at = cells + row * 2;
      if (isAddress) {
        if (u32[at + 1] !== 0) continue;
        const cell = this.#addressCell(row);
        if (!cell) return false;
        u32.set(cell, at);
        continue;
      }
      const word = (number * this.#placed.feeds.length + f) * 2;
      if (this.#words[word + 1] === 0) continue;
      u32[at] = this.#words[word]!;
      u32[at + 1] = this.#words[word + 1]!;
    }
    return true;
  }

  /** The row's address in canonical text, which mostly is its own; undefined when there is no room. */
  #addressCell(row: number): readonly [number, number] | undefined {
    const start = this.#cells[row * 2]!;
    const high = this.#cells[row * 2 + 1]!;
    const length = high & LENGTH_MASK;
    if (this.#address4(start, length) >= 0) return [start, high];
    const text = this.#bytes.toString("latin1", start, start + length);
    const { address } = this.#placed.table.find(text)!;
    return address === text ? [start, high] : this.#cell(address);
  }

  #forget(): void {
    this.#used = 0;
    this.#numbers.clear();
    this.#records.length = 1;
    this.#seen.fill(0);
  }
}

const LONGEST_ADDRESS = 45;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
