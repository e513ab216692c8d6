import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { intakeLimits } from "../../host/intake/limits.ts";
import { Profiles } from "../../host/intake/profiles.ts";
import { firehose } from "../../host/intake/protocol/firehose.ts";
import { ARRIVAL_MS, KEY, send, startIntake } from "./http-support.ts";

const key = { "dd-api-key": KEY, "content-type": "application/json" };
const trail = (eventName: string) => ({ eventVersion: "1.08", userIdentity: { type: "IAMUser", arn: "arn:aws:iam::123456789012:user/mina" }, eventTime: "2026-03-01T09:59:00Z", eventSource: "signin.amazonaws.com", eventName, awsRegion: "eu-west-1", sourceIPAddress: "192.0.2.7" });

describe("[IN-15] CloudTrail", () => {
  test.each<[string, string, string]>([
    ["a file on Datadog's path", "/api/v2/logs", JSON.stringify({ Records: [trail("ConsoleLogin"), trail("StopLogging")] })],
    ["a file, printed over lines", "/v1/input", JSON.stringify({ Records: [trail("ConsoleLogin"), trail("StopLogging")] }, undefined, 2)],
    ["a file on its own path", "/aws/cloudtrail", JSON.stringify({ Records: [trail("ConsoleLogin"), trail("StopLogging")] })],
    ["records, one a line", "/aws/cloudtrail", `${JSON.stringify(trail("ConsoleLogin"))}\n${JSON.stringify(trail("StopLogging"))}\n`],
    ["records with their source", "/api/v2/logs?ddsource=cloudtrail", JSON.stringify([trail("ConsoleLogin"), trail("StopLogging")])],
  ])("%s", async (_, path, body) => {
    const { port, sink } = await startIntake();
    expect((await send(port, path, { headers: { ...key, "content-encoding": "gzip" }, body: gzipSync(body) })).status).toBeLessThan(300);
    expect(sink.events).toEqual(["ConsoleLogin", "StopLogging"].map((eventName) => expect.objectContaining({ source: "cloudtrail", timestamp: "2026-03-01T09:59:00Z", attributes: expect.objectContaining({ eventName, sourceIPAddress: "192.0.2.7" }) })));
    expect(Buffer.from(sink.batches[0]!.bytes).toString().trim().split("\n").length).toBe(2);
  });

  test("a file has more records than an array may have; S3's notices are no trail; the sender's source wins", async () => {
    const { port, sink } = await startIntake();
    const many = Array.from({ length: 1500 }, () => trail("GetObject"));
    expect((await send(port, "/api/v2/logs", { headers: key, body: JSON.stringify({ Records: many }) })).status).toBe(202);
    expect(sink.events.length).toBe(1500);
    sink.batches.length = 0;
    await send(port, "/api/v2/logs", { headers: key, body: JSON.stringify({ Records: [{ eventVersion: "2.1", eventSource: "aws:s3", eventName: "ObjectCreated:Put", awsRegion: "eu-west-1" }] }) });
    await send(port, "/api/v2/logs?ddsource=own", { headers: key, body: JSON.stringify({ Records: [trail("x")] }) });
    await send(port, "/api/v2/logs", { headers: key, body: '{"Records":[]}' });
    expect(sink.events.map(({ source }) => source)).toEqual([undefined, "own"]);
  });

  test("an object that only looks like a wrapper is a log", async () => {
    const { port, sink } = await startIntake();
    await send(port, "/api/v2/logs", { headers: key, body: '{"Records":[1],"x":1}\n{"message":"second"}' });
    await send(port, "/api/v2/logs", { headers: key, body: '{"message":"about \\"detail-type\\"","a":1}' });
    await send(port, "/api/v2/logs", { headers: key, body: '{"message":{"data":1},"a":"\\"subscription\\""}' });
    expect(sink.events.length).toBe(4);
  });
});

describe("[IN-17] EventBridge", () => {
  const finding = { schemaVersion: "2.0", accountId: "123456789012", id: "f-1", type: "UnauthorizedAccess:EC2/SSHBruteForce", severity: 8, title: "SSH brute force", resource: { instanceDetails: { instanceId: "i-1" } }, updatedAt: "2026-03-01T09:58:00Z" };
  const envelope = { version: "0", id: "e-1", "detail-type": "GuardDuty Finding", source: "aws.guardduty", account: "123456789012", time: "2026-03-01T09:59:30Z", region: "eu-west-1", resources: [], detail: finding };

  test.each(["/aws/eventbridge", "/api/v2/logs"])("a GuardDuty finding at %s is an event of its own shape", async (path) => {
    const { port, sink } = await startIntake();
    expect((await send(port, path, { headers: key, body: JSON.stringify(envelope) })).status).toBeLessThan(300);
    expect(sink.events).toEqual([expect.objectContaining({ source: "guardduty", timestamp: "2026-03-01T09:59:30Z", tags: ["aws_account:123456789012", "region:eu-west-1"], attributes: expect.objectContaining({ type: finding.type, severity: 8, resource: finding.resource, "detail-type": "GuardDuty Finding", "eventbridge.source": "aws.guardduty" }) })]);
  });

  test("a call from a trail is one of CloudTrail, at its own time", async () => {
    const { port, sink } = await startIntake();
    await send(port, "/aws/eventbridge", { headers: key, body: JSON.stringify({ ...envelope, "detail-type": "AWS API Call via CloudTrail", source: "aws.signin", detail: trail("ConsoleLogin") }) });
    expect(sink.events).toEqual([expect.objectContaining({ source: "cloudtrail", timestamp: "2026-03-01T09:59:00Z", attributes: expect.objectContaining({ eventName: "ConsoleLogin" }) })]);
  });
});

describe("[IN-19] Azure event hubs", () => {
  const activity = { time: "2026-03-01T09:59:00Z", resourceId: "/SUBSCRIPTIONS/1/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/VM1", operationName: "Microsoft.Compute/virtualMachines/delete", category: "Administrative", resultType: "Failure", callerIpAddress: "192.0.2.8", level: "Warning", properties: { requestbody: "{\"a\":1}" } };
  const signIn = { time: "2026-03-01T09:59:10Z", tenantId: "t", operationName: "Sign-in activity", category: "SignInLogs", resultType: "50126", callerIpAddress: "192.0.2.9", properties: { userPrincipalName: "eve@example.com" } };

  test.each<[string, string]>([["/azure/eventhub", JSON.stringify({ records: [activity, signIn] })], ["/api/v2/logs", JSON.stringify({ records: [activity, signIn] }, undefined, 1)], ["/azure/eventhub", JSON.stringify([activity, signIn])], ["/azure/eventhub", `${JSON.stringify(activity)}\n${JSON.stringify(signIn)}`]])("[IN-19] [IN-20] records at %s are split and named", async (path, body) => {
    const { port, sink } = await startIntake();
    expect((await send(port, path, { headers: key, body })).status).toBeLessThan(300);
    expect(sink.events).toEqual([
      expect.objectContaining({ source: "azure.activitylogs", status: "warn", timestamp: "2026-03-01T09:59:00Z", tags: ["azure_provider:compute"], attributes: expect.objectContaining({ "evt.name": "MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE", "evt.outcome": "Failure", "evt.category": "Administrative", "network.client.ip": "192.0.2.8", properties: activity.properties, resourceId: activity.resourceId }) }),
      expect.objectContaining({ source: "azure.activedirectory", timestamp: "2026-03-01T09:59:10Z", attributes: expect.objectContaining({ "evt.name": "Sign-in activity", "evt.category": "SignInLogs", "evt.outcome": "failure", "usr.id": "eve@example.com", "network.client.ip": "192.0.2.9" }) }),
    ]);
  });

  test("a record that is none costs itself", async () => {
    const { port, sink, rejected } = await startIntake();
    expect((await send(port, "/azure/eventhub", { headers: key, body: JSON.stringify({ records: [activity, 7] }) })).status).toBe(200);
    expect([sink.events.length, rejected.map(({ record }) => record.reason)]).toEqual([1, ["not-an-object"]]);
  });
});

describe("[IN-22] Pub/Sub", () => {
  const entry = { protoPayload: { "@type": "type.googleapis.com/google.cloud.audit.AuditLog", status: { code: 7 }, authenticationInfo: { principalEmail: "eve@example.com" }, requestMetadata: { callerIp: "203.0.113.5", callerSuppliedUserAgent: "gcloud" }, serviceName: "iam.googleapis.com", methodName: "google.iam.admin.v1.CreateServiceAccountKey" }, insertId: "i", resource: { type: "service_account", labels: { project_id: "p" } }, timestamp: "2026-03-01T09:59:20.5Z", severity: "NOTICE", logName: "projects/p/logs/cloudaudit.googleapis.com%2Factivity" };
  const push = (data: Uint8Array | string, attributes?: object): string => JSON.stringify({ message: { data: Buffer.from(data).toString("base64"), messageId: "1", publishTime: "2026-03-01T10:00:00Z", attributes }, subscription: "projects/p/subscriptions/s" });

  test.each<[string, string]>([["/gcp/pubsub", push(JSON.stringify(entry))], ["/api/v2/logs", push(JSON.stringify(entry))], ["/gcp/pubsub", push(gzipSync(JSON.stringify(entry)))]])("an audit log pushed to %s", async (path, body) => {
    const { port, sink } = await startIntake();
    expect((await send(port, `${path}?api_key=${KEY}`, { headers: { "content-type": "application/json" }, body })).status).toBeLessThan(300);
    expect(sink.events).toEqual([expect.objectContaining({ source: "gcp", service: "iam.googleapis.com", status: "notice", timestamp: "2026-03-01T09:59:20.5Z", attributes: expect.objectContaining({ data: entry, "evt.name": entry.protoPayload.methodName, "evt.outcome": "failure", "usr.id": "eve@example.com", "network.client.ip": "203.0.113.5", "http.useragent": "gcloud" }) })]);
  });

  test("anything else that was published is read as it is", async () => {
    const { port, sink, rejected } = await startIntake();
    await send(port, "/gcp/pubsub?ddtags=a:b", { headers: key, body: push("a line\nanother", { env: "prod" }) });
    await send(port, "/gcp/pubsub", { headers: key, body: push('[{"message":"x"}]') });
    await send(port, "/gcp/pubsub", { headers: key, body: push(gzipSync("cut short").subarray(0, 20)) });
    expect(sink.events.map(({ message, source, tags }) => [message, source, tags])).toEqual([["a line", "gcp", ["a:b", "env:prod"]], ["another", "gcp", ["a:b", "env:prod"]], ["x", "gcp", []]]);
    expect(rejected.map(({ record }) => record.reason)).toEqual(["damaged-gzip"]);
  });

  test.each(["{}x", '{"message":{"data":"%%%"},"subscription":"s"}', "[]", "hello"])("%j is refused", async (body) => {
    const { port, sink } = await startIntake();
    expect((await send(port, "/gcp/pubsub", { headers: key, body })).status).toBe(400);
    expect(sink.calls).toBe(0);
  });
});

describe("Kinesis Firehose", () => {
  const headers = { "x-amz-firehose-access-key": KEY, "x-amz-firehose-protocol-version": "1.0", "x-amz-firehose-request-id": "r-1", "x-amz-firehose-source-arn": "arn:aws:firehose:x", "content-type": "application/json" };
  const of = (...data: Array<string | Uint8Array>): string => JSON.stringify({ requestId: "r-1", timestamp: 1, records: data.map((each) => ({ data: Buffer.from(each).toString("base64") })) });
  const subscription = { messageType: "DATA_MESSAGE", owner: "123456789012", logGroup: "/aws/lambda/x", logStream: "s", logEvents: [{ id: "1", timestamp: ARRIVAL_MS - 1000, message: "line of a function" }, { id: "2", timestamp: ARRIVAL_MS, message: JSON.stringify(trail("ConsoleLogin")) }] };

  test("records of every make", async () => {
    const { port, sink, rejected } = await startIntake();
    const control = { ...subscription, messageType: "CONTROL_MESSAGE" };
    const body = JSON.parse(of(gzipSync(JSON.stringify(subscription)), '{"a":1}\n{"a":2}', JSON.stringify(trail("StopLogging")), "text", gzipSync("cut").subarray(0, 15), gzipSync(JSON.stringify(control)))) as { records: unknown[] };
    body.records.push({ nothing: 1 });
    const answer = await send(port, "/firehose?ddtags=q:1", { headers: { ...headers, "content-encoding": "gzip", "x-amz-firehose-common-attributes": '{"commonAttributes":{"env":"prod"}}' }, body: gzipSync(JSON.stringify(body)) });
    expect([answer.status, answer.json, answer.headers["content-type"]]).toEqual([200, { requestId: "r-1", timestamp: ARRIVAL_MS }, "application/json"]);
    const seen = sink.events.map(({ source, message, timestamp, tags, attributes }) => [source, message ?? attributes?.a ?? attributes?.eventName, timestamp ?? null, tags]);
    const tags = ["q:1", "env:prod"];
    expect(seen).toEqual([
      ["cloudwatch", 1, null, tags], ["cloudwatch", 2, null, tags], ["cloudtrail", "StopLogging", "2026-03-01T09:59:00Z", tags], ["cloudwatch", "text", null, tags],
      ["cloudwatch", "line of a function", ARRIVAL_MS - 1000, tags], ["cloudtrail", JSON.stringify(trail("ConsoleLogin")), "2026-03-01T09:59:00Z", tags],
    ]);
    expect(sink.events[4]!.attributes).toMatchObject({ aws: { awslogs: { logGroup: "/aws/lambda/x", logStream: "s", owner: "123456789012" } }, id: "1" });
    expect(rejected.map(({ record }) => record.reason)).toEqual(["damaged-gzip", "no-data"]);
  });

  test("a request that comes again is acknowledged and not taken twice; one that was refused is", async () => {
    let now = ARRIVAL_MS;
    const { port, sink, server } = await startIntake({ nowMs: () => now });
    sink.refuseNext.push({ reason: "full", retryAfterS: 9 });
    const statuses = [];
    for (const id of ["r-1", "r-1", "r-1", "r-2"]) statuses.push((await send(port, "/firehose", { headers: { ...headers, "x-amz-firehose-request-id": id }, body: of("x") })).status);
    expect(statuses).toEqual([503, 200, 200, 200]);
    expect(sink.events.length).toBe(2);
    expect([...server.counts.get("firehose")!.rejected]).toEqual([["request-seen", 1]]);
    now += 3 * 3600 * 1000;
    await send(port, "/firehose", { headers, body: of("x") });
    expect(sink.events.length).toBe(3);
  });

  test.each<[string, Record<string, string>, string, number]>([
    ["no key", { "x-amz-firehose-access-key": "" }, of("x"), 401], ["a wrong key", { "x-amz-firehose-access-key": "wrong" }, of("x"), 401], ["another version", { "x-amz-firehose-protocol-version": "2.0" }, of("x"), 400],
    ["no JSON", {}, "x", 400], ["no records", {}, "{}", 400], ["an unknown encoding", { "content-encoding": "br" }, "x", 400],
  ])("%s", async (_, more, body, status) => {
    const { port, sink } = await startIntake();
    const answer = await send(port, "/firehose", { headers: { ...headers, ...more }, body });
    expect([answer.status, answer.json]).toEqual([status, { requestId: "r-1", timestamp: ARRIVAL_MS, errorMessage: expect.any(String) }]);
    expect(sink.calls).toBe(0);
  });

  test("neighbours of one kind are one batch, however many records they came in", async () => {
    const { port, sink } = await startIntake();
    const small = Array.from({ length: 10_000 }, (_, i) => gzipSync(JSON.stringify({ nr: i })));
    expect((await send(port, "/firehose", { headers, body: of(...small) })).status).toBe(200);
    expect([sink.calls, sink.batches.length]).toEqual([1, 1]);
    expect(sink.events.map(({ attributes }) => attributes?.nr)).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
    // Their order stays, with one of another kind between them.
    await send(port, "/firehose", { headers: { ...headers, "x-amz-firehose-request-id": "r-2" }, body: of('{"nr":1}', '{"nr":2}\n', '{"nr":3}', JSON.stringify(trail("StopLogging")), '{"nr":4}', "text", "more text\n", '{"nr":5}') });
    const later = sink.batches.slice(1).map(({ profile, bytes }) => [profile.format, profile.source, Buffer.from(bytes).toString().trimEnd()]);
    expect(later).toEqual([
      ["intake", "cloudwatch", '{"nr":1}\n{"nr":2}\n{"nr":3}'], ["intake", "cloudtrail", JSON.stringify(trail("StopLogging"))], ["intake", "cloudwatch", '{"nr":4}'],
      ["text", "cloudwatch", "text\nmore text"], ["intake", "cloudwatch", '{"nr":5}'],
    ]);
  });

  test("where there are too many kinds of senders to keep, neighbours are one batch too", async () => {
    const { port, sink } = await startIntake({ limits: { profiles: 0 } });
    expect((await send(port, "/firehose", { headers, body: of('{"nr":1}', "text", '{"nr":2}') })).status).toBe(200);
    expect([sink.batches.length, sink.events.map(({ source }) => source)]).toEqual([1, ["cloudwatch", "cloudwatch", "cloudwatch"]]);
  });

  test("more records than AWS sends are refused", async () => {
    const { port, sink } = await startIntake();
    expect((await send(port, "/firehose", { headers, body: `{"requestId":"r-1","records":[${'{"data":"YQ=="},'.repeat(10_000)}{"data":"YQ=="}]}` })).status).toBe(413);
    expect(sink.calls).toBe(0);
  });

  test("others have their turn while its records are unpacked", async () => {
    const endpoint = firehose()("POST", "/firehose")!;
    const request = { method: "POST", path: "/firehose", query: new URLSearchParams(), headers: {}, peer: "192.0.2.1", arrivalMs: ARRIVAL_MS, body: Buffer.from(of(...Array.from({ length: 5000 }, () => gzipSync("{}\n")))) };
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const { events } = await endpoint.decode(request, { limits: intakeLimits(), profiles: new Profiles(8) });
    isOver = true;
    expect(events).toBe(0);
    expect(turns).toBeGreaterThanOrEqual(Math.floor(5000 / 128) - 1);
  });

  test("a record that unpacks without end stops at the limit", async () => {
    const { port, sink } = await startIntake();
    expect((await send(port, "/firehose", { headers, body: of(gzipSync(Buffer.alloc(30 << 20, 32))) })).status).toBe(413);
    expect(sink.calls).toBe(0);
  });
});

describe("Loki push", () => {
  test("labels are tags, metadata attributes", async () => {
    const { port, sink, rejected } = await startIntake();
    const body = { streams: [{ stream: { app: "shop", host: "web-1", level: "error", env: "prod" }, values: [["1772359200000000000", "line one", { usr: "eve" }], ["1772359201500000000", "line two"], [1, "bad"]] }] };
    const answer = await send(port, "/loki/api/v1/push", { headers: key, body: JSON.stringify(body) });
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect(sink.events).toEqual([
      expect.objectContaining({ message: "line one", service: "shop", host: "web-1", source: "loki", status: "error", timestamp: ARRIVAL_MS, tags: ["app:shop", "host:web-1", "level:error", "env:prod"], attributes: expect.objectContaining({ usr: "eve" }) }),
      expect.objectContaining({ message: "line two", timestamp: ARRIVAL_MS + 1500 }),
    ]);
    expect(rejected.map(({ record }) => record.reason)).toEqual(["not-an-entry"]);
  });

  test.each<[Record<string, string>, string, number]>([[{ "content-type": "application/x-protobuf" }, "x", 415], [{}, "{", 400], [{}, "{}", 400], [{}, '{"streams":[7]}', 400], [{}, '{"streams":[]}', 204]])("%j %j is %i", async (more, body, status) => {
    const { port } = await startIntake();
    expect((await send(port, "/loki/api/v1/push", { headers: { ...key, ...more }, body })).status).toBe(status);
  });
});
