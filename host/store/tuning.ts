import type { ArchiveReason, TriageState } from "../signal-model/stored.ts";
import type { SqlDriver } from "./driver.ts";

/** Signals of one rule of one state and reason. */
export interface OutcomeCount {
  readonly state: TriageState;
  readonly reason: ArchiveReason;
  readonly signals: number;
  readonly events: number;
}

/** What became of a rule's signals, for whoever tunes it. Times are of the first match, inclusive, in milliseconds. */
export class TuningStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  outcomes(ruleId: string, fromMs: number, toMs: number): OutcomeCount[] {
    return this.#sql.all(
      "SELECT triage_state AS state, archive_reason AS reason, count(*) AS signals, sum(events_matched) AS events FROM signals WHERE rule_id = ? AND first_seen BETWEEN ? AND ? GROUP BY triage_state, archive_reason",
      ruleId, fromMs, toMs,
    ).map(({ state, reason, signals, events }) => ({ state: state as TriageState, reason: reason as ArchiveReason, signals: Number(signals), events: Number(events) }));
  }

  /** Documents of the newest signals that are false positives, or that are not. */
  documents(ruleId: string, fromMs: number, toMs: number, isFalsePositive: boolean, limit: number): string[] {
    return this.#sql.all(
      `SELECT document FROM signals WHERE rule_id = ? AND first_seen BETWEEN ? AND ? AND ${isFalsePositive ? "" : "NOT "}(triage_state = 'archived' AND archive_reason = 'false_positive') ORDER BY first_seen DESC, id LIMIT ?`,
      ruleId, fromMs, toMs, limit,
    ).map(({ document }) => String(document));
  }
}
