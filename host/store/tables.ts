import { randomUUID } from "node:crypto";
import type { SqlDriver, SqlRow } from "./driver.ts";

export const fieldTypes = ["STRING", "INT32"] as const;
export type FieldType = (typeof fieldTypes)[number];

export interface TableField {
  readonly name: string;
  readonly type: FieldType;
}

/** What a row holds, by field. */
export type Cells = Readonly<Record<string, string | number>>;

export interface TableRow {
  /** Value of the primary key, as text. */
  readonly key: string;
  readonly cells: Cells;
}

/** What came of a file: good rows are in the table whatever became of the others. */
export interface LoadFaults {
  readonly type: string;
  readonly message: string;
  readonly rows: number;
}

export interface StoredTable {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly fields: readonly TableField[];
  readonly primaryKey: string;
  readonly tags: readonly string[];
  readonly status: "PROCESSING" | "DONE" | "ERROR";
  readonly generation: number;
  readonly rowCount: number;
  readonly faults: LoadFaults | undefined;
  readonly createdBy: string;
  readonly updatedBy: string;
  readonly updatedMs: number;
}

export interface StoredUpload {
  readonly id: string;
  readonly tableName: string;
  readonly headers: readonly string[];
  readonly parts: number;
  readonly partBytes: number;
  /** SHA-256 of what its addresses hold. */
  readonly tokenHash: string;
  readonly createdBy: string;
  readonly createdMs: number;
}

/** Rows taken away in one transaction, so that it is short. */
const SWEEP_ROWS = 5000;

/** Reference tables on disk. */
export class TableStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  list(): StoredTable[] {
    return this.#sql.all("SELECT * FROM reference_tables ORDER BY name").map(storedTable);
  }

  get(id: string): StoredTable | undefined {
    const row = this.#sql.get("SELECT * FROM reference_tables WHERE id = ?", id);
    return row && storedTable(row);
  }

  named(name: string): StoredTable | undefined {
    const row = this.#sql.get("SELECT * FROM reference_tables WHERE name = ?", name);
    return row && storedTable(row);
  }

  create(table: Pick<StoredTable, "name" | "description" | "fields" | "primaryKey" | "tags" | "createdBy">, nowMs: number): StoredTable {
    const id = randomUUID();
    this.#sql.run("INSERT INTO reference_tables (id, name, description, fields, primary_key, tags, status, generation, row_count, error_rows, created_by, updated_by, updated_at) VALUES (?, ?, ?, ?, ?, ?, 'PROCESSING', 0, 0, 0, ?, ?, ?)",
      id, table.name, table.description, JSON.stringify(table.fields), table.primaryKey, JSON.stringify(table.tags), table.createdBy, table.createdBy, nowMs);
    return this.get(id)!;
  }

  update(id: string, change: Pick<StoredTable, "description" | "fields" | "tags" | "updatedBy">, nowMs: number): void {
    this.#sql.run("UPDATE reference_tables SET description = ?, fields = ?, tags = ?, updated_by = ?, updated_at = ? WHERE id = ?", change.description, JSON.stringify(change.fields), JSON.stringify(change.tags), change.updatedBy, nowMs, id);
  }

  setStatus(id: string, status: StoredTable["status"], faults: LoadFaults | undefined): void {
    this.#sql.run("UPDATE reference_tables SET status = ?, error_type = ?, error_message = ?, error_rows = ? WHERE id = ?", status, faults?.type ?? null, faults?.message ?? null, faults?.rows ?? 0, id);
  }

  /** Its rows go later, with `sweep`. */
  delete(id: string): boolean {
    return this.#sql.run("DELETE FROM reference_tables WHERE id = ?", id).changes > 0;
  }

  /** Rows of a generation that nobody sees yet. @returns how many were new; the first of a key stays. */
  stage(id: string, generation: number, rows: readonly TableRow[]): number {
    return this.#sql.transaction(() => rows.reduce((sum, { key, cells }) => sum + this.#sql.run("INSERT INTO reference_rows (table_id, generation, key, cells) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", id, generation, key, JSON.stringify(cells)).changes, 0));
  }

  /** A staged generation becomes the table. False where the table is gone. */
  show(id: string, generation: number, rowCount: number, faults: LoadFaults | undefined, nowMs: number): boolean {
    return this.#sql.run("UPDATE reference_tables SET generation = ?, row_count = ?, status = 'DONE', error_type = ?, error_message = ?, error_rows = ?, updated_at = ? WHERE id = ?",
      generation, rowCount, faults?.type ?? null, faults?.message ?? null, faults?.rows ?? 0, nowMs, id).changes > 0;
  }

  upsert({ id, generation }: StoredTable, rows: readonly TableRow[], by: string, nowMs: number): void {
    this.#sql.transaction(() => {
      let added = 0;
      for (const { key, cells } of rows) {
        const text = JSON.stringify(cells);
        const isNew = this.#sql.run("INSERT INTO reference_rows (table_id, generation, key, cells) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", id, generation, key, text).changes > 0;
        if (isNew) added++;
        else this.#sql.run("UPDATE reference_rows SET cells = ? WHERE table_id = ? AND generation = ? AND key = ?", text, id, generation, key);
      }
      this.#grow(id, added, by, nowMs);
    });
  }

  remove({ id, generation }: StoredTable, keys: readonly string[], by: string, nowMs: number): void {
    this.#sql.transaction(() => {
      const gone = keys.reduce((sum, key) => sum + this.#sql.run("DELETE FROM reference_rows WHERE table_id = ? AND generation = ? AND key = ?", id, generation, key).changes, 0);
      this.#grow(id, -gone, by, nowMs);
    });
  }

  row({ id, generation }: StoredTable, key: string): TableRow | undefined {
    const row = this.#sql.get("SELECT key, cells FROM reference_rows WHERE table_id = ? AND generation = ? AND key = ?", id, generation, key);
    return row && tableRow(row);
  }

  /** By key, those behind `after`. */
  rows({ id, generation }: StoredTable, after: string | undefined, limit: number): TableRow[] {
    return (after === undefined
      ? this.#sql.all("SELECT key, cells FROM reference_rows WHERE table_id = ? AND generation = ? ORDER BY key LIMIT ?", id, generation, limit)
      : this.#sql.all("SELECT key, cells FROM reference_rows WHERE table_id = ? AND generation = ? AND key > ? ORDER BY key LIMIT ?", id, generation, after, limit)).map(tableRow);
  }

  /** Rows that belong to no table any more, or to what a table was. @returns whether there may be more. */
  sweep(isLoading: (tableId: string) => boolean): boolean {
    const stale = this.#sql.all("SELECT DISTINCT r.table_id, r.generation FROM reference_rows r LEFT JOIN reference_tables t ON t.id = r.table_id AND t.generation = r.generation WHERE t.id IS NULL")
      .filter((row) => !isLoading(String(row.table_id)));
    for (const { table_id, generation } of stale) {
      this.#sql.run(`DELETE FROM reference_rows WHERE table_id = ?1 AND generation = ?2 AND key IN (SELECT key FROM reference_rows WHERE table_id = ?1 AND generation = ?2 LIMIT ${SWEEP_ROWS})`, String(table_id), Number(generation));
    }
    return stale.length > 0;
  }

  addUpload(upload: Omit<StoredUpload, "id">): string {
    const id = randomUUID();
    this.#sql.run("INSERT INTO reference_uploads (id, table_name, headers, parts, part_bytes, token_hash, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", id, upload.tableName, JSON.stringify(upload.headers), upload.parts, upload.partBytes, upload.tokenHash, upload.createdBy, upload.createdMs);
    return id;
  }

  upload(id: string): StoredUpload | undefined {
    const row = this.#sql.get("SELECT * FROM reference_uploads WHERE id = ?", id);
    return row && { id: String(row.id), tableName: String(row.table_name), headers: JSON.parse(String(row.headers)) as string[], parts: Number(row.parts), partBytes: Number(row.part_bytes), tokenHash: String(row.token_hash), createdBy: String(row.created_by), createdMs: Number(row.created_at) };
  }

  /** Ids of uploads begun before a time. */
  uploadsBefore(timeMs: number): string[] {
    return this.#sql.all("SELECT id FROM reference_uploads WHERE created_at < ?", timeMs).map(({ id }) => String(id));
  }

  dropUpload(id: string): void {
    this.#sql.run("DELETE FROM reference_uploads WHERE id = ?", id);
  }

  #grow(id: string, by: number, who: string, nowMs: number): void {
    this.#sql.run("UPDATE reference_tables SET row_count = row_count + ?, updated_by = ?, updated_at = ? WHERE id = ?", by, who, nowMs, id);
  }
}

function storedTable(row: SqlRow): StoredTable {
  return {
    id: String(row.id), name: String(row.name), description: String(row.description), fields: JSON.parse(String(row.fields)) as TableField[], primaryKey: String(row.primary_key), tags: JSON.parse(String(row.tags)) as string[],
    status: row.status as StoredTable["status"], generation: Number(row.generation), rowCount: Number(row.row_count),
    faults: row.error_type === null ? undefined : { type: String(row.error_type), message: String(row.error_message), rows: Number(row.error_rows) },
    createdBy: String(row.created_by), updatedBy: String(row.updated_by), updatedMs: Number(row.updated_at),
  };
}

function tableRow(row: SqlRow): TableRow {
  return { key: String(row.key), cells: JSON.parse(String(row.cells)) as Cells };
}
