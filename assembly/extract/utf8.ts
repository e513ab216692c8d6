// @ts-ignore: decorator
@inline
function isContinuation(c: u32): bool {
  return (c & 0xc0) == 0x80;
}

/** One past the character at p, whose first byte is not ASCII, or 0 when it is not UTF-8. */
// @ts-ignore: decorator
@inline
function characterEnd(p: usize, end: usize): usize {
  const a = <u32>load<u8>(p);
  if (a < 0xc2 || p + 1 >= end) return 0;
  const b = <u32>load<u8>(p, 1);
  if (a < 0xe0) return isContinuation(b) ? p + 2 : 0;
  if (p + 2 >= end || !isContinuation(b) || !isContinuation(load<u8>(p, 2))) return 0;
  if (a < 0xf0) {
    // Neither the long forms of shorter characters nor halves of surrogate pairs.
    if (a == 0xe0 && b < 0xa0) return 0;
    return a == 0xed && b > 0x9f ? 0 : p + 3;
  }
  if (p + 3 >= end || !isContinuation(load<u8>(p, 3))) return 0;
  if (a == 0xf0) return b > 0x8f ? p + 4 : 0;
  if (a == 0xf4) return b < 0x90 ? p + 4 : 0;
  return a < 0xf4 ? p + 4 : 0;
}

/** 1 when [start, end) is UTF-8 by the Unicode standard (no surrogates, no long forms), else 0. */
export function validateUtf8(start: usize, end: usize): u32 {
  let p = start;
  while (p < end) {
    if (ASC_FEATURE_SIMD) {
      while (p + 64 <= end) {
        const low = v128.or(v128.load(p), v128.load(p, 16));
        const high = v128.or(v128.load(p, 32), v128.load(p, 48));
        if (i8x16.bitmask(v128.or(low, high))) break;
        p += 64;
      }
      while (p + 16 <= end) {
        const mask = i8x16.bitmask(v128.load(p));
        if (mask) {
          p += <usize>ctz(mask);
          break;
        }
        p += 16;
      }
    } else {
      while (p + 8 <= end && !(load<u64>(p) & 0x8080808080808080)) p += 8;
    }
    // The character the blocks stopped at, and those next to it.
    while (p < end) {
      if (load<u8>(p) < 0x80) {
        p++;
        if (p + 8 <= end && !(load<u64>(p) & 0x8080808080808080)) break;
        continue;
      }
      p = characterEnd(p, end);
      if (!p) return 0;
    }
  }
  return 1;
}
