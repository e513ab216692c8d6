import { Readable } from "node:stream";
import { parse } from "csv-parse";
import type { LoadFaults, StoredTable, TableField, TableRow } from "../../store/tables.ts";

/** Rows of one table. */
export const MOST_TABLE_ROWS = 1_000_000;
const BATCH_ROWS = 500;
const MOST_CELL_CHARS = 10_000;
const NAMED_FAULTS = 10;

/** What is told of rows that could not be taken. */
class Faults {
  #rows = 0;
  #type: string | undefined;
  readonly #texts: string[] = [];

  add(type: string, line: number, text: string): void {
    this.#rows++;
    this.#type ??= type;
    if (this.#texts.length < NAMED_FAULTS) this.#texts.push(`line ${line}: ${text}`);
  }

  get found(): LoadFaults | undefined {
    return this.#type === undefined ? undefined : { type: this.#type, rows: this.#rows, message: `${this.#texts.join("; ")}${this.#rows > NAMED_FAULTS ? `; and ${this.#rows - NAMED_FAULTS} more` : ""}` };
  }
}

/** A file as no table: nothing of it is taken. */
export class BadFile extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/**
 * CSV into rows, batch after batch, with time for others in between. Rows that do not fit are left out and told; of rows with one
 * key the first stays.
 *
 * @param stage takes rows and says how many were new.
 * @throws BadFile where the file as a whole is none of this table.
 */
export async function loadCsv(bytes: AsyncIterable<Buffer>, headers: readonly string[], { fields, primaryKey }: Pick<StoredTable, "fields" | "primaryKey">, stage: (rows: readonly TableRow[]) => number): Promise<{ readonly rows: number; readonly faults: LoadFaults | undefined }> {
  const faults = new Faults();
  const places = fields.map((field) => ({ field, at: headers.indexOf(field.name) }));
  const absent = places.filter(({ at }) => at < 0).map(({ field }) => field.name);
  if (absent.length) throw new BadFile("TABLE_SCHEMA_ERROR", `the file has no column ${absent.join(", ")}`);
  const batch: TableRow[] = [];
  let rows = 0;
  const flush = (): void => {
    rows += stage(batch);
    batch.length = 0;
  };
  const seen = new Set<string>();
  const parser = Readable.from(bytes).pipe(parse({ bom: true, relax_column_count: true, skip_empty_lines: true, info: true, max_record_size: MOST_CELL_CHARS * 50 }));
  let isFirst = true;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ readonly record: readonly string[]; readonly info: { readonly lines: number } }>) {
      if (isFirst) {
        isFirst = false;
        if (record.length === headers.length && record.every((text, i) => text === headers[i])) continue;
      }
      const row = rowOf(record, places, primaryKey, headers.length, (type, text) => faults.add(type, info.lines, text));
      if (!row) continue;
      if (seen.has(row.key)) {
        faults.add("CONFLICT_ERROR", info.lines, `an earlier line has ${primaryKey} ${row.key}`);
        continue;
      }
      seen.add(row.key);
      if (seen.size > MOST_TABLE_ROWS) throw new BadFile("QUOTA_EXCEEDED", `the file has more than ${MOST_TABLE_ROWS} rows`);
      batch.push(row);
      if (batch.length === BATCH_ROWS) {
        flush();
        await new Promise((next) => setImmediate(next));
      }
    }
  } catch (error) {
    if (error instanceof BadFile) throw error;
    throw new BadFile("FILE_FORMAT_ERROR", `the file is no CSV: ${(error as Error).message}`);
  }
  flush();
  return { rows, faults: faults.found };
}

function rowOf(record: readonly string[], places: ReadonlyArray<{ readonly field: TableField; readonly at: number }>, primaryKey: string, width: number, fault: (type: string, text: string) => void): TableRow | undefined {
  if (record.length !== width) {
    fault("FILE_FORMAT_ERROR", `${record.length} cells instead of ${width}`);
    return undefined;
  }
  const cells: Record<string, string | number> = Object.create(null) as Record<string, string | number>;
  for (const { field, at } of places) {
    const text = record[at]!;
    const value = cellOf(field, text);
    if (value === undefined) {
      fault("VALIDATION_ERROR", field.type === "INT32" ? `${JSON.stringify(text.slice(0, 40))} in ${field.name} is no INT32` : `the text in ${field.name} is longer than ${MOST_CELL_CHARS} characters`);
      return undefined;
    }
    cells[field.name] = value;
  }
  const key = String(cells[primaryKey]);
  if (key !== "") return { key, cells };
  fault("VALIDATION_ERROR", `${primaryKey} is empty`);
  return undefined;
}

/** A cell of a field's type; undefined for what is none. */
export function cellOf({ type }: TableField, value: unknown): string | number | undefined {
  if (type === "STRING") return (typeof value === "string" && value.length <= MOST_CELL_CHARS) || typeof value === "number" ? String(value) : undefined;
  const number = typeof value === "string" && /^\s*[-+]?\d{1,10}\s*$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= -2_147_483_648 && number <= 2_147_483_647 ? number : undefined;
}

