import type { Rule } from "../../rule/rule.ts";
import { hashOfTexts } from "./anomaly-distinct.ts";
import { AnomalyGroup, type OpenBucket } from "./anomaly-group.ts";
import { type AnomalyPlan, planAnomaly } from "./anomaly-plan.ts";
import type { MethodCounts, MethodDetector, MethodEvent, MethodMatch, OnHit } from "./method.ts";
import { GroupBudget, type GroupHolder, type StateBudget, unlimitedBudget } from "./state-budget.ts";
import { BROKEN_STATE, openState, startState } from "./store-bytes.ts";

const STATE_VERSION = 1;
export const GROUP_CAP = 1_000_000;

export interface SeriesOptions {
  readonly allowedLatenessMs: number;
  /** Groups kept; the least lately seen give way. */
  readonly groupCap?: number;
  /** Memory it shares with others; as much as it likes by default. */
  readonly budget?: StateBudget;
}

/**
 * Volume anomaly: each group's count, distinct count or sum by bucket against its own past.
 *
 * A bucket is judged with every event that comes to it, and once more when it closes. While it is anomalous every event gives a
 * hit at the time of the bucket's last event, so that a signal's last seen moves; the first such hit takes part with all
 * of the bucket's events, the others with their own. All of them are one match: a signal does not end within a bucket. At the close a bucket whose newest events made no match gets its chance
 * again: an earlier bucket may have grown meanwhile. Late events count in their own bucket until that closes.
 */
export class AnomalyDetector implements MethodDetector, GroupHolder {
  readonly #rule: Rule;
  readonly #plan: AnomalyPlan;
  readonly #options: SeriesOptions;
  #groups = new Map<string, AnomalyGroup>();
  /** Groups by the bucket they have open. */
  #open = new Map<number, AnomalyGroup[]>();
  /** Buckets before this one are closed. */
  #closedTo = Number.NEGATIVE_INFINITY;
  #lateDropped = 0;
  #evicted = 0;
  readonly #budget: GroupBudget;

  constructor(rule: Rule, options: SeriesOptions) {
    this.#rule = rule;
    this.#plan = planAnomaly(rule);
    this.#options = options;
    this.#budget = new GroupBudget(options.budget ?? unlimitedBudget(), this);
  }

  apply(event: MethodEvent, onHit: OnHit): void {
    const { timeMs, slot } = event;
    const bucket = Math.floor(timeMs / this.#plan.bucketMs);
    if (timeMs < event.highMs - this.#options.allowedLatenessMs || bucket < this.#closedTo) {
      this.#lateDropped += event.matches.length;
      return;
    }
    const { matches } = event;
    for (let i = 0; i < matches.length; i++) {
      const group = this.#groupOf(matches[i]!);
      let open = group.openAt(bucket);
      if (!open) {
        open = group.start(bucket, this.#plan);
        const others = this.#open.get(bucket);
        if (others) others.push(group);
        else this.#open.set(bucket, [group]);
      }
      // Several distinct values of one event come as matches of their own.
      const isFirst = group.lastSlot !== slot;
      if (isFirst) {
        group.lastSlot = slot;
        group.beginAt(timeMs);
        open.add(timeMs, slot);
      }
      this.#count(group, open, matches[i]!, isFirst);
      if (matches[i + 1]?.groupKey === group.key) continue;
      const caseIndex = group.judge(bucket, this.#plan);
      if (caseIndex >= 0) this.#hit(group, open, caseIndex, slot, onHit);
    }
  }

  advance(timeMs: number, onHit: OnHit): void {
    const closedTo = Math.floor(timeMs / this.#plan.bucketMs);
    if (!(closedTo > this.#closedTo)) return;
    this.#closedTo = closedTo;
    const closing = [...this.#open.keys()].filter((bucket) => bucket < closedTo).toSorted((a, b) => a - b);
    const found: Array<{ readonly group: AnomalyGroup; readonly open: OpenBucket; readonly caseIndex: number }> = [];
    for (const bucket of closing) {
      for (const group of this.#open.get(bucket)!) {
        const open = group.isGone ? undefined : group.openAt(bucket);
        if (!open || open.fresh === 0) continue;
        const caseIndex = group.judge(bucket, this.#plan);
        if (caseIndex >= 0) found.push({ group, open, caseIndex });
      }
    }
    // Closed only now: a bucket's bounds may lean on what is still open.
    for (const bucket of closing) {
      for (const group of this.#open.get(bucket)!) {
        group.close(bucket);
        // Bounds of the whole window look back as far as history goes.
        group.series.dropBefore(Math.min(closedTo, bucket + 1) - this.#plan.historyBuckets - this.#plan.windowBuckets);
      }
      this.#open.delete(bucket);
    }
    found.sort((a, b) => a.open.lastMs - b.open.lastMs || (a.group.key < b.group.key ? -1 : 1));
    for (const { group, open, caseIndex } of found) this.#hit(group, open, caseIndex, open.lastSlot, onHit);
    if (closing.length) this.#budget.look();
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  measure(): number {
    let bytes = 0;
    for (const group of this.#groups.values()) bytes += group.sizeBytes;
    return bytes;
  }

  giveWay(): boolean {
    const gone = leastLatelySeen(this.#groups);
    for (const group of gone) group.isGone = true;
    this.#evicted += gone.length;
    return gone.length > 0;
  }

  counts(): MethodCounts {
    return { groups: this.#groups.size, stateBytes: this.measure(), lateDropped: this.#lateDropped, evicted: this.#evicted };
  }

  save(): Uint8Array {
    const writer = startState(this.#rule, STATE_VERSION);
    writer.f64(this.#plan.bucketMs);
    writer.f64(this.#closedTo);
    writer.f64(this.#lateDropped);
    writer.f64(this.#evicted);
    writer.u32(this.#groups.size);
    for (const group of this.#groups.values()) group.write(writer);
    return writer.done();
  }

  restore(bytes: Uint8Array): string | undefined {
    const reader = openState(bytes, this.#rule, STATE_VERSION);
    if (typeof reader === "string") return reader;
    // History in other buckets cannot be cut anew.
    if (reader.f64() !== this.#plan.bucketMs) return "the rule's bucketDuration has changed since the state was saved";
    const [closedTo, lateDropped, evicted] = [reader.f64(), reader.f64(), reader.f64()];
    const groups = new Map<string, AnomalyGroup>();
    const open = new Map<number, AnomalyGroup[]>();
    for (let left = reader.u32(); left > 0; left--) {
      const group = AnomalyGroup.read(reader, this.#plan);
      if (!group) return BROKEN_STATE;
      groups.set(group.key, group);
      for (const { bucket } of group.open) open.set(bucket, [...(open.get(bucket) ?? []), group]);
    }
    if (!reader.isDone) return BROKEN_STATE;
    this.#groups = groups;
    this.#open = open;
    this.#closedTo = closedTo;
    this.#lateDropped = lateDropped;
    this.#evicted = evicted;
    return undefined;
  }

  #groupOf(match: MethodMatch): AnomalyGroup {
    let group = this.#groups.get(match.groupKey);
    if (!group) {
      if (this.#groups.size >= (this.#options.groupCap ?? GROUP_CAP)) this.giveWay();
      this.#budget.makeRoom();
      group = new AnomalyGroup(match.groupKey, match.group);
      this.#groups.set(group.key, group);
    }
    return group;
  }

  #count(group: AnomalyGroup, open: OpenBucket, match: MethodMatch, isFirst: boolean): void {
    switch (this.#plan.aggregation) {
      case "count":
        if (isFirst) group.set(open.bucket, group.series.get(open.bucket) + 1);
        return;
      case "sum":
        if (isFirst) group.set(open.bucket, group.series.get(open.bucket) + (Number.isNaN(match.number) ? 0 : match.number));
        return;
      case "cardinality": {
        let hash = match.number;
        // Some hashes read as no number, as does their absence: only the values themselves can tell.
        if (Number.isNaN(hash)) {
          if (!match.values.length || match.values.some((values) => !values.length)) return;
          hash = hashOfTexts(match.values);
        }
        open.distinct!.add(hash);
        group.set(open.bucket, open.distinct!.count);
        return;
      }
    }
  }

  #hit(group: AnomalyGroup, open: OpenBucket, caseIndex: number, slot: number, onHit: OnHit): void {
    const { total, slots } = open.take();
    const movedFrom = Number.isNaN(open.hitMs) ? {} : { movedFromMs: open.hitMs };
    open.hitMs = open.lastMs;
    onHit({ caseIndex, groupKey: group.key, group: group.group, timeMs: open.lastMs, slot, slots, perQuery: [total], total, ...movedFrom, anomaly: group.facts(open.bucket, caseIndex, this.#plan) });
  }
}

/** Takes out a sixteenth of the groups, at least one, but never the one that stays. */
export function leastLatelySeen<Group extends { readonly key: string; readonly lastSlot: number }>(groups: Map<string, Group>, stays?: Group): Group[] {
  const gone = [...groups.values()].filter((group) => group !== stays).toSorted((a, b) => a.lastSlot - b.lastSlot).slice(0, Math.max(1, groups.size >> 4));
  for (const group of gone) groups.delete(group.key);
  return gone;
}
