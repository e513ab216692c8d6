import type { Field, QueryNode } from "../query/tree.ts";
import type { Condition } from "./condition.ts";
import type { MethodOptions } from "./method.ts";

export const severities = ["info", "low", "medium", "high", "critical"] as const;
export type Severity = (typeof severities)[number];

export const detectionMethods = [
  "threshold", "new_value", "anomaly_detection", "content_anomaly", "anomaly_threshold", "impossible_travel", "third_party",
  "sequence_detection", "hardcoded",
] as const;
export type DetectionMethod = (typeof detectionMethods)[number];

export const aggregations = ["count", "cardinality", "sum", "max", "new_value", "geo_data", "event_count", "none"] as const;
export type Aggregation = (typeof aggregations)[number];

export const ruleTypes = [
  "log_detection", "signal_correlation", "workload_security", "application_security", "api_security", "workload_activity",
  "cloud_configuration", "infrastructure_configuration",
] as const;
export type RuleType = (typeof ruleTypes)[number];

export const dataSources = ["logs", "audit", "app_sec_spans", "spans", "security_runtime", "network", "events", "security_signals"] as const;
export type DataSource = (typeof dataSources)[number];

/** A detection rule as read at the door; every text in it has been parsed. */
export interface Rule {
  readonly id: string;
  readonly version: number;
  /** As renamed by its user, if it was. */
  readonly name: string;
  readonly message: string;
  readonly isEnabled: boolean;
  readonly isDefault: boolean;
  /** The content pack it came with. */
  readonly pack?: string;
  readonly type: RuleType;
  readonly tags: readonly string[];
  readonly hasExtendedTitle: boolean;
  readonly queries: readonly RuleQuery[];
  readonly cases: readonly RuleCase[];
  readonly options: RuleOptions;
  /** Legacy filters on events. */
  readonly filters: readonly RuleFilter[];
  /** Empty: signals are per full group. */
  readonly groupSignalsBy: readonly string[];
  readonly referenceTables: readonly ReferenceTableJoin[];
  /** Runs over stored logs at these times, not live. */
  readonly schedule?: RuleSchedule;
  readonly calculatedFields: readonly CalculatedField[];
  readonly tests: readonly RuleTest[];
  /** Tests that play logs through the whole rule. */
  readonly scenarios: readonly RuleScenario[];
  /** The payload as given, for echoing. */
  readonly wire: { readonly [name: string]: unknown };
}

export interface RuleQuery {
  readonly label: string;
  /** The base query as written. */
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
  readonly dataSource: DataSource;
  /** Signal correlation: whose signals are counted, joined by which fields. */
  readonly correlation?: Correlation;
}

export interface Correlation {
  readonly ruleId: string;
  readonly correlatedBy: readonly Field[];
  /** Only values from the events of this query of the source rule. */
  readonly queryIndex?: number;
}

export interface RuleCase {
  readonly name: string;
  /** The user's own severity, where a default rule was changed. */
  readonly severity: Severity;
  /** Absent: true when any query has an event in its window. */
  readonly condition: Condition | undefined;
  readonly conditionText: string;
  readonly notifications: readonly string[];
  /** Anomaly: the percentile a condition such as `a > 0.995` names. */
  readonly percentile?: number;
  /** Third party: the case holds for events that match this. */
  readonly query?: { readonly text: string; readonly node: QueryNode };
}

export interface RuleOptions {
  readonly detectionMethod: DetectionMethod;
  readonly evaluationWindowMs: number;
  readonly keepAliveMs: number;
  readonly maxSignalDurationMs: number;
  readonly decreaseCriticalityBasedOnEnv: boolean;
  /** What belongs to the detection method alone. */
  readonly method: MethodOptions;
}

export interface RuleFilter {
  readonly action: "require" | "suppress";
  readonly node: QueryNode;
}

export interface ReferenceTableJoin {
  readonly tableName: string;
  readonly columnName: string;
  /** As written: an attribute path with or without its `@`, else a tag key. */
  readonly fieldPath: string;
  readonly checkPresence: boolean;
  /** Columns that events of the rule get, as `@reference_tables.<table>.<column>`; ours. */
  readonly columns: readonly string[];
  readonly queryLabel: string;
}

export interface RuleSchedule {
  /** RFC 5545 recurrence. */
  readonly rrule: string;
  readonly start?: string;
  readonly timezone?: string;
}

export interface CalculatedField {
  readonly name: string;
  readonly expression: string;
}

/** A unit test of one rule: a sample event and whether the query is to match it. */
export interface RuleTest {
  readonly name: string;
  readonly queryLabel: string;
  /** `log`: the event is an envelope already. `intake`: as a shipper sends it. */
  readonly format: "log" | "intake";
  readonly event: unknown;
  readonly expected: boolean;
}

/** A test of the whole rule: logs, and the signals that must come of them and no others. */
export interface RuleScenario {
  readonly name: string;
  /** In arrival order; or recorded logs, as a path seen from the rule's file. */
  readonly logs: readonly ScenarioLog[] | string;
  readonly signals: readonly ExpectedSignal[];
}

export interface ScenarioLog {
  readonly format: RuleTest["format"];
  readonly event: { readonly [name: string]: unknown };
}

/** What is not said may be anything. Times in ms. */
export interface ExpectedSignal {
  readonly case?: string;
  readonly status?: string;
  readonly group?: Readonly<Record<string, string>>;
  readonly first?: number;
  readonly last?: number;
  /** Times between which the first match lies: where a method may judge a little earlier or later. */
  readonly first_between?: readonly [low: number, high: number];
  readonly count_at_least?: number;
  readonly title?: string;
  readonly message?: string;
}

export function severityNumber(severity: Severity): number {
  return severities.indexOf(severity);
}
