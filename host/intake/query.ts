import type { InputProfile } from "../engine/task.ts";
import { textDefaults } from "../event/decode.ts";
import type { DecodeContext, Draft, RequestHead } from "./exchange.ts";
import type { Framed } from "./frame.ts";
import { textRecord } from "./frame.ts";
import { objectsSideBySide } from "./json-scan.ts";
import { RecordDraft } from "./record.ts";
import { RecordLines } from "./record-lines.ts";

/** What a request says of all its events: query parameters in Datadog's names. */
export interface Defaults {
  readonly source?: string;
  readonly service?: string;
  readonly host?: string;
  readonly tags?: readonly string[];
}

export function queryDefaults({ query }: Pick<RequestHead, "query">): Defaults {
  const text = (name: string): string | undefined => query.get(name) || undefined;
  const tags = query.getAll("ddtags").flatMap((each) => each.split(",")).filter((tag) => tag.trim() !== "");
  return { source: text("ddsource"), service: text("service"), host: text("host") ?? text("hostname"), ...(tags.length ? { tags } : {}) };
}

/** Lines as a batch of the profile that the defaults make; where there are too many such profiles, they are written into the records. */
export function draftOf(framed: Framed, defaults: Defaults, { profiles, limits }: DecodeContext): Draft[] {
  if (framed.events === 0) return [];
  const format = framed.kind === "json" ? "intake" : framed.kind;
  const profile = profiles.of(profileOf(format, defaults));
  if (profile) return [{ profile, bytes: framed.bytes }];
  const body = Buffer.from(framed.bytes);
  // They were measured before; the little that is written into them shall not lose one.
  const lines = new RecordLines({ ...limits, recordBytes: Number.POSITIVE_INFINITY });
  if (framed.kind === "json") foldObjects(body, defaults, lines);
  else foldLines(body, { ...defaults, ...textDefaults({ format, source: defaults.source }) }, lines);
  return lines.batches();
}

function profileOf(format: InputProfile["format"], { source, service, host, tags }: Defaults): InputProfile {
  return { format, ...(source ? { source } : {}), ...(service ? { service } : {}), ...(host ? { host } : {}), ...(tags?.length ? { tags } : {}) };
}

function foldObjects(body: Buffer, defaults: Defaults, lines: RecordLines): void {
  const { spans } = objectsSideBySide(body, 0, body.length);
  for (let i = 0; i < spans.count; i++) lines.add(withDefaults(new RecordDraft().putObject(body, spans.start(i), spans.end(i)), defaults));
}

function foldLines(body: Buffer, defaults: Defaults, lines: RecordLines): void {
  for (let at = 0; at < body.length; ) {
    const newline = body.indexOf(10, at);
    const end = newline < 0 ? body.length : newline;
    const line = body.toString("utf8", at, end > at && body[end - 1] === 13 ? end - 1 : end);
    at = end + 1;
    if (!/[^ \t-\r]/.test(line)) continue;
    const record = Buffer.from(textRecord(line));
    lines.add(withDefaults(new RecordDraft().putObject(record, 0, record.length), defaults));
  }
}

/** The record with what it does not say itself. */
export function withDefaults(record: RecordDraft, { source, service, host, tags }: Defaults): RecordDraft {
  if (source && !hasScalar(record, "ddsource")) record.reserve({ source });
  if (service && !hasScalar(record, "service")) record.reserve({ service });
  if (host && !hasScalar(record, "host") && !hasScalar(record, "hostname")) record.reserve({ host });
  return tags?.length ? record.addTags(tags) : record;
}

function hasScalar(record: RecordDraft, name: string): boolean {
  const json = record.json(name);
  return json !== undefined && json !== "null" && !json.startsWith("{") && !json.startsWith("[");
}
