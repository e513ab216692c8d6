/** A case came true for one group at one event time. */
export interface CaseHit {
  readonly ruleIndex: number;
  readonly caseIndex: number;
  /** Group values, in the order of the first query's group-by fields. */
  readonly group: readonly string[];
  readonly timeMs: number;
  /** Slots in the recent events: events of the windows that no earlier hit of this group counted, by time. */
  readonly events: readonly number[];
  /** Of those, how many each query (by its place in the rule) saw. */
  readonly perQuery: readonly number[];
}
