import { beforeAll, describe, expect, test } from "vitest";
import { Backtest, type BacktestResult } from "../../host/backtest.ts";
import { createEngine } from "../../host/index.ts";
import { matches } from "../../host/query/matches.ts";
import { readSuppressions } from "../../host/rule/guards.ts";
import { type Rule } from "../../host/rule/rule.ts";
import { sensitivityOf } from "../../host/rule/sensitivity.ts";
import { readRule } from "../../host/rule/wire.ts";
import { bruteForce, lines, login } from "../cli/support.ts";
import { loadKernel } from "../support/wasm.ts";

beforeAll(() => loadKernel("simd"), 240_000);

/** Logins of twelve users over some hours, in time order, some in bursts; the same for the same seed. */
function stream(seed: number): Array<Record<string, unknown>> {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const events: Array<[number, string, "failure" | "success"]> = [];
  for (let i = 0; i < 160; i++) {
    const user = `user-${next(12)}`;
    const start = next(14_400);
    const size = next(5) === 0 ? 5 + next(60) : 1 + next(4);
    for (let k = 0; k < size; k++) events.push([start + k * (1 + next(4)), user, "failure"]);
    if (next(3) === 0) events.push([start + next(200), user, "success"]);
  }
  return events.sort((a, b) => a[0] - b[0]).map(([second, user, outcome]) => login(second, user, outcome));
}

const bytes = (events: ReadonlyArray<unknown>): Uint8Array => new TextEncoder().encode(lines(events));

async function runBacktest(rules: readonly Rule[], events: ReadonlyArray<unknown>, more: Partial<Parameters<typeof Backtest.create>[0]> = {}): Promise<BacktestResult> {
  const engine = await Backtest.create({
    rules, pipelines: [], suppressions: [], criticalAssets: [], referenceTables: {}, workers: 0, variant: "simd", allowedLatenessMs: 300_000, ...more,
  });
  await engine.push(bytes(events), { format: "log", arrivalMs: 0 });
  return await engine.close();
}

/** A run of its own of a rule as somebody would write it. */
async function signalsOf(wire: Record<string, unknown>, events: ReadonlyArray<unknown>, suppressions: readonly unknown[] = []): Promise<number> {
  const engine = await createEngine({ rules: [wire], suppressions: readSuppressions(suppressions) });
  await engine.push(bytes(events), { format: "log", arrivalMs: 0 });
  await engine.close();
  return engine.finalSignals().length;
}

const withConditions = (...conditions: string[]): Record<string, unknown> => ({ ...bruteForce, cases: bruteForce.cases.map((each, i) => ({ ...each, condition: conditions[i] })) });

describe("a backtest", () => {
  test.each([1, 2, 3, 4])("every setting gives what a rule written that way gives, seed %i", async (seed) => {
    const events = stream(seed);
    const { rules: [result] } = await runBacktest([readRule(bruteForce)], events);
    const written: Array<readonly [number, string, string]> = [
      [0.5, "failed > 5 && passed > 0", "failed > 5"], [1, "failed > 10 && passed > 0", "failed > 10"],
      [2, "failed > 20 && passed > 0", "failed > 20"], [4, "failed > 40 && passed > 0", "failed > 40"],
    ];
    expect(result!.sensitivity.settings.map(({ factor, setting }) => [factor, ...setting.split("; ")])).toEqual(written);
    const expected = [];
    for (const [, first, second] of written) expected.push(await signalsOf(withConditions(first, second), events));
    expect(result!.sensitivity.settings.map(({ signals }) => signals)).toEqual(expected);
    expect(expected[0]).toBeGreaterThan(expected[3]!);
    expect(result!.signals).toBe(expected[1]);
  });

  test("events, queries and groups are counted as the object evaluator counts them", async () => {
    const events = stream(9);
    const rule = readRule(bruteForce);
    const { rules: [result], axis } = await runBacktest([rule], events);
    const matched = rule.queries.map(({ node }) => events.filter((event) => matches(node, event)));
    expect(result!.census.perQuery).toEqual(matched.map((each) => each.length));
    expect(result!.census.events).toBe(matched[0]!.length + matched[1]!.length);
    const users = new Map<string, number>();
    for (const event of matched.flat()) {
      const { id } = (event.attributes as { usr: { id: string } }).usr;
      users.set(id, (users.get(id) ?? 0) + 1);
    }
    expect(Object.fromEntries(result!.byGroup.map(({ group, events: times }) => [group["@usr.id"]!, times]))).toEqual(Object.fromEntries(users));
    expect(result!.byGroup.reduce((sum, each) => sum + each.signals, 0)).toBe(result!.signals);
    expect(result!.byCase.reduce((sum, each) => sum + each.signals, 0)).toBe(result!.signals);
    const buckets = axis(24)!;
    expect(buckets.count).toBeLessThanOrEqual(24);
    const chart = result!.census.times.buckets(buckets);
    expect(chart.reduce((a, b) => a + b)).toBe(result!.census.events);
    expect(chart).toEqual(Array.from({ length: buckets.count }, (_, i) => matched.flat().filter((event) => Math.floor(((event.timestamp as number) - buckets.fromMs) / buckets.widthMs) === i).length));
    expect(result!.times.buckets(buckets).reduce((a, b) => a + b)).toBe(result!.signals);
  });

  test("suppressions that name the rule hold for its other settings too", async () => {
    const events = stream(5);
    const suppressions = [{ name: "s", enabled: true, rule_query: "id:brute-force", data_exclusion_query: "@usr.id:(user-1 OR user-2 OR user-3)" }, { name: "t", enabled: true, rule_query: "ruleId:brute-force", suppression_query: "@usr.id:user-4" }];
    const { rules: [result] } = await runBacktest([readRule(bruteForce)], events, { suppressions: readSuppressions(suppressions) });
    expect(result!.sensitivity.settings[0]!.signals).toBe(await signalsOf(withConditions("failed > 5 && passed > 0", "failed > 5"), events, suppressions));
    expect(result!.sensitivity.settings[0]!.signals).toBeLessThan(await signalsOf(withConditions("failed > 5 && passed > 0", "failed > 5"), events));
  });

  test("rules over signals see the signals of the rules as they are, not those of other settings", async () => {
    const events = stream(8);
    const counting = { id: "counting", name: "c", message: "", isEnabled: true, type: "signal_correlation", tags: [], queries: [{ name: "bursts", ruleId: "brute-force", correlatedByFields: ["@usr.id"] }], cases: [{ name: "", status: "high", condition: "bursts > 1" }], options: { evaluationWindow: 7200, keepAlive: 7200 } };
    const searching = { id: "searching", name: "s", message: "", isEnabled: true, tags: [], queries: [{ name: "any", query: "*", dataSource: "security_signals", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "high", condition: "any > 1" }], options: { evaluationWindow: 7200, keepAlive: 7200 } };
    const alone = { ...bruteForce, options: { ...bruteForce.options, keepAlive: 300 } };
    const run = async (...wires: Array<Record<string, unknown>>): Promise<Record<string, number>> => {
      const engine = await createEngine({ rules: wires });
      await engine.push(bytes(events), { format: "log", arrivalMs: 0 });
      await engine.close();
      return Object.fromEntries(wires.map(({ id }) => [id, engine.finalSignals().filter((signal) => signal.ruleId === id).length]));
    };
    const { rules: results } = await runBacktest([alone, counting, searching].map((wire) => readRule(wire)), events);
    const expected = await run(alone, counting, searching);
    expect(Object.fromEntries(results.map((each) => [each.rule.id, each.signals]))).toEqual(expected);
    expect(expected.counting).toBeGreaterThan(0);
    const milder = { ...searching, cases: [{ ...searching.cases[0], condition: "any > 0" }] };
    expect(results[2]!.sensitivity.settings.map(({ setting, signals }) => [setting, signals])).toContainEqual(["any > 0", (await run(alone, counting, milder)).searching]);
    const looser = { ...alone, cases: withConditions("failed > 5 && passed > 0", "failed > 5").cases };
    expect(results[0]!.sensitivity.settings[0]!.signals).toBe((await run(looser))["brute-force"]);
  });

  test("threads and cuts of the input change nothing", async () => {
    const events = stream(6);
    const whole = await runBacktest([readRule(bruteForce)], events);
    const engine = await Backtest.create({ rules: [readRule(bruteForce)], pipelines: [], suppressions: [], criticalAssets: [], referenceTables: {}, workers: 0, variant: "simd", allowedLatenessMs: 300_000 });
    for (let i = 0; i < events.length; i += 97) await engine.push(bytes(events.slice(i, i + 97)), { format: "log", arrivalMs: 0 });
    const cut = await engine.close();
    const plain = ({ rules }: BacktestResult) => rules.map(({ census: { times: _t, ...census }, times: _s, ...rest }) => ({ ...rest, census }));
    expect(plain(cut)).toEqual(plain(whole));
  });
});

const base = { name: "r", message: "", isEnabled: true, queries: [{ query: "a" }, { query: "b" }], cases: [{ status: "info", condition: "a > 0" }], options: { evaluationWindow: 300, keepAlive: 300 } };
const threshold = (condition: string, evaluationWindow = 300) => readRule({ ...base, cases: [{ status: "info", condition }], options: { evaluationWindow, keepAlive: 300 } });
const settings = (rule: Rule) => sensitivityOf(rule).turned.map(({ setting }) => setting);

describe("what is turned", () => {
  test.each([
    ["a > 10", ["a > 5", "a > 10", "a > 20", "a > 40"]],
    ["a >= 5 && b < 3", ["a >= 3 && b < 3", "a >= 5 && b < 3", "a >= 10 && b < 3", "a >= 20 && b < 3"]],
    ["a > 3 && b > 0", ["a > 1 && b > 0", "a > 3 && b > 0", "a > 6 && b > 0", "a > 12 && b > 0"]],
    ["a > 3 && b >= 1", ["a > 1 && b >= 1", "a > 3 && b >= 1", "a > 6 && b >= 1", "a > 12 && b >= 1"]],
    ["a > 3 * b", ["2 * a > 3 * b", "a > 3 * b", "a > 6 * b", "a > 12 * b"]],
    ["a > 4 THEN b > 2", ["a > 2 THEN b > 1", "a > 4 THEN b > 2", "a > 8 THEN b > 4", "a > 16 THEN b > 8"]],
    ["a > 0", ["a > 0", "a > 0", "a > 1", "a > 3"]],
  ])("%s", (condition, expected) => expect(settings(threshold(condition))).toEqual(expected));

  test("one event at a time can be asked for only once", () => {
    expect(sensitivityOf(threshold("a > 0", 0))).toMatchObject({ dial: undefined, turned: [{ factor: 1 }] });
  });

  test("a setting that comes out as the rule's own is the rule itself, and runs once", () => {
    const rule = threshold("a > 0");
    const { turned } = sensitivityOf(rule);
    expect(turned[0]!.rule).toBe(rule);
    expect(new Set(turned.map((each) => each.rule.id)).size).toBe(3);
  });

  test.each([
    [{ detectionMethod: "new_value", newValueOptions: { learningDuration: 7, forgetAfter: 28 } }, "new_value", ["@usr.id"], "learning duration", ["3.5", "7", "14", "28"]],
    [{ detectionMethod: "new_value", newValueOptions: { learningDuration: 0, forgetAfter: 7 } }, "new_value", ["@usr.id"], "forgetting after", ["3.5", "7", "14", "28"]],
    [{ detectionMethod: "impossible_travel", impossibleTravelOptions: { baselineUserLocations: true } }, "geo_data", ["@network.client.geoip"], "learning of locations", ["0.5", "1", "2", "4"]],
    [{ detectionMethod: "anomaly_detection", evaluationWindow: 1800, keepAlive: 3600, anomalyDetectionOptions: { bucketDuration: 300, detectionTolerance: 3, learningDuration: 24 } }, "count", undefined, "tolerance", ["1.5", "3", "6", "12"]],
  ])("other methods: %o", (options, aggregation, metrics, dial, expected) => {
    const rule = readRule({ name: "r", message: "", isEnabled: true, queries: [{ query: "x", aggregation, ...(metrics ? { metrics } : {}), groupByFields: ["@usr.id"] }], cases: [{ status: "info" }], options });
    expect(sensitivityOf(rule).dial).toBe(dial);
    expect(settings(rule).map((text) => /[\d.]+/.exec(text)?.[0])).toEqual(expected);
  });

  test("methods that judge each event by itself have no dial", () => {
    const rule = readRule({ name: "r", message: "", isEnabled: true, queries: [{ query: "x", aggregation: "none" }], cases: [{ status: "info" }], options: { detectionMethod: "hardcoded", hardcodedEvaluatorType: "log4shell" } });
    expect(sensitivityOf(rule).dial).toBeUndefined();
  });
});
