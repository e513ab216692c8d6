import type { EngineOptions } from "../index.ts";
import type { Rule, Severity } from "../rule/rule.ts";
import type { SegmentView } from "../search/segments.ts";
import type { SensitivityTable } from "../turned.ts";

/** What rules run with over past logs: as live, with rules of its own. */
export type HistorySetup = Omit<Pick<EngineOptions, "pipelines" | "suppressions" | "securityFilters" | "criticalAssets" | "referenceTables" | "stateBytes" | "allowedLatenessSeconds" | "deduplicate">, "rules"> & { readonly rules: readonly Rule[] };

/** `main`: logs, and whatever else is no audit event. `audit`: what people did. */
export const historyIndexes = ["main", "audit"] as const;
export type HistoryIndex = (typeof historyIndexes)[number];

/** Events of which times are judged. Event time in ms, `fromMs` itself and not `toMs`; infinite where there is no bound. */
export interface HistoryRange {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface HistoryRequest extends HistoryRange {
  readonly setup: HistorySetup;
  readonly index: HistoryIndex;
  /** Whose signals are told; of all rules when absent. Others may be there because these read their signals. */
  readonly judged?: readonly string[];
  /** Signals tell all that a store keeps of them. */
  readonly details?: boolean;
  /** 0, the default: kernels run in the thread that reads. */
  readonly workers?: number;
  /** The first rule is run at other settings of its dial too; what they find is counted, and told to nobody. */
  readonly turned?: boolean;
  /** So many signals are told, the first that opened; of further ones only their number. */
  readonly mostSignals?: number;
}

/** A signal in its latest state, as it is stored. */
export interface FoundSignal {
  readonly id: string;
  readonly ruleId: string;
  readonly severity: Severity;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly eventsMatched: number;
  /** JSON of a `SignalDocument`. */
  readonly document: string;
}

/** Signals that opened or changed, in no order that means anything, and those that are none any more. */
export interface FoundChanges {
  readonly signals: readonly FoundSignal[];
  readonly gone: readonly string[];
}

export interface HistoryOutcome {
  /** Not before its end. */
  readonly cancelled: boolean;
  /** Events looked at, those of other times left out. */
  readonly events: number;
  readonly signals: number;
  /** Signals beyond `mostSignals`. */
  readonly leftOut: number;
  readonly lateDropped: number;
  /** Places of the journal that could not be read. */
  readonly damaged: number;
  /** Of `turned`, once it is through. */
  readonly sensitivity?: SensitivityTable;
}

/** A journal as it stood at one moment: what is added later is not seen. */
export interface JournalSnapshot {
  readonly folder: string;
  readonly segments: readonly SegmentView[];
}

/** More signals than anybody looks at: a rule that fires at everything. */
export class TooManySignals extends Error {
  constructor(most: number) {
    super(`more than ${most} signals: narrow the query, raise the condition or shorten the time`);
    this.name = "TooManySignals";
  }
}
