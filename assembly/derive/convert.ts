import {
  COLUMN_BLANK, COLUMN_CELLS, COLUMN_EXTRA_CELLS, COLUMN_EXTRA_COUNT, COLUMN_EXTRA_ROWS, CONVERT_CAPACITY, CONVERT_EXTRAS, CONVERT_FILTER, CONVERT_FIRST_ONLY, CONVERT_FLAGS, CONVERT_KEEPS_EMPTY, CONVERT_MASK, CONVERT_MEMO,
  CONVERT_NUMBER, CONVERT_SOURCE, CONVERT_TARGET,
} from "../layout";
import { NO_ROOM, filtered, forget } from "../text/filter";
import { appendCell } from "./append";
import { inMask } from "./coalesce";
import { clearColumn } from "./run";

function converted(struct: usize, cell: u64): u64 {
  const length = <u32>(cell >> 32) & 0x0fffffff;
  if (!length && !(load<u32>(struct, CONVERT_FLAGS) & CONVERT_KEEPS_EMPTY)) return 0;
  return filtered(load<u32>(struct, CONVERT_FILTER), load<u32>(struct, CONVERT_NUMBER), load<u32>(struct, CONVERT_MEMO), <usize>(<u32>cell), length, <u32>(cell >> 60));
}

/**
 * Values of a column as a filter makes them; those it makes nothing of are left out.
 *
 * @returns 0 when there is no room for them: the caller takes fewer rows.
 */
export function convert(struct: usize, rows: u32): u32 {
  const source = <usize>load<u32>(struct, CONVERT_SOURCE);
  const target = <usize>load<u32>(struct, CONVERT_TARGET);
  const mask = <usize>load<u32>(struct, CONVERT_MASK);
  const capacity = load<u32>(struct, CONVERT_CAPACITY);
  forget(load<u32>(struct, CONVERT_MEMO));
  clearColumn(target, rows);
  store<u32>(target, load<u32>(struct, CONVERT_EXTRAS), COLUMN_EXTRA_CELLS);
  store<u32>(target, load<u32>(struct, CONVERT_EXTRAS) + (capacity << 3), COLUMN_EXTRA_ROWS);
  if (load<u32>(source, COLUMN_BLANK)) {
    store<u32>(target, 1, COLUMN_BLANK);
    return 1;
  }
  const from = <usize>load<u32>(source, COLUMN_CELLS);
  const to = <usize>load<u32>(target, COLUMN_CELLS);
  for (let row: u32 = 0; row < rows; row++) {
    const cell = load<u64>(from + (<usize>row << 3));
    if (!cell || !inMask(mask, row)) continue;
    const made = converted(struct, cell);
    if (made == NO_ROOM) return 0;
    store<u64>(to + (<usize>row << 3), made);
  }
  if (load<u32>(struct, CONVERT_FLAGS) & CONVERT_FIRST_ONLY) return 1;
  const cells = <usize>load<u32>(source, COLUMN_EXTRA_CELLS);
  const extraRows = <usize>load<u32>(source, COLUMN_EXTRA_ROWS);
  const extras = load<u32>(source, COLUMN_EXTRA_COUNT);
  for (let i: u32 = 0; i < extras; i++) {
    const row = load<u32>(extraRows + (<usize>i << 2));
    if (!inMask(mask, row)) continue;
    const made = converted(struct, load<u64>(cells + (<usize>i << 3)));
    if (made == NO_ROOM || (made && !appendCell(target, row, made, capacity))) return 0;
  }
  return 1;
}
