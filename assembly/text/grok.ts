import {
  CAPTURE_ACCESS_TIME, CAPTURE_ANY_TEXT, CAPTURE_BYTES, CAPTURE_FEEDS, CAPTURE_FEED_COUNT, CAPTURE_FILTER, CAPTURE_GROUP, CAPTURE_HOST, CAPTURE_LOWER, CAPTURE_MEMO, CAPTURE_NUMBER,
  CAPTURE_NUMERIC, CAPTURE_TEXT, CAPTURE_URL, COLUMN_BLANK, COLUMN_CELLS, GROK_MASK, GROK_MATCHED, GROK_NUMBER, GROK_PROGRAM, GROK_RULES, GROK_SLOTS, GROK_SOURCE,
  KIND_NUMBER, KIND_STRING,
} from "../layout";
import { accessMs } from "../derive/calendar";
import { dropRow } from "./place";
import { GAVE_UP, runText, slots } from "./run";

// @ts-ignore: decorator
@external("host", "matchText")
declare function hostMatchText(number: u32, address: u32, length: u32, out: u32): i32;
// @ts-ignore: decorator
@external("host", "filterText")
declare function hostFilterText(number: u32, address: u32, length: u32, out: u32, room: u32): u64;

// Texts that filters made, of one batch.
let textTop: usize = 0;
let textEnd: usize = 0;

/** Gives the steps of the next batch room for texts they make. */
export function textArena(start: usize, end: usize): void {
  textTop = start;
  textEnd = end;
}

// @ts-ignore: decorator
@inline
function cellOf(address: usize, length: u32, kind: u32): u64 {
  return <u64>address | (<u64>length << 32) | (<u64>kind << 60);
}

/** Decimal digits as JavaScript would print them, up to fifteen of them. */
function isCanonicalInteger(p: usize, n: u32): bool {
  const negative = load<u8>(p) == 45;
  const digits = negative ? n - 1 : n;
  if (digits == 0 || digits > 15) return false;
  const first = negative ? p + 1 : p;
  if (load<u8>(first) == 48 && (digits > 1 || negative)) return false;
  for (let i: u32 = 0; i < digits; i++) if (load<u8>(first + i) - 48 > 9) return false;
  return true;
}

const DIGITS_CAP: usize = 20;

/** A whole number as a text of its own. */
function digitsOf(value: u64): u64 {
  if (textEnd - textTop < DIGITS_CAP) return NO_ROOM;
  let length: u32 = 1;
  for (let rest = value / 10; rest; rest /= 10) length++;
  const out = textTop;
  textTop += length;
  for (let i = length; i > 0; i--) {
    store<u8>(out + <usize>(i - 1), 48 + <u32>(value % 10));
    value /= 10;
  }
  return cellOf(out, length, KIND_NUMBER);
}

const NO_ROOM: u64 = <u64>-1;

function fromHost(number: u32, address: usize, length: u32): u64 {
  const cell = hostFilterText(number, <u32>address, length, <u32>textTop, <u32>(textEnd - textTop));
  if (cell == NO_ROOM || cell == 0) return cell;
  // Only texts the host wrote take room.
  if (<usize>(<u32>cell) == textTop) textTop += <usize>(<u32>(cell >> 32) & 0x0fffffff);
  return cell;
}

function lowered(number: u32, address: usize, length: u32): u64 {
  let upper = false;
  for (let i: u32 = 0; i < length; i++) {
    const c = <u32>load<u8>(address + i);
    if (c >= 128) return fromHost(number, address, length);
    if (c - 65 < 26) upper = true;
  }
  if (!upper) return cellOf(address, length, KIND_STRING);
  if (textEnd - textTop < <usize>length) return NO_ROOM;
  const out = textTop;
  textTop += length;
  for (let i: u32 = 0; i < length; i++) {
    const c = load<u8>(address + i);
    store<u8>(out + i, c - 65 < 26 ? c | 0x20 : c);
  }
  return cellOf(out, length, KIND_STRING);
}

/** No percent sign, no plus, no capital, nothing beyond ASCII. */
function isPlain(address: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) {
    const c = <u32>load<u8>(address + i);
    if (c == 0x25 || c == 0x2b || c - 65 < 26 || c >= 128) return false;
  }
  return true;
}

function sameText(a: u64, address: usize, length: u32): bool {
  if ((<u32>(a >> 32) & 0x0fffffff) != length) return false;
  return memory.compare(<usize>(<u32>a), address, length) == 0;
}

/** What a capture's filter makes of its text: a cell, 0 for no value, NO_ROOM. */
function filtered(capture: usize, address: usize, length: u32): u64 {
  const filter = load<u32>(capture, CAPTURE_FILTER);
  if (filter == CAPTURE_TEXT || filter == CAPTURE_ANY_TEXT) return cellOf(address, length, KIND_STRING);
  if (filter == CAPTURE_NUMERIC && isCanonicalInteger(address, length)) return cellOf(address, length, KIND_NUMBER);
  const number = load<u32>(capture, CAPTURE_NUMBER);
  if (filter == CAPTURE_LOWER) return lowered(number, address, length);
  if (filter == CAPTURE_ACCESS_TIME) {
    const ms = accessMs(address, <usize>length);
    if (ms >= 0) return digitsOf(<u64>ms);
  }
  if (filter == CAPTURE_URL && isPlain(address, length)) return cellOf(address, length, KIND_STRING);
  // Times, addresses and agents often stand in one line after the other.
  const memo = <usize>load<u32>(capture, CAPTURE_MEMO);
  if (load<u64>(memo) && sameText(load<u64>(memo), address, length)) return load<u64>(memo, 8);
  const cell = fromHost(number, address, length);
  if (cell == NO_ROOM) return cell;
  store<u64>(memo, cellOf(address, length, KIND_STRING));
  store<u64>(memo, cell, 8);
  return cell;
}

/** Puts a rule's captures into the row; false when there is no room for the texts. */
function place(captures: usize, row: u32): bool {
  const count = load<u32>(captures);
  let capture = captures + 4;
  for (let i: u32 = 0; i < count; i++, capture += CAPTURE_BYTES) {
    const slot = slots + (<usize>load<u32>(capture, CAPTURE_GROUP) << 3);
    const from = load<u32>(slot);
    const to = load<u32>(slot, 4);
    if (!from || (to <= from && load<u32>(capture, CAPTURE_FILTER) != CAPTURE_ANY_TEXT)) continue;
    const cell = filtered(capture, <usize>from, to - from);
    if (cell == NO_ROOM) return false;
    if (!cell) continue;
    const feeds = <usize>load<u32>(capture, CAPTURE_FEEDS);
    const feedCount = load<u32>(capture, CAPTURE_FEED_COUNT);
    for (let f: u32 = 0; f < feedCount; f++) {
      const feed = load<u32>(feeds + (<usize>f << 2));
      const column = <usize>(feed & ~3);
      const at = <usize>load<u32>(column, COLUMN_CELLS) + (<usize>row << 3);
      if (feed & 2 && load<u64>(at)) continue;
      dropRow(column, row);
      if (!(feed & 1)) store<u64>(at, cell);
    }
  }
  return true;
}

/** Forgets what lies in the last batch's texts. */
function forget(struct: usize, ruleCount: u32): void {
  const rules = <usize>load<u32>(struct, GROK_RULES);
  for (let r: u32 = 0; r < ruleCount; r++) {
    const captures = <usize>load<u32>(rules + (<usize>r << 2));
    const count = load<u32>(captures);
    for (let i: u32 = 0; i < count; i++) store<u64>(<usize>load<u32>(captures + 4 + <usize>i * CAPTURE_BYTES, CAPTURE_MEMO), 0);
  }
}

/**
 * Lays the step's rules on every text of its source column and puts what they capture into columns.
 *
 * @returns 0 when there is no room for the texts filters make: the caller takes fewer rows.
 */
export function grok(struct: usize, rows: u32, ruleCount: u32): u32 {
  forget(struct, ruleCount);
  const program = <usize>load<u32>(struct, GROK_PROGRAM);
  const number = load<u32>(struct, GROK_NUMBER);
  const cells = <usize>load<u32>(<usize>load<u32>(struct, GROK_SOURCE), COLUMN_CELLS);
  const mask = <usize>load<u32>(struct, GROK_MASK);
  const rules = <usize>load<u32>(struct, GROK_RULES);
  const slotCount = load<u32>(struct, GROK_SLOTS);
  const matched = <usize>load<u32>(struct, GROK_MATCHED);
  if (matched) memory.fill(matched, 0, (<usize>rows >> 3) + 1);
  if (load<u32>(<usize>load<u32>(struct, GROK_SOURCE), COLUMN_BLANK)) return 1;
  for (let row: u32 = 0; row < rows; row++) {
    if (mask && !((load<u8>(mask + (row >> 3)) >> <u8>(row & 7)) & 1)) continue;
    const cell = load<u64>(cells + (<usize>row << 3));
    if (!cell) continue;
    const start = <usize>(<u32>cell);
    const length = <u32>(cell >> 32) & 0x0fffffff;
    let rule = runText(program, slotCount, start, start + <usize>length);
    if (rule == GAVE_UP) rule = hostMatchText(number, <u32>start, length, <u32>slots);
    if (rule < 0) continue;
    if (matched) store<u8>(matched + (row >> 3), load<u8>(matched + (row >> 3)) | (<u8>1 << <u8>(row & 7)));
    if (!place(<usize>load<u32>(rules + (<usize>rule << 2)), row)) return 0;
  }
  return 1;
}
