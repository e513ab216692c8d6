import type { InputProfile } from "../engine/task.ts";
import { textDefaults } from "../event/decode.ts";
import type { DecodeContext, Draft, RequestHead } from "./exchange.ts";
import type { Framed } from "./frame.ts";
import { textRecord } from "./frame.ts";
import { objectsSideBySide } from "./json-scan.ts";
import { RecordDraft, linesOf } from "./record.ts";

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
export function draftOf(framed: Framed, defaults: Defaults, { profiles }: DecodeContext): Draft[] {
  if (framed.events === 0) return [];
  const format = framed.kind === "json" ? "intake" : framed.kind;
  const profile = profiles.of(profileOf(format, defaults));
  if (profile) return [{ profile, bytes: framed.bytes }];
  const body = Buffer.from(framed.bytes);
  const records = framed.kind === "json" ? foldObjects(body, defaults) : foldLines(body, { ...defaults, ...textDefaults({ format, source: defaults.source }) });
  return [{ profile: { format: "intake" }, bytes: linesOf(records) }];
}

function profileOf(format: InputProfile["format"], { source, service, host, tags }: Defaults): InputProfile {
  return { format, ...(source ? { source } : {}), ...(service ? { service } : {}), ...(host ? { host } : {}), ...(tags?.length ? { tags } : {}) };
}

function foldObjects(body: Buffer, defaults: Defaults): string[] {
  const { spans } = objectsSideBySide(body, 0, body.length);
  return Array.from({ length: spans.count }, (_, i) => withDefaults(new RecordDraft().putObject(body, spans.start(i), spans.end(i)), defaults).text());
}

function foldLines(body: Buffer, defaults: Defaults): string[] {
  return body.toString().split("\n").filter((line) => /[^ \t-\r]/.test(line)).map((line) => {
    const record = Buffer.from(textRecord(line.endsWith("\r") ? line.slice(0, -1) : line));
    return withDefaults(new RecordDraft().putObject(record, 0, record.length), defaults).text();
  });
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
