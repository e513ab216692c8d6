import type { SqlDriver, SqlRow } from "./driver.ts";

/** A rule, or a part of one, in Datadog's JSON shape. */
export type RuleDocument = Readonly<Record<string, unknown>>;

/** Who wrote a version. */
export interface RuleAuthor {
  /** Empty for those who are nobody: files, packs, the passing of time. */
  readonly userId: string;
  readonly handle: string;
  readonly name: string;
}

export interface StoredRule {
  readonly id: string;
  readonly origin: "own" | "given";
  readonly version: number;
  /** An own rule; of a given one what was changed of it. */
  readonly document: RuleDocument;
  /** Of a given rule: what it was without the changes. */
  readonly baseHash: string;
  readonly createdMs: number;
  readonly createdBy: RuleAuthor;
  readonly updatedMs: number;
  readonly updatedBy: RuleAuthor;
}

/** One version, whole. */
export interface StoredRuleVersion {
  readonly version: number;
  readonly atMs: number;
  readonly author: RuleAuthor;
  readonly document: RuleDocument;
  /** Of a given rule: what was changed of it. */
  readonly changes: RuleDocument;
}

/** What becomes of a rule with a write. */
export interface RuleWrite {
  /** The rule as it is then, for its history. */
  readonly whole: RuleDocument;
  /** What is stored: the rule, or the changes of a given one. */
  readonly document: RuleDocument;
  readonly baseHash?: string;
  /** Default: the next. */
  readonly version?: number;
}

/** Rules and their versions on disk. Versions are only ever added. */
export class RuleStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  /** By id. */
  list(): StoredRule[] {
    return this.#sql.all("SELECT * FROM rules ORDER BY id").map(storedRule);
  }

  get(id: string): StoredRule | undefined {
    const row = this.#sql.get("SELECT * FROM rules WHERE id = ?", id);
    return row && storedRule(row);
  }

  create(id: string, origin: StoredRule["origin"], { whole, document, baseHash = "", version = 1 }: RuleWrite, author: RuleAuthor, nowMs: number): void {
    this.#sql.transaction(() => {
      const by = JSON.stringify(author);
      this.#sql.run("INSERT INTO rules (id, origin, version, document, base_hash, created_at, created_by, updated_at, updated_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        id, origin, version, JSON.stringify(document), baseHash, nowMs, by, nowMs, by);
      this.#addVersion(id, origin, version, whole, document, by, nowMs);
    });
  }

  /** The next version. False where the rule is not at the version the write was made for, or gone: nothing is written then. */
  write(id: string, from: number, { whole, document, baseHash, version = from + 1 }: RuleWrite, author: RuleAuthor, nowMs: number): boolean {
    return this.#sql.transaction(() => {
      const now = this.get(id);
      if (now?.version !== from) return false;
      const by = JSON.stringify(author);
      this.#sql.run("UPDATE rules SET version = ?, document = ?, base_hash = ?, updated_at = ?, updated_by = ? WHERE id = ?", version, JSON.stringify(document), baseHash ?? now.baseHash, nowMs, by, id);
      this.#addVersion(id, now.origin, version, whole, document, by, nowMs);
      return true;
    });
  }

  /** With all its versions. */
  delete(id: string): boolean {
    return this.#sql.run("DELETE FROM rules WHERE id = ?", id).changes > 0;
  }

  /** Newest first. */
  versions(id: string, limit: number, offset: number): StoredRuleVersion[] {
    return this.#sql.all("SELECT * FROM rule_versions WHERE rule_id = ? ORDER BY version DESC LIMIT ? OFFSET ?", id, limit, offset).map(storedVersion);
  }

  version(id: string, version: number): StoredRuleVersion | undefined {
    const row = this.#sql.get("SELECT * FROM rule_versions WHERE rule_id = ? AND version = ?", id, version);
    return row && storedVersion(row);
  }

  versionCount(id: string): number {
    return Number(this.#sql.get("SELECT count(*) AS count FROM rule_versions WHERE rule_id = ?", id)!.count);
  }

  #addVersion(id: string, origin: StoredRule["origin"], version: number, whole: RuleDocument, document: RuleDocument, by: string, nowMs: number): void {
    this.#sql.run("INSERT INTO rule_versions (rule_id, version, at, author, document, changes) VALUES (?, ?, ?, ?, ?, ?)", id, version, nowMs, by, JSON.stringify(whole), origin === "given" ? JSON.stringify(document) : "{}");
  }
}

function storedRule(row: SqlRow): StoredRule {
  return {
    id: String(row.id), origin: row.origin as StoredRule["origin"], version: Number(row.version), document: JSON.parse(String(row.document)) as RuleDocument, baseHash: String(row.base_hash),
    createdMs: Number(row.created_at), createdBy: JSON.parse(String(row.created_by)) as RuleAuthor, updatedMs: Number(row.updated_at), updatedBy: JSON.parse(String(row.updated_by)) as RuleAuthor,
  };
}

function storedVersion(row: SqlRow): StoredRuleVersion {
  return {
    version: Number(row.version), atMs: Number(row.at), author: JSON.parse(String(row.author)) as RuleAuthor,
    document: JSON.parse(String(row.document)) as RuleDocument, changes: JSON.parse(String(row.changes)) as RuleDocument,
  };
}
