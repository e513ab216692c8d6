// Digits beyond what one exact division can hold go to the host's correctly rounded reader.
// @ts-ignore: decorator
@external("host", "decimalOf")
declare function hostDecimalOf(address: usize, length: usize): f64;

const powers: usize = memory.data<f64>([
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]);

const ZEROS: u64 = 0x3030303030303030;

// @ts-ignore: decorator
@inline
function areDigits(word: u64): bool {
  // A byte is a digit when its high half is 3, and still is with 6 added.
  return (((word & 0xf0f0f0f0f0f0f0f0) ^ ZEROS) | (((word + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) ^ ZEROS)) == 0;
}

/** The number eight digits are, the first in the lowest byte: pairs, then fours, then all, in three multiplications. */
// @ts-ignore: decorator
@inline
function eightDigits(word: u64): u64 {
  const pairs = (word - ZEROS) * 10 + ((word - ZEROS) >> 8);
  return ((pairs & 0x000000ff000000ff) * 0x000f424000000064 + ((pairs >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >> 32;
}

/** The first n = 1..8 bytes at p behind so many zeros that they are eight. */
// @ts-ignore: decorator
@inline
function paddedDigits(p: usize, n: usize): u64 {
  const shift = <u64>((8 - n) << 3);
  return (load<u64>(p) << shift) | (ZEROS & ((<u64>1 << shift) - 1));
}

/**
 * The number a text is, when it is wholly one: `-12`, `3.5`, `1e9`, `+`-less; else NaN.
 *
 * Exact: up to 15 digits scaled by at most 10^22 is one correctly rounded operation (Clinger); the rest the host reads.
 */
export function decimalOf(p: usize, n: usize): f64 {
  if (!n || n > 400) return NaN;
  if (n <= 15) {
    // Digits alone, as most numbers are.
    const head = paddedDigits(p, n > 8 ? n - 8 : n);
    const tail = n > 8 ? load<u64>(p + n - 8) : ZEROS;
    if (areDigits(head) && areDigits(tail)) return <f64>(n > 8 ? eightDigits(head) * 100_000_000 + eightDigits(tail) : eightDigits(head));
  }
  const start = p;
  const end = p + n;
  let negative = false;
  let c = <u32>load<u8>(p);
  if (c == 0x2d) {
    negative = true;
    p++;
  }
  let mantissa: u64 = 0;
  let digits: i32 = 0;
  let whole: i32 = 0;
  let scale: i32 = 0;
  while (p < end) {
    c = <u32>load<u8>(p) - 48;
    if (c > 9) break;
    whole++;
    if (mantissa || c) digits++;
    if (digits <= 18) mantissa = mantissa * 10 + c;
    p++;
  }
  if (!whole) return NaN;
  if (p < end && load<u8>(p) == 0x2e) {
    p++;
    const fraction = p;
    while (p < end) {
      c = <u32>load<u8>(p) - 48;
      if (c > 9) break;
      if (mantissa || c) digits++;
      if (digits <= 18) mantissa = mantissa * 10 + c;
      scale--;
      p++;
    }
    if (p == fraction) return NaN;
  }
  if (p < end && (load<u8>(p) | 0x20) == 0x65) {
    p++;
    let minus = false;
    if (p < end && (load<u8>(p) == 0x2d || load<u8>(p) == 0x2b)) {
      minus = load<u8>(p) == 0x2d;
      p++;
    }
    const first = p;
    let exponent: i32 = 0;
    while (p < end) {
      c = <u32>load<u8>(p) - 48;
      if (c > 9) break;
      if (exponent < 10000) exponent = exponent * 10 + <i32>c;
      p++;
    }
    if (p == first) return NaN;
    scale += minus ? -exponent : exponent;
  }
  if (p != end) return NaN;
  if (digits > 15 || scale > 22 || scale < -22) return hostDecimalOf(start, n);
  let value = <f64>mantissa;
  if (scale < 0) value /= load<f64>(powers + (<usize>(-scale) << 3));
  else if (scale) value *= load<f64>(powers + (<usize>scale << 3));
  return negative ? -value : value;
}
