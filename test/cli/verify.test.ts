import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { vespid, workFolder } from "./support.ts";

workFolder();
const trials = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("vespid-trial-"));

describe("the product, tried as a whole", () => {
  test("[PL-05] vespid verify tries the ten points of the how-to's checklist on a server of its own, and leaves nothing behind", async () => {
    const before = trials();
    const { code, stdout, stderr } = await vespid(["verify", "--json"]);
    const steps = stdout.trim().split("\n").map((line) => JSON.parse(line));
    expect([code, steps.filter(({ outcome }) => outcome === "fail"), stderr]).toEqual([0, [], expect.stringMatching(/^9 of 10 pass, 1 not here yet$/m)]);
    expect(steps.map(({ step, what, outcome }) => `${step} ${what}: ${outcome}`)).toEqual([
      "1 Agents report on hosts: pass", "2 security logs come in and are searched: pass", "3 content packs are enabled: pass", "4 rules that come along make signals: pass", "5 a custom rule fires on a burst of failed logins: pass",
      "6 workload protection is judged: pass", "7 the security dashboard shows them: pass", "8 notifications reach Slack, PagerDuty or Jira: not_here", "9 suppressions keep noise away: pass", "10 the signals API answers programs: pass",
    ]);
    expect(steps[4].detail).toBe("ten failures nothing, the eleventh: high Brute Force Login Detection - Custom - High volume failed logins, deploy");
    expect(trials()).toEqual(before);
  }, 600_000);

  test("[PL-03] vespid demo shows a targeted attack, an address of a threat list and an insecure configuration, each from what is sent to its signals", async () => {
    const { code, stdout } = await vespid(["demo", "--json"]);
    expect(code).toBe(0);
    const told = Object.fromEntries(stdout.trim().split("\n").map((line) => JSON.parse(line)).map(({ scenario, signals }) => [scenario, signals]));
    expect(Object.keys(told)).toEqual(["targeted_attack", "threat_intelligence", "insecure_configuration"]);
    const rules = (scenario: string): string[] => told[scenario].map(({ rule }: any) => rule);
    expect(rules("targeted_attack")).toEqual(expect.arrayContaining(["linux-ssh-bruteforce-success", "aws-iam-admin-policy-attached", "aws-cloudtrail-impaired"]));
    expect(told.threat_intelligence).toContainEqual(expect.objectContaining({ rule: "x-threat-intel-login", severity: "high", group: { "@usr.id": "mina", "@network.client.ip": "198.51.100.201" } }));
    expect(told.insecure_configuration.map(({ severity, rule }: any) => `${severity} ${rule}`)).toEqual(["critical cloud-posture-fail", "low host-benchmark-fail"]);
    const shown = await vespid(["demo"]);
    expect(shown.stdout).toMatch(/^A targeted attack$/m);
    expect(shown.stdout.trimEnd().split("\n").at(-1)).toBe("3 of 3 told");
  }, 600_000);
});
