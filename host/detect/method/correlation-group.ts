import type { CorrelationPlan } from "./correlation-plan.ts";
import { EventList, type Place, isBefore } from "./sequence-events.ts";
import type { ByteReader, ByteWriter } from "./store-bytes.ts";

/** A case is true at the place of a signal. */
export interface CorrelationHit {
  readonly caseIndex: number;
  /** Signals in the windows, by time. */
  readonly slots: readonly number[];
  /** How many of each query no hit was counted for. */
  readonly perQuery: readonly number[];
  /** How many of each query there are. */
  readonly perQueryOfAll: readonly number[];
}

/** A place that was judged, and what came of it. */
export interface JudgedPlace {
  readonly place: Place;
  readonly hit: CorrelationHit | undefined;
}

/** Signals of one group, by query. */
export class CorrelationGroup {
  readonly key: string;
  readonly group: readonly string[];
  lastSlot = -1;
  lastMs = Number.NEGATIVE_INFINITY;
  readonly #plan: CorrelationPlan;
  /** By query; those of shared queries stand outside. */
  readonly #own: Array<EventList | undefined>;
  readonly #shared: ReadonlyArray<EventList | undefined>;
  /** Where the side before THEN is true, by time. */
  readonly #left: Place[] = [];
  /** Latest hit: tells which signals of shared queries were counted. */
  #hit: Place | undefined;

  constructor(key: string, group: readonly string[], plan: CorrelationPlan, shared: ReadonlyArray<EventList | undefined>) {
    this.key = key;
    this.group = group;
    this.#plan = plan;
    this.#shared = shared;
    this.#own = Array.from({ length: plan.queries.length });
  }

  get isEmpty(): boolean {
    return this.#own.every((list) => !list?.length);
  }

  add(query: number, place: Place, number: number): void {
    const { capacity, hasNumbers } = this.#plan.queries[query]!;
    const list = (this.#own[query] ??= new EventList(hasNumbers));
    list.add(place, number);
    if (list.length > capacity + (capacity >> 2)) list.dropFirst(list.length - capacity);
    this.lastSlot = Math.max(this.lastSlot, place.slot);
    this.lastMs = Math.max(this.lastMs, place.timeMs);
  }

  remove(query: number, place: Place): void {
    this.#own[query]?.remove(place);
  }

  /** Judges a place and those after it that a change there may touch, by time. */
  judge(place: Place): JudgedPlace[] {
    const places = new Map<number, Place>();
    const untilMs = place.timeMs + this.#plan.reachMs;
    for (let query = 0; query < this.#plan.queries.length; query++) {
      const list = this.#list(query);
      if (!list) continue;
      for (let at = list.upTo(place.timeMs, place.slot - 1); at < list.length; at++) {
        const each = list.placeAt(at);
        if (each.slot !== place.slot && each.timeMs >= untilMs) break;
        places.set(each.slot, each);
      }
    }
    const ordered = [...places.values()];
    if (ordered.length > 1) ordered.sort((a, b) => (isBefore(a, b) ? -1 : 1));
    return ordered.map((each) => ({ place: each, hit: this.#judgeAt(each) }));
  }

  /** What was true at a place that is none any more. */
  forget(place: Place): void {
    const at = this.#left.findIndex((each) => each.slot === place.slot && each.timeMs === place.timeMs);
    if (at >= 0) this.#left.splice(at, 1);
  }

  #judgeAt(place: Place): CorrelationHit | undefined {
    const { cases, after, queries } = this.#plan;
    // Others' signals alone are nothing to a group.
    if (!queries.some(({ isShared }, query) => !isShared && this.#count(query, place, undefined) > 0)) {
      this.forget(place);
      return undefined;
    }
    const value = (query: number): number => this.#value(query, place, undefined);
    if (!after) {
      const caseIndex = cases.findIndex((each) => each.holds(value));
      return caseIndex < 0 ? undefined : this.#take(caseIndex, place, undefined, queries.map((_, query) => query));
    }
    const left = this.#left.find((each) => each.timeMs > place.timeMs - this.#plan.windowMs);
    const isRight = after.labels.some((query) => this.#isAt(query, place));
    const holds = isRight && left !== undefined && isBefore(left, place) && after.holds((query) => this.#value(query, place, left));
    const hit = holds ? this.#take(0, place, left, after.labels) : undefined;
    this.forget(place);
    if (cases[0]!.holds(value)) {
      const at = this.#left.findIndex((each) => isBefore(place, each));
      this.#left.splice(at < 0 ? this.#left.length : at, 0, place);
    }
    return hit;
  }

  #list(query: number): EventList | undefined {
    return this.#plan.queries[query]!.isShared ? this.#shared[query] : this.#own[query];
  }

  #isAt(query: number, place: Place): boolean {
    const list = this.#list(query);
    return list !== undefined && list.upTo(place.timeMs, place.slot) > list.upTo(place.timeMs, place.slot - 1);
  }

  #span(list: EventList, place: Place, after: Place | undefined): readonly [from: number, to: number] {
    const { windowMs } = this.#plan;
    const from = windowMs === 0 ? list.upTo(place.timeMs, place.slot - 1) : list.upTo(place.timeMs - windowMs, Number.POSITIVE_INFINITY);
    return [after ? Math.max(from, list.upTo(after.timeMs, after.slot)) : from, list.upTo(place.timeMs, place.slot)];
  }

  #count(query: number, place: Place, after: Place | undefined): number {
    const list = this.#list(query);
    if (!list) return 0;
    const [from, to] = this.#span(list, place, after);
    return Math.max(0, to - from);
  }

  #value(query: number, place: Place, after: Place | undefined): number {
    const list = this.#list(query);
    if (!list) return 0;
    const [from, to] = this.#span(list, place, after);
    return to > from ? list.aggregate(this.#plan.queries[query]!.aggregation, from, to) : 0;
  }

  /** Signals in the windows; from now on a hit is counted for them. */
  #take(caseIndex: number, place: Place, after: Place | undefined, queries: readonly number[]): CorrelationHit {
    const places = new Map<number, Place>();
    const fresh = this.#plan.queries.map(() => new Set<number>());
    const all = this.#plan.queries.map(() => new Set<number>());
    for (const query of queries) {
      const list = this.#list(query);
      if (!list) continue;
      const { isShared } = this.#plan.queries[query]!;
      const [from, to] = this.#span(list, place, after);
      for (let at = from; at < to; at++) {
        const each = list.placeAt(at);
        places.set(each.slot, each);
        all[query]!.add(each.slot);
        if (isShared ? !this.#hit || isBefore(this.#hit, each) : !list.isCounted(at)) fresh[query]!.add(each.slot);
        if (!isShared) list.setCounted(at);
      }
    }
    if (!this.#hit || isBefore(this.#hit, place)) this.#hit = place;
    return {
      caseIndex,
      slots: [...places.values()].toSorted((a, b) => (isBefore(a, b) ? -1 : 1)).map((each) => each.slot),
      perQuery: fresh.map((each) => each.size),
      perQueryOfAll: all.map((each) => each.size),
    };
  }

  /** No signal of an earlier time is to come. */
  expire(timeMs: number): void {
    for (const list of this.#own) list?.dropBefore(timeMs - this.#plan.reachMs);
    const from = this.#left.findIndex((place) => place.timeMs > timeMs - this.#plan.reachMs);
    this.#left.splice(0, from < 0 ? this.#left.length : from);
  }

  get sizeBytes(): number {
    return 320 + this.key.length * 2 + this.#own.reduce((sum, list) => sum + (list?.sizeBytes ?? 0), 0) + this.#left.length * 48;
  }

  write(writer: ByteWriter): void {
    writer.text(this.key);
    writer.text(JSON.stringify(this.group));
    writer.column(Float64Array.of(this.lastSlot, this.lastMs, ...(this.#hit ? [this.#hit.timeMs, this.#hit.slot] : [])));
    writer.column(Float64Array.from(this.#left.flatMap(({ timeMs, slot }) => [timeMs, slot])));
    this.#plan.queries.forEach(({ hasNumbers }, query) => (this.#own[query] ?? new EventList(hasNumbers)).write(writer));
  }

  /** Undefined where the bytes are not those of a group. */
  static read(reader: ByteReader, plan: CorrelationPlan, shared: ReadonlyArray<EventList | undefined>): CorrelationGroup | undefined {
    const key = reader.text();
    const names = reader.text();
    if (!reader.isWhole) return undefined;
    const group = new CorrelationGroup(key, JSON.parse(names) as string[], plan, shared);
    const [lastSlot = -1, lastMs = 0, hitMs, hitSlot] = reader.f64s();
    group.lastSlot = lastSlot;
    group.lastMs = lastMs;
    if (hitMs !== undefined && hitSlot !== undefined) group.#hit = { timeMs: hitMs, slot: hitSlot };
    const left = reader.f64s();
    for (let at = 0; at + 1 < left.length; at += 2) group.#left.push({ timeMs: left[at]!, slot: left[at + 1]! });
    plan.queries.forEach(({ hasNumbers }, query) => {
      const list = EventList.read(reader, hasNumbers);
      if (list.length) group.#own[query] = list;
    });
    return reader.isWhole ? group : undefined;
  }
}
