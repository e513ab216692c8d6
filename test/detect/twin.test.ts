import { beforeAll, describe, expect, test } from "vitest";
import type { Rule } from "../../host/rule/rule.ts";
import { Generator } from "../match/generate.ts";
import { loadKernel, variants } from "../support/wasm.ts";
import { all, shapes } from "./shapes.ts";
import { type TestEvent, type TestRecord, byGroup, createDetector, kernelHits, thresholdRule, twinHits } from "./support.ts";

beforeAll(() => variants.forEach((variant) => loadKernel(variant)));

const START = 1_700_000_000_000;
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
