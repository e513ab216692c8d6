import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { protobufMessage } from "../../host/intake/protocol/protobuf.ts";
import { ARRIVAL_MS, KEY, send, startIntake } from "./http-support.ts";

type Field = readonly [number, bigint | Uint8Array | string];
const message = (...fields: Field[]): Buffer => protobufMessage(fields);

function fixed64(field: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (field << 3) | 1;
  bytes.writeBigUInt64LE(value, 1);
  return bytes;
}

function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (field << 3) | 1;
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

/** An AnyValue from its JSON form. */
function anyValue(value: any): Buffer {
  if ("stringValue" in value) return message([1, value.stringValue]);
  if ("boolValue" in value) return message([2, value.boolValue ? 1n : 0n]);
  if ("intValue" in value) return message([3, BigInt(value.intValue)]);
  if ("doubleValue" in value) return double(4, value.doubleValue);
  if ("arrayValue" in value) return message([5, Buffer.concat(value.arrayValue.values.map((each: unknown) => message([1, anyValue(each)])))]);
  if ("kvlistValue" in value) return message([6, attributes(1, value.kvlistValue.values)]);
  return message([7, Buffer.from(value.bytesValue, "base64")]);
}

function attributes(field: number, values: any[] = []): Buffer {
  return Buffer.concat(values.map((each) => message([field, message([1, each.key], [2, anyValue(each.value)])])));
}

/** The protobuf form of a request in JSON form. */
function protobufOf(request: any): Buffer {
  return Buffer.concat(request.resourceLogs.map((resource: any) => message([1, Buffer.concat([
    message([1, attributes(1, resource.resource.attributes)]),
    ...resource.scopeLogs.map((scope: any) => message([2, Buffer.concat([
      message([1, message([1, scope.scope.name], [2, "1.0"])]),
      ...scope.logRecords.map((log: any) => message([2, Buffer.concat([
        ...(log.timeUnixNano ? [fixed64(1, BigInt(log.timeUnixNano))] : []),
        message([2, BigInt(log.severityNumber ?? 0)], [3, log.severityText ?? ""]),
        ...(log.body ? [message([5, anyValue(log.body)])] : []),
        attributes(6, log.attributes),
        message([7, 3n]),
        Buffer.from([(8 << 3) | 5, 1, 0, 0, 0]),
        ...(log.traceId ? [message([9, Buffer.from(log.traceId, "hex")], [10, Buffer.from(log.spanId, "hex")])] : []),
        ...(log.observedTimeUnixNano ? [fixed64(11, BigInt(log.observedTimeUnixNano))] : []),
        ...(log.eventName ? [message([12, log.eventName])] : []),
        message([99, "a field of the future"]),
      ])])),
    ])])),
  ])])));
}

const request = {
  resourceLogs: [{
    resource: { attributes: [
      { key: "service.name", value: { stringValue: "billing" } }, { key: "host.name", value: { stringValue: "pay-1" } }, { key: "deployment.environment.name", value: { stringValue: "prod" } },
      { key: "service.version", value: { stringValue: "1.2.3" } }, { key: "telemetry.sdk.language", value: { stringValue: "go" } }, { key: "k8s.pod.name", value: { stringValue: "pay-1-x" } },
    ] },
    scopeLogs: [{ scope: { name: "app" }, logRecords: [
      {
        timeUnixNano: "1772359200123456789", severityNumber: 17, severityText: "ERROR", body: { stringValue: "charge refused" },
        attributes: [{ key: "usr.id", value: { stringValue: "u-7" } }, { key: "retry", value: { intValue: "9007199254740993" } }, { key: "ratio", value: { doubleValue: 0.5 } }, { key: "ok", value: { boolValue: false } }, { key: "raw", value: { bytesValue: "AAEC" } }, { key: "k8s.pod.name", value: { stringValue: "own" } }],
        traceId: "5b8efff798038103d269b633813fc60c", spanId: "eee19b7ec3c1b174", eventName: "charge",
      },
      { observedTimeUnixNano: "1772359201000000000", severityNumber: 0, severityText: "Warning", body: { kvlistValue: { values: [{ key: "msg", value: { stringValue: "from a map" } }, { key: "list", value: { arrayValue: { values: [{ intValue: "-1" }, { stringValue: "é" }, { kvlistValue: { values: [] } }] } } }] } }, attributes: [{ key: "ddsource", value: { stringValue: "billing-app" } }] },
      { body: { intValue: "17" } },
    ] }],
  }],
};

const json = { "content-type": "application/json", "dd-api-key": KEY };
const protobuf = { "content-type": "application/x-protobuf", "dd-api-key": KEY };

describe("OTLP/HTTP", () => {
  test("JSON and protobuf make equal events, and these", async () => {
    const { port, sink } = await startIntake();
    const first = await send(port, "/v1/logs", { headers: json, body: JSON.stringify(request) });
    expect([first.status, first.text, first.headers["content-type"]]).toEqual([200, "{}", "application/json"]);
    const fromJson = sink.events;
    sink.batches.length = 0;
    const second = await send(port, "/v1/logs", { headers: { ...protobuf, "content-encoding": "gzip" }, body: gzipSync(protobufOf(request)) });
    expect([second.status, second.body.length, second.headers["content-type"]]).toEqual([200, 0, "application/x-protobuf"]);
    expect(sink.events).toEqual(fromJson);
    expect(fromJson).toEqual([
      expect.objectContaining({
        message: "charge refused", host: "pay-1", service: "billing", source: "go", status: "error", trace_id: "5b8efff798038103d269b633813fc60c", tags: ["env:prod", "version:1.2.3"], timestamp: 1772359200123,
        attributes: expect.objectContaining({ "usr.id": "u-7", ratio: 0.5, ok: false, raw: "AAEC", "k8s.pod.name": "own", "otel.library.name": "app", "evt.name": "charge", "dd.span_id": "eee19b7ec3c1b174", "host.name": "pay-1" }),
      }),
      expect.objectContaining({ message: "from a map", source: "billing-app", status: "warn", timestamp: 1772359201000, attributes: expect.objectContaining({ list: [-1, "é", {}] }) }),
      expect.objectContaining({ message: "17", status: "info", timestamp: undefined }),
    ]);
    expect(Buffer.from(sink.batches[0]!.bytes).toString()).toContain('"retry":9007199254740993');
    expect(sink.batches[0]!.arrivalMs).toBe(ARRIVAL_MS);
  });

  test.each([[1, "debug"], [8, "debug"], [9, "info"], [12, "info"], [13, "warn"], [16, "warn"], [17, "error"], [20, "error"], [21, "critical"], [24, "critical"], [25, "info"]])("severity %i is %s", async (severityNumber, status) => {
    const { port, sink } = await startIntake();
    await send(port, "/v1/logs", { headers: json, body: JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ severityNumber, body: { stringValue: "x" } }] }] }] }) });
    expect(sink.events.map((event) => [event.status, event.source])).toEqual([[status, "otlp"]]);
  });

  test.each<[string, Record<string, string>, string | Uint8Array]>([
    ["nothing, JSON", json, ""], ["nothing, protobuf", protobuf, ""], ["an empty object", json, "{}"], ["members of the future", json, '{"future":1}'],
  ])("%s is an empty request", async (_, headers, body) => {
    const { port, sink } = await startIntake();
    expect((await send(port, "/v1/logs", { headers, body })).status).toBe(200);
    expect(sink.calls).toBe(0);
  });

  test("old senders' names", async () => {
    const { port, sink } = await startIntake();
    await send(port, "/v1/logs", { headers: json, body: '{"resourceLogs":[{"instrumentationLibraryLogs":[{"instrumentationLibrary":{"name":"lib"},"logRecords":[{"timeUnixNano":1772359200000000000,"body":{"stringValue":"old"}}]}]}]}' });
    expect(sink.events).toEqual([expect.objectContaining({ message: "old", timestamp: ARRIVAL_MS, attributes: expect.objectContaining({ "otel.library.name": "lib" }) })]);
  });

  test.each<[string, Record<string, string>, string | Uint8Array]>([
    ["no JSON", json, "{"], ["an array", json, "[]"], ["a list that is none", json, '{"resourceLogs":7}'], ["a time that is none", json, '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"soon"}]}]}]}'],
    ["JSON called protobuf", protobuf, JSON.stringify(request)], ["cut short", protobuf, protobufOf(request).subarray(0, 60)], ["a group", protobuf, Buffer.from([0x0b])], ["field number 0", protobuf, Buffer.from([0x00])],
    ["a varint without end", protobuf, Buffer.alloc(30, 0xff)], ["a length beyond the body", protobuf, Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])], ["a number for a message", protobuf, Buffer.from([0x08, 1])],
  ])("%s is refused for good", async (_, headers, body) => {
    const { port, sink, faults } = await startIntake();
    const answer = await send(port, "/v1/logs", { headers, body });
    expect(answer.status).toBe(400);
    if (headers === json) expect(answer.json).toEqual({ message: expect.any(String) });
    else expect([answer.body[0], answer.headers["content-type"]]).toEqual([0x12, "application/x-protobuf"]);
    expect([sink.calls, faults]).toEqual([0, []]);
  });

  test("values nested deep are refused before they cost the stack", async () => {
    const { port, faults } = await startIntake();
    const depth = 50_000;
    let nested: Buffer = message([1, "x"]);
    for (let i = 0; i < 500; i++) nested = message([5, message([1, nested])]);
    const body = message([1, message([2, message([2, message([5, nested])])])]);
    expect((await send(port, "/v1/logs", { headers: protobuf, body })).status).toBe(400);
    const text = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${'{"arrayValue":{"values":['.repeat(depth)}${"]}}".repeat(depth)}}]}]}]}`;
    expect((await send(port, "/v1/logs", { headers: json, body: text })).status).toBe(400);
    expect(faults).toEqual([]);
  });

  test("a record too long for its texts is told in a partial success", async () => {
    const { port, sink } = await startIntake({ limits: { recordBytes: 3000 } });
    const many = Array.from({ length: 1000 }, (_, i) => ({ key: `k${i}`, value: { intValue: String(i) } }));
    const body = { resourceLogs: [{ resource: { attributes: [] }, scopeLogs: [{ scope: { name: "" }, logRecords: [{ body: { stringValue: "x".repeat(5000) } }, { body: { stringValue: "y" }, attributes: many }] }] }] };
    const answer = await send(port, "/v1/logs", { headers: json, body: JSON.stringify(body) });
    expect([answer.status, answer.json]).toEqual([200, { partialSuccess: { rejectedLogRecords: "1", errorMessage: expect.any(String) } }]);
    const second = await send(port, "/v1/logs", { headers: protobuf, body: protobufOf(body) });
    expect([...second.body.subarray(0, 4)]).toEqual([0x0a, second.body.length - 2, 0x08, 1]);
    expect(sink.events.map(({ message: text }) => text!.length > 2000)).toEqual([true, true]);
  });

  test.each<[Record<string, string>, number]>([[{}, 401], [{ authorization: "Bearer wrong" }, 403], [{ authorization: `Bearer ${KEY}` }, 200], [{ "api-key": KEY }, 200], [{ authorization: "Digest x" }, 403]])("[IN-05] key in %j is %i", async (headers, status) => {
    const { port } = await startIntake();
    expect((await send(port, "/v1/logs", { headers: { "content-type": "application/json", ...headers }, body: "{}" })).status).toBe(status);
  });

  test("busy is 429 with Retry-After, in the request's encoding", async () => {
    const { port, sink } = await startIntake();
    sink.refuseNext.push({ reason: "full", retryAfterS: 4 });
    const answer = await send(port, "/v1/logs", { headers: protobuf, body: protobufOf(request) });
    expect([answer.status, answer.headers["retry-after"], answer.headers["content-type"]]).toEqual([429, "4", "application/x-protobuf"]);
  });

  test("20 MB are taken, more are not", async () => {
    const { port } = await startIntake();
    const of = (size: number): string => `{"x":"${"a".repeat(size - 8)}"}`;
    expect((await send(port, "/v1/logs", { headers: json, body: of(20 * 1024 * 1024) })).status).toBe(200);
    expect((await send(port, "/v1/logs", { headers: json, body: of(20 * 1024 * 1024 + 1) })).status).toBe(413);
  });
});
