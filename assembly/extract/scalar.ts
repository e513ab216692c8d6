import { KIND_BOOLEAN, KIND_NUMBER, REASON_BAD_NUMBER, REASON_NOT_JSON } from "../layout";
import { commitText, refuseValue, reserve } from "./area";
import { faultAt } from "./fault";

/** Numbers, true, false and null. */

// @ts-ignore: decorator
@external("host", "canonicalNumber")
declare function canonicalNumber(address: usize, length: usize, out: usize): usize;

const ZEROS: usize = memory.data<u64>([0x3030303030303030, 0x3030303030303030], 16);
const NINES: usize = memory.data<u64>([0x0909090909090909, 0x0909090909090909], 16);
const NULL_TEXT: u32 = 0x6c6c756e;
const TRUE_TEXT: u32 = 0x65757274;
const FALSE_TEXT: u32 = 0x736c6166;

/** Set by readScalar: the value's cell, 0 for null. */
let cell: u64 = 0;

export function scalarCell(): u64 {
  return cell;
}

// @ts-ignore: decorator
@inline
export function isDigit(c: u32): bool {
  return c - 0x30 < 10;
}

// @ts-ignore: decorator
@inline
function cellOf(p: usize, end: usize, kind: u64): u64 {
  return <u64>p | (<u64>(end - p) << 32) | (kind << 60);
}

/**
 * Length of the integer at p when its text is its shortest form as it stands: one to fifteen digits, no leading zero, no fraction, no
 * exponent. 0 = ask readNumber.
 */
// @ts-ignore: decorator
@inline
export function plainDigits(p: usize): usize {
  if (ASC_FEATURE_SIMD) {
    const mask = <u32>i8x16.bitmask(i8x16.le_u(i8x16.sub(v128.load(p), v128.load(ZEROS)), v128.load(NINES)));
    const digits = <u32>ctz(~mask);
    const after = <u32>load<u8>(p + digits);
    if (digits - 1 < 15 && (load<u8>(p) != 0x30 || digits == 1) && after != 0x2e && (after | 0x20) != 0x65) return digits;
  }
  return 0;
}

/** Cell of an integer plainDigits has measured. */
// @ts-ignore: decorator
@inline
export function digitsCell(p: usize, digits: usize): u64 {
  return <u64>p | (<u64>digits << 32) | (<u64>KIND_NUMBER << 60);
}

/** Has the host write the number's shortest form into the arena. */
function rewritten(p: usize, end: usize): u64 {
  const room = reserve(64);
  if (!room) {
    refuseValue();
    return 0;
  }
  const out = ((room + 7) & ~7) + 8;
  const length = canonicalNumber(p, end - p, out);
  commitText(out + length);
  return cellOf(out, out + length, KIND_NUMBER);
}

/** One past the number at p, or 0 with a reason; its cell is made only when wanted. */
export function readNumber(p: usize, wanted: bool): usize {
  const digits = plainDigits(p);
  if (digits) {
    cell = digitsCell(p, digits);
    return p + digits;
  }
  const start = p;
  let c = <u32>load<u8>(p);
  const negative = c == 0x2d;
  if (negative) c = load<u8>(++p);
  const whole = p;
  if (!isDigit(c)) return faultAt(p, REASON_BAD_NUMBER);
  if (c == 0x30) c = load<u8>(++p);
  else do c = load<u8>(++p); while (isDigit(c));
  const wholeEnd = p;
  let significant = wholeEnd - whole;
  let canonical = true;
  if (c == 0x2e) {
    c = load<u8>(++p);
    if (!isDigit(c)) return faultAt(p, REASON_BAD_NUMBER);
    const fraction = p;
    do c = load<u8>(++p); while (isDigit(c));
    if (load<u8>(whole) == 0x30) {
      let zeros: usize = 0;
      while (load<u8>(fraction + zeros) == 0x30) zeros++;
      // JavaScript turns to exponents below 1e-6.
      canonical = zeros < 6;
      significant = p - fraction - zeros;
    } else significant += p - fraction;
    if (load<u8>(p - 1) == 0x30) canonical = false;
  } else if (negative && load<u8>(whole) == 0x30 && (c | 0x20) != 0x65) {
    if (isDigit(c)) return faultAt(p, REASON_BAD_NUMBER);
    // -0 prints as 0: the cell is its second byte.
    cell = cellOf(whole, p, KIND_NUMBER);
    return p;
  }
  if ((c | 0x20) == 0x65) {
    canonical = false;
    c = load<u8>(++p);
    if (c == 0x2b || c == 0x2d) c = load<u8>(++p);
    if (!isDigit(c)) return faultAt(p, REASON_BAD_NUMBER);
    do c = load<u8>(++p); while (isDigit(c));
  } else if (isDigit(c)) return faultAt(p, REASON_BAD_NUMBER);
  if (wanted) cell = canonical && significant < 16 ? cellOf(start, p, KIND_NUMBER) : rewritten(start, p);
  return p;
}

/** One past the scalar at p that is not a string, or 0 with a reason. */
export function readScalar(p: usize, wanted: bool): usize {
  const c = <u32>load<u8>(p);
  if (isDigit(c) || c == 0x2d) return readNumber(p, wanted);
  const word = load<u32>(p);
  if (word == TRUE_TEXT) {
    cell = cellOf(p, p + 4, KIND_BOOLEAN);
    return p + 4;
  }
  if (word == FALSE_TEXT && load<u8>(p, 4) == 0x65) {
    cell = cellOf(p, p + 5, KIND_BOOLEAN);
    return p + 5;
  }
  if (word == NULL_TEXT) {
    cell = 0;
    return p + 4;
  }
  return faultAt(p, REASON_NOT_JSON);
}
