import { beforeAll, describe, expect, test } from "vitest";
import type { Rule } from "../../host/rule/rule.ts";
import { Generator } from "../match/generate.ts";
import { loadKernel, variants } from "../support/wasm.ts";
import { type TestEvent, type TestQuery, type TestRecord, byGroup, createDetector, kernelHits, thresholdRule, twinHits } from "./support.ts";

beforeAll(() => variants.forEach((variant) => loadKernel(variant)));

const START = 1_700_000_000_000;
const a: TestQuery = { name: "a" };
const b: TestQuery = { name: "b" };
const c: TestQuery = { name: "c" };
const all: TestQuery = { name: "all", groupBy: [] };
const of = (aggregation: string, query: TestQuery = a): TestQuery => ({ ...query, aggregation });

/** Queries, conditions of the cases, and a window in seconds. */
const shapes: ReadonlyArray<readonly [string, readonly TestQuery[], ReadonlyArray<string | undefined>, number]> = [
  ["count", [a], ["a > 3"], 60],
  ["count, cases", [a], ["a >= 5", "2 * a > 5", "a > 1"], 60],
  ["count below", [a], ["a < 3"], 60],
  ["count at most", [a, b], ["a <= 2 && b > 1", "b <= 1"], 300],
  ["no condition", [a, b], ["b > 4", undefined], 60],
  ["no factor", [a], ["0 * a >= 1", "0 * a < 1 && a > 2"], 60],
  ["two groups of fields", [{ name: "a", groupBy: ["@u", "@v"] }, { name: "b", groupBy: ["@w", "@x"] }], ["a > 1 && b > 1"], 60],
  ["join", [a, b, c], ["a > 2 && b > 0", "c > 3 || b > 4"], 60],
  ["join of terms", [a, b], ["a > 2 * b"], 60],
  ["terms both ways", [a, b], ["a >= b && a > 2", "3 * b < 2 * a"], 300],
  ["cardinality", [of("cardinality")], ["a > 2"], 60],
  ["cardinality, long window", [of("cardinality")], ["a >= 5", "a > 1"], 900],
  ["cardinality joined", [of("cardinality"), b], ["a > 2 && b > 1"], 300],
  ["cardinality below", [of("cardinality"), b], ["a < 2 && b > 2"], 300],
  ["cardinality of terms", [of("cardinality"), of("cardinality", b)], ["a > b", "a > 3"], 300],
  ["sum", [of("sum")], ["a >= 9", "a > 5"], 60],
  ["sum below", [of("sum"), b], ["a < 4 && b > 1"], 300],
  ["sum of terms", [of("sum"), b], ["a > 2 * b"], 60],
  ["max", [of("max")], ["a > 4", "2 * a >= 6"], 60],
  ["max below", [of("max")], ["a < 3", "a <= 4"], 60],
  ["max of zero", [of("max")], ["a > 4", "a >= 0"], 60],
  ["max of terms", [of("max"), of("sum", b)], ["b > a"], 300],
  ["all kinds", [of("cardinality"), of("sum", b), of("max", c)], ["a > 2 && b > 5", "c > 4 && a > 1"], 300],
  ["then", [a, b], ["a > 1 THEN b > 0"], 60],
  ["then, both sides", [a, b], ["a > 1 && b > 0 THEN a > 0 || b > 1"], 300],
  ["then, cardinality", [of("cardinality"), of("max", b)], ["a > 1 THEN b > 3 && a > 1"], 300],
  ["then, below", [a, of("sum", b)], ["a > 0 THEN b < 4"], 60],
  ["ungrouped", [all], ["all > 5"], 60],
  ["shared", [a, all], ["a > 1 && all > 3"], 60],
  ["shared, long window", [a, all], ["all > 6", "a > 2"], 300],
  ["shared below", [a, all], ["all < 3 && a > 1"], 60],
  ["shared terms", [a, all], ["a > all", "3 * a > all"], 60],
  ["shared cardinality", [of("count"), of("cardinality", all)], ["a > 0 && all > 2"], 60],
  ["shared sum", [a, of("sum", all), b], ["all > 10 && b > 0", "a > 3"], 60],
  ["shared then", [a, all], ["a > 1 THEN all > 2"], 60],
  ["then shared", [a, all], ["all > 3 THEN a > 1"], 300],
  ["alone", [a], ["a > 0"], 0],
  ["alone, joined", [a, b], ["a > 0 && b > 0", "a > 0"], 0],
  ["alone, values", [of("cardinality"), of("max", b)], ["a > 1", "b > 2"], 0],
  ["alone, shared", [of("sum"), all], ["a > 2 && all > 0", "a >= 0"], 0],
  ["alone, then", [a, b], ["a > 0 THEN b > 0"], 0],
];

const GROUPS = 4;

function recordsOf(rule: Rule, ruleIndex: number, random: Generator): TestRecord[] {
  return rule.queries.flatMap((query, queryIndex): TestRecord[] => {
    if (!random.chance(query.groupBy.length ? 0.5 : 0.3)) return [];
    // Now and then an array names several groups, or several values.
    const groups = query.groupBy.length ? new Set(Array.from({ length: random.chance(0.1) ? 3 : 1 }, () => random.below(GROUPS))) : [0];
    const values = random.chance(0.1) ? [] : Array.from({ length: random.chance(0.1) ? 3 : 1 }, () => random.below(6));
    return [...groups].map((group) => ({ ruleIndex, queryIndex, key: query.groupBy.map((_, i) => (group === 0 ? "N/A" : `user ${group} ${i}`)), values }));
  });
}

interface Course {
  /** Events of this share come late, by up to so much. */
  readonly late: number;
  readonly byMs: number;
  readonly stepMs: number;
  readonly events: number;
}
const courses: Readonly<Record<string, Course>> = {
  "in order": { late: 0, byMs: 0, stepMs: 20_000, events: 250 },
  "late now and then": { late: 0.1, byMs: 100_000, stepMs: 15_000, events: 250 },
  "late by up to the lateness and beyond": { late: 0.3, byMs: 330_000, stepMs: 8000, events: 250 },
  "dense": { late: 0.2, byMs: 60_000, stepMs: 1500, events: 300 },
};

function stream(rules: readonly Rule[], course: Course, random: Generator): TestEvent[] {
  let nowMs = START;
  return Array.from({ length: course.events }, () => {
    // Whole seconds, so that many times are equal.
    nowMs += Math.floor((random.below(course.stepMs) + random.below(2) * 500) / 1000) * 1000;
    if (random.chance(0.004)) nowMs += 2_000_000;
    const lateMs = random.chance(course.late) ? random.below(course.byMs) : 0;
    return { timeMs: nowMs - Math.floor(lateMs / 1000) * 1000, records: rules.flatMap((rule, i) => recordsOf(rule, i, random)) };
  });
}

function cutsOf(events: number, random: Generator): Set<number> {
  const chance = random.pick([0, 0.05, 0.5, 1]);
  return new Set(Array.from({ length: events }, (_, i) => i).filter(() => random.chance(chance)));
}

async function compare(rules: readonly Rule[], course: Course, seed: number, hashMask: number): Promise<number> {
  const random = new Generator(seed);
  const events = stream(rules, course, random);
  const cuts = cutsOf(events.length, random);
  const expected = twinHits(rules, events);
  for (const variant of variants) {
    const detector = await createDetector(rules, variant, { hashMask });
    const hits = kernelHits(detector, rules, events, cuts);
    expect(byGroup(hits), `seed ${seed} ${variant}`).toEqual(byGroup(expected.hits));
    expect(detector.counts).toMatchObject({ lateDropped: expected.lateDropped, evicted: 0, refused: 0 });
  }
  return expected.hits.length;
}

describe("the kernels' hits are the twin's", () => {
  test.each(shapes)("%s", async (_name, queries, conditions, windowSeconds) => {
    const rules = [thresholdRule(queries, conditions, windowSeconds)];
    let hits = 0;
    for (const course of Object.values(courses)) {
      for (let seed = 1; seed <= 6; seed++) hits += await compare(rules, course, seed, 0xffffffff);
    }
    // A rule that never hits would show nothing.
    if (!(windowSeconds === 0 && conditions[0]?.includes("THEN"))) expect(hits).toBeGreaterThan(20);
  });

  test("many rules at once, every key colliding with every other", async () => {
    const rules = shapes.map(([, queries, conditions, windowSeconds]) => thresholdRule(queries, conditions, windowSeconds));
    for (const [i, course] of Object.values(courses).entries()) await compare(rules, { ...course, events: 120 }, 100 + i, i % 2 ? 0 : 3);
  }, 60_000);

  test("streams hours apart, each with a watermark of its own", async () => {
    const rules = shapes.filter(([, queries]) => !queries.includes(all)).slice(0, 16).map(([, queries, conditions, windowSeconds]) => thresholdRule(queries, conditions, windowSeconds));
    for (let seed = 1; seed <= 4; seed++) {
      const random = new Generator(seed);
      const behind = stream(rules, { ...courses.dense!, events: 200 }, random).map((event) => ({ ...event, stream: "behind" }));
      const ahead = stream(rules, { ...courses.dense!, events: 200 }, random).map((event) => ({ ...event, timeMs: event.timeMs + 7_200_000, stream: "ahead" }));
      const events: TestEvent[] = [];
      while (behind.length || ahead.length) events.push(...(random.chance(0.5) ? behind : ahead).splice(0, 1 + random.below(30)));
      const expected = twinHits(rules, events);
      const detector = await createDetector(rules, "simd");
      const hits = kernelHits(detector, rules, events, cutsOf(events.length, random));
      expect(byGroup(hits), `seed ${seed}`).toEqual(byGroup(expected.hits));
      expect(detector.counts.lateDropped).toBe(expected.lateDropped);
    }
  }, 60_000);
});
