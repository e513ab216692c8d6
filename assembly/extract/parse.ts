import {
  DEPTH_CAP, EDGE_CHILD, EDGE_LOG_END, EDGE_LOG_START, EDGE_STAMP, EXTRACT_INSTANCE, EXTRACT_STACK, FRAME_BYTES, NODE_REST,
  REASON_NOT_JSON, REASON_TOO_DEEP,
} from "../layout";
import { fault, faultAt } from "./fault";
import { feedCount, findEdge, mayLead } from "./plan";
import { killLog, logTop, logValue } from "./recordlog";
import { memberOf } from "./members";
import { readScalar, scalarCell } from "./scalar";
import { hasWireName } from "./wire";
import { hadEscapes, skipBlanks, textCell, textEnd, unescapedCell } from "./text";

/**
 * The exact parser: one JSON value from its first byte to its last, whatever its shape, giving the plan's columns their values.
 *
 * Repeated keys: the later member takes its predecessor's values back out of the record log before it adds its own.
 */

let stack: usize = 0;
/** Number of the last object opened; stamps on edges and members tell "seen in this very object". */
let instance: u64 = 0;

// Frame: u64 instance, u32 node of the container, u32 slot of the member that holds it, u8 array.
const FRAME_INSTANCE: usize = 0;
const FRAME_NODE: usize = 8;
const FRAME_SLOT: usize = 12;
const FRAME_ARRAY: usize = 16;

export function openParser(x: usize): void {
  stack = load<u32>(x, EXTRACT_STACK);
  instance = load<u64>(x, EXTRACT_INSTANCE);
}

/** Number of the last object opened so far. */
export function lastInstance(): u64 {
  return instance;
}

export function closeParser(x: usize): void {
  store<u64>(x, instance, EXTRACT_INSTANCE);
}

/** Set by enterKey: the key's plan node. */
let child: u32 = 0;
/** Object whose members give way to the wire's of the same name. */
let besideWire: u64 = 0;

/** Notes that the object numbered `owner` has this key now; answers the edge or member that remembers it, 0 for a key nobody wants. */
function enterKey(node: u32, owner: u64, key: usize, end: usize): usize {
  child = 0;
  let length = end - key;
  if (hadEscapes()) {
    const cell = unescapedCell(key, end);
    if (!cell) return 0;
    key = <usize><u32>cell;
    length = <usize>(<u32>(cell >> 32) & 0x0fffffff);
  }
  if (owner == besideWire && hasWireName(key, length)) return 0;
  let slot = findEdge(node, key, length);
  if (slot) {
    child = load<u32>(slot, EDGE_CHILD);
  } else {
    child = load<u32>(node, NODE_REST);
    if (!child) return 0;
    slot = memberOf(owner, key, length);
    if (!slot) return 0;
  }
  if (load<u64>(slot, EDGE_STAMP) == owner) killLog(load<u32>(slot, EDGE_LOG_START), load<u32>(slot, EDGE_LOG_END));
  store<u64>(slot, owner, EDGE_STAMP);
  store<u32>(slot, logTop(), EDGE_LOG_START);
  store<u32>(slot, logTop(), EDGE_LOG_END);
  return slot;
}

// @ts-ignore: decorator
@inline
function leaveKey(slot: usize): void {
  if (slot) store<u32>(slot, logTop(), EDGE_LOG_END);
}

/**
 * Reads the value at p (its first byte, no blank) into the record log.
 *
 * @param node plan node of the value, 0 to check only
 * @param depth containers already open around it
 * @returns one past its last byte, or 0 with a reason
 */
export function parseValue(p: usize, node: u32, depth: u32): usize {
  let frame = stack;
  let slot: usize = 0;
  // The container at hand: its node, its number, whether it is an array; none yet.
  let inNode: u32 = 0;
  let inArray = false;
  let owner: u64 = 0;
  let open: u32 = depth;
  while (true) {
    // Here p stands at a value, `node` is its plan node, `slot` remembers its key.
    const c = <u32>load<u8>(p);
    if (c == 0x22) {
      const start = p + 1;
      const end = textEnd(start);
      if (!end) return 0;
      if (feedCount(node)) logValue(node, hadEscapes() ? unescapedCell(start, end) : textCell(start, end));
      leaveKey(slot);
      p = end + 1;
    } else if (c == 0x7b || c == 0x5b) {
      if (open == DEPTH_CAP) return fault(REASON_TOO_DEEP);
      const array = c == 0x5b;
      p = skipBlanks(p + 1);
      if (<u32>load<u8>(p) == (array ? 0x5d : 0x7d)) {
        leaveKey(slot);
        p++;
      } else {
        store<u64>(frame, owner, FRAME_INSTANCE);
        store<u32>(frame, inNode, FRAME_NODE);
        store<u32>(frame, <u32>slot, FRAME_SLOT);
        store<u8>(frame, <u8>inArray, FRAME_ARRAY);
        frame += FRAME_BYTES;
        open++;
        inNode = node;
        inArray = array;
        if (array) {
          slot = 0;
          continue;
        }
        owner = ++instance;
        if (load<u8>(p) != 0x22) return faultAt(p, REASON_NOT_JSON);
        const end = textEnd(p + 1);
        if (!end) return 0;
        slot = 0;
        node = 0;
        if (inNode && (hadEscapes() || mayLead(inNode, p + 1, end - p - 1))) {
          slot = enterKey(inNode, owner, p + 1, end);
          node = child;
        }
        p = skipBlanks(end + 1);
        if (load<u8>(p) != 0x3a) return faultAt(p, REASON_NOT_JSON);
        p = skipBlanks(p + 1);
        continue;
      }
    } else {
      const wanted = feedCount(node) != 0;
      const end = readScalar(p, wanted);
      if (!end) return 0;
      if (wanted && scalarCell()) logValue(node, scalarCell());
      leaveKey(slot);
      p = end;
    }
    // A value has ended: close what closes here, then go to the next member or element.
    while (true) {
      if (frame == stack) return p;
      p = skipBlanks(p);
      const next = <u32>load<u8>(p);
      if (next == 0x2c) break;
      if (next != (inArray ? 0x5d : 0x7d)) return faultAt(p, REASON_NOT_JSON);
      p++;
      open--;
      frame -= FRAME_BYTES;
      owner = load<u64>(frame, FRAME_INSTANCE);
      inNode = load<u32>(frame, FRAME_NODE);
      inArray = load<u8>(frame, FRAME_ARRAY) != 0;
      leaveKey(<usize>load<u32>(frame, FRAME_SLOT));
    }
    p = skipBlanks(p + 1);
    if (inArray) {
      node = inNode;
      slot = 0;
      continue;
    }
    if (load<u8>(p) != 0x22) return faultAt(p, REASON_NOT_JSON);
    const end = textEnd(p + 1);
    if (!end) return 0;
    slot = 0;
    node = 0;
    if (inNode && (hadEscapes() || mayLead(inNode, p + 1, end - p - 1))) {
      slot = enterKey(inNode, owner, p + 1, end);
      node = child;
    }
    p = skipBlanks(end + 1);
    if (load<u8>(p) != 0x3a) return faultAt(p, REASON_NOT_JSON);
    p = skipBlanks(p + 1);
  }
}

/** Reads the object at p, known to be JSON, without the members the wire record names as well. */
export function parseValueBesideWire(p: usize, node: u32): void {
  besideWire = instance + 1;
  parseValue(p, node, 0);
  besideWire = 0;
}
