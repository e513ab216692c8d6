import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { KEY, send, startIntake } from "./http-support.ts";

const headers = { authorization: `Splunk ${KEY}` };

describe("Splunk HEC", () => {
  test("objects without separators; what one says stays in force", async () => {
    const { port, sink } = await startIntake();
    const body = '{"time":1772359200.250,"host":"fw-1","sourcetype":"_pan:traffic","source":"udp:514","index":"net","event":{"action":"deny","src_ip":"198.51.100.4","message":"denied"},"fields":{"site":"lyon","action":"kept"}}'
      + '{"event":"plain line from the same host"}\n\n{"time":"1772359201","host":"fw-2","event":"{\\"level\\":\\"error\\",\\"msg\\":\\"inner\\"}"} {"sourcetype":"other","event":17}';
    const answer = await send(port, "/services/collector/event", { headers, body });
    expect([answer.status, answer.json]).toEqual([200, { text: "Success", code: 0 }]);
    const expected = { source: "pan:traffic", tags: ["index:net"] };
    expect(sink.events).toEqual([
      expect.objectContaining({ ...expected, message: "denied", host: "fw-1", timestamp: 1772359200250, attributes: expect.objectContaining({ action: "deny", src_ip: "198.51.100.4", site: "lyon", "splunk.source": "udp:514" }) }),
      expect.objectContaining({ ...expected, message: "plain line from the same host", host: "fw-1", timestamp: 1772359200250 }),
      expect.objectContaining({ ...expected, message: "inner", status: "error", host: "fw-2", timestamp: 1772359201000 }),
      expect.objectContaining({ ...expected, source: "other", message: "17", host: "fw-2" }),
    ]);
  });

  test.each<[string, object, string, object]>([
    ["Splunk's library under winston", { message: { msg: "refused", meta: { usr: { id: "u-1" } } }, severity: "warn" }, "refused", { meta: { usr: { id: "u-1" } } }],
    ["Docker's driver", { line: { level: "error", message: "refused" }, source: "stdout", tag: "c-1" }, "refused", { tag: "c-1" }],
    ["an empty wrapping", { message: {}, msg: "inner" }, "inner", {}],
  ])("%s: an object where the message would be is read as one", async (_, event, message, attributes) => {
    const { port, sink } = await startIntake();
    expect((await send(port, "/services/collector", { headers, body: JSON.stringify({ event }) })).status).toBe(200);
    expect(sink.events).toEqual([expect.objectContaining({ message, attributes: expect.objectContaining(attributes) })]);
  });

  test.each<[string, number | undefined]>([
    ["1772359200", 1772359200000], ["1772359200.1239", 1772359200124], ['"1772359200.5"', 1772359200500], ["1772359200123", 1772359200123], ["1772359200123456789", 1772359200123],
    ["13569465599", 13569465599000], ["13569465600", 13569465600], ['"soon"', undefined], ["-1", undefined], ["null", undefined], ["[]", undefined],
  ])("time %s is %j ms", async (time, expected) => {
    const { port, sink } = await startIntake();
    await send(port, "/services/collector", { headers, body: `{"time":${time},"event":"x"}` });
    const { timestamp } = sink.events[0]!;
    expect(typeof timestamp === "string" ? Date.parse(timestamp) : timestamp).toBe(expected);
  });

  test("an array, gzip, and the host from whoever forwarded it", async () => {
    const { port, sink } = await startIntake();
    const body = gzipSync('[{"event":"a"},{"event":{"host":"own","k":1}}]');
    await send(port, "/services/collector/event/1.0?ddtags=env:prod&service=fw", { headers: { ...headers, "content-encoding": "gzip", "x-forwarded-for": "192.0.2.9, 10.0.0.1" }, body });
    await send(port, "/services/collector", { headers, body: '{"event":"b"}' });
    expect(sink.events.map(({ message, host, source, service, tags }) => [message, host, source, service, tags])).toEqual([["a", "192.0.2.9", "splunk", "fw", ["env:prod"]], [undefined, "own", "splunk", "fw", ["env:prod"]], ["b", "127.0.0.1", "splunk", undefined, []]]);
  });

  test.each<[string, string, number, object, number]>([
    ["bad JSON after two events", '{"event":"a"}{"event":"b"}{"event":', 400, { text: "Invalid data format", code: 6, "invalid-event-number": 2 }, 2],
    ["text", "hello", 400, { text: "Invalid data format", code: 6, "invalid-event-number": 0 }, 0],
    ["an array cut short", '[{"event":"a"},', 400, { text: "Invalid data format", code: 6, "invalid-event-number": 0 }, 0],
    ["no event", '{"event":"a"}{"time":1}', 400, { text: "Event field is required", code: 12, "invalid-event-number": 1 }, 1],
    ["null", '{"event":null}', 400, { text: "Event field is required", code: 12, "invalid-event-number": 0 }, 0],
    ["a blank event", '{"event":" "}{"event":"b"}', 400, { text: "Event field cannot be blank", code: 13, "invalid-event-number": 0 }, 0],
    ["an empty object", '{"event":{}}', 400, { text: "Event field cannot be blank", code: 13, "invalid-event-number": 0 }, 0],
    ["nothing", "", 400, { text: "No data", code: 5 }, 0],
    ["blanks", " \n", 400, { text: "No data", code: 5 }, 0],
  ])("%s", async (_, body, status, said, taken) => {
    const { port, sink } = await startIntake();
    const answer = await send(port, "/services/collector", { headers, body });
    expect([answer.status, answer.json]).toEqual([status, said]);
    expect(sink.events.length).toBe(taken);
  });

  test.each<[Record<string, string>, number, object]>([
    [{}, 401, { text: "Token is required", code: 2 }], [{ authorization: "Splunk wrong" }, 401, { text: "Invalid authorization", code: 3 }], [{ authorization: `Digest ${KEY}` }, 401, { text: "Invalid authorization", code: 3 }],
    [{ authorization: "Splunk" }, 401, { text: "Token is required", code: 2 }], [{ authorization: `splunk  ${KEY}` }, 200, { text: "Success", code: 0 }], [{ authorization: `Bearer ${KEY}` }, 200, { text: "Success", code: 0 }],
    [{ authorization: `Basic ${Buffer.from(`anyone:${KEY}`).toString("base64")}` }, 200, { text: "Success", code: 0 }],
  ])("[IN-05] %j is %i", async (given, status, said) => {
    const { port } = await startIntake();
    const answer = await send(port, "/services/collector", { headers: given, body: '{"event":"x"}' });
    expect([answer.status, answer.json]).toEqual([status, said]);
  });

  test("raw lines, with what the address says of them", async () => {
    const { port, sink } = await startIntake();
    expect((await send(port, "/services/collector/raw/1.0?sourcetype=_json&host=fw-1&index=net&channel=x", { headers, body: "one\ntwo\n" })).status).toBe(200);
    expect((await send(port, "/services/collector/raw", { headers, body: "<34>Oct 11 22:14:15 web su: failed" })).status).toBe(200);
    expect((await send(port, "/services/collector/raw", { headers, body: "" })).json).toEqual({ text: "No data", code: 5 });
    expect(sink.events.map(({ message, host, source, tags }) => [message, host, source, tags])).toEqual([["one", "fw-1", "json", ["index:net"]], ["two", "fw-1", "json", ["index:net"]], ["failed", "web", "syslog", []]]);
  });

  test("busy, unknown encoding, health, acknowledgements", async () => {
    const { port, sink } = await startIntake();
    sink.refuseNext.push({ reason: "full", retryAfterS: 2 });
    const busy = await send(port, "/services/collector", { headers, body: '{"event":"x"}' });
    expect([busy.status, busy.json, busy.headers["retry-after"]]).toEqual([503, { text: "Server is busy", code: 9 }, "2"]);
    expect((await send(port, "/services/collector", { headers: { ...headers, "content-encoding": "br" }, body: "x" })).status).toBe(415);
    for (const path of ["/services/collector/health", "/services/collector/health/1.0"]) expect((await send(port, path)).json).toEqual({ text: "HEC is healthy", code: 17 });
    const ack = await send(port, "/services/collector/ack?channel=x", { headers, body: '{"acks":[0]}' });
    expect([ack.status, ack.json]).toEqual([400, { text: "Ack is disabled", code: 14 }]);
    expect(sink.calls).toBe(1);
  });
});
