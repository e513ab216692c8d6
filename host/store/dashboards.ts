import type { SqlDriver, SqlRow } from "./driver.ts";

export interface StoredDashboard {
  readonly id: string;
  readonly title: string;
  /** What its author wrote, title and all. */
  readonly document: Readonly<Record<string, unknown>>;
  /** Handle. */
  readonly author: string;
  /** From 1, one more with each change. */
  readonly version: number;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

/** Dashboards that people made, on disk. */
export class DashboardStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  /** By title. */
  list(): StoredDashboard[] {
    return this.#sql.all("SELECT * FROM dashboards ORDER BY title, id").map(storedDashboard);
  }

  get count(): number {
    return Number(this.#sql.get("SELECT count(*) AS count FROM dashboards")!.count);
  }

  get(id: string): StoredDashboard | undefined {
    const row = this.#sql.get("SELECT * FROM dashboards WHERE id = ?", id);
    return row && storedDashboard(row);
  }

  create({ id, title, document, author }: Pick<StoredDashboard, "id" | "title" | "document" | "author">, nowMs: number): StoredDashboard {
    this.#sql.run("INSERT INTO dashboards (id, title, document, author, version, created_at, modified_at) VALUES (?, ?, ?, ?, 1, ?, ?)", id, title, JSON.stringify(document), author, nowMs, nowMs);
    return this.get(id)!;
  }

  update(id: string, { title, document }: Pick<StoredDashboard, "title" | "document">, nowMs: number): StoredDashboard {
    this.#sql.run("UPDATE dashboards SET title = ?, document = ?, version = version + 1, modified_at = ? WHERE id = ?", title, JSON.stringify(document), nowMs, id);
    return this.get(id)!;
  }

  delete(id: string): void {
    this.#sql.run("DELETE FROM dashboards WHERE id = ?", id);
  }
}

function storedDashboard(row: SqlRow): StoredDashboard {
  return {
    id: String(row.id), title: String(row.title), document: JSON.parse(String(row.document)) as StoredDashboard["document"], author: String(row.author),
    version: Number(row.version), createdMs: Number(row.created_at), modifiedMs: Number(row.modified_at),
  };
}
