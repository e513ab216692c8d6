// A token set is u64 hashes, ascending, each once.

const INSERTION_CAP: u32 = 24;
/** From this ratio of sizes on the smaller set's tokens are searched in the larger one. */
const GALLOP_RATIO: u32 = 16;

// @ts-ignore: decorator
@inline
function at(set: usize, i: u32): u64 {
  return load<u64>(set + (<usize>i << 3));
}

function insertionSort(set: usize, count: u32): void {
  for (let i: u32 = 1; i < count; i++) {
    const value = at(set, i);
    let j = i;
    for (; j && at(set, j - 1) > value; j--) store<u64>(set + (<usize>j << 3), at(set, j - 1));
    store<u64>(set + (<usize>j << 3), value);
  }
}

function sink(set: usize, from: u32, count: u32): void {
  const value = at(set, from);
  let i = from;
  while (true) {
    let child = i * 2 + 1;
    if (child >= count) break;
    if (child + 1 < count && at(set, child + 1) > at(set, child)) child++;
    if (at(set, child) <= value) break;
    store<u64>(set + (<usize>i << 3), at(set, child));
    i = child;
  }
  store<u64>(set + (<usize>i << 3), value);
}

function heapSort(set: usize, count: u32): void {
  for (let i = <i32>(count >> 1) - 1; i >= 0; i--) sink(set, <u32>i, count);
  for (let last = count - 1; last; last--) {
    const top = at(set, 0);
    store<u64>(set, at(set, last));
    store<u64>(set + (<usize>last << 3), top);
    sink(set, 0, last);
  }
}

/** Makes a token set of hashes, in place; how many are left. */
export function tokenSet(hashes: usize, count: u32): u32 {
  if (count < 2) return count;
  if (count <= INSERTION_CAP) insertionSort(hashes, count);
  else heapSort(hashes, count);
  let kept: u32 = 1;
  for (let i: u32 = 1; i < count; i++) {
    const value = at(hashes, i);
    if (value == at(hashes, kept - 1)) continue;
    store<u64>(hashes + (<usize>kept << 3), value);
    kept++;
  }
  return kept;
}

// First place from `low` on whose token is not below `value`.
function gallop(set: usize, low: u32, count: u32, value: u64): u32 {
  let step: u32 = 1;
  let high = low;
  while (high < count && at(set, high) < value) {
    low = high + 1;
    high += step;
    step <<= 1;
  }
  high = min<u32>(high, count);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(set, middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Tokens that two sets have in common. */
export function common(a: usize, aCount: u32, b: usize, bCount: u32): u32 {
  return commonUpTo(a, aCount, b, bCount, 0);
}

/** The same, but any number below `needed` once it is clear that there are fewer. */
export function commonUpTo(a: usize, aCount: u32, b: usize, bCount: u32, needed: u32): u32 {
  if (aCount > bCount) {
    const set = a;
    a = b;
    b = set;
    const count = aCount;
    aCount = bCount;
    bCount = count;
  }
  let shared: u32 = 0;
  let i: u32 = 0;
  let j: u32 = 0;
  if (bCount / GALLOP_RATIO >= aCount) {
    for (; i < aCount && j < bCount; i++) {
      const value = at(a, i);
      j = gallop(b, j, bCount, value);
      if (j < bCount && at(b, j) == value) shared++;
    }
    return shared;
  }
  if (ASC_FEATURE_SIMD) {
    // Two against two: a pair is left behind once its greater token is not the greater one.
    while (i + 2 <= aCount && j + 2 <= bCount) {
      const left = v128.load(a + (<usize>i << 3));
      const right = v128.load(b + (<usize>j << 3));
      const crossed = i8x16.shuffle(right, right, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
      shared += <u32>popcnt<i32>(i64x2.bitmask(v128.or(i64x2.eq(left, right), i64x2.eq(left, crossed))));
      const lastLeft = at(a, i + 1);
      const lastRight = at(b, j + 1);
      i += lastLeft <= lastRight ? 2 : 0;
      j += lastRight <= lastLeft ? 2 : 0;
      if (shared + min<u32>(aCount - i, bCount - j) < needed) return shared;
    }
  }
  while (i < aCount && j < bCount) {
    const left = at(a, i);
    const right = at(b, j);
    shared += left == right ? 1 : 0;
    i += left <= right ? 1 : 0;
    j += right <= left ? 1 : 0;
    if (shared + min<u32>(aCount - i, bCount - j) < needed) return shared;
  }
  return shared;
}

/** Jaccard similarity of two sets: tokens in common by tokens in either; two empty sets are not alike (NaN). */
export function jaccard(a: usize, aCount: u32, b: usize, bCount: u32): f64 {
  const shared = common(a, aCount, b, bCount);
  return <f64>shared / (<f64>aCount + <f64>bCount - <f64>shared);
}

/** A bit for each token, of 64: two sets differ in at least as many tokens as in bits. */
export function bitsOf(set: usize, count: u32): u64 {
  let bits: u64 = 0;
  for (let i: u32 = 0; i < count; i++) bits |= <u64>1 << (at(set, i) & 63);
  return bits;
}
