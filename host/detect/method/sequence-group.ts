import { EventList, type Place, isBefore } from "./sequence-events.ts";
import type { MethodHitEvents } from "./method.ts";
import type { SequencePlan, StepPlan } from "./sequence-plan.ts";
import type { ByteReader, ByteWriter } from "./store-bytes.ts";

/** Firing times of one step a group may still use. */
const FIRINGS = 64;
/** With those that are no more usable, kept for events that come late. */
const FIRINGS_KEPT = 256;
const GIVEN_CAP = 1024;
/** Events named at each end of those a hit is made of. */
const NAMED = 32;

/** A step came true: at its own place first, then at those of the steps before it that it leans on. */
export type Firing = readonly Place[];

export interface SequenceHit {
  readonly caseIndex: number;
  readonly place: Place;
  /** Events that no hit was counted for. */
  readonly fresh: MethodHitEvents;
  readonly all: MethodHitEvents;
}

/** What has happened to one group: events by query, firings by step. */
export class SequenceGroup {
  readonly key: string;
  readonly group: readonly string[];
  lastSlot = -1;
  /** Latest of its events and firings. */
  lastMs = Number.NEGATIVE_INFINITY;
  readonly #plan: SequencePlan;
  /** By query; those of shared queries stand outside. */
  readonly #own: Array<EventList | undefined>;
  readonly #shared: ReadonlyArray<EventList | undefined>;
  readonly #firings: Array<Firing[] | undefined>;
  /** Places of hits that an event that comes late might find again. */
  readonly #given: Place[] = [];
  /** Latest hit: tells which events of shared queries were counted. */
  #hit: Place | undefined;

  constructor(key: string, group: readonly string[], plan: SequencePlan, shared: ReadonlyArray<EventList | undefined>) {
    this.key = key;
    this.group = group;
    this.#plan = plan;
    this.#shared = shared;
    this.#own = Array.from({ length: plan.queries.length });
    this.#firings = Array.from({ length: plan.steps.length });
  }

  add(query: number, place: Place, number: number): void {
    const { capacity, hasNumbers } = this.#plan.queries[query]!;
    const list = (this.#own[query] ??= new EventList(hasNumbers));
    list.add(place, number);
    if (list.length > capacity + (capacity >> 2)) list.dropFirst(list.length - capacity);
    this.lastMs = Math.max(this.lastMs, place.timeMs);
  }

  /** Is every event it can see at or before this place? */
  isNewest(place: Place): boolean {
    for (let query = 0; query < this.#plan.queries.length; query++) {
      const last = this.#list(query)?.last;
      if (last && isBefore(place, last)) return false;
    }
    return true;
  }

  /** Judges the steps at an event of these queries, and where it came late at all events after it. */
  judge(place: Place, queries: number): SequenceHit[] {
    if (this.isNewest(place)) return this.#judgeAt(place, queries);
    const places = new Map<number, { readonly place: Place; queries: number }>();
    for (let query = 0; query < this.#plan.queries.length; query++) {
      const list = this.#list(query);
      if (!list) continue;
      for (let at = list.upTo(place.timeMs, place.slot - 1); at < list.length; at++) {
        const known = places.get(list.slotAt(at));
        if (known) known.queries |= 1 << query;
        else places.set(list.slotAt(at), { place: list.placeAt(at), queries: 1 << query });
      }
    }
    // Its list may have had no room for an event as old as this.
    if (!places.has(place.slot)) places.set(place.slot, { place, queries });
    return [...places.values()].toSorted((a, b) => (isBefore(a.place, b.place) ? -1 : 1)).flatMap((each) => this.#judgeAt(each.place, each.queries));
  }

  #judgeAt(place: Place, queries: number): SequenceHit[] {
    let hits: SequenceHit[] = [];
    // From the last step on: a step leans on firings at earlier events only.
    for (let index = this.#plan.steps.length - 1; index >= 0; index--) {
      const step = this.#plan.steps[index]!;
      if (!(step.queries & queries)) continue;
      const firing = this.#fires(index, step, place, queries);
      if (!firing) continue;
      this.#keep(index, step, firing);
      this.lastMs = Math.max(this.lastMs, place.timeMs);
      if (index === this.#plan.target) hits = this.#hits(firing);
    }
    return hits;
  }

  #fires(index: number, step: StepPlan, place: Place, queries: number): Firing | undefined {
    let chain: Firing = [];
    if (index > 0) {
      const before = this.#plan.steps[index - 1]!;
      const earliest = this.#firings[index - 1]?.find((firing) => place.timeMs - firing[0]!.timeMs <= before.usableMs);
      // The earliest usable one must come from an event before this one; where it does not, no other does.
      if (!earliest || !isBefore(earliest[0]!, place)) return undefined;
      chain = earliest;
    } else if (!this.#hasOwn(step, place, queries)) {
      return undefined;
    }
    return step.judgement.holds((query) => this.#value(query, step, place, chain[0])) ? [place, ...chain] : undefined;
  }

  /** Others' events alone begin nothing for a group: one of its own must be in the window. */
  #hasOwn(step: StepPlan, place: Place, queries: number): boolean {
    return this.#plan.queries.some(({ isShared }, query) => !isShared && (((queries >> query) & 1) === 1 || this.#value(query, step, place, undefined, true) > 0));
  }

  #keep(index: number, step: StepPlan, firing: Firing): void {
    const list = this.#firings[index];
    if (!list) {
      this.#firings[index] = [firing];
      return;
    }
    const [place] = firing;
    let at = list.length;
    while (at > 0 && !isBefore(list[at - 1]![0]!, place!)) at--;
    if (list[at]?.[0]!.slot === place!.slot) {
      list[at] = firing;
      return;
    }
    list.splice(at, 0, firing);
    if (list.length <= FIRINGS) return;
    const usable = list.findIndex((each) => place!.timeMs - each[0]!.timeMs <= step.usableMs);
    if (list.length - usable > FIRINGS) list.splice(usable + 1, 1);
    if (list.length > FIRINGS_KEPT) list.shift();
  }

  #list(query: number): EventList | undefined {
    return this.#plan.queries[query]!.isShared ? this.#shared[query] : this.#own[query];
  }

  /** The query's entries in the window that ends at the place, and after the step before: from and to. */
  #span(query: number, step: StepPlan, place: Place, after: Place | undefined): readonly [number, number] {
    const list = this.#list(query);
    if (!list) return [0, 0];
    const to = list.upTo(place.timeMs, place.slot);
    let from = step.windowMs === 0 ? list.upTo(place.timeMs, place.slot - 1) : list.upTo(place.timeMs - step.windowMs, Number.POSITIVE_INFINITY);
    if (after) from = Math.max(from, list.upTo(after.timeMs, after.slot));
    return [from, to];
  }

  #value(query: number, step: StepPlan, place: Place, after: Place | undefined, counts = false): number {
    const [from, to] = this.#span(query, step, place, after);
    return to > from ? this.#list(query)!.aggregate(counts ? "count" : this.#plan.queries[query]!.aggregation, from, to) : 0;
  }

  #hits(firing: Firing): SequenceHit[] {
    const [place] = firing;
    const caseIndex = this.#plan.cases.findIndex((each) => each.holds((step) => this.#usable(step, place!)));
    const isLate = this.#hit !== undefined && !isBefore(this.#hit, place!);
    if (caseIndex < 0 || (isLate && this.#given.some((each) => each.slot === place!.slot))) return [];
    this.#given.push(place!);
    if (this.#given.length > GIVEN_CAP) this.#given.shift();
    return [{ caseIndex, place: place!, ...this.#take(firing) }];
  }

  /** Firings of a step that an event at this place can use, its own included. */
  #usable(step: number, place: Place): number {
    const { usableMs } = this.#plan.steps[step]!;
    const list = this.#firings[step] ?? [];
    return list.filter(([each]) => !isBefore(place, each!) && place.timeMs - each!.timeMs <= usableMs).length;
  }

  /** Events that made the steps fire; from now on a hit is counted for them. */
  #take(firing: Firing): Pick<SequenceHit, "fresh" | "all"> {
    const fresh = new Events(this.#plan.queries.length);
    const all = new Events(this.#plan.queries.length);
    firing.forEach((place, back) => {
      const step = this.#plan.steps[this.#plan.target - back]!;
      for (const query of step.judgement.labels) {
        const list = this.#list(query);
        const [from, to] = this.#span(query, step, place, firing[back + 1]);
        for (let at = from; at < to; at++) {
          const each = list!.placeAt(at);
          const { isShared } = this.#plan.queries[query]!;
          all.add(each, query);
          // An event of two steps is still fresh in this hit.
          if (!fresh.has(each) && (isShared ? this.#hit && !isBefore(this.#hit, each) : list!.isCounted(at))) continue;
          fresh.add(each, query);
          if (!isShared) list!.setCounted(at);
        }
      }
    });
    if (!this.#hit || isBefore(this.#hit, firing[0]!)) this.#hit = firing[0];
    return { fresh: fresh.list(), all: all.list() };
  }

  /** Time has come to this: what no event can use any more is let go. */
  expire(timeMs: number): void {
    for (const list of this.#own) list?.dropBefore(timeMs - this.#plan.horizonMs);
    this.#firings.forEach((list, step) => {
      if (!list) return;
      const oldest = timeMs - this.#plan.steps[step]!.usableMs;
      const from = list.findIndex(([place]) => place!.timeMs >= oldest);
      list.splice(0, from < 0 ? list.length : from);
    });
    const from = this.#given.findIndex((place) => place.timeMs >= timeMs);
    this.#given.splice(0, from < 0 ? this.#given.length : from);
  }

  get sizeBytes(): number {
    const lists = this.#own.reduce((sum, list) => sum + (list?.sizeBytes ?? 0), 0);
    return 320 + this.key.length * 2 + lists + this.#firings.reduce((sum, list) => sum + (list ? 48 + list.length * 120 : 0), 0) + this.#given.length * 48;
  }

  write(writer: ByteWriter): void {
    writer.text(this.key);
    writer.text(JSON.stringify(this.group));
    writer.column(Float64Array.of(this.lastSlot, this.lastMs, ...flat(this.#hit ? [this.#hit] : [])));
    writer.column(Float64Array.from(flat(this.#given)));
    this.#plan.queries.forEach(({ hasNumbers }, query) => (this.#own[query] ?? new EventList(hasNumbers)).write(writer));
    this.#plan.steps.forEach((_, step) => {
      const list = this.#firings[step] ?? [];
      writer.column(Float64Array.from(list.flatMap(flat)));
    });
  }

  /** Undefined where the bytes are not those of a group. */
  static read(reader: ByteReader, plan: SequencePlan, shared: ReadonlyArray<EventList | undefined>): SequenceGroup | undefined {
    const key = reader.text();
    const names = reader.text();
    if (!reader.isWhole) return undefined;
    const group = new SequenceGroup(key, JSON.parse(names) as string[], plan, shared);
    const [lastSlot = -1, lastMs = 0, ...hit] = reader.f64s();
    group.lastSlot = lastSlot;
    group.lastMs = lastMs;
    [group.#hit] = places(hit);
    group.#given.push(...places(reader.f64s()));
    plan.queries.forEach(({ hasNumbers }, query) => {
      const list = EventList.read(reader, hasNumbers);
      if (list.length) group.#own[query] = list;
    });
    plan.steps.forEach((_, step) => {
      const all = places(reader.f64s());
      // A firing of a step leans on one of each step before it.
      for (let at = 0; at < all.length; at += step + 1) (group.#firings[step] ??= []).push(all.slice(at, at + step + 1));
    });
    return reader.isWhole ? group : undefined;
  }
}

/** Events of a hit, each once. */
class Events {
  readonly #places = new Map<number, Place>();
  readonly #perQuery: ReadonlyArray<Set<number>>;

  constructor(queries: number) {
    this.#perQuery = Array.from({ length: queries }, () => new Set<number>());
  }

  has(place: Place): boolean {
    return this.#places.has(place.slot);
  }

  add(place: Place, query: number): void {
    this.#places.set(place.slot, place);
    this.#perQuery[query]!.add(place.slot);
  }

  list(): MethodHitEvents {
    const slots = [...this.#places.values()].toSorted((a, b) => (isBefore(a, b) ? -1 : 1)).map((each) => each.slot);
    const named = slots.length > NAMED * 2 ? [...slots.slice(0, NAMED), ...slots.slice(-NAMED)] : slots;
    return { slots: named, perQuery: this.#perQuery.map((each) => each.size), total: slots.length };
  }
}

function flat(list: readonly Place[]): number[] {
  return list.flatMap(({ timeMs, slot }) => [timeMs, slot]);
}

function places(numbers: ArrayLike<number>): Place[] {
  return Array.from({ length: numbers.length >> 1 }, (_, i) => ({ timeMs: numbers[i * 2]!, slot: numbers[i * 2 + 1]! }));
}
