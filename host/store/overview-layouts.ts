import type { SqlDriver } from "./driver.ts";

export interface StoredLayout {
  readonly order: readonly string[];
  readonly hidden: readonly string[];
}

/** How each user has arranged the overview page. */
export class LayoutStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  get(userId: string): StoredLayout | undefined {
    const row = this.#sql.get("SELECT layout FROM overview_layouts WHERE user_id = ?", userId);
    return row && (JSON.parse(String(row.layout)) as StoredLayout);
  }

  set(userId: string, layout: StoredLayout, nowMs: number): void {
    this.#sql.run("INSERT INTO overview_layouts (user_id, layout, updated_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET layout = excluded.layout, updated_at = excluded.updated_at", userId, JSON.stringify(layout), nowMs);
  }
}
