import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { KEY, send, sendRaw, startIntake } from "./http-support.ts";

const basic = `Basic ${Buffer.from(`elastic:${KEY}`).toString("base64")}`;
const headers = { authorization: basic, "content-type": "application/x-ndjson" };

describe("Elasticsearch", () => {
  test.each<[string, string, number, unknown]>([
    ["HEAD", "/", 200, undefined],
    ["GET", "/", 200, { name: "vespid", cluster_name: "vespid", version: { number: "8.17.0", build_flavor: "default", lucene_version: "9.12.0" }, tagline: "You Know, for Search" }],
    ["GET", "/_license?human=false", 200, { license: expect.objectContaining({ status: "active", type: "basic", mode: "basic" }) }],
    ["GET", "/_xpack", 200, { license: expect.objectContaining({ status: "active", type: "basic" }) }],
    ["GET", "/_cluster/health", 200, expect.objectContaining({ status: "green" })],
    ["GET", "/_nodes/http", 200, {}], ["GET", "/_ilm/policy/filebeat", 200, {}], ["HEAD", "/_index_template/filebeat-8", 200, undefined], ["GET", "/_alias/x", 200, {}], ["GET", "/_data_stream/y", 200, {}], ["GET", "/_ingest/pipeline/z", 200, {}],
    ["PUT", "/_index_template/filebeat-8.17.0", 200, { acknowledged: true }], ["PUT", "/_ilm/policy/filebeat", 200, { acknowledged: true }],
  ])("the stub %s %s", async (method, path, status, said) => {
    const { port } = await startIntake();
    const answer = await send(port, path, { method, headers: { authorization: basic }, body: method === "PUT" ? "{}" : undefined });
    expect([answer.status, answer.headers["x-elastic-product"], answer.headers["content-type"]]).toEqual([status, "Elasticsearch", "application/json"]);
    if (said === undefined) expect(answer.text).toBe("");
    else expect(answer.json).toEqual(said);
  });

  test("the version can be said otherwise", async () => {
    const { port } = await startIntake({ elasticVersion: "7.17.9" });
    expect((await send(port, "/", { headers })).json.version.number).toBe("7.17.9");
  });

  test("Filebeat's start, then a bulk with one bad document, on one connection", async () => {
    const { port, sink } = await startIntake();
    const bulk = [
      '{"create":{"_index":"filebeat-8"}}',
      '{"@timestamp":"2026-03-01T10:00:00.000Z","message":"accepted publickey","host":{"name":"db-2"},"event":{"module":"system"},"log":{"file":{"path":"/var/log/auth.log"}},"tags":["prod"]}',
      '{"index":{"_index":"filebeat-8","_id":"mine"}}',
      '{"message":"broken',
      '{"create":{}}',
      '{"message":"last","n":12345678901234567890}',
    ].join("\n") + "\n";
    const common = `Host: es:9200\r\nUser-Agent: Elastic-filebeat/8.17.0\r\nAuthorization: ${basic}\r\n`;
    const text = await sendRaw(port, [
      `GET / HTTP/1.1\r\n${common}\r\n`, `GET /_license?human=false HTTP/1.1\r\n${common}\r\n`,
      `POST /_bulk?filter_path=errors%2Citems.*.error%2Citems.*.status HTTP/1.1\r\n${common}Content-Type: application/json; charset=UTF-8\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${bulk.length.toString(16)}\r\n${bulk}\r\n0\r\n\r\n`,
    ]);
    const answers = text.split("\r\n\r\n");
    expect(text.match(/HTTP\/1\.1 200 OK/g)?.length).toBe(3);
    expect(JSON.parse(answers.at(-1)!)).toEqual({
      took: 0, errors: true,
      items: [
        { create: { _index: "filebeat-8", _id: expect.any(String), _version: 1, result: "created", status: 201 } },
        { index: { _index: "filebeat-8", _id: "mine", status: 400, error: { type: "document_parsing_exception", reason: expect.any(String) } } },
        { create: { _id: expect.any(String), _version: 1, result: "created", status: 201 } },
      ],
    });
    expect(sink.events).toEqual([
      expect.objectContaining({ message: "accepted publickey", host: "db-2", source: "system", tags: ["prod"], timestamp: "2026-03-01T10:00:00.000Z", attributes: expect.objectContaining({ log: { file: { path: "/var/log/auth.log" } }, host: { name: "db-2" } }) }),
      expect.objectContaining({ message: "last" }),
    ]);
    expect(Buffer.from(sink.batches[0]!.bytes).toString()).toContain('"n":12345678901234567890');
  });

  test("ECS names become ours, none is lost", async () => {
    const { port, sink } = await startIntake();
    const document = {
      "@timestamp": "2026-03-01T10:00:00Z", event: { original: "raw line", dataset: "nginx.access", action: "login", outcome: "failure" }, log: { level: "WARNING" }, service: { name: "shop", type: "nginx" }, agent: { name: "agent-1" }, host: { hostname: "web-1" },
      labels: { env: "prod", n: 1 }, tags: ["a", "b:c"], trace: { id: "abc" }, source: { ip: "192.0.2.1" }, destination: { ip: "192.0.2.2" }, user: { name: "eve", id: "7" }, user_agent: { original: "curl" }, url: { original: "/x" }, http: { response: { status_code: 404 } },
    };
    const taken = { "source.ip": "192.0.2.1", "network.client.ip": "203.0.113.1", message: "x", ddsource: "own" };
    const answer = await send(port, "/web-logs/_bulk?ddtags=q:1", { method: "PUT", headers: { ...headers, "content-encoding": "gzip" }, body: gzipSync([{ index: {} }, document, { create: {} }, taken].map((each) => JSON.stringify(each)).join("\n")) });
    expect(answer.json).toMatchObject({ errors: false, items: [{ index: { _index: "web-logs", status: 201 } }, { create: { status: 201 } }] });
    expect(sink.events).toEqual([
      expect.objectContaining({
        message: "raw line", host: "web-1", service: "shop", source: "web-logs", status: "warn", trace_id: "abc", tags: ["a", "b:c", "env:prod", "n:1", "q:1"],
        attributes: expect.objectContaining({ "service.name": "shop", "service.type": "nginx", "network.client.ip": "192.0.2.1", "network.destination.ip": "192.0.2.2", "usr.name": "eve", "usr.id": "7", "evt.name": "login", "evt.outcome": "failure", "http.useragent": "curl", "http.url": "/x", "http.status_code": 404, source: { ip: "192.0.2.1" }, user: { name: "eve", id: "7" } }),
      }),
      expect.objectContaining({ source: "own", attributes: expect.objectContaining({ "network.client.ip": "203.0.113.1" }) }),
    ]);
  });

  test("deletes and updates are answered one by one", async () => {
    const { port, sink } = await startIntake();
    const body = '{"delete":{"_index":"i","_id":"1"}}\n{"update":{"_index":"i","_id":"2"}}\n{"doc":{"a":1}}\n{"index":{"_index":"i"}}\n[1]\n';
    const { json } = await send(port, "/_bulk", { headers, body });
    expect(json.items.map((item: Record<string, { status: number }>) => Object.entries(item).map(([name, { status }]) => `${name} ${status}`).join())).toEqual(["delete 404", "update 400", "index 400"]);
    expect([json.errors, sink.calls]).toEqual([true, 0]);
  });

  test.each<[string, string]>([["no action", '{"message":"x"}\n'], ["no JSON", "hello\n"], ["an action of nothing", '{"index":7}\n{"a":1}\n'], ["an action without its document", '{"index":{}}\n']])("%s refuses the whole body", async (_, body) => {
    const { port, sink } = await startIntake();
    const answer = await send(port, "/_bulk", { headers, body });
    expect([answer.status, answer.json]).toEqual([400, { error: { root_cause: [expect.any(Object)], type: "illegal_argument_exception", reason: expect.any(String) }, status: 400 }]);
    expect(sink.calls).toBe(0);
  });

  test("busy is 429, and nothing is lost when the shipper tries again", async () => {
    const { port, sink } = await startIntake();
    sink.refuseNext.push({ reason: "full", retryAfterS: 1 });
    const body = '{"create":{"_index":"i"}}\n{"message":"once"}\n';
    const first = await send(port, "/_bulk", { headers, body });
    expect([first.status, first.json.error.type, first.headers["retry-after"], first.headers["x-elastic-product"]]).toEqual([429, "es_rejected_execution_exception", "1", "Elasticsearch"]);
    expect((await send(port, "/_bulk", { headers, body })).json.errors).toBe(false);
    expect(sink.events.map(({ message }) => message)).toEqual(["once"]);
  });

  const apiKey = (text: string): string => `ApiKey ${Buffer.from(text).toString("base64")}`;
  test.each<[string, number]>([["", 401], ["Basic eDp5", 403], [basic, 200], [apiKey(`some-id:${KEY}`), 200], [`ApiKey ${KEY}`, 200], [apiKey("id:wrong"), 403], [`Bearer ${KEY}`, 200], ["Digest x", 401]])("[IN-05] Authorization %j is %i", async (authorization, status) => {
    const { port } = await startIntake();
    const answer = await send(port, "/", { headers: authorization ? { authorization } : {} });
    expect([answer.status, answer.headers["www-authenticate"] !== undefined]).toEqual([status, status === 401]);
  });

  test("questions on other protocols' paths are not Elasticsearch's", async () => {
    const { port } = await startIntake();
    for (const path of ["/api/v2/nothing", "/services/x", "/v1/logs"]) expect((await send(port, path, { headers })).status).toBe(404);
    expect((await send(port, "/nothing", { headers, body: "{}" })).status).toBe(404);
  });
});
