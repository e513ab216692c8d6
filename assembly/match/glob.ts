import { GLOB_ANY, GLOB_ONE } from "../layout";

// @ts-ignore: decorator
@inline
function isContinuation(c: u32): bool {
  return (c & 0xc0) == 0x80;
}

/** Steps over one code point. */
// @ts-ignore: decorator
@inline
function nextCharacter(p: usize, end: usize): usize {
  p++;
  while (p < end && isContinuation(load<u8>(p))) p++;
  return p;
}

// @ts-ignore: decorator
@inline
export function lowerByte(c: u32): u32 {
  return c - 65 < 26 ? c | 0x20 : c;
}

/**
 * Does the pattern (u16 symbols) cover the whole text? `?` is one code point, `*` any run; `folded` lowers ASCII capitals of the text.
 *
 * Greedy with one resumption point: text length times pattern length at worst.
 */
export function globMatches(pattern: usize, symbols: u32, text: usize, length: usize, folded: bool): bool {
  const end = text + length;
  const patternEnd = pattern + (<usize>symbols << 1);
  let p = text;
  let g = pattern;
  let resumeText: usize = 0;
  let resumePattern: usize = 0;
  while (true) {
    if (g < patternEnd) {
      const symbol = <u32>load<u16>(g);
      if (symbol == GLOB_ANY) {
        g += 2;
        if (g == patternEnd) return true;
        resumePattern = g;
        resumeText = p;
        continue;
      }
      if (p < end) {
        if (symbol == GLOB_ONE) {
          p = nextCharacter(p, end);
          g += 2;
          continue;
        }
        const c = <u32>load<u8>(p);
        if (symbol == c || (folded && symbol == lowerByte(c))) {
          p++;
          g += 2;
          continue;
        }
      }
    } else if (p == end) return true;
    if (!resumePattern || resumeText >= end) return false;
    resumeText = nextCharacter(resumeText, end);
    p = resumeText;
    g = resumePattern;
  }
  return false;
}
