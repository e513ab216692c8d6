import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { KEY, sendRaw, startIntake } from "./http-support.ts";

/** A request as a shipper writes it: line ends, order and case of its headers kept. */
function wire(lines: readonly string[], body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]);
}

function chunked(body: Uint8Array, size: number): Buffer {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.subarray(at, at + size);
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n"));
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}

describe("[IN-01] shippers as they are", () => {
  const agentHead = (extra: readonly string[], length: number): string[] => [
    "POST /api/v2/logs HTTP/1.1", "Host: 127.0.0.1:8080", "User-Agent: datadog-agent/7.65.0", `Content-Length: ${length}`, `Dd-Api-Key: ${KEY}`, "Content-Type: application/json", ...extra, "Dd-Protocol: agent-json", "Dd-Evp-Origin: agent", "Dd-Evp-Origin-Version: 7.65.0",
    "dd-message-timestamp: 1772359200000", "dd-current-timestamp: 1772359200100", "Accept-Encoding: gzip",
  ];
  const agentBody = Buffer.from('[{"message":"GET / 200","status":"info","timestamp":1772359200000,"hostname":"web-1","service":"shop","ddsource":"nginx","ddtags":"env:prod,filename:access.log"}]');

  test.each<[string, string[], Uint8Array]>([["zstd", ["Content-Encoding: zstd"], zstdCompressSync(agentBody)], ["gzip", ["Content-Encoding: gzip"], gzipSync(agentBody, { level: 6 })], ["nothing", [], agentBody]])("Datadog Agent: probe, then a batch in %s on the same connection", async (_, encoding, body) => {
    const { port, sink } = await startIntake();
    const text = await sendRaw(port, [wire(agentHead([], 2), Buffer.from("{}")), wire(agentHead(encoding, body.length), body)], /\{\}[^]*\{\}/, 20);
    expect(text.match(/HTTP\/1\.1 202 Accepted/g)?.length).toBe(2);
    expect(sink.events).toEqual([expect.objectContaining({ message: "GET / 200", status: "info", timestamp: 1772359200000, host: "web-1", service: "shop", source: "nginx", tags: ["env:prod", "filename:access.log"] })]);
  });

  test.each(["identity", "gzip", "zstd"])("Vector's datadog_logs sink, %s", async (encoding) => {
    const { port, sink } = await startIntake();
    const plain = Buffer.from('[{"ddtags":["env:prod","team:web"],"hostname":"web-2","message":"slow query","service":"db","status":"warn","timestamp":"2026-03-01T10:00:00.123456Z","ddsource":"vector","dur":1.5},{"date":"2026-03-01T10:00:01Z","host":"web-2","message":"older name of the time"}]');
    const body = encoding === "gzip" ? gzipSync(plain) : encoding === "zstd" ? zstdCompressSync(plain) : plain;
    const head = ["POST /api/v2/logs HTTP/1.1", `dd-api-key: ${KEY}`, "dd-evp-origin: vector", "dd-evp-origin-version: 0.45.0", "content-type: application/json", ...(encoding === "identity" ? [] : [`content-encoding: ${encoding}`]), "user-agent: Vector/0.45.0 (x86_64-unknown-linux-gnu)", "accept-encoding: identity", "host: intake", `content-length: ${body.length}`];
    expect(await sendRaw(port, [wire(head, body)], "{}")).toMatch(/^HTTP\/1\.1 202 /);
    expect(sink.events).toEqual([
      expect.objectContaining({ message: "slow query", host: "web-2", service: "db", source: "vector", status: "warn", timestamp: "2026-03-01T10:00:00.123456Z", tags: ["env:prod", "team:web"], attributes: expect.objectContaining({ dur: 1.5 }) }),
      expect.objectContaining({ message: "older name of the time", host: "web-2", timestamp: "2026-03-01T10:00:01Z" }),
    ]);
  });

  test.each([false, true])("Fluent Bit's datadog output, gzip %s", async (isPacked) => {
    const { port, sink } = await startIntake();
    const plain = Buffer.from('[{"timestamp":1772359200123,"ddsource":"fluent-bit-src","service":"svc","ddtags":"env:dev,tagkey:x","message":"line","stream":"stderr","kubernetes":{"pod_name":"p-1"}},{"timestamp":1772359200456,"message":"second"}]');
    const body = isPacked ? gzipSync(plain) : plain;
    const head = ["POST /api/v2/logs HTTP/1.1", "Host: intake:443", `Content-Length: ${body.length}`, "User-Agent: Fluent-Bit", `DD-API-KEY: ${KEY}`, "DD-EVP-ORIGIN: Fluent-Bit", "DD-EVP-ORIGIN-VERSION: 3.2.0", ...(isPacked ? ["Content-Encoding: gzip"] : []), "Content-Type: application/json"];
    const text = await sendRaw(port, [wire(head, body)], "{}");
    // It tries again on any other status than 200 to 205.
    expect(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])).toBe(202);
    expect(sink.events).toEqual([
      expect.objectContaining({ message: "line", source: "fluent-bit-src", service: "svc", tags: ["env:dev", "tagkey:x"], timestamp: 1772359200123, attributes: expect.objectContaining({ kubernetes: { pod_name: "p-1" } }) }),
      expect.objectContaining({ message: "second", timestamp: 1772359200456 }),
    ]);
  });

  test("Fluentd's plugin: key in the path, gzip, @timestamp", async () => {
    const { port, sink } = await startIntake();
    const body = gzipSync('[{"log":"raw","message":"sshd: failed","@timestamp":"2026-03-01T10:00:00.250Z","hostname":"edge-1","service":"ssh","ddsource":"sshd","ddsourcecategory":"security","ddtags":"env:prod,pod_name:p-1"}]', { level: 6 });
    const head = [`POST /v1/input/${KEY} HTTP/1.1`, "Content-Type: application/json", "Content-Encoding: gzip", "Connection: keep-alive", "Keep-Alive: 30", `Content-Length: ${body.length}`, "Host: intake"];
    expect(await sendRaw(port, [wire(head, body)], "{}")).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(sink.events).toEqual([expect.objectContaining({ message: "sshd: failed", host: "edge-1", service: "ssh", source: "sshd", timestamp: "2026-03-01T10:00:00.250Z", tags: ["env:prod", "pod_name:p-1"] })]);
  });

  test("syslog-ng's http(): an RFC 5424 line that is called JSON", async () => {
    const { port, sink } = await startIntake();
    const body = Buffer.from('<38>1 2026-03-01T10:00:00.500+00:00 gw-1 sshd 4711 - [meta sequenceId="1"] Failed password for root\n');
    const head = ["POST /api/v2/logs?ddsource=syslog-ng&ddtags=env:prod,team:net HTTP/1.1", "Host: intake", "User-Agent: syslog-ng 4.8.0/libcurl 8.5.0", "Accept: */*", "Content-Type: application/json", `DD-API-KEY: ${KEY}`, `Content-Length: ${body.length}`];
    expect(await sendRaw(port, [wire(head, body)], "{}")).toMatch(/^HTTP\/1\.1 202 /);
    expect(sink.events).toEqual([expect.objectContaining({ message: "Failed password for root", host: "gw-1", service: "sshd", source: "syslog-ng", tags: ["env:prod", "team:net"], status: "info", timestamp: "2026-03-01T10:00:00.500+00:00", attributes: expect.objectContaining({ syslog: expect.objectContaining({ severity: 6, procid: "4711", sd: { meta: { sequenceId: "1" } } }) }) })]);
  });

  test("Filebeat: questions, templates, then a bulk in gzip, all on one connection", async () => {
    const { port, sink } = await startIntake();
    const auth = `Authorization: Basic ${Buffer.from(`elastic:${KEY}`).toString("base64")}`;
    const common = ["Host: es:9200", "User-Agent: Elastic-filebeat/8.17.0 (linux; amd64)", "Accept: application/json", auth];
    const template = Buffer.from('{"index_patterns":["filebeat-8.17.0"],"data_stream":{}}');
    const bulk = gzipSync([
      '{"create":{"_index":"filebeat-8.17.0"}}',
      '{"@timestamp":"2026-03-01T10:00:00.000Z","agent":{"name":"db-2","type":"filebeat"},"input":{"type":"log"},"event":{"module":"system","dataset":"system.auth"},"host":{"name":"db-2"},"message":"accepted publickey","log":{"offset":1,"file":{"path":"/var/log/auth.log"}},"ecs":{"version":"8.0.0"}}',
    ].join("\n") + "\n");
    const text = await sendRaw(port, [
      wire(["GET / HTTP/1.1", ...common], Buffer.alloc(0)), wire(["GET /_license?human=false HTTP/1.1", ...common], Buffer.alloc(0)),
      wire(["GET /_ilm/policy/filebeat HTTP/1.1", ...common], Buffer.alloc(0)), wire(["HEAD /_index_template/filebeat-8.17.0 HTTP/1.1", ...common], Buffer.alloc(0)),
      wire(["PUT /_index_template/filebeat-8.17.0 HTTP/1.1", ...common, "Content-Type: application/json", `Content-Length: ${template.length}`], template),
      wire(["POST /_bulk?filter_path=errors%2Citems.%2A.error%2Citems.%2A.status HTTP/1.1", ...common, "Content-Type: application/json; charset=UTF-8", "Content-Encoding: gzip", "X-Elastic-Product-Origin: observability", "Transfer-Encoding: chunked"], chunked(bulk, 100)),
    ], '"items"');
    expect(text.match(/HTTP\/1\.1 200 OK/g)?.length).toBe(6);
    expect(text.match(/x-elastic-product: Elasticsearch/gi)?.length).toBe(6);
    expect(sink.events).toEqual([expect.objectContaining({ message: "accepted publickey", host: "db-2", service: "system.auth", source: "system", timestamp: "2026-03-01T10:00:00.000Z" })]);
  });
});
