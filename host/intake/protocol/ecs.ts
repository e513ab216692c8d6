import type { Json } from "../../event/event.ts";
import { type Defaults, withDefaults } from "../query.ts";
import { RecordDraft, isMembers, tagsOf, textAt } from "../record.ts";

type Members = { readonly [name: string]: Json };

/** Elastic's names and those that rules ask for. */
const aliases: ReadonlyArray<readonly [from: string, to: string]> = [
  ["source.ip", "network.client.ip"], ["destination.ip", "network.destination.ip"], ["user.name", "usr.name"], ["user.id", "usr.id"],
  ["event.action", "evt.name"], ["event.outcome", "evt.outcome"], ["user_agent.original", "http.useragent"], ["url.original", "http.url"],
  ["http.response.status_code", "http.status_code"],
];

/** What stands under a dotted name, nested or with the dots in its key. */
function at(document: Members, name: string): Json | undefined {
  let value: Json | undefined = document as Json;
  for (const part of name.split(".")) value = isMembers(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  return value ?? (Object.hasOwn(document, name) ? document[name] : undefined);
}

function text(document: Members, name: string): string | undefined {
  return textAt({ value: at(document, name) ?? null }, "value");
}

/**
 * A document of the Elastic Common Schema: its reserved attributes found, aliases beside them where they are free, all else as it came.
 *
 * Source: intake.md 7.
 */
export function ecsRecord(body: Buffer, start: number, end: number, document: Members, index: string | undefined, defaults: Defaults): RecordDraft {
  const record = new RecordDraft().putObject(body, start, end);
  for (const [from, to] of aliases) {
    const value = at(document, from);
    if (value !== undefined && value !== null && at(document, to) === undefined) record.put(to, JSON.stringify(value));
  }
  const tags = Array.isArray(document.tags) ? document.tags.filter((tag) => typeof tag === "string").map((tag) => tag.replaceAll(",", "_")) : [];
  const hasHost = typeof document.host === "string" || typeof document.hostname === "string";
  const source = typeof document.ddsource === "string" ? undefined : text(document, "event.module") ?? defaults.source ?? index;
  const traceId = text(document, "trace.id");
  record.reserve({
    message: typeof document.message === "string" ? undefined : text(document, "event.original"),
    host: hasHost ? undefined : text(document, "host.name") ?? text(document, "host.hostname") ?? text(document, "agent.name"),
    service: typeof document.service === "string" ? undefined : text(document, "service.name") ?? text(document, "event.dataset"),
    source,
    status: text(document, "log.level"),
    ...(traceId ? { traceId } : {}),
    tags: [...tags, ...tagsOf(document.labels)],
  });
  return withDefaults(record, { service: defaults.service, host: defaults.host, tags: defaults.tags });
}
