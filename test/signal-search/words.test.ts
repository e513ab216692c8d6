import { describe, expect, test } from "vitest";
import { Random } from "../../bench/random.ts";
import type { Field, Test } from "../../host/query/tree.ts";
import { valueMatches } from "../../host/query/matches.ts";
import { Deadline } from "../../host/signal-search/deadline.ts";
import { LineTexts } from "../../host/signal-search/line-texts.ts";
import { Texts } from "../../host/signal-search/texts.ts";
import { WordFinder, wordTest } from "../../host/signal-search/word-finder.ts";
import { WordLines } from "../../host/signal-search/word-lines.ts";
import { queryOf } from "../support/query.ts";

const freeText: Field = { kind: "freeText" };
const parts = ["fail", "failed", "login", "Login", "LOGIN", "a_b", "10.0.0.1", "é", "éfailed", "\u212aelvin", "kelvin", "İx", "x", "\u0307", "ς", "Σ", "deadbeef", "7", ""];
const gaps = [" ", ", ", "-", ".", "", "\u3000", "\n", ": "];

function text(random: Random, words: number): string {
  return Array.from({ length: random.below(words) }, () => random.pick(parts) + random.pick(gaps)).join("");
}

function testOf(random: Random): Test {
  const word = random.pick(parts);
  const roll = random.below(6);
  const query = roll === 0 ? `"${text(random, 4).replaceAll('"', "")}"` : roll === 1 ? `${word.slice(0, 2)}*` : roll === 2 ? `*${word.slice(-2)}*` : roll === 3 ? `?${word.slice(1)}` : roll === 4 ? `"${word}"` : `*${word.slice(0, 3)}\\ ${random.pick(parts)}*`;
  const node = queryOf(query.replaceAll("\n", "\\\n") || '""');
  return node.kind === "leaf" ? node.test : { kind: "phrase", text: word };
}

describe.each([
  ["searched through", undefined], ["with all its words known", 1e6], ["with words known that are in three values at most", 3],
] as const)("words of a column, %s", (_, most) => {
  test.each([1, 2, 3, 4])("as the reference finds them, seed %i", (seed) => {
    const random = new Random(seed);
    const texts = new Texts();
    const finder = new WordFinder(texts, most === undefined ? undefined : new WordLines(most));
    let found = 0;
    for (let round = 0; round < 8; round++) {
      // Seed 4: values of one small word each.
      for (let i = 0; i < 60; i++) texts.add(seed === 4 ? random.pick([random.pick(["login", "deadbeef", "7", "a_b", ""]), random.below(9), random.next() < 0.5]) : text(random, 6));
      for (let i = 0; i < 60; i++) {
        const asked = testOf(random);
        const wanted = wordTest(asked);
        const hits = new Uint8Array(texts.count + 1);
        if (wanted) finder.find(wanted, hits, new Deadline(60_000));
        const expected = Uint8Array.from(hits, (__, code) => Number(code > 0 && valueMatches(freeText, asked, texts.value(code))));
        expect(hits, JSON.stringify(asked)).toEqual(expected);
        found += expected.reduce((a, b) => a + b, 0);
      }
    }
    expect(found).toBeGreaterThan(200);
  });
});

test.each([1, 2, 3])("messages of many lines, seed %i", (seed) => {
  const random = new Random(seed);
  const messages = new LineTexts();
  const all = new Map<number, string>();
  let found = 0;
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < 40; i++) {
      const message = Array.from({ length: 1 + random.below(4) }, () => text(random, 3)).join("\n");
      all.set(messages.add(message), message);
    }
    for (let i = 0; i < 60; i++) {
      const asked = testOf(random);
      const wanted = wordTest(asked);
      const hits = new Uint8Array(messages.count + 1);
      if (wanted) messages.find(wanted, hits, new Deadline(60_000));
      const expected = Uint8Array.from(hits, (_, code) => Number(code > 0 && valueMatches(freeText, asked, all.get(code)!)));
      expect(hits, JSON.stringify(asked)).toEqual(expected);
      found += expected.reduce((a, b) => a + b, 0);
    }
  }
  expect([...all].every(([code, message]) => messages.text(code) === message)).toBe(true);
  expect(found).toBeGreaterThan(200);
});
