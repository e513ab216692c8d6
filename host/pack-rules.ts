import { hash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { contentFolder } from "./packs.ts";
import { type Problem, ProblemError } from "./problem.ts";
import { documentValues, readRuleDocument } from "./rule/document.ts";
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
    const text = readFileSync(file, "utf8");
    const read = readRuleDocument(text, file, name.endsWith(".json") ? "json" : "yaml", undefined, builtRuleValues(file, text));
    problems.push(...read.problems.filter(({ level }) => level !== "warning"));
    return read.rules.map((rule) => asPackRule(rule, pack));
  });
  if (problems.length) throw new ProblemError(problems);
  return rules;
}

/** What rule files of packs held when the host was built, by path below the content folder, each with the hash of its text. */
type BuiltRules = Readonly<Record<string, { readonly hash: string; readonly values: readonly unknown[] }>>;

let built: BuiltRules | undefined;

/** What the YAML of a pack's rule file holds, where the file is still what it was when the host was built: reading YAML costs more than a small run. */
export function builtRuleValues(file: string, text: string): readonly unknown[] | undefined {
  if (!built) {
    const kept = fileURLToPath(new URL("../pack-rules.json", import.meta.url));
    built = existsSync(kept) ? (JSON.parse(readFileSync(kept, "utf8")) as BuiltRules) : {};
  }
  const found = built[nameOf(file)];
  return found?.hash === hashOf(text) ? found.values : undefined;
}

/** All of it as text, for `builtRuleValues`; what plain JSON cannot say, and what has a fault, is left out. */
export function builtRulesText(): string {
  const rules: Record<string, BuiltRules[string]> = {};
  for (const name of globSync("*/rules/**/*.{yaml,yml}", { cwd: contentFolder() }).sort()) {
    const file = join(contentFolder(), name);
    const text = readFileSync(file, "utf8");
    const values = documentValues(text, "yaml");
    if (values && isDeepStrictEqual(JSON.parse(JSON.stringify(values)), values)) rules[nameOf(file)] = { hash: hashOf(text), values };
  }
  return JSON.stringify(rules);
}

function nameOf(file: string): string {
  return relative(contentFolder(), resolve(file)).replaceAll(sep, "/");
}

function hashOf(text: string): string {
  return hash("sha256", text);
}
