/** 64-bit text hash without a 128-bit multiply: eight bytes a step, length mixed in first. */
// @ts-ignore: decorator
@inline
export function mix64(a: u64, b: u64): u64 {
  let h = (a ^ 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
  h ^= h >> 29;
  h = (h ^ rotl<u64>(b, 31)) * 0x94d049bb133111eb;
  return h ^ (h >> 32);
}

// Masks for the last 1..7 bytes would read memory twice; one unaligned load and a shift do the same.
// @ts-ignore: decorator
@inline
export function hashText(p: usize, n: usize, seed: u64): u64 {
  let h = seed ^ (<u64>n * 0x165667b19e3779f9);
  const end = p + n;
  while (p + 8 <= end) {
    h = mix64(h, load<u64>(p));
    p += 8;
  }
  const rest = end - p;
  // 64 bytes after every value may be read, so the load is safe; the shift drops what is not ours.
  if (rest) h = mix64(h, load<u64>(p) << ((8 - rest) << 3));
  return mix64(h, h >> 17);
}
