import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { contentFolder } from "./packs.ts";
import { type Problem, ProblemError } from "./problem.ts";
import { readRuleDocument } from "./rule/document.ts";
import type { Rule } from "./rule/rule.ts";

/** What a pack brings along its users may change, and not rewrite. */
export function asPackRule(rule: Rule, pack: string): Rule {
  return { ...rule, isDefault: true, pack, wire: { ...rule.wire, isDefault: true } };
}

/** Rules of a pack that comes along, in the order of their files. Throws a `ProblemError` with every error in them. */
export function readPackRules(pack: string): readonly Rule[] {
  const folder = join(contentFolder(), pack, "rules");
  const problems: Problem[] = [];
  const rules = globSync("**/*.{yaml,yml,json}", { cwd: folder }).sort().flatMap((name) => {
    const file = join(folder, name);
    const read = readRuleDocument(readFileSync(file, "utf8"), file, name.endsWith(".json") ? "json" : "yaml");
    problems.push(...read.problems.filter(({ level }) => level !== "warning"));
    return read.rules.map((rule) => asPackRule(rule, pack));
  });
  if (problems.length) throw new ProblemError(problems);
  return rules;
}
