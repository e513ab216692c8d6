import { EDGE_STAMP, EXTRACT_MEMBERS, EXTRACT_MEMBER_MASK, MEMBER_BYTES, MEMBER_KEY, MEMBER_KEY_LENGTH } from "../layout";
import { refuseValue } from "./area";
import { textHash, sameBytes } from "./plan";

/**
 * Keys of the record at hand that no edge names but an exists or all path lies above, by object and text.
 *
 * A place whose stamp is older than the record's first object is free: nothing needs clearing between records.
 */

/** Places looked at before a key is taken for new: bounds what keys made to collide can cost. */
const PROBE_CAP: u32 = 256;

let members: usize = 0;
let mask: u32 = 0;
let firstOwner: u64 = 0;
let used: u32 = 0;

export function openMembers(x: usize): void {
  members = load<u32>(x, EXTRACT_MEMBERS);
  mask = load<u32>(x, EXTRACT_MEMBER_MASK);
}

/** Starts a record whose objects are numbered above `lastInstance`. */
export function resetMembers(lastInstance: u64): void {
  firstOwner = lastInstance + 1;
  used = 0;
}

/** The place of a key in an object; a new place has a stamp other than the owner's. 0 when there is no room for it (counted). */
export function memberOf(owner: u64, key: usize, length: usize): usize {
  let i = textHash(<u32>owner, key, length) & mask;
  for (let probe: u32 = 0; probe < PROBE_CAP; probe++) {
    const member = members + <usize>i * MEMBER_BYTES;
    const stamp = load<u64>(member, EDGE_STAMP);
    if (stamp < firstOwner) {
      if (used > mask >> 1) {
        refuseValue();
        return 0;
      }
      used++;
      store<u32>(member, <u32>key, MEMBER_KEY);
      store<u32>(member, <u32>length, MEMBER_KEY_LENGTH);
      return member;
    }
    if (stamp == owner && load<u32>(member, MEMBER_KEY_LENGTH) == <u32>length && sameBytes(load<u32>(member, MEMBER_KEY), key, length)) {
      return member;
    }
    i = (i + 1) & mask;
  }
  refuseValue();
  return 0;
}
