import type { Problem } from "../problem.ts";
import { type DocumentItem, type DocumentKind, documentItems } from "./document-items.ts";
import type { Position } from "./line-index.ts";
import { isMembers } from "./reader.ts";
import type { Rule } from "./rule.ts";
import { readRuleWire } from "./wire.ts";

export type RuleDocumentKind = DocumentKind;

export interface RuleDocument {
  /** Those without an error. */
  readonly rules: readonly Rule[];
  /** Errors and warnings, each with file, line and column, as they stand in the file. */
  readonly problems: readonly Problem[];
  /** Where a place of a rule stands in the file, for what is found later. */
  readonly locate: (rule: Rule, place: string) => Position | undefined;
}

const LISTS = ["rules", "data"];

/** What a text without a fault holds, as plain JSON can say it; undefined of any other. For `known` of the same text. */
export function documentValues(text: string, kind: RuleDocumentKind): readonly unknown[] | undefined {
  const { items, problems } = documentItems(text, kind, LISTS);
  return problems.length ? undefined : items.map(({ value }) => value);
}

/** The text is read again where somebody asks for a place in it. */
function knownItems(values: readonly unknown[], text: string, kind: RuleDocumentKind): DocumentItem[] {
  let read: readonly DocumentItem[] | undefined;
  return values.map((value, i) => ({ value, locate: (place) => (read ??= documentItems(text, kind, LISTS).items)[i]!.locate(place) }));
}

/**
 * Rules of one file's text: one rule, a list of rules, `{rules: [...]}`, one a line, or several YAML documents. Of more than `most` none is read.
 *
 * @param known what `documentValues` said of the text, where somebody has kept it
 */
export function readRuleDocument(text: string, file: string, kind: RuleDocumentKind, most = Number.POSITIVE_INFINITY, known?: readonly unknown[]): RuleDocument {
  const { items: given, problems: told } = known ? { items: knownItems(known, text, kind), problems: [] } : documentItems(text, kind, LISTS);
  const isTooMany = given.length > most;
  const items = isTooMany ? [] : given;
  const problems = isTooMany ? [{ code: "rule/too-many", message: `there are ${given.length} rules in it`, hint: `keep to ${most} at a time` }] : told;
  const rules: Rule[] = [];
  const found: Problem[] = problems.map((problem) => ({ ...problem, file }));
  const ids = new Map<string, number>();
  const itemOf = new Map<Rule, { readonly item: DocumentItem; readonly prefix: string }>();
  const keep = (rule: Rule, item: DocumentItem, prefix: string): void => {
    rules.push(rule);
    itemOf.set(rule, { item, prefix });
  };
  for (const item of items) {
    const { value, prefix } = ruleIn(item.value);
    const read = readRuleWire(value);
    for (const problem of read.problems) found.push(placed(problem, item, prefix, file));
    if (!read.ok) continue;
    const times = ids.get(read.rule.id) ?? 0;
    ids.set(read.rule.id, times + 1);
    if (times === 0) keep(read.rule, item, prefix);
    else if (isMembers(value) && value.id === read.rule.id) {
      found.push(placed({ code: "rule/duplicate-id", place: "id", message: `another rule of this file has the id ${read.rule.id} too`, hint: "give each rule an id of its own" }, item, prefix, file));
    } else keep({ ...read.rule, id: `${read.rule.id}-${times + 1}` }, item, prefix);
  }
  return {
    rules,
    problems: found.sort(inOrder),
    locate(rule, place) {
      const known = itemOf.get(rule);
      return known?.item.locate(inside(known.prefix, place));
    },
  };
}

function inside(prefix: string, place: string): string {
  return prefix === "" || place === "" ? `${prefix}${place}` : `${prefix}.${place}`;
}

/** As they stand in the file. */
function inOrder(a: Problem, b: Problem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** A scenario line holds its rule as a member, and an API answer under `data` or `attributes`. */
function ruleIn(value: unknown): { readonly value: unknown; readonly prefix: string } {
  if (!isMembers(value) || value.queries !== undefined || !isMembers(value.rule)) return { value, prefix: "" };
  const rule = value.rule;
  return { value: rule.id === undefined && typeof value.id === "string" ? { ...rule, id: value.id } : rule, prefix: "rule" };
}

function placed(problem: Problem, item: DocumentItem, prefix: string, file: string): Problem {
  const place = inside(prefix, problem.place ?? "");
  return { ...problem, place, file, ...item.locate(place) };
}
