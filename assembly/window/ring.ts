import {
  ENTRY_BYTES, ENTRY_MS, ENTRY_ORDINAL, ENTRY_VALUE, RING_CAPACITY, RING_COUNTED_FROM, RING_COUNTED_TO, RING_EXTENSION, RING_HEAD,
  RING_HEAD_BYTES, RING_LENGTH, RING_LIVE, VALUE_ENTRY_BYTES,
} from "../layout";
import { pieceFor } from "./pressure";
import { givePiece } from "./slab";

// `size` is that of the store's entries throughout: ENTRY_BYTES or VALUE_ENTRY_BYTES.

// @ts-ignore: decorator
@inline
export function ringOf(keep: usize, size: usize): usize {
  return <usize>load<u32>(keep + size);
}

// @ts-ignore: decorator
@inline
function headBytes(size: usize): usize {
  return size + RING_HEAD_BYTES;
}

/** An empty store; its memory is as it came. */
export function clearStore(keep: usize, size: usize): void {
  store<f64>(keep, -Infinity);
  store<u32>(keep + size, 0);
}

export function freeRing(keep: usize, size: usize): void {
  const ring = ringOf(keep, size);
  if (ring) givePiece(ring, headBytes(size) + <usize>load<u32>(ring, RING_CAPACITY) * size);
}

// @ts-ignore: decorator
@inline
export function lengthOf(keep: usize, size: usize): u32 {
  const ring = ringOf(keep, size);
  return ring ? load<u32>(ring, RING_LENGTH) : load<f64>(keep) > -Infinity ? 1 : 0;
}

export function capacityOf(keep: usize, size: usize): u32 {
  const ring = ringOf(keep, size);
  return ring ? load<u32>(ring, RING_CAPACITY) : 1;
}

/** Physical place of an entry in its ring. */
// @ts-ignore: decorator
@inline
export function placeOf(ring: usize, i: u32): u32 {
  const capacity = load<u32>(ring, RING_CAPACITY);
  const place = load<u32>(ring, RING_HEAD) + i;
  return place >= capacity ? place - capacity : place;
}

/** The i-th entry by time. */
// @ts-ignore: decorator
@inline
export function entryAt(keep: usize, size: usize, i: u32): usize {
  const ring = ringOf(keep, size);
  return ring ? ring + headBytes(size) + <usize>placeOf(ring, i) * size : keep;
}

export function entryAtPlace(ring: usize, size: usize, place: u32): usize {
  return ring + headBytes(size) + <usize>place * size;
}

// @ts-ignore: decorator
@inline
export function msOf(entry: usize): f64 {
  return load<f64>(entry, ENTRY_MS);
}

// @ts-ignore: decorator
@inline
export function ordinalOf(entry: usize): u32 {
  return load<u32>(entry, ENTRY_ORDINAL) >> 1;
}

// @ts-ignore: decorator
@inline
export function valueOf(entry: usize): u64 {
  return load<u64>(entry, ENTRY_VALUE);
}

/** Ordinals count modulo 2^31; the nearer way round tells which came first. */
// @ts-ignore: decorator
@inline
export function isAfter(ms: f64, ordinal: u32, otherMs: f64, otherOrdinal: u32): bool {
  return ms > otherMs || (ms == otherMs && <i32>((ordinal - otherOrdinal) << 1) > 0);
}

// @ts-ignore: decorator
@inline
function copyEntry(to: usize, from: usize, size: usize): void {
  store<u64>(to, load<u64>(from));
  store<u32>(to, load<u32>(from, 8), 8);
  if (size == VALUE_ENTRY_BYTES) store<u64>(to, load<u64>(from, ENTRY_VALUE), ENTRY_VALUE);
}

/** Number of entries with a time of at most `ms`. */
export function countUntil(keep: usize, size: usize, ms: f64): u32 {
  let low: u32 = 0;
  let high = lengthOf(keep, size);
  if (!high || msOf(entryAt(keep, size, high - 1)) <= ms) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (msOf(entryAt(keep, size, middle)) <= ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Number of entries up to this event, itself included, by time and arrival. */
export function countThrough(keep: usize, size: usize, ms: f64, ordinal: u32): u32 {
  let low: u32 = 0;
  let high = lengthOf(keep, size);
  if (!high) return 0;
  const last = entryAt(keep, size, high - 1);
  if (!isAfter(msOf(last), ordinalOf(last), ms, ordinal)) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = entryAt(keep, size, middle);
    if (isAfter(msOf(entry), ordinalOf(entry), ms, ordinal)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function lastMsOf(keep: usize, size: usize): f64 {
  const n = lengthOf(keep, size);
  return n ? msOf(entryAt(keep, size, n - 1)) : -Infinity;
}

function setCounted(ring: usize, from: u32, to: u32): void {
  store<u32>(ring, from, RING_COUNTED_FROM);
  store<u32>(ring, to, RING_COUNTED_TO);
}

/** Where to go on from entry i, past those known to be counted. */
export function pastCounted(keep: usize, size: usize, i: u32): u32 {
  const ring = ringOf(keep, size);
  if (!ring) return i;
  const to = load<u32>(ring, RING_COUNTED_TO);
  return i >= load<u32>(ring, RING_COUNTED_FROM) && i < to ? to : i;
}

/** Notes that the entries from `first` to before `end` are counted now. */
export function noteCounted(keep: usize, size: usize, first: u32, end: u32): void {
  const ring = ringOf(keep, size);
  if (!ring || first >= end) return;
  const from = load<u32>(ring, RING_COUNTED_FROM);
  const to = load<u32>(ring, RING_COUNTED_TO);
  if (first > to || end < from) setCounted(ring, first, end);
  else setCounted(ring, min<u32>(first, from), max<u32>(end, to));
}

// Entry i is new, and counted by nobody: what is known goes on before it or behind it.
function openCounted(ring: usize, i: u32): void {
  const from = load<u32>(ring, RING_COUNTED_FROM);
  const to = load<u32>(ring, RING_COUNTED_TO);
  if (i <= from) setCounted(ring, from + 1, to + 1);
  else if (i < to) {
    if (i - from > to - i) setCounted(ring, from, i);
    else setCounted(ring, i + 1, to + 1);
  }
}

function closeCounted(ring: usize, i: u32): void {
  const from = load<u32>(ring, RING_COUNTED_FROM);
  const to = load<u32>(ring, RING_COUNTED_TO);
  setCounted(ring, i < from ? from - 1 : from, i < to ? to - 1 : to);
}

/** Moves the entries to a ring of this capacity; false when memory is short. */
export function resize(keep: usize, size: usize, capacity: u32): bool {
  const ring = pieceFor(headBytes(size) + <usize>capacity * size);
  if (!ring) return false;
  const n = lengthOf(keep, size);
  for (let i: u32 = 0; i < n; i++) copyEntry(entryAtPlace(ring, size, i), entryAt(keep, size, i), size);
  const old = ringOf(keep, size);
  store<u32>(ring, capacity, RING_CAPACITY);
  store<u32>(ring, 0, RING_HEAD);
  store<u32>(ring, n, RING_LENGTH);
  store<u32>(ring, old ? load<u32>(old, RING_EXTENSION) : 0, RING_EXTENSION);
  setCounted(ring, old ? load<u32>(old, RING_COUNTED_FROM) : 0, old ? load<u32>(old, RING_COUNTED_TO) : 0);
  if (size == VALUE_ENTRY_BYTES) store<u32>(ring, old ? load<u32>(old, RING_LIVE) : n && valueOf(keep) >> 63 ? 1 : 0, RING_LIVE);
  freeRing(keep, size);
  store<u32>(keep + size, <u32>ring);
  return true;
}

/** Opens place i for a new entry; there must be room. The entry's counted bit is clear. */
export function insertAt(keep: usize, size: usize, i: u32, ms: f64, ordinal: u32): usize {
  const ring = ringOf(keep, size);
  if (ring) {
    const n = load<u32>(ring, RING_LENGTH);
    store<u32>(ring, n + 1, RING_LENGTH);
    openCounted(ring, i);
    for (let j = n; j > i; j--) copyEntry(entryAt(keep, size, j), entryAt(keep, size, j - 1), size);
  }
  const entry = entryAt(keep, size, i);
  store<f64>(entry, ms, ENTRY_MS);
  store<u32>(entry, ordinal << 1, ENTRY_ORDINAL);
  return entry;
}

/** Takes out entry i. */
export function removeAt(keep: usize, size: usize, i: u32): void {
  const ring = ringOf(keep, size);
  if (!ring) {
    store<f64>(keep, -Infinity);
    return;
  }
  const n = load<u32>(ring, RING_LENGTH) - 1;
  if (i < n) {
    for (let j = i; j > 0; j--) copyEntry(entryAt(keep, size, j), entryAt(keep, size, j - 1), size);
    store<u32>(ring, placeOf(ring, 1), RING_HEAD);
  }
  store<u32>(ring, n, RING_LENGTH);
  closeCounted(ring, i);
}

/** Writes entry `from` over entry `to`. */
export function moveEntry(keep: usize, size: usize, to: u32, from: u32): void {
  copyEntry(entryAt(keep, size, to), entryAt(keep, size, from), size);
}

/** After entries moved. */
export function setLength(ring: usize, n: u32): void {
  store<u32>(ring, n, RING_LENGTH);
  setCounted(ring, 0, 0);
}

/** Bytes of an entry of a query whose entries have values or not. */
// @ts-ignore: decorator
@inline
export function entryBytes(hasValues: bool): usize {
  return hasValues ? VALUE_ENTRY_BYTES : ENTRY_BYTES;
}
