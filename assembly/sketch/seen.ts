import {
  KIND_OF_SEEN, SEEN_BLOCKS, SEEN_BLOCK_BYTES, SEEN_CAPACITY, SEEN_DATA, SEEN_GENERATIONS, SEEN_GENERATION_CAP, SEEN_INSERTS, SEEN_NEWEST, SEEN_OVER, SEEN_SPAN,
  SKETCH_BYTES, SKETCH_SEED,
} from "../layout";
import { startHead } from "./head";
import { drawn, spread } from "./random";

// Blocked Bloom filters (Putze, Sanders, Singler 2007), one per span of time. A value sets one bit in each of the eight words of one block,
// so that a look-up costs one line of the cache.

/** Bytes of `generations` filters of `blocks` blocks. */
export function seenBytes(generations: u32, blocks: u32): u32 {
  return SEEN_DATA + generations * blocks * SEEN_BLOCK_BYTES;
}

/**
 * Makes an empty filter of 2..16 generations of `spanMs` each; 0 = no such filter.
 *
 * A value put in stays known for more than (generations - 1) and at most `generations` times spanMs. A value never put in is taken for known
 * with probability f per generation, where f = sum over i of Poisson(capacity / blocks, i) * (1 - (1 - 1/64)^i)^8; at most
 * generations * f in all, as long as no generation takes in more than `capacity` values. 21 bits a value give 2e-4, 32 bits 1e-5.
 */
export function seenStart(at: usize, generations: u32, blocks: u32, capacity: u32, spanMs: f64, seed: u64): u32 {
  if (generations < 2 || generations > <u32>SEEN_GENERATION_CAP || blocks < 1 || <u64>generations * blocks >= 1 << 25) return 0;
  if (!(spanMs >= 1 && spanMs < Infinity)) return 0;
  startHead(at, KIND_OF_SEEN, seenBytes(generations, blocks), seed);
  store<u32>(at, generations, SEEN_GENERATIONS);
  store<u32>(at, blocks, SEEN_BLOCKS);
  store<u32>(at, capacity, SEEN_CAPACITY);
  store<f64>(at, spanMs, SEEN_SPAN);
  store<f64>(at, -Infinity, SEEN_NEWEST);
  return 1;
}

export function isSeen(at: usize): bool {
  const generations = load<u32>(at, SEEN_GENERATIONS);
  const blocks = load<u32>(at, SEEN_BLOCKS);
  if (generations < 2 || generations > <u32>SEEN_GENERATION_CAP || blocks < 1 || <u64>generations * blocks >= 1 << 25) return false;
  const span = load<f64>(at, SEEN_SPAN);
  const newest = load<f64>(at, SEEN_NEWEST);
  if (!(span >= 1 && span < Infinity) || newest != floor<f64>(newest)) return false;
  return load<u32>(at, SKETCH_BYTES) == seenBytes(generations, blocks);
}

function placeOf(at: usize, number: f64): u32 {
  const generations = <f64>load<u32>(at, SEEN_GENERATIONS);
  return <u32>(number - floor<f64>(number / generations) * generations) % load<u32>(at, SEEN_GENERATIONS);
}

function generationAt(at: usize, place: u32): usize {
  return at + SEEN_DATA + <usize>place * load<u32>(at, SEEN_BLOCKS) * SEEN_BLOCK_BYTES;
}

/** Makes generation `number` the newest, emptying those whose time is over. */
function advance(at: usize, number: f64): void {
  const newest = load<f64>(at, SEEN_NEWEST);
  if (number <= newest) return;
  const generations = load<u32>(at, SEEN_GENERATIONS);
  let steps = <f64>generations;
  if (newest > -Infinity && number - newest < steps) steps = number - newest;
  for (let back: f64 = 0; back < steps; back++) {
    const place = placeOf(at, number - back);
    memory.fill(generationAt(at, place), 0, <usize>load<u32>(at, SEEN_BLOCKS) * SEEN_BLOCK_BYTES);
    store<u32>(at + (<usize>place << 2), 0, SEEN_INSERTS);
  }
  store<f64>(at, number, SEEN_NEWEST);
}

// @ts-ignore: decorator
@inline
function holds(block: usize, bits: u64): bool {
  for (let word: u32 = 0; word < 8; word++) {
    if (((load<u64>(block + (<usize>word << 3)) >> (bits & 63)) & 1) == 0) return false;
    bits >>= 6;
  }
  return true;
}

// @ts-ignore: decorator
@inline
function put(block: usize, bits: u64): void {
  for (let word: u32 = 0; word < 8; word++) {
    const place = block + (<usize>word << 3);
    store<u64>(place, load<u64>(place) | (<u64>1 << (bits & 63)));
    bits >>= 6;
  }
}

/**
 * Puts in, at time `ms`, the hashes that are not known; writes a byte each: 1 = new. How many were.
 *
 * Time does not run backwards: an earlier `ms` counts as the newest generation. A known value is not put in again: its time
 * runs from its first sight. A time that is no number, or no finite one, changes nothing and is taken for the newest too.
 */
export function seenAdd(at: usize, ms: f64, hashes: usize, count: u32, out: usize): u32 {
  const number = floor<f64>(ms / load<f64>(at, SEEN_SPAN));
  if (abs<f64>(number) < 9007199254740992) advance(at, number);
  else if (load<f64>(at, SEEN_NEWEST) == -Infinity) advance(at, 0);
  const seed = load<u64>(at, SKETCH_SEED);
  const generations = load<u32>(at, SEEN_GENERATIONS);
  const blocks = <u64>load<u32>(at, SEEN_BLOCKS);
  const size = <usize>blocks * SEEN_BLOCK_BYTES;
  const current = placeOf(at, load<f64>(at, SEEN_NEWEST));
  const first = at + SEEN_DATA;
  const inserts = at + SEEN_INSERTS + (<usize>current << 2);
  const capacity = load<u32>(at, SEEN_CAPACITY);
  let fresh: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const hash = spread(load<u64>(hashes + (<usize>i << 3)), seed);
    const bits = drawn(hash, 1);
    const offset = <usize>(((hash >> 32) * blocks) >> 32) * SEEN_BLOCK_BYTES;
    let known = false;
    for (let g: u32 = 0; g < generations && !known; g++) known = holds(first + <usize>g * size + offset, bits);
    if (!known) {
      put(first + <usize>current * size + offset, bits);
      const had = load<u32>(inserts);
      store<u32>(inserts, had + 1);
      if (had >= capacity) store<u32>(at, load<u32>(at, SEEN_OVER) + 1, SEEN_OVER);
      fresh++;
    }
    if (out) store<u8>(out + i, known ? 0 : 1);
  }
  return fresh;
}

/** Writes a byte for each hash, 1 = known at time `ms`; puts nothing in. How many were known. */
export function seenHas(at: usize, ms: f64, hashes: usize, count: u32, out: usize): u32 {
  const number = floor<f64>(ms / load<f64>(at, SEEN_SPAN));
  if (abs<f64>(number) < 9007199254740992) advance(at, number);
  const seed = load<u64>(at, SKETCH_SEED);
  const generations = load<u32>(at, SEEN_GENERATIONS);
  const blocks = <u64>load<u32>(at, SEEN_BLOCKS);
  let found: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const hash = spread(load<u64>(hashes + (<usize>i << 3)), seed);
    const bits = drawn(hash, 1);
    const offset = <usize>(((hash >> 32) * blocks) >> 32) * SEEN_BLOCK_BYTES;
    let known = false;
    for (let g: u32 = 0; g < generations && !known; g++) known = holds(generationAt(at, g) + offset, bits);
    if (known) found++;
    if (out) store<u8>(out + i, known ? 1 : 0);
  }
  return found;
}

/**
 * Adds all that `other` knows, generation by generation; 0 = its shape, its span or its seed is another, nothing was done.
 *
 * The bits are those of one filter that took in both streams without asking. Capacity counts add up, though values may be common.
 */
export function seenMerge(at: usize, other: usize): u32 {
  if (load<u32>(at, SKETCH_BYTES) != load<u32>(other, SKETCH_BYTES) || load<u64>(at, SKETCH_SEED) != load<u64>(other, SKETCH_SEED)) return 0;
  const generations = load<u32>(at, SEEN_GENERATIONS);
  if (generations != load<u32>(other, SEEN_GENERATIONS) || load<f64>(at, SEEN_SPAN) != load<f64>(other, SEEN_SPAN)) return 0;
  const theirs = load<f64>(other, SEEN_NEWEST);
  if (theirs == -Infinity) return 1;
  advance(at, theirs);
  const newest = load<f64>(at, SEEN_NEWEST);
  const size = <usize>load<u32>(at, SEEN_BLOCKS) * SEEN_BLOCK_BYTES;
  for (let back: f64 = 0; back < <f64>generations; back++) {
    const number = theirs - back;
    if (number <= newest - <f64>generations) break;
    const place = placeOf(at, number);
    const into = generationAt(at, place);
    const from = generationAt(other, place);
    for (let p: usize = 0; p < size; p += 16) {
      if (ASC_FEATURE_SIMD) v128.store(into + p, v128.or(v128.load(into + p), v128.load(from + p)));
      else {
        store<u64>(into + p, load<u64>(into + p) | load<u64>(from + p));
        store<u64>(into + p, load<u64>(into + p, 8) | load<u64>(from + p, 8), 8);
      }
    }
    const inserts = at + SEEN_INSERTS + (<usize>place << 2);
    store<u32>(inserts, load<u32>(inserts) + load<u32>(other + (<usize>place << 2), SEEN_INSERTS));
  }
  return 1;
}
