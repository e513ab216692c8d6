import {
  ENTRY_ORDINAL, EVENTS_FRESH, EVENTS_MARK, EVENT_BYTES, EVENT_CAP, EVENT_MS, EVENT_ORDINAL, EVENT_QUERIES, EVENT_TAIL, RULE_AFTER,
  RULE_AFTER_QUERIES, RULE_HIT_OFFSET, RULE_QUERY_COUNT, RULE_SHARED, RULE_WINDOW, WINDOW_EVENTS, WINDOW_EVENT_COUNT, WINDOW_LAST_EVENTS, WINDOW_PER_QUERY,
} from "../layout";
import { hitLeftMs, hitLeftOrdinal, ownerOf } from "./judge";
import { keepOf, queryAt, sizeOf } from "./keep";
import { countThrough, countUntil, entryAt, isAfter, msOf, noteCounted, ordinalOf, pastCounted } from "./ring";

// The events of the hit at hand: those of all queries' windows, each once, in order of time. Under THEN those of the queries behind
// it, after the event that the side before it came true at.
let engine: usize = 0;
let rule: usize = 0;
let group: usize = 0;
let ms: f64 = 0;
let ordinal: u32 = 0;
let queries: u32 = 0;
// By query: its first entry in the window, the next to be listed, and one past the last.
const firsts: usize = memory.data(64);
const next: usize = memory.data(64);
const ends: usize = memory.data(64);

export function eventsStart(struct: usize): void {
  engine = struct;
}

/** @param ofGroup 0: window 0, the event stands for itself. */
export function aimEvents(ofRule: usize, ofGroup: usize, atMs: f64, atOrdinal: u32, ofQueries: u32): void {
  rule = ofRule;
  group = ofGroup;
  ms = atMs;
  ordinal = atOrdinal;
  queries = ofQueries;
}

function put(atMs: f64, atOrdinal: u32, mask: u32): void {
  const n = load<u32>(engine, WINDOW_EVENT_COUNT);
  store<u32>(engine, n + 1, WINDOW_EVENT_COUNT);
  for (let bits = mask; bits; bits &= bits - 1) {
    const place = <usize>load<u32>(engine, WINDOW_PER_QUERY) + (<usize>ctz<u32>(bits) << 2);
    store<u32>(place, load<u32>(place) + 1);
  }
  const out = n < <u32>EVENT_CAP
    ? <usize>load<u32>(engine, WINDOW_EVENTS) + <usize>n * EVENT_BYTES
    : <usize>load<u32>(engine, WINDOW_LAST_EVENTS) + <usize>(n % <u32>EVENT_TAIL) * EVENT_BYTES;
  store<f64>(out, atMs, EVENT_MS);
  store<u32>(out, atOrdinal, EVENT_ORDINAL);
  store<u32>(out, mask, EVENT_QUERIES);
}

/** Where an event is not the group's own, the group's latest hit tells whether it was counted. */
function isCountedShared(atMs: f64, atOrdinal: u32): bool {
  const hit = group + <usize>load<u32>(rule, RULE_HIT_OFFSET);
  return !isAfter(atMs, atOrdinal, load<f64>(hit), load<u32>(hit, 8));
}

function markShared(): void {
  const offset = <usize>load<u32>(rule, RULE_HIT_OFFSET);
  if (!offset) return;
  const hit = group + offset;
  if (!isAfter(ms, ordinal, load<f64>(hit), load<u32>(hit, 8))) return;
  store<f64>(hit, ms);
  store<u32>(hit, ordinal, 8);
}

/** The entries of query q that the hit looks at. */
function aimQuery(q: u32, fresh: bool): void {
  const query = queryAt(rule, q);
  const keep = keepOf(ownerOf(rule, group, q), query);
  const size = sizeOf(query);
  const end = countThrough(keep, size, ms, ordinal);
  let first = countUntil(keep, size, ms - load<f64>(rule, RULE_WINDOW));
  if (load<u32>(rule, RULE_AFTER)) {
    first = (load<u32>(rule, RULE_AFTER_QUERIES) >> q) & 1 ? max<u32>(first, countThrough(keep, size, hitLeftMs, hitLeftOrdinal)) : end;
  }
  const place = <usize>q << 2;
  store<u32>(firsts + place, first);
  store<u32>(ends + place, end);
  if (fresh) first = pastKnown(q, keep, size, first);
  store<u32>(next + place, first);
}

/** Where to go on from entry i if counted events do not matter. */
function pastKnown(q: u32, keep: usize, size: usize, i: u32): u32 {
  if (!((load<u32>(rule, RULE_SHARED) >> q) & 1)) return pastCounted(keep, size, i);
  const hit = group + <usize>load<u32>(rule, RULE_HIT_OFFSET);
  return max<u32>(i, countThrough(keep, size, load<f64>(hit), load<u32>(hit, 8)));
}

/**
 * Lists the events of the hit at hand in the struct's areas.
 *
 * @param flags EVENTS_FRESH: only those no hit of the group counted; EVENTS_MARK: count them.
 */
export function windowEvents(flags: u32): void {
  store<u32>(engine, 0, WINDOW_EVENT_COUNT);
  memory.fill(<usize>load<u32>(engine, WINDOW_PER_QUERY), 0, 64);
  if (!group) {
    put(ms, ordinal, queries);
    return;
  }
  const count = load<u32>(rule, RULE_QUERY_COUNT);
  const shared = load<u32>(rule, RULE_SHARED);
  const freshOnly = (flags & EVENTS_FRESH) != 0;
  for (let q: u32 = 0; q < count; q++) aimQuery(q, freshOnly);
  while (true) {
    let bestMs = Infinity;
    let bestOrdinal: u32 = 0;
    let mask: u32 = 0;
    let fresh = false;
    for (let q: u32 = 0; q < count; q++) {
      const at = load<u32>(next + (<usize>q << 2));
      if (at >= load<u32>(ends + (<usize>q << 2))) continue;
      const query = queryAt(rule, q);
      const entry = entryAt(keepOf(ownerOf(rule, group, q), query), sizeOf(query), at);
      const entryMs = msOf(entry);
      const entryOrdinal = ordinalOf(entry);
      if (!mask || isAfter(bestMs, bestOrdinal, entryMs, entryOrdinal)) {
        bestMs = entryMs;
        bestOrdinal = entryOrdinal;
        mask = 1 << q;
        fresh = false;
      } else if (entryMs == bestMs && entryOrdinal == bestOrdinal) mask |= 1 << q;
      else continue;
      const isShared = ((shared >> q) & 1) != 0;
      if (isShared ? !isCountedShared(entryMs, entryOrdinal) : !(load<u32>(entry, ENTRY_ORDINAL) & 1)) fresh = true;
    }
    if (!mask) break;
    pass(mask, bestMs, bestOrdinal, flags);
    if (!freshOnly) put(bestMs, bestOrdinal, mask);
    else if (fresh) put(bestMs, bestOrdinal, mask | passedOver(~mask, bestMs, bestOrdinal));
  }
  if (flags & EVENTS_MARK) markAll();
}

/** Those of the queries that have this event among what was passed over as counted. */
function passedOver(mask: u32, atMs: f64, atOrdinal: u32): u32 {
  const count = load<u32>(rule, RULE_QUERY_COUNT);
  let found: u32 = 0;
  for (let bits = mask & ((1 << count) - 1); bits; bits &= bits - 1) {
    const q = ctz<u32>(bits);
    const query = queryAt(rule, q);
    const keep = keepOf(ownerOf(rule, group, q), query);
    const through = countThrough(keep, sizeOf(query), atMs, atOrdinal);
    if (through <= load<u32>(firsts + (<usize>q << 2)) || through > load<u32>(ends + (<usize>q << 2))) continue;
    const entry = entryAt(keep, sizeOf(query), through - 1);
    if (msOf(entry) == atMs && ordinalOf(entry) == atOrdinal) found |= 1 << q;
  }
  return found;
}

function markAll(): void {
  const count = load<u32>(rule, RULE_QUERY_COUNT);
  const shared = load<u32>(rule, RULE_SHARED);
  for (let q: u32 = 0; q < count; q++) {
    if ((shared >> q) & 1) continue;
    const query = queryAt(rule, q);
    noteCounted(keepOf(group, query), sizeOf(query), load<u32>(firsts + (<usize>q << 2)), load<u32>(ends + (<usize>q << 2)));
  }
  markShared();
}

/** Goes past this event in the stores that hold it, all its entries there. */
function pass(mask: u32, atMs: f64, atOrdinal: u32, flags: u32): void {
  const shared = load<u32>(rule, RULE_SHARED);
  const mark = (flags & EVENTS_MARK) != 0;
  for (let bits = mask; bits; bits &= bits - 1) {
    const q = ctz<u32>(bits);
    const query = queryAt(rule, q);
    const keep = keepOf(ownerOf(rule, group, q), query);
    const size = sizeOf(query);
    const end = load<u32>(ends + (<usize>q << 2));
    let at = load<u32>(next + (<usize>q << 2));
    while (at < end) {
      const entry = entryAt(keep, size, at);
      if (msOf(entry) != atMs || ordinalOf(entry) != atOrdinal) break;
      if (mark && !((shared >> q) & 1)) store<u32>(entry, load<u32>(entry, ENTRY_ORDINAL) | 1, ENTRY_ORDINAL);
      at++;
    }
    if (flags & EVENTS_FRESH) at = pastKnown(q, keep, size, at);
    store<u32>(next + (<usize>q << 2), at);
  }
}
