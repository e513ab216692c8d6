import { describe, expect, test } from "vitest";
import * as layout from "../../assembly/layout.ts";
import type { LogEvent } from "../../host/event/event.ts";
import { variants } from "../support/wasm.ts";
import { Generator } from "./generate.ts";
import { TestMatcher } from "./support.ts";

const queries = ["*", "@a:x", "-@a:x", "@a:*", "error", "@n:>3", "@a:y OR error", "@a:*yy*"];

function sampleEvents(count: number): LogEvent[] {
  const random = new Generator(5);
  return Array.from({ length: count }, () => ({
    message: random.pick(["an error", "fine", "error error"]),
    attributes: { a: random.pick(["x", "y", "ayyb", null]), n: random.below(8) },
  }));
}

describe.each(variants)("pairs of a batch, %s", (variant) => {
  test("come by row, then by standing number", () => {
    const pairs = new TestMatcher(variant, queries).pairs(sampleEvents(1000))!;
    expect(pairs.length).toBeGreaterThan(1000);
    expect([...pairs].sort((a, b) => a[1] - b[1] || a[0] - b[0])).toEqual(pairs);
  });

  test("do not depend on how the events are cut into batches", () => {
    const matcher = new TestMatcher(variant, queries);
    const events = sampleEvents(700);
    const whole = matcher.match(events);
    for (const size of [1, 63, 64, 65, 127, 128, 129, 500]) {
      const cut: number[][] = [];
      for (let first = 0; first < events.length; first += size) cut.push(...matcher.match(events.slice(first, first + size)));
      expect(cut, `batches of ${size}`).toEqual(whole);
    }
  });

  test("that do not fit are refused, and fit when the batch is halved", () => {
    const many = Array.from({ length: 100 }, (_, i) => (i % 2 ? "*" : "@a:*"));
    const matcher = new TestMatcher(variant, many);
    const events: LogEvent[] = Array.from({ length: layout.ROW_CAP }, () => ({ attributes: { a: 1 } }));
    expect(matcher.pairs(events)).toBeUndefined();
    expect(matcher.pairs(events.slice(0, 1000))).toHaveLength(100_000);
  });

  test("of hundreds of patterns with the same beginning are those of each", () => {
    const names = Array.from({ length: 300 }, (_, i) => `arn:aws:iam::${100_000_000_000 + i * 7919}:role/admin`);
    const matcher = new TestMatcher(variant, [...names.map((name) => `@a:${name.replaceAll(":", "\\:")}*`), ...names.map((name) => `@a:*${name.slice(14).replaceAll(":", "\\:")}`)]);
    const events: LogEvent[] = names.flatMap((name) => [{ attributes: { a: name } }, { attributes: { a: `${name}x` } }, { attributes: { a: `x${name}` } }]);
    const hits = matcher.match(events);
    names.forEach((_, i) => expect(hits.slice(i * 3, i * 3 + 3)).toEqual([[i, 300 + i], [i], [300 + i]]));
  });

  test("of an empty batch are none", () => {
    expect(new TestMatcher(variant, queries).pairs([])).toEqual([]);
  });

  test("without queries are none", () => {
    expect(new TestMatcher(variant, []).pairs(sampleEvents(10))).toEqual([]);
  });

  test("stay right when the batch counter goes round", () => {
    const matcher = new TestMatcher(variant, queries);
    const events = sampleEvents(300);
    const before = matcher.match(events);
    matcher.arena.u32[(matcher.struct + layout.MATCH_EPOCH) >>> 2] = 0xffffffff;
    expect(matcher.match(sampleEvents(100))).toEqual(before.slice(0, 100));
    expect(matcher.match(events)).toEqual(before);
  });

  test("count per query how often it ran and what it matched", () => {
    const matcher = new TestMatcher(variant, ["@a:x", "@a:never", "*"]);
    const events = sampleEvents(50);
    matcher.match(events);
    matcher.match(events);
    const x = events.filter((event) => event.attributes?.a === "x").length;
    expect(matcher.matching.counters(matcher.arena, matcher.struct)).toEqual([
      { id: 0, batches: 2, rows: 2 * x }, { id: 1, batches: 0, rows: 0 }, { id: 2, batches: 2, rows: 100 },
    ]);
  });
});

describe.each(variants)("hostile texts, %s", (variant) => {
  test("patterns over a long run take time in proportion to its length", () => {
    const run = "a".repeat(400_000);
    const star = "*a".repeat(30);
    const matcher = new TestMatcher(variant, [`@a:${star}*b`, `@a:*aaaaaaaa*b*`, `${star}*b`, `aa\\ ${star}b`, `"aaaaaaaa b"`, "*:aaaaaaaa"], 16 << 20);
    expect(matcher.match([{ message: run, attributes: { a: run } }, { message: `${"a ".repeat(200_000)}b`, attributes: { a: `${run}b` } }])).toEqual([[], [0, 1]]);
  });

  test("a long text outside ASCII is folded whole", () => {
    const long = `${"Ⱥ".repeat(700_000)} needle`;
    expect(new TestMatcher(variant, ["needle", "ⱥneedle"], 16 << 20).match([{ message: long }])).toEqual([[0]]);
  });
});
