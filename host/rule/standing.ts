import type { Rule, RuleQuery } from "./rule.ts";
import type { Field, QueryNode } from "../query/tree.ts";
import { unreachable } from "../problem.ts";

/** One query of one rule as it runs on every batch. Numbers of one rule's queries follow each other. */
export interface StandingQuery {
  readonly id: number;
  readonly ruleIndex: number;
  readonly queryIndex: number;
  readonly query: QueryNode;
  readonly groupBy: readonly Field[];
  /** A missing group value becomes `N/A` instead of leaving the event out. */
  readonly optionalGroupBy: boolean;
  /** `texts`: the values of `distinct` themselves. */
  readonly aggregation: "count" | "cardinality" | "sum" | "max" | "texts";
  readonly distinct: readonly Field[];
  readonly metric?: Field;
}

/**
 * The standing queries of rules this engine runs live: enabled threshold rules on events.
 *
 * @param queryOf the query as it runs, with filters and exclusions worked in; the rule's own by default.
 */
export function standingQueries(rules: readonly Rule[], queryOf: (rule: Rule, query: RuleQuery) => QueryNode = (_rule, query) => query.node): StandingQuery[] {
  const standing: StandingQuery[] = [];
  rules.forEach((rule, ruleIndex) => {
    if (idleReason(rule) !== undefined) return;
    rule.queries.forEach((query, queryIndex) => {
      standing.push({
        id: standing.length, ruleIndex, queryIndex, query: queryOf(rule, query), groupBy: query.groupBy, optionalGroupBy: query.optionalGroupBy,
        aggregation: running(query), distinct: query.distinct, metric: query.metrics[0],
      });
    });
  });
  return standing;
}

/** Why a rule that was accepted judges no event; undefined when it does. */
export function idleReason(rule: Rule): string | undefined {
  if (!rule.isEnabled) return "it is disabled";
  if (rule.type === "signal_correlation") return "signal_correlation is not detected by this release";
  if (rule.options.method.kind !== "threshold") return `${rule.options.detectionMethod} is not detected by this release`;
  if (rule.schedule) return "scheduled rules are not run by this release";
  const onSignals = rule.queries.find((query) => query.dataSource === "security_signals");
  return onSignals ? `query ${onSignals.label} reads signals, which this release does not` : undefined;
}

/** Every rule that judges nothing, and why: for telling whoever gave it. */
export function idleRules(rules: readonly Rule[]): Array<{ readonly rule: Rule; readonly reason: string }> {
  return rules.flatMap((rule) => {
    const reason = idleReason(rule);
    return reason === undefined ? [] : [{ rule, reason }];
  });
}

function running(query: RuleQuery): StandingQuery["aggregation"] {
  switch (query.aggregation) {
    case "count":
    case "cardinality":
    case "sum":
    case "max":
      return query.aggregation;
    case "new_value":
    case "geo_data":
    case "event_count":
    case "none":
      // The reader refuses these on a threshold rule.
      throw new Error(`${query.aggregation} cannot be counted in a window`);
    default:
      return unreachable(query.aggregation);
  }
}
