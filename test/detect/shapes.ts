import type { TestQuery } from "./support.ts";

const a: TestQuery = { name: "a" };
const b: TestQuery = { name: "b" };
const c: TestQuery = { name: "c" };
export const all: TestQuery = { name: "all", groupBy: [] };
const of = (aggregation: string, query: TestQuery = a): TestQuery => ({ ...query, aggregation });

/** Queries, conditions of the cases, and a window in seconds. */
export const shapes: ReadonlyArray<readonly [string, readonly TestQuery[], ReadonlyArray<string | undefined>, number]> = [
  ["count", [a], ["a > 3"], 60],
  ["count, cases", [a], ["a >= 5", "2 * a > 5", "a > 1"], 60],
  ["count below", [a], ["a < 3"], 60],
  ["count at most", [a, b], ["a <= 2 && b > 1", "b <= 1"], 300],
  ["no condition", [a, b], ["b > 4", undefined], 60],
  ["no factor", [a], ["0 * a >= 1", "0 * a < 1 && a > 2"], 60],
  ["two groups of fields", [{ name: "a", groupBy: ["@u", "@v"] }, { name: "b", groupBy: ["@w", "@x"] }], ["a > 1 && b > 1"], 60],
  ["join", [a, b, c], ["a > 2 && b > 0", "c > 3 || b > 4"], 60],
  ["join of terms", [a, b], ["a > 2 * b"], 60],
  ["terms both ways", [a, b], ["a >= b && a > 2", "3 * b < 2 * a"], 300],
  ["cardinality", [of("cardinality")], ["a > 2"], 60],
  ["cardinality, long window", [of("cardinality")], ["a >= 5", "a > 1"], 900],
  ["cardinality joined", [of("cardinality"), b], ["a > 2 && b > 1"], 300],
  ["cardinality below", [of("cardinality"), b], ["a < 2 && b > 2"], 300],
  ["cardinality of terms", [of("cardinality"), of("cardinality", b)], ["a > b", "a > 3"], 300],
  ["sum", [of("sum")], ["a >= 9", "a > 5"], 60],
  ["sum below", [of("sum"), b], ["a < 4 && b > 1"], 300],
  ["sum of terms", [of("sum"), b], ["a > 2 * b"], 60],
  ["max", [of("max")], ["a > 4", "2 * a >= 6"], 60],
  ["max below", [of("max")], ["a < 3", "a <= 4"], 60],
  ["max of zero", [of("max")], ["a > 4", "a >= 0"], 60],
  ["max of terms", [of("max"), of("sum", b)], ["b > a"], 300],
  ["all kinds", [of("cardinality"), of("sum", b), of("max", c)], ["a > 2 && b > 5", "c > 4 && a > 1"], 300],
  ["then", [a, b], ["a > 1 THEN b > 0"], 60],
  ["then, both sides", [a, b], ["a > 1 && b > 0 THEN a > 0 || b > 1"], 300],
  ["then, cardinality", [of("cardinality"), of("max", b)], ["a > 1 THEN b > 3 && a > 1"], 300],
  ["then, below", [a, of("sum", b)], ["a > 0 THEN b < 4"], 60],
  ["ungrouped", [all], ["all > 5"], 60],
  ["shared", [a, all], ["a > 1 && all > 3"], 60],
  ["shared, long window", [a, all], ["all > 6", "a > 2"], 300],
  ["shared below", [a, all], ["all < 3 && a > 1"], 60],
  ["shared terms", [a, all], ["a > all", "3 * a > all"], 60],
  ["shared cardinality", [of("count"), of("cardinality", all)], ["a > 0 && all > 2"], 60],
  ["shared sum", [a, of("sum", all), b], ["all > 10 && b > 0", "a > 3"], 60],
  ["shared then", [a, all], ["a > 1 THEN all > 2"], 60],
  ["then shared", [a, all], ["all > 3 THEN a > 1"], 300],
  ["alone", [a], ["a > 0"], 0],
  ["alone, joined", [a, b], ["a > 0 && b > 0", "a > 0"], 0],
  ["alone, values", [of("cardinality"), of("max", b)], ["a > 1", "b > 2"], 0],
  ["alone, shared", [of("sum"), all], ["a > 2 && all > 0", "a >= 0"], 0],
  ["alone, then", [a, b], ["a > 0 THEN b > 0"], 0],
];
