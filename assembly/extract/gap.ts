import { EXTRACT_SPARE_CELLS } from "../layout";
import { putCell } from "./area";
import { learnGap, learnedEnd } from "./gaplearn";
import {
  ALTERNATE_COUNT, GAP_ARRAY_BITS, GAP_BITS, GAP_CELLS, GAP_ELEMENT, GAP_END, GAP_LENGTH, GAP_NEED, GAP_NOTHING, GAP_RECORD_END,
  GAP_SCALAR, GAP_SCALAR_MANY, GAP_TARGET, GAP_TEXT, GAP_TEXT_MANY, GAP_TYPE, STATE_ALTERNATE, STATE_ALTERNATES, STATE_ARRAY_MASK,
  STATE_PARENT, STATE_PREDICTED, startState,
} from "./gaptable";
import { feedNode } from "./plan";
import { digitsCell, plainDigits, readScalar, scalarCell } from "./scalar";
import { hadEscapes, nearStop, stringEnd, textStop, textCell, unescapedCell } from "./text";

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

/** matches, but a gap up to an array's first scalar is not that of an empty array, which begins with the same bytes. */
function fits(t: u32, p: usize): bool {
  if (!matches(t, p)) return false;
  const type = load<u32>(t, GAP_TYPE);
  return (type != GAP_SCALAR && type != GAP_SCALAR_MANY) || load<u8>(p + <usize>load<u32>(t, GAP_LENGTH)) != 0x5d;
}

/** The transition of `state` the bytes at p take, learned if need be; 0 when there is none. Sets gapEnd. */
function alternative(state: u32, p: usize): u32 {
  missed++;
  const known = min<u32>(load<u32>(state, STATE_ALTERNATES), ALTERNATE_COUNT);
  for (let i: u32 = 0; i < known; i++) {
    const t = load<u32>(state + (i << 2), STATE_ALTERNATE);
    if (fits(t, p)) {
      gapEnd = p + <usize>load<u32>(t, GAP_LENGTH);
      return t;
    }
  }
  learned++;
  const t = learnGap(state, p);
  gapEnd = learnedEnd();
  return t;
}

// Cursor: u32 position, u32 state, u32 context, u32 row * 8, u64 keys seen, u64 keys seen inside arrays.
const CURSOR_AT: usize = 0;
const CURSOR_STATE: usize = 4;
const CURSOR_CONTEXT: usize = 8;
const CURSOR_ROW_BYTES: usize = 12;
const CURSOR_SEEN: usize = 16;
const CURSOR_SEEN_IN_ARRAY: usize = 24;
const CURSOR_BYTES: usize = 64;

/** Reads the rows in order. */
export const LOWER: usize = memory.data(128, 64);
/** Reads ahead of it. */
export const UPPER: usize = LOWER + CURSOR_BYTES;

let spare: u32 = 0;
let stopped: usize = 0;

export function openGaps(x: usize): void {
  spare = load<u32>(x, EXTRACT_SPARE_CELLS);
}

/** The cursor readGaps came to a stop with. */
export function stoppedCursor(): usize {
  return stopped;
}

/** Puts a cursor on the record at p, an opening brace, whose values go to the cells of `row`. */
export function placeCursor(cursor: usize, p: usize, row: u32): void {
  // Records of one kind tend to begin with the same value: each such beginning has predictions of its own.
  const first = load<u64>(p + <usize>load<u32>(load<u32>(startState(), STATE_PREDICTED), GAP_LENGTH));
  store<u32>(cursor, <u32>p, CURSOR_AT);
  store<u32>(cursor, startState(), CURSOR_STATE);
  store<u32>(cursor, <u32>((first * 0x9e3779b97f4a7c15) >> 61) << 2, CURSOR_CONTEXT);
  store<u32>(cursor, row << 3, CURSOR_ROW_BYTES);
  store<u64>(cursor, 0, CURSOR_SEEN);
  store<u64>(cursor, 0, CURSOR_SEEN_IN_ARRAY);
}

/** Cell a transition's value goes to, or the spare one. */
// @ts-ignore: decorator
@inline
function cellOf(t: u32, cursor: usize): usize {
  return <usize>(load<u32>(t, GAP_CELLS) + load<u32>(cursor, CURSOR_ROW_BYTES));
}

/** One past the closing quote of the string at p, known to be plain up to `from`; its cell is left in `value`. 0 when it is not JSON. */
let value: u64 = 0;
function readText(p: usize, from: usize, wanted: bool): usize {
  const end = stringEnd(from);
  if (!end) return 0;
  value = wanted && hadEscapes() ? unescapedCell(p, end) : textCell(p, end);
  return end + 1;
}

/** Notes the keys a gap enters; false when the record has had one of them. */
// @ts-ignore: decorator
@inline
function enterKeys(t: u32, cursor: usize): bool {
  const bits = load<u64>(t, GAP_BITS);
  const seen = load<u64>(cursor, CURSOR_SEEN);
  if (seen & bits) return false;
  store<u64>(cursor, seen | bits, CURSOR_SEEN);
  return true;
}

/** The usual step: the gap at p is `t` as predicted, a plain text or a short integer follows. Where to go on; 0 when this is another. */
// @ts-ignore: decorator
@inline
function usualStep(cursor: usize, p: usize, t: u32): usize {
  if (!matches(t, p)) return 0;
  const start = p + <usize>load<u32>(t, GAP_LENGTH);
  const type = load<u32>(t, GAP_TYPE);
  if (type == GAP_TEXT) {
    const end = textStop(start);
    if (load<u8>(end) != 0x22 || !enterKeys(t, cursor)) return 0;
    putCell(cellOf(t, cursor), textCell(start, end));
    return end + 1;
  }
  if (type != GAP_SCALAR) return 0;
  const digits = plainDigits(start);
  if (!digits || !enterKeys(t, cursor)) return 0;
  putCell(cellOf(t, cursor), digitsCell(start, digits));
  return start + digits;
}

let steppedState: u32 = 0;
let steppedEnd: bool = false;

/** One gap and its value of whatever kind; where to go on, 0 when the parser must read the record. Sets steppedState and steppedEnd. */
function step(cursor: usize, p: usize, state: u32): usize {
  const place = state + load<u32>(cursor, CURSOR_CONTEXT);
  let t = load<u32>(place, STATE_PREDICTED);
  if (fits(t, p)) p += <usize>load<u32>(t, GAP_LENGTH);
  else {
    t = alternative(state, p);
    if (!t) return 0;
    p = gapEnd;
    store<u32>(place, t, STATE_PREDICTED);
    if (state == startState()) store<u32>(state, t, STATE_PREDICTED);
    // A record that surprised us once is of another kind than the last: its later places are predicted apart.
    store<u32>(cursor, ((t * 0x9e3779b1) >> 29) << 2, CURSOR_CONTEXT);
  }
  if (!enterKeys(t, cursor)) return 0;
  steppedState = load<u32>(t, GAP_TARGET);
  const type = load<u32>(t, GAP_TYPE);
  if (type == GAP_TEXT) {
    p = readText(p, nearStop(p), load<u32>(t, GAP_CELLS) != spare);
    if (p) putCell(cellOf(t, cursor), value);
  } else if (type == GAP_SCALAR) {
    p = readScalar(p, load<u32>(t, GAP_CELLS) != spare);
    if (p) putCell(cellOf(t, cursor), scalarCell());
  } else {
    p = readRare(t, type, p, cursor);
    steppedEnd = type == GAP_END;
  }
  return p;
}

/** Reads on at LOWER until its record is at its end. Answers as readGaps does. */
function readLower(): usize {
  let p = <usize>load<u32>(LOWER, CURSOR_AT);
  let state = load<u32>(LOWER, CURSOR_STATE);
  while (true) {
    const t = load<u32>(state + load<u32>(LOWER, CURSOR_CONTEXT), STATE_PREDICTED);
    const after = usualStep(LOWER, p, t);
    if (after) {
      p = after;
      state = load<u32>(t, GAP_TARGET);
    } else {
      p = step(LOWER, p, state);
      if (!p || steppedEnd) return p;
      state = steppedState;
    }
  }
}

/**
 * Reads on at LOWER, and at UPPER beside it, a value each in turn, until a record of one of them is at its end.
 *
 * Each step waits for the one before it to learn where it stands. Steps at two places wait for nothing of each other: they overlap.
 *
 * @returns where the next record of stoppedCursor() may begin, or 0 when the parser must read this one: its cells may then be half filled
 */
export function readGaps(both: bool): usize {
  steppedEnd = false;
  stopped = LOWER;
  if (!both) return readLower();
  let p = <usize>load<u32>(LOWER, CURSOR_AT);
  let state = load<u32>(LOWER, CURSOR_STATE);
  let q = <usize>load<u32>(UPPER, CURSOR_AT);
  let stateQ = load<u32>(UPPER, CURSOR_STATE);
  while (true) {
    const t = load<u32>(state + load<u32>(LOWER, CURSOR_CONTEXT), STATE_PREDICTED);
    let after = usualStep(LOWER, p, t);
    if (after) {
      p = after;
      state = load<u32>(t, GAP_TARGET);
    } else {
      p = step(LOWER, p, state);
      if (!p || steppedEnd) break;
      state = steppedState;
    }
    const u = load<u32>(stateQ + load<u32>(UPPER, CURSOR_CONTEXT), STATE_PREDICTED);
    after = usualStep(UPPER, q, u);
    if (after) {
      q = after;
      stateQ = load<u32>(u, GAP_TARGET);
    } else {
      q = step(UPPER, q, stateQ);
      if (!q || steppedEnd) {
        stopped = UPPER;
        break;
      }
      stateQ = steppedState;
    }
  }
  if (stopped == LOWER) {
    store<u32>(UPPER, <u32>q, CURSOR_AT);
    store<u32>(UPPER, stateQ, CURSOR_STATE);
    return p;
  }
  store<u32>(LOWER, <u32>p, CURSOR_AT);
  store<u32>(LOWER, state, CURSOR_STATE);
  return q;
}

/** What comes after a gap that is seldom: the end of the record, a value inside an array or of several columns. Where to go on, or 0. */
function readRare(t: u32, type: u32, p: usize, cursor: usize): usize {
  if (type == GAP_NOTHING || arrayKeysRepeat(t, cursor)) return 0;
  if (type == GAP_END) {
    recordEnd = p - <usize>load<u32>(t, GAP_LENGTH) + <usize>load<u32>(t, GAP_RECORD_END);
    // A gap learned before another object on the same line ends without its line feed.
    return load<u8>(p - 1) == 0x0a || load<u8>(p) == 0x7b ? p : 0;
  }
  const seen = load<u64>(cursor, CURSOR_SEEN_IN_ARRAY) | load<u64>(t, GAP_ARRAY_BITS);
  store<u64>(cursor, seen, CURSOR_SEEN_IN_ARRAY);
  const row = load<u32>(cursor, CURSOR_ROW_BYTES) >> 3;
  if (type == GAP_TEXT_MANY) {
    p = readText(p, p, true);
    if (p && value) feedNode(load<u32>(t, GAP_CELLS), row, value);
  } else if (type == GAP_SCALAR_MANY) {
    p = readScalar(p, true);
    if (p && scalarCell()) feedNode(load<u32>(t, GAP_CELLS), row, scalarCell());
  } else if (type == GAP_ELEMENT) {
    const elements = load<u64>(load<u32>(load<u32>(t, GAP_TARGET), STATE_PARENT), STATE_ARRAY_MASK);
    store<u64>(cursor, seen & ~elements, CURSOR_SEEN_IN_ARRAY);
  }
  return p;
}

// @ts-ignore: decorator
@inline
function arrayKeysRepeat(t: u32, cursor: usize): bool {
  return (load<u64>(t, GAP_ARRAY_BITS) & load<u64>(cursor, CURSOR_SEEN_IN_ARRAY)) != 0;
}
