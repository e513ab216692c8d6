import { beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../bench/random.ts";
import { type Engine, type EngineOptions, createEngine, readCriticalAssets } from "../../host/index.ts";
import type { SignalDocument } from "../../host/signal/document.ts";
import { signalText, storedForm } from "../../host/signal/signal.ts";
import { bruteForce, burst, lines, login, startMs } from "../cli/support.ts";
import { methodLines, methodRules } from "../detect/method-stream.ts";
import { loadKernel } from "../support/wasm.ts";

beforeAll(() => {
  loadKernel("simd");
});

const encoder = new TextEncoder();

/** Documents of all signals of these events, in the order they opened. */
async function documents(rules: ReadonlyArray<Record<string, unknown>>, events: readonly unknown[], options: Partial<EngineOptions> = {}): Promise<SignalDocument[]> {
  const engine = await createEngine({ rules, signalDetails: true, ...options });
  await engine.push(encoder.encode(lines(events)), { format: "log", arrivalMs: startMs });
  await engine.close();
  return engine.finalSignals().map((signal) => JSON.parse(storedForm(signal).text) as SignalDocument);
}

const each = { ...bruteForce, id: "each", message: "seen", cases: [{ name: "", status: "high", condition: "failed > 0" }], queries: [{ name: "failed", query: "source:auth", aggregation: "count", groupByFields: ["@usr.id"] }] };

describe("what a stored signal tells", () => {
  test("[SI-01] [SI-24] the rule, the case, what each query saw, where, and samples of it", async () => {
    const [found, ...others] = await documents([bruteForce], burst);
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      rule_id: "brute-force", severity: "critical", group: { "@usr.id": "admin" }, message: "admin failed 12 times",
      details: {
        rule: { version: 1, type: "log_detection", method: "threshold", is_default: false, window_ms: 300_000, keep_alive_ms: 3_600_000, max_duration_ms: 86_400_000 },
        case: { index: 0, name: "got in", severity: "critical", condition: "failed > 10 && passed > 0", notifications: [] },
        queries: [{ name: "failed", query: "source:auth @evt.outcome:failure", aggregation: "count", group_by: ["@usr.id"], events: 11, value: 11 }, { name: "passed", events: 1, value: 1 }],
        hosts: ["bastion-1"], services: ["sso"], sources: ["auth"],
        // One value stays as it is, several become a list.
        attributes: { usr: { id: "admin" }, evt: { name: "login", outcome: ["failure", "success"] } },
        high_cardinality: { attributes: [], tags: [] }, env_decremented: false,
        triggered_at: startMs + 60_000, first_event_at: startMs,
      },
    });
    const samples = found!.samples as unknown as Array<{ readonly query_index: number; readonly event_id: string; readonly content: Record<string, unknown> }>;
    expect(samples.map(({ query_index }) => query_index)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(new Set(samples.map(({ event_id }) => event_id)).size).toBe(10);
    expect(samples.at(-1)!.content).toEqual({
      timestamp: startMs + 60_000, status: "info", service: "sso", host: "bastion-1", source: "auth", message: "login success for admin", tags: ["env:prod"],
      custom: { evt: { name: "login", outcome: "success" }, usr: { id: "admin" } },
    });
  });

  test("[RU-11] tags of the rule and of its logs, once each", async () => {
    const [found] = await documents([bruteForce], burst);
    expect(found!.details!.tags).toEqual([...bruteForce.tags, "env:prod"]);
  });

  test("[SI-26] last seen moves with each match, and the log that named the signal stays", async () => {
    const [first, second] = await Promise.all([documents([bruteForce], burst), documents([bruteForce], [...burst, login(90, "admin", "failure")])]);
    expect(first[0]!.last_seen).toBe(startMs + 60_000);
    expect(second[0]!.last_seen).toBe(startMs + 90_000);
    expect(second[0]!.details!.triggered_at).toBe(startMs + 60_000);
  });

  test("an event without an id of its own is known by its bytes, one with an id by that", async () => {
    const [found] = await documents([each], [login(0, "a", "failure", { id: "own-id" }), login(1, "a", "failure"), login(2, "a", "failure")]);
    const ids = (found!.samples as unknown as Array<{ readonly event_id: string }>).map(({ event_id }) => event_id);
    expect(ids).toEqual(["own-id", expect.stringMatching(/^[0-9a-f]{32}$/), expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });

  test("what a printed signal says is not changed by it", async () => {
    const printed = async (signalDetails: boolean): Promise<string[]> => {
      const engine = await createEngine({ rules: [...methodRules], signalDetails });
      await engine.push(encoder.encode(methodLines(7, 3000).join("\n")), { format: "intake", arrivalMs: 0 });
      await engine.close();
      return engine.finalSignals().map((signal) => signalText(signal));
    };
    const [plain, detailed] = [await printed(false), await printed(true)];
    expect(plain.length).toBeGreaterThan(20);
    expect(detailed).toEqual(plain);
    expect(plain.join("")).not.toContain('"details"');
  }, 60_000);
});

describe("attributes of many events, side by side", () => {
  const many = (count: number, more: (i: number) => Record<string, unknown>): unknown[] => Array.from({ length: count }, (_, i) => login(i, "a", "failure", more(i)));

  test("of more than twenty values the path is dropped and named; of a group-by field never", async () => {
    const rule = { ...each, groupSignalsBy: ["@usr.id"], queries: [{ ...each.queries[0]!, groupByFields: ["@usr.id", "@port"] }] };
    const [found] = await documents([rule], many(30, (i) => ({ file: { path: `/f/${i}` }, twenty: i % 20, port: i })));
    const { attributes, high_cardinality: high } = found!.details!;
    expect(attributes.file).toBeUndefined();
    expect(attributes.twenty).toHaveLength(20);
    expect(attributes.port).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(high).toEqual({ attributes: ["file.path"], tags: [] });
  });

  test("tags the same, by their keys; the rule's own stay", async () => {
    const events = many(30, () => ({})).map((event, i) => ({ ...(event as object), tags: [`pod:p-${i}`, "env:prod", `security:s${i}`] }));
    const [found] = await documents([{ ...each, tags: ["security:attack"] }], events);
    expect(found!.details!.tags).toEqual(["security:attack", "env:prod"]);
    expect(found!.details!.high_cardinality.tags).toEqual(["pod", "security"]);
  });

  test("lists are their elements, and a path may be a value in one event and members in another", async () => {
    const [found] = await documents([each], [
      login(0, "a", "failure", { list: [1, [2, 1]], mixed: "text", of: [{ x: 1 }, { x: 2 }] }), login(1, "a", "failure", { mixed: { inner: true }, none: null, empty: {}, list: 3 }),
    ]);
    expect(found!.details!.attributes).toMatchObject({ list: [1, 2, 3], mixed: ["text", { inner: true }], of: { x: [1, 2] } });
    expect(Object.keys(found!.details!.attributes).toSorted()).toEqual(["evt", "list", "mixed", "of", "usr"]);
  });

  test("long values are cut, not between the halves of a character", async () => {
    const [found] = await documents([each], [login(0, "a", "failure", { long: "x".repeat(5000), wide: `${"x".repeat(2047)}\u{1F600}${"y".repeat(100)}`, fits: "z".repeat(2048) })]);
    const { long, wide, fits } = found!.details!.attributes as Record<string, string>;
    expect(long).toBe(`${"x".repeat(2048)}…[truncated]`);
    expect(wide).toBe(`${"x".repeat(2047)}…[truncated]`);
    expect(fits).toHaveLength(2048);
  });

  test("names that mean something to JavaScript are names like others, but for the one that does harm", async () => {
    const text = lines([login(0, "a", "failure")]).replace('"usr":', '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"toString":"me","hasOwnProperty":3,"usr":');
    const engine = await createEngine({ rules: [each], signalDetails: true });
    await engine.push(encoder.encode(text), { format: "log", arrivalMs: startMs });
    await engine.close();
    const { details } = JSON.parse(storedForm(engine.finalSignals()[0]!).text) as SignalDocument;
    expect(JSON.stringify(details!.attributes)).toContain('"constructor":{"prototype":{"polluted":2}},"toString":"me","hasOwnProperty":3');
    expect(JSON.stringify(details!.attributes)).not.toContain("__proto__");
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test("however much is thrown at it, a signal keeps its size", async () => {
    const random = new Random(3);
    const flood = many(1200, (i) => ({
      ...Object.fromEntries(Array.from({ length: 60 }, (_, k) => [`k${i}-${k}`, `v${i}`.repeat(1 + random.skewed(200))])),
      deep: JSON.parse(`${"[".repeat(60)}1${"]".repeat(60)}`) as unknown, ...Object.fromEntries(Array.from({ length: 20 }, (_, k) => [`big${k}`, `${i} ${"x".repeat(2000)}`])),
    }));
    const [found] = await documents([each], flood);
    const details = JSON.stringify(found!.details);
    expect(details.length).toBeLessThan(256 * 1024);
    expect(found!.details!.left_out).toBeGreaterThan(1000);
    expect(found!.details!.attributes).toMatchObject({ usr: { id: "a" } });
    // Beyond a thousand events it only counts.
    expect(found!.details!.queries[0]).toMatchObject({ events: 1200, value: 1200 });
  }, 60_000);

  test("an event of a megabyte is a sample without its attributes", async () => {
    const [found] = await documents([each], [login(0, "a", "failure", { blob: "b".repeat(900_000) })]);
    const text = JSON.stringify(found!.samples);
    expect(text.length).toBeLessThan(20_000);
    expect(found!.samples[0]).toMatchObject({ content: { host: "bastion-1", custom: {}, truncated: true } });
  });
});

describe("what queries come to over a signal's events", () => {
  const rule = (aggregation: string, more: Record<string, unknown>): Record<string, unknown> => ({ ...each, queries: [{ ...each.queries[0]!, aggregation, ...more }] });
  const events = [5, 40, 7, 40].map((bytes, i) => login(i, "a", "failure", { bytes, ip: `192.0.2.${bytes}` }));

  test.each([
    ["count", {}, { events: 4, value: 4, distinct_values: [] }],
    ["sum", { metrics: ["@bytes"] }, { events: 4, value: 92, metrics: ["@bytes"] }],
    ["max", { metrics: ["@bytes"] }, { events: 4, value: 40 }],
    ["cardinality", { distinctFields: ["@ip"] }, { events: 4, value: 3, distinct_fields: ["@ip"], distinct_values: ["192.0.2.5", "192.0.2.40", "192.0.2.7"] }],
  ])("%s", async (aggregation, more, expected) => {
    const [found] = await documents([rule(aggregation, more)], events);
    expect(found!.details!.queries).toMatchObject([expected]);
  });

  test("a number that is not known exactly is not told", async () => {
    const [found] = await documents([rule("cardinality", { distinctFields: ["@ip"] })], Array.from({ length: 40 }, (_, i) => login(i, "a", "failure", { ip: `192.0.2.${i}` })));
    expect(found!.details!.queries[0]).not.toHaveProperty("value");
  });
});

describe("severity", () => {
  const one = (env: readonly string[], status: string): Promise<SignalDocument[]> => documents(
    [{ ...each, options: { ...each.options, decreaseCriticalityBasedOnEnv: true }, cases: [{ name: "", status, condition: "failed > 0" }] }],
    [{ ...login(0, "a", "failure"), tags: env.map((name) => `env:${name}`) }],
  );

  test.each([["critical", "high"], ["high", "medium"], ["medium", "info"], ["low", "info"], ["info", "info"]])("[SV-01] [SV-02] %s is %s outside production, and the signal says so", async (status, lowered) => {
    const [found] = await one(["staging"], status);
    expect(found).toMatchObject({ severity: lowered, details: { env_decremented: status !== lowered, case: { severity: status } } });
  });

  test.each([
    [["staging"], true], [["development"], true], [["test-eu"], true], [["dev", "staging-2"], true], [["prod"], false], [["prod-test"], false], [["dev", "prod"], false], [[], false],
  ])("[SV-03] of environments %j: lowered is %s", async (env, isLowered) => {
    const [found] = await one(env, "critical");
    expect(found!.details!.env_decremented).toBe(isLowered);
  });

  test("[SV-04] five severities, each as its case says", async () => {
    const severities = ["info", "low", "medium", "high", "critical"];
    const found = await documents(severities.map((status) => ({ ...each, id: status, cases: [{ name: "", status, condition: "failed > 0" }] })), [login(0, "a", "failure")]);
    expect(found.map(({ severity }) => severity)).toEqual(severities);
  });

  test("a critical asset lowers it too, but not for the environment's sake", async () => {
    const [found] = await documents([{ ...each, options: { ...each.options, decreaseCriticalityBasedOnEnv: true } }], [login(0, "a", "failure")], {
      criticalAssets: readCriticalAssets([{ enabled: true, rule_query: "*", query: "host:bastion-1", severity: "low" }]),
    });
    expect(found).toMatchObject({ severity: "low", details: { env_decremented: false } });
  });
});

describe("the same bytes", () => {
  const stream = methodLines(11, 6000);
  const textsOf = (engine: Engine): string[] => engine.finalSignals().map((signal) => storedForm(signal).text);
  const push = (engine: Engine, from: number, to: number): Promise<void> => engine.push(encoder.encode(`${stream.slice(from, to).join("\n")}\n`), { format: "intake", arrivalMs: 0 });
  let whole: string[];
  beforeAll(async () => {
    const engine = await createEngine({ rules: [...methodRules], signalDetails: true });
    await push(engine, 0, stream.length);
    await engine.close();
    whole = textsOf(engine);
  }, 60_000);

  test("every method is among them, and tells its own", () => {
    const all = whole.map((text) => JSON.parse(text) as SignalDocument);
    expect(all.length).toBeGreaterThan(30);
    const facts = new Set(all.flatMap(({ details }) => Object.keys(details!.method ?? {})));
    expect([...facts].toSorted()).toEqual(["anomaly", "content_anomaly", "impossible_travel", "new_value"]);
    for (const { details } of all) {
      const { method } = details!;
      if (method?.anomaly) expect(method.anomaly).toMatchObject({ observed: expect.any(Number) as number, upper: expect.any(Number) as number, expected: expect.any(Number) as number, bucket_start: expect.any(Number) as number });
      if (method?.new_value) expect(method.new_value).toEqual({ fields: ["@network.client.geoip.country.iso_code", "service"], values: expect.arrayContaining([[expect.any(String), expect.any(String)]]) as unknown[] });
      if (method?.content_anomaly) expect(method.content_anomaly).toMatchObject({ values: expect.arrayContaining([expect.objectContaining({ field: expect.any(String) as string, value: expect.any(String) as string })]) as unknown[] });
      if (method?.impossible_travel) expect(method.impossible_travel).toHaveProperty("triggering_locations.distance_km");
    }
  });

  test.each([[2, 1], [0, 2], [3, 3]])("with %i workers, cut by seed %i, and looked at now and then", async (workers, seed) => {
    const random = new Random(seed);
    const engine = await createEngine({ rules: [...methodRules], workers, signalDetails: true });
    for (let from = 0; from < stream.length;) {
      const to = from + 1 + random.skewed(1500);
      await push(engine, from, to);
      // A store looks while signals grow: that changes nothing.
      if (random.skewed(3) === 0) {
        await engine.flush();
        textsOf(engine);
      }
      from = to;
    }
    await engine.close();
    expect(textsOf(engine).filter((text, i) => text !== whole[i])).toEqual([]);
  }, 60_000);

  test("a state saved without details is gone on with: what is told begins there", async () => {
    const encode = (events: readonly unknown[]): Uint8Array => encoder.encode(lines(events));
    const plain = await createEngine({ rules: [bruteForce] });
    await plain.push(encode(burst.slice(0, 11)), { format: "log", arrivalMs: startMs });
    const state = await plain.checkpoint();
    await plain.close({ goesOn: true });
    const engine = await createEngine({ rules: [bruteForce], state, signalDetails: true });
    await engine.push(encode([login(55, "admin", "failure")]), { format: "log", arrivalMs: startMs });
    await engine.close();
    const [document] = engine.finalSignals().map((signal) => JSON.parse(storedForm(signal).text) as SignalDocument);
    expect(document).toMatchObject({ case: "burst", events_matched: 12, details: { case: { index: 1, condition: "failed > 10" }, triggered_at: startMs + 50_000, attributes: { usr: { id: "admin" } } } });
  });

  test("gone on with from a checkpoint, wherever it was stopped", async () => {
    const random = new Random(5);
    let engine = await createEngine({ rules: [...methodRules], signalDetails: true });
    for (let from = 0; from < stream.length;) {
      const to = from + 1 + random.skewed(2500);
      await push(engine, from, to);
      from = to;
      const state = await engine.checkpoint();
      await engine.close({ goesOn: true });
      engine = await createEngine({ rules: [...methodRules], state, signalDetails: true });
    }
    await engine.close();
    expect(textsOf(engine).filter((text, i) => text !== whole[i])).toEqual([]);
  }, 60_000);
});
