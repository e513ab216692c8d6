import type { EventFormat, Json, LogEvent } from "./event.ts";
import { normalizeStatus } from "./status.ts";
import { readTags } from "./tags.ts";

/** Candidates of the reserved attributes in JSON as shippers send it, first hit wins. */
export const intakeCandidates: Readonly<Record<string, ReadonlyArray<readonly string[]>>> = {
  source: [["ddsource"]],
  host: [["host"], ["hostname"], ["syslog", "hostname"]],
  service: [["service"], ["syslog", "appname"]],
  message: [["message"]],
  status: [["status"], ["severity"], ["level"], ["syslog", "severity"]],
  timestamp: [["@timestamp"], ["timestamp"], ["_timestamp"], ["Timestamp"], ["eventTime"], ["date"], ["published_date"], ["syslog", "timestamp"]],
  trace_id: [["dd", "trace_id"], ["contextMap", "dd", "trace_id"]],
};

export interface NormalizeOptions {
  readonly format: EventFormat;
  readonly source?: string;
  readonly service?: string;
  readonly host?: string;
  readonly tags?: readonly string[];
}

type Members = { [name: string]: Json };

const HERE: readonly string[] = [];

/** First scalar under a path, reading dotted keys too. */
function firstScalar(value: Json | undefined, path: readonly string[]): string | number | boolean | undefined {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) {
    for (const element of value) {
      const found = firstScalar(element, path);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (path.length === 0) return typeof value === "object" ? undefined : value;
  if (typeof value !== "object") return undefined;
  // Nearly all paths are one name.
  if (path.length === 1) return Object.hasOwn(value, path[0]!) ? firstScalar(value[path[0]!], HERE) : undefined;
  for (let length = 1; length <= path.length; length++) {
    const key = path.slice(0, length).join(".");
    const found = Object.hasOwn(value, key) ? firstScalar(value[key], path.slice(length)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The message's own JSON object, laid under the wire's members (the wire wins). */
function withMessageJson(wire: Members): Members {
  const text = wire.message;
  if (typeof text !== "string" || !/^\s*\{/.test(text)) return wire;
  let inner: unknown;
  try {
    inner = JSON.parse(text);
  } catch {
    return wire;
  }
  if (!isMembers(inner)) return wire;
  const message = [inner.message, inner.msg, inner.log].find((value) => typeof value === "string") ?? text;
  return { ...inner, ...wire, message };
}

/** The envelope of a record as parsed, or of a text line. The kernels make the same of it on columns. */
export function normalizeEvent(record: unknown, options: NormalizeOptions): LogEvent {
  if (options.format === "text" || options.format === "syslog" || !isMembers(record)) {
    return withDefaults({ message: typeof record === "string" ? record : JSON.stringify(record), status: "info", attributes: {} }, options);
  }
  if (options.format === "log") return withDefaults(record as LogEvent, options);
  const members = withMessageJson(record);
  const text = (name: string): string | undefined => {
    for (const path of intakeCandidates[name]!) {
      const value = firstScalar(members, path);
      if (value !== undefined) return String(value);
    }
    return undefined;
  };
  const timestamp = intakeCandidates.timestamp!.map((path) => firstScalar(members, path)).find((value) => value !== undefined);
  const event: LogEvent = {
    message: text("message"),
    host: text("host"),
    service: text("service"),
    source: text("source"),
    status: normalizeStatus(text("status")),
    trace_id: text("trace_id"),
    tags: readTags(members.ddtags),
    timestamp: typeof timestamp === "boolean" ? undefined : timestamp,
    attributes: members,
  };
  return withDefaults(event, options);
}

function withDefaults(event: LogEvent, options: NormalizeOptions): LogEvent {
  const out: LogEvent = { ...event };
  out.source ??= options.source;
  out.service ??= options.service;
  out.host ??= options.host;
  if (options.tags?.length) out.tags = [...(event.tags ?? []), ...readTags([...options.tags])];
  return out;
}
