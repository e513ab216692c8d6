import type { Problem } from "../problem.ts";
import { type DocumentItem, type DocumentKind, documentItems } from "./document-items.ts";
import { isMembers } from "./reader.ts";
import type { Rule } from "./rule.ts";
import { readRuleWire } from "./wire.ts";

export type RuleDocumentKind = DocumentKind;

export interface RuleDocument {
  /** Those without an error. */
  readonly rules: readonly Rule[];
  /** Errors and warnings, each with file, line and column. */
  readonly problems: readonly Problem[];
}

/** Rules of one file's text: one rule, a list of rules, `{rules: [...]}`, one a line, or several YAML documents. */
export function readRuleDocument(text: string, file: string, kind: RuleDocumentKind): RuleDocument {
  const { items, problems } = documentItems(text, kind, ["rules", "data"]);
  const rules: Rule[] = [];
  const found: Problem[] = problems.map((problem) => ({ ...problem, file }));
  const ids = new Map<string, number>();
  for (const item of items) {
    const { value, prefix } = ruleIn(item.value);
    const read = readRuleWire(value);
    for (const problem of read.problems) found.push(placed(problem, item, prefix, file));
    if (!read.ok) continue;
    const times = ids.get(read.rule.id) ?? 0;
    ids.set(read.rule.id, times + 1);
    if (times === 0) rules.push(read.rule);
    else if (isMembers(value) && value.id === read.rule.id) {
      found.push(placed({ code: "rule/duplicate-id", place: "id", message: `another rule of this file has the id ${read.rule.id} too`, hint: "give each rule an id of its own" }, item, prefix, file));
    } else rules.push({ ...read.rule, id: `${read.rule.id}-${times + 1}` });
  }
  return { rules, problems: found };
}

/** A scenario line holds its rule as a member, and an API answer under `data` or `attributes`. */
function ruleIn(value: unknown): { readonly value: unknown; readonly prefix: string } {
  if (!isMembers(value) || value.queries !== undefined || !isMembers(value.rule)) return { value, prefix: "" };
  const rule = value.rule;
  return { value: rule.id === undefined && typeof value.id === "string" ? { ...rule, id: value.id } : rule, prefix: "rule" };
}

function placed(problem: Problem, item: DocumentItem, prefix: string, file: string): Problem {
  const inner = problem.place ?? "";
  const place = prefix === "" || inner === "" ? `${prefix}${inner}` : `${prefix}.${inner}`;
  return { ...problem, place, file, ...item.locate(place) };
}
