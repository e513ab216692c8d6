import { mix64 } from "../column/hash";
import {
  KIND_OF_DISTINCT, KIND_OF_FREQUENCY, KIND_OF_HISTORY, KIND_OF_MEMBERS, KIND_OF_QUANTILE, KIND_OF_SEEN, KIND_OF_SIGNATURE, SKETCH_BYTES, SKETCH_KIND, SKETCH_MAGIC,
  SKETCH_MAGIC_VALUE, SKETCH_REFUSED, SKETCH_SEAL, SKETCH_SEED, SKETCH_VERSION, SKETCH_VERSION_VALUE,
} from "../layout";
import { isHistory } from "../similarity/restore";
import { isSignature } from "../similarity/signature";
import { isDistinct } from "./distinct";
import { isFrequency } from "./frequency";
import { isMembers } from "./members";
import { isQuantile } from "./quantile";
import { isSeen } from "./seen";

/** Zeroes the place of a sketch and writes its head. */
export function startHead(at: usize, kind: u32, bytes: usize, seed: u64): void {
  memory.fill(at, 0, bytes);
  store<u32>(at, SKETCH_MAGIC_VALUE, SKETCH_MAGIC);
  store<u16>(at, <u16>kind, SKETCH_KIND);
  store<u16>(at, SKETCH_VERSION_VALUE, SKETCH_VERSION);
  store<u32>(at, <u32>bytes, SKETCH_BYTES);
  store<u64>(at, seed, SKETCH_SEED);
}

// @ts-ignore: decorator
@inline
export function bytesOf(at: usize): usize {
  return <usize>load<u32>(at, SKETCH_BYTES);
}

// @ts-ignore: decorator
@inline
export function refuse(at: usize): void {
  store<u32>(at, load<u32>(at, SKETCH_REFUSED) + 1, SKETCH_REFUSED);
}

function checksum(at: usize): u64 {
  const end = at + bytesOf(at);
  let h: u64 = 0;
  for (let p = at; p < end; p += 8) if (p != at + SKETCH_SEAL) h = mix64(h, load<u64>(p));
  return h;
}

/** Writes the checksum: from here on, until the next change, a copy of the bytes can be stored. Their number. */
export function sketchSeal(at: usize): u32 {
  store<u64>(at, checksum(at), SKETCH_SEAL);
  return load<u32>(at, SKETCH_BYTES);
}

/**
 * Whether `length` bytes at `at` are a sealed sketch of this kind that the kernels may be given: 1 or 0.
 *
 * Damage is found with probability 1 - 2^-64. The checksum is no secret, so that every number which leads to an address
 * is looked at too: bytes made by hand may give wrong answers, never reach outside of the sketch.
 */
export function sketchCheck(at: usize, length: u32, kind: u32): u32 {
  if (length < 48 || (length & 7) != 0) return 0;
  if (load<u32>(at, SKETCH_MAGIC) != SKETCH_MAGIC_VALUE || load<u16>(at, SKETCH_VERSION) != SKETCH_VERSION_VALUE) return 0;
  if (load<u16>(at, SKETCH_KIND) != kind || load<u32>(at, SKETCH_BYTES) != length) return 0;
  if (load<u64>(at, SKETCH_SEAL) != checksum(at)) return 0;
  if (kind == KIND_OF_DISTINCT) return isDistinct(at) ? 1 : 0;
  if (kind == KIND_OF_QUANTILE) return isQuantile(at) ? 1 : 0;
  if (kind == KIND_OF_FREQUENCY) return isFrequency(at) ? 1 : 0;
  if (kind == KIND_OF_SEEN) return isSeen(at) ? 1 : 0;
  if (kind == KIND_OF_MEMBERS) return isMembers(at) ? 1 : 0;
  if (kind == KIND_OF_SIGNATURE) return isSignature(at) ? 1 : 0;
  if (kind == KIND_OF_HISTORY) return isHistory(at) ? 1 : 0;
  return 0;
}
