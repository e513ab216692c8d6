import { learnGap, learnedEnd } from "./gaplearn";
import {
  ALTERNATE_COUNT, GAP_ARRAY_BITS, GAP_BITS, GAP_CELLS, GAP_ELEMENT, GAP_END, GAP_LENGTH, GAP_NEED, GAP_NOTHING, GAP_RECORD_END,
  GAP_SCALAR, GAP_SCALAR_MANY, GAP_TARGET, GAP_TEXT, GAP_TEXT_MANY, GAP_TYPE, STATE_ALTERNATE, STATE_ALTERNATES, STATE_ARRAY_MASK,
  STATE_PARENT, STATE_PREDICTED, startState,
} from "./gaptable";
import { feedNode } from "./plan";
import { digitsCell, plainDigits, readScalar, scalarCell } from "./scalar";
import { hadEscapes, stopMask32, stringEnd, textCell, unescapedCell } from "./text";

/**
 * The gap automaton: a record is values separated by gaps seen before. One comparison against the predicted gap checks the structure,
 * names the next value and finds its first byte.
 */

let missed: u32 = 0;
let learned: u32 = 0;
let recordEnd: usize = 0;
let gapEnd: usize = 0;

export function missedGaps(): u32 {
  return missed;
}
export function learnedGaps(): u32 {
  return learned;
}
export function resetGapCounts(): void {
  missed = 0;
  learned = 0;
}
/** One past the last byte of the record read last. */
export function gapRecordEnd(): usize {
  return recordEnd;
}

/** True when the bytes at p begin with the transition's pattern. */
// @ts-ignore: decorator
@inline
function matches(t: u32, p: usize): bool {
  if (ASC_FEATURE_SIMD) {
    const need = load<u64>(t, GAP_NEED);
    const low = <u32>need;
    const found = <u32>i8x16.bitmask(i8x16.eq(v128.load(p), v128.load(t)))
      | (<u32>i8x16.bitmask(i8x16.eq(v128.load(p, 16), v128.load(t, 16))) << 16);
    if ((found & low) != low) return false;
    const high = <u32>(need >> 32);
    if (high == 0) return true;
    const more = <u32>i8x16.bitmask(i8x16.eq(v128.load(p, 32), v128.load(t, 32)))
      | (<u32>i8x16.bitmask(i8x16.eq(v128.load(p, 48), v128.load(t, 48))) << 16);
    return (more & high) == high;
  }
  const length = <usize>load<u32>(t, GAP_LENGTH);
  let i: usize = 0;
  for (; i + 8 <= length; i += 8) if (load<u64>(p + i) != load<u64>(<usize>t + i)) return false;
  const rest = length - i;
  return rest == 0 || ((load<u64>(p + i) ^ load<u64>(<usize>t + i)) << ((8 - rest) << 3)) == 0;
}

/** The transition of `state` the bytes at p take, learned if need be; 0 when there is none. Sets gapEnd. */
function alternative(state: u32, p: usize): u32 {
  missed++;
  const known = min<u32>(load<u32>(state, STATE_ALTERNATES), ALTERNATE_COUNT);
  for (let i: u32 = 0; i < known; i++) {
    const t = load<u32>(state + (i << 2), STATE_ALTERNATE);
    if (matches(t, p)) {
      gapEnd = p + <usize>load<u32>(t, GAP_LENGTH);
      return t;
    }
  }
  learned++;
  const t = learnGap(state, p);
  gapEnd = learnedEnd();
  return t;
}

/** One past the closing quote of the string at p, whose cell is left in `value`; 0 when it is not JSON. */
let value: u64 = 0;
function readText(p: usize, wanted: bool): usize {
  const end = stringEnd(p);
  if (!end) return 0;
  value = wanted && hadEscapes() ? unescapedCell(p, end) : textCell(p, end);
  return end + 1;
}

/**
 * Reads the record at p, an opening brace, into the cells of its row.
 *
 * @param rowBytes row * 8
 * @returns where the next record may begin, or 0 when the parser must read this one: its cells may then be half filled
 */
export function gapRecord(p: usize, row: u32, spare: u32): usize {
  const rowBytes = row << 3;
  let state = startState();
  let context: u32 = 0;
  let seen: u64 = 0;
  let repeated: u64 = 0;
  let seenInArray: u64 = 0;
  while (true) {
    const place = state + context;
    let t = load<u32>(place, STATE_PREDICTED);
    if (matches(t, p)) p += <usize>load<u32>(t, GAP_LENGTH);
    else {
      t = alternative(state, p);
      if (!t) return 0;
      p = gapEnd;
      store<u32>(place, t, STATE_PREDICTED);
      // A record that surprised us once is of another kind than the last: its later places are predicted apart.
      context = ((t * 0x9e3779b1) >> 29) << 2;
    }
    const bits = load<u64>(t, GAP_BITS);
    repeated |= seen & bits;
    seen |= bits;
    const type = load<u32>(t, GAP_TYPE);
    state = load<u32>(t, GAP_TARGET);
    if (type == GAP_TEXT) {
      const cells = load<u32>(t, GAP_CELLS);
      if (ASC_FEATURE_SIMD) {
        const mask = stopMask32(p);
        const end = p + <usize>ctz(mask);
        // An empty mask counts 32: the byte there may be anything, so it must be asked for as well.
        if (mask != 0 && load<u8>(end) == 0x22) {
          store<u64>(cells + rowBytes, textCell(p, end));
          p = end + 1;
          continue;
        }
      }
      p = readText(p, cells != spare);
      if (!p) return 0;
      store<u64>(cells + rowBytes, value);
      continue;
    }
    if (type == GAP_SCALAR) {
      const cells = load<u32>(t, GAP_CELLS);
      const digits = plainDigits(p);
      if (digits) {
        store<u64>(cells + rowBytes, digitsCell(p, digits));
        p += digits;
        continue;
      }
      p = readScalar(p, cells != spare);
      if (!p) return 0;
      store<u64>(cells + rowBytes, scalarCell());
      continue;
    }
    if (type == GAP_END) {
      if (repeated) return 0;
      // A gap learned before another object on the same line ends without its line feed.
      if (load<u8>(p - 1) != 0x0a && load<u8>(p) != 0x7b) return 0;
      recordEnd = p - <usize>load<u32>(t, GAP_LENGTH) + <usize>load<u32>(t, GAP_RECORD_END);
      return arrayKeysRepeat(t, seenInArray) ? 0 : p;
    }
    if (type == GAP_NOTHING) return 0;
    if (arrayKeysRepeat(t, seenInArray)) return 0;
    seenInArray |= load<u64>(t, GAP_ARRAY_BITS);
    if (type == GAP_TEXT_MANY) {
      p = readText(p, true);
      if (!p) return 0;
      if (value) feedNode(load<u32>(t, GAP_CELLS), row, value);
    } else if (type == GAP_SCALAR_MANY) {
      p = readScalar(p, true);
      if (!p) return 0;
      if (scalarCell()) feedNode(load<u32>(t, GAP_CELLS), row, scalarCell());
    } else if (type == GAP_ELEMENT) {
      seenInArray &= ~load<u64>(load<u32>(state, STATE_PARENT), STATE_ARRAY_MASK);
    }
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function arrayKeysRepeat(t: u32, seenInArray: u64): bool {
  return (load<u64>(t, GAP_ARRAY_BITS) & seenInArray) != 0;
}
