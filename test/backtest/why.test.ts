import { beforeAll, describe, expect, test } from "vitest";
import type { LogEvent } from "../../host/event/event.ts";
import { matches } from "../../host/query/matches.ts";
import { parseQuery } from "../../host/query/parse.ts";
import { type QueryTrace, traceQuery } from "../../host/query/trace.ts";
import { readSecurityFilters, readSuppressions } from "../../host/rule/guards.ts";
import { readRule } from "../../host/rule/wire.ts";
import { Why, type WhyAnswer, type WhySetup } from "../../host/why.ts";
import { bruteForce, lines, login, startMs } from "../cli/support.ts";
import { loadKernel } from "../support/wasm.ts";

beforeAll(() => loadKernel("simd"), 240_000);

const encoder = new TextEncoder();
const input = { format: "log" as const, arrivalMs: startMs };

/** What `why` says of the last of these events, after the others. */
async function ask(wire: Record<string, unknown>, events: ReadonlyArray<Record<string, unknown>>, more: Partial<WhySetup> = {}): Promise<WhyAnswer> {
  const setup = { rule: readRule(wire), pipelines: [], suppressions: [], criticalAssets: [], referenceTables: {}, allowedLatenessMs: 300_000, ...more };
  const why = await Why.create(setup, { bytes: encoder.encode(JSON.stringify(events.at(-1))), input });
  await why.context(encoder.encode(lines(events)), input, "file");
  return await why.answer();
}

const failures = (count: number, user = "admin") => Array.from({ length: count }, (_, i) => login(i * 5, user, "failure"));

describe("why", () => {
  test("a window a little short says how much, and when its oldest event leaves", async () => {
    const { outcome, groups, contextEvents } = await ask(bruteForce, failures(8));
    expect([outcome, contextEvents]).toEqual([{ kind: "none" }, 7]);
    expect(groups).toMatchObject([{
      group: { "@usr.id": "admin" },
      windows: [{ label: "failed", value: 8, events: 8, firstMs: startMs, lastMs: startMs + 35_000, leavesMs: startMs + 300_000 }, { label: "passed", value: 0, events: 0 }],
      cases: [{ name: "got in", holds: false, needs: ["3 more of failed", "1 more of passed"] }, { name: "burst", holds: false, needs: ["3 more of failed"] }],
    }]);
  });

  test("an open signal is told, and that the event extends it", async () => {
    const { outcome, groups } = await ask(bruteForce, [...failures(12), login(100, "admin", "success")]);
    expect(outcome).toMatchObject({ kind: "extended", signals: [{ caseName: "got in", severity: "critical" }] });
    expect(groups[0]!.open).toMatchObject({ caseName: "burst", severity: "medium", firstSeenMs: startMs + 50_000, eventsMatched: 12 });
    expect(groups[0]!.cases.map(({ holds, isPassedOver }) => [holds, isPassedOver])).toEqual([[true, false], [true, true]]);
  });

  test("which suppression ate it, which exclusion kept it out, which filter let nothing pass", async () => {
    const suppressions = readSuppressions([{ name: "other", enabled: true, rule_query: "*", suppression_query: "@usr.id:bob" }, { name: "test accounts", enabled: true, rule_query: "*", suppression_query: "@usr.id:admin" }]);
    expect((await ask(bruteForce, failures(11), { suppressions })).outcome).toEqual({ kind: "suppressed", by: ["test accounts"] });
    const excluded = await ask(bruteForce, failures(11), { suppressions: readSuppressions([{ name: "scanner", enabled: true, rule_query: "*", data_exclusion_query: "host:bastion-1" }]) });
    expect([excluded.outcome, excluded.groups, excluded.guards]).toMatchObject([{ kind: "none" }, [], [{ kind: "data exclusion", name: "scanner", passes: false }]]);
    const filtered = await ask(bruteForce, failures(11), { securityFilters: readSecurityFilters([{ name: "prod", is_enabled: true, query: "env:prod", exclusion_filters: [{ name: "b", query: "host:bastion-1" }] }]) });
    expect(filtered.guards).toMatchObject([{ kind: "security filter", name: "prod", passes: false }]);
    const required = await ask({ ...bruteForce, filters: [{ action: "require", query: "env:dev" }, { action: "suppress", query: "host:other" }] }, failures(11));
    expect(required.guards.map(({ name, passes }) => [name, passes])).toEqual([["require", false], ["suppress", true]]);
  });

  test("an event far behind its file is late, one a little behind stands at its own time", async () => {
    const late = [...failures(10), login(900, "admin", "success"), login(50, "admin", "failure")];
    expect((await ask(bruteForce, late)).outcome).toEqual({ kind: "late", byMs: 850_000 });
    const near = [...failures(10), login(300, "admin", "success"), login(50, "admin", "failure")];
    expect((await ask(bruteForce, near)).outcome).toMatchObject({ kind: "opened", signals: [{ caseName: "burst" }] });
  });

  test("THEN tells both sides", async () => {
    const rule = { ...bruteForce, cases: [{ name: "then", status: "high", condition: "failed > 2 THEN passed > 0" }] };
    const reversed = await ask(rule, [login(0, "admin", "success"), ...failures(3).map((_, i) => login(5 + i, "admin", "failure"))]);
    expect(reversed.groups[0]!.cases[0]).toMatchObject({ holds: false, needs: ["the part before THEN is true only now: what follows must come later", "after it 1 more of passed"] });
    const inOrder = await ask(rule, [...failures(3), login(60, "admin", "success")]);
    expect([inOrder.outcome.kind, inOrder.groups[0]!.cases[0]!.holds]).toEqual(["opened", true]);
  });

  test("what was worked out beside the engine agrees with it, event by event", async () => {
    const rule = {
      ...bruteForce, options: { ...bruteForce.options, evaluationWindow: 60, keepAlive: 60 },
      queries: [bruteForce.queries[0], { ...bruteForce.queries[1], groupByFields: [] }, { name: "hosts", query: "source:auth", aggregation: "cardinality", distinctFields: ["host"], groupByFields: ["@usr.id"] }, { name: "bytes", query: "@bytes:*", aggregation: "sum", metrics: ["@bytes"], groupByFields: ["@usr.id"] }],
      cases: [{ name: "a", status: "high", condition: "failed > 3 && passed > 1" }, { name: "b", status: "medium", condition: "hosts >= 3 || bytes > 60" }, { name: "c", status: "low", condition: "failed > 2 * passed && failed > 2" }],
    };
    let state = 7;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % below;
    };
    let second = 0;
    const outcomes = Array.from({ length: 70 }, () => (next(4) ? "failure" : "success"));
    const events = outcomes.map((outcome) => ({ ...login((second += next(14)), `user-${next(3)}`, outcome, next(3) ? {} : { bytes: next(40) }), host: `host-${next(4)}` }));
    const tally = { told: 0, quiet: 0 };
    for (let i = 10; i < events.length; i += 2) {
      const { outcome, groups } = await ask(rule, events.slice(0, i + 1));
      const told = groups.find((group) => group.cases.some((each) => each.holds));
      if (told) {
        tally.told++;
        expect([i, outcome.kind]).toEqual([i, expect.stringMatching(/^(?:opened|extended)$/)]);
        if (outcome.kind === "opened") expect(outcome.signals.map((signal) => signal.caseName)).toContain(told.cases.find((each) => each.holds)!.name);
      } else {
        tally.quiet++;
        // A success is everybody's: groups it did not belong to may have been told by it.
        if (outcomes[i] === "failure") expect([i, outcome]).toEqual([i, { kind: "none" }]);
      }
    }
    expect(Math.min(tally.told, tally.quiet)).toBeGreaterThan(4);
  });
});

describe("why, by method", () => {
  const rule = (query: Record<string, unknown>, options: Record<string, unknown>) => ({ id: "r", name: "r", message: "", isEnabled: true, queries: [{ query: "source:auth", groupByFields: ["@usr.id"], ...query }], cases: [{ name: "", status: "low" }], options: { keepAlive: 0, ...options } });
  const on = (day: number, more: Record<string, unknown>) => login(day * 86_400, "admin", "success", more);
  const speaks = ({ groups }: WhyAnswer) => groups[0]!.state.map((line) => line.speaks);

  test("new value: known, new, learned", async () => {
    const wire = rule({ aggregation: "new_value", metrics: ["@country"] }, { detectionMethod: "new_value", newValueOptions: { learningDuration: 1, forgetAfter: 7 } });
    const known = await ask(wire, [on(0, { country: "DE" }), on(2, { country: "DE" })]);
    expect([known.outcome.kind, speaks(known)]).toEqual(["none", ["against", "for", undefined]]);
    const fresh = await ask(wire, [on(0, { country: "DE" }), on(2, { country: "FR" })]);
    expect([fresh.outcome.kind, speaks(fresh)]).toEqual(["opened", ["for", "for", undefined]]);
    const learned = await ask(wire, [on(0, { country: "DE" }), on(0.5, { country: "FR" })]);
    expect([learned.outcome.kind, speaks(learned)]).toEqual(["none", ["for", "against", undefined]]);
    const forgotten = await ask(wire, [on(0, { country: "DE" }), on(8, { country: "DE" })]);
    expect([forgotten.outcome.kind, speaks(forgotten)]).toEqual(["opened", ["for", "for", undefined]]);
  });

  test("impossible travel: how far, how fast", async () => {
    const at = (second: number, city: string, latitude: number, longitude: number) => login(second, "admin", "success", { network: { client: { geoip: { city: { name: city }, country: { iso_code: "XX" }, location: { latitude, longitude } } } } });
    const wire = rule({ aggregation: "geo_data", metrics: ["@network.client.geoip"] }, { detectionMethod: "impossible_travel", impossibleTravelOptions: { baselineUserLocations: false } });
    const far = await ask(wire, [at(0, "Paris", 48.86, 2.35), at(3600, "Tokyo", 35.68, 139.69)]);
    expect([far.outcome.kind, speaks(far)]).toEqual(["opened", ["for"]]);
    expect(far.groups[0]!.state[0]!.text).toMatch(/^Paris, XX \(.*\) to Tokyo, XX: 97\d\d km in 1\.00 h, 97\d\d km\/h; told beyond 500 km and 1000 km\/h$/);
    const near = await ask(wire, [at(0, "Paris", 48.86, 2.35), at(3600, "Lyon", 45.76, 4.84)]);
    expect([near.outcome.kind, speaks(near)]).toEqual(["none", ["against"]]);
  });

  test("volume anomaly: the bucket against its bound", async () => {
    const wire = rule({ aggregation: "count" }, { detectionMethod: "anomaly_detection", evaluationWindow: 300, keepAlive: 300, anomalyDetectionOptions: { bucketDuration: 300, detectionTolerance: 3, learningDuration: 1 } });
    const calm = Array.from({ length: 24 }, (_, i) => login(i * 300, "admin", "failure"));
    const burst = Array.from({ length: 40 }, (_, i) => login(24 * 300 + i, "admin", "failure"));
    const told = await ask(wire, [...calm, ...burst]);
    expect([told.outcome.kind, speaks(told)]).toEqual([expect.stringMatching(/^(?:opened|extended)$/), [undefined, undefined, "for"]]);
    expect(told.groups[0]!.state[2]!.text).toMatch(/^1 at the 0\.995 quantile/);
    const quiet = await ask(wire, [...calm, burst[0]!]);
    expect([quiet.outcome.kind, speaks(quiet)]).toEqual(["none", [undefined, undefined, "against"]]);
  });
});

const event: LogEvent = { message: "Failed password for root", host: "web-1", source: "auth", tags: ["env:prod", "team.id:7"], attributes: { Usr: { id: "x" }, usr: { name: "Root" }, http: { status_code: 404 }, list: ["a", "b"] } };

describe("traces of queries", () => {
  const trace = (text: string): QueryTrace => {
    const parsed = parseQuery(text);
    if (!parsed.ok) throw new Error(text);
    const traced = traceQuery(parsed.node, event);
    expect(traced.holds).toBe(matches(parsed.node, event));
    return traced;
  };

  test.each([
    ["source:Auth", ["auth"], "differs in upper and lower case only"],
    ["@usr.name:root", ["Root"], "differs in upper and lower case only"],
    ["@usr.id:x", [], "there is an attribute @Usr.id"],
    ["@team.id:7", [], "there is a tag of this key: write team.id"],
    ["http.status_code:404", [], "there is an attribute of this name: write @http.status_code"],
    ["@http.status_code:>=500", [404], undefined],
    ["@list:c", ["a", "b"], undefined],
    ["@nowhere:*", [], undefined],
    ["success", ["Failed password for root"], undefined],
  ])("%s", (text, values, near) => {
    const { holds, values: seen, near: told } = trace(text);
    expect([holds, seen, told]).toEqual([false, values, near]);
  });

  test("each part of a joined query is told apart", () => {
    const traced = trace("source:auth (host:a OR host:b OR -env:prod) password");
    expect(traced.parts.map((part) => part.holds)).toEqual([true, false, true]);
    expect(traced.parts[1]!.parts.map(({ text, holds }) => [text, holds])).toEqual([["host:a", false], ["host:b", false], ["-env:prod", false]]);
  });
});
