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
}

/** Bytes of chance in a key: as many hexadecimal digits as Datadog's have. */
const KEY_BYTES: Readonly<Record<KeyKind, number>> = { api: 16, application: 20 };

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
  create(kind: KeyKind, name: string, nowMs: number): { readonly key: string; readonly stored: StoredKey } {
    const key = randomBytes(KEY_BYTES[kind]).toString("hex");
    return { key, stored: this.add(kind, name, key, nowMs) };
  }

  /** Takes a key that exists already, such as one that shippers are set up with. */
  add(kind: KeyKind, name: string, key: string, nowMs: number): StoredKey {
    const stored: StoredKey = { id: randomUUID(), kind, name, last4: key.slice(-4), createdMs: nowMs };
    this.#sql.run("INSERT INTO keys (id, kind, name, hash, last4, created_at) VALUES (?, ?, ?, ?, ?, ?)", stored.id, kind, name, keyHash(key), stored.last4, nowMs);
    return stored;
  }

  list(): StoredKey[] {
    return this.#sql.all("SELECT * FROM keys ORDER BY created_at, id").map(storedKey);
  }

  /** SHA-256 as hex of every key of a kind. */
  hashes(kind: KeyKind): string[] {
    return this.#sql.all("SELECT hash FROM keys WHERE kind = ? ORDER BY id", kind).map((row) => String(row.hash));
  }

  /** False when there is none of this id. */
  revoke(id: string): boolean {
    return this.#sql.run("DELETE FROM keys WHERE id = ?", id).changes > 0;
  }
}

function storedKey(row: SqlRow): StoredKey {
  return { id: String(row.id), kind: row.kind as KeyKind, name: String(row.name), last4: String(row.last4), createdMs: Number(row.created_at) };
}
