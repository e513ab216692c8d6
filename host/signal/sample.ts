import { hash } from "node:crypto";
import { eventId } from "../event/event-id.ts";
import type { Json, LogEvent } from "../event/event.ts";
import { readTimestamp } from "../event/timestamp.ts";
import { matches } from "../query/matches.ts";
import type { Rule } from "../rule/rule.ts";
import type { DocumentSample } from "./document.ts";

/** UTF-16 units of a sample as JSON: beyond them only its frame is kept. */
const SAMPLE_UNITS = 64 * 1024;
const MESSAGE_UNITS = 8192;

/** An event as a sample of a stored signal: a `DocumentSample` as JSON text. */
export function sampleText(event: LogEvent, bytes: Uint8Array, rule: Rule): string {
  const sample = sampleOf(event, bytes, rule);
  const text = JSON.stringify(sample);
  if (text.length <= SAMPLE_UNITS) return text;
  const { tags, ...content } = sample.content;
  const message = content.message?.slice(0, MESSAGE_UNITS);
  const short = (value: string | undefined): string | undefined => value?.slice(0, MESSAGE_UNITS);
  return JSON.stringify({
    ...sample, event_id: sample.event_id.slice(0, MESSAGE_UNITS),
    content: { timestamp: content.timestamp, status: short(content.status), service: short(content.service), host: short(content.host), source: short(content.source), message, tags: tags.slice(0, 100), custom: {}, truncated: true },
  } satisfies DocumentSample);
}

function sampleOf(event: LogEvent, bytes: Uint8Array, rule: Rule): DocumentSample {
  const { method } = rule.options;
  const queries = method.kind === "third_party" ? method.rootQueries : rule.queries;
  const queryIndex = queries.findIndex(({ node }) => matches(node, event));
  const timestamp = event.timestamp === undefined ? undefined : readTimestamp(event.timestamp, 0);
  const own = eventId(event.attributes);
  return {
    // What has no id of its own is known by its bytes.
    event_id: own === undefined ? hash("sha256", bytes).slice(0, 32) : String(own),
    ...(queryIndex < 0 ? {} : { query_index: queryIndex }),
    content: {
      ...(timestamp === undefined ? {} : { timestamp }),
      ...filled("status", event.status), ...filled("service", event.service), ...filled("host", event.host), ...filled("source", event.source), ...filled("message", event.message),
      tags: event.tags ?? [], custom: (event.attributes ?? {}) as { readonly [name: string]: Json },
    },
  };
}

function filled<Name extends string>(name: Name, value: string | undefined): { readonly [N in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: string };
}
