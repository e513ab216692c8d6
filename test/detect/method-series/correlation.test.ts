import { describe, expect, test } from "vitest";
import { CorrelationDetector } from "../../../host/detect/method/correlation.ts";
import type { MethodEvent, MethodHit, MethodMatch } from "../../../host/detect/method/method.ts";
import type { Rule } from "../../../host/rule/rule.ts";
import { Generator } from "../../match/generate.ts";
import { correlationHits } from "../../reference/correlation.ts";
import { ruleOf } from "./streams.ts";

const START = Date.UTC(2024, 0, 1);

type Query = string | { readonly name: string; readonly by?: readonly string[]; readonly aggregation?: string };

function correlationRule(queries: readonly Query[], conditions: readonly string[], windowSeconds = 900): Rule {
  const full = queries.map((query) => (typeof query === "string" ? { name: query } : query));
  const searches = full.some((query) => query.aggregation);
  return ruleOf({
    ...(searches ? {} : { type: "signal_correlation" }),
    options: { detectionMethod: "threshold", evaluationWindow: windowSeconds, keepAlive: 3600, maxSignalDuration: 86400 },
    queries: full.map(({ name, by = ["@u"], aggregation = "count" }) => searches
      ? {
          name, query: "*", dataSource: "security_signals", aggregation, groupByFields: by,
          distinctFields: aggregation === "cardinality" ? ["@v"] : [], metrics: aggregation === "sum" || aggregation === "max" ? ["@v"] : [],
        }
      : { name, ruleId: `rule-${name}`, aggregation: "event_count", correlatedByFields: by }),
    cases: conditions.map((condition, i) => ({ name: `case ${i}`, status: "high", ...(condition ? { condition } : {}) })),
  });
}

function matchesOf(rule: Rule, random: Generator, groups: number): MethodMatch[] {
  const widths = rule.queries.map((query) => query.correlation?.correlatedBy.length ?? query.groupBy.length);
  return rule.queries.flatMap((query, queryIndex): MethodMatch[] => {
    if (!random.chance(0.5)) return [];
    const keys = widths[queryIndex] ? [...new Set(Array.from({ length: random.chance(0.15) ? 2 : 1 }, () => random.below(groups)))] : [0];
    const many = query.aggregation === "cardinality" && random.chance(0.2);
    const values = query.aggregation === "count" || query.aggregation === "event_count" || random.chance(0.1) ? [undefined] : Array.from({ length: many ? 3 : 1 }, () => random.below(6));
    return keys.flatMap((key) => values.map((value) => ({
      queryIndex, groupKey: `g${key}`, group: [`g${key}`], values: [value === undefined ? [] : [String(value)]],
      number: value === undefined ? Number.NaN : query.aggregation === "cardinality" ? value * 1e-300 : value,
    })));
  });
}

const of = (name: string): Query => ({ name, by: [] });
const shapes: ReadonlyArray<readonly [string, readonly Query[], readonly string[], number]> = [
  ["both", ["a", "b"], ["a > 0 && b > 0"], 900],
  ["counts and cases", ["a", "b"], ["a > 3", "a > 1 && b > 0", "b > 2"], 900],
  ["no condition", ["a", "b"], [""], 900],
  ["then", ["a", "b"], ["a > 0 THEN b > 0"], 900],
  ["then, counts", ["a", "b", "c"], ["a > 1 && b > 0 THEN c > 1 || b > 2"], 3600],
  ["then, a query on both sides", ["a"], ["a > 1 THEN a > 1"], 900],
  ["fewer than", ["a", "b"], ["a < 2 && b > 0"], 900],
  ["fewer than, then", ["a", "b"], ["a < 2 THEN b < 3"], 900],
  ["terms", ["a", "b"], ["a > 2 * b"], 900],
  ["one alone", ["a", "b"], ["a > 0 && b > 0", "a > 0"], 0],
  ["shared", ["a", of("all")], ["a > 0 && all > 1"], 900],
  ["shared, then", ["a", of("all")], ["all > 1 THEN a > 0"], 900],
  ["no groups", [of("a"), of("b")], ["a > 1 && b > 0"], 900],
  ["distinct values and sums", [{ name: "a", aggregation: "cardinality" }, { name: "b", aggregation: "sum" }], ["a > 2 && b > 4"], 900],
  ["largest", [{ name: "a", aggregation: "max" }, { name: "b", aggregation: "count" }], ["a > 4 && b > 0"], 900],
];
const SEEDS = 24;

/** Hits that stand: each given once more replaces itself, those gone are none. */
class Standing {
  readonly hits = new Map<string, Pick<MethodHit, "caseIndex" | "groupKey" | "timeMs" | "slot" | "slots">>();
  given = 0;
  readonly onHit = ({ caseIndex, groupKey, timeMs, slot, slots }: MethodHit): void => {
    this.given++;
    this.hits.set(`${groupKey} ${slot}`, { caseIndex, groupKey, timeMs, slot, slots });
  };
  readonly onGone = (groupKey: string, slot: number): void => {
    this.hits.delete(`${groupKey} ${slot}`);
  };
  get sorted(): unknown[] {
    return inOrder([...this.hits.values()]);
  }
}

function inOrder<T extends { readonly groupKey: string; readonly slot: number }>(hits: readonly T[]): T[] {
  return hits.toSorted((a, b) => a.slot - b.slot || (a.groupKey < b.groupKey ? -1 : 1));
}

describe("[DE-57] signal correlation beside its twin", () => {
  test.each(shapes)("%s: signals that open late, move and go leave the hits of the ordered stream", (_name, queries, conditions, windowSeconds) => {
    const rule = correlationRule(queries, conditions, windowSeconds);
    let found = 0;
    let moved = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = new Generator(seed * 7919 + 13);
      let detector = new CorrelationDetector(rule);
      const standing = new Standing();
      const signals: MethodEvent[] = [];
      let timeMs = START;
      const changes = seed % 3 > 0;
      for (let slot = 0; slot < 60; slot++) {
        timeMs += random.chance(0.2) ? 0 : random.below([60_000, 200_000, 400_000][seed % 3]! * 2);
        const matches = matchesOf(rule, random, 1 + (seed % 4));
        if (!matches.length) continue;
        const at = changes && random.chance(0.3) ? timeMs - random.below(300_000) : timeMs;
        signals.push({ timeMs: at, highMs: at, slot, matches });
        detector.apply(signals.at(-1)!, standing.onHit, standing.onGone);
        if (changes && random.chance(0.25)) {
          const [old] = signals.splice(random.below(signals.length), 1);
          detector.withdraw(old!, standing.onHit, standing.onGone);
          if (random.chance(0.7)) {
            const earlier = old!.timeMs - random.below(300_000);
            signals.push({ ...old!, timeMs: earlier, highMs: earlier });
            detector.apply(signals.at(-1)!, standing.onHit, standing.onGone);
          }
          moved++;
        }
        if (seed % 2 && random.chance(0.1)) {
          const bytes = detector.save();
          detector = new CorrelationDetector(rule);
          expect(detector.restore(bytes)).toBeUndefined();
          expect(detector.save()).toEqual(bytes);
        }
        if (random.chance(0.2)) expect(standing.sorted, `seed ${seed}, slot ${slot}`).toEqual(inOrder(correlationHits(rule, signals)));
      }
      expect(standing.sorted, `seed ${seed}`).toEqual(inOrder(correlationHits(rule, signals)));
      found += standing.given;
    }
    expect(found).toBeGreaterThan(SEEDS);
    expect(moved).toBeGreaterThan(SEEDS);
  });
});

describe("signal correlation", () => {
  const rule = correlationRule(["a", "b"], ["a > 0 && b > 0"]);
  const match = (queryIndex: number, group: string): MethodMatch => ({ queryIndex, groupKey: group, group: [group], values: [], number: Number.NaN });
  const event = (slot: number, timeMs: number, ...matches: MethodMatch[]): MethodEvent => ({ timeMs: START + timeMs, highMs: START + timeMs, slot, matches });

  test("[DE-57] a signal counts for each of its groups, and hits name what took part", () => {
    const detector = new CorrelationDetector(rule);
    const hits: unknown[] = [];
    const onHit = ({ groupKey, timeMs, slots, perQuery }: MethodHit): void => void hits.push([groupKey, timeMs - START, slots, perQuery]);
    detector.apply(event(0, 0, match(0, "x"), match(0, "y")), onHit);
    detector.apply(event(1, 1000, match(1, "y")), onHit);
    detector.apply(event(2, 899_999, match(1, "x")), onHit);
    detector.apply(event(3, 900_000, match(1, "y")), onHit);
    expect(hits).toEqual([["y", 1000, [0, 1], [1, 1]], ["x", 899_999, [0, 2], [1, 1]]]);
  });

  test("groups beyond the cap give way, the least lately seen first, and are counted", () => {
    const detector = new CorrelationDetector(rule, { groupCap: 10 });
    for (let n = 0; n < 25; n++) detector.apply(event(n, n, match(0, `g${n}`)), () => {});
    expect(detector.counts()).toMatchObject({ groups: 10, evicted: 15 });
    detector.advance(START + 900_100, () => {});
    expect(detector.counts().groups).toBe(0);
  });

  test("state of other rules and cut bytes are refused, and the detector stays as it was", () => {
    const detector = new CorrelationDetector(rule);
    const random = new Generator(5);
    for (let n = 0; n < 100; n++) detector.apply(event(n, n * 1000, ...matchesOf(rule, random, 5)), () => {});
    const bytes = detector.save();
    expect(new CorrelationDetector(correlationRule(["a", "b"], ["a > 1 && b > 0"])).restore(bytes)).toMatch(/conditions/);
    const other = new CorrelationDetector(rule);
    for (let length = 0; length < bytes.length; length += 1 + (length >> 3)) expect(other.restore(bytes.subarray(0, length))).toBeTypeOf("string");
    expect(other.counts().groups).toBe(0);
    expect(other.restore(bytes)).toBeUndefined();
    expect(other.save()).toEqual(bytes);
  });
});
