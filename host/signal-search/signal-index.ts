import { addressText, findAddresses, parseAddress } from "../event/address.ts";
import type { Json } from "../event/event.ts";
import type { Scalar } from "../query/values.ts";
import { type Bits, clearBit } from "./bits.ts";
import { Column } from "./column.ts";
import { Codes, grown } from "./growing.ts";
import { LineTexts } from "./line-texts.ts";
import type { Searchable } from "./searchable.ts";
import { TEXT, Texts } from "./texts.ts";
import { WordFinder } from "./word-finder.ts";

/** Fields there is room for; values of others cannot be searched, and are counted. */
const MOST_COLUMNS = 10_000;
/** Values of one signal that are taken in. */
const MOST_VALUES = 50_000;
const MOST_DEPTH = 100;
/** Names of members at all depths there is room for. */
const MOST_PLACES = 100_000;
/** The text of one address, as it is written canonically. */
const QUAD = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;
export const wholes = ["host", "service", "source", "status", "trace_id"] as const;

export type TextColumn = Column<Texts>;

/** A column of values of one attribute path, key by key as they stand in the signals. */
export interface AttributeColumn {
  readonly path: readonly string[];
  readonly column: TextColumn;
}

interface Place {
  readonly path: readonly string[];
  readonly inner: Map<string, Place>;
  column: TextColumn | undefined;
}

/** Which values of a dictionary hold which addresses, as pairs. */
export interface AddressPairs {
  readonly values: Codes;
  readonly addresses: Codes;
}

/**
 * All signals as columns in memory. Rows are numbered in the order they come; a signal that comes again gets a new row, and the old
 * one is dead until `compacted`.
 */
export class SignalIndex {
  readonly ids = new Texts();
  readonly message = new Column(new LineTexts());
  /** Reserved attributes that are searched as whole values. */
  readonly reserved = new Map<string, TextColumn>(wholes.map((name) => [name, new Column(new Texts())]));
  /** Values of tags by key; tags without a colon are by themselves. */
  readonly tags = new Map<string, TextColumn>();
  readonly bareTags: TextColumn = new Column(new Texts());
  readonly attributes: AttributeColumn[] = [];
  /** By path with dots between. */
  readonly #byPath = new Map<string, AttributeColumn[]>();
  readonly #root: Place = { path: [], inner: new Map(), column: undefined };
  readonly #finders = new Map<Texts, WordFinder>();
  /** Canonical texts of all addresses that stand anywhere in signals. */
  readonly addresses = new Texts();
  readonly #addressed = new Map<Texts | LineTexts, AddressPairs>();
  /** By row: code of its id, and when it was created. */
  #rowIds = new Uint32Array(1024);
  #times = new Float64Array(1024);
  /** By code of an id: its row plus one, 0 when it has none. */
  #rowOf = new Uint32Array(1024);
  #alive: Bits = new Uint32Array(32);
  #rows = 0;
  #dead = 0;
  #columns = 0;
  #places = 0;
  #left = 0;
  /** One more with each change. */
  generation = 0;

  /** Rows, the dead among them. */
  get rows(): number {
    return this.#rows;
  }

  get count(): number {
    return this.#rows - this.#dead;
  }

  get dead(): number {
    return this.#dead;
  }

  /** When signals were created, by row. */
  get times(): Float64Array {
    return this.#times;
  }

  get rowIds(): Uint32Array {
    return this.#rowIds;
  }

  /** A copy of which rows are alive. */
  alive(): Bits {
    return this.#alive.slice(0, (this.#rows + 31) >>> 5);
  }

  idOf(row: number): string {
    return this.ids.text(this.#rowIds[row]!);
  }

  has(id: string): boolean {
    const code = this.ids.find(id);
    return code !== 0 && this.#rowOf[code] !== 0;
  }

  columnsAt(path: string): readonly AttributeColumn[] {
    return this.#byPath.get(path) ?? [];
  }

  /** Finds words in the values of a column. */
  finder(texts: Texts): WordFinder {
    let finder = this.#finders.get(texts);
    if (!finder) this.#finders.set(texts, (finder = new WordFinder(texts)));
    return finder;
  }

  addressesOf(dictionary: Texts | LineTexts): AddressPairs | undefined {
    return this.#addressed.get(dictionary);
  }

  /** Takes a signal in, in place of what it was before. */
  add({ id, timestampMs, event }: Searchable): void {
    this.remove(id);
    const row = this.#newRow(id, timestampMs);
    if (event.message !== undefined) this.message.add(row, this.#line(event.message));
    for (const name of wholes) {
      const value = event[name];
      if (value === undefined) continue;
      const column = this.reserved.get(name)!;
      if (typeof value === "string") this.#put(column, row, value);
      else for (const each of value) this.#put(column, row, each);
    }
    for (const tag of event.tags ?? []) this.#addTag(row, tag);
    this.#left = MOST_VALUES;
    this.#addValue(row, this.#root, event.attributes as Json, 0);
    this.generation++;
  }

  /** False when there is none of this id. */
  remove(id: string): boolean {
    const code = this.ids.find(id);
    const row = code === 0 ? 0 : this.#rowOf[code]!;
    if (row === 0) return false;
    this.#rowOf[code] = 0;
    clearBit(this.#alive, row - 1);
    this.#dead++;
    this.generation++;
    return true;
  }

  /** Gives back what columns kept for growing. */
  trim(): void {
    for (const column of [this.message, this.bareTags, ...this.reserved.values(), ...this.tags.values(), ...this.attributes.map((each) => each.column)]) column.trim();
    this.ids.trim();
    this.addresses.trim();
  }

  /** Words in lower case where they are looked for most, so that nobody waits for them. */
  prepare(): void {
    this.message.dictionary.prepare();
    for (const path of ["title", "error.message", "error.stack"]) for (const { column } of this.columnsAt(path)) this.finder(column.dictionary).fold();
  }

  /** Bytes, as far as they are the columns'. */
  get bytes(): number {
    let bytes = this.ids.bytes + this.addresses.bytes + this.message.bytes + this.bareTags.bytes + this.#rowIds.byteLength + this.#times.byteLength + this.#rowOf.byteLength;
    for (const column of [...this.reserved.values(), ...this.tags.values()]) bytes += column.bytes;
    for (const { column } of this.attributes) bytes += column.bytes;
    for (const finder of this.#finders.values()) bytes += finder.bytes;
    for (const { values, addresses } of this.#addressed.values()) bytes += values.bytes + addresses.bytes;
    return bytes;
  }

  /**
   * The same signals without the dead rows and the values only those had. Made in pieces, between which this one may be asked but not
   * be changed.
   */
  *compacted(): Generator<void, SignalIndex> {
    const fresh = new SignalIndex();
    const to = new Int32Array(this.#rows).fill(-1);
    for (let row = 0; row < this.#rows; row++) {
      if ((this.#alive[row >>> 5]! & (1 << (row & 31))) !== 0) to[row] = fresh.#newRow(this.idOf(row), this.#times[row]!);
    }
    yield;
    const lines = this.message.dictionary;
    fresh.#copyInto(this.message, to, (code) => fresh.#line(lines.text(code)), fresh.message);
    yield;
    for (const [name, column] of this.reserved) fresh.#copyTexts(column, to, fresh.reserved.get(name)!);
    fresh.#copyTexts(this.bareTags, to, fresh.bareTags);
    for (const [key, column] of this.tags) {
      fresh.#copyTexts(column, to, fresh.#tagColumn(key)!, `${key}:`);
      yield;
    }
    for (const { path, column } of this.attributes) {
      let place = fresh.#root;
      for (const name of path) place = fresh.#inner(place, name);
      fresh.#copyTexts(column, to, fresh.#columnOf(place)!);
      yield;
    }
    fresh.generation = this.generation + 1;
    return fresh;
  }

  #newRow(id: string, timeMs: number): number {
    const row = this.#rows++;
    if (row === this.#rowIds.length) {
      this.#rowIds = grown(this.#rowIds, row * 2);
      this.#times = grown(this.#times, row * 2);
    }
    if (row >>> 5 >= this.#alive.length) this.#alive = grown(this.#alive, this.#alive.length * 2);
    const code = this.ids.add(id);
    if (code >= this.#rowOf.length) this.#rowOf = grown(this.#rowOf, code * 2);
    this.#rowOf[code] = row + 1;
    this.#rowIds[row] = code;
    this.#times[row] = timeMs;
    this.#alive[row >>> 5]! |= 1 << (row & 31);
    return row;
  }

  #addTag(row: number, tag: string): void {
    const colon = tag.indexOf(":");
    if (colon < 0) {
      this.#put(this.bareTags, row, tag);
      return;
    }
    const key = tag.slice(0, colon);
    const column = this.#tagColumn(key);
    if (column) this.#put(column, row, tag.slice(colon + 1), `${key}:`);
  }

  #tagColumn(key: string): TextColumn | undefined {
    let column = this.tags.get(key);
    if (!column && this.#columns < MOST_COLUMNS) {
      this.tags.set(key, (column = new Column(new Texts())));
      this.#columns++;
    }
    return column;
  }

  #addValue(row: number, place: Place, value: Json | undefined, depth: number): void {
    if (value === null || value === undefined || depth > MOST_DEPTH) return;
    if (typeof value !== "object") {
      const column = this.#left-- > 0 ? this.#columnOf(place) : undefined;
      if (column) this.#put(column, row, value);
    } else if (Array.isArray(value)) for (const each of value) this.#addValue(row, place, each, depth + 1);
    else for (const name of Object.keys(value)) this.#addValue(row, this.#inner(place, name), value[name], depth + 1);
  }

  #inner(place: Place, name: string): Place {
    let inner = place.inner.get(name);
    if (!inner) {
      inner = { path: [...place.path, name], inner: new Map(), column: undefined };
      // Beyond the cap places lead nowhere, and are not kept.
      if (this.#columns < MOST_COLUMNS && this.#places++ < MOST_PLACES) place.inner.set(name, inner);
    }
    return inner;
  }

  #columnOf(place: Place): TextColumn | undefined {
    if (place.column || this.#columns >= MOST_COLUMNS) return place.column;
    const column: TextColumn = new Column(new Texts());
    const entry = { path: place.path, column };
    const path = place.path.join(".");
    this.attributes.push(entry);
    const same = this.#byPath.get(path);
    if (same) same.push(entry);
    else this.#byPath.set(path, [entry]);
    this.#columns++;
    return (place.column = column);
  }

  #put(column: TextColumn, row: number, value: Scalar, before = ""): void {
    column.add(row, this.#code(column.dictionary, value, before));
  }

  /** @param before what stands before the value in the text that holds it. */
  #code(texts: Texts, value: Scalar, before: string): number {
    const { count } = texts;
    const code = texts.add(value);
    if (texts.count > count && typeof value === "string" && mayHoldAddress(value)) this.#noteAddresses(texts, code, before + value);
    return code;
  }

  #line(message: string): number {
    const { dictionary } = this.message;
    return dictionary.add(message, (line, code) => {
      if (mayHoldAddress(line)) this.#noteAddresses(dictionary, code, line);
    });
  }

  #noteAddresses(dictionary: Texts | LineTexts, code: number, text: string): void {
    for (const address of QUAD.test(text) ? [text] : findAddresses(text)) {
      let pairs = this.#addressed.get(dictionary);
      if (!pairs) this.#addressed.set(dictionary, (pairs = { values: new Codes(), addresses: new Codes() }));
      pairs.values.push(code);
      pairs.addresses.push(this.addresses.addBytes(Buffer.from(address), TEXT));
    }
  }

  #copyTexts(from: TextColumn, to: Int32Array, into: TextColumn, before = ""): void {
    this.#copyInto(from, to, (code) => this.#code(into.dictionary, from.dictionary.value(code), before), into);
  }

  #copyInto<D extends Texts | LineTexts>(from: Column<D>, to: Int32Array, codeOf: (code: number) => number, into: Column<D>): void {
    const known = new Uint32Array(from.dictionary.count + 1);
    from.move(to, (row, code) => into.add(row, (known[code] ||= codeOf(code))));
  }
}

/**
 * Is there a run of digits, dots and colons that may be an address? One of four numbers has three dots; a longer one six colons or two
 * beside each other, and no group of more than four digits after the first.
 */
function mayHoldAddress(text: string): boolean {
  let [dots, colons, group, isLong, isShort] = [0, 0, 0, false, false];
  for (let i = 0; i <= text.length; i++) {
    const unit = i < text.length ? text.charCodeAt(i) : 0;
    if (unit === 46) dots++;
    else if (unit === 58) {
      colons++;
      if (text.charCodeAt(i - 1) === 58) isShort = true;
      group = 0;
    } else if ((unit >= 48 && unit <= 57) || (unit >= 97 && unit <= 102) || (unit >= 65 && unit <= 70)) {
      if (++group > 4 && colons > 0) isLong = true;
    } else {
      if (dots >= 3 || ((colons >= 6 || isShort) && (!isLong || dots > 0))) return true;
      dots = colons = group = 0;
      isLong = isShort = false;
    }
  }
  return false;
}

/** Canonical text of an address, and any other text as it is. */
export function canonicalAddressOr(text: string): string {
  const bytes = parseAddress(text);
  return bytes ? addressText(bytes) : text;
}
