import {
  CONSTANT_BYTES, CONSTANT_HASH, CONSTANT_KINDS, CONSTANT_LENGTH, CONSTANT_POSTINGS, CONSTANT_TEXT, JOB_COLUMN, JOB_FILTER, JOB_MASK,
  JOB_TABLE, KIND_NUMBER,
} from "../layout";
import { kindOf, lengthOf, openColumn, post, sameText, textOf, valueAt, valueRow } from "./bits";

const MIX_A: u64 = 0x9e3779b97f4a7c15;
const MIX_B: u64 = 0xbf58476d1ce4e5b9;

// Keeps the low n bytes of a word, n = 0..8.
const keep: usize = memory.data<u64>([
  0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff, 0xffffffffffffffff,
]);

/** Hash of a text's first and last eight bytes and its length: enough to choose candidates, which are then compared whole. */
// @ts-ignore: decorator
@inline
export function endsHash(p: usize, n: usize): u64 {
  const k = min<usize>(n, 8);
  const mask = load<u64>(keep + (k << 3));
  const head = load<u64>(p) & mask;
  const tail = load<u64>(p + n - k) & mask;
  let h = (head ^ rotl<u64>(tail, 23) ^ <u64>n) * MIX_A;
  h = (h ^ (h >> 29)) * MIX_B;
  return h ^ (h >> 32);
}

export function endsHashLow(p: usize, n: usize): u32 {
  return <u32>endsHash(p, n);
}
export function endsHashHigh(p: usize, n: usize): u32 {
  return <u32>(endsHash(p, n) >> 32);
}

function probe(table: usize, mask: u32, hash: u64, cell: u64, row: u32): void {
  let i = <u32>(hash >> 20) & mask;
  const wanted: u32 = kindOf(cell) == KIND_NUMBER ? 2 : 1;
  const length = lengthOf(cell);
  while (true) {
    const entry = table + <usize>i * CONSTANT_BYTES;
    const postings = <usize>load<u32>(entry, CONSTANT_POSTINGS);
    if (!postings) return;
    if (load<u64>(entry, CONSTANT_HASH) == hash && <usize>load<u32>(entry, CONSTANT_LENGTH) == length && (load<u32>(entry, CONSTANT_KINDS) & wanted) != 0) {
      if (sameText(load<u32>(entry, CONSTANT_TEXT), textOf(cell), length)) {
        const count = load<u32>(postings);
        for (let k: u32 = 0; k < count; k++) post(load<u32>(postings + 4 + (<usize>k << 2)), row);
      }
    }
    i = (i + 1) & mask;
  }
}

/** All equality constants of a column at once: hash, filter, probe, compare. */
export function matchEqual(job: usize): void {
  const values = openColumn(load<u32>(job, JOB_COLUMN));
  const table = <usize>load<u32>(job, JOB_TABLE);
  const mask = load<u32>(job, JOB_MASK);
  const filter = <usize>load<u32>(job, JOB_FILTER);
  let last: u64 = 0;
  let lastHash: u64 = 0;
  for (let i: u32 = 0; i < values; i++) {
    const cell = valueAt(i);
    if (!cell) continue;
    if (cell != last) {
      last = cell;
      lastHash = endsHash(textOf(cell), lengthOf(cell));
    }
    const slot = <usize>(lastHash >> 48);
    if (!((load<u8>(filter + (slot >> 3)) >> <u8>(slot & 7)) & 1)) continue;
    probe(table, mask, lastHash, cell, valueRow(i));
  }
}
