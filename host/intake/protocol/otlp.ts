import { type Answer, type DecodeContext, type Decoded, type Endpoint, type IntakeRequest, Refused, type RequestHead, type Router, WIDE_BODY_BYTES, refusedStatus, retryHeaders } from "../exchange.ts";
import { authorizationKey, headerText } from "../keys.ts";
import { type Defaults, queryDefaults, withDefaults } from "../query.ts";
import { RecordDraft } from "../record.ts";
import { RecordLines } from "../record-lines.ts";
import { normalizeStatus } from "../../event/status.ts";
import { datadogKey } from "./datadog-manner.ts";
import { type KeyValue, type LogRecord, type ResourceLogs, valueJson } from "./otlp-model.ts";
import { readOtlpJson } from "./otlp-json.ts";
import { readOtlpProtobuf } from "./otlp-protobuf.ts";
import { ProtobufError, protobufMessage } from "./protobuf.ts";

const PROTOBUF = "application/x-protobuf";
const bySeverity = ["debug", "debug", "info", "warn", "error", "critical"] as const;

/**
 * `POST /v1/logs`: logs of OpenTelemetry in JSON or protobuf.
 *
 * Source: intake.md 5.
 */
export const otlp: Router = (method, path) => (method === "POST" && path === "/v1/logs" ? endpoint : undefined);

const endpoint: Endpoint = {
  input: "otlp",
  bodyBytes: WIDE_BODY_BYTES,
  key: (head) => datadogKey(head) ?? headerText(head.headers, "api-key") ?? headerText(head.headers, "x-api-key") ?? authorizationKey(head.headers, ["bearer", "apikey", "basic"]),
  decode,
  refuse: (refused, head) => messageAnswer(head, refusedStatus(refused.kind), refused.message, retryHeaders(refused)),
};

function isJson(head: RequestHead): boolean {
  return (headerText(head.headers, "content-type") ?? "").toLowerCase().startsWith("application/json");
}

/** A `google.rpc.Status`, in the encoding the request had. */
function messageAnswer(head: RequestHead, status: number, message: string, headers: Answer["headers"]): Answer {
  if (isJson(head)) return { status, body: JSON.stringify({ message }), headers };
  return { status, body: protobufMessage([[2, message]]), type: PROTOBUF, headers };
}

function decode(request: IntakeRequest, { limits }: DecodeContext): Decoded {
  const defaults = queryDefaults(request);
  const lines = new RecordLines(limits);
  for (const resource of read(request)) {
    const shared = resourceOf(resource.attributes);
    for (const scope of resource.scopes) {
      for (const log of scope.records) {
        lines.add(withDefaults(recordOf(log, shared, scope.name, defaults), defaults));
      }
    }
  }
  return { ...lines.decoded(), answer: success(request, lines.rejected.length) };
}

function read(request: IntakeRequest): ResourceLogs[] {
  if (request.body.length === 0) return [];
  if (isJson(request)) return readOtlpJson(request.body);
  try {
    return readOtlpProtobuf(request.body);
  } catch (error) {
    if (error instanceof ProtobufError) throw new Refused("bad-body", `the body is no ExportLogsServiceRequest: ${error.message}`);
    throw error;
  }
}

/** An empty response, or how many records were not taken. */
function success(request: IntakeRequest, lost: number): Answer {
  const errorMessage = "records over the size of a log";
  if (isJson(request)) return { status: 200, body: lost ? JSON.stringify({ partialSuccess: { rejectedLogRecords: String(lost), errorMessage } }) : "{}" };
  return { status: 200, type: PROTOBUF, body: lost ? protobufMessage([[1, protobufMessage([[1, BigInt(lost)], [2, errorMessage]])]]) : Buffer.alloc(0) };
}

interface Resource {
  readonly attributes: ReadonlyArray<readonly [name: string, json: string]>;
  readonly service?: string;
  readonly host?: string;
  readonly language?: string;
  readonly source?: string;
  readonly tags: readonly string[];
}

function textOf(attributes: readonly KeyValue[], key: string): string | undefined {
  const value = attributes.findLast((attribute) => attribute.key === key)?.value;
  return value?.kind === "text" && value.text !== "" ? value.text : undefined;
}

function resourceOf(attributes: readonly KeyValue[]): Resource {
  const environment = textOf(attributes, "deployment.environment.name") ?? textOf(attributes, "deployment.environment");
  const version = textOf(attributes, "service.version");
  return {
    attributes: attributes.map(({ key, value }) => [key, valueJson(value)]),
    service: textOf(attributes, "service.name"),
    host: textOf(attributes, "host.name"),
    language: textOf(attributes, "telemetry.sdk.language"),
    source: textOf(attributes, "ddsource"),
    tags: [...(environment ? [`env:${environment}`] : []), ...(version ? [`version:${version}`] : [])],
  };
}

function recordOf(log: LogRecord, resource: Resource, scope: string, { source }: Defaults): RecordDraft {
  const record = new RecordDraft();
  for (const [name, json] of resource.attributes) record.put(name, json);
  let message: string | undefined;
  if (log.body?.kind === "text") message = log.body.text;
  else if (log.body?.kind === "map") {
    for (const { key, value } of log.body.members) record.put(key, valueJson(value));
    message = ["message", "msg", "log"].map((name) => textOf(log.body?.kind === "map" ? log.body.members : [], name)).find((text) => text !== undefined) ?? valueJson(log.body);
  } else if (log.body) message = valueJson(log.body);
  for (const { key, value } of log.attributes) record.put(key, valueJson(value));
  if (scope !== "") record.fill("otel.library.name", JSON.stringify(scope));
  if (log.spanId !== "") record.fill("dd.span_id", JSON.stringify(log.spanId));
  if (log.eventName !== "") record.fill("evt.name", JSON.stringify(log.eventName));
  const timeNs = log.timeNs || log.observedNs;
  return record.reserve({
    message,
    host: resource.host,
    service: textOf(log.attributes, "service.name") ?? resource.service,
    source: textOf(log.attributes, "ddsource") ?? resource.source ?? source ?? resource.language ?? "otlp",
    status: statusOf(log),
    ...(timeNs ? { timestamp: Number(timeNs / 1_000_000n) } : {}),
    ...(log.traceId ? { traceId: log.traceId } : {}),
    tags: resource.tags,
  });
}

function statusOf({ severity, severityText }: LogRecord): string | undefined {
  if (severity >= 1 && severity <= 24) return bySeverity[Math.floor((severity - 1) / 4)];
  return severityText === "" ? undefined : normalizeStatus(severityText);
}
