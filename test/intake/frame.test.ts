import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { BodyFramer } from "../../host/engine/frame.ts";
import { type Framed, frameBody, shortened } from "../../host/intake/frame.ts";
import { membersOf, objectsSideBySide, valueEnd } from "../../host/intake/json-scan.ts";
import { Refused } from "../../host/intake/exchange.ts";
import { loadKernel } from "../support/wasm.ts";

const limits = { recordBytes: 1 << 20, entries: 1000, records: 1000 };

/** Who looks bodies through: nobody but the decoder, the kernel after a copy, or the kernel where the body lies. */
type Way = "bytes" | "copied" | "in place";
let framer: BodyFramer;
beforeAll(() => {
  framer = BodyFramer.create({ module: loadKernel("simd"), bytes: 1 << 25 });
});

function framed(text: string, lenient = false, way: Way = "bytes") {
  const body = Buffer.from(text);
  const place = way === "in place" ? framer.memory.take(body.length)! : body;
  if (place !== body) body.copy(place);
  try {
    return asLines(frameBody(place, limits, lenient, way === "bytes" ? undefined : framer));
  } finally {
    if (place !== body) framer.memory.give(place);
  }
}

function asLines({ bytes, ...rest }: Framed) {
  return { lines: Buffer.from(bytes).toString().split("\n").map((line) => line.trim()).filter((line) => line !== ""), ...rest };
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Is the whole text one value, by the scanner? */
function scans(text: string): boolean {
  const bytes = Buffer.from(text);
  const end = valueEnd(bytes, 0, bytes.length);
  return end >= 0 && bytes.subarray(end).toString().trim() === "";
}

describe("the scanner takes what JSON.parse takes", () => {
  test.each([
    "{}", "[]", '""', "0", "-0", "01", "1.", "1.5e+7", "1e", "-", "+1", ".5", "true", "tru", "nul", "nulll", "[1,]", "[,1]", "[1 2]", '{"a"}', '{"a":}', '{"a":1,}',
    "{,}", '{a:1}', '{"a":1 "b":2}', '{"a":1}}', "[[]", "[}", "{]", '"\\x"', '"\\u12g4"', '"\\uD800"', '"\t"', '"a\nb"', '{"a":{"b":[1,{"c":null}]}}', " [ 1 , 2 ] ", "", " ",
    '"unclosed', '"\\', '"\\u12', "[1]x", "\u00a0{}", "NaN", "Infinity", "{\"a\":1,\"a\":2}", "\ufeff{}",
  ])("%j", (text) => expect(scans(text)).toBe(parses(text)));

  test("on a seeded stream of documents, whole and damaged by one byte", () => {
    const damage = fc.tuple(fc.json({ maxDepth: 5 }), fc.nat(), fc.constantFrom("", ...'{}[],:"\\ 0-.eEtfn\n\t\u0001u')).map(([text, place, piece]) => {
      const at = place % (text.length + 1);
      return text.slice(0, at) + piece + text.slice(at + (place % 2));
    });
    fc.assert(fc.property(fc.oneof(fc.json({ maxDepth: 6 }), damage), (text) => {
      expect(scans(text)).toBe(parses(text));
    }), { seed: 404, numRuns: 5000 });
  });

  test("any depth", () => {
    const depth = 1_000_000;
    expect(scans("[".repeat(depth) + "]".repeat(depth))).toBe(true);
    expect(scans("[".repeat(depth) + "]".repeat(depth - 1))).toBe(false);
    expect(scans(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`)).toBe(true);
  });

  test("members in order, names unescaped", () => {
    const body = Buffer.from(' { "a" : [1, {"x":2}] ,"b\\u0041":"}" , "c":null} ');
    expect(membersOf(body, 1, body.length - 1).map(({ name, start, end }) => [name, body.toString("utf8", start, end)])).toEqual([["a", '[1, {"x":2}]'], ["bA", '"}"'], ["c", "null"]]);
  });
});

describe.each<Way>(["bytes", "copied", "in place"])("a body of unknown make becomes records, %s", (way) => {
  test.each<[string, string[]]>([
    ['[{"a":1},{"b":2}]', ['{"a":1}', '{"b":2}']],
    ['\ufeff [ {"a":1}\n ,\n {"b":[1,\n2]} ] \n', ['{"a":1}', '{"b":[1, 2]}']],
    ['{"a":1}\n{"b":2}\r\n\n{"c":"}{"}', ['{"a":1}', '{"b":2}', '{"c":"}{"}']],
    ['{"a":1}{"b":2} {"c":3}', ['{"a":1}', '{"b":2}', '{"c":3}']],
    ['{\n  "a": {\n    "b": 1\n  }\n}', ['{   "a": {     "b": 1   } }']],
    ['["plain","<34>1 2026-03-01T10:00:00Z web-1 su - - - failed"]', ['{"message":"plain"}', '{"message":"failed","syslog":{"prival":34,"facility":4,"severity":2,"version":1,"timestamp":"2026-03-01T10:00:00Z","hostname":"web-1","appname":"su"}}']],
    ['{"a":1}\n{"b":\n{"c":3}', ['{"a":1}', '{"c":3}']],
  ])("%j", (text, lines) => {
    const { lines: found, events, kind } = framed(text, false, way);
    expect(found).toEqual(lines);
    expect(events).toBe(lines.length);
    expect(kind).toBe("json");
  });

  test.each(["", " \n", "{}", " { } ", "[]", "[ ]"])("%j has no event", (text) => expect(framed(text, false, way)).toMatchObject({ events: 0, lines: [], rejected: [] }));

  test.each<[string, string, number]>([
    ["one line\r\n\r\ntwo lines\n", "text", 2],
    ["<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "syslog", 1],
    ["\"just text\"", "text", 1],
    ["17", "text", 1],
  ])("%j is %s", (text, kind, events) => expect(framed(text, false, way)).toMatchObject({ kind, events }));

  test.each(['{"a":', "[1", '[{"a":1},]', "{bad}", '{"a":1}]', '[{"a":1}] x', '{\n"a":{"b":1},\n"c":'])("%j is refused", (text) => {
    expect(() => framed(text, false, way)).toThrow(Refused);
  });

  test("what was not called JSON is text then", () => {
    expect(framed("[INFO] started\n[WARN] slow", true, way)).toMatchObject({ kind: "text", events: 2, lines: ["[INFO] started", "[WARN] slow"] });
  });

  test("elements that are neither objects nor texts are rejected singly, with their bytes", () => {
    const { lines, rejected } = framed('[1,{"a":1},[{"b":2}],null,true]', false, way);
    expect(lines).toEqual(['{"a":1}']);
    expect(rejected.map(({ reason, bytes }) => [reason, Buffer.from(bytes).toString()])).toEqual([["not-an-object", "1"], ["not-an-object", '[{"b":2}]'], ["not-an-object", "null"], ["not-an-object", "true"]]);
  });

  test("1000 entries of an array are taken, 1001 are not; lines are not counted", () => {
    const of = (count: number): string[] => Array.from({ length: count }, (_, i) => `{"n":${i}}`);
    expect(framed(`[${of(1000).join(",")}]`, false, way).events).toBe(1000);
    expect(() => framed(`[${of(1001).join(",")}]`, false, way)).toThrow(expect.objectContaining({ kind: "too-large" }));
    expect(framed(of(1001).join("\n"), false, way).events).toBe(1001);
  });

  test("framing loses and changes nothing, whatever stands between the records", () => {
    const record = fc.dictionary(fc.string(), fc.jsonValue()).filter((value) => Object.keys(value).length > 0);
    const blank = fc.constantFrom("", " ", "\n", "\r\n\t", "  \n ");
    fc.assert(fc.property(fc.array(fc.tuple(record, blank, fc.boolean()), { minLength: 1, maxLength: 20 }), fc.boolean(), (items, isArray) => {
      const texts = items.map(([value, gap, isPretty]) => `${gap}${JSON.stringify(value, undefined, isPretty ? 2 : 0)}${gap}`);
      const { lines } = framed(isArray ? `[${texts.join(",")}]` : texts.join("\n"), false, way);
      const found = lines.flatMap((line) => {
        const bytes = Buffer.from(line);
        const { spans } = objectsSideBySide(bytes, 0, bytes.length);
        return Array.from({ length: spans.count }, (_, i) => JSON.parse(bytes.toString("utf8", spans.start(i), spans.end(i))) as unknown);
      });
      expect(found).toEqual(items.map(([value]) => JSON.parse(JSON.stringify(value)) as unknown));
    }), { seed: 405, numRuns: 600 });
  });
});

describe("a log that is too long is shortened", () => {
  test("at its longest text, keys and other members whole, valid JSON left", () => {
    const message = `${"é\\\"\u{1f600}\n".repeat(2000)}end`;
    const record = Buffer.from(JSON.stringify({ before: 1, message, nested: { text: "x".repeat(3000) }, after: [2] }));
    for (let limit = 5000; limit < 5060; limit++) {
      const short = shortened(record, limit)!;
      expect(short.length).toBeLessThanOrEqual(limit);
      expect(short.length).toBeGreaterThan(limit - 16);
      const value = JSON.parse(short.toString()) as { message: string; nested: { text: string }; before: number; after: number[] };
      expect(message.startsWith(value.message)).toBe(true);
      expect(value).toMatchObject({ before: 1, after: [2] });
    }
  });

  test("with escapes of surrogates left whole", () => {
    const record = Buffer.from(`{"m":"${"\\ud83d\\ude00".repeat(500)}"}`);
    for (let limit = 3000; limit < 3030; limit++) {
      const value = JSON.parse(shortened(record, limit)!.toString()) as { m: string };
      expect([...value.m].every((character) => character === "\u{1f600}")).toBe(true);
    }
  });

  test("several texts where one does not do; none where all are short", () => {
    const two = Buffer.from(JSON.stringify({ a: "a".repeat(4000), b: "b".repeat(4000) }));
    expect(shortened(two, 3000)!.length).toBeLessThanOrEqual(3000);
    const many = Buffer.from(JSON.stringify(Array.from({ length: 2000 }, () => "short")));
    expect(shortened(many, 3000)).toBeUndefined();
    expect(shortened(two, two.length)).toBe(two);
  });

  test("lines of text as well, not in the middle of a character", () => {
    const { bytes, truncated, events } = frameBody(Buffer.from(`first\n${"é".repeat(100)}\nlast`), { recordBytes: 51, entries: 10, records: 10 }, true);
    expect(Buffer.from(bytes).toString()).toBe(`first\n${"é".repeat(25)}\nlast`);
    expect([truncated, events]).toEqual([1, 3]);
  });
});
