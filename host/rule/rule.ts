import type { Field, QueryNode } from "../query/tree.ts";
import type { Condition } from "./condition.ts";

export const severities = ["info", "low", "medium", "high", "critical"] as const;
export type Severity = (typeof severities)[number];

export const detectionMethods = [
  "threshold", "new_value", "anomaly_detection", "content_anomaly", "anomaly_threshold", "impossible_travel", "third_party",
  "sequence_detection", "hardcoded",
] as const;
export type DetectionMethod = (typeof detectionMethods)[number];

export const aggregations = ["count", "cardinality", "sum", "max", "new_value", "geo_data", "event_count", "none"] as const;
export type Aggregation = (typeof aggregations)[number];

/** A detection rule as read at the door; every text in it has been parsed. */
export interface Rule {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly message: string;
  readonly isEnabled: boolean;
  readonly type: string;
  readonly tags: readonly string[];
  readonly queries: readonly RuleQuery[];
  readonly cases: readonly RuleCase[];
  readonly options: RuleOptions;
  /** Legacy filters on events. */
  readonly filters: readonly RuleFilter[];
  /** Empty: signals are per full group. */
  readonly groupSignalsBy: readonly string[];
  readonly referenceTables: readonly ReferenceTableJoin[];
  readonly tests: readonly RuleTest[];
  /** The payload as given, for echoing. */
  readonly wire: unknown;
}

export interface RuleQuery {
  readonly label: string;
  readonly text: string;
  /** Base query and its extension. */
  readonly node: QueryNode;
  readonly aggregation: Aggregation;
  /** As written, and read. */
  readonly groupByNames: readonly string[];
  readonly groupBy: readonly Field[];
  readonly distinct: readonly Field[];
  readonly metrics: readonly Field[];
  readonly optionalGroupBy: boolean;
  readonly dataSource: string;
}

export interface RuleCase {
  readonly name: string;
  readonly severity: Severity;
  /** Absent: true when any query has an event in its window. */
  readonly condition: Condition | undefined;
  readonly conditionText: string;
  readonly notifications: readonly string[];
}

export interface RuleOptions {
  readonly detectionMethod: DetectionMethod;
  readonly evaluationWindowMs: number;
  readonly keepAliveMs: number;
  readonly maxSignalDurationMs: number;
  readonly decreaseCriticalityBasedOnEnv: boolean;
}

export interface RuleFilter {
  readonly action: "require" | "suppress";
  readonly node: QueryNode;
}

export interface ReferenceTableJoin {
  readonly tableName: string;
  readonly columnName: string;
  readonly field: Field;
  readonly checkPresence: boolean;
  readonly queryLabel: string;
}

/** A unit test of one rule: a sample event and whether the query is to match it. */
export interface RuleTest {
  readonly name: string;
  readonly queryLabel: string;
  readonly event: unknown;
  readonly expected: boolean;
}

export function severityNumber(severity: Severity): number {
  return severities.indexOf(severity);
}
