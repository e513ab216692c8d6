import type { Field, QueryNode } from "../query/tree.ts";
import type { Condition } from "./condition.ts";
import type { Severity } from "./rule.ts";

/** Options of one detection method; `content_anomaly` and its other name `anomaly_threshold` are one. */
export type MethodOptions =
  | { readonly kind: "threshold" }
  | NewValueOptions
  | AnomalyOptions
  | ContentAnomalyOptions
  | ImpossibleTravelOptions
  | ThirdPartyOptions
  | SequenceOptions
  | { readonly kind: "hardcoded"; readonly evaluator: "log4shell" };

export interface NewValueOptions {
  readonly kind: "new_value";
  readonly learning: { readonly kind: "duration"; readonly days: number } | { readonly kind: "threshold"; readonly values: number };
  readonly forgetAfterDays: number;
  readonly instantaneousBaseline: boolean;
}

export interface AnomalyOptions {
  readonly kind: "anomaly_detection";
  readonly bucketSeconds: number;
  /** 1 (sensitive) to 5. */
  readonly tolerance: number;
  readonly learningHours: number;
  /** Upper bound while a group is still learned; absent: no bound. */
  readonly learningBaseline?: number;
  readonly instantaneousBaseline: boolean;
}

export interface ContentAnomalyOptions {
  readonly kind: "content_anomaly";
  readonly learningDays: number;
  readonly forgetAfterDays: number;
  readonly similarityPercent: number;
  readonly similarItems: number;
}

export interface ImpossibleTravelOptions {
  readonly kind: "impossible_travel";
  /** Absent: no baseline of locations is kept. */
  readonly baselineDays?: number;
}

export interface ThirdPartyOptions {
  readonly kind: "third_party";
  readonly rootQueries: readonly RootQuery[];
  readonly defaultSeverity: Severity;
  readonly defaultNotifications: readonly string[];
  readonly signalTitleTemplate: string;
}

export interface RootQuery {
  readonly text: string;
  readonly node: QueryNode;
  readonly groupByNames: readonly string[];
  readonly groupBy: readonly Field[];
}

export interface SequenceOptions {
  readonly kind: "sequence_detection";
  readonly steps: readonly SequenceStep[];
  /** Longest time from one step to the next, one fewer than there are steps. */
  readonly transitionMs: readonly number[];
}

export interface SequenceStep {
  readonly name: string;
  readonly condition: Condition | undefined;
  readonly windowMs: number;
}
