import type { Json } from "../../event/event.ts";
import { type Answer, type DecodeContext, type Decoded, type Endpoint, type IntakeRequest, Refused, type Router, WIDE_BODY_BYTES } from "../exchange.ts";
import { type Framed, frameBody, frameSpans } from "../frame.ts";
import { type Member, arrayElements, membersOf, objectsSideBySide, skipBlanks, valueEnd } from "../json-scan.ts";
import { draftOf, queryDefaults, withDefaults } from "../query.ts";
import { RecordDraft, readObject, textAt } from "../record.ts";
import { RecordLines } from "../record-lines.ts";
import { azureRecord, looksAzure } from "./azure.ts";
import { datadogKey, refusePlain } from "./datadog-manner.ts";
import { pubsubRecord } from "./pubsub.ts";

/** Objects in which clouds wrap what they deliver. */
export type Wrapper = "records" | "eventbridge" | "pubsub";

const HEAD_BYTES = 4096;
const RECORDS = /^\s*\{\s*"[Rr]ecords"\s*:\s*\[/;

/** Guess from a body's first bytes, so that an ordinary body costs next to nothing. */
export function wrapperOf(body: Buffer): Wrapper | undefined {
  const start = skipBlanks(body, 0, body.length);
  if (body[start] !== 0x7b) return undefined;
  const head = body.toString("latin1", start, start + HEAD_BYTES);
  if (RECORDS.test(head)) return "records";
  if (head.includes('"detail-type"')) return "eventbridge";
  return /"message"\s*:\s*\{/.test(head) && body.includes('"subscription"') ? "pubsub" : undefined;
}

/**
 * What a wrapper holds; undefined when the body is not that after all.
 *
 * @param fromAzure known already; else the first record tells
 */
export async function decodeWrapped(wrapper: Wrapper, request: IntakeRequest, context: DecodeContext, answer: Answer, fromAzure = false): Promise<Decoded | undefined> {
  const { body } = request;
  const start = skipBlanks(body, 0, body.length);
  const end = valueEnd(body, start, body.length);
  if (end < 0 || body[start] !== 0x7b || skipBlanks(body, end, body.length) < body.length) return undefined;
  const members = membersOf(body, start, end);
  switch (wrapper) {
    case "records": return decodeRecords(members, request, context, answer, fromAzure);
    case "eventbridge": return decodeEventBridge(members, request, context, answer);
    case "pubsub": return pubsubRecord(request, context, answer);
  }
}

/** `Records` of CloudTrail files and S3 notices, `records` of Azure's event hubs. */
function decodeRecords(members: readonly Member[], request: IntakeRequest, context: DecodeContext, answer: Answer, fromAzure: boolean): Decoded | undefined {
  const { body } = request;
  const list = members.findLast((member) => member.name === "Records" || member.name === "records");
  const found = list && body[list.start] === 0x5b ? arrayElements(body, list.start, list.end) : undefined;
  if (!found) return undefined;
  const defaults = queryDefaults(request);
  const first = found.spans.count ? readObject(body, found.spans.start(0), found.spans.end(0)) : undefined;
  if (fromAzure || (first && looksAzure(first))) {
    const framed = frameSpans(body, list!.start, found.spans, context.limits);
    return azureRecords(framed, request, context, answer);
  }
  const framed = frameSpans(body, list!.start, found.spans, context.limits);
  const source = defaults.source ?? (first && looksCloudTrail(first) ? "cloudtrail" : undefined);
  return { batches: draftOf(framed, { ...defaults, source }, context), events: framed.events, truncated: framed.truncated, rejected: framed.rejected, answer };
}

/** S3's notices have much the same members, but name their source `aws:s3`. */
export function looksCloudTrail(record: { readonly [name: string]: Json }): boolean {
  return typeof record.eventVersion === "string" && typeof record.eventName === "string" && typeof record.eventSource === "string" && record.eventSource.endsWith(".amazonaws.com");
}

/** Lines just framed, each with Azure's names made ours. */
function azureRecords(framed: Framed, request: IntakeRequest, { limits }: DecodeContext, answer: Answer): Decoded {
  const defaults = queryDefaults(request);
  const body = Buffer.from(framed.bytes.buffer, framed.bytes.byteOffset, framed.bytes.byteLength);
  const lines = new RecordLines(limits);
  const { spans } = objectsSideBySide(body, 0, body.length);
  for (let i = 0; i < spans.count; i++) {
    const bytes = body.subarray(spans.start(i), spans.end(i));
    const value = readObject(bytes);
    if (value) lines.add(withDefaults(azureRecord(bytes, value, defaults.source), { ...defaults, source: undefined }));
    else lines.reject("too-deep", bytes);
  }
  const { truncated, rejected, ...rest } = lines.decoded();
  return { ...rest, truncated: truncated + framed.truncated, rejected: [...framed.rejected, ...rejected], answer };
}

/** EventBridge: the finding or call is `detail`; account and region are tags. `aws.guardduty` is Datadog's `guardduty`. */
function decodeEventBridge(members: readonly Member[], request: IntakeRequest, { limits }: DecodeContext, answer: Answer): Decoded | undefined {
  const { body } = request;
  const detail = members.findLast((member) => member.name === "detail");
  if (!detail || body[detail.start] !== 0x7b) return undefined;
  const envelope = readObject(body);
  if (!envelope || typeof envelope["detail-type"] !== "string") return undefined;
  const inner = envelope.detail as { [name: string]: Json };
  const record = new RecordDraft().putObject(body, detail.start, detail.end);
  const source = looksCloudTrail(inner) ? "cloudtrail" : textAt(envelope, "source")?.replace(/^aws\./, "") ?? "eventbridge";
  const tags = [["aws_account", "account"], ["region", "region"]].flatMap(([tag, name]) => (textAt(envelope, name!) ? [`${tag}:${textAt(envelope, name!)}`] : []));
  record.fill("detail-type", JSON.stringify(envelope["detail-type"])).fill("eventbridge.source", JSON.stringify(envelope.source ?? null));
  const defaults = queryDefaults(request);
  const time = textAt(envelope, "time");
  const hasTime = ["@timestamp", "timestamp", "eventTime"].some((name) => isTimeText(inner[name]));
  record.reserve({ source: defaults.source ?? source, ...(time && !hasTime ? { timestamp: time } : {}), tags });
  const lines = new RecordLines(limits);
  lines.add(withDefaults(record, defaults));
  return { ...lines.decoded(), answer };
}

function isTimeText(value: Json | undefined): boolean {
  return typeof value === "string" || typeof value === "number";
}

function cloudEndpoint(input: string, source?: string): Endpoint {
  return {
    input,
    key: datadogKey,
    bodyBytes: WIDE_BODY_BYTES,
    refuse: refusePlain,
    async decode(request, context) {
      const answer: Answer = { status: 200, body: "{}" };
      const wrapper = wrapperOf(request.body);
      const decoded = wrapper && (await decodeWrapped(wrapper, request, context, answer, source === "azure"));
      if (decoded) return decoded;
      if (input === "pubsub") throw new Refused("bad-body", "the body is no Pub/Sub push envelope");
      return bare(request, context, answer, source);
    },
  };
}

/** Records without their wrapper: an array, lines, one object. */
function bare(request: IntakeRequest, context: DecodeContext, answer: Answer, source: string | undefined): Decoded {
  const defaults = queryDefaults(request);
  const framed = frameBody(request.body, { ...context.limits, entries: Number.POSITIVE_INFINITY }, false, context.framer);
  const { events, truncated, rejected } = framed;
  if (source !== "azure") return { batches: draftOf(framed, { ...defaults, source: defaults.source ?? source }, context), events, truncated, rejected, answer };
  if (framed.kind !== "json") throw new Refused("bad-body", "the body is no JSON");
  return azureRecords(framed, request, context, answer);
}

const endpoints: Readonly<Record<string, Endpoint>> = {
  "/aws/cloudtrail": cloudEndpoint("cloudtrail", "cloudtrail"),
  "/aws/eventbridge": cloudEndpoint("eventbridge", "eventbridge"),
  "/azure/eventhub": cloudEndpoint("eventhub", "azure"),
  "/gcp/pubsub": cloudEndpoint("pubsub"),
};

/**
 * What clouds deliver in wrappers of their own, each at a path; the Datadog paths know the wrappers too.
 *
 * Paths are ours. Key as on Datadog's paths, or `?api_key=` where a cloud lets nothing but the address be set.
 */
export const cloud: Router = (method, path) => (method === "POST" && Object.hasOwn(endpoints, path) ? endpoints[path] : undefined);
