import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPackRules } from "../../host/pack-rules.ts";
import { packPipelines } from "../../host/packs.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import { hostFolder } from "../compliance/support.ts";
import { call } from "../control/audit-support.ts";
import { TestRules, serverFolder } from "./support.ts";

/** The pack as a server has it of its settings. */
class Workload extends TestRules {
  override async load() {
    const found = await super.load();
    return { ...found, setup: { ...found.setup, rules: readPackRules("workload"), pipelines: await packPipelines(["workload"]) } };
  }
}

const SIGNALS = "/api/v2/security_monitoring/signals/search";
const folder = serverFolder();

async function signals(server: VespidServer, query: string): Promise<any[]> {
  await server.detection.storeSignals();
  const { status, body } = await call(server, "POST", SIGNALS, { filter: { query, from: "now-1h", to: "now+1h" }, page: { limit: 100 } });
  expect(status, JSON.stringify(body)).toBe(200);
  return body.data.map(({ attributes }: any) => attributes);
}

async function logs(server: VespidServer, query: string): Promise<any[]> {
  return (await call(server, "POST", "/api/v2/logs/events/search", { filter: { query, from: "now-1d", to: "now+1h" }, page: { limit: 1000 } })).body.data.map(({ attributes }: any) => attributes);
}

const post = async (server: VespidServer, body: unknown): Promise<number> => (await call(server, "POST", "/api/v2/security/findings", body)).status;

describe("findings of a server", () => {
  test("[CO-01] [CO-02] [IN-06] with compliance and benchmarks on in datadog.yaml, this host's checks run, and each that fails is a signal", async () => {
    const agent = join(folder.path, "agent");
    mkdirSync(agent, { recursive: true });
    writeFileSync(join(agent, "datadog.yaml"), "hostname: image-1\ncompliance_config:\n  enabled: true\n  host_benchmarks:\n    enabled: true\n");
    const root = hostFolder({ "etc/ssh/sshd_config": { text: "PermitRootLogin yes\n", mode: 0o600 }, "etc/hosts.equiv": "+\n" });
    const server = await folder.start(new Workload([]), { data: join(folder.path, "checked"), agentFolders: [agent], hostChecks: { root, hours: 6 } });
    const found = await signals(server, "rule_type:compliance");
    expect(found.map(({ custom }) => custom.groupByValues["@rule_id"]).toSorted()).toEqual(["ssh-root-password", "ssh-tries", "trusted-hosts"]);
    for (const { title, status, tags, custom } of found) {
      expect([title, status, custom.workflow.rule.type, custom.groupByValues["@resource.id"]]).toEqual(["Host benchmark check failed", "low", "Infrastructure Configuration", "image-1"]);
      expect(tags).toContain("security:compliance");
    }
    // What passed is there to be looked at, and nobody's trouble.
    expect(await logs(server, "source:compliance host:image-1 @result:pass")).toHaveLength((await logs(server, "source:compliance")).length - 3);
    expect((await logs(server, "source:compliance")).length).toBeGreaterThanOrEqual(25);
    expect(folder.faults).toEqual([]);
  });

  test("without the switches nothing is looked at", async () => {
    const agent = join(folder.path, "quiet");
    mkdirSync(agent, { recursive: true });
    writeFileSync(join(agent, "datadog.yaml"), "compliance_config:\n  enabled: true\n");
    const server = await folder.start(new Workload([]), { data: join(folder.path, "unchecked"), agentFolders: [agent], hostChecks: { root: hostFolder(), hours: 6 } });
    expect(await logs(server, "*")).toEqual([]);
  });

  test("[XX-02] [CO-03] what a scanner of clouds sends becomes a signal of the day as grave as it says, found among others as compliance", async () => {
    const server = await folder.start(new Workload([]), { data: join(folder.path, "cloud") });
    const open = { rule_id: "s3-public", name: "Bucket is public", status: "fail", severity: "high", resource: { type: "aws_s3_bucket", id: "arn:aws:s3:::logs" }, frameworks: [{ id: "cis-aws", requirement: "2.1" }] };
    expect(await post(server, [open, open, { ...open, status: "pass", resource: { type: "aws_s3_bucket", id: "arn:aws:s3:::web" } }, { ...open, rule_id: "iam-old-key", name: "Keys are old", severity: undefined, resource: { type: "aws_iam_user", id: "mina" } }])).toBe(202);
    // An attack beside it is none of these.
    expect((await call(server, "POST", "/api/v2/logs", [{ ddsource: "runtime-security-agent", hostname: "web-1", agent: { rule_id: "reverse_shell_args" }, message: "x" }])).status).toBe(202);
    const told = async (query: string): Promise<string[]> => (await signals(server, query)).map(({ title, status, custom }) => `${status} ${title} ${custom.workflow.rule.type}`).toSorted();
    expect(await told("*")).toHaveLength(3);
    expect(await told("rule_type:compliance")).toEqual(["high Bucket is public: arn:aws:s3:::logs Cloud Configuration", "low Keys are old: mina Cloud Configuration"]);
    expect(await told("rule_type:cloud_configuration severity:high")).toHaveLength(1);
    expect(await told("security:compliance")).toHaveLength(2);
    expect(await told("rule_type:infrastructure_configuration")).toEqual([]);
    expect(await told("-rule_type:compliance")).toHaveLength(1);
    const facets = await call(server, "POST", "/api/v2/security_monitoring/signals/facets", { query: "*", from: "now-1h", to: "now+1h", facets: ["Rule Type"] });
    expect(facets.body.data[0].values).toContainEqual(expect.objectContaining({ value: "Cloud Configuration", count: 2 }));
    expect(folder.faults).toEqual([]);
  });

  test("[XX-01] a vulnerability is a log of its own source, told once a resource where a rule asks for it, and no signal of itself", async () => {
    const server = await folder.start(new Workload([]), { data: join(folder.path, "vulnerable") });
    const finding = { rule_id: "CVE-2026-1000", type: "vulnerability", name: "openssl: memory is read beyond its end", status: "fail", severity: "critical", resource: { type: "host", id: "web-1" }, host: "web-1", package: { name: "openssl", version: "3.0.1" } };
    expect(await post(server, [finding, { ...finding, resource: { type: "host", id: "web-2" }, host: "web-2" }])).toBe(202);
    expect(await signals(server, "*")).toEqual([]);
    expect((await logs(server, "source:vulnerability @severity:critical @package.name:openssl host:web-2")).map(({ message }) => message)).toEqual(["openssl: memory is read beyond its end: fail, web-2"]);
    const rule = {
      name: "Critical vulnerability", message: "{{@resource.id}}", isEnabled: true, type: "log_detection", tags: [], options: { detectionMethod: "threshold", evaluationWindow: 0, keepAlive: 3600, maxSignalDuration: 86400 },
      queries: [{ name: "a", query: "source:vulnerability @result:fail @severity:critical", aggregation: "count", groupByFields: ["@resource.id", "@rule_id"] }], cases: [{ name: "", status: "critical", condition: "a > 0", notifications: [] }],
    };
    expect((await call(server, "POST", "/api/v2/security_monitoring/rules", rule)).status).toBe(200);
    expect(await post(server, finding)).toBe(202);
    expect((await signals(server, "*")).map(({ custom }) => custom.groupByValues)).toEqual([{ "@resource.id": "web-1", "@rule_id": "CVE-2026-1000" }]);
    expect(folder.faults).toEqual([]);
  });
});
