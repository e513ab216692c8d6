import { isDeepStrictEqual } from "node:util";
import type { Problem } from "../../problem.ts";
import { type Members, isMembers } from "../../rule/reader.ts";
import type { RuleDocument } from "../../store/rules.ts";

/**
 * What its users have changed of a rule that a pack brings along (platform spec 7.3). Queries are known by their labels and cases by
 * their names, so that the changes outlive an upgrade of the pack.
 */
export interface Overrides {
  readonly isEnabled?: boolean;
  readonly customName?: string;
  readonly customMessage?: string;
  /** Those that were added. */
  readonly tags?: readonly string[];
  readonly queries?: Readonly<Record<string, { readonly customQueryExtension: string }>>;
  readonly cases?: Readonly<Record<string, { readonly customStatus?: unknown; readonly notifications?: unknown }>>;
  readonly options?: { readonly decreaseCriticalityBasedOnEnv: boolean };
}

/** Whether they are as they were is looked at member by member; what may differ is handled beside them. */
const own: ReadonlySet<string> = new Set(["isEnabled", "name", "customName", "message", "customMessage", "tags", "queries", "cases", "thirdPartyCases", "options"]);

/** The rule with what was changed of it. */
export function withOverrides(base: RuleDocument, overrides: Overrides): RuleDocument {
  const { isEnabled, customName, customMessage, tags = [], queries = {}, cases = {}, options } = overrides;
  const casesName = caseMember(base);
  return {
    ...base,
    ...(isEnabled === undefined ? {} : { isEnabled }), ...(customName === undefined ? {} : { customName }), ...(customMessage === undefined ? {} : { customMessage }),
    ...(tags.length ? { tags: [...new Set([...textsOf(base.tags), ...tags])] } : {}),
    ...(Object.keys(queries).length ? { queries: listOf(base.queries).map((query, i) => ({ ...query, ...at(queries, queryKey(query, i)) })) } : {}),
    ...(Object.keys(cases).length ? { [casesName]: listOf(base[casesName]).map((each, i, all) => ({ ...each, ...at(cases, caseKey(each, i, all)) })) } : {}),
    ...(options ? { options: { ...(isMembers(base.options) ? base.options : {}), ...options } } : {}),
  };
}

/**
 * Overrides as a change makes them of those there are.
 *
 * @param before what a reader of the rule was told, changes included, with defaults filled in
 * @param refused is told every field that only the pack may change
 */
export function changedOverrides(base: RuleDocument, overrides: Overrides, change: RuleDocument, before: RuleDocument, refused: (field: string) => void): Overrides {
  const next: { -readonly [K in keyof Overrides]: Overrides[K] } = { ...overrides };
  for (const name of Object.keys(change)) if (!own.has(name) && !isSame(change[name], before[name])) refused(name);
  if (typeof change.isEnabled === "boolean" && change.isEnabled !== before.isEnabled) next.isEnabled = change.isEnabled;
  next.customName = textOf(change, "name", "customName", base, before, overrides.customName);
  next.customMessage = textOf(change, "message", "customMessage", base, before, overrides.customMessage);
  if (Array.isArray(change.tags)) next.tags = change.tags.filter((tag): tag is string => typeof tag === "string" && !textsOf(base.tags).includes(tag));
  if (change.queries !== undefined && change.queries !== null) next.queries = changedQueries(change.queries, base, overrides, before, refused);
  const casesName = caseMember(base);
  // A vendor's cases are told a second time as cases; whoever sends both changes the vendor's.
  const given = change[casesName] ?? (casesName === "thirdPartyCases" ? change.cases : undefined);
  if (given !== undefined && given !== null) next.cases = changedCases(given, change[casesName] === undefined ? "cases" : casesName, base, overrides, before, refused);
  if (casesName === "cases" && !isSame(change.thirdPartyCases, before.thirdPartyCases)) refused("thirdPartyCases");
  if (change.options !== undefined && change.options !== null) next.options = changedOptions(change.options, base, overrides, before, refused);
  return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined));
}

/** A name or message of its user's own; the pack's again where that, or nothing, is asked for. */
function textOf(change: RuleDocument, plain: "name" | "message", custom: "customName" | "customMessage", base: RuleDocument, before: RuleDocument, known: string | undefined): string | undefined {
  const asked = change[custom] !== undefined && !isSame(change[custom], before[custom]) ? change[custom] : change[plain] !== undefined && change[plain] !== before[plain] ? change[plain] : undefined;
  if (asked === undefined) return known;
  return typeof asked === "string" && asked.trim() !== "" && asked !== base[plain] ? asked : undefined;
}

function changedQueries(given: unknown, base: RuleDocument, { queries = {} }: Overrides, before: RuleDocument, refused: (field: string) => void): Overrides["queries"] {
  const told = listOf(before.queries);
  if (!Array.isArray(given) || given.length !== told.length) {
    refused("queries");
    return queries;
  }
  const next: Record<string, { customQueryExtension: string }> = {};
  const bases = listOf(base.queries);
  given.forEach((query: unknown, i) => {
    const members = isMembers(query) ? query : {};
    tellDifferent(members, told[i]!, ["customQueryExtension"], `queries[${i}]`, refused);
    const text = members.customQueryExtension;
    if (typeof text === "string" && text.trim() !== "" && bases[i]) next[queryKey(bases[i], i)] = { customQueryExtension: text };
  });
  return Object.keys(next).length ? next : undefined;
}

function changedCases(given: unknown, name: string, base: RuleDocument, { cases = {} }: Overrides, before: RuleDocument, refused: (field: string) => void): Overrides["cases"] {
  const told = listOf(before[name]);
  const bases = listOf(base[caseMember(base)]);
  if (!Array.isArray(given) || given.length !== told.length || bases.length !== told.length) {
    refused(name);
    return cases;
  }
  const next: Record<string, { customStatus?: unknown; notifications?: unknown }> = {};
  given.forEach((each: unknown, i) => {
    const members = isMembers(each) ? each : {};
    tellDifferent(members, told[i]!, ["status", "customStatus", "notifications"], `${name}[${i}]`, refused);
    const base = bases[i]!;
    // A status that is not the pack's is one's own, whichever member says it.
    const status = members.status !== undefined && members.status !== base.status ? members.status : members.customStatus;
    const kept = {
      ...(status === undefined || status === null || status === base.status ? {} : { customStatus: status }),
      ...(Array.isArray(members.notifications) && !isSame(members.notifications, base.notifications) ? { notifications: members.notifications as unknown } : {}),
    };
    if (Object.keys(kept).length) next[caseKey(base, i, bases)] = kept;
  });
  return Object.keys(next).length ? next : undefined;
}

function changedOptions(given: unknown, base: RuleDocument, { options }: Overrides, before: RuleDocument, refused: (field: string) => void): Overrides["options"] {
  if (!isMembers(given)) {
    refused("options");
    return options;
  }
  tellDifferent(given, isMembers(before.options) ? before.options : {}, ["decreaseCriticalityBasedOnEnv"], "options", refused);
  const flag = given.decreaseCriticalityBasedOnEnv;
  if (typeof flag !== "boolean") return options;
  const isBase = flag === (isMembers(base.options) ? (base.options.decreaseCriticalityBasedOnEnv ?? false) : false);
  return isBase ? undefined : { decreaseCriticalityBasedOnEnv: flag };
}

function tellDifferent(given: Members, told: Members, free: readonly string[], place: string, refused: (field: string) => void): void {
  for (const name of Object.keys(given)) if (!free.includes(name) && !isSame(given[name], told[name])) refused(`${place}.${name}`);
}

/** What is left out says nothing else than what is empty. */
function isSame(a: unknown, b: unknown): boolean {
  const plain = (value: unknown): unknown => (value === undefined || value === null || value === "" || value === false || (Array.isArray(value) && !value.length) ? undefined : value);
  return a === undefined || isDeepStrictEqual(plain(a), plain(b));
}

function caseMember(base: RuleDocument): "cases" | "thirdPartyCases" {
  return listOf(base.thirdPartyCases).length ? "thirdPartyCases" : "cases";
}

function queryKey(query: Members, index: number): string {
  return typeof query.name === "string" && query.name !== "" ? `name:${query.name}` : `#${index}`;
}

function caseKey(each: Members, index: number, all: readonly Members[]): string {
  const { name } = each;
  return typeof name === "string" && name !== "" && all.filter((other) => other.name === name).length === 1 ? `name:${name}` : `#${index}`;
}

function at<T>(members: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

function listOf(value: unknown): readonly Members[] {
  return Array.isArray(value) ? value.filter(isMembers) : [];
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

/** A refusal that lists what only the pack may change. */
export function refusedFields(fields: readonly string[]): Problem[] {
  return fields.map((field) => ({ code: "rule-api/default-rule", place: field, message: "only the pack changes this of a default rule", hint: "change name, message, severities, notifications or isEnabled, add tags, extend queries by customQueryExtension; or clone the rule" }));
}
