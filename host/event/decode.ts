import type { EventFormat, Json, LogEvent } from "./event.ts";
import { type NormalizeOptions, normalizeEvent } from "./normalize.ts";
import { readSyslog } from "./syslog.ts";

/** Does one line of text make one event, whatever it holds? */
export function isTextFormat(format: EventFormat): format is "text" | "syslog" {
  return format === "text" || format === "syslog";
}

/** A record as JSON, or the record that a line of text stands for. Undefined when JSON was asked for and there is none. */
export function readRecord(text: string, format: EventFormat): Json | undefined {
  if (isTextFormat(format)) return (format === "syslog" ? readSyslog(text) : undefined) ?? { message: text };
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** The envelope of one record as it came in, before pipelines. Undefined when the record is unreadable. */
export function decodeEvent(text: string, options: NormalizeOptions): LogEvent | undefined {
  const record = readRecord(text, options.format);
  if (record === undefined) return undefined;
  return normalizeEvent(record, isTextFormat(options.format) ? { ...options, ...textDefaults(options), format: "intake" } : options);
}

/** Lines of syslog are of the source `syslog` unless something else is said. */
export function textDefaults(options: Pick<NormalizeOptions, "format" | "source">): { source?: string } {
  const source = options.source ?? (options.format === "syslog" ? "syslog" : undefined);
  return source === undefined ? {} : { source };
}
