import type { Severity } from "../rule/rule.ts";

export const triageStates = ["open", "under_review", "archived"] as const;
export type TriageState = (typeof triageStates)[number];

export const archiveReasons = [
  "none", "false_positive", "testing_or_maintenance", "remediated", "investigated_case_opened", "true_positive_benign", "true_positive_malicious", "other",
] as const;
export type ArchiveReason = (typeof archiveReasons)[number];

/** Somebody, as they were called at the time. */
export interface Person {
  readonly uuid: string;
  readonly handle: string;
  readonly name: string;
}

/** What people made of a signal. Times in ms. */
export interface Triage {
  readonly state: TriageState;
  /** Absent: nobody's. */
  readonly assignee?: Person;
  /** `none` unless archived. */
  readonly archiveReason: ArchiveReason;
  readonly archiveComment: string;
  readonly archiveCommentBy?: Person;
  readonly archiveCommentMs?: number;
  readonly stateUpdatedBy?: Person;
  readonly stateUpdatedMs?: number;
  readonly firstUnderReviewMs?: number;
  /** The latest time it was archived; it may be open again since. */
  readonly lastArchivedMs?: number;
  readonly incidentIds: readonly number[];
  readonly caseIds: readonly string[];
  /** From 1, one more with each write. */
  readonly version: number;
}

export const untouched: Triage = { state: "open", archiveReason: "none", archiveComment: "", incidentIds: [], caseIds: [], version: 1 };

/** A signal as the store has it. Times in ms. */
export interface StoredSignal {
  readonly id: string;
  readonly ruleId: string;
  readonly severity: Severity;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly eventsMatched: number;
  /** When the store first heard of it. */
  readonly createdMs: number;
  /** When detection is done with it, if it hears of no other match; in event time, absent where it is not known. */
  readonly closesMs?: number;
  /** Grows with each stored change, detection's or a person's, from 1. */
  readonly version: number;
  /** Number of its latest change among those of all signals. */
  readonly changeNumber: number;
  readonly triage: Triage;
  /** JSON of a `SignalDocument`. */
  readonly document: string;
}
