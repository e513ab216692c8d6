import {
  REFRAME_BASE, REFRAME_BLANK, REFRAME_DEPTH, REFRAME_ESCAPED, REFRAME_FLAGS, REFRAME_HEAD, REFRAME_HEAD_BYTES, REFRAME_HELD,
  REFRAME_IN_LINE, REFRAME_IN_STRING, REFRAME_TAIL, REFRAME_UNWRAP,
} from "../layout";
import { stopMask32 } from "./text";

const LINE_FEED: u32 = 0x0a;
const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;
const COMMA: u32 = 0x2c;

/** `{"records":[`, compared without regard to the case of letters. */
const WRAPPER_LENGTH: u32 = 12;
const wrapper: usize = memory.data<u8>([0x7b, 0x22, 0x72, 0x65, 0x63, 0x6f, 0x72, 0x64, 0x73, 0x22, 0x3a, 0x5b]);

let depth: u32 = 0;
let base: u32 = 0;
let inLine: bool = false;
let blank: bool = false;
let tail: bool = false;
let held: u32 = 0;
let head: usize = 0;
let out: usize = 0;

// @ts-ignore: decorator
@inline
function isSpace(c: u32): bool {
  return c == 0x20 || c - 9 < 2 || c == 0x0d;
}

function endLine(): void {
  if (inLine) store<u8>(out++, LINE_FEED);
  inLine = false;
  blank = false;
}

/** Gives back what was held: it is no wrapper. */
function release(): void {
  for (let i: u32 = 0; i < held; i++) store<u8>(out++, load<u8>(head + i));
  held = 0;
}

function put(c: u32): void {
  if (tail) return;
  inLine = true;
  if (held) {
    const want = <u32>load<u8>(wrapper + held);
    if ((c | (want > 0x60 && want < 0x7b ? 0x20 : 0)) == want) {
      store<u8>(head + held, c);
      held++;
      blank = false;
      if (held < WRAPPER_LENGTH) return;
      // The whole head has come: the records lie in the array it opens.
      held = 0;
      base = 2;
      inLine = false;
      return;
    }
    release();
  }
  if (blank) store<u8>(out++, 0x20);
  blank = false;
  store<u8>(out++, c);
}

function openContainer(c: u32, unwrap: bool): void {
  if (!inLine && base == 0 && !tail) {
    if (c == 0x5b) {
      depth = 1;
      base = 1;
      return;
    }
    if (unwrap) {
      depth = 1;
      inLine = true;
      store<u8>(head, c);
      held = 1;
      return;
    }
  }
  depth++;
  put(c);
}

function closeContainer(c: u32): void {
  if (base && depth == base) {
    // The array that holds the records is over.
    endLine();
    depth--;
    tail = depth != 0;
    base = 0;
    return;
  }
  put(c);
  if (depth) depth--;
  if (depth == base) {
    if (tail) tail = false;
    else endLine();
  }
}

/**
 * Rewrites a chunk of JSON in any arrangement as one record a line: pretty-printed values, values side by side, arrays of records over any
 * number of lines, and objects whose first member is an array named records (in any case; the wrapper's other members are dropped).
 *
 * White space outside strings becomes one blank. Bytes that are not JSON pass into the line they stand in, to be refused there; a line feed
 * inside a string, which JSON forbids, ends the line and all that was open, so a cut line costs itself.
 *
 * @param outStart room for twice the bytes and REFRAME_SLACK
 * @returns bytes written
 */
export function reframe(start: usize, end: usize, outStart: usize, state: usize): u32 {
  const unwrap = (load<u32>(state, REFRAME_FLAGS) & REFRAME_UNWRAP) != 0;
  let inString = load<u32>(state, REFRAME_IN_STRING) != 0;
  let escaped = load<u32>(state, REFRAME_ESCAPED) != 0;
  let headBytes = load<u32>(state, REFRAME_HEAD_BYTES);
  open(state, outStart);
  let p = start;
  while (p < end) {
    if (headBytes < 3) {
      if (<u32>load<u8>(p) == (headBytes == 0 ? 0xef : headBytes == 1 ? 0xbb : 0xbf)) {
        headBytes++;
        p++;
        continue;
      }
      headBytes = 3;
    }
    const c = <u32>load<u8>(p);
    if (inString) {
      if (ASC_FEATURE_SIMD) {
        if (!escaped && !held && !tail && p + 32 <= end) {
          // Plain text goes in blocks.
          const mask = stopMask32(p);
          v128.store(out, v128.load(p));
          v128.store(out, v128.load(p, 16), 16);
          const n: usize = mask ? <usize>ctz(mask) : 32;
          out += n;
          p += n;
          if (n) continue;
        }
      }
      p++;
      if (c == LINE_FEED) {
        if (!tail) {
          release();
          endLine();
        }
        tail = false;
        depth = base;
        inString = false;
        escaped = false;
        continue;
      }
      put(c);
      if (escaped) escaped = false;
      else if (c == BACKSLASH) escaped = true;
      else if (c == QUOTE) inString = false;
      continue;
    }
    p++;
    if (isSpace(c)) {
      // Records outside arrays end with their line, unless something is open.
      if (c == LINE_FEED && base == 0 && depth == 0) endLine();
      else blank = inLine && !held;
      continue;
    }
    if (c == QUOTE) {
      inString = true;
      put(c);
    } else if (c == 0x7b || c == 0x5b) openContainer(c, unwrap);
    else if (c == 0x7d || c == 0x5d) closeContainer(c);
    else if (c == COMMA && depth == base && (base != 0 || !inLine) && !tail) endLine();
    else put(c);
  }
  store<u32>(state, headBytes, REFRAME_HEAD_BYTES);
  store<u32>(state, inString ? 1 : 0, REFRAME_IN_STRING);
  store<u32>(state, escaped ? 1 : 0, REFRAME_ESCAPED);
  close(state);
  return <u32>(out - outStart);
}

/** Writes what is left when the input has ended; returns bytes written. */
export function reframeEnd(outStart: usize, state: usize): u32 {
  open(state, outStart);
  release();
  endLine();
  close(state);
  return <u32>(out - outStart);
}

function open(state: usize, outStart: usize): void {
  depth = load<u32>(state, REFRAME_DEPTH);
  base = load<u32>(state, REFRAME_BASE);
  inLine = load<u32>(state, REFRAME_IN_LINE) != 0;
  blank = load<u32>(state, REFRAME_BLANK) != 0;
  tail = load<u32>(state, REFRAME_TAIL) != 0;
  held = load<u32>(state, REFRAME_HELD);
  head = state + REFRAME_HEAD;
  out = outStart;
}

function close(state: usize): void {
  store<u32>(state, depth, REFRAME_DEPTH);
  store<u32>(state, base, REFRAME_BASE);
  store<u32>(state, inLine ? 1 : 0, REFRAME_IN_LINE);
  store<u32>(state, blank ? 1 : 0, REFRAME_BLANK);
  store<u32>(state, tail ? 1 : 0, REFRAME_TAIL);
  store<u32>(state, held, REFRAME_HELD);
}
