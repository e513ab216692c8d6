import { beforeAll, describe, expect, test } from "vitest";
import { createMatcher } from "../../host/matcher.ts";
import { queryOf } from "../support/query.ts";
import { readableVectors as vectors } from "../support/vectors.ts";
import { loadKernel, variants } from "../support/wasm.ts";

const arrivalMs = Date.parse("2026-03-01T12:00:00Z");

beforeAll(() => variants.forEach((variant) => loadKernel(variant)));

describe.skipIf(!vectors.length)("search vectors on the kernels (skipped where ../shared is absent)", () => {
  test.each(variants)("[SE-01] every query on every event's batch, %s", async (variant) => {
    const queries = [...new Set(vectors.map((vector) => vector.query))];
    const matcher = await createMatcher({ queries: queries.map(queryOf), variant });
    // One batch that mixes all shapes: every vector's event is a row, every query runs on all of them.
    const bytes = new TextEncoder().encode(`${vectors.map((vector) => JSON.stringify(vector.event)).join("\n")}\n`);
    const matched = new Map<number, Set<number>>();
    for (const hit of await matcher.match(bytes, { format: "log", arrivalMs })) matched.set(hit.index, new Set(hit.queries));
    const wrong = vectors.flatMap((vector, row) => {
      const got = matched.get(row)?.has(queries.indexOf(vector.query)) ?? false;
      return got === vector.match ? [] : [`${vector.id} not ${vector.match}: ${vector.query} (${vector.why})`];
    });
    await matcher.close();
    expect(wrong).toEqual([]);
  });
});
