import { ENTRY_VALUE, QUERY_NEED, RING_CAPACITY, RING_EXTENSION, RING_HEAD, RING_LENGTH, RING_LIVE, VALUE_ENTRY_BYTES } from "../layout";
import { pieceFor } from "./pressure";
import { countThrough, countUntil, entryAt, entryAtPlace, insertAt, isAfter, lengthOf, moveEntry, msOf, ordinalOf, placeOf, removeAt, ringOf, setLength, valueOf } from "./ring";
import { givePiece } from "./slab";

// An entry's value: 63 bits of the distinct tuple's hash, 0 = none; LIVE on the latest entry of each value. The others are
// kept while there is room: a late event may have windows judged that end before the latest one.
const LIVE: u64 = 1 << 63;
const ABSENT: u64 = 0xffffffffffffffff;
const SIZE: usize = VALUE_ENTRY_BYTES;
/** Superseded entries that outlive a tidying. */
const SPARE: u32 = 32;
/** Values needed up to which a trim looks for them one by one. */
const TRIM_CAP: u32 = 256;
/** Rings beyond this have an index from hash to place. */
const SCAN_CAP: u32 = 64;

// Index: u32 mask, u32 used, u32 places + 1. A cell may name a place that another value took since: probes compare.
const INDEX_MASK: usize = 0;
const INDEX_USED: usize = 4;
const INDEX_CELLS: usize = 8;

// @ts-ignore: decorator
@inline
function cellAt(index: usize, i: u32): usize {
  return index + INDEX_CELLS + (<usize>i << 2);
}

function indexOf(keep: usize): usize {
  const ring = ringOf(keep, SIZE);
  return ring ? <usize>load<u32>(ring, RING_EXTENSION) : 0;
}

export function freeIndex(keep: usize): void {
  const index = indexOf(keep);
  if (!index) return;
  givePiece(index, INDEX_CELLS + ((<usize>load<u32>(index, INDEX_MASK) + 1) << 2));
  store<u32>(ringOf(keep, SIZE), 0, RING_EXTENSION);
}

function put(index: usize, hash: u64, place: u32): void {
  const mask = load<u32>(index, INDEX_MASK);
  let i = <u32>hash & mask;
  while (load<u32>(cellAt(index, i))) i = (i + 1) & mask;
  store<u32>(cellAt(index, i), place + 1);
  store<u32>(index, load<u32>(index, INDEX_USED) + 1, INDEX_USED);
}

/** Builds the index anew, where the ring is large enough to want one and memory allows. */
export function reindex(keep: usize): void {
  const ring = ringOf(keep, SIZE);
  if (!ring) return;
  const capacity = load<u32>(ring, RING_CAPACITY);
  if (capacity <= SCAN_CAP) return;
  let cells: u32 = 256;
  while (cells < capacity * 2) cells <<= 1;
  let index = <usize>load<u32>(ring, RING_EXTENSION);
  if (index && load<u32>(index, INDEX_MASK) + 1 != cells) {
    freeIndex(keep);
    index = 0;
  }
  if (!index) {
    index = pieceFor(INDEX_CELLS + (<usize>cells << 2));
    store<u32>(ring, <u32>index, RING_EXTENSION);
    if (!index) return;
    store<u32>(index, cells - 1, INDEX_MASK);
  }
  store<u32>(index, 0, INDEX_USED);
  memory.fill(index + INDEX_CELLS, 0, <usize>cells << 2);
  const n = load<u32>(ring, RING_LENGTH);
  for (let i: u32 = 0; i < n; i++) {
    const place = placeOf(ring, i);
    const value = valueOf(entryAtPlace(ring, SIZE, place));
    if (value & LIVE) put(index, value & ~LIVE, place);
  }
}

// Where `find` found the value: its cell, if there is an index.
let foundCell: usize = 0;

/** Number of the live entry of a value, -1 where there is none. */
function find(keep: usize, hash: u64): i32 {
  const wanted = hash | LIVE;
  const index = indexOf(keep);
  foundCell = 0;
  if (!index) {
    for (let i = <i32>lengthOf(keep, SIZE) - 1; i >= 0; i--) if (valueOf(entryAt(keep, SIZE, i)) == wanted) return i;
    return -1;
  }
  const ring = ringOf(keep, SIZE);
  const head = load<u32>(ring, RING_HEAD);
  const capacity = load<u32>(ring, RING_CAPACITY);
  const mask = load<u32>(index, INDEX_MASK);
  let i = <u32>hash & mask;
  while (true) {
    const cell = cellAt(index, i);
    const place = load<u32>(cell);
    if (!place) return -1;
    if (valueOf(entryAtPlace(ring, SIZE, place - 1)) == wanted) {
      const number = place - 1 >= head ? place - 1 - head : place - 1 + capacity - head;
      if (number < load<u32>(ring, RING_LENGTH)) {
        foundCell = cell;
        return <i32>number;
      }
    }
    i = (i + 1) & mask;
  }
}

// A late entry pushed those after it one place on: their cells follow.
function shiftCells(keep: usize, from: u32): void {
  const index = indexOf(keep);
  if (!index) return;
  const ring = ringOf(keep, SIZE);
  const mask = load<u32>(index, INDEX_MASK);
  for (let j = load<u32>(ring, RING_LENGTH) - 1; j > from; j--) {
    const place = placeOf(ring, j);
    const value = valueOf(entryAtPlace(ring, SIZE, place));
    if (!(value & LIVE)) continue;
    const before = placeOf(ring, j - 1) + 1;
    for (let i = <u32>value & mask; ; i = (i + 1) & mask) {
      const cell = cellAt(index, i);
      const at = load<u32>(cell);
      if (at == before) store<u32>(cell, place + 1);
      if (at == before || !at) break;
    }
  }
}

function addLive(keep: usize, more: i32): void {
  const ring = ringOf(keep, SIZE);
  if (ring) store<u32>(ring, load<u32>(ring, RING_LIVE) + more, RING_LIVE);
}

export function liveOf(keep: usize): u32 {
  const ring = ringOf(keep, SIZE);
  if (ring) return load<u32>(ring, RING_LIVE);
  return lengthOf(keep, SIZE) && valueOf(keep) & LIVE ? 1 : 0;
}

/** Takes out entry i, and its value with it if it was the latest of it. */
export function removeValue(keep: usize, i: u32): void {
  if (valueOf(entryAt(keep, SIZE, i)) & LIVE) addLive(keep, -1);
  const ring = ringOf(keep, SIZE);
  const middle = ring && i > 0 && i + 1 < load<u32>(ring, RING_LENGTH);
  removeAt(keep, SIZE, i);
  // Entries before a middle one moved: rare, so their cells are simply found again.
  if (middle) reindex(keep);
}

/** Is entry i the latest of its value among those before `end`? */
function isLatest(keep: usize, i: u32, end: u32): bool {
  const value = valueOf(entryAt(keep, SIZE, i));
  return (value & LIVE) != 0 || (value != 0 && !isRepeated(keep, i, end));
}

/** Gives up what lies before all that a window ending after the horizon may need; how many entries. */
export function trim(keep: usize, query: usize, horizonMs: f64): u32 {
  const need = load<u32>(query, QUERY_NEED);
  if (need > TRIM_CAP) return 0;
  const end = countUntil(keep, SIZE, horizonMs);
  let found: u32 = 0;
  let from = end;
  while (from && found < need) if (isLatest(keep, --from, end)) found++;
  if (found < need) return 0;
  for (let i = from; i; i--) removeValue(keep, 0);
  return from;
}

/** Makes room in a full ring: values beyond those needed go first by age, else superseded entries. */
export function tidy(keep: usize, query: usize): void {
  const n = lengthOf(keep, SIZE);
  const live = liveOf(keep);
  const need = load<u32>(query, QUERY_NEED);
  if (live > need || live == n) {
    removeValue(keep, 0);
    return;
  }
  const superseded = n - live;
  let drop = superseded > SPARE ? superseded - SPARE : 1;
  let to: u32 = 0;
  for (let from: u32 = 0; from < n; from++) {
    if (drop && !(valueOf(entryAt(keep, SIZE, from)) & LIVE)) {
      drop--;
      continue;
    }
    if (to != from) moveEntry(keep, SIZE, to, from);
    to++;
  }
  setLength(ringOf(keep, SIZE), to);
  reindex(keep);
}

/** The event's entry; there must be room. */
export function insertValue(keep: usize, ms: f64, ordinal: u32, value: u64): usize {
  let hash = value & ~LIVE;
  if (!hash) hash = 1;
  if (value == ABSENT) hash = 0;
  const at = countUntil(keep, SIZE, ms);
  let isLive = hash != 0;
  let cell: usize = 0;
  if (isLive) {
    const known = find(keep, hash);
    cell = foundCell;
    if (known >= 0) {
      const entry = entryAt(keep, SIZE, known);
      if (<u32>known >= at) isLive = false;
      else {
        store<u64>(entry, hash, ENTRY_VALUE);
        addLive(keep, -1);
      }
    }
  }
  const entry = insertAt(keep, SIZE, at, ms, ordinal);
  store<u64>(entry, isLive ? hash | LIVE : hash, ENTRY_VALUE);
  if (isLive) addLive(keep, 1);
  const index = indexOf(keep);
  if (!index) return entry;
  const ring = ringOf(keep, SIZE);
  if (at + 1 < load<u32>(ring, RING_LENGTH)) shiftCells(keep, at);
  if (!isLive) return entry;
  if (cell) store<u32>(cell, placeOf(ring, at) + 1);
  else if (load<u32>(index, INDEX_USED) * 4 >= (load<u32>(index, INDEX_MASK) + 1) * 3) reindex(keep);
  else put(index, hash, placeOf(ring, at));
  return entry;
}

/** Does a later entry before `high` have the value of entry i? */
function isRepeated(keep: usize, i: u32, high: u32): bool {
  const hash = valueOf(entryAt(keep, SIZE, i)) & ~LIVE;
  for (let j = i + 1; j < high; j++) if ((valueOf(entryAt(keep, SIZE, j)) & ~LIVE) == hash) return true;
  return false;
}

/**
 * Distinct values of events after `afterMs` and after the left event, up to this one; `enough` at most.
 *
 * All ones for `enough` means every one; with another number, any answer below it may be too low.
 */
export function distinct(keep: usize, afterMs: f64, leftMs: f64, leftOrdinal: u32, ms: f64, ordinal: u32, enough: u32): u32 {
  const n = lengthOf(keep, SIZE);
  const high = countThrough(keep, SIZE, ms, ordinal);
  // Too few values, in the window or out of it.
  if (high == n && enough != <u32>-1 && liveOf(keep) < enough) return 0;
  let count: u32 = 0;
  for (let i = <i32>high - 1; i >= 0 && count < enough; i--) {
    const entry = entryAt(keep, SIZE, i);
    const at = msOf(entry);
    if (at <= afterMs || !isAfter(at, ordinalOf(entry), leftMs, leftOrdinal)) break;
    const value = valueOf(entry);
    if (value & LIVE) count++;
    else if (value && high < n && !isRepeated(keep, i, high)) count++;
  }
  return count;
}
