/** A signal as the API gives it, as far as these pages look at it. */
export interface SignalSample {
  readonly id?: string;
  readonly eventId?: string;
  readonly queryIndex?: number;
  readonly content: Readonly<Record<string, unknown>> & { readonly timestamp?: string; readonly message?: string };
}

export interface SignalQuery {
  readonly name: string;
  readonly query: string;
  readonly aggregation: string;
  readonly metrics?: readonly string[];
  readonly groupByPaths?: readonly string[];
  readonly aggregationDetails?: { readonly eventsCount?: number; readonly value?: number; readonly distinctValues?: readonly unknown[] };
}

export interface Workflow {
  readonly events_matched: number;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly events_matched_per_query?: Readonly<Record<string, number>>;
  readonly rule: { readonly id: string; readonly name: string; readonly detectionMethod: string; readonly isDefaultRule: boolean };
  readonly triage: {
    readonly state: string;
    readonly assignee?: { readonly uuid?: string; readonly handle?: string; readonly name?: string };
    readonly archiveReason: string;
    readonly archiveComment: string;
    readonly incidentIds?: readonly number[];
    readonly version: number;
  };
}

export interface Signal {
  readonly id: string;
  readonly attributes: {
    readonly timestamp: string;
    readonly message: string;
    readonly tags: readonly string[];
    readonly severity: string;
    readonly title: string;
    readonly custom: Readonly<Record<string, unknown>> & {
      readonly workflow: Workflow;
      readonly samples?: readonly SignalSample[];
      readonly queries?: readonly SignalQuery[];
      readonly entities?: readonly string[];
      readonly groupByValues?: Readonly<Record<string, string>>;
      readonly triggeringRuleCase?: { readonly name: string; readonly status: string; readonly condition: string };
      readonly relatedQuery?: { readonly from: string; readonly to: string; readonly track: string; readonly query: string; readonly queries?: Readonly<Record<string, string>> };
      readonly relatedLogsQueryUrl?: string;
    };
  };
}

export interface Row {
  readonly id: string;
  readonly cells: ReadonlyArray<string | number | boolean | null | readonly unknown[]>;
}

export const SIGNALS = "/api/v2/security_monitoring/signals";

export const archiveReasons: Readonly<Record<string, string>> = {
  none: "No reason",
  false_positive: "False positive",
  testing_or_maintenance: "Testing or maintenance",
  remediated: "Remediated",
  investigated_case_opened: "Investigated, case opened",
  true_positive_benign: "True positive: benign",
  true_positive_malicious: "True positive: malicious",
  other: "Other",
};
