import {
  AGGREGATE_CARDINALITY, AGGREGATE_NUMBER, AGGREGATE_TEXTS, COLUMN_BYTES, COLUMN_CELLS, COLUMN_EXTRA_CELLS, COLUMN_EXTRA_COUNT, COLUMN_EXTRA_ROWS,
  EMIT_CAPACITY, EMIT_COLUMNS, EMIT_COUNT, EMIT_HIGHS, EMIT_IDS, EMIT_KEYS, EMIT_KEYS_END, EMIT_KEYS_USED, EMIT_OUT_EVENT_LENGTH,
  EMIT_OUT_EVENT_START, EMIT_OUT_HIGH, EMIT_OUT_ID, EMIT_OUT_KEY_HASH, EMIT_OUT_KEY_LENGTH, EMIT_OUT_KEY_START, EMIT_OUT_ROW,
  EMIT_OUT_STANDING, EMIT_OUT_TIME, EMIT_OUT_VALUE, EMIT_ROW_BASE, EMIT_ROW_END, EMIT_ROW_START, EMIT_SHAPES, EMIT_TIMES,
  GROUP_COMBINATIONS, KIND_BOOLEAN, KIND_NUMBER, SHAPE_AGGREGATION, SHAPE_GROUPS, SHAPE_GROUP_COLUMNS, SHAPE_LIST_CAP, SHAPE_OPTIONAL,
  SHAPE_VALUES, SHAPE_VALUE_COLUMNS,
} from "../layout";
import { decimalOf } from "./decimal";
import { hashText, mix64 } from "./hash";

const KEY_SEED: u64 = 0x5bd1e9955bd1e995;
const VALUE_SEED: u64 = 0xd6e8feb86659fd93;
const ID_SEED: u64 = 0x2545f4914f6cdd1d;
const ABSENT: u64 = 0xffffffffffffffff;

// The values of each list position for the row at hand: up to 32 cells for each of 8 group fields, and for the value field.
const LIST_STRIDE: usize = 256; // GROUP_COMBINATIONS cells
const lists: usize = memory.data(2304);
const listCounts: usize = memory.data(36);
/** Behind those of the group fields. */
const VALUES_LIST: usize = SHAPE_LIST_CAP;
const notAvailable: usize = memory.data<u8>([0x4e, 0x2f, 0x41, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const keyHashes: usize = memory.data(256);

/** First extra of `row` at or after binary search: extras of a column are in row order. */
function firstExtra(rows: usize, count: u32, row: u32): u32 {
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(rows + (<usize>middle << 2)) < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Gathers the values of `column` in `row` into list `position`; at most 32. */
function gather(columns: usize, column: u32, row: u32, position: usize): u32 {
  const descriptor = columns + <usize>column * COLUMN_BYTES;
  const out = lists + position * LIST_STRIDE;
  let count: u32 = 0;
  const cell = load<u64>(<usize>load<u32>(descriptor, COLUMN_CELLS) + (<usize>row << 3));
  if (cell) {
    store<u64>(out, cell);
    count = 1;
  }
  const extras = load<u32>(descriptor, COLUMN_EXTRA_COUNT);
  if (extras) {
    const rows = <usize>load<u32>(descriptor, COLUMN_EXTRA_ROWS);
    const cells = <usize>load<u32>(descriptor, COLUMN_EXTRA_CELLS);
    for (let i = firstExtra(rows, extras, row); i < extras && load<u32>(rows + (<usize>i << 2)) == row; i++) {
      if (count == <u32>GROUP_COMBINATIONS) break;
      store<u64>(out + (<usize>count << 3), load<u64>(cells + (<usize>i << 3)));
      count++;
    }
  }
  store<u32>(listCounts + (position << 2), count);
  return count;
}

// @ts-ignore: decorator
@inline
function cellText(cell: u64): usize {
  return <usize>(<u32>cell);
}
// @ts-ignore: decorator
@inline
function cellLength(cell: u64): usize {
  return <usize>((<u32>(cell >> 32)) & 0x0fffffff);
}

/** The metric of a row as the bits of an f64: number cells, and text that is wholly a decimal number. */
function metricOf(columns: usize, column: u32, row: u32): u64 {
  const n = gather(columns, column, row, VALUES_LIST);
  const list = lists + VALUES_LIST * LIST_STRIDE;
  for (let i: u32 = 0; i < n; i++) {
    const cell = load<u64>(list + (<usize>i << 3));
    if (<u32>(cell >> 60) == KIND_BOOLEAN) continue;
    const number = decimalOf(cellText(cell), cellLength(cell));
    if (number == number) return reinterpret<u64>(number);
  }
  return ABSENT;
}

let outCount: u32 = 0;
let keysTop: usize = 0;

function put(e: usize, standing: u32, row: u32, hash: u64, value: u64, keyStart: usize, keyLength: usize): void {
  const i = <usize>outCount;
  store<f64>(<usize>load<u32>(e, EMIT_OUT_TIME) + (i << 3), load<f64>(<usize>load<u32>(e, EMIT_TIMES) + (<usize>row << 3)));
  store<f64>(<usize>load<u32>(e, EMIT_OUT_HIGH) + (i << 3), load<f64>(<usize>load<u32>(e, EMIT_HIGHS) + (<usize>row << 3)));
  store<u64>(<usize>load<u32>(e, EMIT_OUT_KEY_HASH) + (i << 3), hash);
  store<u64>(<usize>load<u32>(e, EMIT_OUT_VALUE) + (i << 3), value);
  store<u32>(<usize>load<u32>(e, EMIT_OUT_STANDING) + (i << 2), standing);
  store<u32>(<usize>load<u32>(e, EMIT_OUT_ROW) + (i << 2), row + load<u32>(e, EMIT_ROW_BASE));
  store<u32>(<usize>load<u32>(e, EMIT_OUT_KEY_START) + (i << 2), <u32>keyStart);
  store<u32>(<usize>load<u32>(e, EMIT_OUT_KEY_LENGTH) + (i << 2), <u32>keyLength);
  const start = load<u32>(<usize>load<u32>(e, EMIT_ROW_START) + (<usize>row << 2));
  store<u32>(<usize>load<u32>(e, EMIT_OUT_EVENT_START) + (i << 2), start);
  store<u32>(<usize>load<u32>(e, EMIT_OUT_EVENT_LENGTH) + (i << 2), load<u32>(<usize>load<u32>(e, EMIT_ROW_END) + (<usize>row << 2)) - start);
  outCount++;
}

// Number of value hashes in `values`, and the hashes: one for most events, several for an array under one distinct field.
const values: usize = memory.data(256);

function gatherValues(columns: usize, shape: usize, row: u32): u32 {
  const aggregation = load<u8>(shape, SHAPE_AGGREGATION);
  if (aggregation == AGGREGATE_NUMBER) {
    store<u64>(values, metricOf(columns, load<u32>(shape, SHAPE_VALUE_COLUMNS), row));
    return 1;
  }
  store<u64>(values, aggregation == AGGREGATE_CARDINALITY ? ABSENT : 0);
  if (aggregation != AGGREGATE_CARDINALITY) return 1;
  const fields = <u32>load<u8>(shape, SHAPE_VALUES);
  const list = lists + VALUES_LIST * LIST_STRIDE;
  if (fields == 1) {
    const n = gather(columns, load<u32>(shape, SHAPE_VALUE_COLUMNS), row, VALUES_LIST);
    for (let i: u32 = 0; i < n; i++) {
      const cell = load<u64>(list + (<usize>i << 3));
      store<u64>(values + (<usize>i << 3), hashText(cellText(cell), cellLength(cell), VALUE_SEED));
    }
    return n ? n : 1;
  }
  let hash = VALUE_SEED;
  for (let f: u32 = 0; f < fields; f++) {
    const n = gather(columns, load<u32>(shape + (<usize>f << 2), SHAPE_VALUE_COLUMNS), row, VALUES_LIST);
    if (!n) return 1;
    for (let i: u32 = 0; i < n; i++) {
      const cell = load<u64>(list + (<usize>i << 3));
      hash = mix64(hashText(cellText(cell), cellLength(cell), hash), <u64>f);
    }
  }
  store<u64>(values, hash);
  return 1;
}

/** Puts the texts of the row's value fields behind the keys; false when there is no room. */
function putTexts(columns: usize, shape: usize, row: u32, keysEnd: usize): bool {
  const start = keysTop;
  const fields = <u32>load<u8>(shape, SHAPE_VALUES);
  const list = lists + VALUES_LIST * LIST_STRIDE;
  for (let f: u32 = 0; f < fields; f++) {
    const n = gather(columns, load<u32>(shape + (<usize>f << 2), SHAPE_VALUE_COLUMNS), row, VALUES_LIST);
    if (keysTop + 8 > keysEnd) return false;
    store<u32>(keysTop, n);
    keysTop += 4;
    for (let i: u32 = 0; i < n; i++) {
      const cell = load<u64>(list + (<usize>i << 3));
      const length = cellLength(cell);
      if (keysTop + 4 + length + 16 > keysEnd) return false;
      store<u32>(keysTop, <u32>length);
      memory.copy(keysTop + 4, cellText(cell), length);
      keysTop += 4 + length;
    }
  }
  store<u64>(values, <u64>start | (<u64>(keysTop - start) << 32));
  return true;
}

/** Writes the records of one (standing query, row) pair. False when an output area is full; nothing of the pair remains then. */
function emitPair(e: usize, standing: u32, row: u32): bool {
  const columns = <usize>load<u32>(e, EMIT_COLUMNS);
  const shape = <usize>load<u32>(<usize>load<u32>(e, EMIT_SHAPES) + (<usize>standing << 2));
  const groups = <u32>load<u8>(shape, SHAPE_GROUPS);
  const optional = load<u8>(shape, SHAPE_OPTIONAL);
  let combinations: u32 = 1;
  for (let g: u32 = 0; g < groups; g++) {
    let n = gather(columns, load<u32>(shape + (<usize>g << 2), SHAPE_GROUP_COLUMNS), row, <usize>g);
    if (!n) {
      if (!optional) return true;
      store<u64>(lists + <usize>g * LIST_STRIDE, <u64>notAvailable | (3 << 32) | (1 << 60));
      store<u32>(listCounts + (<usize>g << 2), 1);
      n = 1;
    }
    combinations *= n;
    if (combinations > <u32>GROUP_COMBINATIONS) combinations = <u32>GROUP_COMBINATIONS;
  }
  const keysEnd = <usize>load<u32>(e, EMIT_KEYS_END);
  const firstOut = outCount;
  const firstKey = keysTop;
  // A list position of its own holds the values: the groups' stay as they are.
  const isText = load<u8>(shape, SHAPE_AGGREGATION) == AGGREGATE_TEXTS;
  const valueCount: u32 = isText ? 1 : gatherValues(columns, shape, row);
  if (outCount + combinations * valueCount > load<u32>(e, EMIT_CAPACITY)) return false;
  if (isText && !putTexts(columns, shape, row, keysEnd)) {
    keysTop = firstKey;
    return false;
  }
  for (let c: u32 = 0; c < combinations; c++) {
    let hash = KEY_SEED;
    const keyStart = keysTop;
    let rest = c;
    // The last field turns fastest, so the first 32 combinations are those of the first values.
    for (let g: i32 = <i32>groups - 1; g >= 0; g--) {
      const n = load<u32>(listCounts + (<usize>g << 2));
      store<u32>(keyHashes + (<usize>g << 2), rest % n);
      rest /= n;
    }
    for (let g: u32 = 0; g < groups; g++) {
      const cell = load<u64>(lists + <usize>g * LIST_STRIDE + (<usize>load<u32>(keyHashes + (<usize>g << 2)) << 3));
      const n = cellLength(cell);
      if (keysTop + 4 + n + 16 > keysEnd) {
        outCount = firstOut;
        keysTop = firstKey;
        return false;
      }
      hash = hashText(cellText(cell), n, hash);
      store<u32>(keysTop, <u32>n);
      memory.copy(keysTop + 4, cellText(cell), n);
      keysTop += 4 + n;
    }
    const keyLength = keysTop - keyStart;
    // An array may name one group twice; the event belongs to it once.
    let seen = false;
    if (combinations > 1) {
      const hashes = <usize>load<u32>(e, EMIT_OUT_KEY_HASH);
      for (let i = firstOut; i < outCount; i++) if (load<u64>(hashes + (<usize>i << 3)) == hash) seen = true;
    }
    if (seen) {
      keysTop = keyStart;
      continue;
    }
    for (let v: u32 = 0; v < valueCount; v++) put(e, standing, row, hash, load<u64>(values + (<usize>v << 3)), keyStart, keyLength);
  }
  return true;
}

/** Is the number's canonical text that of a whole number below 9e15, which a double holds exactly? */
function isExact(p: usize, n: usize): bool {
  if (load<u8>(p) == 0x2d) {
    p++;
    n--;
  }
  if (n > 16 || (n == 16 && load<u8>(p) == 0x39)) return false;
  for (const end = p + n; p < end; p++) if (<u32>load<u8>(p) - 0x30 > 9) return false;
  return true;
}

/**
 * Hash of the first id the row has, text or number, which differ; 0 = none. An empty text is none, nor is true or false; a number that
 * several spellings round to ends the search: the row has an id that nobody knows.
 */
function idOf(ids: usize, columns: usize, row: u32): u64 {
  const end = ids + 4 + (<usize>load<u32>(ids) << 2);
  for (let at = ids + 4; at < end; at += 4) {
    const cell = load<u64>(<usize>load<u32>(columns + <usize>load<u32>(at) * COLUMN_BYTES, COLUMN_CELLS) + (<usize>row << 3));
    const kind = <u32>(cell >> 60);
    if (!cellLength(cell) || kind == KIND_BOOLEAN) continue;
    if (kind == KIND_NUMBER && !isExact(cellText(cell), cellLength(cell))) return 0;
    const hash = hashText(cellText(cell), cellLength(cell), ID_SEED + kind);
    return hash ? hash : 1;
  }
  return 0;
}

/** Starts the result arrays of a task anew. */
export function emitReset(e: usize): void {
  store<u32>(e, 0, EMIT_COUNT);
  store<u32>(e, load<u32>(e, EMIT_KEYS), EMIT_KEYS_USED);
}

/**
 * Appends the records of `count` (standing u32, row u32) pairs to the result arrays.
 *
 * @returns 1 when all fitted; 0 when an area was full: the arrays then stand as before the call.
 */
export function emit(e: usize, pairs: usize, count: u32): u32 {
  const before = load<u32>(e, EMIT_COUNT);
  outCount = before;
  keysTop = <usize>load<u32>(e, EMIT_KEYS_USED);
  const ids = <usize>load<u32>(e, EMIT_IDS);
  let idRow: u32 = 0xffffffff;
  let id: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const pair = pairs + (<usize>i << 3);
    const row = load<u32>(pair, 4);
    let out = outCount;
    if (!emitPair(e, load<u32>(pair), row)) return 0;
    if (!ids) continue;
    if (row != idRow) {
      id = idOf(ids, <usize>load<u32>(e, EMIT_COLUMNS), row);
      idRow = row;
    }
    for (; out < outCount; out++) store<u64>(<usize>load<u32>(e, EMIT_OUT_ID) + (<usize>out << 3), id);
  }
  store<u32>(e, outCount, EMIT_COUNT);
  store<u32>(e, <u32>keysTop, EMIT_KEYS_USED);
  return 1;
}
