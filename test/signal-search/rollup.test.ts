import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ProblemError } from "../../host/problem.ts";
import { canonicalQuery, readSignalQuery } from "../../host/signal-search/aliases.ts";
import { Column } from "../../host/signal-search/column.ts";
import { facetField } from "../../host/signal-search/facets.ts";
import { metricInterval, readMetricQuery } from "../../host/signal-search/metric-query.ts";
import type { ComputeText } from "../../host/signal-search/requests.ts";
import { Texts } from "../../host/signal-search/texts.ts";
import * as reference from "../reference/signal-search.ts";
import { Bench, like, made } from "./support.ts";

const DAY_MS = 86_400_000;
const nowMs = Date.UTC(2026, 11, 30);
let bench: Bench;
let plain: reference.PlainSignal[];
beforeAll(() => {
  bench = new Bench(made(600, 9), { nowMs: () => nowMs });
  plain = bench.plain();
});
afterAll(() => bench.close());

const values = (signals: readonly reference.PlainSignal[], facet: string): number[] => reference.numbersOf(signals, facetField(facet, ""));
const close = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(12)));

function measured(signals: readonly reference.PlainSignal[], { aggregation, metric }: ComputeText): number | null {
  if (aggregation === "count") return metric === undefined ? signals.length : signals.filter((signal) => reference.distinctOf(signal, facetField(metric, "")).length > 0).length;
  if (aggregation === "cardinality") return new Set(signals.flatMap((signal) => reference.distinctOf(signal, facetField(metric!, "")))).size;
  const numbers = values(signals, metric!);
  if (numbers.length === 0) return null;
  const sum = numbers.reduce((a, b) => a + b, 0);
  if (aggregation === "sum") return sum;
  if (aggregation === "avg") return sum / numbers.length;
  if (aggregation === "min") return Math.min(...numbers);
  if (aggregation === "max") return Math.max(...numbers);
  return reference.percentile(numbers, aggregation === "median" ? 0.5 : Number(aggregation.replace(/^pc?/, "")) / 100);
}

const computes: ComputeText[] = [
  { aggregation: "count" }, { aggregation: "count", metric: "Assignee" }, { aggregation: "cardinality", metric: "@usr.id" }, { aggregation: "sum", metric: "events_matched" }, { aggregation: "avg", metric: "time_to_resolve" },
  { aggregation: "min", metric: "time_to_acknowledge" }, { aggregation: "max", metric: "@http.status_code" }, { aggregation: "median", metric: "time_to_detect" }, { aggregation: "pc95", metric: "time_to_detect" }, { aggregation: "p99", metric: "events_matched" },
];

describe("aggregates against the reference", () => {
  test.each([[[]], [["status"]], [["env", "@evt.outcome"]], [["@workflow.triage.state", "team", "Country"]], [["@nothing"]]])("by %j", async (facets) => {
    const { buckets } = await bench.search.aggregate({ filter: { query: "-status:info" }, compute: computes, group_by: facets.map((facet) => ({ facet, limit: 1000 })) });
    const signals = reference.selected(plain, { node: readSignalQuery("-status:info") });
    const groups = reference.groups(signals, facets.map((facet) => facetField(facet, "")));
    expect(buckets.length).toBe(groups.size);
    for (const { by, computes: told } of buckets) {
      const group = groups.get(JSON.stringify(facets.map((facet) => by[facet])))!;
      expect(Object.values(told).map((value) => close(value as number | null)), JSON.stringify(by)).toEqual(computes.map((compute) => close(measured(group, compute))));
    }
  });

  test("over time, in intervals since the epoch", async () => {
    const { buckets } = await bench.search.aggregate({ compute: [{ aggregation: "count", type: "timeseries", interval: "7d" }, { aggregation: "avg", metric: "events_matched", type: "timeseries", interval: "1d" }], group_by: [{ facet: "status" }] });
    for (const { by, computes: told } of buckets) {
      const own = plain.filter(({ event }) => event.status === by.status);
      for (const [i, intervalMs] of [7 * DAY_MS, DAY_MS].entries()) {
        const starts = [...new Set(own.map(({ timestampMs }) => Math.floor(timestampMs / intervalMs) * intervalMs))].sort((a, b) => a - b);
        const points = starts.map((fromMs) => {
          const within = own.filter(({ timestampMs }) => timestampMs >= fromMs && timestampMs < fromMs + intervalMs);
          return { time: new Date(fromMs).toISOString(), value: measured(within, i === 0 ? { aggregation: "count" } : { aggregation: "avg", metric: "events_matched" }) };
        });
        expect(told[`c${i}`]).toEqual(points);
      }
    }
    expect(buckets.length).toBe(5);
  });

  test("each facet to its limit and in its order, those within chosen ones", async () => {
    const ask = async (sort: object): Promise<unknown> => (await bench.search.aggregate({ group_by: [{ facet: "source", limit: 3, sort }, { facet: "env", limit: 1 }] })).buckets.map(({ by, computes: { c0 } }) => [by.source, by.env, c0]);
    const sources = reference.groups(plain, [facetField("source", "")]);
    const names = [...sources].map(([key, signals]) => ({ name: (JSON.parse(key) as string[])[0]!, signals }));
    const best = (signals: readonly reference.PlainSignal[]): readonly unknown[] => [...reference.groups(signals, [facetField("env", "")])].map(([key, each]) => [(JSON.parse(key) as string[])[0], each.length] as const).sort((a, b) => b[1] - a[1])[0]!;
    const rows = (list: typeof names): unknown => list.slice(0, 3).map(({ name, signals }) => [name, ...best(signals)]);
    expect(await ask({})).toEqual(rows(names.toSorted((a, b) => b.signals.length - a.signals.length || (a.name < b.name ? -1 : 1))));
    expect(await ask({ type: "alphabetical", order: "asc" })).toEqual(rows(names.toSorted((a, b) => (a.name < b.name ? -1 : 1))));
    const most = (signals: readonly reference.PlainSignal[]): number => Math.max(...values(signals, "events_matched"));
    expect(await ask({ type: "measure", aggregation: "max", metric: "events_matched", order: "desc" })).toEqual(rows(names.toSorted((a, b) => most(b.signals) - most(a.signals))));
  });

  test.each([
    [{ compute: [{ aggregation: "mode", metric: "@a" }] }, "signals/bad-aggregation"], [{ compute: [{ aggregation: "sum" }] }, "signals/bad-aggregation"], [{ compute: [{ aggregation: "count", type: "pie" }] }, "signals/bad-aggregation"],
    [{ compute: [{ aggregation: "count", type: "timeseries", interval: "1x" }] }, "search/bad-interval"], [{ group_by: [{ facet: "a", limit: 0 }] }, "signals/bad-limit"], [{ group_by: Array.from({ length: 5 }, () => ({ facet: "a" })) }, "signals/bad-limit"],
  ])("%j is refused", async (request, code) => {
    const error: unknown = await bench.search.aggregate(request).catch((each: unknown) => each);
    expect((error as ProblemError).problems[0]!.code).toBe(code);
  });
});

describe("signals of many values each", () => {
  const [SIGNALS, VALUES] = [30, 300];
  const numbers = Array.from({ length: VALUES }, (_, i) => i);
  let wide: Bench;
  beforeAll(() => {
    wide = new Bench(made(SIGNALS, 4).map((each) => like(each, { attributes: { names: numbers.map((i) => `n${i}`), numbers } })));
  });
  afterAll(() => wide.close());

  test("are measured piece after piece", async () => {
    const compute: ComputeText[] = [{ aggregation: "count", metric: "@numbers" }, { aggregation: "sum", metric: "@numbers" }, { aggregation: "max", metric: "@numbers" }, { aggregation: "median", metric: "@numbers" }];
    const { buckets } = await wide.search.aggregate({ compute, group_by: [{ facet: "@names", limit: 1000 }] });
    expect(buckets.length).toBe(VALUES);
    for (const { computes: told } of buckets) expect(told).toEqual({ c0: SIGNALS, c1: (SIGNALS * VALUES * (VALUES - 1)) / 2, c2: VALUES - 1, c3: VALUES / 2 - 1 });
  });

  test("are refused where they make too many groups, and the next question is answered", async () => {
    const error: unknown = await wide.search.aggregate({ group_by: ["@names", "@numbers", "@names", "@numbers"].map((facet) => ({ facet, limit: 1000 })) }).catch((each: unknown) => each);
    expect((error as ProblemError).problems[0]!.message).toContain("signals are in too many groups each");
    expect((await wide.search.aggregate({ compute: [{ aggregation: "count" }] })).buckets[0]!.computes).toEqual({ c0: SIGNALS });
  });

  test("the values of repeated rows are no more than asked for, to the end of a row", () => {
    const column = new Column(new Texts());
    for (const row of [0, 1]) for (const value of numbers) column.add(row, column.dictionary.add(value));
    const rows = Uint32Array.from({ length: 100 }, () => 1);
    const { at, codes, rows: read } = column.spread(rows, VALUES + 1);
    expect([read, codes.length, at!.at(-1)]).toEqual([2, 2 * VALUES, 1]);
    expect(column.spread(rows)).toMatchObject({ rows: 100, codes: { length: 100 * VALUES } });
  });
});

describe("metric queries", () => {
  const month = { from: "2026-05-01", to: "2026-06-01" };
  const inMonth = (): reference.PlainSignal[] => reference.selected(plain, { node: canonicalQuery(readSignalQuery("")), fromMs: Date.UTC(2026, 4), toMs: Date.UTC(2026, 5) });

  test("counts by a key, zero where there are none", async () => {
    const { series, intervalMs } = await bench.search.timeseries({ query: "count:security_signal{status:(high OR medium OR low), env:prod AND -team:data} by {rule_name}.rollup(sum, 86400)", ...month });
    const signals = inMonth().filter(({ event }) => ["high", "medium", "low"].includes(event.status!) && event.tags!.includes("env:prod") && !event.tags!.includes("team:data"));
    expect(intervalMs).toBe(DAY_MS);
    expect(series.length).toBe(reference.groups(signals, [facetField("rule_name", "")]).size);
    expect(series.every(({ points }) => points.length === 31)).toBe(true);
    expect(series.flatMap(({ points }) => points).reduce((sum, [, value]) => sum + value!, 0)).toBe(signals.length);
    expect(signals.length).toBeGreaterThan(5);
  });

  test("a signal counts once for each of its values, and as N/A without any", async () => {
    const told = await bench.search.scalar({ query: "count:security_signal{*} by {@evt.outcome,assignee}", ...month });
    const signals = inMonth();
    const expected = new Map<string, number>();
    for (const signal of signals) {
      const [outcomes, people] = ["@evt.outcome", "Assignee"].map((facet) => reference.distinctOf(signal, facetField(facet, "")).map(String));
      for (const outcome of outcomes!.length ? outcomes! : ["N/A"]) for (const who of people!.length ? people! : ["N/A"]) expected.set(`${outcome} ${who}`, (expected.get(`${outcome} ${who}`) ?? 0) + 1);
    }
    expect(new Map(told.map(({ by, value }) => [`${by["@evt.outcome"]} ${by.assignee}`, value]))).toEqual(expected);
    expect([...expected.keys()].some((key) => key.endsWith("N/A"))).toBe(true);
  });

  test.each([
    ["avg:security_signal.triage_time{status:high}", "avg", "triage_time"], ["p95:datadog.security.siem_signal.time_to_detect{status:high}", "pc95", "time_to_detect"], ["max:security_signal.events_matched{status:high}", "max", "events_matched"],
    ["count:security_signal.time_to_resolve{status:high}", "count", "time_to_resolve"],
  ])("%s", async (query, aggregation, metric) => {
    const [only] = await bench.search.scalar({ query, ...month });
    expect(close(only!.value)).toBe(close(measured(inMonth().filter(({ event }) => event.status === "high"), { aggregation, metric })));
  });

  test("the first few, and rates", async () => {
    const all = await bench.search.scalar({ query: "count:security_signal{} by {source}", ...month });
    expect(await bench.search.scalar({ query: "count:security_signal by {source}.top(3, 'sum', 'desc')", ...month })).toEqual(all.slice(0, 3));
    expect((await bench.search.scalar({ query: "count:security_signal by {source}.top(2,'mean','asc')", ...month })).map(({ value }) => value)).toEqual(all.map(({ value }) => value).sort((a, b) => a! - b!).slice(0, 2));
    const [rate] = (await bench.search.timeseries({ query: "count:security_signal{*}.rollup(3600).as_rate()", ...month })).series;
    expect(close(rate!.points.reduce((sum, [, value]) => sum + value!, 0) * 3600)).toBe(inMonth().length);
  });

  test("commas in quotes, ranges and groups are no ANDs", () => {
    expect(readMetricQuery('count:security_signal{@a:"x,}y",@b:{1 TO 5],(c OR d)}').node).toEqual(expect.objectContaining({ kind: "and" }));
    expect(readMetricQuery('count:security_signal{@a:"x,}y",@b:{1 TO 5],(c OR d)}').node).toHaveProperty("nodes.length", 3);
    expect(readMetricQuery("count:security_signal.rollup(sum, 60).as_rate()")).toMatchObject({ node: { kind: "all" }, groups: [], rollupSeconds: 60, asRate: true });
    expect(readMetricQuery("avg:security_signal.triage_time.rollup(max, 60)").compute).toMatchObject({ aggregation: "max" });
    expect(metricInterval(0, 30 * DAY_MS)).toBe(4 * 3_600_000);
  });

  test.each(["security_signal", "count:logs{*}", "avg:security_signal{*}", "count:security_signal{status:high", "count:security_signal{*}.fill(zero)", "count:security_signal{*} by {a", "count:security_signal.mood{*}", "count:security_signal{*}.top(x)"])("%s is refused with a place and a way out", (query) => {
    expect.assertions(1);
    try {
      readMetricQuery(query);
    } catch (error) {
      expect((error as ProblemError).problems[0]).toMatchObject({ code: "signals/bad-metric-query", hint: expect.any(String), at: expect.anything() });
    }
  });
});

describe("key figures", () => {
  test("times by the formulas, of signals that got there in the window", async () => {
    const [fromMs, toMs] = [Date.UTC(2026, 3), Date.UTC(2026, 6)];
    const kpis = await bench.search.kpis({ from: fromMs, to: toMs });
    const timing = (name: string, at: (signal: reference.PlainSignal) => number | undefined): unknown => {
      const numbers = values(plain.filter((signal) => (at(signal) ?? -1) >= fromMs && at(signal)! < toMs), name);
      return { count: numbers.length, mean: close(numbers.reduce((a, b) => a + b, 0) / numbers.length), p50: reference.percentile(numbers, 0.5), p95: reference.percentile(numbers, 0.95) };
    };
    const stored = new Map(bench.sql.all("SELECT id, created_at, triage_state, first_under_review_at AS reviewed, last_archived_at AS archived FROM signals").map((row) => [String(row.id), row]));
    const reviewed = ({ id }: reference.PlainSignal): number | undefined => (stored.get(id)!.reviewed as number | null) ?? undefined;
    const archived = ({ id }: reference.PlainSignal): number | undefined => (stored.get(id)!.triage_state === "archived" ? (stored.get(id)!.archived as number) : undefined);
    for (const [told, expected] of [
      [kpis.timeToDetect, timing("time_to_detect", ({ timestampMs }) => timestampMs)], [kpis.timeToAcknowledge, timing("time_to_acknowledge", reviewed)], [kpis.timeToResolve, timing("time_to_resolve", archived)],
    ] as const) expect({ count: told.count, mean: close(told.mean), p50: told.p50, p95: told.p95 }).toEqual(expected);
    for (const [, row] of stored) if (row.reviewed !== null) expect(Number(row.reviewed)).toBeGreaterThan(Number(row.created_at));
    const bySeverity = Object.values(kpis.timeToResolve.bySeverity);
    expect(bySeverity.reduce((sum, { count }) => sum + count, 0)).toBe(kpis.timeToResolve.count);
  });

  test("false positives of each rule, and the week's change", async () => {
    const kpis = await bench.search.kpis({});
    const byRule = reference.groups(plain, [facetField("rule_id", "")]);
    expect(kpis.falsePositives.length).toBe(byRule.size);
    const isFalse = readSignalQuery("status:archived archive_reason:false_positive");
    for (const { ruleId, falsePositives, total, percent } of kpis.falsePositives) {
      const signals = byRule.get(JSON.stringify([ruleId]))!;
      expect([falsePositives, total, percent]).toEqual([reference.selected(signals, { node: isFalse }).length, signals.length, (falsePositives / total) * 100]);
    }
    expect(kpis.falsePositives.some(({ falsePositives }) => falsePositives > 0)).toBe(true);
    for (const { name, last, prior, delta, percent } of kpis.weekChange.bySeverity) {
      const own = plain.filter(({ event }) => event.status === name);
      const count = (fromMs: number, toMs: number): number => reference.selected(own, { node: readSignalQuery(""), fromMs, toMs }).length;
      const [expectedLast, expectedPrior] = [count(nowMs - 7 * DAY_MS, nowMs), count(nowMs - 14 * DAY_MS, nowMs - 7 * DAY_MS)];
      expect([last, prior, delta, percent]).toEqual([expectedLast, expectedPrior, expectedLast - expectedPrior, expectedPrior === 0 ? null : ((expectedLast - expectedPrior) / expectedPrior) * 100]);
    }
    const nothing = await bench.search.kpis({ query: "nowhere" });
    expect(nothing.timeToDetect).toMatchObject({ count: 0, mean: null, p50: null });
    expect(nothing.falsePositives).toEqual([]);
  });
});
