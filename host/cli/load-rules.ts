import { globSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve, sep } from "node:path";
import { asPackRule, builtRuleValues } from "../pack-rules.ts";
import { contentFolder } from "../packs.ts";
import type { Problem } from "../problem.ts";
import { type RuleDocumentKind, readRuleDocument } from "../rule/document.ts";
import type { Position } from "../rule/line-index.ts";
import type { Rule } from "../rule/rule.ts";
import { signalProblems } from "../rule/signal-source.ts";
import { problemText, UsageError } from "./problems.ts";
import { plural } from "./text.ts";

const kinds: Readonly<Record<string, RuleDocumentKind>> = { ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".yaml": "yaml", ".yml": "yaml" };

export interface LoadedRules {
  readonly rules: readonly Rule[];
  readonly problems: readonly Problem[];
  readonly files: readonly string[];
  /** File a rule stands in. */
  fileOf(rule: Rule): string;
  /** A problem found later, with the file, line and column of its place in the rule. */
  placed(rule: Rule, problem: Problem): Problem;
}

const PACK = "pack:";

/**
 * Rule files that paths, folders and globs name; a folder gives its JSON and YAML files, in the order of their paths, and
 * `pack:linux-auth` those of a pack that comes along.
 */
export function ruleFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (path.startsWith(PACK)) return packRules(path.slice(PACK.length));
    const facts = statSync(path, { throwIfNoEntry: false });
    const found = facts?.isDirectory() ? filesBelow(path) : facts ? [path] : globSync(path).sort().flatMap((match) => (statSync(match).isDirectory() ? filesBelow(match) : [match]));
    if (!found.length) throw new UsageError(`${path}: ${facts ? "no rule file (.json, .jsonl, .yaml) in this folder" : "no such file, folder or match"}`);
    return found;
  });
}

function filesBelow(folder: string): string[] {
  const files = globSync(`${folder}/**/*`).filter((file) => kinds[extname(file)] && statSync(file).isFile()).sort();
  // A content pack has its rules in a folder of their own, beside pipelines and samples.
  const packs = files.filter((file) => basename(file) === "manifest.yaml").map((file) => dirname(file));
  return files.filter((file) => {
    const pack = packs.find((each) => file.startsWith(`${each}${sep}`));
    return pack === undefined || file.startsWith(`${pack}${sep}rules${sep}`);
  });
}

function packRules(name: string): string[] {
  const folder = join(contentFolder(), name, "rules");
  const names = globSync("*/manifest.yaml", { cwd: contentFolder() }).map((file) => dirname(file)).sort();
  if (!names.includes(name)) throw new UsageError(`${PACK}${name} is no pack; use one of ${names.map((each) => PACK + each).join(", ")}`);
  return filesBelow(folder);
}

export function loadRules(paths: readonly string[]): LoadedRules {
  return loadRuleFiles(ruleFiles(paths));
}

/** @param textOf a file's text, where it is not to be read from disk */
export function loadRuleFiles(files: readonly string[], textOf: (file: string) => string = readText): LoadedRules {
  const rules: Rule[] = [];
  const problems: Problem[] = [];
  const homes = new Map<Rule, Home>();
  const byId = new Map<string, Home>();
  const packs = join(contentFolder(), sep);
  for (const file of files) {
    const isPacks = resolve(file).startsWith(packs);
    const text = textOf(file);
    const document = readRuleDocument(text, file, kinds[extname(file)] ?? "yaml", undefined, isPacks ? builtRuleValues(file, text) : undefined);
    problems.push(...document.problems);
    for (const given of document.rules) {
      const home = { file, locate: (place: string) => document.locate(given, place) };
      const read = isPacks ? asPackRule(given, resolve(file).slice(packs.length).split(sep, 1)[0]!) : given;
      const twin = byId.get(read.id);
      if (twin && typeof read.wire.id === "string") {
        problems.push({ code: "rule/duplicate-id", message: `rule id ${read.id} stands in ${twin.file} too`, hint: "give each rule an id of its own", place: "id", file, ...home.locate("id") });
        continue;
      }
      // Named alike without an id of their own: told apart, as within one file.
      const rule = twin ? { ...read, id: freeId(read.id, byId) } : read;
      byId.set(rule.id, home);
      homes.set(rule, home);
      rules.push(rule);
    }
  }
  problems.push(...signalProblems(rules).map(({ rule, problem }) => placed(problem, homes.get(rule))));
  return { rules, problems, files, fileOf: (rule) => homes.get(rule)!.file, placed: (rule, problem) => placed(problem, homes.get(rule)) };
}

interface Home {
  readonly file: string;
  locate(place: string): Position | undefined;
}

function freeId(id: string, taken: ReadonlyMap<string, unknown>): string {
  let number = 2;
  while (taken.has(`${id}-${number}`)) number++;
  return `${id}-${number}`;
}

function placed(problem: Problem, home: Home | undefined): Problem {
  return { ...problem, file: home?.file, ...home?.locate(problem.place ?? "") };
}

export function readText(file: string): string {
  try {
    return readFileSync(file, "utf8").replace(/^\ufeff/, "");
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

/** Problems as people read them, each query with a mark under its fault. */
export async function ruleProblemTexts(problems: readonly Problem[], stream: NodeJS.WriteStream): Promise<string[]> {
  const spanned = problems.some((problem) => problem.at);
  const { QueryTexts } = spanned ? await import("./query-texts.ts") : {};
  const texts = QueryTexts && new QueryTexts();
  return problems.map((problem) => problemText(problem, problem.at && texts?.find(problem), stream));
}

/** The rules, or an end with every error on stderr. Warnings are for `lint`. */
export async function loadGoodRules(paths: readonly string[]): Promise<LoadedRules> {
  const loaded = loadRules(paths);
  await endOnErrors(loaded.problems, "in the rules; nothing was run");
  if (!loaded.rules.length) throw new UsageError(`no rule in ${paths.join(", ")}`);
  return loaded;
}

/** Ends the command when one problem is an error, with all of them. */
export async function endOnErrors(problems: readonly Problem[], what: string): Promise<void> {
  const errors = problems.filter((problem) => problem.level !== "warning");
  if (errors.length) throw new UsageError(`${(await ruleProblemTexts(errors, process.stderr)).join("\n")}\n${plural(errors.length, "error")} ${what}`);
}
