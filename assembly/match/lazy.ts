import {
  KIND_BOOLEAN, KIND_STRING, MATCH_PREDICATES, MATCH_STATES, MATCH_TIMES, PREDICATE_BYTES, PREDICATE_CIDR, PREDICATE_COLUMN,
  PREDICATE_EXISTS, PREDICATE_FLAGS, PREDICATE_GLOB, PREDICATE_HIGH, PREDICATE_KIND, PREDICATE_LENGTH, PREDICATE_LENGTH2, PREDICATE_LOW,
  PREDICATE_NUMBER, PREDICATE_NUMBERS, PREDICATE_SPAN_GLOB, PREDICATE_STRING, PREDICATE_TEXT, PREDICATE_TEXT2, PREDICATE_TIME,
  PREDICATE_WORDS, PREDICATE_WORD_GLOB, RANGE_HAS_HIGH, RANGE_HAS_LOW, RANGE_INCLUDE_HIGH, RANGE_INCLUDE_LOW,
} from "../layout";
import { decimalOf } from "../column/decimal";
import { begin, compareText, currentEpoch, isBegun, kindOf, lengthOf, openColumn, rowCount, textOf, valueAt, valueRow } from "./bits";
import { inBlocks } from "./cidr";
import { fold } from "./fold";
import { globMatches } from "./glob";
import { anySpanFits, anyWordFits, holdsSequence } from "./words";

/** Predicates that are worked out only when a program asks for them, over the whole batch, once. */

// @ts-ignore: decorator
@inline
function inRange(x: f64, p: usize): bool {
  const low = load<f64>(p, PREDICATE_LOW);
  const high = load<f64>(p, PREDICATE_HIGH);
  const flags = load<u32>(p, PREDICATE_FLAGS);
  // NaN fails every comparison, so a value that is no number is never inside.
  return ((flags & RANGE_INCLUDE_LOW) != 0 ? x >= low : x > low) && ((flags & RANGE_INCLUDE_HIGH) != 0 ? x <= high : x < high);
}

// @ts-ignore: decorator
@inline
function numberOf(cell: u64): f64 {
  return kindOf(cell) == KIND_BOOLEAN ? NaN : decimalOf(textOf(cell), lengthOf(cell));
}

/** The column's own cells as numbers, read once a batch however many predicates ask. */
function numbersOf(p: usize): usize {
  const numbers = <usize>load<u32>(p, PREDICATE_NUMBERS);
  const stamp = numbers - 8;
  if (load<u32>(stamp) == currentEpoch()) return numbers;
  store<u32>(stamp, currentEpoch());
  for (let i: u32 = 0; i < rowCount; i++) {
    const cell = valueAt(i);
    store<f64>(numbers + (<usize>i << 3), cell ? numberOf(cell) : NaN);
  }
  return numbers;
}

function stringInRange(cell: u64, p: usize): bool {
  if (kindOf(cell) != KIND_STRING) return false;
  const flags = load<u32>(p, PREDICATE_FLAGS);
  if (flags & RANGE_HAS_LOW) {
    const order = compareText(textOf(cell), lengthOf(cell), load<u32>(p, PREDICATE_TEXT), load<u32>(p, PREDICATE_LENGTH));
    if (order < 0 || (order == 0 && !(flags & RANGE_INCLUDE_LOW))) return false;
  }
  if (flags & RANGE_HAS_HIGH) {
    const order = compareText(textOf(cell), lengthOf(cell), load<u32>(p, PREDICATE_TEXT2), load<u32>(p, PREDICATE_LENGTH2));
    if (order > 0 || (order == 0 && !(flags & RANGE_INCLUDE_HIGH))) return false;
  }
  return true;
}

function holds(kind: u32, p: usize, cell: u64, states: usize): bool {
  const text = <usize>load<u32>(p, PREDICATE_TEXT);
  const length = load<u32>(p, PREDICATE_LENGTH);
  switch (kind) {
    case PREDICATE_EXISTS:
      return true;
    case PREDICATE_NUMBER:
      return inRange(numberOf(cell), p);
    case PREDICATE_STRING:
      return stringInRange(cell, p);
    case PREDICATE_GLOB:
      return globMatches(text, length, textOf(cell), lengthOf(cell));
    case PREDICATE_CIDR:
      return kindOf(cell) == KIND_STRING && inBlocks(textOf(cell), lengthOf(cell), text, length);
    default:
  }
  fold(textOf(cell), lengthOf(cell));
  if (kind == PREDICATE_WORDS) return holdsSequence(text, length);
  if (kind == PREDICATE_WORD_GLOB) return anyWordFits(text, length);
  return kind == PREDICATE_SPAN_GLOB && anySpanFits(text, length, states);
}

/** Makes sure that the predicate's bitset is worked out for this batch. */
export function ensure(m: usize, predicate: u32): void {
  if (isBegun(predicate)) return;
  const bitset = begin(predicate);
  const p = <usize>load<u32>(m, MATCH_PREDICATES) + <usize>predicate * PREDICATE_BYTES;
  const kind = load<u32>(p, PREDICATE_KIND);
  if (!kind) return; // a job's predicate that did not fire
  const values = openColumn(load<u32>(p, PREDICATE_COLUMN));
  const states = <usize>load<u32>(m, MATCH_STATES);
  const times = <usize>load<u32>(m, MATCH_TIMES);
  const numbers = kind == PREDICATE_NUMBER ? numbersOf(p) : 0;
  for (let i: u32 = 0; i < values; i++) {
    const cell = valueAt(i);
    if (!cell) continue;
    const row = valueRow(i);
    let yes: bool;
    if (kind == PREDICATE_NUMBER && i < rowCount) yes = inRange(load<f64>(numbers + (<usize>i << 3)), p);
    else if (kind == PREDICATE_TIME) yes = inRange(load<f64>(times + (<usize>row << 3)), p);
    else yes = holds(kind, p, cell, states);
    if (yes) {
      const at = bitset + (row >> 3);
      store<u8>(at, load<u8>(at) | (<u8>1 << <u8>(row & 7)));
    }
  }
}
