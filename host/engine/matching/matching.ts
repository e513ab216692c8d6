import * as layout from "../../../assembly/layout.ts";
import type { QueryNode } from "../../query/tree.ts";
import type { ColumnPlan } from "../columns.ts";
import type { Arena } from "../memory.ts";
import { matchAreas } from "./areas.ts";
import { writePredicates } from "./descriptors.ts";
import { type EqualConstant, JobWriter, type PlacedLiteral, type TextHash } from "./jobs.ts";
import { type SearchLiteral, globSymbols, searchLiteral } from "./literal.ts";
import { Lowering } from "./lower.ts";
import { type Expression, type Predicate, Predicates } from "./predicate.ts";
import { type CompiledQuery, compileExpression, countUses } from "./program.ts";

export interface NumberedQuery {
  /** The standing query's number; ascending through the list. */
  readonly id: number;
  readonly query: QueryNode;
}

export interface MatchKernel {
  textHashLow(address: number, length: number): number;
  textHashHigh(address: number, length: number): number;
}

const TEXT_KINDS = (1 << layout.KIND_STRING) | (1 << layout.KIND_BOOLEAN);
const NUMBER_KINDS = 1 << layout.KIND_NUMBER;

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

  /** Is the predicate answered for a whole column by a job, whether a query asks or not? */
  isEager(predicate: number): boolean {
    return this.predicates[predicate]!.kind === "equal" || this.#literals[predicate] !== undefined;
  }

  /** @param timesAddress f64[ROW_CAP] of event times. @returns the address of the kernel's struct. */
  write(arena: Arena, columnTable: number, timesAddress: number, kernel: MatchKernel): number {
    const count = this.predicates.length;
    const queryCount = this.#queries.length;
    const struct = arena.alloc(layout.MATCH_BYTES, 64);
    const descriptorOf = (column: number): number => columnTable + column * layout.COLUMN_BYTES;
    const jobs = this.#writeJobs(arena, descriptorOf, (address, length) =>
      (BigInt(kernel.textHashHigh(address, length) >>> 0) << 32n) | BigInt(kernel.textHashLow(address, length) >>> 0));
    const areas = matchAreas(arena, count, queryCount);
    const depth = this.compiled.reduce((deepest, query) => Math.max(deepest, query.depth), 1);
    put(arena, struct, [
      [layout.MATCH_PREDICATES, writePredicates(arena, this.predicates, (predicate) => this.isEager(predicate), descriptorOf)],
      [layout.MATCH_PREDICATE_COUNT, count],
      [layout.MATCH_BITS, areas.bits.address],
      [layout.MATCH_STAMPS, arena.alloc((count + 1) * 4)],
      [layout.MATCH_FIRED, arena.alloc((count + 1) * 4)],
      [layout.MATCH_NOTES, arena.alloc((count + 1) * 8)],
      [layout.MATCH_JOBS, jobs.address],
      [layout.MATCH_JOB_COUNT, jobs.count],
      [layout.MATCH_QUERY_COUNT, queryCount],
      [layout.MATCH_COUNTERS, arena.alloc((queryCount + 1) * 8, 8)],
      [layout.MATCH_WANTED, arena.alloc(((queryCount + 63) >> 6) * 8 + 8, 8)],
      [layout.MATCH_STACK, arena.alloc((depth + 1) * layout.ROW_WORD_BYTES, 64)],
      [layout.MATCH_RESULTS, arena.alloc((queryCount + 1) * 4)],
      [layout.MATCH_RESULT_BITS, areas.resultBits.address],
      [layout.MATCH_STATES, arena.alloc(this.#longestSpan() + 16)],
      [layout.MATCH_TIMES, timesAddress],
      [layout.MATCH_PAIRS, areas.pairs.address],
      [layout.MATCH_PAIR_CAPACITY, areas.pairs.capacity],
      [layout.MATCH_SCRATCH, areas.scratch],
      [layout.MATCH_SCRATCH_BYTES, areas.scratchBytes],
      [layout.MATCH_ROW_COUNTS, areas.rowCounts],
      [layout.MATCH_PAGES, areas.pages],
      [layout.MATCH_CHOSEN, areas.chosen],
      [layout.MATCH_HASHES, areas.hashes],
    ]);
    this.#writePrograms(arena, struct);
    return struct;
  }

  /** How often each query's program ran and how many rows it matched since `write`, in the order of the queries; both wrap at 2^32. */
  counters(arena: Arena, struct: number): Array<{ readonly id: number; readonly batches: number; readonly rows: number }> {
    const at = arena.u32[(struct + layout.MATCH_COUNTERS) >>> 2]! >>> 2;
    return this.#queries.map(({ id }, i) => ({ id, batches: arena.u32[at + i * 2]!, rows: arena.u32[at + i * 2 + 1]! }));
  }

  #longestSpan(): number {
    return this.predicates.reduce((longest, predicate) => Math.max(longest, predicate.kind === "spanGlob" ? globSymbols(predicate.items).length : 0), 0);
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
    put(arena, struct, [
      [layout.MATCH_PROGRAMS, programs], [layout.MATCH_IDS, ids], [layout.MATCH_COVERS, covers],
      [layout.MATCH_ALWAYS, alwaysAddress], [layout.MATCH_ALWAYS_COUNT, always.length],
    ]);
  }

  #writeJobs(arena: Arena, descriptorOf: (column: number) => number, hash: TextHash): { address: number; count: number } {
    const equals = new Map<number, EqualConstant[]>();
    const literals = new Map<number, PlacedLiteral[]>();
    this.predicates.forEach((predicate, number) => {
      if (predicate.kind === "equal") {
        const list = equals.get(predicate.column) ?? [];
        equals.set(predicate.column, list);
        list.push(...constantsOf(predicate.text, predicate.number, number));
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
}

/** A term is met by its own text in text cells, and by its number's canonical text in number cells. */
function constantsOf(text: string, number: string | undefined, predicate: number): EqualConstant[] {
  if (number === undefined) return [{ text, kinds: TEXT_KINDS, predicate }];
  if (number === text) return [{ text, kinds: TEXT_KINDS | NUMBER_KINDS, predicate }];
  return [{ text, kinds: TEXT_KINDS, predicate }, { text: number, kinds: NUMBER_KINDS, predicate }];
}

function put(arena: Arena, struct: number, fields: ReadonlyArray<readonly [field: number, value: number]>): void {
  for (const [field, value] of fields) arena.u32[(struct + field) >>> 2] = value;
}
