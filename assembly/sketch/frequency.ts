import {
  FREQUENCY_CONSERVATIVE, FREQUENCY_DATA, FREQUENCY_DEPTH, FREQUENCY_DEPTH_CAP, FREQUENCY_TOTAL, FREQUENCY_WIDTH_BITS, KIND_OF_FREQUENCY, SKETCH_BYTES, SKETCH_SEED,
} from "../layout";
import { startHead } from "./head";
import { drawn } from "./random";

// Count-Min (Cormode, Muthukrishnan 2005); rows choose their counter by multiply-shift. Counters stay at their greatest value.
const FULL: u32 = 0xffffffff;
const factors: usize = memory.data(128);

// @ts-ignore: decorator
@inline
function depthOf(at: usize): u32 {
  return load<u32>(at, FREQUENCY_DEPTH);
}

/** Bytes of a sketch with `depth` rows of 2^widthBits counters. */
export function frequencyBytes(widthBits: u32, depth: u32): u32 {
  return FREQUENCY_DATA + ((depth << widthBits) << 2);
}

/**
 * Makes an empty sketch of 1..16 rows of 2^widthBits counters (1..24); 0 = no such sketch.
 *
 * An estimate is never below the true weight, and above it by at most e / 2^widthBits of the total weight with probability 1 - e^-depth
 * (over the seeds). Conservative: only those counters grow that must; the excess is smaller, the bound the same.
 */
export function frequencyStart(at: usize, widthBits: u32, depth: u32, conservative: u32, seed: u64): u32 {
  if (widthBits < 1 || widthBits > 24 || depth < 1 || depth > <u32>FREQUENCY_DEPTH_CAP) return 0;
  startHead(at, KIND_OF_FREQUENCY, frequencyBytes(widthBits, depth), seed);
  store<u32>(at, widthBits, FREQUENCY_WIDTH_BITS);
  store<u32>(at, depth, FREQUENCY_DEPTH);
  store<u32>(at, conservative ? 1 : 0, FREQUENCY_CONSERVATIVE);
  return 1;
}

export function isFrequency(at: usize): bool {
  const widthBits = load<u32>(at, FREQUENCY_WIDTH_BITS);
  const depth = depthOf(at);
  if (widthBits < 1 || widthBits > 24 || depth < 1 || depth > <u32>FREQUENCY_DEPTH_CAP) return false;
  return load<u32>(at, SKETCH_BYTES) == frequencyBytes(widthBits, depth);
}

function draw(at: usize): void {
  const seed = load<u64>(at, SKETCH_SEED);
  for (let row: u32 = 0; row < depthOf(at); row++) store<u64>(factors + (<usize>row << 3), drawn(seed, row) | 1);
}

// @ts-ignore: decorator
@inline
function counterAt(at: usize, row: u32, hash: u64): usize {
  const widthBits = load<u32>(at, FREQUENCY_WIDTH_BITS);
  const column = <u32>((hash * load<u64>(factors + (<usize>row << 3))) >> (64 - widthBits));
  return at + FREQUENCY_DATA + (<usize>((row << widthBits) + column) << 2);
}

// @ts-ignore: decorator
@inline
function plus(a: u32, b: u32): u32 {
  const sum = a + b;
  return sum < a ? FULL : sum;
}

// @ts-ignore: decorator
@inline
function least(at: usize, depth: u32, hash: u64): u32 {
  let smallest = FULL;
  for (let row: u32 = 0; row < depth; row++) smallest = min<u32>(smallest, load<u32>(counterAt(at, row, hash)));
  return smallest;
}

/** Takes in hashes, each with its u32 weight (weights = 0: once). */
export function frequencyAdd(at: usize, hashes: usize, weights: usize, count: u32): void {
  draw(at);
  const depth = depthOf(at);
  const conservative = load<u32>(at, FREQUENCY_CONSERVATIVE);
  let total = load<u64>(at, FREQUENCY_TOTAL);
  for (let i: u32 = 0; i < count; i++) {
    const hash = load<u64>(hashes + (<usize>i << 3));
    const weight = weights ? load<u32>(weights + (<usize>i << 2)) : 1;
    total += weight;
    if (conservative) {
      const wanted = plus(least(at, depth, hash), weight);
      for (let row: u32 = 0; row < depth; row++) {
        const counter = counterAt(at, row, hash);
        if (load<u32>(counter) < wanted) store<u32>(counter, wanted);
      }
    } else {
      for (let row: u32 = 0; row < depth; row++) {
        const counter = counterAt(at, row, hash);
        store<u32>(counter, plus(load<u32>(counter), weight));
      }
    }
  }
  store<u64>(at, total, FREQUENCY_TOTAL);
}

/** Writes the estimate of each hash as u32. */
export function frequencyOf(at: usize, hashes: usize, out: usize, count: u32): void {
  draw(at);
  const depth = depthOf(at);
  for (let i: u32 = 0; i < count; i++) store<u32>(out + (<usize>i << 2), least(at, depth, load<u64>(hashes + (<usize>i << 3))));
}

/** Halves every counter (downwards) and the total: what is no longer seen fades. Estimates stay at least half the true weight, rounded down. */
export function frequencyDecay(at: usize): void {
  const end = at + <usize>load<u32>(at, SKETCH_BYTES);
  let p = at + FREQUENCY_DATA;
  if (ASC_FEATURE_SIMD) {
    for (; p + 16 <= end; p += 16) v128.store(p, i32x4.shr_u(v128.load(p), 1));
  }
  for (; p < end; p += 4) store<u32>(p, load<u32>(p) >> 1);
  store<u64>(at, load<u64>(at, FREQUENCY_TOTAL) >> 1, FREQUENCY_TOTAL);
}

/**
 * Adds all that `other` has seen; 0 = its shape or its seed is another, nothing was done.
 *
 * Counters are added. Without conservative update that is the sketch of both streams; with it the estimates are as safe, but may be higher
 * than those of one sketch that saw both.
 */
export function frequencyMerge(at: usize, other: usize): u32 {
  if (load<u64>(at, SKETCH_SEED) != load<u64>(other, SKETCH_SEED) || load<u32>(at, FREQUENCY_WIDTH_BITS) != load<u32>(other, FREQUENCY_WIDTH_BITS)) return 0;
  if (depthOf(at) != depthOf(other)) return 0;
  const bytes = <usize>load<u32>(at, SKETCH_BYTES);
  let p: usize = FREQUENCY_DATA;
  if (ASC_FEATURE_SIMD) {
    for (; p + 16 <= bytes; p += 16) {
      const mine = v128.load(at + p);
      const sum = i32x4.add(mine, v128.load(other + p));
      // A lane that wrapped is smaller than before: it stays full.
      v128.store(at + p, v128.or(sum, i32x4.lt_u(sum, mine)));
    }
  }
  for (; p < bytes; p += 4) store<u32>(at + p, plus(load<u32>(at + p), load<u32>(other + p)));
  store<u64>(at, load<u64>(at, FREQUENCY_TOTAL) + load<u64>(other, FREQUENCY_TOTAL), FREQUENCY_TOTAL);
  return 1;
}
