import { DISTINCT_COUNT, DISTINCT_DATA, DISTINCT_DENSE, DISTINCT_PRECISION, KIND_OF_DISTINCT, SKETCH_BYTES, SKETCH_SEED } from "../layout";
import { bytesOf, startHead } from "./head";
import { spread } from "./random";

// HyperLogLog with the sparse form of HyperLogLog++ (Heule, Nunkesser, Hall 2013) and the estimator of Ertl (2017), which needs no
// tables of bias. Sparse entries tell 2^25 cells apart, whatever the precision.
const SPARSE_BITS: u32 = 25;
const SPARSE_CELLS: f64 = 33554432;
const HALF_LN_2_INVERSE: f64 = 0.7213475204444817;

// @ts-ignore: decorator
@inline
function precisionOf(at: usize): u32 {
  return load<u32>(at, DISTINCT_PRECISION);
}

// @ts-ignore: decorator
@inline
function isDense(at: usize): bool {
  return load<u32>(at, DISTINCT_DENSE) != 0;
}

// @ts-ignore: decorator
@inline
function cellOf(at: usize, i: u32): usize {
  return at + DISTINCT_DATA + (<usize>i << 2);
}

// The sparse list takes a sixteenth of the registers' number: beyond that the registers are as exact.
function listCap(precision: u32): u32 {
  return max<u32>(4, (<u32>1 << precision) >> 4);
}

/** Bytes of a sketch that may become dense. */
export function distinctBytes(precision: u32): u32 {
  return DISTINCT_DATA + (listCap(precision) << 2) + (<u32>1 << precision);
}

function hasRoom(at: usize): bool {
  return load<u32>(at, SKETCH_BYTES) >= distinctBytes(precisionOf(at));
}

function sparseCap(at: usize): u32 {
  return min<u32>((<u32>bytesOf(at) - DISTINCT_DATA) >> 2, listCap(precisionOf(at)));
}

// @ts-ignore: decorator
@inline
function registersOf(at: usize): usize {
  return at + DISTINCT_DATA + (<usize>listCap(precisionOf(at)) << 2);
}

/**
 * Makes an empty sketch of `precision` 4..16 in `bytes` bytes; 0 = no such sketch.
 *
 * Standard error of an estimate: 1.04 / sqrt(2^precision) of the true number; as long as the sketch is sparse (2^precision / 16
 * values) below 0.1 %. With fewer than distinctBytes(precision) bytes it stays sparse: distinctAdd then stops where it is full.
 */
export function distinctStart(at: usize, bytes: u32, precision: u32, seed: u64): u32 {
  if (precision < 4 || precision > 16 || bytes < <u32>DISTINCT_DATA + 16 || (bytes & 7) != 0) return 0;
  startHead(at, KIND_OF_DISTINCT, bytes, seed);
  store<u32>(at, precision, DISTINCT_PRECISION);
  return 1;
}

/** Tells a sketch whose bytes were copied to a larger place how large it is; 0 = it is not larger. */
export function distinctGrow(at: usize, bytes: u32): u32 {
  const old = load<u32>(at, SKETCH_BYTES);
  if (bytes < old || (bytes & 7) != 0) return 0;
  memory.fill(at + old, 0, bytes - old);
  store<u32>(at, bytes, SKETCH_BYTES);
  return 1;
}

export function isDistinct(at: usize): bool {
  const precision = precisionOf(at);
  if (precision < 4 || precision > 16) return false;
  if (isDense(at)) {
    if (load<u32>(at, DISTINCT_COUNT) || !hasRoom(at)) return false;
    const registers = registersOf(at);
    for (let i: u32 = 0; i < <u32>1 << precision; i++) if (<u32>load<u8>(registers + i) > 65 - precision) return false;
    return true;
  }
  const count = load<u32>(at, DISTINCT_COUNT);
  if (count > sparseCap(at)) return false;
  for (let i: u32 = 0; i < count; i++) {
    const entry = load<u32>(cellOf(at, i));
    if (entry >> 31 || (entry & 63) == 0 || (entry & 63) > 65 - SPARSE_BITS) return false;
    if (i && entry >> 6 <= load<u32>(cellOf(at, i - 1)) >> 6) return false;
  }
  return true;
}

// @ts-ignore: decorator
@inline
function raise(registers: usize, register: u32, rank: u32): void {
  const place = registers + <usize>register;
  if (rank > <u32>load<u8>(place)) store<u8>(place, <u8>rank);
}

// A sparse entry in the registers of a precision: what its index has beyond theirs decides the rank first.
function raiseEntry(registers: usize, entry: u32, precision: u32): void {
  const index = entry >> 6;
  const more = SPARSE_BITS - precision;
  const rest = index & ((<u32>1 << more) - 1);
  raise(registers, index >> more, rest ? <u32>clz<u32>(rest) - (32 - more) + 1 : more + (entry & 63));
}

function makeDense(at: usize): void {
  const registers = registersOf(at);
  const count = load<u32>(at, DISTINCT_COUNT);
  for (let i: u32 = 0; i < count; i++) raiseEntry(registers, load<u32>(cellOf(at, i)), precisionOf(at));
  memory.fill(at + DISTINCT_DATA, 0, <usize>count << 2);
  store<u32>(at, 0, DISTINCT_COUNT);
  store<u32>(at, 1, DISTINCT_DENSE);
}

/** Puts an entry into the sparse list, or into the registers where the list is full; false = neither has room. */
function addEntry(at: usize, entry: u32): bool {
  if (isDense(at)) {
    raiseEntry(registersOf(at), entry, precisionOf(at));
    return true;
  }
  const count = load<u32>(at, DISTINCT_COUNT);
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(cellOf(at, middle)) >> 6 < entry >> 6) low = middle + 1;
    else high = middle;
  }
  const place = cellOf(at, low);
  if (low < count && load<u32>(place) >> 6 == entry >> 6) {
    if (entry > load<u32>(place)) store<u32>(place, entry);
    return true;
  }
  if (count >= sparseCap(at)) {
    if (!hasRoom(at)) return false;
    makeDense(at);
    raiseEntry(registersOf(at), entry, precisionOf(at));
    return true;
  }
  memory.copy(place + 4, place, <usize>(count - low) << 2);
  store<u32>(place, entry);
  store<u32>(at, count + 1, DISTINCT_COUNT);
  return true;
}

/** Takes in hashes, as many as there is room for; how many that were. Fewer than `count`: copy to a larger place and distinctGrow. */
export function distinctAdd(at: usize, hashes: usize, count: u32): u32 {
  const seed = load<u64>(at, SKETCH_SEED);
  const precision = precisionOf(at);
  const registers = registersOf(at);
  for (let i: u32 = 0; i < count; i++) {
    const h = spread(load<u64>(hashes + (<usize>i << 3)), seed);
    if (isDense(at)) {
      // The bit set below makes the rank end where the hash does.
      raise(registers, <u32>(h >> (64 - precision)), <u32>clz<u64>((h << precision) | (<u64>1 << (precision - 1))) + 1);
    } else {
      const rank = <u32>clz<u64>((h << SPARSE_BITS) | (<u64>1 << (SPARSE_BITS - 1))) + 1;
      if (!addEntry(at, (<u32>(h >> (64 - SPARSE_BITS)) << 6) | rank)) return i;
    }
  }
  return count;
}

// Gives up precision: neighbouring registers become one.
function lower(at: usize, precision: u32): bool {
  const own = precisionOf(at);
  if (own == precision) return true;
  if (!isDense(at)) {
    const count = load<u32>(at, DISTINCT_COUNT);
    store<u32>(at, precision, DISTINCT_PRECISION);
    if (count <= sparseCap(at)) return true;
    // The list is longer than the new precision allows: the registers lie further on than it reaches only where the old ones did.
    store<u32>(at, own, DISTINCT_PRECISION);
    if (!hasRoom(at)) return false;
    makeDense(at);
  }
  const registers = registersOf(at);
  const count = <u32>1 << own;
  store<u32>(at, precision, DISTINCT_PRECISION);
  const target = registersOf(at);
  const more = own - precision;
  // The target lies before the source, so nothing is overwritten that has not been read.
  for (let i: u32 = 0; i < count; i += <u32>1 << more) {
    let best: u32 = 0;
    for (let j: u32 = 0; j < <u32>1 << more; j++) {
      const rank = <u32>load<u8>(registers + i + j);
      if (rank) best = max<u32>(best, j ? <u32>clz<u32>(j) - (32 - more) + 1 : more + rank);
    }
    store<u8>(target + (i >> more), <u8>best);
  }
  const end = target + (<usize>1 << precision);
  memory.fill(end, 0, at + bytesOf(at) - end);
  return true;
}

function raiseAll(registers: usize, others: usize, count: u32): void {
  let i: u32 = 0;
  if (ASC_FEATURE_SIMD) {
    for (; i + 16 <= count; i += 16) v128.store(registers + i, i8x16.max_u(v128.load(registers + i), v128.load(others + i)));
  }
  for (; i < count; i++) raise(registers, i, <u32>load<u8>(others + i));
}

/**
 * Adds all that `other` has seen; 1, or 0 where the seeds differ or there is no room (then the sketch may have taken in a part of it).
 *
 * The result is what the same hashes added to one sketch would have made, with the lower of both precisions.
 */
export function distinctMerge(at: usize, other: usize): u32 {
  if (load<u64>(at, SKETCH_SEED) != load<u64>(other, SKETCH_SEED)) return 0;
  const theirs = precisionOf(other);
  if (theirs < precisionOf(at) && !lower(at, theirs)) return 0;
  if (!isDense(other)) {
    const count = load<u32>(other, DISTINCT_COUNT);
    for (let i: u32 = 0; i < count; i++) if (!addEntry(at, load<u32>(cellOf(other, i)))) return 0;
    return 1;
  }
  if (!isDense(at)) {
    if (!hasRoom(at)) return 0;
    makeDense(at);
  }
  const registers = registersOf(at);
  const others = registersOf(other);
  const own = precisionOf(at);
  if (own == theirs) {
    raiseAll(registers, others, <u32>1 << own);
    return 1;
  }
  const more = theirs - own;
  for (let i: u32 = 0; i < <u32>1 << theirs; i++) {
    const rank = <u32>load<u8>(others + i);
    const rest = i & ((<u32>1 << more) - 1);
    if (rank) raise(registers, i >> more, rest ? <u32>clz<u32>(rest) - (32 - more) + 1 : more + rank);
  }
  return 1;
}

const histogram: usize = memory.data(256);

// The two series of Ertl's estimator; both end where a further term changes nothing.
function sigma(x: f64): f64 {
  if (x == 1) return Infinity;
  let y: f64 = 1;
  let z = x;
  let last: f64;
  do {
    x *= x;
    last = z;
    z += x * y;
    y += y;
  } while (last != z);
  return z;
}

function tau(x: f64): f64 {
  if (x == 0 || x == 1) return 0;
  let y: f64 = 1;
  let z = 1 - x;
  let last: f64;
  do {
    x = sqrt<f64>(x);
    last = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (last != z);
  return z / 3;
}

/** The estimate; see distinctStart for its error. */
export function distinctCount(at: usize): f64 {
  if (!isDense(at)) {
    const count = <f64>load<u32>(at, DISTINCT_COUNT);
    return SPARSE_CELLS * NativeMath.log(SPARSE_CELLS / (SPARSE_CELLS - count));
  }
  const precision = precisionOf(at);
  const size = <u32>1 << precision;
  const registers = registersOf(at);
  memory.fill(histogram, 0, 256);
  for (let i: u32 = 0; i < size; i++) {
    const place = histogram + (<usize>load<u8>(registers + i) << 2);
    store<u32>(place, load<u32>(place) + 1);
  }
  const m = <f64>size;
  const top = 64 - precision;
  let z = m * tau(1 - <f64>load<u32>(histogram + (<usize>(top + 1) << 2)) / m);
  for (let k = top; k >= 1; k--) z = 0.5 * (z + <f64>load<u32>(histogram + (<usize>k << 2)));
  z += m * sigma(<f64>load<u32>(histogram) / m);
  return HALF_LN_2_INVERSE * m * (m / z);
}
