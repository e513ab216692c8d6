import { Refused } from "../exchange.ts";

/** A value of OpenTelemetry. Numbers stay text: 64 bits are more than a JavaScript number holds. */
export type AnyValue =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "bytes"; readonly base64: string }
  /** JSON text of a number, boolean or null. */
  | { readonly kind: "plain"; readonly json: string }
  | { readonly kind: "list"; readonly values: readonly AnyValue[] }
  | { readonly kind: "map"; readonly members: readonly KeyValue[] };

export interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

export interface LogRecord {
  /** Nanoseconds since the epoch; 0 when unknown. */
  timeNs: bigint;
  observedNs: bigint;
  severity: number;
  severityText: string;
  body: AnyValue | undefined;
  attributes: KeyValue[];
  /** Hex, small letters; empty when unknown. */
  traceId: string;
  spanId: string;
  eventName: string;
}

export interface ScopeLogs {
  name: string;
  records: LogRecord[];
}

export interface ResourceLogs {
  attributes: KeyValue[];
  scopes: ScopeLogs[];
}

/** Values within values; more are refused, since they are walked by calls. */
export const OTLP_DEPTH_CAP = 64;

export const absent: AnyValue = { kind: "plain", json: "null" };

export function emptyRecord(): LogRecord {
  return { timeNs: 0n, observedNs: 0n, severity: 0, severityText: "", body: undefined, attributes: [], traceId: "", spanId: "", eventName: "" };
}

export function numberValue(value: number): AnyValue {
  return Number.isFinite(value) ? { kind: "plain", json: JSON.stringify(value) } : { kind: "text", text: String(value) };
}

export function tooDeep(): Refused {
  return new Refused("bad-body", `values are nested more than ${OTLP_DEPTH_CAP} deep`);
}

/** The value as JSON text. */
export function valueJson(value: AnyValue): string {
  switch (value.kind) {
    case "text": return JSON.stringify(value.text);
    case "bytes": return JSON.stringify(value.base64);
    case "plain": return value.json;
    case "list": return `[${value.values.map(valueJson).join(",")}]`;
    case "map": return `{${value.members.map((member) => `${JSON.stringify(member.key)}:${valueJson(member.value)}`).join(",")}}`;
  }
}
