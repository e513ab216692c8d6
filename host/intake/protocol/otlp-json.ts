import { Refused } from "../exchange.ts";
import { isMembers, readObject } from "../record.ts";
import { type AnyValue, type KeyValue, type LogRecord, OTLP_DEPTH_CAP, type ResourceLogs, absent, emptyRecord, numberValue, tooDeep } from "./otlp-model.ts";

/** `ExportLogsServiceRequest` in OTLP's JSON: lower camel case, ids in hex, 64-bit numbers as text or number. Throws `bad-body`. */
export function readOtlpJson(body: Buffer): ResourceLogs[] {
  const request = readObject(body);
  if (!request) throw new Refused("bad-body", "the body is no ExportLogsServiceRequest");
  return objects(request.resourceLogs).map((resource) => ({
    attributes: isMembers(resource.resource) ? readAttributes(resource.resource.attributes, 0) : [],
    scopes: [...objects(resource.scopeLogs), ...objects(resource.instrumentationLibraryLogs)].map((scope) => {
      const named = scope.scope ?? scope.instrumentationLibrary;
      return { name: isMembers(named) && typeof named.name === "string" ? named.name : "", records: objects(scope.logRecords).map(readRecord) };
    }),
  }));
}

type Members = { readonly [name: string]: unknown };

function objects(value: unknown): Members[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isMembers)) throw new Refused("bad-body", "a list of messages is none");
  return value;
}

function readRecord(members: Members): LogRecord {
  return {
    ...emptyRecord(),
    timeNs: nanoseconds(members.timeUnixNano),
    observedNs: nanoseconds(members.observedTimeUnixNano),
    severity: typeof members.severityNumber === "number" ? members.severityNumber : 0,
    severityText: text(members.severityText),
    body: members.body === undefined || members.body === null ? undefined : readValue(members.body, 0),
    attributes: readAttributes(members.attributes, 0),
    traceId: text(members.traceId).toLowerCase(),
    spanId: text(members.spanId).toLowerCase(),
    eventName: text(members.eventName),
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function nanoseconds(value: unknown): bigint {
  if (value === undefined || value === null) return 0n;
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return BigInt.asUintN(64, BigInt(Math.floor(value)));
  if (typeof value === "string" && /^\d{1,20}$/.test(value)) return BigInt.asUintN(64, BigInt(value));
  throw new Refused("bad-body", "a time is no count of nanoseconds");
}

function readAttributes(value: unknown, depth: number): KeyValue[] {
  return objects(value).map((member) => ({ key: text(member.key), value: readValue(member.value, depth) }));
}

function readValue(value: unknown, depth: number): AnyValue {
  if (depth > OTLP_DEPTH_CAP) throw tooDeep();
  if (value === undefined || value === null) return absent;
  if (!isMembers(value)) throw new Refused("bad-body", "a value is no AnyValue");
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = value;
  if (typeof stringValue === "string") return { kind: "text", text: stringValue };
  if (typeof boolValue === "boolean") return { kind: "plain", json: String(boolValue) };
  if (typeof intValue === "number") return { kind: "plain", json: Number.isInteger(intValue) ? BigInt(intValue).toString() : "0" };
  if (typeof intValue === "string" && /^-?\d{1,20}$/.test(intValue)) return { kind: "plain", json: BigInt(intValue).toString() };
  if (typeof doubleValue === "number") return numberValue(doubleValue);
  if (typeof doubleValue === "string" && doubleValue.trim() !== "") return numberValue(Number(doubleValue));
  if (isMembers(arrayValue)) return { kind: "list", values: list(arrayValue.values).map((each) => readValue(each, depth + 1)) };
  if (isMembers(kvlistValue)) return { kind: "map", members: readAttributes(kvlistValue.values, depth + 1) };
  if (typeof bytesValue === "string") return { kind: "bytes", base64: Buffer.from(bytesValue, "base64").toString("base64") };
  return absent;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
