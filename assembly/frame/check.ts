/** What one byte at a time tells: escapes and scalars. */

const ESCAPES_LOW: u64 = (<u64>1 << 0x22) | (<u64>1 << 0x2f);
const ESCAPES_HIGH: u64 = (<u64>1 << 0x1c) | (<u64>1 << 0x22) | (<u64>1 << 0x26) | (<u64>1 << 0x2e) | (<u64>1 << 0x32) | (<u64>1 << 0x34);
/** Blank, line feed, return and tab; quote, comma, colon: each may stand behind a scalar for all that is known of it here. */
const ENDS: u64 = (<u64>1 << 0x20) | (<u64>1 << 0x0a) | (<u64>1 << 0x0d) | (<u64>1 << 0x09) | (<u64>1 << 0x22) | (<u64>1 << 0x2c) | (<u64>1 << 0x3a);
const TRUE: u32 = 0x65757274;
const NULL: u32 = 0x6c6c756e;
const ALSE: u32 = 0x65736c61;

// @ts-ignore: decorator
@inline
function isHex(c: u32): bool {
  return c - 0x30 < 10 || (c | 0x20) - 0x61 < 6;
}

/** Do the bytes from p on, a backslash before them, make an escape? */
function isEscape(p: usize): bool {
  const c = <u32>load<u8>(p);
  if (c < 0x80 && (((c < 0x40 ? ESCAPES_LOW : ESCAPES_HIGH) >> <u64>(c & 63)) & 1) != 0) return true;
  return c == 0x75 && isHex(load<u8>(p, 1)) && isHex(load<u8>(p, 2)) && isHex(load<u8>(p, 3)) && isHex(load<u8>(p, 4));
}

/** Are all marked bytes of the block at p good behind a backslash? */
export function areEscapes(p: usize, marked: u64): bool {
  for (let left = marked; left; left &= left - 1) if (!isEscape(p + <usize>ctz(left))) return false;
  return true;
}

// @ts-ignore: decorator
@inline
function isEnd(p: usize): bool {
  const c = <u32>load<u8>(p);
  return c < 0x40 ? ((ENDS >> <u64>c) & 1) != 0 : (c | 0x20) == 0x7d || (c | 0x20) == 0x7b;
}

function digitsEnd(p: usize): usize {
  while (<u32>load<u8>(p) - 0x30 < 10) p++;
  return p;
}

/** One past the number at p, 0 when it is none. */
function numberEnd(p: usize): usize {
  if (load<u8>(p) == 0x2d) p++;
  const whole = digitsEnd(p);
  if (whole == p || (load<u8>(p) == 0x30 && whole > p + 1)) return 0;
  p = whole;
  if (load<u8>(p) == 0x2e) {
    const fraction = digitsEnd(p + 1);
    if (fraction == p + 1) return 0;
    p = fraction;
  }
  if ((<u32>load<u8>(p) | 0x20) == 0x65) {
    p++;
    const sign = <u32>load<u8>(p);
    if (sign == 0x2b || sign == 0x2d) p++;
    const exponent = digitsEnd(p);
    if (exponent == p) return 0;
    p = exponent;
  }
  return p;
}

const ZEROS: usize = memory.data<u64>([0x3030303030303030, 0x3030303030303030], 16);
const NINES: usize = memory.data<u64>([0x0909090909090909, 0x0909090909090909], 16);

/** Is a whole number of up to 15 digits all of the scalar at p? Most are. */
// @ts-ignore: decorator
@inline
function isShortWhole(p: usize): bool {
  if (!ASC_FEATURE_SIMD) return false;
  const digits = i8x16.le_u(i8x16.sub(v128.load(p), v128.load(ZEROS)), v128.load(NINES));
  const count = ctz(~i8x16.bitmask(digits));
  return count - 1 < 15 && (load<u8>(p) != 0x30 || count == 1) && isEnd(p + <usize>count);
}

/** Does a number, or one of true, false and null, stand at p, with nothing of a scalar behind it? */
function isScalar(p: usize): bool {
  if (<u32>load<u8>(p) - 0x30 < 10 || load<u8>(p) == 0x2d) {
    const end = numberEnd(p);
    return end != 0 && isEnd(end);
  }
  const word = load<u32>(p);
  if (word == TRUE || word == NULL) return isEnd(p + 4);
  return load<u8>(p) == 0x66 && load<u32>(p, 1) == ALSE && isEnd(p + 5);
}

/** Are all scalars that begin at marked bytes of the block at p good? */
export function areScalars(p: usize, marked: u64): bool {
  for (let left = marked; left; left &= left - 1) {
    const at = p + <usize>ctz(left);
    if (!isShortWhole(at) && !isScalar(at)) return false;
  }
  return true;
}
