import {
  ORDINAL_MASK, PAGE_BYTES, WINDOW_EVICTED, WINDOW_EVICTED_NEAR, WINDOW_EXPIRED, WINDOW_GROUPS, WINDOW_IN_HIGH, WINDOW_IN_KEY_LENGTH,
  WINDOW_IN_KEY_START, WINDOW_IN_ROW, WINDOW_IN_STANDING, WINDOW_IN_TIME, WINDOW_IN_VALUE, WINDOW_KEY_SHIFT, WINDOW_LATE_DROPPED, WINDOW_ORDINAL,
  WINDOW_OTHERS, WINDOW_OTHER_COUNT, WINDOW_PAGES_USED, WINDOW_REFUSED, WINDOW_STREAM_HIGH,
} from "../../assembly/layout.ts";
import type { MatchColumns } from "../batch/matches.ts";
import type { StandingQuery } from "../rule/standing.ts";
import type { CaseHit } from "./hit.ts";
import type { ContentFilter } from "./method/content-filter.ts";
import type { MethodRunner } from "./method/runner.ts";
import type { MethodCounts } from "./method/method.ts";
import { RecentEvents } from "./recent.ts";
import { WindowState } from "./state/window-state.ts";
import { Streams } from "./streams.ts";
import type { ThresholdPlan } from "./threshold.ts";
import { BATCH_KEY_BYTES, BATCH_RECORDS, STREAMS_CAP, type StateMemory, WindowMemory } from "./window-memory.ts";
import { WindowHit } from "./window-hit.ts";

export interface DetectorOptions {
  /** Events further behind the highest time seen are not analysed, and counted. */
  readonly allowedLatenessMs: number;
  /** Groups one rule may hold. */
  readonly groupCap?: number;
  /** Fewer bits than 32 make key hashes collide: for tests. */
  readonly hashMask?: number;
  /** Of the key hash, where groups saved under one are to be found again; a random one by default. */
  readonly seed?: bigint;
  /** By number of the rule: for rules whose groups are to be found again among other rules. */
  readonly salts?: readonly number[];
}

/** What is judged beside the windows. */
export interface OtherMethods {
  readonly runner?: MethodRunner;
  readonly content?: ContentFilter;
  /** Where they look events up. */
  readonly recent?: RecentEvents;
}

/** What became of matches and groups so far. */
export interface DetectorCounts {
  /** Matches that came too late to be judged. */
  readonly lateDropped: number;
  /** Groups held now. */
  readonly groups: number;
  /** Groups given up for want of room, and those of them near their threshold. */
  readonly evicted: number;
  readonly evictedNear: number;
  /** Groups whose time was over. */
  readonly expired: number;
  /** Matches that found no memory. */
  readonly refused: number;
  /** Sightings of values kept by filters only, for want of room: now and then one takes a new value for known. */
  readonly filtered: number;
  readonly stateBytes: number;
}

/** Matches in, case hits out: carries batches into the window kernel's memory, and its hits out. */
export class Detector {
  readonly recent: RecentEvents;
  readonly #state: StateMemory;
  readonly #memory: WindowMemory;
  readonly streams = new Streams();
  readonly windows: WindowState;
  readonly seed: bigint;
  readonly methods: MethodRunner | undefined;
  readonly content: ContentFilter | undefined;
  readonly #hit: WindowHit;
  readonly #hasValues: boolean;
  readonly #allowedLatenessMs: number;

  /** @param plans of the rules, as `planRules` gives them; `state` has room for what `setupBytes` says of them. */
  constructor(plans: ReadonlyArray<ThresholdPlan | undefined>, standing: readonly StandingQuery[], state: StateMemory, options: DetectorOptions, others: OtherMethods = {}) {
    this.recent = others.recent ?? new RecentEvents();
    this.#state = state;
    this.#allowedLatenessMs = options.allowedLatenessMs;
    this.methods = others.runner?.isIdle ? undefined : others.runner;
    this.content = others.content?.isIdle ? undefined : others.content;
    this.seed = options.seed ?? crypto.getRandomValues(new BigUint64Array(1))[0]!;
    this.#memory = new WindowMemory(state, plans, standing, {
      latenessMs: options.allowedLatenessMs, groupCap: options.groupCap ?? 0xffffffff, hashMask: options.hashMask ?? 0xffffffff,
      seed: this.seed, salts: options.salts,
    });
    this.windows = new WindowState(state, this.#memory, plans);
    this.#hit = new WindowHit(state, this.#memory, this.recent, plans.map((plan) => plan?.keeps.length ?? 0));
    this.#hasValues = standing.some((query) => query.aggregation !== "count" && query.aggregation !== "texts");
  }

  /** As of the end of the last batch. */
  get counts(): DetectorCounts {
    const u32 = (field: number): number => this.#u32(field);
    const others = [this.methods?.counts(), this.content?.counts()].filter((counts) => counts !== undefined);
    const sum = (name: keyof MethodCounts): number => others.reduce((total, counts) => total + (counts[name] ?? 0), 0);
    return {
      lateDropped: u32(WINDOW_LATE_DROPPED) + sum("lateDropped"), groups: u32(WINDOW_GROUPS) + sum("groups"),
      evicted: u32(WINDOW_EVICTED) + sum("evicted"), evictedNear: u32(WINDOW_EVICTED_NEAR), expired: u32(WINDOW_EXPIRED), refused: u32(WINDOW_REFUSED),
      filtered: sum("filtered"), stateBytes: u32(WINDOW_PAGES_USED) * PAGE_BYTES + sum("stateBytes"),
    };
  }

  /**
   * Judges a batch; hits come in the order of the events that made them, each to be read before the next.
   *
   * @param firstEvent number of the batch's first event in the whole stream.
   */
  apply(batch: MatchColumns, firstEvent: number, profile: number, partition: string, onHit: (hit: CaseHit) => void, arrivalMs?: number): void {
    const rows = this.recent.count;
    if (batch.count) {
      this.recent.addBatch(batch, firstEvent, profile);
      this.#carryIn(batch, partition);
      const othersLowMs = this.#setStreams(partition, rows);
      this.methods?.begin(batch, rows, this.streams.highMs(partition), othersLowMs);
      this.#state.kernel.windowBatch(batch.count, rows);
      while (this.#state.kernel.windowNext()) {
        const hit = this.#hit.read();
        const { now } = this.recent;
        // What others make of earlier events comes first.
        this.#runMethods(now - 2, onHit);
        this.recent.now = now;
        onHit(hit);
      }
      this.#runMethods(Number.POSITIVE_INFINITY, onHit);
      this.recent.now = this.recent.count;
    }
    this.streams.note(partition, batch.batchHighMs, this.recent.count, arrivalMs);
  }

  /** Nothing more comes of a partition: it holds nothing back. */
  end(partition: string): void {
    this.streams.end(partition);
  }

  /** The server's clock stands here, in its place among the batches: streams that are silent hold nothing back, and what waits for time to pass is judged. */
  tick(clockMs: number, onHit: (hit: CaseHit) => void): void {
    this.recent.now = this.recent.count;
    this.methods?.advanceTo(this.streams.tick(clockMs) - this.#allowedLatenessMs, onHit);
  }

  /** Nothing more comes at all: what waits for time to pass is judged. */
  finish(onHit: (hit: CaseHit) => void): void {
    this.methods?.advance(Number.POSITIVE_INFINITY, onHit);
  }

  #runMethods(throughSlot: number, onHit: (hit: CaseHit) => void): void {
    this.methods?.runThrough(this.recent, throughSlot, onHit);
  }

  /** Columns and keys, each in one copy. */
  #carryIn(batch: MatchColumns, partition: string): void {
    const { count } = batch;
    if (count > BATCH_RECORDS) throw new Error(`a batch of ${count} records, where ${BATCH_RECORDS} fit`);
    const { arena } = this.#state;
    const { f64, u32, u8 } = arena;
    const memory = this.#memory;
    f64.set(batch.timeMs, memory.area(WINDOW_IN_TIME) >> 3);
    f64.set(batch.highMs, memory.area(WINDOW_IN_HIGH) >> 3);
    const standing = this.content ? this.content.judged(batch, this.streams.highMs(partition)) : batch.standing;
    u32.set(standing, memory.area(WINDOW_IN_STANDING) >> 2);
    u32.set(batch.row, memory.area(WINDOW_IN_ROW) >> 2);
    u32.set(batch.keyStart, memory.area(WINDOW_IN_KEY_START) >> 2);
    u32.set(batch.keyLength, memory.area(WINDOW_IN_KEY_LENGTH) >> 2);
    if (this.#hasValues) arena.u64.set(batch.value, memory.area(WINDOW_IN_VALUE) >> 3);
    // Keys were written one after the other.
    const start = batch.keyStart[0]!;
    const end = batch.keyStart[count - 1]! + batch.keyLength[count - 1]!;
    if (end - start > BATCH_KEY_BYTES - 8) throw new Error(`keys of ${end - start} bytes in a batch, where ${BATCH_KEY_BYTES} fit`);
    // Copies out of shared memory go eight bytes at a time only when both sides are aligned alike.
    const at = memory.keys + ((batch.bytes.byteOffset + start) & 7);
    u8.set(batch.bytes.subarray(start, end), at);
    arena.view.setUint32(memory.struct + WINDOW_KEY_SHIFT, (at - start) >>> 0, true);
  }

  /** Answers how far the stream furthest behind has come, of the others. */
  #setStreams(partition: string, rows: number): number {
    const { f64, view } = this.#state.arena;
    const { struct } = this.#memory;
    const others = this.streams.others(partition, rows, STREAMS_CAP);
    let at = this.#memory.area(WINDOW_OTHERS) >> 3;
    for (const { highMs, untilRow } of others) {
      f64[at++] = highMs;
      f64[at++] = untilRow;
    }
    view.setUint32(struct + WINDOW_OTHER_COUNT, others.length, true);
    view.setFloat64(struct + WINDOW_STREAM_HIGH, this.streams.highMs(partition), true);
    view.setUint32(struct + WINDOW_ORDINAL, rows & ORDINAL_MASK, true);
    return others.reduce((low, { highMs }) => Math.min(low, highMs), Number.POSITIVE_INFINITY);
  }

  #u32(field: number): number {
    return this.#state.arena.u32[(this.#memory.struct + field) >> 2]!;
  }
}
