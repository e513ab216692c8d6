import { KEEP_DISTINCT, KEEP_MAX, KEEP_SUM, QUERY_KIND, RULE_SHARED } from "../layout";
import { fragmentAt, keyLengthOf, keyOf, queryOfRecord, rowsAtHand, touchedAt, valueAt } from "./apply";
import { setAloneValue } from "./judge";
import { queryAt } from "./keep";

// Window 0 looks at one event alone: nothing is kept. The records of a run are put together by their key, in chains that reuse
// the run's row numbers; records of shared queries have a chain of their own and belong to every group.
const ABSENT: u64 = 0xffffffffffffffff;
const MAX_QUERIES: u32 = 16;
let sharedChain: u32 = 0;
let sharedMask: u32 = 0;

// @ts-ignore: decorator
@inline
function linkOf(i: u32): usize {
  return rowsAtHand() + (<usize>i << 2);
}

function sameKey(a: u32, b: u32): bool {
  const length = keyLengthOf(a);
  if (fragmentAt(a) != fragmentAt(b) || length != keyLengthOf(b)) return false;
  return keyOf(a) == keyOf(b) || memory.compare(keyOf(a), keyOf(b), <usize>length) == 0;
}

/** Lists the groups of a run; how many there are. */
export function aloneRun(rule: usize, first: u32, end: u32): u32 {
  const shared = load<u32>(rule, RULE_SHARED);
  sharedChain = 0;
  sharedMask = 0;
  let groups: u32 = 0;
  for (let i = first; i < end; i++) {
    const q = queryOfRecord(i);
    if ((shared >> q) & 1) {
      store<u32>(linkOf(i), sharedChain);
      sharedChain = i + 1;
      sharedMask |= 1 << q;
      continue;
    }
    let found = <i32>groups - 1;
    while (found >= 0 && !sameKey(load<u32>(touchedAt(<u32>found), 4), i)) found--;
    if (found < 0) {
      const entry = touchedAt(groups++);
      store<u32>(linkOf(i), 0);
      store<u32>(entry, i + 1);
      store<u32>(entry, i, 4);
      store<u32>(entry, 1 << q, 8);
    } else {
      const entry = touchedAt(<u32>found);
      store<u32>(linkOf(i), load<u32>(entry));
      store<u32>(entry, i + 1);
      store<u32>(entry, load<u32>(entry, 8) | (1 << q), 8);
    }
  }
  return groups;
}

function isRepeated(record: u32): bool {
  const q = queryOfRecord(record);
  for (let at = load<u32>(linkOf(record)); at; at = load<u32>(linkOf(at - 1))) {
    if (queryOfRecord(at - 1) == q && valueAt(at - 1) == valueAt(record)) return true;
  }
  return false;
}

const values: usize = memory.data(128);

function gather(rule: usize, chain: u32): void {
  for (let at = chain; at; at = load<u32>(linkOf(at - 1))) {
    const q = queryOfRecord(at - 1);
    const place = values + (<usize>q << 3);
    const kind = load<u32>(queryAt(rule, q), QUERY_KIND);
    const value = valueAt(at - 1);
    if (kind == KEEP_SUM || kind == KEEP_MAX) {
      const number = reinterpret<f64>(value);
      if (number == number) store<f64>(place, number);
    } else if (kind == KEEP_DISTINCT) {
      if (value != ABSENT && !isRepeated(at - 1)) store<f64>(place, load<f64>(place) + 1);
    } else store<f64>(place, 1);
  }
}

/** Sets the values that a group's condition is judged by; the queries the event matched. */
export function aloneAim(rule: usize, entry: usize): u32 {
  memory.fill(values, 0, 128);
  gather(rule, load<u32>(entry));
  gather(rule, sharedChain);
  for (let q: u32 = 0; q < MAX_QUERIES; q++) setAloneValue(q, load<f64>(values + (<usize>q << 3)));
  return load<u32>(entry, 8) | sharedMask;
}
