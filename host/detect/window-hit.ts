import {
  EVENTS_FRESH, EVENTS_MARK, EVENT_BYTES, EVENT_CAP, EVENT_ORDINAL, EVENT_TAIL, ORDINAL_MASK, WINDOW_AT_HAND, WINDOW_EVENTS, WINDOW_EVENT_COUNT,
  WINDOW_HIT_CASE, WINDOW_HIT_KEY, WINDOW_HIT_KEY_LENGTH, WINDOW_HIT_MS, WINDOW_HIT_ORDINAL, WINDOW_HIT_RULE, WINDOW_LAST_EVENTS, WINDOW_PER_QUERY,
} from "../../assembly/layout.ts";
import type { CaseHit, HitEvents } from "./hit.ts";
import type { RecentEvents } from "./recent.ts";
import type { StateMemory, WindowMemory } from "./window-memory.ts";

/** The hit the kernel stands at: one object, read anew for each. */
export class WindowHit implements CaseHit {
  ruleIndex = 0;
  caseIndex = 0;
  timeMs = 0;
  slot = 0;
  readonly #state: StateMemory;
  readonly #recent: RecentEvents;
  readonly #queryCounts: readonly number[];
  readonly #struct: number;
  readonly #first: number;
  readonly #last: number;
  readonly #perQuery: number;
  #u32: Uint32Array = new Uint32Array(0);
  #f64: Float64Array = new Float64Array(0);
  #bytes: Buffer = Buffer.alloc(0);

  /** @param queryCounts number of queries of each rule. */
  constructor(state: StateMemory, memory: WindowMemory, recent: RecentEvents, queryCounts: readonly number[]) {
    this.#state = state;
    this.#recent = recent;
    this.#queryCounts = queryCounts;
    this.#struct = memory.struct;
    this.#first = (memory.area(WINDOW_EVENTS) + EVENT_ORDINAL) >> 2;
    this.#last = (memory.area(WINDOW_LAST_EVENTS) + EVENT_ORDINAL) >> 2;
    this.#perQuery = memory.area(WINDOW_PER_QUERY) >> 2;
  }

  read(): this {
    const { arena } = this.#state;
    const u32 = arena.u32;
    if (u32 !== this.#u32) {
      // The memory grew.
      this.#u32 = u32;
      this.#f64 = arena.f64;
      this.#bytes = Buffer.from(u32.buffer);
    }
    this.#recent.now = this.#slotOf(this.#field(WINDOW_AT_HAND)) + 1;
    this.ruleIndex = this.#field(WINDOW_HIT_RULE);
    this.caseIndex = this.#field(WINDOW_HIT_CASE);
    this.timeMs = this.#f64[(this.#struct + WINDOW_HIT_MS) >> 3]!;
    this.slot = this.#slotOf(this.#field(WINDOW_HIT_ORDINAL));
    return this;
  }

  get groupKey(): string {
    const start = this.#field(WINDOW_HIT_KEY);
    return this.#bytes.toString("latin1", start, start + this.#field(WINDOW_HIT_KEY_LENGTH));
  }

  get group(): string[] {
    let at = this.#field(WINDOW_HIT_KEY);
    const end = at + this.#field(WINDOW_HIT_KEY_LENGTH);
    const values: string[] = [];
    while (at + 4 <= end) {
      const start = at + 4;
      at = Math.min(end, start + this.#bytes.readUInt32LE(at));
      values.push(this.#bytes.toString("utf8", start, at));
    }
    return values;
  }

  events(which: "all" | "fresh"): HitEvents {
    return this.#list(which === "fresh" ? EVENTS_FRESH : 0);
  }

  count(which: "all" | "fresh"): HitEvents {
    return this.#list((which === "fresh" ? EVENTS_FRESH : 0) | EVENTS_MARK);
  }

  #list(flags: number): HitEvents {
    this.#state.kernel.windowEvents(flags);
    const total = this.#field(WINDOW_EVENT_COUNT);
    const perQuery: number[] = [];
    for (let q = 0; q < this.#queryCounts[this.ruleIndex]!; q++) perQuery.push(this.#u32[this.#perQuery + q]!);
    const slots: number[] = [];
    const words = EVENT_BYTES >> 2;
    for (let i = 0; i < total && i < EVENT_CAP; i++) slots.push(this.#slotOf(this.#u32[this.#first + i * words]!));
    for (let i = Math.max(EVENT_CAP, total - EVENT_TAIL); i < total; i++) slots.push(this.#slotOf(this.#u32[this.#last + (i % EVENT_TAIL) * words]!));
    return { total, perQuery, slots };
  }

  #field(offset: number): number {
    return this.#u32[(this.#struct + offset) >> 2]!;
  }

  /** Ordinals are slots modulo 2^31. */
  #slotOf(ordinal: number): number {
    const last = this.#recent.count - 1;
    return last - ((last - ordinal) & ORDINAL_MASK);
  }
}
