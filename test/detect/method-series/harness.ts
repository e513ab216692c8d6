import { AnomalyDetector } from "../../../host/detect/method/anomaly.ts";
import type { MethodDetector, MethodEvent, MethodHit, MethodMatch } from "../../../host/detect/method/method.ts";
import { SequenceDetector } from "../../../host/detect/method/sequence.ts";
import type { LogEvent } from "../../../host/event/event.ts";
import { valuesOf } from "../../../host/query/values.ts";
import type { Rule, RuleQuery } from "../../../host/rule/rule.ts";
import { readRule } from "../../../host/rule/wire.ts";
import { type ExpectedSignal, type Scenario as AnyScenario } from "../../../host/scenario.ts";
import { evaluate } from "../../reference/evaluate.ts";
import { LATENESS_MS } from "./streams.ts";

export interface Scenario extends Omit<AnyScenario, "expect"> {
  readonly also?: ReadonlyArray<Record<string, unknown>>;
  readonly expect: { readonly signals?: ReadonlyArray<ExpectedSignal & { readonly first_between?: readonly [number, number] }>; readonly rejected?: boolean };
}

export interface BookSignal {
  readonly rule: Rule;
  caseIndex: number;
  readonly group: Readonly<Record<string, string>>;
  firstMs: number;
  lastMs: number;
  total: number;
}

const severities = ["info", "low", "medium", "high", "critical"];

/** Signals by sections 3.2 to 3.4, plainly. */
export class Book {
  readonly signals: BookSignal[] = [];
  readonly #open = new Map<string, BookSignal>();

  /** The signal a hit opens; undefined where it extends one. */
  apply(rule: Rule, hit: Pick<MethodHit, "caseIndex" | "group" | "timeMs" | "total">): BookSignal | undefined {
    const names = groupNames(rule);
    const shown = rule.groupSignalsBy.length ? rule.groupSignalsBy : names;
    const group = Object.fromEntries(names.flatMap((name, i) => (shown.includes(name) ? [[name, hit.group[i]!]] : [])));
    const key = JSON.stringify([rule.id, group]);
    const open = this.#open.get(key);
    const { keepAliveMs, maxSignalDurationMs } = rule.options;
    if (open && hit.timeMs - open.lastMs < keepAliveMs && hit.timeMs - open.firstMs <= maxSignalDurationMs) {
      open.lastMs = Math.max(open.lastMs, hit.timeMs);
      open.firstMs = Math.min(open.firstMs, hit.timeMs);
      open.total += hit.total;
      if (severityOf(rule, hit.caseIndex) > severityOf(rule, open.caseIndex)) open.caseIndex = hit.caseIndex;
      return undefined;
    }
    const signal = { rule, caseIndex: hit.caseIndex, group, firstMs: hit.timeMs, lastMs: hit.timeMs, total: hit.total };
    this.#open.set(key, signal);
    this.signals.push(signal);
    return signal;
  }
}

function severityOf(rule: Rule, caseIndex: number): number {
  return severities.indexOf(rule.cases[caseIndex]!.severity);
}

/** Fields that label the group: those of the first query that groups. */
export function groupNames(rule: Rule): readonly string[] {
  const correlated = (rule.wire.queries as ReadonlyArray<{ readonly correlatedByFields?: readonly string[] }>).find((query) => query.correlatedByFields?.length)?.correlatedByFields;
  return correlated ?? rule.queries.find((query) => query.groupByNames.length)?.groupByNames ?? [];
}

/** Matches of a rule's queries, told by the teller of what queries mean instead of the kernels. */
export function matchesOf(rule: Rule, event: LogEvent): MethodMatch[] {
  return rule.queries.flatMap((query, queryIndex) => {
    if (query.dataSource === "security_signals" || !evaluate(query.node, event)) return [];
    const values = (query.distinct.length ? query.distinct : query.metrics).map((field) => valuesOf(field, event).map(String));
    const number = query.aggregation === "sum" && values[0]?.[0]?.trim() ? Number(values[0][0]) : Number.NaN;
    const combinations = query.distinct.length === 1 && values[0]!.length > 1 ? values[0]!.map((value) => [[value]]) : [values];
    return groupsOf(query, event).flatMap((group) => combinations.map((each) => ({ queryIndex, groupKey: JSON.stringify(group), group, values: each, number })));
  });
}

function groupsOf(query: RuleQuery, event: LogEvent): string[][] {
  return query.groupBy.reduce<string[][]>((groups, field) => {
    const values = [...new Set(valuesOf(field, event).map(String))];
    const own = values.length ? values : query.optionalGroupBy ? ["N/A"] : [];
    return groups.flatMap((group) => own.map((value) => [...group, value])).slice(0, 32);
  }, [[]]);
}

export function eventsOf(logs: Scenario["logs"]): Array<{ readonly timeMs: number; readonly event: LogEvent }> {
  return logs.flatMap(({ t, repeat, ...log }) =>
    Array.from({ length: repeat?.count ?? 1 }, (_, i) => ({ timeMs: (t ?? (log.timestamp as number)) + i * (repeat?.step ?? 0), event: log as LogEvent })));
}

export function detectorOf(rule: Rule): MethodDetector {
  switch (rule.options.method.kind) {
    case "anomaly_detection":
      return new AnomalyDetector(rule, { allowedLatenessMs: LATENESS_MS });
    case "sequence_detection":
      return new SequenceDetector(rule, { allowedLatenessMs: LATENESS_MS });
    default:
      throw new Error(`no detector of ${rule.options.method.kind} here`);
  }
}

/** Plays a scenario's rule over its logs; differences from the signals it is to give. */
export function playScenario(scenario: Scenario): string[] {
  const rule = readRule({ ...scenario.rule, id: scenario.id });
  const book = new Book();
  const detector = detectorOf(rule);
  const onHit = (hit: MethodHit): void => {
    book.apply(rule, hit);
  };
  let highMs = Number.NEGATIVE_INFINITY;
  eventsOf(scenario.logs).forEach(({ timeMs, event }, slot) => {
    highMs = Math.max(highMs, timeMs);
    const given: MethodEvent = { timeMs, highMs, slot, matches: matchesOf(rule, event) };
    if (given.matches.length) detector.apply(given, onHit);
    detector.advance(highMs - LATENESS_MS, onHit);
  });
  detector.advance(Number.POSITIVE_INFINITY, onHit);
  return differences(scenario, book.signals);
}

export function differences(scenario: Scenario, signals: readonly BookSignal[]): string[] {
  const left = [...signals];
  const missing = (scenario.expect.signals ?? []).flatMap((expected) => {
    const at = left.findIndex((signal) => {
      const each = signal.rule.cases[signal.caseIndex]!;
      return each.name === expected.case && each.severity === expected.status &&
        (expected.group === undefined || JSON.stringify(Object.entries(expected.group).toSorted()) === JSON.stringify(Object.entries(signal.group).toSorted())) &&
        (expected.first === undefined || expected.first === signal.firstMs) && (expected.last === undefined || expected.last === signal.lastMs) &&
        (expected.first_between === undefined || (signal.firstMs >= expected.first_between[0] && signal.firstMs <= expected.first_between[1])) &&
        signal.total >= (expected.count_at_least ?? 0);
    });
    if (at < 0) return [`missing ${JSON.stringify(expected)}`];
    left.splice(at, 1);
    return [];
  });
  return [...missing, ...left.map(({ rule: _, ...signal }) => `unexpected ${JSON.stringify(signal)}`)];
}
