import type { NewValueOptions } from "../../rule/method.ts";
import type { Rule } from "../../rule/rule.ts";
import type { MethodCounts, MethodDetector, MethodEvent, MethodMatch, OnHit } from "./method.ts";
import { type BudgetHolder, type StateBudget, unlimitedBudget } from "./state-budget.ts";
import { BROKEN_STATE, openState, startState } from "./store-bytes.ts";
import { DayFilters } from "./store-filter.ts";
import { addText, endHash, hash, hashText, startHash } from "./store-hash.ts";
import { KeyTable, NO_ROW, oldestRows } from "./store-table.ts";

export interface NewValueSetup {
  readonly allowedLatenessMs: number;
  /** Groups kept; beyond it those longest unseen give way. */
  readonly groupCap?: number;
  /** Values kept exactly of one group. */
  readonly valueCap?: number;
  /** Values kept exactly of all groups. */
  readonly valueBudget?: number;
  /** Forgotten values are swept out after as many were learned, or as many as there are. */
  readonly sweepLeast?: number;
  /** Bytes of the filters that take the values beyond the caps. */
  readonly filterBytes?: number;
  /** Memory it shares with others; as much as it likes by default. */
  readonly budget?: StateBudget;
}

/** Values beyond the caps: remembered by the day, and with a chance of error that misses a signal. */
export interface FilteredValues {
  /** Sightings the filters hold, a value once a day. */
  readonly sightings: number;
  /** Events whose value was held for known because the filters said so. */
  readonly heldKnown: number;
  readonly bytes: number;
  /** Chance that a value never seen is held for known. */
  readonly falsePositiveRate: number;
}

const VERSION = 1;
const DAY_MS = 86_400_000;
const LEAST_FILTERED = 4096;
/** Columns of a group. */
const FIRST_MS = 0;
const LAST_MS = 1;
const EVENTS = 0;
const VALUES = 1;
/** Columns of a value. */
const SEEN_MS = 0;
const GROUP = 0;

/**
 * New values of a group: section 5. A late event is judged when it comes, at its own time; it never moves a sighting back.
 *
 * A group whose values are all forgotten keeps its place, 40 bytes, for it is not to learn anew: such ones give way first when
 * there are too many groups. All that gives way depends on the events and the times given to `advance` alone.
 */
export class NewValueDetector implements MethodDetector, BudgetHolder {
  readonly #rule: Rule;
  readonly #setup: Required<NewValueSetup>;
  readonly #learning: NewValueOptions["learning"];
  readonly #forgetMs: number;
  #groups = newGroups();
  /** Of all groups, by the hash of group and values. */
  #values = newValues();
  #filters: DayFilters;
  /** No event before this time will be judged any more. */
  #floorMs = Number.NEGATIVE_INFINITY;
  /** Values that may still be learned before forgotten ones are swept out. */
  #untilSweep: number;
  /** The floor at the last sweep. */
  #sweptMs = 0;
  #lateDropped = 0;
  #evicted = 0;
  #heldKnown = 0;

  constructor(rule: Rule, setup: NewValueSetup) {
    const { method } = rule.options;
    if (method.kind !== "new_value") throw new Error(`${rule.id} is a ${method.kind} rule`);
    this.#rule = rule;
    const budget = setup.budget ?? unlimitedBudget();
    this.#setup = { groupCap: 1 << 20, valueCap: 65_536, valueBudget: 1 << 21, filterBytes: 1 << 25, sweepLeast: 4096, budget, ...setup };
    budget.join(this);
    this.#learning = method.learning;
    this.#forgetMs = method.forgetAfterDays * DAY_MS;
    this.#filters = new DayFilters(this.#setup.filterBytes);
    this.#untilSweep = this.#setup.sweepLeast;
  }

  apply(event: MethodEvent, onHit: OnHit): void {
    for (const match of event.matches) {
      if (event.timeMs < event.highMs - this.#setup.allowedLatenessMs) this.#lateDropped++;
      else if (this.#isNew(match, event.timeMs)) onHit(this.#hit(event, match));
    }
  }

  /** Learns from an event of before the rule was made; nothing is judged. */
  learn(event: MethodEvent): void {
    for (const match of event.matches) this.#isNew(match, event.timeMs);
  }

  advance(timeMs: number): void {
    this.#floorMs = Math.max(this.#floorMs, timeMs);
  }

  /** Without the filters, which have a budget of their own. */
  get stateBytes(): number {
    return this.#groups.bytes + this.#values.bytes;
  }

  /** Values longest unseen go to the filters, or groups longest unseen go: of whichever takes more. */
  giveWay(): boolean {
    if (this.#values.bytes >= this.#groups.bytes && this.#filterValues()) return true;
    if (this.#groups.count === 0) return false;
    this.#dropGroups();
    this.#groups.shrink();
    this.#values.shrink();
    return true;
  }

  counts(): MethodCounts {
    return { groups: this.#groups.count, stateBytes: this.stateBytes + this.#filters.bytes, lateDropped: this.#lateDropped, evicted: this.#evicted, filtered: this.#filters.sightings };
  }

  /** What is known by filters only, for whoever watches over the engine. */
  filtered(): FilteredValues {
    const { sightings, bytes, falsePositiveRate } = this.#filters;
    return { sightings, heldKnown: this.#heldKnown, bytes, falsePositiveRate };
  }

  save(): Uint8Array {
    const writer = startState(this.#rule, VERSION);
    for (const number of [this.#floorMs, this.#sweptMs, this.#untilSweep, this.#lateDropped, this.#evicted, this.#heldKnown]) writer.f64(number);
    this.#groups.save(writer);
    this.#values.save(writer);
    this.#filters.save(writer);
    return writer.done();
  }

  restore(bytes: Uint8Array): string | undefined {
    const reader = openState(bytes, this.#rule, VERSION);
    if (typeof reader === "string") return reader;
    const [floorMs, sweptMs, untilSweep, lateDropped, evicted, heldKnown] = Array.from({ length: 6 }, () => reader.f64()) as [number, number, number, number, number, number];
    const groups = newGroups();
    const values = newValues();
    const filters = new DayFilters(this.#setup.filterBytes);
    if (!groups.restore(reader) || !values.restore(reader) || !filters.restore(reader) || !reader.isDone) return BROKEN_STATE;
    if (values.u32[GROUP]!.subarray(0, values.count).some((group) => group >= groups.count)) return BROKEN_STATE;
    this.#groups = groups;
    this.#values = values;
    this.#filters = filters;
    this.#floorMs = floorMs;
    this.#sweptMs = sweptMs;
    this.#untilSweep = untilSweep;
    this.#lateDropped = lateDropped;
    this.#evicted = evicted;
    this.#heldKnown = heldKnown;
    return undefined;
  }

  #hit({ timeMs, slot }: MethodEvent, match: MethodMatch): Parameters<OnHit>[0] {
    return {
      caseIndex: 0, groupKey: match.groupKey, group: match.group, timeMs, slot, slots: [slot],
      perQuery: this.#rule.queries.map((_, query) => (query === match.queryIndex ? 1 : 0)), total: 1,
      newValues: match.values.map((each) => each[0]!),
    };
  }

  /** Takes the event in; is its value to be told of? */
  #isNew(match: MethodMatch, timeMs: number): boolean {
    const { values } = match;
    if (!values.length || values.some((each) => each[0] === undefined)) return false;
    hashText(match.groupKey);
    let group = this.#groups.find(hash.lo, hash.hi);
    if (group < 0) group = this.#addGroup(hash.lo, hash.hi, timeMs);
    const { f64, u32, lo, hi } = this.#groups;
    startHash(lo[group]!, hi[group]!);
    for (const each of values) addText(each[0]!);
    endHash();
    const isKnown = this.#see(hash.lo, hash.hi, group, timeMs);
    // Late, it may be the first.
    if (timeMs < f64[FIRST_MS]![group]!) f64[FIRST_MS]![group] = timeMs;
    const isLearning = this.#isLearning(timeMs - f64[FIRST_MS]![group]!, u32[EVENTS]![group]!);
    if (timeMs > f64[LAST_MS]![group]!) f64[LAST_MS]![group] = timeMs;
    // No learning looks at more than the first few.
    if (u32[EVENTS]![group]! < NO_ROW) u32[EVENTS]![group]!++;
    return !isKnown && !isLearning;
  }

  #isLearning(sinceFirstMs: number, events: number): boolean {
    if (this.#learning.kind === "threshold") return events < this.#learning.values;
    return this.#learning.days === 0 ? events === 0 : sinceFirstMs < this.#learning.days * DAY_MS;
  }

  /** Was the value known? It is from now on. */
  #see(lo: number, hi: number, group: number, timeMs: number): boolean {
    const row = this.#values.find(lo, hi);
    if (row >= 0) {
      const seen = this.#values.f64[SEEN_MS]!;
      const isKnown = timeMs - seen[row]! < this.#forgetMs;
      if (timeMs > seen[row]!) seen[row] = timeMs;
      return isKnown;
    }
    if (!this.#filters.isEmpty && this.#filters.has(lo, hi, timeMs - this.#forgetMs)) {
      this.#filters.add(lo, hi, timeMs);
      this.#heldKnown++;
      return true;
    }
    this.#learn(lo, hi, group, timeMs);
    return false;
  }

  #learn(lo: number, hi: number, group: number, timeMs: number): void {
    // Where room is short a sweep may help, but not one after the other.
    if (--this.#untilSweep < 0 || (this.#isFull(group) && this.#floorMs - this.#sweptMs >= this.#forgetMs / 8)) this.#sweep();
    if (this.#isFull(group)) {
      this.#filters.add(lo, hi, timeMs);
      return;
    }
    const row = this.#values.add(lo, hi);
    this.#values.f64[SEEN_MS]![row] = timeMs;
    this.#values.u32[GROUP]![row] = group;
    this.#groups.u32[VALUES]![group]!++;
  }

  #isFull(group: number): boolean {
    return this.#groups.u32[VALUES]![group]! >= this.#setup.valueCap || this.#values.count >= this.#setup.valueBudget || !this.#mayTake(this.#values.nextBytes);
  }

  #mayTake(bytes: number): boolean {
    return bytes === 0 || this.#setup.budget.allows(this, bytes);
  }

  /** Values that are forgotten for every event to come leave; nobody can tell. */
  #sweep(): void {
    this.#sweptMs = this.#floorMs;
    const beforeMs = this.#floorMs - this.#forgetMs;
    this.#filters.forget(beforeMs);
    const seen = this.#values.f64[SEEN_MS]!;
    this.#keepValues((row) => seen[row]! > beforeMs);
    this.#untilSweep = Math.max(this.#setup.sweepLeast, this.#values.count);
  }

  #keepValues(isKept: (row: number) => boolean): void {
    this.#values.keep(isKept);
    const held = this.#groups.u32[VALUES]!.fill(0);
    const groups = this.#values.u32[GROUP]!;
    for (let row = 0; row < this.#values.count; row++) held[groups[row]!]!++;
  }

  /** The eighth of the values longest unseen goes to the filters; false where there are too few to make a difference. */
  #filterValues(): boolean {
    const { count, lo, hi, f64 } = this.#values;
    if (count < LEAST_FILTERED) return false;
    const marks = oldestRows(f64[SEEN_MS]!, count, count >> 3);
    for (let row = 0; row < count; row++) if (marks[row] === 1) this.#filters.add(lo[row]!, hi[row]!, f64[SEEN_MS]![row]!);
    this.#keepValues((row) => marks[row] === 0);
    this.#values.shrink();
    return true;
  }

  #addGroup(lo: number, hi: number, timeMs: number): number {
    while (!this.#mayTake(this.#groups.nextBytes) && this.#values.bytes > this.#groups.bytes && this.#filterValues());
    if (this.#groups.count >= this.#setup.groupCap || !this.#mayTake(this.#groups.nextBytes)) this.#dropGroups();
    const group = this.#groups.add(lo, hi);
    this.#groups.f64[FIRST_MS]![group] = timeMs;
    this.#groups.f64[LAST_MS]![group] = timeMs;
    return group;
  }

  /** The eighth of the groups longest unseen gives way. What the filters hold of them stays. */
  #dropGroups(): void {
    const { count, f64 } = this.#groups;
    const drop = Math.max(1, count >> 3);
    const marks = oldestRows(f64[LAST_MS]!, count, drop);
    this.#evicted += drop;
    const groups = this.#values.u32[GROUP]!;
    this.#values.keep((row) => marks[groups[row]!] === 0);
    const moved = this.#groups.keep((row) => marks[row] === 0);
    const kept = this.#values.u32[GROUP]!;
    for (let row = 0; row < this.#values.count; row++) kept[row] = moved[kept[row]!]!;
  }
}

function newGroups(): KeyTable {
  return new KeyTable({ f64: 2, u32: 2 });
}

function newValues(): KeyTable {
  return new KeyTable({ f64: 1, u32: 1 });
}
