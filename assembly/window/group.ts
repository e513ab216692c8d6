import {
  ENTRY_BYTES, GROUP_AT_HAND, GROUP_FLAGS, GROUP_FRAGMENT, GROUP_HOT, GROUP_KEY_BYTES, GROUP_LAST, GROUP_LONG_KEY,
  GROUP_NEXT, GROUP_RULE, GROUP_TOUCHED, RULE_COLD_HEAD, RULE_GROUP_CAP, RULE_GROUP_COUNT, RULE_HIT_OFFSET, RULE_HOT_HEAD, RULE_KEY_OFFSET,
  RULE_LEFT_OFFSET, RULE_QUERY_COUNT,
} from "../layout";
import { dropCandidate } from "./candidates";
import { countGroups, evictFrom, isOver, lookOver } from "./evict";
import { clearKeep, freeKeep, queryAt } from "./keep";
import { makeWay, pieceFor } from "./pressure";
import { clearStore, freeRing } from "./ring";
import { givePiece } from "./slab";
import { addGroup, digest, findGroup, keyCapOf, removeGroup } from "./table";

// Queues: offset of a rule's head, its tail 4 bytes after it.

export function enqueue(rule: usize, head: usize, group: usize): void {
  store<u32>(group, 0, GROUP_NEXT);
  const tail = <usize>load<u32>(rule + head, 4);
  if (tail) store<u32>(tail, <u32>group, GROUP_NEXT);
  else store<u32>(rule + head, <u32>group);
  store<u32>(rule + head, <u32>group, 4);
}

/** Takes the first of a queue out of it, 0 when it is empty. */
export function dequeue(rule: usize, head: usize): usize {
  const group = <usize>load<u32>(rule + head);
  if (!group) return 0;
  const next = load<u32>(group, GROUP_NEXT);
  store<u32>(rule + head, next);
  if (!next) store<u32>(rule + head, 0, 4);
  return group;
}

// @ts-ignore: decorator
@inline
export function addFlag(group: usize, flag: i32): void {
  store<u8>(group, load<u8>(group, GROUP_FLAGS) | <u8>flag, GROUP_FLAGS);
}

// @ts-ignore: decorator
@inline
export function dropFlag(group: usize, flag: i32): void {
  store<u8>(group, load<u8>(group, GROUP_FLAGS) & ~<u8>flag, GROUP_FLAGS);
}

// @ts-ignore: decorator
@inline
export function hasFlag(group: usize, flag: i32): bool {
  return (load<u8>(group, GROUP_FLAGS) & <u8>flag) != 0;
}

/** A group outside table and queues. */
export function bareGroup(rule: usize, key: usize, length: usize): usize {
  const cap = keyCapOf(rule);
  const kept = length > cap ? cap + 16 : length;
  const group = pieceFor(<usize>load<u32>(rule, RULE_KEY_OFFSET) + kept);
  if (!group) return 0;
  emptyGroup(group, rule, <u32>kept, length > cap ? GROUP_LONG_KEY : 0);
  const text = group + <usize>load<u32>(rule, RULE_KEY_OFFSET);
  if (length > cap) {
    memory.copy(text, key, cap);
    digest(text + cap, key, length);
  } else memory.copy(text, key, length);
  return group;
}

/** A group's head and stores, with nothing in them. */
export function emptyGroup(group: usize, rule: usize, kept: u32, flags: u32): void {
  store<u32>(group, <u32>rule, GROUP_RULE);
  store<u16>(group, <u16>kept, GROUP_KEY_BYTES);
  store<u8>(group, <u8>flags, GROUP_FLAGS);
  store<f64>(group, -Infinity, GROUP_LAST);
  const queries = load<u32>(rule, RULE_QUERY_COUNT);
  for (let q: u32 = 0; q < queries; q++) clearKeep(group, queryAt(rule, q));
  const left = <usize>load<u32>(rule, RULE_LEFT_OFFSET);
  if (left) clearStore(group + left, ENTRY_BYTES);
  const hit = <usize>load<u32>(rule, RULE_HIT_OFFSET);
  if (hit) {
    store<f64>(group + hit, -Infinity);
    store<u64>(group + hit, 0, 8);
  }
}

function freeGroup(group: usize): void {
  const rule = <usize>load<u32>(group, GROUP_RULE);
  const queries = load<u32>(rule, RULE_QUERY_COUNT);
  for (let q: u32 = 0; q < queries; q++) freeKeep(group, queryAt(rule, q));
  const left = <usize>load<u32>(rule, RULE_LEFT_OFFSET);
  if (left) freeRing(group + left, ENTRY_BYTES);
  givePiece(group, <usize>load<u32>(rule, RULE_KEY_OFFSET) + <usize>load<u16>(group, GROUP_KEY_BYTES));
}

/** Gives up a group that stands in no queue any more. */
export function dropGroup(group: usize): void {
  const rule = <usize>load<u32>(group, GROUP_RULE);
  removeGroup(group);
  if (load<u32>(rule, RULE_HIT_OFFSET)) dropCandidate(rule, group);
  store<u32>(rule, load<u32>(rule, RULE_GROUP_COUNT) - 1, RULE_GROUP_COUNT);
  countGroups(-1);
  freeGroup(group);
}

/** The rule's group of a key, made where there is none; 0 when there is no memory for it. Marked as at hand. */
export function groupOf(rule: usize, fragment: u32, key: usize, length: usize): usize {
  const known = findGroup(rule, fragment, key, length);
  if (known) {
    // What was over begins anew, whether or not it was given up meanwhile.
    const hit = <usize>load<u32>(rule, RULE_HIT_OFFSET);
    if (hit && isOver(rule, known)) store<f64>(known + hit, -Infinity);
    addFlag(known, GROUP_TOUCHED | GROUP_AT_HAND);
    return known;
  }
  lookOver(rule);
  if (load<u32>(rule, RULE_GROUP_COUNT) >= load<u32>(rule, RULE_GROUP_CAP)) evictFrom(rule);
  const group = bareGroup(rule, key, length);
  if (!group) return 0;
  store<u32>(group, fragment, GROUP_FRAGMENT);
  // A table that is full and finds no memory to grow has places again once groups give way.
  if (!addGroup(group) && !(makeWay() && addGroup(group))) {
    freeGroup(group);
    return 0;
  }
  addFlag(group, GROUP_AT_HAND);
  enqueue(rule, RULE_COLD_HEAD, group);
  store<u32>(rule, load<u32>(rule, RULE_GROUP_COUNT) + 1, RULE_GROUP_COUNT);
  countGroups(1);
  return group;
}

export function firstOfQueues(rule: usize): usize {
  const cold = load<u32>(rule, RULE_COLD_HEAD);
  return <usize>(cold ? cold : load<u32>(rule, RULE_HOT_HEAD));
}

/** The group after this one, cold queue first. */
export function nextOfQueues(rule: usize, group: usize): usize {
  const next = load<u32>(group, GROUP_NEXT);
  if (next) return <usize>next;
  return hasFlag(group, GROUP_HOT) ? 0 : <usize>load<u32>(rule, RULE_HOT_HEAD);
}
