import { describe, expect, test } from "vitest";
import { ROW_CAP } from "../../assembly/layout.ts";
import type { ExtractColumn } from "../../host/engine/extraction.ts";
import { repairUtf8 } from "../../host/engine/utf8.ts";
import { variants } from "../support/wasm.ts";
import { compareWithJson } from "./compare.ts";
import { Random, TextMaker, shapes } from "./corpus.ts";
import { plans } from "./plans.ts";
import { Reader } from "./support.ts";

const value = (column: number, ...path: string[]): ExtractColumn => ({ column, kind: "value", path });

describe.each(variants)("edges, %s", (variant) => {
  const columns = [value(0, "a"), value(1, "b", "c"), value(2, "é")];
  const reader = new Reader(variant, columns, { extraCapacity: 64, arenaBytes: 8192, badCapacity: 8 });

  test.each([
    ["{", "truncated"],
    ['{"a":', "truncated"],
    ['{"a":"x', "truncated"],
    ['{"a":"x\\', "truncated"],
    ['{"a":"x\u0001"}', "bad-string"],
    ['{"a":"\\x"}', "bad-escape"],
    ['{"z":"\\u12g4"}', "bad-escape"],
    ['{"a":01}', "bad-number"],
    ['{"z":1.}', "bad-number"],
    ['{"z":-}', "bad-number"],
    ['{"a":1}x', "trailing-bytes"],
    ['{"a":1}]', "trailing-bytes"],
    ['{"a" 1}', "not-json"],
    ["{'a':1}", "not-json"],
    ['{"a":1,}', "not-json"],
    ['{"a":nul}', "not-json"],
    ["hello", "not-json"],
    ["17", "not-an-object"],
    ['"text"', "not-an-object"],
    ["null", "not-an-object"],
    [`${'{"a":'.repeat(257)}1${"}".repeat(257)}`, "too-deep"],
    [`{"z":${"[".repeat(256)}${"]".repeat(256)}}`, "too-deep"],
  ])("%j is refused: %s", (line, reason) => {
    for (const around of ['{"a":"before"}\n', `{"a":"${"long ".repeat(20)}"}\n`]) {
      const read = reader.read(Buffer.from(`${around}${line}\n{"a":"after"}\n`));
      expect(read.rows.map((row) => row.values[0]?.[0])).toEqual([around.slice(6, -3), "after"]);
      expect(read.bad.map((entry) => entry.reason)).toEqual([reason]);
      expect(read.bad[0]?.start).toBe(Buffer.byteLength(around));
      expect(read.bad[0]?.end).toBe(Buffer.byteLength(around + line));
    }
  });

  test.each([
    [`${'{"a":'.repeat(255)}{"a":1}${"}".repeat(255)}`],
    [`{"z":${"[".repeat(255)}${"]".repeat(255)},"a":5}`],
    ['\ufeff{"a":1}\n{"a":2}'],
    ["\n\n  \r\n\t\n{\"a\":1}\r\n\r\n{\"a\":2}\r\n"],
    [' {"a" : 1 } {"a":2}\t{"a":3}'],
    ['[{"a":1}, {"a":[2,[3]]}, 4, "x,]", null, [{"a":9}], {}, true]\n{"a":7}'],
    ["[]\n[ ]\n[1]\n{}"],
    ['{"\\u0061":"x","b":{"\\u0063":"y"},"\\u00e9":1}'],
    ['{"a":1,"a":null}\n{"a":null,"a":2}\n{"a":{"b":1},"a":3}\n{"b":{"c":1},"b":{}}\n{"b":{"c":1},"b":[{"c":2},{"c":3}]}'],
    ['{"b":[{"c":1,"c":2},{"c":3}],"a":[[1],[[2]],[]]}\n{"b":[{"c":[1,2]},{"c":3,"d":{"c":4}}]}\n{"b":[{"c":1},{"c":2,"c":null}]}'],
    ['{"a":1} garbage\n{"a":2}{"a":3} garbage\n{"a":4}'],
  ])("%j reads as JSON.parse", (text) => {
    for (let repeat = 0; repeat < 6; repeat++) {
      reader.lineByLine = repeat < 3;
      compareWithJson(reader, columns, Buffer.from(text), repeat);
    }
    expect(reader.extraction.droppedValues).toBe(0);
  });

  test.each([
    ['{"a":[{"b":1,"c":[{"b":1},{"b":2}],"b":3}]}'],
    ['{"a":[{"b":1,"c":[{"b":1},{"b":2}]},{"b":3,"c":[{"b":4}]}]}'],
    ['{"a":[[{"b":1}],[{"b":2},{"c":[]}],[{"b":3}]]}'],
    ['{"a":[{"b":1,"c":{"b":2}},null,{"c":{"b":3},"b":4}]}'],
    ['{"a":[{"c":[{"b":1}],"c":[{"b":2}]}]}'],
    ['{"a":{"b":[1,{"x":2},3],"a":[{"c":1},{"c":2,"c":3}]},"b":[{"b":1,"a":[{"b":2},{"b":3}],"b":4}]}'],
  ])("arrays inside arrays: %j", (text) => {
    const nested = plans["nested"] ?? [];
    const own = new Reader(variant, nested, { stateCapacity: 512, transitionCapacity: 512 });
    own.lineByLine = true;
    compareWithJson(own, nested, Buffer.from(`${text}\n`.repeat(6)));
  });

  test("every length 0..80 at every alignment", () => {
    const lines: string[] = [];
    for (let length = 0; length <= 80; length++) {
      const text = "abcdefghij".repeat(9).slice(0, length);
      lines.push(`{"a":"${text}","b":{"c":"${text.slice(1)}\\n"},"${text}":1,"é":${"1".repeat(Math.max(1, length))}}`);
      lines.push(`{"${text}":null,"a":"${text}é","z":"\\"${text}","é":-0.${"0".repeat(length % 9)}${text.length + 1}}`);
    }
    const bytes = Buffer.from(lines.join("\n"));
    for (let shift = 0; shift < 80; shift++) compareWithJson(reader, columns, bytes, shift);
  });

  test("a call stops when its areas are full and goes on with the next", () => {
    const maker = new TextMaker(11, shapes["wild"]!);
    const lines = Array.from({ length: 3000 }, (_, i) => (i % 3 ? maker.line() : `{"a":[1,2,3,"\\n${"x".repeat(i % 50)}"]}`));
    const bytes = Buffer.from(lines.join("\n"));
    expect(reader.read(bytes).calls).toBeGreaterThan(20);
    compareWithJson(reader, columns, bytes);
  });

  test("rows are capped per call", () => {
    const bytes = Buffer.from('{"a":1}\n'.repeat(ROW_CAP * 2 + 10));
    expect(reader.read(bytes).calls).toBe(3);
    compareWithJson(reader, columns, bytes);
    const oneLine = Buffer.from(`[${'{"a":1},'.repeat(ROW_CAP + 10)}{"a":2}]\n{"a":3}`);
    expect(reader.read(oneLine).calls).toBe(2);
    compareWithJson(reader, columns, oneLine);
  });

  test("a record with more values than the areas hold keeps what fits and is counted", () => {
    const own = new Reader(variant, columns, { extraCapacity: 64, arenaBytes: 4096 });
    const text = `{"a":1}\n{"a":[${"7,".repeat(10_000)}8],"é":2}\n{"a":[${'"\\n0123456789abcdef",'.repeat(10_000)}8],"é":3}\n{"a":9}\n`;
    const read = own.read(Buffer.from(text));
    expect(read.rows.map((row) => row.values[2]?.[0])).toEqual([undefined, "2", "3", undefined]);
    expect(read.rows.at(-1)?.values[0]).toEqual(["9"]);
    expect(read.bad).toEqual([]);
    expect(own.extraction.droppedValues).toBeGreaterThan(10_000);
  });

  test("full tables lose no row", () => {
    const random = new Random(3);
    const lines = Array.from({ length: 20_000 }, (_, i) =>
      `{"a":${i},"k${random.below(1e9)}":{"x${random.below(1e6)}":"v"},"b":{"c":"${i}","o${random.below(50)}":null},"t":[{"q${random.below(1e5)}":1}]}`);
    const own = new Reader(variant, columns, { stateCapacity: 200, transitionCapacity: 200 });
    const bytes = Buffer.from(lines.join("\n"));
    compareWithJson(own, columns, bytes);
    compareWithJson(own, columns, bytes);
  });

  test("more projected keys than duplicate bits", () => {
    const many: ExtractColumn[] = Array.from({ length: 150 }, (_, i) => value(i, `key${i}`, "x"));
    const inArray: ExtractColumn[] = Array.from({ length: 100 }, (_, i) => value(150 + i, "list", `m${i}`));
    const plan = [...many, ...inArray];
    const own = new Reader(variant, plan);
    const random = new Random(8);
    const object = (keys: string[], wrap: boolean): string => `{${keys.map((key) => `"${key}":${wrap ? `{"x":${random.below(100)}}` : random.below(9)}`).join(",")}}`;
    const lines = Array.from({ length: 600 }, () => {
      const outer = Array.from({ length: 100 }, () => `key${random.below(random.chance(0.5) ? 20 : 150)}`);
      const list = Array.from({ length: random.below(4) }, () => object(Array.from({ length: 30 }, () => `m${random.below(100)}`), false));
      return `${object(outer, true).slice(0, -1)},"list":[${list.join(",")}]}`;
    });
    compareWithJson(own, plan, Buffer.from(lines.join("\n")));
  });

  test("repeated keys cost no more than their bytes", () => {
    const own = new Reader(variant, plans["all"] ?? []);
    const text = `{"a":{${'"x":1,'.repeat(100_000)}"x":2}}\n{${'"a":{"x":[1,2]},'.repeat(50_000)}"a":3}\n`;
    const read = own.read(Buffer.from(text));
    expect(read.rows.at(-1)?.values[1]).toEqual(["3"]);
  });

  test("keys made to collide cost no more than their bytes", () => {
    const own = new Reader(variant, plans["all"] ?? []);
    const keys = Array.from({ length: 30_000 }, (_, i) => `"prefix__${String(i).padStart(8, "0")}__suffix":1`);
    const read = own.read(Buffer.from(`{"a":{${keys.join(",")}}}\n{"a":2}\n`));
    expect(read.rows.length).toBe(2);
  });

  test("UTF-8 is judged as the platform judges it, wrong bytes become U+FFFD", () => {
    const random = new Random(21);
    const samples = ["plain ", "é", "✓", "😀", "\u07ff", "\uffff", "\u{10ffff}"].map((text) => Buffer.from(text))
      .concat([[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe0, 0x9f, 0x80], [0xf0, 0x8f, 0x80, 0x80], [0x80], [0xff], [0xc3], [0xe2, 0x82], [0xf5, 0x80, 0x80, 0x80]].map((bytes) => Buffer.from(bytes)));
    for (let round = 0; round < 4000; round++) {
      const parts = Array.from({ length: random.below(30) }, () => random.chance(0.9) ? samples[random.below(7)]! : random.pick(samples));
      const bytes = Buffer.concat(parts);
      const at = reader.input + (round % 64);
      reader.arena.u8.set(bytes, at);
      const decoded = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
      const valid = Buffer.from(decoded).equals(bytes);
      expect(reader.kernel.validateUtf8(at, at + bytes.length)).toBe(valid ? 1 : 0);
      expect(Buffer.from(repairUtf8(bytes).bytes).toString("hex")).toBe(Buffer.from(decoded).toString("hex"));
    }
  });
});
