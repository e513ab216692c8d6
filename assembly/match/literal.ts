import {
  GROUP_BYTES, GROUP_FILTER, GROUP_GRAM, GROUP_MASK, GROUP_SHIFT, GROUP_STRIDE, GROUP_TABLE, JOB_COLUMN, JOB_FILTER, JOB_GRAM, JOB_KIND,
  JOB_MASK, JOB_PREFIX, JOB_SHIFT, JOB_TABLE, LITERAL_BYTES, LITERAL_GRAM, LITERAL_LENGTH, LITERAL_OFFSET, LITERAL_PREDICATE, MATCH_CHOSEN,
  NO_PREDICATE,
} from "../layout";
import { isPosted, nextValue, post, rowCount } from "./bits";
import { lengthOf, openColumn, ownCells, textOf, valueAt, valueRow } from "./values";
import { literalHolds, openVerify } from "./verify";
import { openText, wordsFrom, wordsTo } from "./words";

/**
 * Literals are found by grams: four neighbouring bytes of each (fewer of shorter ones), with bit 5 of every byte set, in a filter.
 * Where the filter answers, the table's literals with that gram are compared.
 */

const GRAM_MIX: u32 = 0x9e3779b1;
const CASE_BITS: u32 = 0x20202020;

let table: usize = 0;
let mask: u32 = 0;
let filter: usize = 0;
let shift: u32 = 0;
let gramMask: u32 = 0;
// The value at hand.
let valueText: usize = 0;
let valueLength: usize = 0;
let row: u32 = 0;

// @ts-ignore: decorator
@inline
function gramAt(p: usize): u32 {
  return (load<u32>(p) | CASE_BITS) & gramMask;
}

// @ts-ignore: decorator
@inline
function inFilter(gram: u32): u32 {
  const slot = (gram * GRAM_MIX) >> shift;
  return (<u32>load<u8>(filter + (slot >> 3)) >> (slot & 7)) & 1;
}

/** A gram of the filter was seen at q: every literal that has it there is compared. [start, end) is where literals may stand. */
function lookUp(gram: u32, q: usize, start: usize, end: usize): void {
  let i = ((gram * GRAM_MIX) >> 7) & mask;
  while (true) {
    const entry = table + <usize>i * LITERAL_BYTES;
    const predicate = load<u32>(entry, LITERAL_PREDICATE);
    if (predicate == NO_PREDICATE) return;
    if (load<u32>(entry, LITERAL_GRAM) == gram) {
      const at = q - <usize>load<u32>(entry, LITERAL_OFFSET);
      if (at >= start && at + <usize>load<u32>(entry, LITERAL_LENGTH) <= end && !isPosted(predicate, row)
        && literalHolds(entry, predicate, at, valueText, valueLength)) post(predicate, row);
    }
    i = (i + 1) & mask;
  }
}

/** Looks at every `stride`-th place of a text. A literal has grams in the filter for `stride` neighbouring places, so one is met. */
function scan(start: usize, end: usize, stride: usize, gramBytes: usize): void {
  if (start + gramBytes > end) return;
  const last = end - gramBytes;
  const step = stride << 2;
  let q = start;
  while (q + 3 * stride <= last) {
    const a = gramAt(q);
    const b = gramAt(q + stride);
    const c = gramAt(q + 2 * stride);
    const d = gramAt(q + 3 * stride);
    if (inFilter(a) | inFilter(b) | inFilter(c) | inFilter(d)) {
      if (inFilter(a)) lookUp(a, q, start, end);
      if (inFilter(b)) lookUp(b, q + stride, start, end);
      if (inFilter(c)) lookUp(c, q + 2 * stride, start, end);
      if (inFilter(d)) lookUp(d, q + 3 * stride, start, end);
    }
    q += step;
  }
  while (q <= last) {
    const gram = gramAt(q);
    if (inFilter(gram)) lookUp(gram, q, start, end);
    q += stride;
  }
}

// @ts-ignore: decorator
@inline
function bytesOf(gramBits: u32): usize {
  return <usize>((39 - clz(gramBits)) >> 3);
}

/** Literals anywhere in a column's values: contains, patterns with a literal core, words. */
export function matchLiterals(m: usize, job: usize): void {
  openVerify(m);
  const values = openColumn(load<u32>(job, JOB_COLUMN));
  const groups = <usize>load<u32>(job, JOB_TABLE);
  const groupsEnd = groups + <usize>load<u32>(job, JOB_MASK) * GROUP_BYTES;
  const words = load<u32>(job, JOB_GRAM) != 0;
  for (let i: u32 = 0; i < values; i++) {
    const cell = valueAt(i);
    if (!cell) continue;
    row = valueRow(i);
    valueText = textOf(cell);
    valueLength = lengthOf(cell);
    let start = valueText;
    let end = valueText + valueLength;
    if (words) {
      openText(valueText, valueLength);
      start = wordsFrom();
      end = wordsTo();
    }
    nextValue();
    for (let group = groups; group < groupsEnd; group += GROUP_BYTES) {
      table = load<u32>(group, GROUP_TABLE);
      mask = load<u32>(group, GROUP_MASK);
      filter = load<u32>(group, GROUP_FILTER);
      shift = load<u32>(group, GROUP_SHIFT);
      gramMask = load<u32>(group, GROUP_GRAM);
      scan(start, end, load<u32>(group, GROUP_STRIDE), bytesOf(gramMask));
    }
  }
}

/** Where an anchored literal's gram stands in a value; `gramBytes` when it is anchored at the end. */
// @ts-ignore: decorator
@inline
function anchor(cell: u64, fromEnd: usize): usize {
  const length = lengthOf(cell);
  return length >= fromEnd ? textOf(cell) + (fromEnd ? length - fromEnd : 0) : textOf(cell);
}

/** Literals at the values' beginning, or at their end: one gram of each value. */
export function matchAnchored(m: usize, job: usize): void {
  openVerify(m);
  const values = openColumn(load<u32>(job, JOB_COLUMN));
  table = load<u32>(job, JOB_TABLE);
  mask = load<u32>(job, JOB_MASK);
  filter = load<u32>(job, JOB_FILTER);
  shift = load<u32>(job, JOB_SHIFT);
  gramMask = load<u32>(job, JOB_GRAM);
  const gramBytes = bytesOf(gramMask);
  const fromEnd: usize = load<u32>(job, JOB_KIND) == JOB_PREFIX ? 0 : gramBytes;
  const chosen = <usize>load<u32>(m, MATCH_CHOSEN);
  const cells = ownCells();
  const rows = rowCount();
  let count: u32 = 0;
  for (let r: u32 = 0; r < rows; r++) {
    const cell = load<u64>(cells + (<usize>r << 3));
    store<u32>(chosen + (<usize>count << 2), r);
    count += inFilter(gramAt(anchor(cell, fromEnd))) & <u32>(lengthOf(cell) >= gramBytes);
  }
  for (let i: u32 = 0; i < count; i++) {
    row = load<u32>(chosen + (<usize>i << 2));
    lookUpAnchored(load<u64>(cells + (<usize>row << 3)), fromEnd);
  }
  for (let i = rows; i < values; i++) {
    const cell = valueAt(i);
    if (lengthOf(cell) < gramBytes) continue;
    row = valueRow(i);
    if (inFilter(gramAt(anchor(cell, fromEnd)))) lookUpAnchored(cell, fromEnd);
  }
}

function lookUpAnchored(cell: u64, fromEnd: usize): void {
  valueText = textOf(cell);
  valueLength = lengthOf(cell);
  nextValue();
  const at = anchor(cell, fromEnd);
  lookUp(gramAt(at), at, valueText, valueText + valueLength);
}
