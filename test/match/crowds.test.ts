import { describe, expect, test } from "vitest";
import type { LogEvent } from "../../host/event/event.ts";
import { evaluate } from "../reference/evaluate.ts";
import { variants } from "../support/wasm.ts";
import { Generator } from "./generate.ts";
import { TestMatcher, treeOf } from "./support.ts";

function expectedPairs(queries: readonly string[], events: readonly LogEvent[]): Array<readonly [number, number]> {
  const trees = queries.map(treeOf);
  return events.flatMap((event, row) => trees.flatMap((tree, id) => (evaluate(tree, event) ? [[id, row] as const] : [])));
}

describe.each(variants)("many queries alike, %s", (variant) => {
  test.each([
    ["words", (name: string) => name],
    ["contained", (name: string) => `@a:*${name}*`],
    ["inside a pattern", (name: string) => `@a:*${name}*of*`],
    ["at the beginning", (name: string) => `@a:${name}*`],
  ])("literals that begin alike: %s", (_, query) => {
    const random = new Generator(31);
    const name = (): string => `user${random.below(36 ** (1 + random.below(4))).toString(36)}`;
    const names = [...new Set(Array.from({ length: 600 }, name))];
    const queries = names.map(query);
    const events: LogEvent[] = Array.from({ length: 300 }, () => {
      const text = `${"-".repeat(random.below(6))}${random.chance(0.5) ? random.pick(names) : name()}${random.pick(["", " ", "!", " of "])}${random.chance(0.5) ? random.pick(names).toUpperCase() : name()}`;
      return { message: text, attributes: { a: text } };
    });
    const wanted = expectedPairs(queries, events);
    expect(wanted.length).toBeGreaterThan(50);
    expect(new TestMatcher(variant, queries).pairs(events)).toEqual(wanted);
  });

  test.each([
    ["one number", [7]],
    ["a few", [7, 7.5, -3, 12]],
    ["none", []],
    ["texts beside them", ["7", "x", 12, true]],
    ["beyond the doubles", ["1e400", "-1e400", 3]],
    ["several in one event", [[1, 9], 12]],
  ] as const)("bounds at, beside and beyond the numbers of a batch: %s", (_, values) => {
    const bounds = [-4, -3, -2.5, 0, 3, 6.999, 7, 7.25, 7.5, 11, 12, 13];
    const queries = bounds.flatMap((bound) => [">", ">=", "<", "<="].flatMap((operator) => [`source:s @n:${operator}${bound}`, `source:s -@n:${operator}${bound}`]))
      .concat(bounds.flatMap((low) => bounds.map((high) => `source:s @n:[${low} TO ${high}]`)), ["source:s @n:[* TO *]"]);
    const events = [...values.map((n): LogEvent => ({ source: "s", attributes: { n: Array.isArray(n) ? [...n] : (n as number) } })), { source: "s", attributes: {} }];
    // Another batch before: what it held must not be taken for this one's.
    const matcher = new TestMatcher(variant, queries);
    matcher.pairs([{ source: "s", attributes: { n: 1000 } }, { source: "s", attributes: { n: -1000 } }]);
    expect(matcher.pairs(events)).toEqual(expectedPairs(queries, events));
  });
});
