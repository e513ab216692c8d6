import { describe, expect, test } from "vitest";
import { ProblemError } from "../../host/problem.ts";
import { readRule, readRuleWire } from "../../host/rule/wire.ts";
import { type Wire, faults, options, problemsOf, rule } from "./support.ts";

const query = (changes: Wire = {}): Wire => ({ query: "source:auth", groupByFields: ["@usr.id"], ...changes });
const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const correlation = (query: Wire, changes: Wire = {}): Wire => rule({
  type: "signal_correlation", queries: [{ name: "a", ruleId: "x", aggregation: "event_count", correlatedByFields: ["@usr.id"], ...query }],
  cases: [{ status: "low", condition: "a > 0" }], ...changes,
});

describe("a rule as it is read", () => {
  test("[DE-07] [DE-54] queries, cases and options come out in our words", () => {
    const read = readRule(rule({ id: "abc", version: 3, tags: ["source:auth"] }));
    expect(read).toMatchObject({
      id: "abc", version: 3, name: "Failed logins", isEnabled: true, type: "log_detection", tags: ["source:auth"], groupSignalsBy: [], filters: [],
      options: { detectionMethod: "threshold", evaluationWindowMs: 300_000, keepAliveMs: 3_600_000, maxSignalDurationMs: 86_400_000, method: { kind: "threshold" } },
    });
    expect(read.queries.map((each) => [each.label, each.aggregation, each.groupByNames, each.groupBy])).toEqual([
      ["failed", "count", ["@usr.id"], [{ kind: "attribute", path: ["usr", "id"] }]],
      ["passed", "count", ["@usr.id"], [{ kind: "attribute", path: ["usr", "id"] }]],
    ]);
    expect(read.cases).toMatchObject([{ name: "burst", severity: "medium", conditionText: "failed > 5 && passed > 0" }]);
  });

  test("[DE-08] unnamed queries are a, b, c by position", () => {
    const read = readRule(rule({ queries: [query(), query({ name: "" }), query({ name: "third" }), query({ name: null })], cases: [{ status: "low", condition: "a > 0 && b > 0 && third > 0 && d > 0" }] }));
    expect(read.queries.map((each) => each.label)).toEqual(["a", "b", "third", "d"]);
  });

  test("absent durations: window 0, keep alive 0, a day at most", () => {
    const read = readRule(rule({ options: {} }));
    expect(read.options).toMatchObject({ detectionMethod: "threshold", evaluationWindowMs: 0, keepAliveMs: 0, maxSignalDurationMs: 86_400_000 });
  });

  test("a rule without an id has one made of its name, which edits leave alone", () => {
    const id = readRule(rule()).id;
    expect(id).toMatch(/^failed-logins-[0-9a-f]{11}$/);
    expect(readRule(rule({ message: "other", queries: [query()], cases: [{ status: "low" }] })).id).toBe(id);
    expect(readRule(rule({ name: "失敗" })).id).toMatch(/^rule-[0-9a-f]{11}$/);
    expect(readRule(rule({ name: "Failed logins!" })).id).not.toBe(id);
  });

  test("[RU-02] [RU-03] [RU-04] [RU-05] a default rule's own name, message, severity and added query", () => {
    const read = readRule(rule({
      isDefault: true, customName: "Ours", customMessage: "Call us",
      queries: [query({ customQueryExtension: "-@usr.id:svc" })], cases: [{ status: "low", customStatus: "critical" }],
    }));
    expect([read.name, read.message, read.cases[0]!.severity, read.isDefault]).toEqual(["Ours", "Call us", "critical", true]);
    expect(read.queries[0]!.text).toBe("source:auth");
    expect(read.queries[0]!.node).toMatchObject({ kind: "and", nodes: [{ kind: "leaf" }, { kind: "not" }] });
  });

  test("an extension of a base with OR holds for both sides", () => {
    const { node } = readRule(rule({ queries: [query({ query: "a OR b", customQueryExtension: "c OR d" })], cases: [{ status: "low" }] })).queries[0]!;
    expect(node).toMatchObject({ kind: "and", nodes: [{ kind: "or" }, { kind: "or" }] });
  });

  test("the older `metric` is a list of one", () => {
    const read = readRule(rule({ queries: [query({ aggregation: "sum", metric: "@bytes" })], cases: [{ status: "low" }] }));
    expect(read.queries[0]!.metrics).toEqual([{ kind: "attribute", path: ["bytes"] }]);
  });

  test("[DE-57] signal correlation: rules, fields, and no query text", () => {
    const read = readRule(correlation({ correlatedQueryIndex: 1 }));
    expect(read.queries[0]).toMatchObject({ aggregation: "event_count", correlation: { ruleId: "x", correlatedBy: [{ kind: "attribute", path: ["usr", "id"] }], queryIndex: 1 }, dataSource: "security_signals" });
  });

  test.each(["log_detection", "workload_security", "application_security", "api_security", "workload_activity", "cloud_configuration", "infrastructure_configuration"])("type %s is accepted", (type) => {
    expect(readRule(rule({ type })).type).toBe(type);
  });

  test("null is the same as absent", () => {
    expect(faults(rule({ filters: null, groupSignalsBy: null, referenceTables: null, schedulingOptions: null, calculatedFields: null, tags: null, customName: null, tests: null, thirdPartyCases: null, id: null }))).toEqual([]);
    expect(faults(rule({ queries: [query({ metrics: null, metric: null, distinctFields: null, customQueryExtension: null, dataSource: null, aggregation: null })], cases: [{ status: "low", customStatus: null, notifications: null, actions: null, condition: null }] }))).toEqual([]);
  });

  test("[RU-19] what a server adds to its answers is no unknown member", () => {
    expect(faults(rule({ createdAt: 1, creationAuthorId: 2, updatedAt: 3, updateAuthorId: 4, isDeleted: false, isDeprecated: true, deprecationDate: 5, blocking: false, isPartner: false, isBeta: false, metadata: {}, creator: {}, updater: {}, defaultTags: [] }))).toEqual([]);
  });
});

describe("faults of the whole", () => {
  test.each<[string, unknown, string[]]>([
    ["not an object", 5, ["rule/wrong-type"]],
    ["a list", [], ["rule/wrong-type"]],
    ["no name", rule({ name: undefined }), ["rule/missing-field name"]],
    ["a blank name", rule({ name: "  " }), ["rule/missing-field name"]],
    ["a number for a name", rule({ name: 5 }), ["rule/wrong-type name"]],
    ["no message", rule({ message: undefined }), ["rule/missing-field message"]],
    ["no isEnabled", rule({ isEnabled: undefined }), ["rule/missing-field isEnabled"]],
    ["isEnabled in quotes", rule({ isEnabled: "true" }), ["rule/wrong-type isEnabled"]],
    ["no options", rule({ options: undefined }), ["rule/missing-field options"]],
    ["options that are a list", rule({ options: [] }), ["rule/wrong-type options"]],
    ["an unknown type", rule({ type: "log_detektion" }), ["rule/unknown-value type"]],
    ["tags in one text", rule({ tags: "a:b" }), ["rule/wrong-type tags"]],
    ["a tag that is a number", rule({ tags: ["a:b", 5] }), ["rule/wrong-type tags[1]"]],
    ["an unknown member", rule({ querys: [] }), ["rule/unknown-field querys"]],
    ["a version of 0", rule({ version: 0 }), ["rule/out-of-range version"]],
    ["half a version", rule({ version: 1.5 }), ["rule/out-of-range version"]],
    ["a group of signals that is no group", rule({ groupSignalsBy: ["@usr.id", "host"] }), ["rule/unknown-group groupSignalsBy[1]"]],
    ["a filter without an action", rule({ filters: [{ query: "a" }] }), ["rule/missing-field filters[0].action"]],
    ["a filter of another action", rule({ filters: [{ query: "a", action: "drop" }] }), ["rule/unknown-value filters[0].action"]],
    ["a filter without a query", rule({ filters: [{ action: "require" }] }), ["rule/missing-field filters[0].query"]],
    ["a filter that does not parse", rule({ filters: [{ action: "suppress", query: "a AND" }] }), ["query/missing-operand filters[0].query"]],
    ["a join without its table", rule({ referenceTables: [{ columnName: "ip", logFieldPath: "@ip" }] }), ["rule/missing-field referenceTables[0].tableName"]],
    ["a join of a query that is not there", rule({ referenceTables: [{ tableName: "t", columnName: "ip", logFieldPath: "@ip", ruleQueryName: "z" }] }), ["rule/unknown-label referenceTables[0].ruleQueryName"]],
    ["calculated fields without a schedule", rule({ calculatedFields: [{ name: "x", expression: "@a" }] }), ["rule/misplaced-field calculatedFields"]],
    ["correlation by another method", correlation({}, { options: { ...options, detectionMethod: "hardcoded", hardcodedEvaluatorType: "log4shell" } }), ["rule/bad-method options.detectionMethod"]],
  ])("%s", (_name, wire, expected) => expect(faults(wire)).toEqual(expect.arrayContaining(expected)));

  test("a missing action is never guessed, and nothing else is wrong", () => {
    expect(faults(rule({ filters: [{ query: "a" }] }))).toEqual(["rule/missing-field filters[0].action"]);
  });

  test("warnings do not refuse", () => {
    const read = readRuleWire(rule({ colour: "red", queries: [query({ groupByField: ["x"] })], cases: [{ status: "low", severity: "low" }] }));
    expect(read.ok).toBe(true);
    expect(read.problems.map(({ level, place, hint }) => [level, place, hint])).toEqual([
      ["warning", "colour", "it is kept but has no effect"],
      ["warning", "queries[0].groupByField", "did you mean groupByFields? as it stands it has no effect"],
      ["warning", "cases[0].severity", "it is kept but has no effect"],
    ]);
  });

  test("readRule throws them all", () => {
    expect(() => readRule({})).toThrow(ProblemError);
    try {
      readRule({});
    } catch (error) {
      expect((error as ProblemError).problems.map((problem) => problem.place)).toEqual(["name", "message", "queries", "options", "isEnabled", "cases"]);
    }
  });
});

describe("faults of queries", () => {
  const withQuery = (changes: Wire, conditions: Wire = {}): Wire => rule({ queries: [query(changes)], cases: [{ status: "low" }], ...conditions });

  test.each<[string, Wire, string[]]>([
    ["a blank query", withQuery({ query: " " }), ["rule/empty-query queries[0].query"]],
    ["no query text", withQuery({ query: undefined }), ["rule/empty-query queries[0].query"]],
    ["a query that is a number", withQuery({ query: 7 }), ["rule/wrong-type queries[0].query"]],
    ["a query that does not parse", withQuery({ query: "source:(a OR" }), ["query/missing-operand queries[0].query"]],
    ["an extension that does not parse", withQuery({ customQueryExtension: '"' }), ["query/unclosed-quote queries[0].customQueryExtension"]],
    ["[DE-03] cardinality of nothing", withQuery({ aggregation: "cardinality" }), ["rule/missing-distinct queries[0].distinctFields"]],
    ["the sum of nothing", withQuery({ aggregation: "sum" }), ["rule/missing-metric queries[0].metrics"]],
    ["the maximum of nothing", withQuery({ aggregation: "max", metrics: [] }), ["rule/missing-metric queries[0].metrics"]],
    ["an unknown aggregation", withQuery({ aggregation: "avg" }), ["rule/unknown-value queries[0].aggregation"]],
    ["an aggregation of another method", withQuery({ aggregation: "new_value", metrics: ["@a"] }), ["rule/bad-aggregation queries[0].aggregation"]],
    ["none with distinct fields", withQuery({ aggregation: "none", distinctFields: ["@a"] }), ["rule/bad-aggregation queries[0].aggregation", "rule/bad-metric queries[0].distinctFields"]],
    ["event_count with metrics", correlation({ metrics: ["@a"] }), ["rule/bad-metric queries[0].metrics"]],
    ["an unknown data source", withQuery({ dataSource: "log" }), ["rule/unknown-value queries[0].dataSource"]],
    ["a deprecated data source", withQuery({ dataSource: "app_sec_spans" }), ["rule/deprecated queries[0].dataSource"]],
    ["[DE-08] a label in capitals", withQuery({ name: "Failed" }), ["rule/bad-label queries[0].name"]],
    ["a label that begins with a digit", withQuery({ name: "1st" }), ["rule/bad-label queries[0].name"]],
    ["a label with a dash", withQuery({ name: "a-b" }), ["rule/bad-label queries[0].name"]],
    ["then as a label", withQuery({ name: "then" }), ["rule/bad-label queries[0].name"]],
    ["group-by in one text", withQuery({ groupByFields: "@usr.id" }), ["rule/wrong-type queries[0].groupByFields"]],
    ["[DE-05] group-by an empty name", withQuery({ groupByFields: ["@usr.id", ""] }), ["rule/bad-field queries[0].groupByFields[1]"]],
    ["group-by an @ alone", withQuery({ groupByFields: ["@"] }), ["rule/bad-field queries[0].groupByFields[0]"]],
    ["group-by a path with a hole", withQuery({ groupByFields: ["@a..b"] }), ["rule/bad-field queries[0].groupByFields[0]"]],
    ["the same group-by twice", withQuery({ groupByFields: ["host", "host"] }), ["rule/duplicate-field queries[0].groupByFields[1]"]],
    ["a flag in quotes", withQuery({ hasOptionalGroupByFields: "no" }), ["rule/wrong-type queries[0].hasOptionalGroupByFields"]],
    ["indexes of a live rule", withQuery({ indexes: ["main"] }), ["rule/unused-field queries[0].indexes"]],
    ["a query that is a text", rule({ queries: ["source:auth"], cases: [{ status: "low" }] }), ["rule/wrong-type queries[0]"]],
    ["no queries", rule({ queries: undefined }), ["rule/missing-field queries"]],
    ["an empty list of queries", rule({ queries: [] }), ["rule/too-few queries"]],
    ["queries that are an object", rule({ queries: {} }), ["rule/wrong-type queries"]],
    ["[DE-07] eleven queries", rule({ queries: many(11, () => query()), cases: [{ status: "low" }] }), ["rule/too-many queries"]],
    ["[DE-08] the same label twice", rule({ queries: [query({ name: "x" }), query({ name: "x" })], cases: [{ status: "low" }] }), ["rule/duplicate-label queries[1].name"]],
    ["a label that is a position", rule({ queries: [query({ name: "b" }), query()], cases: [{ status: "low" }] }), ["rule/duplicate-label queries[1].name"]],
    ["[DE-09] joins of unequal length", rule({ queries: [query(), query({ groupByFields: ["host", "service"] })], cases: [{ status: "low" }] }), ["rule/bad-join queries[1].groupByFields"]],
    ["correlation without a rule", correlation({ ruleId: undefined }), ["rule/missing-field queries[0].ruleId"]],
    ["correlation by four fields", correlation({ correlatedByFields: ["a", "b", "c", "d"] }), ["rule/too-many queries[0].correlatedByFields"]],
    ["correlation that counts otherwise", correlation({ aggregation: "count" }), ["rule/bad-aggregation queries[0].aggregation"]],
  ])("%s", (_name, wire, expected) => expect(faults(wire)).toEqual(expected));

  test("[DE-09] a query without group-by joins with every group", () => {
    expect(faults(rule({ queries: [query(), query({ groupByFields: [] })], cases: [{ status: "low" }] }))).toEqual([]);
  });

  test("ten queries are accepted", () => {
    expect(faults(rule({ queries: many(10, () => query()), cases: [{ status: "low" }] }))).toEqual([]);
  });

  test("the query's own fault keeps its span", () => {
    expect(problemsOf(withQuery({ query: 'source:auth @usr.id:"admin' }))).toMatchObject([{ code: "query/unclosed-quote", place: "queries[0].query", at: { start: 20, end: 26 } }]);
  });
});

describe("faults of cases", () => {
  const withCase = (changes: Wire): Wire => rule({ cases: [{ status: "low", ...changes }] });

  test.each<[string, Wire, string[]]>([
    ["[DE-48] no status", withCase({ status: undefined }), ["rule/missing-field cases[0].status"]],
    ["[DE-48] a status in capitals", withCase({ status: "HIGH" }), ["rule/unknown-value cases[0].status"]],
    ["a custom status that is none", withCase({ customStatus: "grave" }), ["rule/unknown-value cases[0].customStatus"]],
    ["[DE-44] a number before the operator", withCase({ condition: "3 < failed" }), ["rule/number-before-operator cases[0].condition"]],
    ["an empty condition", withCase({ condition: "" }), ["rule/empty-condition cases[0].condition"]],
    ["a condition that is a number", withCase({ condition: 3 }), ["rule/wrong-type cases[0].condition"]],
    ["an unknown label", withCase({ condition: "faild > 3" }), ["rule/unknown-label cases[0].condition"]],
    ["[DE-49] notifications in one text", withCase({ notifications: "@slack-sec" }), ["rule/wrong-type cases[0].notifications"]],
    ["an action of no type", withCase({ actions: [{}] }), ["rule/missing-field cases[0].actions[0].type"]],
    ["an unknown action", withCase({ actions: [{ type: "ban_ip" }] }), ["rule/unknown-value cases[0].actions[0].type"]],
    ["no cases", rule({ cases: undefined }), ["rule/missing-field cases"]],
    ["an empty list of cases", rule({ cases: [] }), ["rule/too-few cases"]],
    ["eleven cases", rule({ cases: many(11, () => ({ status: "low", condition: "failed > 1" })) }), ["rule/too-many cases"]],
    ["a case that is a text", rule({ cases: ["low"] }), ["rule/wrong-type cases[0]"]],
    ["[DE-47] THEN beside another case", rule({ cases: [{ status: "low", condition: "failed > 0 THEN passed > 0" }, { status: "low", condition: "failed > 3" }] }), ["rule/then-needs-one-case cases[0].condition"]],
    ["[DE-47] THEN in the second case", rule({ cases: [{ status: "low", condition: "failed > 3" }, { status: "low", condition: "failed > 0 THEN passed > 0" }] }), ["rule/then-needs-one-case cases[1].condition"]],
  ])("%s", (_name, wire, expected) => expect(faults(wire)).toEqual(expected));

  test.each(["info", "low", "medium", "high", "critical"])("[DE-48] severity %s", (status) => expect(readRule(withCase({ status })).cases[0]!.severity).toBe(status));

  test("[DE-46] THEN in the only case", () => expect(readRule(withCase({ condition: "failed > 0 THEN passed > 0" })).cases[0]!.condition!.then).toBeDefined());

  test("[DE-41] cases keep their order, and one without a condition is always true", () => {
    const read = readRule(rule({ cases: [{ name: "x", status: "low", condition: "failed > 1" }, { name: "y", status: "high" }] }));
    expect(read.cases.map((each) => [each.name, each.condition === undefined])).toEqual([["x", false], ["y", true]]);
  });

  test("actions are kept, never carried out", () => {
    expect(faults(withCase({ actions: [{ type: "block_ip", options: { duration: 900 } }] }))).toEqual([]);
  });

  test("hints name what was likely meant", () => {
    expect(problemsOf(withCase({ status: "HIGH" }))[0]!.hint).toMatch(/^did you mean high\?/);
    expect(problemsOf(withCase({ condition: "faild > 3" }))[0]!.hint).toMatch(/^did you mean failed\?/);
    expect(problemsOf(rule({ type: "log_detektion" }))[0]!.hint).toMatch(/^did you mean log_detection\?/);
  });
});

describe("hostile payloads", () => {
  test.each<[string, unknown]>([
    ["members named like those of every object", JSON.parse('{"__proto__": {"name": "x"}, "constructor": 5, "toString": [], "hasOwnProperty": null}')],
    ["a deep value", JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`)],
    ["deep values in every member", rule({ name: JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`), tags: [JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`)] })],
    ["thousands of unknown members", rule(Object.fromEntries(many(5000, (i) => [`member${i}`, i])))],
    ["thousands of queries", rule({ queries: many(5000, () => query()) })],
    ["thousands of cases", rule({ cases: many(5000, () => ({ status: "low", condition: "failed > 1" })) })],
    ["lone surrogates", rule({ name: "\ud800", queries: [query({ query: "\udfff", name: "\ud800" })] })],
  ])("%s", (_name, wire) => {
    const problems = problemsOf(wire);
    expect(problems.length).toBeLessThan(300);
  });
});
