import { REASON_TRUNCATED } from "../layout";

/** Why the last reader gave up; REASON_* of layout. */
let reason: u32 = 0;

/** Notes a fault and answers 0, the address no reader ever returns. */
export function fault(why: u32): usize {
  reason = why;
  return 0;
}

/** The same, but bytes that end before anything wrong was seen are called truncated. */
export function faultAt(p: usize, why: u32): usize {
  reason = load<u8>(p) == 0x0a ? REASON_TRUNCATED : why;
  return 0;
}

export function faultReason(): u32 {
  return reason;
}
