import { firstByte, isWord, lookAtQuad, rowEnd, rowNumber, rowStart, turnTo } from "./candidate";
import { mayBeListed4, mayBeNear4 } from "./filter";
import { quadAt, quadStart } from "./quads";

/**
 * Dots of IPv4 addresses among all others. Nearly none is of a listed address, so everything here takes the same steps for each, whatever
 * it finds: it writes to the end of a list, and the end moves on or does not.
 */

const STEP: usize = 64;
/** Dots; what makes letters small; "ff". Loaded, as engines make what is written as a constant anew in each turn of a loop. */
const constants: usize = memory.data<u64>([0x2e2e2e2e2e2e2e2e, 0x2e2e2e2e2e2e2e2e, 0x2020202020202020, 0x2020202020202020, 0x6666666666666666, 0x6666666666666666, 0, 0], 16);
/** Places that have dots near each other: u32 address, u32 row, u32 which of their sixteen lanes of four bytes follow on one with a dot and have one. */
const PLACE_BYTES: usize = 16;
const PLACES: usize = 64;
const places: usize = memory.data(16 * 65, 16);
const placesLimit: usize = places + PLACES * PLACE_BYTES;
/** u32 address, u32 row of what may be the first dot of a quad: two of a lane at most. */
const firstDots: usize = memory.data(8 * 2 * 16 * 65 + 64, 16);
/** The same, u32 the quad's address and u32 whether a letter or digit stands before it. */
const quads: usize = memory.data(16 * 2 * 16 * 65 + 64, 16);
let placesEnd: usize = places;

export function openDots(): void {
  placesEnd = places;
}

/**
 * Takes up the row's dots; goThroughDots looks at those that have not been looked at.
 *
 * @returns whether the row has an "ff", without which it spells no IPv4 address as `::ffff:c000:201`
 */
export function scanDots(): bool {
  if (!ASC_FEATURE_SIMD) return true;
  const dot = v128.load(constants);
  const lower = v128.load(constants, 16);
  const pair = v128.load(constants, 32);
  const none = v128.load(constants, 48);
  let paired = none;
  const row = rowNumber();
  const to = rowEnd();
  let at = placesEnd;
  // Did the lane before this step have a dot?
  let carry: u32 = 0;
  for (let p = rowStart(); p < to; p += STEP) {
    const a = v128.load(p);
    const b = v128.load(p, 16);
    const c = v128.load(p, 32);
    const d = v128.load(p, 48);
    const low = i16x8.narrow_i32x4_s(i8x16.eq(a, dot), i8x16.eq(b, dot));
    const high = i16x8.narrow_i32x4_s(i8x16.eq(c, dot), i8x16.eq(d, dot));
    const lanes = <u32>i8x16.bitmask(i8x16.eq(i8x16.narrow_i16x8_s(low, high), none)) ^ 0xffff;
    // Two dots of a quad are at most four bytes from each other, and its first and last one at least four.
    const near = lanes & ((lanes << 1) | carry);
    carry = lanes >> 15;
    paired = v128.or(paired, v128.or(
      v128.or(i16x8.eq(v128.or(a, lower), pair), i16x8.eq(v128.or(b, lower), pair)),
      v128.or(i16x8.eq(v128.or(c, lower), pair), i16x8.eq(v128.or(d, lower), pair)),
    ));
    store<u32>(at, <u32>p);
    store<u32>(at, row, 4);
    store<u32>(at, near, 8);
    at += select<usize>(PLACE_BYTES, 0, near != 0);
    if (at == placesLimit) {
      placesEnd = at;
      goThroughDots();
      at = places;
    }
  }
  placesEnd = at;
  return v128.any_true(paired);
}

/** Of the four bytes there, as far as `wanted`, the dots that two others follow as a quad's do. @returns where the list ends then */
// @ts-ignore: decorator
@inline
function chooseIn(lane: usize, dot: v128, wanted: u32, row: u64, end: usize): usize {
  const dots = <u32>i8x16.bitmask(i8x16.eq(v128.load(lane), dot));
  const followed = dots & ((dots >> 2) | (dots >> 3) | (dots >> 4));
  // One that another follows at once is none, so that there are two at most.
  const first = dots & ~(dots >> 1) & wanted & ((followed >> 2) | (followed >> 3) | (followed >> 4));
  store<u64>(end, row | <u64>(lane + <usize>ctz(first)));
  store<u64>(end, row | <u64>(lane + <usize>ctz(first & (first - 1))), 8);
  return end + (<usize>popcnt(first) << 3);
}

/** Chooses in all places. @returns where the list ends */
function chooseDots(): usize {
  const dot = v128.load(constants);
  let end = firstDots;
  for (let place = places; place < placesEnd; place += PLACE_BYTES) {
    const p = <usize>load<u32>(place) - 4;
    const row = <u64>load<u32>(place, 4) << 32;
    let near = load<u32>(place, 8);
    // Most have one or two of them: two are taken at a time, the second perhaps in vain.
    do {
      const others = near & (near - 1);
      end = chooseIn(p + (<usize>ctz(near) << 2), dot, 15, row, end);
      end = chooseIn(p + (<usize>(ctz(others) & 15) << 2), dot, others ? 15 : 0, row, end);
      near = others & (others - 1);
    } while (near);
  }
  placesEnd = places;
  return end;
}

export function goThroughDots(): void {
  if (!ASC_FEATURE_SIMD || placesEnd == places) return;
  const here = rowNumber();
  const begin = firstByte();
  const end = chooseDots();
  let read = quads;
  for (let dot = firstDots; dot < end; dot += 8) {
    const both = load<u64>(dot);
    const address = quadAt(<usize>(<u32>both), begin);
    const isWritten = <u32>isWord(load<u8>(quadStart() - 1)) & <u32>(quadStart() != begin);
    store<u64>(read, both);
    store<u32>(read, <u32>address, 8);
    store<u32>(read, isWritten, 12);
    read += <usize>(<u32>(address >> 32 == 0) | isWritten) << 4;
  }
  // Apart from the reading, and few steps: each waits for memory that is far away, and none for another.
  let near = quads;
  for (let each = quads; each < read; each += 16) {
    const rest = load<u64>(each, 8);
    store<u64>(near, load<u64>(each));
    store<u64>(near, rest, 8);
    near += <usize>(mayBeNear4(<u32>rest) | <u32>(rest >> 32)) << 4;
  }
  let listed = quads;
  for (let each = quads; each < near; each += 16) {
    const keep = mayBeListed4(load<u32>(each, 8)) | load<u32>(each, 12);
    store<u64>(listed, load<u64>(each));
    listed += <usize>keep << 4;
  }
  for (let each = quads; each < listed; each += 16) {
    turnTo(load<u32>(each, 4));
    if (<usize>load<u32>(each) < rowEnd()) lookAtQuad(load<u32>(each));
  }
  turnTo(here);
}
