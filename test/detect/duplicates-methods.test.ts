import { beforeAll, expect, test } from "vitest";
import { type EngineStats, createEngine } from "../../host/index.ts";
import { Generator } from "../match/generate.ts";
import { loadKernel } from "../support/wasm.ts";
import { bytesOf, shown } from "./scenarios.ts";

beforeAll(() => {
  loadKernel("simd");
});

function rule(id: string, options: Record<string, unknown>, query: Record<string, unknown>, condition?: string): Record<string, unknown> {
  return {
    type: "log_detection", isEnabled: true, tags: [], id, name: id, message: `{{@usr.id}} ${id} {{events_matched}}`, options: { keepAlive: 900, maxSignalDuration: 3600, ...options },
    queries: [{ name: "a", aggregation: "count", groupByFields: ["@usr.id"], distinctFields: [], ...query }],
    cases: [{ name: "", status: "medium", notifications: [], ...(condition === undefined ? {} : { condition }) }],
  };
}

const steps = [{ name: "in", condition: "a > 0", evaluationWindow: 300 }, { name: "out", condition: "b > 0", evaluationWindow: 300 }];
const rules = [
  rule("burst", { detectionMethod: "threshold", evaluationWindow: 300 }, { query: "@action:login" }, "a > 2"),
  rule("spread", { detectionMethod: "threshold", evaluationWindow: 600 }, { query: "*", aggregation: "cardinality", groupByFields: ["host"], distinctFields: ["@usr.id"] }, "a > 3"),
  rule("sum", { detectionMethod: "threshold", evaluationWindow: 600 }, { query: "*", aggregation: "sum", metrics: ["@bytes"] }, "a > 3000"),
  rule("country", { detectionMethod: "new_value", newValueOptions: { learningMethod: "duration", learningDuration: 0, learningThreshold: 0, forgetAfter: 7 } }, { query: "@action:login", aggregation: "new_value", metrics: ["@country"] }),
  rule("odd", { detectionMethod: "content_anomaly", evaluationWindow: 600, contentAnomalyOptions: { learningDuration: 1, forgetAfter: 3, similarityPercentageThreshold: 70, nbSimilarItemsThreshold: 1 } }, { query: "@action:run", metrics: ["@cmd"] }, "a > 0"),
  rule("travel", { detectionMethod: "impossible_travel", impossibleTravelOptions: { baselineUserLocations: false } }, { query: "@action:login", aggregation: "geo_data", metrics: ["@network.client.geoip"] }),
  {
    ...rule("steps", { detectionMethod: "sequence_detection", evaluationWindow: 0, sequenceDetectionOptions: { steps, stepTransitions: [{ parent: "in", child: "out", evaluationWindow: 900 }] } }, {}, "out > 0"),
    queries: ["login", "delete"].map((action, i) => ({ name: "ab"[i], query: `@action:${action}`, aggregation: "count", groupByFields: ["@usr.id"], distinctFields: [] })),
  },
];

function eventsOf(seed: number, count: number): Array<Record<string, unknown>> {
  const random = new Generator(seed);
  let nowMs = 1_772_000_000_000;
  return Array.from({ length: count }, (_, i) => {
    nowMs += random.chance(0.9) ? random.below(20_000) : random.below(400_000);
    const [latitude, longitude] = random.pick([[52.5, 13.4], [35.7, 139.7], [40.7, -74]]);
    return {
      id: `${seed}-${i}`, message: "m", host: `host-${random.below(3)}`, source: "app", timestamp: nowMs - (random.chance(0.15) ? random.below(200_000) : 0),
      attributes: {
        action: random.pick(["login", "login", "run", "delete", "read"]), usr: { id: `user-${random.below(6)}` }, country: random.chance(0.02) ? `X${i}` : random.pick(["DE", "FR", "JP"]), bytes: random.below(1000),
        cmd: Array.from({ length: 5 }, () => random.pick(["ls", "cat", "rm", "curl", "ps", "sh", "dd"])).join(" "),
        network: { client: { geoip: { city: { name: `${latitude}` }, country: { name: "there" }, location: { latitude, longitude } } } },
      },
    };
  });
}

async function detect(events: ReadonlyArray<Record<string, unknown>>, more: { readonly deduplicate?: boolean; readonly workers?: number }, cut: number): Promise<{ readonly signals: string[]; readonly stats: EngineStats }> {
  const engine = await createEngine({ rules, ...more });
  for (let at = 0; at < events.length; at += cut) await engine.push(bytesOf(events.slice(at, at + cut)), { format: "log", arrivalMs: 0 });
  const stats = await engine.close();
  return { signals: shown(engine.finalSignals()), stats };
}

/** What a signal says, but for numbers that count events of the whole stream. */
const said = (signals: readonly string[]): unknown[] => signals.map((text) => ({ ...(JSON.parse(text) as object), id: "" }));

test.each([1, 2])("every method judges a stream with repeats as if these had never come (%i)", async (seed) => {
  const events = eventsOf(seed, 4500);
  const random = new Generator(seed + 50);
  // Sent again with the next ten, as they were: no time is told that the events before them have not told, and none is late.
  const late = events.flatMap((event, i) => (random.chance(0.3) ? [{ event, place: i + 1 + random.below(10) }, ...(random.chance(0.2) ? [{ event, place: i + 1 + random.below(10) }] : [])] : []));
  let highMs = 0;
  const highs = events.map(({ timestamp }) => (highMs = Math.max(highMs, Number(timestamp))));
  const again = late.filter(({ event, place }) => place < events.length && highs[place]! - Number(event.timestamp) < 290_000);
  const byPlace = Map.groupBy(again, ({ place }) => place);
  const repeated = events.flatMap((event, i) => [event, ...(byPlace.get(i) ?? []).map((each) => each.event)]);
  expect(again.length).toBeGreaterThan(400);
  const once = await detect(events, {}, 4500);
  const told = new Set(once.signals.map((text) => (JSON.parse(text) as { rule_id: string }).rule_id));
  expect([...told].sort()).toEqual(rules.map(({ id }) => id).sort());
  for (const [workers, cut] of [[0, 5000], [2, 211]] as const) {
    const { signals, stats } = await detect(repeated, { deduplicate: true, workers }, cut);
    expect(said(signals)).toEqual(said(once.signals));
    expect(stats).toMatchObject({ duplicates: again.length, lateDropped: once.stats.lateDropped });
  }
  expect(said((await detect(repeated, {}, 5000)).signals)).not.toEqual(said(once.signals));
}, 240_000);
