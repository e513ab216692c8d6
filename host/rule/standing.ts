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
