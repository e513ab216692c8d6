import { randomUUID } from "node:crypto";
import type { Json } from "../../event/event.ts";
import type { AuditRecord } from "../../store/audit.ts";
import type { AuditEntry } from "../audit-trail.ts";
import type { Principal } from "../principal.ts";
import type { CallHead } from "../route.ts";
import { masked } from "./mask.ts";

export const AUDIT_SOURCE = "audit";
const SERVICE = "vespid";
/** A value beyond this is told by its size and how it begins: a record is a log, and logs have an end. */
const MOST_VALUE_CHARS = 200_000;
const BEGINNING_CHARS = 8000;

type Head = Pick<CallHead, "method" | "path" | "peer" | "userAgent" | "requestId">;

/** What was done, as platform spec 5 has it, without anybody's secrets. */
export function auditRecord(who: Principal, entry: AuditEntry, head: Head | undefined, nowMs: number): Omit<AuditRecord, "number"> {
  const { event = "Cloud Security Platform", action, asset, outcome = "success" } = entry;
  const attributes: { [name: string]: Json } = {
    evt: { name: event, outcome, actor: { type: "USER" } },
    action,
    asset: { type: asset.type, id: asset.id, ...(asset.name === undefined ? {} : { name: masked(asset.name) }), prev_value: valueOf(entry.before), new_value: valueOf(entry.after) },
    usr: { id: who.email || who.handle, uuid: who.userId, email: who.email, name: who.name },
    auth_method: who.authMethod,
  };
  if (head) {
    attributes.network = { client: { ip: head.peer } };
    attributes.http = { method: head.method, url_details: { path: head.path }, useragent: head.userAgent, request_id: head.requestId };
  }
  const keys = { ...(who.apiKeyId === undefined ? {} : { api_key: { id: who.apiKeyId } }), ...(who.applicationKeyId === undefined ? {} : { application_key: { id: who.applicationKeyId } }) };
  if (Object.keys(keys).length) attributes.metadata = keys;
  return {
    id: randomUUID(), timestamp: new Date(nowMs).toISOString(), message: String(masked(entry.message ?? messageOf(who, entry))), service: SERVICE,
    status: outcome === "failure" ? "error" : "info", tags: [`source:${AUDIT_SOURCE}`], attributes,
  };
}

function messageOf({ handle }: Principal, { action, asset, outcome }: AuditEntry): string {
  const what = `${asset.type} ${asset.name === undefined ? asset.id : `"${asset.name}" (${asset.id})`}`;
  return `${handle} ${outcome === "failure" ? "failed: " : ""}${action} ${what}`;
}

function valueOf(value: unknown): Json {
  const safe = masked(value);
  const text = JSON.stringify(safe);
  return text.length <= MOST_VALUE_CHARS ? safe : { truncated: true, chars: text.length, beginning: text.slice(0, BEGINNING_CHARS) };
}
