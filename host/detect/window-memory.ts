import {
  BOUND_BYTES, BOUND_FACTOR, BOUND_LIMIT, BOUND_OP, ENTRY_BYTES, EVENT_BYTES, EVENT_CAP, EVENT_TAIL, GROUP_HEAD_BYTES, KEEP_COUNT, KEEP_WIDE, NODE_ABOVE,
  NODE_AT_LEAST, NODE_BOUND, NODE_COMPARE, NODE_FALSE, NODE_KIND, NODE_NUMBER, NODE_ON_FALSE, NODE_ON_TRUE, NODE_OP, NODE_QUERY, NODE_RIGHT,
  NODE_RIGHT_QUERY, NODE_STEP_BYTES, NODE_TRUE, NO_QUERY, OTHER_BYTES, PAGE_BYTES, QUERY_BOUNDS, QUERY_BOUND_COUNT, QUERY_BYTES, QUERY_CAPACITY,
  QUERY_KIND, QUERY_NEAR, QUERY_NEAR_VALUE, QUERY_NEED, QUERY_OFFSET, QUERY_PANES, QUERY_PANE_MS, RULE_AFTER, RULE_AFTER_QUERIES, RULE_CASES,
  RULE_CASE_COUNT, RULE_GROUP_CAP, RULE_HIT_OFFSET, RULE_KEY_OFFSET, RULE_LEFT_OFFSET, RULE_NUMBER, RULE_OPTIMISTIC, RULE_QUERIES, RULE_QUERY_COUNT,
  RULE_SALT, RULE_SHARED, RULE_WINDOW, TOUCHED_BYTES, VALUE_ENTRY_BYTES, WINDOW_BYTES, WINDOW_CAPACITY, WINDOW_EVENTS, WINDOW_FRAGMENTS, WINDOW_HASH_MASK,
  WINDOW_IN_HIGH, WINDOW_IN_KEY_LENGTH, WINDOW_IN_KEY_START, WINDOW_IN_ROW, WINDOW_IN_STANDING, WINDOW_IN_TIME, WINDOW_IN_VALUE, WINDOW_LAST_EVENTS,
  WINDOW_LATENESS, WINDOW_OTHERS, WINDOW_PAGES, WINDOW_PAGES_END, WINDOW_PAGE_TABLE, WINDOW_PER_QUERY, WINDOW_RULES, WINDOW_RULE_COUNT, WINDOW_SEED,
  WINDOW_STANDING, WINDOW_STANDING_BYTES, WINDOW_TOUCHED,
} from "../../assembly/layout.ts";
import { unreachable } from "../problem.ts";
import type { Ask, Program } from "./condition.ts";
import { type Keep, type ThresholdPlan, stepsOf } from "./threshold.ts";

/** What this room needs of the engine's state instance. */
export interface StateMemory {
  readonly kernel: {
    windowStart(struct: number): number;
    windowBatch(records: number, rowsBefore: number): void;
    windowNext(): number;
    windowEvents(flags: number): void;
    windowGroup(rule: number, key: number, keyBytes: number, flags: number, fragment: number): number;
    windowRing(keep: number, hasValues: number, capacity: number): number;
    windowExtension(ring: number, query: number): number;
    windowReindex(keep: number): void;
    windowCandidate(rule: number, group: number): void;
    windowMark(out: number): void;
    windowResume(mark: number): void;
  };
  readonly arena: {
    alloc(sizeBytes: number, align?: number): number;
    readonly top: number;
    readonly u8: Uint8Array;
    readonly u32: Uint32Array;
    readonly f64: Float64Array;
    readonly u64: BigUint64Array;
    readonly view: DataView;
  };
  readonly end: number;
  readonly stateBytes: number;
}

export interface WindowSetup {
  readonly latenessMs: number;
  readonly groupCap: number;
  readonly seed: bigint;
  /** Fewer bits than 32 make hashes collide: for tests. */
  readonly hashMask: number;
  /** By number of the rule; its groups' hashes hang on it. */
  readonly salts?: readonly number[];
}

/** Records and key bytes one call takes. */
export const BATCH_RECORDS = 65_536;
export const BATCH_KEY_BYTES = 9 * 1024 * 1024;
export const STREAMS_CAP = 64;
const QUERIES_CAP = 16;

/** Bytes that setting up takes at most: the batch areas, rules and their programs, places of the pages. */
export function setupBytes(plans: ReadonlyArray<ThresholdPlan | undefined>): number {
  const rules = plans.reduce((sum, plan) => {
    if (!plan) return sum;
    const steps = [...plan.cases, plan.after ?? NODE_TRUE].reduce((count, program) => count + Math.max(1, stepsOf(program).length), 0);
    const bounds = plan.keeps.reduce((count, keep) => count + keep.bounds.length, 0);
    return sum + 1024 + plan.keeps.length * (QUERY_BYTES + 64 + WINDOW_STANDING_BYTES) + bounds * BOUND_BYTES + (steps + plan.cases.length) * (NODE_STEP_BYTES + 16);
  }, 0);
  return BATCH_KEY_BYTES + BATCH_RECORDS * 64 + 1024 * 1024 + rules;
}

/** Writes rules and areas into a state instance's memory, once; returns the struct's address and those of the areas. */
export class WindowMemory {
  readonly struct: number;
  readonly keys: number;
  /** Addresses by number of the rule; 0 where there is none. */
  readonly rules: readonly number[];
  readonly #state: StateMemory;

  /** @param plans by number of the rule; undefined for rules that judge nothing. @param standing rule and query of each standing query. */
  constructor(state: StateMemory, plans: ReadonlyArray<ThresholdPlan | undefined>, standing: ReadonlyArray<{ readonly ruleIndex: number; readonly queryIndex: number }>, setup: WindowSetup) {
    this.#state = state;
    const { arena } = state;
    this.struct = arena.alloc(WINDOW_BYTES, 64);
    const rules = plans.map((plan, number) => (plan ? this.#rule(plan, number, setup) : 0));
    // One more, which is no rule's: for records that are not to be judged.
    this.#area(WINDOW_STANDING, (standing.length + 1) * WINDOW_STANDING_BYTES);
    const table = arena.u32[(this.struct + WINDOW_STANDING) >> 2]! >> 2;
    standing.forEach(({ ruleIndex, queryIndex }, i) => arena.u32.set([rules[ruleIndex]!, queryIndex], table + i * 2));
    arena.u32.set([0, 0], table + standing.length * 2);
    this.rules = rules;
    const live = rules.filter((rule) => rule > 0);
    this.#area(WINDOW_RULES, live.length * 4);
    arena.u32.set(live, arena.u32[(this.struct + WINDOW_RULES) >> 2]! >> 2);
    arena.view.setUint32(this.struct + WINDOW_RULE_COUNT, live.length, true);
    arena.view.setUint32(this.struct + WINDOW_HASH_MASK, setup.hashMask, true);
    arena.view.setBigUint64(this.struct + WINDOW_SEED, setup.seed, true);
    arena.view.setUint32(this.struct + WINDOW_CAPACITY, BATCH_RECORDS, true);
    arena.view.setFloat64(this.struct + WINDOW_LATENESS, setup.latenessMs, true);
    for (const offset of [WINDOW_IN_TIME, WINDOW_IN_HIGH, WINDOW_IN_VALUE]) this.#area(offset, BATCH_RECORDS * 8);
    for (const offset of [WINDOW_IN_STANDING, WINDOW_IN_ROW, WINDOW_IN_KEY_START, WINDOW_IN_KEY_LENGTH, WINDOW_FRAGMENTS]) this.#area(offset, BATCH_RECORDS * 4);
    this.#area(WINDOW_TOUCHED, BATCH_RECORDS * TOUCHED_BYTES);
    this.#area(WINDOW_OTHERS, STREAMS_CAP * OTHER_BYTES);
    this.#area(WINDOW_EVENTS, EVENT_CAP * EVENT_BYTES);
    this.#area(WINDOW_LAST_EVENTS, EVENT_TAIL * EVENT_BYTES);
    this.#area(WINDOW_PER_QUERY, QUERIES_CAP * 4);
    // What follows a key may be read.
    this.keys = arena.alloc(BATCH_KEY_BYTES + 64, 64);
    this.#area(WINDOW_PAGE_TABLE, Math.ceil(state.end / PAGE_BYTES));
    const pages = Math.ceil(arena.top / PAGE_BYTES) * PAGE_BYTES;
    arena.view.setUint32(this.struct + WINDOW_PAGES, pages, true);
    // Bytes behind the last block may be read.
    arena.view.setUint32(this.struct + WINDOW_PAGES_END, Math.min(state.end, pages + state.stateBytes + 64), true);
    if (!state.kernel.windowStart(this.struct)) throw new Error("the state's memory holds not even an empty table");
  }

  /** Address of an area the struct names. */
  area(offset: number): number {
    return this.#state.arena.u32[(this.struct + offset) >> 2]!;
  }

  /** Where the stores of a rule's queries lie in its groups. */
  keepOffsets(rule: number): number[] {
    const { view } = this.#state.arena;
    const count = view.getUint32(rule + RULE_QUERY_COUNT, true);
    return Array.from({ length: count }, (_, i) => view.getUint32(rule + RULE_QUERIES + i * QUERY_BYTES + QUERY_OFFSET, true));
  }

  #area(offset: number, sizeBytes: number): void {
    const { arena } = this.#state;
    const address = arena.alloc(Math.max(8, sizeBytes), 64);
    arena.view.setUint32(this.struct + offset, address, true);
  }

  #rule(plan: ThresholdPlan, number: number, setup: WindowSetup): number {
    const { arena } = this.#state;
    const rule = arena.alloc(RULE_QUERIES + plan.keeps.length * QUERY_BYTES, 16);
    let offset = GROUP_HEAD_BYTES;
    plan.keeps.forEach((keep, i) => {
      this.#query(rule + RULE_QUERIES + i * QUERY_BYTES, keep, offset);
      offset += (keep.kind === KEEP_COUNT || keep.kind === KEEP_WIDE ? ENTRY_BYTES : VALUE_ENTRY_BYTES) + 4;
    });
    const { view } = arena;
    const u32 = (field: number, value: number): void => view.setUint32(rule + field, value, true);
    if (plan.after !== undefined) {
      u32(RULE_LEFT_OFFSET, offset);
      offset += ENTRY_BYTES + 4;
    }
    if (plan.shared) {
      u32(RULE_HIT_OFFSET, offset);
      offset += 16;
    }
    view.setFloat64(rule + RULE_WINDOW, plan.windowMs, true);
    u32(RULE_NUMBER, number);
    u32(RULE_QUERY_COUNT, plan.keeps.length);
    u32(RULE_CASE_COUNT, plan.cases.length);
    const cases = arena.alloc(plan.cases.length * 4);
    plan.cases.forEach((program, i) => view.setUint32(cases + i * 4, this.#program(program, plan), true));
    u32(RULE_CASES, cases);
    u32(RULE_AFTER, plan.after === undefined ? 0 : this.#program(plan.after, plan, true));
    u32(RULE_AFTER_QUERIES, plan.afterQueries);
    u32(RULE_SHARED, plan.shared);
    u32(RULE_GROUP_CAP, setup.groupCap);
    u32(RULE_SALT, setup.salts?.[number] ?? number);
    u32(RULE_KEY_OFFSET, offset);
    u32(RULE_OPTIMISTIC, plan.shared && plan.after === undefined ? 1 : 0);
    return rule;
  }

  #query(query: number, keep: Keep, offset: number): void {
    const { arena } = this.#state;
    const { view } = arena;
    const bounds = arena.alloc(Math.max(1, keep.bounds.length) * BOUND_BYTES, 8);
    keep.bounds.forEach((bound, i) => {
      view.setFloat64(bounds + i * BOUND_BYTES + BOUND_FACTOR, bound.factor, true);
      view.setFloat64(bounds + i * BOUND_BYTES + BOUND_LIMIT, bound.limit, true);
      view.setUint32(bounds + i * BOUND_BYTES + BOUND_OP, bound.op, true);
    });
    const fields: ReadonlyArray<readonly [number, number]> = [
      [QUERY_KIND, keep.kind], [QUERY_OFFSET, offset], [QUERY_NEED, Math.min(keep.need, 0xffffffff)], [QUERY_CAPACITY, keep.capacity], [QUERY_NEAR, keep.near],
      [QUERY_PANES, keep.panes], [QUERY_BOUNDS, bounds], [QUERY_BOUND_COUNT, keep.bounds.length],
    ];
    for (const [field, value] of fields) view.setUint32(query + field, value, true);
    view.setFloat64(query + QUERY_PANE_MS, keep.paneMs, true);
    view.setFloat64(query + QUERY_NEAR_VALUE, keep.nearValue, true);
  }

  /** @param always write a step even for an answer that is always true, where address 0 means something else. */
  #program(program: Program, plan: ThresholdPlan, always = false): number {
    const { arena } = this.#state;
    if (program === NODE_TRUE && !always) return 0;
    if (program === NODE_TRUE || program === NODE_FALSE) {
      const step = arena.alloc(NODE_STEP_BYTES, 16);
      this.#step(step, { kind: NODE_COMPARE, query: 0, factor: 0, op: 0, right: { constant: 0 } }, program, program, plan);
      return step;
    }
    const start = arena.alloc(program.length * NODE_STEP_BYTES, 16);
    program.forEach(({ ask, onTrue, onFalse }, i) => this.#step(start + i * NODE_STEP_BYTES, ask, onTrue, onFalse, plan));
    return start;
  }

  #step(step: number, ask: Ask, onTrue: number, onFalse: number, plan: ThresholdPlan): void {
    const { view } = this.#state.arena;
    view.setUint32(step + NODE_KIND, ask.kind, true);
    view.setUint32(step + NODE_QUERY, ask.query, true);
    view.setUint32(step + NODE_RIGHT_QUERY, NO_QUERY, true);
    view.setUint32(step + NODE_ON_TRUE, onTrue, true);
    view.setUint32(step + NODE_ON_FALSE, onFalse, true);
    switch (ask.kind) {
      case NODE_AT_LEAST:
        view.setFloat64(step + NODE_NUMBER, ask.number, true);
        view.setUint32(step + NODE_OP, ask.turned ? 1 : 0, true);
        break;
      case NODE_ABOVE:
        view.setUint32(step + NODE_BOUND, plan.keeps[ask.query]!.bounds.indexOf(ask.bound), true);
        view.setUint32(step + NODE_OP, ask.turned ? 1 : 0, true);
        break;
      case NODE_COMPARE:
        view.setFloat64(step + NODE_NUMBER, ask.factor, true);
        view.setUint32(step + NODE_OP, ask.op, true);
        if ("constant" in ask.right) view.setFloat64(step + NODE_RIGHT, ask.right.constant, true);
        else {
          view.setUint32(step + NODE_RIGHT_QUERY, ask.right.query, true);
          view.setFloat64(step + NODE_RIGHT, ask.right.factor, true);
        }
        break;
      default:
        unreachable(ask);
    }
  }
}
