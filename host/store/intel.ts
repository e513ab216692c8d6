import type { SqlDriver } from "./driver.ts";

export interface StoredIndicator {
  readonly vendor: string;
  readonly objectId: string;
  readonly kind: "ip" | "domain" | "url" | "hash";
  readonly value: string;
  /** JSON of what is said of it. */
  readonly detail: string;
  readonly expiresMs: number | undefined;
}

/** Indicators that people upload, on disk. */
export class IntelStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  /** An object as it is now, instead of what it was; nothing of it where it has no values. @returns whether there was one. */
  put(vendor: string, objectId: string, indicators: readonly Omit<StoredIndicator, "vendor" | "objectId">[], nowMs: number): boolean {
    const had = this.#sql.run("DELETE FROM intel_indicators WHERE vendor = ? AND object_id = ?", vendor, objectId).changes > 0;
    for (const { kind, value, detail, expiresMs } of indicators) {
      this.#sql.run("INSERT OR REPLACE INTO intel_indicators (vendor, object_id, kind, value, detail, expires_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)", vendor, objectId, kind, value, detail, expiresMs ?? null, nowMs);
    }
    return had;
  }

  /** In an order that is always the same. */
  all(): StoredIndicator[] {
    return this.#sql.all("SELECT vendor, object_id, kind, value, detail, expires_at FROM intel_indicators ORDER BY vendor, object_id, kind, value").map((row) => ({
      vendor: String(row.vendor), objectId: String(row.object_id), kind: String(row.kind) as StoredIndicator["kind"], value: String(row.value), detail: String(row.detail),
      expiresMs: row.expires_at === null ? undefined : Number(row.expires_at),
    }));
  }

  /** Those whose time is long over. */
  release(beforeMs: number): void {
    this.#sql.run("DELETE FROM intel_indicators WHERE expires_at < ?", beforeMs);
  }
}
