import { EXTRACT_COUNT_PARSED, EXTRACT_ROOT, REASON_TRAILING_BYTES } from "../layout";
import { fault } from "./fault";
import { resetMembers } from "./members";
import { lastInstance, parseValue } from "./parse";
import { commitLog, resetLog } from "./recordlog";
import { skipBlanks } from "./text";

/** Records read by the parser, whatever their shape. */

const LINE_FEED: u32 = 0x0a;

let root: u32 = 0;
let parsed: u32 = 0;
let recordEnd: usize = 0;

export function openExact(x: usize): void {
  root = load<u32>(x, EXTRACT_ROOT);
  parsed = 0;
}

export function closeExact(x: usize): void {
  store<u32>(x, load<u32>(x, EXTRACT_COUNT_PARSED) + parsed, EXTRACT_COUNT_PARSED);
}

/** One past the last byte of the record read last. */
export function exactEnd(): usize {
  return recordEnd;
}

/** One past the record at p, whose values are in the record log; 0 with a reason when it is not JSON. */
export function parseRecord(p: usize): usize {
  parsed++;
  resetLog();
  resetMembers(lastInstance());
  recordEnd = parseValue(p, root, 0);
  return recordEnd;
}

/** Reads the record at p into the columns of its row; answers where the next may begin, 0 with a reason when what stands there is refused. */
export function exactRecord(p: usize, row: u32): usize {
  const end = parseRecord(p);
  if (!end) return 0;
  let next = skipBlanks(end);
  const c = <u32>load<u8>(next);
  if (c == LINE_FEED) next++;
  else if (c != 0x7b) return fault(REASON_TRAILING_BYTES);
  commitLog(row);
  return next;
}
