import type { Json } from "../../event/event.ts";
import { type Answer, type DecodeContext, type Decoded, type Endpoint, type IntakeRequest, Refused, type RequestHead, type Router, jsonAnswer, refusedStatus, retryHeaders, WIDE_BODY_BYTES } from "../exchange.ts";
import { frameText } from "../frame.ts";
import { type Member, arrayElements, membersOf, objectsSideBySide, skipBlanks, type Spans } from "../json-scan.ts";
import { authorizationKey, headerText } from "../keys.ts";
import { type Defaults, draftOf, queryDefaults, withDefaults } from "../query.ts";
import { RecordDraft } from "../record.ts";
import { RecordLines } from "../record-lines.ts";

/** Highest numbers still taken for seconds and for milliseconds. */
const SECONDS_CAP = 13_569_465_600;
const MILLISECONDS_CAP = 253_402_300_800_000;

function key({ headers, query }: RequestHead): string | undefined {
  return authorizationKey(headers, ["splunk", "bearer", "basic"]) ?? (query.get("token") || undefined);
}

/** Text and code of Splunk's own answers. */
function refuse(refused: Refused): Answer {
  if (refused.answer) return refused.answer;
  switch (refused.kind) {
    case "no-key": return jsonAnswer(401, { text: "Token is required", code: 2 });
    case "bad-key": case "bad-scheme": return jsonAnswer(401, { text: "Invalid authorization", code: 3 });
    case "full": case "disk": case "closing": return jsonAnswer(503, { text: "Server is busy", code: 9 }, retryHeaders(refused));
    case "bad-body": return jsonAnswer(400, { text: "Invalid data format", code: 6 });
    case "fault": return jsonAnswer(500, { text: "Internal server error", code: 8 });
    default: return jsonAnswer(refusedStatus(refused.kind), { text: refused.message, code: refused.kind === "bad-encoding" ? 6 : 27 }, retryHeaders(refused));
  }
}

function said(status: number, text: string, code: number, more: object = {}): Answer {
  return jsonAnswer(status, { text, code, ...more });
}

function noData(): Refused {
  return new Refused("bad-body", "No data", { answer: said(400, "No data", 5) });
}

const success = said(200, "Success", 0);

/** In force for the events after it, until another says otherwise. */
interface Sticky {
  timeMs?: number;
  host?: string;
  source?: string;
  sourcetype?: string;
  index?: string;
}

/** A fault that ends the reading of a body; what came before it stands. */
type Fault = { readonly text: string; readonly code: number };

function decodeEvents(request: IntakeRequest, context: DecodeContext): Decoded {
  const { body } = request;
  const start = skipBlanks(body, 0, body.length);
  if (start === body.length) throw noData();
  const { spans, whole } = valuesOf(body, start);
  const defaults = queryDefaults(request);
  const sticky: Sticky = {};
  const fallback: Defaults = { ...defaults, source: defaults.source ?? "splunk", host: defaults.host ?? forwardedFor(request) };
  const lines = new RecordLines(context.limits);
  let fault: Fault | undefined;
  for (let i = 0; i < spans.count && !fault; i++) {
    const made = body[spans.start(i)] === 0x7b ? recordOf(body, membersOf(body, spans.start(i), spans.end(i)), sticky, fallback) : { text: "Invalid data format", code: 6 };
    if (made instanceof RecordDraft) lines.add(made);
    else fault = made;
  }
  if (!whole) fault ??= { text: "Invalid data format", code: 6 };
  const number = lines.events + lines.rejected.length;
  if (fault) lines.reject(fault.code === 6 ? "not-json" : "no-event", body.subarray(number < spans.count ? spans.start(number) : spans.count ? spans.end(spans.count - 1) : start));
  const answer = fault ? said(400, fault.text, fault.code, { "invalid-event-number": number }) : success;
  return { ...lines.decoded(), answer };
}

/** Values one behind the other, or the elements of an array; what is whole of them, where the body is not. */
function valuesOf(body: Buffer, start: number): { readonly spans: Spans; readonly whole: boolean } {
  if (body[start] === 0x5b) {
    const found = arrayElements(body, start, body.length);
    if (found) return { spans: found.spans, whole: skipBlanks(body, found.after, body.length) === body.length };
  }
  const { spans, after } = objectsSideBySide(body, start, body.length);
  return { spans, whole: after === body.length };
}

function forwardedFor({ headers, peer }: RequestHead): string {
  return headerText(headers, "x-forwarded-for")?.split(",")[0]?.trim() || peer;
}

function recordOf(body: Buffer, members: readonly Member[], sticky: Sticky, defaults: Defaults): RecordDraft | Fault {
  const found = new Map(members.map((member) => [member.name, member]));
  const read = (name: string): Json | undefined => {
    const member = found.get(name);
    const isScalar = member && body[member.start] !== 0x5b && body[member.start] !== 0x7b;
    return isScalar ? (JSON.parse(body.toString("utf8", member.start, member.end)) as Json) : undefined;
  };
  for (const name of ["host", "source", "sourcetype", "index"] as const) {
    const value = found.has(name) ? read(name) : undefined;
    if (typeof value === "string" && value !== "") sticky[name] = value;
  }
  if (found.has("time")) sticky.timeMs = timeOf(read("time")) ?? sticky.timeMs;
  const event = found.get("event");
  const first = event && body[event.start];
  if (!event || first === 0x6e) return { text: "Event field is required", code: 12 };
  const record = new RecordDraft();
  let message: string | undefined;
  if (first === 0x22) {
    message = read("event") as string;
    if (message.trim() === "") return { text: "Event field cannot be blank", code: 13 };
  } else if (first === 0x7b) {
    record.putObject(body, event.start, event.end);
    if (record.text() === "{}") return { text: "Event field cannot be blank", code: 13 };
    message = ["message", "line", "msg"].map((name) => textJson(record.json(name))).find((text) => text !== undefined);
  } else message = body.toString("utf8", event.start, event.end);
  const fields = found.get("fields");
  if (fields && body[fields.start] === 0x7b) record.putObject(body, fields.start, fields.end, (member) => record.has(member.name));
  if (sticky.source) record.fill("splunk.source", JSON.stringify(sticky.source));
  record.reserve({
    message,
    host: sticky.host,
    source: sticky.sourcetype?.replace(/^_/, "") || undefined,
    ...(sticky.timeMs === undefined ? {} : { timestamp: sticky.timeMs }),
    tags: sticky.index ? [`index:${sticky.index}`] : [],
  });
  return withDefaults(record, defaults);
}

/** Splunk's own libraries and Docker's driver wrap what an application logs; an object there is read like JSON in a message. */
function textJson(json: string | undefined): string | undefined {
  if (json?.startsWith("{") && json !== "{}") return json;
  return json?.startsWith('"') ? (JSON.parse(json) as string) : undefined;
}

/** Seconds, milliseconds or nanoseconds as milliseconds; the fraction of seconds counts. */
function timeOf(value: Json | undefined): number | undefined {
  const time = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof time !== "number" || !Number.isFinite(time) || time < 0) return undefined;
  if (time < SECONDS_CAP) return Math.round(time * 1000);
  return time < MILLISECONDS_CAP ? Math.floor(time) : Math.floor(time / 1e6);
}

/** Lines of text; what an event says of itself in JSON, the address says here. */
function decodeRaw(request: IntakeRequest, context: DecodeContext): Decoded {
  const { query } = request;
  const framed = frameText(request.body, context.limits);
  if (framed.events === 0) throw noData();
  const defaults = queryDefaults(request);
  const index = query.get("index");
  const { events, truncated } = framed;
  const source = query.get("sourcetype")?.replace(/^_/, "") || defaults.source || (framed.kind === "syslog" ? undefined : "splunk");
  const host = defaults.host ?? (framed.kind === "syslog" ? undefined : forwardedFor(request));
  const tags = [...(defaults.tags ?? []), ...(index ? [`index:${index}`] : [])];
  return { batches: draftOf(framed, { ...defaults, source, host, tags }, context), events, truncated, answer: success };
}

const events: Endpoint = { input: "splunk", key, bodyBytes: WIDE_BODY_BYTES, decode: decodeEvents, refuse };
const raw: Endpoint = { ...events, decode: decodeRaw };
const health: Endpoint = { input: "splunk", refuse, decode: () => ({ batches: [], events: 0, answer: said(200, "HEC is healthy", 17) }) };
const ack: Endpoint = {
  ...events,
  decode() {
    throw new Refused("bad-request", "Ack is disabled", { answer: said(400, "Ack is disabled", 14) });
  },
};

const PATH = /^\/services\/collector(?:\/(event|raw|health|ack)(?:\/1\.0)?)?\/?$/;

/**
 * Splunk's HTTP event collector, without acknowledgements.
 *
 * Source: intake.md 6.
 */
export const splunk: Router = (method, path) => {
  const name = PATH.exec(path);
  if (!name) return undefined;
  if (name[1] === "health") return method === "GET" ? health : undefined;
  if (method !== "POST") return undefined;
  return name[1] === "raw" ? raw : name[1] === "ack" ? ack : events;
};
