import type { Aggregation, Rule } from "../../rule/rule.ts";
import { type Judgement, eventsNeeded, judgementOf } from "./sequence-condition.ts";

/** Events kept of a query whose condition no number of events settles. */
export const RAW_EVENTS = 4096;
/** Kept beyond what conditions need: for events that come late, and for naming those that took part. */
export const SPARE_EVENTS = 256;

export interface SequencePlan {
  readonly steps: readonly StepPlan[];
  readonly queries: readonly QueryPlan[];
  /** By case: over firings of the steps. */
  readonly cases: readonly Judgement[];
  /** The step whose firing is judged by the cases. */
  readonly target: number;
  /** What happened longer ago plays no part. */
  readonly horizonMs: number;
}

export interface StepPlan {
  readonly judgement: Judgement;
  /** Bits of the queries it mentions. */
  readonly queries: number;
  /** 0: the event alone. */
  readonly windowMs: number;
  /** How long its firing stays usable: until the next step, or within its own window where it is the last. */
  readonly usableMs: number;
}

export interface QueryPlan {
  readonly aggregation: Aggregation;
  readonly hasNumbers: boolean;
  readonly capacity: number;
  /** Has no group-by beside others that have: its events are every group's. */
  readonly isShared: boolean;
}

export function planSequence(rule: Rule): SequencePlan {
  const { method } = rule.options;
  if (method.kind !== "sequence_detection") throw new Error(`rule ${rule.id} is no sequence rule`);
  const labels = rule.queries.map((query) => query.label);
  const names = method.steps.map((step) => step.name);
  const widths = rule.queries.map((query) => query.correlation?.correlatedBy.length ?? query.groupBy.length);
  const cases = rule.cases.map((each) => judgementOf(each.condition?.first, names));
  const named = rule.cases.flatMap((each, i) => (each.condition ? cases[i]!.labels : []));
  const target = named.length ? Math.max(...named) : names.length - 1;
  return {
    steps: method.steps.map((step, i) => {
      const judgement = judgementOf(step.condition?.first, labels);
      return {
        judgement, queries: judgement.labels.reduce((bits, query) => bits | (1 << query), 0), windowMs: step.windowMs,
        usableMs: method.transitionMs[i] ?? step.windowMs,
      };
    }),
    queries: rule.queries.map((query, i) => {
      const hasNumbers = query.aggregation === "cardinality" || query.aggregation === "sum" || query.aggregation === "max";
      const need = hasNumbers ? RAW_EVENTS : eventsNeeded(method.steps.map((step) => step.condition?.first), query.label, RAW_EVENTS);
      return { aggregation: query.aggregation, hasNumbers, capacity: need + SPARE_EVENTS, isShared: widths[i] === 0 && widths.some((width) => width > 0) };
    }),
    cases,
    target,
    horizonMs: Math.max(0, ...method.steps.map((step) => step.windowMs)) + method.transitionMs.reduce((sum, each) => sum + each, 0),
  };
}
