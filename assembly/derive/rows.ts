import { COLUMN_BLANK, COLUMN_CELLS, COLUMN_EXTRA_CELLS, COLUMN_EXTRA_COUNT, COLUMN_EXTRA_ROWS } from "../layout";
import { dropRow } from "../text/place";
import { inMask, insertExtra, takeOwn } from "./coalesce";

/** How two row bitsets become one; the first is changed. */
const COMBINE_AND: u32 = 0;
const COMBINE_AND_NOT: u32 = 1;
const COMBINE_OR: u32 = 2;

/** Combines row bitsets of `rows` rows; bits behind the last row may be anything. */
export function combineMasks(target: usize, source: usize, rows: u32, how: u32): u32 {
  let any: u64 = 0;
  for (let row: u32 = 0; row < rows; row += 64) {
    const at = <usize>row >> 3;
    const a = load<u64>(target + at);
    const b = load<u64>(source + at);
    let word = how == COMBINE_AND ? a & b : how == COMBINE_AND_NOT ? a & ~b : how == COMBINE_OR ? a | b : b;
    if (row + 64 > rows) word &= (<u64>1 << <u64>(rows - row)) - 1;
    store<u64>(target + at, word);
    any |= word;
  }
  return any ? 1 : 0;
}

/** Gives the rows of the mask one constant text, or no value when `kind` is 0, whatever stood there. */
export function setRows(column: usize, mask: usize, rows: u32, address: u32, length: u32, kind: u32): void {
  if (!kind && load<u32>(column, COLUMN_BLANK)) return;
  store<u32>(column, 0, COLUMN_BLANK);
  const cells = <usize>load<u32>(column, COLUMN_CELLS);
  const cell = kind ? <u64>address | (<u64>length << 32) | (<u64>kind << 60) : 0;
  const hasExtras = load<u32>(column, COLUMN_EXTRA_COUNT) != 0;
  for (let first: u32 = 0; first < rows; first += 64) {
    let word = load<u64>(mask + (<usize>first >> 3));
    while (word) {
      const row = first + <u32>ctz(word);
      word &= word - 1;
      if (row >= rows) return;
      if (hasExtras) dropRow(column, row);
      store<u64>(cells + (<usize>row << 3), cell);
    }
  }
}

/** moveRows: values of the target give way. */
const MOVE_OVERRIDE: u32 = 1;
/** moveRows: the source loses what was moved. */
const MOVE_TAKE: u32 = 2;

/**
 * Gives rows of the target all values of the source's row, where the source has any. Rows that were given values are
 * left in `moved`.
 *
 * @param own room for the target's extras, `capacity` of them: u64[capacity], u32[capacity].
 * @returns 0 when the target's extras are full.
 */
export function moveRows(target: usize, source: usize, mask: usize, rows: u32, flags: u32, capacity: u32, own: usize, moved: usize): u32 {
  const to = <usize>load<u32>(target, COLUMN_CELLS);
  const from = <usize>load<u32>(source, COLUMN_CELLS);
  memory.fill(moved, 0, (<usize>((rows + 63) >> 6)) << 3);
  if (load<u32>(source, COLUMN_BLANK)) return 1;
  store<u32>(target, 0, COLUMN_BLANK);
  for (let row: u32 = 0; row < rows; row++) {
    const cell = load<u64>(from + (<usize>row << 3));
    if (!cell || !inMask(mask, row)) continue;
    const at = to + (<usize>row << 3);
    if (load<u64>(at)) {
      if (!(flags & MOVE_OVERRIDE)) continue;
      dropRow(target, row);
    }
    store<u64>(at, cell);
    store<u8>(moved + (row >> 3), load<u8>(moved + (row >> 3)) | (<u8>1 << <u8>(row & 7)));
  }
  const extras = load<u32>(source, COLUMN_EXTRA_COUNT);
  if (extras) {
    if (!takeOwn(target, own, capacity)) return 0;
    const cells = <usize>load<u32>(source, COLUMN_EXTRA_CELLS);
    const extraRows = <usize>load<u32>(source, COLUMN_EXTRA_ROWS);
    for (let i: u32 = 0; i < extras; i++) {
      const row = load<u32>(extraRows + (<usize>i << 2));
      if (inMask(moved, row) && !insertExtra(target, row, load<u64>(cells + (<usize>i << 3)), capacity)) return 0;
    }
  }
  if (flags & MOVE_TAKE) for (let row: u32 = 0; row < rows; row++) if (inMask(moved, row)) dropRow(source, row);
  return 1;
}
