import {
  CANDIDATES_CAPACITY, CANDIDATES_FLAGS, CANDIDATES_JSON, CANDIDATES_OUT, CANDIDATES_ROW_END, CANDIDATES_ROW_START, CANDIDATES_WITH_V6,
  CANDIDATE_ADDRESS, CANDIDATE_AT, CANDIDATE_BYTES, CANDIDATE_KIND, CANDIDATE_ODD, CANDIDATE_ROW, CANDIDATE_V4, CANDIDATE_V6,
} from "../layout";
import { addressV4, addressV6 } from "../match/address";
import { mayBeListed4 } from "./filter";
import { mayBeListed6 } from "./listed";
import { isDigit, quadAt, quadEnd, quadStart } from "./quads";

/** The address at a sign of one: whether it stands by itself in the record, and may be listed, so that the host looks at it. */

const DOT: u32 = 0x2e;
const COLON: u32 = 0x3a;
const BACKSLASH: u32 = 0x5c;
const LETTER_U: u32 = 0x75;

let out: usize = 0;
let count: u32 = 0;
let capacity: u32 = 0;
let row: u32 = 0;
let from: usize = 0;
let to: usize = 0;
let escapes: bool = false;
let withV6: bool = false;
/** What was looked at already ends here. */
let done: usize = 0;
/** Nothing of the rows stands before it; rows behind it follow on a line's end. */
let begin: usize = 0;
let starts: usize = 0;
let ends: usize = 0;

export function openCandidates(struct: usize, rows: u32): void {
  out = load<u32>(struct, CANDIDATES_OUT);
  capacity = load<u32>(struct, CANDIDATES_CAPACITY);
  const flags = load<u32>(struct, CANDIDATES_FLAGS);
  escapes = (flags & CANDIDATES_JSON) != 0;
  withV6 = (flags & CANDIDATES_WITH_V6) != 0;
  starts = load<u32>(struct, CANDIDATES_ROW_START);
  ends = load<u32>(struct, CANDIDATES_ROW_END);
  count = 0;
  done = 0;
  begin = rows ? <usize>load<u32>(starts) : 0;
}

/** How many there are; more than fit when it is above the capacity. */
export function candidateCount(): u32 {
  return count;
}
export function hasEscapes(): bool {
  return escapes;
}
export function listsV6(): bool {
  return withV6;
}
// @ts-ignore: decorator
@inline
export function rowStart(): usize {
  return from;
}
// @ts-ignore: decorator
@inline
export function rowEnd(): usize {
  return to;
}
// @ts-ignore: decorator
@inline
export function rowNumber(): u32 {
  return row;
}
// @ts-ignore: decorator
@inline
export function firstByte(): usize {
  return begin;
}

/** @param number the row whose bytes are looked at */
// @ts-ignore: decorator
@inline
export function turnTo(number: u32): void {
  row = number;
  from = load<u32>(starts + (<usize>row << 2));
  to = load<u32>(ends + (<usize>row << 2));
  if (done < from || done > to) done = from;
}

// @ts-ignore: decorator
@inline
function place(): usize {
  return out + <usize>min(count, capacity) * CANDIDATE_BYTES;
}

// @ts-ignore: decorator
@inline
function emit(at: usize, kind: u32): void {
  const candidate = place();
  store<u32>(candidate, row, CANDIDATE_ROW);
  store<u32>(candidate, <u32>at, CANDIDATE_AT);
  store<u32>(candidate, kind, CANDIDATE_KIND);
  count++;
}

// @ts-ignore: decorator
@inline
export function inAddress(c: u32): bool {
  return c - 48 < 11 || c == DOT || (c | 0x20) - 97 < 6;
}

/** A letter, digit or _ of ASCII: what may not stand beside an address. */
// @ts-ignore: decorator
@inline
export function isWord(c: u32): bool {
  return c - 48 < 10 || (c | 0x20) - 97 < 26 || c == 0x5f;
}

/** Does the byte before p end an escape, so that it says nothing of the character? */
// @ts-ignore: decorator
@inline
function afterEscape(p: usize): bool {
  return escapes && p >= from + 2 && load<u8>(p - 2) == BACKSLASH;
}

function hexValue(p: usize): u32 {
  let value: u32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const c = <u32>load<u8>(p + i);
    const digit = c - 48 < 10 ? c - 48 : (c | 0x20) - 97 < 6 ? (c | 0x20) - 87 : 16;
    if (digit > 15) return 0;
    value = (value << 4) | digit;
  }
  return value;
}

/** One that spells a character of addresses makes the record odd. */
function lookAtEscape(p: usize): void {
  if (p + 6 <= to && inAddress(hexValue(p + 2)) && hexValue(p + 2) < 128) emit(from, CANDIDATE_ODD);
}

/** Dots and colons at the end may be a sentence's, and tags lose theirs. */
function addV6(start: usize, end: usize): void {
  for (let last = end; last > start; last--) {
    if (addressV6(start, last - start, place() + CANDIDATE_ADDRESS)) {
      if (mayBeListed6(place() + CANDIDATE_ADDRESS, withV6)) emit(start, CANDIDATE_V6);
      return;
    }
    const c = <u32>load<u8>(last - 1);
    if (c != DOT && c != COLON) return;
  }
}

function addQuads(start: usize, end: usize): void {
  let p = start;
  while (p < end) {
    if (!isDigit(load<u8>(p))) {
      p++;
      continue;
    }
    const before = p > from ? <u32>load<u8>(p - 1) : 0;
    const alone = before != DOT && (!isWord(before) || afterEscape(p));
    if (alone) {
      let last = p;
      let dots = 0;
      while (last < end) {
        const c = <u32>load<u8>(last);
        if (c == DOT) {
          // A fourth dot is no part of the address.
          if (dots == 3) break;
          dots++;
        } else if (!isDigit(c)) break;
        last++;
      }
      const isFree = last == to || (!isWord(load<u8>(last)) && !(load<u8>(last) == DOT && last + 1 < to && isWord(load<u8>(last + 1))));
      if (dots == 3 && isFree) {
        const address = addressV4(p, last - p);
        if (address >= 0 && mayBeListed4(<u32>address)) {
          store<u32>(place(), <u32>address, CANDIDATE_ADDRESS);
          emit(p, CANDIDATE_V4);
        }
      }
    }
    while (p < end && isDigit(load<u8>(p))) p++;
  }
}

/** The run of address characters around a sign at p. */
export function lookAtRun(p: usize): void {
  if (p < done) return;
  let start = p;
  while (start > from && start > done && inAddress(load<u8>(start - 1))) start--;
  let end = p;
  let dots: u32 = 0;
  let colons: u32 = 0;
  for (let q = start; q < p; q++) {
    const c = <u32>load<u8>(q);
    dots += <u32>(c == DOT);
    colons += <u32>(c == COLON);
  }
  while (end < to) {
    const c = <u32>load<u8>(end);
    if (!inAddress(c)) break;
    dots += <u32>(c == DOT);
    colons += <u32>(c == COLON);
    end++;
  }
  done = end;
  if (colons < 2 && dots < 3) return;
  // `\u003c192.0.2.1`, `\b2001:db8::1`: an escape's letters run into the address.
  if (escapes && start > from && (load<u8>(start - 1) == BACKSLASH || (load<u8>(start - 1) == LETTER_U && afterEscape(start)))) {
    emit(from, CANDIDATE_ODD);
    return;
  }
  if (colons >= 2) {
    addV6(start, end);
    let colon = start;
    while (load<u8>(colon) != COLON) colon++;
    addV6(colon + 1, end);
  }
  if (dots >= 3) addQuads(start, end);
}

/** `\\u20137.0.113.7`: digits of an escape run into those before the dot at p. */
function afterNumber(p: usize): bool {
  if (escapes) for (let digits: usize = 1; digits < 4; digits++) if (p >= from + 6 + digits && load<u8>(p - digits - 6) == BACKSLASH && load<u8>(p - digits - 5) == LETTER_U) return true;
  return false;
}

/** The quad whose first dot is at p. */
export function lookAtQuad(p: usize): void {
  const address = quadAt(p, begin);
  const start = quadStart();
  const end = quadEnd();
  const before = start > from ? <u32>load<u8>(start - 1) : 0;
  if (isWord(before) && !afterEscape(start)) {
    if (afterNumber(p)) emit(from, CANDIDATE_ODD);
    return;
  }
  if (address >> 32 || end > to || before == DOT || !mayBeListed4(<u32>address)) return;
  if (end < to && (isWord(load<u8>(end)) || (load<u8>(end) == DOT && end + 1 < to && isWord(load<u8>(end + 1))))) return;
  store<u32>(place(), <u32>address, CANDIDATE_ADDRESS);
  emit(start, CANDIDATE_V4);
}

/** Escapes by number are so seldom that they are looked for apart. */
export function lookAtEscapes(): void {
  for (let p = from; p < to; p++) if (load<u8>(p) == BACKSLASH && load<u8>(p + 1) == LETTER_U) lookAtEscape(p);
}
