import { labelsOf } from "../rule/condition.ts";
import type { Aggregation, Rule } from "../rule/rule.ts";
import { type Judge, type LabelValue, compileCondition } from "./condition.ts";
import type { CaseHit } from "./hit.ts";
import { EventWindow } from "./window.ts";

/** State of one group of one rule. */
export interface Group {
  /** Lengths and values of the key as bytes: what tells groups apart when hashes agree. */
  readonly key: Uint8Array;
  readonly windows: Array<EventWindow | undefined>;
  /** THEN: times at which the left side was true, with the event that made it so. */
  leftTrue: Array<{ readonly timeMs: number; readonly slot: number }> | undefined;
  /** Next group with the same hash. */
  next: Group | undefined;
}

/** One match of one query, as it comes from the kernels. */
export interface Match {
  queryIndex: number;
  timeMs: number;
  /** Highest event time so far. */
  highMs: number;
  /** The event's slot in the recent events. */
  slot: number;
  /** Distinct-value hash or metric; NaN when there is none. */
  value: number;
}

const needsValues: ReadonlySet<Aggregation> = new Set(["cardinality", "sum", "max"]);

/** Threshold detection of one rule: sliding windows in event time per group, exact, with late events put at their own time. */
export class ThresholdDetector {
  readonly #rule: Rule;
  readonly #ruleIndex: number;
  readonly #windowMs: number;
  readonly #latenessMs: number;
  readonly #groups = new Map<number, Group>();
  readonly #aggregations: readonly Aggregation[];
  readonly #judges: ReadonlyArray<Judge | undefined>;
  readonly #thenJudge: Judge | undefined;
  readonly #right: ReadonlySet<number>;
  /** Queries without group-by join with every group: one window for all. */
  readonly #shared: ReadonlyArray<EventWindow | undefined>;
  readonly #value: LabelValue;
  #groupCount = 0;
  #sweepAtMs = Number.NEGATIVE_INFINITY;
  // The group and span a condition is being judged on.
  #group!: Group;
  #afterMs = 0;
  #untilMs = 0;
  /** Window 0: only this query sees its one event. */
  #aloneQuery = -1;

  constructor(rule: Rule, ruleIndex: number, latenessMs: number) {
    this.#rule = rule;
    this.#ruleIndex = ruleIndex;
    this.#windowMs = rule.options.evaluationWindowMs;
    this.#latenessMs = latenessMs;
    const labels = rule.queries.map((query) => query.label);
    this.#aggregations = rule.queries.map((query) => query.aggregation);
    this.#judges = rule.cases.map((each) => each.condition && compileCondition(each.condition.first, labels));
    const then = rule.cases[0]?.condition?.then;
    this.#thenJudge = then && compileCondition(then, labels);
    this.#right = new Set(then ? labelsOf(then).map((label) => labels.indexOf(label)) : []);
    const grouped = rule.queries.some((query) => query.groupBy.length);
    this.#shared = rule.queries.map((query) => (grouped && !query.groupBy.length ? this.#newWindow(query.aggregation) : undefined));
    this.#value = (queryIndex, enough) => this.#labelValue(queryIndex, enough);
  }

  get groupCount(): number {
    return this.#groupCount;
  }

  /** @param keyHash hash of the key bytes at [keyStart, keyEnd). */
  apply(match: Match, keyHash: number, bytes: Uint8Array, keyStart: number, keyEnd: number, hits: CaseHit[]): void {
    if (match.highMs >= this.#sweepAtMs) this.#sweep(match.highMs);
    const shared = this.#shared[match.queryIndex];
    const keepMs = match.highMs - this.#windowMs - this.#latenessMs - 1;
    if (shared) {
      shared.insert(match.timeMs, match.slot, match.value);
      shared.prune(keepMs);
      for (const first of this.#groups.values()) {
        for (let group: Group | undefined = first; group; group = group.next) {
          if (this.#hasEvents(group, match.timeMs)) this.#judge(group, match, hits);
        }
      }
      return;
    }
    const group = this.#groupOf(keyHash, bytes, keyStart, keyEnd);
    const window = (group.windows[match.queryIndex] ??= this.#newWindow(this.#aggregations[match.queryIndex]!));
    window.insert(match.timeMs, match.slot, match.value);
    window.prune(keepMs);
    this.#judge(group, match, hits);
  }

  #newWindow(aggregation: Aggregation): EventWindow {
    return new EventWindow(needsValues.has(aggregation));
  }

  #groupOf(keyHash: number, bytes: Uint8Array, keyStart: number, keyEnd: number): Group {
    const first = this.#groups.get(keyHash);
    for (let group = first; group; group = group.next) if (sameKey(group.key, bytes, keyStart, keyEnd)) return group;
    const group: Group = { key: bytes.slice(keyStart, keyEnd), windows: [], leftTrue: undefined, next: first };
    this.#groups.set(keyHash, group);
    this.#groupCount++;
    return group;
  }

  #hasEvents(group: Group, timeMs: number): boolean {
    return group.windows.some((window) => window && window.count(timeMs - this.#windowMs, timeMs) > 0);
  }

  /** The event's own time, and the later window ends that a late event may have changed. */
  #judge(group: Group, match: Match, hits: CaseHit[]): void {
    if (this.#windowMs === 0 || !this.#isLate(group, match.timeMs)) {
      this.#judgeAt(group, match, match.timeMs, hits);
      return;
    }
    const times = new Set<number>([match.timeMs]);
    // A late event changes windows that end up to one length after it; under THEN those in turn change what follows them.
    const untilMs = match.timeMs + (this.#thenJudge ? 2 * this.#windowMs : this.#windowMs);
    for (const window of [...group.windows, ...this.#shared]) {
      for (const time of window?.timesWithin(match.timeMs, untilMs) ?? []) times.add(time);
    }
    for (const timeMs of [...times].sort((a, b) => a - b)) this.#judgeAt(group, match, timeMs, hits);
  }

  /** Does something of the group, or of the queries all groups share, lie after this time? */
  #isLate(group: Group, timeMs: number): boolean {
    for (const window of group.windows) if (window && window.lastMs > timeMs) return true;
    for (const window of this.#shared) if (window && window.lastMs > timeMs) return true;
    return false;
  }

  #judgeAt(group: Group, match: Match, timeMs: number, hits: CaseHit[]): void {
    if (this.#thenJudge) {
      this.#judgeThen(group, match, timeMs, hits);
      return;
    }
    this.#aloneQuery = this.#windowMs === 0 ? match.queryIndex : -1;
    this.#aim(group, this.#windowMs === 0 ? timeMs - 1 : timeMs - this.#windowMs, timeMs);
    for (let i = 0; i < this.#judges.length; i++) {
      const judge = this.#judges[i];
      if (judge ? !judge(this.#value) : !this.#anyEvent()) continue;
      hits.push(this.#windowMs === 0 ? this.#aloneHit(group, i, match) : this.#hit(group, i, timeMs));
      return;
    }
  }

  #judgeThen(group: Group, match: Match, timeMs: number, hits: CaseHit[]): void {
    const windowMs = this.#windowMs;
    const ownTime = timeMs === match.timeMs;
    const left = (group.leftTrue ??= []);
    this.#aloneQuery = -1;
    if (ownTime ? this.#right.has(match.queryIndex) : this.#hasRightEvent(group, timeMs)) {
      const start = left.find((each) => timeMs - each.timeMs < windowMs && (each.timeMs < timeMs || (ownTime && each.timeMs === timeMs && each.slot !== match.slot)));
      if (start) {
        this.#aim(group, Math.max(start.timeMs, timeMs - windowMs), timeMs);
        if (this.#thenJudge!(this.#value)) hits.push(this.#hit(group, 0, timeMs, this.#right));
      }
    }
    this.#aim(group, timeMs - windowMs, timeMs);
    if (this.#judges[0]!(this.#value) && !left.some((each) => each.timeMs === timeMs)) {
      left.push({ timeMs, slot: match.slot });
      left.sort((a, b) => a.timeMs - b.timeMs);
    }
    if (left.length > 64) group.leftTrue = left.filter((each) => each.timeMs > timeMs - windowMs - this.#latenessMs);
  }

  #hasRightEvent(group: Group, timeMs: number): boolean {
    for (const query of this.#right) if ((this.#windowOf(group, query)?.count(timeMs - 1, timeMs) ?? 0) > 0) return true;
    return false;
  }

  #aim(group: Group, afterMs: number, untilMs: number): void {
    this.#group = group;
    this.#afterMs = afterMs;
    this.#untilMs = untilMs;
  }

  #windowOf(group: Group, queryIndex: number): EventWindow | undefined {
    return this.#shared[queryIndex] ?? group.windows[queryIndex];
  }

  #anyEvent(): boolean {
    return this.#rule.queries.some((_, i) => (this.#windowOf(this.#group, i)?.count(this.#afterMs, this.#untilMs) ?? 0) > 0);
  }

  #labelValue(queryIndex: number, enough: number): number {
    if (this.#aloneQuery >= 0 && this.#aloneQuery !== queryIndex) return 0;
    const window = this.#windowOf(this.#group, queryIndex);
    if (!window) return 0;
    const aggregation = this.#aggregations[queryIndex]!;
    switch (aggregation) {
      case "cardinality":
        return window.distinct(this.#afterMs, this.#untilMs, enough);
      case "sum":
      case "max":
        return window.numbers(this.#afterMs, this.#untilMs, aggregation);
      case "count":
      case "new_value":
      case "geo_data":
      case "event_count":
      case "none":
        return this.#aloneQuery >= 0 ? 1 : window.count(this.#afterMs, this.#untilMs);
    }
  }

  #hit(group: Group, caseIndex: number, timeMs: number, only?: ReadonlySet<number>): CaseHit {
    const slots = new Set<number>();
    const perQuery = this.#rule.queries.map((_, i) => {
      if (only && !only.has(i)) return 0;
      const taken = this.#windowOf(group, i)?.takeUncounted(this.#afterMs, this.#untilMs) ?? [];
      for (const slot of taken) slots.add(slot);
      return taken.length;
    });
    // Slots count up in arrival order, which is what ties of time are ordered by.
    return { ruleIndex: this.#ruleIndex, caseIndex, group: keyValues(group.key), timeMs, events: [...slots].sort((a, b) => a - b), perQuery };
  }

  #aloneHit(group: Group, caseIndex: number, match: Match): CaseHit {
    const perQuery = this.#rule.queries.map((_, i) => (i === match.queryIndex ? 1 : 0));
    return { ruleIndex: this.#ruleIndex, caseIndex, group: keyValues(group.key), timeMs: match.timeMs, events: [match.slot], perQuery };
  }

  /** Drops groups that no event within the lateness can touch any more; driven by event time alone. */
  #sweep(highMs: number): void {
    const beforeMs = highMs - this.#windowMs - this.#latenessMs - 1;
    if (this.#sweepAtMs !== Number.NEGATIVE_INFINITY) {
      for (const [hash, first] of this.#groups) {
        let kept: Group | undefined;
        for (let group: Group | undefined = first; group; ) {
          const next: Group | undefined = group.next;
          if (group.windows.every((window) => !window || window.lastMs <= beforeMs)) this.#groupCount--;
          else {
            group.next = kept;
            kept = group;
          }
          group = next;
        }
        if (kept) this.#groups.set(hash, kept);
        else this.#groups.delete(hash);
      }
    }
    this.#sweepAtMs = highMs + Math.max(60_000, this.#windowMs + this.#latenessMs);
  }
}

function sameKey(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}

const decoder = new TextDecoder();

function keyValues(key: Uint8Array): string[] {
  const values: string[] = [];
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  let at = 0;
  while (at < key.length) {
    const length = view.getUint32(at, true);
    values.push(decoder.decode(key.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return values;
}
