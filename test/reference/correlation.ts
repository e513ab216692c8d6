import type { MethodEvent } from "../../host/detect/method/method.ts";
import { type ConditionNode, type Term, labelsOf } from "../../host/rule/condition.ts";
import type { Rule } from "../../host/rule/rule.ts";

export interface TwinCorrelationHit {
  readonly caseIndex: number;
  readonly groupKey: string;
  readonly timeMs: number;
  readonly slot: number;
  readonly slots: readonly number[];
}

/** What one signal is to one group. */
interface Seen {
  readonly timeMs: number;
  readonly slot: number;
  /** By query: values of each of its matches; undefined where it is not the query's. */
  readonly values: ReadonlyArray<readonly string[] | undefined>;
}

/**
 * Windows over signals, slow and obvious: the signals as they stand, put in order, judged one after the other with nothing
 * remembered from before.
 */
export function correlationHits(rule: Rule, signals: readonly MethodEvent[]): TwinCorrelationHit[] {
  const widths = rule.queries.map((query) => query.correlation?.correlatedBy.length ?? query.groupBy.length);
  const isShared = widths.map((width) => width === 0 && widths.some((other) => other > 0));
  const keys = [...new Set(signals.flatMap((signal) => signal.matches.filter((match) => !isShared[match.queryIndex]).map((match) => match.groupKey)))];
  return keys.flatMap((key) => {
    const all = signals.map(({ timeMs, slot, matches }): Seen => ({
      timeMs, slot,
      values: rule.queries.map((_, query) => {
        const own = matches.filter((match) => match.queryIndex === query && (isShared[query] || match.groupKey === key));
        return own.length ? own.flatMap((match) => (match.values.flat().length ? [match.values.flat().join()] : [])) : undefined;
      }),
    }));
    return hitsOf(rule, key, all.filter(({ values }) => values.some((each) => each)).toSorted((a, b) => (isBefore(a, b) ? -1 : 1)), isShared);
  });
}

function hitsOf(rule: Rule, groupKey: string, ordered: readonly Seen[], isShared: readonly boolean[]): TwinCorrelationHit[] {
  const windowMs = rule.options.evaluationWindowMs;
  const labels = rule.queries.map((query) => query.label);
  const then = rule.cases[0]!.condition?.then;
  const left: Seen[] = [];
  return ordered.flatMap((end): TwinCorrelationHit[] => {
    const inWindow = ordered.filter((each) => !isBefore(end, each) && (windowMs === 0 ? each === end : each.timeMs > end.timeMs - windowMs));
    if (!inWindow.some((each) => each.values.some((values, query) => values && !isShared[query]))) return [];
    const value = (events: readonly Seen[]) => (query: number): number => aggregate(rule, query, events.flatMap((each) => (each.values[query] ? [each.values[query]] : [])));
    const hit = (caseIndex: number, events: readonly Seen[], queries: readonly number[]): TwinCorrelationHit => ({
      caseIndex, groupKey, timeMs: end.timeMs, slot: end.slot, slots: events.filter((each) => queries.some((query) => each.values[query])).map((each) => each.slot),
    });
    const isTrue = (node: ConditionNode | undefined, events: readonly Seen[]): boolean => (node ? holds(node, labels, value(events)) : events.length > 0);
    if (!then) {
      const caseIndex = rule.cases.findIndex((each) => isTrue(each.condition?.first, inWindow));
      return caseIndex < 0 ? [] : [hit(caseIndex, inWindow, labels.map((_, query) => query))];
    }
    const right = labelsOf(then).map((label) => labels.indexOf(label));
    const first = left.find((each) => each.timeMs > end.timeMs - windowMs);
    const behind = inWindow.filter((each) => first && isBefore(first, each));
    const found = first && right.some((query) => end.values[query]) && isTrue(then, behind) ? [hit(0, behind, right)] : [];
    if (isTrue(rule.cases[0]!.condition!.first, inWindow)) left.push(end);
    return found;
  });
}

function aggregate(rule: Rule, query: number, values: ReadonlyArray<readonly string[]>): number {
  switch (rule.queries[query]!.aggregation) {
    case "cardinality":
      return new Set(values.flat()).size;
    case "sum":
      return values.flat().reduce((sum, value) => sum + Number(value), 0);
    case "max":
      return values.flat().length ? Math.max(...values.flat().map(Number)) : 0;
    default:
      return values.length;
  }
}

function isBefore(a: { readonly timeMs: number; readonly slot: number }, b: { readonly timeMs: number; readonly slot: number }): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.slot < b.slot);
}

function holds(node: ConditionNode, labels: readonly string[], value: (query: number) => number): boolean {
  if (node.kind !== "compare") {
    const parts = node.nodes.map((child) => holds(child, labels, value));
    return node.kind === "and" ? !parts.includes(false) : parts.includes(true);
  }
  const of = (term: Term): number => term.factor * value(labels.indexOf(term.label));
  const left = of(node.left);
  const right = typeof node.right === "number" ? node.right : of(node.right);
  return { ">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right }[node.op];
}
