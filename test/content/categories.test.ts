import { beforeAll, describe, expect, test } from "vitest";
import { type Signal, createEngine } from "../../host/index.ts";
import { contentFolder, readPacks } from "../../host/packs.ts";
import type { Rule, ScenarioLog } from "../../host/rule/rule.ts";
import { idleReason } from "../../host/rule/standing.ts";
import { compareSignals } from "../../host/scenario.ts";
import { loadKernel } from "../support/wasm.ts";
import { rulesOf } from "./aws-support.ts";

beforeAll(() => void loadKernel("simd"));

const packs = await readPacks(contentFolder());
const rules = new Map(packs.flatMap((pack) => rulesOf(pack).map((rule) => [rule.id, { rule, pack: pack.name }] as const)));

/** What the how-to names, and the rule of ours that is there for it. */
const categories: ReadonlyArray<readonly [kind: string, what: string, pack: string, rule: string]> = [
  ["AWS", "an administrator's policy is attached", "cloudtrail", "aws-iam-admin-policy-attached"], ["AWS", "a policy is written into a user", "cloudtrail", "aws-iam-inline-policy"],
  ["AWS", "root signs in", "cloudtrail", "aws-root-console-login"], ["AWS", "root calls the API", "cloudtrail", "aws-root-api-call"], ["AWS", "a bucket is made public", "cloudtrail", "aws-s3-made-public"],
  ["Azure", "a risky sign-in", "azure", "entra-risky-signin"], ["Azure", "a sign-in without a device", "azure", "entra-device-code"], ["Azure", "a resource group is deleted", "azure", "azure-resource-group-deleted"],
  ["GCP", "an IAM policy is changed", "gcp", "gcp-iam-policy-changed"], ["GCP", "a firewall is opened", "gcp", "gcp-firewall-open"],
  ["authentication", "brute force", "linux-auth", "linux-login-bruteforce"], ["authentication", "impossible travel", "okta", "okta-impossible-travel"], ["authentication", "credential stuffing", "web-access", "web-login-stuffing"],
  ["network", "a port scan", "aws-network", "vpc-port-scan"], ["network", "DNS tunnelling", "dns", "dns-tunnel-txt"], ["network", "beaconing", "aws-network", "vpc-beaconing"],
  ["application", "SQL injection", "web-access", "web-sqli"], ["application", "cross-site scripting", "web-access", "web-xss"], ["application", "SSRF", "web-access", "web-ssrf"],
];

async function play(rule: Rule, logs: ReadonlyArray<Pick<ScenarioLog, "format"> & { readonly event: unknown }>): Promise<readonly Signal[]> {
  const engine = await createEngine({ rules: [rule] });
  for (const { format, event } of logs) await engine.push(new TextEncoder().encode(`${JSON.stringify(event)}\n`), { format, arrivalMs: 0 });
  await engine.close();
  return engine.finalSignals();
}

describe("what the rules that come along are for", () => {
  test.each(categories)("[DE-58] %s: %s", async (_kind, _what, pack, id) => {
    const found = rules.get(id);
    expect(found?.pack).toBe(pack);
    const { rule } = found!;
    expect([rule.isEnabled, idleReason(rule)]).toEqual([true, undefined]);
    expect(rule.tests.some(({ expected }) => expected)).toBe(true);
    let told = 0;
    for (const { expected, format, event } of rule.scenarios.length ? [] : rule.tests) {
      const signals = await play(rule, [{ format, event }]);
      if (expected || rule.queries.length === 1) expect(signals.length > 0, JSON.stringify(event)).toBe(expected);
      told += signals.length;
    }
    for (const { logs, signals } of rule.scenarios) {
      expect(compareSignals(signals, await play(rule, logs as readonly ScenarioLog[]))).toEqual([]);
      told += signals.length;
    }
    expect(told).toBeGreaterThan(0);
  });
});
