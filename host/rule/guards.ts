import type { Field, QueryNode } from "../query/tree.ts";
import { matches } from "../query/matches.ts";
import { type ReferenceTables, joinNode } from "./reference-table.ts";
import type { Rule, RuleQuery } from "./rule.ts";
import type { SecurityFilter } from "./security-filter.ts";
import { ruleEvent } from "./select.ts";
import type { Suppression } from "./suppression.ts";
import { columnsResolved } from "./table-columns.ts";

export { type CriticalAssetRule, readCriticalAssets } from "./critical-asset.ts";
export { type ReferenceTables, readReferenceTables } from "./reference-table.ts";
export { type SecurityFilter, readSecurityFilters } from "./security-filter.ts";
export { ruleEvent } from "./select.ts";
export { type Suppression, readSuppressions, suppressionsOf, suppressorOf } from "./suppression.ts";

/** What stands between an event and a rule besides the rule's own query. */
export interface EventGuards {
  readonly suppressions: readonly Suppression[];
  /** Undefined: the built-in filter that lets everything pass. */
  readonly securityFilters?: readonly SecurityFilter[];
  readonly referenceTables: ReferenceTables;
}

const span = { start: 0, end: 0 };
const ALL: QueryNode = { kind: "all", span };

/** A rule's query as it runs: with security filters, legacy filters, data exclusions and reference tables worked in. */
export function effectiveQuery(rule: Rule, query: RuleQuery, guards: EventGuards): QueryNode {
  const parts: QueryNode[] = [columnsResolved(rule, query, guards.referenceTables)];
  // They are for logs: what people do here is analysed whatever they say.
  if (guards.securityFilters && query.dataSource !== "audit") parts.push(passesSome(guards.securityFilters));
  for (const filter of rule.filters) parts.push(filter.action === "require" ? filter.node : not(filter.node));
  const event = ruleEvent(rule);
  for (const suppression of guards.suppressions) {
    if (!suppression.enabled || !suppression.exclusionNode || !matches(suppression.ruleNode, event)) continue;
    parts.push(not(and([suppression.exclusionNode, ...lifeOf(suppression)])));
  }
  for (const join of rule.referenceTables) {
    if (join.queryLabel === query.label) parts.push(joinNode(rule, join, guards.referenceTables));
  }
  return and(parts);
}

function passesSome(filters: readonly SecurityFilter[]): QueryNode {
  const enabled = filters.filter((filter) => filter.enabled);
  if (!enabled.length) return not(ALL);
  return { kind: "or", nodes: enabled.map((filter) => and([filter.node, ...filter.exclusions.map(not)])), span };
}

/** The event's time lies in the suppression's life. */
function lifeOf(suppression: Suppression): QueryNode[] {
  const field: Field = { kind: "reserved", name: "timestamp" };
  const bound = (ms: number) => ({ text: String(ms), number: ms, quoted: false });
  const parts: QueryNode[] = [];
  if (suppression.startMs !== undefined) parts.push({ kind: "leaf", field, test: { kind: "comparison", op: ">=", bound: bound(suppression.startMs) }, span });
  if (suppression.expirationMs !== undefined) parts.push({ kind: "leaf", field, test: { kind: "comparison", op: "<", bound: bound(suppression.expirationMs) }, span });
  return parts;
}

function not(node: QueryNode): QueryNode {
  return { kind: "not", node, span };
}
function and(nodes: readonly QueryNode[]): QueryNode {
  return nodes.length === 1 ? nodes[0]! : { kind: "and", nodes, span };
}
