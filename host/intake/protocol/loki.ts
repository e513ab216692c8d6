import type { Json } from "../../event/event.ts";
import { type Answer, type DecodeContext, type Decoded, type Endpoint, type IntakeRequest, Refused, type RequestHead, type Router, WIDE_BODY_BYTES, refusedStatus, retryHeaders } from "../exchange.ts";
import { authorizationKey, headerText } from "../keys.ts";
import { queryDefaults, withDefaults } from "../query.ts";
import { RecordDraft, isMembers, readObject, tagsOf, textAt } from "../record.ts";
import { RecordLines } from "../record-lines.ts";
import { datadogKey } from "./datadog-manner.ts";

function refuse(refused: Refused): Answer {
  return { status: refusedStatus(refused.kind), body: `${refused.message}\n`, type: "text/plain; charset=utf-8", headers: retryHeaders(refused) };
}

function first(labels: Json | undefined, ...names: readonly string[]): string | undefined {
  return names.map((name) => textAt(labels, name)).find((text) => text !== undefined);
}

function decode(request: IntakeRequest, { limits }: DecodeContext): Decoded {
  const type = (headerText(request.headers, "content-type") ?? "application/json").toLowerCase();
  if (!type.includes("json")) throw new Refused("bad-encoding", "snappy-compressed protobuf is not taken: let the shipper send JSON");
  const members = readObject(request.body);
  if (!members || !Array.isArray(members.streams)) throw new Refused("bad-body", "the body has no streams");
  const defaults = queryDefaults(request);
  const lines = new RecordLines(limits);
  for (const stream of members.streams) {
    const labels = isMembers(stream) ? stream.stream ?? {} : undefined;
    const values = isMembers(stream) ? stream.values : undefined;
    if (!isMembers(labels) || !Array.isArray(values)) throw new Refused("bad-body", "a stream has no labels or no values");
    for (const value of values) {
      const record = recordOf(labels, value);
      if (record) lines.add(withDefaults(record, { ...defaults, source: defaults.source ?? "loki" }));
      else lines.reject("not-an-entry", Buffer.from(JSON.stringify(value)));
    }
  }
  return { ...lines.decoded(), answer: { status: 204 } };
}

/** `[nanoseconds as text, line, metadata]`; labels are tags, metadata are attributes. */
function recordOf(labels: { readonly [name: string]: Json }, value: Json): RecordDraft | undefined {
  if (!Array.isArray(value)) return undefined;
  const [time, line, metadata] = value;
  if (typeof time !== "string" || !/^\d{1,19}$/.test(time) || typeof line !== "string") return undefined;
  const record = new RecordDraft();
  if (isMembers(metadata)) for (const [name, each] of Object.entries(metadata)) record.put(name, JSON.stringify(each));
  return record.reserve({
    message: line,
    host: first(labels, "host", "hostname", "instance"),
    service: first(labels, "service_name", "service", "app", "job"),
    source: first(labels, "ddsource", "source"),
    status: first(metadata, "level", "detected_level") ?? first(labels, "level", "detected_level"),
    timestamp: Number(BigInt(time) / 1_000_000n),
    tags: tagsOf(labels),
  });
}

const endpoint: Endpoint = {
  input: "loki",
  bodyBytes: WIDE_BODY_BYTES,
  key: (head: RequestHead) => datadogKey(head) ?? authorizationKey(head.headers, ["basic", "bearer"]),
  decode,
  refuse,
};

/** Loki's push path, JSON only. Source: intake.md 11. */
export const loki: Router = (method, path) => (method === "POST" && path === "/loki/api/v1/push" ? endpoint : undefined);
