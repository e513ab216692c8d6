import { randomUUID } from "node:crypto";
import type { SqlDriver, SqlRow } from "./driver.ts";

export interface SavedView {
  readonly id: string;
  /** Which explorer it is of, such as `signals`. */
  readonly page: string;
  readonly name: string;
  /** The user's id. */
  readonly owner: string;
  readonly isShared: boolean;
  readonly content: { readonly [name: string]: unknown };
  readonly version: number;
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** Saved views on disk; each is its owner's, and shown to all where it is shared. */
export class ViewStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  /** Those somebody sees, by name. */
  list(userId: string, page: string | undefined): SavedView[] {
    return this.#sql.all("SELECT * FROM saved_views WHERE (owner = ?1 OR is_shared = 1) AND (?2 IS NULL OR page = ?2) ORDER BY name, id", userId, page ?? null).map(savedView);
  }

  countOf(userId: string): number {
    return Number(this.#sql.get("SELECT count(*) AS count FROM saved_views WHERE owner = ?", userId)!.count);
  }

  get(id: string): SavedView | undefined {
    const row = this.#sql.get("SELECT * FROM saved_views WHERE id = ?", id);
    return row && savedView(row);
  }

  create(view: Pick<SavedView, "page" | "name" | "owner" | "isShared" | "content">, nowMs: number): SavedView {
    const id = randomUUID();
    this.#sql.run("INSERT INTO saved_views (id, page, name, owner, is_shared, content, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)", id, view.page, view.name, view.owner, view.isShared ? 1 : 0, JSON.stringify(view.content), nowMs, nowMs);
    return this.get(id)!;
  }

  update(id: string, { name, isShared, content }: Pick<SavedView, "name" | "isShared" | "content">, nowMs: number): SavedView {
    this.#sql.run("UPDATE saved_views SET name = ?, is_shared = ?, content = ?, version = version + 1, updated_at = ? WHERE id = ?", name, isShared ? 1 : 0, JSON.stringify(content), nowMs, id);
    return this.get(id)!;
  }

  delete(id: string): void {
    this.#sql.run("DELETE FROM saved_views WHERE id = ?", id);
  }
}

function savedView(row: SqlRow): SavedView {
  return {
    id: String(row.id), page: String(row.page), name: String(row.name), owner: String(row.owner), isShared: row.is_shared === 1, content: JSON.parse(String(row.content)) as SavedView["content"],
    version: Number(row.version), createdMs: Number(row.created_at), updatedMs: Number(row.updated_at),
  };
}
