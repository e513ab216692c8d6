import { GROUP_FRAGMENT, GROUP_KEY_BYTES, GROUP_RULE, GROUP_FLAGS, GROUP_LONG_KEY, GROUP_KEY_CAP, PAGE_BYTES, RULE_KEY_OFFSET, RULE_SALT, RULE_SHARED, SHARED_KEY_CAP } from "../layout";
import { freePages, orderOf, takePages } from "./pages";

// Open addressing, linear probes. Place: u32 fragment of the hash, u32 group, 0 = free.
const MIN_SLOTS: u32 = PAGE_BYTES / 8;
let slots: usize = 0;
let mask: u32 = 0;
let count: u32 = 0;
let seed: u64 = 0;
let hashMask: u32 = 0;

export function tableStart(withSeed: u64, withMask: u32): bool {
  seed = withSeed;
  hashMask = withMask;
  count = 0;
  mask = MIN_SLOTS - 1;
  slots = takePages(0);
  if (slots) memory.fill(slots, 0, PAGE_BYTES);
  return slots != 0;
}

export function tableSlots(): u32 {
  return mask + 1;
}

// @ts-ignore: decorator
@inline
function mixed(h: u64, word: u64): u64 {
  const product = (h ^ word) * 0x9fb21c651e98df25;
  return product ^ (product >> 32);
}

function hashBytes(start: usize, length: usize, from: u64): u64 {
  let h = from ^ (<u64>length * 0x9e3779b97f4a7c15);
  let p = start;
  const end = start + length;
  for (; p + 8 <= end; p += 8) h = mixed(h, load<u64>(p));
  // What follows a key may be read; the shift drops it.
  if (p < end) h = mixed(h, load<u64>(p) << ((8 - (end - p)) << 3));
  return mixed(h, h >> 29);
}

/** 32 bits of the key's hash under this rule: its place in the table, and what tells most others apart. */
export function fragmentOf(rule: usize, key: usize, length: usize): u32 {
  // The salt, not the rule's address: a saved group keeps its place when rules around its own are edited.
  const h = hashBytes(key, length, seed ^ (<u64>load<u32>(rule, RULE_SALT) * 0xc2b2ae3d27d4eb4f));
  return <u32>(h ^ (h >> 32)) & hashMask;
}

/** Digest of a text too long to be kept whole, 16 bytes. */
export function digest(out: usize, key: usize, length: usize): void {
  store<u64>(out, hashBytes(key, length, seed ^ 0x3c79ac492ba7b653));
  store<u64>(out, hashBytes(key, length, seed ^ 0x1c69b3f74ac4ae35), 8);
}

function sameBytes(a: usize, b: usize, length: usize): bool {
  let i: usize = 0;
  for (; i + 8 <= length; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false;
  for (; i < length; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}

const ownDigest: usize = memory.data(16);

/** Text kept of a key. Where an event of another group can bring about a group's hit, its values are told from what is kept. */
export function keyCapOf(rule: usize): usize {
  return load<u32>(rule, RULE_SHARED) ? SHARED_KEY_CAP : GROUP_KEY_CAP;
}

function isKey(group: usize, rule: usize, key: usize, length: usize): bool {
  if (load<u32>(group, GROUP_RULE) != <u32>rule) return false;
  const kept = group + <usize>load<u32>(rule, RULE_KEY_OFFSET);
  const cap = keyCapOf(rule);
  const isLong = length > cap;
  if (isLong != ((load<u8>(group, GROUP_FLAGS) & GROUP_LONG_KEY) != 0)) return false;
  if (!isLong) return load<u16>(group, GROUP_KEY_BYTES) == <u16>length && sameBytes(kept, key, length);
  if (!sameBytes(kept, key, cap)) return false;
  digest(ownDigest, key, length);
  return sameBytes(kept + cap, ownDigest, 16);
}

/** The rule's group of this key, 0 when there is none. Equal fragments are not enough: the text is compared. */
export function findGroup(rule: usize, fragment: u32, key: usize, length: usize): usize {
  let i = fragment & mask;
  while (true) {
    const slot = slots + (<usize>i << 3);
    const group = <usize>load<u32>(slot, 4);
    if (!group) return 0;
    if (load<u32>(slot) == fragment && isKey(group, rule, key, length)) return group;
    i = (i + 1) & mask;
  }
}

/** The first place a probe looks at: reading it early hides how far away it is. */
export function firstGroup(fragment: u32): usize {
  return <usize>load<u32>(slots + (<usize>(fragment & mask) << 3), 4);
}

function place(fragment: u32, group: u32): void {
  let i = fragment & mask;
  while (load<u32>(slots + (<usize>i << 3), 4)) i = (i + 1) & mask;
  store<u32>(slots + (<usize>i << 3), fragment);
  store<u32>(slots + (<usize>i << 3), group, 4);
}

function double(): bool {
  const old = slots;
  const oldCount = mask + 1;
  const bytes = <usize>oldCount << 4;
  const fresh = takePages(orderOf(bytes));
  if (!fresh) return false;
  memory.fill(fresh, 0, bytes);
  slots = fresh;
  mask = oldCount * 2 - 1;
  for (let i: u32 = 0; i < oldCount; i++) {
    const slot = old + (<usize>i << 3);
    const group = load<u32>(slot, 4);
    if (group) place(load<u32>(slot), group);
  }
  freePages(old);
  return true;
}

/** False when the table is full and cannot grow. */
export function addGroup(group: usize): bool {
  if (count + 1 > (mask >> 2) * 3 && !double() && count + 1 > mask - (mask >> 4)) return false;
  place(load<u32>(group, GROUP_FRAGMENT), <u32>group);
  count++;
  return true;
}

export function removeGroup(group: usize): void {
  let i = load<u32>(group, GROUP_FRAGMENT) & mask;
  while (load<u32>(slots + (<usize>i << 3), 4) != <u32>group) i = (i + 1) & mask;
  // Those behind move up, so that no probe ends too early.
  let gap = i;
  for (let j = (i + 1) & mask; ; j = (j + 1) & mask) {
    const slot = slots + (<usize>j << 3);
    if (!load<u32>(slot, 4)) break;
    const home = load<u32>(slot) & mask;
    if (((j - home) & mask) < ((j - gap) & mask)) continue;
    store<u64>(slots + (<usize>gap << 3), load<u64>(slot));
    gap = j;
  }
  store<u64>(slots + (<usize>gap << 3), 0);
  count--;
}
