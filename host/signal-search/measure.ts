import type { Spread } from "./column.ts";
import type { Deadline } from "./deadline.ts";
import { fieldColumn } from "./field-column.ts";
import type { Compute } from "./rollup.ts";
import type { SignalIndex, TextColumn } from "./signal-index.ts";

/** Null: nothing to measure. */
export type Measured = number | null;

/** Bits of a table that tells which values a group has had. */
const MOST_TABLE_BITS = 1 << 28;
/** Values that are looked at together. */
const PIECE_VALUES = 1 << 20;

/** One aggregation over groups of rows: `groups[i]` is the group of `rows[i]`, 0 to `count - 1`. Rows ascend. */
export function measure(index: SignalIndex, rows: Uint32Array, groups: Uint32Array, count: number, { aggregation, percentile = 0, field }: Compute, deadline: Deadline): (group: number) => Measured {
  const column = field && fieldColumn(index, field);
  switch (aggregation) {
    case "count": {
      const counts = new Float64Array(count);
      if (!field) for (let i = 0; i < rows.length; i++) counts[groups[i]!]!++;
      // Of a field: signals that have it.
      else if (column) {
        let last = -1;
        for (const { first, at, codes } of pieces(column, rows, deadline)) {
          for (let entry = 0; entry < codes.length; entry++) {
            const i = first + (at ? at[entry]! : entry);
            if (codes[entry] !== 0 && i !== last) counts[groups[(last = i)]!]!++;
          }
        }
      }
      return (group) => counts[group]!;
    }
    case "cardinality":
      return distinct(column, rows, groups, count);
    case "sum":
    case "avg":
    case "min":
    case "max": {
      const sums = new Float64Array(count);
      const counts = new Float64Array(count);
      const least = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
      const most = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
      numbersOf(column, rows, deadline, (i, number) => {
        const group = groups[i]!;
        counts[group]!++;
        sums[group]! += number;
        if (number < least[group]!) least[group] = number;
        if (number > most[group]!) most[group] = number;
      });
      return (group) => {
        if (counts[group] === 0) return null;
        return aggregation === "sum" ? sums[group]! : aggregation === "avg" ? sums[group]! / counts[group]! : aggregation === "min" ? least[group]! : most[group]!;
      };
    }
    case "percentile": {
      // All numbers, group after group.
      const starts = new Uint32Array(count + 1);
      numbersOf(column, rows, deadline, (i) => starts[groups[i]! + 1]!++);
      for (let group = 0; group < count; group++) starts[group + 1]! += starts[group]!;
      const numbers = new Float64Array(starts[count]!);
      const at = starts.slice();
      numbersOf(column, rows, deadline, (i, number) => (numbers[at[groups[i]!]!++] = number));
      deadline.check();
      return (group) => percentileOf(numbers.subarray(starts[group], starts[group + 1]), percentile);
    }
  }
}

function numbersOf(column: TextColumn | undefined, rows: Uint32Array, deadline: Deadline, take: (i: number, number: number) => void): void {
  if (!column) return;
  const numbers = column.dictionary.numbers();
  for (const { first, at, codes } of pieces(column, rows, deadline)) {
    for (let entry = 0; entry < codes.length; entry++) {
      const code = codes[entry]!;
      if (code === 0) continue;
      const number = numbers[code]!;
      if (!Number.isNaN(number)) take(first + (at ? at[entry]! : entry), number);
    }
  }
}

/** The values of rows, so many at a time; each piece's rows are counted from its `first`. */
function* pieces(column: TextColumn, rows: Uint32Array, deadline: Deadline): Generator<Spread & { readonly first: number }> {
  for (let first = 0; first < rows.length; ) {
    deadline.check();
    const spread = column.spread(rows.subarray(first), PIECE_VALUES);
    yield { ...spread, first };
    first += spread.rows;
  }
}

function distinct(column: TextColumn | undefined, rows: Uint32Array, groups: Uint32Array, count: number): (group: number) => number {
  const counts = new Float64Array(count);
  const values = (column?.dictionary.count ?? 0) + 1;
  if (column && count * values <= MOST_TABLE_BITS) {
    const seen = new Uint32Array((count * values + 31) >>> 5);
    column.each(rows, (i, code) => {
      if (code < 0) return;
      const bit = groups[i]! * values + code;
      if ((seen[bit >>> 5]! & (1 << (bit & 31))) !== 0) return;
      seen[bit >>> 5]! |= 1 << (bit & 31);
      counts[groups[i]!]!++;
    });
  } else if (column) {
    const seen = new Set<number>();
    column.each(rows, (i, code) => {
      if (code < 0) return;
      const key = groups[i]! * values + code;
      if (seen.has(key)) return;
      seen.add(key);
      counts[groups[i]!]!++;
    });
  }
  return (group) => counts[group]!;
}

/**
 * The number at a share of the way through them in order, by nearest rank: the smallest that at least that share is not above.
 * Changes their order. Null of none.
 */
export function percentileOf(numbers: Float64Array, share: number): Measured {
  if (numbers.length === 0) return null;
  const rank = Math.min(numbers.length - 1, Math.max(0, Math.ceil(share * numbers.length) - 1));
  let [low, high] = [0, numbers.length - 1];
  // Quickselect, from the middle of three.
  while (low < high) {
    const [a, b, c] = [numbers[low]!, numbers[(low + high) >>> 1]!, numbers[high]!];
    const pivot = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    let [left, right] = [low, high];
    while (left <= right) {
      while (numbers[left]! < pivot) left++;
      while (numbers[right]! > pivot) right--;
      if (left > right) break;
      const swapped = numbers[left]!;
      numbers[left++] = numbers[right]!;
      numbers[right--] = swapped;
    }
    if (rank <= right) high = right;
    else if (rank >= left) low = left;
    else break;
  }
  return numbers[rank]!;
}
