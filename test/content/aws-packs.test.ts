import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LogEvent } from "../../host/event/event.ts";
import { normalizeEvent } from "../../host/event/normalize.ts";
import { runPipelines } from "../../host/event/pipeline/run.ts";
import { contentFolder } from "../../host/packs.ts";
import { matches } from "../../host/query/matches.ts";
import { parseQuery } from "../../host/query/parse.ts";
import { type Ran, vespid } from "../cli/support.ts";
import { KEY, send, startIntake } from "../intake/http-support.ts";
import { hasShared } from "../support/shared.ts";
import { awsPacks, awsRules, linesOf, packFile, played, rulesOf, sharedLines } from "./aws-support.ts";

const ARRIVAL_MS = Date.UTC(2026, 2, 1, 12);
const packNamed = (name: string) => awsPacks.find((pack) => pack.name === name)!;

/** A line as its pack leaves it. */
function made(pack: string, line: string, source: string): LogEvent {
  const isJson = line.startsWith("{");
  return runPipelines(normalizeEvent(isJson ? JSON.parse(line) : line, { format: isJson ? "raw" : "text", source }), packNamed(pack).pipelines, ARRIVAL_MS);
}

describe("packs of AWS", () => {
  test.each<[string, number]>([["cloudtrail", 81], ["aws-network", 11], ["aws-edge", 3]])("%s is whole, and its %d rules pass their own tests both ways", async (name, count) => {
    const pack = packNamed(name);
    expect(pack.problems).toEqual([]);
    expect(new Set(rulesOf(pack).map(({ id }) => id)).size).toBe(count);
    const ran: Ran = await vespid(["rules", "test", "--strict", ...pack.ruleFiles]);
    expect([ran.code, ran.stdout.match(/, (\d+) failed, (\d+) skipped/)?.slice(1)], ran.stdout + ran.stderr).toEqual([0, ["0", "0"]]);
  });

  test("rules whose state lasts, or that count beyond one, are shown by a scenario", () => {
    const bare = awsRules.filter(({ options, wire, scenarios }) => {
      const { kind } = options.method;
      const isCounted = kind === "threshold" && (wire.cases as ReadonlyArray<{ readonly condition: string }>).some(({ condition }) => / > [1-9]|THEN|&&/.test(condition));
      return (kind !== "threshold" || isCounted) && !scenarios.length;
    });
    expect(bare.map(({ id }) => id)).toEqual([]);
  });

  test("[IN-18] the guides name every right that fetching takes", () => {
    const guides = ["cloudtrail", "aws-network"].map((name) => packFile(name, "guide.md"));
    for (const right of ["cloudtrail:LookupEvents", "logs:FilterLogEvents", "s3:GetObject"]) expect(guides[0]).toContain(`\`${right}\``);
    for (const right of ["cloudtrail:LookupEvents", "logs:FilterLogEvents", "guardduty:ListDetectors", "guardduty:GetFindings", "s3:GetObject"]) expect(guides[1]).toContain(`\`${right}\``);
  });
});

describe("what lines become", () => {
  test.each<[string, string, string]>([["aws-network", "vpc.txt", "vpc"], ["aws-network", "guardduty.ndjson", "guardduty"], ["aws-edge", "waf.ndjson", "waf"], ["aws-edge", "elb.txt", "elb"], ["aws-edge", "s3.txt", "s3"]])("%s: %s becomes its golden events", (pack, file, source) => {
    const golden = join(contentFolder(), pack, "golden", `${file.replace(/\..*$/, "")}.json`);
    const events = linesOf(packFile(pack, `tests/${file}`)).map((line) => {
      const own = line.startsWith("{") ? (JSON.parse(line) as { readonly ddsource: string }).ddsource : source;
      return made(pack, line, own);
    });
    if (process.env.VESPID_WRITE_GOLDEN) writeFileSync(golden, `[\n${events.map((event) => JSON.stringify(event)).join(",\n")}\n]\n`);
    expect(events).toEqual(JSON.parse(packFile(pack, `golden/${file.replace(/\..*$/, "")}.json`)));
  });
});

describe("flow logs", () => {
  const flow = { client: { ip: "192.0.2.7", port: 54321 }, destination: { ip: "10.0.0.5", port: 22 }, packets: 20, bytes_written: 4249, protocol: "tcp" };
  test.each<[string, string]>([["ACCEPT", "2 123456789012 eni-0a1b 192.0.2.7 10.0.0.5 54321 22 6 20 4249 1772359200 1772359260 ACCEPT OK"], ["REJECT", "2 123456789012 eni-0a1b 192.0.2.7 10.0.0.5 54321 22 6 20 4249 1772359200 1772359260 REJECT OK"]])("[IN-16] a line of the default format, %s", (action, line) => {
    const { attributes, timestamp, tags } = made("aws-network", line, "vpc");
    expect([attributes?.network, timestamp, tags]).toEqual([flow, 1772359260000, ["aws_account:123456789012"]]);
    expect(attributes).toMatchObject({ vpc: { action, status: "OK", interface_id: "eni-0a1b" }, flow: { minute: 29539320 } });
  });

  test.each<[string, string]>([
    ["more fields behind the default ones", "3 123456789012 eni-0a1b 192.0.2.7 10.0.0.5 54321 22 6 20 4249 1772359200 1772359260 ACCEPT OK vpc-1 subnet-1 i-1 2 IPv4 192.0.2.7 10.0.0.5"],
    ["the fields of version 5, and more", "5 123456789012 eni-0a1b 192.0.2.7 10.0.0.5 54321 22 6 20 4249 1772359200 1772359260 ACCEPT OK vpc-1 subnet-1 i-1 2 IPv4 192.0.2.7 10.0.0.5 eu-west-1 euw1-az1 - - - - ingress - arn:aws:ecs:x y"],
    ["AWS's example of an own order", "3 vpc-1 subnet-1 i-1 eni-0a1b 123456789012 IPv4 192.0.2.7 10.0.0.5 54321 22 192.0.2.7 10.0.0.5 6 4249 20 1772359200 1772359260 ACCEPT 2 OK"],
    ["fields by name", '{"account-id":"123456789012","interface-id":"eni-0a1b","srcaddr":"192.0.2.7","dstaddr":"10.0.0.5","srcport":54321,"dstport":22,"protocol":6,"packets":20,"bytes":4249,"start":1772359200,"end":1772359260,"action":"ACCEPT","log-status":"OK","instance-id":"i-1"}'],
    ["fields by name, as texts in camel case", '{"accountId":"123456789012","interfaceId":"eni-0a1b","srcAddr":"192.0.2.7","dstAddr":"10.0.0.5","srcPort":"54321","dstPort":"22","protocol":"6","packets":"20","bytes":"4249","start":"1772359200","end":"1772359260","action":"ACCEPT","logStatus":"OK","instanceId":"i-1"}'],
  ])("[IN-16] %s", (_, line) => {
    const { attributes, timestamp, tags } = made("aws-network", line, "vpc");
    expect([attributes?.network, timestamp, tags]).toEqual([flow, 1772359260000, ["aws_account:123456789012", "instance-id:i-1"]]);
    expect(attributes?.vpc).toMatchObject({ action: "ACCEPT", status: "OK", interface_id: "eni-0a1b", instance_id: "i-1" });
  });

  test("[IN-16] a span without data has no addresses, a head line no flow and no time of its own", () => {
    expect(made("aws-network", "2 123456789012 eni-0a1b - - - - - - - 1772359200 1772359260 - NODATA", "vpc").attributes).toEqual({ vpc: { version: 2, account_id: "123456789012", interface_id: "eni-0a1b", status: "NODATA" }, flow: { start: 1772359200, end: 1772359260, minute: 29539320 } });
const head = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
    expect(made("aws-network", head, "vpc")).toMatchObject({ timestamp: 0, attributes: { vpc: { head, head_time: "1970-01-01T00:00:00Z" } } });
  });
});

describe("findings of GuardDuty", () => {
  const finding = { accountId: "123456789012", id: "f-1", type: "UnauthorizedAccess:EC2/SSHBruteForce", severity: 8, title: "SSH guessed", resource: { instanceDetails: { instanceId: "i-1" } }, service: { action: { networkConnectionAction: { remoteIpDetails: { ipAddressV4: "198.51.100.9" } } } }, updatedAt: "2026-03-01T10:00:00Z" };

  test.each<[string, string, object]>([["as it is", "guardduty", finding], ["in EventBridge's envelope", "aws.guardduty", { "detail-type": "GuardDuty Finding", source: "aws.guardduty", time: "2026-03-01T10:00:00Z", detail: finding }]])("[IN-17] %s", (_, source, record) => {
    expect(made("aws-network", JSON.stringify(record), source)).toMatchObject({
      source, status: "error", message: "SSH guessed", timestamp: Date.UTC(2026, 2, 1, 10), tags: expect.arrayContaining(["instance-id:i-1"]),
      attributes: { details: { alertType: finding.type, severity: 8, title: "SSH guessed", resource: finding.resource, resource_id: "i-1" }, network: { client: { ip: "198.51.100.9" } } },
    });
  });

  test("[IN-17] one signal a finding, with the vendor's severity; a sample gives none", async () => {
    const rows = [{ ...finding }, { ...finding, id: "f-2", severity: 2, resource: { instanceDetails: { instanceId: "i-2" } } }, { ...finding, id: "f-3", resource: { instanceDetails: { instanceId: "i-3" } }, service: { additionalInfo: { sample: true } } }, { ...finding, id: "f-4", severity: 9.1, type: "AttackSequence:IAM/CompromisedCredentials", resource: {} }];
    const signals = await played(rows.map((row) => JSON.stringify(row)), "guardduty");
    expect(signals.map(({ ruleId, severity, group }) => [ruleId, severity, group])).toEqual([
      ["guardduty-findings", "high", { "instance-id": "i-1", "@details.alertType": finding.type }], ["guardduty-findings", "low", { "instance-id": "i-2", "@details.alertType": finding.type }],
      ["guardduty-findings", "critical", { "@details.accountId": "123456789012", "@details.alertType": "AttackSequence:IAM/CompromisedCredentials" }],
    ]);
  });
});

describe("CloudTrail", () => {
  const record = (at: string, eventName: string, more: object = {}) => JSON.stringify({ eventVersion: "1.08", eventTime: at, eventName, eventSource: "iam.amazonaws.com", awsRegion: "eu-west-1", recipientAccountId: "123456789012", sourceIPAddress: "192.0.2.7", userIdentity: { type: "IAMUser", arn: "arn:aws:iam::123456789012:user/mina", userName: "mina", accountId: "123456789012" }, ...more });
  const ids = async (lines: readonly string[]) => (await played(lines, "cloudtrail")).map(({ ruleId, severity }) => `${ruleId} ${severity}`).sort();

  test("[IN-15] a failed sign-in has no ARN and is counted by its name", async () => {
    const failure = (second: number) => record(`2026-03-01T10:00:${String(second).padStart(2, "0")}Z`, "ConsoleLogin", { eventSource: "signin.amazonaws.com", userIdentity: { type: "IAMUser", accountId: "123456789012", userName: "mina" }, responseElements: { ConsoleLogin: "Failure" }, errorMessage: "Failed authentication" });
    expect(await ids([...Array.from({ length: 11 }, (_, i) => failure(i)), record("2026-03-01T10:01:00Z", "ConsoleLogin", { eventSource: "signin.amazonaws.com", responseElements: { ConsoleLogin: "Success" }, additionalEventData: { MFAUsed: "No" } })])).toEqual(["aws-console-bruteforce high", "aws-console-login-no-mfa medium"]);
  });

  test("[CP-09] mail sending is asked about, then raised; only asked about; read for a report", async () => {
    const ses = (second: number, eventName: string, awsRegion = "us-east-1") => record(`2026-03-01T10:00:0${second}Z`, eventName, { eventSource: "ses.amazonaws.com", awsRegion });
    const asked = [ses(0, "GetSendQuota"), ses(1, "ListIdentities"), ses(2, "GetAccountSendingEnabled")];
    expect(await ids([...asked, ses(3, "PutAccountDetails")])).toEqual(["aws-ses-abuse-preparation high"]);
    expect(await ids([...asked, ses(4, "GetSendQuota", "eu-west-1")])).toEqual(["aws-ses-abuse-preparation medium"]);
    expect(await ids([ses(0, "GetSendQuota"), ses(1, "GetSendQuota"), ses(2, "GetSendQuota")])).toEqual([]);
  });

  test("[CP-10] an outside account that takes a role for the first time, after a week of others", async () => {
    const assumed = (at: string, accountId: string) => record(at, "AssumeRole", { eventSource: "sts.amazonaws.com", userIdentity: { type: "AWSAccount", accountId, principalId: "AIDAX" } });
    const signals = await played([assumed("2026-03-01T10:00:00Z", "210987654321"), assumed("2026-03-09T10:00:00Z", "210987654321"), assumed("2026-03-09T11:00:00Z", "666666666666")], "cloudtrail");
    expect(signals.map(({ ruleId, severity, group, firstSeenMs }) => [ruleId, severity, group, firstSeenMs])).toEqual([["aws-external-account-assumes-role", "medium", { "@recipientAccountId": "123456789012" }, Date.UTC(2026, 2, 9, 11)]]);
  });

  test("an identity without an ARN is told too", async () => {
    expect(await ids([record("2026-03-01T10:00:00Z", "StopLogging", { eventSource: "cloudtrail.amazonaws.com", userIdentity: { type: "AWSAccount", accountId: "666666666666" } })])).toEqual(["aws-cloudtrail-impaired high"]);
  });
});

describe("from the sender to the search", () => {
  const headers = { "dd-api-key": KEY, "content-type": "application/json" };
  const trail = { eventVersion: "1.08", eventTime: "2026-03-01T09:59:00Z", eventSource: "signin.amazonaws.com", eventName: "ConsoleLogin", awsRegion: "eu-west-1", recipientAccountId: "123456789012", sourceIPAddress: "192.0.2.7", userIdentity: { type: "IAMUser", arn: "arn:aws:iam::123456789012:user/mina" }, responseElements: { ConsoleLogin: "Success" } };
  const finding = { "detail-type": "GuardDuty Finding", source: "aws.guardduty", account: "123456789012", time: "2026-03-01T09:59:00Z", region: "eu-west-1", detail: { accountId: "123456789012", id: "f-1", type: "Recon:EC2/Portscan", severity: 5, title: "Ports scanned", resource: { instanceDetails: { instanceId: "i-1" } } } };
  const flows = "2 123456789012 eni-0a1b 192.0.2.7 10.0.0.5 54321 22 6 20 4249 1772359200 1772359260 ACCEPT OK\n2 123456789012 eni-0a1b 192.0.2.7 10.0.0.5 54321 23 6 1 40 1772359200 1772359260 REJECT OK\n";

  test.each<[string, string, string, string, number]>([
    ["[IN-15] a file of CloudTrail", "/aws/cloudtrail", JSON.stringify({ Records: [trail, { ...trail, eventName: "GetUser", responseElements: null }] }), "source:cloudtrail @evt.name:ConsoleLogin @evt.outcome:success @userIdentity.session_name:mina @network.client.ip:192.0.2.7", 1],
    ["[IN-16] two flows, let in", "/api/v2/logs?ddsource=vpc", flows, "source:vpc @vpc.action:ACCEPT @network.destination.port:22", 1],
    ["[IN-16] two flows, rejected", "/api/v2/logs?ddsource=vpc", flows, "source:vpc @vpc.action:REJECT @network.bytes_written:40", 1],
    ["[IN-17] a finding of GuardDuty", "/aws/eventbridge", JSON.stringify(finding), "source:guardduty @details.alertType:*EC2* @details.severity:[4 TO 6.9] instance-id:i-1 status:warn", 1],
  ])("%s", async (_, path, body, query, count) => {
    const { port, sink } = await startIntake();
    expect((await send(port, path, { headers: body.startsWith("2 ") ? { ...headers, "content-type": "text/plain" } : headers, body })).status).toBeLessThan(300);
    const parsed = parseQuery(query);
    if (!parsed.ok) throw new Error("the query is wrong");
    const pipelines = awsPacks.flatMap((pack) => pack.pipelines);
    expect(sink.events.map((event) => runPipelines(event, pipelines, ARRIVAL_MS)).filter((event) => matches(parsed.node, event)).length).toBe(count);
  });
});

const edge = "data/aws-edge-opensearch";
describe.skipIf(!hasShared(edge))("recorded requests (skipped where the data is not there)", () => {
  // Five requests that the load balancer refused had no method or path to read.
  test.each<[string, string, number, number, readonly string[]]>([["waf.jsonl", "waf", 38, 38, ["waf.action", "waf.rule"]], ["elb.jsonl", "elb", 56, 51, ["http.url", "http.url_decoded"]], ["s3access.jsonl", "s3", 5, 5, ["s3.bucket", "s3.operation"]]])("%s: every one has its client, and those with a request its parts", (file, source, count, whole, paths) => {
    const events = sharedLines(`${edge}/${file}`).map((line) => made("aws-edge", line, source).attributes);
    const at = (attributes: unknown, path: string): unknown => path.split(".").reduce((value, name) => (value as { readonly [name: string]: unknown } | undefined)?.[name], attributes);
    const having = (...all: readonly string[]) => events.filter((attributes) => all.every((path) => typeof at(attributes, path) === "string")).length;
    expect([events.length, having("network.client.ip"), having("http.method", ...paths)]).toEqual([count, count, whole]);
  });
});
