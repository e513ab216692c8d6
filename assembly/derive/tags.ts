import {
  COLUMN_BLANK, COLUMN_CELLS, COLUMN_EXTRA_CELLS, COLUMN_EXTRA_COUNT, COLUMN_EXTRA_ROWS, KIND_STRING, TAG_KEY_BYTES, TAG_KEY_EXTRA, TAG_KEY_LENGTH,
  TAG_KEY_TARGET, TAG_KEY_TEXT,
} from "../layout";
import { appendCell } from "./append";

// A tag that is not already in its normal form is rewritten by the host (Unicode lower-casing, 200 characters); 0 = nothing left.
// @ts-ignore: decorator
@external("host", "normalizeTag")
declare function hostNormalizeTag(address: usize, length: usize, out: usize): u32;

let arenaTop: usize = 0;
let arenaEnd: usize = 0;

export function tagArena(start: usize, end: usize): void {
  arenaTop = start;
  arenaEnd = end;
}

// 1: may stand in a tag; 2: may begin one.
const classes: usize = memory.data(256);
export function tagSetup(): void {
  for (let c: usize = 0x61; c <= 0x7a; c++) store<u8>(classes + c, 3);
  for (let c: usize = 0x30; c <= 0x3a; c++) store<u8>(classes + c, 1); // digits and the colon
  store<u8>(classes + 0x5f, 1);
  store<u8>(classes + 0x2d, 1);
  store<u8>(classes + 0x2e, 1);
  store<u8>(classes + 0x2f, 1);
}

function isNormal(p: usize, n: usize): bool {
  if (n > 200 || !(load<u8>(classes + load<u8>(p)) & 2) || load<u8>(p + n - 1) == 0x3a) return false;
  let all: u32 = 1;
  for (let i: usize = 0; i < n; i++) all &= <u32>load<u8>(classes + load<u8>(p + i));
  return all != 0;
}

/** A ready tag: to the tags column (when wanted) and, when its key is wanted, its value to that key's column. */
function putTag(tags: usize, capacity: u32, keys: usize, keyCount: u32, row: u32, p: usize, n: usize): bool {
  if (tags && !appendCell(tags, row, <u64>p | (<u64>n << 32) | (<u64>KIND_STRING << 60), capacity)) return false;
  if (!keyCount) return true;
  let colon: usize = 0;
  while (colon < n && load<u8>(p + colon) != 0x3a) colon++;
  if (colon == n) return true;
  for (let k: u32 = 0; k < keyCount; k++) {
    const key = keys + <usize>k * TAG_KEY_BYTES;
    if (<usize>load<u32>(key, TAG_KEY_LENGTH) != colon) continue;
    if (memory.compare(<usize>load<u32>(key, TAG_KEY_TEXT), p, colon) != 0) continue;
    const value = <u64>(p + colon + 1) | (<u64>(n - colon - 1) << 32) | (<u64>KIND_STRING << 60);
    return appendCell(<usize>load<u32>(key, TAG_KEY_TARGET), row, value, load<u32>(key, TAG_KEY_EXTRA));
  }
  return true;
}

function putRawTag(tags: usize, capacity: u32, keys: usize, keyCount: u32, row: u32, p: usize, n: usize): bool {
  while (n && load<u8>(p) <= 32) {
    p++;
    n--;
  }
  while (n && load<u8>(p + n - 1) <= 32) n--;
  if (!n) return true;
  if (!isNormal(p, n)) {
    if (arenaTop + n * 3 + 1024 > arenaEnd) return false;
    const length = <usize>hostNormalizeTag(p, n, arenaTop);
    if (!length) return true;
    p = arenaTop;
    n = length;
    arenaTop += length + 64;
  }
  return putTag(tags, capacity, keys, keyCount, row, p, n);
}

function splitTags(tags: usize, capacity: u32, keys: usize, keyCount: u32, row: u32, p: usize, n: usize): bool {
  const end = p + n;
  let start = p;
  while (p < end) {
    if (load<u8>(p) == 0x2c) {
      if (!putRawTag(tags, capacity, keys, keyCount, row, start, p - start)) return false;
      start = p + 1;
    }
    p++;
  }
  return putRawTag(tags, capacity, keys, keyCount, row, start, end - start);
}

/**
 * Splits the raw tags of every row; `shared` is the input's own comma text, joined to each row's tags.
 * `split` false: the source's values are ready tags, one a value.
 */
export function deriveTags(source: usize, tags: usize, capacity: u32, keys: usize, keyCount: u32, rows: u32, shared: usize, sharedLength: usize, split: bool): bool {
  if (!sharedLength && source && load<u32>(source, COLUMN_BLANK)) return true;
  const cells = source ? <usize>load<u32>(source, COLUMN_CELLS) : 0;
  const extras = source ? load<u32>(source, COLUMN_EXTRA_COUNT) : 0;
  const extraRows = source ? <usize>load<u32>(source, COLUMN_EXTRA_ROWS) : 0;
  const extraCells = source ? <usize>load<u32>(source, COLUMN_EXTRA_CELLS) : 0;
  let next: u32 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    let cell = cells ? load<u64>(cells + (<usize>row << 3)) : 0;
    while (cell) {
      const p = <usize>(<u32>cell);
      const n = <usize>(<u32>(cell >> 32) & 0x0fffffff);
      if (split ? !splitTags(tags, capacity, keys, keyCount, row, p, n) : !putTag(tags, capacity, keys, keyCount, row, p, n)) return false;
      cell = 0;
      while (next < extras && load<u32>(extraRows + (<usize>next << 2)) < row) next++;
      if (next < extras && load<u32>(extraRows + (<usize>next << 2)) == row) {
        cell = load<u64>(extraCells + (<usize>next << 3));
        next++;
      }
    }
    if (sharedLength && !splitTags(tags, capacity, keys, keyCount, row, shared, sharedLength)) return false;
  }
  return true;
}
