import {
  ENTRY_BYTES, ENTRY_VALUE, KEEP_COUNT, KEEP_DISTINCT, KEEP_WIDE, QUERY_CAPACITY, QUERY_KIND, QUERY_NEED, QUERY_OFFSET, RULE_QUERIES,
  QUERY_BYTES, VALUE_ENTRY_BYTES,
} from "../layout";
import { freeIndex, insertValue, reindex, removeValue, tidy, trim } from "./distinct";
import { displace, freeExtension } from "./numbers";
import { refuse } from "./evict";
import { isRoomy } from "./pages";
import { capacityOf, clearStore, countUntil, entryAt, freeRing, insertAt, lengthOf, msOf, removeAt, resize } from "./ring";

/** Times that several streams need at once: so many times the capacity of one. */
const STREAMS: u32 = 4;
/** Entries kept for late events while memory is roomy: where they are looked up, where they are gone through, and to show whole windows. */
const ROOMY_TIMES: u32 = 16384;
const ROOMY_VALUES: u32 = 1024;
const ROOMY_WHOLE: u32 = 1024;

// @ts-ignore: decorator
@inline
export function queryAt(rule: usize, i: u32): usize {
  return rule + RULE_QUERIES + <usize>i * QUERY_BYTES;
}

// @ts-ignore: decorator
@inline
export function sizeOf(query: usize): usize {
  const kind = load<u32>(query, QUERY_KIND);
  return kind == KEEP_COUNT || kind == KEEP_WIDE ? ENTRY_BYTES : VALUE_ENTRY_BYTES;
}

// @ts-ignore: decorator
@inline
export function keepOf(group: usize, query: usize): usize {
  return group + <usize>load<u32>(query, QUERY_OFFSET);
}

export function clearKeep(group: usize, query: usize): void {
  clearStore(keepOf(group, query), sizeOf(query));
}

export function freeKeep(group: usize, query: usize): void {
  const keep = keepOf(group, query);
  const size = sizeOf(query);
  if (load<u32>(query, QUERY_KIND) == KEEP_DISTINCT) freeIndex(keep);
  else freeExtension(keep, query, size);
  freeRing(keep, size);
}

function remove(keep: usize, query: usize, i: u32): void {
  if (load<u32>(query, QUERY_KIND) == KEEP_DISTINCT) removeValue(keep, i);
  else removeAt(keep, sizeOf(query), i);
}

/** Small rings grow slowly: most keys have few events. */
function larger(capacity: u32): u32 {
  return capacity < 8 ? (capacity + 2) & ~1 : capacity + (capacity >> 1);
}

function grow(keep: usize, query: usize, size: usize, capacity: u32): bool {
  if (!resize(keep, size, capacity)) return false;
  if (load<u32>(query, QUERY_KIND) == KEEP_DISTINCT) reindex(keep);
  return true;
}

/**
 * Would a late event miss the oldest entry? Windows may yet be judged that end after `horizonMs`: a count looks at the latest so
 * many entries before such an end, distinct values at the latest of each, sums and maxima at the whole window. A signal lists the
 * events of whole windows, if they are not many.
 */
function isMissed(keep: usize, query: usize, size: usize, horizonMs: f64): bool {
  const kind = load<u32>(query, QUERY_KIND);
  if (kind != KEEP_COUNT && kind != KEEP_DISTINCT) return true;
  if (lengthOf(keep, size) < ROOMY_WHOLE) return true;
  // A trim that frees little would soon be due again.
  if (kind == KEEP_DISTINCT) return trim(keep, query, horizonMs) < lengthOf(keep, size) >> 3;
  const need = load<u32>(query, QUERY_NEED);
  return need >= lengthOf(keep, size) || msOf(entryAt(keep, size, need)) > horizonMs;
}

/** Room for one more. `bandMs`: what this stream needs is later; `highMs`: and not later than this. */
function makeRoom(keep: usize, query: usize, size: usize, bandMs: f64, highMs: f64, horizonMs: f64): void {
  const n = lengthOf(keep, size);
  const capacity = capacityOf(keep, size);
  if (n < capacity) return;
  const cap = load<u32>(query, QUERY_CAPACITY);
  if (capacity < cap) {
    if (grow(keep, query, size, min<u32>(larger(capacity), cap))) return;
    refuse();
  }
  const kind = load<u32>(query, QUERY_KIND);
  const roomyCap: u32 = kind == KEEP_COUNT || kind == KEEP_WIDE ? ROOMY_TIMES : ROOMY_VALUES;
  if (capacity >= cap && capacity < roomyCap && isRoomy() && isMissed(keep, query, size, horizonMs)) {
    if (grow(keep, query, size, min<u32>(capacity * 2, roomyCap))) return;
  }
  if (lengthOf(keep, size) < capacity) return;
  // Streams far apart in time share the ring: none may push out what another still needs, while there is room for both.
  let below: u32 = 0;
  while (below < n && msOf(entryAt(keep, size, below)) <= bandMs) below++;
  let ahead: u32 = 0;
  while (below + ahead < n && msOf(entryAt(keep, size, n - 1 - ahead)) > highMs) ahead++;
  if (below + ahead) {
    if (capacity >= cap && capacity < cap * STREAMS && grow(keep, query, size, min<u32>(capacity * 2, cap * STREAMS))) return;
    if (n - below - ahead < cap) remove(keep, query, below ? 0 : n - 1);
    else remove(keep, query, below);
    return;
  }
  if (kind == KEEP_DISTINCT) {
    tidy(keep, query);
    return;
  }
  displace(keep, query, size);
  removeAt(keep, size, 0);
}

/**
 * Adds an event to a query's store at its own time, after others of the same time.
 *
 * @param deadMs entries up to here matter to no stream; @param horizonMs no window ending up to here is judged any more.
 */
export function insert(keep: usize, query: usize, ms: f64, ordinal: u32, value: u64, deadMs: f64, bandMs: f64, highMs: f64, horizonMs: f64): void {
  const size = sizeOf(query);
  while (lengthOf(keep, size) && msOf(entryAt(keep, size, 0)) <= deadMs) remove(keep, query, 0);
  makeRoom(keep, query, size, bandMs, highMs, horizonMs);
  if (load<u32>(query, QUERY_KIND) == KEEP_DISTINCT) {
    insertValue(keep, ms, ordinal, value);
    return;
  }
  const entry = insertAt(keep, size, countUntil(keep, size, ms), ms, ordinal);
  if (size == VALUE_ENTRY_BYTES) store<u64>(entry, value, ENTRY_VALUE);
}
