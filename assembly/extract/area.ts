import {
  EXTRACT_ARENA, EXTRACT_ARENA_END, EXTRACT_ARENA_TOP, EXTRACT_CELLS, EXTRACT_COLUMN_LIST, EXTRACT_COLUMN_LIST_COUNT, EXTRACT_COLUMN_TABLE,
  EXTRACT_DROPPED_VALUES, EXTRACT_EXTRA_CAPACITY, EXTRACT_EXTRA_CELLS, EXTRACT_EXTRA_COUNT, EXTRACT_EXTRA_LOG, EXTRACT_EXTRA_ROWS,
  EXTRACT_LAST_ROWS, EXTRACT_MARKS,
  COLUMN_BLANK, COLUMN_BYTES, COLUMN_EXTRA_CELLS, COLUMN_EXTRA_COUNT, COLUMN_EXTRA_ROWS, EXTRA_LOG_BYTES, EXTRA_LOG_CELL, EXTRA_LOG_COLUMN,
  EXTRA_LOG_ROW, FEED_COLUMN, FEED_FIRST, ROW_CAP,
} from "../layout";

/**
 * The areas values are written to: primary cells, the log of further values, the arena of rewritten texts.
 *
 * Most columns of many rules are blank in a batch. Between two calls a column's cells are zero, but for the last call's rows of one
 * that is not blank; so only columns that were written to are ever emptied, moved or gathered. Marks tell which they are.
 */

/** Bytes of a column's cells, as a shift. */
const COLUMN_SHIFT: usize = 15;
if (ROW_CAP * 8 != 1 << 15) ERROR("marks are for columns of another size");

let cells: usize = 0;
let marks: usize = 0;
/** Mark of the address 0. */
let markBase: usize = 0;
let columnList: usize = 0;
let columnListCount: u32 = 0;
let extraLog: usize = 0;
let extraCapacity: u32 = 0;
let extraCount: u32 = 0;
let arenaTop: usize = 0;
let arenaEnd: usize = 0;
let arenaFirst: usize = 0;
/** Values of the record at hand that found no room. */
let refused: u32 = 0;
let dropped: u32 = 0;
/** Rows from here on are read ahead of the others; their further values are logged from the log's end downwards. */
let split: u32 = ROW_CAP;
let upperCount: u32 = 0;

export function openAreas(x: usize): void {
  cells = load<u32>(x, EXTRACT_CELLS);
  columnList = load<u32>(x, EXTRACT_COLUMN_LIST);
  columnListCount = load<u32>(x, EXTRACT_COLUMN_LIST_COUNT);
  extraLog = load<u32>(x, EXTRACT_EXTRA_LOG);
  extraCapacity = load<u32>(x, EXTRACT_EXTRA_CAPACITY);
  extraCount = 0;
  arenaFirst = load<u32>(x, EXTRACT_ARENA);
  arenaTop = arenaFirst;
  arenaEnd = load<u32>(x, EXTRACT_ARENA_END);
  refused = 0;
  dropped = 0;
  unsplitLog();
  marks = load<u32>(x, EXTRACT_MARKS);
  markBase = marks - (cells >> COLUMN_SHIFT);
  emptyColumns(load<u32>(x, EXTRACT_COLUMN_TABLE), load<u32>(x, EXTRACT_LAST_ROWS));
}

/** Empties what the call before this one, and the steps behind it, have filled. */
function emptyColumns(table: usize, rows: u32): void {
  for (let i: u32 = 0; i < columnListCount; i++) {
    const column = <usize>load<u32>(columnList + (<usize>i << 2));
    const descriptor = table + column * COLUMN_BYTES;
    if (load<u32>(descriptor, COLUMN_BLANK)) continue;
    memory.fill(cells + (column << COLUMN_SHIFT), 0, <usize>rows << 3);
    store<u32>(descriptor, 0, COLUMN_EXTRA_COUNT);
    store<u32>(descriptor, 1, COLUMN_BLANK);
    store<u8>(marks + column, 0);
  }
}

// @ts-ignore: decorator
@inline
function isMarked(column: usize): bool {
  return load<u8>(marks + column) != 0;
}

/** Writes a value to a cell of its column, or to the spare ones. */
// @ts-ignore: decorator
@inline
export function putCell(at: usize, cell: u64): void {
  store<u64>(at, cell);
  store<u8>(markBase + (at >> COLUMN_SHIFT), 1);
}

export function closeAreas(x: usize, rows: u32): void {
  store<u32>(x, rows, EXTRACT_LAST_ROWS);
  store<u32>(x, <u32>arenaTop, EXTRACT_ARENA_TOP);
  store<u32>(x, extraCount, EXTRACT_EXTRA_COUNT);
  store<u32>(x, load<u32>(x, EXTRACT_DROPPED_VALUES) + dropped, EXTRACT_DROPPED_VALUES);
  gatherExtras(x);
}

/** Zeroes rows of every column that was written to. */
export function zeroRows(row: u32, count: u32): void {
  for (let i: u32 = 0; i < columnListCount; i++) {
    const column = <usize>load<u32>(columnList + (<usize>i << 2));
    if (isMarked(column)) memory.fill(cells + (column << COLUMN_SHIFT) + (<usize>row << 3), 0, <usize>count << 3);
  }
}

/** Room for a text of at most `size` bytes plus what block writes may spill; 0 when there is none. */
export function reserve(size: usize): usize {
  if (arenaTop + size + 64 > arenaEnd) return 0;
  return arenaTop;
}

export function commitText(end: usize): void {
  arenaTop = end;
}

export function refuseValue(): void {
  refused++;
}

export function refusedValues(): u32 {
  return refused;
}

export function logMark(): u32 {
  return extraCount;
}

export function arenaMark(): usize {
  return arenaTop;
}

/** True when nothing but the record at hand fills the areas, so that a second call could give it no more room. */
export function areasWereEmpty(logStart: u32, arenaStart: usize): bool {
  return logStart == 0 && arenaStart == arenaFirst;
}

/** Takes back what the record at hand has written; its texts stay while those of a row read ahead may lie behind them. */
export function rollBack(row: u32, logStart: u32, arenaStart: usize): void {
  zeroRows(row, 1);
  extraCount = logStart;
  if (split == ROW_CAP) arenaTop = arenaStart;
  refused = 0;
}

/** Values of rows from `row` on are logged apart. */
export function splitLog(row: u32): void {
  split = row;
  upperCount = 0;
}

/** Drops the values logged apart. */
export function unsplitLog(): void {
  split = ROW_CAP;
  upperCount = 0;
}

export function upperMark(): u32 {
  return upperCount;
}

/** Takes back what a record read ahead has written, but for its texts and the count of values refused. */
export function rollBackUpper(row: u32, logStart: u32): void {
  zeroRows(row, 1);
  upperCount = logStart;
}

/** Takes `count` rows read ahead in behind `row`, `down` rows lower, with their further values. */
export function joinRows(row: u32, count: u32, down: u32): void {
  const after = max(row + count, row + down);
  for (let i: u32 = 0; i < columnListCount; i++) {
    const number = <usize>load<u32>(columnList + (<usize>i << 2));
    if (!isMarked(number)) continue;
    const column = cells + (number << COLUMN_SHIFT);
    memory.copy(column + (<usize>row << 3), column + (<usize>(row + down) << 3), <usize>count << 3);
    memory.fill(column + (<usize>after << 3), 0, <usize>(row + down + count - after) << 3);
  }
  // Logged downwards: turned over where they lie, then moved behind the others.
  let low = extraLog + <usize>(extraCapacity - upperCount) * EXTRA_LOG_BYTES;
  const from = low;
  let high = extraLog + <usize>extraCapacity * EXTRA_LOG_BYTES - EXTRA_LOG_BYTES;
  for (; low < high; low += EXTRA_LOG_BYTES, high -= EXTRA_LOG_BYTES) {
    for (let o: usize = 0; o < <usize>EXTRA_LOG_BYTES; o += 8) {
      const held = load<u64>(low + o);
      store<u64>(low + o, load<u64>(high + o));
      store<u64>(high + o, held);
    }
  }
  const to = extraLog + <usize>extraCount * EXTRA_LOG_BYTES;
  memory.copy(to, from, <usize>upperCount * EXTRA_LOG_BYTES);
  extraCount += upperCount;
  const end = extraLog + <usize>extraCount * EXTRA_LOG_BYTES;
  for (let entry = to; entry < end; entry += EXTRA_LOG_BYTES) store<u32>(entry, load<u32>(entry, EXTRA_LOG_ROW) - down, EXTRA_LOG_ROW);
  unsplitLog();
}

/** Takes back texts only. */
export function acceptRefusals(): void {
  dropped += refused;
  refused = 0;
}

/** Gives a column one more value of a row: its first goes to the primary cell, others to the log. */
export function feedValue(feed: u32, row: u32, cell: u64): void {
  const column = feed & FEED_COLUMN;
  const at = cells + <usize>column * (ROW_CAP * 8) + (<usize>row << 3);
  if (!load<u64>(at)) {
    putCell(at, cell);
    return;
  }
  if (feed & FEED_FIRST) return;
  if (extraCount + upperCount == extraCapacity) {
    refused++;
    return;
  }
  const place = row < split ? extraCount++ : extraCapacity - ++upperCount;
  const entry = extraLog + <usize>place * EXTRA_LOG_BYTES;
  store<u64>(entry, cell, EXTRA_LOG_CELL);
  store<u32>(entry, row, EXTRA_LOG_ROW);
  store<u32>(entry, column, EXTRA_LOG_COLUMN);
}

/** Says which columns have values, and sorts the log by column (keeping row order) into the columns' own lists. */
function gatherExtras(x: usize): void {
  const table = <usize>load<u32>(x, EXTRACT_COLUMN_TABLE);
  for (let i: u32 = 0; i < columnListCount; i++) {
    const column = <usize>load<u32>(columnList + (<usize>i << 2));
    if (isMarked(column)) store<u32>(table + column * COLUMN_BYTES, 0, COLUMN_BLANK);
  }
  if (!extraCount) return;
  for (let i: u32 = 0; i < extraCount; i++) {
    const descriptor = table + <usize>load<u32>(extraLog + <usize>i * EXTRA_LOG_BYTES, EXTRA_LOG_COLUMN) * COLUMN_BYTES;
    store<u32>(descriptor, load<u32>(descriptor, COLUMN_EXTRA_COUNT) + 1, COLUMN_EXTRA_COUNT);
  }
  let top: u32 = 0;
  const outCells = load<u32>(x, EXTRACT_EXTRA_CELLS);
  const outRows = load<u32>(x, EXTRACT_EXTRA_ROWS);
  for (let i: u32 = 0; i < columnListCount; i++) {
    const column = <usize>load<u32>(columnList + (<usize>i << 2));
    if (!isMarked(column)) continue;
    const descriptor = table + column * COLUMN_BYTES;
    store<u32>(descriptor, outCells + (top << 3), COLUMN_EXTRA_CELLS);
    store<u32>(descriptor, outRows + (top << 2), COLUMN_EXTRA_ROWS);
    top += load<u32>(descriptor, COLUMN_EXTRA_COUNT);
    store<u32>(descriptor, 0, COLUMN_EXTRA_COUNT);
  }
  for (let i: u32 = 0; i < extraCount; i++) {
    const entry = extraLog + <usize>i * EXTRA_LOG_BYTES;
    const descriptor = table + <usize>load<u32>(entry, EXTRA_LOG_COLUMN) * COLUMN_BYTES;
    const at = load<u32>(descriptor, COLUMN_EXTRA_COUNT);
    store<u64>(<usize>load<u32>(descriptor, COLUMN_EXTRA_CELLS) + (<usize>at << 3), load<u64>(entry, EXTRA_LOG_CELL));
    store<u32>(<usize>load<u32>(descriptor, COLUMN_EXTRA_ROWS) + (<usize>at << 2), load<u32>(entry, EXTRA_LOG_ROW));
    store<u32>(descriptor, at + 1, COLUMN_EXTRA_COUNT);
  }
}
