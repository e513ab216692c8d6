import * as layout from "../../../assembly/layout.ts";
import { encodeKey } from "../extraction.ts";
import type { Arena } from "../memory.ts";
import { RarePlaces, type Scan, gramAt, gramMask, scanPasses } from "./grams.ts";
import type { SearchLiteral } from "./literal.ts";

/** Hash of a text as the equality kernel computes it. */
export type TextHash = (address: number, length: number) => bigint;

export interface EqualConstant {
  readonly text: string;
  /** Cell kinds that may equal it, a bit per kind. */
  readonly kinds: number;
  readonly predicate: number;
}
export interface PlacedLiteral {
  readonly literal: SearchLiteral;
  readonly predicate: number;
}

interface Constant {
  readonly bytes: Uint8Array;
  readonly kinds: number;
  readonly predicates: number[];
}
interface Gram {
  readonly gram: number;
  readonly offset: number;
  readonly text: number;
  readonly entry: PlacedLiteral;
}

const GRAM_MIX = 0x9e3779b1;
const FEW_BYTES = 16;
/** Bits of a filter for each entry: one false alarm in so many. */
const FILTER_BITS = 128;
/** So many literals may share the gram at their beginning or end, unless they are too short to be scanned for at the widest stride. */
const CROWD = 16;
const CROWDED_BYTES = 7;
const LEAST_FILTER_LOG = 10;
const LARGEST_FILTER_LOG = 18;

function tableSize(entries: number): number {
  let size = 8;
  while (size < entries * 2) size *= 2;
  return size;
}

function filterLog(entries: number): number {
  let log = LEAST_FILTER_LOG;
  while (log < LARGEST_FILTER_LOG && 1 << log < entries * FILTER_BITS) log++;
  return log;
}

function anchorWidth(bytes: Uint8Array): number {
  return Math.min(4, bytes.length);
}

/** Place in the literal of the gram that is looked for at the value's end it is anchored at. */
function anchorOffset({ place, bytes }: SearchLiteral): number {
  return place === "end" ? bytes.length - anchorWidth(bytes) : 0;
}

/**
 * Literals that many others share their anchored gram with, as names that begin with `arn:aws:` do, are searched for by a rarer gram
 * further in; the pattern itself then tells where they must stand.
 */
function withoutCrowds(literals: readonly PlacedLiteral[]): PlacedLiteral[] {
  const gramOf = ({ literal }: PlacedLiteral): string => `${literal.place} ${gramAt(literal.bytes, anchorOffset(literal), anchorWidth(literal.bytes))}`;
  const counts = new Map<string, number>();
  for (const entry of literals) if (entry.literal.place !== "anywhere") counts.set(gramOf(entry), (counts.get(gramOf(entry)) ?? 0) + 1);
  return literals.map((entry) => {
    const { literal, predicate } = entry;
    if (literal.place === "anywhere" || literal.bytes.length < CROWDED_BYTES || counts.get(gramOf(entry))! <= CROWD) return entry;
    return { literal: { ...literal, place: "anywhere", verify: layout.VERIFY_GLOB }, predicate };
  });
}

/** Can no cell of another kind hold that text? Numbers stand in their cells in shortest form, beyond the doubles as `Infinity`. */
function textDecides(text: string, kinds: number): boolean {
  const number = kinds & (1 << layout.KIND_NUMBER);
  const others = kinds & (1 << layout.KIND_STRING);
  return others !== 0 && (number !== 0 || String(Number(text)) !== text);
}

/** Writes the jobs of a plan: one per column and manner of searching, never one per rule. */
export class JobWriter {
  readonly #arena: Arena;
  readonly #jobs: number[][] = [];

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  equal(descriptor: number, constants: readonly EqualConstant[], hash: TextHash): void {
    const distinct = new Map<string, Constant>();
    for (const { text, kinds, predicate } of constants) {
      const key = `${kinds} ${text}`;
      const known = distinct.get(key);
      if (known) known.predicates.push(predicate);
      else distinct.set(key, { bytes: encodeKey(text), kinds, predicates: [predicate] });
    }
    const list = [...distinct.values()];
    const simple = constants.every(({ text, kinds }) => textDecides(text, kinds)) && list.every(({ bytes }) => bytes.length <= FEW_BYTES);
    if (simple && list.length <= layout.JOB_FEW_CAP) this.#few(descriptor, list);
    else this.#many(descriptor, list, hash);
  }

  #few(descriptor: number, constants: readonly Constant[]): void {
    const arena = this.#arena;
    const table = arena.alloc(constants.length * layout.FEW_BYTES, 64);
    constants.forEach(({ bytes, predicates }, i) => {
      const at = table + i * layout.FEW_BYTES;
      bytes.forEach((byte, b) => {
        const half = b < 8 ? 0 : layout.FEW_TAIL - layout.FEW_HEAD - 8;
        arena.u8[at + layout.FEW_HEAD + half + b] = byte;
        arena.u8[at + layout.FEW_HEAD_MASK + half + b] = 0xff;
      });
      this.#put(at + layout.FEW_LENGTH, bytes.length);
      this.#put(at + layout.FEW_POSTINGS, this.#postings(predicates));
    });
    this.#jobs.push([layout.JOB_EQUAL_FEW, descriptor, table, constants.length]);
  }

  #many(descriptor: number, constants: readonly Constant[], hash: TextHash): void {
    const arena = this.#arena;
    const size = tableSize(constants.length);
    const table = arena.alloc(size * layout.CONSTANT_BYTES, 64);
    const log = filterLog(constants.length);
    const filter = arena.alloc(1 << (log - 3), 64);
    for (const { bytes, kinds, predicates } of constants) {
      const text = arena.bytes(bytes);
      const value = hash(text, bytes.length);
      this.#setBit(filter, Number(value >> 32n) >>> (32 - log));
      let i = Number(value & 0xffffffffn) & (size - 1);
      while (arena.u32[(table + i * layout.CONSTANT_BYTES + layout.CONSTANT_POSTINGS) >>> 2]) i = (i + 1) & (size - 1);
      const entry = table + i * layout.CONSTANT_BYTES;
      arena.view.setBigUint64(entry + layout.CONSTANT_HASH, value, true);
      this.#put(entry + layout.CONSTANT_TEXT, text);
      this.#put(entry + layout.CONSTANT_LENGTH, bytes.length);
      this.#put(entry + layout.CONSTANT_POSTINGS, this.#postings(predicates));
      this.#put(entry + layout.CONSTANT_KINDS, kinds);
    }
    this.#jobs.push([layout.JOB_EQUAL, descriptor, table, size - 1, filter, 32 - log]);
  }

  /** All literals of a column: those at an end of the values by width, the others in one job for each way of comparing. */
  literals(descriptor: number, literals: readonly PlacedLiteral[]): void {
    const anchored = new Map<string, PlacedLiteral[]>();
    const anywhere: [PlacedLiteral[], PlacedLiteral[]] = [[], []];
    for (const entry of withoutCrowds(literals)) {
      const { place, fold, bytes } = entry.literal;
      if (place === "anywhere") {
        anywhere[fold ? 1 : 0].push(entry);
        continue;
      }
      const key = `${place}${anchorWidth(bytes)}`;
      const group = anchored.get(key);
      if (group) group.push(entry);
      else anchored.set(key, [entry]);
    }
    for (const group of anchored.values()) this.#anchored(descriptor, group);
    anywhere.forEach((list, fold) => this.#anywhere(descriptor, list, fold));
  }

  #anchored(descriptor: number, group: readonly PlacedLiteral[]): void {
    const { place, bytes } = group[0]!.literal;
    const width = anchorWidth(bytes);
    const grams = group.map((entry): Gram => {
      const own = entry.literal.bytes;
      const offset = anchorOffset(entry.literal);
      return { gram: gramAt(own, offset, width), offset, text: this.#arena.bytes(own), entry };
    });
    const { table, mask, filter, shift } = this.#grams(grams);
    const kind = place === "start" ? layout.JOB_PREFIX : layout.JOB_SUFFIX;
    this.#jobs.push([kind, descriptor, table, mask, filter, shift, gramMask(width)]);
  }

  #anywhere(descriptor: number, literals: readonly PlacedLiteral[], fold: number): void {
    if (!literals.length) return;
    const passes = scanPasses(literals, ({ literal }) => literal.bytes);
    const groups = this.#arena.alloc(passes.length * layout.GROUP_BYTES, 16);
    passes.forEach(({ scan, list }, i) => {
      const { table, mask, filter, shift } = this.#grams(this.#scanGrams(scan, list));
      const at = groups + i * layout.GROUP_BYTES;
      this.#put(at + layout.GROUP_TABLE, table);
      this.#put(at + layout.GROUP_MASK, mask);
      this.#put(at + layout.GROUP_FILTER, filter);
      this.#put(at + layout.GROUP_SHIFT, shift);
      this.#put(at + layout.GROUP_STRIDE, scan.stride);
      this.#put(at + layout.GROUP_GRAM, gramMask(scan.width));
    });
    this.#jobs.push([layout.JOB_LITERAL, descriptor, groups, passes.length, 0, 0, fold]);
  }

  #scanGrams(scan: Scan, list: readonly PlacedLiteral[]): Gram[] {
    const places = new RarePlaces(list.map(({ literal }) => literal.bytes), scan);
    return list.flatMap((entry) => {
      const bytes = entry.literal.bytes;
      const text = this.#arena.bytes(bytes);
      const place = places.of(bytes);
      return Array.from({ length: scan.stride }, (_, i): Gram => ({ gram: gramAt(bytes, place + i, scan.width), offset: place + i, text, entry }));
    });
  }

  /** Filter and table of grams. */
  #grams(grams: readonly Gram[]): { table: number; mask: number; filter: number; shift: number } {
    const arena = this.#arena;
    const size = tableSize(grams.length);
    const table = arena.alloc(size * layout.LITERAL_BYTES, 64);
    for (let i = 0; i < size; i++) this.#put(table + i * layout.LITERAL_BYTES + layout.LITERAL_PREDICATE, layout.NO_PREDICATE);
    const log = filterLog(grams.length);
    const filter = arena.alloc(1 << (log - 3), 64);
    for (const { gram, offset, text, entry } of grams) {
      const mixed = Math.imul(gram, GRAM_MIX) >>> 0;
      this.#setBit(filter, mixed >>> (32 - log));
      let i = (mixed >>> 7) & (size - 1);
      while (arena.u32[(table + i * layout.LITERAL_BYTES + layout.LITERAL_PREDICATE) >>> 2] !== layout.NO_PREDICATE) i = (i + 1) & (size - 1);
      const at = table + i * layout.LITERAL_BYTES;
      this.#put(at + layout.LITERAL_GRAM, gram);
      this.#put(at + layout.LITERAL_PREDICATE, entry.predicate);
      this.#put(at + layout.LITERAL_TEXT, text);
      this.#put(at + layout.LITERAL_LENGTH, entry.literal.bytes.length);
      this.#put(at + layout.LITERAL_OFFSET, offset);
      this.#put(at + layout.LITERAL_VERIFY, entry.literal.verify);
    }
    return { table, mask: size - 1, filter, shift: 32 - log };
  }

  /** Writes the list; returns its address and length. */
  finish(): { address: number; count: number } {
    const address = this.#arena.alloc(Math.max(1, this.#jobs.length) * layout.JOB_BYTES, 16);
    this.#jobs.forEach((job, i) => job.forEach((word, k) => this.#put(address + i * layout.JOB_BYTES + k * 4, word)));
    return { address, count: this.#jobs.length };
  }

  #postings(predicates: readonly number[]): number {
    const address = this.#arena.alloc(4 + predicates.length * 4, 4);
    this.#put(address, predicates.length);
    predicates.forEach((predicate, i) => this.#put(address + 4 + i * 4, predicate));
    return address;
  }

  #setBit(filter: number, slot: number): void {
    this.#arena.u8[filter + (slot >>> 3)]! |= 1 << (slot & 7);
  }

  #put(address: number, value: number): void {
    this.#arena.u32[address >>> 2] = value;
  }
}
