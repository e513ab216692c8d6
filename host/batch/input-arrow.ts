import { RecordBatchReader } from "apache-arrow";

const encoder = new TextEncoder();

/** Rows of an Arrow IPC file or stream, one JSON object a line, batch by batch. */
export async function* arrowLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // The file's footer stands at its end, and the reader wants the whole of it.
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  const reader = RecordBatchReader.from(Buffer.concat(parts));
  for (const batch of reader.open()) {
    const names = batch.schema.fields.map((field) => field.name);
    const columns = names.map((_, i) => batch.getChildAt(i));
    let lines = "";
    for (let row = 0; row < batch.numRows; row++) {
      const event: Record<string, unknown> = {};
      names.forEach((name, i) => {
        const value = plain(columns[i]?.get(row));
        if (value !== null) event[name] = value;
      });
      lines += `${JSON.stringify(event)}\n`;
    }
    yield encoder.encode(lines);
  }
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
