import type { Json } from "../../event/event.ts";
import { type Answer, type DecodeContext, type Decoded, type Endpoint, type IntakeRequest, Refused, type RequestHead, type Router, WIDE_BODY_BYTES, jsonAnswer, refusedStatus, retryHeaders } from "../exchange.ts";
import { skipBlanks, valueEnd } from "../json-scan.ts";
import { authorizationKey } from "../keys.ts";
import { queryDefaults } from "../query.ts";
import { isMembers, readObject } from "../record.ts";
import { RecordLines } from "../record-lines.ts";
import { ecsRecord } from "./ecs.ts";

const LINE_FEED = 10;
/** Official clients talk to nobody who does not say this. */
const product = { "x-elastic-product": "Elasticsearch" };

function said(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return jsonAnswer(status, value, { ...product, ...headers });
}

/** The password of Basic, or either form of an API key: as given, or what it holds behind its colon. */
function key({ headers }: RequestHead): string | undefined {
  const text = authorizationKey(headers, ["basic", "apikey", "bearer"]);
  if (text === undefined || !/^apikey /i.test(String(headers.authorization).trim())) return text;
  const pair = Buffer.from(text, "base64").toString("utf8");
  // `id:api_key` in base64, unless our key itself stands there.
  return /^[\x21-\x7e]+:[\x21-\x7e]+$/.test(pair) && Buffer.from(pair).toString("base64").replace(/=+$/, "") === text.replace(/=+$/, "") ? pair.slice(pair.indexOf(":") + 1) : text;
}

const types: Readonly<Record<number, string>> = { 401: "security_exception", 403: "security_exception", 429: "es_rejected_execution_exception", 503: "es_rejected_execution_exception", 413: "content_too_long_exception" };

function refuse(refused: Refused): Answer {
  const status = refused.kind === "bad-scheme" ? 401 : refusedStatus(refused.kind);
  const error = { type: types[status] ?? "illegal_argument_exception", reason: refused.message };
  const challenge: Record<string, string> = status === 401 ? { "www-authenticate": 'Basic realm="security" charset="UTF-8"' } : {};
  return said(status, { error: { root_cause: [error], ...error }, status }, { ...retryHeaders(refused), ...challenge });
}

interface Action {
  readonly name: "create" | "index" | "delete" | "update";
  readonly index: string | undefined;
  readonly id: string | undefined;
}

function actionOf(body: Buffer, start: number, end: number, pathIndex: string | undefined): Action | undefined {
  const members = readObject(body, start, end);
  const name = members && Object.keys(members)[0];
  if (!members || (name !== "create" && name !== "index" && name !== "delete" && name !== "update")) return undefined;
  const about = members[name];
  if (!isMembers(about)) return undefined;
  const text = (value: Json | undefined): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
  return { name, index: text(about._index) ?? pathIndex, id: text(about._id) };
}

/** Lines of a bulk body; blank ones are none. */
function* linesIn(body: Buffer): Generator<{ readonly start: number; readonly end: number }> {
  for (let at = 0; at < body.length; ) {
    const newline = body.indexOf(LINE_FEED, at);
    const end = newline < 0 ? body.length : newline;
    const start = skipBlanks(body, at, end);
    if (start < end) yield { start, end };
    at = end + 1;
  }
}

let documents = 0;

function bulk(request: IntakeRequest, { limits }: DecodeContext, pathIndex: string | undefined): Decoded {
  const { body } = request;
  const defaults = queryDefaults(request);
  const records = new RecordLines(limits);
  const items: unknown[] = [];
  let errors = false;
  const refuseItem = (action: Action, reason: string, type: string, bytes: Uint8Array, why?: string): void => {
    errors = true;
    items.push({ [action.name]: { _index: action.index, _id: action.id ?? null, status: 400, error: { type, reason } } });
    if (why) records.reject(why, bytes);
  };
  const lines = linesIn(body);
  for (let line = lines.next(); !line.done; line = lines.next()) {
    const action = actionOf(body, line.value.start, line.value.end, pathIndex);
    if (!action) throw new Refused("bad-body", `Malformed action/metadata line [${items.length * 2 + 1}]`);
    if (action.name === "delete") {
      items.push({ delete: { _index: action.index, _id: action.id ?? null, status: 404, result: "not_found" } });
      continue;
    }
    line = lines.next();
    if (line.done) throw new Refused("bad-body", "The bulk request must be terminated by a newline, and its last action has no document");
    const { start, end } = line.value;
    const bytes = body.subarray(start, end);
    if (action.name === "update") {
      refuseItem(action, "updates are not taken: events do not change", "illegal_argument_exception", bytes, "update");
      continue;
    }
    const document = readObject(body, start, end);
    if (!document) {
      refuseItem(action, "the document is no JSON object", "document_parsing_exception", bytes, "not-json");
      continue;
    }
    if (!records.add(ecsRecord(body, start, valueEnd(body, start, end), document, action.index, defaults))) {
      refuseItem(action, `the document is over ${limits.recordBytes} bytes`, "document_parsing_exception", bytes);
      continue;
    }
    items.push({ [action.name]: { _index: action.index, _id: action.id ?? `${request.arrivalMs.toString(36)}-${(documents++).toString(36)}`, _version: 1, result: "created", status: 201 } });
  }
  return { ...records.decoded(), answer: said(200, { took: 0, errors, items }) };
}

/** What shippers ask before they send anything. */
function stub(path: string, method: string, version: string): unknown {
  if (method === "PUT") return { acknowledged: true };
  if (path === "/") return { name: "vespid", cluster_name: "vespid", version: { number: version, build_flavor: "default", lucene_version: "9.12.0" }, tagline: "You Know, for Search" };
  if (path === "/_license" || path === "/_xpack") return { license: { status: "active", type: "basic", mode: "basic", uid: "5c5e1d0c-0d3e-4c0b-9a54-6b6d2f1f7a10" } };
  return path === "/_cluster/health" ? { cluster_name: "vespid", status: "green", timed_out: false, number_of_nodes: 1 } : {};
}

const BULK = /^(?:\/([^/_][^/]*))?\/_bulk\/?$/;
/** Where other protocols live: a wrong path there is not a question to Elasticsearch. */
const OTHERS = /^\/(?:api|v1|services|loki|aws|azure|gcp|firehose)(?:\/|$)/;

/**
 * Elasticsearch's bulk path, and stubs for all that shippers ask around it.
 *
 * Source: intake.md 7.
 *
 * @param version what clients are told they talk to
 */
export function elastic(version = "8.17.0"): Router {
  const asked = (path: string, method: string): Endpoint => ({ input: "elastic", key, refuse, bodyBytes: WIDE_BODY_BYTES, decode: () => ({ batches: [], events: 0, answer: said(200, stub(path, method, version)) }) });
  return (method, path) => {
    const match = BULK.exec(path);
    if (match && (method === "POST" || method === "PUT")) {
      const index = match[1] === undefined ? undefined : plain(match[1]);
      return { input: "elastic", key, refuse, bodyBytes: WIDE_BODY_BYTES, decode: (request, context) => bulk(request, context, index) };
    }
    return (method === "GET" || method === "HEAD" || method === "PUT") && !OTHERS.test(path) ? asked(path, method) : undefined;
  };
}

function plain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
