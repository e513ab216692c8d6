import { describe, expect, test } from "vitest";
import { parseQuery } from "../../host/query/parse.ts";
import { evaluate } from "../reference/evaluate.ts";
import { searchVectors as vectors } from "../support/vectors.ts";

describe.skipIf(!vectors.length)("search vectors on the reference (skipped where ../shared is absent)", () => {
  test("[SE-01] every vector", () => {
    const wrong: string[] = [];
    for (const vector of vectors) {
      const parsed = parseQuery(vector.query);
      if (vector.error) {
        if (parsed.ok) wrong.push(`${vector.id} accepted: ${vector.query} (${vector.why})`);
      } else if (!parsed.ok) wrong.push(`${vector.id} refused: ${vector.query}: ${parsed.problems[0]?.message} (${vector.why})`);
      else if (evaluate(parsed.node, vector.event) !== vector.match) wrong.push(`${vector.id} not ${vector.match}: ${vector.query} (${vector.why})`);
    }
    expect(wrong).toEqual([]);
  });
});
