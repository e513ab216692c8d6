import { beforeAll, describe, expect, test } from "vitest";
import { BODY_FOLDED, BODY_LONG, BODY_ODD, BODY_TIGHT } from "../../assembly/layout.ts";
import { BodyFramer } from "../../host/engine/frame.ts";
import { type ToldBody, tellBody } from "../reference/body.ts";
import { loadKernel, variants } from "../support/wasm.ts";
import { seeded } from "./http-support.ts";

const RECORD_BYTES = 90;

const records = [
  '{"message":"a \\u00e9 \\ud83d\\ude00 \\" \\\\ \\/ \\b\\f\\n\\r\\t","host":"h","n":-1.5e3,"o":{"p":[1,null,true,false,"t",{}],"q":[]},"e":""}',
  '{"timestamp":1772359200000,"usr":{"id":"deploy"},"network":{"client":{"ip":"192.0.2.7"}},"ok":true}',
  '{ "spaced" : [ 0 , -0 , 1E+2 , "x" ] , "deep" : { "a" : { "b" : [ [ ] , [ [ 1 ] ] ] } } }',
  JSON.stringify({ a: [{ b: 1 }, { c: [1, 2, { d: null }] }], t: "x".repeat(80), u: "é".repeat(40) }, undefined, 2),
  '{"a":1}', "{}", '{"\\\\":"\\\\\\""}', '{"":{"":{"":0.5}}}', '{"c":"{[,:]}"}',
];
const others = ['"text"', "17", "null", "[]", '[{"x":1},[2]]', '"<34>1 line"', "-0.1e-7"];
const blanks = ["", "", "", " ", "\n", "\r\n", "\t \n ", " ".repeat(70)];

/** A body of some make, and what was done to it. */
function someBody(random: () => number): Buffer {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const isArray = random() < 0.5;
  const parts = Array.from({ length: 1 + Math.floor(random() * 5) }, () => `${pick(blanks)}${isArray && random() < 0.2 ? pick(others) : pick(records)}${pick(blanks)}`);
  return Buffer.from(isArray ? `${pick(blanks)}[${parts.join(",")}]${pick(blanks)}` : parts.join(pick(["", "\n", " "])));
}

const pieces = ["{", "}", "[", "]", '"', ",", ":", "\\", "\n", " ", "\0", "\x1f", "\x7f", "{}", "[]", '""', "null", "nul", "1", "-", ".", "e", "01", "\\u12", "\\u0041", '","', '":', '":"', "],[", "},{", "\ufeff", "é", '"a":1', '"a"', ",,", "/"].map((text) => Buffer.from(text));

function damaged(body: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * (body.length + 1));
  const piece = pieces[Math.floor(random() * pieces.length)]!;
  const cut = Math.floor(random() * 3);
  switch (Math.floor(random() * 5)) {
    case 0: return body.subarray(0, at);
    case 1: return Buffer.concat([body.subarray(0, at), piece, body.subarray(at)]);
    case 2: return Buffer.concat([body.subarray(0, at), body.subarray(at + 1 + cut)]);
    case 3: return Buffer.concat([body.subarray(0, at), piece, body.subarray(at + piece.length)]);
    default: return Buffer.concat([body.subarray(0, at), body.subarray(Math.max(0, at - 1 - Math.floor(random() * 60)))]);
  }
}

describe.each(variants)("the frame kernel tells what the scanner by bytes tells, %s", (variant) => {
  let framer: BodyFramer;
  let room: Buffer;
  beforeAll(() => {
    framer = BodyFramer.create({ module: loadKernel(variant), bytes: 64 * 1024 * 1024 });
    room = framer.memory.take(20 * 1024 * 1024)!;
  });

  function told(body: Uint8Array, shift = 0): ToldBody {
    const place = room.subarray(shift, shift + body.length);
    place.set(body);
    room[shift + body.length] = 0x22; // what lies behind a body is not read as part of it
    const found = framer.scan(place, RECORD_BYTES)!;
    if (room[shift + body.length] !== 0x22 || !place.equals(body)) throw new Error("the memory was changed");
    const has = (flag: number): boolean => (found.flags & flag) !== 0;
    return {
      kind: found.kind, odd: has(BODY_ODD), long: has(BODY_LONG), tight: has(BODY_TIGHT), folded: has(BODY_FOLDED),
      spans: Array.from({ length: found.count }, (_, i) => [framer.spanStart(place, i), framer.spanEnd(place, i)] as const),
    };
  }

  function same(body: Buffer, shift = 0): ToldBody {
    const own = told(body, shift);
    const twin = tellBody(body, RECORD_BYTES);
    if (JSON.stringify(own) !== JSON.stringify(twin)) expect({ body: body.toString(), shift, ...own }).toEqual({ body: body.toString(), shift, ...twin });
    return twin;
  }

  test.each([
    "", " ", "\ufeff", "\ufeff{}", "text", '"text"', "17", "[]", "{}", "[[]]", "[{}]", "[{},{}]", "{}{}", "{} {}", "{}\n{}\n", "{},{}", "[],[]", "[][]", "[]{}", "{}[]", "{} x", "[] x", "{]", "[}", "[", "{", "]", "[[]", "[]]",
    "{}}", "[,]", "[1,]", "[,1]", "[1 2]", '["a""b"]', '["a" "b"]', '{"a"}', '{"a":}', '{"a":1,}', '{"a":1 "b":2}', '{"a":1,"b"}', '{"a","b"}', '{"a","b":1}', '{"a":1,2}', '{"a":{},[]}', '{"a":{},1}', '{"a":[],"b","c":1}', '{:1}', '{1:2}', '{null:2}',
    '{"a":1:2}', '["a":1]', '[{},"a":1]', '[1,"a":2]', '[[],"a":2]', '{"a"::1}', '{{}}', '{[]}', '{"a"[]}', '{"a"{}}', '[[]"a"]', '[[]1]', '["a"[]]', '[1[]]', '[{}{}]', '[[][]]', '{"a":{}"b":1}', '{"a":1{}', '{"a":"b""c":1}', '{"a":tru}', '{"a":truee}', '{"a":true"b":1}',
    '[true,false,null]', "[nulll]", "[tru e]", "[01]", "[-]", "[-1]", "[1.]", "[.5]", "[+1]", "[1e5]", "[1e]", "[1E-3]", "[1.5.5]", "[1-1]", "[NaN]", "[\x0b]", "[\0]", "[\x7f]", "[é]", "[1\x0c]", '["\x01"]', '["\n"]', '["\\x"]', '["\\u12g4"]', '["\\uD800"]', '["\\u123"]', '["\\"]', '["\\\\"]',
    '\\"[]', '[\\"a\\"]', '{"a":1}\\', '["a\\', '["a', '{"a":1', '{"a":"\\u12', "[//]", "[/**/]", '{"a":1}]', '[{"a":1}}', "[1,2,3]x", '[1\n,"a"\n,[2]\n]', '{"a":\n1}', "\u00a0{}",
  ])("%j", (text) => {
    for (let shift = 0; shift < 17; shift++) same(Buffer.from(text), shift);
  });

  test("on 100,000 bodies, most of them damaged in one to three places", () => {
    const random = seeded(20260312);
    const kinds: Record<string, number> = {};
    for (let run = 0; run < 100_000; run++) {
      let body = someBody(random);
      for (let times = run % 4; times > 0; times--) body = damaged(body, random);
      const { kind } = same(body, run % 64);
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    }
    for (const kind of ["array", "objects", "broken"]) expect(kinds[kind]).toBeGreaterThan(5000);
  });

  test("wherever a block of 64 bytes begins or ends", () => {
    const random = seeded(7);
    for (const record of [...records, ...others]) {
      for (let at = 0; at < 130; at++) {
        same(Buffer.from(`[{"":"${"x".repeat(at)}"},${record}]`));
        same(Buffer.from(`${" ".repeat(at)}${record}\n${record}`));
        same(damaged(Buffer.from(`[${" ".repeat(at)}${record},${" ".repeat(at)}${record}]`), random));
        same(Buffer.from(`[${"1".repeat(at + 1)},"${"\\".repeat(at)}",${"true ,".repeat(at)}${record}]`));
      }
    }
  });

  test("however long, and at any end", () => {
    const random = seeded(8);
    const whole = Buffer.from(`[${Array.from({ length: 12_000 }, () => records[Math.floor(random() * records.length)]!).join(",")}]`);
    expect(same(whole).spans).toHaveLength(12_000);
    for (let end = whole.length - 80; end < whole.length; end++) expect(same(whole.subarray(0, end)).kind).toBe("broken");
    for (let run = 0; run < 30; run++) same(damaged(whole, random));
    const lines = Buffer.from(`${'{"a":1}\n'.repeat(100_000)}`);
    expect(same(lines).spans).toHaveLength(100_000);
  });

  test("however deep, until the host must tell", () => {
    for (const depth of [1, 2, 31, 32, 33, 63, 64, 65, 66, 95, 96, 97, 128, 1000, 100_000]) {
      const arrays = "[".repeat(depth) + "]".repeat(depth);
      const objects = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
      const mixed = `${'[{"a":'.repeat(depth)}[]${"}]".repeat(depth)}`;
      for (const text of [arrays, objects, mixed, `[${objects},${mixed},${arrays}]`]) {
        expect(same(Buffer.from(text)).kind).not.toBe("broken");
        for (const place of [0.3, 0.5, 0.9]) {
          const at = Math.floor(text.length * place);
          same(Buffer.from(text.slice(0, at) + text.slice(at + 1)));
          same(Buffer.from(`${text.slice(0, at)}]${text.slice(at + 1)}`));
          expect(same(Buffer.from(`${text.slice(0, at)}\u0001${text.slice(at + 1)}`)).kind).toBe(at === 0 ? "text" : "broken");
        }
      }
    }
    const place = room.subarray(0, 5_000_000);
    place.fill("[");
    expect(framer.scan(place, RECORD_BYTES)).toBeUndefined();
  });

  test("more elements than can be listed are the host's", () => {
    const place = room.subarray(0, 2 * 200_000);
    place.fill("{}");
    expect(framer.scan(place, RECORD_BYTES)).toBeUndefined();
  });

  test("elements stand on lines of their own, and nothing of them changes", () => {
    const random = seeded(9);
    let made = 0;
    for (let run = 0; run < 3000; run++) {
      const body = someBody(random);
      const place = room.subarray(run % 64, (run % 64) + body.length);
      body.copy(place);
      const found = framer.scan(place, 1 << 20)!;
      if (!found.isPlain || !found.count) {
        if (!found.isPlain) expect(() => framer.makeLines()).toThrow("written anew");
        continue;
      }
      made++;
      const start = framer.spanStart(place, 0);
      const end = framer.spanEnd(place, found.count - 1);
      framer.makeLines();
      const lines = place.toString("utf8", start, end).split("\n");
      expect(lines).toHaveLength(found.count);
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(tellBody(body, 1 << 20).spans.map(([from, to]) => JSON.parse(body.toString("utf8", from, to)) as unknown));
      expect([place.subarray(0, start).equals(body.subarray(0, start)), place.subarray(end).equals(body.subarray(end))]).toEqual([true, true]);
    }
    expect(made).toBeGreaterThan(1000);
  });
});

test("the memory for bodies is given out in any order, and whole again afterwards", () => {
  const { memory } = BodyFramer.create({ module: loadKernel("scalar"), bytes: 64 * 1024 * 1024 });
  const random = seeded(5);
  const held: Buffer[] = [];
  let refused = 0;
  for (let run = 0; run < 20_000; run++) {
    if (random() < 0.55) {
      const body = memory.take(Math.floor(random() ** 4 * 6_000_000));
      if (!body) refused++;
      else held.push(body.fill(held.length & 0xff, 0, Math.min(body.length, 64)));
    } else if (held.length) memory.give(held.splice(Math.floor(random() * held.length), 1)[0]!);
  }
  const places = held.toSorted((a, b) => a.byteOffset - b.byteOffset);
  places.forEach((body, i) => i > 0 && expect(places[i - 1]!.byteOffset + places[i - 1]!.length + 64).toBeLessThanOrEqual(body.byteOffset));
  expect(refused).toBeGreaterThan(0);
  for (const body of held) memory.give(body);
  expect(memory.heldBytes).toBe(0);
  expect(() => memory.give(held[0]!)).toThrow("given back before");
  const all = [memory.take(30_000_000), memory.take(30_000_000)];
  expect(all.every(Boolean)).toBe(true);
  expect([memory.take(8_000_000), memory.take(2 ** 25)]).toEqual([undefined, undefined]);
  expect(memory.take(7_000_000)).toBeDefined();
});
