import { ColumnPlan } from "../engine/columns.ts";
import { Matching } from "../engine/matching/matching.ts";
import { parseQuery } from "../query/parse.ts";
import { printQuery } from "../query/print.ts";
import type { QueryNode } from "../query/tree.ts";
import { columnText, predicateText } from "./explanation.ts";
import { UsageError, problemText } from "./problems.ts";
import { jsonLine, safe } from "./text.ts";

/** `vespid query explain`: tree, predicates, cover and fields. */
export function queryExplain(text: string, options: { readonly json?: boolean }): number {
  const parsed = parseQuery(text);
  if (!parsed.ok) throw new UsageError(parsed.problems.map((problem) => problemText(problem, text)).join("\n"));
  const columns = new ColumnPlan();
  const matching = new Matching(columns, [{ id: 0, query: parsed.node }]);
  const { cover } = matching.compiled[0]!;
  const query = printQuery(parsed.node);
  const predicates = matching.predicates.map((predicate, i) => ({ ...predicate, field: columnText(columns.keys[predicate.column]!), eager: matching.isEager(i) }));
  if (options.json) {
    process.stdout.write(jsonLine({ query, tree: parsed.node, predicates, cover: cover ?? null, fields: columns.keys.map(columnText) }));
    return 0;
  }
  const lines = [
    `query       ${query}`,
    "tree",
    treeText(parsed.node, "  "),
    `fields      ${columns.keys.map(columnText).join(", ") || "none"}`,
    "predicates",
    ...matching.predicates.map((predicate, i) => `  #${i}  ${matching.isEager(i) ? "whole column " : "when asked   "}  ${predicateText(predicate, columns)}`),
    `cover       ${coverText(cover)}`,
  ];
  process.stdout.write(`${lines.map((line) => line.split("\n").map(safe).join("\n")).join("\n")}\n`);
  return 0;
}

function coverText(cover: readonly number[] | undefined): string {
  if (!cover) return "none: the query runs on every batch";
  return cover.length ? `the query runs where ${cover.map((predicate) => `#${predicate}`).join(" or ")} fired` : "the query can match nothing";
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
