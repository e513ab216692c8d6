import { COLUMN_CELLS, COLUMN_EXTRA_CELLS, COLUMN_EXTRA_COUNT, COLUMN_EXTRA_ROWS } from "../layout";
import { rowCount } from "./bits";

/** The values of the column at hand: first the rows' own cells, then the extras. */

let cells: usize = 0;
let extraCells: usize = 0;
let extraRows: usize = 0;

/** Turns to a column; returns how many values it may have, empty cells counted. */
export function openColumn(descriptor: usize): u32 {
  cells = load<u32>(descriptor, COLUMN_CELLS);
  extraCells = load<u32>(descriptor, COLUMN_EXTRA_CELLS);
  extraRows = load<u32>(descriptor, COLUMN_EXTRA_ROWS);
  return rowCount() + load<u32>(descriptor, COLUMN_EXTRA_COUNT);
}

/** Address of the rows' own cells. */
// @ts-ignore: decorator
@inline
export function ownCells(): usize {
  return cells;
}
// @ts-ignore: decorator
@inline
export function valueAt(i: u32): u64 {
  const rows = rowCount();
  return load<u64>(i < rows ? cells + (<usize>i << 3) : extraCells + (<usize>(i - rows) << 3));
}
// @ts-ignore: decorator
@inline
export function valueRow(i: u32): u32 {
  const rows = rowCount();
  return i < rows ? i : load<u32>(extraRows + (<usize>(i - rows) << 2));
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
