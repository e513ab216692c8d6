import type { Rule, RuleQuery } from "./rule.ts";
import type { Field, QueryNode } from "../query/tree.ts";

/** One query of one rule as it runs on every batch. Numbers of one rule's queries follow each other. */
export interface StandingQuery {
  readonly id: number;
  readonly ruleIndex: number;
  readonly queryIndex: number;
  readonly query: QueryNode;
  readonly groupBy: readonly Field[];
  /** A missing group value becomes `N/A` instead of leaving the event out. */
  readonly optionalGroupBy: boolean;
  readonly aggregation: "count" | "cardinality" | "sum" | "max";
  readonly distinct: readonly Field[];
  readonly metric?: Field;
}

/**
 * The standing queries of rules this engine runs live: enabled threshold rules.
 *
 * @param queryOf the query as it runs, with filters and exclusions worked in; the rule's own by default.
 */
export function standingQueries(rules: readonly Rule[], queryOf: (rule: Rule, query: RuleQuery) => QueryNode = (_rule, query) => query.node): StandingQuery[] {
  const standing: StandingQuery[] = [];
  rules.forEach((rule, ruleIndex) => {
    if (!rule.isEnabled || rule.options.detectionMethod !== "threshold" || rule.type === "signal_correlation") return;
    rule.queries.forEach((query, queryIndex) => {
      const aggregation = query.aggregation === "cardinality" || query.aggregation === "sum" || query.aggregation === "max" ? query.aggregation : "count";
      standing.push({
        id: standing.length, ruleIndex, queryIndex, query: queryOf(rule, query), groupBy: query.groupBy, optionalGroupBy: query.optionalGroupBy,
        aggregation, distinct: query.distinct, metric: query.metrics[0],
      });
    });
  });
  return standing;
}
