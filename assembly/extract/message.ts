import { EXTRACT_CELLS, EXTRACT_COUNT_NESTED, EXTRACT_MESSAGE_COLUMN, EXTRACT_MESSAGE_NODE, KIND_STRING, NO_COLUMN, ROW_CAP } from "../layout";
import { arenaMark, commitText, refuseValue, reserve } from "./area";
import { resetMembers } from "./members";
import { lastInstance, parseValue, parseValueBesideWire } from "./parse";
import { sameBytes } from "./plan";
import { commitLog, resetLog } from "./recordlog";
import { hadEscapes, skipBlanks, stringEnd, textCell, unescapedCell } from "./text";
import { addWireName, openWire, resetWire } from "./wire";

/** JSON inside the message: read when the message is exactly one object. */

const LINE_FEED: u32 = 0x0a;
/** message, msg, log: the first that is a string becomes the message. */
const MESSAGE: usize = memory.data<u8>([0x6d, 0x65, 0x73, 0x73, 0x61, 0x67, 0x65, 0]);
const MSG: usize = memory.data<u8>([0x6d, 0x73, 0x67, 0, 0, 0, 0, 0]);
const LOG: usize = memory.data<u8>([0x6c, 0x6f, 0x67, 0, 0, 0, 0, 0]);

let cells: usize = 0;
let node: u32 = 0;
let nested: u32 = 0;
let nestedMessage: u64 = 0;
let nestedMsg: u64 = 0;
let nestedLog: u64 = 0;
let wireMessageIsText: bool = false;

export function openMessage(x: usize): void {
  const column = load<u32>(x, EXTRACT_MESSAGE_COLUMN);
  cells = column == NO_COLUMN ? 0 : load<u32>(x, EXTRACT_CELLS) + column * (ROW_CAP * 8);
  node = load<u32>(x, EXTRACT_MESSAGE_NODE);
  nested = 0;
  if (cells) openWire(x);
}

export function closeMessage(x: usize): void {
  store<u32>(x, load<u32>(x, EXTRACT_COUNT_NESTED) + nested, EXTRACT_COUNT_NESTED);
}

/** The row's message when it may be an object: its first byte is a brace or a blank. */
// @ts-ignore: decorator
@inline
export function messageCell(row: u32): u64 {
  if (!cells) return 0;
  const cell = load<u64>(cells + (<usize>row << 3));
  if (<u32>(cell >> 60) != KIND_STRING || !(<u32>(cell >> 32) & 0x0fffffff)) return 0;
  const first = <u32>load<u8>(<usize><u32>cell);
  return first == 0x7b || first <= 0x20 ? cell : 0;
}

/** Copies the text with carriage returns for line feeds, which mean the same in JSON, and a line feed at its end; 0 when there is no room. */
function copyText(cell: u64): usize {
  const length = <usize>(<u32>(cell >> 32) & 0x0fffffff);
  const copy = reserve(length + 1);
  if (!copy) {
    refuseValue();
    return 0;
  }
  memory.copy(copy, <usize><u32>cell, length);
  for (let p = copy; p < copy + length; p++) if (load<u8>(p) == LINE_FEED) store<u8>(p, 0x0d);
  store<u8>(copy + length, LINE_FEED);
  commitText(copy + length + 1);
  return copy;
}

/** Notes one top-level member of the wire record. */
function noteWire(key: usize, length: usize, value: usize): bool {
  if (length == 7 && sameBytes(key, MESSAGE, 7)) wireMessageIsText = load<u8>(value) == 0x22;
  return addWireName(key, length);
}

/** Notes a top-level member of the nested object that may become the message. */
function noteNested(key: usize, length: usize, value: usize): void {
  const isMessage = length == 7 && sameBytes(key, MESSAGE, 7);
  const isMsg = length == 3 && sameBytes(key, MSG, 3);
  if (!isMessage && !isMsg && !(length == 3 && sameBytes(key, LOG, 3))) return;
  let cell: u64 = 0;
  if (load<u8>(value) == 0x22) {
    const end = stringEnd(value + 1);
    cell = hadEscapes() ? unescapedCell(value + 1, end) : textCell(value + 1, end);
  }
  if (isMessage) nestedMessage = cell;
  else if (isMsg) nestedMsg = cell;
  else nestedLog = cell;
}

/** Walks the members of an object known to be JSON; false when its names do not fit. */
function eachMember(p: usize, wire: bool): bool {
  p = skipBlanks(p + 1);
  if (load<u8>(p) == 0x7d) return true;
  while (true) {
    const end = stringEnd(p + 1);
    let key = p + 1;
    let length = end - key;
    if (hadEscapes()) {
      const cell = unescapedCell(key, end);
      if (!cell) return false;
      key = <usize><u32>cell;
      length = <usize>(<u32>(cell >> 32) & 0x0fffffff);
    }
    const value = skipBlanks(skipBlanks(end + 1) + 1);
    if (wire) {
      if (!noteWire(key, length, value)) return false;
    } else noteNested(key, length, value);
    p = skipBlanks(parseValue(value, 0, 1));
    if (load<u8>(p) == 0x7d) return true;
    p = skipBlanks(p + 1);
  }
}

/**
 * Reads the object a message holds into the row's columns, where the wire record at `record` has no top-level member of that name, and
 * makes the nested message the row's message. Does nothing when the message is not exactly one JSON object.
 */
export function readMessage(cell: u64, record: usize, row: u32): void {
  const mark = arenaMark();
  if (!readNested(cell, record, row)) commitText(mark);
}

function readNested(cell: u64, record: usize, row: u32): bool {
  const text = copyText(cell);
  if (!text) return false;
  const start = skipBlanks(text);
  if (load<u8>(start) != 0x7b) return false;
  // First as a check: most messages that begin with a brace and are not JSON end here.
  const end = parseValue(start, 0, 0);
  if (!end || skipBlanks(end) != text + <usize>(<u32>(cell >> 32) & 0x0fffffff)) return false;
  resetWire(lastInstance() + 1);
  wireMessageIsText = false;
  if (!eachMember(record, true) || !wireMessageIsText) return false;
  nested++;
  nestedMessage = 0;
  nestedMsg = 0;
  nestedLog = 0;
  eachMember(start, false);
  resetLog();
  resetMembers(lastInstance());
  if (node) parseValueBesideWire(start, node);
  commitLog(row);
  const message = nestedMessage ? nestedMessage : nestedMsg ? nestedMsg : nestedLog;
  if (message) store<u64>(cells + (<usize>row << 3), message);
  return true;
}
