import { describe, expect, test } from "vitest";
import type { MethodEvent, MethodMatch } from "../../../host/detect/method/method.ts";
import { SequenceDetector } from "../../../host/detect/method/sequence.ts";
import type { Rule } from "../../../host/rule/rule.ts";
import { Generator } from "../../match/generate.ts";
import { SequenceTwin } from "../../reference/sequence.ts";
import { LATENESS_MS, disordered, numbered, playDetector, ruleOf, seen, sorted } from "./streams.ts";

const START = Date.UTC(2024, 0, 1);

type Query = string | { readonly name: string; readonly groupBy?: readonly string[]; readonly aggregation?: string };
/** Condition and window in seconds of each step, seconds from each to the next. */
type Steps = ReadonlyArray<readonly [string, number]>;

function sequenceRule(queries: readonly Query[], steps: Steps, transitions: readonly number[]): Rule {
  return ruleOf({
    options: {
      detectionMethod: "sequence_detection", keepAlive: 3600, maxSignalDuration: 86400,
      sequenceDetectionOptions: {
        steps: steps.map(([condition, evaluationWindow], i) => ({ name: `s${i}`, condition, evaluationWindow })),
        stepTransitions: transitions.map((evaluationWindow, i) => ({ parent: `s${i}`, child: `s${i + 1}`, evaluationWindow })),
      },
    },
    queries: queries.map((query) => {
      const { name, groupBy = ["@u"], aggregation = "count" } = typeof query === "string" ? { name: query } : query;
      return {
        name, query: `@q:${name}`, aggregation, groupByFields: groupBy,
        distinctFields: aggregation === "cardinality" ? ["@v"] : [], metrics: aggregation === "sum" || aggregation === "max" ? ["@v"] : [],
      };
    }),
    cases: [{ name: "", status: "high", condition: `s${steps.length - 1} > 0` }],
  });
}

function matchesOf(rule: Rule, random: Generator, groups: number): MethodMatch[] {
  const grouped = rule.queries.some((query) => query.groupBy.length > 0);
  return rule.queries.flatMap((query, queryIndex): MethodMatch[] => {
    if (!random.chance(grouped && !query.groupBy.length ? 0.25 : 0.45)) return [];
    const keys = query.groupBy.length ? [...new Set(Array.from({ length: random.chance(0.1) ? 2 : 1 }, () => random.below(groups)))] : [0];
    const values = query.aggregation === "count" || random.chance(0.1) ? [] : Array.from({ length: query.aggregation === "cardinality" && random.chance(0.2) ? 3 : 1 }, () => random.below(6));
    return keys.toSorted((x, y) => x - y).flatMap((key) => (values.length ? values : [undefined]).map((value) => ({
      queryIndex, groupKey: `g${key}`, group: query.groupBy.map(() => `g${key}`), values: [value === undefined ? [] : [String(value)]],
      number: value === undefined ? Number.NaN : query.aggregation === "cardinality" ? value * 1e-300 : value,
    })));
  });
}

function stream(rule: Rule, random: Generator, events: number, stepMs: number, groups: number): Array<Pick<MethodEvent, "timeMs" | "matches">> {
  let timeMs = START;
  return Array.from({ length: events }, () => {
    timeMs += random.chance(0.15) ? 0 : Math.floor(random.next() * stepMs * 2);
    return { timeMs, matches: matchesOf(rule, random, groups) };
  }).filter((event) => event.matches.length > 0);
}

const ofAll = { name: "all", groupBy: [] };

const shapes: ReadonlyArray<readonly [string, readonly Query[], Steps, readonly number[], boolean]> = [
  ["two steps", ["a", "b"], [["a > 0", 60], ["b > 0", 60]], [300], true],
  ["events alone", ["a", "b"], [["a > 0", 0], ["b > 0", 0]], [60], true],
  ["counts", ["a", "b"], [["a > 2", 60], ["b > 1", 300]], [300], true],
  ["three steps", ["a", "b", "c"], [["a > 0", 0], ["b > 1", 60], ["c > 0", 60]], [60, 300], true],
  ["one step", ["a"], [["a > 2", 60]], [], true],
  ["a query in two steps", ["a", "b"], [["a > 0 && b > 0", 60], ["a > 1 || b > 2", 300]], [300], true],
  ["the same step twice", ["a"], [["a >= 2", 60], ["a >= 2", 60], ["a >= 1", 0]], [60, 60], true],
  ["four steps", ["a", "b"], [["a > 0", 0], ["b > 0", 0], ["a > 0", 0], ["b > 0", 0]], [60, 60, 300], true],
  ["fields of different names", ["a", { name: "b", groupBy: ["@w"] }], [["a > 1", 60], ["b > 0", 0]], [300], true],
  ["distinct values", [{ name: "a", aggregation: "cardinality" }, "b"], [["a > 2", 300], ["b > 0", 60]], [300], true],
  ["largest", [{ name: "a", aggregation: "max" }, { name: "b", aggregation: "sum" }], [["a > 3", 60], ["b >= 5", 300]], [300], true],
  ["fewer than", ["a", "b"], [["a < 3", 60], ["b <= 2 && a < 2", 300]], [300], false],
  ["terms", ["a", "b"], [["a > 2 * b", 300], ["b > 0", 60]], [300], false],
  ["shared", ["a", ofAll], [["a > 1", 60], ["all > 0", 60]], [300], true],
  ["shared first", ["a", ofAll], [["all > 1", 60], ["a > 0", 60]], [300], true],
  ["shared alone", ["a", ofAll, "c"], [["all > 0", 0], ["a > 0 || all > 1", 60], ["c > 0", 0]], [60, 60], true],
  ["no groups", [ofAll, { name: "b", groupBy: [] }], [["all > 1", 60], ["b > 0", 0]], [60], true],
];
const SEEDS = 24;

describe("sequence beside its twin", () => {
  test.each(shapes)("%s", (_name, queries, steps, transitions, grows) => {
    const rule = sequenceRule(queries, steps, transitions);
    let found = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = new Generator(seed * 104_729 + steps.length);
      const ordered = stream(rule, random, 120, [5000, 20_000, 60_000][seed % 3]!, 1 + (seed % 3));
      // What fewer events make true, one that comes late cannot undo.
      const late = grows && seed % 2 ? 0.3 : 0;
      const events = numbered(disordered(ordered, LATENESS_MS, late, () => random.next()));
      const twin = new SequenceTwin(rule, LATENESS_MS);
      const expected = events.flatMap((event) => twin.apply(event));
      const { hits, detector } = playDetector(() => new SequenceDetector(rule, { allowedLatenessMs: LATENESS_MS }), events, {
        advancesAfter: () => random.chance(0.3), restartsAfter: () => seed % 4 > 1 && random.chance(0.03),
      });
      const compared = (list: readonly (typeof expected)[number][]): unknown[] => sorted(list).map((hit) => ({ ...seen(hit), perQuery: hit.perQuery }));
      expect(compared(hits), `seed ${seed}`).toEqual(compared(expected));
      expect(detector.counts().lateDropped).toBe(twin.lateDropped);
      found += hits.length;
      if (!late) continue;
      // The hits are those of the ordered stream, whatever the order they came in.
      const slots = new Map(events.map((event) => [event.matches, event.slot]));
      const inOrder = new SequenceTwin(rule, LATENESS_MS);
      const all = numbered(ordered).flatMap((event) => inOrder.apply({ ...event, slot: slots.get(event.matches)! }));
      expect(sorted(hits).map((hit) => [hit.timeMs, hit.groupKey, hit.slot])).toEqual(sorted(all).map((hit) => [hit.timeMs, hit.groupKey, hit.slot]));
    }
    expect(found).toBeGreaterThan(SEEDS);
  });

  test("of more than 64 firing times the second oldest gives way first", () => {
    const rule = sequenceRule(["a", "b"], [["a > 0", 0], ["b > 2", 3600]], [3600]);
    for (let seed = 0; seed < 6; seed++) {
      const random = new Generator(seed);
      const events = numbered(stream(rule, random, 500, 15_000, 1));
      const twin = new SequenceTwin(rule, LATENESS_MS);
      const { hits } = playDetector(() => new SequenceDetector(rule, { allowedLatenessMs: LATENESS_MS }), events, { advancesAfter: () => random.chance(0.2), restartsAfter: () => false });
      expect(sorted(hits.map(seen))).toEqual(sorted(events.flatMap((event) => twin.apply(event)).map(seen)));
    }
  });
});

describe("sequence", () => {
  const rule = sequenceRule(["a", "b"], [["a > 0", 0], ["b > 0", 0]], [300]);
  const match = (queryIndex: number, group: string): MethodMatch => ({ queryIndex, groupKey: group, group: [group], values: [], number: Number.NaN });

  test("groups beyond the cap give way, the least lately seen first, and are counted", () => {
    const detector = new SequenceDetector(rule, { allowedLatenessMs: LATENESS_MS, groupCap: 10 });
    for (const event of numbered(Array.from({ length: 25 }, (_, n) => ({ timeMs: START + n, matches: [match(0, `g${n}`)] })))) detector.apply(event, () => {});
    expect(detector.counts()).toMatchObject({ groups: 10, evicted: 15 });
  });

  test("groups whose steps can no more be completed are let go as time passes", () => {
    const detector = new SequenceDetector(rule, { allowedLatenessMs: LATENESS_MS });
    for (const event of numbered(Array.from({ length: 100 }, (_, n) => ({ timeMs: START + n, matches: [match(0, `g${n}`)] })))) detector.apply(event, () => {});
    detector.advance(START + 300_000, () => {});
    expect(detector.counts().groups).toBe(100);
    detector.advance(START + 400_000, () => {});
    expect(detector.counts()).toMatchObject({ groups: 0, evicted: 0 });
  });

  test("a flood of one group keeps what its conditions need and little more", () => {
    const flood = sequenceRule(["a", "b"], [["a > 20", 3600], ["b > 0", 0]], [3600]);
    const detector = new SequenceDetector(flood, { allowedLatenessMs: LATENESS_MS });
    let hits = 0;
    const events = numbered(Array.from({ length: 20_000 }, (_, n) => ({ timeMs: START + n * 10, matches: [match(n % 5000 === 4999 ? 1 : 0, "g")] })));
    for (const event of events) detector.apply(event, () => hits++);
    expect(hits).toBe(4);
    expect(detector.counts().stateBytes).toBeLessThan(40_000);
  });

  test("state of other rules and cut bytes are refused, and the detector stays as it was", () => {
    const detector = new SequenceDetector(rule, { allowedLatenessMs: LATENESS_MS });
    for (const event of numbered(stream(rule, new Generator(1), 100, 1000, 5))) detector.apply(event, () => {});
    const bytes = detector.save();
    expect(new SequenceDetector(sequenceRule(["a", "b"], [["a > 1", 0], ["b > 0", 0]], [300]), { allowedLatenessMs: 0 }).restore(bytes)).toMatch(/steps/);
    const other = new SequenceDetector(rule, { allowedLatenessMs: LATENESS_MS });
    for (let length = 0; length < bytes.length; length += 1 + (length >> 3)) expect(other.restore(bytes.subarray(0, length))).toBeTypeOf("string");
    expect(other.counts().groups).toBe(0);
    expect(other.restore(bytes)).toBeUndefined();
    expect(other.save()).toEqual(bytes);
  });
});
