import * as layout from "../../../assembly/layout.ts";
import { encodeKey } from "../extraction.ts";
import type { Arena } from "../memory.ts";
import { type SearchLiteral, rarestPlace, strideOf } from "./literal.ts";

/** Hash of a text as the equality kernel computes it. */
export type TextHash = (address: number, length: number) => bigint;

export interface EqualConstant {
  readonly text: string;
  /** 1: text and boolean cells, 2: number cells. */
  readonly kinds: number;
  readonly predicate: number;
}

const FILTER_BYTES = 8192;

function tableSize(entries: number): number {
  let size = 8;
  while (size < entries * 2) size *= 2;
  return size;
}

/** Writes the jobs of a plan: one per column and manner of searching, never one per rule. */
export class JobWriter {
  readonly #arena: Arena;
  readonly #jobs: number[][] = [];

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  equal(descriptor: number, constants: readonly EqualConstant[], hash: TextHash): void {
    const arena = this.#arena;
    const byText = new Map<string, { text: string; kinds: number; predicates: number[] }>();
    for (const constant of constants) {
      const key = `${constant.kinds}${constant.text}`;
      const known = byText.get(key);
      if (known) known.predicates.push(constant.predicate);
      else byText.set(key, { text: constant.text, kinds: constant.kinds, predicates: [constant.predicate] });
    }
    const size = tableSize(byText.size);
    const table = arena.alloc(size * layout.CONSTANT_BYTES, 64);
    const filter = arena.alloc(FILTER_BYTES, 64);
    for (const { text, kinds, predicates } of byText.values()) {
      const bytes = encodeKey(text);
      const address = arena.bytes(bytes);
      const value = hash(address, bytes.length);
      const slot = Number(value >> 48n);
      arena.u8[filter + (slot >> 3)]! |= 1 << (slot & 7);
      let i = Number((value >> 20n) & 0xffffffffn) & (size - 1);
      while (arena.u32[(table + i * layout.CONSTANT_BYTES + layout.CONSTANT_POSTINGS) >>> 2]) i = (i + 1) & (size - 1);
      const entry = table + i * layout.CONSTANT_BYTES;
      arena.view.setBigUint64(entry + layout.CONSTANT_HASH, value, true);
      this.#put(entry + layout.CONSTANT_TEXT, address);
      this.#put(entry + layout.CONSTANT_LENGTH, bytes.length);
      this.#put(entry + layout.CONSTANT_POSTINGS, this.#postings(predicates));
      this.#put(entry + layout.CONSTANT_KINDS, kinds);
    }
    this.#jobs.push([layout.JOB_EQUAL, descriptor, table, size - 1, filter, 0, 0]);
  }

  /** All literals of a column with one stride and one way of comparing. */
  literals(descriptor: number, literals: ReadonlyArray<{ literal: SearchLiteral; predicate: number }>): void {
    const groups = new Map<string, Array<{ literal: SearchLiteral; predicate: number }>>();
    for (const entry of literals) {
      const stride = entry.literal.prefix ? 0 : strideOf(entry.literal.bytes.length);
      const key = `${entry.literal.fold}${stride}`;
      const group = groups.get(key);
      if (group) group.push(entry);
      else groups.set(key, [entry]);
    }
    for (const group of groups.values()) this.#literalJob(descriptor, group);
  }

  #literalJob(descriptor: number, group: ReadonlyArray<{ literal: SearchLiteral; predicate: number }>): void {
    const arena = this.#arena;
    const first = group[0]!.literal;
    const stride = first.prefix ? 1 : strideOf(first.bytes.length);
    const size = tableSize(group.length * stride);
    const table = arena.alloc(size * layout.LITERAL_BYTES, 64);
    for (let i = 0; i < size; i++) this.#put(table + i * layout.LITERAL_BYTES + layout.LITERAL_PREDICATE, 0xffffffff);
    const filter = arena.alloc(FILTER_BYTES, 64);
    for (const { literal, predicate } of group) {
      const text = arena.bytes(literal.bytes);
      const place = first.prefix ? 0 : rarestPlace(literal.bytes, stride);
      const view = new DataView(literal.bytes.buffer, literal.bytes.byteOffset, literal.bytes.length);
      for (let offset = place; offset < place + stride; offset++) {
        const gram = (view.getUint32(offset, true) | 0x20202020) >>> 0;
        const mixed = Math.imul(gram, 0x9e3779b1) >>> 0;
        const slot = mixed >>> 16;
        arena.u8[filter + (slot >> 3)]! |= 1 << (slot & 7);
        let i = (mixed >>> 8) & (size - 1);
        while (arena.u32[(table + i * layout.LITERAL_BYTES + layout.LITERAL_PREDICATE) >>> 2] !== 0xffffffff) i = (i + 1) & (size - 1);
        const entry = table + i * layout.LITERAL_BYTES;
        this.#put(entry + layout.LITERAL_GRAM, gram);
        this.#put(entry + layout.LITERAL_PREDICATE, predicate);
        this.#put(entry + layout.LITERAL_TEXT, text);
        this.#put(entry + layout.LITERAL_LENGTH, literal.bytes.length);
        this.#put(entry + layout.LITERAL_OFFSET, offset);
        this.#put(entry + layout.LITERAL_VERIFY, literal.verify);
      }
    }
    this.#jobs.push([first.prefix ? layout.JOB_PREFIX : layout.JOB_LITERAL, descriptor, table, size - 1, filter, stride, first.fold ? 1 : 0]);
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

  #put(address: number, value: number): void {
    this.#arena.u32[address >>> 2] = value;
  }
}
