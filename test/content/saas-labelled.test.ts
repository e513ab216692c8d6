import { beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../host/index.ts";
import { hasShared, readShared } from "../support/shared.ts";
import { loadKernel } from "../support/wasm.ts";
import { saasPack } from "./saas-support.ts";

interface Labelled {
  readonly rule: string;
  readonly log_types: readonly string[];
  readonly test: string;
  readonly expected: boolean;
  /** Its answer hangs on a look-up that is not in the event. */
  readonly mocks: boolean;
  readonly event: { readonly [name: string]: unknown };
}

const folder = "data/labelled-panther";
/** Members whose letters the other product's store made small, or renamed. */
const spelled: Readonly<Record<string, string>> = {
  eventtype: "eventType", displaymessage: "displayMessage", legacyeventtype: "legacyEventType", debugcontext: "debugContext", authenticationcontext: "authenticationContext", securitycontext: "securityContext",
};
/** Our rules on what theirs are on. Theirs that are not here ask for something no rule of ours does. */
const counterparts: Readonly<Record<string, readonly string[]>> = {
  "Okta.Anonymizing.VPN.Login": ["okta-proxy-sign-in"],
  "Okta.New.Behavior.Accessing.Admin.Console": ["okta-admin-new-device"],
  "Okta.Org2org.Creation.Modification": ["okta-org2org"],
  "Okta.Password.Extraction.via.SCIM": ["okta-scim-passwords"],
  "Okta.Support.Reset": ["okta-support-reset"],
  "Okta.Group.Admin.Role.Assigned": ["okta-admin-granted"],
  "Okta.Identity.Provider.Created.Modified": ["okta-idp-added"],
  "Okta.ThreatInsight.Security.Threat.Detected": ["okta-threat-detected"],
  "Okta.User.MFA.Factor.Suspend": ["okta-mfa-reset"],
  "Okta.User.MFA.Reset.Single": ["okta-mfa-reset"],
  "Okta.User.Reported.Suspicious.Activity": ["okta-user-report"],
  "GitHub.Advanced.Security.Change": ["github-scanning-off", "github-org-security-weakened"],
  "GitHub.Branch.ProtectionDisabled": ["github-protection-removed"],
  "Github.Organization.App.Integration.Installed": ["github-app-or-key-added"],
  "Github.Public.Repository.Created": ["github-repo-made-public"],
  "Github.Repo.CollaboratorChange": ["github-outside-collaborator"],
  "GitHub.Repo.HookModified": ["github-webhook-created"],
  "Github.Repo.VulnerabilityDismissed": ["github-alert-dismissed"],
  "GitHub.Secret.Scanning.Alert.Created": ["github-secret-found"],
  "GitHub.SupplyChain.SuspiciousUserAgents": ["github-package-manager-writes"],
  "Github.Repository.Transfer": ["github-repo-transferred"],
  "GitHub.User.RoleUpdated": ["github-owner-role"],
};

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 1);

function labelled(source: string, file: string): Labelled[] {
  const lines = new TextDecoder().decode(readShared(`${folder}/${file}`)).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Labelled);
  // Webhook payloads are another format than the audit log; look-ups are not in the event.
  return lines.filter(({ log_types, mocks }) => !mocks && !(source === "github" && log_types.some((type) => type !== "GitHub.Audit" && type.startsWith("GitHub."))));
}

/** Ids of the rules that tell each event when it comes alone: three days lie between one and the next. */
async function told(source: string, cases: readonly Labelled[]): Promise<Array<Set<string>>> {
  const { pack, rules } = saasPack(source);
  // What asks for history cannot be judged by one event.
  const alone = rules.filter((rule) => rule.options.method.kind === "threshold");
  const engine = await createEngine({ rules: alone, pipelines: pack.pipelines });
  const lines = cases.map(({ event }, i) => {
    const time = new Date(START_MS + i * 3 * DAY_MS).toISOString();
    const named = Object.fromEntries(Object.entries(event).map(([name, value]) => [spelled[name] ?? name, value]));
    return JSON.stringify({ ...named, ...(source === "okta" ? { published: time } : source === "github" ? { created_at: time } : { timestamp: time }) });
  });
  await engine.push(new TextEncoder().encode(`${lines.join("\n")}\n`), { format: "raw", source, arrivalMs: START_MS });
  await engine.close();
  const out = cases.map(() => new Set<string>());
  for (const { ruleId, firstSeenMs } of engine.finalSignals()) out[Math.round((firstSeenMs - START_MS) / (3 * DAY_MS))]!.add(ruleId);
  return out;
}

interface Score {
  readonly positives: number;
  readonly found: number;
  readonly negatives: number;
  readonly wrong: number;
}

function scored(cases: readonly Labelled[], answers: readonly boolean[]): Score {
  const count = (expected: boolean, only: boolean): number => cases.filter((each, i) => each.expected === expected && (!only || answers[i])).length;
  return { positives: count(true, false), found: count(true, true), negatives: count(false, false), wrong: count(false, true) };
}

function line(what: string, { positives, found, negatives, wrong }: Score): string {
  const percent = (part: number, whole: number): string => (whole === 0 ? "none" : `${((100 * part) / whole).toFixed(1)} %`);
  return `  ${what.padEnd(34)} recall ${String(found).padStart(3)} of ${String(positives).padStart(3)} = ${percent(found, positives).padStart(7)}   precision ${String(found).padStart(3)} of ${String(found + wrong).padStart(3)} = ${percent(found, found + wrong).padStart(7)}   must not: ${negatives}`;
}

beforeAll(() => void loadKernel("simd"));

describe.skipIf(!hasShared(folder))("events that another rule set must, and must not, alert on (skipped where ../shared is absent)", () => {
  // Of each line, what must be told and is, what must not and is. Rules beyond the list were written with this half of the events at hand: what only they tell is no forecast of the other half.
  test.each([
    ["okta", "okta_rules.jsonl.gz", ["5/18 2/13", "13/18 2/13", "13/16 1/11"]],
    ["github", "github_rules.jsonl.gz", ["22/36 4/22", "31/36 4/22", "30/31 0/19"]],
    ["1password", "onepassword_rules.jsonl.gz", ["0/3 0/3", "0/3 0/3", "0/0 0/0"]],
  ] as const)("%s", async (source, file, wanted) => {
    const cases = labelled(source, file);
    const answers = await told(source, cases);
    const { beyond } = saasPack(source);
    const shared = cases.map((each, i) => ({ each, rules: answers[i]! })).filter(({ each }) => counterparts[each.rule]);
    const scores = [
      scored(cases, answers.map((rules) => [...rules].some((id) => !beyond.has(id)))),
      scored(cases, answers.map((rules) => rules.size > 0)),
      scored(shared.map(({ each }) => each), shared.map(({ each, rules }) => counterparts[each.rule]!.some((id) => rules.has(id)))),
    ] as const;
    const missed = cases.filter((each, i) => each.expected && !answers[i]!.size).map((each) => `${each.rule} (${each.test})`);
    const odd = cases.flatMap((each, i) => (!each.expected && answers[i]!.size ? [`${each.rule} (${each.test}) by ${[...answers[i]!].join(" ")}`] : []));
    console.log([
      `${source}:`, line("rules of the list, any of them", scores[0]), line("all rules, any of them", scores[1]), line("what both have a rule on, that rule", scores[2]),
      `  not told: ${missed.join("; ") || "nothing"}`, `  told, and not to be by theirs: ${odd.join("; ") || "nothing"}`,
    ].join("\n"));
    expect(scores.map(({ positives, found, negatives, wrong }) => `${found}/${positives} ${wrong}/${negatives}`)).toEqual(wanted);
  });
});
