import {
  COLUMN_BLANK, COLUMN_CELLS, COLUMN_EXTRA_CELLS, COLUMN_EXTRA_COUNT, COLUMN_EXTRA_ROWS, KIND_STRING, LAY_CAPACITY, LAY_EXTRAS, LAY_KEY, LAY_KEY_LENGTH, LAY_MOVED, LAY_OTHER, LAY_OVERRIDE, LAY_SOURCE,
  LAY_TAGS, LAY_VALUES,
} from "../layout";
import { dropRow } from "../text/place";
import { inMask, insertExtra } from "./coalesce";

/** One column read row by row, in order: the row's cell, then its extras. */
@unmanaged
class Walk {
  cells: usize = 0;
  extraCells: usize = 0;
  extraRows: usize = 0;
  count: u32 = 0;
  /** Extras of the row at hand. */
  from: u32 = 0;
  to: u32 = 0;
}

const held = changetype<Walk>(memory.data(offsetof<Walk>()));
const old = changetype<Walk>(memory.data(offsetof<Walk>()));

function open(walk: Walk, column: usize): void {
  walk.cells = <usize>load<u32>(column, COLUMN_CELLS);
  walk.extraCells = <usize>load<u32>(column, COLUMN_EXTRA_CELLS);
  walk.extraRows = <usize>load<u32>(column, COLUMN_EXTRA_ROWS);
  walk.count = load<u32>(column, COLUMN_EXTRA_COUNT);
  walk.from = 0;
  walk.to = 0;
}

/** Goes to a row, further down than the last; how many values it has. */
function goTo(walk: Walk, row: u32): u32 {
  if (!load<u64>(walk.cells + (<usize>row << 3))) return 0;
  let i = walk.to;
  while (i < walk.count && load<u32>(walk.extraRows + (<usize>i << 2)) < row) i++;
  walk.from = i;
  while (i < walk.count && load<u32>(walk.extraRows + (<usize>i << 2)) == row) i++;
  walk.to = i;
  return 1 + walk.to - walk.from;
}

// @ts-ignore: decorator
@inline
function valueAt(walk: Walk, row: u32, i: u32): u64 {
  return i ? load<u64>(walk.extraCells + (<usize>(walk.from + i - 1) << 3)) : load<u64>(walk.cells + (<usize>row << 3));
}

function same(a: u64, b: u64): bool {
  return ((a ^ b) >> 32 & 0x0fffffff) == 0 && memory.compare(<usize>(<u32>a), <usize>(<u32>b), <usize>(<u32>(a >> 32) & 0x0fffffff)) == 0;
}

/** Does an earlier value of the row say the same? */
function isRepeat(row: u32, i: u32): bool {
  for (let j: u32 = 0; j < i; j++) if (same(valueAt(held, row, j), valueAt(held, row, i))) return true;
  return false;
}

function begins(cell: u64, key: usize, keyLength: usize): bool {
  return <usize>(<u32>(cell >> 32) & 0x0fffffff) >= keyLength && memory.compare(<usize>(<u32>cell), key, keyLength) == 0;
}

let row: u32 = 0;
let given: u32 = 0;
let to: usize = 0;
let moreCells: usize = 0;
let moreRows: usize = 0;
let more: u32 = 0;

/** The next tag of the row; false when the extras are full. */
function give(cell: u64, capacity: u32): bool {
  if (!given++) {
    store<u64>(to + (<usize>row << 3), cell);
    return true;
  }
  if (more >= capacity) return false;
  store<u64>(moreCells + (<usize>more << 3), cell);
  store<u32>(moreRows + (<usize>more << 2), row);
  more++;
  return true;
}

/** Whole tags: those of other keys stay where they are, the new ones come behind. */
function layWhole(struct: usize, column: usize, moved: usize, rows: u32): bool {
  const key = <usize>load<u32>(struct, LAY_KEY);
  const keyLength = <usize>load<u32>(struct, LAY_KEY_LENGTH);
  const capacity = load<u32>(struct, LAY_CAPACITY);
  open(held, load<u32>(struct, LAY_SOURCE));
  open(old, column);
  const areas = <usize>load<u32>(struct, LAY_EXTRAS);
  moreCells = old.extraCells == areas ? <usize>load<u32>(struct, LAY_OTHER) : areas;
  moreRows = moreCells + (<usize>capacity << 3);
  more = 0;
  to = old.cells;
  for (row = 0; row < rows; row++) {
    const before = goTo(old, row);
    if (!inMask(moved, row)) {
      for (let i: u32 = 1; i < before; i++) {
        given = 1;
        if (!give(valueAt(old, row, i), capacity)) return false;
      }
      continue;
    }
    const values = goTo(held, row);
    const first = load<u64>(to + (<usize>row << 3));
    given = 0;
    for (let i: u32 = 0; i < before; i++) {
      const cell = i ? valueAt(old, row, i) : first;
      if (!begins(cell, key, keyLength) && !give(cell, capacity)) return false;
    }
    for (let i: u32 = 0; i < values; i++) {
      const cell = valueAt(held, row, i);
      let known = isRepeat(row, i);
      for (let j: u32 = 0; j < before && !known; j++) {
        const other = j ? valueAt(old, row, j) : first;
        known = !begins(other, key, keyLength) && same(other, cell);
      }
      if (!known && !give(cell, capacity)) return false;
    }
  }
  store<u32>(column, <u32>moreCells, COLUMN_EXTRA_CELLS);
  store<u32>(column, <u32>moreRows, COLUMN_EXTRA_ROWS);
  store<u32>(column, more, COLUMN_EXTRA_COUNT);
  store<u32>(column, 0, COLUMN_BLANK);
  return true;
}

/** Values of the key's tags. Values have extras so rarely that each may move those behind it. */
function layValues(struct: usize, column: usize, moved: usize, rows: u32): bool {
  const key = <usize>load<u32>(struct, LAY_KEY);
  const keyLength = <usize>load<u32>(struct, LAY_KEY_LENGTH);
  const capacity = load<u32>(struct, LAY_CAPACITY);
  const cells = <usize>load<u32>(column, COLUMN_CELLS);
  open(held, load<u32>(struct, LAY_SOURCE));
  for (let at: u32 = 0; at < rows; at++) {
    if (!inMask(moved, at)) continue;
    dropRow(column, at);
    const values = goTo(held, at);
    for (let i: u32 = 0; i < values; i++) {
      const cell = valueAt(held, at, i);
      if (!begins(cell, key, keyLength) || isRepeat(at, i)) continue;
      const value = (<u64>(<usize>(<u32>cell) + keyLength)) | (<u64>((<u32>(cell >> 32) & 0x0fffffff) - <u32>keyLength) << 32) | (<u64>KIND_STRING << 60);
      if (!load<u64>(cells + (<usize>at << 3))) store<u64>(cells + (<usize>at << 3), value);
      else if (!insertExtra(column, at, value, capacity)) return false;
    }
  }
  return true;
}

/**
 * Gives rows the tags of the source, which are whole and in their normal form, each once.
 *
 * @returns 0 when the extras are full: the caller takes fewer rows.
 */
export function layTags(struct: usize, rows: u32): u32 {
  const tags = <usize>load<u32>(struct, LAY_TAGS);
  const values = <usize>load<u32>(struct, LAY_VALUES);
  const moved = <usize>load<u32>(struct, LAY_MOVED);
  const source = <usize>load<u32>(load<u32>(struct, LAY_SOURCE), COLUMN_CELLS);
  const has = <usize>load<u32>(values, COLUMN_CELLS);
  const overrides = load<u32>(struct, LAY_OVERRIDE) != 0;
  memory.fill(moved, 0, (<usize>((rows + 63) >> 6)) << 3);
  if (load<u32>(load<u32>(struct, LAY_SOURCE), COLUMN_BLANK)) return 1;
  let any = false;
  for (let at: u32 = 0; at < rows; at++) {
    if (!load<u64>(source + (<usize>at << 3)) || (!overrides && load<u64>(has + (<usize>at << 3)))) continue;
    store<u8>(moved + (at >> 3), load<u8>(moved + (at >> 3)) | (<u8>1 << <u8>(at & 7)));
    any = true;
  }
  if (!any) return 1;
  store<u32>(values, 0, COLUMN_BLANK);
  if (tags) store<u32>(tags, 0, COLUMN_BLANK);
  if (tags && !layWhole(struct, tags, moved, rows)) return 0;
  return layValues(struct, values, moved, rows) ? 1 : 0;
}
