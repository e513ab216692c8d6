import { describe, expect, test } from "vitest";
import { AnomalyDetector } from "../../../host/detect/method/anomaly.ts";
import { DistinctCount } from "../../../host/detect/method/anomaly-distinct.ts";
import type { MethodEvent, MethodMatch } from "../../../host/detect/method/method.ts";
import type { Rule } from "../../../host/rule/rule.ts";
import { Generator } from "../../match/generate.ts";
import { AnomalyTwin } from "../../reference/anomaly.ts";
import { LATENESS_MS, disordered, numbered, playDetector, ruleOf, seen, sorted } from "./streams.ts";

const START = Date.UTC(2024, 0, 1);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Shape {
  readonly aggregation?: "count" | "cardinality" | "sum";
  readonly bucket: number;
  readonly window?: number;
  readonly learning: number;
  readonly baseline?: number;
  readonly tolerance?: number;
  readonly conditions?: readonly string[];
}

function anomalyRule({ aggregation = "count", bucket, window = 0, learning, baseline, tolerance = 1, conditions = ["a > 0.995"] }: Shape): Rule {
  return ruleOf({
    options: {
      detectionMethod: "anomaly_detection", evaluationWindow: window, keepAlive: Math.max(window, 3600), maxSignalDuration: 86400,
      anomalyDetectionOptions: { bucketDuration: bucket, learningDuration: learning, detectionTolerance: tolerance, ...(baseline === undefined ? {} : { learningPeriodBaseline: baseline }) },
    },
    queries: [{
      name: "a", query: "*", aggregation, groupByFields: ["@u"], distinctFields: aggregation === "cardinality" ? ["@v"] : [], metrics: aggregation === "sum" ? ["@v"] : [],
    }],
    cases: conditions.map((condition, i) => ({ name: `case ${i}`, status: "low", condition })),
  });
}

const bits = new DataView(new ArrayBuffer(8));

function hashOf(value: number): number {
  // A value of 3 has a hash that reads as no number.
  if (value === 3) return Number.NaN;
  bits.setBigUint64(0, BigInt.asUintN(63, BigInt(value + 1) * 0x1e3779b97f4a7c15n));
  return bits.getFloat64(0);
}

function matchesOf(rule: Rule, groups: readonly number[], values: readonly number[]): MethodMatch[] {
  const { aggregation } = rule.queries[0]!;
  return groups.flatMap((group): MethodMatch[] => {
    const match = (value: number | undefined): MethodMatch => ({
      queryIndex: 0, groupKey: `g${group}`, group: [`g${group}`], values: [value === undefined ? [] : [String(value)]],
      number: value === undefined ? Number.NaN : aggregation === "cardinality" ? hashOf(value) : value,
    });
    if (aggregation === "cardinality" && values.length > 1) return values.map(match);
    return [match(values[0])];
  });
}

/** Quiet days with an hour of noise, and bursts now and then. */
function stream(rule: Rule, random: Generator, days: number, bucketSeconds: number): Array<Pick<MethodEvent, "timeMs" | "matches">> {
  const events: Array<Pick<MethodEvent, "timeMs" | "matches">> = [];
  const stepMs = Math.max(bucketSeconds * 1000, (days * DAY_MS) / 150);
  for (let timeMs = START + random.below(DAY_MS); timeMs < START + days * DAY_MS; timeMs += stepMs * random.next() * 2) {
    const burst = random.chance(0.06) ? (bucketSeconds < 3600 ? 30 : 8) + random.below(12) : random.below(3);
    const isNoon = Math.floor((timeMs / HOUR_MS) % 24) === 12;
    for (let i = 0; i < burst + (isNoon ? 4 : 0); i++) {
      const groups = random.chance(0.1) ? [0, 1] : [random.below(3)];
      const values = random.chance(0.1) ? [] : Array.from({ length: random.chance(0.2) ? 3 : 1 }, () => random.below(40) - 5);
      events.push({ timeMs: Math.floor(timeMs + i * 10 + random.below(200_000)), matches: matchesOf(rule, groups, values) });
    }
  }
  return events.toSorted((a, b) => a.timeMs - b.timeMs);
}

const shapes: ReadonlyArray<readonly [string, Shape, number]> = [
  ["three hours", { bucket: 10800, learning: 24 }, 18],
  ["one hour", { bucket: 3600, learning: 6, tolerance: 2 }, 6],
  ["half an hour, long window", { bucket: 1800, learning: 1, window: 10800 }, 4],
  ["five minutes", { bucket: 300, learning: 1 }, 1],
  ["learning bound", { bucket: 3600, learning: 24, baseline: 3 }, 3],
  ["cases", { bucket: 10800, learning: 24, conditions: ["a > 0.95", "a > 0.5", "a >= 0.07"] }, 17],
  ["low percentile", { bucket: 3600, learning: 6, conditions: ["a > 0.3"], tolerance: 3 }, 5],
  ["cardinality", { aggregation: "cardinality", bucket: 10800, learning: 24 }, 16],
  ["cardinality, one hour", { aggregation: "cardinality", bucket: 3600, learning: 6, window: 3600 }, 5],
  ["sum", { aggregation: "sum", bucket: 10800, learning: 24, tolerance: 3 }, 16],
  ["sum, low percentile", { aggregation: "sum", bucket: 3600, learning: 6, conditions: ["a > 0.2"] }, 4],
];
const SEEDS = 28;

describe("volume anomaly beside its twin", () => {
  test.each(shapes)("%s", (_name, shape, days) => {
    const rule = anomalyRule(shape);
    let found = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = new Generator(seed * 7919 + shape.bucket);
      const ordered = stream(rule, random, days, shape.bucket);
      const late = seed % 3 === 0 ? 0 : 0.2;
      // Some come later than is allowed.
      const events = numbered(disordered(ordered, LATENESS_MS * (seed % 5 === 1 ? 2 : 1), late, () => random.next()));
      const twin = new AnomalyTwin(rule, LATENESS_MS);
      const told = new Set(events.flatMap((_, i) => (random.chance(0.05) ? [i] : [])));
      // The twin is told at the same times: how late a bucket closes decides what is too late, and nothing else.
      const expected = events.flatMap((event, i) => [...twin.apply(event), ...(told.has(i) ? twin.advance(event.highMs - LATENESS_MS) : [])]);
      expected.push(...twin.advance(Number.POSITIVE_INFINITY));
      const { hits, detector } = playDetector(() => new AnomalyDetector(rule, { allowedLatenessMs: LATENESS_MS }), events, {
        advancesAfter: (i) => told.has(i), restartsAfter: () => seed % 2 === 1 && random.chance(0.02),
      });
      const ends = expected.map((hit) => ({ ...hit, slots: hit.slots.length > 32 ? [...hit.slots.slice(0, 16), ...hit.slots.slice(-16)] : hit.slots }));
      expect(sorted(hits.map(seen)), `seed ${seed}`).toEqual(sorted(ends.map(seen)));
      expect(detector.counts().lateDropped).toBe(twin.lateDropped);
      found += hits.length;
    }
    expect(found).toBeGreaterThan(SEEDS);
  });

  test("hits do not hang on when time is told to have passed", () => {
    const rule = anomalyRule({ bucket: 3600, learning: 6 });
    for (let seed = 0; seed < 20; seed++) {
      const random = new Generator(seed);
      const events = numbered(disordered(stream(rule, random, 4, 3600), LATENESS_MS, 0.3, () => random.next()));
      const play = (share: number): unknown[] => sorted(playDetector(() => new AnomalyDetector(rule, { allowedLatenessMs: LATENESS_MS }), events, {
        advancesAfter: () => random.chance(share), restartsAfter: () => false,
      }).hits.map(seen));
      expect(play(1)).toEqual(play(0.01));
    }
  });
});

describe("volume anomaly", () => {
  const steady = (rule: Rule, days: number, perBucket: number, stepMs: number): Array<Pick<MethodEvent, "timeMs" | "matches">> =>
    Array.from({ length: (days * DAY_MS) / stepMs }, (_, i) => Array.from({ length: perBucket }, (_, n) => ({ timeMs: START + i * stepMs + n * 10, matches: matchesOf(rule, [0], [n]) }))).flat();

  test("[DE-17] two weeks of history and a spike: a match; no spike: none", () => {
    const rule = anomalyRule({ bucket: 3600, learning: 24, tolerance: 5 });
    const quiet = steady(rule, 14, 10, HOUR_MS);
    const burst = Array.from({ length: 200 }, (_, n) => ({ timeMs: START + 14 * DAY_MS + n, matches: matchesOf(rule, [0], [n]) }));
    const run = (events: typeof quiet): number => playDetector(() => new AnomalyDetector(rule, { allowedLatenessMs: LATENESS_MS }), numbered(events), { advancesAfter: () => true, restartsAfter: () => false }).hits.length;
    expect(run(quiet)).toBe(0);
    expect(run([...quiet, ...burst.slice(0, 10)])).toBe(0);
    expect(run([...quiet, ...burst])).toBeGreaterThan(100);
  });

  test("[DE-18] a group seen for the first time gives none, however many its events", () => {
    const rule = anomalyRule({ bucket: 3600, learning: 24 });
    const events = numbered([...steady(rule, 2, 3, HOUR_MS), ...Array.from({ length: 500 }, (_, n) => ({ timeMs: START + 2 * DAY_MS + n, matches: matchesOf(rule, [7], [n]) }))]);
    expect(playDetector(() => new AnomalyDetector(rule, { allowedLatenessMs: LATENESS_MS }), events, { advancesAfter: () => false, restartsAfter: () => false }).hits).toEqual([]);
  });

  test("the first match takes part with all of the bucket's events, the next ones with their own", () => {
    const rule = anomalyRule({ bucket: 3600, learning: 1, baseline: 4, tolerance: 1 });
    const events = numbered(Array.from({ length: 40 }, (_, n) => ({ timeMs: START + n, matches: matchesOf(rule, [0], [n]) })));
    const { hits } = playDetector(() => new AnomalyDetector(rule, { allowedLatenessMs: LATENESS_MS }), events, { advancesAfter: () => false, restartsAfter: () => false });
    // Over 4 by at least 3 times its root: from the tenth event on.
    expect(hits[0]).toMatchObject({ timeMs: START + 9, total: 10, slots: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] });
    expect(hits.slice(1).map((hit) => [hit.timeMs - START, hit.total, ...hit.slots])).toEqual(Array.from({ length: 30 }, (_, i) => [10 + i, 1, 10 + i]));
  });

  test("groups beyond the cap give way, the least lately seen first, and are counted", () => {
    const rule = anomalyRule({ bucket: 3600, learning: 1 });
    const detector = new AnomalyDetector(rule, { allowedLatenessMs: LATENESS_MS, groupCap: 4 });
    for (const event of numbered(Array.from({ length: 50 }, (_, n) => ({ timeMs: START + n, matches: matchesOf(rule, [n % 7], [n]) })))) detector.apply(event, () => {});
    expect(detector.counts()).toMatchObject({ groups: 4, evicted: 46 });
    detector.advance(Number.POSITIVE_INFINITY, () => {});
  });

  test("state of other rules, other versions and cut bytes are refused, and the detector stays as it was", () => {
    const rule = anomalyRule({ aggregation: "cardinality", bucket: 3600, learning: 1 });
    const detector = new AnomalyDetector(rule, { allowedLatenessMs: LATENESS_MS });
    for (const event of numbered(stream(rule, new Generator(3), 2, 3600))) detector.apply(event, () => {});
    const bytes = detector.save();
    expect(new AnomalyDetector(anomalyRule({ bucket: 300, learning: 1 }), { allowedLatenessMs: LATENESS_MS }).restore(bytes)).toMatch(/rule/);
    const other = new AnomalyDetector(rule, { allowedLatenessMs: LATENESS_MS });
    for (let length = 0; length < bytes.length; length += 1 + (length >> 3)) expect(other.restore(bytes.subarray(0, length))).toBeTypeOf("string");
    expect(other.counts().groups).toBe(0);
    expect(other.restore(new Uint8Array([...bytes, 0]))).toBeTypeOf("string");
    expect(other.restore(bytes)).toBeUndefined();
    expect(other.save()).toEqual(bytes);
  });

  test("[DE-20] distinct values are counted exactly up to some hundreds, then within a few hundredths", () => {
    const distinct = new DistinctCount();
    for (let value = 1; value <= 200_000; value++) {
      distinct.add(hashOf(value + 10));
      distinct.add(hashOf(value + 10));
      if (value <= 512) expect(distinct.count).toBe(value);
      else if (value % 1000 === 0) expect(Math.abs(distinct.count / value - 1)).toBeLessThan(0.06);
    }
  });
});
