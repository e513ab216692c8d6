import { COLUMN_BLANK, COLUMN_CELLS, COLUMN_EXTRA_CELLS, COLUMN_EXTRA_COUNT, COLUMN_EXTRA_ROWS } from "../layout";

export const COALESCED: u32 = 1;
export const COALESCED_FULL: u32 = 2;

// @ts-ignore: decorator
@inline
export function inMask(mask: usize, row: u32): bool {
  return !mask || ((load<u8>(mask + (row >> 3)) >> <u8>(row & 7)) & 1) != 0;
}

/** Merges two extras lists in row order into the target's list, which has room for `capacity` entries. */
export function insertExtra(target: usize, row: u32, cell: u64, capacity: u32): bool {
  const count = load<u32>(target, COLUMN_EXTRA_COUNT);
  if (count >= capacity) return false;
  const cells = <usize>load<u32>(target, COLUMN_EXTRA_CELLS);
  const rows = <usize>load<u32>(target, COLUMN_EXTRA_ROWS);
  let i = count;
  while (i && load<u32>(rows + (<usize>(i - 1) << 2)) > row) {
    store<u64>(cells + (<usize>i << 3), load<u64>(cells + (<usize>(i - 1) << 3)));
    store<u32>(rows + (<usize>i << 2), load<u32>(rows + (<usize>(i - 1) << 2)));
    i--;
  }
  store<u64>(cells + (<usize>i << 3), cell);
  store<u32>(rows + (<usize>i << 2), row);
  store<u32>(target, count + 1, COLUMN_EXTRA_COUNT);
  return true;
}

/** Extraction packs the extras of all columns closely; a column that grows moves to an area of its own first. */
export function takeOwn(target: usize, own: usize, capacity: u32): bool {
  const cells = <usize>load<u32>(target, COLUMN_EXTRA_CELLS);
  if (cells == own) return true;
  const count = load<u32>(target, COLUMN_EXTRA_COUNT);
  if (count > capacity) return false;
  const rows = own + (<usize>capacity << 3);
  memory.copy(own, cells, <usize>count << 3);
  memory.copy(rows, load<u32>(target, COLUMN_EXTRA_ROWS), <usize>count << 2);
  store<u32>(target, <u32>own, COLUMN_EXTRA_CELLS);
  store<u32>(target, <u32>rows, COLUMN_EXTRA_ROWS);
  return true;
}

/**
 * Gives rows of `target` that have no value all values of `source`: an attribute under its second name, the next
 * candidate of a reserved attribute. `moved` is a scratch bitset of ROW_CAP bits.
 *
 * @returns 0 when the extras are full, COALESCED_FULL when no row of the target is left without a value.
 */
export function coalesce(target: usize, source: usize, mask: usize, rows: u32, capacity: u32, own: usize, moved: usize): u32 {
  const to = <usize>load<u32>(target, COLUMN_CELLS);
  const from = <usize>load<u32>(source, COLUMN_CELLS);
  if (load<u32>(source, COLUMN_BLANK)) return COALESCED;
  store<u32>(target, 0, COLUMN_BLANK);
  const extras = load<u32>(source, COLUMN_EXTRA_COUNT);
  if (extras) memory.fill(moved, 0, (rows >> 3) + 1);
  let missing: u32 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    const at = to + (<usize>row << 3);
    if (load<u64>(at)) continue;
    const cell = load<u64>(from + (<usize>row << 3));
    if (!cell || !inMask(mask, row)) {
      missing++;
      continue;
    }
    store<u64>(at, cell);
    if (extras) store<u8>(moved + (row >> 3), load<u8>(moved + (row >> 3)) | (<u8>1 << <u8>(row & 7)));
  }
  const done: u32 = missing ? COALESCED : COALESCED_FULL;
  if (!extras) return done;
  if (!takeOwn(target, own, capacity)) return 0;
  const cells = <usize>load<u32>(source, COLUMN_EXTRA_CELLS);
  const extraRows = <usize>load<u32>(source, COLUMN_EXTRA_ROWS);
  for (let i: u32 = 0; i < extras; i++) {
    const row = load<u32>(extraRows + (<usize>i << 2));
    if (!inMask(moved, row)) continue;
    if (!insertExtra(target, row, load<u64>(cells + (<usize>i << 3)), capacity)) return 0;
  }
  return done;
}

/** Gives rows without a value (or every row of the mask, when `always`) one constant text. */
export function fillConstant(target: usize, mask: usize, rows: u32, cell: u64, always: bool): void {
  const to = <usize>load<u32>(target, COLUMN_CELLS);
  store<u32>(target, 0, COLUMN_BLANK);
  for (let row: u32 = 0; row < rows; row++) {
    const at = to + (<usize>row << 3);
    if ((always || !load<u64>(at)) && inMask(mask, row)) store<u64>(at, cell);
  }
}
