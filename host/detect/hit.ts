/** Where the bytes of a matched event lie in the recent-events ring. */
export interface EventRef {
  /** Bytes ever written before it. */
  readonly position: number;
  readonly length: number;
  /** Number of the event in the whole stream. */
  readonly event: number;
  readonly timeMs: number;
  /** Which input profile it came in by. */
  readonly profile: number;
}

/** A case came true for one group at one event time. */
export interface CaseHit {
  readonly ruleIndex: number;
  readonly caseIndex: number;
  /** Group values, in the order of the first query's group-by fields. */
  readonly group: readonly string[];
  readonly timeMs: number;
  /** Events of the windows that no earlier hit of this group counted, oldest first. */
  readonly events: readonly EventRef[];
  /** Of those, how many each query (by its place in the rule) saw. */
  readonly perQuery: readonly number[];
}
