import * as layout from "../../assembly/layout.ts";
import type { LogEvent } from "../../host/event/event.ts";
import { ColumnPlan } from "../../host/engine/columns.ts";
import { hostImports } from "../../host/engine/imports.ts";
import { type MatchKernel, Matching } from "../../host/engine/matching/matching.ts";
import { Arena } from "../../host/engine/memory.ts";
import { parseQuery } from "../../host/query/parse.ts";
import type { QueryNode } from "../../host/query/tree.ts";
import { FilledColumns } from "../support/fill-columns.ts";
import { type Variant, loadKernel } from "../support/wasm.ts";

const ENTRY = process.env.VESPID_MATCH_ENTRY ?? "assembly/match/index.ts";
const PAGES = 6000;

interface TestKernel extends MatchKernel {
  match(plan: number, rows: number): number;
}

export function treeOf(query: string): QueryNode {
  const parsed = parseQuery(query);
  if (!parsed.ok) throw new Error(`${query}: ${parsed.problems[0]?.message}`);
  return parsed.node;
}

/** Queries compiled in a kernel of their own, run over event objects. */
export class TestMatcher {
  readonly arena: Arena;
  readonly columns = new ColumnPlan();
  readonly matching: Matching;
  readonly filled: FilledColumns;
  readonly struct: number;
  readonly kernel: TestKernel;

  constructor(variant: Variant, queries: ReadonlyArray<string | QueryNode>, textBytes?: number) {
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65536, shared: true });
    this.kernel = new WebAssembly.Instance(loadKernel(variant, ENTRY), hostImports(memory)).exports as unknown as TestKernel;
    this.arena = new Arena(memory, 1 << 20, memory.buffer.byteLength);
    const numbered = queries.map((query, id) => ({ id, query: typeof query === "string" ? treeOf(query) : query }));
    this.matching = new Matching(this.columns, numbered);
    this.filled = new FilledColumns(this.arena, this.columns, textBytes === undefined ? {} : { textBytes });
    this.struct = this.matching.write(this.arena, this.filled.table, this.filled.times, this.kernel);
  }

  /** (standing, row) pairs in the kernel's order; undefined when they did not fit. */
  pairs(events: readonly LogEvent[]): Array<readonly [number, number]> | undefined {
    this.filled.fill(events);
    const count = this.kernel.match(this.struct, events.length);
    if (count < 0) return undefined;
    const at = this.arena.u32[(this.struct + layout.MATCH_PAIRS) >>> 2]! >>> 2;
    return Array.from({ length: count }, (_, i) => [this.arena.u32[at + i * 2]!, this.arena.u32[at + i * 2 + 1]!] as const);
  }

  /** For each event the numbers of the queries it matches, ascending as the kernel gives them. */
  match(events: readonly LogEvent[]): number[][] {
    const hits: number[][] = events.map(() => []);
    for (const [standing, row] of this.pairs(events) ?? []) hits[row]!.push(standing);
    return hits;
  }
}
