import { firstByte, hasEscapes, inAddress, listsV6, lookAtRun, rowEnd, rowStart } from "./candidate";

/** Colons of IPv6 addresses among all others. */

const COLON: u32 = 0x3a;
const BACKSLASH: u32 = 0x5c;
/** Sixty-four bytes are looked at at once, the last ten of them for what follows the others. */
const STEP: usize = 54;
const STEP_BITS: u64 = (1 << 54) - 1;
/** Between two colons of `:ffff:`. */
const MAPPED: usize = 5;

/** By a vector's worth of bytes. */
// @ts-ignore: decorator
@inline
function colons(p: usize, colon: v128): u64 {
  return <u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(p), colon)));
}

/**
 * An address with `::` has that, and one without has seven colons, or six and a quad, no two of them more than five bytes apart; times of
 * the day have fewer. Where no IPv6 address is listed only those are looked for that stand for an IPv4 address, as `::ffff:c000:201`.
 *
 * @param mayBeMapped the row has an "ff"
 */
export function scanColons(mayBeMapped: bool): void {
  if (listsV6()) {
    if (ASC_FEATURE_SIMD) scanAll();
  } else if (mayBeMapped) scanMapped();
}

function scanMapped(): void {
  const to = rowEnd();
  for (let p = rowStart(); p < to; p += 16) {
    if (ASC_FEATURE_SIMD) {
      const colon = i8x16.splat(0x3a);
      let found = colons(p, colon) & colons(p + MAPPED, colon);
      for (; found; found &= found - 1) if (p + <usize>ctz(found) < to) lookAtRun(p + <usize>ctz(found));
    } else for (let q = p; q < min(p + 16, to); q++) if (load<u8>(q) == COLON && load<u8>(q + MAPPED) == COLON) lookAtRun(q);
  }
}

function scanAll(): void {
  const colon = i8x16.splat(0x3a);
  const to = rowEnd();
  for (let p = rowStart(); p < to; p += STEP) {
    const all = colons(p, colon) | (colons(p + 16, colon) << 16) | (colons(p + 32, colon) << 32) | (colons(p + 48, colon) << 48);
    let near = all | (all >> 1);
    near |= near >> 2;
    near = (near >> 2) & all;
    let wanted = near | (near >> 1);
    wanted |= wanted >> 2;
    wanted = ((near & (wanted >> 2)) | (all & (all >> 1))) & STEP_BITS;
    for (; wanted; wanted &= wanted - 1) {
      const at = p + <usize>ctz(wanted);
      if (at < to && mayBegin(at)) lookAtRun(at);
    }
  }
}

/** A `::` behind a name, as in `arn:aws:iam::123`, begins no address, unless one more colon follows, or the name's last letter is an escape's. */
// @ts-ignore: decorator
@inline
function mayBegin(p: usize): bool {
  const before = <u32>load<u8>(p - 1);
  const after = <u32>load<u8>(p + 1);
  if (after != COLON) return inAddress(after) && (p == firstByte() || inAddress(before));
  return (before | 0x20) - 103 > 19 || load<u8>(p + 2) == COLON || p == firstByte() || (hasEscapes() && load<u8>(p - 2) == BACKSLASH);
}
