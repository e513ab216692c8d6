/** 64 bytes at a time as bits: bit i tells of byte i. */

// Constants are loaded: engines build a splat anew in every turn of a loop, in three steps to a load's one.
export const QUOTES: usize = memory.data<u64>([0x2222222222222222, 0x2222222222222222], 16);
export const SLASHES: usize = memory.data<u64>([0x5c5c5c5c5c5c5c5c, 0x5c5c5c5c5c5c5c5c], 16);
export const COMMAS: usize = memory.data<u64>([0x2c2c2c2c2c2c2c2c, 0x2c2c2c2c2c2c2c2c], 16);
export const COLONS: usize = memory.data<u64>([0x3a3a3a3a3a3a3a3a, 0x3a3a3a3a3a3a3a3a], 16);
export const OPEN_OBJECTS: usize = memory.data<u64>([0x7b7b7b7b7b7b7b7b, 0x7b7b7b7b7b7b7b7b], 16);
export const OPEN_ARRAYS: usize = memory.data<u64>([0x5b5b5b5b5b5b5b5b, 0x5b5b5b5b5b5b5b5b], 16);
export const BLANKS: usize = memory.data<u64>([0x2020202020202020, 0x2020202020202020], 16);
export const LINE_FEEDS: usize = memory.data<u64>([0x0a0a0a0a0a0a0a0a, 0x0a0a0a0a0a0a0a0a], 16);
export const RETURNS: usize = memory.data<u64>([0x0d0d0d0d0d0d0d0d, 0x0d0d0d0d0d0d0d0d], 16);
export const TABS: usize = memory.data<u64>([0x0909090909090909, 0x0909090909090909], 16);
const CONTROLS: usize = memory.data<u64>([0x1f1f1f1f1f1f1f1f, 0x1f1f1f1f1f1f1f1f], 16);
const CLOSE_OBJECTS: usize = memory.data<u64>([0x7d7d7d7d7d7d7d7d, 0x7d7d7d7d7d7d7d7d], 16);

const LOWS: u64 = 0x7f7f7f7f7f7f7f7f;
const ONES: u64 = 0x0101010101010101;

// @ts-ignore: decorator
@inline
function bits(a: v128, b: v128, c: v128, d: v128): u64 {
  const low = <u64>(<u32>i8x16.bitmask(a) | (<u32>i8x16.bitmask(b) << 16));
  const high = <u64>(<u32>i8x16.bitmask(c) | (<u32>i8x16.bitmask(d) << 16));
  return low | (high << 32);
}

/** The lowest bit of each byte, side by side. */
// @ts-ignore: decorator
@inline
function gathered(x: u64): u64 {
  return (x * 0x0102040810204080) >> 56;
}

/** A one in each byte of x that is zero, and nowhere else. */
// @ts-ignore: decorator
@inline
function zeros(x: u64): u64 {
  return (~(((x & LOWS) + LOWS) | x) >> 7) & ONES;
}

/** Where the byte is that of the constant. */
// @ts-ignore: decorator
@inline
export function equal(p: usize, constant: usize): u64 {
  if (ASC_FEATURE_SIMD) {
    const c = v128.load(constant);
    return bits(i8x16.eq(v128.load(p), c), i8x16.eq(v128.load(p, 16), c), i8x16.eq(v128.load(p, 32), c), i8x16.eq(v128.load(p, 48), c));
  }
  const c = load<u64>(constant);
  let out: u64 = 0;
  for (let i: usize = 0; i < 64; i += 8) out |= gathered(zeros(load<u64>(p + i) ^ c)) << i;
  return out;
}

/** Where the byte is below 32. */
// @ts-ignore: decorator
@inline
export function controls(p: usize): u64 {
  if (ASC_FEATURE_SIMD) {
    const c = v128.load(CONTROLS);
    return bits(i8x16.le_u(v128.load(p), c), i8x16.le_u(v128.load(p, 16), c), i8x16.le_u(v128.load(p, 32), c), i8x16.le_u(v128.load(p, 48), c));
  }
  let out: u64 = 0;
  for (let i: usize = 0; i < 64; i += 8) out |= gathered(zeros(load<u64>(p + i) & 0xe0e0e0e0e0e0e0e0)) << i;
  return out;
}

/** Where the byte closes an object or an array. */
// @ts-ignore: decorator
@inline
export function closers(p: usize): u64 {
  if (ASC_FEATURE_SIMD) {
    const b = v128.load(BLANKS);
    const c = v128.load(CLOSE_OBJECTS);
    return bits(
      i8x16.eq(v128.or(v128.load(p), b), c), i8x16.eq(v128.or(v128.load(p, 16), b), c),
      i8x16.eq(v128.or(v128.load(p, 32), b), c), i8x16.eq(v128.or(v128.load(p, 48), b), c),
    );
  }
  const b = load<u64>(BLANKS);
  const c = load<u64>(CLOSE_OBJECTS);
  let out: u64 = 0;
  for (let i: usize = 0; i < 64; i += 8) out |= gathered(zeros((load<u64>(p + i) | b) ^ c)) << i;
  return out;
}

/** Each bit turned by all below it: between two bits, the first included and the second not, there are ones. */
// @ts-ignore: decorator
@inline
export function between(x: u64): u64 {
  x ^= x << 1;
  x ^= x << 2;
  x ^= x << 4;
  x ^= x << 8;
  x ^= x << 16;
  return x ^ (x << 32);
}
