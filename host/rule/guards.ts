import type { LogEvent } from "../event/event.ts";
import { matches } from "../query/matches.ts";
import { readTimestamp } from "../event/timestamp.ts";
import type { Field, QueryNode } from "../query/tree.ts";
import { type Members, Reader, isMembers } from "./reader.ts";
import { type Problem, ProblemError } from "../problem.ts";
import type { Rule, RuleQuery } from "./rule.ts";

/** Stops signals, or keeps events out of rules, while it is in force. */
export interface Suppression {
  readonly name: string;
  readonly enabled: boolean;
  readonly ruleNode: QueryNode;
  readonly signalNode?: QueryNode;
  readonly exclusionNode?: QueryNode;
  readonly startMs?: number;
  readonly expirationMs?: number;
}

/** Says which events are analysed at all. */
export interface SecurityFilter {
  readonly enabled: boolean;
  readonly node: QueryNode;
  readonly exclusions: readonly QueryNode[];
}

/** Table name to rows. */
export type ReferenceTables = Readonly<Record<string, ReadonlyArray<Readonly<Record<string, unknown>>>>>;

const span = { start: 0, end: 0 };
const ALL: QueryNode = { kind: "all", span };

function finish<T>(reader: Reader, value: T): T {
  const problems: Problem[] = reader.problems.filter((problem) => problem.level !== "warning");
  if (problems.length) throw new ProblemError(problems);
  return value;
}

function optionalQuery(reader: Reader, members: Members, name: string, place: string): QueryNode | undefined {
  const text = reader.text(members, name, place, false);
  return text.trim() === "" ? undefined : reader.query(text, `${place}.${name}`);
}

/** API attribute objects of suppressions; a `data.attributes` wrapping is taken off. */
export function readSuppressions(list: readonly unknown[]): Suppression[] {
  const reader = new Reader();
  const suppressions = list.map((value, i): Suppression => {
    const place = `suppressions[${i}]`;
    const members = unwrapped(reader, value, place);
    return {
      name: reader.text(members, "name", place, false),
      enabled: reader.flag(members, "enabled", place, true),
      ruleNode: optionalQuery(reader, members, "rule_query", place) ?? ALL,
      signalNode: optionalQuery(reader, members, "suppression_query", place),
      exclusionNode: optionalQuery(reader, members, "data_exclusion_query", place),
      startMs: readTimestamp(members.start_date, 0),
      expirationMs: readTimestamp(members.expiration_date, 0),
    };
  });
  return finish(reader, suppressions);
}

export function readSecurityFilters(list: readonly unknown[]): SecurityFilter[] {
  const reader = new Reader();
  const filters = list.map((value, i): SecurityFilter => {
    const place = `security_filters[${i}]`;
    const members = unwrapped(reader, value, place);
    return {
      enabled: reader.flag(members, "is_enabled", place, true),
      node: optionalQuery(reader, members, "query", place) ?? ALL,
      exclusions: reader.list(members, "exclusion_filters", place, false).map((filter, k) => {
        const inner = `${place}.exclusion_filters[${k}]`;
        return reader.query(reader.text(reader.members(filter, inner), "query", inner, true), `${inner}.query`);
      }),
    };
  });
  return finish(reader, filters);
}

export interface CriticalAssetRule {
  readonly ruleNode: QueryNode;
  readonly node: QueryNode;
  readonly action: "increase" | "decrease" | "no-op" | "info" | "low" | "medium" | "high" | "critical";
}

export function readCriticalAssets(list: readonly unknown[]): CriticalAssetRule[] {
  const reader = new Reader();
  const assets = list.flatMap((value, i): CriticalAssetRule[] => {
    const place = `critical_assets[${i}]`;
    const members = unwrapped(reader, value, place);
    const asset = {
      ruleNode: optionalQuery(reader, members, "rule_query", place) ?? ALL,
      node: optionalQuery(reader, members, "query", place) ?? ALL,
      action: reader.oneOf(members.severity, ["increase", "decrease", "no-op", "info", "low", "medium", "high", "critical"] as const, `${place}.severity`, "no-op"),
    };
    return reader.flag(members, "enabled", place, true) ? [asset] : [];
  });
  return finish(reader, assets);
}

function unwrapped(reader: Reader, value: unknown, place: string): Members {
  const members = reader.members(value, place);
  if (isMembers(members.data) && isMembers(members.data.attributes)) return members.data.attributes;
  return isMembers(members.attributes) ? members.attributes : members;
}

/** The rule as an event that rule queries (`type:`, `source:`, `id:`, `name:`, tags) are matched on. */
export function ruleEvent(rule: Rule): LogEvent {
  const tags = [...rule.tags, `type:${rule.type}`, `id:${rule.id}`, `ruleId:${rule.id}`, `name:${rule.name}`];
  const source = rule.tags.find((tag) => tag.startsWith("source:"))?.slice("source:".length);
  return { source, tags, message: rule.name, attributes: {} };
}

function selects(node: QueryNode, event: LogEvent): boolean {
  return matches(node, event);
}

export interface EventGuards {
  readonly suppressions: readonly Suppression[];
  /** Undefined: the built-in filter that lets everything pass. */
  readonly securityFilters?: readonly SecurityFilter[];
  readonly referenceTables: ReferenceTables;
}

/** A rule's query as it runs: with security filters, legacy filters, data exclusions and reference tables worked in. */
export function effectiveQuery(rule: Rule, query: RuleQuery, guards: EventGuards): QueryNode {
  const parts: QueryNode[] = [query.node];
  if (guards.securityFilters) parts.push(passesSome(guards.securityFilters));
  for (const filter of rule.filters) parts.push(filter.action === "require" ? filter.node : not(filter.node));
  const event = ruleEvent(rule);
  for (const suppression of guards.suppressions) {
    if (!suppression.enabled || !suppression.exclusionNode || !selects(suppression.ruleNode, event)) continue;
    parts.push(not(and([suppression.exclusionNode, ...inForce(suppression)])));
  }
  for (const join of rule.referenceTables) {
    if (join.queryLabel !== query.label) continue;
    const rows = guards.referenceTables[join.tableName] ?? [];
    const values = [...new Set(rows.map((row) => row[join.columnName]).filter((value) => value !== undefined && value !== null).map(String))];
    const inTable: QueryNode = values.length ? { kind: "or", nodes: values.map((text) => leaf(join.field, text)), span } : not(ALL);
    parts.push(join.checkPresence ? inTable : not(inTable));
  }
  return parts.length === 1 ? query.node : and(parts);
}

function passesSome(filters: readonly SecurityFilter[]): QueryNode {
  const enabled = filters.filter((filter) => filter.enabled);
  if (!enabled.length) return not(ALL);
  return { kind: "or", nodes: enabled.map((filter) => and([filter.node, ...filter.exclusions.map(not)])), span };
}

/** The time of the event lies in the suppression's life. */
function inForce(suppression: Suppression): QueryNode[] {
  const field: Field = { kind: "reserved", name: "timestamp" };
  const bound = (ms: number) => ({ text: String(ms), number: ms, quoted: false });
  const parts: QueryNode[] = [];
  if (suppression.startMs !== undefined) parts.push({ kind: "leaf", field, test: { kind: "comparison", op: ">=", bound: bound(suppression.startMs) }, span });
  if (suppression.expirationMs !== undefined) parts.push({ kind: "leaf", field, test: { kind: "comparison", op: "<", bound: bound(suppression.expirationMs) }, span });
  return parts;
}

function leaf(field: Field, text: string): QueryNode {
  return { kind: "leaf", field, test: { kind: "phrase", text }, span };
}
function not(node: QueryNode): QueryNode {
  return { kind: "not", node, span };
}
function and(nodes: readonly QueryNode[]): QueryNode {
  return nodes.length === 1 ? nodes[0]! : { kind: "and", nodes, span };
}

/** Is a signal at this time stopped by one of the rule's suppressions? */
export function isSuppressed(suppressions: readonly Suppression[], rule: LogEvent, signal: LogEvent, timeMs: number): boolean {
  return suppressions.some((suppression) =>
    suppression.enabled && suppression.signalNode !== undefined &&
    (suppression.startMs === undefined || timeMs >= suppression.startMs) &&
    (suppression.expirationMs === undefined || timeMs < suppression.expirationMs) &&
    selects(suppression.ruleNode, rule) && matches(suppression.signalNode, signal));
}
