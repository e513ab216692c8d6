/** Comparing texts. 64 bytes after every text may be read. */

const ONES: u64 = 0x0101010101010101;
const HIGHS: u64 = 0x8080808080808080;

// @ts-ignore: decorator
@inline
export function sameText(a: usize, b: usize, n: usize): bool {
  const end = a + n;
  while (a + 8 <= end) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
  }
  const rest = end - a;
  return rest == 0 || (load<u64>(a) ^ load<u64>(b)) << <u64>((8 - rest) << 3) == 0;
}

/** ASCII capitals of eight bytes to small letters; other bytes stay. */
// @ts-ignore: decorator
@inline
function lower(word: u64): u64 {
  const low = word & ~HIGHS;
  const fromA = low + ONES * (128 - 65);
  const afterZ = low + ONES * (128 - 91);
  return word | (((fromA & ~afterZ & ~word & HIGHS) >> 2));
}

/** Does the lower-case text `a` stand at `b`, where ASCII capitals count as small letters? */
export function sameFolded(a: usize, b: usize, n: usize): bool {
  const end = a + n;
  while (a + 8 <= end) {
    if (load<u64>(a) != lower(load<u64>(b))) return false;
    a += 8;
    b += 8;
  }
  const rest = end - a;
  return rest == 0 || (load<u64>(a) ^ lower(load<u64>(b))) << <u64>((8 - rest) << 3) == 0;
}

/** Order of two texts by bytes, which for UTF-8 is the order of code points. */
export function compareText(a: usize, an: usize, b: usize, bn: usize): i32 {
  const order = memory.compare(a, b, min(an, bn));
  return order ? order : <i32>an - <i32>bn;
}

/** Is every byte below 0x80? */
export function isAscii(p: usize, n: usize): bool {
  const end = p + n;
  if (ASC_FEATURE_SIMD) {
    while (p + 16 <= end) {
      if (i8x16.bitmask(v128.load(p))) return false;
      p += 16;
    }
  }
  while (p + 8 <= end) {
    if (load<u64>(p) & HIGHS) return false;
    p += 8;
  }
  const rest = end - p;
  return rest == 0 || (load<u64>(p) & HIGHS) << <u64>((8 - rest) << 3) == 0;
}
