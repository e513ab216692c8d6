import { createHash } from "node:crypto";
import {
  BOUND_BYTES, ENTRY_BYTES, GROUP_FLAGS, GROUP_FRAGMENT, GROUP_HOT, GROUP_KEY_BYTES, GROUP_LAST, GROUP_LONG_KEY, GROUP_NEXT, GROUP_TOUCHED, KEEP_COUNT,
  KEEP_DISTINCT, KEEP_WIDE, PANE_BYTES, QUERY_BYTES, RING_CAPACITY, RING_COUNTED_FROM, RING_COUNTED_TO, RING_EXTENSION, RING_HEAD, RING_HEAD_BYTES, RING_LENGTH,
  RING_LIVE, RULE_CANDIDATES, RULE_COLD_HEAD, RULE_GROUP_COUNT, RULE_HIT_OFFSET, RULE_HOT_HEAD, RULE_KEY_OFFSET, RULE_LEFT_OFFSET, RULE_QUERIES,
  RULE_SHARED_GROUP, VALUE_ENTRY_BYTES, WINDOW_EVICTED, WINDOW_EVICTED_NEAR, WINDOW_EXPIRED, WINDOW_LATE_DROPPED, WINDOW_REFUSED,
} from "../../../assembly/layout.ts";
import type { Keep, ThresholdPlan } from "../threshold.ts";
import type { StateMemory, WindowMemory } from "../window-memory.ts";
import { StateFault, StateReader, StateWriter } from "./bytes.ts";

/**
 * Windows of one rule: what a section `windows` holds.
 *
 *   u8[16]  digest of the rule's plan: what its windows keep, and how
 *   u32     groups
 *   u32     bit 0: a shared group stands first, bit 1: the list of candidates had been lost
 *   groups in the order of the rule's queues, those near their threshold last:
 *     u16 keyBytes, u8 flags, u8 0, u32 fragment of the key's hash, f64 lastMs
 *     where the rule has THEN: a store of the times the side before it was true
 *     where it has shared queries: f64, u32 latest event of its hits, u32 place among the candidates plus 1
 *     a store for each query
 *     u8[keyBytes] key, as kept
 *   store: u32 length, u32 capacity of its ring (0: none), entries by time as `layout.ts` describes them; with a ring: u32 countedFrom,
 *     u32 countedTo, u32 1 and the bounds' times and panes if entries were displaced, else u32 0
 */
export interface SavedWindows {
  readonly groups: number;
  readonly bytes: Uint8Array;
}

interface StoreKind {
  readonly hasValues: boolean;
  readonly isDistinct: boolean;
  readonly extensionBytes: number;
  /** Address of the query; 0: the times of a side before THEN. */
  readonly query: number;
}

/** Where the kernel's counters and clocks stand, beside its groups. */
export interface WindowClock {
  readonly latestMs: number;
  readonly turn: number;
  readonly steps: number;
  readonly lateDropped: number;
  readonly evicted: number;
  readonly evictedNear: number;
  readonly expired: number;
  readonly refused: number;
}

const COUNTERS = { lateDropped: WINDOW_LATE_DROPPED, evicted: WINDOW_EVICTED, evictedNear: WINDOW_EVICTED_NEAR, expired: WINDOW_EXPIRED, refused: WINDOW_REFUSED } as const;
const DIGEST_BYTES = 16;
const HAS_SHARED = 1;
const CANDIDATES_LOST = 2;
const KEY_CAP = 65_535;
/** Of a group seen a few times. */
const GROUP_BYTES_EXPECTED = 96;
/** Top bit of a distinct value's entry: it is the latest of its value. */
const LIVE_BYTE = 0x80;

/** Reads groups out of the window kernel's memory, and puts saved ones back. */
export class WindowState {
  readonly #state: StateMemory;
  readonly #memory: WindowMemory;
  readonly #plans: ReadonlyArray<ThresholdPlan | undefined>;

  constructor(state: StateMemory, memory: WindowMemory, plans: ReadonlyArray<ThresholdPlan | undefined>) {
    this.#state = state;
    this.#memory = memory;
    this.#plans = plans;
  }

  clock(): WindowClock {
    const { arena, kernel } = this.#state;
    kernel.windowMark(this.#memory.keys);
    const { view } = arena;
    const counter = (field: number): number => view.getUint32(this.#memory.struct + field, true);
    const { lateDropped, evicted, evictedNear, expired, refused } = COUNTERS;
    return {
      latestMs: view.getFloat64(this.#memory.keys, true), turn: view.getUint32(this.#memory.keys + 8, true), steps: view.getUint32(this.#memory.keys + 12, true),
      lateDropped: counter(lateDropped), evicted: counter(evicted), evictedNear: counter(evictedNear), expired: counter(expired), refused: counter(refused),
    };
  }

  setClock(clock: WindowClock): void {
    const { arena, kernel } = this.#state;
    const { view } = arena;
    const { keys, struct } = this.#memory;
    view.setFloat64(keys, clock.latestMs, true);
    view.setUint32(keys + 8, clock.turn, true);
    view.setUint32(keys + 12, clock.steps, true);
    kernel.windowResume(keys);
    for (const [name, field] of Object.entries(COUNTERS)) view.setUint32(struct + field, clock[name as keyof typeof COUNTERS], true);
  }

  /** Undefined for a rule that keeps no windows. */
  save(ruleIndex: number): SavedWindows | undefined {
    const plan = this.#plans[ruleIndex];
    if (!plan || plan.windowMs === 0) return undefined;
    const { arena } = this.#state;
    const rule = this.#memory.rules[ruleIndex]!;
    const { view } = arena;
    const memory = Buffer.from(arena.u8.buffer as ArrayBuffer);
    const groups = view.getUint32(rule + RULE_GROUP_COUNT, true);
    const writer = new StateWriter(4096 + groups * GROUP_BYTES_EXPECTED);
    const shared = view.getUint32(rule + RULE_SHARED_GROUP, true);
    writer.copy(digestOf(plan), 0, DIGEST_BYTES);
    writer.u32(groups);
    writer.u32((shared ? HAS_SHARED : 0) | (shared && !view.getUint32(rule + RULE_CANDIDATES, true) ? CANDIDATES_LOST : 0));
    const source: GroupSource = { view, memory, stores: this.#stores(rule, plan), offsets: this.#offsets(rule) };
    if (shared) writeGroup(writer, source, shared);
    for (const head of [RULE_COLD_HEAD, RULE_HOT_HEAD]) {
      for (let group = view.getUint32(rule + head, true); group; group = view.getUint32(group + GROUP_NEXT, true)) writeGroup(writer, source, group);
    }
    return { groups, bytes: writer.done() };
  }

  /** Groups that found memory and those that did not; a text where the bytes are not this rule's windows, which then are as they were. */
  restore(ruleIndex: number, bytes: Uint8Array): { readonly groups: number; readonly lost: number } | string {
    const plan = this.#plans[ruleIndex];
    if (!plan || plan.windowMs === 0) return "the rule keeps no windows";
    const rule = this.#memory.rules[ruleIndex]!;
    try {
      // Once without doing anything: what is not whole is not begun.
      if (!digestOf(plan).equals(new StateReader(bytes).view(DIGEST_BYTES))) return "what its windows keep has changed, by the allowed lateness or by the release";
      this.#read(bytes, rule, plan, undefined);
      return this.#read(bytes, rule, plan, new Filler(this.#state, this.#memory.keys, rule, this.#offsets(rule)));
    } catch (error) {
      if (error instanceof StateFault) return error.message;
      throw error;
    }
  }

  #read(bytes: Uint8Array, rule: number, plan: ThresholdPlan, filler: Filler | undefined): { readonly groups: number; readonly lost: number } {
    const reader = new StateReader(bytes);
    reader.view(DIGEST_BYTES);
    const groups = reader.u32();
    const flags = reader.u32();
    const shared = this.#state.arena.u32[(rule + RULE_SHARED_GROUP) >> 2]!;
    if ((flags & HAS_SHARED) !== (shared ? HAS_SHARED : 0)) throw new StateFault("the state is damaged: a shared group is missing or too many");
    const stores = this.#stores(rule, plan);
    const { left, hit } = this.#offsets(rule);
    const one = (isShared: boolean): void => {
      const group = readGroup(reader, stores, left > 0, hit > 0, this.#state.stateBytes);
      filler?.fill(group, isShared ? shared : 0);
    };
    if (shared) one(true);
    for (let i = 0; i < groups; i++) one(false);
    if (!reader.isDone) throw new StateFault("the state is damaged: bytes are left over");
    filler?.setCandidates((flags & CANDIDATES_LOST) !== 0);
    return { groups: groups - (filler?.lost ?? 0), lost: filler?.lost ?? 0 };
  }

  #offsets(rule: number): GroupOffsets {
    const { view } = this.#state.arena;
    const u32 = (field: number): number => view.getUint32(rule + field, true);
    return { left: u32(RULE_LEFT_OFFSET), hit: u32(RULE_HIT_OFFSET), key: u32(RULE_KEY_OFFSET), keeps: this.#memory.keepOffsets(rule) };
  }

  #stores(rule: number, plan: ThresholdPlan): StoreKind[] {
    return plan.keeps.map((keep, i) => ({
      hasValues: hasValues(keep), isDistinct: keep.kind === KEEP_DISTINCT, query: rule + RULE_QUERIES + i * QUERY_BYTES,
      extensionBytes: keep.kind === KEEP_DISTINCT ? 0 : keep.bounds.length * 8 + keep.panes * PANE_BYTES,
    }));
  }
}

interface GroupOffsets {
  readonly left: number;
  readonly hit: number;
  readonly key: number;
  /** Of the queries' stores. */
  readonly keeps: readonly number[];
}

interface GroupSource {
  readonly view: DataView;
  readonly memory: Buffer;
  readonly stores: readonly StoreKind[];
  readonly offsets: GroupOffsets;
}

const LEFT: StoreKind = { hasValues: false, isDistinct: false, extensionBytes: 0, query: 0 };

function hasValues(keep: Keep): boolean {
  return keep.kind !== KEEP_COUNT && keep.kind !== KEEP_WIDE;
}

/** Kinds, capacities, panes and bounds: stores of another plan mean something else. */
function digestOf(plan: ThresholdPlan): Buffer {
  const layout = [ENTRY_BYTES, VALUE_ENTRY_BYTES, BOUND_BYTES, PANE_BYTES];
  return createHash("sha256").update(JSON.stringify([layout, plan.windowMs, plan.keeps, plan.after !== undefined, plan.shared])).digest().subarray(0, DIGEST_BYTES);
}

function sizeOf(kind: StoreKind): number {
  return kind.hasValues ? VALUE_ENTRY_BYTES : ENTRY_BYTES;
}

function writeGroup(writer: StateWriter, source: GroupSource, group: number): void {
  const { view, memory, stores, offsets } = source;
  const keyBytes = view.getUint16(group + GROUP_KEY_BYTES, true);
  writer.u16(keyBytes);
  writer.u8(view.getUint8(group + GROUP_FLAGS));
  writer.u8(0);
  writer.u32(view.getUint32(group + GROUP_FRAGMENT, true));
  writer.f64(view.getFloat64(group + GROUP_LAST, true));
  if (offsets.left) writeStore(writer, source, group + offsets.left, LEFT);
  if (offsets.hit) writer.copy(memory, group + offsets.hit, group + offsets.hit + 16);
  stores.forEach((kind, i) => writeStore(writer, source, group + offsets.keeps[i]!, kind));
  writer.copy(memory, group + offsets.key, group + offsets.key + keyBytes);
}

function writeStore(writer: StateWriter, { view, memory }: GroupSource, keep: number, kind: StoreKind): void {
  const size = sizeOf(kind);
  const ring = view.getUint32(keep + size, true);
  if (!ring) {
    const length = view.getFloat64(keep, true) > Number.NEGATIVE_INFINITY ? 1 : 0;
    writer.u32(length);
    writer.u32(0);
    writer.copy(memory, keep, keep + length * size);
    return;
  }
  const u32 = (field: number): number => view.getUint32(ring + field, true);
  const [length, capacity, head] = [u32(RING_LENGTH), u32(RING_CAPACITY), u32(RING_HEAD)];
  const entries = ring + RING_HEAD_BYTES + size;
  const before = Math.min(length, capacity - head);
  writer.u32(length);
  writer.u32(capacity);
  writer.copy(memory, entries + head * size, entries + (head + before) * size);
  writer.copy(memory, entries, entries + (length - before) * size);
  writer.u32(u32(RING_COUNTED_FROM));
  writer.u32(u32(RING_COUNTED_TO));
  const extension = kind.extensionBytes ? u32(RING_EXTENSION) : 0;
  writer.u32(extension ? 1 : 0);
  if (extension) writer.copy(memory, extension, extension + kind.extensionBytes);
}

interface SavedStore {
  readonly kind: StoreKind;
  readonly length: number;
  readonly capacity: number;
  readonly entries: Buffer;
  readonly countedFrom: number;
  readonly countedTo: number;
  readonly extension: Buffer | undefined;
}

interface SavedGroup {
  readonly flags: number;
  readonly fragment: number;
  readonly lastMs: number;
  readonly left: SavedStore | undefined;
  readonly hit: Buffer | undefined;
  readonly stores: readonly SavedStore[];
  readonly key: Buffer;
}

function readGroup(reader: StateReader, stores: readonly StoreKind[], hasLeft: boolean, hasHit: boolean, mostBytes: number): SavedGroup {
  const keyBytes = reader.u16();
  const flags = reader.u8();
  reader.u8();
  const fragment = reader.u32();
  const lastMs = reader.f64();
  const left = hasLeft ? readStore(reader, LEFT, mostBytes) : undefined;
  const hit = hasHit ? reader.view(16) : undefined;
  return { flags, fragment, lastMs, left, hit, stores: stores.map((kind) => readStore(reader, kind, mostBytes)), key: reader.view(Math.min(keyBytes, KEY_CAP)) };
}

function readStore(reader: StateReader, kind: StoreKind, mostBytes: number): SavedStore {
  const length = reader.u32();
  const capacity = reader.u32();
  if (length > Math.max(1, capacity) || capacity * sizeOf(kind) > mostBytes) throw new StateFault("the state is damaged: a ring is too long");
  const entries = reader.view(length * sizeOf(kind));
  if (!capacity) return { kind, length, capacity, entries, countedFrom: 0, countedTo: 0, extension: undefined };
  const countedFrom = reader.u32();
  const countedTo = reader.u32();
  if (countedFrom > countedTo || countedTo > length) throw new StateFault("the state is damaged: more events are counted than there are");
  const extension = reader.u32() ? reader.view(kind.extensionBytes) : undefined;
  return { kind, length, capacity, entries, countedFrom, countedTo, extension };
}

/** Puts saved groups into the kernel's memory. */
class Filler {
  /** Groups that found no memory, or not all they need. */
  lost = 0;
  readonly #state: StateMemory;
  readonly #scratch: number;
  readonly #rule: number;
  readonly #offsets: GroupOffsets;
  readonly #candidates: Array<{ readonly place: number; readonly group: number }> = [];

  constructor(state: StateMemory, scratch: number, rule: number, offsets: GroupOffsets) {
    this.#state = state;
    this.#scratch = scratch;
    this.#rule = rule;
    this.#offsets = offsets;
  }

  /** @param shared address of the rule's shared group, which is there already; 0 for one of the rule's keys. */
  fill(saved: SavedGroup, shared: number): void {
    const { arena, kernel } = this.#state;
    const { left, hit, keeps } = this.#offsets;
    let group = shared;
    if (!group) {
      arena.u8.set(saved.key, this.#scratch);
      group = kernel.windowGroup(this.#rule, this.#scratch, saved.key.length, saved.flags & (GROUP_TOUCHED | GROUP_HOT | GROUP_LONG_KEY), saved.fragment) >>> 0;
      if (!group) {
        this.lost++;
        return;
      }
    }
    arena.view.setFloat64(group + GROUP_LAST, saved.lastMs, true);
    let isWhole = true;
    if (saved.left) isWhole = this.#store(group + left, saved.left) && isWhole;
    if (saved.hit) {
      arena.u8.set(saved.hit.subarray(0, 12), group + hit);
      const place = saved.hit.readUInt32LE(12);
      if (place) this.#candidates.push({ place, group });
    }
    saved.stores.forEach((store, i) => {
      isWhole = this.#store(group + keeps[i]!, store) && isWhole;
    });
    if (!isWhole) this.lost++;
  }

  setCandidates(areLost: boolean): void {
    if (!this.#offsets.hit) return;
    const { kernel } = this.#state;
    if (areLost) kernel.windowCandidate(this.#rule, 0);
    else for (const { group } of this.#candidates.sort((a, b) => a.place - b.place)) kernel.windowCandidate(this.#rule, group);
  }

  #store(keep: number, { kind, length, capacity, entries, countedFrom, countedTo, extension }: SavedStore): boolean {
    const { arena, kernel } = this.#state;
    if (!capacity) {
      arena.u8.set(entries, keep);
      return true;
    }
    const size = sizeOf(kind);
    const ring = kernel.windowRing(keep, kind.hasValues ? 1 : 0, capacity) >>> 0;
    if (!ring) return false;
    arena.u8.set(entries, ring + RING_HEAD_BYTES + size);
    const set = (field: number, value: number): void => arena.view.setUint32(ring + field, value, true);
    set(RING_LENGTH, length);
    set(RING_COUNTED_FROM, countedFrom);
    set(RING_COUNTED_TO, countedTo);
    if (kind.hasValues) set(RING_LIVE, liveOf(entries));
    if (kind.isDistinct) kernel.windowReindex(keep);
    if (!extension) return true;
    const place = kernel.windowExtension(ring, kind.query) >>> 0;
    if (place) arena.u8.set(extension, place);
    return place !== 0;
  }
}

function liveOf(entries: Buffer): number {
  let live = 0;
  for (let at = VALUE_ENTRY_BYTES - 1; at < entries.length; at += VALUE_ENTRY_BYTES) if (entries[at]! & LIVE_BYTE) live++;
  return live;
}
