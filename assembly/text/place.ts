import { COLUMN_BLANK, COLUMN_CELLS, COLUMN_EXTRA_CELLS, COLUMN_EXTRA_COUNT, COLUMN_EXTRA_ROWS } from "../layout";

/** Takes every value of a row out of a column, mostly because another is to stand there: the column is not blank behind it. */
export function dropRow(column: usize, row: u32): void {
  store<u32>(column, 0, COLUMN_BLANK);
  store<u64>(<usize>load<u32>(column, COLUMN_CELLS) + (<usize>row << 3), 0);
  const count = load<u32>(column, COLUMN_EXTRA_COUNT);
  if (!count) return;
  const cells = <usize>load<u32>(column, COLUMN_EXTRA_CELLS);
  const rows = <usize>load<u32>(column, COLUMN_EXTRA_ROWS);
  let kept: usize = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const at = load<u32>(rows + (i << 2));
    if (at == row) continue;
    if (kept != i) {
      store<u64>(cells + (kept << 3), load<u64>(cells + (i << 3)));
      store<u32>(rows + (kept << 2), at);
    }
    kept++;
  }
  store<u32>(column, <u32>kept, COLUMN_EXTRA_COUNT);
}
