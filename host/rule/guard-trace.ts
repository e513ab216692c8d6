import { readTimestamp } from "../event/timestamp.ts";
import type { LogEvent } from "../event/event.ts";
import { matches } from "../query/matches.ts";
import { printQuery } from "../query/print.ts";
import { type QueryTrace, traceQuery } from "../query/trace.ts";
import type { QueryNode } from "../query/tree.ts";
import type { EventGuards } from "./guards.ts";
import { joinNode } from "./reference-table.ts";
import type { Rule } from "./rule.ts";
import { ruleEvent } from "./select.ts";
import { isInForce } from "./suppression.ts";

/** One thing between an event and a rule's queries, and whether it let the event through. */
export interface GuardTrace {
  readonly kind: "security filter" | "rule filter" | "data exclusion" | "reference table";
  readonly name: string;
  readonly text: string;
  readonly passes: boolean;
  /** Only this query of the rule is narrowed. */
  readonly queryLabel?: string;
  readonly trace: QueryTrace;
}

/** Everything that narrows the rule's queries, in the order in which they are worked in; `effectiveQuery` has them as one. */
export function traceGuards(rule: Rule, guards: EventGuards, event: LogEvent): GuardTrace[] {
  const timeMs = readTimestamp(event.timestamp, 0) ?? 0;
  const found: GuardTrace[] = [];
  if (guards.securityFilters) {
    const filters = guards.securityFilters.filter((filter) => filter.enabled);
    const traces = filters.map((filter) => {
      const node: QueryNode = { kind: "and", nodes: [filter.node, ...filter.exclusions.map((exclusion): QueryNode => ({ kind: "not", node: exclusion, span: exclusion.span }))], span: filter.node.span };
      return { kind: "security filter" as const, name: filter.name, text: printQuery(node), passes: matches(node, event), trace: traceQuery(node, event) };
    });
    // One that lets the event pass is enough.
    const passing = traces.find((each) => each.passes);
    if (passing) found.push(passing);
    else if (traces.length) found.push(...traces);
    else {
      const none: QueryNode = { kind: "all", span: { start: 0, end: 0 } };
      found.push({ kind: "security filter", name: "no filter is enabled", text: "", passes: false, trace: { ...traceQuery(none, event), holds: false } });
    }
  }
  for (const filter of rule.filters) {
    const trace = traceQuery(filter.node, event);
    found.push({ kind: "rule filter", name: filter.action, text: trace.text, passes: trace.holds === (filter.action === "require"), trace });
  }
  const selected = ruleEvent(rule);
  for (const suppression of guards.suppressions) {
    if (!suppression.exclusionNode || !isInForce(suppression, timeMs) || !matches(suppression.ruleNode, selected)) continue;
    const trace = traceQuery(suppression.exclusionNode, event);
    found.push({ kind: "data exclusion", name: suppression.name, text: trace.text, passes: !trace.holds, trace });
  }
  for (const join of rule.referenceTables) {
    const node = joinNode(rule, join, guards.referenceTables);
    const text = `${join.fieldPath} ${join.checkPresence ? "in" : "not in"} ${join.tableName}.${join.columnName}`;
    found.push({ kind: "reference table", name: join.tableName, text, passes: matches(node, event), queryLabel: join.queryLabel, trace: { ...traceQuery({ kind: "all", span: node.span }, event), text, holds: matches(node, event) } });
  }
  return found;
}
