import type { ThirdPartyOptions } from "../../rule/method.ts";
import type { Rule, Severity } from "../../rule/rule.ts";
import type { MethodCounts, MethodDetector, MethodEvent, OnHit } from "./method.ts";
import { BROKEN_STATE, openState, startState } from "./store-bytes.ts";

export interface ThirdPartyCase {
  readonly name: string;
  readonly severity: Severity;
  readonly notifications: readonly string[];
}

export interface LifeCycle {
  readonly keepAliveMs: number;
  readonly maxSignalDurationMs: number;
}

const VERSION = 1;

/**
 * Alerts of other products: section 8. The first root query that matches an event takes it, and the first case whose query
 * matches names it; nothing is learned.
 *
 * To be given of each event: the root queries' matches, then the cases'. A root query that matches an event without one of its
 * group values must be given too, with a group that is too short: it takes the event, and the event is ignored.
 *
 * A hit's case index is that of the case, or the number of cases where none matched: `thirdPartyCase` tells what it means. Its
 * group key holds the root query and the case, for each of them has signals of its own.
 */
export class ThirdPartyDetector implements MethodDetector {
  readonly #rule: Rule;
  readonly #roots: ThirdPartyOptions["rootQueries"];
  readonly #allowedLatenessMs: number;
  #lateDropped = 0;

  constructor(rule: Rule, { allowedLatenessMs }: { readonly allowedLatenessMs: number }) {
    this.#rule = rule;
    this.#roots = optionsOf(rule).rootQueries;
    this.#allowedLatenessMs = allowedLatenessMs;
  }

  apply({ timeMs, highMs, slot, matches }: MethodEvent, onHit: OnHit): void {
    let root = this.#roots.length;
    let caseIndex = this.#rule.cases.length;
    for (const { queryIndex } of matches) {
      if (queryIndex < root) root = queryIndex;
      if (queryIndex >= this.#roots.length) caseIndex = Math.min(caseIndex, queryIndex - this.#roots.length);
    }
    if (root === this.#roots.length) return;
    const { groupBy } = this.#roots[root]!;
    const perQuery = this.#perQuery(root, caseIndex);
    for (const match of matches) {
      if (match.queryIndex !== root) continue;
      const { group } = match;
      if (group.length !== groupBy.length) continue;
      if (timeMs < highMs - this.#allowedLatenessMs) {
        this.#lateDropped++;
        continue;
      }
      // Ungrouped, every event is a signal of its own; the time keeps slots of another run apart.
      const key = groupBy.length ? match.groupKey : `${slot} ${timeMs}`;
      onHit({ caseIndex, groupKey: `${root} ${caseIndex} ${key}`, group, timeMs, slot, slots: [slot], perQuery, total: 1 });
    }
  }

  advance(): void {
    // Nothing waits for time to pass.
  }

  counts(): MethodCounts {
    return { groups: 0, stateBytes: 0, lateDropped: this.#lateDropped, evicted: 0 };
  }

  save(): Uint8Array {
    const writer = startState(this.#rule, VERSION);
    writer.f64(this.#lateDropped);
    return writer.done();
  }

  restore(bytes: Uint8Array): string | undefined {
    const reader = openState(bytes, this.#rule, VERSION);
    if (typeof reader === "string") return reader;
    const lateDropped = reader.f64();
    if (!reader.isDone) return BROKEN_STATE;
    this.#lateDropped = lateDropped;
    return undefined;
  }

  #perQuery(root: number, caseIndex: number): number[] {
    const counts = Array.from({ length: this.#roots.length + this.#rule.cases.length }, () => 0);
    counts[root] = 1;
    if (caseIndex < this.#rule.cases.length) counts[this.#roots.length + caseIndex] = 1;
    return counts;
  }
}

/** Name, severity and targets of a hit's case; beyond the cases it is the rule's default. */
export function thirdPartyCase(rule: Rule, caseIndex: number): ThirdPartyCase {
  const options = optionsOf(rule);
  return rule.cases[caseIndex] ?? { name: "", severity: options.defaultSeverity, notifications: options.defaultNotifications };
}

/** Names of a hit's group values: those of the root query that took the event, which stands first in the group key. */
export function thirdPartyGroupNames(rule: Rule, groupKey: string): readonly string[] {
  return optionsOf(rule).rootQueries[Number.parseInt(groupKey, 10)]?.groupByNames ?? [];
}

/** How long a rule's signals stay open: those of alerts of other products last their whole span, whatever the keep-alive. */
export function lifeCycleOf({ options }: Rule): LifeCycle {
  const { keepAliveMs, maxSignalDurationMs, method } = options;
  return { keepAliveMs: method.kind === "third_party" ? Number.POSITIVE_INFINITY : keepAliveMs, maxSignalDurationMs };
}

function optionsOf(rule: Rule): ThirdPartyOptions {
  const { method } = rule.options;
  if (method.kind !== "third_party") throw new Error(`${rule.id} is a ${method.kind} rule`);
  return method;
}
