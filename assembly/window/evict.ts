import {
  ENTRY_BYTES, GROUP_AT_HAND, GROUP_HOT, GROUP_LAST, GROUP_TOUCHED, KEEP_DISTINCT, KEEP_SUM, QUERY_KIND,
  QUERY_NEAR, QUERY_NEAR_VALUE, RULE_COLD_HEAD, RULE_GROUP_COUNT, RULE_HOT_HEAD, RULE_LEFT_OFFSET, RULE_QUERY_COUNT, RULE_SHARED,
  RULE_WINDOW, WINDOW_EVICTED, WINDOW_EVICTED_NEAR, WINDOW_EXPIRED, WINDOW_GROUPS, WINDOW_LATENESS, WINDOW_REFUSED, WINDOW_RULES, WINDOW_RULE_COUNT,
} from "../layout";
import { distinct } from "./distinct";
import { addFlag, dequeue, dropFlag, dropGroup, enqueue, hasFlag } from "./group";
import { keepOf, queryAt, sizeOf } from "./keep";
import { total } from "./numbers";
import { entryAt, lastMsOf, lengthOf, msOf } from "./ring";

// Groups stand in their rule's queue, about in the order in which they were touched: each new group has the first few looked
// over. One whose time is over is given up there, one touched meanwhile goes to the end. Only event time and the order of matches
// drive this, so it is the same in every run, and what it gives up for its time cannot matter any more.

let engine: usize = 0;
let lowMs: f64 = -Infinity;
let turn: u32 = 0;
let steps: u32 = 0;
/** Expired groups given up for one new group at most. */
const BATCH = 4;
/** Groups near their threshold looked at in search of one that is so no more. */
const HOT_TRIES: u32 = 256;

export function evictStart(struct: usize): void {
  engine = struct;
  lowMs = -Infinity;
  turn = 0;
  steps = 0;
}

export function turnOf(): u32 {
  return turn;
}

export function stepsOf(): u32 {
  return steps;
}

export function setStepsOf(toTurn: u32, toSteps: u32): void {
  turn = toTurn;
  steps = toSteps;
}

/** @param ms the lowest of the streams' highest event times: what lies a window and the lateness before it is over. */
export function setLow(ms: f64): void {
  lowMs = ms;
}

function bump(offset: usize, by: i32): void {
  store<u32>(engine + offset, load<u32>(engine + offset) + by);
}

/** A match that found no memory, or not enough to be kept beside all that is needed. */
export function refuse(): void {
  bump(WINDOW_REFUSED, 1);
}

export function countGroups(by: i32): void {
  bump(WINDOW_GROUPS, by);
}

/** Entries of the rule up to here matter to no stream. */
export function deadMsOf(rule: usize): f64 {
  return lowMs - load<f64>(rule, RULE_WINDOW) - load<f64>(engine, WINDOW_LATENESS);
}

export function isOver(rule: usize, group: usize): bool {
  return load<f64>(group, GROUP_LAST) <= deadMsOf(rule);
}

/** Is the group half way to a threshold, or past it? Such a one must not be pushed out by newcomers. */
export function isNear(rule: usize, group: usize): bool {
  const lastMs = load<f64>(group, GROUP_LAST);
  const afterMs = lastMs - load<f64>(rule, RULE_WINDOW);
  const left = <usize>load<u32>(rule, RULE_LEFT_OFFSET);
  if (left && lastMsOf(group + left, ENTRY_BYTES) > afterMs) return true;
  const shared = load<u32>(rule, RULE_SHARED);
  const queries = load<u32>(rule, RULE_QUERY_COUNT);
  for (let q: u32 = 0; q < queries; q++) {
    if ((shared >> q) & 1) continue;
    const query = queryAt(rule, q);
    const near = load<u32>(query, QUERY_NEAR);
    if (!near) continue;
    const keep = keepOf(group, query);
    const kind = load<u32>(query, QUERY_KIND);
    const n = lengthOf(keep, sizeOf(query));
    if (kind == KEEP_DISTINCT) {
      if (n >= near && distinct(keep, afterMs, -Infinity, 0, Infinity, 0, near) >= near) return true;
    } else if (kind == KEEP_SUM) {
      if (n && total(keep, query, afterMs, -Infinity, 0, Infinity, 0) >= load<f64>(query, QUERY_NEAR_VALUE)) return true;
    } else if (n >= near && msOf(entryAt(keep, sizeOf(query), n - near)) > afterMs) return true;
  }
  return false;
}

/** Gives up the first of those not near a threshold if its time is over; sends it to the end if it was touched since. True: look on. */
function lookAtCold(rule: usize, sendOn: bool): bool {
  const group = <usize>load<u32>(rule, RULE_COLD_HEAD);
  if (!group) return false;
  const atHand = hasFlag(group, GROUP_AT_HAND);
  if (!atHand && isOver(rule, group)) {
    dequeue(rule, RULE_COLD_HEAD);
    dropGroup(group);
    bump(WINDOW_EXPIRED, 1);
    return true;
  }
  if (!sendOn && !atHand && !hasFlag(group, GROUP_TOUCHED)) return false;
  dropFlag(group, GROUP_TOUCHED);
  enqueue(rule, RULE_COLD_HEAD, dequeue(rule, RULE_COLD_HEAD));
  return true;
}

function lookAtHot(rule: usize): void {
  const group = dequeue(rule, RULE_HOT_HEAD);
  if (!group) return;
  if (!hasFlag(group, GROUP_AT_HAND) && isOver(rule, group)) {
    dropGroup(group);
    bump(WINDOW_EXPIRED, 1);
  } else if (isNear(rule, group)) enqueue(rule, RULE_HOT_HEAD, group);
  else {
    dropFlag(group, GROUP_HOT);
    enqueue(rule, RULE_COLD_HEAD, group);
  }
}

/** Before a rule gets a new group: looks over the first of its queues, and of one other rule in turn. */
export function lookOver(rule: usize): void {
  steps++;
  // One whose clock ran ahead would stand first for long: now and then it is sent on, or others would hide behind it.
  const sendOn = (steps & 15) == 0;
  for (let i = 0; i < BATCH; i++) if (!lookAtCold(rule, sendOn && i == 0)) break;
  lookAtHot(rule);
  const rules = load<u32>(engine, WINDOW_RULE_COUNT);
  turn = turn + 1 >= rules ? 0 : turn + 1;
  const other = <usize>load<u32>(<usize>load<u32>(engine, WINDOW_RULES) + (<usize>turn << 2));
  if (other == rule) return;
  lookAtCold(other, sendOn);
  lookAtHot(other);
}

/** Gives up one group: one whose time is over, else one not touched for long and not near its threshold, else what there is. */
export function evictFrom(rule: usize): bool {
  // Each group is met at most twice: touched, then not; those near leave the queue.
  for (let left = load<u32>(rule, RULE_GROUP_COUNT) * 2; left > 0; left--) {
    const group = dequeue(rule, RULE_COLD_HEAD);
    if (!group) break;
    if (hasFlag(group, GROUP_AT_HAND)) {
      enqueue(rule, RULE_COLD_HEAD, group);
    } else if (isOver(rule, group)) {
      dropGroup(group);
      bump(WINDOW_EXPIRED, 1);
      return true;
    } else if (hasFlag(group, GROUP_TOUCHED)) {
      dropFlag(group, GROUP_TOUCHED);
      enqueue(rule, RULE_COLD_HEAD, group);
    } else if (isNear(rule, group)) {
      addFlag(group, GROUP_HOT);
      enqueue(rule, RULE_HOT_HEAD, group);
    } else {
      dropGroup(group);
      bump(WINDOW_EVICTED, 1);
      return true;
    }
  }
  return evictHot(rule);
}

function evictHot(rule: usize): bool {
  for (let tries = min<u32>(load<u32>(rule, RULE_GROUP_COUNT), HOT_TRIES); tries > 0; tries--) {
    const group = dequeue(rule, RULE_HOT_HEAD);
    if (!group) return false;
    const over = isOver(rule, group);
    const near = !over && isNear(rule, group);
    if (hasFlag(group, GROUP_AT_HAND) || (near && tries > 1)) {
      enqueue(rule, RULE_HOT_HEAD, group);
      continue;
    }
    if (over) bump(WINDOW_EXPIRED, 1);
    else bump(WINDOW_EVICTED, 1);
    if (near) bump(WINDOW_EVICTED_NEAR, 1);
    dropGroup(group);
    return true;
  }
  return false;
}

/** For want of memory: the rule with the most groups gives up some. */
export function relieve(): bool {
  const rules = load<u32>(engine, WINDOW_RULE_COUNT);
  const list = <usize>load<u32>(engine, WINDOW_RULES);
  let largest: usize = 0;
  let most: u32 = 0;
  for (let i: u32 = 0; i < rules; i++) {
    const rule = <usize>load<u32>(list + (<usize>i << 2));
    const groups = load<u32>(rule, RULE_GROUP_COUNT);
    if (groups > most) {
      most = groups;
      largest = rule;
    }
  }
  if (!largest) return false;
  let given = 0;
  while (given < 64 && evictFrom(largest)) given++;
  return given > 0;
}
