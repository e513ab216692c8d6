// Digits beyond what one exact division can hold go to the host's correctly rounded reader.
// @ts-ignore: decorator
@external("host", "decimalOf")
declare function hostDecimalOf(address: usize, length: usize): f64;

const powers: usize = memory.data<f64>([
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]);

/**
 * The number a text is, when it is wholly one: `-12`, `3.5`, `1e9`, `+`-less; else NaN.
 *
 * Exact: up to 15 digits scaled by at most 10^22 is one correctly rounded operation (Clinger); the rest the host reads.
 */
export function decimalOf(p: usize, n: usize): f64 {
  if (!n || n > 400) return NaN;
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
