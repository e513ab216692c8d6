import { parseQuery } from "../../host/query/parse.ts";
import type { QueryNode } from "../../host/query/tree.ts";

/** The tree of a query that is known to be good. */
export function queryOf(text: string): QueryNode {
  const parsed = parseQuery(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.problems[0]?.message}`);
  return parsed.node;
}
