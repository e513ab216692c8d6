import type { Bound, Field, QueryNode } from "../query/tree.ts";
import { severities } from "../rule/rule.ts";
import { severityField } from "./aliases.ts";
import { type Bits, rowsOf } from "./bits.ts";
import type { Deadline } from "./deadline.ts";
import { fieldColumn } from "./field-column.ts";
import { percentileOf } from "./measure.ts";
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
  deadline.check();
  const [column, status] = [fieldColumn(index, attribute(`workflow.timings.${name}`)), index.reserved.get("status")!];
  const rows = rowsOf(selected);
  const ranks = new Int8Array(rows.length);
  const words = Array.from({ length: status.dictionary.count + 1 }, (_, code) => (code === 0 ? -1 : severities.findIndex((word) => word === status.dictionary.text(code))));
  status.each(rows, (i, code) => (ranks[i] = words[Math.max(0, code)]!));
  // All numbers, and beside them those of each severity.
  const all: number[] = [];
  const bySeverity = severities.map((): number[] => []);
  const numbers = column?.dictionary.numbers();
  column?.each(rows, (i, code) => {
    const number = code < 0 ? Number.NaN : numbers![code]!;
    if (Number.isNaN(number)) return;
    all.push(number);
    bySeverity[ranks[i]!]?.push(number);
  });
  return { ...timingOf(all), bySeverity: Object.fromEntries(severities.map((word, i) => [word, timingOf(bySeverity[i]!)])) };
}

function timingOf(list: readonly number[]): Timing {
  const numbers = Float64Array.from(list);
  const mean = list.length === 0 ? null : numbers.reduce((a, b) => a + b, 0) / list.length;
  const [p50, p75, p90, p95] = [percentileOf(numbers, 0.5), percentileOf(numbers, 0.75), percentileOf(numbers, 0.9), percentileOf(numbers, 0.95)];
  return { count: list.length, mean, p50, p75, p90, p95 };
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
