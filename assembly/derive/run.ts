import {
  COLUMN_BLANK, COLUMN_CELLS, COLUMN_EXTRA_COUNT, COLUMN_ROWS, KIND_STRING, ROW_WORD_BYTES, STEP_BYTES, STEP_COALESCE, STEP_DEFAULT, STEP_EXTRA, STEP_KIND,
  STEP_LENGTH, STEP_MASK, STEP_OWN, STEP_SET, STEP_SOURCE, STEP_STATUS, STEP_TAGS, STEP_TAG_KEYS, STEP_TARGET, STEP_TEXT,
} from "../layout";
import { COALESCED_FULL, coalesce, fillConstant } from "./coalesce";
import { normalizeStatus } from "./status";
import { deriveTags } from "./tags";

const moved: usize = memory.data(512 + 16);

// @ts-ignore: decorator
@inline
function textCell(step: usize): u64 {
  return <u64>load<u32>(step, STEP_TEXT) | (<u64>load<u32>(step, STEP_LENGTH) << 32) | (<u64>KIND_STRING << 60);
}

/** Empties a column's cells of `rows` rows and its extras, for whoever fills it next without a word about it. */
export function clearColumn(descriptor: usize, rows: u32): void {
  memory.fill(<usize>load<u32>(descriptor, COLUMN_CELLS), 0, <usize>rows << 3);
  store<u32>(descriptor, 0, COLUMN_EXTRA_COUNT);
  store<u32>(descriptor, 0, COLUMN_BLANK);
}

/** Makes derived columns blank, u32[count] descriptors at `list`; extraction does the same for the columns it fills. Most are blank already. */
export function clearColumns(list: usize, count: u32, rows: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const descriptor = <usize>load<u32>(list + (<usize>i << 2));
    if (!load<u32>(descriptor, COLUMN_BLANK)) {
      clearColumn(descriptor, load<u32>(descriptor, COLUMN_ROWS));
      store<u32>(descriptor, 1, COLUMN_BLANK);
    }
    store<u32>(descriptor, rows, COLUMN_ROWS);
  }
}

/**
 * Runs a plan's derive steps over one batch.
 *
 * @returns 1, or 0 when a column's extras were full: the caller halves the batch and begins again.
 */
export function derive(steps: usize, count: u32, rows: u32, shared: usize, sharedLength: usize): u32 {
  if (ROW_WORD_BYTES > 512) return 0;
  let full: usize = 0;
  for (let i: u32 = 0; i < count; i++) {
    const step = steps + <usize>i * STEP_BYTES;
    const kind = load<u32>(step, STEP_KIND);
    const target = <usize>load<u32>(step, STEP_TARGET);
    const mask = <usize>load<u32>(step, STEP_MASK);
    const source = <usize>load<u32>(step, STEP_SOURCE);
    const capacity = load<u32>(step, STEP_EXTRA);
    if (kind == STEP_COALESCE) {
      // Candidates after the one that filled the last row have nothing to add.
      if (target == full) continue;
      const done = coalesce(target, source, mask, rows, capacity, load<u32>(step, STEP_OWN), moved);
      if (!done) return 0;
      full = done == COALESCED_FULL ? target : 0;
    } else if (kind == STEP_DEFAULT) fillConstant(target, mask, rows, textCell(step), false);
    else if (kind == STEP_SET) fillConstant(target, mask, rows, textCell(step), true);
    else if (kind == STEP_STATUS) normalizeStatus(target, mask, rows);
    else if (kind == STEP_TAGS || kind == STEP_TAG_KEYS) {
      const keys = <usize>load<u32>(step, STEP_TEXT);
      if (!deriveTags(source, target, capacity, keys, load<u32>(step, STEP_LENGTH), rows, shared, sharedLength, kind == STEP_TAGS)) return 0;
    }
  }
  return 1;
}
