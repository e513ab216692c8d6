import { mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { globSync, statSync } from "node:fs";
import { writeAtomically } from "../atomic-file.ts";
import { documentItems } from "../rule/document-items.ts";
import { readRuleWire } from "../rule/wire.ts";
import { type Translated, translateSigma } from "../sigma/translate.ts";
import { UsageError } from "./problems.ts";
import { count, jsonLine, plural, safe, styled, table } from "./text.ts";

export interface ImportOptions {
  readonly out?: string;
  readonly json?: boolean;
}

interface Imported extends Translated {
  readonly file: string;
}

const SHOWN_REASONS = 20;

/** `vespid rules import sigma`: rules of ours from Sigma's, and a report of what did not translate. */
export function importSigma(paths: readonly string[], { out, json }: ImportOptions): number {
  const files = sigmaFiles(paths);
  const found = files.flatMap(importFile);
  const good = found.filter(({ rule }) => rule);
  const taken = new Set<string>();
  if (out !== undefined) {
    mkdirSync(out, { recursive: true });
    for (const { rule, file } of good) writeAtomically(join(out, fileName(file, taken)), Buffer.from(`${JSON.stringify(rule, null, 2)}\n`));
  }
  if (json) for (const { file, id, title, rule, faults, notes } of found) process.stdout.write(jsonLine({ file, id, title, translated: rule !== undefined, faults, notes, ...(out === undefined ? { rule } : {}) }));
  else tell(found, good, out);
  return good.length === found.length ? 0 : 1;
}

function sigmaFiles(paths: readonly string[]): string[] {
  const files = paths.flatMap((path) => {
    const facts = statSync(path, { throwIfNoEntry: false });
    const found = facts?.isDirectory() ? globSync(`${path}/**/*.{yml,yaml}`) : facts ? [path] : globSync(path);
    if (!found.length) throw new UsageError(`${safe(path)}: no Sigma rule (.yml) there`);
    return found.filter((file) => statSync(file).isFile()).sort();
  });
  return [...new Set(files)];
}

function importFile(file: string): Imported[] {
  const { items, problems } = documentItems(readFileSync(file, "utf8"), "yaml", []);
  if (problems.length) return [{ file, id: "", title: basename(file), faults: problems.map(({ message, line }) => `${line === undefined ? "" : `line ${line}: `}${message}`), notes: [] }];
  return items.map(({ value }) => checked({ ...translateSigma(value), file }));
}

/** What came out is read as any rule is: a rule that would be refused later is told now. */
function checked(one: Imported): Imported {
  if (!one.rule) return one;
  const read = readRuleWire(one.rule);
  if (read.ok) return one;
  const { rule: _refused, ...rest } = one;
  return { ...rest, faults: read.problems.filter(({ level }) => level !== "warning").map(({ place, message }) => `${place ?? ""}: ${message}`) };
}

function fileName(file: string, taken: Set<string>): string {
  const name = basename(file).replace(/\.ya?ml$/, "").replaceAll(/[^\w.-]/g, "_").slice(0, 120);
  let free = name;
  for (let i = 2; taken.has(free); i++) free = `${name}-${i}`;
  taken.add(free);
  return `${free}.json`;
}

function tell(found: readonly Imported[], good: readonly Imported[], out: string | undefined): void {
  const lost = found.filter(({ rule }) => !rule);
  const noted = good.filter(({ notes }) => notes.length);
  process.stdout.write(`${plural(good.length, "rule")} of ${count(found.length)} translated${out === undefined ? "; --out DIR keeps them" : ` to ${safe(out)}`}, ${noted.length} of them with a note\n`);
  if (lost.length) {
    const reasons = byReason(lost.map(({ faults }) => faults[0] ?? "unknown"));
    process.stdout.write(`\n${styled("bold", "NOT TRANSLATED")}\n${table(["rules", "why"], reasons.slice(0, SHOWN_REASONS).map(([why, times]) => [String(times), safe(why)]))}\n`);
    for (const { file, title, faults } of lost.slice(0, SHOWN_REASONS)) process.stdout.write(`${safe(file)}: ${safe(title)}: ${faults.map(safe).join("; ")}\n`);
    if (lost.length > SHOWN_REASONS) process.stdout.write(`and ${count(lost.length - SHOWN_REASONS)} more; --json tells all\n`);
  }
  if (noted.length) process.stdout.write(`\n${styled("bold", "NOTES")}\n${table(["rules", "what is different"], byReason(noted.flatMap(({ notes }) => notes)).slice(0, SHOWN_REASONS).map(([why, times]) => [String(times), safe(why)]))}\n`);
}

/** Most frequent first; what is named in it is left out of the reason. */
function byReason(reasons: readonly string[]): Array<[string, number]> {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}
