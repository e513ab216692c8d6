import type { Problem } from "../problem.ts";
import { parseQuery } from "../query/parse.ts";
import type { QueryNode } from "../query/tree.ts";

const NOWHERE = { start: 0, end: 0 } as const;

/**
 * Filters of logs that searches leave out, as Datadog's indexes have exclusion filters. What they match is kept and judged all the
 * same: no rule hears of them.
 */
export function readExclusions(texts: readonly string[]): { readonly exclusions: readonly QueryNode[]; readonly problems: ReadonlyArray<readonly [index: number, problem: Problem]> } {
  const exclusions: QueryNode[] = [];
  const problems: Array<readonly [number, Problem]> = [];
  for (const [i, text] of texts.entries()) {
    const parsed = parseQuery(text);
    if (parsed.ok) exclusions.push(parsed.node);
    else problems.push(...parsed.problems.map((problem) => [i, problem] as const));
  }
  return { exclusions, problems };
}

/** A query that finds nothing of what is left out. */
export function without(query: QueryNode, exclusions: readonly QueryNode[]): QueryNode {
  if (!exclusions.length) return query;
  return { kind: "and", nodes: [query, ...exclusions.map((node) => ({ kind: "not", node, span: NOWHERE }) as const)], span: NOWHERE };
}
