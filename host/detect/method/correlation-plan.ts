import type { Rule } from "../../rule/rule.ts";
import { type Judgement, eventsNeeded, judgementOf } from "./sequence-condition.ts";
import { type QueryPlan, RAW_EVENTS, SPARE_EVENTS } from "./sequence-plan.ts";

/** Windows over signals. */
export interface CorrelationPlan {
  /** 0: the signal alone. */
  readonly windowMs: number;
  readonly queries: readonly QueryPlan[];
  readonly cases: readonly Judgement[];
  /** What stands after THEN. */
  readonly after: Judgement | undefined;
  /** How long after its own time a signal still says something of others. */
  readonly reachMs: number;
}

export function planCorrelation(rule: Rule): CorrelationPlan {
  const windowMs = rule.options.evaluationWindowMs;
  const labels = rule.queries.map((query) => query.label);
  const then = rule.cases[0]?.condition?.then;
  const nodes = [...rule.cases.map((each) => each.condition?.first), then];
  const widths = rule.queries.map((query) => query.correlation?.correlatedBy.length ?? query.groupBy.length);
  return {
    windowMs,
    queries: rule.queries.map(({ aggregation, label }, i) => {
      const hasNumbers = aggregation === "cardinality" || aggregation === "sum" || aggregation === "max";
      const need = hasNumbers ? RAW_EVENTS : eventsNeeded(nodes, label, RAW_EVENTS);
      return { aggregation, hasNumbers, capacity: need + SPARE_EVENTS, isShared: widths[i] === 0 && widths.some((width) => width > 0) };
    }),
    cases: rule.cases.map((each) => judgementOf(each.condition?.first, labels)),
    after: then && judgementOf(then, labels),
    // A time at which the left side became true lasts for a window of its own.
    reachMs: then ? windowMs * 2 : windowMs,
  };
}
