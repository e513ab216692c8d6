import type { Travel } from "./method/method.ts";

/** An anomalous bucket beside its bound; the middle of its past is worked out when asked for. */
export interface AnomalyFacts {
  readonly bucketStartMs: number;
  readonly observed: number;
  readonly upper: number;
  readonly expected: () => number;
}

/** A case came true for one group at one event time. To be read only while it is handed on: what it shows is the state at hand. */
export interface CaseHit {
  readonly ruleIndex: number;
  readonly caseIndex: number;
  /** Group values, in the order of the first query's group-by fields. */
  readonly group: readonly string[];
  /** The same text for the same group of a rule, and for no other. */
  readonly groupKey: string;
  readonly timeMs: number;
  /** Slot in the recent events of the event that made it. */
  readonly slot: number;
  /** The same match as an earlier hit of the group, which had this time. */
  readonly movedFromMs?: number | undefined;
  /** What impossible travel has to say of it. */
  readonly travel?: Travel;
  /** The same of a volume anomaly, and of new values: one of each metric. */
  readonly anomaly?: AnomalyFacts | undefined;
  readonly newValues?: readonly string[] | undefined;
  /** Events of all queries' windows; `fresh`: those that no hit of the group was counted for. */
  events(which: "all" | "fresh"): HitEvents;
  /** The same; they are counted from now on. */
  count(which: "all" | "fresh"): HitEvents;
}

export interface HitEvents {
  /** Exact as long as the windows fit what is kept of them, else too low. */
  readonly total: number;
  /** How many each query saw, by its place in the rule. */
  readonly perQuery: readonly number[];
  /** Slots in the recent events, by time; of many, the first and the last. */
  readonly slots: readonly number[];
}
