import { beforeAll, describe, expect, test } from "vitest";
import type { Json, LogEvent } from "../../host/event/event.ts";
import { normalizeEvent } from "../../host/event/normalize.ts";
import { createMatcher } from "../../host/matcher.ts";
import { printQuery } from "../../host/query/print.ts";
import { Generator } from "../match/generate.ts";
import { evaluate } from "../reference/evaluate.ts";
import { loadKernel, variants } from "../support/wasm.ts";

const seeds = Number(process.env.VESPID_BYTES_SEEDS ?? 8);
const EVENTS = 120;
const QUERIES = 120;
const arrivalMs = Date.parse("2026-03-01T12:00:00Z");

beforeAll(() => variants.forEach((variant) => loadKernel(variant)));

/** The event as a shipper would send it. */
function wire(event: LogEvent): { [name: string]: Json } {
  const record: { [name: string]: Json } = { ...event.attributes };
  if (event.source !== undefined) record.ddsource = event.source;
  if (event.host !== undefined) record.hostname = event.host;
  if (event.service !== undefined) record.service = event.service;
  if (event.status !== undefined) record.status = event.status;
  if (event.message !== undefined) record.message = event.message;
  if (event.tags) record.ddtags = event.tags.join(",");
  if (event.timestamp !== undefined) record.timestamp = event.timestamp;
  return record;
}

describe.each(variants)("bytes to matches, %s", (variant) => {
  test.each(Array.from({ length: seeds }, (_, i) => i + 1).flatMap((seed) => [[seed, "log"] as const, [seed, "intake"] as const]))("seed %i, format %s, as the evaluator has it on the envelope", async (seed, format) => {
    const random = new Generator(seed * 104_729);
    const records = Array.from({ length: EVENTS }, () => {
      const event = random.event();
      return format === "log" ? (event as unknown as { [name: string]: Json }) : wire(event);
    });
    const events = records.map((record) => normalizeEvent(JSON.parse(JSON.stringify(record)), { format }));
    const queries = Array.from({ length: QUERIES }, () => random.query(events));
    const matcher = await createMatcher({ queries, variant });
    const bytes = new TextEncoder().encode(`${records.map((record) => JSON.stringify(record)).join("\n")}\n`);
    const hits = new Map((await matcher.match(bytes, { format, arrivalMs })).map((hit) => [hit.index, new Set(hit.queries)]));
    await matcher.close();
    const wrong: string[] = [];
    events.forEach((event, row) => queries.forEach((query, i) => {
      const expected = evaluate(query, event);
      if (expected !== (hits.get(row)?.has(i) ?? false) && wrong.length < 3) wrong.push(`expected ${expected}: ${printQuery(query)} on ${JSON.stringify(records[row])}`);
    }));
    expect(wrong).toEqual([]);
    expect(hits.size).toBeGreaterThan(0);
  });
});
