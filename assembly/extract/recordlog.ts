import {
  EXTRACT_LATE_STAMPS, EXTRACT_RECORD_LOG, EXTRACT_RECORD_LOG_CAPACITY, EXTRA_LOG_BYTES, EXTRA_LOG_CELL, EXTRA_LOG_COLUMN, FEED_COLUMN,
  FEED_DEAD, RECORD_LOG_RESERVE,
} from "../layout";
import { feedValue, refuseValue } from "./area";
import { feedAt, feedCount } from "./plan";

/** Values of the record at hand in the order found, so that a repeated key can take back what its predecessor gave. */

let log: usize = 0;
let capacity: u32 = 0;
let top: u32 = 0;
let lateStamps: usize = 0;
let record: u32 = 0;

export function openLog(x: usize): void {
  log = load<u32>(x, EXTRACT_RECORD_LOG);
  capacity = load<u32>(x, EXTRACT_RECORD_LOG_CAPACITY);
  lateStamps = load<u32>(x, EXTRACT_LATE_STAMPS);
  top = 0;
}

export function resetLog(): void {
  top = 0;
  record++;
}

export function logTop(): u32 {
  return top;
}

/** True when a nearly full log still takes a value of this column: one for each. */
function late(feed: u32): bool {
  const stamp = lateStamps + (<usize>(feed & FEED_COLUMN) << 2);
  if (top == capacity || load<u32>(stamp) == record) return false;
  store<u32>(stamp, record);
  return true;
}

/** Logs a value for every column its node feeds. A cell of 0 (no room for its text) is not logged. */
export function logValue(node: u32, cell: u64): void {
  if (!cell) return;
  const count = feedCount(node);
  for (let i: u32 = 0; i < count; i++) {
    const feed = feedAt(node, i);
    if (top + RECORD_LOG_RESERVE >= capacity && !late(feed)) {
      refuseValue();
      continue;
    }
    const entry = log + <usize>top * EXTRA_LOG_BYTES;
    store<u64>(entry, cell, EXTRA_LOG_CELL);
    store<u32>(entry, feed, EXTRA_LOG_COLUMN);
    top++;
  }
}

/** Takes values start..end-1 back. */
export function killLog(start: u32, end: u32): void {
  if (end == top) {
    top = start;
    return;
  }
  for (let i = start; i < end; i++) {
    const entry = log + <usize>i * EXTRA_LOG_BYTES;
    store<u32>(entry, load<u32>(entry, EXTRA_LOG_COLUMN) | FEED_DEAD, EXTRA_LOG_COLUMN);
  }
}

/** Gives the living values to their columns. */
export function commitLog(row: u32): void {
  for (let i: u32 = 0; i < top; i++) {
    const entry = log + <usize>i * EXTRA_LOG_BYTES;
    const feed = load<u32>(entry, EXTRA_LOG_COLUMN);
    if (!(feed & FEED_DEAD)) feedValue(feed, row, load<u64>(entry, EXTRA_LOG_CELL));
  }
  top = 0;
}
