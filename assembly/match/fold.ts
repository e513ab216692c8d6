import { MATCH_PAGES, MATCH_PAGE_CAP, MATCH_SCRATCH, MATCH_SCRATCH_BYTES } from "../layout";

// @ts-ignore: decorator
@external("host", "unicodePage")
declare function hostUnicodePage(page: u32, out: usize): void;

/** Lower-cased copies of texts and the word rule, by code point. Pages of the table are asked of the host when first met. */

// u16 per page of 256 code points: 1 + place of its entries, 0 = not asked yet.
const PAGES: u32 = 0x1100;
const pageIndex: usize = memory.data(8704);
let pages: usize = 0;
let pageCount: u32 = 0;

const WORD: u32 = 0x80000000;

function entryOf(codePoint: u32): u32 {
  const page = codePoint >> 8;
  if (page >= PAGES) return codePoint;
  const at = pageIndex + (<usize>page << 1);
  let place = <u32>load<u16>(at);
  if (!place) {
    // A text that visits more pages than fit begins the table anew.
    if (pageCount == <u32>MATCH_PAGE_CAP) {
      memory.fill(pageIndex, 0, <usize>PAGES << 1);
      pageCount = 0;
    }
    hostUnicodePage(page, pages + (<usize>pageCount << 10));
    pageCount++;
    place = pageCount;
    store<u16>(at, <u16>place);
  }
  return load<u32>(pages + (<usize>(place - 1) << 10) + (<usize>(codePoint & 255) << 2));
}

// @ts-ignore: decorator
@inline
function isAsciiWord(c: u32): bool {
  return (c | 0x20) - 97 < 26 || c - 48 < 10 || c == 0x5f;
}

// @ts-ignore: decorator
@inline
function sizeOf(lead: u32): usize {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

function decode(p: usize, size: usize): u32 {
  const lead = <u32>load<u8>(p);
  if (size == 1) return lead;
  if (size == 2) return ((lead & 31) << 6) | (<u32>load<u8>(p, 1) & 63);
  if (size == 3) return ((lead & 15) << 12) | ((<u32>load<u8>(p, 1) & 63) << 6) | (<u32>load<u8>(p, 2) & 63);
  return ((lead & 7) << 18) | ((<u32>load<u8>(p, 1) & 63) << 12) | ((<u32>load<u8>(p, 2) & 63) << 6) | (<u32>load<u8>(p, 3) & 63);
}

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
  scratch = load<u32>(m, MATCH_SCRATCH);
  scratchBytes = load<u32>(m, MATCH_SCRATCH_BYTES);
  foldedText = 0;
  // Another plan's matcher has pages of its own.
  if (pages != <usize>load<u32>(m, MATCH_PAGES)) {
    pages = load<u32>(m, MATCH_PAGES);
    pageCount = 0;
    memory.fill(pageIndex, 0, <usize>PAGES << 1);
  }
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
    const size = sizeOf(c);
    const codePoint = decode(p, size);
    p += size;
    if (codePoint == 0x130) {
      // Capital I with dot: the one letter that lowers to two code points.
      store<u8>(out, 0x69);
      out += 1 + encode(0x307, out + 1);
    } else out += encode(entryOf(codePoint) & 0x1fffff, out);
  }
  foldedLength = out - scratch;
  store<u64>(out, 0);
}

/** Is the character that begins at p part of a word? */
export function wordAt(p: usize): bool {
  const c = <u32>load<u8>(p);
  if (c < 0x80) return isAsciiWord(c);
  return (entryOf(decode(p, sizeOf(c))) & WORD) != 0;
}

/** Is the character that ends just before p part of a word? */
export function wordBefore(p: usize): bool {
  let q = p - 1;
  while ((load<u8>(q) & 0xc0) == 0x80) q--;
  return wordAt(q);
}

// @ts-ignore: decorator
@inline
export function characterBytes(p: usize): usize {
  return sizeOf(load<u8>(p));
}
