import { expect, test } from "vitest";
import { hasTerm, withTerm, withoutTerm } from "../../web/ui/terms.ts";

test.each([
  ["", "c:3"], ["*", "c:3"], ["a:1", "a:1 c:3"], ["a:1 c:3", "a:1 c:3"], ["a:1 OR b:2", "(a:1 OR b:2) c:3"], ["(a:1 OR b:2)", "(a:1 OR b:2) c:3"], ["(a:1) OR (b:2)", "((a:1) OR (b:2)) c:3"], ["a:1 OR c:3", "(a:1 OR c:3) c:3"],
  ["((a:1) OR (b:2))", "((a:1) OR (b:2)) c:3"], ['(a:"x)" OR b:2)', '(a:"x)" OR b:2) c:3'], ["(a:x\\) OR b:2)", "(a:x\\) OR b:2) c:3"], ['(a:"(") OR (b:")")', '((a:"(") OR (b:")")) c:3'], ['a:"x OR y"', 'a:"x OR y" c:3'],
])("a facet narrows all of %s", (query, narrowed) => expect(withTerm(query, "c:3")).toBe(narrowed));

test.each([
  ["c:3", ""], ["a:1 c:3 b:2", "a:1 b:2"], ["c:3 (a:1 OR b:2)", "(a:1 OR b:2)"], ["a:1 AND c:3", "a:1"], ["c:3 AND a:1", "a:1"], ["a:1 AND c:3 AND b:2", "a:1 AND b:2"], ['m:"x  y" c:3', 'm:"x  y"'], ["-c:3 c:3", "-c:3"],
])("what was narrowed is let go again: %s", (query, rest) => {
  expect(hasTerm(query, "c:3")).toBe(true);
  expect(withoutTerm(query, "c:3")).toBe(rest);
});

test.each(["a:1 OR c:3", "(a:1 c:3 OR b:2)", "NOT c:3", "-c:3", "a:1 c:34", "abc:3", 'm:"a c:3 b"'])("%s is not narrowed to it", (query) => {
  expect(hasTerm(query, "c:3")).toBe(false);
  expect(withoutTerm(query, "c:3")).toBe(query);
});
