import {
  BUILD_COUNT, BUILD_MASK, BUILD_PARTS, BUILD_REPLACES, BUILD_TARGET, BUILT_CAP, COLUMN_CELLS, COLUMN_EXTRA_CELLS, COLUMN_EXTRA_COUNT, COLUMN_EXTRA_ROWS, KIND_STRING, PART_BYTES, PART_COLUMN,
  PART_LENGTH, PART_NEXT, PART_TEXT, READ_PAD,
} from "../layout";
import { cellOf, keepText, textRoom } from "../text/filter";
import { inMask } from "./coalesce";
import { clearColumn } from "./run";

// The text of the row at hand.
let out: usize = 0;
let used: usize = 0;
let isMissing: bool = false;

/** Adds bytes of a text, as long as there are fewer characters than the cap. */
function add(p: usize, n: usize): void {
  if (used + n <= <usize>BUILT_CAP) {
    memory.copy(out + used, p, n);
    used += n;
    return;
  }
  let characters = 0;
  for (let i: usize = 0; i < used; i++) if ((load<u8>(out + i) & 0xc0) != 0x80) characters++;
  for (let i: usize = 0; i < n; i++) {
    const c = load<u8>(p + i);
    if ((c & 0xc0) != 0x80 && characters++ == BUILT_CAP) return;
    store<u8>(out + used, c);
    used++;
  }
}

function addCell(cell: u64): void {
  const length = <usize>(<u32>(cell >> 32) & 0x0fffffff);
  if (length) add(<usize>(<u32>cell), length);
  else isMissing = true;
}

/** All values of the row, commas between them. */
function addValues(part: usize, column: usize, row: u32): void {
  const cell = load<u64>(<usize>load<u32>(column, COLUMN_CELLS) + (<usize>row << 3));
  if (!cell) {
    isMissing = true;
    return;
  }
  const before = used;
  const wasMissing = isMissing;
  isMissing = false;
  addCell(cell);
  const rows = <usize>load<u32>(column, COLUMN_EXTRA_ROWS);
  const cells = <usize>load<u32>(column, COLUMN_EXTRA_CELLS);
  const count = load<u32>(column, COLUMN_EXTRA_COUNT);
  let next = load<u32>(part, PART_NEXT);
  while (next < count && load<u32>(rows + (<usize>next << 2)) < row) next++;
  for (; next < count && load<u32>(rows + (<usize>next << 2)) == row; next++) {
    add(comma, 1);
    addCell(load<u64>(cells + (<usize>next << 3)));
  }
  store<u32>(part, next, PART_NEXT);
  // One value that is no text keeps the others from being told.
  if (isMissing) used = before;
  isMissing = isMissing || wasMissing;
}

const comma: usize = memory.data<u8>([0x2c]);

/**
 * Texts of constant parts and of values of each row.
 *
 * @returns 0 when there is no room for them: the caller takes fewer rows.
 */
export function buildText(struct: usize, rows: u32): u32 {
  const parts = <usize>load<u32>(struct, BUILD_PARTS);
  const end = parts + <usize>load<u32>(struct, BUILD_COUNT) * PART_BYTES;
  const target = <usize>load<u32>(struct, BUILD_TARGET);
  const mask = <usize>load<u32>(struct, BUILD_MASK);
  const replaces = load<u32>(struct, BUILD_REPLACES) != 0;
  clearColumn(target, rows);
  const to = <usize>load<u32>(target, COLUMN_CELLS);
  for (let part = parts; part < end; part += PART_BYTES) store<u32>(part, 0, PART_NEXT);
  for (let row: u32 = 0; row < rows; row++) {
    if (!inMask(mask, row)) continue;
    // A character has four bytes at most.
    out = textRoom(<usize>BUILT_CAP * 4 + <usize>READ_PAD);
    if (!out) return 0;
    used = 0;
    isMissing = false;
    for (let part = parts; part < end && (replaces || !isMissing); part += PART_BYTES) {
      const column = <usize>load<u32>(part, PART_COLUMN);
      if (column) addValues(part, column, row);
      else add(<usize>load<u32>(part, PART_TEXT), <usize>load<u32>(part, PART_LENGTH));
    }
    if (isMissing && !replaces) continue;
    store<u64>(to + (<usize>row << 3), cellOf(out, <u32>used, KIND_STRING));
    keepText(used);
  }
  return 1;
}
