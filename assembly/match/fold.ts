import { MATCH_PAGES, MATCH_SCRATCH, MATCH_SCRATCH_BYTES } from "../layout";
import { characterAt, characterBytes, lowerOf, openPages } from "./unicode";

/** Lower-cased copy of one text. */

function encode(codePoint: u32, out: usize): usize {
  if (codePoint < 0x80) {
    store<u8>(out, <u8>codePoint);
    return 1;
  }
  if (codePoint < 0x800) {
    store<u8>(out, <u8>(0xc0 | (codePoint >> 6)));
    store<u8>(out, <u8>(0x80 | (codePoint & 63)), 1);
    return 2;
  }
  if (codePoint < 0x10000) {
    store<u8>(out, <u8>(0xe0 | (codePoint >> 12)));
    store<u8>(out, <u8>(0x80 | ((codePoint >> 6) & 63)), 1);
    store<u8>(out, <u8>(0x80 | (codePoint & 63)), 2);
    return 3;
  }
  store<u8>(out, <u8>(0xf0 | (codePoint >> 18)));
  store<u8>(out, <u8>(0x80 | ((codePoint >> 12) & 63)), 1);
  store<u8>(out, <u8>(0x80 | ((codePoint >> 6) & 63)), 2);
  store<u8>(out, <u8>(0x80 | (codePoint & 63)), 3);
  return 4;
}

let scratch: usize = 0;
let scratchBytes: usize = 0;
/** The text whose folded copy stands in the scratch area. */
let foldedText: usize = 0;
let foldedFrom: usize = 0;
export let foldedLength: usize = 0;

export function openFold(m: usize): void {
  openPages(load<u32>(m, MATCH_PAGES));
  scratch = load<u32>(m, MATCH_SCRATCH);
  scratchBytes = load<u32>(m, MATCH_SCRATCH_BYTES);
  foldedText = 0;
}

// @ts-ignore: decorator
@inline
export function foldedStart(): usize {
  return scratch;
}

/** Puts the lower-cased copy of a text into the scratch area; a text too long for it is cut. */
export function fold(p: usize, n: usize): void {
  if (foldedText == p && foldedFrom == n) return;
  foldedText = p;
  foldedFrom = n;
  let out = scratch;
  const end = p + n;
  const outEnd = scratch + scratchBytes - 16;
  while (p < end && out < outEnd) {
    const c = <u32>load<u8>(p);
    if (c < 0x80) {
      store<u8>(out++, <u8>(c - 65 < 26 ? c | 0x20 : c));
      p++;
      continue;
    }
    const size = characterBytes(p);
    const codePoint = characterAt(p, size);
    p += size;
    if (codePoint == 0x130) {
      // Capital I with dot: the one letter that lowers to two code points.
      store<u8>(out, 0x69);
      out += 1 + encode(0x307, out + 1);
    } else out += encode(lowerOf(codePoint), out);
  }
  foldedLength = out - scratch;
  store<u64>(out, 0);
}
