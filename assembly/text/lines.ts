import { COLUMN_CELLS, COLUMN_EXTRA_COUNT, KIND_STRING, LINES_COLUMN, LINES_CONSUMED, LINES_ROW_END, LINES_ROW_START, ROW_CAP } from "../layout";

const NEWLINE: u32 = 10;
const RETURN: u32 = 13;

/** First newline at or after `p`, `end` when there is none. Up to 16 bytes beyond `end` may be read. */
function lineEnd(p: usize, end: usize): usize {
  if (ASC_FEATURE_SIMD) {
    const newline = i8x16.splat(<i8>NEWLINE);
    while (p < end) {
      const mask = i8x16.bitmask(i8x16.eq(v128.load(p), newline));
      if (mask) return min<usize>(p + <usize>ctz(mask), end);
      p += 16;
    }
    return end;
  }
  while (p < end && load<u8>(p) != NEWLINE) p++;
  return p;
}

// @ts-ignore: decorator
@inline
function isBlank(c: u32): bool {
  return c == 32 || (c >= 9 && c <= 13);
}

/**
 * Cuts [start, end) into lines, one row each, with the line for the column's text. Blank lines are no rows.
 *
 * @returns the number of rows; the struct says how many bytes they took.
 */
export function lines(struct: usize, start: usize, end: usize): u32 {
  const rowStart = <usize>load<u32>(struct, LINES_ROW_START);
  const rowEnd = <usize>load<u32>(struct, LINES_ROW_END);
  const column = <usize>load<u32>(struct, LINES_COLUMN);
  const cells = <usize>load<u32>(column, COLUMN_CELLS);
  store<u32>(column, 0, COLUMN_EXTRA_COUNT);
  let rows: u32 = 0;
  let p = start;
  while (p < end && rows < <u32>ROW_CAP) {
    const stop = lineEnd(p, end);
    let last = stop;
    if (last > p && load<u8>(last - 1) == RETURN) last--;
    let first = p;
    while (first < last && isBlank(load<u8>(first))) first++;
    if (first < last) {
      store<u32>(rowStart + (<usize>rows << 2), <u32>p);
      store<u32>(rowEnd + (<usize>rows << 2), <u32>last);
      store<u64>(cells + (<usize>rows << 3), <u64>p | (<u64>(last - p) << 32) | (<u64>KIND_STRING << 60));
      rows++;
    }
    p = stop + 1;
  }
  store<u32>(struct, <u32>(min<usize>(p, end) - start), LINES_CONSUMED);
  return rows;
}

/** Does a text of the column begin, behind blanks, with one of two bytes? Tells lines that hold JSON. */
export function anyBegins(column: usize, rows: u32, first: u32, second: u32): u32 {
  const cells = <usize>load<u32>(column, COLUMN_CELLS);
  for (let row: u32 = 0; row < rows; row++) {
    const cell = load<u64>(cells + (<usize>row << 3));
    if (!cell) continue;
    let p = <usize>(<u32>cell);
    const end = p + <usize>(<u32>(cell >> 32) & 0x0fffffff);
    while (p < end && isBlank(load<u8>(p))) p++;
    if (p < end && (load<u8>(p) == first || load<u8>(p) == second)) return 1;
  }
  return 0;
}
