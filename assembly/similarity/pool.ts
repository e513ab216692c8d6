import {
  CHAIN_FIRST, HISTORY_BANDS, HISTORY_POOL_CAP, HISTORY_POOL_LIVE, HISTORY_POOL_TOP, HISTORY_SETS, LINK_BYTES, LINK_NEXT, LINK_PREVIOUS, LINK_SET, NO_SET, SET_BYTES,
  SET_FIRST, SET_KEYS, SET_SIZE,
} from "../layout";
import { chainOf, keyAt, linkAt } from "./chains";

// Pieces of the pool for the keys of one set, one after the other. What is given back stays a gap until the pool is closed up.

/** Parts of the pool that are free after it was closed up: one in so many. */
const SLACK: u32 = 8;

// @ts-ignore: decorator
@inline
export function setAt(at: usize, set: u32): usize {
  return at + <usize>load<u32>(at, HISTORY_SETS) + <usize>set * SET_BYTES;
}

/** The first key of a set that is linked: with bands its tokens are not. */
// @ts-ignore: decorator
@inline
export function linkedFrom(at: usize, record: usize): u32 {
  return load<u32>(at, HISTORY_BANDS) ? load<u32>(record, SET_SIZE) : 0;
}

/** Must sets go before `size` keys may be taken? */
export function isCrowded(at: usize, size: u32): bool {
  const capacity = load<u32>(at, HISTORY_POOL_CAP);
  return load<u32>(at, HISTORY_POOL_TOP) + size > capacity && load<u32>(at, HISTORY_POOL_LIVE) + size > capacity - capacity / SLACK;
}

/** First key of a piece for `size` keys; the pool must not be crowded. */
export function takePiece(at: usize, size: u32): u32 {
  if (load<u32>(at, HISTORY_POOL_TOP) + size > load<u32>(at, HISTORY_POOL_CAP)) closeUp(at);
  const top = load<u32>(at, HISTORY_POOL_TOP);
  store<u32>(at, top + size, HISTORY_POOL_TOP);
  store<u32>(at, load<u32>(at, HISTORY_POOL_LIVE) + size, HISTORY_POOL_LIVE);
  return top;
}

export function giveBack(at: usize, first: u32, size: u32): void {
  const link = linkAt(at, first);
  store<u32>(link, size, LINK_NEXT);
  store<u32>(link, 0, LINK_PREVIOUS);
  store<u32>(link, NO_SET, LINK_SET);
  store<u32>(at, load<u32>(at, HISTORY_POOL_LIVE) - size, HISTORY_POOL_LIVE);
}

// Neighbours in the chain learn where an entry has gone.
function follow(at: usize, entry: u32): void {
  const link = linkAt(at, entry);
  const next = load<u32>(link, LINK_NEXT);
  const previous = load<u32>(link, LINK_PREVIOUS);
  if (next) store<u32>(linkAt(at, next - 1), entry + 1, LINK_PREVIOUS);
  if (previous) store<u32>(linkAt(at, previous - 1), entry + 1, LINK_NEXT);
  else store<u32>(chainOf(at, load<u64>(keyAt(at, entry))), entry + 1, CHAIN_FIRST);
}

function closeUp(at: usize): void {
  const top = load<u32>(at, HISTORY_POOL_TOP);
  let to: u32 = 0;
  let from: u32 = 0;
  while (from < top) {
    const set = load<u32>(linkAt(at, from), LINK_SET);
    if (set == NO_SET) {
      from += load<u32>(linkAt(at, from), LINK_NEXT);
      continue;
    }
    const record = setAt(at, set);
    const size = load<u32>(record, SET_KEYS);
    const linked = linkedFrom(at, record);
    if (to != from) {
      // One by one: the next key of the same chain may lie in this very piece only by collision, and must find its neighbour moved.
      for (let i: u32 = 0; i < size; i++) {
        store<u64>(keyAt(at, to + i), load<u64>(keyAt(at, from + i)));
        memory.copy(linkAt(at, to + i), linkAt(at, from + i), LINK_BYTES);
        if (i >= linked) follow(at, to + i);
      }
      store<u32>(record, to, SET_FIRST);
    }
    to += size;
    from += size;
  }
  store<u32>(at, to, HISTORY_POOL_TOP);
}
