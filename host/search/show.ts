import { isDeepStrictEqual } from "node:util";
import type { Json, LogEvent } from "../event/event.ts";
import { intakeCandidates, normalizeEvent } from "../event/normalize.ts";
import type { FoundLog } from "./log-search.ts";

/** A log in the shape Datadog's logs API gives it. That model has no `source`, so it is among the tags. */
export interface ApiLog {
  readonly id: string;
  readonly type: "log";
  readonly attributes: {
    readonly attributes: { readonly [name: string]: Json };
    readonly host?: string;
    readonly message?: string;
    readonly service?: string;
    readonly status?: string;
    readonly tags: readonly string[];
    /** ISO 8601, UTC. */
    readonly timestamp: string;
  };
}

export function apiLog({ id, timeMs, event }: FoundLog): ApiLog {
  const { host, message, service, status, source, tags = [], attributes = {} } = event;
  return {
    id, type: "log",
    attributes: {
      attributes,
      ...given({ host, message, service, status }),
      tags: source === undefined || tags.includes(`source:${source}`) ? tags : [...tags, `source:${source}`],
      timestamp: timeText(timeMs),
    },
  };
}

export function timeText(timeMs: number): string {
  return Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : String(timeMs);
}

/**
 * A log as a rule's unit test takes it: its members at the top beside `message`, `ddsource`, `ddtags`, `hostname` and `service`, as a
 * shipper would send what the pipelines have made of it. Where that would read as another log, because an attribute is named as one
 * of those is, it is the envelope, whose `attributes` are under one roof; a test takes either.
 */
export function testLog({ event, timeMs }: Pick<FoundLog, "event" | "timeMs">): { readonly [name: string]: Json } {
  const { message, host, service, status, source, trace_id, tags, attributes = {} } = event;
  const timestamp = timeText(timeMs);
  const flat: { [name: string]: Json } = {
    ...attributes,
    ...given({ message, ddsource: source, hostname: host, service, status }),
    ...(tags?.length ? { ddtags: tags.join(",") } : {}),
    ...(hasOwnTime(attributes) ? {} : { timestamp }),
  };
  if (readsAlike(normalizeEvent(flat, { format: "intake" }), event)) return flat;
  return { ...given({ message, host, service, source, status, trace_id }), ...(tags?.length ? { tags: [...tags] } : {}), timestamp, attributes };
}

function hasOwnTime(attributes: { readonly [name: string]: Json }): boolean {
  return intakeCandidates.timestamp!.some(([first]) => Object.hasOwn(attributes, first!));
}

/** All that a query can ask about is the same; what the intake's own names add to the attributes is let pass. */
function readsAlike(read: LogEvent, event: LogEvent): boolean {
  const plain = (each: LogEvent): unknown => ({ message: each.message, host: each.host, service: each.service, status: each.status, source: each.source, trace_id: each.trace_id, tags: [...(each.tags ?? [])].sort() });
  return isDeepStrictEqual(plain(read), plain(event)) && Object.entries(event.attributes ?? {}).every(([name, value]) => isDeepStrictEqual(read.attributes?.[name], value));
}

function given<T extends { readonly [name: string]: string | undefined }>(members: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: string };
}
