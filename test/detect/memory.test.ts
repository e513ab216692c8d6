import { beforeAll, describe, expect, test } from "vitest";
import type { Detector } from "../../host/detect/detector.ts";
import type { Rule } from "../../host/rule/rule.ts";
import { Generator } from "../match/generate.ts";
import { loadKernel, variants } from "../support/wasm.ts";
import { type TestEvent, columnsOf, createDetector, kernelHits, thresholdRule, twinHits } from "./support.ts";

beforeAll(() => variants.forEach((variant) => loadKernel(variant)));

const START = 1_700_000_000_000;
const MB = 1024 * 1024;
const event = (timeMs: number, user: string): TestEvent => ({ timeMs, records: [{ ruleIndex: 0, queryIndex: 0, key: [user], values: [] }] });

/** Feeds events in batches; how many hits they gave. */
function feed(detector: Detector, rules: readonly Rule[], events: readonly TestEvent[]): number {
  let hits = 0;
  for (let at = 0; at < events.length; at += 20_000) detector.apply(columnsOf(rules, events.slice(at, at + 20_000)), at, 0, "", () => hits++);
  return hits;
}

describe("memory of the windows", () => {
  test("600,000 users' state takes at most 150 bytes each", async () => {
    const rules = [thresholdRule([{ name: "failed" }], ["failed > 10"], 300)];
    const detector = await createDetector(rules, "simd", { stateBytes: 512 * MB });
    const users = 600_000;
    // Most users are seen once, some a few times, all within one window.
    const random = new Generator(1);
    for (let part = 0; part < 40; part++) {
      const events: TestEvent[] = [];
      for (let user = part; user < users; user += 40) {
        for (let times = random.chance(0.2) ? 1 + random.below(4) : 1; times > 0; times--) events.push(event(START + Math.floor(user / 3), `user${String(user).padStart(7, "0")}`));
      }
      feed(detector, rules, events.toSorted((a, b) => a.timeMs - b.timeMs));
    }
    const { groups, stateBytes, evicted, refused } = detector.counts;
    expect({ groups, evicted, refused }).toEqual({ groups: users, evicted: 0, refused: 0 });
    expect(stateBytes / groups).toBeLessThanOrEqual(150);
  }, 120_000);

  test("groups whose time is over give their pages back", async () => {
    const rules = [thresholdRule([{ name: "failed" }], ["failed > 10"], 300)];
    const detector = await createDetector(rules, "simd", { stateBytes: 64 * MB });
    let highest = 0;
    // 10 ms between events: a window and the lateness hold 60,000 users at a time.
    for (let i = 0; i < 15; i++) {
      feed(detector, rules, Array.from({ length: 20_000 }, (_, j) => event(START + (i * 20_000 + j) * 10, `user${i * 20_000 + j}`)));
      highest = Math.max(highest, detector.counts.groups);
    }
    expect(highest).toBeLessThan(70_000);
    feed(detector, rules, Array.from({ length: 60_000 }, (_, i) => event(START + 1e9 + i * 1000, `later${i % 50}`)));
    feed(detector, rules, Array.from({ length: 40_000 }, (_, i) => event(START + 2e9 + i * 1000, `last${i}`)));
    const { groups, expired, evicted, stateBytes } = detector.counts;
    expect(evicted).toBe(0);
    expect(groups).toBeLessThan(1000);
    expect(expired + groups).toBe(300_000 + 50 + 40_000);
    expect(stateBytes).toBeLessThan(2 * MB);
  }, 60_000);

  test("under a small budget a group near its threshold outlives any number of newcomers", async () => {
    const rules = [thresholdRule([{ name: "failed" }], ["failed > 10"], 300)];
    const detector = await createDetector(rules, "simd", { stateBytes: 2 * MB });
    const attackers = Array.from({ length: 100 }, (_, i) => `attacker${i}`);
    // Each has 10 of the 11 events, then 300,000 others come within the same window.
    feed(detector, rules, Array.from({ length: 1000 }, (_, i) => event(START + i, attackers[i % 100]!)));
    for (let i = 0; i < 15; i++) feed(detector, rules, Array.from({ length: 20_000 }, (_, j) => event(START + 1000 + i * 10_000 + Math.floor(j / 2), `bystander${i * 20_000 + j}`)));
    const { evicted, evictedNear, groups, stateBytes, refused } = detector.counts;
    expect(evicted).toBeGreaterThan(200_000);
    expect(evictedNear).toBe(0);
    expect(refused).toBe(0);
    expect(stateBytes).toBeLessThanOrEqual(2 * MB);
    expect(groups + evicted).toBe(300_100);
    expect(feed(detector, rules, attackers.map((user) => event(START + 200_000, user)))).toBe(100);
  }, 60_000);

  test.each([1, 2, 3, 5, 8, 12])("in %i MB newcomers are taken in whatever the table's size: others give way", async (size) => {
    const rules = [thresholdRule([{ name: "failed" }], ["failed > 10"], 3600)];
    const detector = await createDetector(rules, "simd", { stateBytes: size * MB });
    for (let i = 0; i < 15; i++) feed(detector, rules, Array.from({ length: 20_000 }, (_, j) => event(START + i * 20_000 + j, `user${i * 20_000 + j}`)));
    const { evicted, groups, stateBytes, refused } = detector.counts;
    expect(refused).toBe(0);
    expect(groups + evicted).toBe(300_000);
    expect(stateBytes).toBeLessThanOrEqual(size * MB);
    expect(feed(detector, rules, Array.from({ length: 11 }, (_, i) => event(START + 400_000 + i, "attacker")))).toBe(1);
  }, 60_000);

  test("where all are near their threshold some give way, and are counted", async () => {
    const rules = [thresholdRule([{ name: "failed" }], ["failed > 10"], 300)];
    const detector = await createDetector(rules, "simd", { groupCap: 1000 });
    feed(detector, rules, Array.from({ length: 20_000 }, (_, i) => event(START + i, `user${Math.floor(i / 8)}`)));
    const { groups, evicted, evictedNear } = detector.counts;
    expect(groups).toBe(1000);
    expect(evicted).toBe(1500);
    expect(evictedNear).toBeGreaterThan(1000);
  });

  test.each([["count", "a > 20"], ["cardinality", "a > 20"], ["max", "a > 36"]])("%s with no memory to spare: exact for events in order, whatever they are", async (aggregation, condition) => {
    const rules = [thresholdRule([{ name: "a", aggregation }], [condition, "a > 9"], 60)];
    for (let seed = 1; seed <= 5; seed++) {
      const random = new Generator(seed);
      let timeMs = START;
      const events = Array.from({ length: 3000 }, (): TestEvent => {
        timeMs += random.chance(0.01) ? 70_000 : random.below(2500);
        return { timeMs, records: [{ ruleIndex: 0, queryIndex: 0, key: [`user${random.below(2)}`], values: [random.below(40)] }] };
      });
      const expected = twinHits(rules, events).hits;
      const detector = await createDetector(rules, "simd", { stateBytes: MB });
      const hits = kernelHits(detector, rules, events, new Set());
      const told = (list: typeof hits): unknown => list.map(({ caseIndex, key, timeMs: at }) => `${caseIndex} ${key} ${at - START}`);
      expect(told(hits)).toEqual(told(expected));
      expect(expected.length).toBeGreaterThan(100);
      expect(detector.counts).toMatchObject({ refused: 0, evicted: 0 });
    }
  }, 60_000);

  test("who gives way does not depend on how the stream was cut, nor on the kernel", async () => {
    const rules = [
      thresholdRule([{ name: "a" }, { name: "b" }], ["a > 3 && b > 0"], 60), thresholdRule([{ name: "a", aggregation: "cardinality" }], ["a > 4"], 300),
      thresholdRule([{ name: "a", aggregation: "sum" }, { name: "b", aggregation: "max" }], ["a > 40 && b > 3"], 300),
      thresholdRule([{ name: "a" }, { name: "b" }], ["a > 2 THEN b > 0"], 60), thresholdRule([{ name: "a" }, { name: "all", groupBy: [] }], ["a > 4 && all > 2"], 60),
    ];
    const random = new Generator(7);
    const events = Array.from({ length: 12_000 }, (_, i): TestEvent => {
      const user = random.chance(0.2) ? random.below(30) : random.below(20_000);
      const ruleIndex = random.below(rules.length);
      const queryIndex = random.below(rules[ruleIndex]!.queries.length);
      const isShared = rules[ruleIndex]!.queries[queryIndex]!.groupBy.length === 0;
      // The shared query seldom: each of its events walks over all groups.
      if (isShared && random.chance(0.95)) return { timeMs: START + i * 20, records: [] };
      return { timeMs: START + i * 20 - (random.chance(0.1) ? random.below(100_000) : 0), records: [{ ruleIndex, queryIndex, key: isShared ? [] : [`user${user}`], values: [random.below(9)] }] };
    });
    const runs = [];
    for (const [variant, chance] of [["simd", 0], ["simd", 0.3], ["scalar", 0.01]] as const) {
      const detector = await createDetector(rules, variant, { stateBytes: 1.5 * MB });
      runs.push({ hits: kernelHits(detector, rules, events, new Set(events.keys().filter(() => random.chance(chance)))), counts: detector.counts });
    }
    expect(runs[0]!.counts.evicted).toBeGreaterThan(100);
    expect(runs[0]!.hits.length).toBeGreaterThan(100);
    for (const run of runs) expect(run).toEqual(runs[0]);
  }, 60_000);

  test("rules of any size find room", async () => {
    const long = Array.from({ length: 380 }, (_, i) => `a > ${i + 1000} || 2 * a < ${i % 7}`).join(" || ");
    const rules = Array.from({ length: 30 }, () => thresholdRule([{ name: "a", aggregation: "max" }, { name: "b" }], [long, "a > 3", "b > 10"], 60));
    const detector = await createDetector(rules, "simd");
    expect(feed(detector, rules, [{ timeMs: START, records: [{ ruleIndex: 29, queryIndex: 0, key: ["user"], values: [2000] }] }])).toBe(1);
  });

  test("keys longer than what is kept of them are told apart", async () => {
    const rules = [thresholdRule([{ name: "a" }], ["a > 1"], 60), thresholdRule([{ name: "a" }, { name: "all", groupBy: [] }], ["a > 0 && all > 0"], 60)];
    const detector = await createDetector(rules, "simd", { hashMask: 0 });
    const keys = ["x".repeat(600), `${"x".repeat(600)}y`, `${"x".repeat(599)}z`, "x".repeat(70_000), `${"x".repeat(70_000)}y`];
    const of = (ruleIndex: number, key: string): TestEvent => ({ timeMs: START, records: [{ ruleIndex, queryIndex: 0, key: [key], values: [] }] });
    const shared = { timeMs: START + 1000, records: [{ ruleIndex: 1, queryIndex: 1, key: [], values: [] }] };
    const events = [...keys.map((key) => of(0, key)), ...keys.map((key) => of(0, key)), ...keys.slice(0, 3).map((key) => of(1, key)), shared];
    const told = kernelHits(detector, rules, events, new Set([3, 7])).map((hit) => hit.key);
    expect(told.toSorted()).toEqual([...keys, ...keys.slice(0, 3)].map((key) => JSON.stringify([key])).toSorted());
    expect(detector.counts.groups).toBe(8);
  });

  test("sums with no memory to spare are too low by at most what a pane holds", async () => {
    const rules = [thresholdRule([{ name: "a", aggregation: "sum" }], ["a >= 4000"], 300)];
    const detector = await createDetector(rules, "simd", { stateBytes: MB });
    // 10 a second, each 1: the window holds 3000, so never; then each 2: 6000, so soon.
    const events = (from: number, count: number, value: number): TestEvent[] =>
      Array.from({ length: count }, (_, i) => ({ timeMs: START + (from + i) * 100, records: [{ ruleIndex: 0, queryIndex: 0, key: ["user"], values: [value] }] }));
    expect(feed(detector, rules, events(0, 10_000, 1))).toBe(0);
    const hits = kernelHits(detector, rules, events(10_000, 3000, 2), new Set());
    // 1000 of them make 4000; one pane of 50 may be missing.
    expect(hits[0]!.timeMs - START).toBeGreaterThanOrEqual((10_000 + 999) * 100);
    expect(hits[0]!.timeMs - START).toBeLessThanOrEqual((10_000 + 999 + 100) * 100);
    expect(detector.counts.refused).toBe(0);
  });
});
