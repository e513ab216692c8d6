import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { zstdCompressSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../host/index.ts";
import type { IntakeBatch, IntakeSink } from "../../host/intake/contract.ts";
import { createMatcher } from "../../host/matcher.ts";
import { packPipelines } from "../../host/packs.ts";
import { hasShared, readShared } from "../support/shared.ts";
import { queryOf } from "../support/query.ts";
import { loadKernel } from "../support/wasm.ts";
import { ARRIVAL_MS, KEY, send, startIntake } from "./http-support.ts";

beforeAll(() => void loadKernel("simd"));

/** How many events of what was sent a query finds, packs applied. */
async function hits(batches: readonly IntakeBatch[], query: string): Promise<number> {
  const matcher = await createMatcher({ queries: [queryOf(query)], pipelines: await packPipelines() });
  let count = 0;
  for (const { bytes, profile, arrivalMs } of batches) count += (await matcher.match(bytes, { ...profile, arrivalMs })).length;
  expect(matcher.malformed).toEqual({});
  await matcher.close();
  return count;
}

const key = { "dd-api-key": KEY };

test("[IN-01] an Agent, an API puller and other shippers raise signals of one rule", async () => {
  const engine = await createEngine({ rules: [{
    name: "failures", message: "m", isEnabled: true, type: "log_detection", options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
    queries: [{ name: "failed", query: "source:shop @evt.outcome:failure", aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "high", condition: "failed > 1" }],
  }] });
  const sink: IntakeSink = {
    refusal: undefined,
    async accept(batches) {
      for (const { bytes, profile, arrivalMs, partition } of batches) await engine.push(bytes, { ...profile, arrivalMs, partition });
      return undefined;
    },
  };
  const { port } = await startIntake({ sink });
  const log = (user: string) => ({ ddsource: "shop", timestamp: ARRIVAL_MS, evt: { outcome: "failure" }, usr: { id: user } });
  const twice = (text: string, between = ""): string => text + between + text;
  const said = [
    await send(port, "/api/v2/logs", { headers: { ...key, "content-encoding": "zstd" }, body: zstdCompressSync(JSON.stringify([log("agent"), log("agent")])) }),
    await send(port, `/v1/input/${KEY}`, { body: twice(JSON.stringify(log("puller")), "\n") }),
    await send(port, "/services/collector", { headers: { authorization: `Splunk ${KEY}` }, body: twice(JSON.stringify({ sourcetype: "shop", time: ARRIVAL_MS / 1000, event: { evt: { outcome: "failure" }, usr: { id: "splunk" } } })) }),
    await send(port, "/shop/_bulk", { headers: { authorization: `ApiKey ${KEY}` }, body: twice(`{"create":{}}\n{"@timestamp":"${new Date(ARRIVAL_MS).toISOString()}","event":{"outcome":"failure"},"user":{"id":"beats"}}\n`) }),
    await send(port, "/v1/logs?ddsource=shop", { headers: { ...key, "content-type": "application/json" }, body: JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [1, 2].map(() => ({ timeUnixNano: `${ARRIVAL_MS}000000`, attributes: [{ key: "evt.outcome", value: { stringValue: "failure" } }, { key: "usr.id", value: { stringValue: "otel" } }] })) }] }] }) }),
    await send(port, "/firehose", { headers: { "x-amz-firehose-access-key": KEY }, body: JSON.stringify({ requestId: "1", records: [log("firehose"), log("firehose")].map((each) => ({ data: Buffer.from(JSON.stringify(each)).toString("base64") })) }) }),
  ];
  expect(said.map(({ status }) => status)).toEqual([202, 200, 200, 200, 200, 200]);
  const stats = await engine.close();
  expect(engine.finalSignals().map(({ group }) => group["@usr.id"]).toSorted()).toEqual(["agent", "beats", "firehose", "otel", "puller", "splunk"]);
  expect(stats).toMatchObject({ events: 12, malformed: {}, lateDropped: 0 });
});

describe("what clouds deliver is found by the queries of the documents", () => {
  const trail = { eventVersion: "1.08", eventTime: "2026-03-01T09:59:00Z", eventSource: "signin.amazonaws.com", eventName: "ConsoleLogin", awsRegion: "eu-west-1", userIdentity: { type: "IAMUser", arn: "arn:aws:iam::123456789012:user/mina" }, sourceIPAddress: "192.0.2.7", responseElements: { ConsoleLogin: "Failure" } };
  test.each<[string, string, unknown, string]>([
    ["[IN-15] CloudTrail's Records", "/aws/cloudtrail", { Records: [trail] }, "source:cloudtrail @evt.name:ConsoleLogin @evt.outcome:failure @network.client.ip:192.0.2.7 @userIdentity.type:IAMUser"],
    ["[IN-15] a single record", "/aws/cloudtrail", trail, "source:cloudtrail @evt.name:ConsoleLogin @evt.outcome:failure"],
    ["[IN-17] a GuardDuty finding", "/aws/eventbridge", { "detail-type": "GuardDuty Finding", source: "aws.guardduty", account: "1", detail: { type: "Backdoor:EC2/C", severity: 8, resource: { instanceDetails: { instanceId: "i-1" } } } }, "source:guardduty @type:Backdoor* @severity:>=8 @resource.instanceDetails.instanceId:i-1"],
    ["[IN-19] Azure activity", "/azure/eventhub", { records: [{ category: "Administrative", operationName: "Microsoft.Compute/x/write", resultType: "Success", time: "2026-03-01T09:59:00Z" }] }, "source:azure.activitylogs @evt.name:MICROSOFT.COMPUTE* @evt.outcome:Success"],
    ["[IN-20] Entra sign-ins", "/azure/eventhub", { records: [{ category: "SignInLogs", operationName: "Sign-in activity", resultType: "50126", callerIpAddress: "192.0.2.9", properties: { userPrincipalName: "eve@example.com" } }] }, "@evt.category:SignInLogs @evt.outcome:failure @usr.id:eve@example.com @network.client.ip:192.0.2.9 @resultType:50126"],
    ["[IN-22] a GCP audit log", "/gcp/pubsub", { message: { data: Buffer.from(JSON.stringify({ logName: "l", protoPayload: { methodName: "SetIamPolicy", authenticationInfo: { principalEmail: "eve@example.com" } } })).toString("base64") }, subscription: "s" }, "source:gcp @evt.name:SetIamPolicy @data.protoPayload.methodName:SetIamPolicy @usr.id:eve@example.com"],
    ["[IN-26] an event", "/api/v1/events", { title: "Deploy failed", text: "step 4", tags: ["env:prod"], alert_type: "error" }, "status:error env:prod @title:*failed"],
  ])("%s", async (_, path, body, query) => {
    const { port, sink } = await startIntake();
    expect((await send(port, path, { headers: { ...key, "content-type": "application/json" }, body: JSON.stringify(body) })).status).toBeLessThan(300);
    expect(await hits(sink.batches, query)).toBe(1);
    expect(await hits(sink.batches, `NOT (${query})`)).toBe(0);
  });

  test.skipIf(!hasShared("gcp-audit-google/events.jsonl") && !hasShared("data/gcp-audit-google/events.jsonl"))("[IN-22] recorded audit logs of Google Cloud (skipped where the recordings are absent)", async () => {
    const lines = Buffer.from(readShared("data/gcp-audit-google/events.jsonl")).toString().trim().split("\n");
    const { port, sink } = await startIntake();
    for (const line of lines) {
      const answer = await send(port, "/gcp/pubsub", { headers: key, body: JSON.stringify({ message: { data: Buffer.from(line).toString("base64") }, subscription: "s" }) });
      expect(answer.status).toBe(200);
    }
    const withMethod = lines.filter((line) => (JSON.parse(line) as { protoPayload?: { methodName?: string } }).protoPayload?.methodName).length;
    expect(withMethod).toBeGreaterThan(0);
    expect(await hits(sink.batches, "source:gcp @evt.name:*")).toBe(withMethod);
  });
});

const hasCurl = await promisify(execFile)("curl", ["--version"]).then(() => true, () => false);

test.skipIf(!hasCurl)("[IN-01] curl: a small body, a large one that asks first, a chunked one (skipped where curl is absent)", async () => {
  const { port, sink } = await startIntake();
  const curl = async (args: string[], body: string): Promise<string> => {
    const running = promisify(execFile)("curl", ["-sS", "-w", " %{http_code}", "-H", `DD-API-KEY: ${KEY}`, "-H", "Content-Type: application/json", "--data-binary", "@-", ...args, `http://127.0.0.1:${port}/api/v2/logs`]);
    running.child.stdin!.end(body);
    return (await running).stdout;
  };
  const large = JSON.stringify({ message: "x".repeat(900_000) });
  expect(await curl([], '{"message":"small"}')).toBe("{} 202");
  expect(await curl(["-H", "Expect: 100-continue"], `[${large},${large}]`)).toBe("{} 202");
  expect(await curl(["-H", "Transfer-Encoding: chunked"], '{"message":"chunked"}')).toBe("{} 202");
  expect(await curl(["-H", "Expect: 100-continue"], "x".repeat(6_000_000))).toMatch(/ 413$/);
  expect(sink.events.map(({ message }) => message!.slice(0, 7))).toEqual(["small", "xxxxxxx", "xxxxxxx", "chunked"]);
});
