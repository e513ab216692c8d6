import { describe, expect, test } from "vitest";
import { ProblemError } from "../../host/problem.ts";
import { readRule, readRuleWire } from "../../host/rule/wire.ts";
import { writeRuleWire } from "../../host/rule/wire-write.ts";
import { lintRule } from "../../host/rule/lint.ts";
import { hasShared, readShared } from "../support/shared.ts";

interface Scenario {
  readonly id: string;
  readonly rule: Record<string, unknown>;
  readonly expect: { readonly rejected?: boolean; readonly target?: string };
}

const present = hasShared("conformance/rules.jsonl");
const scenarios = present ? new TextDecoder().decode(readShared("conformance/rules.jsonl")).trim().split("\n").map((line) => JSON.parse(line) as Scenario) : [];
const titled = scenarios.map((scenario) => [scenario.id, scenario] as const);
const refused = titled.filter(([, scenario]) => scenario.expect.rejected);
const accepted = titled.filter(([, scenario]) => !scenario.expect.rejected);

describe.skipIf(!present)("rule payloads of the scenarios (skipped where ../shared is absent)", () => {
  test.each(refused)("%s is refused, naming the place", (_id, { rule, expect: expected }) => {
    const read = readRuleWire(rule);
    expect(read.ok).toBe(false);
    const places = read.problems.filter((problem) => problem.level !== "warning").map((problem) => problem.place);
    if (expected.target === undefined) expect(places.length).toBeGreaterThan(0);
    else expect(places).toEqual([expected.target]);
    expect(() => readRule(rule)).toThrow(ProblemError);
  });

  test.each(accepted)("%s is accepted without a word", (_id, { rule }) => {
    expect(readRuleWire(rule)).toMatchObject({ ok: true, problems: [] });
    lintRule(readRule(rule));
  });

  test.each(accepted)("%s, written and read again, is the same", (_id, { rule }) => {
    const first = readRule(rule);
    const wire = writeRuleWire(first);
    const again = readRuleWire(JSON.parse(JSON.stringify(wire)));
    if (!again.ok) throw new ProblemError(again.problems);
    expect(again.problems).toEqual([]);
    const { wire: _given, ...rest } = first;
    expect(again.rule).toMatchObject(rest.options.method.kind === "third_party" ? { ...rest, queries: expect.any(Array) as unknown } : rest);
    expect(writeRuleWire(again.rule)).toEqual(wire);
  });
});
