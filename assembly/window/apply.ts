import {
  GROUP_AT_HAND, GROUP_LAST, KEEP_DISTINCT, ORDINAL_MASK, OTHER_BYTES, QUERY_KIND, RULE_AFTER, RULE_CANDIDATE_COUNT, RULE_NUMBER, RULE_OPTIMISTIC, RULE_QUERY_COUNT, RULE_SHARED,
  RULE_SHARED_GROUP, RULE_WINDOW, TOUCHED_BYTES, WINDOW_AT_HAND, WINDOW_FRAGMENTS, WINDOW_HIT_CASE, WINDOW_HIT_KEY, WINDOW_HIT_KEY_LENGTH, WINDOW_HIT_MS,
  WINDOW_HIT_ORDINAL, WINDOW_HIT_RULE, WINDOW_IN_HIGH, WINDOW_IN_KEY_LENGTH, WINDOW_IN_KEY_START, WINDOW_IN_ROW, WINDOW_IN_STANDING,
  WINDOW_IN_TIME, WINDOW_IN_VALUE, WINDOW_KEY_SHIFT, WINDOW_LATENESS, WINDOW_LATE_DROPPED, WINDOW_ORDINAL, WINDOW_OTHERS,
  WINDOW_OTHER_COUNT, WINDOW_PAGES_USED, WINDOW_SLOTS, WINDOW_STANDING, WINDOW_STREAM_HIGH, WINDOW_TOUCHED,
  GROUP_KEY_BYTES, RULE_KEY_OFFSET,
} from "../layout";
import { aloneAim, aloneRun } from "./alone";
import { addCandidate, candidateAt, dropCandidate, hasCandidates } from "./candidates";
import { aimEvents } from "./events";
import { deadMsOf, refuse, setLow } from "./evict";
import { dropFlag, firstOfQueues, groupOf, hasFlag, nextOfQueues } from "./group";
import { hasEvents, isCandidate, judge, maybe, ownerOf, setAlone } from "./judge";
import { insert, keepOf, queryAt, sizeOf } from "./keep";
import { pagesUsed } from "./pages";
import { hold } from "./pressure";
import { countThrough, entryAt, isAfter, lastMsOf, lengthOf, msOf, ordinalOf } from "./ring";
import { firstGroup, fragmentOf, tableSlots } from "./table";

// Work that may stop at any hit and go on behind it: runs (the records of one event for one rule), in a run the groups to be
// judged, in a group the event's own time and then the later ends whose windows it changed.
let engine: usize = 0;
let count: u32 = 0;
let cursor: u32 = 0;
let warmed: u32 = 0;
let ordinal: u32 = 0;
let lastRow: u32 = 0;
/** Rows at hand count from here; streams that no longer count are found by it. */
let rows: f64 = 0;
let nextChange: f64 = 0;
let othersLowMs: f64 = Infinity;
/** Latest event of all streams. */
let latestMs: f64 = -Infinity;

// The run at hand.
let rule: usize = 0;
let ms: f64 = 0;
let touchedCount: u32 = 0;
let touchedNext: u32 = 0;
let sharedQueries: u32 = 0;
let walking: usize = 0;
let candidatesLeft: u32 = 0;
let isAlone = false;
let inRun = false;

// The group at hand, and the end judged last.
let group: usize = 0;
let endMs: f64 = 0;
let endOrdinal: u32 = 0;
let untilMs: f64 = 0;
let inGroup = false;

/** Records whose table places are read ahead of use. */
const WARM: u32 = 64;
let sink: u32 = 0;

// @ts-ignore: decorator
@inline
function u32At(array: usize, i: u32): u32 {
  return load<u32>(<usize>load<u32>(engine + array) + (<usize>i << 2));
}

// @ts-ignore: decorator
@inline
function f64At(array: usize, i: u32): f64 {
  return load<f64>(<usize>load<u32>(engine + array) + (<usize>i << 3));
}

// @ts-ignore: decorator
@inline
export function rowsAtHand(): usize {
  return <usize>load<u32>(engine, WINDOW_IN_ROW);
}

// @ts-ignore: decorator
@inline
export function keyOf(i: u32): usize {
  return <usize>(u32At(WINDOW_IN_KEY_START, i) + load<u32>(engine, WINDOW_KEY_SHIFT));
}

// @ts-ignore: decorator
@inline
export function keyLengthOf(i: u32): u32 {
  return u32At(WINDOW_IN_KEY_LENGTH, i);
}

// @ts-ignore: decorator
@inline
export function fragmentAt(i: u32): u32 {
  return u32At(WINDOW_FRAGMENTS, i);
}

// @ts-ignore: decorator
@inline
function standingAt(i: u32): usize {
  return <usize>load<u32>(engine, WINDOW_STANDING) + (<usize>u32At(WINDOW_IN_STANDING, i) << 3);
}

// @ts-ignore: decorator
@inline
export function queryOfRecord(i: u32): u32 {
  return load<u32>(standingAt(i), 4);
}

export function valueAt(i: u32): u64 {
  return load<u64>(<usize>load<u32>(engine, WINDOW_IN_VALUE) + (<usize>i << 3));
}

export function touchedAt(i: u32): usize {
  return <usize>load<u32>(engine, WINDOW_TOUCHED) + <usize>i * TOUCHED_BYTES;
}

export function applyStart(struct: usize): void {
  engine = struct;
  inRun = false;
  inGroup = false;
  count = 0;
  cursor = 0;
  latestMs = -Infinity;
}

export function latestMsOf(): f64 {
  return latestMs;
}

export function setLatestMs(to: f64): void {
  latestMs = to;
}

/** Lowest high of the other streams that still count at this row. */
function lookAtOthers(): void {
  othersLowMs = Infinity;
  nextChange = Infinity;
  const others = load<u32>(engine, WINDOW_OTHER_COUNT);
  for (let i: u32 = 0; i < others; i++) {
    const other = <usize>load<u32>(engine, WINDOW_OTHERS) + <usize>i * OTHER_BYTES;
    const until = load<f64>(other, 8);
    if (until <= rows) continue;
    othersLowMs = Math.min(othersLowMs, load<f64>(other));
    nextChange = Math.min(nextChange, until);
  }
}

/**
 * Begins a batch of `records` match records; the struct's arrays hold them.
 *
 * @param rowsBefore rows of the whole stream before it.
 */
export function windowBatch(records: u32, rowsBefore: f64): void {
  count = records;
  cursor = 0;
  warmed = 0;
  rows = rowsBefore;
  ordinal = load<u32>(engine, WINDOW_ORDINAL) & <u32>ORDINAL_MASK;
  if (records) lastRow = u32At(WINDOW_IN_ROW, 0);
  lookAtOthers();
  const fragments = <usize>load<u32>(engine, WINDOW_FRAGMENTS);
  for (let i: u32 = 0; i < records; i++) {
    store<u32>(fragments + (<usize>i << 2), fragmentOf(<usize>load<u32>(standingAt(i)), keyOf(i), keyLengthOf(i)));
  }
}

// The table is larger than any cache: the places of the records to come are read together, so that their misses overlap.
function warm(): void {
  const end = min<u32>(cursor + WARM, count);
  for (let i = warmed; i < end; i++) sink += <u32>firstGroup(fragmentAt(i));
  for (let i = warmed; i < end; i++) {
    const found = firstGroup(fragmentAt(i));
    // Its head, and the line its text begins in.
    if (found) sink += load<u32>(found, GROUP_LAST) + load<u32>(found + <usize>load<u32>(<usize>load<u32>(standingAt(i)), RULE_KEY_OFFSET));
  }
  warmed = end;
}

/** Puts the run's records into their groups; a run's end is where rule or row changes. */
function beginRun(): void {
  if (cursor >= warmed) warm();
  const first = cursor;
  const row = u32At(WINDOW_IN_ROW, first);
  rule = <usize>load<u32>(standingAt(first));
  let end = first + 1;
  while (end < count && u32At(WINDOW_IN_ROW, end) == row && load<u32>(standingAt(end)) == <u32>rule) end++;
  cursor = end;
  if (row != lastRow) {
    lastRow = row;
    ordinal = (ordinal + 1) & <u32>ORDINAL_MASK;
    rows += 1;
    if (rows >= nextChange) lookAtOthers();
  }
  // Records of rules that others judge only take their place in the stream.
  if (!rule) return;
  ms = f64At(WINDOW_IN_TIME, first);
  const highMs = Math.max(load<f64>(engine, WINDOW_STREAM_HIGH), f64At(WINDOW_IN_HIGH, first));
  const latenessMs = load<f64>(engine, WINDOW_LATENESS);
  if (ms < highMs - latenessMs) {
    store<u32>(engine, load<u32>(engine, WINDOW_LATE_DROPPED) + (end - first), WINDOW_LATE_DROPPED);
    return;
  }
  touchedCount = 0;
  touchedNext = 0;
  sharedQueries = 0;
  walking = 0;
  candidatesLeft = 0;
  isAlone = load<f64>(rule, RULE_WINDOW) == 0;
  setAlone(isAlone);
  inRun = true;
  if (isAlone) {
    touchedCount = aloneRun(rule, first, end);
    return;
  }
  setLow(Math.min(othersLowMs, highMs));
  insertRun(first, end, highMs, highMs - load<f64>(rule, RULE_WINDOW) - latenessMs);
  // What the shared queries alone rule out now, a late event may still bring about at a later end.
  const isLatest = ms >= latestMs;
  if (isLatest) latestMs = ms;
  if (!sharedQueries || (isLatest && load<u32>(rule, RULE_OPTIMISTIC) && !maybe(rule, ms, ordinal))) return;
  if (isLatest && hasCandidates(rule)) candidatesLeft = load<u32>(rule, RULE_CANDIDATE_COUNT);
  else walking = firstOfQueues(rule);
}

function insertRun(first: u32, end: u32, highMs: f64, bandMs: f64): void {
  const deadMs = deadMsOf(rule);
  const shared = load<u32>(rule, RULE_SHARED);
  let lastGroup: usize = 0;
  let lastRecord: u32 = 0;
  for (let i = first; i < end; i++) {
    const q = queryOfRecord(i);
    const query = queryAt(rule, q);
    let owner: usize;
    if ((shared >> q) & 1) {
      owner = <usize>load<u32>(rule, RULE_SHARED_GROUP);
      sharedQueries |= 1 << q;
    } else {
      const length = keyLengthOf(i);
      // Values of one event for one group follow each other: the key is the very same bytes.
      if (lastGroup && keyOf(i) == keyOf(lastRecord) && length == keyLengthOf(lastRecord)) owner = lastGroup;
      else owner = touch(i, length);
      if (!owner) {
        refuse();
        continue;
      }
      lastGroup = owner;
      lastRecord = i;
      noteQuery(owner, q);
    }
    if (ms > load<f64>(owner, GROUP_LAST)) store<f64>(owner, ms, GROUP_LAST);
    const keep = keepOf(owner, query);
    // Only distinct values are several of one event: otherwise it stands once, whatever its arrays hold.
    if (load<u32>(query, QUERY_KIND) != KEEP_DISTINCT && isKept(keep, sizeOf(query))) continue;
    insert(keep, query, ms, ordinal, valueAt(i), deadMs, bandMs, highMs, deadMs + load<f64>(rule, RULE_WINDOW));
  }
}

/** Is the event at hand in this store already? */
function isKept(keep: usize, size: usize): bool {
  const through = countThrough(keep, size, ms, ordinal);
  if (!through) return false;
  const entry = entryAt(keep, size, through - 1);
  return msOf(entry) == ms && ordinalOf(entry) == ordinal;
}

/** The record's group, in the list of those touched by the event. */
function touch(i: u32, length: u32): usize {
  const before = touchedCount;
  const found = groupOf(rule, fragmentAt(i), keyOf(i), <usize>length);
  if (!found) return 0;
  for (let t: u32 = 0; t < before; t++) if (load<u32>(touchedAt(t)) == <u32>found) return found;
  const entry = touchedAt(touchedCount++);
  store<u32>(entry, <u32>found);
  store<u32>(entry, i, 4);
  store<u32>(entry, 0, 8);
  return found;
}

function noteQuery(owner: usize, q: u32): void {
  for (let t = <i32>touchedCount - 1; t >= 0; t--) {
    const entry = touchedAt(<u32>t);
    if (load<u32>(entry) != <u32>owner) continue;
    store<u32>(entry, load<u32>(entry, 8) | (1 << q), 8);
    return;
  }
}

function endRun(): void {
  inRun = false;
  if (isAlone) return;
  const isJoined = load<u32>(rule, RULE_SHARED) != 0;
  if (isJoined) {
    for (let t: u32 = 0; t < touchedCount; t++) noteCandidate(<usize>load<u32>(touchedAt(t)));
  }
  for (let t: u32 = 0; t < touchedCount; t++) dropFlag(<usize>load<u32>(touchedAt(t)), GROUP_AT_HAND);
}

function noteCandidate(touched: usize): void {
  if (isCandidate(rule, touched, load<f64>(touched, GROUP_LAST), ordinal)) addCandidate(rule, touched);
  else dropCandidate(rule, touched);
}

/** The next group to be judged, and the queries of the event that concern it; 0 when there is none. */
let groupQueries: u32 = 0;
let groupRecord: u32 = 0;
const NO_RECORD: u32 = 0xffffffff;
/** Is the group to be judged at the event's own time? */
let isHere = true;

function nextGroup(): usize {
  if (touchedNext < touchedCount) {
    const entry = touchedAt(touchedNext++);
    groupRecord = load<u32>(entry, 4);
    groupQueries = load<u32>(entry, 8) | sharedQueries;
    isHere = true;
    if (isAlone) groupQueries = aloneAim(rule, entry);
    return <usize>load<u32>(entry);
  }
  // An event of a shared query concerns every group that has an event in the window, or in one that ends later.
  while (walking) {
    const found = walking;
    walking = nextOfQueues(rule, found);
    if (hasFlag(found, GROUP_AT_HAND)) continue;
    isHere = hasEvents(rule, found, ms, ordinal);
    if (!isHere && load<f64>(found, GROUP_LAST) <= ms) continue;
    groupRecord = NO_RECORD;
    groupQueries = sharedQueries;
    return found;
  }
  while (candidatesLeft) {
    const found = candidateAt(rule, --candidatesLeft);
    if (hasFlag(found, GROUP_AT_HAND)) continue;
    if (!hasEvents(rule, found, ms, ordinal)) {
      dropCandidate(rule, found);
      continue;
    }
    isHere = true;
    groupRecord = NO_RECORD;
    groupQueries = sharedQueries;
    return found;
  }
  return 0;
}

/** Does an event of the group, or one that all groups share, lie after the one at hand? */
function isLate(): bool {
  const queries = load<u32>(rule, RULE_QUERY_COUNT);
  for (let q: u32 = 0; q < queries; q++) {
    const query = queryAt(rule, q);
    if (lastMsOf(keepOf(ownerOf(rule, group, q), query), sizeOf(query)) > ms) return true;
  }
  return false;
}

function judgeAt(atMs: f64, atOrdinal: u32, queries: u32): bool {
  hold(true);
  const found = judge(rule, group, atMs, atOrdinal, queries);
  hold(false);
  if (found < 0) return false;
  store<u32>(engine, load<u32>(rule, RULE_NUMBER), WINDOW_HIT_RULE);
  store<u32>(engine, <u32>found, WINDOW_HIT_CASE);
  store<f64>(engine, atMs, WINDOW_HIT_MS);
  store<u32>(engine, atOrdinal, WINDOW_HIT_ORDINAL);
  store<u32>(engine, ordinal, WINDOW_AT_HAND);
  if (groupRecord != NO_RECORD) {
    store<u32>(engine, <u32>keyOf(groupRecord), WINDOW_HIT_KEY);
    store<u32>(engine, keyLengthOf(groupRecord), WINDOW_HIT_KEY_LENGTH);
  } else {
    store<u32>(engine, <u32>group + load<u32>(rule, RULE_KEY_OFFSET), WINDOW_HIT_KEY);
    store<u32>(engine, <u32>load<u16>(group, GROUP_KEY_BYTES), WINDOW_HIT_KEY_LENGTH);
  }
  aimEvents(rule, isAlone ? 0 : group, atMs, atOrdinal, queries);
  return true;
}

/** The next event, of this group or shared, whose window the event at hand changed. */
let endQueries: u32 = 0;
function nextEnd(): bool {
  let bestMs = Infinity;
  let bestOrdinal: u32 = 0;
  endQueries = 0;
  const queries = load<u32>(rule, RULE_QUERY_COUNT);
  for (let q: u32 = 0; q < queries; q++) {
    const query = queryAt(rule, q);
    const keep = keepOf(ownerOf(rule, group, q), query);
    const size = sizeOf(query);
    const at = countThrough(keep, size, endMs, endOrdinal);
    if (at >= lengthOf(keep, size)) continue;
    const entry = entryAt(keep, size, at);
    const entryMs = msOf(entry);
    const entryOrdinal = ordinalOf(entry);
    if (entryMs == bestMs && entryOrdinal == bestOrdinal) endQueries |= 1 << q;
    else if (bestMs == Infinity || isAfter(bestMs, bestOrdinal, entryMs, entryOrdinal)) {
      bestMs = entryMs;
      bestOrdinal = entryOrdinal;
      endQueries = 1 << q;
    }
  }
  if (bestMs >= untilMs) return false;
  endMs = bestMs;
  endOrdinal = bestOrdinal;
  return true;
}

/** An event that is not the group's own has it judged only if it has one of its own in the window. */
function concernsGroup(): bool {
  return (endQueries & ~load<u32>(rule, RULE_SHARED)) != 0 || hasEvents(rule, group, endMs, endOrdinal);
}

/** Goes on to the next hit. 1: the struct describes one; 0: the batch is done. */
export function windowNext(): u32 {
  while (true) {
    if (inGroup) {
      if (!nextEnd()) inGroup = false;
      else if (concernsGroup() && judgeAt(endMs, endOrdinal, endQueries)) return 1;
    } else if (inRun) {
      group = nextGroup();
      if (!group) {
        endRun();
        continue;
      }
      if (!isAlone && isLate()) {
        inGroup = true;
        endMs = ms;
        endOrdinal = ordinal;
        // Under THEN, windows that changed may change what follows them in turn.
        const windowMs = load<f64>(rule, RULE_WINDOW);
        untilMs = ms + (load<u32>(rule, RULE_AFTER) ? 2 * windowMs : windowMs);
      }
      if (isHere && judgeAt(ms, ordinal, groupQueries)) return 1;
    } else if (cursor < count) beginRun();
    else break;
  }
  store<u32>(engine, pagesUsed(), WINDOW_PAGES_USED);
  store<u32>(engine, tableSlots(), WINDOW_SLOTS);
  return 0;
}
