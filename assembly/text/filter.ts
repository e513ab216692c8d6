import {
  CAPTURE_ACCESS_TIME, CAPTURE_ANY_TEXT, CAPTURE_LOWER, CAPTURE_NUMERIC, CAPTURE_TEXT, CAPTURE_URL, KIND_BOOLEAN, KIND_NUMBER, KIND_STRING, MEMO_BYTES, MEMO_ENTRIES,
} from "../layout";
import { accessMs } from "../derive/calendar";

// `length` holds the kind of the value in its upper four bits.
// @ts-ignore: decorator
@external("host", "filterText")
declare function hostFilterText(number: u32, address: u32, length: u32, out: u32, room: u32): u64;

// Texts that are made, of one batch.
let textTop: usize = 0;
let textEnd: usize = 0;

/** Gives the steps of the next batch room for texts they make. */
export function textArena(start: usize, end: usize): void {
  textTop = start;
  textEnd = end;
}

/** Room for a text of so many bytes, 0 when there is none. What is not kept is given back. */
export function textRoom(length: usize): usize {
  return textEnd - textTop < length ? 0 : textTop;
}

/** Keeps the first bytes of the room last given. */
export function keepText(length: usize): void {
  textTop += length;
}

/** What a filter answers when there is no room for the text it makes. */
export const NO_ROOM: u64 = <u64>-1;

// @ts-ignore: decorator
@inline
export function cellOf(address: usize, length: u32, kind: u32): u64 {
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
  const out = textRoom(DIGITS_CAP);
  if (!out) return NO_ROOM;
  let length: u32 = 1;
  for (let rest = value / 10; rest; rest /= 10) length++;
  textTop += length;
  for (let i = length; i > 0; i--) {
    store<u8>(out + <usize>(i - 1), 48 + <u32>(value % 10));
    value /= 10;
  }
  return cellOf(out, length, KIND_NUMBER);
}

function fromHost(number: u32, address: usize, length: u32, kind: u32): u64 {
  const cell = hostFilterText(number, <u32>address, length | (kind << 28), <u32>textTop, <u32>(textEnd - textTop));
  if (cell == NO_ROOM || cell == 0) return cell;
  // Only texts the host wrote take room.
  if (<usize>(<u32>cell) == textTop) textTop += <usize>(<u32>(cell >> 32) & 0x0fffffff);
  return cell;
}

function lowered(number: u32, address: usize, length: u32): u64 {
  let upper = false;
  for (let i: u32 = 0; i < length; i++) {
    const c = <u32>load<u8>(address + i);
    if (c >= 128) return fromHost(number, address, length, KIND_STRING);
    if (c - 65 < 26) upper = true;
  }
  if (!upper) return cellOf(address, length, KIND_STRING);
  const out = textRoom(length);
  if (!out) return NO_ROOM;
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

/** Where the memo may know the value: by its length, its first eight bytes and its last. */
// @ts-ignore: decorator
@inline
function memoEntry(memo: usize, address: usize, length: u32): usize {
  let first: u64 = 0;
  let last: u64 = 0;
  if (length >= 8) {
    first = load<u64>(address);
    last = load<u64>(address + <usize>length - 8);
  } else for (let i: u32 = 0; i < length; i++) first = (first << 8) | <u64>load<u8>(address + i);
  const hash = (first * 0x9e3779b97f4a7c15) ^ (rotl<u64>(last, 29) * 0xc2b2ae3d27d4eb4f) ^ (<u64>length * 0x165667b19e3779f9);
  return memo + (<usize>((hash ^ (hash >> 29)) * 0x9e3779b97f4a7c15 >> 56) & (MEMO_ENTRIES - 1)) * 16;
}

/** Forgets what lies in the last batch's texts. */
export function forget(memo: usize): void {
  if (memo) memory.fill(memo, 0, MEMO_BYTES);
}

/**
 * What a filter makes of a value: a cell, 0 for no value, NO_ROOM. What the host makes is remembered, as values come again.
 *
 * @param memo MEMO_BYTES, empty at the beginning of a batch.
 */
export function filtered(filter: u32, number: u32, memo: usize, address: usize, length: u32, kind: u32): u64 {
  if (filter == CAPTURE_TEXT || filter == CAPTURE_ANY_TEXT) return cellOf(address, length, KIND_STRING);
  if (filter == CAPTURE_NUMERIC && kind != KIND_BOOLEAN && isCanonicalInteger(address, length)) return cellOf(address, length, KIND_NUMBER);
  if (filter == CAPTURE_LOWER) return lowered(number, address, length);
  if (filter == CAPTURE_ACCESS_TIME) {
    const ms = accessMs(address, <usize>length);
    if (ms >= 0) return digitsOf(<u64>ms);
  }
  if (filter == CAPTURE_URL && isPlain(address, length)) return cellOf(address, length, KIND_STRING);
  const entry = memoEntry(memo, address, length);
  const known = load<u64>(entry);
  const own = cellOf(address, length, kind);
  if (known && known >> 32 == own >> 32 && memory.compare(<usize>(<u32>known), address, length) == 0) return load<u64>(entry, 8);
  const cell = fromHost(number, address, length, kind);
  if (cell == NO_ROOM) return cell;
  store<u64>(entry, own);
  store<u64>(entry, cell, 8);
  return cell;
}
