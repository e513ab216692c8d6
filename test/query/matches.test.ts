import { describe, expect, test } from "vitest";
import type { LogEvent } from "../../host/event/event.ts";
import { matches } from "../../host/query/matches.ts";
import { parseQuery } from "../../host/query/parse.ts";

function asks(query: string, event: LogEvent): boolean {
  const parsed = parseQuery(query);
  if (!parsed.ok) throw new Error(parsed.problems[0]!.message);
  return matches(parsed.node, event);
}

describe("times", () => {
  test.each<[string, string | number, boolean]>([
    ["timestamp:1700000000000", 1_700_000_000_000, true],
    ["timestamp:1700000000000", "2023-11-14T22:13:20Z", true],
    ['timestamp:"2023-11-14T22:13:20Z"', 1_700_000_000_000, true],
    ['timestamp:"2023-11-14T22:13:20"', 1_700_000_000_000, true],
    ['timestamp:"2023-11-14T23:13:20+01:00"', 1_700_000_000_000, true],
    ["timestamp:>=2023-11-14", "2023-11-14T00:00:00Z", true],
    ["timestamp:>2023-11-14", "2023-11-14T00:00:00Z", false],
    ["timestamp:nonsense", "rubbish", false],
    ["timestamp:nonsense", "nonsense", false],
    ["timestamp:>nonsense", 1_700_000_000_000, false],
  ])("%s of %s: %s", (query, timestamp, expected) => expect(asks(query, { timestamp })).toBe(expected));
});

describe("patterns over words that hold a separator", () => {
  test.each([
    ["foo\\ b*", "a foo bar", true], ["foo\\ b*", "a foo-bar", false], ["foo\\ b*", "xfoo bar", false], ["*oo\\ bar", "foo bar", true],
    ["oo\\ b*", "foo bar", false], ["foo\\ b?r", "foo bar baz", true], ["foo\\ b?", "foo bar", false], ["f*\\ *z", "foo bar baz", true],
    ["FOO\\ B*", "a foo bar", true], ["*\\ *", "foobar", false],
  ])("%s in %s: %s", (query, message, expected) => expect(asks(query, { message })).toBe(expected));

  test("take no longer than pattern times text", () => {
    expect(asks("*a*a*a*a\\ b*", { message: "a ".repeat(5000) })).toBe(false);
    expect(asks("@x:*a*a*a*a*a*b", { attributes: { x: "a".repeat(20_000) } })).toBe(false);
  });
});
