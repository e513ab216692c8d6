import { describe, expect, test } from "vitest";
import * as layout from "../../assembly/layout.ts";
import { Random } from "../../bench/random.ts";
import { variants } from "../support/wasm.ts";
import { Reader } from "./support.ts";

const columns = ["a", "b", "c", "d.e", "f"].map((path, column) => ({ column, kind: "value" as const, path: path.split("."), dotted: true }));
const valueOf = (record: Record<string, unknown>, path: readonly string[]): unknown[] => {
  const value = path.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], record);
  return value === undefined ? [] : [value].flat();
};

describe.each(variants)("columns that are blank in a call, %s", (variant) => {
  test("hold what the call's records hold and nothing of calls before it, whatever their rows and ways of reading", () => {
    const random = new Random(11);
    const reader = new Reader(variant, columns);
    for (let call = 0; call < 60; call++) {
      const used = columns.filter(() => random.next() < 0.5);
      const records = Array.from({ length: 1 + random.below(call % 3 ? 40 : 900) }, (_, row): Record<string, unknown> => {
        const record: Record<string, unknown> = { n: row, pad: "x".repeat(random.below(20)) };
        for (const { path } of used) {
          if (random.next() < 0.3) continue;
          const value = random.next() < 0.1 ? [`${path[0]}${row}`, "again"] : `${path[0]}${call}-${row}`;
          if (path.length > 1) record[path[0]!] = { [path[1]!]: value };
          else record[path[0]!] = value;
        }
        return record;
      });
      // Now and then a line that ends reading ahead, or is refused.
      const lines = records.map((record) => (random.next() < 0.01 ? `[${JSON.stringify(record)}]` : JSON.stringify(record)));
      const bytes = Buffer.from(`${lines.join("\n")}\n${call % 7 ? "" : "{broken\n"}`);
      const { rows, bad } = reader.read(bytes);
      expect(bad.length).toBe(call % 7 ? 0 : 1);
      expect(rows.map(({ values }) => values)).toEqual(records.map((record) => columns.map(({ path }) => valueOf(record, path).map(String))));
    }
  });

  test("say so, and those that have a value say that", () => {
    const reader = new Reader(variant, columns);
    const blanks = (line: string): number[] => {
      reader.read(Buffer.from(`${line}\n`));
      return columns.filter(({ column }) => reader.arena.u32[(reader.extraction.columnTable + column * layout.COLUMN_BYTES + layout.COLUMN_BLANK) >>> 2] === 1).map(({ column }) => column);
    };
    expect(blanks('{"a":"x","d":{"e":[1,2]}}')).toEqual([1, 2, 4]);
    expect(blanks('{"b":true,"z":"nobody asks"}')).toEqual([0, 2, 3, 4]);
    expect(blanks('{"z":1}')).toEqual([0, 1, 2, 3, 4]);
    expect(blanks('{"f":"x","f":"y"}')).toEqual([0, 1, 2, 3]);
  });
});
