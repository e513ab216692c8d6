/** Reading dotted quads, each with the same steps, whatever it is: guesses of branches would fail at most. */

const DOT: u32 = 0x2e;

/** Loaded, as engines make what is written as a constant anew in each turn of a loop. */
const constants: usize = memory.data<u64>([
  0x5050505050505050, 0x5050505050505050, 0x8a8a8a8a8a8a8a8a, 0x8a8a8a8a8a8a8a8a, 0x0f0f0f0f0f0f0f0f, 0x0f0f0f0f0f0f0f0f,
  // 100 and 10; 255; the low bytes of four numbers, the first the highest.
  0x000a0064000a0064, 0x000a0064000a0064, 0x000000ff000000ff, 0x000000ff000000ff, 0x808080800004080c, 0x8080808080808080,
], 16);
/** By the lengths of the four numbers, two bits each: where their hundreds and tens stand, where their ones stand, the least they may be. */
const SHAPE_BYTES: usize = 48;
const shapes: usize = memory.data(48 * 256, 16);
let hasShapes: bool = false;
let start: usize = 0;
let end: usize = 0;

// @ts-ignore: decorator
@inline
export function isDigit(c: u32): bool {
  return c - 48 < 10;
}

export function openQuads(): void {
  if (hasShapes) return;
  hasShapes = true;
  for (let shape: u32 = 0; shape < 256; shape++) {
    const to = shapes + <usize>shape * SHAPE_BYTES;
    // The first dot stands at 3.
    let at: i32 = 3;
    for (let octet: u32 = 0; octet < 4; octet++) {
      const digits = <i32>((shape >> (octet << 1)) & 3);
      const last = octet ? at + digits : at;
      store<u32>(to + (octet << 2), (digits > 2 ? last - 3 : 128) | (128 << 8) | ((digits > 1 ? last - 2 : 128) << 16) | (128 << 24));
      store<u32>(to + (octet << 2), (digits ? last - 1 : 128) | 0x80808000, 16);
      // Leading zeros are refused, as their meaning differs between readers; an octet of no digits by the same comparison.
      store<u32>(to + (octet << 2), digits == 0 ? 1000 : digits == 1 ? 0 : digits == 2 ? 10 : 100, 32);
      at = last + 1;
    }
  }
}

/**
 * The address of the quad whose first dot is at p, as a number; more than 32 bits where there is none.
 *
 * @param begin nothing of the records stands before it
 */
// @ts-ignore: decorator
@inline
export function quadAt(p: usize, begin: usize): u64 {
  // Three bytes before the dot, twelve behind it.
  let bits: u32 = 0;
  if (ASC_FEATURE_SIMD) bits = <u32>i8x16.bitmask(i8x16.lt_s(i8x16.add(v128.load(p - 3), v128.load(constants)), v128.load(constants, 16)));
  else for (let i: usize = 0; i < 16; i++) bits |= <u32>isDigit(load<u8>(p - 3 + i)) << <u32>i;
  const first = min<u32>(<u32>clz(~(bits << 29)), <u32>(p - begin));
  start = p - <usize>first;
  bits >>= 4;
  const second = <u32>ctz(~bits);
  bits >>= second + 1;
  const third = <u32>ctz(~bits);
  bits >>= third + 1;
  const fourth = <u32>ctz(~bits);
  const secondEnd = p + 1 + <usize>second;
  const thirdEnd = secondEnd + 1 + <usize>third;
  end = thirdEnd + 1 + <usize>fourth;
  let isNone = <u32>((second | third | fourth) > 3) | <u32>(load<u8>(secondEnd) != DOT) | <u32>(load<u8>(thirdEnd) != DOT);
  const shape = shapes + <usize>(first | ((second & 3) << 2) | ((third & 3) << 4) | ((fourth & 3) << 6)) * SHAPE_BYTES;
  if (ASC_FEATURE_SIMD) {
    const text = v128.load(p - 3);
    const low = v128.load(constants, 32);
    const octets = i32x4.add(
      i32x4.dot_i16x8_s(v128.and(i8x16.swizzle(text, v128.load(shape)), low), v128.load(constants, 48)),
      v128.and(i8x16.swizzle(text, v128.load(shape, 16)), low),
    );
    const wrong = v128.or(i32x4.gt_s(octets, v128.load(constants, 64)), i32x4.gt_s(v128.load(shape, 32), octets));
    isNone |= <u32>v128.any_true(wrong);
    return (<u64>isNone << 32) | <u64><u32>i32x4.extract_lane(i8x16.swizzle(octets, v128.load(constants, 80)), 0);
  }
  let address: u32 = 0;
  for (let octet: usize = 0; octet < 16; octet += 4) {
    let value: u32 = 0;
    for (let place: usize = 0; place < 3; place++) {
      const at = place == 2 ? load<u8>(shape + octet, 16) : load<u8>(shape + octet + (place << 1));
      value = value * 10 + (at < 16 ? <u32>load<u8>(p - 3 + at) & 15 : 0);
    }
    isNone |= <u32>(value > 255) | <u32>(value < load<u32>(shape + octet, 32));
    address = (address << 8) | value;
  }
  return (<u64>isNone << 32) | address;
}

/** Where the quad read last begins, as far as three digits before its dot tell. */
// @ts-ignore: decorator
@inline
export function quadStart(): usize {
  return start;
}
/** One past its last digit. */
// @ts-ignore: decorator
@inline
export function quadEnd(): usize {
  return end;
}
