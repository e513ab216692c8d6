import { describe, expect, test } from "vitest";
import { hostImports } from "../../host/engine/imports.ts";
import { Arena } from "../../host/engine/memory.ts";
import { type ReframeKernel, type ReframeOptions, Reframer } from "../../host/engine/reframe.ts";
import { type Variant, loadKernel, variants } from "../support/wasm.ts";
import { Random, TextMaker, shapes } from "./corpus.ts";

function makeReframer(variant: Variant, options: ReframeOptions = {}): Reframer {
  const memory = new WebAssembly.Memory({ initial: 32, maximum: 65536, shared: true });
  const kernel = new WebAssembly.Instance(loadKernel(variant, "assembly/extract/index.ts"), hostImports(memory)).exports as unknown as ReframeKernel;
  return new Reframer(new Arena(memory, 65536, memory.buffer.byteLength), kernel, options);
}

function run(reframer: Reframer, bytes: Uint8Array, cuts: readonly number[] = []): string {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    parts.push(...reframer.push(bytes.subarray(start, end)));
    start = end;
  }
  parts.push(reframer.end());
  return Buffer.concat(parts).toString();
}

describe.each(variants)("reframe, %s", (variant) => {
  test.each([
    ['{"a":1}', '{"a":1}\n'],
    ['{\n  "a": 1,\r\n  "b": "x\\ny"\n}\n', '{"a": 1, "b": "x\\ny" }\n'],
    ['{"a":1}{"b":2} {"c":3}', '{"a":1}\n{"b":2}\n{"c":3}\n'],
    ['[{"a":1},\n{"b":[1,\n2]}]\n', '{"a":1}\n{"b":[1, 2]}\n'],
    ['[\n]\n', ""],
    ['[{"a":1}]{"b":2}[{"c":3}]', '{"a":1}\n{"b":2}\n{"c":3}\n'],
    ['{"Records":[{"a":1},{"b":2}]}', '{"a":1}\n{"b":2}\n'],
    ['{ "records" : [ {"a":1} , {"b":2} ], "next": {"x":["y"]} }\n{"c":3}', '{"a":1} \n{"b":2} \n{"c":3}\n'],
    ['{"Records":{"a":1}}', '{"Records":{"a":1}}\n'],
    ['{"recordsX":[1]}', '{"recordsX":[1]}\n'],
    ['{"rec":1}', '{"rec":1}\n'],
    ['{"Records', '{"Records\n'],
    ['{}', "{}\n"],
    ['[1,"a,b",null,[2]]', '1\n"a,b"\nnull\n[2]\n'],
    ['{"a":"x\n{"b":1}\n', '{"a":"x\n{"b":1}\n'],
    ["1\n\n2 3\n", "1\n2 3\n"],
    ['{"a":1},\n{"b":2}', '{"a":1}\n{"b":2}\n'],
    ['\ufeff[{"a":"}]"}]', '{"a":"}]"}\n'],
  ])("%j becomes %j", (text, expected) => {
    const reframer = makeReframer(variant);
    const bytes = Buffer.from(text);
    expect(run(reframer, bytes).replaceAll(" \n", "\n")).toBe(expected.replaceAll(" \n", "\n"));
    // The same, one byte at a time.
    expect(run(reframer, bytes, Array.from(bytes.keys())).replaceAll(" \n", "\n")).toBe(expected.replaceAll(" \n", "\n"));
  });

  test("records survive every arrangement and every cut", () => {
    const random = new Random(5);
    const reframer = makeReframer(variant, { chunkBytes: 4096 });
    for (let round = 0; round < 150; round++) {
      const maker = new TextMaker(round, shapes["tidy"]!);
      const records = Array.from({ length: 1 + random.below(30) }, () => JSON.parse(JSON.stringify(JSON.parse(maker.object(0)))) as unknown);
      const indent = random.pick([0, 1, 4]);
      const text = random.pick([
        () => JSON.stringify(records, null, indent),
        () => JSON.stringify({ Records: records, more: { a: [1, { b: 2 }] } }, null, indent),
        () => records.map((record) => JSON.stringify(record, null, indent)).join(random.pick(["", "\n", "\r\n", " , "])),
      ])();
      const bytes = Buffer.from(text);
      const cuts = Array.from({ length: random.below(20) }, () => random.below(bytes.length)).sort((a, b) => a - b);
      const lines = run(reframer, bytes, cuts).trimEnd().split("\n").map((line) => JSON.parse(line) as unknown);
      expect(lines).toEqual(records);
    }
  });
});
