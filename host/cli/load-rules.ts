import { globSync, readFileSync, statSync } from "node:fs";
import { extname } from "node:path";
import type { Problem } from "../problem.ts";
import type { RuleDocumentKind } from "../rule/document.ts";
import type { Rule } from "../rule/rule.ts";
import { readRuleWire } from "../rule/wire.ts";
import { problemText, UsageError } from "./problems.ts";

const kinds: Readonly<Record<string, RuleDocumentKind>> = { ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".yaml": "yaml", ".yml": "yaml" };

export interface LoadedRules {
  readonly rules: readonly Rule[];
  readonly problems: readonly Problem[];
  readonly files: readonly string[];
}

/** Rule files that paths, folders and globs name. */
export function ruleFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    const found = stat?.isDirectory() ? globSync(`${path}/**/*`).filter((file) => kinds[extname(file)]).sort() : stat ? [path] : globSync(path).sort();
    if (!found.length) throw new UsageError(`no rule file matches ${path}`);
    return found;
  });
}

export async function loadRules(paths: readonly string[]): Promise<LoadedRules> {
  const rules: Rule[] = [];
  const problems: Problem[] = [];
  const files = ruleFiles(paths);
  const ids = new Map<string, string>();
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    const read = quickJson(text, file) ?? (await import("../rule/document.ts")).readRuleDocument(text, file, kinds[extname(file)] ?? "yaml");
    for (const rule of read.rules) {
      const known = ids.get(rule.id);
      if (known !== undefined) problems.push({ code: "rule/duplicate-id", message: `rule id ${rule.id} stands in ${known} too`, hint: "give each rule an id of its own", file, line: 1, column: 1 });
      ids.set(rule.id, file);
    }
    rules.push(...read.rules);
    problems.push(...read.problems);
  }
  return { rules, problems, files };
}

/** Well-formed JSON without a single problem needs no line numbers, and so no YAML reader. */
function quickJson(text: string, file: string): { rules: Rule[]; problems: Problem[] } | undefined {
  if (extname(file) !== ".json") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value)) return undefined;
    const read = value.map(readRuleWire);
    return read.every((each) => each.ok && !each.problems.length) ? { rules: read.flatMap((each) => (each.ok ? [each.rule] : [])), problems: [] } : undefined;
  } catch {
    return undefined;
  }
}

/** The rules, or an end with every problem on stderr. */
export async function loadGoodRules(paths: readonly string[]): Promise<readonly Rule[]> {
  const { rules, problems } = await loadRules(paths);
  const errors = problems.filter((problem) => problem.level !== "warning");
  if (errors.length) {
    throw new UsageError(`${errors.map((problem) => problemText(problem)).join("\n")}\n${errors.length} problem${errors.length === 1 ? "" : "s"} in the rules; nothing was run`);
  }
  if (!rules.length) throw new UsageError(`no rule in ${paths.join(", ")}`);
  return rules;
}
