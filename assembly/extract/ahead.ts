import { EXTRACT_COUNT_AHEAD, EXTRACT_ROW_END, EXTRACT_ROW_START, ROW_CAP } from "../layout";
import { joinRows, refusedValues, rollBackUpper, splitLog, unsplitLog, upperMark, zeroRows } from "./area";
import { exactEnd, exactRecord } from "./exact";
import { LOWER, UPPER, gapRecordEnd, placeCursor, readGaps, stoppedCursor } from "./gap";
import { messageCell, readMessage } from "./message";
import { lineEnd } from "./text";

/**
 * Reading ahead: while the records of the first half are read, those of the second are read beside them.
 *
 * Rows read ahead stand at `split` and above until the first half has come to where they began; then they are moved down behind its
 * rows. What must be done in the order of the bytes ends the reading ahead before it: a line to refuse, an array, an area that is full.
 */

/** Less is not worth its moving. */
const LEAST_BYTES: usize = 4096;

let rowStart: usize = 0;
let rowEnd: usize = 0;
/** First byte that is read ahead; 0 = nothing is. */
let from: usize = 0;
/** The record read ahead now, or the first that was not. */
let at: usize = 0;
let end: usize = 0;
let split: u32 = 0;
let rows: u32 = 0;
let reading: bool = false;
let ended: u32 = 0;
let logStart: u32 = 0;
let allowed: bool = false;
let taken: u32 = 0;

export function openAhead(x: usize): void {
  rowStart = load<u32>(x, EXTRACT_ROW_START);
  rowEnd = load<u32>(x, EXTRACT_ROW_END);
  from = 0;
  reading = false;
  allowed = true;
  taken = 0;
}

export function closeAhead(x: usize): void {
  if (from) dropAhead();
  store<u32>(x, load<u32>(x, EXTRACT_COUNT_AHEAD) + taken, EXTRACT_COUNT_AHEAD);
}

/** Where reading ahead began: the place of a line's first byte; 0 when nothing is read ahead. */
// @ts-ignore: decorator
@inline
export function aheadFrom(): usize {
  return from;
}

/** First row that is not free for the rows in order. */
export function rowLimit(): u32 {
  return from ? split : ROW_CAP;
}

/** Records read ahead since the last question. */
export function recordsAhead(): u32 {
  const count = ended;
  ended = 0;
  return count;
}

/** Notes where a row's record lies. */
// @ts-ignore: decorator
@inline
export function noteRow(row: u32, start: usize, stop: usize): void {
  store<u32>(rowStart + (<usize>row << 2), <u32>start);
  store<u32>(rowEnd + (<usize>row << 2), <u32>stop);
}

/** Begins to read ahead in the second half of [p, stop). */
function begin(p: usize, row: u32, stop: usize): void {
  const middle = lineEnd(p + ((stop - p) >> 1)) + 1;
  if (stop - middle < LEAST_BYTES >> 2) {
    allowed = false;
    return;
  }
  split = (row + ((ROW_CAP - row) >> 1) + 63) & ~63;
  if (split >= <u32>ROW_CAP) {
    allowed = false;
    return;
  }
  from = middle;
  at = middle;
  end = stop;
  rows = 0;
  splitLog(split);
  next();
}

/** Turns the cursor to the record at `at`, or stops there. */
function next(): void {
  const row = split + rows;
  reading = at < end && row < <u32>ROW_CAP && <u32>load<u8>(at) == 0x7b;
  if (!reading) return;
  logStart = upperMark();
  placeCursor(UPPER, at, row);
}

/** Takes back what was read of the record at hand and reads no further. */
export function stopAhead(): void {
  if (!reading) return;
  reading = false;
  rollBackUpper(split + rows, logStart);
}

/** Ends the record read ahead and turns to the next, which may begin at `stop`. 0 = the parser must read this one. */
function recordAhead(stop: usize): void {
  const row = split + rows;
  let recordEnd = gapRecordEnd();
  if (!stop && !refusedValues()) {
    rollBackUpper(row, logStart);
    stop = exactRecord(at, row);
    recordEnd = exactEnd();
  }
  if (stop && !refusedValues()) {
    const message = messageCell(row);
    if (message) readMessage(message, at, row);
  }
  if (!stop || refusedValues()) {
    stopAhead();
    return;
  }
  noteRow(row, at, recordEnd);
  ended++;
  rows++;
  at = stop;
  next();
}

/**
 * Reads the record at p, an opening brace, into the cells of its row, and others ahead of it on the way.
 *
 * @returns where the next record may begin, or 0 when the parser must read this one: its cells may then be half filled
 */
export function gapRecord(p: usize, row: u32, stop: usize): usize {
  if (!from && allowed && stop - p >= LEAST_BYTES) begin(p, row, stop);
  placeCursor(LOWER, p, row);
  while (true) {
    const after = readGaps(reading);
    if (stoppedCursor() == LOWER) return after;
    recordAhead(after);
  }
}

/** Forgets what was read ahead, and reads no more of it. */
export function dropAhead(): void {
  zeroRows(split, min<u32>(rows + 1, <u32>ROW_CAP - split));
  from = 0;
  reading = false;
  allowed = false;
  unsplitLog();
}

/** The rows in order have come to those read ahead: takes them in behind `row`. Returns how many there are. */
export function takeAhead(row: u32): u32 {
  stopAhead();
  joinRows(row, rows, split - row);
  memory.copy(rowStart + (<usize>row << 2), rowStart + (<usize>split << 2), <usize>rows << 2);
  memory.copy(rowEnd + (<usize>row << 2), rowEnd + (<usize>split << 2), <usize>rows << 2);
  from = 0;
  taken += rows;
  return rows;
}

/** The first byte after what was read ahead. */
export function aheadEnd(): usize {
  return at;
}
