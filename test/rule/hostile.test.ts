import { describe, expect, test } from "vitest";
import type { Problem } from "../../host/problem.ts";
import { readRuleDocument } from "../../host/rule/document.ts";
import { effectiveQuery } from "../../host/rule/guards.ts";
import { lintRule } from "../../host/rule/lint.ts";
import { standingQueries } from "../../host/rule/standing.ts";
import { readSuppressionsWire } from "../../host/rule/suppression.ts";
import { readRuleWire } from "../../host/rule/wire.ts";
import { writeRuleWire } from "../../host/rule/wire-write.ts";
import { lintTemplates } from "../../host/signal/template-lint.ts";
import { type Wire, methodRule, options, rule } from "./support.ts";

/** Seeded, so that a failure comes again. */
class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

const full = rule({
  id: "full", version: 2, type: "log_detection", tags: ["source:auth"], hasExtendedTitle: true, isDefault: false, groupSignalsBy: ["@usr.id"],
  filters: [{ action: "require", query: "env:prod" }], referenceTables: [{ tableName: "t", columnName: "c", logFieldPath: "ip", checkPresence: true, ruleQueryName: "failed" }],
  tests: [{ query: "failed", log: { message: "x" }, expected: true }],
});
const seeds: readonly Wire[] = [
  full,
  methodRule("new_value", { newValueOptions: { learningMethod: "duration", learningDuration: 7, forgetAfter: 28 } }, { metrics: ["@a"] }),
  methodRule("anomaly_detection", { anomalyDetectionOptions: { bucketDuration: 300, learningDuration: 24 } }, {}, { cases: [{ status: "low", condition: "a > 0.995" }] }),
  methodRule("content_anomaly", { contentAnomalyOptions: { learningDuration: 1 } }, {}, { cases: [{ status: "low", condition: "a > 3" }] }),
  methodRule("third_party", { thirdPartyRuleOptions: { rootQueries: [{ query: "a", groupByFields: ["@b"] }] } }, {}, { queries: [], cases: [], thirdPartyCases: [{ query: "a", status: "low" }] }),
  methodRule("sequence_detection", { sequenceDetectionOptions: { steps: [{ name: "x", condition: "a > 0" }, { name: "y", condition: "a > 1" }], stepTransitions: [{ parent: "x", child: "y", evaluationWindow: 60 }] } }, {}, { cases: [{ status: "low", condition: "y > 0" }] }),
  rule({ type: "signal_correlation", queries: [{ name: "a", ruleId: "x", correlatedByFields: ["@usr.id"] }], cases: [{ status: "low", condition: "a > 0" }] }),
  rule({ schedulingOptions: { rrule: "FREQ=DAILY", timezone: "UTC" }, calculatedFields: [{ name: "x", expression: "1" }], options }),
];
const values: readonly unknown[] = [
  undefined, null, true, false, 0, -1, 1.5, 60, 300, 86400, 1e308, Number.MAX_SAFE_INTEGER, "", " ", "a", "a > 0", "a > 0 THEN a > 1", "source:auth", "(", "@usr.id", "@", "then", "threshold", "third_party", "high",
  "\ud800", "{{@x}}", "{{", "FREQ=DAILY", "__proto__", "x".repeat(300), [], [[]], ["a"], [1], [{}], {}, { name: "a" }, { query: "a", status: "low", condition: "a > 0" }, [{ query: "*" }], JSON.parse('{"__proto__": 1, "constructor": {"a": 1}}'),
];

/** Changes one random place, or adds a member. */
function mutate(value: unknown, dice: Dice): unknown {
  if (typeof value !== "object" || value === null || dice.below(6) === 0) return dice.pick(values);
  if (Array.isArray(value)) {
    const list = [...(value as unknown[])];
    if (!list.length || dice.below(4) === 0) list.push(dice.pick(values));
    else list[dice.below(list.length)] = mutate(list[dice.below(list.length)], dice);
    return list;
  }
  const entries = Object.entries(value);
  const [name] = dice.pick(entries.length ? entries : [["a", 1]]);
  return { ...value, [dice.below(12) === 0 ? dice.pick(["colour", "constructor", "toString", "name"]) : name]: mutate((value as Wire)[name], dice) };
}

function wellSaid(problem: Problem): boolean {
  return /^(?:rule|query|lint)\/[a-z0-9-]+$/.test(problem.code) && problem.message.length > 0 && problem.message.length < 500 && problem.place !== undefined && Boolean(problem.hint);
}

describe("payloads changed at random", () => {
  test.each(Array.from({ length: 8 }, (_, i) => i))("seed %i: a rule or problems, never a crash, and a rule that is accepted can be used", (seed) => {
    const dice = new Dice(seed + 1);
    let accepted = 0;
    for (let i = 0; i < 1500; i++) {
      let wire: unknown = seeds[seed % seeds.length];
      for (let times = 1 + dice.below(3); times > 0; times--) wire = mutate(wire, dice);
      const read = readRuleWire(wire);
      expect(read.problems.filter((problem) => !wellSaid(problem))).toEqual([]);
      if (!read.ok) {
        expect(read.problems.some((problem) => problem.level !== "warning")).toBe(true);
        continue;
      }
      accepted++;
      expect([...lintRule(read.rule), ...lintTemplates(read.rule)].filter((problem) => !wellSaid(problem))).toEqual([]);
      for (const query of read.rule.queries) effectiveQuery(read.rule, query, { suppressions: [], referenceTables: {} });
      standingQueries([read.rule]);
      const again = readRuleWire(JSON.parse(JSON.stringify(writeRuleWire(read.rule))));
      expect(again.ok ? [] : again.problems).toEqual([]);
    }
    expect(accepted).toBeGreaterThan(10);
  });

  test("in a file, every problem has its line", () => {
    const dice = new Dice(99);
    const rules = Array.from({ length: 200 }, (_, i) => mutate(mutate(seeds[i % seeds.length], dice), dice));
    const text = JSON.stringify({ rules }, null, 2);
    const lines = text.split("\n");
    for (const kind of ["json", "yaml"] as const) {
      const { problems } = readRuleDocument(text, "f", kind);
      expect(problems.length).toBeGreaterThan(100);
      for (const problem of problems) expect(lines[problem.line! - 1]!.length).toBeGreaterThanOrEqual(problem.column! - 1);
    }
  });

  test("suppressions", () => {
    const dice = new Dice(5);
    for (let i = 0; i < 1500; i++) {
      const { problems } = readSuppressionsWire([mutate(mutate({ name: "s", enabled: true, rule_query: "*", suppression_query: "a", start_date: 1, tags: [] }, dice), dice)]);
      expect(problems.filter((problem) => !wellSaid(problem))).toEqual([]);
    }
  });
});

describe("texts of any kind", () => {
  test("no text ends the reader", () => {
    const dice = new Dice(17);
    const pieces = ["{", "}", "[", "]", ":", ",", '"', "'", "\n", "  ", "- ", "a", "rules", "name", "&x ", "*x", "!!js/function ", "---\n", "%YAML", "|", ">", "#", "\t", "\\", "\u0000", "\ud800", "1", "null", "<<", "? "];
    for (let i = 0; i < 2000; i++) {
      const text = Array.from({ length: dice.below(20) }, () => dice.pick(pieces)).join("");
      for (const kind of ["json", "jsonl", "yaml"] as const) {
        for (const problem of readRuleDocument(text, "f", kind).problems) {
          expect([text, wellSaid({ ...problem, place: problem.place ?? "" }), problem.line! >= 1 && problem.column! >= 1]).toEqual([text, true, true]);
        }
      }
    }
  });
});

describe("[RU-20] rules that every log would pay for", () => {
  const deep = `@${Array.from({ length: 10_000 }, () => "a").join(".")}`;
  const wire = (query: string, more: object = {}): object => ({ id: "x", name: "x", message: "", isEnabled: true, tags: [], type: "log_detection", queries: [{ query, aggregation: "count", ...more }], cases: [{ status: "info", condition: "a > 0" }], options: { detectionMethod: "threshold", evaluationWindow: 0, keepAlive: 0, maxSignalDuration: 0 } });
  const codes = (text: object | readonly object[]): unknown[] => readRuleDocument(JSON.stringify(text), "rules.json", "json").problems.filter(({ level }) => level !== "warning").map(({ code, place }) => [code, place]);

  test("an attribute's path of thousands of names, in a query, a group or a filter of a file", () => {
    expect(codes(wire(`source:a -(${deep}:1)`))).toEqual([["query/deep-path", "queries[0].query"]]);
    expect(codes(wire(`CIDR(${deep}, 10.0.0.0/8)`))).toEqual([["query/deep-path", "queries[0].query"]]);
    expect(codes(wire(`_exists_:"${deep}"`))).toEqual([["query/deep-path", "queries[0].query"]]);
    expect(codes(wire("a", { groupByFields: [deep] }))).toEqual([["rule/deep-path", "queries[0].groupByFields"]]);
    expect(codes(wire("a", { groupByFields: Array.from({ length: 51 }, (_, i) => `@f${i}`) }))).toEqual([["rule/too-many-fields", "queries[0].groupByFields"]]);
    expect(codes(wire(`@${Array.from({ length: 64 }, () => "a").join(".")}:1`))).toEqual([]);
  });

  test("a suppression that keeps logs from rules is held to the same", () => {
    const { problems } = readSuppressionsWire([{ name: "s", enabled: true, rule_query: "*", data_exclusion_query: `${deep}:1` }]);
    expect(problems.map(({ code }) => code)).toEqual(["query/deep-path"]);
  });
});
