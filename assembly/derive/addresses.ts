import {
  ADDRESSES_CAPACITY, ADDRESSES_LISTED, ADDRESSES_PAGES, ADDRESSES_SEEN, ADDRESSES_SEEN_MASK, ADDRESSES_SOURCES, ADDRESSES_SOURCE_COUNT,
  ADDRESSES_TARGET, ADDRESSES_TEXTS, ADDRESSES_TEXTS_END, ADDRESSES_USED, COLUMN_BLANK, COLUMN_CELLS, COLUMN_EXTRA_CELLS, COLUMN_EXTRA_COUNT,
  COLUMN_EXTRA_ROWS, KIND_STRING, SEEN_BYTES, SEEN_CELL, SEEN_ROW,
} from "../layout";
import { addressV4, addressV6, writeV6 } from "../match/address";
import { textHash } from "../match/hash";
import { sameText } from "../match/text";
import { openPages, wordAt, wordBefore } from "../match/unicode";
import { appendCell } from "./append";

/**
 * Every IP address standing in any text of an event, once each, in canonical text.
 *
 * An address is not part of a longer word or number: no letter, digit, `_` or `.` before it, no word character after it, nor a `.`
 * that goes on into one. A sentence's own `.` or `:` at the end does not belong to it.
 */

const DOT: u32 = 0x2e;
const COLON: u32 = 0x3a;
const bytes: usize = memory.data(16);

let setup: usize = 0;
let target: usize = 0;
let capacity: u32 = 0;
let texts: usize = 0;
let used: u32 = 0;
let row: u32 = 0;
let full: bool = false;
// The text at hand.
let from: usize = 0;
let to: usize = 0;

function stringCell(p: usize, n: usize): u64 {
  return <u64>p | (<u64>n << 32) | (<u64>KIND_STRING << 60);
}

/** Adds a value to the row, unless the row has it. */
function add(cell: u64): void {
  const p = <usize>(<u32>cell);
  const n = <usize>(<u32>(cell >> 32) & 0x0fffffff);
  const seen = <usize>load<u32>(setup, ADDRESSES_SEEN);
  const mask = load<u32>(setup, ADDRESSES_SEEN_MASK);
  let i = (<u32>textHash(p, n) + row * 0x9e3779b1) & mask;
  while (true) {
    const entry = seen + <usize>i * SEEN_BYTES;
    const other = load<u64>(entry, SEEN_CELL);
    if (!other) break;
    if (load<u32>(entry, SEEN_ROW) == row && (other ^ cell) >> 32 == 0 && sameText(<usize>(<u32>other), p, n)) return;
    i = (i + 1) & mask;
  }
  if (!appendCell(target, row, cell, capacity)) {
    full = true;
    return;
  }
  store<u64>(seen + <usize>i * SEEN_BYTES, cell, SEEN_CELL);
  store<u32>(seen + <usize>i * SEEN_BYTES, row, SEEN_ROW);
  store<u32>(<usize>load<u32>(setup, ADDRESSES_USED) + (<usize>used << 2), i);
  used++;
}

function addV6(): void {
  if (texts + 64 > <usize>load<u32>(setup, ADDRESSES_TEXTS_END)) {
    full = true;
    return;
  }
  const length = writeV6(bytes, texts);
  const cell = stringCell(texts, length);
  texts += length;
  add(cell);
}

// @ts-ignore: decorator
@inline
function isDigit(c: u32): bool {
  return c - 48 < 10;
}

/** May the character stand in an address? */
// @ts-ignore: decorator
@inline
function inAddress(c: u32): bool {
  return c - 48 < 11 || c == DOT || (c | 0x20) - 97 < 6;
}

/** The run [start, end) as one IPv6 address, without the name before it in `client:2001:db8::1`, and without the sentence's last `.` or `:`. */
function addWholeRun(start: usize, end: usize): bool {
  if (end < to && wordAt(end)) return false;
  let colon = start;
  let dotted = false;
  while (load<u8>(colon) != COLON) {
    if (load<u8>(colon) == DOT) dotted = true;
    colon++;
  }
  // What is longer than a group, holds a dot or goes on from a letter is no group.
  if (dotted || colon > start + 4 || (start > from && wordBefore(start))) start = colon + 1;
  for (let last = end; last + 3 > end && last > start; last--) {
    if (addressV6(start, last - start, bytes)) {
      addV6();
      return true;
    }
    const c = <u32>load<u8>(last - 1);
    if (c != DOT && c != COLON) return false;
  }
  return false;
}

/** End of the dotted quad that begins at p, or 0. */
function quadEnd(p: usize, end: usize): usize {
  for (let octet = 0; octet < 4; octet++) {
    if (octet) {
      if (p >= end || load<u8>(p) != DOT) return 0;
      p++;
    }
    const start = p;
    while (p < end && isDigit(load<u8>(p))) p++;
    if (p == start || p > start + 3) return 0;
  }
  return p;
}

/** Every dotted quad of the run that stands alone: `10.0.0.1:443`, `:10.0.0.1`. */
function addQuads(start: usize, end: usize): void {
  let p = start;
  while (p < end) {
    const alone = p == from || (load<u8>(p - 1) != DOT && !wordBefore(p));
    if (!isDigit(load<u8>(p)) || !alone) {
      p++;
      continue;
    }
    const last = quadEnd(p, end);
    if (last && !(last < to && wordAt(last)) && !(last + 1 < to && load<u8>(last) == DOT && wordAt(last + 1)) && addressV4(p, last - p) >= 0) {
      add(stringCell(p, last - p));
    }
    p++;
    while (p < end && isDigit(load<u8>(p))) p++;
  }
}

function addRun(start: usize, end: usize, dots: u32, colons: u32): void {
  if (colons >= 2 && addWholeRun(start, end)) return;
  if (dots >= 3) addQuads(start, end);
}

/** The next `.` or `:` at p or after it; `to` when there is none. */
function nextSign(p: usize): usize {
  if (ASC_FEATURE_SIMD) {
    while (p < to) {
      const v = v128.load(p);
      const m = i8x16.bitmask(v128.or(i8x16.eq(v, i8x16.splat(0x2e)), i8x16.eq(v, i8x16.splat(0x3a))));
      if (m) return min(to, p + <usize>ctz(m));
      p += 16;
    }
    return to;
  }
  while (p < to && load<u8>(p) != DOT && load<u8>(p) != COLON) p++;
  return p;
}

function addText(p: usize, n: usize): void {
  from = p;
  to = p + n;
  let done = p;
  while (true) {
    const sign = nextSign(done);
    if (sign >= to) return;
    let start = sign;
    while (start > done && inAddress(load<u8>(start - 1))) start--;
    let end = sign;
    let dots: u32 = 0;
    let colons: u32 = 0;
    while (end < to) {
      const c = <u32>load<u8>(end);
      if (!inAddress(c)) break;
      dots += <u32>(c == DOT);
      colons += <u32>(c == COLON);
      end++;
    }
    addRun(start, end, dots, colons);
    done = end;
  }
}

/** A value of the event's own `network.ip.list` counts whatever it is; an address in canonical text. */
function addListed(cell: u64): void {
  const p = <usize>(<u32>cell);
  const n = <usize>(<u32>(cell >> 32) & 0x0fffffff);
  if (addressV6(p, n, bytes)) addV6();
  else add(cell);
}

// @ts-ignore: decorator
@inline
function addCell(cell: u64, listed: bool): void {
  if (!cell) return;
  if (listed) addListed(cell);
  else if (<u32>(cell >> 60) == KIND_STRING) addText(<usize>(<u32>cell), <usize>(<u32>(cell >> 32) & 0x0fffffff));
}

function addColumn(source: usize, rows: u32, listed: bool): void {
  if (load<u32>(source, COLUMN_BLANK)) return;
  const cells = <usize>load<u32>(source, COLUMN_CELLS);
  for (row = 0; row < rows; row++) addCell(load<u64>(cells + (<usize>row << 3)), listed);
  const extraCells = <usize>load<u32>(source, COLUMN_EXTRA_CELLS);
  const extraRows = <usize>load<u32>(source, COLUMN_EXTRA_ROWS);
  const extras = load<u32>(source, COLUMN_EXTRA_COUNT);
  for (let i: u32 = 0; i < extras; i++) {
    row = load<u32>(extraRows + (<usize>i << 2));
    addCell(load<u64>(extraCells + (<usize>i << 3)), listed);
  }
}

/**
 * Fills the addresses column, which must be empty.
 *
 * @returns 0 when an area is full (the caller takes fewer rows); of a single row what fits is kept.
 */
export function deriveAddresses(struct: usize, rows: u32): u32 {
  setup = struct;
  target = load<u32>(struct, ADDRESSES_TARGET);
  capacity = load<u32>(struct, ADDRESSES_CAPACITY);
  texts = load<u32>(struct, ADDRESSES_TEXTS);
  used = 0;
  full = false;
  openPages(load<u32>(struct, ADDRESSES_PAGES));
  const sources = <usize>load<u32>(struct, ADDRESSES_SOURCES);
  const count = load<u32>(struct, ADDRESSES_SOURCE_COUNT);
  const listed = load<u32>(struct, ADDRESSES_LISTED);
  for (let s: u32 = 0; s < count; s++) {
    const source = <usize>load<u32>(sources + (<usize>s << 2));
    addColumn(source, rows, source == <usize>listed);
  }
  const seen = <usize>load<u32>(struct, ADDRESSES_SEEN);
  const slots = <usize>load<u32>(struct, ADDRESSES_USED);
  for (let i: u32 = 0; i < used; i++) store<u64>(seen + <usize>load<u32>(slots + (<usize>i << 2)) * SEEN_BYTES, 0, SEEN_CELL);
  return full && rows > 1 ? 0 : 1;
}
