import { describe, expect, test } from "vitest";
import { fingerprint, mayHave } from "../../host/search/bloom.ts";
import { mayHold, needsOf } from "../../host/search/needs.ts";
import { WordSet } from "../../host/search/word-set.ts";
import { WordReader, wordsWithin } from "../../host/search/words.ts";
import { Dice, node } from "./support.ts";

function read(text: string): { readonly has: (word: string) => boolean; readonly isOdd: boolean } {
  const words = new WordSet();
  const reader = new WordReader(words);
  reader.readText(text);
  const all = new Set(words);
  return { has: (word) => wordsWithin(word).length > 0 && wordsWithin(word).every((hash) => all.has(hash)), isOdd: reader.isOdd };
}

const may = (query: string, text: string): boolean => {
  const words = new WordSet();
  const reader = new WordReader(words);
  reader.readText(text);
  const bits = fingerprint(words);
  return mayHold(needsOf(node(query)), { mayHave: (word) => mayHave(bits, word), mayHaveSource: (name) => name === "auth" });
};

describe("words of bytes", () => {
  test.each([
    ['{"usr":{"id":"Deploy-User"}}', "deploy-user"],
    ['{"message":"two\\nlines"}', "lines"],
    ['{"message":"{\\"text\\":\\"two\\\\nlines\\"}"}', "lines"],
    ['{"path":"C:\\\\new\\\\table"}', "new"],
    ['{"path":"C:\\\\new\\\\table"}', "table"],
    ['{"html":"\\u003cdeploy\\u003e"}', "deploy"],
    ['{"text":"caf\\u00e9teria"}', "teria"],
    ['{"text":"cafétéria"}', "caf"],
    ['{"unit":"\u212aelvin"}', "kelvin"],
    ['{"ip":"203.0.113.7"}', "203.0.113.7"],
    ['{"ip":"\\n203.0.113.7:443"}', "203.0.113.7"],
    ["from 1.2.3.4.5 on", "2.3.4.5"],
    ["203 / 0 / 113 / 7", "203.0.113.7"],
    ["203\\u00a00\\u00a0113\\n7", "203.0.113.7"],
    ['{"n":4711.0}', "4711"],
    ['{"n":4.711e3}', "4711"],
    ['{"n":[1,4711.0]}', "4711"],
    ['{"n":12345678901234567890}', "12345678901234567000"],
    ["user_name", "name"],
  ])("%s holds %s", (text, word) => {
    expect(read(text).has(word)).toBe(true);
  });

  test.each([["deploy", "dep"], ["2.203.0.1131.7", "203.0.113.7"], ["203.0.113", "203.0.113.7"], ["lines", "line"]])("%s does not hold %s", (text, word) => {
    expect(read(text).has(word)).toBe(false);
  });

  test("a letter that is spelled as an escape is told, one that parts words is not", () => {
    expect(read("\\u0064eploy").isOdd).toBe(true);
    expect(read("1\\u002e2").isOdd).toBe(true);
    expect(read("\\u003cdeploy\\u00e9").isOdd).toBe(false);
    expect(read(`{"n":${"9".repeat(500)}}`).isOdd).toBe(true);
  });

  test("ends that are open give no word", () => {
    const [whole] = wordsWithin("deploy");
    expect(wordsWithin("deploy", { right: true })).toEqual([]);
    expect(wordsWithin("deploy", { left: true })).toEqual([]);
    expect(wordsWithin("the deploy user", { left: true, right: true })).toEqual([whole]);
    expect(wordsWithin("a b")).toEqual([]);
  });

  // Only these two characters have a small letter among the ASCII ones: what the reader knows of other scripts rests on it.
  test("no other character folds to an ASCII letter", () => {
    const found: string[] = [];
    for (let code = 128; code < 0x110000; code++) if (/[0-9a-z]/.test(String.fromCodePoint(code).toLowerCase())) found.push(code.toString(16));
    expect(found).toEqual(["130", "212a"]);
  });
});

describe("a fingerprint", () => {
  test.each([0, 1, 50, 5000, 100_000])("of %i words has them all, and seldom another", (count) => {
    const dice = new Dice(count + 1);
    const words = new WordSet();
    const put = Array.from({ length: count }, () => Math.floor(dice.next() * 2 ** 32) >>> 0);
    for (const word of put) words.add(word);
    const bits = fingerprint(words);
    expect(put.filter((word) => !mayHave(bits, word))).toEqual([]);
    const others = Array.from({ length: 20_000 }, () => Math.floor(dice.next() * 2 ** 32) >>> 0);
    expect(others.filter((word) => mayHave(bits, word)).length).toBeLessThan(20_000 * 0.05);
    expect(words.count).toBe(new Set(put.map((word) => word || 1)).size);
  });
});

describe("what a query needs", () => {
  const log = '{"ddsource":"auth","usr":{"id":"deploy"},"message":"Failed password from 203.0.113.7","ddtags":"env:prod","n":4711}';
  test.each([
    ["@usr.id:deploy", true], ["@usr.id:mallory", false], ["-@usr.id:deploy", true], ["@usr.id:mallory OR env:prod", true], ["@usr.id:mallory OR env:staging", false],
    ["@usr.id:mallory env:prod", false], ["@usr.id:mallo*", true], ["@usr.id:*", true], ["\"failed password\"", true], ["\"failed login\"", false],
    ["@network.ip.list:203.0.113.7", true], ["@network.ip.list:203.0.113.8", false], ["203.0.113.8", false], ["@ip:[1 TO 5]", true], ["source:auth", true], ["source:nginx", false],
    ["status:error", true], ["*:error", true], ["*:nowhere", false], ["@n:4711.0", true], ["@n:4712", false], ["*", true], ["@a:mallory-*", false], ["@a:*-mallory", false],
    ["@a:x?mallory", true], ["@network.ip.list:2001\\:db8\\:\\:7", true], ["CIDR(@a, 10.0.0.0/8)", true], ["@usr.id:(mallory OR eve)", false], ["@usr.id:(mallory OR deploy)", true],
  ])("%s: %s", (query, expected) => {
    expect(may(query, log)).toBe(expected);
  });
});
