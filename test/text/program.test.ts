import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";
import * as layout from "../../assembly/layout.ts";
import { Arena } from "../../host/engine/memory.ts";
import { hostImports } from "../../host/engine/imports.ts";
import { GrokStep, type GrokKernel } from "../../host/engine/text/grok-step.ts";
import { HostTexts } from "../../host/engine/text/host-texts.ts";
import { UnsupportedPattern } from "../../host/engine/text/regex.ts";
import { type Variant, loadKernel, variants } from "../support/wasm.ts";

const GROUPS = 12;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Lays patterns on texts in the kernel: by text, the captures of the first pattern that matches, undefined when none does. */
class Laying {
  readonly arena: Arena;
  readonly texts = new HostTexts();
  readonly #kernel: GrokKernel;
  readonly #start: number;

  constructor(variant: Variant) {
    const memory = new WebAssembly.Memory({ initial: 1024, maximum: 1024, shared: true });
    this.arena = new Arena(memory, 1 << 20, 1024 * 65536);
    this.#kernel = new WebAssembly.Instance(loadKernel(variant), hostImports(memory, this.texts)).exports as unknown as GrokKernel;
    this.#start = this.arena.top;
  }

  lay(patterns: readonly string[], subjects: readonly string[]): Array<Array<string | undefined> | undefined> {
    const arena = new Arena(this.arena.memory, this.#start, 1024 * 65536);
    const column = (): number => {
      const descriptor = arena.alloc(layout.COLUMN_BYTES);
      const cells = arena.alloc(layout.ROW_CAP * 8, 64);
      arena.u8.fill(0, cells, cells + layout.ROW_CAP * 8);
      arena.u32.set([cells, 0, 0, 0], descriptor >>> 2);
      return descriptor;
    };
    const source = column();
    const targets = Array.from({ length: GROUPS }, column);
    const rules = patterns.map((regex) => ({
      regex,
      captures: Array.from({ length: RE2JS.compile(regex).groupCount() }, (_, i) => ({ group: i + 1, path: [String(i)] })),
    }));
    const hit = column();
    // One more capture, of the whole text, tells a match without groups from none.
    const marked = rules.map((rule) => ({
      regex: `(${rule.regex})`,
      captures: [{ group: 1, path: ["hit"] }, ...rule.captures.map((capture) => ({ ...capture, group: capture.group + 1 }))],
    }));
    const step = new GrokStep(arena, this.texts, {
      rules: marked, source, mask: 0,
      feeds: ({ path }) => [{ descriptor: path[0] === "hit" ? hit : targets[Number(path[0])]!, clears: false }],
    });
    const cellsOf = (descriptor: number): number => arena.u32[descriptor >>> 2]! >>> 3;
    subjects.forEach((text, row) => {
      const bytes = encoder.encode(text);
      arena.u64[cellsOf(source) + row] = BigInt(arena.bytes(bytes)) | (BigInt(bytes.length) << 32n) | (BigInt(layout.KIND_STRING) << 60n);
    });
    expect(step.run(this.#kernel, subjects.length)).toBe(true);
    const read = (descriptor: number, row: number): string | undefined => {
      const cell = arena.u64[cellsOf(descriptor) + row]!;
      if (!cell) return undefined;
      const address = Number(cell & 0xffffffffn);
      return decoder.decode(arena.u8.slice(address, address + Number((cell >> 32n) & 0x0fffffffn)));
    };
    return subjects.map((_, row) => (read(hit, row) === undefined ? undefined : targets.map((target) => read(target, row))));
  }
}

function expectedOf(patterns: readonly string[], text: string): Array<string | undefined> | undefined {
  for (const pattern of patterns) {
    const matcher = RE2JS.compile(pattern).matcher(text);
    if (!matcher.matches()) continue;
    return Array.from({ length: GROUPS }, (_, i) => (i < matcher.groupCount() ? matcher.group(i + 1) || undefined : undefined));
  }
  return undefined;
}

function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const pieces = ["(?:[^ab]|a.)*", "(?:[b1]|ab|x)*", "a", "b", "ab", " ", "\\d", "\\w", "\\S", ".", "[ab]", "[^a]", "[0-9a-f]", "\\b", "x:", "é", "\\.", "1"];
const repeats = ["", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?"];

function randomPattern(next: (below: number) => number, depth: number): string {
  let out = "";
  const length = 1 + next(4);
  for (let i = 0; i < length; i++) {
    const roll = next(10);
    if (depth > 0 && roll < 3) {
      const inner = randomPattern(next, depth - 1);
      const body = next(3) === 0 ? `${inner}|${randomPattern(next, depth - 1)}` : inner;
      out += `${next(2) ? "(" : "(?:"}${body})${["", "", "?", "*", "{0,2}", "+?"][next(6)]}`;
    } else {
      const piece = pieces[next(pieces.length)]!;
      const repeat = repeats[next(repeats.length)]!;
      out += piece === "\\b" ? piece : piece.length > 1 && !piece.startsWith("\\") && !piece.startsWith("[") ? `(?:${piece})${repeat}` : `${piece}${repeat}`;
    }
  }
  return out;
}

function randomText(next: (below: number) => number): string {
  const parts = ["a", "b", "ab", " ", "1", "x:", "é", ".", "f", "-"];
  let out = "";
  for (let length = next(12); length > 0; length--) out += parts[next(parts.length)];
  return out;
}

describe.each(variants)("text programs, %s", (variant) => {
  test("patterns and texts by chance give RE2's captures", () => {
    const laying = new Laying(variant);
    const next = generator(20261121);
    let compared = 0;
    let matched = 0;
    let refused = 0;
    while (compared < 60_000) {
      const patterns = Array.from({ length: 1 + next(3) }, () => randomPattern(next, 2)).filter((pattern) => RE2JS.compile(pattern).groupCount() < GROUPS - 1);
      const subjects = Array.from({ length: 20 }, () => randomText(next)).filter((text) => text !== "");
      if (!patterns.length) continue;
      let laid;
      try {
        laid = laying.lay(patterns, subjects);
      } catch (error) {
        if (!(error instanceof UnsupportedPattern)) throw error;
        refused++;
        continue;
      }
      subjects.forEach((text, i) => {
        const expected = expectedOf(patterns, text);
        if (JSON.stringify(laid[i]) !== JSON.stringify(expected)) expect({ patterns, text, captures: laid[i] }).toEqual({ patterns, text, captures: expected });
        compared++;
        if (expected) matched++;
      });
    }
    expect(matched).toBeGreaterThan(5_000);
    expect(refused).toBeLessThan(compared / 20);
    // Short texts never need the host.
    expect(laying.texts.matched).toBeLessThan(compared / 20);
  }, 120_000);

  test("a pattern that is a trap for backtracking is left to the host, and answered", () => {
    const laying = new Laying(variant);
    const patterns = ["((?:a|aa)*)b"];
    const trap = "a".repeat(3_000);
    expect(laying.lay(patterns, [trap, `${trap}b`, "aab"])).toEqual([trap, `${trap}b`, "aab"].map((text) => expectedOf(patterns, text)));
    expect(laying.texts.matched).toBeGreaterThan(0);
  });

  test("what the tree cannot say is refused", () => {
    const laying = new Laying(variant);
    for (const pattern of ["(?:a*)*", "[é]", "\\pL", "(?P<n>a)", "[[:alpha:]]", "(?i)k"]) {
      expect(() => laying.lay([pattern], ["x"])).toThrow(UnsupportedPattern);
    }
  });
});
