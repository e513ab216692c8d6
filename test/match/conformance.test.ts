import { describe, expect, test } from "vitest";
import { readableVectors as vectors } from "../support/vectors.ts";
import { variants } from "../support/wasm.ts";
import { TestMatcher } from "./support.ts";

const queries = [...new Set(vectors.map((vector) => vector.query))];

describe.skipIf(!vectors.length).each(variants)("search vectors on columns, %s (skipped where ../shared is absent)", (variant) => {
  test.each([1, 7, 64, 1000])("[SE-01] every vector, all queries together, batches of %i mixed events", (batch) => {
    const matcher = new TestMatcher(variant, queries);
    const numbers = new Map(queries.map((query, i) => [query, i]));
    const wrong: string[] = [];
    for (let first = 0; first < vectors.length; first += batch) {
      const some = vectors.slice(first, first + batch);
      const hits = matcher.match(some.map((vector) => vector.event));
      some.forEach((vector, row) => {
        if (hits[row]!.includes(numbers.get(vector.query)!) !== vector.match) wrong.push(`${vector.id} not ${vector.match}: ${vector.query} (${vector.why})`);
      });
    }
    expect(wrong).toEqual([]);
  });
});
