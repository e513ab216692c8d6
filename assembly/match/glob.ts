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

/**
 * Does the pattern (u16 symbols) cover the whole text? `?` is one code point, `*` any run.
 *
 * Greedy with one resumption point: text length times pattern length at worst.
 */
export function globMatches(pattern: usize, symbols: u32, text: usize, length: usize): bool {
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
        if (symbol == <u32>load<u8>(p)) {
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
