import { KIND_OF_MEMBERS, MEMBERS_BUCKETS, MEMBERS_COUNT, MEMBERS_DATA, MEMBERS_RANDOM, MEMBERS_SPARE, MEMBERS_SPARE_BUCKET, SKETCH_BYTES, SKETCH_SEED } from "../layout";
import { startHead } from "./head";
import { spread } from "./random";

// Cuckoo filter (Fan, Andersen, Kaminsky, Mitzenmacher 2014): a fingerprint lies in one of two buckets, and either tells the other.
const MOVES: u32 = 500;
const ONES: u64 = 0x0001000100010001;
const HIGHS: u64 = 0x8000800080008000;

/** Bytes of a filter of `buckets` buckets. */
export function membersBytes(buckets: u32): u32 {
  return MEMBERS_DATA + (buckets << 3);
}

/**
 * Makes an empty filter of 2^1..2^26 buckets of four; 0 = no such filter.
 *
 * A value that was never put in is found with probability at most 8 / 65,535 = 1.2e-4. Values that were put in are always found, unless
 * one that was not is removed. Up to 95 % of the places are filled; the same value may be put in at most eight times.
 */
export function membersStart(at: usize, buckets: u32, seed: u64): u32 {
  if (buckets < 2 || buckets > 1 << 26 || (buckets & (buckets - 1)) != 0) return 0;
  startHead(at, KIND_OF_MEMBERS, membersBytes(buckets), seed);
  store<u32>(at, buckets, MEMBERS_BUCKETS);
  store<u32>(at, <u32>seed | 1, MEMBERS_RANDOM);
  return 1;
}

export function isMembers(at: usize): bool {
  const buckets = load<u32>(at, MEMBERS_BUCKETS);
  if (buckets < 2 || buckets > 1 << 26 || (buckets & (buckets - 1)) != 0 || load<u32>(at, SKETCH_BYTES) != membersBytes(buckets)) return false;
  return load<u32>(at, MEMBERS_SPARE) <= 0xffff && load<u32>(at, MEMBERS_SPARE_BUCKET) < buckets;
}

// @ts-ignore: decorator
@inline
function bucketAt(at: usize, bucket: u32): usize {
  return at + MEMBERS_DATA + (<usize>bucket << 3);
}

// @ts-ignore: decorator
@inline
function fingerprintOf(hash: u64): u32 {
  return <u32>(((hash >> 48) * 65535) >> 16) + 1;
}

/** The other bucket of a fingerprint. */
// @ts-ignore: decorator
@inline
function otherOf(at: usize, bucket: u32, fingerprint: u32): u32 {
  return (bucket ^ (fingerprint * 0x5bd1e995 >> 3)) & (load<u32>(at, MEMBERS_BUCKETS) - 1);
}

/** Which place of a bucket holds the fingerprint: 0..3, 4 = none. */
// @ts-ignore: decorator
@inline
function find(bucket: usize, fingerprint: u32): u32 {
  const x = load<u64>(bucket) ^ (<u64>fingerprint * ONES);
  const hit = (x - ONES) & ~x & HIGHS;
  return hit ? <u32>(ctz<u64>(hit) >> 4) : 4;
}

// @ts-ignore: decorator
@inline
function putInto(bucket: usize, fingerprint: u32): bool {
  const place = find(bucket, 0);
  if (place == 4) return false;
  store<u16>(bucket + (<usize>place << 1), <u16>fingerprint);
  return true;
}

function insert(at: usize, fingerprint: u32, bucket: u32): bool {
  const other = otherOf(at, bucket, fingerprint);
  if (putInto(bucketAt(at, bucket), fingerprint) || putInto(bucketAt(at, other), fingerprint)) return true;
  if (load<u32>(at, MEMBERS_SPARE)) return false;
  let random = load<u32>(at, MEMBERS_RANDOM);
  let from = random & 0x10000 ? bucket : other;
  for (let move: u32 = 0; move < MOVES; move++) {
    random = random * 1664525 + 1013904223;
    const place = bucketAt(at, from) + (<usize>(random >> 30) << 1);
    const moved = <u32>load<u16>(place);
    store<u16>(place, <u16>fingerprint);
    fingerprint = moved;
    from = otherOf(at, from, fingerprint);
    if (putInto(bucketAt(at, from), fingerprint)) {
      store<u32>(at, random, MEMBERS_RANDOM);
      return true;
    }
  }
  // The one left over waits aside: nothing that was put in is lost.
  store<u32>(at, random, MEMBERS_RANDOM);
  store<u32>(at, fingerprint, MEMBERS_SPARE);
  store<u32>(at, from, MEMBERS_SPARE_BUCKET);
  return true;
}

/** Puts in hashes; how many, in their order, were: fewer than `count` when the filter is full. */
export function membersAdd(at: usize, hashes: usize, count: u32): u32 {
  const seed = load<u64>(at, SKETCH_SEED);
  const mask = load<u32>(at, MEMBERS_BUCKETS) - 1;
  for (let i: u32 = 0; i < count; i++) {
    const hash = spread(load<u64>(hashes + (<usize>i << 3)), seed);
    if (!insert(at, fingerprintOf(hash), <u32>hash & mask)) return i;
    store<u32>(at, load<u32>(at, MEMBERS_COUNT) + 1, MEMBERS_COUNT);
  }
  return count;
}

// @ts-ignore: decorator
@inline
function isSpare(at: usize, fingerprint: u32, bucket: u32): bool {
  if (load<u32>(at, MEMBERS_SPARE) != fingerprint) return false;
  const at2 = load<u32>(at, MEMBERS_SPARE_BUCKET);
  return at2 == bucket || otherOf(at, at2, fingerprint) == bucket;
}

/** Writes a byte for each hash, 1 = known; how many were. */
export function membersHas(at: usize, hashes: usize, count: u32, out: usize): u32 {
  const seed = load<u64>(at, SKETCH_SEED);
  const mask = load<u32>(at, MEMBERS_BUCKETS) - 1;
  let found: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const hash = spread(load<u64>(hashes + (<usize>i << 3)), seed);
    const fingerprint = fingerprintOf(hash);
    const bucket = <u32>hash & mask;
    const known = find(bucketAt(at, bucket), fingerprint) < 4 || find(bucketAt(at, otherOf(at, bucket, fingerprint)), fingerprint) < 4 || isSpare(at, fingerprint, bucket);
    if (known) found++;
    if (out) store<u8>(out + i, known ? 1 : 0);
  }
  return found;
}

/** Takes out hashes that were put in; how many were found. One that was never put in may take another's place with it. */
export function membersRemove(at: usize, hashes: usize, count: u32): u32 {
  const seed = load<u64>(at, SKETCH_SEED);
  const mask = load<u32>(at, MEMBERS_BUCKETS) - 1;
  let removed: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const hash = spread(load<u64>(hashes + (<usize>i << 3)), seed);
    const fingerprint = fingerprintOf(hash);
    const bucket = <u32>hash & mask;
    let place = bucketAt(at, bucket);
    let slot = find(place, fingerprint);
    if (slot == 4) {
      place = bucketAt(at, otherOf(at, bucket, fingerprint));
      slot = find(place, fingerprint);
    }
    if (slot < 4) {
      store<u16>(place + (<usize>slot << 1), 0);
      removed++;
      const spare = load<u32>(at, MEMBERS_SPARE);
      if (spare) {
        store<u32>(at, 0, MEMBERS_SPARE);
        insert(at, spare, load<u32>(at, MEMBERS_SPARE_BUCKET));
      }
    } else if (isSpare(at, fingerprint, bucket)) {
      store<u32>(at, 0, MEMBERS_SPARE);
      removed++;
    }
  }
  store<u32>(at, load<u32>(at, MEMBERS_COUNT) - removed, MEMBERS_COUNT);
  return removed;
}

/** Puts in all that `other` holds; how many of those found no place, or all ones where its size or its seed is another. */
export function membersMerge(at: usize, other: usize): u32 {
  const buckets = load<u32>(at, MEMBERS_BUCKETS);
  if (buckets != load<u32>(other, MEMBERS_BUCKETS) || load<u64>(at, SKETCH_SEED) != load<u64>(other, SKETCH_SEED)) return <u32>-1;
  let lost: u32 = 0;
  let added: u32 = 0;
  for (let bucket: u32 = 0; bucket < buckets; bucket++) {
    for (let slot: u32 = 0; slot < 4; slot++) {
      const fingerprint = <u32>load<u16>(bucketAt(other, bucket) + (<usize>slot << 1));
      if (!fingerprint) continue;
      if (insert(at, fingerprint, bucket)) added++;
      else lost++;
    }
  }
  const spare = load<u32>(other, MEMBERS_SPARE);
  if (spare) {
    if (insert(at, spare, load<u32>(other, MEMBERS_SPARE_BUCKET))) added++;
    else lost++;
  }
  store<u32>(at, load<u32>(at, MEMBERS_COUNT) + added, MEMBERS_COUNT);
  return lost;
}
