import { readFileSync } from "node:fs";
import { ColumnPlan } from "../engine/columns.ts";
import { Matching } from "../engine/matching/matching.ts";
import type { LogEvent } from "../event/event.ts";
import { createMatcher } from "../matcher.ts";
import { matches } from "../query/matches.ts";
import { parseQuery } from "../query/parse.ts";
import { printQuery } from "../query/print.ts";
import type { QueryNode } from "../query/tree.ts";
import { UsageError, problemText } from "./problems.ts";

interface Vector {
  readonly id: string;
  readonly query: string;
  readonly event?: LogEvent;
  readonly match?: boolean;
  readonly error?: boolean;
}

/** Tells what an engine makes of every vector's event: one answer a vector. */
type Teller = { readonly name: string; judge(vectors: readonly Vector[], nodes: readonly QueryNode[]): Promise<boolean[]> };

const reference: Teller = {
  name: "reference",
  judge: async (vectors, nodes) => vectors.map((vector, i) => matches(nodes[i]!, vector.event ?? {})),
};

function kernel(variant: "simd" | "scalar"): Teller {
  return {
    name: `wasm ${variant}`,
    // All queries over one batch that mixes all events: the hardest company an event can be in.
    async judge(vectors, nodes) {
      const matcher = await createMatcher({ queries: nodes, variant });
      const lines = `${vectors.map((vector) => JSON.stringify(vector.event ?? {})).join("\n")}\n`;
      const hits = new Map((await matcher.match(new TextEncoder().encode(lines), { format: "log", arrivalMs: 0 })).map((hit) => [hit.index, hit.queries]));
      await matcher.close();
      return vectors.map((_, i) => hits.get(i)?.includes(i) ?? false);
    },
  };
}

/** `vespid query test`: vectors against the engines. Exit code 1 when one differs. */
export async function queryTest(file: string, options: { readonly engine: string; readonly json?: boolean }): Promise<number> {
  const tellers = { wasm: [kernel("scalar"), kernel("simd")], reference: [reference], both: [reference, kernel("scalar"), kernel("simd")] }[options.engine];
  if (!tellers) throw new UsageError(`--engine ${options.engine} is not known; use wasm, reference or both`);
  const vectors = readVectors(file);
  const failures: Array<{ id: string; engine: string; query: string; expected: string; got: string }> = [];
  const good: Vector[] = [];
  const nodes: QueryNode[] = [];
  for (const vector of vectors) {
    const parsed = parseQuery(vector.query);
    if (vector.error) {
      if (parsed.ok) failures.push({ id: vector.id, engine: "parser", query: vector.query, expected: "error", got: printQuery(parsed.node) });
    } else if (parsed.ok) {
      good.push(vector);
      nodes.push(parsed.node);
    } else failures.push({ id: vector.id, engine: "parser", query: vector.query, expected: String(vector.match), got: parsed.problems[0]?.message ?? "error" });
  }
  for (const teller of tellers) {
    const answers = await teller.judge(good, nodes);
    good.forEach((vector, i) => {
      if (answers[i] !== vector.match) failures.push({ id: vector.id, engine: teller.name, query: vector.query, expected: String(vector.match), got: String(answers[i]) });
    });
  }
  const failed = new Set(failures.map((failure) => failure.id)).size;
  if (options.json) process.stdout.write(`${JSON.stringify({ vectors: vectors.length, passed: vectors.length - failed, engines: tellers.map((teller) => teller.name), failures })}\n`);
  else {
    for (const failure of failures) process.stdout.write(`FAIL ${failure.id} (${failure.engine}): ${failure.query}: expected ${failure.expected}, got ${failure.got}\n`);
    process.stdout.write(`${vectors.length - failed} of ${vectors.length} vectors hold on ${tellers.map((teller) => teller.name).join(", ")}\n`);
  }
  return failed ? 1 : 0;
}

function readVectors(file: string): Vector[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new UsageError(`cannot read ${file}`);
  }
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    try {
      return [JSON.parse(line) as Vector];
    } catch {
      throw new UsageError(`${file}:${i + 1}: not a JSON line`);
    }
  });
}

/** `vespid query explain`: tree, predicates, cover and columns. */
export function queryExplain(text: string, options: { readonly json?: boolean }): number {
  const parsed = parseQuery(text);
  if (!parsed.ok) throw new UsageError(parsed.problems.map((problem) => problemText(problem, text)).join("\n"));
  const columns = new ColumnPlan();
  const matching = new Matching(columns, [{ id: 0, query: parsed.node }]);
  const compiled = matching.compiled[0]!;
  const explained = {
    query: printQuery(parsed.node),
    tree: parsed.node,
    predicates: matching.predicates.map((predicate, i) => ({ ...predicate, eager: matching.isEager(i) })),
    cover: compiled.cover ?? null,
    columns: columns.keys,
  };
  if (options.json) process.stdout.write(`${JSON.stringify(explained)}\n`);
  else {
    const columnText = (column: number): string => JSON.stringify(columns.keys[column]);
    process.stdout.write([
      `query       ${explained.query}`,
      "tree",
      treeText(parsed.node, "  "),
      "predicates",
      ...explained.predicates.map(({ column, eager, ...rest }, i) => `  ${i}  ${eager ? "eager" : "lazy "}  ${JSON.stringify(rest)} on ${columnText(column)}`),
      `cover       ${compiled.cover ? `runs only when predicate ${compiled.cover.join(" or ")} fired in the batch` : "none: runs on every batch"}`,
      "",
    ].join("\n"));
  }
  return 0;
}

function treeText(node: QueryNode, indent: string): string {
  switch (node.kind) {
    case "and":
    case "or":
      return [`${indent}${node.kind}`, ...node.nodes.map((child) => treeText(child, `${indent}  `))].join("\n");
    case "not":
      return `${indent}not\n${treeText(node.node, `${indent}  `)}`;
    case "all":
    case "leaf":
    case "cidr":
      return `${indent}${printQuery(node)}`;
  }
}
