import { describe, expect, test } from "vitest";
import type { LogEvent } from "../../host/event/event.ts";
import { evaluate } from "../reference/evaluate.ts";
import { variants } from "../support/wasm.ts";
import { Generator } from "./generate.ts";
import { TestMatcher, treeOf } from "./support.ts";

const LONGEST_TEXT = 80;
const LONGEST_LITERAL = 20;
const letters = [..."abcABC01é-"];

/** Texts of every length with a literal of every length somewhere, mostly at the ends; they come to lie at every alignment. */
function texts(literals: readonly string[], random: Generator): string[] {
  const all: string[] = [];
  for (let length = 0; length <= LONGEST_TEXT; length++) {
    for (const literal of literals) {
      const filler = Array.from({ length }, () => random.pick(letters)).join("");
      const place = random.pick([0, random.below(length + 1), length - literal.length]);
      if (place < 0 || place + literal.length > length) all.push(filler);
      else all.push(filler.slice(0, place) + literal + filler.slice(place + literal.length));
    }
  }
  return all;
}

describe.each(variants)("literals of every length in texts of every length, %s", (variant) => {
  const random = new Generator(97);
  const literals = Array.from({ length: LONGEST_LITERAL }, (_, i) => Array.from({ length: i + 1 }, () => random.pick([..."xyzXYZ89"])).join(""));
  const events: LogEvent[] = texts(literals, random).map((text) => ({ message: text, attributes: { a: text, b: [text.slice(1), text] } }));

  test.each([
    ["contained", (literal: string) => `@a:*${literal}*`],
    ["at the beginning", (literal: string) => `@a:${literal}*`],
    ["at the end", (literal: string) => `@a:*${literal}`],
    ["inside a pattern", (literal: string) => `@a:*${literal}*-*`],
    ["equal", (literal: string) => `@a:${literal}`],
    ["contained in an element", (literal: string) => `@b:*${literal}*`],
    ["at the end of an element", (literal: string) => `@b:*${literal}`],
    ["a word", (literal: string) => literal],
    ["in a word", (literal: string) => `*${literal}*`],
    ["two words", (literal: string) => `"${literal} a"`],
  ])("%s", (_, queryOf) => {
    const trees = literals.map((literal) => treeOf(queryOf(literal)));
    const hits = new TestMatcher(variant, trees).match(events);
    events.forEach((event, row) => {
      trees.forEach((tree, query) => {
        if (evaluate(tree, event) !== hits[row]!.includes(query)) {
          expect.fail(`${queryOf(literals[query]!)} on ${JSON.stringify(event)}: ${hits[row]!.includes(query)}`);
        }
      });
    });
  });
});
