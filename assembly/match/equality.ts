import {
  CONSTANT_BYTES, CONSTANT_HASH, CONSTANT_KINDS, CONSTANT_LENGTH, CONSTANT_POSTINGS, CONSTANT_TEXT, FEW_BYTES, FEW_HEAD, FEW_HEAD_MASK,
  FEW_KINDS, FEW_LENGTH, FEW_POSTINGS, FEW_TAIL, FEW_TAIL_MASK, JOB_COLUMN, JOB_FILTER, JOB_MASK, JOB_SHIFT, JOB_TABLE, MATCH_CHOSEN,
  MATCH_HASHES,
} from "../layout";
import { postAll, postWord, rowCount } from "./bits";
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

// @ts-ignore: decorator
@inline
function isFew(entry: usize, cell: u64): u64 {
  const p = textOf(cell);
  const differs = ((load<u64>(p) ^ load<u64>(entry, FEW_HEAD)) & load<u64>(entry, FEW_HEAD_MASK))
    | ((load<u64>(p, 8) ^ load<u64>(entry, FEW_TAIL)) & load<u64>(entry, FEW_TAIL_MASK))
    | <u64>(<u32>lengthOf(cell) ^ load<u32>(entry, FEW_LENGTH));
  // An empty cell has kind 0, which no constant accepts.
  return <u64>(differs == 0) & <u64>((load<u32>(entry, FEW_KINDS) >> kindOf(cell)) & 1);
}

/** Few short constants: each is compared with every row, 64 rows to a word of its bitset, without a branch on what they hold. */
export function matchFew(job: usize): void {
  const values = openColumn(load<u32>(job, JOB_COLUMN));
  const table = <usize>load<u32>(job, JOB_TABLE);
  const end = table + <usize>load<u32>(job, JOB_MASK) * FEW_BYTES;
  const cells = ownCells();
  const rows = rowCount();
  for (let entry = table; entry < end; entry += FEW_BYTES) {
    const postings = <usize>load<u32>(entry, FEW_POSTINGS);
    for (let first: u32 = 0; first < rows; first += 64) {
      const count = min<u32>(64, rows - first);
      const at = cells + (<usize>first << 3);
      let word: u64 = 0;
      for (let i: u32 = 0; i < count; i++) word |= isFew(entry, load<u64>(at + (<usize>i << 3))) << <u64>i;
      if (word) postWord(postings, first, word);
    }
    for (let i = rows; i < values; i++) if (isFew(entry, valueAt(i))) postAll(postings, valueRow(i));
  }
}
