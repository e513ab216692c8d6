import {
  CAPTURE_ANY_TEXT, CAPTURE_BYTES, CAPTURE_FEEDS, CAPTURE_FEED_COUNT, CAPTURE_FILTER, CAPTURE_GROUP, CAPTURE_MEMO, CAPTURE_NUMBER, COLUMN_BLANK, COLUMN_CELLS, GROK_MASK, GROK_MATCHED, GROK_NUMBER,
  GROK_PROGRAM, GROK_RULES, GROK_SLOTS, GROK_SOURCE, KIND_STRING,
} from "../layout";
import { NO_ROOM, filtered, forget } from "./filter";
import { dropRow } from "./place";
import { GAVE_UP, runText, slots } from "./run";

// @ts-ignore: decorator
@external("host", "matchText")
declare function hostMatchText(number: u32, address: u32, length: u32, out: u32): i32;
/** Puts a rule's captures into the row; false when there is no room for the texts. */
function place(captures: usize, row: u32): bool {
  const count = load<u32>(captures);
  let capture = captures + 4;
  for (let i: u32 = 0; i < count; i++, capture += CAPTURE_BYTES) {
    const slot = slots + (<usize>load<u32>(capture, CAPTURE_GROUP) << 3);
    const from = load<u32>(slot);
    const to = load<u32>(slot, 4);
    if (!from || (to <= from && load<u32>(capture, CAPTURE_FILTER) != CAPTURE_ANY_TEXT)) continue;
    const cell = filtered(load<u32>(capture, CAPTURE_FILTER), load<u32>(capture, CAPTURE_NUMBER), load<u32>(capture, CAPTURE_MEMO), <usize>from, to - from, KIND_STRING);
    if (cell == NO_ROOM) return false;
    if (!cell) continue;
    const feeds = <usize>load<u32>(capture, CAPTURE_FEEDS);
    const feedCount = load<u32>(capture, CAPTURE_FEED_COUNT);
    for (let f: u32 = 0; f < feedCount; f++) {
      const feed = load<u32>(feeds + (<usize>f << 2));
      const column = <usize>(feed & ~3);
      const at = <usize>load<u32>(column, COLUMN_CELLS) + (<usize>row << 3);
      if (feed & 2 && load<u64>(at)) continue;
      dropRow(column, row);
      if (!(feed & 1)) store<u64>(at, cell);
    }
  }
  return true;
}

function forgetAll(struct: usize, ruleCount: u32): void {
  const rules = <usize>load<u32>(struct, GROK_RULES);
  for (let r: u32 = 0; r < ruleCount; r++) {
    const captures = <usize>load<u32>(rules + (<usize>r << 2));
    const count = load<u32>(captures);
    for (let i: u32 = 0; i < count; i++) forget(load<u32>(captures + 4 + <usize>i * CAPTURE_BYTES, CAPTURE_MEMO));
  }
}

/**
 * Lays the step's rules on every text of its source column and puts what they capture into columns.
 *
 * @returns 0 when there is no room for the texts filters make: the caller takes fewer rows.
 */
export function grok(struct: usize, rows: u32, ruleCount: u32): u32 {
  forgetAll(struct, ruleCount);
  const program = <usize>load<u32>(struct, GROK_PROGRAM);
  const number = load<u32>(struct, GROK_NUMBER);
  const cells = <usize>load<u32>(<usize>load<u32>(struct, GROK_SOURCE), COLUMN_CELLS);
  const mask = <usize>load<u32>(struct, GROK_MASK);
  const rules = <usize>load<u32>(struct, GROK_RULES);
  const slotCount = load<u32>(struct, GROK_SLOTS);
  const matched = <usize>load<u32>(struct, GROK_MATCHED);
  if (matched) memory.fill(matched, 0, (<usize>rows >> 3) + 1);
  if (load<u32>(<usize>load<u32>(struct, GROK_SOURCE), COLUMN_BLANK)) return 1;
  for (let row: u32 = 0; row < rows; row++) {
    if (mask && !((load<u8>(mask + (row >> 3)) >> <u8>(row & 7)) & 1)) continue;
    const cell = load<u64>(cells + (<usize>row << 3));
    if (!cell) continue;
    const start = <usize>(<u32>cell);
    const length = <u32>(cell >> 32) & 0x0fffffff;
    let rule = runText(program, slotCount, start, start + <usize>length);
    if (rule == GAVE_UP) rule = hostMatchText(number, <u32>start, length, <u32>slots);
    if (rule < 0) continue;
    if (matched) store<u8>(matched + (row >> 3), load<u8>(matched + (row >> 3)) | (<u8>1 << <u8>(row & 7)));
    if (!place(<usize>load<u32>(rules + (<usize>rule << 2)), row)) return 0;
  }
  return 1;
}
