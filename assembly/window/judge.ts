import {
  COMPARE_AT_LEAST, COMPARE_GREATER, COMPARE_LESS, ENTRY_BYTES, KEEP_COUNT, KEEP_DISTINCT, KEEP_WIDE, LEFT_CAP, NODE_ABOVE, NODE_AT_LEAST, NODE_COMPARE,
  NODE_BOUND, NODE_FALSE, NODE_KIND, NODE_NUMBER, NODE_ON_FALSE, NODE_ON_TRUE, NODE_OP, NODE_QUERY, NODE_RIGHT, NODE_RIGHT_QUERY,
  NODE_STEP_BYTES, NODE_TRUE, NO_QUERY, BOUND_BYTES, QUERY_BOUNDS, QUERY_KIND, QUERY_NEED, RULE_AFTER, RULE_AFTER_QUERIES, RULE_CASES,
  RULE_CASE_COUNT, RULE_LEFT_OFFSET, RULE_QUERY_COUNT, RULE_SHARED, RULE_SHARED_GROUP, RULE_WINDOW,
} from "../layout";
import { distinct } from "./distinct";
import { deadMsOf } from "./evict";
import { keepOf, queryAt, sizeOf } from "./keep";
import { countBetween, isAbove, passes, total } from "./numbers";
import { capacityOf, countThrough, countUntil, entryAt, insertAt, isAfter, lengthOf, moveEntry, msOf, ordinalOf, removeAt, resize, ringOf, setLength } from "./ring";

// What is judged: a group of a rule at an event, over the events after `afterMs` (and, behind THEN, after the left event).
let rule: usize = 0;
let group: usize = 0;
let ms: f64 = 0;
let ordinal: u32 = 0;
let afterMs: f64 = 0;
let leftMs: f64 = -Infinity;
let leftOrdinal: u32 = 0;
/** The left event that the latest hit under THEN came after. */
export let hitLeftMs: f64 = -Infinity;
export let hitLeftOrdinal: u32 = 0;
// Window 0: the event alone, its values by query.
let alone = false;
const aloneValues: usize = memory.data(128);
// What is taken for true: nothing, what a group's own queries say, or all but what an event of a shared query leaves as it is.
let assume: u32 = 0;
const ASSUME_OWN: u32 = 1;
const ASSUME_ALL_THAT_CHANGES: u32 = 2;

/** Group or, for a query without group-by beside others, the rule's shared group. */
// @ts-ignore: decorator
@inline
export function ownerOf(ofRule: usize, ofGroup: usize, q: u32): usize {
  return (load<u32>(ofRule, RULE_SHARED) >> q) & 1 ? <usize>load<u32>(ofRule, RULE_SHARED_GROUP) : ofGroup;
}

export function setAlone(on: bool): void {
  alone = on;
}

export function setAloneValue(q: u32, value: f64): void {
  store<f64>(aloneValues + (<usize>q << 3), value);
}

export function aloneValue(q: u32): f64 {
  return load<f64>(aloneValues + (<usize>q << 3));
}

function compares(left: f64, op: u32, right: f64): bool {
  if (op == COMPARE_GREATER) return left > right;
  if (op == COMPARE_AT_LEAST) return left >= right;
  if (op == COMPARE_LESS) return left < right;
  return left <= right;
}

function valueOfQuery(q: u32): f64 {
  if (alone) return aloneValue(q);
  const query = queryAt(rule, q);
  const keep = keepOf(ownerOf(rule, group, q), query);
  const kind = load<u32>(query, QUERY_KIND);
  if (kind == KEEP_DISTINCT) return <f64>distinct(keep, afterMs, leftMs, leftOrdinal, ms, ordinal, <u32>-1);
  if (kind == KEEP_COUNT) return <f64>countBetween(keep, ENTRY_BYTES, afterMs, leftMs, leftOrdinal, ms, ordinal);
  return total(keep, query, afterMs, leftMs, leftOrdinal, ms, ordinal);
}

function holdsAtLeast(q: u32, number: f64): bool {
  if (alone) return aloneValue(q) >= number;
  const query = queryAt(rule, q);
  const keep = keepOf(ownerOf(rule, group, q), query);
  const kind = load<u32>(query, QUERY_KIND);
  if (kind == KEEP_WIDE) return total(keep, query, afterMs, leftMs, leftOrdinal, ms, ordinal) >= number;
  const n = <u32>min<f64>(number, <f64>load<u32>(query, QUERY_NEED));
  if (kind == KEEP_DISTINCT) return distinct(keep, afterMs, leftMs, leftOrdinal, ms, ordinal, n) >= n;
  // The n-th latest event lies in the window, or too few do.
  const size = sizeOf(query);
  const through = countThrough(keep, size, ms, ordinal);
  if (through < n) return false;
  const entry = entryAt(keep, size, through - n);
  return msOf(entry) > afterMs && isAfter(msOf(entry), ordinalOf(entry), leftMs, leftOrdinal);
}

function holdsAbove(q: u32, bound: u32): bool {
  const query = queryAt(rule, q);
  if (alone) return passes(<usize>load<u32>(query, QUERY_BOUNDS) + <usize>bound * BOUND_BYTES, aloneValue(q));
  return isAbove(keepOf(ownerOf(rule, group, q), query), query, bound, afterMs, leftMs, leftOrdinal, ms, ordinal);
}

function holds(node: usize): bool {
  const kind = load<u32>(node, NODE_KIND);
  const q = load<u32>(node, NODE_QUERY);
  const rightQuery = load<u32>(node, NODE_RIGHT_QUERY);
  const op = load<u32>(node, NODE_OP);
  if (assume) {
    const shared = load<u32>(rule, RULE_SHARED);
    const isShared = ((shared >> q) & 1) != 0;
    if (assume == ASSUME_OWN) {
      if (!isShared || (rightQuery != <u32>NO_QUERY && !((shared >> rightQuery) & 1))) return true;
    } else if (isShared || kind == NODE_COMPARE || op) return true;
  }
  if (kind == NODE_AT_LEAST) return holdsAtLeast(q, load<f64>(node, NODE_NUMBER)) != (op != 0);
  if (kind == NODE_ABOVE) return holdsAbove(q, load<u32>(node, NODE_BOUND)) != (op != 0);
  const left = load<f64>(node, NODE_NUMBER) * valueOfQuery(q);
  const right = load<f64>(node, NODE_RIGHT);
  return compares(left, op, rightQuery == <u32>NO_QUERY ? right : right * valueOfQuery(rightQuery));
}

function run(program: usize): bool {
  if (!program) return true;
  let i: u32 = 0;
  while (true) {
    const node = program + <usize>i * NODE_STEP_BYTES;
    i = load<u32>(node + (holds(node) ? NODE_ON_TRUE : NODE_ON_FALSE));
    if (i >= <u32>NODE_FALSE) return i == <u32>NODE_TRUE;
  }
}

/** Number of the first case that is true, -1 when none is. */
function firstCase(): i32 {
  const count = load<u32>(rule, RULE_CASE_COUNT);
  const programs = <usize>load<u32>(rule, RULE_CASES);
  for (let i: u32 = 0; i < count; i++) if (run(<usize>load<u32>(programs + (<usize>i << 2)))) return <i32>i;
  return -1;
}

function aim(ofRule: usize, ofGroup: usize, atMs: f64, atOrdinal: u32): void {
  rule = ofRule;
  group = ofGroup;
  ms = atMs;
  ordinal = atOrdinal;
  afterMs = atMs - load<f64>(ofRule, RULE_WINDOW);
  leftMs = -Infinity;
}

/** Could a case be true as far as the shared queries go, whatever the groups hold? */
export function maybe(ofRule: usize, atMs: f64, atOrdinal: u32): bool {
  aim(ofRule, 0, atMs, atOrdinal);
  assume = ASSUME_OWN;
  const found = firstCase();
  assume = 0;
  return found >= 0;
}

/**
 * Could an event of a shared query bring a hit of the group, as long as it has no further event of its own? Without one its counts and
 * maxima only fall, so what they do not reach now they will not.
 */
export function isCandidate(ofRule: usize, ofGroup: usize, lastMs: f64, lastOrdinal: u32): bool {
  if (load<u32>(ofRule, RULE_AFTER)) return true;
  aim(ofRule, ofGroup, lastMs, lastOrdinal);
  assume = ASSUME_ALL_THAT_CHANGES;
  const found = firstCase();
  assume = 0;
  return found >= 0;
}

/** Has the group itself an event in the window that ends with this one? */
export function hasEvents(ofRule: usize, ofGroup: usize, atMs: f64, atOrdinal: u32): bool {
  const after = atMs - load<f64>(ofRule, RULE_WINDOW);
  const shared = load<u32>(ofRule, RULE_SHARED);
  const queries = load<u32>(ofRule, RULE_QUERY_COUNT);
  for (let q: u32 = 0; q < queries; q++) {
    if ((shared >> q) & 1) continue;
    const query = queryAt(ofRule, q);
    const keep = keepOf(ofGroup, query);
    const size = sizeOf(query);
    const through = countThrough(keep, size, atMs, atOrdinal);
    if (through && msOf(entryAt(keep, size, through - 1)) > after) return true;
  }
  return false;
}

/**
 * Judges a group at an event of these queries; window 0 by the values set before.
 *
 * @returns the case, -1 when none is true.
 */
export function judge(ofRule: usize, ofGroup: usize, atMs: f64, atOrdinal: u32, queries: u32): i32 {
  aim(ofRule, ofGroup, atMs, atOrdinal);
  const after = <usize>load<u32>(ofRule, RULE_AFTER);
  if (!after) return firstCase();
  // With a window of 0 nothing can lie between the two sides.
  if (alone) return -1;
  const left = ofGroup + <usize>load<u32>(ofRule, RULE_LEFT_OFFSET);
  let found = -1;
  if (queries & load<u32>(ofRule, RULE_AFTER_QUERIES)) {
    const first = countUntil(left, ENTRY_BYTES, afterMs);
    if (first < lengthOf(left, ENTRY_BYTES)) {
      const start = entryAt(left, ENTRY_BYTES, first);
      if (isAfter(atMs, atOrdinal, msOf(start), ordinalOf(start))) {
        leftMs = msOf(start);
        leftOrdinal = ordinalOf(start);
        if (run(after)) {
          found = 0;
          hitLeftMs = leftMs;
          hitLeftOrdinal = leftOrdinal;
        }
        leftMs = -Infinity;
      }
    }
  }
  if (firstCase() == 0) keepLeft(left);
  return found;
}

/** Notes that the side before THEN was true at this event. */
function keepLeft(left: usize): void {
  const deadMs = deadMsOf(rule);
  while (lengthOf(left, ENTRY_BYTES) && msOf(entryAt(left, ENTRY_BYTES, 0)) <= deadMs) removeAt(left, ENTRY_BYTES, 0);
  const at = countThrough(left, ENTRY_BYTES, ms, ordinal);
  if (at) {
    const before = entryAt(left, ENTRY_BYTES, at - 1);
    if (msOf(before) == ms && ordinalOf(before) == ordinal) return;
  }
  const n = lengthOf(left, ENTRY_BYTES);
  if (n >= capacityOf(left, ENTRY_BYTES) && (n >= <u32>LEFT_CAP || !resize(left, ENTRY_BYTES, min<u32>(max<u32>(n * 2, 2), LEFT_CAP)))) {
    // Only one of them counts at any time: thinned out between, the first and the latest stay.
    if (!ringOf(left, ENTRY_BYTES)) return;
    let to: u32 = 1;
    for (let from: u32 = 2; from < n; from += 2) moveEntry(left, ENTRY_BYTES, to++, from);
    if (!(n & 1)) moveEntry(left, ENTRY_BYTES, to++, n - 1);
    setLength(ringOf(left, ENTRY_BYTES), to);
    if (to >= capacityOf(left, ENTRY_BYTES)) return;
  }
  insertAt(left, ENTRY_BYTES, countThrough(left, ENTRY_BYTES, ms, ordinal), ms, ordinal);
}
