import type { Rule } from "../../rule/rule.ts";
import { GROUP_CAP, type SeriesOptions, leastLatelySeen } from "./anomaly.ts";
import { CorrelationGroup, type CorrelationHit } from "./correlation-group.ts";
import { type CorrelationPlan, planCorrelation } from "./correlation-plan.ts";
import type { MethodCounts, MethodDetector, MethodEvent, MethodMatch, OnHit } from "./method.ts";
import { EventList, type Place, isBefore } from "./sequence-events.ts";
import { numberOf } from "./sequence.ts";
import { BROKEN_STATE, openState, startState } from "./store-bytes.ts";

const STATE_VERSION = 1;
/** Groups that are over are looked for when so much of what a signal reaches has passed. */
const SWEEPS = 4;
const SWEEP_MS = 60_000;

/** A hit that was given at the place of this slot does not hold any more. */
export type OnGone = (groupKey: string, slot: number) => void;

interface Found {
  readonly group: CorrelationGroup;
  readonly place: Place;
  readonly hit: CorrelationHit | undefined;
}

/**
 * Windows over signals: counts, cases and THEN as for events, in order of their first match.
 *
 * What is judged is always the set of signals as it stands: one that opened late, whose first match moved, or that became part
 * of another has the places after it judged again. Hits are then given once more, with all of their signals, and those that do
 * not hold any more are told to be gone; so the hits that stand in the end are those of the ordered stream.
 *
 * Slots are the numbers of signals in the order they opened. Nothing is late here: whose event was in time, its signal is.
 */
export class CorrelationDetector implements MethodDetector {
  readonly #rule: Rule;
  readonly #plan: CorrelationPlan;
  readonly #options: Pick<SeriesOptions, "groupCap">;
  #groups = new Map<string, CorrelationGroup>();
  /** By query; undefined where the query has groups. */
  #shared: Array<EventList | undefined>;
  #evicted = 0;
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor(rule: Rule, options: Pick<SeriesOptions, "groupCap"> = {}) {
    this.#rule = rule;
    this.#plan = planCorrelation(rule);
    this.#options = options;
    this.#shared = this.#plan.queries.map(({ isShared, hasNumbers }) => (isShared ? new EventList(hasNumbers) : undefined));
  }

  apply(event: MethodEvent, onHit: OnHit, onGone: OnGone = () => {}): void {
    const place = { timeMs: event.timeMs, slot: event.slot };
    const { groups, isShared } = this.#each(event, (match, group) => {
      const { hasNumbers, aggregation, capacity } = this.#plan.queries[match.queryIndex]!;
      const number = hasNumbers ? numberOf(match, aggregation === "cardinality") : Number.NaN;
      if (group) return group.add(match.queryIndex, place, number);
      const list = this.#shared[match.queryIndex]!;
      list.add(place, number);
      if (list.length > capacity * 2) list.dropFirst(list.length - capacity);
    });
    this.#tell(this.#judge(isShared && this.#plan.windowMs > 0 ? this.#near(place) : groups, place), onHit, onGone);
    // A signal that is looked at alone has been looked at.
    if (this.#plan.windowMs === 0) this.#remove(event, place);
  }

  /** Takes a signal out as it was given: it stands at another time now, or nowhere. */
  withdraw(event: MethodEvent, onHit: OnHit, onGone: OnGone): void {
    const place = { timeMs: event.timeMs, slot: event.slot };
    const { groups, isShared } = this.#remove(event, place);
    const near = isShared && this.#plan.windowMs > 0 ? this.#near(place) : groups;
    for (const group of near) {
      group.forget(place);
      onGone(group.key, place.slot);
    }
    this.#tell(this.#judge(near, place), onHit, onGone);
    for (const group of groups) if (group.isEmpty) this.#groups.delete(group.key);
  }

  /** No signal of an earlier time is to come. */
  advance(timeMs: number, _onHit: OnHit): void {
    if (!(timeMs >= this.#sweptMs + Math.max(SWEEP_MS, this.#plan.reachMs / SWEEPS))) return;
    this.#sweptMs = timeMs;
    for (const list of this.#shared) list?.dropBefore(timeMs - this.#plan.reachMs);
    for (const group of this.#groups.values()) {
      if (group.lastMs <= timeMs - this.#plan.reachMs) this.#groups.delete(group.key);
      else group.expire(timeMs);
    }
  }

  counts(): MethodCounts {
    let stateBytes = this.#shared.reduce((sum, list) => sum + (list?.sizeBytes ?? 0), 0);
    for (const group of this.#groups.values()) stateBytes += group.sizeBytes;
    return { groups: this.#groups.size, stateBytes, lateDropped: 0, evicted: this.#evicted };
  }

  save(): Uint8Array {
    const writer = startState(this.#rule, STATE_VERSION);
    writer.text(this.#settings());
    writer.f64(this.#evicted);
    for (const list of this.#shared) list?.write(writer);
    writer.u32(this.#groups.size);
    for (const group of this.#groups.values()) group.write(writer);
    return writer.done();
  }

  restore(bytes: Uint8Array): string | undefined {
    const reader = openState(bytes, this.#rule, STATE_VERSION);
    if (typeof reader === "string") return reader;
    if (reader.text() !== this.#settings()) return "the rule's sources, windows or conditions have changed since the state was saved";
    const evicted = reader.f64();
    const shared = this.#plan.queries.map(({ isShared, hasNumbers }) => (isShared ? EventList.read(reader, hasNumbers) : undefined));
    const groups = new Map<string, CorrelationGroup>();
    for (let left = reader.u32(); left > 0; left--) {
      const group = CorrelationGroup.read(reader, this.#plan, shared);
      if (!group) return BROKEN_STATE;
      groups.set(group.key, group);
    }
    if (!reader.isDone) return BROKEN_STATE;
    this.#groups = groups;
    this.#shared = shared;
    this.#evicted = evicted;
    return undefined;
  }

  #settings(): string {
    const { queries, cases, options } = this.#rule;
    return JSON.stringify([options.evaluationWindowMs, queries.map((query) => [query.label, query.aggregation, query.correlation]), cases.map((each) => each.conditionText)]);
  }

  /** Looks at each match with its group; none where the query is shared. */
  #each(event: MethodEvent, look: (match: MethodMatch, group: CorrelationGroup | undefined) => void): { readonly groups: ReadonlySet<CorrelationGroup>; readonly isShared: boolean } {
    const groups = new Set<CorrelationGroup>();
    let isShared = false;
    for (const match of event.matches) {
      if (this.#plan.queries[match.queryIndex]!.isShared) {
        isShared = true;
        look(match, undefined);
        continue;
      }
      const group = this.#groupOf(match);
      groups.add(group);
      look(match, group);
    }
    return { groups, isShared };
  }

  #remove(event: MethodEvent, place: Place): { readonly groups: ReadonlySet<CorrelationGroup>; readonly isShared: boolean } {
    const touched = this.#each(event, (match, group) => {
      if (group) group.remove(match.queryIndex, place);
      else this.#shared[match.queryIndex]!.remove(place);
    });
    for (const group of touched.groups) if (this.#plan.windowMs === 0 && group.isEmpty) this.#groups.delete(group.key);
    return touched;
  }

  /** Groups that a signal of all may say something to. */
  #near(place: Place): CorrelationGroup[] {
    return [...this.#groups.values()].filter((group) => group.lastMs > place.timeMs - this.#plan.windowMs);
  }

  #judge(groups: Iterable<CorrelationGroup>, place: Place): Found[] {
    const found = [...groups].flatMap((group) => group.judge(place).map((judged) => ({ group, ...judged })));
    if (found.length > 1) found.sort((a, b) => (isBefore(a.place, b.place) ? -1 : isBefore(b.place, a.place) ? 1 : a.group.key < b.group.key ? -1 : 1));
    return found;
  }

  #tell(found: readonly Found[], onHit: OnHit, onGone: OnGone): void {
    // First what holds: what is gone may have been all that another signal stood on.
    for (const { group, place, hit } of found) {
      if (!hit) continue;
      onHit({ caseIndex: hit.caseIndex, groupKey: group.key, group: group.group, timeMs: place.timeMs, slot: place.slot, slots: hit.slots, perQuery: hit.perQuery, total: hit.slots.length, all: { slots: hit.slots, perQuery: hit.perQueryOfAll, total: hit.slots.length } });
    }
    for (const { group, place, hit } of found) if (!hit) onGone(group.key, place.slot);
  }

  #groupOf(match: MethodMatch): CorrelationGroup {
    let group = this.#groups.get(match.groupKey);
    if (!group) {
      group = new CorrelationGroup(match.groupKey, match.group, this.#plan, this.#shared);
      this.#groups.set(group.key, group);
      if (this.#groups.size > (this.#options.groupCap ?? GROUP_CAP)) this.#evicted += leastLatelySeen(this.#groups, group).length;
    }
    return group;
  }
}
