import type { Json } from "../../event/event.ts";
import type { Answer, DecodeContext, Decoded, IntakeRequest } from "../exchange.ts";
import { Refused } from "../exchange.ts";
import { frameBody } from "../frame.ts";
import { valueEnd } from "../json-scan.ts";
import { draftOf, queryDefaults, withDefaults } from "../query.ts";
import { RecordDraft, isMembers, readObject, tagsOf, textAt } from "../record.ts";
import { RecordLines } from "../record-lines.ts";
import { gunzipOr } from "../unpack.ts";

type Members = { readonly [name: string]: Json };

const UNPACKED_CAP = 10 * 1024 * 1024;

/**
 * A Pub/Sub push: `{"message":{"data":"<base64>","attributes":{…},"messageId":…,"publishTime":…},"subscription":…}`.
 *
 * A log entry of Google Cloud keeps its shape under `data`, standard names stand beside it (content-packs.md 2.4). Anything else that
 * was published is read as on Datadog's paths. Undefined when it is no such envelope.
 */
export async function pubsubRecord(request: IntakeRequest, context: DecodeContext, answer: Answer): Promise<Decoded | undefined> {
  const envelope = readObject(request.body);
  const message = envelope?.message;
  if (!isMembers(message) || !("data" in message || "attributes" in message)) return undefined;
  const data = message.data ?? "";
  if (typeof data !== "string" || !/^[A-Za-z0-9+/=_-]*$/.test(data)) throw new Refused("bad-body", "message.data is no base64");
  const bytes = await gunzipOr(Buffer.from(data, "base64"), UNPACKED_CAP);
  if (!bytes) return { batches: [], events: 0, rejected: [{ reason: "damaged-gzip", bytes: Buffer.from(data, "base64") }], answer };
  const given = queryDefaults(request);
  const defaults = { ...given, tags: [...(given.tags ?? []), ...tagsOf(message.attributes)] };
  const entry = readObject(bytes);
  if (entry && looksLikeEntry(entry)) {
    const record = withDefaults(gcpRecord(bytes, entry), { ...defaults, source: undefined }).reserve({ source: defaults.source ?? "gcp" });
    const lines = new RecordLines(context.limits);
    lines.add(record);
    return { ...lines.decoded(), answer };
  }
  const framed = frameBody(bytes, { ...context.limits, entries: Number.POSITIVE_INFINITY }, true);
  const { events, truncated, rejected } = framed;
  return { batches: draftOf(framed, { ...defaults, source: defaults.source ?? "gcp" }, context), events, truncated, rejected, answer };
}

function looksLikeEntry(entry: Members): boolean {
  return typeof entry.logName === "string" && ("protoPayload" in entry || "jsonPayload" in entry || "textPayload" in entry || "resource" in entry);
}

function gcpRecord(bytes: Buffer, entry: Members): RecordDraft {
  const start = bytes.indexOf(0x7b);
  const record = new RecordDraft().put("data", bytes.toString("utf8", start, valueEnd(bytes, start, bytes.length)));
  const fill = (name: string, text: string | undefined): void => {
    if (text !== undefined) record.put(name, JSON.stringify(text));
  };
  const code = textAt(entry, "protoPayload", "status", "code");
  fill("evt.name", textAt(entry, "protoPayload", "methodName"));
  if (entry.protoPayload) fill("evt.outcome", code === undefined || code === "0" ? "success" : "failure");
  fill("usr.id", textAt(entry, "protoPayload", "authenticationInfo", "principalEmail"));
  fill("network.client.ip", textAt(entry, "protoPayload", "requestMetadata", "callerIp"));
  fill("http.useragent", textAt(entry, "protoPayload", "requestMetadata", "callerSuppliedUserAgent"));
  return record.reserve({
    message: textAt(entry, "textPayload") ?? textAt(entry, "jsonPayload", "message"),
    service: textAt(entry, "protoPayload", "serviceName"),
    status: textAt(entry, "severity"),
    timestamp: textAt(entry, "timestamp") ?? textAt(entry, "receiveTimestamp"),
  });
}
