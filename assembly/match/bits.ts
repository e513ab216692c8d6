import { MATCH_BITS, MATCH_EPOCH, MATCH_FIRED, MATCH_NOTES, MATCH_PREDICATE_COUNT, MATCH_STAMPS, ROW_WORD_BYTES } from "../layout";

/** Row bitsets of predicates: cleared only when something first fires in a batch. */

let bits: usize = 0;
let stamps: usize = 0;
let fired: usize = 0;
let notes: usize = 0;
let epoch: u32 = 0;
let widthBytes: usize = 0;
let firedTop: u32 = 0;
let rowTop: u32 = 0;

export function openBits(m: usize, rows: u32): void {
  bits = load<u32>(m, MATCH_BITS);
  stamps = load<u32>(m, MATCH_STAMPS);
  fired = load<u32>(m, MATCH_FIRED);
  notes = load<u32>(m, MATCH_NOTES);
  epoch = load<u32>(m, MATCH_EPOCH) + 1;
  if (!epoch) {
    // The counter went round: what was stamped four billion batches ago must not look like today's.
    const count = <usize>load<u32>(m, MATCH_PREDICATE_COUNT);
    memory.fill(stamps, 0, count << 2);
    memory.fill(notes, 0, count << 3);
    epoch = 1;
  }
  store<u32>(m, epoch, MATCH_EPOCH);
  firedTop = 0;
  valueNumber = 0;
  rowTop = rows;
  widthBytes = <usize>((rows + 127) >> 7) << 4;
}

// @ts-ignore: decorator
@inline
export function rowCount(): u32 {
  return rowTop;
}
// @ts-ignore: decorator
@inline
export function firedCount(): u32 {
  return firedTop;
}
/** Bytes of a bitset that are in use: whole 16-byte words. */
// @ts-ignore: decorator
@inline
export function bitsetBytes(): usize {
  return widthBytes;
}
// @ts-ignore: decorator
@inline
export function currentEpoch(): u32 {
  return epoch;
}
// @ts-ignore: decorator
@inline
export function bitsetOf(predicate: u32): usize {
  return bits + <usize>predicate * ROW_WORD_BYTES;
}
// @ts-ignore: decorator
@inline
export function isBegun(predicate: u32): bool {
  return load<u32>(stamps + (<usize>predicate << 2)) == epoch;
}

/** An empty bitset for the predicate in this batch. */
export function begin(predicate: u32): usize {
  store<u32>(stamps + (<usize>predicate << 2), epoch);
  const at = bitsetOf(predicate);
  for (let i: usize = 0; i < widthBytes; i += 16) {
    store<u64>(at + i, 0);
    store<u64>(at + i, 0, 8);
  }
  return at;
}

function fire(predicate: u32): void {
  begin(predicate);
  store<u32>(fired + (<usize>firedTop << 2), predicate);
  firedTop++;
}

/** Sets a row's bit. */
// @ts-ignore: decorator
@inline
export function setBit(bitset: usize, row: u32): void {
  const at = bitset + (row >> 3);
  store<u8>(at, load<u8>(at) | (<u8>1 << <u8>(row & 7)));
}

/** The eager predicate holds in that row. */
// @ts-ignore: decorator
@inline
export function post(predicate: u32, row: u32): void {
  if (!isBegun(predicate)) fire(predicate);
  setBit(bitsetOf(predicate), row);
}

/** Posts a row to every predicate of a list {u32 count, u32 predicate...}. */
// @ts-ignore: decorator
@inline
export function postAll(postings: usize, row: u32): void {
  const end = postings + 4 + (<usize>load<u32>(postings) << 2);
  for (let at = postings + 4; at < end; at += 4) post(load<u32>(at), row);
}

/** Posts 64 rows at once, those from `first` on. */
export function postWord(postings: usize, first: u32, word: u64): void {
  const end = postings + 4 + (<usize>load<u32>(postings) << 2);
  for (let at = postings + 4; at < end; at += 4) {
    const predicate = load<u32>(at);
    if (!isBegun(predicate)) fire(predicate);
    const to = bitsetOf(predicate) + (first >> 3);
    store<u64>(to, load<u64>(to) | word);
  }
}

// @ts-ignore: decorator
@inline
export function isPosted(predicate: u32, row: u32): bool {
  return isBegun(predicate) && ((load<u8>(bitsetOf(predicate) + (row >> 3)) >> <u8>(row & 7)) & 1) != 0;
}

let valueNumber: u32 = 0;
/** A fresh number for the value looked at next, so that `firstLook` needs no clearing. */
// @ts-ignore: decorator
@inline
export function nextValue(): void {
  valueNumber++;
}

/** True once per value and predicate: a pattern is laid over a value only once, however often its literal occurs. */
export function firstLook(predicate: u32): bool {
  const at = notes + (<usize>predicate << 3);
  const note = (<u64>epoch << 32) | <u64>valueNumber;
  if (load<u64>(at) == note) return false;
  store<u64>(at, note);
  return true;
}

/** Adds to what a lazy predicate has cost in this batch, in rows; returns the sum. */
export function addCost(predicate: u32, rows: u32): u32 {
  const at = notes + (<usize>predicate << 3);
  const before = load<u32>(at, 4) == epoch ? load<u32>(at) : 0;
  const cost = before + rows;
  store<u32>(at, cost);
  store<u32>(at, epoch, 4);
  return cost;
}
