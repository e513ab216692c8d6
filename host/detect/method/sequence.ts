import type { Rule } from "../../rule/rule.ts";
import { GROUP_CAP, type SeriesOptions, leastLatelySeen } from "./anomaly.ts";
import { hashOfTexts } from "./anomaly-distinct.ts";
import type { MethodCounts, MethodDetector, MethodEvent, MethodMatch, OnHit } from "./method.ts";
import { EventList } from "./sequence-events.ts";
import { SequenceGroup } from "./sequence-group.ts";
import { type SequencePlan, planSequence } from "./sequence-plan.ts";
import { GroupBudget, type GroupHolder, unlimitedBudget } from "./state-budget.ts";
import { BROKEN_STATE, openState, startState } from "./store-bytes.ts";

const STATE_VERSION = 1;
/** Dead groups are looked for when so much of the horizon has passed. */
const SWEEPS = 4;
const SWEEP_MS = 60_000;

/**
 * Steps in their order, each with a condition over a window of its own, for one group.
 *
 * An event is judged as it comes, at its own time; one that comes late has the events after it judged again, so that the hits
 * are those of the ordered stream as far as what is kept reaches: of each query the latest events that settle its conditions
 * and some hundred more. A hit that was given is not taken back, and is given once.
 *
 * An event of a query without group-by, beside others that have it, is every group's that an own event or a step under way
 * keeps alive; it is judged for each of them.
 */
export class SequenceDetector implements MethodDetector, GroupHolder {
  readonly #rule: Rule;
  readonly #plan: SequencePlan;
  readonly #options: SeriesOptions;
  #groups = new Map<string, SequenceGroup>();
  /** By query; undefined where the query has groups. */
  #shared: Array<EventList | undefined>;
  #timeMs = Number.NEGATIVE_INFINITY;
  #sweptMs = Number.NEGATIVE_INFINITY;
  #lateDropped = 0;
  #evicted = 0;
  readonly #budget: GroupBudget;

  constructor(rule: Rule, options: SeriesOptions) {
    this.#rule = rule;
    this.#plan = planSequence(rule);
    this.#options = options;
    this.#shared = this.#noShared();
    this.#budget = new GroupBudget(options.budget ?? unlimitedBudget(), this);
  }

  apply(event: MethodEvent, onHit: OnHit): void {
    const { timeMs, slot, matches } = event;
    if (timeMs < event.highMs - this.#options.allowedLatenessMs || timeMs < this.#timeMs) {
      this.#lateDropped += matches.length;
      return;
    }
    const place = { timeMs, slot };
    let sharedQueries = 0;
    const touched = new Map<SequenceGroup, number>();
    for (const match of matches) {
      const { isShared, capacity } = this.#plan.queries[match.queryIndex]!;
      if (isShared) {
        sharedQueries |= 1 << match.queryIndex;
        const list = this.#shared[match.queryIndex]!;
        list.add(place, this.#numberOf(match));
        if (list.length > capacity * 2) list.dropFirst(list.length - capacity);
        continue;
      }
      const group = this.#groupOf(match);
      group.lastSlot = slot;
      group.add(match.queryIndex, place, this.#numberOf(match));
      touched.set(group, (touched.get(group) ?? 0) | (1 << match.queryIndex));
    }
    const judged: Iterable<readonly [SequenceGroup, number]> = sharedQueries ? [...this.#groups.values()].map((group) => [group, touched.get(group) ?? 0] as const) : touched;
    const hits = [...judged].flatMap(([group, queries]) => group.judge(place, queries | sharedQueries).map((hit) => ({ group, hit })));
    if (hits.length > 1) hits.sort((a, b) => a.hit.place.timeMs - b.hit.place.timeMs || a.hit.place.slot - b.hit.place.slot || (a.group.key < b.group.key ? -1 : 1));
    for (const { group, hit } of hits) {
      const { caseIndex, fresh, all } = hit;
      onHit({ caseIndex, groupKey: group.key, group: group.group, timeMs: hit.place.timeMs, slot: hit.place.slot, ...fresh, all });
    }
  }

  advance(timeMs: number, _onHit: OnHit): void {
    if (!(timeMs > this.#timeMs)) return;
    this.#timeMs = timeMs;
    if (timeMs - this.#sweptMs < Math.max(SWEEP_MS, this.#plan.horizonMs / SWEEPS)) return;
    this.#sweptMs = timeMs;
    for (const list of this.#shared) list?.dropBefore(timeMs - this.#plan.horizonMs);
    for (const group of this.#groups.values()) {
      if (group.lastMs < timeMs - this.#plan.horizonMs) this.#groups.delete(group.key);
      else group.expire(timeMs);
    }
    this.#budget.look();
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  measure(): number {
    let bytes = this.#shared.reduce((sum, list) => sum + (list?.sizeBytes ?? 0), 0);
    for (const group of this.#groups.values()) bytes += group.sizeBytes;
    return bytes;
  }

  giveWay(): boolean {
    const gone = leastLatelySeen(this.#groups);
    this.#evicted += gone.length;
    return gone.length > 0;
  }

  counts(): MethodCounts {
    return { groups: this.#groups.size, stateBytes: this.measure(), lateDropped: this.#lateDropped, evicted: this.#evicted };
  }

  save(): Uint8Array {
    const writer = startState(this.#rule, STATE_VERSION);
    writer.text(this.#settings());
    writer.column(Float64Array.of(this.#timeMs, this.#sweptMs, this.#lateDropped, this.#evicted));
    for (const list of this.#shared) list?.write(writer);
    writer.u32(this.#groups.size);
    for (const group of this.#groups.values()) group.write(writer);
    return writer.done();
  }

  restore(bytes: Uint8Array): string | undefined {
    const reader = openState(bytes, this.#rule, STATE_VERSION);
    if (typeof reader === "string") return reader;
    if (reader.text() !== this.#settings()) return "the rule's steps or labels have changed since the state was saved";
    const [timeMs = 0, sweptMs = 0, lateDropped = 0, evicted = 0] = reader.f64s();
    const shared = this.#plan.queries.map(({ isShared, hasNumbers }) => (isShared ? EventList.read(reader, hasNumbers) : undefined));
    const groups = new Map<string, SequenceGroup>();
    for (let left = reader.u32(); left > 0; left--) {
      const group = SequenceGroup.read(reader, this.#plan, shared);
      if (!group) return BROKEN_STATE;
      groups.set(group.key, group);
    }
    if (!reader.isDone) return BROKEN_STATE;
    this.#groups = groups;
    this.#shared = shared;
    this.#timeMs = timeMs;
    this.#sweptMs = sweptMs;
    this.#lateDropped = lateDropped;
    this.#evicted = evicted;
    return undefined;
  }

  /** What firings of steps mean. */
  #settings(): string {
    return JSON.stringify([this.#rule.options.method, this.#rule.queries.map((query) => [query.label, query.aggregation, query.correlation])]);
  }

  #noShared(): Array<EventList | undefined> {
    return this.#plan.queries.map(({ isShared, hasNumbers }) => (isShared ? new EventList(hasNumbers) : undefined));
  }

  #groupOf(match: MethodMatch): SequenceGroup {
    let group = this.#groups.get(match.groupKey);
    if (!group) {
      if (this.#groups.size >= (this.#options.groupCap ?? GROUP_CAP)) this.giveWay();
      this.#budget.makeRoom();
      group = new SequenceGroup(match.groupKey, match.group, this.#plan, this.#shared);
      this.#groups.set(group.key, group);
    }
    return group;
  }

  #numberOf(match: MethodMatch): number {
    const { aggregation, hasNumbers } = this.#plan.queries[match.queryIndex]!;
    return hasNumbers ? numberOf(match, aggregation === "cardinality") : Number.NaN;
  }
}

/** Metric of a match, or hash of its values; NaN where it has none. */
export function numberOf(match: MethodMatch, isHash: boolean): number {
  if (!Number.isNaN(match.number)) return match.number;
  // Some hashes read as no number, as does their absence: only the values themselves can tell.
  if (isHash) return match.values.length && match.values.every((values) => values.length) ? hashOfTexts(match.values) : Number.NaN;
  const text = match.values[0]?.[0];
  return text === undefined || text.trim() === "" ? Number.NaN : Number(text);
}
