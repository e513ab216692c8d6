import { RE2JS } from "re2js";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchers } from "../../host/event/pipeline/grok-matchers.ts";
import type { GrokRule, Processor } from "../../host/event/pipeline/pipeline.ts";
import { readGrok } from "../../host/event/pipeline/grok.ts";
import { loadPacks } from "../../host/packs.ts";

const root = join(import.meta.dirname, "..", "..");
const packs = await loadPacks();

function rulesOf(processors: readonly Processor[]): GrokRule[] {
  return processors.flatMap((processor) => (processor.kind === "pipeline" ? rulesOf(processor.pipeline.processors) : processor.kind === "grok-parser" ? [...processor.rules] : []));
}

const packRules = packs.flatMap((pack) => pack.pipelines.flatMap((pipeline) => rulesOf(pipeline.processors).map((rule) => [`${pipeline.id}/${rule.name}`, rule] as const)));

/** The whole of what a regex written out may hold; engines are built for this and no more. */
const PIECES = /\\(?:[dDwWsSbtnrfv.+*?()|[\]{}^$\\]|x[0-9a-f]{2})|\[\^?(?:\\(?:[dDwWsStnrfv\\\]^[-]|x[0-9a-f]{2})|[^\\[\]])+\]|\((?:\?:)?|\)|(?:[*+?]|\{\d+(?:,\d*)?\})\??|[|^$.]|[^\\[\](){}*+?|^$.]/gsu;

function leftOver(regex: string): string {
  return regex.replace(PIECES, "");
}

describe("a rule written out", () => {
  test.each(packRules)("%s keeps to the constructs every engine has", (_, rule) => {
    expect(leftOver(rule.regex)).toBe("");
    expect(RE2JS.compile(rule.regex).groupCount()).toBe(rule.captures.length);
    expect(rule.captures.map((capture) => capture.group)).toEqual(rule.captures.map((_each, i) => i + 1));
  });

  test.each([...matchers.keys()])("matcher %s keeps to them too", (name) => {
    const read = readGrok(`r %{${name}:x}`, "");
    expect(read.ok && leftOver(read.rules[0]!.regex)).toBe("");
  });

  test("whatever the user writes", () => {
    const piece = fc.oneof(fc.constantFrom("(?i)", "(?s)", "(?i:", "(", ")", "[", "]", "^", "-", "a", "Z", "\\", "\\x41", "\\Q", "\\E", "\\h", "\\A", "\\z", "[[:alpha:]]", "[^\\]a-f]", "{", "}", "{2}", "*", "+?", "|", ".", "é", "\t"), fc.string({ maxLength: 2 }));
    fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const read = readGrok(`r ${pieces.join("")}`, "");
      if (read.ok) expect(leftOver(read.rules[0]!.regex), pieces.join("")).toBe("");
    }), { numRuns: 3000 });
  });
});

// A backtracking engine of the same manners: leftmost, first alternative first.
test("mutated lines are taken by the rules as another engine takes them", () => {
  const lines = ["linux-auth/tests/auth.txt", "web-access/tests/access.txt"].flatMap((file) => readFileSync(join(root, "content", file), "utf8").split("\n").map((line) => line.replace(/^.*?(?:\]: |: | - - (?=\[))/, "")));
  const twins = packRules.map(([name, rule]) => ({ name, linear: RE2JS.compile(rule.regex), twin: new RegExp(`^(?:${rule.regex})$`) }));
  const line = fc.tuple(fc.constantFrom(...lines), fc.array(fc.tuple(fc.nat(200), fc.nat(6), fc.constantFrom("", " ", "x", '"', "from ", "port 1", "(", ")", "\\", ":", "=", ";", "a ; b", "root"))))
    .map(([text, edits]) => edits.slice(0, 3).reduce((out, [at, length, put]) => out.slice(0, at) + put + out.slice(at + length), text));
  fc.assert(fc.property(line, (text) => {
    for (const { name, linear, twin } of twins) {
      const matcher = linear.matcher(text);
      const found = matcher.matches() ? Array.from({ length: matcher.groupCount() }, (_, i) => matcher.group(i + 1) ?? undefined) : undefined;
      expect(found, `${name} on ${text}`).toEqual(twin.exec(text)?.slice(1));
    }
  }), { numRuns: 400 });
});
