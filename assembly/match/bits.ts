import {
  COLUMN_CELLS, COLUMN_EXTRA_CELLS, COLUMN_EXTRA_COUNT, COLUMN_EXTRA_ROWS, MATCH_BITS, MATCH_EPOCH, MATCH_FIRED, MATCH_STAMPS,
  MATCH_VERIFIED, ROW_WORD_BYTES,
} from "../layout";

/** Row bitsets of predicates: cleared only when something first fires in a batch. */

let bits: usize = 0;
let stamps: usize = 0;
let fired: usize = 0;
let verified: usize = 0;
let epoch: u32 = 0;
let widthBytes: usize = 0;
export let firedCount: u32 = 0;
export let rowCount: u32 = 0;

export function openBits(m: usize, rows: u32): void {
  bits = load<u32>(m, MATCH_BITS);
  stamps = load<u32>(m, MATCH_STAMPS);
  fired = load<u32>(m, MATCH_FIRED);
  verified = load<u32>(m, MATCH_VERIFIED);
  epoch = load<u32>(m, MATCH_EPOCH) + 1;
  store<u32>(m, epoch, MATCH_EPOCH);
  firedCount = 0;
  rowCount = rows;
  widthBytes = <usize>((rows + 127) >> 7) << 4;
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

export function begin(predicate: u32): usize {
  store<u32>(stamps + (<usize>predicate << 2), epoch);
  const at = bitsetOf(predicate);
  for (let i: usize = 0; i < widthBytes; i += 8) store<u64>(at + i, 0);
  return at;
}

function fire(predicate: u32): void {
  begin(predicate);
  store<u32>(fired + (<usize>firedCount << 2), predicate);
  firedCount++;
}

// @ts-ignore: decorator
@inline
export function post(predicate: u32, row: u32): void {
  if (!isBegun(predicate)) fire(predicate);
  const at = bitsetOf(predicate) + (row >> 3);
  store<u8>(at, load<u8>(at) | (<u8>1 << <u8>(row & 7)));
}

// @ts-ignore: decorator
@inline
export function isPosted(predicate: u32, row: u32): bool {
  return isBegun(predicate) && ((load<u8>(bitsetOf(predicate) + (row >> 3)) >> <u8>(row & 7)) & 1) != 0;
}

/** True once per value and predicate: a pattern is laid over a value only once, however often its literal occurs. */
export function firstLook(predicate: u32, value: u32): bool {
  const at = verified + (<usize>predicate << 2);
  if (load<u32>(at) == value) return false;
  store<u32>(at, value);
  return true;
}

/** A fresh number for each value looked at, so that `firstLook` needs no clearing. */
export let valueNumber: u32 = 0;
// @ts-ignore: decorator
@inline
export function nextValue(): void {
  valueNumber++;
}

/** Values of a column: first the rows' own cells, then the extras. `valueRow` is the row of value i. */
let cells: usize = 0;
let extraCells: usize = 0;
let extraRows: usize = 0;
export function openColumn(descriptor: usize): u32 {
  cells = load<u32>(descriptor, COLUMN_CELLS);
  extraCells = load<u32>(descriptor, COLUMN_EXTRA_CELLS);
  extraRows = load<u32>(descriptor, COLUMN_EXTRA_ROWS);
  return rowCount + load<u32>(descriptor, COLUMN_EXTRA_COUNT);
}
// @ts-ignore: decorator
@inline
export function valueAt(i: u32): u64 {
  return i < rowCount ? load<u64>(cells + (<usize>i << 3)) : load<u64>(extraCells + (<usize>(i - rowCount) << 3));
}
// @ts-ignore: decorator
@inline
export function valueRow(i: u32): u32 {
  return i < rowCount ? i : load<u32>(extraRows + (<usize>(i - rowCount) << 2));
}

// @ts-ignore: decorator
@inline
export function textOf(cell: u64): usize {
  return <usize>(<u32>cell);
}
// @ts-ignore: decorator
@inline
export function lengthOf(cell: u64): usize {
  return <usize>(<u32>(cell >> 32) & 0x0fffffff);
}
// @ts-ignore: decorator
@inline
export function kindOf(cell: u64): u32 {
  return <u32>(cell >> 60);
}

/** Byte equality; 64 bytes after either text may be read. */
export function sameText(a: usize, b: usize, n: usize): bool {
  const end = a + n;
  while (a + 8 <= end) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
  }
  const rest = end - a;
  return rest == 0 || ((load<u64>(a) ^ load<u64>(b)) << ((8 - rest) << 3)) == 0;
}

/** Order of two texts by bytes, which for UTF-8 is the order of code points. */
export function compareText(a: usize, an: usize, b: usize, bn: usize): i32 {
  const order = memory.compare(a, b, min(an, bn));
  return order ? order : <i32>an - <i32>bn;
}
