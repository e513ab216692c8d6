import type { Json } from "../event/event.ts";
import type { Aggregation, DataSource, DetectionMethod, RuleType, Severity } from "../rule/rule.ts";

/** A signal as it is stored: what `vespid run --json` prints of it, and `details` where the engine was asked for them. Times in ms. */
export interface SignalDocument {
  readonly id: string;
  readonly rule_id: string;
  readonly rule_name: string;
  readonly case: string;
  readonly severity: Severity;
  /** Field as the rule writes it to its text value. */
  readonly group: Readonly<Record<string, string>>;
  readonly first_seen: number;
  readonly last_seen: number;
  readonly events_matched: number;
  readonly title: string;
  readonly message: string;
  readonly tags: readonly string[];
  readonly details?: DocumentDetails;
  /** `DocumentSample` beside details; else records as received. */
  readonly samples: readonly Json[];
}

export interface DocumentDetails {
  readonly rule: DocumentRule;
  readonly case: DocumentCase;
  readonly queries: readonly DocumentQuery[];
  readonly hosts: readonly string[];
  readonly services: readonly string[];
  readonly sources: readonly string[];
  /** The rule's and those of the events, keys of too many values left out. */
  readonly tags: readonly string[];
  /** Of all events, one beside the other: a scalar while there is one value, then a list. */
  readonly attributes: { readonly [name: string]: Json };
  /** Of too many values to be kept: paths without `@`, keys of tags. */
  readonly high_cardinality: { readonly attributes: readonly string[]; readonly tags: readonly string[] };
  /** Values for which there was no room. */
  readonly left_out?: number;
  /** What its method has to say, such as `impossible_travel`. */
  readonly method?: { readonly [name: string]: Json };
  /** Is the severity lower for its environment's sake? */
  readonly env_decremented: boolean;
  /** Of the log that made the case true that names the signal. */
  readonly triggered_at: number;
  /** Of the earliest event that was looked into. */
  readonly first_event_at: number;
}

/** Of the rule as it was when the signal changed last. */
export interface DocumentRule {
  readonly version: number;
  readonly type: RuleType;
  readonly method: DetectionMethod;
  readonly is_default: boolean;
  readonly tags: readonly string[];
  readonly data_source: DataSource;
  readonly window_ms: number;
  readonly keep_alive_ms: number;
  readonly max_duration_ms: number;
  readonly deprecated_at?: number;
}

export interface DocumentCase {
  readonly index: number;
  readonly name: string;
  readonly severity: Severity;
  readonly condition: string;
  readonly notifications: readonly string[];
}

/** One query of the rule over the signal's events. */
export interface DocumentQuery {
  readonly name: string;
  readonly query: string;
  readonly aggregation: Aggregation;
  readonly distinct_fields: readonly string[];
  readonly metrics: readonly string[];
  readonly group_by: readonly string[];
  readonly events: number;
  /** Of its distinct fields and metrics, as far as they are kept. */
  readonly distinct_values: readonly string[];
  /** Its aggregation over all events of the signal; absent where that is not known exactly. */
  readonly value?: number;
}

export interface DocumentSample {
  readonly event_id: string;
  /** Of the rule's queries the first that takes it. */
  readonly query_index?: number;
  readonly content: {
    readonly timestamp?: number;
    readonly status?: string;
    readonly service?: string;
    readonly host?: string;
    readonly source?: string;
    readonly message?: string;
    readonly tags: readonly string[];
    readonly custom: { readonly [name: string]: Json };
    /** The event was too long: its attributes are left out. */
    readonly truncated?: true;
  };
}
