import type { MethodDetector, MethodEvent, MethodHit, MethodMatch } from "../../../host/detect/method/method.ts";
import type { LogEvent } from "../../../host/event/event.ts";
import { readField } from "../../../host/query/field.ts";
import type { Field, QueryNode } from "../../../host/query/tree.ts";
import { valuesOf } from "../../../host/query/values.ts";
import { ProblemError } from "../../../host/problem.ts";
import { type Rule, type Severity, severityNumber } from "../../../host/rule/rule.ts";
import { readRule } from "../../../host/rule/wire.ts";
import type { ExpectedSignal, Scenario } from "../../../host/scenario.ts";
import { renderTemplate } from "../../../host/signal/template.ts";
import { evaluate } from "../../reference/evaluate.ts";
import { hasShared, readShared } from "../../support/shared.ts";

export const LATENESS_MS = 300_000;
const file = "conformance/rules.jsonl";

/** Scenarios of one method; none where the file is not there. */
export function scenariosOf(method: string): Scenario[] {
  if (!hasShared(file)) return [];
  return new TextDecoder().decode(readShared(file)).trim().split("\n").map((line) => JSON.parse(line) as Scenario).filter((scenario) => scenario.method === method);
}

interface RunningQuery {
  readonly node: QueryNode;
  readonly groupBy: readonly Field[];
  readonly optionalGroupBy: boolean;
  readonly fields: readonly Field[];
  /** Takes the event also where a group value is missing; its group is empty then. */
  readonly takesUngrouped: boolean;
}

const geoFields = ["location.latitude", "location.longitude", "city.name", "country.iso_code", "country.name"].map((name) => readField(`@network.client.geoip.${name}`));

function runningQueries(rule: Rule): RunningQuery[] {
  const { method } = rule.options;
  const plain = { optionalGroupBy: false, fields: [], takesUngrouped: false };
  if (method.kind === "third_party") {
    const roots = method.rootQueries.map(({ node, groupBy }) => ({ ...plain, node, groupBy, takesUngrouped: true }));
    return [...roots, ...rule.cases.flatMap(({ query }) => (query ? [{ ...plain, node: query.node, groupBy: [] }] : []))];
  }
  return rule.queries.map(({ node, groupBy, optionalGroupBy, metrics }) => {
    const fields = method.kind === "impossible_travel" ? geoFields : metrics;
    return { node, groupBy, optionalGroupBy, fields, takesUngrouped: false };
  });
}

function groupsOf({ groupBy, optionalGroupBy, takesUngrouped }: RunningQuery, event: LogEvent): string[][] {
  let groups: string[][] = [[]];
  for (const field of groupBy) {
    let values = [...new Set(valuesOf(field, event).map(String))];
    if (!values.length && optionalGroupBy) values = ["N/A"];
    groups = groups.flatMap((group) => values.map((value) => [...group, value]));
  }
  return groups.length || !takesUngrouped ? groups : [[]];
}

/** Events as the kernels would have matched them; those that match nothing are left out, as there. */
export function methodEvents(rule: Rule, logs: readonly LogEvent[]): Array<MethodEvent & { readonly event: LogEvent }> {
  const queries = runningQueries(rule);
  let highMs = Number.NEGATIVE_INFINITY;
  let slot = 0;
  return logs.flatMap((event) => {
    const timeMs = Number(event.timestamp);
    highMs = Math.max(highMs, timeMs);
    const matches = queries.flatMap((query, queryIndex): MethodMatch[] => {
      if (!evaluate(query.node, event)) return [];
      const values = query.fields.map((field) => valuesOf(field, event).map(String));
      return groupsOf(query, event).map((group) => ({ queryIndex, groupKey: JSON.stringify(group), group, values, number: Number.NaN }));
    });
    return matches.length ? [{ timeMs, highMs, slot: slot++, matches, event }] : [];
  });
}

export interface HarnessSignal {
  readonly key: string;
  caseName: string;
  severity: Severity;
  readonly group: Readonly<Record<string, string>>;
  firstMs: number;
  lastMs: number;
  readonly slots: Set<number>;
  readonly title: string;
}

/** What the book must know of a method beside its hits. */
export interface BookRules {
  readonly keepAliveMs: number;
  readonly maxSignalDurationMs: number;
  caseOf(caseIndex: number): { readonly name: string; readonly severity: Severity };
  groupNames(hit: MethodHit): readonly string[];
}

export function plainBook(rule: Rule): BookRules {
  return {
    keepAliveMs: rule.options.keepAliveMs, maxSignalDurationMs: rule.options.maxSignalDurationMs,
    caseOf: (caseIndex) => rule.cases[caseIndex]!,
    groupNames: () => rule.queries[0]!.groupByNames,
  };
}

/** Signals by sections 3.2 and 3.3, no more than comparing them needs. */
export function playHits(rule: Rule, hits: ReadonlyArray<MethodHit & { readonly event: LogEvent }>, book: BookRules): HarnessSignal[] {
  const open = new Map<string, HarnessSignal>();
  const all: HarnessSignal[] = [];
  for (const hit of hits) {
    const { name, severity } = book.caseOf(hit.caseIndex);
    let signal = open.get(hit.groupKey);
    if (!signal || !(hit.timeMs - signal.lastMs < book.keepAliveMs && hit.timeMs - signal.firstMs <= book.maxSignalDurationMs)) {
      const group = Object.fromEntries(book.groupNames(hit).map((field, i) => [field, hit.group[i]!]));
      signal = { key: hit.groupKey, caseName: name, severity, group, firstMs: hit.timeMs, lastMs: hit.timeMs, slots: new Set(), title: titleOf(rule, name, hit) };
      open.set(hit.groupKey, signal);
      all.push(signal);
    }
    signal.lastMs = Math.max(signal.lastMs, hit.timeMs);
    if (severityNumber(severity) > severityNumber(signal.severity)) [signal.caseName, signal.severity] = [name, severity];
    for (const slot of hit.slots) signal.slots.add(slot);
  }
  return all;
}

function titleOf(rule: Rule, caseName: string, { event, timeMs }: MethodHit & { readonly event: LogEvent }): string {
  const { method } = rule.options;
  const template = method.kind === "third_party" ? method.signalTitleTemplate : "";
  if (template === "") return caseName === "" ? rule.name : `${rule.name} - ${caseName}`;
  return renderTemplate(template, {
    event, fallback: event, severity: 0, ruleName: rule.name, caseName, firstSeenMs: timeMs, lastSeenMs: timeMs, eventsMatched: 1, eventsPerQuery: {},
  });
}

/** What the scenario wants and the signals are not; empty where it passes. */
export function playScenario(scenario: Scenario, detectorOf: (rule: Rule, eventOf: (slot: number) => LogEvent | undefined) => MethodDetector, bookOf: (rule: Rule) => BookRules = plainBook): string[] {
  let rule: Rule;
  try {
    rule = readRule({ id: scenario.id, ...scenario.rule });
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const { rejected, target } = scenario.expect;
    const isMeant = rejected && (target === undefined || error.problems.some(({ place }) => place === target));
    return isMeant ? [] : error.problems.map(({ place, message }) => `refused: ${place} ${message}`);
  }
  if (scenario.expect.rejected) return ["the rule was accepted"];
  const logs = scenario.logs.flatMap(({ t, repeat, ...log }) =>
    Array.from({ length: repeat?.count ?? 1 }, (_, i) => ({ ...log, timestamp: Number(t ?? log.timestamp) + i * (repeat?.step ?? 0) }) as LogEvent));
  const events = methodEvents(rule, logs);
  const detector = detectorOf(rule, (slot) => events[slot]?.event);
  const hits: Array<MethodHit & { readonly event: LogEvent }> = [];
  for (const event of events) detector.apply(event, (hit) => hits.push({ ...hit, event: event.event }));
  detector.advance(Number.MAX_SAFE_INTEGER, () => undefined);
  return compare(scenario.expect.signals ?? [], playHits(rule, hits, bookOf(rule)));
}

/** Order plays no part; every expected signal is used up by one that fits it. */
function compare(expected: readonly ExpectedSignal[], signals: readonly HarnessSignal[]): string[] {
  const left = [...signals];
  const missing = expected.filter((each) => {
    const at = left.findIndex((signal) => fits(each, signal));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return [...missing.map((each) => `missing ${JSON.stringify(each)}`), ...left.map((each) => `unexpected ${JSON.stringify({ ...each, slots: [...each.slots] })}`)];
}

function fits(expected: ExpectedSignal, signal: HarnessSignal): boolean {
  const wanted: Array<[unknown, unknown]> = [
    [expected.case, signal.caseName], [expected.status, signal.severity],
    [expected.first ?? signal.firstMs, signal.firstMs], [expected.last ?? signal.lastMs, signal.lastMs], [expected.title ?? signal.title, signal.title],
    [JSON.stringify(Object.entries(expected.group ?? signal.group).toSorted()), JSON.stringify(Object.entries(signal.group).toSorted())],
  ];
  return wanted.every(([one, other]) => one === other) && signal.slots.size >= (expected.count_at_least ?? 0);
}
