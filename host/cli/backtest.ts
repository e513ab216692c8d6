import { writeFileSync } from "node:fs";
import { Backtest, type BacktestResult, type RuleBacktest } from "../backtest.ts";
import { severities, severityNumber } from "../rule/rule.ts";
import { standingQueries } from "../rule/standing.ts";
import type { TimeAxis } from "../time-counts.ts";
import { type FeedOptions, feedMerged, inputFiles } from "./feed.ts";
import { loadGoodRules } from "./load-rules.ts";
import { choosePipelines } from "./pipelines.ts";
import { UsageError } from "./problems.ts";
import { loadSettings, severityOf, warnOfIdle, workersOf } from "./run.ts";
import { selectRules } from "./select-rules.ts";
import type { SettingsFiles } from "./settings.ts";
import { bar, byteSize, coloured, count, cut, jsonLine, plural, safe, styled, table, timeText, widthText } from "./text.ts";

export interface BacktestOptions extends FeedOptions, SettingsFiles {
  readonly rules: readonly string[];
  readonly rule?: readonly string[];
  readonly against: readonly string[];
  readonly workers: string;
  readonly lateness: string;
  readonly json?: boolean;
  readonly top: string;
  readonly failOn?: string;
  readonly maxSignals?: string;
  readonly deduplicate?: boolean;
  readonly out?: string;
}

/** Rows of the chart over time, at most. */
const TIME_ROWS = 24;
const BAR_CELLS = 32;
/** Rules that are shown in full when there are many; the rest stand in the table of all. */
const SHOWN_RULES = 5;
const NAME_CELLS = 44;

/**
 * `vespid backtest`: what rules would have done over recorded logs, and what stricter and milder ones would.
 *
 * Exit code 1 when `--fail-on` or `--max-signals` was reached, 2 when an input could not be read to its end.
 */
export async function backtest(inputs: readonly string[], options: BacktestOptions): Promise<number> {
  const startMs = performance.now();
  const failOn = severityOf(options.failOn);
  const maxSignals = wholeNumber("--max-signals", options.maxSignals);
  const top = wholeNumber("--top", options.top)!;
  const latenessSeconds = Number(options.lateness);
  if (!(latenessSeconds >= 0) || options.lateness.trim() === "") throw new UsageError(`--lateness ${options.lateness} is no number of seconds`);
  const files = inputFiles([...options.against, ...inputs]);
  const { rules: loaded } = await loadGoodRules(options.rules);
  const rules = selectRules(loaded, options.rule);
  const settings = await loadSettings(options, rules);
  const pipelines = await choosePipelines(options, standingQueries(rules));
  warnOfIdle(rules);
  const engine = await Backtest.create({
    rules, pipelines: pipelines.all, suppressions: settings.suppressions, securityFilters: settings.securityFilters, criticalAssets: settings.criticalAssets,
    referenceTables: settings.referenceTables, workers: workersOf(options.workers, files), variant: "simd", allowedLatenessMs: latenessSeconds * 1000, deduplicate: options.deduplicate,
  });
  const fed = await feedMerged(files, options, {
    pipelines,
    push: (bytes, input, file) => engine.push(bytes, { ...input, partition: file }),
    ended: (file) => engine.end(file),
  });
  const result = await engine.close();
  const json = result.rules.map((each) => backtestJson(each, result.axis(TIME_ROWS)));
  if (options.out !== undefined) writeFileSync(options.out, json.map(jsonLine).join(""));
  if (options.json) for (const each of json) process.stdout.write(jsonLine(each));
  else process.stdout.write(`${backtestText(result, top)}\n`);
  const seconds = (performance.now() - startMs) / 1000;
  const { stats } = result;
  process.stderr.write(`${plural(stats.events, "event")}, ${byteSize(stats.bytes)} in ${seconds.toFixed(2)} s; ${plural(rules.length, "rule")} at ${plural(json.reduce((sum, each) => sum + each.sensitivity.length, 0), "setting")} in one pass` +
    `${stats.duplicates ? `; repeats left out: ${count(stats.duplicates)}` : ""}${stats.suppressed ? `; suppressed: ${count(stats.suppressed)}` : ""}${stats.lateDropped ? `; too late to be judged: ${count(stats.lateDropped)}` : ""}\n`);
  for (const fault of fed.faults) process.stderr.write(`${styled("red", "vespid:", process.stderr)} ${safe(fault)}\n`);
  if (fed.faults.length) return 2;
  return result.rules.some((each) => tooLoud(each, failOn, maxSignals)) ? 1 : 0;
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text !== undefined && !/^\d{1,9}$/.test(text)) throw new UsageError(`${name} ${text} is no whole number`);
  return text === undefined ? undefined : Number(text);
}

function tooLoud(each: RuleBacktest, failOn: ReturnType<typeof severityOf>, maxSignals: number | undefined): boolean {
  if (maxSignals !== undefined && each.signals > maxSignals) return true;
  return failOn !== undefined && each.byCase.some((one) => one.signals > 0 && severityNumber(one.severity) >= severityNumber(failOn));
}

/** Everything the tables show; times in ms, and more groups than they show. */
function backtestJson(each: RuleBacktest, axis: TimeAxis | undefined) {
  return {
    rule: each.rule.name,
    rule_id: each.rule.id,
    method: each.rule.options.detectionMethod,
    ...(each.idle === undefined ? {} : { idle: each.idle }),
    events_matched: each.census.events,
    per_query: Object.fromEntries(each.rule.queries.map((query, i) => [query.label, each.census.perQuery[i] ?? 0])),
    groups: each.census.groupCount,
    signals: each.signals,
    groups_with_signals: each.groupsWithSignals,
    by_case: each.byCase.map(({ caseName, severity, signals, events, firstMs, lastMs }) => ({ case: caseName, severity, signals, events_matched: events, first_seen: firstMs ?? null, last_seen: lastMs ?? null })),
    by_group: each.byGroup.slice(0, JSON_GROUPS).map(({ group, signals, severity, events }) => ({ group, signals, severity: severity ?? null, events_matched: events })),
    over_time: axis ? { from: axis.fromMs, bucket_ms: axis.widthMs, events: each.census.times.buckets(axis), signals: each.times.buckets(axis) } : null,
    turned: each.sensitivity.dial ?? null,
    sensitivity: each.sensitivity.settings.map(({ factor, setting, signals, groups, bySeverity }) => ({ factor, setting, signals, groups, by_severity: bySeverity })),
  };
}

const JSON_GROUPS = 1000;

function backtestText(result: BacktestResult, top: number): string {
  const { rules } = result;
  const axis = result.axis(TIME_ROWS);
  const loudest = rules.filter((each) => each.signals > 0).sort((a, b) => b.signals - a.signals);
  const shown = rules.length === 1 ? rules : loudest.slice(0, SHOWN_RULES);
  const parts = [...(rules.length > 1 ? [overview(rules)] : []), ...shown.map((each) => ruleText(each, axis, top))];
  if (loudest.length > shown.length && rules.length > 1) parts.push(`${plural(loudest.length - shown.length, "more rule")} opened signals: --rule shows one in full`);
  return parts.join("\n\n");
}

/** All rules, the loudest first. */
function overview(rules: readonly RuleBacktest[]): string {
  const factors = [...new Set(rules.flatMap((each) => each.sensitivity.settings.map(({ factor }) => factor)))].sort((a, b) => a - b);
  const sorted = rules.toSorted((a, b) => b.signals - a.signals || b.census.events - a.census.events);
  const right = (name: string) => ({ name, align: "right" as const });
  return table(["RULE", right("EVENTS"), right("GROUPS"), ...factors.map((factor) => right(factorText(factor))), "SIGNALS"], sorted.map((each) => [
    cut(safe(each.rule.name), NAME_CELLS), count(each.census.events), count(each.census.groupCount),
    ...factors.map((factor) => {
      const turned = each.sensitivity.settings.find((one) => one.factor === factor);
      return turned ? count(turned.signals) : "";
    }),
    each.idle ?? severityCounts(each),
  ]));
}

function factorText(factor: number): string {
  return `${factor}x`;
}

function severityCounts(each: RuleBacktest): string {
  return severities.toReversed().flatMap((severity) => {
    const sum = each.byCase.filter((one) => one.severity === severity).reduce((total, { signals }) => total + signals, 0);
    return sum ? [`${count(sum)} ${severity}`] : [];
  }).join(", ") || "-";
}

function ruleText(each: RuleBacktest, axis: TimeAxis | undefined, top: number): string {
  const { rule, census } = each;
  const queries = rule.queries.length > 1 ? ` (${rule.queries.map((query, i) => `${query.label} ${count(census.perQuery[i] ?? 0)}`).join(", ")})` : "";
  const head = `${styled("bold", safe(rule.name))}  ${rule.options.detectionMethod}\n` +
    `${plural(each.signals, "signal")} for ${plural(each.groupsWithSignals, "group")}, of ${plural(census.events, "event")} matched${queries} in ${plural(census.groupCount, "group")}`;
  const parts = [each.idle === undefined ? head : `${head}\n${each.idle}`];
  if (each.idle !== undefined) return parts[0]!;
  parts.push(caseTable(each));
  if (each.byGroup.length && Object.keys(each.byGroup[0]!.group).length) parts.push(groupTable(each, top));
  if (axis && census.events) parts.push(timeChart(each, axis));
  parts.push(settingsTable(each));
  return parts.join("\n\n");
}

function caseTable({ byCase }: RuleBacktest): string {
  return table(["SEVERITY", "CASE", { name: "SIGNALS", align: "right" }, { name: "EVENTS", align: "right" }, "FIRST SEEN", "LAST SEEN"], byCase.map((one) => [
    one.severity, cut(safe(one.caseName || "-"), NAME_CELLS), count(one.signals), count(one.events), one.firstMs === undefined ? "-" : timeText(one.firstMs), one.lastMs === undefined ? "-" : timeText(one.lastMs),
  ]), (text, row, column) => (row >= 0 && column === 0 ? coloured(byCase[row]!.severity, text) : text));
}

/** The noisiest groups; after those with signals, those with most events and none. */
function groupTable({ byGroup, signals }: RuleBacktest, top: number): string {
  const rows = byGroup.slice(0, top);
  const text = table([{ name: "SIGNALS", align: "right" }, { name: "SHARE", align: "right" }, { name: "EVENTS", align: "right" }, "SEVERITY", "GROUP"], rows.map((one) => [
    count(one.signals), signals ? `${Math.round((one.signals / signals) * 100)}%` : "-", count(one.events), one.severity ?? "-", cut(safe(Object.entries(one.group).map(([field, value]) => `${field}:${value}`).join(" ")), 72),
  ]), (cell, row, column) => (row >= 0 && column === 3 && rows[row]!.severity ? coloured(rows[row]!.severity, cell) : cell));
  return byGroup.length > top ? `${text}\n${plural(byGroup.length - top, "more group")}` : text;
}

/** Bars are of events, and of the signals opened beside them. A row for each bucket; several without an event share one. */
function timeChart(each: RuleBacktest, axis: TimeAxis): string {
  const events = each.census.times.buckets(axis);
  const signals = each.times.buckets(axis);
  const most = Math.max(1, ...events);
  const mostSignals = Math.max(1, ...signals);
  const rows: string[][] = [];
  for (let i = 0; i < events.length; i++) {
    let end = i;
    while (end < events.length && !events[end] && !signals[end]) end++;
    if (end - i > 2) {
      rows.push([`${count(end - i)} without`, "", "", "", ""]);
      i = end - 1;
    } else {
      rows.push([
        timeText(axis.fromMs + i * axis.widthMs).slice(0, -4), count(events[i]!), bar(events[i]! / most, BAR_CELLS), signals[i] ? count(signals[i]!) : "", signals[i] ? bar(signals[i]! / mostSignals, BAR_CELLS / 2) : "",
      ]);
    }
  }
  return table(["TIME", { name: "EVENTS", align: "right" }, `of ${widthText(axis.widthMs)} each`, { name: "SIGNALS", align: "right" }, ""], rows,
    (text, row, column) => (row >= 0 && column === 4 ? styled("yellow", text) : row >= 0 && column === 2 ? styled("cyan", text) : text));
}

function settingsTable({ sensitivity: { dial, fixed, settings } }: RuleBacktest): string {
  if (dial === undefined) return `no other settings were tried: ${fixed}`;
  return table([{ name: "TIMES", align: "right" }, { name: "SIGNALS", align: "right" }, { name: "GROUPS", align: "right" }, "BY SEVERITY", dial.toUpperCase()], settings.map((one) => [
    factorText(one.factor), count(one.signals), count(one.groups), Object.entries(one.bySeverity).map(([severity, times]) => `${count(times)} ${severity}`).join(", ") || "-", cut(safe(one.setting), 72),
  ]));
}
