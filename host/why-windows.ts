import type { EventReader } from "./event/made.ts";
import type { ConditionNode } from "./rule/condition.ts";
import { printCondition } from "./rule/condition-print.ts";
import { type ConditionTrace, lacking, traceCondition } from "./rule/condition-trace.ts";
import type { Rule, Severity } from "./rule/rule.ts";
import { type Ledger, type LedgerEntry, aggregate } from "./why-ledger.ts";

/** Where the window of one query stood when the event was judged. */
export interface WindowAnswer {
  readonly label: string;
  readonly counts: string;
  readonly value: number;
  readonly events: number;
  readonly firstMs?: number;
  readonly lastMs?: number;
  /** When its oldest event is no longer in it. */
  readonly leavesMs?: number;
}

export interface CaseAnswer {
  readonly name: string;
  readonly severity: Severity;
  readonly text: string;
  readonly holds: boolean;
  /** An earlier case was true, so nobody asks this one. */
  readonly isPassedOver: boolean;
  /** Both sides of THEN where there are two. */
  readonly traces: readonly ConditionTrace[];
  /** What more, or less, would make it true. */
  readonly needs: readonly string[];
}

/** Conditions asked over windows that end at a moment: section 4, over all events one by one. */
export class Windows {
  readonly #rule: Rule;
  readonly #ledger: Ledger;
  readonly #reader: EventReader;
  readonly #key: string;

  constructor(rule: Rule, ledger: Ledger, reader: EventReader, key: string) {
    this.#rule = rule;
    this.#ledger = ledger;
    this.#reader = reader;
    this.#key = key;
  }

  at(timeMs: number, windowMs: number): WindowAnswer[] {
    return this.#rule.queries.map((query, i) => {
      const entries = this.#in(i, timeMs, windowMs);
      const firstMs = entries[0]?.timeMs;
      return {
        label: query.label, counts: query.aggregation, value: aggregate(query, entries, this.#reader), events: entries.length,
        ...(firstMs === undefined ? {} : { firstMs, lastMs: entries.at(-1)!.timeMs, ...(windowMs ? { leavesMs: firstMs + windowMs } : {}) }),
      };
    });
  }

  trace(node: ConditionNode, timeMs: number, windowMs: number, after?: LedgerEntry): ConditionTrace {
    return traceCondition(node, (label) => {
      const index = this.#rule.queries.findIndex((query) => query.label === label);
      return aggregate(this.#rule.queries[index]!, this.#in(index, timeMs, windowMs).filter((entry) => !after || isAfter(entry, after)), this.#reader);
    });
  }

  cases(timeMs: number): CaseAnswer[] {
    const windowMs = this.#rule.options.evaluationWindowMs;
    let isSettled = false;
    return this.#rule.cases.map(({ name, severity, condition }) => {
      const isPassedOver = isSettled;
      const plain = { name, severity, isPassedOver };
      if (!condition) {
        const holds = this.at(timeMs, windowMs).some(({ events }) => events > 0);
        isSettled ||= holds;
        return { ...plain, text: "any event", holds, traces: [], needs: holds ? [] : ["an event that a query matches"] };
      }
      const text = printCondition(condition);
      if (condition.then) {
        const answer = this.#then(condition.first, condition.then, timeMs, windowMs);
        isSettled ||= answer.holds;
        return { ...plain, text, ...answer };
      }
      const trace = this.trace(condition.first, timeMs, windowMs);
      isSettled ||= trace.holds;
      return { ...plain, text, holds: trace.holds, traces: [trace], needs: this.#needs(trace) };
    });
  }

  /** The earliest moment in the window at which the left side was true, and the right side after it. */
  #then(first: ConditionNode, then: ConditionNode, timeMs: number, windowMs: number): Pick<CaseAnswer, "holds" | "traces" | "needs"> {
    const all = this.#rule.queries.flatMap((_, i) => this.#in(i, timeMs, windowMs)).sort((a, b) => (isAfter(a, b) ? 1 : -1));
    const newest = all.at(-1);
    const began = all.find((entry) => entry.event !== newest?.event && this.trace(first, entry.timeMs, windowMs).holds);
    const left = began ? this.trace(first, began.timeMs, windowMs) : this.trace(first, timeMs, windowMs);
    const right = this.trace(then, timeMs, windowMs, began ?? newest);
    const needs = [...(began ? [] : left.holds ? ["the part before THEN is true only now: what follows must come later"] : this.#needs(left)), ...this.#needs(right).map((need) => `after it ${need}`)];
    return { holds: began !== undefined && right.holds, traces: [left, right], needs: began && right.holds ? [] : needs };
  }

  #in(index: number, timeMs: number, windowMs: number): LedgerEntry[] {
    if (windowMs > 0) return this.#ledger.between(this.#key, index, timeMs - windowMs, timeMs);
    // No window: the event alone, which is the last that came.
    const all = this.#rule.queries.flatMap((_, i) => this.#ledger.between(this.#key, i, timeMs - 1, timeMs));
    const last = all.reduce((most, { event }) => Math.max(most, event), -1);
    return all.filter((entry) => entry.event === last && entry.queryIndex === index);
  }

  #needs(trace: ConditionTrace): string[] {
    return lacking(trace).map(({ missing, label, text }) => {
      const query = this.#rule.queries.find((each) => each.label === label);
      if (missing === undefined || !Number.isFinite(missing)) return text;
      const what = { count: label, cardinality: `distinct ${label}`, sum: `the sum of ${label}`, max: `the maximum of ${label}` }[query?.aggregation as "count"] ?? label;
      return `${Math.abs(missing)} ${missing > 0 ? "more" : "less"} of ${what}`;
    });
  }
}

function isAfter(a: LedgerEntry, b: LedgerEntry): boolean {
  return a.timeMs > b.timeMs || (a.timeMs === b.timeMs && a.event > b.event);
}
