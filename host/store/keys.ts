import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { SqlDriver, SqlRow } from "./driver.ts";

/** An API key lets logs in; reading and changing takes an application key beside it. */
export type KeyKind = "api" | "application";

export interface StoredKey {
  readonly id: string;
  readonly kind: KeyKind;
  readonly name: string;
  /** By which people tell keys apart. */
  readonly last4: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** Who an application key acts for. */
  readonly ownerId?: string;
  /** Permissions it is held to; undefined: all of its owner's. */
  readonly scopes?: readonly string[];
  readonly createdBy?: string;
  /** To the minute. */
  readonly lastUsedMs?: number;
  readonly isDisabled: boolean;
}

export interface KeyFacts {
  readonly ownerId?: string;
  readonly scopes?: readonly string[];
  readonly createdBy?: string;
}

/** Null takes the scopes away: the key may then all that its owner may. */
export interface KeyChange {
  readonly name?: string;
  readonly scopes?: readonly string[] | null;
  readonly isDisabled?: boolean;
}

/** Bytes of chance in a key: as many hexadecimal digits as Datadog's have. */
const KEY_BYTES: Readonly<Record<KeyKind, number>> = { api: 16, application: 20 };
/** The first account of every data folder: application keys without an owner are its. */
export const OPERATOR_ID = "00000000-0000-4000-8000-000000000001";
const USE_MS = 60_000;

/**
 * What is kept of a key. Keys are all chance, 128 bits and more, so one round of SHA-256 is as hard to turn back as many; what
 * people choose themselves needs another hash.
 */
export function keyHash(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** Keys on disk: their hashes, never themselves. */
export class KeyStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  /** Makes a key, which is told this once. */
  create(kind: KeyKind, name: string, nowMs: number, facts: KeyFacts = {}): { readonly key: string; readonly stored: StoredKey } {
    const key = randomBytes(KEY_BYTES[kind]).toString("hex");
    return { key, stored: this.add(kind, name, key, nowMs, facts) };
  }

  /** Takes a key that exists already, such as one that shippers are set up with. */
  add(kind: KeyKind, name: string, key: string, nowMs: number, { ownerId, scopes, createdBy }: KeyFacts = {}): StoredKey {
    const id = randomUUID();
    this.#sql.run(
      "INSERT INTO keys (id, kind, name, hash, last4, created_at, owner, scopes, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id, kind, name, keyHash(key), key.slice(-4), nowMs, ownerId ?? null, scopes ? JSON.stringify(scopes) : null, createdBy ?? null,
    );
    return this.get(id)!;
  }

  list(kind?: KeyKind): StoredKey[] {
    return this.#sql.all("SELECT * FROM keys WHERE ? IS NULL OR kind = ? ORDER BY created_at, id", kind ?? null, kind ?? null).map(storedKey);
  }

  get(id: string): StoredKey | undefined {
    const row = this.#sql.get("SELECT * FROM keys WHERE id = ?", id);
    return row && storedKey(row);
  }

  /** The key itself, also where it is disabled. It is looked for by its hash, so the time that takes tells nothing of the key. */
  find(kind: KeyKind, key: string): StoredKey | undefined {
    const row = this.#sql.get("SELECT * FROM keys WHERE hash = ? AND kind = ?", keyHash(key), kind);
    return row && storedKey(row);
  }

  /** False when there is none of this id. */
  change(id: string, change: KeyChange, nowMs: number): boolean {
    const before = this.get(id);
    if (!before) return false;
    const scopes = change.scopes === undefined ? before.scopes : (change.scopes ?? undefined);
    this.#sql.run(
      "UPDATE keys SET name = ?, scopes = ?, modified_at = ?, disabled_at = CASE WHEN ? = 0 THEN NULL ELSE coalesce(disabled_at, ?) END WHERE id = ?",
      change.name ?? before.name, scopes ? JSON.stringify(scopes) : null, nowMs, (change.isDisabled ?? before.isDisabled) ? 1 : 0, nowMs, id,
    );
    return true;
  }

  /** Writes down that it was used, once a minute at most: asking shall not be writing. */
  use({ id, lastUsedMs = 0 }: StoredKey, nowMs: number): void {
    if (nowMs - lastUsedMs >= USE_MS) this.#sql.run("UPDATE keys SET last_used_at = ? WHERE id = ?", nowMs, id);
  }

  /** SHA-256 as hex of every key of a kind that is good. */
  hashes(kind: KeyKind): string[] {
    return this.#sql.all("SELECT hash FROM keys WHERE kind = ? AND disabled_at IS NULL ORDER BY id", kind).map((row) => String(row.hash));
  }

  /** False when there is none of this id. */
  revoke(id: string): boolean {
    return this.#sql.run("DELETE FROM keys WHERE id = ?", id).changes > 0;
  }
}

function storedKey(row: SqlRow): StoredKey {
  const kind = row.kind as KeyKind;
  const ownerId = row.owner ?? (kind === "application" ? OPERATOR_ID : undefined);
  return {
    id: String(row.id), kind, name: String(row.name), last4: String(row.last4), createdMs: Number(row.created_at), modifiedMs: Number(row.modified_at ?? row.created_at),
    isDisabled: row.disabled_at !== null,
    ...(ownerId === undefined ? {} : { ownerId: String(ownerId) }),
    ...(row.scopes === null ? {} : { scopes: JSON.parse(String(row.scopes)) as string[] }),
    ...(row.created_by === null ? {} : { createdBy: String(row.created_by) }),
    ...(row.last_used_at === null ? {} : { lastUsedMs: Number(row.last_used_at) }),
  };
}
