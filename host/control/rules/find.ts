import { matches } from "../../query/matches.ts";
import { parseQuery } from "../../query/parse.ts";
import { severityNumber } from "../../rule/rule.ts";
import { ruleEvent, ruleNode } from "../../rule/select.ts";
import { problemsError } from "../api-error.ts";
import { type Entry, isDeprecated } from "./catalogue.ts";

const keys = ["name", "creation_date", "update_date", "enabled", "type", "highest_severity", "source"] as const;
type SortKey = (typeof keys)[number];
export const ruleSorts = [...keys, ...keys.map((key) => `-${key}` as const)];

/** Rules that a search text names: words of the name, tags by their keys, and `type:`, `severity:`, `method:`, `enabled:`, `isDefault:` ... */
export function findRules(entries: readonly Entry[], query: string): readonly Entry[] {
  if (query.trim() === "") return entries;
  const parsed = parseQuery(query);
  if (!parsed.ok) throw problemsError(parsed.problems.map((problem) => ({ ...problem, place: "query" })));
  const node = ruleNode(parsed.node);
  return entries.filter((entry) => matches(node, entryEvent(entry)));
}

function entryEvent(entry: Entry): ReturnType<typeof ruleEvent> {
  const event = ruleEvent(entry.rule);
  const { isEnabled } = entry.rule;
  return { ...event, tags: [...event.tags ?? [], `isEnabled:${isEnabled}`, `isDeprecated:${isDeprecated(entry)}`, `origin:${entry.kind}`, `creator:${entry.stored.createdBy.handle}`] };
}

/** Those that are alike stay in the order of their names, then ids. */
export function sortRules(entries: readonly Entry[], sort: string): Entry[] {
  const sign = sort.startsWith("-") ? -1 : 1;
  const keyOf = sortKeys[sort.replace(/^-/, "") as SortKey];
  const keyed = entries.map((entry) => ({ entry, key: keyOf(entry), name: entry.rule.name.toLowerCase() }));
  return keyed.sort((a, b) => sign * compared(a.key, b.key) || compared(a.name, b.name) || compared(a.entry.stored.id, b.entry.stored.id)).map(({ entry }) => entry);
}

const sortKeys: Readonly<Record<SortKey, (entry: Entry) => string | number>> = {
  name: ({ rule }) => rule.name.toLowerCase(),
  creation_date: ({ stored }) => stored.createdMs,
  update_date: ({ stored }) => stored.updatedMs,
  enabled: ({ rule }) => Number(rule.isEnabled),
  type: ({ rule }) => rule.type,
  highest_severity: ({ rule }) => Math.max(-1, ...rule.cases.map(({ severity }) => severityNumber(severity))),
  source: ({ rule }) => rule.tags.find((tag) => tag.startsWith("source:")) ?? "",
};

function compared(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
