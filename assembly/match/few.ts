import {
  FEW_BYTES, FEW_HEAD, FEW_HEAD_MASK, FEW_LENGTH, FEW_POSTINGS, FEW_TAIL, FEW_TAIL_MASK, JOB_COLUMN, JOB_MASK, JOB_TABLE,
} from "../layout";
import { postAll, postWord, rowCount } from "./bits";
import { lengthOf, openColumn, ownCells, textOf, valueAt, valueRow } from "./values";

/**
 * Few short constants: the first 16 bytes and the length of 64 values are gathered side by side, then each constant is compared with
 * all of them, without a branch on what they hold.
 */

const BLOCK: u32 = 64;
const heads: usize = memory.data(512, 16);
const tails: usize = memory.data(512, 16);
const lengths: usize = memory.data(512, 16);

/** Length of no value: what an empty cell has. */
const NO_LENGTH: u64 = -1;

function gather(cells: usize, count: u32): void {
  for (let i: usize = 0; i < <usize>count << 3; i += 8) {
    const cell = load<u64>(cells + i);
    const p = textOf(cell);
    store<u64>(heads + i, load<u64>(p));
    store<u64>(tails + i, load<u64>(p, 8));
    store<u64>(lengths + i, cell ? <u64>lengthOf(cell) : NO_LENGTH);
  }
  for (let i = <usize>count << 3; i < BLOCK << 3; i += 8) store<u64>(lengths + i, NO_LENGTH);
}

/** A bit for each gathered value that equals the constant. */
function equalOnes(entry: usize): u64 {
  let word: u64 = 0;
  if (ASC_FEATURE_SIMD) {
    const head = v128.load64_splat(entry, FEW_HEAD);
    const headMask = v128.load64_splat(entry, FEW_HEAD_MASK);
    const tail = v128.load64_splat(entry, FEW_TAIL);
    const tailMask = v128.load64_splat(entry, FEW_TAIL_MASK);
    const length = v128.load64_splat(entry, FEW_LENGTH);
    for (let i: usize = 0; i < BLOCK; i += 2) {
      const at = i << 3;
      const differs = v128.or(
        v128.or(v128.and(v128.xor(v128.load(heads + at), head), headMask), v128.and(v128.xor(v128.load(tails + at), tail), tailMask)),
        v128.xor(v128.load(lengths + at), length),
      );
      word |= <u64>i64x2.bitmask(i64x2.eq(differs, i64x2.splat(0))) << <u64>i;
    }
    return word;
  }
  const head = load<u64>(entry, FEW_HEAD);
  const headMask = load<u64>(entry, FEW_HEAD_MASK);
  const tail = load<u64>(entry, FEW_TAIL);
  const tailMask = load<u64>(entry, FEW_TAIL_MASK);
  const length = load<u64>(entry, FEW_LENGTH);
  for (let i: usize = 0; i < BLOCK; i++) {
    const at = i << 3;
    const differs = ((load<u64>(heads + at) ^ head) & headMask) | ((load<u64>(tails + at) ^ tail) & tailMask) | (load<u64>(lengths + at) ^ length);
    word |= <u64>(differs == 0) << <u64>i;
  }
  return word;
}

export function matchFew(job: usize): void {
  const values = openColumn(load<u32>(job, JOB_COLUMN));
  const table = <usize>load<u32>(job, JOB_TABLE);
  const end = table + <usize>load<u32>(job, JOB_MASK) * FEW_BYTES;
  const cells = ownCells();
  const rows = rowCount();
  for (let first: u32 = 0; first < rows; first += BLOCK) {
    gather(cells + (<usize>first << 3), min<u32>(BLOCK, rows - first));
    for (let entry = table; entry < end; entry += FEW_BYTES) {
      const word = equalOnes(entry);
      if (word) postWord(load<u32>(entry, FEW_POSTINGS), first, word);
    }
  }
  for (let i = rows; i < values; i++) {
    const cell = valueAt(i);
    if (!cell) continue;
    const p = textOf(cell);
    for (let entry = table; entry < end; entry += FEW_BYTES) {
      const differs = ((load<u64>(p) ^ load<u64>(entry, FEW_HEAD)) & load<u64>(entry, FEW_HEAD_MASK))
        | ((load<u64>(p, 8) ^ load<u64>(entry, FEW_TAIL)) & load<u64>(entry, FEW_TAIL_MASK)) | (<u64>lengthOf(cell) ^ load<u64>(entry, FEW_LENGTH));
      if (!differs) postAll(load<u32>(entry, FEW_POSTINGS), valueRow(i));
    }
  }
}
