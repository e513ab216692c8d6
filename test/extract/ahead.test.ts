import { describe, expect, test } from "vitest";
import { ROW_CAP } from "../../assembly/layout.ts";
import type { ExtractColumn, ExtractionPlan } from "../../host/engine/extraction.ts";
import { variants } from "../support/wasm.ts";
import { compareWithJson } from "./compare.ts";
import { Random } from "./corpus.ts";
import { Reader } from "./support.ts";

const value = (column: number, ...path: string[]): ExtractColumn => ({ column, kind: "value", path });
const columns = [value(0, "n"), value(1, "user", "id"), value(2, "list"), value(3, "items", "k"), value(3, "other"), value(4, "text"), { column: 5, kind: "exists", path: ["user"] } as const];

/** Records of few shapes, so that nothing but their oddities makes the automaton give one up. */
class Lines {
  readonly random: Random;
  n = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  next(): string {
    const r = this.random;
    const n = this.n++;
    const user = { id: `user${r.below(1000)}` };
    switch (r.below(4)) {
      case 0:
        return JSON.stringify({ n, user, text: `${"x".repeat(r.below(50))}\n"quoted" \\ é` });
      case 1:
        return JSON.stringify({ n, list: Array.from({ length: r.below(4) }, () => r.below(9)), user, items: [{ k: "a" }, { k: r.below(5) }] });
      case 2:
        return JSON.stringify({ n: -n / 8, other: "o", items: [{ k: "b", l: true }], user: { id: null, name: "y".repeat(r.below(70)) } });
      default:
        return JSON.stringify({ n, user, text: "plain" });
    }
  }
}

function linesOf(seed: number, count: number, odd: readonly string[], share: number): string {
  const lines = new Lines(seed);
  return Array.from({ length: count }, () => (lines.random.chance(share) ? lines.random.pick(odd) : lines.next())).join("\n");
}

describe.each(variants)("reading ahead, %s", (variant) => {
  const read = (text: string, options: Partial<ExtractionPlan> = {}, times = 2): { reader: Reader; rows: number; ahead: number; calls: number } => {
    const reader = new Reader(variant, columns, options);
    const bytes = Buffer.from(text);
    for (let i = 0; i < times; i++) compareWithJson(reader, columns, bytes, i * 7);
    const before = reader.extraction.counters;
    const { rows, calls } = reader.read(bytes);
    const { ahead } = reader.extraction.counters;
    return { reader, rows: rows.length, ahead: ahead - before.ahead, calls };
  };

  test.each([1, 2, 3, 63, 64, 65, 100, 127, 128, 129, 500, 1000, 3000])("%d records of few shapes", (count) => {
    const { ahead, rows, reader } = read(linesOf(count, count, [], 0));
    expect(rows).toBe(count);
    // Every record is of a shape that can be learned, empty arrays where others have numbers among them.
    expect(reader.extraction.counters.parsed).toBe(0);
    if (count >= 127) expect(ahead).toBeGreaterThan(count / 3);
    else if (count < 63) expect(ahead).toBe(0);
  });

  test.each([
    ["lines that are not JSON", ['{"n":1', "hello", '{"n":01}', '{"n":"\u0001"}', '{"user":{"id":"x"}}}']],
    ["repeated keys", ['{"n":1,"n":2}', '{"n":1,"user":{"id":1},"user":{"id":2}}', '{"items":[{"k":1,"k":2}]}']],
    ["arrays of records", ['[{"n":1},{"n":2,"list":[1,2,3]}]', "[]", '[{"n":1},5]']],
    ["several records a line", ['{"n":1}{"n":2} {"list":[4,5]}', '{"n":1} x', '{"n":3}\r']],
    ["blank lines", ["", "  ", "\r", "\t {\"n\":5}"]],
    ["numbers the host rewrites", ['{"n":1.50e3,"list":[1e400,0.10,-0]}', '{"n":12345678901234567890}']],
    ["records nested deep", [`{"n":${"[".repeat(200)}1${"]".repeat(200)}}`, `${'{"n":'.repeat(300)}1${"}".repeat(300)}`]],
  ])("%s among them", (_, odd) => {
    for (const share of [0.002, 0.02, 0.3]) for (let seed = 1; seed < 6; seed++) read(linesOf(seed, 700, odd, share));
  });

  test("rows read ahead wait until those before them fit", () => {
    const short = read('{"n":1}\n'.repeat(3 * ROW_CAP));
    expect(short.calls).toBe(3);
    expect(short.rows).toBe(3 * ROW_CAP);
    const uneven = `${'{"n":1}\n'.repeat(ROW_CAP)}${`{"n":2,"text":"${"x".repeat(500)}"}\n`.repeat(200)}`;
    expect(read(uneven).rows).toBe(ROW_CAP + 200);
    const longFirst = `${`{"n":2,"text":"${"x".repeat(500)}"}\n`.repeat(200)}${'{"n":1}\n'.repeat(3 * ROW_CAP)}`;
    expect(read(longFirst).rows).toBe(3 * ROW_CAP + 200);
  });

  test("tables that fill up while records are read ahead", () => {
    const random = new Random(9);
    const lines = Array.from({ length: 4000 }, (_, i) => (i % 40 ? `{"n":${i},"k${random.below(1e6)}":1,"other":"o${i}"}` : `{"n":${i},"text":"${"x".repeat(random.below(80))}"}`));
    expect(read(lines.join("\n"), { stateCapacity: 200, transitionCapacity: 300 }).rows).toBe(4000);
  });

  test.each([
    ["further values", { extraCapacity: 96 }],
    ["rewritten texts", { arenaBytes: 4096 }],
    ["both", { extraCapacity: 70, arenaBytes: 3000 }],
    ["refusals", { badCapacity: 2 }],
    ["learned tables", { stateCapacity: 40, transitionCapacity: 60 }],
  ] as const)("little room for %s", (_, options) => {
    for (let seed = 1; seed < 5; seed++) {
      const { reader, rows } = read(linesOf(seed, 900, ["[1]", '{"n":1,"n":"\\t"}', `{"list":[${'"\\n",'.repeat(20)}1]}`], 0.03), options);
      expect(rows).toBeGreaterThan(800);
      expect(reader.extraction.droppedValues).toBe(0);
    }
  });
});

describe.each(variants)("reading ahead with JSON in messages, %s", (variant) => {
  test("what the messages hold is read as without", () => {
    const random = new Random(5);
    const lines = Array.from({ length: 600 }, (_, i) => {
      const inner = JSON.stringify({ user: { id: `u${i}` }, list: [i, i + 1], message: `text ${i}` });
      return JSON.stringify({ n: i, message: random.chance(0.5) ? inner : random.chance(0.5) ? `${inner} and more` : "plain" });
    });
    const plan = [...columns.map((column) => ({ ...column, fromMessage: true })), value(6, "message")];
    const options = { message: { column: 6 } };
    const together = new Reader(variant, plan, options);
    const alone = new Reader(variant, plan, options);
    alone.lineByLine = true;
    const bytes = Buffer.from(lines.join("\n"));
    const values = (reader: Reader): unknown => reader.read(bytes).rows.map((row) => row.values);
    expect(values(together)).toEqual(values(alone));
    expect(together.extraction.counters.ahead).toBeGreaterThan(200);
    expect(alone.extraction.counters.ahead).toBe(0);
  });
});
