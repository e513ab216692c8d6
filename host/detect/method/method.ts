import type { AnomalyFacts } from "../hit.ts";

/** An event with its matches of one rule's queries, in the order they came in. Good for the call only. */
export interface MethodEvent {
  readonly timeMs: number;
  /** Highest event time of the event's stream, this event included. */
  readonly highMs: number;
  /** Slot in the recent events: grows by one with every event that matched anything. */
  readonly slot: number;
  /** By query, then group: an event whose group field is an array belongs to several groups. */
  readonly matches: readonly MethodMatch[];
}

export interface MethodMatch {
  /** Place of the query among those the rule runs. Third party: the root queries, then the cases' queries. */
  readonly queryIndex: number;
  /** The same text for the same group of a rule, and for no other. */
  readonly groupKey: string;
  /** Group values, in the order of the query's group-by fields. Decoded when asked for. */
  readonly group: readonly string[];
  /** Values of each field the method looks at (metrics, or distinct fields), in order; none where the event has none. Decoded when asked for. */
  readonly values: ReadonlyArray<readonly string[]>;
  /** Metric of a sum, NaN where there is none; 64-bit hash of the distinct values as its bits read as f64 for a cardinality. */
  readonly number: number;
}

/** Events that took part in a hit. */
export interface MethodHitEvents {
  /** By time. */
  readonly slots: readonly number[];
  /** How many each query saw, of `total`. */
  readonly perQuery: readonly number[];
  readonly total: number;
}

/** A match of a rule in the sense of signals: a case is true. Good for the call only. */
export interface MethodHit {
  readonly caseIndex: number;
  readonly groupKey: string;
  readonly group: readonly string[];
  readonly timeMs: number;
  /** Slot of the event that made it. */
  readonly slot: number;
  /** Slots of events that took part and that no earlier hit of the group was counted for, by time. */
  readonly slots: readonly number[];
  /** How many each query saw, of `total`. */
  readonly perQuery: readonly number[];
  readonly total: number;
  /** Those and the ones an earlier hit was counted for; the same where left out. */
  readonly all?: MethodHitEvents;
  /** The same match as an earlier hit, which had this time. */
  readonly movedFromMs?: number;
  /** The two places and the way between them, of impossible travel. */
  readonly travel?: Travel;
  /** The bucket and its bound, of a volume anomaly; good for the call only. */
  readonly anomaly?: AnomalyFacts;
  /** What was new, one value of each metric. */
  readonly newValues?: readonly string[];
}

/** Where a user was at a time, in decimal degrees. */
export interface TravelStop {
  readonly slot: number;
  readonly timeMs: number;
  readonly latitude: number;
  readonly longitude: number;
}

/** Two accesses of one user by time. */
export interface Travel {
  readonly first: TravelStop;
  readonly second: TravelStop;
  readonly distanceKm: number;
}

export type OnHit = (hit: MethodHit) => void;

export interface MethodCounts {
  readonly groups: number;
  readonly stateBytes: number;
  /** Matches that came too late to be judged. */
  readonly lateDropped: number;
  /** Groups or values given up for want of room. */
  readonly evicted: number;
  /** Values known only by a filter, for want of room: with a chance of error that misses a signal. */
  readonly filtered?: number;
}

/**
 * Detection of one rule by one method. Event time only; the same events in the same order give the same hits and the same state.
 */
export interface MethodDetector {
  apply(event: MethodEvent, onHit: OnHit): void;
  /** No event before this time is to come any more, or none that would be judged: what waits for time to pass goes on. */
  advance(timeMs: number, onHit: OnHit): void;
  counts(): MethodCounts;
  /** All of the state as bytes with a version at their start, and back; `restore` answers why not where they do not fit. */
  save(): Uint8Array;
  restore(bytes: Uint8Array): string | undefined;
}
