import { DEPTH_CAP } from "../layout";
import { arenaMark, commitText } from "./area";
import {
  GAP_ARRAY_BITS, GAP_BITS, GAP_ELEMENT, GAP_END, GAP_PASS, GAP_RECORD_END, GAP_SCALAR, GAP_TEXT, PATTERN_CAP, STATE_BIT, STATE_DEPTH,
  STATE_ELEMENT, STATE_KEY, STATE_KIND, STATE_NEXT_ELEMENT, STATE_NODE, STATE_OPEN_ARRAY, STATE_OPEN_OBJECT, STATE_PARENT, STATE_ROOT,
  STATE_START, aim, newTransition, rootState, startState, stateOf,
} from "./gaptable";
import { feedCount, hasInner } from "./plan";
import { readScalar } from "./scalar";
import { hadEscapes, skipBlanks, stringEnd, unescapedCell } from "./text";

/** What the reader of a gap expects next. */
const AFTER: u32 = 1;
const KEY_OR_CLOSE: u32 = 2;
const ELEMENT_OR_CLOSE: u32 = 3;
const KEY: u32 = 4;
const VALUE: u32 = 5;

/** true, false and null nobody wants are part of the gap, but more than two would multiply its shapes. */
const LITERALS_PER_GAP: u32 = 2;

let gapStart: usize = 0;
let gapFrom: u32 = 0;
/** One past the learned gap. */
let gapEnd: usize = 0;
/** One past the last closing bracket. */
let closeEnd: usize = 0;
let bits: u64 = 0;
let arrayBits: u64 = 0;
// The last place the gap may be cut at: position, the state there (of a kind below a parent, or the parent itself), the bits up to it.
let cutAt: usize = 0;
let cutParent: u32 = 0;
let cutKind: u32 = 0;
let cutBits: u64 = 0;
let cutArrayBits: u64 = 0;

export function learnedEnd(): usize {
  return gapEnd;
}

function markCut(p: usize, parent: u32, kind: u32): void {
  if (p - gapStart > PATTERN_CAP) return;
  cutAt = p;
  cutParent = parent;
  cutKind = kind;
  cutBits = bits;
  cutArrayBits = arrayBits;
}

function add(p: usize, target: u32, type: u32, withBits: u64, withArrayBits: u64): u32 {
  const t = newTransition(gapFrom, gapStart, p, target, type);
  if (!t) return 0;
  store<u64>(t, withBits, GAP_BITS);
  store<u64>(t, withArrayBits, GAP_ARRAY_BITS);
  gapEnd = p;
  return t;
}

/** Ends the gap in a pass-through state. */
function cut(): u32 {
  if (!cutAt) return 0;
  const state = cutKind == STATE_KEY ? cutParent : stateOf(cutParent, cutKind, 0, 0);
  return state ? add(cutAt, state, GAP_PASS, cutBits, cutArrayBits) : 0;
}

function finish(p: usize, target: u32, type: u32): u32 {
  if (p - gapStart > PATTERN_CAP) return cut();
  const t = add(p, target, type, bits, arrayBits);
  if (t && (type == GAP_TEXT || type == GAP_SCALAR)) aim(t);
  return t;
}

/** Notes that a key is entered; false when this very gap has entered it before. */
function enter(state: u32): bool {
  const bit = <u32>load<u8>(state, STATE_BIT);
  if (!bit) return true;
  if (bit > 64) {
    const one = <u64>1 << <u64>(bit - 65);
    if (arrayBits & one) return false;
    arrayBits |= one;
  } else {
    const one = <u64>1 << <u64>(bit - 1);
    if (bits & one) return false;
    bits |= one;
  }
  return true;
}

/** State of the key whose first byte is p, 0 when it cannot be had. */
function keyState(holder: u32, p: usize, end: usize): u32 {
  if (!hadEscapes()) return stateOf(holder, STATE_KEY, p, end - p);
  const mark = arenaMark();
  const cell = unescapedCell(p, end);
  if (!cell) return 0;
  const state = stateOf(holder, STATE_KEY, <usize><u32>cell, <usize>(<u32>(cell >> 32) & 0x0fffffff));
  commitText(mark);
  return state;
}

/**
 * Reads the gap at p in full and learns it as a transition of `from`.
 *
 * @returns the transition, learnedEnd() then being where it ends; 0 when the bytes are not JSON, the tables are full,
 *   or the gap cannot be learned: the record is then the parser's
 */
export function learnGap(from: u32, p: usize): u32 {
  gapStart = p;
  gapFrom = from;
  bits = 0;
  arrayBits = 0;
  cutAt = 0;
  let literals: u32 = 0;
  let closed = false;
  let node = from;
  let mode = AFTER;
  const kind = load<u8>(from, STATE_KIND);
  if (kind == STATE_START) {
    node = rootState();
    mode = VALUE;
  } else if (kind == STATE_OPEN_OBJECT) {
    node = load<u32>(from, STATE_PARENT);
    mode = KEY_OR_CLOSE;
  } else if (kind == STATE_OPEN_ARRAY) {
    node = load<u32>(from, STATE_PARENT);
    mode = ELEMENT_OR_CLOSE;
  } else if (kind == STATE_NEXT_ELEMENT) {
    node = load<u32>(from, STATE_PARENT);
    mode = VALUE;
  }
  while (true) {
    // A gap that outgrew its pattern is learned up to the last place it can be cut.
    if (p - gapStart > PATTERN_CAP && cutAt) return cut();
    if (p - gapStart > 1024) return 0;
    p = skipBlanks(p);
    let c = <u32>load<u8>(p);
    if (mode == AFTER) {
      const at = <u32>load<u8>(node, STATE_KIND);
      if (at == STATE_ROOT) {
        // The record has ended: a line feed, or another object on the same line.
        const recordEnd = closeEnd;
        if (c == 0x0a) p++;
        else if (c != 0x7b) return 0;
        const t = finish(p, startState(), GAP_END);
        if (t && gapEnd == p) store<u32>(t, <u32>(recordEnd - gapStart), GAP_RECORD_END);
        return t;
      }
      if (c == 0x2c) {
        p++;
        if (at == STATE_ELEMENT) {
          mode = VALUE;
          if (closed && hasInner(load<u32>(node, STATE_NODE))) {
            const next = stateOf(node, STATE_NEXT_ELEMENT, 0, 0);
            if (!next) return 0;
            return finish(p, next, GAP_ELEMENT);
          }
        } else {
          node = load<u32>(node, STATE_PARENT);
          mode = KEY;
        }
        closed = false;
        continue;
      }
      if (c != (at == STATE_ELEMENT ? 0x5d : 0x7d)) return 0;
      p++;
      closeEnd = p;
      closed = true;
      node = load<u32>(node, STATE_PARENT);
      continue;
    }
    if (mode == KEY_OR_CLOSE) {
      if (c == 0x7d) {
        p++;
        closeEnd = p;
        closed = true;
        mode = AFTER;
        continue;
      }
      mode = KEY;
    }
    if (mode == ELEMENT_OR_CLOSE) {
      if (c == 0x5d) {
        p++;
        closed = true;
        mode = AFTER;
        continue;
      }
      node = stateOf(node, STATE_ELEMENT, 0, 0);
      if (!node) return 0;
      mode = VALUE;
    }
    if (mode == KEY) {
      if (c != 0x22) return 0;
      const end = stringEnd(p + 1);
      if (!end) return 0;
      node = keyState(node, p + 1, end);
      if (!node || !enter(node)) return 0;
      p = skipBlanks(end + 1);
      if (load<u8>(p) != 0x3a) return 0;
      p = skipBlanks(p + 1);
      c = load<u8>(p);
    }
    // A value of `node`.
    if (c == 0x22) return finish(p + 1, node, GAP_TEXT);
    if (c == 0x7b || c == 0x5b) {
      if (<u32>load<u16>(node, STATE_DEPTH) >= <u32>DEPTH_CAP) return 0;
      p++;
      mode = c == 0x7b ? KEY_OR_CLOSE : ELEMENT_OR_CLOSE;
      markCut(p, node, c == 0x7b ? STATE_OPEN_OBJECT : STATE_OPEN_ARRAY);
      continue;
    }
    const inline = feedCount(load<u32>(node, STATE_NODE)) == 0 && (c == 0x6e || c == 0x74 || c == 0x66);
    if (!inline) return finish(p, node, GAP_SCALAR);
    p = readScalar(p, false);
    if (!p) return 0;
    mode = AFTER;
    closed = false;
    markCut(p, node, STATE_KEY);
    if (++literals == LITERALS_PER_GAP) return cut();
  }
}
