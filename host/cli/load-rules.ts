import { globSync, readFileSync, statSync } from "node:fs";
import { extname } from "node:path";
import type { Problem } from "../problem.ts";
import type { RuleDocumentKind } from "../rule/document.ts";
import type { Rule } from "../rule/rule.ts";
import { readRuleWire } from "../rule/wire.ts";
import { problemText, UsageError } from "./problems.ts";
import { plural } from "./text.ts";

const kinds: Readonly<Record<string, RuleDocumentKind>> = { ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".yaml": "yaml", ".yml": "yaml" };

export interface LoadedRules {
  readonly rules: readonly Rule[];
  readonly problems: readonly Problem[];
  readonly files: readonly string[];
  /** File each rule stands in. */
  readonly fileOf: ReadonlyMap<Rule, string>;
}

/** Rule files that paths, folders and globs name; a folder gives its JSON and YAML files, in the order of their paths. */
export function ruleFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const facts = statSync(path, { throwIfNoEntry: false });
    const found = facts?.isDirectory() ? filesBelow(path) : facts ? [path] : globSync(path).sort().flatMap((match) => (statSync(match).isDirectory() ? filesBelow(match) : [match]));
    if (!found.length) throw new UsageError(`${path}: ${facts ? "no rule file (.json, .jsonl, .yaml) in this folder" : "no such file, folder or match"}`);
    return found;
  });
}

function filesBelow(folder: string): string[] {
  return globSync(`${folder}/**/*`).filter((file) => kinds[extname(file)] && statSync(file).isFile()).sort();
}

export async function loadRules(paths: readonly string[]): Promise<LoadedRules> {
  return await loadRuleFiles(ruleFiles(paths));
}

export async function loadRuleFiles(files: readonly string[]): Promise<LoadedRules> {
  const rules: Rule[] = [];
  const problems: Problem[] = [];
  const fileOf = new Map<Rule, string>();
  const fileOfId = new Map<string, string>();
  for (const file of files) {
    const text = readText(file);
    const read = quickJson(text, file) ?? (await import("../rule/document.ts")).readRuleDocument(text, file, kinds[extname(file)] ?? "yaml");
    for (const rule of read.rules) {
      const known = fileOfId.get(rule.id);
      if (known !== undefined) problems.push({ code: "rule/duplicate-id", message: `rule id ${rule.id} stands in ${known} too`, hint: "give each rule an id of its own", file, line: 1, column: 1 });
      fileOfId.set(rule.id, file);
      fileOf.set(rule, file);
    }
    rules.push(...read.rules);
    problems.push(...read.problems);
  }
  return { rules, problems, files, fileOf };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8").replace(/^\ufeff/, "");
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

/** Well-formed JSON without a single problem needs no line numbers, and so no YAML reader. */
function quickJson(text: string, file: string): { rules: Rule[]; problems: Problem[] } | undefined {
  if (extname(file) !== ".json") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const read = value.map(readRuleWire);
  return read.every((each) => each.ok && !each.problems.length) ? { rules: read.flatMap((each) => (each.ok ? [each.rule] : [])), problems: [] } : undefined;
}

/** Problems as people read them, each query with a mark under its fault. */
export async function ruleProblemTexts(problems: readonly Problem[], stream: NodeJS.WriteStream): Promise<string[]> {
  const spanned = problems.some((problem) => problem.at);
  const { QueryTexts } = spanned ? await import("./query-texts.ts") : {};
  const texts = QueryTexts && new QueryTexts();
  return problems.map((problem) => problemText(problem, problem.at && texts?.find(problem), stream));
}

/** The rules, or an end with every error on stderr. Warnings are for `lint`. */
export async function loadGoodRules(paths: readonly string[]): Promise<readonly Rule[]> {
  const { rules, problems } = await loadRules(paths);
  const errors = problems.filter((problem) => problem.level !== "warning");
  if (errors.length) throw new UsageError(`${(await ruleProblemTexts(errors, process.stderr)).join("\n")}\n${plural(errors.length, "error")} in the rules; nothing was run`);
  if (!rules.length) throw new UsageError(`no rule in ${paths.join(", ")}`);
  return rules;
}
