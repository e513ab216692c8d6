import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../host/index.ts";
import type { IntakeBatch } from "../../host/intake/contract.ts";
import { runPipelines } from "../../host/event/pipeline/run.ts";
import type { Signal } from "../../host/signal/signal.ts";
import { vespid } from "../cli/support.ts";
import { ARRIVAL_MS as RECEIVED_MS, KEY, eventsOf, send, startIntake } from "../intake/http-support.ts";
import { loadKernel } from "../support/wasm.ts";
import { ARRIVAL_MS, cloudPack, content, found, madeEvent, queriesOf } from "./cloud-support.ts";

beforeAll(() => void loadKernel("simd"));

const names = ["azure", "gcp", "microsoft-365"] as const;
const packs = Object.fromEntries(names.map((name) => [name, cloudPack(name)]));
const scanned = { azure: ["entra-attack-tool", "entra-global-admin-added", "entra-issuer-changed"], gcp: ["gcp-default-sa-outside", "gcp-new-admin-service-account", "gcp-objects-rewritten", "gcp-public-principal-granted"], "microsoft-365": [] };
const rulesWanted = { azure: 71, gcp: 48, "microsoft-365": 18 };

describe.each(names)("%s", (name) => {
  const pack = packs[name]!;
  const events = pack.lines.map((line) => madeEvent(pack, JSON.parse(line)));
  const queries = pack.rules.flatMap(queriesOf);

  test("is whole", () => {
    expect(pack.pack.problems).toEqual([]);
    expect([pack.rules.length, new Set(pack.rules.map(({ id }) => id)).size]).toEqual([rulesWanted[name], rulesWanted[name]]);
  });

  test(`[IN-27] records of ${name} become their golden events`, () => {
    const golden = join(content, name, "golden", "records.json");
    if (process.env.VESPID_WRITE_GOLDEN) writeFileSync(golden, `[\n${events.map((event) => JSON.stringify(event)).join(",\n")}\n]\n`);
    expect(events).toEqual(JSON.parse(readFileSync(golden, "utf8")));
  });

  test("each query finds one of the records, and none finds all", () => {
    const counts = new Map<string, number>(queries.map(({ rule, label }) => [`${rule.id}/${label}`, 0]));
    for (const event of events) for (const query of found(queries, event)) counts.set(query, counts.get(query)! + 1);
    expect([...counts].filter(([, count]) => count === 0 || count === events.length)).toEqual([]);
  });

  test("each record has a name, a time of its own and, but for requests of a balancer, somebody", () => {
    const bare = events.flatMap((event, i) => (event.attributes?.evt && event.timestamp !== undefined ? [] : [pack.lines[i]!]));
    expect(bare.filter((line) => !line.includes("httpRequest"))).toEqual([]);
  });
});

test.each(names)("%s: its rules pass their own tests both ways, reach each case, are advised nothing, and run only where something is found", async (name) => {
  const rules = join(content, name, "rules");
  const [tested, linted, explained] = await Promise.all([vespid(["rules", "test", "--strict", rules]), vespid(["rules", "lint", rules]), vespid(["rules", "explain", "--json", rules])]);
  expect(tested.code, tested.stdout).toBe(0);
  expect(tested.stdout).toMatch(/(\d+) of \1 rules tested, \1 both ways; (\d+) of \2 queries matched; (\d+) of \3 cases reached/);
  expect(linted.code, linted.stdout).toBe(0);
  const queries = explained.stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as { readonly rule_id: string; readonly rule_cost: string });
  expect(new Set(queries.map(({ rule_id }) => rule_id)).size).toBe(rulesWanted[name]);
  // Those that look for parts of texts say in their file why; these are all.
  expect(queries.filter(({ rule_cost }) => rule_cost !== "indexed" && rule_cost !== "scanned")).toEqual([]);
  expect([...new Set(queries.filter(({ rule_cost }) => rule_cost === "scanned").map(({ rule_id }) => rule_id))].toSorted()).toEqual(scanned[name]);
});

/** What came in over HTTP, through the pack's pipelines and rules. */
async function judged(name: string, batches: readonly IntakeBatch[]): Promise<readonly Signal[]> {
  const { pack, rules } = packs[name]!;
  const engine = await createEngine({ rules, pipelines: pack.pipelines });
  for (const { bytes, profile, arrivalMs, partition } of batches) await engine.push(bytes, { ...profile, arrivalMs, partition });
  await engine.close();
  return engine.finalSignals();
}

const key = { "dd-api-key": KEY, "content-type": "application/json" };
async function sent(path: string, ...bodies: unknown[]): Promise<readonly IntakeBatch[]> {
  const { port, sink } = await startIntake();
  for (const body of bodies) expect((await send(port, path, { headers: key, body: JSON.stringify(body) })).status).toBeLessThan(300);
  return sink.batches;
}

const at = (minute: number): string => new Date(RECEIVED_MS - 3_600_000 + minute * 60_000).toISOString();
const told = (signals: readonly Signal[]): string[] => signals.map(({ ruleId, caseName, severity }) => `${ruleId} ${caseName} ${severity}`).toSorted();

describe("what is sent", () => {
  test.each([
    ["azure", "[IN-19] [IN-20] [IN-21] an event hub", "/azure/eventhub", (lines: readonly string[]) => [{ records: lines.map((line) => JSON.parse(line) as unknown) }]],
    ["gcp", "[IN-22] pushes of Pub/Sub", "/gcp/pubsub", (lines: readonly string[]) => lines.filter((line) => !line.includes('"data":{')).map((line) => ({ message: { data: Buffer.from(line).toString("base64"), messageId: "1" }, subscription: "projects/shop/subscriptions/vespid" }))],
    ["microsoft-365", "[CP-06] an array", "/api/v2/logs?ddsource=microsoft-365", (lines: readonly string[]) => [lines.map((line) => JSON.parse(line) as unknown)]],
  ] as const)("%s: the same is found in %s as in a file", async (name, _, path, bodies) => {
    const pack = packs[name]!;
    const queries = pack.rules.flatMap(queriesOf);
    const lines = pack.lines.filter((line) => name !== "gcp" || !line.includes('"data":{'));
    const events = (await sent(path, ...bodies(lines))).flatMap(eventsOf).map((event) => runPipelines(event, pack.pack.pipelines, ARRIVAL_MS));
    expect(events.map((event) => found(queries, event))).toEqual(lines.map((line) => found(queries, madeEvent(pack, JSON.parse(line)))));
    expect(new Set(events.flatMap((event) => found(queries, event))).size).toBe(queries.length);
  });

  test("[IN-20] eleven failures and a success of one Entra user are a signal", async () => {
    const record = (minute: number, code: string) => ({ time: at(minute), category: "SignInLogs", operationName: "Sign-in activity", resultType: code, callerIpAddress: "192.0.2.8", properties: { userPrincipalName: "mina@example.com", status: { errorCode: Number(code) } } });
    const batches = await sent("/azure/eventhub", { records: [...Array.from({ length: 11 }, (_, i) => record(i, "50126")), record(11, "0")] });
    const signals = await judged("azure", batches);
    expect(told(signals)).toEqual(["entra-bruteforce with success medium"]);
    expect(signals[0]!.group).toEqual({ "@usr.id": "mina@example.com" });
  });

  test.each([["High", "high"], ["Medium", "medium"], ["Low", "low"], ["Informational", "info"]])("[IN-21] an alert of Defender that is %s is a signal that is %s", async (severity, status) => {
    const exported = { SystemAlertId: "2517", AlertType: "VM_CryptoMiner", AlertDisplayName: "Digital currency mining", Severity: severity, CompromisedEntity: "web-1", TimeGenerated: at(0) };
    const resource = { type: "Microsoft.Security/Locations/alerts", properties: { alertType: "VM_CryptoMiner", alertDisplayName: "Digital currency mining", severity, compromisedEntity: "web-2" }, time: at(0) };
    const signals = await judged("azure", await sent("/azure/eventhub", { records: [exported, resource] }));
    expect(signals.map(({ ruleId, severity: is, group }) => [ruleId, is, group])).toEqual(["web-1", "web-2"].map((entity) => ["azure-defender-alerts", status, { "@properties.compromisedEntity": entity, "@properties.alertType": "VM_CryptoMiner" }]));
  });

  test("[IN-22] an owner added to a project, pushed by Pub/Sub, is a signal", async () => {
    const entry = { logName: "projects/shop/logs/cloudaudit.googleapis.com%2Factivity", timestamp: at(0), severity: "NOTICE", resource: { type: "project", labels: {} }, protoPayload: { methodName: "SetIamPolicy", serviceName: "cloudresourcemanager.googleapis.com", authenticationInfo: { principalEmail: "mina@example.com" }, requestMetadata: { callerIp: "192.0.2.8" }, serviceData: { policyDelta: { bindingDeltas: [{ action: "ADD", role: "roles/owner", member: "user:bob@example.net" }] } } } };
    const signals = await judged("gcp", await sent("/gcp/pubsub", { message: { data: Buffer.from(JSON.stringify(entry)).toString("base64"), messageId: "1" }, subscription: "projects/shop/subscriptions/vespid" }));
    expect(told(signals)).toEqual(["gcp-iam-policy-changed owner or editor granted high"]);
  });

  test("[CP-06] forwarding, a consent and a burst of downloads are signals", async () => {
    const record = (minute: number, operation: string, more: object) => ({ CreationTime: at(minute).replace(/\.\d+Z$/, ""), Operation: operation, UserId: "mina@example.com", ClientIP: "192.0.2.8:50112", ...more });
    const days = Array.from({ length: 288 }, (_, i) => record(i * 15 - 4 * 1440, "FileDownloaded", { Workload: "OneDrive", ObjectId: `f-${i % 2}` }));
    const burst = Array.from({ length: 200 }, (_, i) => record(i / 60 - 1440, "FileDownloaded", { Workload: "OneDrive", ObjectId: `g-${i}` }));
    const signals = await judged("microsoft-365", await sent("/api/v2/logs?ddsource=microsoft-365", [...days, ...burst,
      record(0, "New-InboxRule", { Workload: "Exchange", ResultStatus: "True", Parameters: [{ Name: "ForwardTo", Value: "drop@mail.example" }] }),
      record(1, "Consent to application.", { Workload: "AzureActiveDirectory", ResultStatus: "Success" }),
    ]));
    expect(told(signals)).toEqual(["m365-consent  medium", "m365-inbox-forwarding  medium", "m365-mass-download  medium"]);
  });

  test.each(names)("%s: the samples, played at once, raise what their records say and nothing of another's", async (name) => {
    const { pack, lines } = packs[name]!;
    const signals = await judged(name, [{ bytes: Buffer.from(`${lines.join("\n")}\n`), profile: { format: "raw", source: pack.sources[0]! }, arrivalMs: ARRIVAL_MS } as unknown as IntakeBatch]);
    const { rules } = packs[name]!;
    const single = rules.filter(({ options, cases, queries }) => options.method.kind === "threshold" && queries.every(({ aggregation }) => aggregation === "count") && cases.some(({ conditionText }) => /^\w+ > 0$/.test(conditionText)));
    expect(single.map(({ id }) => id).filter((id) => !signals.some(({ ruleId }) => ruleId === id))).toEqual([]);
  });
});
