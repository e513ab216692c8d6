import type { Bound, Field, QueryNode } from "../query/tree.ts";
import { severities } from "../rule/rule.ts";
import { severityField } from "./aliases.ts";
import { type Bits, rowsOf } from "./bits.ts";
import type { Deadline } from "./deadline.ts";
import { measure } from "./measure.ts";
import { type GroupBy, rollup } from "./rollup.ts";
import type { SignalIndex } from "./signal-index.ts";

/** How long something took, in seconds; null where it never happened. */
export interface Timing {
  readonly count: number;
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p75: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
}

export interface TimingBySeverity extends Timing {
  readonly bySeverity: Readonly<Record<string, Timing>>;
}

export interface FalsePositives {
  readonly ruleId: string;
  readonly ruleName: string;
  readonly falsePositives: number;
  readonly total: number;
  /** Of the rule's signals, in percent. */
  readonly percent: number;
}

/** Signals of the last seven days against those of the seven before. */
export interface Change {
  readonly name: string;
  readonly last: number;
  readonly prior: number;
  readonly delta: number;
  /** Null: there was none before, it is new. */
  readonly percent: number | null;
}

/** Platform spec 3. A timing is of the signals that got there in the window, whenever they were created. */
export interface Kpis {
  readonly timeToDetect: TimingBySeverity;
  readonly timeToAcknowledge: TimingBySeverity;
  readonly timeToResolve: TimingBySeverity;
  readonly triageTime: TimingBySeverity;
  /** Most first. */
  readonly falsePositives: readonly FalsePositives[];
  /** Severities in their order, lowest first; rules by the greatest rise. */
  readonly weekChange: { readonly bySeverity: readonly Change[]; readonly byRule: readonly Change[] };
}

export interface KpiSetup {
  readonly index: SignalIndex;
  readonly deadline: Deadline;
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly nowMs: number;
  /** Rows of the question that match, and were created in a span of time. */
  readonly select: (node: QueryNode, fromMs: number | undefined, toMs: number | undefined) => Bits;
}

const DAY_MS = 86_400_000;
const MOST_RULES = 1000;
const span = { start: 0, end: 0 };
const everything: QueryNode = { kind: "all", span };
const attribute = (path: string): Field => ({ kind: "attribute", path: path.split(".") });
const ruleId = attribute("workflow.rule.id");
const ruleName = attribute("workflow.rule.name");

export function kpisOf(setup: KpiSetup): Kpis {
  const { fromMs, toMs, select } = setup;
  const isOfNow: QueryNode = { kind: "not", node: { kind: "leaf", field: attribute("historical_job_id"), test: { kind: "exists" }, span }, span };
  const reached = (time: string): Bits => select(within(attribute(`workflow.timings.${time}`), fromMs, toMs), undefined, undefined);
  return {
    timeToDetect: timing(setup, select(isOfNow, fromMs, toMs), "time_to_detect"),
    timeToAcknowledge: timing(setup, reached("acknowledged_at"), "time_to_acknowledge"),
    timeToResolve: timing(setup, reached("resolved_at"), "time_to_resolve"),
    triageTime: timing(setup, reached("triaged_at"), "triage_time"),
    falsePositives: falsePositives(setup),
    weekChange: { bySeverity: severityChange(setup), byRule: ruleChange(setup) },
  };
}

function within(field: Field, fromMs: number | undefined, toMs: number | undefined): QueryNode {
  const bound = (ms: number | undefined): Bound | undefined => (ms === undefined ? undefined : { text: String(ms), number: ms, quoted: false });
  return { kind: "leaf", field, test: { kind: "range", low: bound(fromMs), high: bound(toMs), includeLow: true, includeHigh: false }, span };
}

function timing({ index, deadline }: KpiSetup, selected: Bits, name: string): TimingBySeverity {
  const field = attribute(`workflow.timings.${name}`);
  const rows = rowsOf(selected);
  const ranks = new Uint32Array(rows.length);
  const column = index.reserved.get("status")!;
  column.each(rows, (i, code) => (ranks[i] = Math.max(0, code < 0 ? -1 : severities.findIndex((word) => word === column.dictionary.text(code)))));
  const of = (groups: Uint32Array, count: number): Timing[] => {
    const value = (compute: Parameters<typeof measure>[4]) => measure(index, rows, groups, count, compute, deadline);
    const share = (percentile: number) => value({ aggregation: "percentile", percentile, field });
    const [counts, mean, p50, p75, p90, p95] = [value({ aggregation: "count", field }), value({ aggregation: "avg", field }), share(0.5), share(0.75), share(0.9), share(0.95)];
    return Array.from({ length: count }, (_, group) => ({ count: counts(group) ?? 0, mean: mean(group), p50: p50(group), p75: p75(group), p90: p90(group), p95: p95(group) }));
  };
  const bySeverity = of(ranks, severities.length);
  return { ...of(new Uint32Array(rows.length), 1)[0]!, bySeverity: Object.fromEntries(severities.map((word, i) => [word, bySeverity[i]!])) };
}

/** Signals by the values of fields, most first. */
function grouped({ index, deadline }: KpiSetup, selected: Bits, fields: readonly Field[]): Array<{ readonly names: readonly string[]; readonly count: number }> {
  const groups = fields.map((field, i): GroupBy => ({ field, name: String(i), limit: MOST_RULES, ascending: false, sortBy: { aggregation: "count" }, missing: "" }));
  return rollup(index, selected, { computes: [{ aggregation: "count" }], groups }, deadline).map(({ by, values }) => ({ names: fields.map((_, i) => by[i]!), count: values[0] as number }));
}

function counts(setup: KpiSetup, selected: Bits, field: Field): Map<string, number> {
  return new Map(grouped(setup, selected, [field]).map(({ names, count }) => [names[0]!, count]));
}

function falsePositives(setup: KpiSetup): FalsePositives[] {
  const { select, fromMs, toMs } = setup;
  const isFalse: QueryNode = {
    kind: "and", span, nodes: [
      { kind: "leaf", field: attribute("workflow.triage.state"), test: { kind: "equals", text: "archived" }, span },
      { kind: "leaf", field: attribute("workflow.triage.archiveReason"), test: { kind: "equals", text: "false_positive" }, span },
    ],
  };
  const wrong = counts(setup, select(isFalse, fromMs, toMs), ruleId);
  const all = select(everything, fromMs, toMs);
  // A rule that was renamed is called as most of its signals call it.
  const called = new Map<string, string>();
  for (const { names } of grouped(setup, all, [ruleId, ruleName])) if (!called.has(names[0]!)) called.set(names[0]!, names[1]!);
  return [...counts(setup, all, ruleId)]
    .map(([id, total]) => {
      const found = wrong.get(id) ?? 0;
      return { ruleId: id, ruleName: called.get(id) ?? id, falsePositives: found, total, percent: (found / total) * 100 };
    })
    .sort((a, b) => b.percent - a.percent || b.total - a.total || (a.ruleId < b.ruleId ? -1 : 1));
}

function weeks(setup: KpiSetup, field: Field): { readonly last: ReadonlyMap<string, number>; readonly prior: ReadonlyMap<string, number> } {
  const { nowMs, select } = setup;
  return {
    last: counts(setup, select(everything, nowMs - 7 * DAY_MS, nowMs), field),
    prior: counts(setup, select(everything, nowMs - 14 * DAY_MS, nowMs - 7 * DAY_MS), field),
  };
}

function change(name: string, last = 0, prior = 0): Change {
  return { name, last, prior, delta: last - prior, percent: prior === 0 ? null : ((last - prior) / prior) * 100 };
}

function severityChange(setup: KpiSetup): Change[] {
  const { last, prior } = weeks(setup, severityField);
  return severities.map((word) => change(word, last.get(word), prior.get(word)));
}

function ruleChange(setup: KpiSetup): Change[] {
  const { last, prior } = weeks(setup, ruleName);
  return [...new Set([...last.keys(), ...prior.keys()])]
    .map((name) => change(name, last.get(name), prior.get(name)))
    .sort((a, b) => b.delta - a.delta || (a.name < b.name ? -1 : 1));
}
