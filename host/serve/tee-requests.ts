import type { InputProfile } from "../engine/task.ts";
import { objectsSideBySide } from "../intake/json-scan.ts";
import type { JournalPosition, StoredEntry } from "../journal/contract.ts";

/** One request to an upstream intake. */
export interface TeeRequest {
  /** Path and query. */
  readonly path: string;
  readonly type: string;
  readonly records: readonly Uint8Array[];
  readonly isArray: boolean;
  /** Behind the last entry that has a record in it; undefined where the entry goes on in the next request. */
  readonly position: JournalPosition | undefined;
}

/** What Datadog's intake takes in one request: 5 MB and 1000 entries. */
const REQUEST_BYTES = 4_500_000;
const REQUEST_RECORDS = 1000;
const LINE_FEED = Buffer.from("\n");
const COMMA = Buffer.from(",");

/** Entries as requests in Datadog's shape, their records byte for byte as they came. Entries without records give none. */
export function* teeRequests(entries: Iterable<StoredEntry>): Generator<TeeRequest> {
  let gathered: { path: string; isArray: boolean; type: string; records: Uint8Array[]; bytes: number } | undefined;
  let whole: JournalPosition | undefined;
  const flush = function* (): Generator<TeeRequest> {
    if (gathered?.records.length) yield { path: gathered.path, type: gathered.type, isArray: gathered.isArray, records: gathered.records, position: whole };
    gathered = undefined;
    whole = undefined;
  };
  for (const { profile, bytes, position } of entries) {
    // What people do here is nobody else's to know.
    const isOurs = profile.dataSource === "audit";
    const isArray = profile.format !== "text" && profile.format !== "syslog";
    const isEvent = profile.dataSource === "events";
    const path = isEvent ? "/api/v1/events" : `/api/v2/logs${queryOf(profile)}`;
    for (const record of isOurs ? [] : isArray ? objectsOf(bytes) : linesOf(bytes)) {
      if (gathered && (isEvent || gathered.path !== path || gathered.isArray !== isArray || gathered.records.length >= REQUEST_RECORDS || gathered.bytes + record.length > REQUEST_BYTES)) yield* flush();
      gathered ??= { path, isArray: isArray && !isEvent, type: isArray ? "application/json" : "text/plain", records: [], bytes: 0 };
      gathered.records.push(record);
      gathered.bytes += record.length + 1;
    }
    whole = { segment: position.segment, entry: position.entry + 1 };
  }
  yield* flush();
}

export function bodyOf({ records, isArray }: Pick<TeeRequest, "records" | "isArray">): Buffer {
  const joined = records.flatMap((record, i) => (i ? [isArray ? COMMA : LINE_FEED, record] : [record]));
  return Buffer.concat(isArray ? [Buffer.from("["), ...joined, Buffer.from("]")] : joined);
}

function queryOf({ source, service, host, tags }: InputProfile): string {
  const query = new URLSearchParams({ ...(source ? { ddsource: source } : {}), ...(service ? { service } : {}), ...(host ? { hostname: host } : {}), ...(tags?.length ? { ddtags: tags.join(",") } : {}) });
  return query.size ? `?${query.toString()}` : "";
}

/** A line that is no whole object would spoil the array it stands in: it goes along as the text it is. */
function objectsOf(bytes: Uint8Array): Uint8Array[] {
  return linesOf(bytes).map((line) => {
    const { spans, after } = objectsSideBySide(line, 0, line.length);
    return spans.count === 1 && after === line.length ? line : Buffer.from(JSON.stringify({ message: Buffer.from(line).toString() }));
  });
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(10, at);
    const end = newline < 0 ? bytes.length : newline;
    if (end > at) lines.push(bytes.subarray(at, end));
    at = end + 1;
  }
  return lines;
}
