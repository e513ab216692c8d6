import { EDGE_STAMP, EXTRACT_WIRE, EXTRACT_WIRE_MASK, MEMBER_BYTES, MEMBER_KEY, MEMBER_KEY_LENGTH } from "../layout";
import { textHash, sameBytes } from "./plan";

/**
 * Names of the top-level members of a record whose message is JSON: what the wire names, the message cannot.
 *
 * A place whose stamp is not the record's is free, so nothing is cleared between records.
 */

let wire: usize = 0;
let mask: u32 = 0;
let stamp: u64 = 0;
let used: u32 = 0;

export function openWire(x: usize): void {
  wire = load<u32>(x, EXTRACT_WIRE);
  mask = load<u32>(x, EXTRACT_WIRE_MASK);
}

export function resetWire(record: u64): void {
  stamp = record;
  used = 0;
}

function placeOf(key: usize, length: usize): usize {
  let i = textHash(0, key, length) & mask;
  while (true) {
    const member = wire + <usize>i * MEMBER_BYTES;
    if (load<u64>(member, EDGE_STAMP) != stamp) return member;
    if (load<u32>(member, MEMBER_KEY_LENGTH) == <u32>length && sameBytes(load<u32>(member, MEMBER_KEY), key, length)) return member;
    i = (i + 1) & mask;
  }
  return 0;
}

/** False when there are more names than the table holds. */
export function addWireName(key: usize, length: usize): bool {
  const member = placeOf(key, length);
  if (load<u64>(member, EDGE_STAMP) == stamp) return true;
  if (used > mask >> 1) return false;
  used++;
  store<u64>(member, stamp, EDGE_STAMP);
  store<u32>(member, <u32>key, MEMBER_KEY);
  store<u32>(member, <u32>length, MEMBER_KEY_LENGTH);
  return true;
}

export function hasWireName(key: usize, length: usize): bool {
  return load<u64>(placeOf(key, length), EDGE_STAMP) == stamp;
}
