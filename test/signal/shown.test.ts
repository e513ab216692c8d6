import { beforeAll, describe, expect, test } from "vitest";
import { type Signal, createEngine } from "../../host/index.ts";
import { bytesOf } from "../detect/scenarios.ts";
import { playScenario } from "../detect/method-series/harness.ts";
import { evaluate } from "../reference/evaluate.ts";
import { queryOf } from "../support/query.ts";
import { loadKernel, variants } from "../support/wasm.ts";

beforeAll(() => variants.forEach((variant) => void loadKernel(variant)));

type Wire = Record<string, any>;
type Variant = (typeof variants)[number];

const startMs = Date.UTC(2026, 0, 5);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

async function play(rule: Wire, logs: readonly Record<string, unknown>[], variant: Variant): Promise<readonly Signal[]> {
  const engine = await createEngine({ rules: [rule], variant });
  await engine.push(bytesOf(logs), { format: "log", arrivalMs: startMs });
  await engine.close();
  return engine.finalSignals();
}

const failures = (more: Wire = {}, query: Wire = {}): Wire => ({
  id: "failures", name: "Failed logins", message: "{{@usr.id}}", isEnabled: true, type: "log_detection", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 600, maxSignalDuration: 3600 },
  queries: [{ name: "a", query: "source:auth", aggregation: "count", groupByFields: ["@usr.id", "env"], ...query }], cases: [{ name: "burst", status: "high", condition: "a > 1" }], ...more,
});
const failure = (second: number, attributes: Wire, tags: readonly string[]): Record<string, unknown> => ({ timestamp: startMs + second * 1000, source: "auth", message: "failed", attributes, tags });

describe.each(variants)("a value that a log does not have, %s", (variant) => {
  const logs = [
    failure(0, { usr: { id: "ann" } }, ["env:prod"]), failure(1, {}, ["env:prod"]), failure(2, { usr: { id: null } }, ["env:prod"]), failure(3, { usr: { id: "ann" } }, []),
    failure(4, { usr: { id: [] } }, ["env:prod"]), failure(5, { usr: {} }, []), failure(6, { usr: "ann" }, ["env:prod"]), failure(7, { usr: { id: "ann" } }, ["env:prod"]),
  ];
  const groups = (signals: readonly Signal[]): string[] => signals.map(({ group, eventsMatched }) => `${group["@usr.id"]} ${group.env} ${eventsMatched}`).toSorted();

  test("[DE-06] of the group: the log is in no group, so its case is never met", async () => {
    expect(logs.every((log) => evaluate(queryOf("source:auth"), log))).toBe(true);
    expect(groups(await play(failures(), logs, variant))).toEqual(["ann prod 2"]);
    expect(await play(failures(), logs.filter((_log, i) => i !== 0 && i !== 7), variant)).toEqual([]);
  });

  test("[DE-06] of the group, with optional group-by: N/A is a group like any other", async () => {
    const optional = failures({}, { hasOptionalGroupByFields: true });
    expect(groups(await play(optional, logs, variant))).toEqual(["N/A prod 4", "ann prod 2"]);
    expect(groups(await play(optional, [...logs, failure(8, {}, []), failure(9, { usr: { id: "ann" } }, [])], variant))).toEqual(["N/A N/A 2", "N/A prod 4", "ann N/A 2", "ann prod 2"]);
  });
});

describe.each(variants)("the title, %s", (variant) => {
  const logs = [0, 1, 2, 3].map((second) => failure(second, { usr: { id: "ann" } }, ["env:prod"]));
  const titles = async (cases: readonly Wire[], more: Wire = {}): Promise<string[]> => (await play(failures({ cases, ...more }), logs, variant)).map(({ title }) => title);

  test("[DE-45] is the rule's name and that of the case, where the case has one", async () => {
    expect(await titles([{ name: "burst", status: "high", condition: "a > 1" }])).toEqual(["Failed logins - burst"]);
    expect(await titles([{ name: "", status: "high", condition: "a > 1" }])).toEqual(["Failed logins"]);
    expect(await titles([{ status: "high", condition: "a > 1" }])).toEqual(["Failed logins"]);
    expect(await titles([{ name: "many", status: "high", condition: "a > 9" }, { name: "{{@usr.id}} - 2", status: "low", condition: "a > 1" }])).toEqual(["Failed logins - {{@usr.id}} - 2"]);
  });

  test("[DE-45] follows the signal to a graver case", async () => {
    expect(await titles([{ name: "many", status: "critical", condition: "a > 3" }, { name: "some", status: "low", condition: "a > 1" }])).toEqual(["Failed logins - many"]);
  });
});

describe("a volume that stays anomalous", () => {
  const rule = (maxSignalDuration: number): Wire => ({
    id: "volume", name: "Volume", message: "", isEnabled: true, type: "log_detection", tags: [],
    options: { detectionMethod: "anomaly_detection", evaluationWindow: 3600, keepAlive: 7200, maxSignalDuration, anomalyDetectionOptions: { bucketDuration: 3600, learningDuration: 24, detectionTolerance: 1 } },
    queries: [{ name: "a", query: "source:proxy", aggregation: "count", groupByFields: ["@usr.id"], metrics: [] }], cases: [{ name: "spike", status: "medium", condition: "a > 0.995" }],
  });
  const request = (timeMs: number): Record<string, unknown> => ({ timestamp: timeMs, source: "proxy", message: "GET", attributes: { usr: { id: "ann" } } });
  const endMs = startMs + 5 * DAY_MS;
  const usual = Array.from({ length: 5 * 24 }, (_, hour) => Array.from({ length: 5 }, (_each, i) => request(startMs + hour * HOUR_MS + i * MINUTE_MS))).flat();
  /** Hours with ever more: what was odd an hour ago is part of what is known. */
  const spikes = (hours: number): Record<string, unknown>[] => Array.from({ length: hours }, (_, hour) => Array.from({ length: 100 * 3 ** hour }, (_each, i) => request(endMs + hour * HOUR_MS + i * 1000))).flat();
  const lastOf = (hours: number): number => Number(spikes(hours).at(-1)!.timestamp);

  test.each([1, 2, 3])("[DE-21] %i hours: one signal, whose last update is that of the last hour", async (hours) => {
    const logs = [...usual, ...spikes(hours), request(endMs + (hours + 1) * HOUR_MS)];
    for (const variant of variants) {
      const signals = await play(rule(86_400), logs, variant);
      expect(signals.map(({ firstSeenMs, lastSeenMs, group }) => [firstSeenMs >= endMs && firstSeenMs < endMs + HOUR_MS, lastSeenMs, group])).toEqual([[true, lastOf(hours), { "@usr.id": "ann" }]]);
    }
    expect(playScenario({ id: "volume", rule: rule(86_400), logs: logs.map((log) => ({ ...log, t: Number(log.timestamp) })), expect: { signals: [{ case: "spike", status: "medium", group: { "@usr.id": "ann" }, last: lastOf(hours) }] } })).toEqual([]);
  });

  test("[DE-22] a signal ends at its maximum duration, however odd it still is, and the next one is another", async () => {
    const logs = [...usual, ...spikes(4)];
    for (const variant of variants) {
      const signals = await play(rule(7200), logs, variant);
      expect(signals).toHaveLength(2);
      const [first, second] = signals;
      expect(second!.id).not.toBe(first!.id);
      expect(first!.lastSeenMs - first!.firstSeenMs).toBeLessThanOrEqual(7_200_000);
      expect(second!.firstSeenMs - first!.firstSeenMs).toBeGreaterThan(7_200_000);
      expect(second!.lastSeenMs).toBe(lastOf(4));
    }
    expect(playScenario({ id: "volume", rule: rule(7200), logs: logs.map((log) => ({ ...log, t: Number(log.timestamp) })), expect: { signals: [{ case: "spike", status: "medium" }, { case: "spike", status: "medium", last: lastOf(4) }] } })).toEqual([]);
  });
});
