import { hash } from "node:crypto";
import type { Severity } from "../rule/rule.ts";
import { linksOf } from "../signal-model/entities.ts";
import { type Person, type StoredSignal, untouched } from "../signal-model/stored.ts";
import type { SignalDocument } from "../signal/document.ts";
import type { SqlDriver, SqlRow, SqlValue } from "./driver.ts";
import { nextChange } from "./signals.ts";

export const jobStatuses = ["pending", "running", "completed", "failed", "cancelled"] as const;
export type JobStatus = (typeof jobStatuses)[number];

/** A job as it is asked for. */
export interface NewJob {
  readonly id: string;
  readonly name: string;
  /** As answers show it. */
  readonly definition: unknown;
  /** What is run, in the words of whoever runs it. */
  readonly work: unknown;
  readonly fromRuleId?: string;
  readonly signalOutput: boolean;
  readonly createdBy: Person;
}

/** Times in ms. */
export interface StoredJob extends NewJob {
  readonly status: JobStatus;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** From 0 to 1; of one that runs, whoever runs it knows. */
  readonly progress: number;
  readonly run: number;
  /** Once it is completed. */
  readonly signals: number;
  readonly leftOut: number;
  readonly events: number;
  /** Why it failed, or what is to be known of what it found. */
  readonly note: string;
  /** How loud its rule would be at other settings; undefined where nobody asked. */
  readonly sensitivity: unknown;
}

/** A signal that a job found. */
export interface JobSignal {
  readonly id: string;
  readonly ruleId: string;
  readonly severity: Severity;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly eventsMatched: number;
  /** JSON of a `SignalDocument`. */
  readonly document: string;
}

/** Place in the order by time. */
export interface JobSignalKey {
  readonly timeMs: number;
  readonly id: string;
}

export interface JobSignalPage {
  readonly jobId?: string;
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly isDescending: boolean;
  readonly after?: JobSignalKey;
  readonly limit: number;
}

const JOB_ID_CHARS = 36;

/** Historical jobs and their results, which are known by job and signal: `<job id>-<signal id>`. */
export class JobStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  add(job: NewJob, nowMs: number): void {
    this.#sql.run(
      `INSERT INTO historical_jobs (id, name, status, definition, work, from_rule_id, signal_output, created_by, user_id, created_at, modified_at, progress, run, signals, left_out, events, note)
       VALUES (?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, '')`,
      job.id, job.name, JSON.stringify(job.definition), JSON.stringify(job.work), job.fromRuleId ?? null, job.signalOutput ? 1 : 0, JSON.stringify(job.createdBy), job.createdBy.uuid, nowMs, nowMs,
    );
  }

  get(id: string): StoredJob | undefined {
    const row = this.#sql.get("SELECT * FROM historical_jobs WHERE id = ?", id);
    return row && storedJob(row);
  }

  /** Newest first. */
  list(): StoredJob[] {
    return this.#sql.all("SELECT * FROM historical_jobs ORDER BY created_at DESC, id").map(storedJob);
  }

  count(status?: JobStatus): number {
    const row = status === undefined ? this.#sql.get("SELECT count(*) AS count FROM historical_jobs") : this.#sql.get("SELECT count(*) AS count FROM historical_jobs WHERE status = ?", status);
    return Number(row!.count);
  }

  /** Oldest first. */
  pending(): ReadonlyArray<{ readonly id: string; readonly userId: string }> {
    return this.#sql.all("SELECT id, user_id FROM historical_jobs WHERE status = 'pending' ORDER BY created_at, rowid").map((row) => ({ id: String(row.id), userId: String(row.user_id) }));
  }

  /** Jobs that a stop has cut short are begun anew; what they had found is gone. */
  resume(nowMs: number): string[] {
    return this.#sql.transaction(() => {
      this.#sql.run("DELETE FROM historical_signals WHERE NOT EXISTS (SELECT 1 FROM historical_jobs AS job WHERE job.id = job_id AND job.results_run = historical_signals.run)");
      const cut = this.#sql.all("SELECT id FROM historical_jobs WHERE status = 'running'").map(({ id }) => String(id));
      this.#sql.run("UPDATE historical_jobs SET status = 'pending', progress = 0, modified_at = ? WHERE status = 'running'", nowMs);
      return cut;
    });
  }

  /** @returns the number of this run. */
  begin(id: string, nowMs: number): number {
    return Number(this.#sql.get("UPDATE historical_jobs SET status = 'running', progress = 0, run = run + 1, modified_at = ? WHERE id = ? RETURNING run", nowMs, id)!.run);
  }

  /** Signals found so far, in their latest state; nobody sees them before the run is completed. */
  stage(id: string, run: number, signals: readonly JobSignal[], gone: readonly string[]): void {
    this.#sql.transaction(() => {
      for (const signalId of gone) this.#sql.run("DELETE FROM historical_signals WHERE job_id = ? AND run = ? AND signal_id = ?", id, run, signalId);
      for (const { id: signalId, ruleId, severity, firstSeenMs, lastSeenMs, eventsMatched, document } of signals) {
        this.#sql.run(
          `INSERT INTO historical_signals (job_id, run, signal_id, rule_id, severity, first_seen, last_seen, events_matched, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (job_id, run, signal_id) DO UPDATE SET severity = excluded.severity, first_seen = excluded.first_seen, last_seen = excluded.last_seen, events_matched = excluded.events_matched, document = excluded.document`,
          id, run, signalId, ruleId, severity, firstSeenMs, lastSeenMs, eventsMatched, document,
        );
      }
    });
  }

  complete(id: string, run: number, found: Pick<StoredJob, "signals" | "leftOut" | "events" | "note" | "sensitivity">, nowMs: number): void {
    this.#sql.transaction(() => {
      this.#sql.run("UPDATE historical_jobs SET status = 'completed', progress = 1, results_run = ?, signals = ?, left_out = ?, events = ?, note = ?, sensitivity = ?, modified_at = ? WHERE id = ?", run, found.signals, found.leftOut, found.events, found.note, found.sensitivity === undefined ? null : JSON.stringify(found.sensitivity), nowMs, id);
      this.#sql.run("DELETE FROM historical_signals WHERE job_id = ? AND run <> ?", id, run);
    });
  }

  /** Without results. */
  end(id: string, status: "failed" | "cancelled", note: string, nowMs: number): void {
    this.#sql.transaction(() => {
      this.#sql.run("UPDATE historical_jobs SET status = ?, note = ?, modified_at = ? WHERE id = ?", status, note, nowMs, id);
      this.#sql.run("DELETE FROM historical_signals WHERE job_id = ?", id);
    });
  }

  delete(id: string): void {
    this.#sql.run("DELETE FROM historical_jobs WHERE id = ?", id);
  }

  /** A found signal as signals are stored; it was made when it happened. Undefined where no completed job found it. */
  signal(id: string): StoredSignal | undefined {
    const row = this.#sql.get(`${SHOWN} AND s.job_id = ? AND s.signal_id = ?`, id.slice(0, JOB_ID_CHARS), id.slice(JOB_ID_CHARS + 1));
    return row && id[JOB_ID_CHARS] === "-" ? foundSignal(row) : undefined;
  }

  /** In the order of time, those of the same time by id. */
  signals({ jobId, fromMs, toMs, isDescending, after, limit }: JobSignalPage): StoredSignal[] {
    const parts: string[] = [];
    const values: SqlValue[] = [];
    const add = (part: string, ...own: SqlValue[]): void => {
      parts.push(` AND ${part}`);
      values.push(...own);
    };
    if (jobId !== undefined) add("s.job_id = ?", jobId);
    if (fromMs !== undefined) add("s.first_seen >= ?", fromMs);
    if (toMs !== undefined) add("s.first_seen < ?", toMs);
    if (after) add(`(s.first_seen, s.job_id, s.signal_id) ${isDescending ? "<" : ">"} (?, ?, ?)`, after.timeMs, after.id.slice(0, JOB_ID_CHARS), after.id.slice(JOB_ID_CHARS + 1));
    const order = isDescending ? " DESC" : "";
    return this.#sql.all(`${SHOWN}${parts.join("")} ORDER BY s.first_seen${order}, s.job_id${order}, s.signal_id${order} LIMIT ?`, ...values, limit).map(foundSignal);
  }

  /**
   * Makes a signal of a found one; itself again where it was made before.
   *
   * @returns its id, and undefined when there is nothing to be done.
   */
  convert(found: StoredSignal, change: { readonly message: string; readonly severity: Severity; readonly notifications: readonly string[] }, nowMs: number): string | undefined {
    const id = hash("sha256", found.id).slice(0, 24);
    if (this.#sql.get("SELECT 1 FROM signals WHERE id = ?", id)) return undefined;
    const before = JSON.parse(found.document) as SignalDocument;
    const details = before.details && { ...before.details, case: { ...before.details.case, severity: change.severity, notifications: change.notifications }, method: { ...before.details.method, historical_job_id: jobOf(found.id) } };
    const document: SignalDocument = { ...before, id, severity: change.severity, message: change.message === "" ? before.message : change.message, ...(details ? { details } : {}) };
    const links = linksOf(document);
    this.#sql.transaction(() => {
      this.#sql.run(
        "INSERT INTO signals (id, rule_id, severity, first_seen, last_seen, events_matched, created_at, version, closes_at, entities, document, change_number) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)",
        id, found.ruleId, change.severity, found.firstSeenMs, found.lastSeenMs, found.eventsMatched, nowMs, found.lastSeenMs,
        JSON.stringify(links.map(({ entity, type, isPrimary }) => [entity, type ?? null, isPrimary])), JSON.stringify(document), nextChange(this.#sql),
      );
      for (const { entity, type, isPrimary } of links) {
        this.#sql.run("INSERT INTO signal_entities (entity, time, signal_id, type, is_primary) VALUES (?, ?, ?, ?, ?)", entity, found.firstSeenMs, id, type ?? null, isPrimary ? 1 : 0);
      }
    });
    return id;
  }
}

const SHOWN = "SELECT s.* FROM historical_signals AS s JOIN historical_jobs AS job ON job.id = s.job_id AND job.results_run = s.run WHERE job.status = 'completed'";

/** The job that found a signal. */
export function jobOf(histsignalId: string): string {
  return histsignalId.slice(0, JOB_ID_CHARS);
}

function foundSignal(row: SqlRow): StoredSignal {
  const firstSeenMs = Number(row.first_seen);
  return {
    id: `${String(row.job_id)}-${String(row.signal_id)}`, ruleId: String(row.rule_id), severity: row.severity as Severity, firstSeenMs, lastSeenMs: Number(row.last_seen),
    eventsMatched: Number(row.events_matched), createdMs: firstSeenMs, version: 1, changeNumber: 0, triage: untouched, document: String(row.document),
  };
}

function storedJob(row: SqlRow): StoredJob {
  return {
    id: String(row.id), name: String(row.name), status: row.status as JobStatus, definition: JSON.parse(String(row.definition)), work: JSON.parse(String(row.work)),
    ...(typeof row.from_rule_id === "string" ? { fromRuleId: row.from_rule_id } : {}), signalOutput: row.signal_output === 1, createdBy: JSON.parse(String(row.created_by)) as Person,
    createdMs: Number(row.created_at), modifiedMs: Number(row.modified_at), progress: Number(row.progress), run: Number(row.run),
    signals: Number(row.signals), leftOut: Number(row.left_out), events: Number(row.events), note: String(row.note),
    sensitivity: typeof row.sensitivity === "string" ? JSON.parse(row.sensitivity) : undefined,
  };
}
