import { describe, expect, test } from "vitest";
import type { LogEvent } from "../../host/event/event.ts";
import { parseQuery } from "../../host/query/parse.ts";
import { evaluate } from "../reference/evaluate.ts";
import { hasShared, readShared } from "../support/shared.ts";

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
  ? new TextDecoder().decode(readShared(file)).trim().split("\n").map((line) => JSON.parse(line) as Vector)
  : [];

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
