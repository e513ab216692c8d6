import { describe, expect, test } from "vitest";
import { KEY, sendRaw, startIntake } from "./http-support.ts";
import { agentRequests, filebeatRequests, fluentBitRequest, fluentdRequest, syslogNgRequest, vectorRequest } from "./shipper-requests.ts";

describe("[IN-01] shippers as they are", () => {
  test.each(["zstd", "gzip", "identity"] as const)("Datadog Agent: probe, then a batch in %s on the same connection", async (packing) => {
    const { port, sink } = await startIntake();
    const text = await sendRaw(port, agentRequests(KEY, packing), /\{\}[^]*\{\}/, 20);
    expect(text.match(/HTTP\/1\.1 202 Accepted/g)?.length).toBe(2);
    expect(sink.events).toEqual([expect.objectContaining({ message: "GET / 200", status: "info", timestamp: 1772359200000, host: "web-1", service: "shop", source: "nginx", tags: ["env:prod", "filename:access.log"] })]);
  });

  test.each(["identity", "gzip", "zstd"] as const)("Vector's datadog_logs sink, %s", async (packing) => {
    const { port, sink } = await startIntake();
    expect(await sendRaw(port, [vectorRequest(KEY, packing)], "{}")).toMatch(/^HTTP\/1\.1 202 /);
    expect(sink.events).toEqual([
      expect.objectContaining({ message: "slow query", host: "web-2", service: "db", source: "vector", status: "warn", timestamp: "2026-03-01T10:00:00.123456Z", tags: ["env:prod", "team:web"], attributes: expect.objectContaining({ dur: 1.5 }) }),
      expect.objectContaining({ message: "older name of the time", host: "web-2", timestamp: "2026-03-01T10:00:01Z" }),
    ]);
  });

  test.each(["identity", "gzip"] as const)("Fluent Bit's datadog output, %s", async (packing) => {
    const { port, sink } = await startIntake();
    const text = await sendRaw(port, [fluentBitRequest(KEY, packing)], "{}");
    // It tries again on any other status than 200 to 205.
    expect(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])).toBe(202);
    expect(sink.events).toEqual([
      expect.objectContaining({ message: "line", source: "fluent-bit-src", service: "svc", tags: ["env:dev", "tagkey:x"], timestamp: 1772359200123, attributes: expect.objectContaining({ kubernetes: { pod_name: "p-1" } }) }),
      expect.objectContaining({ message: "second", timestamp: 1772359200456 }),
    ]);
  });

  test("Fluentd's plugin: key in the path, gzip, @timestamp", async () => {
    const { port, sink } = await startIntake();
    expect(await sendRaw(port, [fluentdRequest(KEY)], "{}")).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(sink.events).toEqual([expect.objectContaining({ message: "sshd: failed", host: "edge-1", service: "ssh", source: "sshd", timestamp: "2026-03-01T10:00:00.250Z", tags: ["env:prod", "pod_name:p-1"] })]);
  });

  test("syslog-ng's http(): an RFC 5424 line that is called JSON", async () => {
    const { port, sink } = await startIntake();
    expect(await sendRaw(port, [syslogNgRequest(KEY)], "{}")).toMatch(/^HTTP\/1\.1 202 /);
    expect(sink.events).toEqual([expect.objectContaining({ message: "Failed password for root", host: "gw-1", service: "sshd", source: "syslog-ng", tags: ["env:prod", "team:net"], status: "info", timestamp: "2026-03-01T10:00:00.500+00:00", attributes: expect.objectContaining({ syslog: expect.objectContaining({ severity: 6, procid: "4711", sd: { meta: { sequenceId: "1" } } }) }) })]);
  });

  test("Filebeat: questions, templates, then a bulk in gzip, all on one connection", async () => {
    const { port, sink } = await startIntake();
    const text = await sendRaw(port, filebeatRequests(KEY), '"items"');
    expect(text.match(/HTTP\/1\.1 200 OK/g)?.length).toBe(6);
    expect(text.match(/x-elastic-product: Elasticsearch/gi)?.length).toBe(6);
    expect(sink.events).toEqual([expect.objectContaining({ message: "accepted publickey", host: "db-2", service: "system.auth", source: "system", timestamp: "2026-03-01T10:00:00.000Z" })]);
  });
});
