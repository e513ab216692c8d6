import {
  COLUMN_BLANK, COLUMN_EXTRA_COUNT, KIND_BOOLEAN, KIND_NUMBER, KIND_STRING, MATCH_PREDICATES, MATCH_STATES, MATCH_TIMES, NUMBERS_BATCH,
  NUMBERS_GREATEST, NUMBERS_LEAST, PREDICATE_BYTES, PREDICATE_CIDR, PREDICATE_COLUMN, PREDICATE_EXISTS, PREDICATE_FLAGS, PREDICATE_GLOB,
  PREDICATE_HIGH, PREDICATE_KIND, PREDICATE_LENGTH, PREDICATE_LENGTH2, PREDICATE_LOW, PREDICATE_NUMBER, PREDICATE_NUMBERS,
  PREDICATE_SPAN_GLOB, PREDICATE_TEXT, PREDICATE_TEXT2, PREDICATE_TEXT_RANGE, PREDICATE_TIME, PREDICATE_WORDS, PREDICATE_WORD_GLOB,
  RANGE_HAS_HIGH_TEXT, RANGE_HAS_LOW_TEXT, RANGE_HAS_NUMBER, RANGE_INCLUDE_HIGH, RANGE_INCLUDE_LOW,
  RANGE_NOT_NUMBER,
} from "../layout";
import { decimalOf } from "../column/decimal";
import { addCost, begin, bitsetBytes, bitsetOf, currentEpoch, isBegun, rowCount, setBit } from "./bits";
import { inRanges } from "./cidr";
import { globMatches } from "./glob";
import { compareText } from "./text";
import { kindOf, lengthOf, openColumn, textOf, valueAt, valueRow } from "./values";
import { anySpanFits, anyWordFits, holdsSequence, openText } from "./words";

/** Predicates that are worked out only when a program asks for them: over the whole batch, once, or over the rows still in question. */

let times: usize = 0;
let numbers: usize = 0;
let states: usize = 0;

// @ts-ignore: decorator
@inline
function inRange(x: f64, p: usize): bool {
  const low = load<f64>(p, PREDICATE_LOW);
  const high = load<f64>(p, PREDICATE_HIGH);
  const flags = load<u32>(p, PREDICATE_FLAGS);
  // NaN fails every comparison, so a value that is no number is never inside.
  return ((flags & RANGE_INCLUDE_LOW) != 0 ? x >= low : x > low) && ((flags & RANGE_INCLUDE_HIGH) != 0 ? x <= high : x < high);
}

/** NaN for what is no number. A JSON number beyond the doubles stands in its cell as `Infinity`. */
function numberOf(cell: u64): f64 {
  const kind = kindOf(cell);
  if (kind == KIND_BOOLEAN) return NaN;
  const p = textOf(cell);
  const x = decimalOf(p, lengthOf(cell));
  if (x != x && kind == KIND_NUMBER) return load<u8>(p) == 0x2d ? -Infinity : Infinity;
  return x;
}

/** The column's own cells as numbers, read once a batch however many predicates ask. */
function readNumbers(p: usize): void {
  numbers = load<u32>(p, PREDICATE_NUMBERS);
  if (load<u32>(numbers - NUMBERS_BATCH) == currentEpoch()) return;
  store<u32>(numbers - NUMBERS_BATCH, currentEpoch());
  const rows = rowCount();
  let least: f64 = Infinity;
  let greatest: f64 = -Infinity;
  for (let i: u32 = 0; i < rows; i++) {
    const cell = valueAt(i);
    const x = cell ? numberOf(cell) : NaN;
    store<f64>(numbers + (<usize>i << 3), x);
    if (x < least) least = x;
    if (x > greatest) greatest = x;
  }
  store<f64>(numbers - NUMBERS_LEAST, least);
  store<f64>(numbers - NUMBERS_GREATEST, greatest);
}

/** True when none of the column's own numbers can be in the range: most thresholds lie beyond what a batch holds. */
// @ts-ignore: decorator
@inline
function allOutside(p: usize): bool {
  const flags = load<u32>(p, PREDICATE_FLAGS);
  const low = load<f64>(p, PREDICATE_LOW);
  const high = load<f64>(p, PREDICATE_HIGH);
  const least = load<f64>(numbers - NUMBERS_LEAST);
  const greatest = load<f64>(numbers - NUMBERS_GREATEST);
  return least > greatest || ((flags & RANGE_INCLUDE_LOW) != 0 ? greatest < low : greatest <= low)
    || ((flags & RANGE_INCLUDE_HIGH) != 0 ? least > high : least >= high);
}

/** Text bounds are for strings, some only for those that are no numbers; a numeric bound beside a text bound must hold for the same value. */
function inTextRange(cell: u64, p: usize): bool {
  if (kindOf(cell) != KIND_STRING) return false;
  const text = textOf(cell);
  const length = lengthOf(cell);
  const flags = load<u32>(p, PREDICATE_FLAGS);
  if (flags & RANGE_HAS_LOW_TEXT) {
    const order = compareText(text, length, load<u32>(p, PREDICATE_TEXT), load<u32>(p, PREDICATE_LENGTH));
    if (order < 0 || (order == 0 && !(flags & RANGE_INCLUDE_LOW))) return false;
  }
  if (flags & RANGE_HAS_HIGH_TEXT) {
    const order = compareText(text, length, load<u32>(p, PREDICATE_TEXT2), load<u32>(p, PREDICATE_LENGTH2));
    if (order > 0 || (order == 0 && !(flags & RANGE_INCLUDE_HIGH))) return false;
  }
  if (!(flags & (RANGE_HAS_NUMBER | RANGE_NOT_NUMBER))) return true;
  const x = decimalOf(text, length);
  return (flags & RANGE_NOT_NUMBER) != 0 ? x != x : inRange(x, p);
}

function textHolds(kind: u32, p: usize, cell: u64): bool {
  const text = <usize>load<u32>(p, PREDICATE_TEXT);
  const length = load<u32>(p, PREDICATE_LENGTH);
  if (kind == PREDICATE_GLOB) return globMatches(text, length, textOf(cell), lengthOf(cell), false);
  if (kind == PREDICATE_CIDR) {
    return kindOf(cell) == KIND_STRING
      && inRanges(textOf(cell), lengthOf(cell), text, length, load<u32>(p, PREDICATE_TEXT2), load<u32>(p, PREDICATE_LENGTH2));
  }
  openText(textOf(cell), lengthOf(cell));
  if (kind == PREDICATE_WORDS) return holdsSequence(text, length);
  if (kind == PREDICATE_WORD_GLOB) return anyWordFits(text, length);
  return kind == PREDICATE_SPAN_GLOB && anySpanFits(text, length, states);
}

/** Does value `i`, not empty, of the open column satisfy the predicate? */
// @ts-ignore: decorator
@inline
function valueHolds(kind: u32, p: usize, i: u32, cell: u64): bool {
  if (kind == PREDICATE_EXISTS) return true;
  if (kind == PREDICATE_NUMBER) return inRange(i < rowCount() ? load<f64>(numbers + (<usize>i << 3)) : numberOf(cell), p);
  if (kind == PREDICATE_TIME) return inRange(load<f64>(times + (<usize>valueRow(i) << 3)), p);
  if (kind == PREDICATE_TEXT_RANGE) return inTextRange(cell, p);
  return textHolds(kind, p, cell);
}

/** Turns to a predicate's column; returns how many values it has. */
function open(m: usize, p: usize, kind: u32): u32 {
  const values = openColumn(load<u32>(p, PREDICATE_COLUMN));
  times = load<u32>(m, MATCH_TIMES);
  states = load<u32>(m, MATCH_STATES);
  if (kind == PREDICATE_NUMBER) readNumbers(p);
  return values;
}

/** Has the predicate's column no value at all? */
// @ts-ignore: decorator
@inline
function isBlank(p: usize): bool {
  return load<u32>(load<u32>(p, PREDICATE_COLUMN), COLUMN_BLANK) != 0;
}

/** The lazy predicate's bitset in this batch, worked out when it was not. */
export function bitsetFor(m: usize, predicate: u32): usize {
  if (isBegun(predicate)) return bitsetOf(predicate);
  const p = <usize>load<u32>(m, MATCH_PREDICATES) + <usize>predicate * PREDICATE_BYTES;
  const kind = load<u32>(p, PREDICATE_KIND);
  const bitset = begin(predicate);
  if (isBlank(p)) return bitset;
  const values = open(m, p, kind);
  for (let i: u32 = 0; i < values; i++) {
    const cell = valueAt(i);
    if (cell && valueHolds(kind, p, i, cell)) setBit(bitset, valueRow(i));
  }
  return bitset;
}

/**
 * Writes to `to` the rows of `left` where the lazy predicate holds (or, `negated`, fails), looking at no other row.
 *
 * @returns false when it did nothing, because the whole bitset is known or is better worked out.
 */
export function narrow(m: usize, predicate: u32, to: usize, left: usize, negated: bool): bool {
  if (isBegun(predicate)) return false;
  const p = <usize>load<u32>(m, MATCH_PREDICATES) + <usize>predicate * PREDICATE_BYTES;
  if (load<u32>(load<u32>(p, PREDICATE_COLUMN), COLUMN_EXTRA_COUNT)) return false;
  const kind = load<u32>(p, PREDICATE_KIND);
  const bytes = bitsetBytes();
  const rows = rowCount();
  if (isBlank(p)) {
    for (let i: usize = 0; i < bytes; i += 8) store<u64>(to + i, negated ? load<u64>(left + i) : 0);
    return true;
  }
  if (kind == PREDICATE_NUMBER) {
    open(m, p, kind);
    if (allOutside(p)) {
      for (let i: usize = 0; i < bytes; i += 8) store<u64>(to + i, negated ? load<u64>(left + i) : 0);
      return true;
    }
  }
  let asked: u32 = 0;
  for (let i: usize = 0; i < bytes; i += 8) asked += <u32>popcnt(load<u64>(left + i));
  // Queries that share the predicate may ask for the same rows over and over.
  if (addCost(predicate, asked) > rows) return false;
  open(m, p, kind);
  for (let i: usize = 0; i < bytes; i += 8) {
    const word = load<u64>(left + i);
    let rest = word;
    let held: u64 = 0;
    while (rest) {
      const bit = ctz(rest);
      rest &= rest - 1;
      const row = <u32>(i << 3) + <u32>bit;
      if (row >= rows) break;
      const cell = valueAt(row);
      if (cell && valueHolds(kind, p, row, cell)) held |= <u64>1 << bit;
    }
    store<u64>(to + i, negated ? word & ~held : held);
  }
  return true;
}
