import * as layout from "../../assembly/layout.ts";
import type { Arena } from "./memory.ts";
import { type ExtractColumn, type ProjectionNode, projectPaths } from "./projection.ts";

export type { ExtractColumn } from "./projection.ts";

export interface ExtractionPlan {
  readonly columns: readonly ExtractColumn[];
  /** Column descriptors and primary cells that exist already, zero and at a multiple of ROW_CAP * 8; made here when absent. */
  readonly columnTable?: number;
  readonly cells?: number;
  /**
   * Column of the top-level string `message`. When that is exactly one JSON object, columns with `fromMessage` are also read from it
   * (members the wire names itself excepted), and the column becomes its string member message, msg or log, if it has one.
   */
  readonly message?: { readonly column: number };
  /** Further values one call may give, all columns together. */
  readonly extraCapacity?: number;
  readonly arenaBytes?: number;
  readonly badCapacity?: number;
  /** Places the automaton may learn, 144 bytes each; transitions take 112. Two hundred sources fit in the default. */
  readonly stateCapacity?: number;
  readonly transitionCapacity?: number;
}

export type BadReason =
  | "not-json" | "truncated" | "bad-string" | "bad-number" | "bad-escape" | "trailing-bytes" | "too-deep" | "not-an-object";

const reasons: ReadonlyMap<number, BadReason> = new Map([
  [layout.REASON_NOT_JSON, "not-json"],
  [layout.REASON_TRUNCATED, "truncated"],
  [layout.REASON_BAD_STRING, "bad-string"],
  [layout.REASON_BAD_NUMBER, "bad-number"],
  [layout.REASON_BAD_ESCAPE, "bad-escape"],
  [layout.REASON_TRAILING_BYTES, "trailing-bytes"],
  [layout.REASON_TOO_DEEP, "too-deep"],
  [layout.REASON_NOT_AN_OBJECT, "not-an-object"],
]);

export interface BadRecord {
  readonly start: number;
  readonly end: number;
  readonly reason: BadReason;
}

/** The kernel function this file prepares the struct for. */
export interface ExtractKernel {
  extract(struct: number, start: number, end: number): number;
}

const encoder = new TextEncoder();
const U64 = 0xffffffffffffffffn;

function rotateLeft(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & U64;
}

/** Twin of keyHash in assembly/extract/plan.ts. */
function keyHash(node: number, key: Uint8Array): number {
  const padded = new DataView(new ArrayBuffer(8));
  let head = 0n;
  let tail = 0n;
  if (key.length >= 8) {
    const view = new DataView(key.buffer, key.byteOffset, key.length);
    head = view.getBigUint64(0, true);
    tail = view.getBigUint64(key.length - 8, true);
  } else if (key.length > 0) {
    key.forEach((byte, i) => padded.setUint8(8 - key.length + i, byte));
    head = padded.getBigUint64(0, true);
  }
  let hash = ((head ^ rotateLeft(tail, 23n) ^ BigInt(node)) * 0x9e3779b97f4a7c15n) & U64;
  hash = ((hash ^ (hash >> 29n) ^ BigInt(key.length)) * 0xbf58476d1ce4e5b9n) & U64;
  return (Number(hash >> 32n) | 1) >>> 0;
}

/** Bits of a node's keys, by which the kernel passes over most others unhashed. */
function keyBits(keys: readonly string[]): bigint {
  return keys.reduce((bits, key) => {
    const bytes = encodeKey(key);
    return bits | (1n << BigInt(((bytes[0] ?? layout.NODE_KEY_EMPTY) * layout.NODE_KEY_FACTOR + bytes.length) & 63));
  }, 0n);
}

/** Text as the kernel sees it: UTF-8, a lone surrogate as its three bytes. */
export function encodeKey(text: string): Uint8Array {
  if (text.isWellFormed()) return encoder.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const unit = character.codePointAt(0) ?? 0;
    if (unit >= 0xd800 && unit <= 0xdfff) bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 63), 0x80 | (unit & 63));
    else bytes.push(...encoder.encode(character));
  }
  return Uint8Array.from(bytes);
}

function powerOfTwo(least: number): number {
  let size = 16;
  while (size < least) size *= 2;
  return size;
}

/** Host side of the extract kernel: writes the plan into memory, reads the results. */
export class Extraction {
  /** Address of the struct the kernel takes. */
  readonly struct: number;
  readonly columnTable: number;
  readonly cells: number;
  readonly #arena: Arena;

  constructor(arena: Arena, plan: ExtractionPlan) {
    this.#arena = arena;
    const columns = [...new Set(plan.columns.map((column) => column.column))].sort((a, b) => a - b);
    const columnCount = (columns.at(-1) ?? -1) + 1;
    this.columnTable = plan.columnTable ?? arena.alloc(columnCount * layout.COLUMN_BYTES);
    this.cells = plan.cells ?? arena.alloc(columnCount * layout.ROW_CAP * 8, layout.ROW_CAP * 8);
    this.struct = this.#zeroed(layout.EXTRACT_BYTES);
    for (const column of columns) {
      const descriptor = this.columnTable + column * layout.COLUMN_BYTES;
      this.#set32(descriptor + layout.COLUMN_CELLS, this.cells + column * layout.ROW_CAP * 8);
    }
    const list = arena.alloc(columns.length * 4 + 4);
    columns.forEach((column, i) => this.#set32(list + i * 4, column));
    this.#put(layout.EXTRACT_COLUMN_TABLE, this.columnTable);
    this.#put(layout.EXTRACT_COLUMN_LIST, list);
    this.#put(layout.EXTRACT_COLUMN_LIST_COUNT, columns.length);
    this.#put(layout.EXTRACT_CELLS, this.cells);
    this.#put(layout.EXTRACT_OWNERS, this.#zeroed(columnCount * 4 + 4));
    this.#put(layout.EXTRACT_LATE_STAMPS, this.#zeroed(columnCount * 4 + 4));
    this.#reserveAreas(plan);
    this.#writePlan(plan);
    if (plan.columns.some((column) => column.kind === "all")) this.#put(layout.EXTRACT_FLAGS, layout.EXTRACT_FLAG_PARSE);
    this.beginInput();
  }

  #set32(address: number, value: number): void {
    this.#arena.u32[address >>> 2] = value;
  }

  /** A region of zeros, whatever the memory held before. */
  #zeroed(sizeBytes: number): number {
    const address = this.#arena.alloc(sizeBytes);
    this.#arena.u8.fill(0, address, address + sizeBytes);
    return address;
  }

  #put(field: number, value: number): void {
    this.#set32(this.struct + field, value);
  }

  #get(field: number): number {
    return this.#arena.u32[(this.struct + field) >>> 2] ?? 0;
  }

  #reserveAreas(plan: ExtractionPlan): void {
    const arena = this.#arena;
    const extraCapacity = plan.extraCapacity ?? 65536;
    const badCapacity = plan.badCapacity ?? 1024;
    const arenaBytes = plan.arenaBytes ?? 2 << 20;
    const stateCapacity = plan.stateCapacity ?? 16384;
    const transitionCapacity = plan.transitionCapacity ?? 24576;
    const keyPoolBytes = stateCapacity * 32 + 8192;
    const stateTableSize = powerOfTwo(stateCapacity * 2);
    const needsMembers = plan.columns.some((column) => column.kind !== "value");
    const memberCount = needsMembers ? 32768 : 16;
    const recordLogCapacity = extraCapacity + 2 * layout.RECORD_LOG_RESERVE;
    const spare = arena.alloc(layout.ROW_CAP * 8, 64);
    this.#put(layout.EXTRACT_SPARE_CELLS, spare);
    this.#put(layout.EXTRACT_MARKS, this.#zeroed(Math.ceil((spare - this.cells) / (layout.ROW_CAP * 8)) + 2));
    this.#put(layout.EXTRACT_ROW_START, arena.alloc(layout.ROW_CAP * 4));
    this.#put(layout.EXTRACT_ROW_END, arena.alloc(layout.ROW_CAP * 4));
    this.#put(layout.EXTRACT_BAD, arena.alloc(badCapacity * layout.BAD_BYTES));
    this.#put(layout.EXTRACT_BAD_CAPACITY, badCapacity);
    this.#put(layout.EXTRACT_EXTRA_LOG, arena.alloc(extraCapacity * layout.EXTRA_LOG_BYTES));
    this.#put(layout.EXTRACT_EXTRA_CAPACITY, extraCapacity);
    this.#put(layout.EXTRACT_EXTRA_CELLS, arena.alloc(extraCapacity * 8));
    this.#put(layout.EXTRACT_EXTRA_ROWS, arena.alloc(extraCapacity * 4));
    this.#put(layout.EXTRACT_RECORD_LOG, arena.alloc(recordLogCapacity * layout.EXTRA_LOG_BYTES));
    this.#put(layout.EXTRACT_RECORD_LOG_CAPACITY, recordLogCapacity);
    const text = arena.alloc(arenaBytes + layout.READ_PAD);
    this.#put(layout.EXTRACT_ARENA, text);
    this.#put(layout.EXTRACT_ARENA_END, text + arenaBytes);
    this.#put(layout.EXTRACT_STATES, arena.alloc(stateCapacity * layout.STATE_BYTES, 64));
    this.#put(layout.EXTRACT_STATE_CAPACITY, stateCapacity);
    this.#put(layout.EXTRACT_TRANSITIONS, arena.alloc(transitionCapacity * layout.TRANSITION_BYTES, 64));
    this.#put(layout.EXTRACT_TRANSITION_CAPACITY, transitionCapacity);
    this.#put(layout.EXTRACT_STATE_TABLE, arena.alloc(stateTableSize * 4));
    this.#put(layout.EXTRACT_STATE_MASK, stateTableSize - 1);
    const keyPool = arena.alloc(keyPoolBytes + layout.READ_PAD);
    this.#put(layout.EXTRACT_KEY_POOL, keyPool);
    this.#put(layout.EXTRACT_KEY_POOL_END, keyPool + keyPoolBytes);
    this.#put(layout.EXTRACT_MEMBERS, this.#zeroed(memberCount * layout.MEMBER_BYTES));
    this.#put(layout.EXTRACT_MEMBER_MASK, memberCount - 1);
    this.#put(layout.EXTRACT_STACK, arena.alloc((layout.DEPTH_CAP + 1) * layout.FRAME_BYTES));
  }

  #writePlan(plan: ExtractionPlan): void {
    const nodes = projectPaths(plan.columns);
    this.#put(layout.EXTRACT_MESSAGE_COLUMN, plan.message?.column ?? layout.NO_COLUMN);
    // The projection of an object inside the message stands behind the record's own.
    const nested = plan.message ? projectPaths(plan.columns.filter((column) => column.fromMessage)) : [];
    const offset = nodes.length;
    for (const node of nested) {
      nodes.push({
        feeds: node.feeds,
        edges: new Map([...node.edges].map(([key, child]) => [key, child + offset])),
        rest: node.rest === undefined ? undefined : node.rest + offset,
      });
    }
    const base = this.#writeNodes(nodes);
    this.#put(layout.EXTRACT_ROOT, base);
    this.#put(layout.EXTRACT_MESSAGE_NODE, plan.message ? base + offset * layout.NODE_BYTES : 0);
    const wireCount = plan.message ? 4096 : 16;
    this.#put(layout.EXTRACT_WIRE, this.#zeroed(wireCount * layout.MEMBER_BYTES));
    this.#put(layout.EXTRACT_WIRE_MASK, wireCount - 1);
  }

  /** Writes nodes and edges; answers the address of the first node. */
  #writeNodes(nodes: readonly ProjectionNode[]): number {
    const arena = this.#arena;
    const base = arena.alloc(nodes.length * layout.NODE_BYTES, 8);
    const addressOf = (node: number): number => base + node * layout.NODE_BYTES;
    const edgeCount = nodes.reduce((sum, node) => sum + node.edges.size, 0);
    // A quarter full at most: keys the plan does not want are refused at the first look.
    const tableSize = powerOfTwo(edgeCount * 4);
    const edges = this.#zeroed(tableSize * layout.EDGE_BYTES);
    nodes.forEach((node, index) => {
      const at = addressOf(index);
      const feeds = arena.alloc(node.feeds.length * 4 + 4, 4);
      node.feeds.forEach((feed, i) => this.#set32(feeds + i * 4, (feed.column | (feed.first ? layout.FEED_FIRST : 0)) >>> 0));
      this.#set32(at + layout.NODE_FEEDS, feeds);
      this.#set32(at + layout.NODE_FEED_COUNT, node.feeds.length);
      this.#set32(at + layout.NODE_REST, node.rest === undefined ? 0 : addressOf(node.rest));
      this.#set32(at + layout.NODE_FLAGS, node.edges.size > 0 || node.rest !== undefined ? layout.NODE_FLAG_INNER : 0);
      arena.u64[(at + layout.NODE_KEYS) >>> 3] = node.rest === undefined ? keyBits([...node.edges.keys()]) : U64;
      for (const [key, child] of node.edges) this.#writeEdge(edges, tableSize - 1, at, encodeKey(key), addressOf(child));
    });
    this.#put(layout.EXTRACT_EDGES, edges);
    this.#put(layout.EXTRACT_EDGE_MASK, tableSize - 1);
    return base;
  }

  #writeEdge(edges: number, mask: number, node: number, key: Uint8Array, child: number): void {
    const u32 = this.#arena.u32;
    const hash = keyHash(node, key);
    let place = (hash & mask) >>> 0;
    const addressOf = (i: number): number => edges + i * layout.EDGE_BYTES;
    while (u32[(addressOf(place) + layout.EDGE_NODE) >>> 2]) place = (place + 1) & mask;
    const edge = addressOf(place);
    this.#set32(edge + layout.EDGE_NODE, node);
    this.#set32(edge + layout.EDGE_CHILD, child);
    this.#set32(edge + layout.EDGE_KEY, this.#arena.bytes(key));
    this.#set32(edge + layout.EDGE_KEY_LENGTH, key.length);
    this.#set32(edge + layout.EDGE_HASH, hash);
  }

  /** Says that the next bytes are the first of an input: a byte order mark there is skipped, an array left open is forgotten. */
  beginInput(): void {
    this.#put(layout.EXTRACT_INPUT_START, 1);
    this.#put(layout.EXTRACT_IN_ARRAY, 0);
  }

  /** Bytes the last call consumed. */
  get consumed(): number {
    return this.#get(layout.EXTRACT_CONSUMED);
  }

  get badCount(): number {
    return this.#get(layout.EXTRACT_BAD_COUNT);
  }

  /** Values lost since the start because one record had more than the areas hold. */
  get droppedValues(): number {
    return this.#get(layout.EXTRACT_DROPPED_VALUES);
  }

  /** How the automaton fares, counted since the start (each wraps at 2^32). */
  get counters(): { parsed: number; missed: number; learned: number; ahead: number; states: number; transitions: number } {
    return {
      parsed: this.#get(layout.EXTRACT_COUNT_PARSED),
      missed: this.#get(layout.EXTRACT_COUNT_MISSED),
      learned: this.#get(layout.EXTRACT_COUNT_LEARNED),
      ahead: this.#get(layout.EXTRACT_COUNT_AHEAD),
      states: this.#get(layout.EXTRACT_STATE_TOP),
      transitions: this.#get(layout.EXTRACT_TRANSITION_TOP),
    };
  }

  get rowStart(): number {
    return this.#get(layout.EXTRACT_ROW_START);
  }

  get rowEnd(): number {
    return this.#get(layout.EXTRACT_ROW_END);
  }

  /** Records the last call refused. */
  bad(): BadRecord[] {
    const u32 = this.#arena.u32;
    const list = this.#get(layout.EXTRACT_BAD);
    return Array.from({ length: this.badCount }, (_, i) => {
      const at = list + i * layout.BAD_BYTES;
      const reason = reasons.get(u32[(at + layout.BAD_REASON) >>> 2] ?? 0);
      if (!reason) throw new Error("extract kernel gave an unknown reason");
      return { start: u32[(at + layout.BAD_START) >>> 2] ?? 0, end: u32[(at + layout.BAD_END) >>> 2] ?? 0, reason };
    });
  }
}
