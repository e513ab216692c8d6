import { describe, expect, test } from "vitest";
import { evaluate } from "../reference/evaluate.ts";
import { variants } from "../support/wasm.ts";
import { Generator } from "./generate.ts";
import { TestMatcher } from "./support.ts";

const seeds = Number(process.env.VESPID_MATCH_SEEDS ?? 6);
const first = Number(process.env.VESPID_MATCH_FIRST_SEED ?? 1);

describe.each(variants)("generated queries over generated events, %s", (variant) => {
  test.each(Array.from({ length: seeds }, (_, i) => first + i))("seed %i, as the reference has it", (seed) => {
    const random = new Generator(seed * 7919);
    const events = Array.from({ length: 1 + random.below(300) }, () => random.event());
    const queries = Array.from({ length: 150 }, () => random.query(events));
    const matcher = new TestMatcher(variant, queries);
    // Twice over the same kernel, the second time in two batches: nothing may be left over from the batch before.
    const whole = matcher.match(events);
    const half = random.below(events.length + 1);
    expect([...matcher.match(events.slice(0, half)), ...matcher.match(events.slice(half))]).toEqual(whole);
    const wrong: string[] = [];
    let hits = 0;
    events.forEach((event, row) => {
      const found = new Set(whole[row]);
      hits += found.size;
      queries.forEach((query, i) => {
        const expected = evaluate(query, event);
        if (expected !== found.has(i) && wrong.length < 5) wrong.push(`expected ${expected}: ${JSON.stringify(query)} on ${JSON.stringify(event)}`);
      });
    });
    expect(wrong).toEqual([]);
    expect(hits).toBeGreaterThan(0);
  }, 60_000);
});
