import {
  KIND_OF_QUANTILE, QUANTILE_ALPHA, QUANTILE_BINS, QUANTILE_COUNT, QUANTILE_DATA, QUANTILE_GAMMA, QUANTILE_GREATEST, QUANTILE_GROWING, QUANTILE_LEAST,
  QUANTILE_MULTIPLIER, QUANTILE_NEGATIVE, QUANTILE_POSITIVE, QUANTILE_SUM, QUANTILE_ZERO_COUNT, SKETCH_BYTES, STORE_COLLAPSED, STORE_LOW, STORE_SPAN,
} from "../layout";
import { refuse, startHead } from "./head";

// DDSketch (Masson, Rim, Lee 2019): bin i counts values in (gamma^(i-1), gamma^i]. A store's first bin is its lowest one in use, so that
// the same values make the same bytes in whatever order they come.
/** Magnitudes below count as zero: here powers of gamma are no longer told apart. */
const TINY: f64 = 1e-300;
/** No finite number has a bin beyond. */
const INDEX_CAP: i32 = 1 << 23;

/** Bytes of a sketch with stores of `bins` bins. */
export function quantileBytes(bins: u32): u32 {
  return QUANTILE_DATA + (bins << 4);
}

/**
 * Makes an empty sketch of relative accuracy `alpha` 0.0001..0.5 with two stores of `bins` bins (2..65,536); 0 = no such sketch.
 *
 * A quantile is within alpha of the true one's magnitude (and rounding, 1e-9), unless it falls into a bin that others collapsed into: where
 * magnitudes span more than `bins` bins, that is a factor of gamma^bins, the smallest magnitudes are counted together.
 * 346 bins span 1..10^6 at alpha 0.02. A growing sketch stops adding instead: merge it into a larger one.
 */
export function quantileStart(at: usize, alpha: f64, bins: u32, growing: u32): u32 {
  if (!(alpha >= 0.0001 && alpha <= 0.5) || bins < 2 || bins > 65536) return 0;
  startHead(at, KIND_OF_QUANTILE, quantileBytes(bins), 0);
  const gamma = (1 + alpha) / (1 - alpha);
  store<f64>(at, alpha, QUANTILE_ALPHA);
  store<f64>(at, gamma, QUANTILE_GAMMA);
  store<f64>(at, 1 / NativeMath.log(gamma), QUANTILE_MULTIPLIER);
  store<u32>(at, bins, QUANTILE_BINS);
  store<u32>(at, growing ? 1 : 0, QUANTILE_GROWING);
  store<f64>(at, Infinity, QUANTILE_LEAST);
  store<f64>(at, -Infinity, QUANTILE_GREATEST);
  return 1;
}

function totalOf(at: usize, head: usize): u64 {
  let total: u64 = 0;
  const span = load<u32>(head, STORE_SPAN);
  for (let i: u32 = 0; i < span; i++) total += load<u64>(binsOf(at, head) + (<usize>i << 3));
  return total;
}

function isStore(head: usize, bins: u32): bool {
  return load<u32>(head, STORE_SPAN) <= bins && abs<i32>(load<i32>(head, STORE_LOW)) <= INDEX_CAP;
}

export function isQuantile(at: usize): bool {
  const bins = load<u32>(at, QUANTILE_BINS);
  const alpha = load<f64>(at, QUANTILE_ALPHA);
  if (!(alpha >= 0.0001 && alpha <= 0.5) || bins < 2 || bins > 65536 || load<u32>(at, SKETCH_BYTES) != quantileBytes(bins)) return false;
  const gamma = (1 + alpha) / (1 - alpha);
  if (load<f64>(at, QUANTILE_GAMMA) != gamma || load<f64>(at, QUANTILE_MULTIPLIER) != 1 / NativeMath.log(gamma)) return false;
  if (!isStore(at + QUANTILE_POSITIVE, bins) || !isStore(at + QUANTILE_NEGATIVE, bins)) return false;
  const all = totalOf(at, at + QUANTILE_POSITIVE) + totalOf(at, at + QUANTILE_NEGATIVE) + load<u64>(at, QUANTILE_ZERO_COUNT);
  return all == load<u64>(at, QUANTILE_COUNT);
}

// @ts-ignore: decorator
@inline
function binsOf(at: usize, head: usize): usize {
  return at + QUANTILE_DATA + (head == at + QUANTILE_NEGATIVE ? <usize>load<u32>(at, QUANTILE_BINS) << 3 : 0);
}

// Counts all bins below number `drop` together in that one, which becomes the first.
function collapse(bins: usize, head: usize, drop: u32): void {
  const span = load<u32>(head, STORE_SPAN);
  const kept = span > drop ? span - drop : 0;
  let sum: u64 = 0;
  for (let i: u32 = 0; i < min<u32>(span, drop); i++) sum += load<u64>(bins + (<usize>i << 3));
  if (kept) memory.copy(bins, bins + (<usize>drop << 3), <usize>kept << 3);
  memory.fill(bins + (<usize>kept << 3), 0, <usize>(span - kept) << 3);
  store<u64>(bins, load<u64>(bins) + sum);
  store<i32>(head, load<i32>(head, STORE_LOW) + <i32>drop, STORE_LOW);
  store<u32>(head, max<u32>(kept, 1), STORE_SPAN);
  store<u32>(head, 1, STORE_COLLAPSED);
}

/** Adds to bin `index` of a store; false = a growing sketch has no bin for it. */
function count(at: usize, head: usize, index: i32, more: u64): bool {
  const bins = binsOf(at, head);
  const capacity = load<u32>(at, QUANTILE_BINS);
  let span = load<u32>(head, STORE_SPAN);
  if (!span) {
    store<i32>(head, index, STORE_LOW);
    store<u32>(head, 1, STORE_SPAN);
    store<u64>(bins, more);
    return true;
  }
  let place = index - load<i32>(head, STORE_LOW);
  if (place < 0) {
    const missing = <u32>-place;
    if (span + missing > capacity) {
      if (load<u32>(at, QUANTILE_GROWING)) return false;
      store<u32>(head, 1, STORE_COLLAPSED);
      const room = capacity - span;
      if (room) widen(bins, head, room);
    } else widen(bins, head, missing);
    place = 0;
  } else if (<u32>place >= span) {
    if (<u32>place >= capacity) {
      if (load<u32>(at, QUANTILE_GROWING)) return false;
      const drop = <u32>place - capacity + 1;
      collapse(bins, head, drop);
      place = <i32>capacity - 1;
    }
    store<u32>(head, <u32>place + 1, STORE_SPAN);
  }
  const bin = bins + (<usize>place << 3);
  store<u64>(bin, load<u64>(bin) + more);
  return true;
}

function widen(bins: usize, head: usize, more: u32): void {
  const span = load<u32>(head, STORE_SPAN);
  memory.copy(bins + (<usize>more << 3), bins, <usize>span << 3);
  memory.fill(bins, 0, <usize>more << 3);
  store<i32>(head, load<i32>(head, STORE_LOW) - <i32>more, STORE_LOW);
  store<u32>(head, span + more, STORE_SPAN);
}

/** Takes in f64 values, as many as a growing sketch has room for; how many that were. NaN and infinities are only counted, as refused. */
export function quantileAdd(at: usize, values: usize, many: u32): u32 {
  const multiplier = load<f64>(at, QUANTILE_MULTIPLIER);
  for (let i: u32 = 0; i < many; i++) {
    const value = load<f64>(values + (<usize>i << 3));
    const size = abs<f64>(value);
    if (!(size < Infinity)) {
      refuse(at);
      continue;
    }
    if (size < TINY) store<u64>(at, load<u64>(at, QUANTILE_ZERO_COUNT) + 1, QUANTILE_ZERO_COUNT);
    else {
      const index = <i32>ceil<f64>(NativeMath.log(size) * multiplier);
      if (!count(at, at + (value > 0 ? QUANTILE_POSITIVE : QUANTILE_NEGATIVE), index, 1)) return i;
    }
    store<u64>(at, load<u64>(at, QUANTILE_COUNT) + 1, QUANTILE_COUNT);
    store<f64>(at, load<f64>(at, QUANTILE_SUM) + value, QUANTILE_SUM);
    if (value < load<f64>(at, QUANTILE_LEAST)) store<f64>(at, value, QUANTILE_LEAST);
    if (value > load<f64>(at, QUANTILE_GREATEST)) store<f64>(at, value, QUANTILE_GREATEST);
  }
  return many;
}

// Would a growing sketch have to collapse for the bins of another store?
function fits(at: usize, head: usize, other: usize): bool {
  const span = load<u32>(head, STORE_SPAN);
  const theirs = load<u32>(other, STORE_SPAN);
  if (!theirs) return true;
  const low = load<i32>(head, STORE_LOW);
  const otherLow = load<i32>(other, STORE_LOW);
  if (!span) return theirs <= load<u32>(at, QUANTILE_BINS);
  const first = min<i32>(low, otherLow);
  return <u32>(max<i32>(low + <i32>span, otherLow + <i32>theirs) - first) <= load<u32>(at, QUANTILE_BINS);
}

function mergeStore(at: usize, other: usize, place: usize): void {
  const head = other + place;
  const bins = binsOf(other, head);
  const low = load<i32>(head, STORE_LOW);
  // From the top, so that a store that has to collapse does so once.
  for (let i = <i32>load<u32>(head, STORE_SPAN) - 1; i >= 0; i--) {
    const more = load<u64>(bins + (<usize>i << 3));
    if (more) count(at, at + place, low + i, more);
  }
  if (load<u32>(head, STORE_COLLAPSED)) store<u32>(at + place, 1, STORE_COLLAPSED);
}

/** Adds all that `other` has seen; 0 = nothing was done: other accuracies, or a growing sketch without room. The numbers of bins may differ. */
export function quantileMerge(at: usize, other: usize): u32 {
  if (load<f64>(at, QUANTILE_ALPHA) != load<f64>(other, QUANTILE_ALPHA)) return 0;
  if (load<u32>(at, QUANTILE_GROWING)) {
    if (!fits(at, at + QUANTILE_POSITIVE, other + QUANTILE_POSITIVE) || !fits(at, at + QUANTILE_NEGATIVE, other + QUANTILE_NEGATIVE)) return 0;
  }
  mergeStore(at, other, QUANTILE_POSITIVE);
  mergeStore(at, other, QUANTILE_NEGATIVE);
  store<u64>(at, load<u64>(at, QUANTILE_ZERO_COUNT) + load<u64>(other, QUANTILE_ZERO_COUNT), QUANTILE_ZERO_COUNT);
  store<u64>(at, load<u64>(at, QUANTILE_COUNT) + load<u64>(other, QUANTILE_COUNT), QUANTILE_COUNT);
  store<f64>(at, load<f64>(at, QUANTILE_SUM) + load<f64>(other, QUANTILE_SUM), QUANTILE_SUM);
  store<f64>(at, min<f64>(load<f64>(at, QUANTILE_LEAST), load<f64>(other, QUANTILE_LEAST)), QUANTILE_LEAST);
  store<f64>(at, max<f64>(load<f64>(at, QUANTILE_GREATEST), load<f64>(other, QUANTILE_GREATEST)), QUANTILE_GREATEST);
  return 1;
}

/** Number of values taken in. */
export function quantileCount(at: usize): f64 {
  return <f64>load<u64>(at, QUANTILE_COUNT);
}

// The middle of a bin in the sense of relative error. The power is taken of a half, so that the largest values do not overflow.
function valueOf(at: usize, index: i32): f64 {
  const gamma = load<f64>(at, QUANTILE_GAMMA);
  return NativeMath.exp((<f64>index - 1) / load<f64>(at, QUANTILE_MULTIPLIER)) * (2 * gamma / (gamma + 1));
}

/** Value of the given rank, 0 = the least; NaN where there is none. For its error see quantileStart. */
export function quantileAtRank(at: usize, rank: f64): f64 {
  const all = load<u64>(at, QUANTILE_COUNT);
  if (!(rank >= 0) || rank >= <f64>all) return NaN;
  let left = <u64>rank;
  let value: f64 = 0;
  const negative = at + QUANTILE_NEGATIVE;
  let bins = binsOf(at, negative);
  let i = <i32>load<u32>(negative, STORE_SPAN) - 1;
  for (; i >= 0; i--) {
    const here = load<u64>(bins + (<usize>i << 3));
    if (left < here) break;
    left -= here;
  }
  if (i >= 0) value = -valueOf(at, load<i32>(negative, STORE_LOW) + i);
  else if (left >= load<u64>(at, QUANTILE_ZERO_COUNT)) {
    left -= load<u64>(at, QUANTILE_ZERO_COUNT);
    const positive = at + QUANTILE_POSITIVE;
    bins = binsOf(at, positive);
    const span = <i32>load<u32>(positive, STORE_SPAN);
    for (i = 0; i < span - 1; i++) {
      const here = load<u64>(bins + (<usize>i << 3));
      if (left < here) break;
      left -= here;
    }
    value = valueOf(at, load<i32>(positive, STORE_LOW) + i);
  }
  return max<f64>(load<f64>(at, QUANTILE_LEAST), min<f64>(load<f64>(at, QUANTILE_GREATEST), value));
}

/** Quantile q in 0..1: the value of rank floor(q * (count - 1)); NaN of an empty sketch and of any other q. */
export function quantileAt(at: usize, q: f64): f64 {
  if (!(q >= 0 && q <= 1)) return NaN;
  return quantileAtRank(at, floor<f64>(q * (<f64>load<u64>(at, QUANTILE_COUNT) - 1)));
}
