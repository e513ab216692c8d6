import { describe, expect, test } from "vitest";
import { MessageFraming } from "../../host/intake/lines/framing.ts";

function cut(chunks: readonly Uint8Array[], limit = 64): [string, boolean][] {
  const found: [string, boolean][] = [];
  const framing = new MessageFraming(limit, (bytes, truncated) => found.push([new TextDecoder().decode(bytes), truncated]));
  for (const chunk of chunks) framing.push(chunk);
  framing.end();
  return found;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("messages of one connection", () => {
  test.each<[string, string, [string, boolean][]]>([
    ["lines", "<1>a\n<2>b\r\n<3>c", [["<1>a", false], ["<2>b\r", false], ["<3>c", false]]],
    ["NUL between", "<1>a\0<2>b\0", [["<1>a", false], ["<2>b", false]]],
    ["octet counting", "4 <1>a5 <2>bc", [["<1>a", false], ["<2>bc", false]]],
    ["counted messages with newlines inside and between", "6 <1>a\nb\n4 <2>c\n", [["<1>a\nb", false], ["<2>c", false]]],
    ["a line between counted ones", "4 <1>aodd\n4 <2>b", [["<1>a", false], ["odd", false], ["<2>b", false]]],
    ["digits that are no length", "2026-03-01 a\n12 b\n", [["2026-03-01 a", false], ["12 b", false]]],
    ["more digits than any length", "123456789 a\nb\n", [["123456789 a", false], ["b", false]]],
    ["a key of digits first", "12345678 {}\n", [["12345678 {}", false]]],
    ["zero is no length", "0 a\n", [["0 a", false]]],
    ["blank lines and keep-alives", "\n\r\n \t \n\0\0a\n\n", [["a", false]]],
    ["a counted message cut short by the end", "9 <1>a", [["<1>a", true]]],
    ["a counted blank", "3    4 <1>a", [["<1>a", false]]],
    ["only digits", "17", [["17", false]]],
    ["nothing", "", []],
  ])("%s", (_name, text, expected) => expect(cut([bytes(text)])).toEqual(expected));

  test("what is longer than the limit is cut between characters, and the next message is whole", () => {
    expect(cut([bytes(`${"ä".repeat(40)}\nnext\n`)], 9)).toEqual([["ääää", true], ["next", false]]);
    expect(cut([bytes(`80 ${"ä".repeat(40)}4 <1>b`)], 9)).toEqual([["ääää", true], ["<1>b", false]]);
    expect(cut([bytes("123456789\n")], 9)).toEqual([["123456789", false]]);
  });

  test("the limit holds in pieces of any size", () => {
    const text = bytes(`${"x".repeat(500)}\nshort\n${"y".repeat(64)}\n`);
    for (const size of [1, 7, 63, 64, 65, 66, 500]) {
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.subarray(i * size, (i + 1) * size));
      expect(cut(chunks)).toEqual([["x".repeat(64), true], ["short", false], ["y".repeat(64), false]]);
    }
  });

  test("any split of the bytes gives the same messages", () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const parts = ["\n", "\0", "\r\n", "5 <1>ab", "12 <1>a\nb\0c d4", "3", "4 ", "<9>some text", "9".repeat(9), " ", "ü\u{1f600}", "x".repeat(70)];
    for (let round = 0; round < 400; round++) {
      const text = bytes(Array.from({ length: 1 + random(12) }, () => parts[random(parts.length)]).join(""));
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < text.length; ) {
        const size = 1 + random(random(2) ? 3 : 40);
        chunks.push(text.subarray(at, at + size));
        at += size;
      }
      expect(cut(chunks)).toEqual(cut([text]));
    }
  });
});
