import { gzipSync, zstdCompressSync } from "node:zlib";

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

export type Packing = "identity" | "gzip" | "zstd";

function packed(plain: Buffer, packing: Packing): Uint8Array {
  return packing === "gzip" ? gzipSync(plain, { level: 6 }) : packing === "zstd" ? zstdCompressSync(plain) : plain;
}

/** The Agent's probe of two bytes, then a batch, on one connection. */
export function agentRequests(key: string, packing: Packing): Uint8Array[] {
  const head = (extra: readonly string[], length: number): string[] => [
    "POST /api/v2/logs HTTP/1.1", "Host: 127.0.0.1:8080", "User-Agent: datadog-agent/7.65.0", `Content-Length: ${length}`, `Dd-Api-Key: ${key}`, "Content-Type: application/json", ...extra, "Dd-Protocol: agent-json", "Dd-Evp-Origin: agent", "Dd-Evp-Origin-Version: 7.65.0",
    "dd-message-timestamp: 1772359200000", "dd-current-timestamp: 1772359200100", "Accept-Encoding: gzip",
  ];
  const body = packed(Buffer.from('[{"message":"GET / 200","status":"info","timestamp":1772359200000,"hostname":"web-1","service":"shop","ddsource":"nginx","ddtags":"env:prod,filename:access.log"}]'), packing);
  return [wire(head([], 2), Buffer.from("{}")), wire(head(packing === "identity" ? [] : [`Content-Encoding: ${packing}`], body.length), body)];
}

/** Vector's datadog_logs sink. */
export function vectorRequest(key: string, packing: Packing): Uint8Array {
  const body = packed(Buffer.from('[{"ddtags":["env:prod","team:web"],"hostname":"web-2","message":"slow query","service":"db","status":"warn","timestamp":"2026-03-01T10:00:00.123456Z","ddsource":"vector","dur":1.5},{"date":"2026-03-01T10:00:01Z","host":"web-2","message":"older name of the time"}]'), packing);
  return wire(["POST /api/v2/logs HTTP/1.1", `dd-api-key: ${key}`, "dd-evp-origin: vector", "dd-evp-origin-version: 0.45.0", "content-type: application/json", ...(packing === "identity" ? [] : [`content-encoding: ${packing}`]), "user-agent: Vector/0.45.0 (x86_64-unknown-linux-gnu)", "accept-encoding: identity", "host: intake", `content-length: ${body.length}`], body);
}

/** Fluent Bit's datadog output. */
export function fluentBitRequest(key: string, packing: Packing): Uint8Array {
  const body = packed(Buffer.from('[{"timestamp":1772359200123,"ddsource":"fluent-bit-src","service":"svc","ddtags":"env:dev,tagkey:x","message":"line","stream":"stderr","kubernetes":{"pod_name":"p-1"}},{"timestamp":1772359200456,"message":"second"}]'), packing);
  return wire(["POST /api/v2/logs HTTP/1.1", "Host: intake:443", `Content-Length: ${body.length}`, "User-Agent: Fluent-Bit", `DD-API-KEY: ${key}`, "DD-EVP-ORIGIN: Fluent-Bit", "DD-EVP-ORIGIN-VERSION: 3.2.0", ...(packing === "identity" ? [] : [`Content-Encoding: ${packing}`]), "Content-Type: application/json"], body);
}

/** Fluentd's plugin. */
export function fluentdRequest(key: string): Uint8Array {
  const body = packed(Buffer.from('[{"log":"raw","message":"sshd: failed","@timestamp":"2026-03-01T10:00:00.250Z","hostname":"edge-1","service":"ssh","ddsource":"sshd","ddsourcecategory":"security","ddtags":"env:prod,pod_name:p-1"}]'), "gzip");
  return wire([`POST /v1/input/${key} HTTP/1.1`, "Content-Type: application/json", "Content-Encoding: gzip", "Connection: keep-alive", "Keep-Alive: 30", `Content-Length: ${body.length}`, "Host: intake"], body);
}

/** syslog-ng's http(). */
export function syslogNgRequest(key: string): Uint8Array {
  const body = Buffer.from('<38>1 2026-03-01T10:00:00.500+00:00 gw-1 sshd 4711 - [meta sequenceId="1"] Failed password for root\n');
  return wire(["POST /api/v2/logs?ddsource=syslog-ng&ddtags=env:prod,team:net HTTP/1.1", "Host: intake", "User-Agent: syslog-ng 4.8.0/libcurl 8.5.0", "Accept: */*", "Content-Type: application/json", `DD-API-KEY: ${key}`, `Content-Length: ${body.length}`], body);
}

/** Filebeat's five questions, then a bulk of one document, on one connection. */
export function filebeatRequests(key: string): Uint8Array[] {
  const common = ["Host: es:9200", "User-Agent: Elastic-filebeat/8.17.0 (linux; amd64)", "Accept: application/json", `Authorization: Basic ${Buffer.from(`elastic:${key}`).toString("base64")}`];
  const template = Buffer.from('{"index_patterns":["filebeat-8.17.0"],"data_stream":{}}');
  const bulk = gzipSync([
    '{"create":{"_index":"filebeat-8.17.0"}}',
    '{"@timestamp":"2026-03-01T10:00:00.000Z","agent":{"name":"db-2","type":"filebeat"},"input":{"type":"log"},"event":{"module":"system","dataset":"system.auth"},"host":{"name":"db-2"},"message":"accepted publickey","log":{"offset":1,"file":{"path":"/var/log/auth.log"}},"ecs":{"version":"8.0.0"}}',
  ].join("\n") + "\n");
  return [
    wire(["GET / HTTP/1.1", ...common], Buffer.alloc(0)), wire(["GET /_license?human=false HTTP/1.1", ...common], Buffer.alloc(0)),
    wire(["GET /_ilm/policy/filebeat HTTP/1.1", ...common], Buffer.alloc(0)), wire(["HEAD /_index_template/filebeat-8.17.0 HTTP/1.1", ...common], Buffer.alloc(0)),
    wire(["PUT /_index_template/filebeat-8.17.0 HTTP/1.1", ...common, "Content-Type: application/json", `Content-Length: ${template.length}`], template),
    wire(["POST /_bulk?filter_path=errors%2Citems.%2A.error%2Citems.%2A.status HTTP/1.1", ...common, "Content-Type: application/json; charset=UTF-8", "Content-Encoding: gzip", "X-Elastic-Product-Origin: observability", "Transfer-Encoding: chunked"], chunked(bulk, 100)),
  ];
}
