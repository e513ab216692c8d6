import {
  ASSERT_END, ASSERT_START, ASSERT_WORD, RUN_GREEDY, RUN_POSSESSIVE, TEXT_A, TEXT_ASSERT, TEXT_B, TEXT_C, TEXT_D, TEXT_E, TEXT_GROUP_CAP,
  TEXT_INSTRUCTION_BYTES, TEXT_JUMP, TEXT_LITERAL, TEXT_NEED, TEXT_RUN, TEXT_SAVE, TEXT_SET, TEXT_SPLIT, TEXT_STOPS, TEXT_STOP_COUNT,
} from "../layout";

/** Where groups begin and end (addresses), 0 = the group took no part. */
export const slots: usize = memory.data(TEXT_GROUP_CAP * 8);

// What to try when the way at hand fails, 16 bytes each: u32 kind, then three words by kind.
const FRAME_BYTES: usize = 16;
const FRAMES: usize = 8192;
const frames: usize = memory.data(131072, 16);
/** Go on at an instruction and place. */
const FRAME_ELSE: u32 = 0;
/** Put a slot back. */
const FRAME_SLOT: u32 = 1;
/** A greedy run gives back a byte: instruction, place, first place it may end. */
const FRAME_LESS: u32 = 2;
/** A lazy run takes a byte more: instruction, place, last place it may end. */
const FRAME_MORE: u32 = 3;

const NO_MATCH: i32 = -1;
/** Too many ways to try: the host's engine, whose time is linear, must say. */
export const GAVE_UP: i32 = -2;

// @ts-ignore: decorator
@inline
function isWordByte(c: u32): bool {
  return c - 48 < 10 || (c | 0x20) - 97 < 26 || c == 95;
}

/** Is this a byte within a character? Nothing begins or ends there. */
// @ts-ignore: decorator
@inline
function isInside(p: usize): bool {
  return (load<u8>(p) & 0xc0) == 0x80;
}

function isBoundary(p: usize, start: usize, end: usize): bool {
  const before = p > start && isWordByte(load<u8>(p - 1));
  const after = p < end && isWordByte(load<u8>(p));
  return before != after;
}

// @ts-ignore: decorator
@inline
function sameBytes(a: usize, b: usize, n: usize): bool {
  while (n >= 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
    n -= 8;
  }
  // Both sides may be read beyond their ends.
  return n == 0 || ((load<u64>(a) ^ load<u64>(b)) << <u64>((8 - n) << 3)) == 0;
}

// @ts-ignore: decorator
@inline
function mayBegin(table: usize, p: usize, end: usize): bool {
  return !table || (p < end && load<u8>(table + <usize>load<u8>(p)) != 0);
}

/** End of a run from `p` on: the first byte that is not in the set, `stop` at the latest. */
function runEnd(pc: usize, p: usize, stop: usize): usize {
  const set = <usize>load<u32>(pc, TEXT_A);
  if (ASC_FEATURE_SIMD) {
    // A set that lacks few bytes is looked for by these.
    const stops = load<u32>(pc, TEXT_STOP_COUNT);
    if (stops) {
      const a = v128.load8_splat(pc, TEXT_STOPS);
      const b = v128.load8_splat(pc, TEXT_STOPS + 1);
      while (p < stop) {
        const text = v128.load(p);
        let hits = v128.or(i8x16.eq(text, a), i8x16.eq(text, b));
        if (stops > 2) {
          hits = v128.or(hits, i8x16.eq(text, v128.load8_splat(pc, TEXT_STOPS + 2)));
          hits = v128.or(hits, v128.or(i8x16.eq(text, v128.load8_splat(pc, TEXT_STOPS + 3)), i8x16.eq(text, v128.load8_splat(pc, TEXT_STOPS + 4))));
        }
        const mask = i8x16.bitmask(hits);
        if (mask) return min<usize>(p + <usize>ctz(mask), stop);
        p += 16;
      }
      return stop;
    }
  }
  while (p < stop && load<u8>(set + <usize>load<u8>(p))) p++;
  return p;
}

/** Where a text of two bytes at least begins in [p, end), 0 when it does not. */
function find(p: usize, end: usize, text: usize, n: usize): usize {
  if (end - p < n || end < p) return 0;
  const stop = end - n + 1;
  const first = load<u8>(text);
  const last = load<u8>(text + n - 1);
  if (ASC_FEATURE_SIMD) {
    const a = i8x16.splat(first);
    const b = i8x16.splat(last);
    while (p < stop) {
      let mask = i8x16.bitmask(v128.and(i8x16.eq(v128.load(p), a), i8x16.eq(v128.load(p + n - 1), b)));
      while (mask) {
        const at = p + <usize>ctz(mask);
        if (at >= stop) return 0;
        if (sameBytes(at, text, n)) return at;
        mask &= mask - 1;
      }
      p += 16;
    }
    return 0;
  }
  for (; p < stop; p++) if (load<u8>(p) == first && load<u8>(p + n - 1) == last && sameBytes(p, text, n)) return p;
  return 0;
}

function standAhead(list: usize, count: u32, p: usize, end: usize): bool {
  for (let i: u32 = 0; i < count; i++, list += 8) {
    const n = <usize>load<u32>(list, 4);
    const at = find(p, end, <usize>load<u32>(list), n);
    if (!at) return false;
    p = at + n;
  }
  return true;
}

/**
 * Lays a program on the text [start, end): rules in order, the first way that reaches the text's end.
 *
 * @returns number of the rule, -1 when none matches, GAVE_UP.
 */
export function runText(program: usize, slotCount: u32, start: usize, end: usize): i32 {
  memory.fill(slots, 0, <usize>slotCount << 2);
  // So much for each byte; patterns that are no trap need a small part of it.
  let budget: i32 = <i32>min<usize>((end - start) * 24 + 4096, 1 << 26);
  let top = frames;
  const limit = frames + FRAMES * FRAME_BYTES;
  let pc = program;
  let p = start;
  while (true) {
    if (--budget < 0 || top >= limit) return GAVE_UP;
    let failed = false;
    const op = load<u32>(pc);
    if (op == TEXT_LITERAL) {
      const n = <usize>load<u32>(pc, TEXT_B);
      if (end - p >= n && sameBytes(p, <usize>load<u32>(pc, TEXT_A), n)) {
        p += n;
        pc += TEXT_INSTRUCTION_BYTES;
      } else failed = true;
    } else if (op == TEXT_RUN) {
      const set = <usize>load<u32>(pc, TEXT_A);
      const fewest = <usize>load<u32>(pc, TEXT_B);
      const most = min<usize>(<usize>load<u32>(pc, TEXT_C), end - p);
      const mode = load<u32>(pc, TEXT_D);
      const stop = p + most;
      if (most < fewest) failed = true;
      else if (mode == RUN_POSSESSIVE || mode == RUN_GREEDY) {
        const from = p;
        p = runEnd(pc, p, stop);
        budget -= <i32>((p - from) >> 4);
        if (p - from < fewest) failed = true;
        else {
          let least = from + fewest;
          while (least < p && isInside(least)) least++;
          if (mode == RUN_GREEDY && p > least) {
            store<u32>(top, FRAME_LESS);
            store<u32>(top, <u32>pc, 4);
            store<u32>(top, <u32>p, 8);
            store<u32>(top, <u32>least, 12);
            top += FRAME_BYTES;
          }
          pc += TEXT_INSTRUCTION_BYTES;
        }
      } else {
        const least = p + fewest;
        while (p < least && load<u8>(set + <usize>load<u8>(p))) p++;
        if (p < least) failed = true;
        else {
          while (p < stop && isInside(p)) p++;
          store<u32>(top, FRAME_MORE);
          store<u32>(top, <u32>pc, 4);
          store<u32>(top, <u32>p, 8);
          store<u32>(top, <u32>stop, 12);
          top += FRAME_BYTES;
          // A place where the byte that must follow does not stand is not worth an attempt.
          if (load<u32>(pc, TEXT_E) < 256 && (p >= end || load<u8>(p) != load<u32>(pc, TEXT_E))) failed = true;
          else pc += TEXT_INSTRUCTION_BYTES;
        }
      }
    } else if (op == TEXT_SET) {
      if (p < end && load<u8>(<usize>load<u32>(pc, TEXT_A) + <usize>load<u8>(p))) {
        p++;
        while (p < end && isInside(p)) p++;
        pc += TEXT_INSTRUCTION_BYTES;
      } else failed = true;
    } else if (op == TEXT_SPLIT) {
      // The byte at hand often tells which way is worth trying.
      if (!mayBegin(<usize>load<u32>(pc, TEXT_C), p, end)) {
        if (mayBegin(<usize>load<u32>(pc, TEXT_D), p, end)) pc = <usize>load<u32>(pc, TEXT_B);
        else failed = true;
      } else {
        if (mayBegin(<usize>load<u32>(pc, TEXT_D), p, end)) {
          store<u32>(top, FRAME_ELSE);
          store<u32>(top, load<u32>(pc, TEXT_B), 4);
          store<u32>(top, <u32>p, 8);
          top += FRAME_BYTES;
        }
        pc = <usize>load<u32>(pc, TEXT_A);
      }
    } else if (op == TEXT_JUMP) pc = <usize>load<u32>(pc, TEXT_A);
    else if (op == TEXT_SAVE) {
      const slot = slots + (<usize>load<u32>(pc, TEXT_A) << 2);
      store<u32>(top, FRAME_SLOT);
      store<u32>(top, <u32>slot, 4);
      store<u32>(top, load<u32>(slot), 8);
      top += FRAME_BYTES;
      store<u32>(slot, <u32>p);
      pc += TEXT_INSTRUCTION_BYTES;
    } else if (op == TEXT_ASSERT) {
      const what = load<u32>(pc, TEXT_A);
      let holds: bool;
      if (what == ASSERT_START) holds = p == start;
      else if (what == ASSERT_END) holds = p == end;
      else holds = isBoundary(p, start, end) == (what == ASSERT_WORD);
      if (holds) pc += TEXT_INSTRUCTION_BYTES;
      else failed = true;
    } else if (op == TEXT_NEED) {
      if (standAhead(<usize>load<u32>(pc, TEXT_A), load<u32>(pc, TEXT_B), p, end)) pc += TEXT_INSTRUCTION_BYTES;
      else failed = true;
    } else {
      if (p == end) return load<i32>(pc, TEXT_A);
      failed = true;
    }
    while (failed) {
      if (top == frames) return NO_MATCH;
      const frame = top - FRAME_BYTES;
      const kind = load<u32>(frame);
      if (kind == FRAME_SLOT) {
        store<u32>(<usize>load<u32>(frame, 4), load<u32>(frame, 8));
        top = frame;
        continue;
      }
      pc = <usize>load<u32>(frame, 4);
      p = <usize>load<u32>(frame, 8);
      if (kind == FRAME_ELSE) {
        top = frame;
        failed = false;
        continue;
      }
      const bound = <usize>load<u32>(frame, 12);
      const follower = load<u32>(pc, TEXT_E);
      const from = p;
      if (kind == FRAME_LESS) {
        p--;
        if (follower < 256) while (p > bound && load<u8>(p) != follower) p--;
        else while (p > bound && isInside(p)) p--;
        budget -= <i32>((from - p) >> 4);
        if (p == bound) top = frame;
        else store<u32>(frame, <u32>p, 8);
        if (follower >= 256 || load<u8>(p) == follower) {
          pc += TEXT_INSTRUCTION_BYTES;
          failed = false;
        }
        continue;
      }
      const set = <usize>load<u32>(pc, TEXT_A);
      let open = p < bound && load<u8>(set + <usize>load<u8>(p)) != 0;
      if (open) {
        p++;
        while (p < bound && isInside(p)) p++;
        if (follower < 256) {
          while (p < bound && load<u8>(p) != follower && load<u8>(set + <usize>load<u8>(p))) p++;
          open = p < end && load<u8>(p) == follower;
        }
      }
      budget -= <i32>((p - from) >> 4);
      if (!open) {
        top = frame;
        continue;
      }
      store<u32>(frame, <u32>p, 8);
      pc += TEXT_INSTRUCTION_BYTES;
      failed = false;
    }
  }
}
