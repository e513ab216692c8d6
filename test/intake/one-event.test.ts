import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { normalizeStatus } from "../../host/event/status.ts";
import { readTimestamp } from "../../host/event/timestamp.ts";
import { ARRIVAL_MS, KEY, send, startIntake } from "./http-support.ts";

const seconds = ARRIVAL_MS / 1000 - 5;
const iso = new Date(seconds * 1000).toISOString();
const nanoseconds = `${seconds}000000000`;
const members = { message: "charge refused", hostname: "pay-1", service: "billing", ddsource: "shop", ddtags: "env:prod,team:pay", status: "error", timestamp: seconds * 1000, usr: { id: "u-7" } };
const text = JSON.stringify(members);
const wrapped = (data: string | Uint8Array): string => Buffer.from(data).toString("base64");
const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });

/** The same thing that happened, as each protocol says it. */
const ways: ReadonlyArray<readonly [name: string, path: string, headers: Readonly<Record<string, string>>, body: string | Uint8Array]> = [
  ["v2 array", "/api/v2/logs", { "dd-api-key": KEY, "content-type": "application/json" }, `[${text}]`],
  ["v2 lines", "/api/v2/logs", { "dd-api-key": KEY }, `${text}\n`],
  ["v2, query", "/api/v2/logs?ddsource=shop&service=billing&host=pay-1&ddtags=env:prod,team:pay", { "dd-api-key": KEY }, JSON.stringify({ message: members.message, level: "ERROR", "@timestamp": iso, usr: members.usr })],
  ["JSON in a message", "/api/v2/logs?ddsource=shop", { "dd-api-key": KEY }, JSON.stringify({ hostname: "pay-1", ddtags: members.ddtags, message: JSON.stringify({ msg: members.message, service: "billing", level: "error", timestamp: iso, usr: members.usr }) })],
  ["syslog over v2", "/api/v2/logs?ddsource=shop&ddtags=env:prod,team:pay", { "dd-api-key": KEY }, `<131>1 ${iso} pay-1 billing - - - @cee: {"msg":"charge refused","usr":{"id":"u-7"}}`],
  ["v1", `/v1/input/${KEY}`, { "content-encoding": "gzip" }, gzipSync(`[${text}]`)],
  ["OTLP", "/v1/logs?ddtags=team:pay", { "dd-api-key": KEY, "content-type": "application/json" }, JSON.stringify({ resourceLogs: [{ resource: { attributes: [attribute("service.name", "billing"), attribute("host.name", "pay-1"), attribute("deployment.environment.name", "prod"), attribute("ddsource", "shop")] }, scopeLogs: [{ logRecords: [{ timeUnixNano: nanoseconds, severityNumber: 17, body: { stringValue: members.message }, attributes: [attribute("usr.id", "u-7")] }] }] }] })],
  ["HEC", "/services/collector?ddtags=env:prod,team:pay", { authorization: `Splunk ${KEY}` }, JSON.stringify({ time: seconds, host: "pay-1", sourcetype: "shop", event: { message: members.message, service: "billing", severity: "error" }, fields: { "usr.id": "u-7" } })],
  ["Elasticsearch", "/shop/_bulk", { authorization: `ApiKey ${KEY}` }, `{"create":{}}\n${JSON.stringify({ "@timestamp": iso, message: members.message, host: { name: "pay-1" }, service: { name: "billing" }, log: { level: "error" }, labels: { env: "prod", team: "pay" }, user: { id: "u-7" } })}\n`],
  ["Firehose", "/firehose", { "x-amz-firehose-access-key": KEY }, JSON.stringify({ requestId: "1", records: [{ data: wrapped(gzipSync(text)) }] })],
  ["CloudWatch", "/firehose?ddsource=shop&ddtags=env:prod,team:pay&host=pay-1", { "x-amz-firehose-access-key": KEY }, JSON.stringify({ requestId: "1", records: [{ data: wrapped(gzipSync(JSON.stringify({ messageType: "DATA_MESSAGE", logEvents: [{ id: "1", timestamp: seconds * 1000, message: JSON.stringify({ msg: members.message, level: "error", service: "billing", usr: members.usr }) }] }))) }] })],
  ["Pub/Sub", "/gcp/pubsub", { "dd-api-key": KEY }, JSON.stringify({ message: { data: wrapped(text), messageId: "1" }, subscription: "s" })],
  ["an event hub", "/azure/eventhub", { "dd-api-key": KEY }, JSON.stringify({ records: [{ ...members, category: "Administrative", operationName: "x", time: iso }] })],
  ["EventBridge", "/aws/eventbridge?ddsource=shop", { "dd-api-key": KEY }, JSON.stringify({ "detail-type": "x", source: "aws.shop", time: iso, detail: members })],
  ["Records", "/api/v2/logs", { "dd-api-key": KEY }, JSON.stringify({ Records: [members] })],
  ["Loki", "/loki/api/v1/push?ddsource=shop", { "dd-api-key": KEY, "content-type": "application/json" }, JSON.stringify({ streams: [{ stream: { env: "prod", team: "pay" }, values: [[nanoseconds, members.message, { level: "error", usr: { id: "u-7" }, hostname: "pay-1", service: "billing" }]] }] })],
  ["Datadog events", "/api/v1/events", { "dd-api-key": KEY }, JSON.stringify({ title: "t", text: members.message, host: "pay-1", service: "billing", date_happened: seconds, source_type_name: "shop", alert_type: "error", tags: ["env:prod", "team:pay"], usr: members.usr })],
];

test.each(ways)("the same event by %s has the same envelope", async (_, path, headers, body) => {
  const { port, sink, rejected } = await startIntake();
  const answer = await send(port, path, { headers, body });
  expect([answer.status < 300, rejected]).toEqual([true, []]);
  expect(sink.events.length).toBe(1);
  const [event] = sink.events;
  const { usr, ...attributes } = event!.attributes as { usr?: { id?: string }; "usr.id"?: string };
  expect({
    message: event!.message, host: event!.host, service: event!.service, source: event!.source, status: normalizeStatus(event!.status), tags: event!.tags?.toSorted(),
    time: readTimestamp(event!.timestamp, sink.batches[0]!.arrivalMs), user: usr?.id ?? attributes["usr.id"],
  }).toEqual({ message: "charge refused", host: "pay-1", service: "billing", source: "shop", status: "error", tags: ["env:prod", "team:pay"], time: seconds * 1000, user: "u-7" });
});
