import { describe, expect, test } from "vitest";
import { parseQuery, QUERY_DEPTH_CAP } from "../../host/query/parse.ts";
import { printQuery } from "../../host/query/print.ts";
import type { QueryNode } from "../../host/query/tree.ts";
import { Generator } from "../match/generate.ts";

function bare(node: unknown): unknown {
  return JSON.parse(JSON.stringify(node, (name, value: unknown) => (name === "span" ? undefined : value)));
}

function parsed(text: string): QueryNode {
  const result = parseQuery(text);
  if (!result.ok) throw new Error(`${text}: ${result.problems[0]?.message}`);
  return result.node;
}

describe("printing", () => {
  test.each([
    ["source:auth  @a.b:c*d", "source:auth @a.b:c*d"],
    ["a OR (b AND c)", "a OR b c"],
    ["NOT (a OR b)", "-(a OR b)"],
    ['@a:"x \\" y"', '@a:"x \\" y"'],
    ["@n:[1 TO *}", "@n:[1 TO *}"],
    ["source:(auth OR nginx)", "source:auth OR source:nginx"],
    ["CIDR(@ip,10.0.0.0/8)", "CIDR(@ip, 10.0.0.0/8)"],
    ["CIDR( @a\\,b\\)c , 10.0.0.0/8 )", "CIDR(@a\\,b\\)c, 10.0.0.0/8)"],
    ["_missing_:@usr.id", "-@usr.id:*"],
    ["_exists_:(@a OR env)", "@a:* OR env:*"],
    ["_missing_:(\"@a.b\" host)", "-@a.b:* -host:*"],
    ["_exists_:(-@a service:x)", "-@a:* service:x"],
    ["", "*:*"],
  ])("%s comes out as %s", (text, expected) => expect(printQuery(parsed(text))).toBe(expected));

  test("5,000 generated trees come back as they went", () => {
    const random = new Generator(99);
    const events = Array.from({ length: 50 }, () => random.event());
    for (let i = 0; i < 5000; i++) {
      const once = parsed(printQuery(random.query(events)));
      expect(bare(parsed(printQuery(once)))).toEqual(bare(once));
    }
  });
});

describe("[SE-01] what is refused, and where", () => {
  test.each([
    ["(a", "query/unbalanced-parenthesis", 0],
    ["a)", "query/unbalanced-parenthesis", 1],
    [" )", "query/unbalanced-parenthesis", 1],
    ["()", "query/empty-group", 0],
    ['@a:"x', "query/unclosed-quote", 3],
    ["a\\", "query/dangling-escape", 1],
    ["a AND", "query/missing-operand", 2],
    ["AND a", "query/missing-operand", 0],
    ["a AND OR b", "query/missing-operand", 2],
    ["NOT", "query/missing-operand", 0],
    ["@a:", "query/missing-value", 0],
    [":x", "query/missing-field", 0],
    ["@a:[1 5]", "query/bad-range", 3],
    ["@a:[1 to 5]", "query/bad-range", 3],
    ["@a:>", "query/missing-operand", 3],
    ["@a:>-", "query/unescaped-character", 4],
    ["@a:>- 5", "query/unescaped-character", 4],
    ["@a:>--5", "query/unescaped-character", 4],
    ["@a:>-abc", "query/unescaped-character", 4],
    ["[1 TO 5]", "query/missing-field", 0],
    ["@a:b:c", "query/unescaped-character", 4],
    ['@a:b"c"', "query/unescaped-character", 4],
    ["a*:b", "query/wildcard-in-field", 0],
    ["!a", "query/unescaped-character", 0],
    ["+a", "query/unescaped-character", 0],
    ["CIDR(@ip)", "query/bad-cidr", 0],
    ["CIDR(@ip, 10.0.0.0/33)", "query/bad-cidr", 10],
    ["CIDR(host, 10.0.0.0/8)", "query/bad-cidr", 5],
    ["CIDR(@-a, 10.0.0.0/8)", "query/unescaped-character", 6],
    ["CIDR(@a\"b, 10.0.0.0/8)", "query/unescaped-character", 7],
    ["CIDR(@a:b, 10.0.0.0/8)", "query/unescaped-character", 7],
    ["CIDR(@a*, 10.0.0.0/8)", "query/wildcard-in-field", 5],
    ["CIDR(@a, 10.0.0.0/8 10.0.0.0/8)", "query/bad-cidr", 20],
    ["CIDR(@a,\u00a010.0.0.0/8)", "query/bad-cidr", 8],
    ["_exists_:(@a*)", "query/wildcard-in-field", 10],
    ["_exists_:(@a [1 TO 2])", "query/unescaped-character", 13],
    ['_exists_:""', "query/missing-field", 9],
    ['_missing_:"@"', "query/missing-field", 10],
  ])("%s: %s", (text, code, start) => {
    const result = parseQuery(text);
    expect(result.ok).toBe(false);
    if (result.ok) return;
    expect(result.problems[0]).toMatchObject({ code, at: { start } });
    expect(result.problems[0]!.hint).toBeTruthy();
  });

  test("deep nesting is a problem, not an overflow", () => {
    const text = `${"(".repeat(QUERY_DEPTH_CAP + 1)}a${")".repeat(QUERY_DEPTH_CAP + 1)}`;
    expect(parseQuery(text)).toMatchObject({ ok: false, problems: [{ code: "query/too-deep" }] });
    expect(parseQuery(`${"-".repeat(60_000)}a`)).toMatchObject({ ok: false });
  });

  test("no text makes it throw, and every span lies inside", () => {
    const alphabet = [..."ab @#:*?-+=()[]{}<>\"\\!~^,./|&1 TO OR AND NOT CIDR(", "\u201c", "é", "\u{1f600}"];
    const random = new Generator(7);
    for (let i = 0; i < 20_000; i++) {
      const text = Array.from({ length: random.below(24) }, () => random.pick(alphabet)).join("");
      const result = parseQuery(text);
      if (result.ok) parsed(printQuery(result.node));
      else for (const { at } of result.problems) {
        expect(at!.start).toBeGreaterThanOrEqual(0);
        expect(at!.end).toBeLessThanOrEqual(text.length);
        expect(at!.start).toBeLessThanOrEqual(at!.end);
      }
    }
  });
});
