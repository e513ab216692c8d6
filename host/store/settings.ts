import type { SqlDriver, SqlRow } from "./driver.ts";

export type SettingKind = "suppression" | "security_filter" | "critical_asset";
/** Attributes in Datadog's JSON shape, without what the server adds. */
export type SettingDocument = Readonly<Record<string, unknown>>;

export interface SettingAuthor {
  readonly userId: string;
  readonly handle: string;
  readonly name: string;
}

export interface StoredSetting {
  readonly id: string;
  readonly kind: SettingKind;
  /** From 1 on. */
  readonly version: number;
  readonly document: SettingDocument;
  readonly createdMs: number;
  readonly createdBy: SettingAuthor;
  readonly updatedMs: number;
  readonly updatedBy: SettingAuthor;
}

export interface StoredSettingVersion {
  readonly version: number;
  readonly atMs: number;
  readonly author: SettingAuthor;
  readonly document: SettingDocument;
}

/** All security filters as they stood from a time on. */
export interface FilterConfiguration {
  readonly version: number;
  readonly atMs: number;
  readonly filters: readonly SettingDocument[];
}

/** Suppressions, security filters and critical assets on disk. */
export class SettingStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  /** Oldest first. */
  list(kind: SettingKind): StoredSetting[] {
    return this.#sql.all("SELECT * FROM settings WHERE kind = ? ORDER BY created_at, id", kind).map(storedSetting);
  }

  get(kind: SettingKind, id: string): StoredSetting | undefined {
    const row = this.#sql.get("SELECT * FROM settings WHERE id = ? AND kind = ?", id, kind);
    return row && storedSetting(row);
  }

  create(kind: SettingKind, id: string, document: SettingDocument, author: SettingAuthor, nowMs: number): StoredSetting {
    return this.#sql.transaction(() => {
      const [text, who] = [JSON.stringify(document), JSON.stringify(author)];
      this.#sql.run("INSERT INTO settings (id, kind, version, document, created_at, created_by, updated_at, updated_by) VALUES (?, ?, 1, ?, ?, ?, ?, ?)", id, kind, text, nowMs, who, nowMs, who);
      this.#sql.run("INSERT INTO setting_versions (setting_id, version, at, author, document) VALUES (?, 1, ?, ?, ?)", id, nowMs, who, text);
      return this.get(kind, id)!;
    });
  }

  /** The next version; undefined when it is not at this one any more. */
  write({ kind, id, version }: Pick<StoredSetting, "kind" | "id" | "version">, document: SettingDocument, author: SettingAuthor, nowMs: number): StoredSetting | undefined {
    return this.#sql.transaction(() => {
      const [text, who] = [JSON.stringify(document), JSON.stringify(author)];
      const { changes } = this.#sql.run("UPDATE settings SET version = version + 1, document = ?, updated_at = ?, updated_by = ? WHERE id = ? AND kind = ? AND version = ?", text, nowMs, who, id, kind, version);
      if (!changes) return undefined;
      this.#sql.run("INSERT INTO setting_versions (setting_id, version, at, author, document) VALUES (?, ?, ?, ?, ?)", id, version + 1, nowMs, who, text);
      return this.get(kind, id);
    });
  }

  delete(kind: SettingKind, id: string): boolean {
    return this.#sql.transaction(() => {
      this.#sql.run("DELETE FROM suppressed_samples WHERE suppression_id = ?", id);
      return this.#sql.run("DELETE FROM settings WHERE id = ? AND kind = ?", id, kind).changes > 0;
    });
  }

  /** Newest first. */
  versions(id: string): StoredSettingVersion[] {
    return this.#sql.all("SELECT * FROM setting_versions WHERE setting_id = ? ORDER BY version DESC", id)
      .map((row) => ({ version: Number(row.version), atMs: Number(row.at), author: JSON.parse(String(row.author)) as SettingAuthor, document: JSON.parse(String(row.document)) as SettingDocument }));
  }

  /** Notes how all filters stand now. */
  noteConfiguration(filters: readonly SettingDocument[], nowMs: number): void {
    this.#sql.run("INSERT INTO security_filter_configurations (version, at, filters) VALUES ((SELECT coalesce(max(version), 0) + 1 FROM security_filter_configurations), ?, ?)", nowMs, JSON.stringify(filters));
  }

  /** Newest first. */
  configurations(limit: number): FilterConfiguration[] {
    return this.#sql.all("SELECT * FROM security_filter_configurations ORDER BY version DESC LIMIT ?", limit)
      .map((row) => ({ version: Number(row.version), atMs: Number(row.at), filters: JSON.parse(String(row.filters)) as SettingDocument[] }));
  }
}

function storedSetting(row: SqlRow): StoredSetting {
  return {
    id: String(row.id), kind: row.kind as SettingKind, version: Number(row.version), document: JSON.parse(String(row.document)) as SettingDocument,
    createdMs: Number(row.created_at), createdBy: JSON.parse(String(row.created_by)) as SettingAuthor, updatedMs: Number(row.updated_at), updatedBy: JSON.parse(String(row.updated_by)) as SettingAuthor,
  };
}
