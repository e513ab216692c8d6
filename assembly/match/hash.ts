const MIX_A: u64 = 0x9e3779b97f4a7c15;
const MIX_B: u64 = 0xbf58476d1ce4e5b9;

// Keeps the low n bytes of a word, n = 0..8.
const keep: usize = memory.data<u64>([
  0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff, 0xffffffffffffffff,
]);

/** Hash of a text; chooses candidates, which are then compared whole. */
// @ts-ignore: decorator
@inline
export function textHash(p: usize, n: usize): u64 {
  let h: u64 = <u64>n * MIX_B;
  while (n > 16) {
    h = (h ^ load<u64>(p) ^ rotl<u64>(load<u64>(p, 8), 23)) * MIX_A;
    h ^= h >> 29;
    p += 16;
    n -= 16;
  }
  const k = min<usize>(n, 8);
  const mask = load<u64>(keep + (k << 3));
  h = (h ^ (load<u64>(p) & mask) ^ rotl<u64>(load<u64>(p + n - k) & mask, 23)) * MIX_A;
  h = (h ^ (h >> 29)) * MIX_B;
  return h ^ (h >> 32);
}

export function textHashLow(p: usize, n: usize): u32 {
  return <u32>textHash(p, n);
}
export function textHashHigh(p: usize, n: usize): u32 {
  return <u32>(textHash(p, n) >> 32);
}
