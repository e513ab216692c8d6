import { describe, expect, test } from "vitest";
import { ARRIVAL_MS, send, startIntake } from "./http-support.ts";

const PATH = "/api/v2/security/findings";
const json = { "content-type": "application/json", "dd-api-key": "k-test" };
const host = { rule_id: "sshd-root-login", name: "Root does not sign in over SSH", status: "fail", severity: "high", resource: { type: "host", id: "web-1", name: "web-1" }, frameworks: [{ id: "cis", requirement: "5.2.8", control: "SSH" }], evaluated_at: "2026-03-01T09:00:00Z", tags: ["env:prod"] };
const post = async (body: unknown) => {
  const running = await startIntake();
  const answer = await send(running.port, PATH, { headers: json, body: typeof body === "string" ? body : JSON.stringify(body) });
  return { answer, ...running };
};

describe("findings of scanners", () => {
  test("[XX-02] of a host become logs that rules and searches read: result, check, resource, requirement, and the time it was looked at", async () => {
    const { answer, sink } = await post(host);
    expect([answer.status, answer.json]).toEqual([202, { data: { type: "findings", attributes: { accepted: 1 } } }]);
    expect(sink.events).toEqual([expect.objectContaining({
      source: "compliance", host: "web-1", status: "warn", message: "Root does not sign in over SSH: fail, web-1", timestamp: Date.parse("2026-03-01T09:00:00Z"), tags: ["env:prod", "framework:cis", "cis:5.2.8"],
      attributes: expect.objectContaining({ rule_id: "sshd-root-login", name: "Root does not sign in over SSH", result: "fail", severity: "high", finding: { kind: "host" }, resource: host.resource }),
    })]);
  });

  test.each<[string, unknown, number]>([
    ["a list", [host, { ...host, status: "pass" }], 2], ["in data", { data: [host] }, 1], ["one in data", { data: host }, 1], ["as attributes, as the API has its things", { data: [{ type: "finding", id: "1", attributes: host }, { attributes: host }] }, 2],
  ])("[XX-02] %s", async (_name, body, count) => {
    const { answer, sink } = await post(body);
    expect([answer.status, sink.events.length]).toEqual([202, count]);
  });

  test("[XX-01] [XX-02] a vulnerability is of a source of its own, a resource of a cloud of a kind of its own; what came beside is kept", async () => {
    const { sink } = await post([
      { rule_id: "CVE-2026-1000", type: "vulnerability", status: "fail", severity: "critical", resource: { type: "host", id: "web-1" }, package: { name: "openssl", version: "3.0.1", fixed: "3.0.9" }, host: "web-1" },
      { rule_id: "s3-public", status: "error", resource: { type: "aws_s3_bucket", id: "arn:aws:s3:::logs" }, account: "123" },
    ]);
    expect(sink.events).toEqual([
      expect.objectContaining({ source: "vulnerability", host: "web-1", status: "warn", attributes: expect.objectContaining({ finding: { kind: "vulnerability" }, package: { name: "openssl", version: "3.0.1", fixed: "3.0.9" } }) }),
      expect.objectContaining({ source: "compliance", status: "error", timestamp: ARRIVAL_MS, attributes: expect.objectContaining({ finding: { kind: "cloud" }, account: "123", name: "s3-public" }) }),
    ]);
    expect(sink.events[1]!.host).toBeUndefined();
  });

  test("a finding cannot take the place of what a log has of its own", async () => {
    const { sink } = await post({ ...host, source: "auth", ddsource: "auth", message: "in", finding: { kind: "cloud" }, result: "pass", timestamp: 5, ddtags: "a:b", tags: "none", __proto__: { x: 1 } });
    expect(sink.events[0]).toMatchObject({ source: "compliance", message: "Root does not sign in over SSH: fail, web-1", tags: ["framework:cis", "cis:5.2.8"], attributes: { finding: { kind: "host" }, result: "fail" } });
  });

  test.each<[string, unknown, RegExp]>([
    ["text", "nothing", /no JSON/], ["half an object", '{"rule_id":', /no JSON/], ["an empty list", [], /no finding/], ["a number", [1], /\[0\] is no object/],
    ["no check", { ...host, rule_id: undefined }, /\[0\]\.rule_id is required/], ["no resource", [host, { ...host, resource: {} }], /\[1\]\.resource\.id is required/], ["another status", { ...host, status: "failed" }, /\[0\]\.status is one of pass, fail, error, skipped/],
    ["another severity", { ...host, severity: "urgent" }, /\[0\]\.severity is one of/], ["another type", { ...host, type: "sast" }, /\[0\]\.type is misconfiguration or vulnerability/], ["a time that is none", { ...host, evaluated_at: "soon" }, /\[0\]\.evaluated_at is no time/],
    ["nested without end", `{"a":${"[".repeat(100)}${"]".repeat(100)}}`, /no JSON/],
  ])("%s is refused, and nothing of the request is taken", async (_name, body, message) => {
    const { answer, sink } = await post(body);
    expect([answer.status, answer.json]).toEqual([400, { errors: [expect.stringMatching(message)] }]);
    expect(sink.calls).toBe(0);
  });

  test("without a key nobody gets in", async () => {
    const { port } = await startIntake();
    expect((await send(port, PATH, { headers: { "content-type": "application/json" }, body: "{}" })).status).toBe(401);
  });
});
