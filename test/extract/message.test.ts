import { describe, expect, test } from "vitest";
import type { ExtractColumn } from "../../host/engine/extraction.ts";
import { variants } from "../support/wasm.ts";
import { Random, TextMaker, shapes } from "./corpus.ts";
import { expectedValues } from "./reference.ts";
import { Reader, bytesText } from "./support.ts";

type Members = Record<string, unknown>;

/** The contract of JSON in the message, on objects. */
function merged(record: Members): Members {
  const inner = nestedOf(record);
  return inner ? { ...inner, ...record } : record;
}

function nestedOf(record: Members): Members | undefined {
  if (typeof record["message"] !== "string") return undefined;
  try {
    const inner: unknown = JSON.parse(record["message"]);
    return typeof inner === "object" && inner !== null && !Array.isArray(inner) ? (inner as Members) : undefined;
  } catch {
    return undefined;
  }
}

function messageOf(record: Members): unknown {
  const inner = nestedOf(record);
  return [inner?.["message"], inner?.["msg"], inner?.["log"], record["message"]].find((text) => typeof text === "string");
}

const columns: ExtractColumn[] = [
  { column: 0, kind: "value", path: ["message"] },
  { column: 1, kind: "value", path: ["a"], fromMessage: true },
  { column: 2, kind: "value", path: ["b", "c"], dotted: true, fromMessage: true },
  { column: 3, kind: "exists", path: ["user"], fromMessage: true },
  { column: 4, kind: "value", path: ["a"] },
  { column: 5, kind: "value", path: ["tags"], fromMessage: true },
];

describe.each(variants)("JSON in the message, %s", (variant) => {
  const reader = new Reader(variant, columns, { message: { column: 0 } });

  function check(records: readonly Members[]): void {
    const read = reader.read(Buffer.from(records.map((record) => JSON.stringify(record)).join("\n")));
    expect(read.rows.length).toBe(records.length);
    records.forEach((record, i) => {
      const wanted = expectedValues(merged(record), columns);
      wanted[4] = expectedValues(record, columns)[4] ?? [];
      const message = messageOf(record);
      const values = read.rows[i]?.values ?? [];
      if (typeof message === "string") expect(values[0]?.[0]).toBe(bytesText(message));
      for (const column of [1, 2, 4, 5]) expect([...(values[column] ?? [])].sort(), JSON.stringify(record)).toEqual((wanted[column] ?? []).map(bytesText).sort());
      expect(values[3]?.length, JSON.stringify(record)).toBe(Math.min(1, wanted[3]?.length ?? 0));
    });
  }

  test.each([
    [{ message: '{"a":1,"b":{"c":"x"},"msg":"hi"}' }],
    [{ message: '{"a":1,"b":{"c":"x"},"log":"l","msg":"m","message":"n\\u00e9\\n"}', a: 2 }],
    [{ message: '{"a":1}', b: null, "b.c": 3 }],
    [{ message: '{"b":{"c":1},"b.c":2}', b: { d: 1 } }],
    [{ message: ' \n{\n "a":1,\n "msg":7, "log":"yes"}\n ' }],
    [{ message: '{"a":"line\nfeed"}' }],
    [{ message: '{"a":1} trailing' }],
    [{ message: '{"a":1}{"a":2}' }],
    [{ message: "{not json" }],
    [{ message: "" }],
    [{ message: " " }],
    [{ message: '[{"a":1}]' }],
    [{ message: ['{"a":1}'] }],
    [{ message: { a: 1 } }],
    [{ message: '{"a":1,"a":null,"b":{"c":1},"b":{"x":2},"message":"p","message":4,"msg":"q"}' }],
    [{ message: '{"\\u0061":5,"user":{"x":null,"y":[false]}}', "\u0061x": 1 }],
    [{ message: '{"a":5,"tags":["x","y"]}', tags: ["z"] }],
    [{ message: "{}" }],
  ] as [Members][])("%j", (record) => {
    reader.lineByLine = true;
    for (let repeat = 0; repeat < 3; repeat++) check([record, { message: "plain", a: 7 }, record]);
  });

  test("generated messages", () => {
    const random = new Random(77);
    for (let round = 0; round < 60; round++) {
      const maker = new TextMaker(round, shapes[round % 2 ? "wild" : "twins"]!);
      check(Array.from({ length: 50 }, () => {
        const wire = JSON.parse(JSON.stringify(JSON.parse(new TextMaker(random.below(1e9), shapes["twins"]!).object(3)))) as Members;
        return random.chance(0.8) ? { ...wire, message: maker.line() } : wire;
      }));
    }
  });
});
