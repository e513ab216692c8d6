import {
  CONSTANT_BYTES, CONSTANT_HASH, CONSTANT_KINDS, CONSTANT_LENGTH, CONSTANT_POSTINGS, CONSTANT_TEXT, JOB_COLUMN, JOB_FILTER, JOB_MASK,
  JOB_SHIFT, JOB_TABLE, MATCH_CHOSEN, MATCH_HASHES,
} from "../layout";
import { postAll, rowCount } from "./bits";
import { textHash } from "./hash";
import { sameText } from "./text";
import { kindOf, lengthOf, openColumn, ownCells, textOf, valueAt, valueRow } from "./values";

function probe(table: usize, mask: u32, hash: u64, cell: u64, row: u32): void {
  let i = <u32>hash & mask;
  const length = lengthOf(cell);
  while (true) {
    const entry = table + <usize>i * CONSTANT_BYTES;
    const postings = <usize>load<u32>(entry, CONSTANT_POSTINGS);
    if (!postings) return;
    if (load<u64>(entry, CONSTANT_HASH) == hash && <usize>load<u32>(entry, CONSTANT_LENGTH) == length
      && (load<u32>(entry, CONSTANT_KINDS) >> kindOf(cell)) & 1
      && sameText(load<u32>(entry, CONSTANT_TEXT), textOf(cell), length)) postAll(postings, row);
    i = (i + 1) & mask;
  }
}

// @ts-ignore: decorator
@inline
function inFilter(filter: usize, shift: u32, hash: u64): u32 {
  const slot = <u32>(hash >> 32) >> shift;
  return (<u32>load<u8>(filter + (slot >> 3)) >> (slot & 7)) & 1;
}

/** All equality constants of a column at once: hash and filter without a branch, then the chosen rows are looked up. */
export function matchEqual(m: usize, job: usize): void {
  const values = openColumn(load<u32>(job, JOB_COLUMN));
  const table = <usize>load<u32>(job, JOB_TABLE);
  const mask = load<u32>(job, JOB_MASK);
  const filter = <usize>load<u32>(job, JOB_FILTER);
  const shift = load<u32>(job, JOB_SHIFT);
  const chosen = <usize>load<u32>(m, MATCH_CHOSEN);
  const hashes = <usize>load<u32>(m, MATCH_HASHES);
  const cells = ownCells();
  const rows = rowCount();
  let count: u32 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    const cell = load<u64>(cells + (<usize>row << 3));
    const hash = textHash(textOf(cell), lengthOf(cell));
    store<u64>(hashes + (<usize>count << 3), hash);
    store<u32>(chosen + (<usize>count << 2), row);
    count += inFilter(filter, shift, hash) & <u32>(cell != 0);
  }
  for (let i: u32 = 0; i < count; i++) {
    const row = load<u32>(chosen + (<usize>i << 2));
    probe(table, mask, load<u64>(hashes + (<usize>i << 3)), load<u64>(cells + (<usize>row << 3)), row);
  }
  for (let i = rows; i < values; i++) {
    const cell = valueAt(i);
    if (!cell) continue;
    const hash = textHash(textOf(cell), lengthOf(cell));
    if (inFilter(filter, shift, hash)) probe(table, mask, hash, cell, valueRow(i));
  }
}
