import {
  CHAIN_BYTES, CHAIN_FIRST, CHAIN_KEY, CHAIN_LENGTH, HISTORY_KEYS, HISTORY_LINKS, HISTORY_TABLE, HISTORY_TABLE_MASK, LINK_BYTES, LINK_NEXT, LINK_PREVIOUS, LINK_SET,
} from "../layout";

// Which sets have a key: a table from key to the first of its entries, which are linked through the pool.

// @ts-ignore: decorator
@inline
export function keyAt(at: usize, entry: u32): usize {
  return at + <usize>load<u32>(at, HISTORY_KEYS) + (<usize>entry << 3);
}

// @ts-ignore: decorator
@inline
export function linkAt(at: usize, entry: u32): usize {
  return at + <usize>load<u32>(at, HISTORY_LINKS) + <usize>entry * LINK_BYTES;
}

// @ts-ignore: decorator
@inline
function chainAt(at: usize, place: u32): usize {
  return at + <usize>load<u32>(at, HISTORY_TABLE) + <usize>place * CHAIN_BYTES;
}

// @ts-ignore: decorator
@inline
function homeOf(at: usize, key: u64): u32 {
  return <u32>((key * 0x9e3779b97f4a7c15) >> 32) & load<u32>(at, HISTORY_TABLE_MASK);
}

/** The key's chain, or the free place where it would be. */
export function chainOf(at: usize, key: u64): usize {
  const mask = load<u32>(at, HISTORY_TABLE_MASK);
  let i = homeOf(at, key);
  while (true) {
    const chain = chainAt(at, i);
    if (!load<u32>(chain, CHAIN_FIRST) || load<u64>(chain, CHAIN_KEY) == key) return chain;
    i = (i + 1) & mask;
  }
}

/** Puts an entry of the pool, whose key is set, before the others of its chain. */
export function linkKey(at: usize, entry: u32, set: u32): void {
  const key = load<u64>(keyAt(at, entry));
  const chain = chainOf(at, key);
  const first = load<u32>(chain, CHAIN_FIRST);
  const link = linkAt(at, entry);
  store<u32>(link, first, LINK_NEXT);
  store<u32>(link, 0, LINK_PREVIOUS);
  store<u32>(link, set, LINK_SET);
  if (first) {
    store<u32>(linkAt(at, first - 1), entry + 1, LINK_PREVIOUS);
    store<u32>(chain, load<u32>(chain, CHAIN_LENGTH) + 1, CHAIN_LENGTH);
  } else {
    store<u64>(chain, key, CHAIN_KEY);
    store<u32>(chain, 1, CHAIN_LENGTH);
  }
  store<u32>(chain, entry + 1, CHAIN_FIRST);
}

// Frees a place of the table; those after it that hashed before it move up, so that no probe stops short.
function freeChain(at: usize, chain: usize): void {
  const mask = load<u32>(at, HISTORY_TABLE_MASK);
  let hole = <u32>((chain - chainAt(at, 0)) / CHAIN_BYTES);
  let i = hole;
  while (true) {
    i = (i + 1) & mask;
    const next = chainAt(at, i);
    if (!load<u32>(next, CHAIN_FIRST)) break;
    const home = homeOf(at, load<u64>(next, CHAIN_KEY));
    if (((i - home) & mask) < ((i - hole) & mask)) continue;
    memory.copy(chainAt(at, hole), next, CHAIN_BYTES);
    hole = i;
  }
  memory.fill(chainAt(at, hole), 0, CHAIN_BYTES);
}

export function unlinkKey(at: usize, entry: u32): void {
  const link = linkAt(at, entry);
  const next = load<u32>(link, LINK_NEXT);
  const previous = load<u32>(link, LINK_PREVIOUS);
  if (next) store<u32>(linkAt(at, next - 1), previous, LINK_PREVIOUS);
  if (previous) store<u32>(linkAt(at, previous - 1), next, LINK_NEXT);
  const chain = chainOf(at, load<u64>(keyAt(at, entry)));
  if (!next && !previous) {
    freeChain(at, chain);
    return;
  }
  store<u32>(chain, load<u32>(chain, CHAIN_LENGTH) - 1, CHAIN_LENGTH);
  if (!previous) store<u32>(chain, next, CHAIN_FIRST);
}
