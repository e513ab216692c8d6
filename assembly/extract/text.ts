import { REASON_BAD_ESCAPE, REASON_BAD_STRING } from "../layout";
import { commitText, refuseValue, reserve } from "./area";
import { fault, faultAt } from "./fault";

/** Strings: where they end, whether they are JSON, and what they say without escapes. */

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;

/** Set by stringEnd: the string has escapes. */
let escapes: bool = false;

export function hadEscapes(): bool {
  return escapes;
}

/** Texts of the records read last spell characters by their numbers; set for every text, wanted or not. */
let numbered: bool = false;

export function metNumbers(): bool {
  return numbered;
}
export function forgetNumbers(): void {
  numbered = false;
}

// @ts-ignore: decorator
@inline
export function isBlank(c: u32): bool {
  return c == 0x20 || c == 0x09 || c == 0x0d;
}

function skipBlankRun(p: usize): usize {
  while (isBlank(load<u8>(p))) p++;
  return p;
}

/** First byte at or after p that is not a blank; line feeds end the search too. */
// @ts-ignore: decorator
@inline
export function skipBlanks(p: usize): usize {
  return load<u8>(p) > 0x20 ? p : skipBlankRun(p);
}

/** Address of the line feed that ends the line p stands in. */
export function lineEnd(p: usize): usize {
  if (ASC_FEATURE_SIMD) {
    while (true) {
      const mask = i8x16.bitmask(i8x16.eq(v128.load(p), i8x16.splat(0x0a)));
      if (mask) return p + <usize>ctz(mask);
      p += 16;
    }
  }
  while (load<u8>(p) != 0x0a) p++;
  return p;
}

// Constants are loaded: engines build a splat anew in every turn of a loop, in three steps to a load's one.
const SLASHES: usize = memory.data<u64>([0x5c5c5c5c5c5c5c5c, 0x5c5c5c5c5c5c5c5c], 16);
const TWOS: usize = memory.data<u64>([0x0202020202020202, 0x0202020202020202], 16);
const BLANKS: usize = memory.data<u64>([0x2020202020202020, 0x2020202020202020], 16);

/** Lanes that end plain text: quote, backslash, control characters. */
// @ts-ignore: decorator
@inline
function stopLanes(v: v128): v128 {
  // xor 2 moves the quote from 0x22 to 0x20 and the blank from 0x20 to 0x22, so one comparison finds quote and controls.
  return v128.or(i8x16.eq(v, v128.load(SLASHES)), i8x16.le_u(v128.xor(v, v128.load(TWOS)), v128.load(BLANKS)));
}

/** Bit i is set when byte i of the 32 at p ends plain text. */
// @ts-ignore: decorator
@inline
export function stopMask32(p: usize): u32 {
  return <u32>i8x16.bitmask(stopLanes(v128.load(p))) | (<u32>i8x16.bitmask(stopLanes(v128.load(p, 16))) << 16);
}

const ONES: u64 = 0x0101010101010101;
const HIGHS: u64 = 0x8080808080808080;

/** High bit of the first byte that ends plain text (bytes above it may be marked wrongly, the first never is). */
// @ts-ignore: decorator
@inline
function stopMask8(x: u64): u64 {
  const quote = x ^ (ONES * 0x22);
  const slash = x ^ (ONES * 0x5c);
  return (((quote - ONES) & ~quote) | ((slash - ONES) & ~slash) | ((x - ONES * 0x20) & ~x)) & HIGHS;
}

/** First quote, backslash or control character at or after p; p + 32, whatever is there, when the 32 bytes before have none. */
// @ts-ignore: decorator
@inline
export function nearStop(p: usize): usize {
  if (ASC_FEATURE_SIMD) return p + <usize>ctz(stopMask32(p));
  return textStop(p);
}

/** First quote, backslash or control character at or after p. */
// @ts-ignore: decorator
@inline
export function textStop(p: usize): usize {
  if (ASC_FEATURE_SIMD) {
    while (true) {
      const mask = stopMask32(p);
      if (mask) return p + ctz(mask);
      p += 32;
    }
  }
  while (true) {
    const mask = stopMask8(load<u64>(p));
    if (mask) return p + <usize>(ctz(mask) >> 3);
    p += 8;
  }
  return p;
}

// @ts-ignore: decorator
@inline
function hexValue(c: u32): u32 {
  if (c - 0x30 < 10) return c - 0x30;
  const letter = (c | 0x20) - 0x61;
  return letter < 6 ? letter + 10 : 0xffff0000;
}

/** The code unit of four hex digits, or at least 0x10000 when they are not four. */
function codeUnit(p: usize): u32 {
  return (hexValue(load<u8>(p)) << 12) | (hexValue(load<u8>(p, 1)) << 8) | (hexValue(load<u8>(p, 2)) << 4) | hexValue(load<u8>(p, 3));
}

/** Bits of the characters after a backslash that stand for one: `"` and `/` below 0x40, `\\bfnrt` above. */
const ESCAPES_LOW: u64 = (<u64>1 << 0x22) | (<u64>1 << 0x2f);
const ESCAPES_HIGH: u64 = (<u64>1 << 0x1c) | (<u64>1 << 0x22) | (<u64>1 << 0x26) | (<u64>1 << 0x2e) | (<u64>1 << 0x32) | (<u64>1 << 0x34);

// @ts-ignore: decorator
@inline
function isSimpleEscape(c: u32): bool {
  return c < 0x80 && (((c < 0x40 ? ESCAPES_LOW : ESCAPES_HIGH) >> <u64>(c & 63)) & 1) != 0;
}

/** One past the escape whose backslash is at p, 0 with a reason when it is none. */
// @ts-ignore: decorator
@inline
function escapeEnd(p: usize): usize {
  const kind = <u32>load<u8>(p, 1);
  if (isSimpleEscape(kind)) return p + 2;
  if (kind != 0x75) return faultAt(p + 1, REASON_BAD_ESCAPE);
  numbered = true;
  return codeUnit(p + 2) < 0x10000 ? p + 6 : fault(REASON_BAD_ESCAPE);
}

/**
 * Address of the closing quote of the string whose first byte is p, or 0 with a reason.
 *
 * Escapes are checked, whoever wants the string. Never passes a line feed.
 */
export function stringEnd(p: usize): usize {
  escapes = false;
  if (ASC_FEATURE_SIMD) {
    let block = p;
    let mask = stopMask32(block);
    while (true) {
      while (!mask) {
        block += 32;
        mask = stopMask32(block);
      }
      const at = block + <usize>ctz(mask);
      const c = <u32>load<u8>(at);
      if (c == QUOTE) return at;
      if (c != BACKSLASH) return faultAt(at, REASON_BAD_STRING);
      escapes = true;
      const after = escapeEnd(at);
      if (!after) return 0;
      // What the escape hides is struck from the block at hand; one that reaches beyond it begins another.
      const done = <u32>(after - block);
      if (done < 32) mask &= <u32>-1 << done;
      else {
        block = after;
        mask = stopMask32(block);
      }
    }
  }
  while (true) {
    p = textStop(p);
    const c = <u32>load<u8>(p);
    if (c == QUOTE) return p;
    if (c != BACKSLASH) return faultAt(p, REASON_BAD_STRING);
    escapes = true;
    p = escapeEnd(p);
    if (!p) return 0;
  }
  return 0;
}

/** stringEnd with the usual case in line: a string without escapes that ends within 32 bytes. */
// @ts-ignore: decorator
@inline
export function textEnd(p: usize): usize {
  const end = nearStop(p);
  if (<u32>load<u8>(end) != QUOTE) return stringEnd(p);
  escapes = false;
  return end;
}

/** Writes a code point as UTF-8 (a lone surrogate as its three bytes); returns the next free address. */
function writeCodePoint(out: usize, c: u32): usize {
  if (c < 0x80) {
    store<u8>(out, c);
    return out + 1;
  }
  if (c < 0x800) {
    store<u8>(out, 0xc0 | (c >> 6));
    store<u8>(out, 0x80 | (c & 63), 1);
    return out + 2;
  }
  if (c < 0x10000) {
    store<u8>(out, 0xe0 | (c >> 12));
    store<u8>(out, 0x80 | ((c >> 6) & 63), 1);
    store<u8>(out, 0x80 | (c & 63), 2);
    return out + 3;
  }
  store<u8>(out, 0xf0 | (c >> 18));
  store<u8>(out, 0x80 | ((c >> 12) & 63), 1);
  store<u8>(out, 0x80 | ((c >> 6) & 63), 2);
  store<u8>(out, 0x80 | (c & 63), 3);
  return out + 4;
}

function simpleEscape(c: u32): u32 {
  if (c == 0x6e) return 0x0a;
  if (c == 0x74) return 0x09;
  if (c == 0x72) return 0x0d;
  if (c == 0x62) return 0x08;
  if (c == 0x66) return 0x0c;
  return c;
}

/** Writes [p, end) without escapes to `out`; the string was checked by stringEnd. Spills at most 16 bytes past the result. */
function unescapeTo(out: usize, p: usize, end: usize): usize {
  while (p < end) {
    // Plain stretch: copied in blocks, then cut to its length.
    let stop = p;
    if (ASC_FEATURE_SIMD) {
      while (true) {
        const block = v128.load(stop);
        v128.store(out, block);
        const mask = i8x16.bitmask(i8x16.eq(block, i8x16.splat(0x5c)));
        const n: usize = mask ? <usize>ctz(mask) : 16;
        stop += n;
        out += n;
        if (mask || stop >= end) break;
      }
    } else {
      while (stop < end && load<u8>(stop) != BACKSLASH) store<u8>(out++, load<u8>(stop++));
    }
    if (stop >= end) return out - (stop - end);
    const kind = <u32>load<u8>(stop, 1);
    if (kind != 0x75) {
      store<u8>(out++, simpleEscape(kind));
      p = stop + 2;
      continue;
    }
    let unit = codeUnit(stop + 2);
    p = stop + 6;
    if ((unit & 0xfc00) == 0xd800 && p < end && load<u16>(p) == 0x755c) {
      const low = codeUnit(p + 2);
      if ((low & 0xfc00) == 0xdc00) {
        unit = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
        p += 6;
      }
    }
    out = writeCodePoint(out, unit);
  }
  return out;
}

/** Cell bits of text [p, end), kind string. */
// @ts-ignore: decorator
@inline
export function textCell(p: usize, end: usize): u64 {
  return <u64>p | (<u64>(end - p) << 32) | (1 << 60);
}

/** Cell of a string with escapes, rewritten in the arena; 0 when the arena has no room (counted). */
export function unescapedCell(p: usize, end: usize): u64 {
  const out = reserve(end - p);
  if (!out) {
    refuseValue();
    return 0;
  }
  const outEnd = unescapeTo(out, p, end);
  commitText(outEnd);
  return textCell(out, outEnd);
}
