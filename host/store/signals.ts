import { type SignalLink, linksOf } from "../signal-model/entities.ts";
import type { StoredSignal } from "../signal-model/stored.ts";
import type { SignalDocument } from "../signal/document.ts";
import { type Signal, storedForm } from "../signal/signal.ts";
import type { SqlDriver } from "./driver.ts";
import { storedSignal } from "./signal-row.ts";

export type { StoredSignal } from "../signal-model/stored.ts";

/** Columns of detection alone: what people write stands in others. */
const UPSERT = `
  INSERT INTO signals (id, rule_id, severity, first_seen, last_seen, events_matched, created_at, version, closes_at, entities, document, change_number)
  VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET
    severity = excluded.severity, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
    events_matched = excluded.events_matched, closes_at = excluded.closes_at, entities = excluded.entities,
    document = excluded.document, version = version + 1, change_number = excluded.change_number`;

const TRIAGE = "triage_version, triage_state, assignee, archive_reason, archive_comment, archive_comment_by, archive_comment_at, state_updated_by, state_updated_at, first_under_review_at, last_archived_at, incident_ids, case_ids";
const HAND_ON = `
  UPDATE signals SET version = version + 1, change_number = ?, (${TRIAGE}) = (SELECT ${TRIAGE} FROM signals WHERE id = ?)
  WHERE id = ? AND triage_version = 1 AND (SELECT triage_version FROM signals WHERE id = ?) > 1`;

/** A signal that is none any more, and the one that has its events now. */
export interface GoneSignal {
  readonly id: string;
  readonly into?: string;
}

/** A link as the column `entities` has it. */
type SavedLink = readonly [entity: string, type: string | null, isPrimary: boolean];

/**
 * Signals on disk, by id. A signal that detection tells again, as it does after a restart, is the same row: none is lost,
 * none is there twice.
 */
export class SignalStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  /** In one transaction; `gone` are those that turned out to be part of others, by id. */
  save(signals: Iterable<Signal>, gone: Iterable<string | GoneSignal>, nowMs: number): void {
    this.#sql.transaction(() => {
      const before = lastChange(this.#sql);
      let changes = before;
      for (const signal of signals) if (this.#saveOne(signal, changes + 1, nowMs)) changes++;
      for (const each of gone) {
        const { id, into } = typeof each === "string" ? { id: each } : each;
        if (into !== undefined && this.#handOn(id, into, changes + 1)) changes++;
        this.#sql.run("DELETE FROM signals WHERE id = ?", id);
      }
      if (changes > before) this.#sql.run("UPDATE signal_changes SET number = ?", changes);
    });
  }

  get(id: string): StoredSignal | undefined {
    const row = this.#sql.get("SELECT * FROM signals WHERE id = ?", id);
    return row && storedSignal(row);
  }

  get count(): number {
    return Number(this.#sql.get("SELECT count(*) AS count FROM signals")!.count);
  }

  /** Newest first. */
  latest(limit: number): StoredSignal[] {
    return this.#sql.all("SELECT * FROM signals ORDER BY first_seen DESC, id LIMIT ?", limit).map(storedSignal);
  }

  /** All, oldest first. */
  all(): StoredSignal[] {
    return this.#sql.all("SELECT * FROM signals ORDER BY first_seen, id").map(storedSignal);
  }

  /** Those that changed after a change of this number, in order of their latest change; from 0 on all of them. */
  changedAfter(changeNumber: number, limit: number): StoredSignal[] {
    return this.#sql.all("SELECT * FROM signals WHERE change_number > ? ORDER BY change_number LIMIT ?", changeNumber, limit).map(storedSignal);
  }

  /** False where nothing of it has changed. */
  #saveOne(signal: Signal, changeNumber: number, nowMs: number): boolean {
    const { document, text } = storedForm(signal);
    const known = this.#sql.get("SELECT document = ? AS is_same, entities, first_seen FROM signals WHERE id = ?", text, signal.id);
    if (known?.is_same === 1) return false;
    const links = linksOf(document);
    const entities = JSON.stringify(links.map(({ entity, type, isPrimary }): SavedLink => [entity, type ?? null, isPrimary]));
    this.#sql.run(
      UPSERT, signal.id, signal.ruleId, signal.severity, signal.firstSeenMs, signal.lastSeenMs, signal.eventsMatched, nowMs,
      closesAt(document), entities, text, changeNumber,
    );
    this.#link(signal, links, known && known.first_seen === signal.firstSeenMs ? (JSON.parse(String(known.entities)) as SavedLink[]) : known ? "moved" : []);
    return true;
  }

  /** What people did with a signal is done with the one it is part of, where nobody did anything with that. */
  #handOn(id: string, into: string, changeNumber: number): boolean {
    if (this.#sql.run(HAND_ON, changeNumber, id, into, id).changes === 0) return false;
    this.#sql.run("UPDATE signal_history SET signal_id = ? WHERE signal_id = ?", into, id);
    return true;
  }

  /** Writes what is new of a signal's links, and takes out what is none any more. */
  #link({ id, firstSeenMs }: Signal, links: readonly SignalLink[], before: readonly SavedLink[] | "moved"): void {
    if (before === "moved") this.#sql.run("DELETE FROM signal_entities WHERE signal_id = ?", id);
    const known = new Map(before === "moved" ? [] : before.map(([entity, type, isPrimary]) => [entity, `${type} ${isPrimary}`]));
    for (const { entity, type, isPrimary } of links) {
      const state = known.get(entity);
      known.delete(entity);
      if (state === `${type ?? null} ${isPrimary}`) continue;
      this.#sql.run("INSERT OR REPLACE INTO signal_entities (entity, time, signal_id, type, is_primary) VALUES (?, ?, ?, ?, ?)", entity, firstSeenMs, id, type ?? null, isPrimary ? 1 : 0);
    }
    for (const entity of known.keys()) this.#sql.run("DELETE FROM signal_entities WHERE entity = ? AND time = ? AND signal_id = ?", entity, firstSeenMs, id);
  }
}

/** Number of the latest change of any signal. */
function lastChange(sql: SqlDriver): number {
  return Number(sql.get("SELECT number FROM signal_changes")!.number);
}

/** Number of a change that is being written; within its transaction. */
export function nextChange(sql: SqlDriver): number {
  const number = lastChange(sql) + 1;
  sql.run("UPDATE signal_changes SET number = ?", number);
  return number;
}

/** When the signal takes no further match, if none comes: event time in ms. */
function closesAt({ details, first_seen, last_seen }: Omit<SignalDocument, "samples">): number | null {
  return details ? Math.min(last_seen + details.rule.keep_alive_ms, first_seen + details.rule.max_duration_ms) : null;
}
