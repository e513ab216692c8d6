import { describe, expect, test } from "vitest";
import type { LogEvent } from "../../host/event/event.ts";
import { hasShared, readShared } from "../support/shared.ts";
import { variants } from "../support/wasm.ts";
import { TestMatcher } from "./support.ts";

interface Vector {
  readonly id: string;
  readonly query: string;
  readonly event: LogEvent;
  readonly match?: boolean;
  readonly error?: boolean;
  readonly why: string;
}

const file = "conformance/search.jsonl";
const vectors: Vector[] = hasShared(file)
  ? new TextDecoder().decode(readShared(file)).trim().split("\n").map((line) => JSON.parse(line) as Vector).filter((vector) => !vector.error)
  : [];
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
