import type { Person, Triage } from "../signal-model/stored.ts";
import { type TriageAction, type TriageChange, type TriageRefusal, changedTriage, signalNotFound } from "../signal-model/triage.ts";
import type { SqlDriver, SqlRow, SqlValue } from "./driver.ts";
import { triageOf } from "./signal-row.ts";
import { nextChange } from "./signals.ts";

/** What became of one write. */
export type TriageOutcome =
  | { readonly kind: "changed"; readonly id: string; readonly before: Triage; readonly triage: Triage; readonly actions: readonly TriageAction[] }
  /** It was so already: nothing is written, and it is no failure. */
  | { readonly kind: "unchanged"; readonly id: string; readonly triage: Triage }
  | { readonly kind: "refused"; readonly id: string; readonly refusal: TriageRefusal };

export interface BulkItem {
  readonly id: string;
  readonly change: TriageChange;
}

/** One action of a signal's history. */
export interface HistoryEntry {
  /** Grows with each action of any signal. */
  readonly number: number;
  readonly timestampMs: number;
  readonly actor: Person;
  readonly action: TriageAction;
  readonly before: unknown;
  readonly after: unknown;
  /** The triage's version behind it: what was done in one write has one. */
  readonly triageVersion: number;
}

export interface TriageStoreOptions {
  /** The clock, in ms. */
  readonly nowMs: () => number;
  /** Of a signal that somebody may not see a write answers as of one that is not there. Default: all are seen. */
  readonly isVisible?: (id: string) => boolean;
}

/** Signals one call may change. */
export const BULK_CAP = 500;
const HISTORY_PAGE = 1000;

const TRIAGE_COLUMNS = "created_at, triage_version, triage_state, assignee, archive_reason, archive_comment, archive_comment_by, archive_comment_at, state_updated_by, state_updated_at, first_under_review_at, last_archived_at, incident_ids, case_ids";
const READ = `SELECT ${TRIAGE_COLUMNS} FROM signals WHERE id = ?`;
/** Columns of people alone: what detection writes stands in others. */
const WRITE = `
  UPDATE signals SET triage_version = ?, triage_state = ?, assignee = ?, archive_reason = ?, archive_comment = ?, archive_comment_by = ?, archive_comment_at = ?,
    state_updated_by = ?, state_updated_at = ?, first_under_review_at = ?, last_archived_at = ?, incident_ids = ?, case_ids = ?, version = version + 1, change_number = ?
  WHERE id = ?`;

/** What people do with signals: each write with its history is one transaction. */
export class TriageStore {
  readonly #sql: SqlDriver;
  readonly #options: TriageStoreOptions;

  constructor(sql: SqlDriver, options: TriageStoreOptions) {
    this.#sql = sql;
    this.#options = options;
  }

  change(id: string, change: TriageChange, actor: Person): TriageOutcome {
    return this.#sql.transaction(() => this.#change(id, change, actor, this.#options.nowMs()));
  }

  /**
   * Many signals in one transaction, in order; one that is refused holds no other back.
   *
   * @returns an outcome for each item; a refusal of the whole when they are too many.
   */
  bulk(items: readonly BulkItem[], actor: Person): readonly TriageOutcome[] | TriageRefusal {
    if (items.length > BULK_CAP) return { code: "signal/too-many", status: 400, text: `${items.length} signals in one call: ${BULK_CAP} are the most` };
    const nowMs = this.#options.nowMs();
    return this.#sql.transaction(() => items.map(({ id, change }) => this.#change(id, change, actor, nowMs)));
  }

  /** Undefined when there is no such signal. */
  get(id: string): Triage | undefined {
    const row = this.#sql.get(READ, id);
    return row && triageOf(row);
  }

  /**
   * What was done to a signal, newest first.
   *
   * @param beforeNumber goes on behind an entry of this number.
   */
  history(id: string, limit = HISTORY_PAGE, beforeNumber = Number.MAX_SAFE_INTEGER): HistoryEntry[] {
    return this.#sql.all("SELECT * FROM signal_history WHERE signal_id = ? AND number < ? ORDER BY number DESC LIMIT ?", id, beforeNumber, limit).map(historyEntry);
  }

  #change(id: string, change: TriageChange, actor: Person, nowMs: number): TriageOutcome {
    const row = this.#sql.get(READ, id);
    if (!row || this.#options.isVisible?.(id) === false) return { kind: "refused", id, refusal: signalNotFound() };
    const before = triageOf(row);
    const by = { uuid: actor.uuid, handle: actor.handle, name: actor.name };
    const verdict = changedTriage(before, Number(row.created_at), change, by, nowMs);
    if (verdict.kind === "refused") return { ...verdict, id };
    if (verdict.kind === "unchanged") return { kind: "unchanged", id, triage: before };
    const { triage, steps } = verdict;
    this.#sql.run(WRITE, ...valuesOf(triage), nextChange(this.#sql), id);
    for (const step of steps) {
      this.#sql.run(
        "INSERT INTO signal_history (signal_id, at, actor, action, before, after, triage_version) VALUES (?, ?, ?, ?, ?, ?, ?)",
        id, nowMs, JSON.stringify(by), step.action, JSON.stringify(step.before), JSON.stringify(step.after), triage.version,
      );
    }
    return { kind: "changed", id, before, triage, actions: steps.map(({ action }) => action) };
  }
}

function valuesOf(triage: Triage): SqlValue[] {
  const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));
  return [
    triage.version, triage.state, json(triage.assignee), triage.archiveReason, triage.archiveComment, json(triage.archiveCommentBy), triage.archiveCommentMs ?? null,
    json(triage.stateUpdatedBy), triage.stateUpdatedMs ?? null, triage.firstUnderReviewMs ?? null, triage.lastArchivedMs ?? null, JSON.stringify(triage.incidentIds), JSON.stringify(triage.caseIds),
  ];
}

function historyEntry(row: SqlRow): HistoryEntry {
  return {
    number: Number(row.number), timestampMs: Number(row.at), actor: JSON.parse(String(row.actor)) as Person, action: row.action as TriageAction,
    before: JSON.parse(String(row.before)) as unknown, after: JSON.parse(String(row.after)) as unknown, triageVersion: Number(row.triage_version),
  };
}
