import {
  BOUND_BYTES, BOUND_FACTOR, BOUND_LIMIT, BOUND_OP, COMPARE_GREATER, KEEP_MAX, QUERY_BOUNDS, QUERY_BOUND_COUNT, QUERY_KIND,
  QUERY_PANES, QUERY_PANE_MS, RING_EXTENSION, VALUE_ENTRY_BYTES, KEEP_WIDE, ENTRY_BYTES, PANE_BYTES,
} from "../layout";
import { pieceFor } from "./pressure";
import { countThrough, entryAt, isAfter, msOf, ordinalOf, ringOf, valueOf } from "./ring";
import { givePiece } from "./slab";

function extensionBytes(query: usize): usize {
  return (<usize>load<u32>(query, QUERY_BOUND_COUNT) << 3) + <usize>load<u32>(query, QUERY_PANES) * <usize>PANE_BYTES;
}

export function freeExtension(keep: usize, query: usize, size: usize): void {
  const ring = ringOf(keep, size);
  const extension = ring ? load<u32>(ring, RING_EXTENSION) : 0;
  if (extension) givePiece(<usize>extension, extensionBytes(query));
}

/** A place for what a ring's entries leave behind, its bytes as they come; 0 when memory is short. */
export function extend(ring: usize, query: usize): usize {
  const extension = pieceFor(extensionBytes(query));
  if (extension) store<u32>(ring, <u32>extension, RING_EXTENSION);
  return extension;
}

export function passes(bound: usize, value: f64): bool {
  const left = load<f64>(bound, BOUND_FACTOR) * value;
  const limit = load<f64>(bound, BOUND_LIMIT);
  return load<u32>(bound, BOUND_OP) == COMPARE_GREATER ? left > limit : left >= limit;
}

/** Takes the oldest entry into account before it goes. */
export function displace(keep: usize, query: usize, size: usize): void {
  const bounds = load<u32>(query, QUERY_BOUND_COUNT);
  const panes = load<u32>(query, QUERY_PANES);
  if (!bounds && !panes) return;
  const ring = ringOf(keep, size);
  if (!ring) return;
  const kind = load<u32>(query, QUERY_KIND);
  const entry = entryAt(keep, size, 0);
  const ms = msOf(entry);
  const value = kind == KEEP_WIDE ? 1 : reinterpret<f64>(valueOf(entry));
  if (value != value) return;
  let extension = <usize>load<u32>(ring, RING_EXTENSION);
  if (!extension) {
    extension = extend(ring, query);
    if (!extension) return;
    for (let i: u32 = 0; i < bounds; i++) store<f64>(extension + (<usize>i << 3), -Infinity);
    for (let i: u32 = 0; i < panes; i++) store<f64>(extension + (<usize>bounds << 3) + <usize>i * <usize>PANE_BYTES, NaN);
  }
  for (let i: u32 = 0; i < bounds; i++) {
    const last = extension + (<usize>i << 3);
    if (ms > load<f64>(last) && passes(<usize>load<u32>(query, QUERY_BOUNDS) + <usize>i * BOUND_BYTES, value)) store<f64>(last, ms);
  }
  if (!panes) return;
  const number = Math.floor(ms / load<f64>(query, QUERY_PANE_MS));
  const pane = extension + (<usize>bounds << 3) + <usize>(number - Math.floor(number / <f64>panes) * <f64>panes) * <usize>PANE_BYTES;
  const known = load<f64>(pane);
  if (known > number) return;
  if (known != number) {
    store<f64>(pane, number);
    store<f64>(pane, value, 8);
  } else store<f64>(pane, kind == KEEP_MAX ? Math.max(load<f64>(pane, 8), value) : load<f64>(pane, 8) + value, 8);
}

/** First entry after `afterMs` and after the left event. */
function firstOf(keep: usize, size: usize, high: u32, afterMs: f64, leftMs: f64, leftOrdinal: u32): u32 {
  let low: u32 = 0;
  let end = high;
  while (low < end) {
    const middle = (low + end) >> 1;
    const entry = entryAt(keep, size, middle);
    if (msOf(entry) <= afterMs || !isAfter(msOf(entry), ordinalOf(entry), leftMs, leftOrdinal)) low = middle + 1;
    else end = middle;
  }
  return low;
}

/** Number of kept entries of the span. */
export function countBetween(keep: usize, size: usize, afterMs: f64, leftMs: f64, leftOrdinal: u32, ms: f64, ordinal: u32): u32 {
  const high = countThrough(keep, size, ms, ordinal);
  return high - firstOf(keep, size, high, afterMs, leftMs, leftOrdinal);
}

/** Is a displaced number above bound i in the span? */
function wasAbove(ring: usize, i: u32, afterMs: f64, leftMs: f64, ms: f64): bool {
  const extension = ring ? <usize>load<u32>(ring, RING_EXTENSION) : 0;
  if (!extension) return false;
  const last = load<f64>(extension + (<usize>i << 3));
  return last > afterMs && last > leftMs && last <= ms;
}

/** Does a number of the span pass bound i? */
export function isAbove(keep: usize, query: usize, i: u32, afterMs: f64, leftMs: f64, leftOrdinal: u32, ms: f64, ordinal: u32): bool {
  const bound = <usize>load<u32>(query, QUERY_BOUNDS) + <usize>i * BOUND_BYTES;
  for (let j = <i32>countThrough(keep, VALUE_ENTRY_BYTES, ms, ordinal) - 1; j >= 0; j--) {
    const entry = entryAt(keep, VALUE_ENTRY_BYTES, j);
    if (msOf(entry) <= afterMs || !isAfter(msOf(entry), ordinalOf(entry), leftMs, leftOrdinal)) return false;
    if (passes(bound, reinterpret<f64>(valueOf(entry)))) return true;
  }
  return wasAbove(ringOf(keep, VALUE_ENTRY_BYTES), i, afterMs, leftMs, ms);
}

/** Count, sum or maximum of the span; too low by at most what a partly expired pane holds. */
export function total(keep: usize, query: usize, afterMs: f64, leftMs: f64, leftOrdinal: u32, ms: f64, ordinal: u32): f64 {
  const kind = load<u32>(query, QUERY_KIND);
  const size: usize = kind == KEEP_WIDE ? ENTRY_BYTES : VALUE_ENTRY_BYTES;
  const high = countThrough(keep, size, ms, ordinal);
  const low = firstOf(keep, size, high, afterMs, leftMs, leftOrdinal);
  let sum: f64 = kind == KEEP_WIDE ? <f64>(high - low) : 0;
  let max: f64 = -Infinity;
  let numbers = false;
  if (kind != KEEP_WIDE) {
    for (let i = low; i < high; i++) {
      const value = reinterpret<f64>(valueOf(entryAt(keep, size, i)));
      if (value != value) continue;
      sum += value;
      if (value > max) max = value;
      numbers = true;
    }
  }
  const ring = ringOf(keep, size);
  const extension = ring ? <usize>load<u32>(ring, RING_EXTENSION) : 0;
  const panes = load<u32>(query, QUERY_PANES);
  // Panes hold what is older than every kept entry: they matter only where the span begins before those.
  if (extension && panes && low == 0) {
    const paneMs = load<f64>(query, QUERY_PANE_MS);
    const start = extension + (<usize>load<u32>(query, QUERY_BOUND_COUNT) << 3);
    for (let i: u32 = 0; i < panes; i++) {
      const pane = start + <usize>i * <usize>PANE_BYTES;
      const from = load<f64>(pane) * paneMs;
      // Also false for a pane never used, whose number is NaN.
      if (!(from > afterMs && from > leftMs && from + paneMs - 1 <= ms)) continue;
      const value = load<f64>(pane, 8);
      sum += value;
      if (value > max) max = value;
      numbers = true;
    }
  }
  return kind == KEEP_MAX ? (numbers ? max : 0) : sum;
}
