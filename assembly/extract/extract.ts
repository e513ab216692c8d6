import {
  BAD_BYTES, BAD_END, BAD_REASON, BAD_START, EXTRACT_BAD, EXTRACT_BAD_CAPACITY, EXTRACT_BAD_COUNT, EXTRACT_BUDGET, EXTRACT_CONSUMED,
  EXTRACT_COUNT_LEARNED, EXTRACT_COUNT_MISSED, EXTRACT_FLAGS, EXTRACT_FLAG_PARSE, EXTRACT_INPUT_START,
  EXTRACT_IN_ARRAY, EXTRACT_SKIP_RECORDS, EXTRACT_SKIP_SPAN,
  REASON_NOT_AN_OBJECT, REASON_TRAILING_BYTES, ROW_CAP,
} from "../layout";
import { aheadEnd, aheadFrom, closeAhead, dropAhead, gapRecord, noteRow, openAhead, recordsAhead, rowLimit, stopAhead, takeAhead } from "./ahead";
import {
  acceptRefusals, areasWereEmpty, arenaMark, closeAreas, logMark, openAreas, refusedValues, rollBack,
} from "./area";
import { closeExact, exactEnd, exactRecord, openExact, parseRecord } from "./exact";
import { faultReason } from "./fault";
import { gapRecordEnd, learnedGaps, missedGaps, openGaps, resetGapCounts } from "./gap";
import { forget, openTables, tablesFull } from "./gaptable";
import { openMembers } from "./members";
import { closeParser, openParser, parseValue } from "./parse";
import { closeMessage, messageCell, openMessage, readMessage } from "./message";
import { openPlan } from "./plan";
import { commitLog, openLog, resetLog } from "./recordlog";
import { forgetNumbers, lineEnd, skipBlanks } from "./text";

const LINE_FEED: u32 = 0x0a;

/** Records read by the parser before learning is tried again; doubles while the tables are full. */
const SKIP_SPAN: u32 = 1024;
const SKIP_SPAN_CAP: u32 = 65536;
const BUDGET_CAP: i32 = 256;

let bad: usize = 0;
let badCapacity: u32 = 0;
let badCount: u32 = 0;
let inArray: u32 = 0;
/** Set by the readers below: a row was filled, from recordStart to recordEnd. */
let gotRow: bool = false;
let recordStart: usize = 0;
let recordEnd: usize = 0;

function refuse(start: usize, end: usize, reason: u32): void {
  const entry = bad + <usize>badCount * BAD_BYTES;
  store<u32>(entry, <u32>start, BAD_START);
  store<u32>(entry, <u32>end, BAD_END);
  store<u32>(entry, reason, BAD_REASON);
  badCount++;
}

/** Refuses the bytes from p to the end of its line; answers where the next line begins. */
function refuseLine(p: usize, reason: u32): usize {
  const end = lineEnd(p);
  let textEnd = end;
  if (textEnd > p && load<u8>(textEnd - 1) == 0x0d) textEnd--;
  refuse(p, textEnd, reason);
  return end + 1;
}

/** The next element of a line that is an array, or its end; the line is known to be JSON. */
function arrayStep(p: usize, row: u32): usize {
  p = skipBlanks(p);
  let c = <u32>load<u8>(p);
  if (c == 0x2c) {
    p = skipBlanks(p + 1);
    c = load<u8>(p);
  }
  if (c == 0x5d) {
    inArray = 0;
    return lineEnd(p) + 1;
  }
  if (c == 0x7b) {
    const end = parseRecord(p);
    if (!end) {
      // Cannot be after the check of the line; leave the line rather than stand still.
      inArray = 0;
      return refuseLine(p, faultReason());
    }
    commitLog(row);
    recordStart = p;
    recordEnd = end;
    gotRow = true;
    return end;
  }
  const end = parseValue(p, 0, 1);
  refuse(p, end ? end : lineEnd(p), REASON_NOT_AN_OBJECT);
  return end ? end : lineEnd(p) + 1;
}

/** A line that begins with anything but an opening brace. */
function oddLine(p: usize): usize {
  const start = skipBlanks(p);
  const c = <u32>load<u8>(start);
  if (c == LINE_FEED) return start + 1;
  if (c == 0x7b) return start;
  resetLog();
  const end = parseValue(start, 0, 0);
  if (!end) return refuseLine(start, faultReason());
  if (<u32>load<u8>(skipBlanks(end)) != LINE_FEED) return refuseLine(start, REASON_TRAILING_BYTES);
  if (c != 0x5b) return refuseLine(start, REASON_NOT_AN_OBJECT);
  inArray = 1;
  return start + 1;
}

/** The record at p, read by the parser. */
function oddRecord(p: usize, row: u32): usize {
  const next = exactRecord(p, row);
  if (!next) return refuseLine(p, faultReason());
  recordStart = p;
  recordEnd = exactEnd();
  gotRow = true;
  return next;
}

/**
 * Fills the columns of the plan at `x` from records in [start, end).
 *
 * What is a record: a line whose text JSON.parse takes for an object. Blank lines are nothing. A line may also hold several objects with
 * nothing or blanks between them, each a record; an object followed by anything else on its line is refused together with the rest of
 * the line, objects before it stand. A line that JSON.parse takes for an array gives one record for each object in it, its other elements
 * are refused one by one. Everything else costs its own line and no other, under the reason that stopped the reader.
 *
 * @param end the last byte must be a line feed, or the byte at `end` may be overwritten with one; READ_PAD bytes after it may be read
 * @returns rows filled; consumed bytes, extras and refused records stand in the struct. Fewer bytes than given are consumed when
 *   rows, extras, arena or the list of refused records are full: call again with the rest.
 */
export function extract(x: usize, start: usize, end: usize): u32 {
  openAreas(x);
  openPlan(x);
  openLog(x);
  openMembers(x);
  openParser(x);
  openTables(x);
  openMessage(x);
  openGaps(x);
  openAhead(x);
  openExact(x);
  forgetNumbers();
  bad = load<u32>(x, EXTRACT_BAD);
  badCapacity = load<u32>(x, EXTRACT_BAD_CAPACITY);
  badCount = 0;
  inArray = load<u32>(x, EXTRACT_IN_ARRAY);
  const alwaysParse = (load<u32>(x, EXTRACT_FLAGS) & EXTRACT_FLAG_PARSE) != 0;
  let skip = load<u32>(x, EXTRACT_SKIP_RECORDS);
  let budget = <i32>load<u32>(x, EXTRACT_BUDGET);
  let missedTotal: u32 = 0;
  let learnedTotal: u32 = 0;

  if (end > start && load<u8>(end - 1) != LINE_FEED) store<u8>(end, LINE_FEED);
  let p = start;
  if (load<u32>(x, EXTRACT_INPUT_START)) {
    store<u32>(x, 0, EXTRACT_INPUT_START);
    if (end - start >= 3 && load<u16>(p) == 0xbbef && load<u8>(p, 2) == 0xbf) p += 3;
  }
  let row: u32 = 0;
  while (p < end && badCount < badCapacity) {
    if (aheadFrom()) {
      if (p == aheadFrom()) {
        row += takeAhead(row);
        p = aheadEnd();
        continue;
      }
      if (row == rowLimit()) dropAhead();
    }
    if (row == ROW_CAP) break;
    const from = p;
    const logStart = logMark();
    const arenaStart = arenaMark();
    const badBefore = badCount;
    const arrayBefore = inArray;
    gotRow = false;
    if (inArray) p = arrayStep(p, row);
    else if (load<u8>(p) != 0x7b) {
      p = oddLine(p);
      continue;
    } else if (skip || alwaysParse) {
      if (skip) skip--;
      p = oddRecord(p, row);
    } else {
      resetGapCounts();
      p = gapRecord(from, row, end);
      const learnedHere = learnedGaps();
      missedTotal += missedGaps();
      learnedTotal += learnedHere;
      budget += <i32>(missedGaps() + learnedHere * 6) - 10 * <i32>(1 + recordsAhead());
      if (p) {
        recordStart = from;
        recordEnd = gapRecordEnd();
        gotRow = true;
      } else {
        rollBack(row, logStart, arenaStart);
        budget += 16;
        p = oddRecord(from, row);
      }
      if (budget < 0) budget = 0;
      else if (budget > BUDGET_CAP) {
        budget = 0;
        skip = SKIP_SPAN;
        if (tablesFull()) {
          // Nothing new can be learned: let the parser work for a while, then begin afresh, ever more rarely.
          const span = min(max(load<u32>(x, EXTRACT_SKIP_SPAN), SKIP_SPAN) << 1, SKIP_SPAN_CAP);
          store<u32>(x, span, EXTRACT_SKIP_SPAN);
          skip = span;
          stopAhead();
          forget();
        }
      }
    }
    if (gotRow) {
      const message = messageCell(row);
      if (message) readMessage(message, recordStart, row);
    }
    if (refusedValues()) {
      if (aheadFrom()) {
        // Perhaps only for what was read ahead: once more, alone.
        dropAhead();
        rollBack(row, logStart, arenaStart);
        badCount = badBefore;
        inArray = arrayBefore;
        p = from;
        continue;
      }
      if (areasWereEmpty(logStart, arenaStart)) acceptRefusals();
      else {
        // The record does not fit beside its predecessors: it opens the next call.
        rollBack(row, logStart, arenaStart);
        badCount = badBefore;
        inArray = arrayBefore;
        p = from;
        break;
      }
    }
    if (!gotRow) {
      rollBack(row, logStart, arenaStart);
      continue;
    }
    noteRow(row, recordStart, recordEnd);
    row++;
  }
  store<u32>(x, badCount, EXTRACT_BAD_COUNT);
  store<u32>(x, inArray, EXTRACT_IN_ARRAY);
  store<u32>(x, <u32>(min(p, end) - start), EXTRACT_CONSUMED);
  store<u32>(x, skip, EXTRACT_SKIP_RECORDS);
  store<u32>(x, <u32>budget, EXTRACT_BUDGET);
  store<u32>(x, load<u32>(x, EXTRACT_COUNT_MISSED) + missedTotal, EXTRACT_COUNT_MISSED);
  store<u32>(x, load<u32>(x, EXTRACT_COUNT_LEARNED) + learnedTotal, EXTRACT_COUNT_LEARNED);
  closeAhead(x);
  closeExact(x);
  closeMessage(x);
  closeParser(x);
  closeAreas(x, row);
  return row;
}
