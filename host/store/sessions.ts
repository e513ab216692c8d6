import { createHash, randomBytes } from "node:crypto";
import type { SqlDriver } from "./driver.ts";

export interface StoredSession {
  readonly userId: string;
  /** What a change brings along beside the cookie. */
  readonly csrf: string;
  readonly createdMs: number;
  readonly expiresMs: number;
}

/** How long a session lasts, and how long it lasts unused. */
const LASTS_MS = 24 * 3_600_000;
const IDLE_MS = 8 * 3_600_000;
/** Last seen is written this often at most. */
const SEEN_MS = 60_000;
/** Of one user; the oldest ends when another begins. */
const MOST_SESSIONS = 20;
const TOKEN_BYTES = 32;

const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex");

/** Who is logged in, by the hash of what the cookie holds. */
export class SessionStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  /** A session of its own, whatever the browser brought along: nobody can have chosen its token. */
  begin(userId: string, nowMs: number): { readonly token: string; readonly session: StoredSession } {
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    const csrf = randomBytes(TOKEN_BYTES).toString("base64url");
    const session = { userId, csrf, createdMs: nowMs, expiresMs: nowMs + LASTS_MS };
    this.#sql.transaction(() => {
      this.#sql.run("INSERT INTO sessions (hash, user_id, csrf, created_at, expires_at, last_seen_at) VALUES (?, ?, ?, ?, ?, ?)", hashOf(token), userId, csrf, nowMs, session.expiresMs, nowMs);
      this.#sql.run("DELETE FROM sessions WHERE user_id = ? AND hash NOT IN (SELECT hash FROM sessions WHERE user_id = ? ORDER BY created_at DESC LIMIT ?)", userId, userId, MOST_SESSIONS);
    });
    return { token, session };
  }

  /** Undefined when it ended, or nobody began it. */
  find(token: string, nowMs: number): StoredSession | undefined {
    const hash = hashOf(token);
    const row = this.#sql.get("SELECT * FROM sessions WHERE hash = ?", hash);
    if (!row || Number(row.expires_at) <= nowMs || Number(row.last_seen_at) + IDLE_MS <= nowMs) return undefined;
    if (nowMs - Number(row.last_seen_at) >= SEEN_MS) this.#sql.run("UPDATE sessions SET last_seen_at = ? WHERE hash = ?", nowMs, hash);
    return { userId: String(row.user_id), csrf: String(row.csrf), createdMs: Number(row.created_at), expiresMs: Number(row.expires_at) };
  }

  end(token: string): void {
    this.#sql.run("DELETE FROM sessions WHERE hash = ?", hashOf(token));
  }

  /** Those that are over. */
  sweep(nowMs: number): void {
    this.#sql.run("DELETE FROM sessions WHERE expires_at <= ? OR last_seen_at <= ?", nowMs, nowMs - IDLE_MS);
  }
}

/** Attempts to come in are counted over this time. */
const ATTEMPTS_MS = 15 * 60_000;

/** How often somebody tried to come in. Subjects are kept as hashes: people type passwords where addresses belong. */
export class LoginAttempts {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  /**
   * Counts one attempt for each subject, before it is known how it ends: many at once are counted too.
   *
   * @param limits attempts in a quarter of an hour, by subject
   * @returns seconds to wait; 0: go on
   */
  take(limits: Readonly<Record<string, number>>, nowMs: number): number {
    return this.#sql.transaction(() => {
      let waitMs = 0;
      for (const [subject, most] of Object.entries(limits)) {
        const hash = hashOf(subject);
        this.#sql.run("DELETE FROM login_attempts WHERE subject = ? AND since <= ?", hash, nowMs - ATTEMPTS_MS);
        const row = this.#sql.get("INSERT INTO login_attempts (subject, count, since) VALUES (?, 1, ?) ON CONFLICT (subject) DO UPDATE SET count = count + 1 RETURNING count, since", hash, nowMs)!;
        if (Number(row.count) > most) waitMs = Math.max(waitMs, Number(row.since) + ATTEMPTS_MS - nowMs);
      }
      return Math.ceil(waitMs / 1000);
    });
  }

  /** Whoever came in starts anew. */
  forget(subjects: readonly string[]): void {
    for (const subject of subjects) this.#sql.run("DELETE FROM login_attempts WHERE subject = ?", hashOf(subject));
  }

  sweep(nowMs: number): void {
    this.#sql.run("DELETE FROM login_attempts WHERE since <= ?", nowMs - ATTEMPTS_MS);
  }
}
