import {
  CANDIDATES_CAPACITY, CANDIDATES_ESCAPES, CANDIDATES_FULL, CANDIDATES_OUT, CANDIDATES_ROW_END, CANDIDATES_ROW_START, CANDIDATE_ADDRESS,
  CANDIDATE_AT, CANDIDATE_BYTES, CANDIDATE_KIND, CANDIDATE_ODD, CANDIDATE_ROW, CANDIDATE_V4, CANDIDATE_V6,
} from "../layout";
import { addressV4, addressV6 } from "../match/address";

/**
 * What may be an IP address in the bytes of a record, whatever texts they belong to. Few records hold one that anybody lists, so these
 * are found in one pass over the bytes, and only where one is listed does the host look at the text it stands in.
 */

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
/** What was looked at already ends here. */
let done: usize = 0;
let odd: bool = false;

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
function isDigit(c: u32): bool {
  return c - 48 < 10;
}

// @ts-ignore: decorator
@inline
function inAddress(c: u32): bool {
  return c - 48 < 11 || c == DOT || (c | 0x20) - 97 < 6;
}

/** A letter, digit or _ of ASCII: what may not stand beside an address. */
// @ts-ignore: decorator
@inline
function isWord(c: u32): bool {
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
  if (p + 6 <= to && inAddress(hexValue(p + 2)) && hexValue(p + 2) < 128) odd = true;
}

/** Dots and colons at the end may be a sentence's, and tags lose theirs. */
function addV6(start: usize, end: usize): void {
  for (let last = end; last > start; last--) {
    if (addressV6(start, last - start, place() + CANDIDATE_ADDRESS)) {
      emit(start, CANDIDATE_V6);
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
        if (address >= 0) {
          store<u32>(place(), <u32>address, CANDIDATE_ADDRESS);
          emit(p, CANDIDATE_V4);
        }
      }
    }
    while (p < end && isDigit(load<u8>(p))) p++;
  }
}

/** The run of address characters around a sign at p. */
function lookAtRun(p: usize): void {
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
    odd = true;
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

/** May the sign at p be one of an address? Most dots and colons of JSON are not. */
// @ts-ignore: decorator
@inline
function lookAt(p: usize): void {
  if (p < done || odd) return;
  if (load<u8>(p) == BACKSLASH) lookAtEscape(p);
  else lookAtRun(p);
}

function scanScalar(): void {
  for (let p = from; p < to; p++) {
    const c = <u32>load<u8>(p);
    if (c != DOT && c != COLON && c != BACKSLASH) continue;
    const before = p > from ? <u32>load<u8>(p - 1) : 0;
    const after = p + 1 < to ? <u32>load<u8>(p + 1) : 0;
    if (c == DOT ? isDigit(before) && isDigit(after) : c == COLON ? (inAddress(before) && inAddress(after)) || before == COLON || after == COLON : escapes && after == LETTER_U) lookAt(p);
  }
}

function scanVector(): void {
  if (!ASC_FEATURE_SIMD) return;
  const escape = escapes ? i8x16.splat(0x5c) : i8x16.splat(0);
  for (let p = from; p < to; p += 16) {
    const v = v128.load(p);
    const dots = i8x16.eq(v, i8x16.splat(0x2e));
    const colons = i8x16.eq(v, i8x16.splat(0x3a));
    const slashes = i8x16.eq(v, escape);
    if (!v128.any_true(v128.or(v128.or(dots, colons), slashes))) continue;
    const before = v128.load(p - 1);
    const after = v128.load(p + 1);
    const digitBefore = i8x16.lt_u(i8x16.sub(before, i8x16.splat(48)), i8x16.splat(11));
    const digitAfter = i8x16.lt_u(i8x16.sub(after, i8x16.splat(48)), i8x16.splat(11));
    // Digits, and the colon that follows them; letters a to f.
    const hexBefore = v128.or(digitBefore, i8x16.lt_u(i8x16.sub(v128.or(before, i8x16.splat(0x20)), i8x16.splat(97)), i8x16.splat(6)));
    const hexAfter = v128.or(digitAfter, i8x16.lt_u(i8x16.sub(v128.or(after, i8x16.splat(0x20)), i8x16.splat(97)), i8x16.splat(6)));
    const doubled = v128.or(i8x16.eq(before, i8x16.splat(0x3a)), i8x16.eq(after, i8x16.splat(0x3a)));
    const wanted = v128.or(
      v128.or(v128.and(dots, v128.and(digitBefore, digitAfter)), v128.and(colons, v128.or(v128.and(hexBefore, hexAfter), doubled))),
      v128.and(slashes, i8x16.eq(after, i8x16.splat(0x75))),
    );
    let bits = <u32>i8x16.bitmask(wanted);
    while (bits) {
      const at = p + <usize>ctz(bits);
      bits &= bits - 1;
      if (at >= to) break;
      lookAt(at);
    }
    if (odd) return;
  }
}

/** @returns how many candidates there are, in the order of their rows; CANDIDATES_FULL when they do not fit. */
export function addressCandidates(struct: usize, rows: u32): u32 {
  out = load<u32>(struct, CANDIDATES_OUT);
  capacity = load<u32>(struct, CANDIDATES_CAPACITY);
  escapes = load<u32>(struct, CANDIDATES_ESCAPES) != 0;
  const starts = <usize>load<u32>(struct, CANDIDATES_ROW_START);
  const ends = <usize>load<u32>(struct, CANDIDATES_ROW_END);
  count = 0;
  for (row = 0; row < rows; row++) {
    from = load<u32>(starts + (<usize>row << 2));
    to = load<u32>(ends + (<usize>row << 2));
    done = from;
    odd = false;
    const first = count;
    if (ASC_FEATURE_SIMD) scanVector();
    else scanScalar();
    if (odd) {
      // It is read by the host, so its other candidates do not matter.
      count = first;
      emit(from, CANDIDATE_ODD);
    }
    if (count > capacity) return CANDIDATES_FULL;
  }
  return count;
}
