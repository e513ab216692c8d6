import { COLUMN_BLANK, COLUMN_CELLS, COLUMN_EXTRA_CELLS, COLUMN_EXTRA_COUNT, COLUMN_EXTRA_ROWS } from "../layout";

/**
 * Adds a value to a derived column: the row's cell when it is free, else an extra. Rows must come in ascending order.
 *
 * @returns false when the column's extras are full (the caller makes the batch smaller).
 */
export function appendCell(descriptor: usize, row: u32, cell: u64, capacity: u32): bool {
  const at = <usize>load<u32>(descriptor, COLUMN_CELLS) + (<usize>row << 3);
  if (!load<u64>(at)) {
    store<u32>(descriptor, 0, COLUMN_BLANK);
    store<u64>(at, cell);
    return true;
  }
  const count = load<u32>(descriptor, COLUMN_EXTRA_COUNT);
  if (count >= capacity) return false;
  store<u64>(<usize>load<u32>(descriptor, COLUMN_EXTRA_CELLS) + (<usize>count << 3), cell);
  store<u32>(<usize>load<u32>(descriptor, COLUMN_EXTRA_ROWS) + (<usize>count << 2), row);
  store<u32>(descriptor, count + 1, COLUMN_EXTRA_COUNT);
  return true;
}
