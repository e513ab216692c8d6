import type { Severity } from "../rule/rule.ts";
import { type Signal, signalText } from "../signal/signal.ts";
import type { SqlDriver, SqlRow } from "./driver.ts";

export interface StoredSignal {
  readonly id: string;
  readonly ruleId: string;
  readonly severity: Severity;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly eventsMatched: number;
  /** When the store first heard of it. */
  readonly createdMs: number;
  /** Grows with each stored change, from 1. */
  readonly version: number;
  /** As `vespid run --json` prints it. */
  readonly document: string;
}

const UPSERT = `
  INSERT INTO signals (id, rule_id, severity, first_seen, last_seen, events_matched, created_at, version, document)
  VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)
  ON CONFLICT (id) DO UPDATE SET
    severity = excluded.severity, first_seen = excluded.first_seen, last_seen = excluded.last_seen,
    events_matched = excluded.events_matched, document = excluded.document, version = version + 1
  WHERE document <> excluded.document`;

/**
 * Signals on disk, by id. A signal that detection tells again, as it does after a restart, is the same row: none is lost,
 * none is there twice.
 */
export class SignalStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  /** In one transaction; `gone` are those that turned out to be part of others. */
  save(signals: Iterable<Signal>, gone: Iterable<string>, nowMs: number): void {
    this.#sql.transaction(() => {
      for (const signal of signals) {
        this.#sql.run(UPSERT, signal.id, signal.ruleId, signal.severity, signal.firstSeenMs, signal.lastSeenMs, signal.eventsMatched, nowMs, signalText(signal));
      }
      for (const id of gone) this.#sql.run("DELETE FROM signals WHERE id = ?", id);
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
}

function storedSignal(row: SqlRow): StoredSignal {
  return {
    id: String(row.id), ruleId: String(row.rule_id), severity: row.severity as Severity, firstSeenMs: Number(row.first_seen), lastSeenMs: Number(row.last_seen),
    eventsMatched: Number(row.events_matched), createdMs: Number(row.created_at), version: Number(row.version), document: String(row.document),
  };
}
