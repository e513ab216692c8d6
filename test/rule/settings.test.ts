import { describe, expect, test } from "vitest";
import { ProblemError } from "../../host/problem.ts";
import { readCriticalAssets, readCriticalAssetsWire } from "../../host/rule/critical-asset.ts";
import { effectiveQuery } from "../../host/rule/guards.ts";
import { checkReferenceTables, readReferenceTables } from "../../host/rule/reference-table.ts";
import { readSecurityFilters, readSecurityFiltersWire } from "../../host/rule/security-filter.ts";
import { readCriticalAssetDocument, readReferenceTableDocument, readSecurityFilterDocument, readSuppressionDocument } from "../../host/rule/settings-document.ts";
import { readSuppressions, readSuppressionsWire, suppressorOf } from "../../host/rule/suppression.ts";
import { ruleEvent, ruleSelector } from "../../host/rule/select.ts";
import { readRule } from "../../host/rule/wire.ts";
import { matches } from "../../host/query/matches.ts";
import type { LogEvent } from "../../host/event/event.ts";
import { type Wire, rule } from "./support.ts";

const login = readRule(rule({ id: "abc-def-ghi", tags: ["source:auth", "source:okta", "team:blue", "security:attack"], isDefault: true }));
const places = (problems: ReadonlyArray<{ code: string; place?: string }>): string[] => problems.map((problem) => `${problem.code} ${problem.place}`);

describe("which rules a query names", () => {
  test.each([
    ["*", true], ["", true], ["type:log_detection", true], ["type:signal_correlation", false], ["rule_type:log_detection", true],
    ["source:auth", true], ["source:okta", true], ["source:okt*", true], ["source:cloudtrail", false], ["-source:auth", false], ["-source:aws", true],
    ["team:blue", true], ["team:red", false], ["id:abc-def-ghi", true], ["ruleId:abc-def-ghi", true], ["rule_id:abc-def-ghi", true], ["id:abc", false],
    ['name:"Failed logins"', true], ["name:Failed*", true], ["name:Failed", false], ["failed", true], ["logins", true], ["cloudtrail", false],
    ["type:log_detection source:auth -team:red", true], ["source:(auth OR cloudtrail)", true], ["severity:medium", true], ["severity:high", false],
    ["isDefault:true", true], ["enabled:false", false], ["tags:team\\:blue", true], ["@a:b", false],
  ])("[SU-07] %s: %s", (query, expected) => {
    const selector = ruleSelector(query);
    expect(selector.ok && selector.selects(login)).toBe(expected);
  });

  test("one that does not parse says why", () => expect(ruleSelector("type:(")).toMatchObject({ ok: false, problems: [{ code: expect.stringMatching(/^query\//) as string }] }));
});

describe("suppressions", () => {
  const base: Wire = { name: "s", enabled: true, rule_query: "source:auth", suppression_query: "@usr.id:john" };
  const signal: LogEvent = { tags: ["env:prod"], attributes: { usr: { id: ["ann", "john"] } } };
  const stops = (changes: Wire, timeMs = 1000, event = signal): boolean => suppressorOf(readSuppressions([{ ...base, ...changes }]), ruleEvent(login), event, timeMs) !== undefined;

  test.each<[string, Wire, number, boolean]>([
    ["any value of several", {}, 1000, true],
    ["another value", { suppression_query: "@usr.id:bob" }, 1000, false],
    ["a wildcard", { suppression_query: "@usr.id:jo*" }, 1000, true],
    ["another rule", { rule_query: "source:aws" }, 1000, false],
    ["disabled", { enabled: false }, 1000, false],
    ["before its start", { start_date: 1_700_000_000_000 }, 1_699_999_999_999, false],
    ["at its start", { start_date: 1_700_000_000_000 }, 1_700_000_000_000, true],
    ["just before its end", { expiration_date: 1_700_000_000_000 }, 1_699_999_999_999, true],
    ["at its end", { expiration_date: 1_700_000_000_000 }, 1_700_000_000_000, false],
    ["an end as text", { expiration_date: "2023-11-14T22:13:20Z" }, 1_700_000_000_000, false],
    ["a date alone is UTC", { start_date: "2023-11-15" }, Date.UTC(2023, 10, 15) - 1, false],
    ["events, not signals", { suppression_query: "", data_exclusion_query: "@usr.id:john" }, 1000, false],
  ])("[SU-01] [SU-04] %s", (_name, changes, timeMs, expected) => expect(stops(changes, timeMs)).toBe(expected));

  test.each<[string, Wire, string[]]>([
    ["no rule query", { ...base, rule_query: undefined }, ["rule/missing-field suppressions[0].rule_query"]],
    ["a blank rule query", { ...base, rule_query: "" }, ["rule/empty-query suppressions[0].rule_query"]],
    ["a rule query that does not parse", { ...base, rule_query: "a AND" }, ["query/missing-operand suppressions[0].rule_query"]],
    ["nothing to stop", { ...base, suppression_query: undefined }, ["rule/missing-field suppressions[0].suppression_query"]],
    ["a query that does not parse", { ...base, data_exclusion_query: '"' }, ["query/unclosed-quote suppressions[0].data_exclusion_query"]],
    ["a date that is none", { ...base, start_date: "tomorrow" }, ["rule/bad-date suppressions[0].start_date"]],
    ["an end before its start", { ...base, start_date: 1_700_000_000_000, expiration_date: 1_600_000_000_000 }, ["rule/bad-date suppressions[0].expiration_date"]],
    ["a flag in quotes", { ...base, enabled: "yes" }, ["rule/wrong-type suppressions[0].enabled"]],
    ["a misspelt member", { ...base, suppresion_query: "x" }, ["rule/unknown-field suppressions[0].suppresion_query"]],
    ["inside an API object", { data: { type: "suppressions", attributes: { ...base, rule_query: "" } } }, ["rule/empty-query suppressions[0].data.attributes.rule_query"]],
  ])("%s", (_name, wire, expected) => expect(places(readSuppressionsWire([wire]).problems)).toEqual(expected));

  test("a wrapping is taken off, and errors are thrown together", () => {
    expect(readSuppressions([{ data: { attributes: base } }, { id: "x", attributes: base }])).toHaveLength(2);
    expect(() => readSuppressions([5, { ...base, rule_query: "" }])).toThrow(ProblemError);
  });
});

describe("an event on its way to a rule", () => {
  const none = { suppressions: [], referenceTables: {} };
  const passes = (event: LogEvent, guards: Partial<Parameters<typeof effectiveQuery>[2]>, changes: Wire = {}): boolean => {
    const read = readRule(rule({ tags: ["source:auth"], queries: [{ name: "a", query: "source:auth" }], cases: [{ status: "low" }], ...changes }));
    return matches(effectiveQuery(read, read.queries[0]!, { ...none, ...guards }), event);
  };
  const event: LogEvent = { source: "auth", timestamp: 1_700_000_000_000, tags: ["env:staging"], attributes: { usr: { id: "john" }, ip: "10.0.0.1", n: 7 } };

  test("its own query alone", () => {
    expect(passes(event, {})).toBe(true);
    expect(passes({ source: "other" }, {})).toBe(false);
  });

  test("[RU-03] the extension of the query", () => expect(passes(event, {}, { queries: [{ name: "a", query: "source:auth", customQueryExtension: "-@usr.id:john" }] })).toBe(false));

  test.each<[string, Wire[], boolean]>([
    ["require", [{ action: "require", query: "@usr.id:john" }], true],
    ["require another", [{ action: "require", query: "@usr.id:ann" }], false],
    ["suppress", [{ action: "suppress", query: "@usr.id:john" }], false],
    ["suppress another", [{ action: "suppress", query: "@usr.id:ann" }], true],
    ["both", [{ action: "require", query: "@usr.id:john" }, { action: "suppress", query: "env:staging" }], false],
  ])("[SU-03] legacy filters: %s", (_name, filters, expected) => expect(passes(event, {}, { filters })).toBe(expected));

  const filter = (query: string, exclusions: readonly string[] = [], enabled = true): Wire => ({ name: "f", query, is_enabled: enabled, filtered_data_type: "logs", exclusion_filters: exclusions.map((each) => ({ name: "x", query: each })) });
  test.each<[string, Wire[], boolean]>([
    ["everything", [filter("*")], true],
    ["everything but", [filter("*", ["env:staging"])], false],
    ["disabled", [filter("*", [], false)], false],
    ["one of several", [filter("source:aws"), filter("source:auth")], true],
    ["excluded by one, taken by another", [filter("source:auth", ["env:staging"]), filter("env:staging")], true],
    ["none at all", [], false],
  ])("security filters: %s", (_name, filters, expected) => expect(passes(event, { securityFilters: readSecurityFilters(filters) })).toBe(expected));

  const excluding = (changes: Wire = {}) => ({ suppressions: readSuppressions([{ name: "x", enabled: true, rule_query: "*", data_exclusion_query: "@usr.id:john", ...changes }]) });
  test.each<[string, Wire, boolean]>([
    ["in force", {}, false],
    ["of another event", { data_exclusion_query: "@usr.id:ann" }, true],
    ["of another rule", { rule_query: "source:aws" }, true],
    ["disabled", { enabled: false }, true],
    ["not begun", { start_date: 1_700_000_000_001 }, true],
    ["just begun", { start_date: 1_700_000_000_000 }, false],
    ["just over", { expiration_date: 1_700_000_000_000 }, true],
    ["not yet over", { expiration_date: 1_700_000_000_001 }, false],
  ])("[SU-02] data exclusion %s", (_name, changes, expected) => expect(passes(event, excluding(changes))).toBe(expected));

  const tables = readReferenceTables({ bad: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2" }], numbers: [{ n: 7 }], envs: [{ e: "staging" }], empty: [] });
  const join = (tableName: string, columnName: string, logFieldPath: string, checkPresence = true): Wire => ({ tableName, columnName, logFieldPath, checkPresence, ruleQueryName: "a" });
  test.each<[string, Wire[], boolean]>([
    ["IN, with @", [join("bad", "ip", "@ip")], true],
    ["IN, without @", [join("bad", "ip", "ip")], true],
    ["NOT IN", [join("bad", "ip", "ip", false)], false],
    ["IN another column", [join("bad", "other", "ip")], false],
    ["NOT IN another column", [join("bad", "other", "ip", false)], true],
    ["IN by a number", [join("numbers", "n", "@n")], true],
    ["IN by a tag, where no attribute has the name", [join("envs", "e", "env")], true],
    ["IN by a missing field", [join("bad", "ip", "@gone")], false],
    ["NOT IN by a missing field", [join("bad", "ip", "@gone", false)], true],
    ["IN an empty table", [join("empty", "ip", "@ip")], false],
    ["IN no table", [join("gone", "ip", "@ip")], false],
    ["several are ANDed", [join("bad", "ip", "@ip"), join("bad", "ip", "@ip", false)], false],
  ])("[DE-38] reference tables: %s", (_name, referenceTables, expected) => expect(passes(event, { referenceTables: tables }, { referenceTables })).toBe(expected));

  test("[DE-38] a join narrows only the query it names", () => {
    const read = readRule(rule({ queries: [{ name: "a", query: "*" }, { name: "b", query: "*" }], cases: [{ status: "low" }], referenceTables: [{ ...join("bad", "ip", "@gone"), ruleQueryName: "b" }] }));
    expect(read.queries.map((query) => matches(effectiveQuery(read, query, { ...none, referenceTables: tables }), event))).toEqual([true, false]);
  });

  test("[DE-40] a table of more than 40,000 rows cannot filter", () => {
    const large = { bad: Array.from({ length: 40_001 }, (_, i) => ({ ip: `10.0.${i >> 8}.${i & 255}` })) };
    const read = readRule(rule({ queries: [{ name: "a", query: "*" }], cases: [{ status: "low" }], referenceTables: [join("bad", "ip", "@ip")] }));
    expect(() => effectiveQuery(read, read.queries[0]!, { ...none, referenceTables: large })).toThrow(/40001 rows/);
    expect(checkReferenceTables([read], large)).toMatchObject([{ code: "rule/table-too-large", hint: expect.stringContaining("40000") as string }]);
    expect(() => effectiveQuery(read, read.queries[0]!, { ...none, referenceTables: { bad: large.bad.slice(1) } })).not.toThrow();
  });

  test("tables and columns that are not there are told", () => {
    const read = readRule(rule({ referenceTables: [{ ...join("gone", "ip", "@ip"), ruleQueryName: "failed" }, { ...join("bad", "addr", "@ip"), ruleQueryName: "failed" }, { ...join("constructor", "x", "@ip"), ruleQueryName: "failed" }] }));
    expect(places(checkReferenceTables([read], tables))).toEqual(["rule/unknown-table referenceTables[0].tableName", "rule/unknown-column referenceTables[1].columnName", "rule/unknown-table referenceTables[2].tableName"]);
  });
});

describe("faults of filters, assets and tables", () => {
  test.each<[string, Wire, string[]]>([
    ["no query", { is_enabled: true }, ["rule/missing-field security_filters[0].query"]],
    ["an exclusion without a query", { query: "*", exclusion_filters: [{ name: "x" }] }, ["rule/missing-field security_filters[0].exclusion_filters[0].query"]],
    ["another type of data", { query: "*", filtered_data_type: "spans" }, ["rule/unknown-value security_filters[0].filtered_data_type"]],
  ])("security filter: %s", (_name, wire, expected) => expect(places(readSecurityFiltersWire([wire]).problems)).toEqual(expected));

  test.each<[string, Wire, string[]]>([
    ["no severity", { query: "*", rule_query: "*" }, ["rule/missing-field critical_assets[0].severity"]],
    ["another severity", { query: "*", rule_query: "*", severity: "higher" }, ["rule/unknown-value critical_assets[0].severity"]],
    ["no queries", { severity: "increase" }, ["rule/missing-field critical_assets[0].rule_query", "rule/missing-field critical_assets[0].query"]],
  ])("critical asset: %s", (_name, wire, expected) => expect(places(readCriticalAssetsWire([wire]).problems)).toEqual(expected));

  test("disabled assets are left out", () => {
    const asset = { query: "host:db", rule_query: "*", severity: "increase" };
    expect(readCriticalAssets([asset, { ...asset, enabled: false }])).toHaveLength(1);
  });

  test("tables are objects of lists of objects", () => {
    expect(() => readReferenceTables([])).toThrow(ProblemError);
    expect(() => readReferenceTables({ t: [5] })).toThrow(ProblemError);
    expect(() => readReferenceTables({ t: {} })).toThrow(ProblemError);
    expect(readReferenceTables({ t: null })).toEqual({ t: [] });
  });
});

describe("settings in files", () => {
  const good = { name: "s", rule_query: "*", suppression_query: "a" };
  test.each<[string, string, "json" | "jsonl" | "yaml", number]>([
    ["a list", JSON.stringify([good, good]), "json", 2],
    ["one", JSON.stringify(good), "json", 1],
    ["under its name", JSON.stringify({ suppressions: [good, good] }), "json", 2],
    ["an API answer", JSON.stringify({ data: [{ id: "x", type: "suppressions", attributes: good }] }), "json", 1],
    ["an API request", JSON.stringify({ data: { type: "suppressions", attributes: good } }), "json", 1],
    ["YAML", "- name: s\n  rule_query: '*'\n  suppression_query: a\n", "yaml", 1],
    ["one a line", `${JSON.stringify(good)}\n${JSON.stringify(good)}\n`, "jsonl", 2],
  ])("[SU-07] suppressions as %s", (_name, text, kind, count) => {
    const { values, problems } = readSuppressionDocument(text, "f", kind);
    expect([values.length, problems]).toEqual([count, []]);
  });

  test("faults have their place in the file", () => {
    const text = JSON.stringify([good, { ...good, rule_query: "a AND" }], null, 2);
    const [problem] = readSuppressionDocument(text, "s.json", "json").problems;
    expect(text.split("\n")[problem!.line! - 1]!.slice(problem!.column! - 1)).toMatch(/^"a AND"/);
    expect(problem).toMatchObject({ file: "s.json", place: "rule_query", code: "query/missing-operand" });
    expect(readSuppressionDocument("[", "s.json", "json").problems).toMatchObject([{ code: "rule/not-json", file: "s.json" }]);
    expect(readSecurityFilterDocument("- query: 5\n", "f.yaml", "yaml").problems).toMatchObject([{ line: 1, column: 10, code: "rule/wrong-type" }]);
    expect(readCriticalAssetDocument("critical_assets:\n  - query: '*'\n    rule_query: '*'\n    severity: up\n", "f.yaml", "yaml").problems).toMatchObject([{ line: 4, column: 15 }]);
  });

  test("reference tables", () => {
    expect(readReferenceTableDocument("bad:\n  - ip: 10.0.0.1\n---\ngood:\n  - ip: 10.0.0.2\n", "t.yaml", "yaml")).toEqual({ tables: { bad: [{ ip: "10.0.0.1" }], good: [{ ip: "10.0.0.2" }] }, problems: [] });
    expect(readReferenceTableDocument('{"bad": [{"ip": "x"}, 5]}', "t.json", "json").problems).toMatchObject([{ line: 1, column: 23, place: "bad[1]" }]);
  });
});
