import {
  HISTORY_BANDS, HISTORY_DATA, HISTORY_ITEM_CAP, HISTORY_ITEM_COUNT, HISTORY_ITEM_HEAD, HISTORY_POOL_CAP, HISTORY_POOL_LIVE, HISTORY_POOL_TOP, HISTORY_ROWS, HISTORY_SET_CAP,
  HISTORY_SET_COUNT, HISTORY_SET_FREE, HISTORY_SET_TOP, HISTORY_SIGNATURE, HISTORY_TABLE, HISTORY_TABLE_MASK, HISTORY_THRESHOLD, HISTORY_TOKEN_CAP, CHAIN_BYTES, ITEM_SET,
  LINK_NEXT, LINK_PREVIOUS, LINK_SET, NO_SET, SET_BYTES, SET_COUNT, SET_EPOCH, SET_FIRST, SET_KEYS, SET_NEXT, SET_SIZE, SIMILARITY_ONE, SKETCH_BYTES, SKETCH_SEED,
} from "../layout";
import { keyAt, linkAt } from "./chains";
import { bitsAt, historyBytes, isArranged, itemAt, linkSet, wholeKey } from "./history";
import { setAt } from "./pool";
import { bitsOf } from "./set";
import { signatureStart } from "./signature";

const copy: usize = memory.data(256);

/** Do the pieces of the pool lie one after the other, each of one set in use? Sets met are marked by their epoch. */
function isPoolSound(at: usize): bool {
  const top = load<u32>(at, HISTORY_POOL_TOP);
  const sets = load<u32>(at, HISTORY_SET_TOP);
  const bands = load<u32>(at, HISTORY_BANDS);
  const tokenCap = load<u32>(at, HISTORY_TOKEN_CAP);
  let live: u32 = 0;
  let found: u32 = 0;
  let i: u32 = 0;
  while (i < top) {
    const set = load<u32>(linkAt(at, i), LINK_SET);
    let keys: u32;
    if (set == NO_SET) {
      keys = load<u32>(linkAt(at, i), LINK_NEXT);
      if (!keys || keys > top - i) return false;
    } else {
      if (set >= sets) return false;
      const record = setAt(at, set);
      const size = load<u32>(record, SET_SIZE);
      keys = load<u32>(record, SET_KEYS);
      if (!size || size > tokenCap || keys != size + 1 + bands || keys > top - i || load<u32>(record, SET_FIRST) != i || load<u32>(record, SET_EPOCH)) return false;
      const first = keyAt(at, i);
      for (let t: usize = 8; t < <usize>size << 3; t += 8) if (load<u64>(first + t) <= load<u64>(first + t - 8)) return false;
      if (load<u64>(keyAt(at, i + size)) != wholeKey(first, size)) return false;
      store<u32>(record, 1, SET_EPOCH);
      live += keys;
      found++;
    }
    i += keys;
  }
  return live == load<u32>(at, HISTORY_POOL_LIVE) && found == load<u32>(at, HISTORY_SET_COUNT);
}

function isItemsSound(at: usize): bool {
  const capacity = load<u32>(at, HISTORY_ITEM_CAP);
  const count = load<u32>(at, HISTORY_ITEM_COUNT);
  if (load<u32>(at, HISTORY_ITEM_HEAD) >= capacity || count > capacity) return false;
  let last = -Infinity;
  for (let i: u32 = 0; i < count; i++) {
    const item = itemAt(at, i);
    const ms = load<f64>(item);
    const set = load<u32>(item, ITEM_SET);
    if (!(ms >= last && ms < Infinity) || set >= load<u32>(at, HISTORY_SET_TOP)) return false;
    last = ms;
    const record = setAt(at, set);
    if (load<u32>(record, SET_EPOCH) != 1) return false;
    store<u32>(record, load<u32>(record, SET_COUNT) + 1, SET_COUNT);
  }
  return true;
}

/**
 * Looks at a history whose checksum holds, and makes anew what follows from its items and sets: counts, bits, chains, the free list.
 *
 * Answers afterwards are those from before, as far as they do not depend on the order within a chain (none does).
 */
export function isHistory(at: usize): bool {
  const itemCap = load<u32>(at, HISTORY_ITEM_CAP);
  const setCap = load<u32>(at, HISTORY_SET_CAP);
  const poolCap = load<u32>(at, HISTORY_POOL_CAP);
  const bands = load<u32>(at, HISTORY_BANDS);
  const threshold = load<u32>(at, HISTORY_THRESHOLD);
  const bytes = load<u32>(at, SKETCH_BYTES);
  if (bytes < <u32>HISTORY_DATA || bytes != historyBytes(itemCap, setCap, poolCap, load<u32>(at, HISTORY_TOKEN_CAP), bands, load<u32>(at, HISTORY_ROWS))) return false;
  if (threshold < 1 || threshold > <u32>SIMILARITY_ONE || !isArranged(at, copy)) return false;
  const sets = load<u32>(at, HISTORY_SET_TOP);
  if (sets > setCap || load<u32>(at, HISTORY_POOL_TOP) > poolCap) return false;
  for (let set: u32 = 0; set < sets; set++) {
    store<u32>(setAt(at, set), 0, SET_EPOCH);
    store<u32>(setAt(at, set), 0, SET_COUNT);
  }
  if (!isPoolSound(at) || !isItemsSound(at)) return false;
  if (bands) signatureStart(at + <usize>load<u32>(at, HISTORY_SIGNATURE), bands * load<u32>(at, HISTORY_ROWS), load<u64>(at, SKETCH_SEED));
  memory.fill(at + <usize>load<u32>(at, HISTORY_TABLE), 0, (<usize>load<u32>(at, HISTORY_TABLE_MASK) + 1) * CHAIN_BYTES);
  let free: u32 = 0;
  for (let set = sets; set; set--) {
    const record = setAt(at, set - 1);
    if (load<u32>(record, SET_EPOCH)) {
      if (!load<u32>(record, SET_COUNT)) return false;
      const first = load<u32>(record, SET_FIRST);
      store<u64>(bitsAt(at, set - 1), bitsOf(keyAt(at, first), load<u32>(record, SET_SIZE)));
      store<u32>(record, 0, SET_EPOCH);
      linkSet(at, set - 1);
    } else {
      memory.fill(record, 0, SET_BYTES);
      store<u64>(bitsAt(at, set - 1), 0);
      store<u32>(record, free, SET_NEXT);
      free = set;
    }
  }
  store<u32>(at, free, HISTORY_SET_FREE);
  return true;
}
