import { type RecordBatch, RecordBatchReader } from "apache-arrow";
import { DamagedInputError } from "./input-damaged.ts";

const ROWS_PER_CHUNK = 8192;
const encoder = new TextEncoder();

/** Rows of an Arrow IPC file or stream, one JSON object a line, batch by batch. */
export async function* arrowLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // The file's footer stands at its end, and the reader wants the whole of it.
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  const bytes = Buffer.concat(parts);
  for (const batch of batches(bytes)) {
    for (let row = 0; row < batch.numRows; row += ROWS_PER_CHUNK) yield encoder.encode(rowLines(batch, row, Math.min(batch.numRows, row + ROWS_PER_CHUNK)));
  }
}

function* batches(bytes: Uint8Array): Generator<RecordBatch> {
  try {
    yield* RecordBatchReader.from(bytes).open();
  } catch (error) {
    // The reader trusts its bytes and fails on them in many ways.
    throw new DamagedInputError(`is no readable Arrow file: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function rowLines(batch: RecordBatch, first: number, end: number): string {
  const columns = batch.schema.fields.map((field, i) => ({ name: field.name, column: batch.getChildAt(i) }));
  let lines = "";
  for (let row = first; row < end; row++) {
    const event: Record<string, unknown> = {};
    for (const { name, column } of columns) {
      const value = plain(column?.get(row));
      if (value !== null) event[name] = value;
    }
    lines += `${JSON.stringify(event)}\n`;
  }
  return lines;
}

declare global {
  interface JSON {
    /** A number with digits of its own; in every Node this runs on. */
    rawJSON(text: string): unknown;
  }
}

/** An Arrow value as JSON can hold it: 64-bit integers keep every digit, bytes become base64. */
function plain(value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case "bigint":
      return JSON.rawJSON(String(value));
    case "number":
      return Number.isFinite(value) ? value : null;
    case "object":
      break;
    default:
      return value;
  }
  if (value instanceof Date) return value.getTime();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(plain);
  if (hasToJson(value)) {
    const json = value.toJSON();
    return typeof json === "object" ? plain(json) : json;
  }
  if (Symbol.iterator in value) return [...(value as Iterable<unknown>)].map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return "toJSON" in value && typeof value.toJSON === "function";
}
