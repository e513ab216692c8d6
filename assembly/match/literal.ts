import {
  JOB_COLUMN, JOB_FILTER, JOB_FOLD, JOB_MASK, JOB_STRIDE, JOB_TABLE, LITERAL_BYTES, LITERAL_GRAM, LITERAL_LENGTH, LITERAL_OFFSET,
  LITERAL_PREDICATE, LITERAL_TEXT, LITERAL_VERIFY, MATCH_PREDICATES, PREDICATE_BYTES, PREDICATE_LENGTH, PREDICATE_TEXT, PREDICATE_TEXT2,
  VERIFY_END, VERIFY_GLOB, VERIFY_NONE, VERIFY_WORDS, VERIFY_WORD_GLOB,
} from "../layout";
import { firstLook, isPosted, lengthOf, nextValue, openColumn, post, sameText, textOf, valueAt, valueNumber, valueRow } from "./bits";
import { fold, foldedLength, foldedStart, isAscii } from "./fold";
import { globMatches } from "./glob";
import { anyWordFits, sequenceAt, sequenceStart } from "./words";

const GRAM_MIX: u32 = 0x9e3779b1;
const FREE: u32 = 0xffffffff;

let table: usize = 0;
let mask: u32 = 0;
let filter: usize = 0;
let predicates: usize = 0;
let folded: bool = false;
// The value at hand: as it stands, and where the scan looks (the folded copy when it is not ASCII).
let valueText: usize = 0;
let valueLength: usize = 0;
let scanned: usize = 0;
let row: u32 = 0;

// @ts-ignore: decorator
@inline
function inFilter(gram: u32): u32 {
  const slot = (gram * GRAM_MIX) >> 16;
  return (<u32>load<u8>(filter + (slot >> 3)) >> (slot & 7)) & 1;
}

// @ts-ignore: decorator
@inline
function foldedGram(p: usize): u32 {
  return load<u32>(p) | 0x20202020;
}

function verifyFolded(entry: usize, predicate: u32, at: usize): bool {
  fold(valueText, valueLength);
  // The scan may have gone over the unfolded text: for ASCII the copy has the same offsets.
  const place = foldedStart() + (at - scanned);
  const length = <usize>load<u32>(entry, LITERAL_LENGTH);
  if (place + length > foldedStart() + foldedLength || !sameText(load<u32>(entry, LITERAL_TEXT), place, length)) return false;
  const p = predicates + <usize>predicate * PREDICATE_BYTES;
  if (load<u32>(entry, LITERAL_VERIFY) == VERIFY_WORD_GLOB) {
    return firstLook(predicate, valueNumber) && anyWordFits(load<u32>(p, PREDICATE_TEXT), load<u32>(p, PREDICATE_LENGTH));
  }
  const start = sequenceStart(place, load<u32>(p, PREDICATE_TEXT2));
  return start != 0 && sequenceAt(start, load<u32>(p, PREDICATE_TEXT), load<u32>(p, PREDICATE_LENGTH));
}

function verify(entry: usize, predicate: u32, at: usize): bool {
  const kind = load<u32>(entry, LITERAL_VERIFY);
  if (kind == VERIFY_WORDS || kind == VERIFY_WORD_GLOB) return verifyFolded(entry, predicate, at);
  const length = <usize>load<u32>(entry, LITERAL_LENGTH);
  if (!sameText(load<u32>(entry, LITERAL_TEXT), at, length)) return false;
  if (kind == VERIFY_NONE) return true;
  if (kind == VERIFY_END) return at + length == valueText + valueLength;
  if (kind != VERIFY_GLOB || !firstLook(predicate, valueNumber)) return false;
  const p = predicates + <usize>predicate * PREDICATE_BYTES;
  return globMatches(load<u32>(p, PREDICATE_TEXT), load<u32>(p, PREDICATE_LENGTH), valueText, valueLength);
}

/** A gram of the filter was seen at q: every literal that has it there is compared. */
function lookUp(gram: u32, q: usize, start: usize, end: usize): void {
  let i = ((gram * GRAM_MIX) >> 8) & mask;
  while (true) {
    const entry = table + <usize>i * LITERAL_BYTES;
    const predicate = load<u32>(entry, LITERAL_PREDICATE);
    if (predicate == FREE) return;
    if (load<u32>(entry, LITERAL_GRAM) == gram) {
      const at = q - <usize>load<u32>(entry, LITERAL_OFFSET);
      if (at >= start && at + <usize>load<u32>(entry, LITERAL_LENGTH) <= end && !isPosted(predicate, row)) {
        if (verify(entry, predicate, at)) post(predicate, row);
      }
    }
    i = (i + 1) & mask;
  }
}

/** Looks at every `stride`-th place of a text; a literal of stride + 3 bytes or more has a gram at one of them. */
function scan(start: usize, length: usize, stride: usize): void {
  if (length < 4) return;
  const end = start + length;
  const last = end - 4;
  let q = start;
  const step = stride << 2;
  while (q + 3 * stride <= last) {
    const a = foldedGram(q);
    const b = foldedGram(q + stride);
    const c = foldedGram(q + 2 * stride);
    const d = foldedGram(q + 3 * stride);
    if (inFilter(a) | inFilter(b) | inFilter(c) | inFilter(d)) {
      if (inFilter(a)) lookUp(a, q, start, end);
      if (inFilter(b)) lookUp(b, q + stride, start, end);
      if (inFilter(c)) lookUp(c, q + 2 * stride, start, end);
      if (inFilter(d)) lookUp(d, q + 3 * stride, start, end);
    }
    q += step;
  }
  while (q <= last) {
    const gram = foldedGram(q);
    if (inFilter(gram)) lookUp(gram, q, start, end);
    q += stride;
  }
}

function openJob(m: usize, job: usize): u32 {
  table = load<u32>(job, JOB_TABLE);
  mask = load<u32>(job, JOB_MASK);
  filter = load<u32>(job, JOB_FILTER);
  folded = load<u32>(job, JOB_FOLD) != 0;
  predicates = load<u32>(m, MATCH_PREDICATES);
  return openColumn(load<u32>(job, JOB_COLUMN));
}

/** Literals anywhere in a column's values: contains, suffix, patterns with a literal core, words. */
export function matchLiterals(m: usize, job: usize): void {
  const values = openJob(m, job);
  const stride = <usize>load<u32>(job, JOB_STRIDE);
  for (let i: u32 = 0; i < values; i++) {
    const cell = valueAt(i);
    if (!cell) continue;
    row = valueRow(i);
    valueText = textOf(cell);
    valueLength = lengthOf(cell);
    scanned = valueText;
    let scannedLength = valueLength;
    if (folded && !isAscii(valueText, valueLength)) {
      fold(valueText, valueLength);
      scanned = foldedStart();
      scannedLength = foldedLength;
    }
    nextValue();
    scan(scanned, scannedLength, stride);
  }
}

/** Literals at the values' beginning, by their first four bytes. */
export function matchPrefixes(m: usize, job: usize): void {
  const values = openJob(m, job);
  for (let i: u32 = 0; i < values; i++) {
    const cell = valueAt(i);
    if (!cell) continue;
    valueText = textOf(cell);
    valueLength = lengthOf(cell);
    if (valueLength < 4) continue;
    const gram = foldedGram(valueText);
    if (!inFilter(gram)) continue;
    row = valueRow(i);
    scanned = valueText;
    nextValue();
    lookUp(gram, valueText, valueText, valueText + valueLength);
  }
}
