import { HISTORY_CUT, HISTORY_EVICTED, HISTORY_ITEM_CAP, HISTORY_POOL_CAP, HISTORY_POOL_LIVE, HISTORY_SCANS, HISTORY_SET_CAP, HISTORY_SET_COUNT, HISTORY_VERIFIED, KIND_OF_HISTORY, SIMILARITY_ONE } from "../../../assembly/layout.ts";
import { Sketch, started, type SketchRoom } from "./sketch.ts";

export interface HistoryShape {
  /** Items kept; the oldest go first. */
  readonly items: number;
  /** Distinct sets kept; as many as items unless said otherwise. */
  readonly sets?: number;
  /** Tokens of a set, typically: room for sets * (tokens + 1 + bands) keys and an eighth more. */
  readonly tokens?: number;
  /** Tokens of one set at most. */
  readonly tokenCap?: number;
  /** Percentage from which two sets are similar. */
  readonly similarityPercentage: number;
  /** Candidates by so many bands of so many rows, which may miss some; without: exact. */
  readonly bands?: { readonly count: number; readonly rows: number };
  readonly seed?: bigint;
}

/** Token sets of one group by time: how many are similar to a new one. */
export class History extends Sketch {
  static start(room: SketchRoom, shape: HistoryShape): History {
    const sets = shape.sets ?? shape.items;
    const tokenCap = shape.tokenCap ?? 1024;
    const bands = shape.bands?.count ?? 0;
    const rows = shape.bands?.rows ?? 0;
    const keys = Math.max(sets * ((shape.tokens ?? 8) + 1 + bands), (tokenCap + 1 + bands) * 2);
    const pool = Math.ceil((keys * 8) / 7) + 8;
    const at = room.place(room.kernel.historyBytes(shape.items, sets, pool, tokenCap, bands, rows), "history");
    const threshold = Math.round((shape.similarityPercentage * SIMILARITY_ONE) / 100);
    started(room.kernel.historyStart(at, shape.items, sets, pool, tokenCap, threshold, bands, rows, shape.seed ?? 0n), "history");
    return new History(room, at);
  }

  static fromBytes(room: SketchRoom, bytes: Uint8Array): History | undefined {
    const at = room.restore(bytes, KIND_OF_HISTORY);
    return at === undefined ? undefined : new History(room, at);
  }

  get items(): number {
    return this.room.kernel.historyItems(this.at);
  }
  get sets(): number {
    return this.#counter(HISTORY_SET_COUNT);
  }
  /** Items given up for want of room. */
  get evicted(): number {
    return this.#counter(HISTORY_EVICTED);
  }
  /** Sets longer than tokenCap. */
  get cut(): number {
    return this.#counter(HISTORY_CUT);
  }
  get scans(): number {
    return this.#counter(HISTORY_SCANS);
  }
  get verified(): number {
    return this.#counter(HISTORY_VERIFIED);
  }

  /** Would a set of so many tokens push others out? */
  isFullFor(count: number): boolean {
    const capacity = this.#counter(HISTORY_POOL_CAP);
    return this.items >= this.#counter(HISTORY_ITEM_CAP) || this.sets >= this.#counter(HISTORY_SET_CAP) || this.#counter(HISTORY_POOL_LIVE) + count + 1 > capacity - Math.floor(capacity / 8);
  }

  /** `tokens` is the address of a token set in the same memory. `false`: empty, or a time that is none. */
  add(ms: number, tokens: number, count: number): boolean {
    return this.room.kernel.historyAdd(this.at, ms, tokens, count) === 1;
  }

  /** Items as similar as asked for, up to `limit`. */
  count(tokens: number, count: number, limit: number): number {
    return this.room.kernel.historyCount(this.at, tokens, count, limit);
  }

  /** Forgets items up to `throughMs`, counts the similar ones, adds the set. */
  pass(ms: number, throughMs: number, tokens: number, count: number, limit: number): number {
    return this.room.kernel.historyPass(this.at, ms, throughMs, tokens, count, limit);
  }

  expire(throughMs: number): number {
    return this.room.kernel.historyExpire(this.at, throughMs);
  }

  merge(other: History): boolean {
    return this.room.kernel.historyMerge(this.at, other.at) === 1;
  }

  #counter(offset: number): number {
    return this.room.arena.u32[(this.at + offset) >> 2]!;
  }
}
