import { type ConditionNode, type Term, labelsOf } from "../rule/condition.ts";
import type { Rule, RuleQuery } from "../rule/rule.ts";
import type { CaseHit, EventRef } from "./hit.ts";
import { EventWindow } from "./window.ts";

interface Group {
  readonly values: readonly string[];
  readonly windows: Array<EventWindow | undefined>;
  /** THEN: times at which the left side was true, with the event that made it so. */
  leftTrue: Array<{ readonly timeMs: number; readonly event: number }>;
}

/** Where a condition looks: (afterMs, untilMs]. */
interface Span {
  readonly afterMs: number;
  readonly untilMs: number;
}

/** Threshold detection of one rule: sliding windows in event time per group, exact, with late events put at their own time. */
export class ThresholdDetector {
  readonly #rule: Rule;
  readonly #ruleIndex: number;
  readonly #windowMs: number;
  readonly #latenessMs: number;
  readonly #groups = new Map<string, Group>();
  /** Queries without group-by join with every group: one window for all. */
  readonly #shared: ReadonlyArray<EventWindow | undefined>;
  readonly #rightLabels: ReadonlySet<string> | undefined;
  #sweepAtMs = Number.NEGATIVE_INFINITY;

  constructor(rule: Rule, ruleIndex: number, latenessMs: number) {
    this.#rule = rule;
    this.#ruleIndex = ruleIndex;
    this.#windowMs = rule.options.evaluationWindowMs;
    this.#latenessMs = latenessMs;
    const grouped = rule.queries.some((query) => query.groupBy.length);
    this.#shared = rule.queries.map((query) => (grouped && !query.groupBy.length ? new EventWindow() : undefined));
    const then = rule.cases[0]?.condition?.then;
    this.#rightLabels = then ? new Set(labelsOf(then)) : undefined;
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  /** One match of one query; `highMs` is the highest event time so far. */
  apply(queryIndex: number, key: string, values: () => readonly string[], ref: EventRef, value: bigint, highMs: number, hits: CaseHit[]): void {
    if (highMs >= this.#sweepAtMs) this.#sweep(highMs);
    const shared = this.#shared[queryIndex];
    if (shared) {
      shared.insert(ref, value);
      shared.prune(highMs - this.#windowMs - this.#latenessMs);
      for (const group of this.#groups.values()) {
        if (this.#hasEvents(group, ref.timeMs)) this.#judge(group, queryIndex, ref, highMs, hits);
      }
      return;
    }
    let group = this.#groups.get(key);
    if (!group) {
      group = { values: values(), windows: this.#rule.queries.map(() => undefined), leftTrue: [] };
      this.#groups.set(key, group);
    }
    const window = (group.windows[queryIndex] ??= new EventWindow());
    window.insert(ref, value);
    window.prune(highMs - this.#windowMs - this.#latenessMs - 1);
    this.#judge(group, queryIndex, ref, highMs, hits);
  }

  #hasEvents(group: Group, timeMs: number): boolean {
    return group.windows.some((window) => window && window.count(timeMs - this.#windowMs, timeMs) > 0);
  }

  /** The event's own time, and the later window ends that a late event may have changed. */
  #judge(group: Group, queryIndex: number, ref: EventRef, highMs: number, hits: CaseHit[]): void {
    const times = new Set<number>([ref.timeMs]);
    if (this.#windowMs > 0 && ref.timeMs < highMs) {
      for (const window of group.windows) for (const time of window?.timesWithin(ref.timeMs, ref.timeMs + this.#windowMs) ?? []) times.add(time);
    }
    for (const timeMs of [...times].sort((a, b) => a - b)) {
      if (this.#rightLabels) this.#judgeThen(group, queryIndex, timeMs, ref, hits);
      else this.#judgeCases(group, queryIndex, timeMs, ref, hits);
    }
  }

  #judgeCases(group: Group, queryIndex: number, timeMs: number, ref: EventRef, hits: CaseHit[]): void {
    const span = { afterMs: timeMs - this.#windowMs, untilMs: timeMs };
    for (const [caseIndex, each] of this.#rule.cases.entries()) {
      // A window of no length sees the triggering event alone.
      const holds = this.#windowMs === 0 ? this.#holdsAlone(each.condition?.first, queryIndex, group) : this.#holds(group, each.condition?.first, span);
      if (!holds) continue;
      hits.push(this.#hit(group, caseIndex, timeMs, span, this.#windowMs === 0 ? ref : undefined, queryIndex));
      return;
    }
  }

  #judgeThen(group: Group, queryIndex: number, timeMs: number, ref: EventRef, hits: CaseHit[]): void {
    const condition = this.#rule.cases[0]!.condition!;
    const windowMs = this.#windowMs;
    const ownTime = timeMs === ref.timeMs;
    if (ownTime ? this.#rightLabels!.has(this.#rule.queries[queryIndex]!.label) : this.#hasRightEvent(group, timeMs)) {
      const start = group.leftTrue.find((left) => timeMs - left.timeMs < windowMs && (left.timeMs < timeMs || (ownTime && left.timeMs === timeMs && left.event !== ref.event)));
      if (start) {
        const span = { afterMs: Math.max(start.timeMs, timeMs - windowMs), untilMs: timeMs };
        if (this.#holds(group, condition.then!, span)) hits.push(this.#hit(group, 0, timeMs, span, undefined, queryIndex, this.#rightLabels));
      }
    }
    if (this.#holds(group, condition.first, { afterMs: timeMs - windowMs, untilMs: timeMs })) {
      if (!group.leftTrue.some((left) => left.timeMs === timeMs)) {
        group.leftTrue.push({ timeMs, event: ref.event });
        group.leftTrue.sort((a, b) => a.timeMs - b.timeMs);
      }
    }
    const oldest = timeMs - windowMs - this.#latenessMs;
    if (group.leftTrue.length > 64) group.leftTrue = group.leftTrue.filter((left) => left.timeMs > oldest);
  }

  #hasRightEvent(group: Group, timeMs: number): boolean {
    return this.#rule.queries.some((query, i) => this.#rightLabels!.has(query.label) && (this.#windowOf(group, i)?.count(timeMs - 1, timeMs) ?? 0) > 0);
  }

  #windowOf(group: Group, queryIndex: number): EventWindow | undefined {
    return this.#shared[queryIndex] ?? group.windows[queryIndex];
  }

  #holds(group: Group, node: ConditionNode | undefined, span: Span): boolean {
    if (!node) return this.#rule.queries.some((_, i) => (this.#windowOf(group, i)?.count(span.afterMs, span.untilMs) ?? 0) > 0);
    switch (node.kind) {
      case "and":
        return node.nodes.every((child) => this.#holds(group, child, span));
      case "or":
        return node.nodes.some((child) => this.#holds(group, child, span));
      case "compare": {
        const right = typeof node.right === "number" ? node.right : this.#value(group, node.right, span, Number.POSITIVE_INFINITY);
        const left = this.#value(group, node.left, span, right / node.left.factor + 1);
        return compares(left, node.op, right);
      }
    }
  }

  /** Window 0: every label counts only the triggering event. */
  #holdsAlone(node: ConditionNode | undefined, queryIndex: number, group: Group): boolean {
    if (!node) return true;
    const label = this.#rule.queries[queryIndex]!.label;
    switch (node.kind) {
      case "and":
        return node.nodes.every((child) => this.#holdsAlone(child, queryIndex, group));
      case "or":
        return node.nodes.some((child) => this.#holdsAlone(child, queryIndex, group));
      case "compare": {
        const value = (term: Term): number => {
          if (term.label !== label) return 0;
          const window = this.#windowOf(group, queryIndex)!;
          const query = this.#rule.queries[queryIndex]!;
          const at = window.lastMs;
          return term.factor * (query.aggregation === "count" ? 1 : this.#aggregate(window, query, { afterMs: at - 1, untilMs: at }, 2));
        };
        return compares(value(node.left), node.op, typeof node.right === "number" ? node.right : value(node.right));
      }
    }
  }

  #value(group: Group, term: Term, span: Span, enough: number): number {
    const queryIndex = this.#rule.queries.findIndex((query) => query.label === term.label);
    const window = this.#windowOf(group, queryIndex);
    return window ? term.factor * this.#aggregate(window, this.#rule.queries[queryIndex]!, span, enough) : 0;
  }

  #aggregate(window: EventWindow, query: RuleQuery, span: Span, enough: number): number {
    switch (query.aggregation) {
      case "cardinality":
        return window.distinct(span.afterMs, span.untilMs, enough);
      case "sum":
      case "max":
        return window.numbers(span.afterMs, span.untilMs, query.aggregation);
      case "count":
      case "new_value":
      case "geo_data":
      case "event_count":
      case "none":
        return window.count(span.afterMs, span.untilMs);
    }
  }

  #hit(group: Group, caseIndex: number, timeMs: number, span: Span, alone: EventRef | undefined, queryIndex: number, only?: ReadonlySet<string>): CaseHit {
    const byEvent = new Map<number, EventRef>();
    const perQuery = this.#rule.queries.map((query, i) => {
      if (alone) return i === queryIndex ? 1 : 0;
      if (only && !only.has(query.label)) return 0;
      const taken = this.#windowOf(group, i)?.takeUncounted(span.afterMs, span.untilMs) ?? [];
      for (const ref of taken) byEvent.set(ref.event, ref);
      return taken.length;
    });
    if (alone) byEvent.set(alone.event, alone);
    const events = [...byEvent.values()].sort((a, b) => a.timeMs - b.timeMs || a.event - b.event);
    return { ruleIndex: this.#ruleIndex, caseIndex, group: group.values, timeMs, events, perQuery };
  }

  /** Drops groups that no event within the lateness can touch any more; driven by event time alone. */
  #sweep(highMs: number): void {
    const everyMs = Math.max(60_000, this.#windowMs + this.#latenessMs);
    const beforeMs = highMs - this.#windowMs - this.#latenessMs - 1;
    if (this.#sweepAtMs !== Number.NEGATIVE_INFINITY) {
      for (const [key, group] of this.#groups) {
        if (group.windows.every((window) => !window || window.lastMs <= beforeMs)) this.#groups.delete(key);
      }
    }
    this.#sweepAtMs = highMs + everyMs;
  }
}

function compares(left: number, op: ">" | ">=" | "<" | "<=", right: number): boolean {
  switch (op) {
    case ">": return left > right;
    case ">=": return left >= right;
    case "<": return left < right;
    case "<=": return left <= right;
  }
}
