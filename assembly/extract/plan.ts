import {
  EDGE_BYTES, EDGE_CHILD, EDGE_HASH, EDGE_KEY, EDGE_KEY_LENGTH, EDGE_NODE, EXTRACT_EDGES, EXTRACT_EDGE_MASK, NODE_FEEDS, NODE_FEED_COUNT,
  NODE_FLAGS, NODE_FLAG_INNER, NODE_KEYS, NODE_KEY_FACTOR, NODE_REST,
} from "../layout";
import { feedValue } from "./area";

/** The projection: which keys lead where, and what a value found there feeds. Written by the host, read here. */

let edges: usize = 0;
let edgeMask: u32 = 0;

export function openPlan(x: usize): void {
  edges = load<u32>(x, EXTRACT_EDGES);
  edgeMask = load<u32>(x, EXTRACT_EDGE_MASK);
}

/** Mixes the key's ends and length; the host computes the same in extraction.ts. */
// @ts-ignore: decorator
@inline
export function keyHash(node: u32, key: usize, length: usize): u32 {
  let head: u64;
  let tail: u64 = 0;
  if (length >= 8) {
    head = load<u64>(key);
    tail = load<u64>(key + length - 8);
  } else {
    // 64 bytes after a record may be read; the shift drops what is not the key's.
    head = length ? load<u64>(key) << ((8 - length) << 3) : 0;
  }
  let h = (head ^ rotl<u64>(tail, 23) ^ <u64>node) * 0x9e3779b97f4a7c15;
  h = (h ^ (h >> 29) ^ <u64>length) * 0xbf58476d1ce4e5b9;
  return <u32>(h >> 32) | 1;
}

/** Mixes every byte: for tables that strangers' keys fill. */
export function textHash(seed: u32, key: usize, length: usize): u32 {
  let h = (<u64>seed ^ (<u64>length << 32)) * 0x9e3779b97f4a7c15;
  const end = key + length;
  while (key + 8 <= end) {
    h = (h ^ load<u64>(key)) * 0xbf58476d1ce4e5b9;
    h ^= h >> 31;
    key += 8;
  }
  const rest = end - key;
  if (rest) h = (h ^ (load<u64>(key) << ((8 - rest) << 3))) * 0xbf58476d1ce4e5b9;
  return <u32>(h >> 32) ^ <u32>h;
}

// @ts-ignore: decorator
@inline
export function sameBytes(a: usize, b: usize, length: usize): bool {
  const end = a + length;
  while (a + 8 <= end) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
  }
  while (a < end) if (load<u8>(a++) != load<u8>(b++)) return false;
  return true;
}

/** False when no key like this one, which has no escapes, leads on from the node. */
// @ts-ignore: decorator
@inline
export function mayLead(node: u32, key: usize, length: usize): bool {
  const bit = <u64>(<u32>load<u8>(key) * NODE_KEY_FACTOR + <u32>length);
  return ((load<u64>(node, NODE_KEYS) >> (bit & 63)) & 1) != 0;
}

/** The edge a key takes from a node, 0 when the plan has none. */
// @ts-ignore: decorator
@inline
export function findEdge(node: u32, key: usize, length: usize): usize {
  const hash = keyHash(node, key, length);
  let i = hash & edgeMask;
  while (true) {
    const edge = edges + <usize>i * EDGE_BYTES;
    const at = load<u32>(edge, EDGE_NODE);
    if (!at) return 0;
    if (load<u32>(edge, EDGE_HASH) == hash && at == node && load<u32>(edge, EDGE_KEY_LENGTH) == <u32>length) {
      if (sameBytes(load<u32>(edge, EDGE_KEY), key, length)) return edge;
    }
    i = (i + 1) & edgeMask;
  }
  return 0;
}

/** Node a key leads to, 0 when nobody cares. */
export function childOf(node: u32, key: usize, length: usize): u32 {
  if (!node) return 0;
  const edge = findEdge(node, key, length);
  return edge ? load<u32>(edge, EDGE_CHILD) : load<u32>(node, NODE_REST);
}

export function hasInner(node: u32): bool {
  return node != 0 && (load<u32>(node, NODE_FLAGS) & NODE_FLAG_INNER) != 0;
}

// @ts-ignore: decorator
@inline
export function feedCount(node: u32): u32 {
  return node ? load<u32>(node, NODE_FEED_COUNT) : 0;
}

// @ts-ignore: decorator
@inline
export function feedAt(node: u32, i: u32): u32 {
  return load<u32>(<usize>load<u32>(node, NODE_FEEDS) + (<usize>i << 2));
}

/** Gives a value found at `node` to all columns it feeds. */
export function feedNode(node: u32, row: u32, cell: u64): void {
  const count = feedCount(node);
  for (let i: u32 = 0; i < count; i++) feedValue(feedAt(node, i), row, cell);
}
