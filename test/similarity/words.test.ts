import { describe, expect, test } from "vitest";
import { hostWords, wordClass, Words } from "../../host/engine/sketch/index.ts";
import { sketchRoom, Stream } from "../sketch/room.ts";
import { variants } from "../support/wasm.ts";

const latin = [..."abcXYZ", "é", "e\u0301", "ß", "ø", "\u00ad", "ﬁ", "ª", "µ"];
const greekCyrillic = [..."αβΩжЖя", "\u0374", "\u0483"];
const hebrewArabic = [..."אבש", "\u05f3", "\u05f4", ..."عرب", "\u0651", "\u066b", "٣", "\u200f"];
const other = [..."हिन्दी", ..."தமிழ்", ..."ქართ", ..."한글", "\u1100", "\u1161", "\u11a8", "𐐀", "ꙮ", "ⓐ", "ℹ"];
const digits = [..."0129", "٣", "१", "１", "𝟘", "²", "½", "Ⅷ"];
const between = ["'", "’", "‘", ".", ",", ";", ":", "·", "\u2024", "\u2027", "\ufe13", "\uff0e", "\uff07", "\uff1a", "٫", "\u037e", '"', "״", "_", "\u203f", "\uff3f", "-", "@", "/", "\\", "+", "\u2044", "$"];
const marks = ["\u0301", "\u0308", "\u200d", "\u200b", "\u200c", "\ufe0f", "\u0903", "\u20dd", "\ufeff", "\u00ad", "\u{e0001}", "\u{1f3fd}"];
const blanks = [" ", "  ", "\t", "\n", "\r\n", "\r", "\u0085", "\u2028", "\u00a0", "\u3000", "\0"];
const emoji = ["😀", "👍", "👩\u200d💻", "❤️", "©", "™", "1️⃣", "🇩🇪", "🇩", "🅰", "ℹ️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"];
const dictionary = ["漢", "ひ", "カ", "ー", "ｶ", "ไทย", "ລາວ", "ខ្មែរ", "မြန်", "々", "、", "。"];
const pools: readonly (readonly string[])[] = [latin, greekCyrillic, hebrewArabic, other, digits, between, marks, blanks, emoji, dictionary];

function sample(stream: Stream, from: readonly (readonly string[])[]): string {
  const few = Array.from({ length: 1 + stream.below(4) }, () => stream.pick(from));
  return Array.from({ length: 1 + stream.below(14) }, () => stream.pick(stream.pick(few))).join("");
}

const logs: readonly (readonly [string, readonly string[]])[] = [
  ["10.0.0.1", ["10.0.0.1"]],
  ["10:30", ["10", "30"]],
  ["foo:bar", ["foo:bar"]],
  ["3,500", ["3,500"]],
  ["a,b", ["a", "b"]],
  ["x.2", ["x", "2"]],
  ["v1.2", ["v1.2"]],
  ["user@example.com", ["user", "example.com"]],
  ["/etc/passwd", ["etc", "passwd"]],
  ["C:\\Windows\\x.exe", ["C", "Windows", "x.exe"]],
  ["a-b", ["a", "b"]],
  ["it's", ["it's"]],
  ["foo_bar", ["foo_bar"]],
  ["2024-01-02T03:04:05Z", ["2024", "01", "02T03", "04", "05Z"]],
  ["a''b a' 'b", ["a", "b", "a", "b"]],
  ["_ __ _a", ["__", "_a"]],
  ["", []],
];

describe.each(variants)("words, %s", (variant) => {
  const room = sketchRoom(variant);
  const words = new Words(room);

  test.each(logs)("%s", (text, expected) => {
    expect(words.words(text)).toEqual(expected);
    expect(hostWords(text)).toEqual(expected);
  });

  test("are those of Intl.Segmenter in 40,000 mixed strings", () => {
    const stream = new Stream(7);
    const before = words.declined;
    const wrong: string[] = [];
    for (let i = 0; i < 40_000; i++) {
      const text = sample(stream, i % 3 ? pools.slice(0, 8) : pools);
      const declined = words.declined;
      const got = words.words(text);
      // The host's own answer; ICU may cut Kana beside Lao in two ways, one after the other.
      if (words.declined > declined) continue;
      if (JSON.stringify(got) !== JSON.stringify(hostWords(text))) wrong.push(JSON.stringify([text, got, hostWords(text)]));
    }
    expect(wrong.slice(0, 10)).toEqual([]);
    // Equality would be no news if the host had done all of them.
    expect(words.declined - before).toBeLessThan(12_000);
  });

  test("are those of Intl.Segmenter around every kind of code point", () => {
    const stream = new Stream(11);
    const wrong: string[] = [];
    for (let i = 0; i < 12_000; i++) {
      const point = stream.below(i % 2 ? 0x3100 : 0x1f000);
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const c = String.fromCodePoint(point);
      const text = stream.pick([`a${c}b ${c}1`, `1${c}2${c}`, `'${c}'${c}a`, `א${c}"${c}`, `${c}${c}_${c}.a`, `a.${c}\u0301b`]);
      if (JSON.stringify(words.words(text)) !== JSON.stringify(hostWords(text))) wrong.push(`${point.toString(16)} ${JSON.stringify(text)}`);
    }
    expect(wrong.slice(0, 10)).toEqual([]);
  });

  test("leave to the host, and count, scripts cut by a dictionary", () => {
    for (const text of dictionary.slice(0, 9)) {
      const before = words.declined;
      expect(words.words(`a ${text} b`)).toEqual(hostWords(`a ${text} b`));
      expect(words.declined).toBe(before + 1);
    }
    const before = words.declined;
    expect(words.words("a\u200d👍b x")).toEqual(hostWords("a\u200d👍b x"));
    expect(words.declined).toBe(before + 1);
    expect(words.words("plain")).toEqual(["plain"]);
    expect(words.declined).toBe(before + 1);
  });

  test("have equal hashes whichever way they were cut", () => {
    const out = room.arena.alloc(1024);
    const hashesOf = (text: string): bigint[] => Array.from(room.arena.u64.slice(out >> 3, (out >> 3) + words.hashes(text, out, 100)));
    const alone = hashesOf("alpha it's 10.0.0.1 prüfung");
    expect(alone).toHaveLength(4);
    expect(new Set(alone).size).toBe(4);
    expect(hashesOf("漢 alpha it's 10.0.0.1 prüfung").slice(-4)).toEqual(alone);
    expect(hashesOf("alpha it's")).toEqual(alone.slice(0, 2));
  });

  test("long texts are cut at a character, bytes that are no text separate", () => {
    const short = new Words(room, { textBytes: 9 });
    expect(short.words("abc défgh")).toEqual(["abc", "défg"]);
    expect(short.words("12345678é")).toEqual(["12345678"]);
    const at = room.arena.bytes(new Uint8Array([0x61, 0xff, 0x62, 0xc3, 0x20, 0x80, 0x63, 0xf4, 0xbf, 0xbf, 0xbf, 0xe2, 0x80]));
    const out = room.arena.alloc(256);
    expect(words.hashesAt(at, 13, out, 10)).toBeGreaterThan(0);
    const surrogate = room.arena.bytes(new Uint8Array([0x61, 0xed, 0xa0, 0x80, 0x62]));
    expect(words.hashesAt(surrogate, 5, out, 10)).toBe(2);
  });
});

test("classes of code points that are spelt out in UAX #29", () => {
  const kinds = (text: string): number[] => Array.from(text, (c) => wordClass(c.codePointAt(0)!));
  expect(new Set(kinds("azAZéжα")).size).toBe(1);
  expect(new Set(kinds("019٣")).size).toBe(1);
  expect(new Set(kinds("·״:")).size).toBe(1);
  expect(new Set(kinds(".’‘․")).size).toBe(1);
  expect(new Set(kinds(",;")).size).toBe(1);
});
