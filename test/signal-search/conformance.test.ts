import { describe, expect, test } from "vitest";
import type { LogEvent } from "../../host/event/event.ts";
import { queryTime } from "../../host/event/timestamp.ts";
import { parseQuery } from "../../host/query/parse.ts";
import { hasBit } from "../../host/signal-search/bits.ts";
import { Deadline } from "../../host/signal-search/deadline.ts";
import { Evaluator } from "../../host/signal-search/evaluate.ts";
import { SignalIndex } from "../../host/signal-search/signal-index.ts";
import { evaluate } from "../reference/evaluate.ts";
import { readableVectors as vectors } from "../support/vectors.ts";

describe.skipIf(!vectors.length)("search vectors over columns (skipped where ../shared is absent)", () => {
  test("[SI-13] every vector, all events in one index, each query asked of every event", () => {
    // Every signal has a time of creation: an event without one is left out where time is asked for.
    const index = new SignalIndex();
    const rows = new Map<string, number>();
    const events: LogEvent[] = [];
    for (const { event } of vectors) {
      const key = JSON.stringify(event);
      if (rows.has(key)) continue;
      rows.set(key, events.length);
      events.push(event);
      index.add({ id: String(events.length), timestampMs: event.timestamp === undefined ? Number.NaN : queryTime(String(event.timestamp))!, event });
    }
    const wrong: string[] = [];
    let asked = 0;
    for (const { id, query, event, match, why } of vectors) {
      const parsed = parseQuery(query);
      if (!parsed.ok) throw new Error(query);
      const found = new Evaluator(index, new Deadline(60_000)).matching(parsed.node);
      if (hasBit(found, rows.get(JSON.stringify(event))!) !== match) wrong.push(`${id} not ${match}: ${query} (${why})`);
      for (const [row, other] of events.entries()) {
        if (/timestamp/.test(query) && other.timestamp === undefined) continue;
        asked++;
        if (hasBit(found, row) !== evaluate(parsed.node, other)) wrong.push(`${id}: ${query} of ${JSON.stringify(other)}`);
      }
    }
    expect(wrong.slice(0, 20)).toEqual([]);
    expect(asked).toBeGreaterThan(10_000);
  });
});
