import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Change, changesBetween } from "../control/rules/changes.ts";
import { FileNames } from "../control/rules/file-names.ts";
import type { Rule } from "../rule/rule.ts";
import { SqlDriver } from "../store/driver.ts";
import { RuleStore, type StoredRule } from "../store/rules.ts";
import { loadGoodRules } from "./load-rules.ts";
import { UsageError } from "./problems.ts";
import { jsonLine, plural, safe, styled } from "./text.ts";

export interface StoredRulesOptions {
  readonly data: string;
  readonly out?: string;
  readonly json?: boolean;
}

const VALUE_CHARS = 100;

/** `vespid rules export`: rules that were made through the API, a file each, or a line each. */
export function rulesExport({ data, out }: StoredRulesOptions): number {
  const rules = storedRules(data).map(({ id, document }) => ({ id, ...document }));
  if (out === undefined) for (const rule of rules) process.stdout.write(jsonLine(rule));
  else {
    const names = new FileNames("json");
    mkdirSync(out, { recursive: true });
    for (const rule of rules) writeFileSync(join(out, names.of(nameOf(rule))), `${JSON.stringify(rule, null, 2)}\n`);
  }
  process.stderr.write(`${plural(rules.length, "rule")}${out === undefined ? "" : ` in ${safe(out)}`}\n`);
  return 0;
}

interface Difference {
  readonly rule: string;
  readonly name: string;
  readonly what: "only in files" | "only stored" | "changed";
  /** From the stored rule to the file's. */
  readonly changes?: readonly Change[];
}

/** `vespid rules diff`: what files say otherwise than the rules that were made through the API. Exit code 1 where they do. */
export async function rulesDiff(paths: readonly string[], { data, json }: StoredRulesOptions): Promise<number> {
  const { rules } = await loadGoodRules(paths);
  const differences = differencesOf(storedRules(data), rules);
  for (const difference of differences) process.stdout.write(json ? jsonLine(difference) : differenceText(difference));
  process.stderr.write(differences.length ? `${plural(differences.length, "rule")} differ\n` : "no difference\n");
  return differences.length ? 1 : 0;
}

/** A file's rule is the stored one of its id; where it has none that is stored, the one of its name. */
function differencesOf(stored: readonly StoredRule[], rules: readonly Rule[]): Difference[] {
  const left = new Map(stored.map((each) => [each.id, each]));
  const found = rules.flatMap((rule): Difference[] => {
    const twin = left.get(String(rule.wire.id)) ?? [...left.values()].find(({ document }) => document.name === rule.wire.name);
    if (!twin) return [{ rule: rule.id, name: rule.name, what: "only in files" }];
    left.delete(twin.id);
    const { id: _id, ...document } = rule.wire;
    const changes = changesBetween(twin.document, document);
    return changes.length ? [{ rule: twin.id, name: rule.name, what: "changed", changes }] : [];
  });
  return [...found, ...[...left.values()].map(({ id, document }): Difference => ({ rule: id, name: nameOf(document), what: "only stored" }))];
}

function differenceText({ rule, name, what, changes = [] }: Difference): string {
  const value = (of: unknown): string => safe((JSON.stringify(of) ?? "").slice(0, VALUE_CHARS));
  const lines = changes.flatMap(({ path, before, after }) => [
    ...(before === undefined ? [] : [styled("red", `  - ${safe(path)}: ${value(before)}`)]), ...(after === undefined ? [] : [styled("green", `  + ${safe(path)}: ${value(after)}`)]),
  ]);
  return [`${safe(rule)} ${safe(name)}: ${what}`, ...lines].map((line) => `${line}\n`).join("");
}

function storedRules(data: string): StoredRule[] {
  const path = join(data, "vespid.db");
  if (!existsSync(path)) throw new UsageError(`${safe(data)}: no server keeps its data there`);
  const sql = SqlDriver.openToRead(path);
  try {
    return new RuleStore(sql).list().filter(({ origin }) => origin === "own");
  } catch (error) {
    throw new UsageError(`${safe(data)}: ${(error as Error).message}; start its server once with this version`);
  } finally {
    sql.close();
  }
}

function nameOf({ name }: Readonly<Record<string, unknown>>): string {
  return typeof name === "string" ? name : "";
}
