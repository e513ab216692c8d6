import { setImmediate as otherTurn } from "node:timers/promises";
import type { Json } from "../../event/event.ts";
import type { RejectedRecord } from "../contract.ts";
import { type Answer, type DecodeContext, type Decoded, type Draft, type Endpoint, type IntakeRequest, Refused, type RequestHead, type Router, WIDE_BODY_BYTES, jsonAnswer, refusedStatus, reject, retryHeaders } from "../exchange.ts";
import { frameBody } from "../frame.ts";
import { headerText } from "../keys.ts";
import { type Defaults, draftOf, queryDefaults, withDefaults } from "../query.ts";
import { RecordDraft, isMembers, readObject, tagsOf, textAt } from "../record.ts";
import { RecordLines } from "../record-lines.ts";
import { gunzipOr } from "../unpack.ts";
import { looksCloudTrail, wrapperOf, decodeWrapped } from "./cloud.ts";

const LINE_END = Uint8Array.of(10);
/** AWS tries for at most two hours; so many requests of one delivery stream never lie between two tries. */
const WINDOW_MS = 2 * 60 * 60 * 1000;
const WINDOW_REQUESTS = 20_000;
/** Records of one request at most. Source: AWS, HTTP endpoint delivery request, `maxItems` of `records`. */
const MOST_RECORDS = 10_000;
/** After so many of them, or unpacked bytes, others have their turn. */
const TURN_RECORDS = 128;
const TURN_BYTES = 512 * 1024;

function key({ headers }: RequestHead): string | undefined {
  return headerText(headers, "x-amz-firehose-access-key");
}

function requestId(head: RequestHead): string | undefined {
  return headerText(head.headers, "x-amz-firehose-request-id");
}

function answerFor(head: RequestHead, status: number, id: string | undefined, errorMessage?: string, headers?: Answer["headers"]): Answer {
  return jsonAnswer(status, { requestId: id ?? "", timestamp: head.arrivalMs, ...(errorMessage ? { errorMessage } : {}) }, headers);
}

/** 401 for a wrong key too, and 503 where it is to try again: AWS knows no others. */
function refuse(refused: Refused, head: RequestHead): Answer {
  const plain = refusedStatus(refused.kind);
  const status = plain === 403 ? 401 : plain === 429 ? 503 : plain === 415 ? 400 : plain;
  return answerFor(head, status, requestId(head), refused.message, retryHeaders(refused));
}

/** Requests taken lately: the same one comes again when an answer was lost. */
class RecentRequests {
  readonly #taken = new Map<string, number>();
  readonly #pending = new Set<string>();

  /** Throws `full` while the same request is being taken. */
  isTaken(id: string, nowMs: number): boolean {
    if (this.#pending.has(id)) throw new Refused("full", "the same request is being taken");
    for (const [old, ms] of this.#taken) {
      if (ms > nowMs - WINDOW_MS && this.#taken.size <= WINDOW_REQUESTS) break;
      this.#taken.delete(old);
    }
    return this.#taken.has(id);
  }

  begin(id: string): void {
    this.#pending.add(id);
  }

  settle(id: string, accepted: boolean, nowMs: number): void {
    this.#pending.delete(id);
    if (accepted) this.#taken.set(id, nowMs);
  }
}

/** Tags of all records of a request. */
function commonTags(head: RequestHead): string[] {
  const text = headerText(head.headers, "x-amz-firehose-common-attributes");
  const members = text === undefined ? undefined : readObject(Buffer.from(text));
  return members ? tagsOf(members.commonAttributes ?? members) : [];
}

async function decode(request: IntakeRequest, context: DecodeContext, recent: RecentRequests): Promise<Decoded> {
  const version = headerText(request.headers, "x-amz-firehose-protocol-version");
  if (version !== undefined && version !== "1.0") throw new Refused("bad-request", "the protocol version is not 1.0");
  const members = readObject(request.body);
  if (!members || !Array.isArray(members.records)) throw new Refused("bad-body", "the body has no records");
  if (members.records.length > MOST_RECORDS) throw new Refused("too-large", `the request has more than ${MOST_RECORDS} records`);
  const id = requestId(request) ?? textAt(members, "requestId");
  const answer = answerFor(request, 200, id);
  const given = queryDefaults(request);
  const scope = `${headerText(request.headers, "x-amz-firehose-source-arn") ?? ""} ${id}`;
  if (id !== undefined && recent.isTaken(scope, request.arrivalMs)) return { batches: [], events: 0, rejected: [{ reason: "request-seen", bytes: new Uint8Array(0) }], answer };
  const found = await readRecords(members.records, { ...given, tags: [...(given.tags ?? []), ...commonTags(request)] }, request, context);
  if (id === undefined) return { ...found, answer };
  // The same may have come while this one was unpacked.
  if (recent.isTaken(scope, request.arrivalMs)) return { batches: [], events: 0, answer };
  recent.begin(scope);
  return { ...found, answer, settled: (accepted) => recent.settle(scope, accepted, request.arrivalMs) };
}

async function readRecords(records: readonly Json[], defaults: Defaults, request: IntakeRequest, context: DecodeContext): Promise<Omit<Decoded, "answer">> {
  const batches: Draft[] = [];
  const made = new RecordLines(context.limits);
  let events = 0;
  let truncated = 0;
  const rejected: RejectedRecord[] = [];
  const limits = { ...context.limits, entries: Number.POSITIVE_INFINITY };
  let room = WIDE_BODY_BYTES;
  let turn = { records: 0, room };
  for (const record of records) {
    if (++turn.records > TURN_RECORDS || turn.room - room > TURN_BYTES) {
      await otherTurn();
      turn = { records: 0, room };
    }
    const data = isMembers(record) ? record.data : undefined;
    if (typeof data !== "string") {
      reject(rejected, "no-data", Buffer.from(JSON.stringify(record)));
      continue;
    }
    const packed = Buffer.from(data, "base64");
    const bytes = await gunzipOr(packed, room);
    if (!bytes) {
      reject(rejected, "damaged-gzip", packed);
      continue;
    }
    room -= bytes.length;
    const subscription = bytes.includes('"logEvents"') ? readObject(bytes) : undefined;
    if (subscription && Array.isArray(subscription.logEvents)) {
      if (subscription.messageType !== "CONTROL_MESSAGE") for (const event of subscription.logEvents) addCloudWatch(made, subscription, event, defaults);
      continue;
    }
    const wrapper = wrapperOf(bytes);
    const unwrapped = wrapper && (await decodeWrapped(wrapper, { ...request, body: bytes }, { ...context, limits }, {} as Answer));
    const framed = unwrapped ?? frameBody(bytes, limits, true);
    const first = "kind" in framed && framed.kind === "json" && framed.events ? firstRecord(framed.bytes) : undefined;
    const source = defaults.source ?? (first && looksCloudTrail(first) ? "cloudtrail" : "cloudwatch");
    batches.push(...("kind" in framed ? draftOf(framed, { ...defaults, source }, context) : framed.batches));
    events += framed.events;
    truncated += framed.truncated ?? 0;
    rejected.push(...(framed.rejected ?? []));
  }
  return { batches: joined([...batches, ...made.batches()]), events: events + made.events, truncated: truncated + made.truncated, rejected: [...rejected, ...made.rejected] };
}

/** Neighbours of one profile as one batch: each costs the journal and detection something of its own. */
function joined(drafts: readonly Draft[]): Draft[] {
  const joins: Array<{ readonly first: Draft; readonly parts: Uint8Array[] }> = [];
  for (const draft of drafts) {
    let last = joins.at(-1);
    if (!last || !isLike(last.first, draft)) joins.push((last = { first: draft, parts: [] }));
    const before = last.parts.at(-1);
    if (before && before.at(-1) !== LINE_END[0]) last.parts.push(LINE_END);
    last.parts.push(draft.bytes);
  }
  return joins.map(({ first, parts }) => (parts.length === 1 ? first : { ...first, bytes: Buffer.concat(parts) }));
}

/** Profiles with something in them are the same object where they are the same. */
function isLike(a: Draft, b: Draft): boolean {
  if (a.dataSource !== b.dataSource) return false;
  return a.profile === b.profile || (a.profile.format === b.profile.format && Object.keys(a.profile).length === 1 && Object.keys(b.profile).length === 1);
}

function firstRecord(lines: Uint8Array): { readonly [name: string]: Json } | undefined {
  const body = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
  const newline = body.indexOf(10);
  return readObject(body, 0, newline < 0 ? body.length : newline);
}

/** One event of a CloudWatch Logs subscription. */
function addCloudWatch(lines: RecordLines, subscription: { readonly [name: string]: Json }, event: Json, defaults: Defaults): void {
  if (!isMembers(event)) {
    lines.reject("not-an-object", Buffer.from(JSON.stringify(event)));
    return;
  }
  const message = typeof event.message === "string" ? event.message : JSON.stringify(event.message ?? "");
  const inner = message.startsWith('{"eventVersion"') ? readObject(Buffer.from(message)) : undefined;
  const isTrail = inner !== undefined && looksCloudTrail(inner);
  const { owner, logGroup, logStream } = subscription;
  const record = new RecordDraft().put("aws", JSON.stringify({ awslogs: { owner, logGroup, logStream } })).reserve({
    message,
    source: defaults.source ?? (isTrail ? "cloudtrail" : "cloudwatch"),
    // A trail's own time says when it happened, CloudWatch's when it came there.
    ...(typeof event.timestamp === "number" && !isTrail ? { timestamp: event.timestamp } : {}),
  });
  if (typeof event.id === "string") record.put("id", JSON.stringify(event.id));
  lines.add(withDefaults(record, { ...defaults, source: undefined }));
}

/**
 * Kinesis Data Firehose's HTTP delivery. A request that comes again within two hours is acknowledged and not taken twice.
 *
 * Source: intake.md 11.
 */
export function firehose(path = "/firehose"): Router {
  const recent = new RecentRequests();
  const endpoint: Endpoint = { input: "firehose", key, refuse, bodyBytes: WIDE_BODY_BYTES, decode: (request, context) => decode(request, context, recent) };
  return (method, asked) => (method === "POST" && (asked === path || asked === "/aws/firehose") ? endpoint : undefined);
}
