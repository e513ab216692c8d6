import { globSync } from "node:fs";
import { dirname } from "node:path";
import type { Check } from "../compliance/index.ts";
import { contentFolder } from "../packs.ts";
import type { Rule } from "../rule/rule.ts";
import { idleReason } from "../rule/standing.ts";
import { HOST_CHECKS, loadChecks } from "./host-check.ts";
import { loadGoodRules } from "./load-rules.ts";
import { jsonLine, plural, safe, styled, table } from "./text.ts";

export interface ComplianceOptions {
  readonly framework: string;
  readonly rules?: readonly string[];
  readonly json?: boolean;
}

interface Framework {
  readonly title: string;
  /** Before the colon of a tag. */
  readonly tag: string;
  /** What logs and rules over them can serve; a framework asks for more. */
  readonly requirements: Readonly<Record<string, string>>;
}

/** Sources: PCI DSS 3.2.1; AICPA trust services criteria 2017; 45 CFR 164, subpart C. In our words. */
const frameworks: Readonly<Record<string, Framework>> = {
  "pci-dss": {
    title: "PCI DSS", tag: "pci",
    requirements: {
      "10.2.1": "access of people to card data", "10.2.2": "what root and administrators do", "10.2.3": "access to audit trails", "10.2.4": "access that was denied",
      "10.2.5": "changes of accounts, rights and ways to sign in", "10.2.6": "audit logs started, stopped or paused", "10.2.7": "objects of the system made or deleted",
      "11.4": "intrusions detected",
    },
  },
  soc2: {
    title: "SOC 2", tag: "soc2",
    requirements: {
      "CC6.1": "access is restricted", "CC6.2": "users are registered before they get access", "CC6.3": "rights are given, changed and taken back by role", "CC6.6": "threats from outside are kept out",
      "CC6.7": "data that leaves is controlled", "CC6.8": "software that should not be there is found", "CC7.1": "changes that open weaknesses are found", "CC7.2": "anomalies are watched for",
    },
  },
  hipaa: {
    title: "HIPAA security rule", tag: "hipaa",
    requirements: {
      "164.308(a)(1)(ii)(D)": "activity is reviewed", "164.308(a)(5)(ii)(B)": "malicious software is watched for", "164.308(a)(5)(ii)(C)": "sign-ins are watched", "164.308(a)(6)(ii)": "incidents are told",
      "164.312(a)(1)": "access is controlled", "164.312(b)": "activity is recorded and can be examined", "164.312(c)(1)": "data is not altered or destroyed",
    },
  },
};

interface Covered {
  readonly requirement: string;
  readonly title: string;
  readonly rules: readonly Rule[];
  /** Of hosts: what `vespid host check` looks at. */
  readonly checks: readonly Check[];
}

/** `vespid report compliance`: which rules and which checks of hosts serve which requirement of a framework, by their tags. */
export async function compliance(options: ComplianceOptions): Promise<number> {
  const framework = frameworks[options.framework]!;
  const { rules } = await loadGoodRules(options.rules ?? allPacks());
  const checks = loadChecks(HOST_CHECKS);
  const covered = coverageOf(rules, checks, framework);
  const judged = covered.filter((each) => each.rules.some(isJudging));
  const tagged = rules.filter((rule) => requirementsOf(rule, framework).length > 0);
  if (options.json) {
    process.stdout.write(jsonLine({
      framework: options.framework, requirements: covered.length, covered: judged.length, rules: rules.length, tagged_rules: tagged.length, gaps: covered.filter(isGap).map(({ requirement }) => requirement),
      by_requirement: covered.map((each) => ({ requirement: each.requirement, title: each.title, covered: each.rules.some(isJudging), rules: each.rules.map((rule) => ({ id: rule.id, name: rule.name, judges: isJudging(rule), ...(isJudging(rule) ? {} : { reason: idleReason(rule) }) })), checks: each.checks.map(({ id, title }) => ({ id, title })) })),
    }));
    return 0;
  }
  process.stdout.write(`${styled("bold", `${framework.title}: ${judged.length} of ${plural(covered.length, "requirement")} with a rule that judges`)}; ${plural(tagged.length, "rule")} of ${rules.length} ${tagged.length === 1 ? "has" : "have"} a tag ${framework.tag}:...\n\n`);
  process.stdout.write(`${table(["REQUIREMENT", "WHAT", { name: "RULES", align: "right" }, { name: "HOST CHECKS", align: "right" }], covered.map((each) => [safe(each.requirement), each.title, each.rules.length ? String(each.rules.length) : "none", each.checks.length ? String(each.checks.length) : "-"]))}\n\n`);
  const rows = covered.flatMap((each) => each.rules.map((rule) => [safe(each.requirement), safe(rule.name), isJudging(rule) ? "judges" : safe(idleReason(rule)!)]));
  if (rows.length) process.stdout.write(`${table(["REQUIREMENT", "RULE", "STATE"], rows)}\n`);
  const looked = covered.flatMap((each) => each.checks.map(({ id, title }) => [safe(each.requirement), id, title]));
  if (looked.length) process.stdout.write(`\n${table(["REQUIREMENT", "HOST CHECK", "WHAT"], looked)}\n`);
  const gaps = covered.filter(isGap);
  if (gaps.length) process.stdout.write(`\n${styled("yellow", "gaps")}: nothing serves ${gaps.map(({ requirement }) => safe(requirement)).join(", ")}\n`);
  return 0;
}

/** No rule that judges, and no check of hosts. */
function isGap({ rules, checks }: Covered): boolean {
  return !checks.length && !rules.some(isJudging);
}

function isJudging(rule: Rule): boolean {
  return idleReason(rule) === undefined;
}

/** Every requirement that is known, in its order, then those that only tags name. */
function coverageOf(rules: readonly Rule[], checks: readonly Check[], framework: Framework): Covered[] {
  const byRequirement = new Map(Object.keys(framework.requirements).map((requirement) => [requirement, { rules: [] as Rule[], checks: [] as Check[] }]));
  const served = (requirement: string): { readonly rules: Rule[]; readonly checks: Check[] } => {
    const known = [...byRequirement.keys()].find((each) => each.toLowerCase() === requirement.toLowerCase()) ?? requirement;
    if (!byRequirement.has(known)) byRequirement.set(known, { rules: [], checks: [] });
    return byRequirement.get(known)!;
  };
  for (const rule of rules) for (const requirement of requirementsOf(rule, framework)) served(requirement).rules.push(rule);
  for (const check of checks) for (const requirement of requirementsOf(check, framework)) served(requirement).checks.push(check);
  return [...byRequirement].map(([requirement, found]) => ({ requirement, title: framework.requirements[requirement] ?? "", ...found }));
}

function requirementsOf({ tags }: { readonly tags: readonly string[] }, { tag }: Framework): string[] {
  return [...new Set(tags.filter((each) => each.toLowerCase().startsWith(`${tag}:`)).map((each) => each.slice(tag.length + 1).trim()).filter(Boolean))];
}

function allPacks(): string[] {
  return globSync("*/manifest.yaml", { cwd: contentFolder() }).map((file) => `pack:${dirname(file)}`).sort();
}
