// @ts-ignore: decorator
@external("host", "unicodePage")
declare function hostUnicodePage(page: u32, out: usize): void;

/** What is known of code points: lower case and the word rule. Pages of 256 are asked of the host when first met. */

const PAGES: u32 = 0x1100;
const WORD: u32 = 0x80000000;
const LOWER: u32 = 0x1fffff;
const known: usize = memory.data(4352);
let pages: usize = 0;

/** @param area PAGES * 1024 bytes. */
export function openPages(area: usize): void {
  if (pages == area) return;
  pages = area;
  memory.fill(known, 0, PAGES);
}

function entryOf(codePoint: u32): u32 {
  const page = codePoint >> 8;
  if (page >= PAGES) return codePoint;
  if (!load<u8>(known + page)) {
    store<u8>(known + page, 1);
    hostUnicodePage(page, pages + (<usize>page << 10));
  }
  return load<u32>(pages + (<usize>codePoint << 2));
}

export function lowerOf(codePoint: u32): u32 {
  return entryOf(codePoint) & LOWER;
}

// @ts-ignore: decorator
@inline
function isAsciiWord(c: u32): bool {
  return (c | 0x20) - 97 < 26 || c - 48 < 10 || c == 0x5f;
}

/** Bytes of the character that begins at p. */
// @ts-ignore: decorator
@inline
export function characterBytes(p: usize): usize {
  const lead = <u32>load<u8>(p);
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** The character of `size` bytes at p. */
export function characterAt(p: usize, size: usize): u32 {
  const lead = <u32>load<u8>(p);
  if (size == 1) return lead;
  if (size == 2) return ((lead & 31) << 6) | (<u32>load<u8>(p, 1) & 63);
  if (size == 3) return ((lead & 15) << 12) | ((<u32>load<u8>(p, 1) & 63) << 6) | (<u32>load<u8>(p, 2) & 63);
  return ((lead & 7) << 18) | ((<u32>load<u8>(p, 1) & 63) << 12) | ((<u32>load<u8>(p, 2) & 63) << 6) | (<u32>load<u8>(p, 3) & 63);
}

/** Is the character that begins at p part of a word? */
export function wordAt(p: usize): bool {
  const c = <u32>load<u8>(p);
  return c < 0x80 ? isAsciiWord(c) : (entryOf(characterAt(p, characterBytes(p))) & WORD) != 0;
}

/** Is the character that ends just before p part of a word? */
export function wordBefore(p: usize): bool {
  p--;
  while ((load<u8>(p) & 0xc0) == 0x80) p--;
  return wordAt(p);
}
