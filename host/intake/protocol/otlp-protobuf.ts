import { type AnyValue, type KeyValue, type LogRecord, OTLP_DEPTH_CAP, type ResourceLogs, type ScopeLogs, absent, emptyRecord, numberValue, tooDeep } from "./otlp-model.ts";
import { ProtobufReader } from "./protobuf.ts";

/** `ExportLogsServiceRequest`. Throws ProtobufError, or `bad-body` for values nested too deep. */
export function readOtlpProtobuf(body: Buffer): ResourceLogs[] {
  const resources: ResourceLogs[] = [];
  const reader = new ProtobufReader(body);
  while (reader.next()) {
    if (reader.field === 1) resources.push(readResourceLogs(reader.message()));
    else reader.skip();
  }
  return resources;
}

function readResourceLogs(reader: ProtobufReader): ResourceLogs {
  const resource: ResourceLogs = { attributes: [], scopes: [] };
  while (reader.next()) {
    // Field 1000 is where scope logs moved when they still were `instrumentation_library_logs`; both shapes are alike.
    if (reader.field === 1) resource.attributes.push(...readAttributes(reader.message(), 1));
    else if (reader.field === 2 || reader.field === 1000) resource.scopes.push(readScopeLogs(reader.message()));
    else reader.skip();
  }
  return resource;
}

function readAttributes(reader: ProtobufReader, field: number): KeyValue[] {
  const attributes: KeyValue[] = [];
  while (reader.next()) {
    if (reader.field === field) attributes.push(readKeyValue(reader.message(), 0));
    else reader.skip();
  }
  return attributes;
}

function readScopeLogs(reader: ProtobufReader): ScopeLogs {
  const scope: ScopeLogs = { name: "", records: [] };
  while (reader.next()) {
    if (reader.field === 1) {
      const inner = reader.message();
      while (inner.next()) {
        if (inner.field === 1) scope.name = inner.text();
        else inner.skip();
      }
    } else if (reader.field === 2) scope.records.push(readRecord(reader.message()));
    else reader.skip();
  }
  return scope;
}

function readRecord(reader: ProtobufReader): LogRecord {
  const record = emptyRecord();
  while (reader.next()) {
    switch (reader.field) {
      case 1: record.timeNs = reader.fixed64(); break;
      case 2: record.severity = Number(BigInt.asIntN(32, reader.varint())); break;
      case 3: record.severityText = reader.text(); break;
      case 5: record.body = readValue(reader.message(), 0); break;
      case 6: record.attributes.push(readKeyValue(reader.message(), 0)); break;
      case 9: record.traceId = reader.bytes().toString("hex"); break;
      case 10: record.spanId = reader.bytes().toString("hex"); break;
      case 11: record.observedNs = reader.fixed64(); break;
      case 12: record.eventName = reader.text(); break;
      default: reader.skip();
    }
  }
  return record;
}

function readKeyValue(reader: ProtobufReader, depth: number): KeyValue {
  let key = "";
  let value = absent;
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) value = readValue(reader.message(), depth);
    else reader.skip();
  }
  return { key, value };
}

function readValue(reader: ProtobufReader, depth: number): AnyValue {
  if (depth > OTLP_DEPTH_CAP) throw tooDeep();
  let value = absent;
  while (reader.next()) {
    switch (reader.field) {
      case 1: value = { kind: "text", text: reader.text() }; break;
      case 2: value = { kind: "plain", json: reader.varint() === 0n ? "false" : "true" }; break;
      case 3: value = { kind: "plain", json: String(BigInt.asIntN(64, reader.varint())) }; break;
      case 4: value = numberValue(reader.double()); break;
      case 5: value = { kind: "list", values: each(reader.message(), (inner) => readValue(inner, depth + 1)) }; break;
      case 6: value = { kind: "map", members: each(reader.message(), (inner) => readKeyValue(inner, depth + 1)) }; break;
      case 7: value = { kind: "bytes", base64: reader.bytes().toString("base64") }; break;
      default: reader.skip();
    }
  }
  return value;
}

function each<T>(reader: ProtobufReader, read: (inner: ProtobufReader) => T): T[] {
  const values: T[] = [];
  while (reader.next()) {
    if (reader.field === 1) values.push(read(reader.message()));
    else reader.skip();
  }
  return values;
}
