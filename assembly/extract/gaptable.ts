import {
  EXTRACT_ARRAY_BIT_NEXT, EXTRACT_BIT_NEXT, EXTRACT_CELLS, EXTRACT_COLUMN_LIST, EXTRACT_COLUMN_LIST_COUNT, EXTRACT_KEY_POOL,
  EXTRACT_KEY_POOL_END, EXTRACT_KEY_POOL_TOP, EXTRACT_LEARN_READY, EXTRACT_OWNERS, EXTRACT_ROOT, EXTRACT_SPARE_CELLS, EXTRACT_STATES,
  EXTRACT_STATE_CAPACITY, EXTRACT_STATE_MASK, EXTRACT_STATE_TABLE, EXTRACT_STATE_TOP, EXTRACT_TRANSITIONS, EXTRACT_TRANSITION_CAPACITY,
  EXTRACT_TRANSITION_TOP, FEED_COLUMN, FEED_FIRST, ROW_CAP, STATE_BYTES, TRANSITION_BYTES,
} from "../layout";
import { childOf, feedAt, feedCount, textHash, sameBytes } from "./plan";

/**
 * Learned tables of the gap automaton.
 *
 * State, STATE_BYTES: a place between two values, named by what has just been read.
 *   0  u32  parent      state of the container's holder
 *   4  u32  hash
 *   8  u32  key         bytes in the key pool
 *  12  u32  keyLength
 *  16  u8   kind        STATE_*
 *  17  u8   inArray     some array encloses it
 *  18  u16  depth       containers that enclose its value
 *  20  u32  node        plan node, 0 = not projected
 *  24  u32  alternates  transitions learned here, the last 16 are kept
 *  28  u8   bit         duplicate-key bit + 1, 65.. for those inside arrays, 0 = none
 *  32  u64  arrayMask   of an element: array bits of all keys below it
 *  48  u32  predicted[8]
 *  80  u32  alternate[16]
 *
 * Transition, TRANSITION_BYTES: the exact bytes from there to the next value.
 *   0  u8   pattern[64]
 *  64  u64  bits        keys it enters outside arrays
 *  72  u64  arrayBits   and inside
 *  80  u64  need        one bit for each byte of the pattern
 *  88  u32  length
 *  92  u32  target      state after it
 *  96  u32  type        GAP_*
 * 100  u32  cells       TEXT, SCALAR: where its value goes; MANY: the plan node
 * 104  u32  recordEnd   END: bytes of the pattern that belong to the record
 */
export const STATE_ROOT: u32 = 0;
/** After the value of a key. */
export const STATE_KEY: u32 = 1;
/** After the value of an array's element. */
export const STATE_ELEMENT: u32 = 2;
/** After the `{` of the parent's value, after its `[`, and after the comma before its next element. */
export const STATE_OPEN_OBJECT: u32 = 3;
export const STATE_OPEN_ARRAY: u32 = 4;
export const STATE_NEXT_ELEMENT: u32 = 5;
export const STATE_START: u32 = 6;

export const STATE_PARENT: usize = 0;
const STATE_HASH: usize = 4;
const STATE_KEY_AT: usize = 8;
const STATE_KEY_LENGTH: usize = 12;
export const STATE_KIND: usize = 16;
const STATE_IN_ARRAY: usize = 17;
export const STATE_DEPTH: usize = 18;
export const STATE_NODE: usize = 20;
export const STATE_ALTERNATES: usize = 24;
export const STATE_BIT: usize = 28;
export const STATE_ARRAY_MASK: usize = 32;
export const STATE_PREDICTED: usize = 48;
export const STATE_ALTERNATE: usize = 80;
export const ALTERNATE_COUNT: u32 = 16;

export const GAP_BITS: usize = 64;
export const GAP_ARRAY_BITS: usize = 72;
export const GAP_NEED: usize = 80;
export const GAP_LENGTH: usize = 88;
export const GAP_TARGET: usize = 92;
export const GAP_TYPE: usize = 96;
export const GAP_CELLS: usize = 100;
export const GAP_RECORD_END: usize = 104;
export const PATTERN_CAP: usize = 64;

/** A string for one column, or for none. */
export const GAP_TEXT: u32 = 0;
/** Another scalar for one column, or for none. */
export const GAP_SCALAR: u32 = 1;
export const GAP_END: u32 = 2;
/** The same two for a plan node's whole list of feeds. */
export const GAP_TEXT_MANY: u32 = 3;
export const GAP_SCALAR_MANY: u32 = 4;
/** No value: the gap was too long for one pattern. */
export const GAP_PASS: u32 = 5;
/** The comma after an element with keys: they may come again. */
export const GAP_ELEMENT: u32 = 6;
/** The empty prediction. */
export const GAP_NOTHING: u32 = 7;

const KEY_BITS: u32 = 64;
const OWNER_SHARED: u32 = 1;

let area: usize = 0;
let states: usize = 0;
let transitions: usize = 0;
let stateTable: usize = 0;
let stateMask: u32 = 0;

export function openTables(x: usize): void {
  area = x;
  states = load<u32>(x, EXTRACT_STATES);
  transitions = load<u32>(x, EXTRACT_TRANSITIONS);
  stateTable = load<u32>(x, EXTRACT_STATE_TABLE);
  stateMask = load<u32>(x, EXTRACT_STATE_MASK);
  if (!load<u32>(x, EXTRACT_LEARN_READY)) forget();
}

// @ts-ignore: decorator
@inline
export function rootState(): u32 {
  return <u32>states;
}
// @ts-ignore: decorator
@inline
export function startState(): u32 {
  return <u32>states + STATE_BYTES;
}

/** Drops everything learned. */
export function forget(): void {
  const x = area;
  memory.fill(stateTable, 0, (<usize>stateMask + 1) << 2);
  const columns = <usize>load<u32>(x, EXTRACT_COLUMN_LIST);
  const owners = <usize>load<u32>(x, EXTRACT_OWNERS);
  for (let i: u32 = 0; i < load<u32>(x, EXTRACT_COLUMN_LIST_COUNT); i++) {
    store<u32>(owners + (<usize>load<u32>(columns + (<usize>i << 2)) << 2), 0);
  }
  memory.fill(transitions, 0, TRANSITION_BYTES);
  store<u64>(transitions, ~0, GAP_NEED);
  store<u32>(transitions, PATTERN_CAP, GAP_LENGTH);
  store<u32>(transitions, GAP_NOTHING, GAP_TYPE);
  store<u32>(x, 1, EXTRACT_TRANSITION_TOP);
  store<u32>(x, 0, EXTRACT_STATE_TOP);
  store<u32>(x, load<u32>(x, EXTRACT_KEY_POOL), EXTRACT_KEY_POOL_TOP);
  store<u32>(x, 0, EXTRACT_BIT_NEXT);
  store<u32>(x, 0, EXTRACT_ARRAY_BIT_NEXT);
  store<u32>(newState(STATE_ROOT), load<u32>(x, EXTRACT_ROOT), STATE_NODE);
  newState(STATE_START);
  store<u32>(x, 1, EXTRACT_LEARN_READY);
}

function newState(kind: u32): u32 {
  const top = load<u32>(area, EXTRACT_STATE_TOP);
  if (top == load<u32>(area, EXTRACT_STATE_CAPACITY)) return 0;
  store<u32>(area, top + 1, EXTRACT_STATE_TOP);
  const state = <u32>(states + <usize>top * STATE_BYTES);
  memory.fill(state, 0, STATE_BYTES);
  store<u8>(state, kind, STATE_KIND);
  for (let i: usize = STATE_PREDICTED; i < <usize>STATE_BYTES; i += 4) store<u32>(<usize>state + i, <u32>transitions);
  return state;
}

/** True when no more can be learned until the tables are forgotten. */
export function tablesFull(): bool {
  return load<u32>(area, EXTRACT_STATE_TOP) == load<u32>(area, EXTRACT_STATE_CAPACITY)
    || load<u32>(area, EXTRACT_TRANSITION_TOP) == load<u32>(area, EXTRACT_TRANSITION_CAPACITY)
    || load<u32>(area, EXTRACT_KEY_POOL_TOP) + 4096 > load<u32>(area, EXTRACT_KEY_POOL_END);
}

/** The state of a kind below a parent, with a key when it has one; 0 when there is no room for it. */
export function stateOf(parent: u32, kind: u32, key: usize, length: usize): u32 {
  const hash = textHash(parent + kind, key, length);
  let i = hash & stateMask;
  while (true) {
    const known = load<u32>(stateTable + (<usize>i << 2));
    if (!known) break;
    if (
      load<u32>(known, STATE_HASH) == hash && load<u32>(known, STATE_PARENT) == parent && load<u8>(known, STATE_KIND) == kind
      && load<u32>(known, STATE_KEY_LENGTH) == <u32>length && sameBytes(load<u32>(known, STATE_KEY_AT), key, length)
    ) return known;
    i = (i + 1) & stateMask;
  }
  const inArray = <bool>(kind == STATE_ELEMENT || load<u8>(parent, STATE_IN_ARRAY) != 0);
  let node = load<u32>(parent, STATE_NODE);
  if (kind == STATE_KEY) node = childOf(node, key, length);
  let bit: u32 = 0;
  if (kind == STATE_KEY && node) {
    if (!inArray) {
      // Keys that share a bit cost a second reading when one record has both, never a wrong answer.
      const next = load<u32>(area, EXTRACT_BIT_NEXT);
      bit = (next & (KEY_BITS - 1)) + 1;
      store<u32>(area, next + 1, EXTRACT_BIT_NEXT);
    } else {
      // Inside arrays bits are taken back at every element, so each must belong to one key alone.
      const next = load<u32>(area, EXTRACT_ARRAY_BIT_NEXT);
      if (next == KEY_BITS) return 0;
      bit = next + 1 + KEY_BITS;
      store<u32>(area, next + 1, EXTRACT_ARRAY_BIT_NEXT);
    }
  }
  const pool = load<u32>(area, EXTRACT_KEY_POOL_TOP);
  if (pool + <u32>length > load<u32>(area, EXTRACT_KEY_POOL_END)) return 0;
  const state = newState(kind);
  if (!state) return 0;
  memory.copy(pool, key, length);
  store<u32>(area, pool + <u32>length, EXTRACT_KEY_POOL_TOP);
  store<u32>(stateTable + (<usize>i << 2), state);
  store<u32>(state, parent, STATE_PARENT);
  store<u32>(state, hash, STATE_HASH);
  store<u32>(state, pool, STATE_KEY_AT);
  store<u32>(state, <u32>length, STATE_KEY_LENGTH);
  store<u8>(state, <u8>inArray, STATE_IN_ARRAY);
  store<u16>(state, load<u16>(parent, STATE_DEPTH) + 1, STATE_DEPTH);
  store<u32>(state, node, STATE_NODE);
  store<u8>(state, <u8>bit, STATE_BIT);
  if (bit > KEY_BITS) addToElements(parent, <u64>1 << <u64>(bit - 1 - KEY_BITS));
  return state;
}

function addToElements(state: u32, bit: u64): void {
  while (load<u8>(state, STATE_KIND) != STATE_ROOT) {
    if (load<u8>(state, STATE_KIND) == STATE_ELEMENT) store<u64>(state, load<u64>(state, STATE_ARRAY_MASK) | bit, STATE_ARRAY_MASK);
    state = load<u32>(state, STATE_PARENT);
  }
}

/** Adds bytes [p, end) as a transition of `from`; its value fields are the caller's. 0 when the table is full. */
export function newTransition(from: u32, p: usize, end: usize, target: u32, type: u32): u32 {
  const top = load<u32>(area, EXTRACT_TRANSITION_TOP);
  const length = end - p;
  if (top == load<u32>(area, EXTRACT_TRANSITION_CAPACITY) || length > PATTERN_CAP) return 0;
  store<u32>(area, top + 1, EXTRACT_TRANSITION_TOP);
  const t = <u32>(transitions + <usize>top * TRANSITION_BYTES);
  memory.fill(t, 0, TRANSITION_BYTES);
  memory.copy(t, p, length);
  store<u64>(t, length == 64 ? <u64>~0 : ((<u64>1 << <u64>length) - 1), GAP_NEED);
  store<u32>(t, <u32>length, GAP_LENGTH);
  store<u32>(t, target, GAP_TARGET);
  store<u32>(t, type, GAP_TYPE);
  const known = load<u32>(from, STATE_ALTERNATES);
  store<u32>(from + ((known & (ALTERNATE_COUNT - 1)) << 2), t, STATE_ALTERNATE);
  store<u32>(from, known + 1, STATE_ALTERNATES);
  return t;
}

// @ts-ignore: decorator
@inline
function cellsOf(column: u32): u32 {
  return load<u32>(area, EXTRACT_CELLS) + column * (ROW_CAP * 8);
}

/** Makes every transition that writes a column's cells directly look for earlier values first. */
function share(column: u32): void {
  const owners = <usize>load<u32>(area, EXTRACT_OWNERS);
  const owner = load<u32>(owners + (<usize>column << 2));
  store<u32>(owners + (<usize>column << 2), OWNER_SHARED);
  if (owner <= OWNER_SHARED) return;
  const cells = cellsOf(column);
  const end = transitions + <usize>load<u32>(area, EXTRACT_TRANSITION_TOP) * TRANSITION_BYTES;
  for (let t = transitions; t < end; t += TRANSITION_BYTES) {
    const type = load<u32>(t, GAP_TYPE);
    if ((type != GAP_TEXT && type != GAP_SCALAR) || load<u32>(t, GAP_CELLS) != cells) continue;
    store<u32>(t, type == GAP_TEXT ? GAP_TEXT_MANY : GAP_SCALAR_MANY, GAP_TYPE);
    store<u32>(t, load<u32>(load<u32>(t, GAP_TARGET), STATE_NODE), GAP_CELLS);
  }
}

/**
 * Says where the value a transition leads to goes.
 *
 * A column is written directly while one state outside arrays is its only source; any second source makes it append.
 */
export function aim(t: u32): void {
  const state = load<u32>(t, GAP_TARGET);
  const node = load<u32>(state, STATE_NODE);
  const count = feedCount(node);
  const text = load<u32>(t, GAP_TYPE) == GAP_TEXT;
  if (count == 1 && !load<u8>(state, STATE_IN_ARRAY) && !load<u64>(t, GAP_ARRAY_BITS) && !(feedAt(node, 0) & FEED_FIRST)) {
    const column = feedAt(node, 0) & FEED_COLUMN;
    const owner = <usize>load<u32>(area, EXTRACT_OWNERS) + (<usize>column << 2);
    const known = load<u32>(owner);
    if (known == 0 || known == state) {
      store<u32>(owner, state);
      store<u32>(t, cellsOf(column), GAP_CELLS);
      return;
    }
  }
  if (count == 0 && !load<u64>(t, GAP_ARRAY_BITS)) {
    store<u32>(t, load<u32>(area, EXTRACT_SPARE_CELLS), GAP_CELLS);
    return;
  }
  for (let i: u32 = 0; i < count; i++) share(feedAt(node, i) & FEED_COLUMN);
  store<u32>(t, text ? GAP_TEXT_MANY : GAP_SCALAR_MANY, GAP_TYPE);
  store<u32>(t, node, GAP_CELLS);
}
