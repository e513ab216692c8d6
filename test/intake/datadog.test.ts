import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { KEY, send, sendRaw, startIntake, ARRIVAL_MS } from "./http-support.ts";

const key = { "dd-api-key": KEY };
const json = { ...key, "content-type": "application/json" };

describe("Datadog logs v2", () => {
  test("[IN-01] an Agent's array over the wire: tags of query and body joined, JSON in the message read", async () => {
    const { port, sink } = await startIntake();
    const body = `[{"ddsource":"sshd","ddtags":"env:staging,role:bastion","hostname":"bastion-1","service":"sshd","status":"error",
  "message":"Failed password for admin from 192.0.2.44","evt":{"outcome":"failure"}},
 {"message":"{\\"level\\":\\"warn\\",\\"msg\\":\\"disk 91%\\",\\"disk\\":{\\"used\\":0.91}}"}]`;
    const text = await sendRaw(port, [`POST /api/v2/logs?ddtags=site:lyon HTTP/1.1\r\nHost: x\r\nDD-API-KEY: ${KEY}\r\nContent-Type: application/json\r\nContent-Encoding: identity\r\nContent-Length: ${body.length}\r\n\r\n${body}`], "{}");
    expect(text).toMatch(/^HTTP\/1\.1 202 Accepted\r\n/);
    expect(text).toMatch(/content-type: application\/json\r\n/i);
    expect(text.endsWith("\r\n\r\n{}")).toBe(true);
    expect(sink.events).toEqual([
      expect.objectContaining({ source: "sshd", host: "bastion-1", service: "sshd", status: "error", tags: ["env:staging", "role:bastion", "site:lyon"], message: "Failed password for admin from 192.0.2.44", attributes: expect.objectContaining({ evt: { outcome: "failure" } }) }),
      expect.objectContaining({ status: "warn", message: "disk 91%", tags: ["site:lyon"], attributes: expect.objectContaining({ disk: { used: 0.91 } }) }),
    ]);
  });

  test("bytes of records are handed on as they came", async () => {
    const { port, sink } = await startIntake();
    await send(port, "/api/v2/logs", { headers: json, body: '[{"n":12345678901234567890,"s":"\\u0041"},{"n":1.0}]' });
    expect(Buffer.from(sink.batches[0]!.bytes).toString()).toBe('{"n":12345678901234567890,"s":"\\u0041"}\n{"n":1.0}');
    expect(sink.batches[0]).toMatchObject({ profile: { format: "intake" }, arrivalMs: ARRIVAL_MS, partition: "datadog" });
  });

  const body = '[{"message":"one"},{"message":"two"}]';
  test.each<[string, Uint8Array]>([
    ["gzip", gzipSync(body)], ["x-gzip", gzipSync(body)], ["gzip", Buffer.concat([gzipSync(body.slice(0, 7)), gzipSync(body.slice(7))])],
    ["deflate", deflateSync(body)], ["deflate", deflateRawSync(body)], ["zstd", zstdCompressSync(body)],
    ["ZSTD", Buffer.concat([zstdCompressSync(body.slice(0, 20)), zstdCompressSync(body.slice(20))])], ["identity", Buffer.from(body)], ["", Buffer.from(body)],
  ])("[IN-01] content encoding %j", async (encoding, packed) => {
    const { port, sink, server } = await startIntake();
    const answer = await send(port, "/api/v2/logs", { headers: { ...json, "content-encoding": encoding }, body: packed });
    expect([answer.status, answer.text]).toEqual([202, "{}"]);
    expect(sink.events.map((event) => event.message)).toEqual(["one", "two"]);
    expect(server.counts.get("datadog")).toMatchObject({ requests: 1, bytes: packed.length, unpackedBytes: body.length, events: 2 });
  });

  test.each<[string, Record<string, string>, Uint8Array | string, number]>([
    ["an encoding nobody knows", { "content-encoding": "br" }, "x", 400],
    ["two encodings", { "content-encoding": "gzip, gzip" }, gzipSync(gzipSync(body)), 400],
    ["gzip cut short", { "content-encoding": "gzip" }, gzipSync(body).subarray(0, 30), 400],
    ["zstd cut short", { "content-encoding": "zstd" }, zstdCompressSync(body).subarray(0, 20), 400],
    ["plain text called gzip", { "content-encoding": "gzip" }, body, 400],
    ["plain text called zstd", { "content-encoding": "zstd" }, body, 400],
    ["JSON cut short", {}, body.slice(0, 20), 400],
  ])("%s is %3$s", async (_, headers, bytes, status) => {
    const { port, sink } = await startIntake();
    const answer = await send(port, "/api/v2/logs", { headers: { ...json, ...headers }, body: bytes });
    expect(answer.status).toBe(status);
    expect(answer.json.errors).toEqual([{ status: String(status), title: "Bad Request", detail: expect.any(String) }]);
    expect(sink.calls).toBe(0);
  });

  test.each<[string, string, Record<string, string>, string]>([
    ["syslog-ng: an RFC 5424 line that is called JSON", "?ddsource=fw&ddtags=a:b", json, "<165>1 2026-03-01T09:59:59Z fw-1 kernel - - - DROP in=eth0"],
    ["plain lines", "?ddsource=fw&ddtags=a:b&host=fw-1&service=kernel", { ...key, "content-type": "text/plain" }, "DROP in=eth0\r\n"],
    ["logplex", "?ddsource=fw&ddtags=a:b&hostname=fw-1&service=kernel", { ...key, "content-type": "application/logplex-1" }, "DROP in=eth0"],
    ["one object", "?ddsource=fw&ddtags=a:b&host=fw-1", { ...key, "content-type": "application/json;simple" }, '{"message":"DROP in=eth0","service":"kernel"}'],
    ["lines without a type", "?ddsource=other&ddtags=a:b&host=fw-1", key, '{"message":"DROP in=eth0","service":"kernel","ddsource":"fw"}\n'],
  ])("%s", async (_, query, headers, text) => {
    const { port, sink } = await startIntake();
    expect((await send(port, `/api/v2/logs${query}`, { headers, body: text })).status).toBe(202);
    expect(sink.events).toEqual([expect.objectContaining({ source: "fw", host: "fw-1", service: "kernel", tags: ["a:b"], message: "DROP in=eth0" })]);
  });

  test.each(["{}", "[]", "", "\n"])("the probe %j is answered although the queue is full", async (probe) => {
    const { port, sink } = await startIntake();
    sink.refusal = { reason: "full", retryAfterS: 7 };
    expect((await send(port, "/api/v2/logs", { headers: json, body: probe })).status).toBe(202);
    expect((await send(port, "/api/v2/logs", { headers: { ...json, "content-encoding": "zstd" }, body: zstdCompressSync(probe) })).status).toBe(202);
    const small = await send(port, "/api/v2/logs", { headers: json, body: '{"message":"x"}' });
    const large = await send(port, "/api/v2/logs", { headers: json, body: JSON.stringify({ message: "x".repeat(1e6) }) });
    expect([small, large].map(({ status, headers }) => [status, headers["retry-after"]])).toEqual([[429, "7"], [429, "7"]]);
    expect(sink.calls).toBe(0);
  });

  test("a full queue loses nothing once it is tried again", async () => {
    const { port, sink, server } = await startIntake();
    sink.refuseNext.push({ reason: "full", retryAfterS: 0.2 }, { reason: "disk", retryAfterS: 3 }, { reason: "closing", retryAfterS: 1 });
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await send(port, "/api/v2/logs", { headers: json, body: '{"message":"once"}' }));
    expect(answers.map(({ status, headers }) => [status, headers["retry-after"]])).toEqual([[429, "1"], [429, "3"], [503, "1"], [202, undefined]]);
    expect(sink.events.map(({ message }) => message)).toEqual(["once"]);
    expect(server.counts.get("datadog")).toMatchObject({ events: 1, refused: 3 });
    expect([...server.counts.get("datadog")!.refusals]).toEqual([["full", 1], ["disk", 1], ["closing", 1]]);
  });

  test("5 MB and a byte, and 1001 entries, are too much; 5 MB are not", async () => {
    const { port, sink } = await startIntake();
    const limit = 5 * 1024 * 1024;
    const lines = (size: number): string => {
      const line = `{"message":"${"x".repeat(1000)}"}\n`;
      const text = line.repeat(Math.floor(size / line.length));
      return text + " ".repeat(size - text.length);
    };
    for (const headers of [json, { ...json, "content-encoding": "gzip" }]) {
      const packed = (text: string): string | Uint8Array => ("content-encoding" in headers ? gzipSync(text) : text);
      expect((await send(port, "/api/v2/logs", { headers, body: packed(lines(limit)) })).status).toBe(202);
      const refused = await send(port, "/api/v2/logs", { headers, body: packed(lines(limit + 1)) });
      expect([refused.status, refused.json.errors[0].title]).toEqual([413, "Payload Too Large"]);
    }
    expect(sink.events.length).toBe(2 * Math.floor(limit / 1015));
    const entries = (count: number): string => `[${Array.from({ length: count }, () => '{"a":1}').join(",")}]`;
    expect((await send(port, "/api/v2/logs", { headers: json, body: entries(1000) })).status).toBe(202);
    expect((await send(port, "/api/v2/logs", { headers: json, body: entries(1001) })).status).toBe(413);
  });

  test("a log over 1 MB is shortened and taken", async () => {
    const { port, sink, server } = await startIntake();
    const message = `start ${"é".repeat(600_000)}`;
    expect((await send(port, "/api/v2/logs", { headers: json, body: JSON.stringify([{ message, service: "big" }, { message: "next" }]) })).status).toBe(202);
    expect((await send(port, "/api/v2/logs?service=big", { headers: key, body: message })).status).toBe(202);
    const [first, second, third] = sink.events;
    expect([first!.service, second!.message, third!.service]).toEqual(["big", "next", "big"]);
    expect([first, third].every((event) => message.startsWith(event!.message!) && event!.message!.length > 500_000)).toBe(true);
    expect(server.counts.get("datadog")).toMatchObject({ events: 3, truncated: 2 });
  });

  test("what is no log among logs is counted and kept, the rest is taken", async () => {
    const { port, sink, rejected, server } = await startIntake();
    expect((await send(port, "/api/v2/logs", { headers: json, body: '[{"message":"a"},7,"text of its own"]' })).status).toBe(202);
    expect((await send(port, "/api/v2/logs", { headers: json, body: '{"message":"b"}\n{"message":\n' })).status).toBe(202);
    expect(sink.events.map(({ message }) => message)).toEqual(["a", "text of its own", "b"]);
    expect(rejected.map(({ input, record }) => [input, record.reason, Buffer.from(record.bytes).toString()])).toEqual([["datadog", "not-an-object", "7"], ["datadog", "not-json", '{"message":']]);
    expect([...server.counts.get("datadog")!.rejected]).toEqual([["not-an-object", 1], ["not-json", 1]]);
  });

  test("senders cannot make the engine compile plans without end", async () => {
    const { port, sink } = await startIntake({ limits: { profiles: 2 } });
    for (let i = 0; i < 4; i++) {
      await send(port, `/api/v2/logs?ddsource=s${i}&host=h${i}&service=v${i}&ddtags=n:${i}`, { headers: json, body: '[{"message":"m","ddtags":"own:1","n":12345678901234567890},{"ddsource":"own","service":"own","host":"own"}]' });
      await send(port, `/api/v2/logs?ddsource=s${i}`, { headers: key, body: "<34>Oct 11 22:14:15 web su: text" });
    }
    expect(new Set(sink.batches.map(({ profile }) => JSON.stringify(profile))).size).toBe(3);
    const seen = sink.events.map(({ source, host, service, tags }) => [source, host, service, tags]);
    expect(seen).toEqual([0, 1, 2, 3].flatMap((i) => [
      [`s${i}`, `h${i}`, `v${i}`, ["own:1", `n:${i}`]], ["own", "own", "own", [`n:${i}`]], [`s${i}`, "web", "su", []],
    ]));
    expect(Buffer.from(sink.batches.at(-2)!.bytes).toString()).toContain("12345678901234567890");
  });
});

describe("[IN-05] keys", () => {
  test.each<[string, Record<string, string>, number]>([
    ["/api/v2/logs", {}, 401], ["/api/v2/logs", { "DD-API-KEY": "wrong" }, 403], ["/api/v2/logs", { "Dd-Api-Key": KEY }, 202], [`/api/v2/logs?dd-api-key=${KEY}`, {}, 202], ["/api/v2/logs?dd-api-key=wrong", {}, 403],
    ["/api/v2/logs", { "dd-api-key": KEY.repeat(1000) }, 403],
    ["/v1/input", {}, 401], ["/v1/input/wrong", {}, 403], [`/v1/input/${KEY}`, {}, 200], [`/v1/input/%6b-test`, {}, 200], ["/v1/input", { "dd-api-key": KEY }, 200], ["/v1/input/%zz", {}, 403],
    ["/api/v1/events", {}, 401], ["/api/v1/events", { "dd-api-key": "wrong" }, 403],
  ])("POST %s with %j is %i", async (path, headers, status) => {
    const { port, sink } = await startIntake();
    expect((await send(port, path, { headers, body: '{"message":"x"}' })).status).toBe(status);
    expect(sink.events.length).toBe(status < 300 ? 1 : 0);
  });

  test("[IN-05] the key check", async () => {
    const { port } = await startIntake();
    const check = async (headers: Record<string, string>, query = ""): Promise<unknown[]> => {
      const { status, json: answer } = await send(port, `/api/v1/validate${query}`, { headers });
      return [status, answer];
    };
    expect(await check(key)).toEqual([200, { valid: true }]);
    expect(await check({}, `?api_key=${KEY}`)).toEqual([200, { valid: true }]);
    expect(await check({ "dd-api-key": "wrong" })).toEqual([403, { errors: ["Forbidden"] }]);
    expect(await check({})).toEqual([401, { errors: ["Unauthorized"] }]);
  });

  test("off: any key will do, and none", async () => {
    const { port, sink } = await startIntake({ keys: { required: false, has: () => false } });
    expect((await send(port, "/api/v2/logs", { body: '{"message":"x"}' })).status).toBe(202);
    expect((await send(port, "/v1/input/whatever", { body: '{"message":"y"}' })).status).toBe(200);
    expect(sink.events.length).toBe(2);
  });
});

describe("Datadog logs v1", () => {
  test("lines, with the query's words for them, answer 200", async () => {
    const { port, sink } = await startIntake();
    const answer = await send(port, `/v1/input/${KEY}?host=web-1&service=shop&ddsource=nginx&ddtags=env:prod,a:b`, { headers: { "content-type": "text/plain" }, body: "GET /a\nGET /b\n" });
    expect([answer.status, answer.text]).toEqual([200, "{}"]);
    expect(sink.events.map(({ message, host, service, source, tags }) => [message, host, service, source, tags])).toEqual([["GET /a", "web-1", "shop", "nginx", ["env:prod", "a:b"]], ["GET /b", "web-1", "shop", "nginx", ["env:prod", "a:b"]]]);
  });

  test("errors have a code and a message", async () => {
    const { port } = await startIntake();
    const answer = await send(port, `/v1/input/${KEY}`, { headers: { "content-type": "application/json" }, body: "[{" });
    expect([answer.status, answer.json]).toEqual([400, { code: 400, message: expect.any(String) }]);
    expect((await send(port, "/v1/input/wrong", { body: "{}" })).json).toEqual({ code: 403, message: "the API key is not known" });
  });
});

describe("[IN-26] Datadog events", () => {
  test("an event is one of event management, not of logs", async () => {
    const { port, sink } = await startIntake();
    const event = { title: "Deploy of billing failed", text: "step 4 exited with 1", date_happened: ARRIVAL_MS / 1000 - 60, host: "ci-1", tags: ["env:prod", "team:pay"], alert_type: "error", source_type_name: "JENKINS", priority: "normal", aggregation_key: "billing" };
    const answer = await send(port, "/api/v1/events", { headers: json, body: JSON.stringify(event) });
    expect(answer.status).toBe(202);
    expect(answer.json).toMatchObject({ status: "ok", event: { title: event.title, text: event.text, date_happened: event.date_happened, priority: "normal", tags: event.tags } });
    expect(sink.batches.map(({ dataSource, partition }) => [dataSource, partition])).toEqual([["events", "events"]]);
    expect(sink.events).toEqual([expect.objectContaining({ message: event.text, host: "ci-1", source: "jenkins", status: "error", tags: event.tags, timestamp: ARRIVAL_MS - 60_000, attributes: expect.objectContaining({ title: event.title, aggregation_key: "billing", alert_type: "error", id: answer.json.event.id }) })]);
  });

  test.each(["[]", "{}", '{"title":"x"}', '{"text":"x","title":7}', "nothing", '{"title":"a","text":"b"'])("%j is refused", async (body) => {
    const { port, sink } = await startIntake();
    const answer = await send(port, "/api/v1/events", { headers: json, body });
    expect([answer.status, answer.json]).toEqual([400, { errors: [expect.any(String)] }]);
    expect(sink.calls).toBe(0);
  });
});
