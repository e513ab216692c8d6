import * as layout from "../../../assembly/layout.ts";
import type { Json } from "../../event/event.ts";
import { isMembers } from "../../event/pipeline/members.ts";
import { type Scalar, scalarsBelow, valuesAt } from "../../query/values.ts";
import { DERIVED_EXTRAS } from "../steps.ts";
import type { Operation, Placement } from "./operation.ts";

/** Room for the texts of one batch. */
const TEXT_BYTES = 512 * 1024;
const KIND_SHIFT = 28;
const LENGTH_MASK = 0x0fffffff;
/** Bytes of one character at most, of those a text counts by. */
const BYTES_PER_UNIT = 3;

/** What is made of a text: mostly an object, whose members go to the columns that ask for them. */
export type ReadMembers = (text: string, arrivalMs: number) => Json | undefined;

/** A column that asks for something at, below or above the place of what is read. */
export interface MembersKey {
  readonly column: number;
  readonly path: readonly string[];
  readonly isExistence: boolean;
}

/** Columns by their paths. */
interface Node {
  attribute?: number;
  existence?: number;
  readonly below: Map<string, Node>;
}

/** A column and its new cells, low and high words in turn; none takes away what stands there. `fills`: only where there is none. */
interface Change {
  readonly descriptor: number;
  readonly words: readonly number[];
  readonly fills: boolean;
}

/**
 * Lays what is read out of texts into columns as events are joined with it: objects member by member, everything else over what stood
 * there. Each distinct text of a batch is read once.
 */
export class MembersStep implements Operation {
  readonly #placement: Placement;
  readonly #source: number;
  readonly #path: readonly string[];
  readonly #read: ReadMembers;
  readonly #root: Node = { below: new Map() };
  readonly #bytes: Buffer;
  readonly #u8: Uint8Array;
  readonly #u32: Uint32Array;
  readonly #texts: number;
  readonly #encoder = new TextEncoder();
  readonly #known = new Map<string, readonly Change[] | undefined>();
  #used = 0;
  #isFull = false;

  /** @param source descriptor of the column of texts; @param path where what is read goes, empty for the top of the event */
  constructor(placement: Placement, source: number, path: readonly string[], keys: readonly MembersKey[], read: ReadMembers) {
    this.#placement = placement;
    this.#source = source;
    this.#path = path;
    this.#read = read;
    const { arena, descriptorOf } = placement;
    this.#bytes = Buffer.from(arena.memory.buffer);
    this.#u8 = arena.u8;
    this.#u32 = arena.u32;
    this.#texts = arena.alloc(TEXT_BYTES + layout.READ_PAD, 64);
    for (const key of keys) {
      let node = this.#root;
      for (const name of key.path) {
        let below = node.below.get(name);
        if (!below) node.below.set(name, (below = { below: new Map() }));
        node = below;
      }
      if (key.isExistence) node.existence = descriptorOf(key.column);
      else node.attribute = descriptorOf(key.column);
    }
  }

  run(rows: number): boolean {
    this.#known.clear();
    this.#used = 0;
    this.#isFull = false;
    const cells = this.#u32[(this.#source + layout.COLUMN_CELLS) >>> 2]! >>> 2;
    for (let row = 0; row < rows; row++) {
      const high = this.#u32[cells + row * 2 + 1]!;
      if (high === 0) continue;
      const start = this.#u32[cells + row * 2]!;
      const text = this.#bytes.toString("utf8", start, start + (high & LENGTH_MASK));
      let changes = this.#known.get(text);
      if (!changes && !this.#known.has(text)) this.#known.set(text, (changes = this.#changes(text)));
      if (this.#isFull) return false;
      if (!changes) continue;
      for (const change of changes) if (!this.#lay(row, change)) return false;
    }
    return true;
  }

  #changes(text: string): readonly Change[] | undefined {
    const value = this.#read(text, this.#placement.texts.arrivalMs);
    if (value === undefined || (!this.#path.length && !isMembers(value))) return undefined;
    const changes: Change[] = [];
    let node: Node | undefined = this.#root;
    for (const name of this.#path) {
      this.#changeAbove(node, value, changes);
      node = node.below.get(name);
      if (!node) return changes;
    }
    this.#join(node, value, changes);
    return changes;
  }

  /** Above a value there is an object. */
  #changeAbove(node: Node, value: Json, changes: Change[]): void {
    if (node.attribute !== undefined) changes.push({ descriptor: node.attribute, words: [], fills: false });
    if (node.existence !== undefined) this.#exists(node.existence, value, changes);
  }

  #exists(descriptor: number, value: Json, changes: Change[]): void {
    const [first] = scalarsBelow(value);
    changes.push({ descriptor, words: first === undefined ? [] : this.#cell(first), fills: true });
  }

  #join(node: Node, value: Json, changes: Change[]): void {
    if (!isMembers(value)) {
      this.#replace(node, value, [], changes);
      return;
    }
    this.#changeAbove(node, value, changes);
    for (const name of Object.keys(value)) {
      const below = node.below.get(name);
      if (below) this.#join(below, value[name]!, changes);
      // Queries read dots of a name as steps too, and then it stands beside what the event has at the path.
      const dot = name.indexOf(".");
      if (dot > 0 && node.below.has(name.slice(0, dot))) this.#placement.odd.isFound = true;
    }
  }

  /** What stood at the node and below it is gone. */
  #replace(node: Node, value: Json, rest: readonly string[], changes: Change[]): void {
    const found = valuesAt(value, rest);
    if (node.attribute !== undefined) changes.push({ descriptor: node.attribute, words: found.filter((each): each is Scalar => typeof each !== "object").flatMap((each) => this.#cell(each)), fills: false });
    if (node.existence !== undefined) changes.push({ descriptor: node.existence, words: found.flatMap(scalarsBelow).slice(0, 1).flatMap((each) => this.#cell(each)), fills: false });
    for (const [name, below] of node.below) this.#replace(below, value, [...rest, name], changes);
  }

  /** Words of a cell whose text is laid into the room of the batch. */
  #cell(value: Scalar): readonly [number, number] {
    const text = String(value);
    const kind = typeof value === "number" ? layout.KIND_NUMBER : typeof value === "boolean" ? layout.KIND_BOOLEAN : layout.KIND_STRING;
    if (this.#used + text.length * BYTES_PER_UNIT > TEXT_BYTES) {
      this.#isFull = true;
      return [this.#texts, 0];
    }
    const address = this.#texts + this.#used;
    const length = this.#write(text, address);
    this.#used += length;
    return [address, (length | (kind << KIND_SHIFT)) >>> 0];
  }

  #write(text: string, address: number): number {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 128) {
        this.#u8[address + i] = code;
        continue;
      }
      // An encoder writes to no shared memory.
      const bytes = this.#encoder.encode(text);
      this.#u8.set(bytes, address);
      return bytes.length;
    }
    return text.length;
  }

  /** @returns false when there is no room for further values */
  #lay(row: number, { descriptor, words, fills }: Change): boolean {
    const u32 = this.#u32;
    const column = descriptor >>> 2;
    const cell = (u32[column + layout.COLUMN_CELLS / 4]! >>> 2) + row * 2;
    if (fills && !words.length) {
      // An object without values takes the place of a value, but not of another object's: which it is, the column does not tell.
      if (u32[cell + 1] !== 0) this.#placement.odd.isFound = true;
      return true;
    }
    if (fills && u32[cell + 1] !== 0) return true;
    if (u32[column + layout.COLUMN_EXTRA_COUNT / 4] !== 0) this.#dropExtras(column, row);
    if (words.length) u32[column + layout.COLUMN_BLANK / 4] = 0;
    u32[cell] = words[0] ?? 0;
    u32[cell + 1] = words[1] ?? 0;
    return words.length <= 2 || this.#insertExtras(descriptor, row, words);
  }

  #dropExtras(column: number, row: number): void {
    const u32 = this.#u32;
    const count = u32[column + layout.COLUMN_EXTRA_COUNT / 4]!;
    const cells = u32[column + layout.COLUMN_EXTRA_CELLS / 4]! >>> 2;
    const rows = u32[column + layout.COLUMN_EXTRA_ROWS / 4]! >>> 2;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      if (u32[rows + i] === row) continue;
      u32[rows + kept] = u32[rows + i]!;
      u32.copyWithin(cells + kept * 2, cells + i * 2, cells + i * 2 + 2);
      kept++;
    }
    u32[column + layout.COLUMN_EXTRA_COUNT / 4] = kept;
  }

  /** Extras stand in the order of rows, in an area that the column shares with no other. */
  #insertExtras(descriptor: number, row: number, words: readonly number[]): boolean {
    const u32 = this.#u32;
    const column = descriptor >>> 2;
    const own = this.#placement.extrasOf(descriptor);
    const count = u32[column + layout.COLUMN_EXTRA_COUNT / 4]!;
    const added = words.length / 2 - 1;
    if (count + added > DERIVED_EXTRAS) return false;
    const cells = own >>> 2;
    const rows = cells + DERIVED_EXTRAS * 2;
    const before = u32[column + layout.COLUMN_EXTRA_CELLS / 4]! >>> 2;
    if (before !== cells) {
      const beforeRows = u32[column + layout.COLUMN_EXTRA_ROWS / 4]! >>> 2;
      u32.copyWithin(cells, before, before + count * 2);
      u32.copyWithin(rows, beforeRows, beforeRows + count);
      u32[column + layout.COLUMN_EXTRA_CELLS / 4] = own;
      u32[column + layout.COLUMN_EXTRA_ROWS / 4] = own + DERIVED_EXTRAS * 8;
    }
    let at = count;
    while (at > 0 && u32[rows + at - 1]! > row) at--;
    u32.copyWithin(cells + (at + added) * 2, cells + at * 2, cells + count * 2);
    u32.copyWithin(rows + at + added, rows + at, rows + count);
    for (let i = 0; i < added; i++) {
      u32[cells + (at + i) * 2] = words[i * 2 + 2]!;
      u32[cells + (at + i) * 2 + 1] = words[i * 2 + 3]!;
      u32[rows + at + i] = row;
    }
    u32[column + layout.COLUMN_EXTRA_COUNT / 4] = count + added;
    return true;
  }
}
