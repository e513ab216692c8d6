import { describe, expect, test } from "vitest";
import { parseCondition } from "../../host/rule/condition.ts";
import { canHold, implies } from "../../host/rule/lint-condition.ts";
import { lintRule, lintRules } from "../../host/rule/lint.ts";
import { readRule } from "../../host/rule/wire.ts";
import { lintTemplates } from "../../host/signal/template-lint.ts";
import { type Wire, methodRule, options, rule } from "./support.ts";

/** A rule with nothing to say about, and changes. */
function clean(changes: Wire = {}): Wire {
  return rule({
    tags: ["security:attack", "tactic:TA0006-credential-access", "technique:T1110-brute-force"],
    tests: [{ query: "failed", log: { a: 1, usr: { id: 1 } }, expected: true }, { query: "failed", log: { a: 2 }, expected: false }],
    ...changes,
  });
}

const found = (wire: Wire): string[] => lintRule(readRule(wire)).map((problem) => `${problem.code} ${problem.place}`);
const cases = (...conditions: Array<string | undefined>): Wire => clean({ cases: conditions.map((condition, i) => ({ name: `case ${i}`, status: "low", ...(condition === undefined ? {} : { condition }) })) });
const query = (changes: Wire, more: Wire = {}): Wire => clean({ queries: [{ name: "failed", query: "source:auth", groupByFields: ["@usr.id"], ...changes }], cases: [{ status: "low", condition: "failed > 3" }], ...more });

describe("lint", () => {
  test("a careful rule has nothing said about it", () => expect(found(clean())).toEqual([]));

  test.each<[string, Wire, string[]]>([
    ["[RU-18] no test", clean({ tests: [] }), ["lint/no-test tests"]],
    ["[RU-18] tests of one outcome", clean({ tests: [{ query: "failed", log: {}, expected: true }] }), ["lint/one-sided-tests tests"]],
    ["no tactic and no technique", clean({ tags: ["security:attack"] }), ["lint/no-tactic tags", "lint/no-technique tags"]],
    ["[RU-12] another class of security", clean({ tags: ["security:bad", "tactic:x", "technique:y"] }), ["lint/security-tag tags[0]"]],
    ["tags of another house", clean({ tags: ["tactic:x", "technique:y", "mitre:T1078", "attack:initial-access"] }), ["lint/tag-alias tags[2]", "lint/tag-alias tags[3]"]],
    ["a tag twice", clean({ tags: ["tactic:x", "technique:y", "tactic:x"] }), ["lint/duplicate-tag tags[2]"]],
    ["an empty message", clean({ message: " " }), ["lint/empty-message message"]],
    ["a handle without @", clean({ cases: [{ status: "low", condition: "failed > 1 && passed > 0", notifications: ["slack-sec", "@ok"] }] }), ["lint/bad-handle cases[0].notifications"]],
    ["two cases of one name", clean({ cases: [{ name: "x", status: "high", condition: "failed > 9 && passed > 0" }, { name: "x", status: "low", condition: "failed > 1" }] }), ["lint/duplicate-case-name cases[1].name"]],
    ["a query no case looks at", cases("failed > 3"), ["lint/unused-query queries[1]"]],
    ["distinct values of all together", query({ aggregation: "cardinality", distinctFields: ["@a"], groupByFields: [] }), ["lint/no-group queries[0].groupByFields"]],
    ["distinct values of the group itself", query({ aggregation: "cardinality", distinctFields: ["@usr.id"] }), ["lint/distinct-is-group queries[0].distinctFields"]],
    ["an attribute without its @", query({ groupByFields: ["usr.id"] }), ["lint/tag-or-attribute queries[0].groupByFields[0]"]],
    ["every event", query({ query: "*" }), ["lint/matches-everything queries[0].query"]],
    ["every event, at length", query({ query: "* OR source:x" }), ["lint/matches-everything queries[0].query"]],
    ["only what it must not be", query({ query: "-source:auth NOT host:x" }), ["lint/only-negation queries[0].query"]],
    ["only patterns that begin with a wildcard", query({ query: "@a:*x -source:auth" }), ["lint/slow-query queries[0].query"]],
    ["one way out is such a pattern", query({ query: "source:auth OR *x" }), ["lint/slow-query queries[0].query"]],
    ["a pattern beside an exact condition", query({ query: "source:auth @a:*x" }), []],
    ["the same query twice", clean({ queries: [{ name: "failed", query: "a" }, { name: "passed", query: "a" }] }), ["lint/duplicate-query queries[1]"]],
    ["[DE-55] the brute-force sample in the wrong order", cases("failed > 10 && passed > 0", "failed > 50 && passed > 0"), ["lint/shadowed-case cases[1]"]],
    ["a case after one without a condition", cases(undefined, "failed > 5"), ["lint/shadowed-case cases[1]"]],
    ["a later case is graver", clean({ cases: [{ name: "x", status: "low", condition: "failed > 5 && passed > 3" }, { name: "y", status: "high", condition: "passed > 1" }] }), ["lint/severity-order cases[1].status"]],
    ["bounds that exclude each other", cases("failed > 5 && failed < 3 && passed > 0"), ["lint/never-fires cases[0].condition"]],
    ["true of nothing", cases("passed < 1 || failed > 100"), ["lint/holds-for-nothing cases[0].condition"]],
    ["THEN with a side that never holds", clean({ cases: [{ status: "low", condition: "failed > 0 THEN passed < 0" }] }), ["lint/never-fires cases[0].condition"]],
  ])("%s", (_name, wire, expected) => expect(found(wire)).toEqual(expected));

  test.each<[string, Wire, string[]]>([
    ["a group no sample has", query({}, { tests: [{ query: "failed", log: { ddsource: "auth", usr: { name: "x" } }, expected: true }, { query: "failed", log: {}, expected: false }] }), ["lint/group-never-seen queries[0].groupByFields[0]"]],
    ["a group some sample has", query({}, { tests: [{ query: "failed", log: { ddsource: "auth" }, expected: true }, { query: "failed", log: { ddsource: "auth", usr: { id: 7 } }, expected: true }, { query: "failed", log: {}, expected: false }] }), []],
    ["a group that may be absent", query({ hasOptionalGroupByFields: true }, { tests: [{ query: "failed", log: { ddsource: "auth" }, expected: true }, { query: "failed", log: {}, expected: false }] }), []],
    ["samples that must not match, or do not, say nothing", query({}, { tests: [{ query: "failed", log: { ddsource: "web" }, expected: true }, { query: "failed", log: { ddsource: "auth" }, expected: false }] }), []],
    ["a field it counts that no log of a scenario has", query({ aggregation: "cardinality", distinctFields: ["@a", "@b"] }, { tests: [{ logs: [{ ddsource: "auth", usr: { id: 1 }, a: 2 }], expect: { signals: [] } }, { query: "failed", log: { ddsource: "auth", usr: { id: 1 }, a: 2 } }] }), ["lint/field-never-seen queries[0].distinctFields[1]"]],
    ["each event a signal", query({}, { cases: [{ status: "low", condition: "failed > 0" }], options: { detectionMethod: "threshold", evaluationWindow: 0, keepAlive: 0 } }), ["lint/signal-per-event options.keepAlive"]],
  ])("%s", (_name, wire, expected) => expect(found(wire)).toEqual(expected));

  test("the hint names the field that was likely meant", () => {
    const wire = query({ groupByFields: ["@Usr.id"] }, { tests: [{ query: "failed", log: { ddsource: "auth", usr: { id: 1 } }, expected: true }] });
    expect(lintRule(readRule(wire)).find(({ code }) => code === "lint/group-never-seen")!.hint).toBe("did you mean @usr.id?");
  });

  test.each<[string, Wire, string[]]>([
    ["anomaly: the milder percentile first", { cases: [{ status: "high", condition: "a > 0.9" }, { status: "low", condition: "a > 0.99" }], options: { detectionMethod: "anomaly_detection", evaluationWindow: 1800, keepAlive: 3600 }, queries: [{ query: "source:a", aggregation: "count", groupByFields: ["host"] }] }, ["lint/shadowed-case cases[1]"]],
    ["anomaly: the higher first", { cases: [{ status: "high", condition: "a > 0.99" }, { status: "low", condition: "a > 0.9" }], options: { detectionMethod: "anomaly_detection", evaluationWindow: 1800, keepAlive: 3600 }, queries: [{ query: "source:a", aggregation: "count", groupByFields: ["host"] }] }, []],
    ["a step may take longer than a signal stays open", { cases: [{ status: "high", condition: "b > 0" }], options: { detectionMethod: "sequence_detection", keepAlive: 60, sequenceDetectionOptions: { steps: [{ name: "a", condition: "q > 0", evaluationWindow: 60 }, { name: "b", condition: "r > 0", evaluationWindow: 60 }], stepTransitions: [{ parent: "a", child: "b", evaluationWindow: 600 }] } }, queries: [{ name: "q", query: "source:a" }, { name: "r", query: "source:b" }] }, ["lint/window-beyond-keep-alive options.keepAlive"]],
  ])("%s", (_name, changes, expected) => {
    expect(found(clean({ tests: [], ...changes })).filter((text) => /shadowed|beyond/.test(text))).toEqual(expected);
  });

  test.each<[string, string | undefined, Wire, boolean]>([
    ["a count of two", "failed > 1", {}, true],
    ["a count of one", "failed > 0", {}, false],
    ["at least one", "failed >= 1", {}, false],
    ["two queries at once", "failed > 0 && passed > 0", {}, true],
    ["either query", "failed > 0 || passed > 0", {}, false],
    ["THEN", "failed > 0 THEN passed > 0", {}, true],
    ["no condition", undefined, {}, false],
    ["a sum may be anything", "failed > 100 || passed > 100", { aggregation: "sum", metrics: ["@a"] }, false],
  ])("a window of 0 and %s", (_name, condition, more, never) => {
    const { queries } = rule() as { queries: Wire[] };
    const wire = clean({ options: { ...options, evaluationWindow: 0 }, queries: queries.map((each) => ({ ...each, ...more })), cases: [{ status: "low", condition }] });
    expect(found(wire).includes("lint/never-fires cases[0].condition")).toBe(never);
  });

  test("every piece of advice says what to do", () => {
    const advice = lintRule(readRule(rule({ message: "", queries: [{ name: "a", query: "*", aggregation: "cardinality", distinctFields: ["usr.id"] }], cases: [{ status: "low", condition: "a >= 0" }, { status: "high", condition: "a > 3" }] })));
    expect(advice.length).toBeGreaterThan(6);
    expect(advice.every((problem) => problem.level === "warning" && problem.hint && problem.place)).toBe(true);
  });

  test("other methods are not measured by threshold's rules", () => {
    expect(found(methodRule("new_value", {}, { aggregation: "new_value", metrics: ["@a"] }, { tests: clean().tests, tags: clean().tags, queries: [{ name: "failed", query: "source:auth", metrics: ["@a"] }] }))).toEqual([]);
  });

  test("rules of one name", () => {
    const rules = [readRule(clean({ id: "a" })), readRule(clean({ id: "b" })), readRule(clean({ id: "c", name: "other" }))];
    expect(lintRules(rules).map(({ rule: each, problem }) => [each.id, problem.code])).toEqual([["b", "lint/duplicate-name"]]);
  });
});

describe("templates", () => {
  const advice = (message: string): string[] => lintTemplates(readRule(rule({ message }))).map((problem) => `${problem.code}: ${problem.hint}`);

  test.each<[string, string[]]>([
    ["{{@usr.id}} {{service.name}} {{severity}} {{first_seen_epoch}} {{events_matched_per_query.failed}} {{host}}", []],
    ["{{#if @a}}x{{/if}}{{local_time \"last_seen\" \"UTC\"}}{{eval \"1+1\"}}", []],
    ["{{#if @a}}x", ["lint/bad-template: mend it, or it is shown as it stands"]],
    ["{{usr.id}}", ["lint/unknown-variable: write {{@usr.id}} for the attribute, or {{usr.id.name}} for the tag"]],
    ["{{events_matched_per_query.other}}", ["lint/unknown-variable: the labels are failed, passed"]],
  ])("%s", (message, expected) => expect(advice(message)).toEqual(expected));
});

describe("what conditions say of each other", () => {
  const read = (text: string) => {
    const parsed = parseCondition(text, ["a", "b", "c"]);
    if (!parsed.ok) throw new Error(parsed.problem.message);
    return parsed.condition.first;
  };

  test.each([
    ["a > 50", "a > 10", true], ["a > 10", "a > 50", false], ["a >= 11", "a > 10", true], ["a > 9", "a >= 10", true], ["a > 8", "a >= 10", false],
    ["a < 5", "a < 9", true], ["a <= 8", "a < 9", true], ["a < 9", "a > 0", false], ["a > 5", "b > 5", false],
    ["a > 5 && b > 1", "a > 5", true], ["a > 5 && b > 1", "b > 0 && a > 3", true], ["a > 5", "a > 5 && b > 1", false],
    ["a > 5", "a > 5 || b > 1", true], ["a > 5 || b > 1", "a > 5", false], ["a > 5 || b > 1", "a > 0 || b > 0", true],
    ["a > b", "a > b", true], ["a > b", "a >= b", true], ["a >= b", "a > b", false], ["a > 2 * b", "a > b", false], ["2 * a > 5", "a > 5", false],
  ])("%s implies %s: %s", (later, earlier, expected) => expect(implies(read(later), read(earlier))).toBe(expected));

  test.each<[string, boolean | undefined]>([
    ["a > 5", true], ["a < 0", false], ["a > 5 && a < 6", false], ["a > 5 && a < 7", true], ["a > 5 && a <= 5", false], ["a < 1 && b > 0", true],
    ["a < 0 || b > 3", true], ["2 * a > 5 && a < 3", false], ["2 * a > 5 && a < 4", true], ["0 * a > 0", false], ["a > b", undefined], ["a > 5 && a < b", undefined],
  ])("%s can hold: %s", (text, expected) => expect(canHold(read(text))).toBe(expected));

  test("what is implied is implied for every count", () => {
    const conditions = ["a > 2", "a >= 2", "a < 3", "a <= 1 || b > 1", "a > 1 && b > 1", "b < 2 && a > 0", "a > b", "a >= b", "2 * a > b", "a > 0 || c > 0"].map(read);
    for (const later of conditions) for (const earlier of conditions) {
      if (!implies(later, earlier)) continue;
      for (let i = 0; i < 125; i++) {
        const counts = { a: i % 5, b: Math.floor(i / 5) % 5, c: Math.floor(i / 25) };
        if (holds(later, counts)) expect(holds(earlier, counts)).toBe(true);
      }
    }
  });
});

type Node = Parameters<typeof canHold>[0];
function holds(node: Node, counts: Record<string, number>): boolean {
  if (node.kind !== "compare") return node.kind === "and" ? node.nodes.every((child) => holds(child, counts)) : node.nodes.some((child) => holds(child, counts));
  const left = node.left.factor * counts[node.left.label]!;
  const right = typeof node.right === "number" ? node.right : node.right.factor * counts[node.right.label]!;
  return node.op === ">" ? left > right : node.op === ">=" ? left >= right : node.op === "<" ? left < right : left <= right;
}
