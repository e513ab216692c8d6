import * as layout from "../../../assembly/layout.ts";
import type { QueryNode } from "../../query/tree.ts";
import type { ColumnPlan } from "../columns.ts";
import { encodeKey } from "../extraction.ts";
import type { Arena } from "../memory.ts";
import { type EqualConstant, JobWriter, type TextHash } from "./jobs.ts";
import { type SearchLiteral, globSymbols, keyWord, searchLiteral } from "./literal.ts";
import { Lowering } from "./lower.ts";
import { type Expression, type Predicate, Predicates } from "./predicate.ts";
import { type CompiledQuery, compileExpression, countUses } from "./program.ts";

export interface NumberedQuery {
  /** The standing query's number; ascending through the list. */
  readonly id: number;
  readonly query: QueryNode;
}

export interface MatchKernel {
  endsHashLow(address: number, length: number): number;
  endsHashHigh(address: number, length: number): number;
}

const PAIR_CAPACITY = 1 << 17;
const SCRATCH_BYTES = 4 << 20;

/**
 * All standing queries of a plan, compiled: distinct predicates, covers, programs.
 *
 * Made in two steps. The constructor asks the column plan for the columns it needs; `write` puts everything into memory
 * once the columns have addresses.
 */
export class Matching {
  readonly predicates: readonly Predicate[];
  readonly compiled: readonly CompiledQuery[];
  readonly #queries: readonly NumberedQuery[];
  readonly #literals: ReadonlyArray<SearchLiteral | undefined>;

  constructor(columns: ColumnPlan, queries: readonly NumberedQuery[]) {
    const predicates = new Predicates();
    const lowering = new Lowering(columns, predicates);
    const expressions: Expression[] = queries.map(({ query }) => lowering.lower(query));
    this.#queries = queries;
    this.predicates = predicates.list;
    this.#literals = predicates.list.map(searchLiteral);
    const uses = countUses(expressions, predicates.list.length);
    const facts = { eager: (predicate: number) => this.isEager(predicate), uses: (predicate: number) => uses[predicate]! };
    this.compiled = expressions.map((expression) => compileExpression(expression, facts));
  }

  isEager(predicate: number): boolean {
    return this.predicates[predicate]!.kind === "equal" || this.#literals[predicate] !== undefined;
  }

  /** @param timesAddress f64[ROW_CAP] of event times. @returns the address of the kernel's struct. */
  write(arena: Arena, columnTable: number, timesAddress: number, kernel: MatchKernel): number {
    const put = (address: number, value: number): void => {
      arena.u32[address >>> 2] = value;
    };
    const count = this.predicates.length;
    const queryCount = this.#queries.length;
    const struct = arena.alloc(layout.MATCH_BYTES, 64);
    const descriptorOf = (column: number): number => columnTable + column * layout.COLUMN_BYTES;
    const predicates = this.#writePredicates(arena, descriptorOf);
    const jobs = this.#writeJobs(arena, descriptorOf, (address, length) =>
      (BigInt(kernel.endsHashHigh(address, length) >>> 0) << 32n) | BigInt(kernel.endsHashLow(address, length) >>> 0));
    put(struct + layout.MATCH_PREDICATES, predicates);
    put(struct + layout.MATCH_PREDICATE_COUNT, count);
    put(struct + layout.MATCH_BITS, arena.alloc((count + 1) * layout.ROW_WORD_BYTES, 64));
    for (const field of [layout.MATCH_STAMPS, layout.MATCH_FIRED, layout.MATCH_VERIFIED]) put(struct + field, arena.alloc((count + 1) * 4));
    put(struct + layout.MATCH_JOBS, jobs.address);
    put(struct + layout.MATCH_JOB_COUNT, jobs.count);
    put(struct + layout.MATCH_QUERY_COUNT, queryCount);
    this.#writePrograms(arena, struct);
    put(struct + layout.MATCH_WANTED, arena.alloc(((queryCount + 63) >> 6) * 8 + 8, 8));
    const depth = this.compiled.reduce((deepest, query) => Math.max(deepest, query.depth), 1);
    put(struct + layout.MATCH_STACK, arena.alloc((depth + 1) * layout.ROW_WORD_BYTES, 64));
    put(struct + layout.MATCH_RESULTS, arena.alloc((queryCount + 1) * 4));
    put(struct + layout.MATCH_RESULT_BITS, arena.alloc((queryCount + 1) * layout.ROW_WORD_BYTES, 64));
    put(struct + layout.MATCH_RESULT_CAPACITY, queryCount + 1);
    const pairs = Math.max(PAIR_CAPACITY, queryCount + 1);
    put(struct + layout.MATCH_PAIRS, arena.alloc(pairs * 8, 64));
    put(struct + layout.MATCH_PAIR_CAPACITY, pairs);
    put(struct + layout.MATCH_SCRATCH, arena.alloc(SCRATCH_BYTES + 2 * layout.READ_PAD, 64) + layout.READ_PAD);
    put(struct + layout.MATCH_SCRATCH_BYTES, SCRATCH_BYTES);
    put(struct + layout.MATCH_TIMES, timesAddress);
    put(struct + layout.MATCH_ROW_COUNTS, arena.alloc((layout.ROW_CAP + 1) * 4));
    put(struct + layout.MATCH_STATES, arena.alloc(72 * 1024));
    put(struct + layout.MATCH_PAGES, arena.alloc(layout.MATCH_PAGE_CAP * 1024, 64));
    return struct;
  }

  #writePrograms(arena: Arena, struct: number): void {
    const programs = arena.alloc((this.compiled.length + 1) * 4);
    const ids = arena.alloc((this.compiled.length + 1) * 4);
    const coverLists = new Map<number, number[]>();
    const always: number[] = [];
    this.compiled.forEach((query, i) => {
      const code = arena.alloc(query.code.length * 4, 4);
      arena.u32.set(query.code, code >>> 2);
      arena.u32[(programs >>> 2) + i] = code;
      arena.u32[(ids >>> 2) + i] = this.#queries[i]!.id;
      if (!query.cover) always.push(i);
      else for (const predicate of query.cover) {
        const list = coverLists.get(predicate);
        if (list) list.push(i);
        else coverLists.set(predicate, [i]);
      }
    });
    const covers = arena.alloc((this.predicates.length + 1) * 4);
    for (const [predicate, list] of coverLists) {
      const address = arena.alloc(4 + list.length * 4, 4);
      arena.u32[address >>> 2] = list.length;
      arena.u32.set(list, (address + 4) >>> 2);
      arena.u32[(covers >>> 2) + predicate] = address;
    }
    const alwaysAddress = arena.alloc(4 + always.length * 4, 4);
    arena.u32.set(always, alwaysAddress >>> 2);
    const fields = [
      [layout.MATCH_PROGRAMS, programs], [layout.MATCH_IDS, ids], [layout.MATCH_COVERS, covers],
      [layout.MATCH_ALWAYS, alwaysAddress], [layout.MATCH_ALWAYS_COUNT, always.length],
    ] as const;
    for (const [field, value] of fields) arena.u32[(struct + field) >>> 2] = value;
  }

  #writeJobs(arena: Arena, descriptorOf: (column: number) => number, hash: TextHash): { address: number; count: number } {
    const equals = new Map<number, EqualConstant[]>();
    const literals = new Map<number, Array<{ literal: SearchLiteral; predicate: number }>>();
    this.predicates.forEach((predicate, number) => {
      if (predicate.kind === "equal") {
        const list = equals.get(predicate.column) ?? [];
        equals.set(predicate.column, list);
        list.push({ text: predicate.text, kinds: predicate.number === predicate.text ? 3 : 1, predicate: number });
        if (predicate.number !== undefined && predicate.number !== predicate.text) list.push({ text: predicate.number, kinds: 2, predicate: number });
        return;
      }
      const literal = this.#literals[number];
      if (!literal) return;
      const list = literals.get(predicate.column) ?? [];
      literals.set(predicate.column, list);
      list.push({ literal, predicate: number });
    });
    const writer = new JobWriter(arena);
    for (const [column, constants] of equals) writer.equal(descriptorOf(column), constants, hash);
    for (const [column, list] of literals) writer.literals(descriptorOf(column), list);
    return writer.finish();
  }

  #writePredicates(arena: Arena, descriptorOf: (column: number) => number): number {
    const start = arena.alloc((this.predicates.length + 1) * layout.PREDICATE_BYTES, 16);
    const numbers = new Map<number, number>();
    this.predicates.forEach((predicate, i) => {
      const at = start + i * layout.PREDICATE_BYTES;
      const put = (field: number, value: number): void => {
        arena.u32[(at + field) >>> 2] = value;
      };
      put(layout.PREDICATE_COLUMN, descriptorOf(predicate.column));
      put(layout.PREDICATE_KIND, this.isEager(i) ? layout.PREDICATE_EAGER : lazyKind(predicate));
      switch (predicate.kind) {
        case "equal":
        case "exists":
          return;
        case "glob":
        case "wordGlob":
        case "spanGlob": {
          const symbols = globSymbols(predicate.items);
          const address = arena.alloc(symbols.length * 2 + 16, 4);
          new Uint16Array(arena.memory.buffer, address, symbols.length).set(symbols);
          put(layout.PREDICATE_TEXT, address);
          put(layout.PREDICATE_LENGTH, symbols.length);
          return;
        }
        case "words":
          put(layout.PREDICATE_TEXT, writeSequence(arena, predicate.words));
          put(layout.PREDICATE_LENGTH, predicate.words.length);
          put(layout.PREDICATE_TEXT2, keyWord(predicate.words));
          return;
        case "number":
        case "time": {
          arena.view.setFloat64(at + layout.PREDICATE_LOW, predicate.low, true);
          arena.view.setFloat64(at + layout.PREDICATE_HIGH, predicate.high, true);
          put(layout.PREDICATE_FLAGS, rangeFlags(predicate.includeLow, predicate.includeHigh));
          let area = numbers.get(predicate.column);
          if (area === undefined) {
            area = arena.alloc(layout.ROW_CAP * 8 + 16, 16) + 16;
            numbers.set(predicate.column, area);
          }
          put(layout.PREDICATE_NUMBERS, area);
          return;
        }
        case "string": {
          const low = encodeKey(predicate.low ?? "");
          const high = encodeKey(predicate.high ?? "");
          put(layout.PREDICATE_TEXT, arena.bytes(low));
          put(layout.PREDICATE_LENGTH, low.length);
          put(layout.PREDICATE_TEXT2, arena.bytes(high));
          put(layout.PREDICATE_LENGTH2, high.length);
          const sides = (predicate.low === undefined ? 0 : layout.RANGE_HAS_LOW) | (predicate.high === undefined ? 0 : layout.RANGE_HAS_HIGH);
          put(layout.PREDICATE_FLAGS, sides | rangeFlags(predicate.includeLow, predicate.includeHigh));
          return;
        }
        case "cidr": {
          const blocks = arena.alloc(predicate.blocks.length * 36, 4);
          predicate.blocks.forEach((block, b) => {
            const to = blocks + b * 36;
            arena.u32[to >>> 2] = block.bytes.length;
            arena.u8.set(block.bytes, to + 4);
            block.bytes.forEach((_, k) => (arena.u8[to + 20 + k] = (0xff00 >> Math.max(0, Math.min(8, block.prefix - k * 8))) & 0xff));
          });
          put(layout.PREDICATE_TEXT, blocks);
          put(layout.PREDICATE_LENGTH, predicate.blocks.length);
        }
      }
    });
    return start;
  }
}

function rangeFlags(includeLow: boolean, includeHigh: boolean): number {
  return (includeLow ? layout.RANGE_INCLUDE_LOW : 0) | (includeHigh ? layout.RANGE_INCLUDE_HIGH : 0);
}

function lazyKind(predicate: Predicate): number {
  switch (predicate.kind) {
    case "equal":
      return layout.PREDICATE_EAGER;
    case "exists":
      return layout.PREDICATE_EXISTS;
    case "number":
      return layout.PREDICATE_NUMBER;
    case "string":
      return layout.PREDICATE_STRING;
    case "glob":
      return layout.PREDICATE_GLOB;
    case "cidr":
      return layout.PREDICATE_CIDR;
    case "words":
      return layout.PREDICATE_WORDS;
    case "wordGlob":
      return layout.PREDICATE_WORD_GLOB;
    case "spanGlob":
      return layout.PREDICATE_SPAN_GLOB;
    case "time":
      return layout.PREDICATE_TIME;
  }
}

/** Words one after another: u32 length, then the bytes with eight spare ones, padded to four. */
function writeSequence(arena: Arena, words: readonly string[]): number {
  const texts = words.map(encodeKey);
  const strides = texts.map((text) => 4 + ((text.length + 8 + 3) & ~3));
  const start = arena.alloc(strides.reduce((sum, stride) => sum + stride, 0) + layout.READ_PAD, 4);
  let at = start;
  texts.forEach((text, i) => {
    arena.u32[at >>> 2] = text.length;
    arena.u8.set(text, at + 4);
    at += strides[i]!;
  });
  return start;
}
