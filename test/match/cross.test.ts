import { describe, expect, test } from "vitest";
import { evaluate } from "../reference/evaluate.ts";
import { readableVectors as vectors } from "../support/vectors.ts";
import { variants } from "../support/wasm.ts";
import { TestMatcher, treeOf } from "./support.ts";

const queries = [...new Set(vectors.map((vector) => vector.query))];
const events = [...new Map(vectors.map((vector) => [JSON.stringify(vector.event), vector.event])).values()];

describe.skipIf(!vectors.length).each(variants)("queries over each other's events, %s (skipped where ../shared is absent)", (variant) => {
  test("[SE-01] every query of the vectors on every event, as the reference has it", () => {
    const trees = queries.map(treeOf);
    const hits = new TestMatcher(variant, trees).match(events);
    const wrong: string[] = [];
    events.forEach((event, row) => {
      const found = new Set(hits[row]);
      trees.forEach((tree, query) => {
        if (evaluate(tree, event) !== found.has(query)) wrong.push(`${queries[query]} on ${JSON.stringify(event)}: kernel says ${found.has(query)}`);
      });
    });
    expect(wrong).toEqual([]);
  }, 60_000);
});
