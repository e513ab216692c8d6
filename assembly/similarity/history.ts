import {
  CHAIN_BYTES, HISTORY_BANDS, HISTORY_BITS, HISTORY_CUT, HISTORY_DATA, HISTORY_EPOCH, HISTORY_EVICTED, HISTORY_ITEMS, HISTORY_ITEM_CAP, HISTORY_ITEM_COUNT,
  HISTORY_ITEM_HEAD, HISTORY_KEYS, HISTORY_LINKS, HISTORY_POOL_CAP, HISTORY_POOL_TOP, HISTORY_ROWS, HISTORY_SCRATCH, HISTORY_SETS, HISTORY_SET_CAP, HISTORY_SET_COUNT,
  HISTORY_SET_FREE, HISTORY_SET_TOP, HISTORY_SIGNATURE, HISTORY_TABLE, HISTORY_TABLE_MASK, HISTORY_THRESHOLD, HISTORY_TOKEN_CAP, ITEM_BYTES, ITEM_MS, ITEM_SET,
  KIND_OF_HISTORY, LINK_BYTES, LINK_NEXT, LINK_SET, SET_BYTES, SET_COUNT, SET_EPOCH, SET_FIRST, SET_KEYS, SET_NEXT, SET_SIZE, SIGNATURE_LENGTH_CAP, SIMILARITY_ONE,
} from "../layout";
import { refuse, startHead } from "../sketch/head";
import { drawn } from "../sketch/random";
import { chainOf, keyAt, linkAt, linkKey, unlinkKey } from "./chains";
import { giveBack, isCrowded, linkedFrom, setAt, takePiece } from "./pool";
import { bitsOf } from "./set";
import { bandKeys, signature, signatureBytes, signatureStart } from "./signature";

const CAP: u32 = 1 << 22;

// @ts-ignore: decorator
@inline
function round8(bytes: u64): u64 {
  return (bytes + 7) & ~7;
}

/** Places of the table of chains: the next power of two above a pool filled to three quarters. */
function tablePlaces(poolCap: u32): u64 {
  let places: u64 = 16;
  while (places * 3 < <u64>poolCap * 4) places <<= 1;
  return places;
}

/** Writes the offsets of the areas, if `at` is not 0; bytes of the whole, 0 = more than 2^31. */
function arrange(at: usize, itemCap: u32, setCap: u32, poolCap: u32, tokenCap: u32, bands: u32, rows: u32): u32 {
  const places = tablePlaces(poolCap);
  const items: u64 = HISTORY_DATA;
  const bits = items + <u64>itemCap * ITEM_BYTES;
  const sets = bits + (<u64>setCap << 3);
  const keys = sets + <u64>setCap * SET_BYTES;
  const links = keys + (<u64>poolCap << 3);
  const table = round8(links + <u64>poolCap * LINK_BYTES);
  const scratch = table + places * CHAIN_BYTES;
  const signatureAt = round8(scratch + (<u64>tokenCap << 3) + (<u64>(bands * rows) << 2) + (<u64>bands << 3));
  const end = bands ? signatureAt + <u64>signatureBytes(bands * rows) : signatureAt;
  if (end >= 1 << 31) return 0;
  if (at) {
    store<u32>(at, <u32>items, HISTORY_ITEMS);
    store<u32>(at, <u32>bits, HISTORY_BITS);
    store<u32>(at, <u32>sets, HISTORY_SETS);
    store<u32>(at, <u32>keys, HISTORY_KEYS);
    store<u32>(at, <u32>links, HISTORY_LINKS);
    store<u32>(at, <u32>table, HISTORY_TABLE);
    store<u32>(at, <u32>(places - 1), HISTORY_TABLE_MASK);
    store<u32>(at, <u32>scratch, HISTORY_SCRATCH);
    store<u32>(at, <u32>signatureAt, HISTORY_SIGNATURE);
  }
  return <u32>end;
}

/** Bytes of a history; 0 = none of this shape can be made. */
export function historyBytes(itemCap: u32, setCap: u32, poolCap: u32, tokenCap: u32, bands: u32, rows: u32): u32 {
  if (itemCap < 1 || itemCap > CAP || setCap < 1 || setCap > CAP || tokenCap < 1 || tokenCap > 65536 || poolCap > CAP << 2) return 0;
  if (bands > <u32>SIGNATURE_LENGTH_CAP || rows > <u32>SIGNATURE_LENGTH_CAP) return 0;
  if (bands && (bands * rows < 4 || bands * rows > <u32>SIGNATURE_LENGTH_CAP || ((bands * rows) & 3) != 0)) return 0;
  // The longest set must fit beside the slack.
  if (poolCap - poolCap / 8 < tokenCap + 1 + bands) return 0;
  return arrange(0, itemCap, setCap, poolCap, tokenCap, bands, rows);
}

/**
 * Makes an empty history of at most `itemCap` items, `setCap` distinct sets of up to `tokenCap` tokens, and `poolCap` keys (a set has one for
 * each token, one more, and one for each band) that finds items of similarity `threshold` / SIMILARITY_ONE or more; 0 = no such history.
 *
 * Equal sets are kept once, with all their times. What finds no room pushes the oldest items out, which is counted.
 * bands = 0: exact. Of a set's tokens so few may be missing in a similar one that the rarest of them lead to all candidates; each is compared
 * token by token. Otherwise candidates must share a band of a signature: see bandKeys for how often one is missed; none is ever found that
 * is not similar. Sets of more than tokenCap tokens are cut to those of the lowest hashes, the same for all, so that their similarity is
 * estimated with a standard error of sqrt(J (1 - J) / tokenCap).
 */
export function historyStart(at: usize, itemCap: u32, setCap: u32, poolCap: u32, tokenCap: u32, threshold: u32, bands: u32, rows: u32, seed: u64): u32 {
  const bytes = historyBytes(itemCap, setCap, poolCap, tokenCap, bands, rows);
  if (!bytes || threshold < 1 || threshold > <u32>SIMILARITY_ONE) return 0;
  startHead(at, KIND_OF_HISTORY, bytes, seed);
  store<u32>(at, itemCap, HISTORY_ITEM_CAP);
  store<u32>(at, setCap, HISTORY_SET_CAP);
  store<u32>(at, poolCap, HISTORY_POOL_CAP);
  store<u32>(at, tokenCap, HISTORY_TOKEN_CAP);
  store<u32>(at, threshold, HISTORY_THRESHOLD);
  store<u32>(at, bands, HISTORY_BANDS);
  store<u32>(at, rows, HISTORY_ROWS);
  arrange(at, itemCap, setCap, poolCap, tokenCap, bands, rows);
  if (bands) signatureStart(at + <usize>load<u32>(at, HISTORY_SIGNATURE), bands * rows, seed);
  return 1;
}

/** Are the offsets those of the shape? */
export function isArranged(at: usize, copy: usize): bool {
  arrange(copy, load<u32>(at, HISTORY_ITEM_CAP), load<u32>(at, HISTORY_SET_CAP), load<u32>(at, HISTORY_POOL_CAP), load<u32>(at, HISTORY_TOKEN_CAP), load<u32>(at, HISTORY_BANDS), load<u32>(at, HISTORY_ROWS));
  return memory.compare(at + HISTORY_TABLE_MASK, copy + HISTORY_TABLE_MASK, HISTORY_ITEM_HEAD - HISTORY_TABLE_MASK) == 0;
}

/** Item i by time, 0 = the oldest. */
// @ts-ignore: decorator
@inline
export function itemAt(at: usize, i: u32): usize {
  const capacity = load<u32>(at, HISTORY_ITEM_CAP);
  let place = load<u32>(at, HISTORY_ITEM_HEAD) + i;
  if (place >= capacity) place -= capacity;
  return at + <usize>load<u32>(at, HISTORY_ITEMS) + <usize>place * ITEM_BYTES;
}

/** The set's tokens that are kept: all, or those of the lowest hashes. */
// @ts-ignore: decorator
@inline
export function kept(at: usize, count: u32): u32 {
  return min<u32>(count, load<u32>(at, HISTORY_TOKEN_CAP));
}

// @ts-ignore: decorator
@inline
export function bitsAt(at: usize, set: u32): usize {
  return at + <usize>load<u32>(at, HISTORY_BITS) + (<usize>set << 3);
}

/** Key of a whole set. */
export function wholeKey(tokens: usize, count: u32): u64 {
  let key: u64 = count;
  for (let i: u32 = 0; i < count; i++) key = rotl<u64>(key ^ load<u64>(tokens + (<usize>i << 3)), 23) * 0x9e3779b97f4a7c15;
  return drawn(key, 0);
}

/** Number of the set equal to this one, -1 = there is none. */
export function findSet(at: usize, tokens: usize, count: u32, key: u64): i32 {
  let entry = load<u32>(chainOf(at, key), 8);
  while (entry) {
    const link = linkAt(at, entry - 1);
    const set = load<u32>(link, LINK_SET);
    const record = setAt(at, set);
    if (load<u32>(record, SET_SIZE) == count && memory.compare(keyAt(at, load<u32>(record, SET_FIRST)), tokens, <usize>count << 3) == 0) return <i32>set;
    entry = load<u32>(link, LINK_NEXT);
  }
  return -1;
}

/** Writes the band keys of a set behind the scratch area's tokens and signature; their address. */
export function bandsOf(at: usize, tokens: usize, count: u32): usize {
  const bands = load<u32>(at, HISTORY_BANDS);
  const rows = load<u32>(at, HISTORY_ROWS);
  const values = at + <usize>load<u32>(at, HISTORY_SCRATCH) + (<usize>load<u32>(at, HISTORY_TOKEN_CAP) << 3);
  const keys = values + (<usize>(bands * rows) << 2);
  signature(at + <usize>load<u32>(at, HISTORY_SIGNATURE), tokens, count, values);
  bandKeys(values, bands, rows, keys);
  return keys;
}

/** Links the keys of a set that are to be found. */
export function linkSet(at: usize, set: u32): void {
  const record = setAt(at, set);
  const first = load<u32>(record, SET_FIRST);
  const keys = load<u32>(record, SET_KEYS);
  const linked = linkedFrom(at, record);
  for (let i: u32 = 0; i < keys; i++) {
    if (i >= linked) linkKey(at, first + i, set);
    else memory.fill(linkAt(at, first + i), 0, LINK_BYTES);
    store<u32>(linkAt(at, first + i), set, LINK_SET);
  }
}

function makeSet(at: usize, tokens: usize, count: u32, key: u64): u32 {
  const bands = load<u32>(at, HISTORY_BANDS);
  const free = load<u32>(at, HISTORY_SET_FREE);
  let set: u32;
  if (free) {
    set = free - 1;
    store<u32>(at, load<u32>(setAt(at, set), SET_NEXT), HISTORY_SET_FREE);
  } else {
    set = load<u32>(at, HISTORY_SET_TOP);
    store<u32>(at, set + 1, HISTORY_SET_TOP);
  }
  const keys = count + 1 + bands;
  const first = takePiece(at, keys);
  const record = setAt(at, set);
  store<u32>(record, first, SET_FIRST);
  store<u32>(record, count, SET_SIZE);
  store<u32>(record, 0, SET_COUNT);
  store<u32>(record, 0, SET_EPOCH);
  store<u32>(record, keys, SET_KEYS);
  store<u32>(record, 0, SET_NEXT);
  memory.copy(keyAt(at, first), tokens, <usize>count << 3);
  store<u64>(keyAt(at, first + count), key);
  if (bands) memory.copy(keyAt(at, first + count + 1), bandsOf(at, tokens, count), <usize>bands << 3);
  store<u64>(bitsAt(at, set), bitsOf(tokens, count));
  linkSet(at, set);
  store<u32>(at, load<u32>(at, HISTORY_SET_COUNT) + 1, HISTORY_SET_COUNT);
  return set;
}

function dropSet(at: usize, set: u32): void {
  const record = setAt(at, set);
  const first = load<u32>(record, SET_FIRST);
  const keys = load<u32>(record, SET_KEYS);
  for (let i = linkedFrom(at, record); i < keys; i++) unlinkKey(at, first + i);
  giveBack(at, first, keys);
  memory.fill(record, 0, SET_BYTES);
  // Without bits no search takes it for a candidate.
  store<u64>(bitsAt(at, set), 0);
  store<u32>(record, load<u32>(at, HISTORY_SET_FREE), SET_NEXT);
  store<u32>(at, set + 1, HISTORY_SET_FREE);
  const left = load<u32>(at, HISTORY_SET_COUNT) - 1;
  store<u32>(at, left, HISTORY_SET_COUNT);
  if (left) return;
  store<u32>(at, 0, HISTORY_SET_FREE);
  store<u32>(at, 0, HISTORY_SET_TOP);
  store<u32>(at, 0, HISTORY_POOL_TOP);
}

function dropOldest(at: usize): void {
  const item = itemAt(at, 0);
  const set = load<u32>(item, ITEM_SET);
  const head = load<u32>(at, HISTORY_ITEM_HEAD) + 1;
  store<u32>(at, head == load<u32>(at, HISTORY_ITEM_CAP) ? 0 : head, HISTORY_ITEM_HEAD);
  store<u32>(at, load<u32>(at, HISTORY_ITEM_COUNT) - 1, HISTORY_ITEM_COUNT);
  const record = setAt(at, set);
  const count = load<u32>(record, SET_COUNT) - 1;
  if (count) store<u32>(record, count, SET_COUNT);
  else dropSet(at, set);
}

function evict(at: usize): void {
  dropOldest(at);
  store<u32>(at, load<u32>(at, HISTORY_EVICTED) + 1, HISTORY_EVICTED);
}

/** Forgets items of times up to and including `throughMs`; how many. */
export function historyExpire(at: usize, throughMs: f64): u32 {
  let gone: u32 = 0;
  while (load<u32>(at, HISTORY_ITEM_COUNT) && load<f64>(itemAt(at, 0), ITEM_MS) <= throughMs) {
    dropOldest(at);
    gone++;
  }
  return gone;
}

/** Adds an item: a token set and its time, in whatever order they come; 0 = it is empty, or its time is no finite number (counted as refused). */
export function historyAdd(at: usize, ms: f64, tokens: usize, tokenCount: u32): u32 {
  if (!(abs<f64>(ms) < Infinity)) refuse(at);
  if (!tokenCount || !(abs<f64>(ms) < Infinity)) return 0;
  const count = kept(at, tokenCount);
  if (count < tokenCount) store<u32>(at, load<u32>(at, HISTORY_CUT) + 1, HISTORY_CUT);
  const key = wholeKey(tokens, count);
  if (load<u32>(at, HISTORY_ITEM_COUNT) == load<u32>(at, HISTORY_ITEM_CAP)) evict(at);
  let set = findSet(at, tokens, count, key);
  if (set < 0) {
    while (load<u32>(at, HISTORY_SET_COUNT) == load<u32>(at, HISTORY_SET_CAP) || isCrowded(at, count + 1 + load<u32>(at, HISTORY_BANDS))) evict(at);
    set = <i32>makeSet(at, tokens, count, key);
  }
  const record = setAt(at, <u32>set);
  store<u32>(record, load<u32>(record, SET_COUNT) + 1, SET_COUNT);
  let i = load<u32>(at, HISTORY_ITEM_COUNT);
  store<u32>(at, i + 1, HISTORY_ITEM_COUNT);
  // A late item goes before those that are newer.
  for (; i && load<f64>(itemAt(at, i - 1), ITEM_MS) > ms; i--) memory.copy(itemAt(at, i), itemAt(at, i - 1), ITEM_BYTES);
  const item = itemAt(at, i);
  store<f64>(item, ms, ITEM_MS);
  store<u64>(item, <u64>set, ITEM_SET);
  return 1;
}
