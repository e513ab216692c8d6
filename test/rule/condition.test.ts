import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Condition, type ConditionNode, labelsOf, parseCondition } from "../../host/rule/condition.ts";
import { printCondition, renameLabel } from "../../host/rule/condition-print.ts";
import { readPercentile } from "../../host/rule/percentile.ts";

const labels = ["a", "b", "c", "failed_login", "successful_login"];

/** The tree without spans, as nested lists. */
function shape(node: ConditionNode): unknown {
  if (node.kind !== "compare") return [node.kind, ...node.nodes.map(shape)];
  return [node.left, node.op, node.right];
}

function shapes(condition: Condition): unknown[] {
  return condition.then ? [shape(condition.first), shape(condition.then)] : [shape(condition.first)];
}

function read(text: string): Condition {
  const parsed = parseCondition(text, labels);
  if (!parsed.ok) throw new Error(parsed.problem.message);
  return parsed.condition;
}

describe("conditions that are read", () => {
  test.each([
    ["a > 5", "a > 5"],
    ["a>5", "a > 5"],
    ["  a\t>=\n5 ", "a >= 5"],
    ["a < 5", "a < 5"],
    ["a <= 0", "a <= 0"],
    ["(a > 5)", "a > 5"],
    ["((((a > 5))))", "a > 5"],
    ["a > 5 && b > 0", "a > 5 && b > 0"],
    ["a>5&&b>0||c<3", "a > 5 && b > 0 || c < 3"],
    ["a > 1 || b > 1 && c > 1", "a > 1 || b > 1 && c > 1"],
    ["(a > 1 || b > 1) && c > 1", "(a > 1 || b > 1) && c > 1"],
    ["a > 1 && (b > 1 && c > 1)", "a > 1 && b > 1 && c > 1"],
    ["a > b", "a > b"],
    ["a > 3 * b", "a > 3 * b"],
    ["a > b * 3", "a > 3 * b"],
    ["3 * a > b", "3 * a > b"],
    ["3*a<=2*b", "3 * a <= 2 * b"],
    ["1 * a > 007", "a > 7"],
    ["a > 0 THEN b > 0", "a > 0 THEN b > 0"],
    ["a > 0 then b > 0", "a > 0 THEN b > 0"],
    ["a > 0 Then b > 0", "a > 0 THEN b > 0"],
    ["a>0 THEN(b>0||c>0)", "a > 0 THEN b > 0 || c > 0"],
    ["a > 9007199254740991", "a > 9007199254740991"],
  ])("[DE-43] %s", (text, printed) => {
    expect(printCondition(read(text))).toBe(printed);
    expect(shapes(read(printed))).toEqual(shapes(read(text)));
  });

  test("[DE-10] the documentation's own example, blanks as they please", () => {
    const expected = [["and", [{ label: "failed_login", factor: 1 }, ">", 5], [{ label: "successful_login", factor: 1 }, ">", 0]]];
    expect(shapes(read("failed_login > 5 && successful_login>0"))).toEqual(expected);
    expect(shapes(read("failed_login>5&&successful_login>0"))).toEqual(expected);
  });

  test("[DE-43] && binds tighter than ||", () => {
    expect(shape(read("a > 1 || b > 2 && c > 3").first)).toEqual(["or", [{ label: "a", factor: 1 }, ">", 1], ["and", [{ label: "b", factor: 1 }, ">", 2], [{ label: "c", factor: 1 }, ">", 3]]]);
  });

  test("spans are where the comparison stands", () => {
    const text = " a > 5 && (failed_login >= 10)";
    const { first } = read(text);
    const spans = first.kind === "compare" ? [] : first.nodes.map((node) => text.slice(node.span.start, node.span.end));
    expect(spans).toEqual(["a > 5", "failed_login >= 10"]);
    expect(text.slice(first.span.start, first.span.end)).toBe("a > 5 && (failed_login >= 10");
  });

  test("labels, each once", () => {
    expect(labelsOf(read("c > a && (a > 1 || b > 2 * c)").first)).toEqual(["c", "a", "b"]);
  });
});

describe("conditions that are refused, each with the place and the way out", () => {
  test.each([
    ["3 < a", "rule/number-before-operator", "3", "a > 3"],
    ["a > 1 && 10 >= b", "rule/number-before-operator", "10", "b <= 10"],
    ["", "rule/empty-condition", "", "leave the member out"],
    ["   ", "rule/empty-condition", "", "leave the member out"],
    ["a", "rule/bad-condition", "", "complete the comparison"],
    ["a >", "rule/bad-condition", "", "complete the comparison"],
    ["> 5", "rule/bad-condition", ">", "a > 5"],
    ["5", "rule/bad-condition", "5", "a > 5"],
    ["a == 5", "rule/bad-operator", "==", "a >= 5 && a <= 5"],
    ["a != 5", "rule/bad-operator", "!=", "use >"],
    ["a <> 5", "rule/bad-operator", "<>", "use >"],
    ["a = 5", "rule/bad-operator", "=", "use >"],
    ["a => 5", "rule/bad-operator", "=>", "write >="],
    ["a =< 5", "rule/bad-operator", "=<", "write <="],
    ["!a > 5", "rule/bad-operator", "!", "a <= 5"],
    ["!(a > 5)", "rule/bad-operator", "!", "a <= 5"],
    ["a > 5 && !b > 1", "rule/bad-operator", "!", "a <= 5"],
    ["NOT a > 5", "rule/bad-operator", "NOT", "a <= 5"],
    ["a + b > 5", "rule/bad-operator", "+", "number times a label"],
    ["a - b > 5", "rule/bad-operator", "-", "number times a label"],
    ["a / 2 > 5", "rule/bad-operator", "/", "number times a label"],
    ["a % 2 > 5", "rule/bad-operator", "%", "number times a label"],
    ["a > -1", "rule/bad-number", "-", "from 0"],
    ["a > 2.5", "rule/bad-number", "2.5", "from 0"],
    ["a > 2.", "rule/bad-number", ".", "from 0"],
    ["a > 2,500", "rule/bad-number", ",", "from 0"],
    ["a > 1e3", "rule/bad-number", "1e3", "letter"],
    ["a > 99999999999999999999", "rule/bad-number", "99999999999999999999", "at most"],
    ["a > 5 & b > 1", "rule/bad-operator", "&", "write &&"],
    ["a > 5 | b > 1", "rule/bad-operator", "|", "write ||"],
    ["a > 5 AND b > 1", "rule/bad-operator", "AND", "write &&"],
    ["a > 5 or b > 1", "rule/bad-operator", "or", "write ||"],
    ["a > 5 b > 1", "rule/bad-condition", "b", "a > 5 && b > 0"],
    ["a > 5 &&", "rule/bad-condition", "", "complete the comparison"],
    ["&& a > 5", "rule/bad-condition", "&&", "a > 5"],
    ["(a > 5", "rule/bad-condition", "(", 'add ")"'],
    ["a > 5)", "rule/bad-condition", ")", "take it out"],
    ["()", "rule/bad-condition", ")", "take it out"],
    ["a > 3 > 1", "rule/bad-condition", ">", "a > 3 && a < 9"],
    ["a * b > 3", "rule/bad-condition", "b", "a > 5"],
    ["2 * 3 * a > 3", "rule/bad-condition", "3", "a > 5"],
    ["a * 2 * 2 > 3", "rule/bad-condition", "*", "a > 3 * b"],
    ["d > 3", "rule/unknown-label", "d", "the labels are a, b"],
    ["A > 3", "rule/unknown-label", "A", "did you mean a?"],
    ["faild_login > 3", "rule/unknown-label", "faild_login", "did you mean failed_login?"],
    ["a > 0 THEN b > 0 THEN c > 0", "rule/repeated-then", "THEN", "sequence rule"],
    ["(a > 0 THEN b > 0)", "rule/nested-then", "THEN", "two whole conditions"],
    ["a > 0 && (b > 0 THEN c > 0)", "rule/nested-then", "THEN", "two whole conditions"],
    ["THEN a > 0", "rule/bad-condition", "THEN", "a > 0 THEN b > 0"],
    ["a > 0 THEN", "rule/bad-condition", "", "complete the comparison"],
    ["a THEN b > 0", "rule/bad-condition", "THEN", "cannot be a label"],
    ["then > 0", "rule/bad-condition", "then", "THEN"],
    ["a > 5;", "rule/bad-condition", ";", "a > 5 && b > 0"],
    ["a > 'x'", "rule/bad-condition", "'", "a > 5 && b > 0"],
  ])("[DE-44] %s", (text, code, at, hint) => {
    const parsed = parseCondition(text, labels);
    if (parsed.ok) throw new Error("it was accepted");
    const { problem } = parsed;
    expect([problem.code, text.slice(problem.at!.start, problem.at!.end)]).toEqual([code, at]);
    expect(problem.hint).toContain(hint);
    expect(problem.message).not.toBe("");
  });

  test("[DE-44] number before the operator: the hint turns it round", () => {
    const parsed = parseCondition("3 < a", ["a"]);
    expect(parsed).toMatchObject({ ok: false, problem: { message: "the number 3 stands before the operator", hint: "write the query label first: a > 3" } });
  });

  test("deep and long ones cost nothing", () => {
    expect(parseCondition(`${"(".repeat(65)}a > 1${")".repeat(65)}`, labels)).toMatchObject({ ok: false, problem: { message: "parentheses are nested too deep" } });
    expect(parseCondition("(".repeat(9000), labels).ok).toBe(false);
    expect(parseCondition("a > 1 && ".repeat(5000), labels)).toMatchObject({ ok: false, problem: { code: "rule/bad-condition" } });
  });
});

describe("any condition", () => {
  const label = fc.constantFrom(...labels);
  const term = fc.record({ label, factor: fc.nat(20) });
  const span = { start: 0, end: 0 };
  const compare = fc.record({ kind: fc.constant("compare" as const), left: term, op: fc.constantFrom(">", ">=", "<", "<="), right: fc.oneof(fc.nat(1000), term), span: fc.constant(span) }) as fc.Arbitrary<ConditionNode>;
  const { node } = fc.letrec<{ node: ConditionNode }>((tie) => ({
    node: fc.oneof({ maxDepth: 4 }, compare, fc.record({ kind: fc.constantFrom("and" as const, "or" as const), nodes: fc.array(tie("node"), { minLength: 2, maxLength: 3 }), span: fc.constant(span) })),
  }));

  test("printed and read again is the same", () => {
    fc.assert(fc.property(node, fc.option(node, { nil: undefined }), (first, then) => {
      const text = printCondition(then ? { first, then } : { first });
      const again = read(text);
      expect(printCondition(again)).toBe(text);
      expect(shapes(read(printCondition(again)))).toEqual(shapes(again));
    }), { numRuns: 300, seed: 7 });
  });

  test("no text makes the reader fail in any other way than with a problem inside the text", () => {
    const piece = fc.constantFrom("a", "b", " ", ">", ">=", "<", "==", "!", "&&", "||", "(", ")", "*", "3", "0", "2.5", "THEN", "then", "-", "x", "\n", "é");
    fc.assert(fc.property(fc.oneof(fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join("")), fc.string({ unit: "binary" })), (text) => {
      const parsed = parseCondition(text, labels);
      if (parsed.ok) return;
      expect(parsed.problem.at!.start).toBeGreaterThanOrEqual(0);
      expect(parsed.problem.at!.end).toBeLessThanOrEqual(text.length);
      expect(parsed.problem.hint).toBeTruthy();
    }), { numRuns: 2000, seed: 11 });
  });
});

describe("renaming a query", () => {
  test.each([
    ["a > 5 && b > 0", "failed > 5 && b > 0"],
    ["(a>5||2*a<b) THEN a > 0", "(failed>5||2*failed<b) THEN failed > 0"],
    ["ab > 5 && a_ > 1 && b > 1", "ab > 5 && a_ > 1 && b > 1"],
  ])("[DE-08] %s", (text, renamed) => expect(renameLabel(text, "a", "failed")).toBe(renamed));
});

describe("percentiles of anomaly cases", () => {
  test.each([
    ["a > 0.995", 0.995],
    ["a>=0.5", 0.5],
    ["a > .9", 0.9],
    ["a > 1", undefined],
    ["a > 100", undefined],
  ])("%s", (text, percentile) => expect(readPercentile(text, ["a"])).toEqual({ ok: true, percentile }));

  test.each([
    ["a > 0", "rule/bad-number"],
    ["a > 1.5", "rule/bad-number"],
    ["b > 0.9", "rule/unknown-label"],
    ["a > 0.9 && a > 0.8", "rule/bad-condition"],
    ["a > 1 && a > 2", "rule/bad-condition"],
    ["a > 1 THEN a > 2", "rule/bad-condition"],
    ["2 * a > 1", "rule/bad-condition"],
    ["a < 0.9", "rule/bad-condition"],
    ["0.9 < a", "rule/bad-condition"],
  ])("%s is refused", (text, code) => expect(readPercentile(text, ["a"])).toMatchObject({ ok: false, problem: { code } }));
});
