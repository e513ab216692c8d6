import {
  CHAIN_FIRST, CHAIN_LENGTH, HISTORY_BANDS, HISTORY_EPOCH, HISTORY_ITEM_COUNT, HISTORY_SCANS, HISTORY_SCRATCH, HISTORY_SET_COUNT, HISTORY_SET_TOP, HISTORY_THRESHOLD,
  HISTORY_VERIFIED, ITEM_MS, ITEM_SET, LINK_NEXT, LINK_SET, SET_COUNT, SET_EPOCH, SET_FIRST, SET_SIZE, SIMILARITY_ONE,
} from "../layout";
import { bandsOf, bitsAt, findSet, historyAdd, historyExpire, itemAt, kept, wholeKey } from "./history";
import { chainOf, keyAt, linkAt } from "./chains";
import { setAt } from "./pool";
import { bitsOf, commonUpTo } from "./set";

// Entries of chains cost about so many sets of a scan.
const CHAIN_COST: u32 = 8;

// The query at hand.
let tokensAt: usize = 0;
let size: u32 = 0;
let bits: u64 = 0;
let limitLeft: u32 = 0;
let total: u32 = 0;
let epoch: u32 = 0;
let least: u32 = 0;
let most: u32 = 0;

/** A set's number of tokens and its bits let it pass: what is left is compared token by token. */
// @ts-ignore: decorator
@inline
function compare(at: usize, set: u32, threshold: u32): void {
  const record = setAt(at, set);
  if (load<u32>(record, SET_EPOCH) == epoch) return;
  store<u32>(record, epoch, SET_EPOCH);
  const other = load<u32>(record, SET_SIZE);
  if (other < least || other > most) return;
  const theirs = load<u64>(bitsAt(at, set));
  const both = size + other;
  const needed = (threshold * both + SIMILARITY_ONE + threshold - 1) / (SIMILARITY_ONE + threshold);
  if (<u32>popcnt<u64>(bits & ~theirs) > size - needed || <u32>popcnt<u64>(theirs & ~bits) > other - needed) return;
  store<u32>(at, load<u32>(at, HISTORY_VERIFIED) + 1, HISTORY_VERIFIED);
  const shared = commonUpTo(tokensAt, size, keyAt(at, load<u32>(record, SET_FIRST)), other, needed);
  if (shared >= needed) total += load<u32>(record, SET_COUNT);
}

function compareChain(at: usize, first: u32, threshold: u32, limit: u32): void {
  let entry = first;
  while (entry && total < limit) {
    const link = linkAt(at, entry - 1);
    entry = load<u32>(link, LINK_NEXT);
    compare(at, load<u32>(link, LINK_SET), threshold);
  }
}

// Every set in turn, by its bits alone: what bounds the cost where all tokens are common.
function scan(at: usize, threshold: u32, limit: u32, spare: u32): void {
  store<u32>(at, load<u32>(at, HISTORY_SCANS) + 1, HISTORY_SCANS);
  const top = load<u32>(at, HISTORY_SET_TOP);
  for (let set = top; set && total < limit; set--) {
    if (<u32>popcnt<u64>(bits & ~load<u64>(bitsAt(at, set - 1))) > spare) continue;
    if (load<u32>(setAt(at, set - 1), SET_COUNT)) compare(at, set - 1, threshold);
  }
}

// Chains by the number of bits of their length: the rarest tokens first, near enough.
const classes: usize = memory.data(132);

function byTokens(at: usize, threshold: u32, limit: u32): void {
  const chosen = size - least + 1;
  const scratch = at + <usize>load<u32>(at, HISTORY_SCRATCH);
  memory.fill(classes, 0, 132);
  for (let i: u32 = 0; i < size; i++) {
    const chain = chainOf(at, load<u64>(tokensAt + (<usize>i << 3)));
    const first = load<u32>(chain, CHAIN_FIRST);
    const length = first ? load<u32>(chain, CHAIN_LENGTH) : 0;
    const place = scratch + (<usize>i << 3);
    store<u32>(place, first);
    store<u32>(place, length, 4);
    const kind = classes + (<usize>(<u32>32 - clz<u32>(length)) << 2);
    store<u32>(kind, load<u32>(kind) + 1);
  }
  // The class in which the chosen ones end, and how many of it belong to them.
  let kind: u32 = 0;
  let rest = chosen;
  while (load<u32>(classes + (<usize>kind << 2)) < rest) {
    rest -= load<u32>(classes + (<usize>kind << 2));
    kind++;
  }
  let work: u32 = 0;
  let left = rest;
  for (let i: u32 = 0; i < size; i++) {
    const length = load<u32>(scratch + (<usize>i << 3), 4);
    const own = <u32>32 - clz<u32>(length);
    if (own > kind || (own == kind && !left)) store<u32>(scratch + (<usize>i << 3), 0);
    else {
      work += length;
      if (own == kind) left--;
    }
  }
  if (work * CHAIN_COST > load<u32>(at, HISTORY_SET_COUNT)) {
    scan(at, threshold, limit, size - least);
    return;
  }
  for (let i: u32 = 0; i < size && total < limit; i++) compareChain(at, load<u32>(scratch + (<usize>i << 3)), threshold, limit);
}

/**
 * Counts the items whose similarity to the token set is the history's threshold or more, up to `limit`. An empty set is like no item.
 *
 * Exact where the history is; with bands see historyStart.
 */
export function historyCount(at: usize, tokens: usize, tokenCount: u32, limit: u32): u32 {
  if (!tokenCount || !limit || !load<u32>(at, HISTORY_SET_COUNT)) return 0;
  const threshold = load<u32>(at, HISTORY_THRESHOLD);
  tokensAt = tokens;
  size = kept(at, tokenCount);
  total = 0;
  epoch = load<u32>(at, HISTORY_EPOCH) + 1;
  if (!epoch) {
    // Once in 2^32 queries the numbers begin again: marks of old ones are wiped.
    for (let set: u32 = 0; set < load<u32>(at, HISTORY_SET_TOP); set++) store<u32>(setAt(at, set), 0, SET_EPOCH);
    epoch = 1;
  }
  store<u32>(at, epoch, HISTORY_EPOCH);
  const equal = findSet(at, tokens, size, wholeKey(tokens, size));
  if (equal >= 0) {
    const record = setAt(at, <u32>equal);
    store<u32>(record, epoch, SET_EPOCH);
    total = load<u32>(record, SET_COUNT);
  }
  if (total < limit && threshold < <u32>SIMILARITY_ONE) {
    bits = bitsOf(tokens, size);
    least = (threshold * size + SIMILARITY_ONE - 1) / SIMILARITY_ONE;
    most = size * SIMILARITY_ONE / threshold;
    const bands = load<u32>(at, HISTORY_BANDS);
    if (bands) {
      const keys = bandsOf(at, tokens, size);
      for (let band: u32 = 0; band < bands && total < limit; band++) {
        const chain = chainOf(at, load<u64>(keys + (<usize>band << 3)));
        compareChain(at, load<u32>(chain, CHAIN_FIRST), threshold, limit);
      }
    } else byTokens(at, threshold, limit);
  }
  return min<u32>(total, limit);
}

/**
 * One event of content anomaly: forgets items up to `throughMs`, counts those like the set up to `limit`, adds the set at `ms`.
 *
 * The count, as historyCount gives it.
 */
export function historyPass(at: usize, ms: f64, throughMs: f64, tokens: usize, tokenCount: u32, limit: u32): u32 {
  historyExpire(at, throughMs);
  const count = historyCount(at, tokens, tokenCount, limit);
  historyAdd(at, ms, tokens, tokenCount);
  return count;
}

/** Adds the items of another history; 0 = its tokens are cut elsewhere, nothing was done. Shapes may differ otherwise: bands are made anew. */
export function historyMerge(at: usize, other: usize): u32 {
  // Into one that holds longer sets: what the other cut stays cut.
  if (kept(at, <u32>-1) < kept(other, <u32>-1)) return 0;
  const count = load<u32>(other, HISTORY_ITEM_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const item = itemAt(other, i);
    const record = setAt(other, load<u32>(item, ITEM_SET));
    historyAdd(at, load<f64>(item, ITEM_MS), keyAt(other, load<u32>(record, SET_FIRST)), load<u32>(record, SET_SIZE));
  }
  return 1;
}

/** Items kept. */
export function historyItems(at: usize): u32 {
  return load<u32>(at, HISTORY_ITEM_COUNT);
}
