import { beforeAll, describe, expect, test } from "vitest";
import { type Signal, createEngine, readSuppressions } from "../../host/index.ts";
import { printQuery } from "../../host/query/print.ts";
import { columnsResolved, withColumns } from "../../host/rule/table-columns.ts";
import { readRule, readRuleWire } from "../../host/rule/wire.ts";
import { bytesOf } from "../detect/scenarios.ts";
import { Generator } from "../match/generate.ts";
import { evaluate } from "../reference/evaluate.ts";
import { loadKernel, variants } from "../support/wasm.ts";

beforeAll(() => variants.forEach((variant) => void loadKernel(variant)));

type Wire = Record<string, any>;
const startMs = Date.UTC(2026, 2, 1, 10);
const tables = { employees: [
  { login: "ann", dept: "finance", level: 7, leaver: false }, { login: "bob", dept: "it", level: 3, leaver: true }, { login: "cid", dept: "Finance", level: "12" }, { login: "dee", level: 9 },
  { login: "dee", dept: "finance", level: 1 }, { login: 404, dept: "robots", level: 0 }, { login: null, dept: "ghosts" },
] };
const join = { tableName: "employees", columnName: "login", logFieldPath: "@usr.id", columns: ["dept", "level", "leaver"], ruleQueryName: "a" };
const rule = (query: string, more: Wire = {}): Wire => ({
  id: "by-dept", name: "By department", message: "{{@usr.id}} of {{@reference_tables.employees.dept}}", isEnabled: true, type: "log_detection", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 600, maxSignalDuration: 3600 },
  queries: [{ name: "a", query, aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "high", condition: "a > 0" }], referenceTables: [join], ...more,
});
const users: readonly unknown[] = ["ann", "bob", "cid", "dee", 404, "eve", null, ["bob", "ann"], "Ann"];
const log = (id: unknown, i = 0): Wire => ({ timestamp: startMs + i * 1000, source: "sso", message: "in", attributes: { usr: { id }, reference_tables: { employees: { dept: "finance" } } } });

async function play(payload: Wire, logs: readonly Wire[], variant: (typeof variants)[number], more: Partial<Parameters<typeof createEngine>[0]> = {}): Promise<readonly Signal[]> {
  const engine = await createEngine({ rules: [payload], referenceTables: tables, variant, ...more });
  await engine.push(bytesOf(logs), { format: "log", arrivalMs: startMs });
  await engine.close();
  return engine.finalSignals();
}

const asked: ReadonlyArray<readonly [query: string, users: readonly string[]]> = [
  ["@reference_tables.employees.dept:finance", ["ann", "dee"]],
  ["source:sso -@reference_tables.employees.dept:finance", ["404", "bob", "cid"]],
  ["@reference_tables.employees.dept:(it OR robots)", ["404", "bob"]],
  ["@reference_tables.employees.dept:?inance", ["ann", "cid", "dee"]],
  ["@reference_tables.employees.level:>6", ["ann", "cid", "dee"]],
  ["@reference_tables.employees.level:[0 TO 3] source:sso", ["404", "bob", "dee"]],
  ["@reference_tables.employees.leaver:true", ["bob"]],
  ["@reference_tables.employees.leaver:*", ["ann", "bob"]],
  ["-@reference_tables.employees.dept:*", []],
  ["source:other @reference_tables.employees.dept:finance", []],
];

describe.each(variants)("columns of reference tables, %s", (variant) => {
  test.each(asked)("[DE-39] %s", async (query, expected) => {
    const logs = users.filter((user) => !Array.isArray(user)).map(log);
    expect((await play(rule(query), logs, variant)).map(({ group }) => group["@usr.id"]).toSorted()).toEqual(expected);
  });

  test("[DE-39] are in the signal: its message, what it is suppressed by, and whom it is for", async () => {
    const logs = [log("ann"), log("cid", 1), log("dee", 2)];
    expect((await play(rule("@reference_tables.employees.dept:*"), logs, variant)).map(({ message }) => message)).toEqual(["ann of finance", "cid of Finance", "dee of finance"]);
    const suppressions = readSuppressions([{ id: "s", name: "s", enabled: true, rule_query: "*", suppression_query: "@reference_tables.employees.level:>=12" }]);
    expect((await play(rule("source:sso"), logs, variant, { suppressions })).map(({ group }) => group["@usr.id"])).toEqual(["ann", "dee"]);
    // What is not in the table is not the rule's business; with checkPresence false nothing else is.
    expect(await play(rule("source:sso"), [log("eve")], variant)).toEqual([]);
    expect((await play(rule("source:sso", { referenceTables: [{ ...join, checkPresence: false, columns: [] }] }), [log("eve"), log("ann", 1)], variant)).map(({ group }) => group["@usr.id"])).toEqual(["eve"]);
  });
});

describe("a query over columns", () => {
  test("[DE-39] asks of the event the same as of the event with its columns, whatever is asked", () => {
    const random = new Generator(39);
    const leaves = ["dept:finance", "dept:f*", "dept:\"it\"", "level:>5", "level:[1 TO 9]", "leaver:false", "leaver:*", "level:7"].map((each) => `@reference_tables.employees.${each}`).concat("@usr.id:ann", "source:sso");
    const made = (depth: number): string => {
      const kind = depth ? random.below(5) : 4;
      if (kind === 0) return `(${made(depth - 1)} ${made(depth - 1)})`;
      if (kind === 1) return `(${made(depth - 1)} OR ${made(depth - 1)})`;
      if (kind === 2) return `-(${made(depth - 1)})`;
      return leaves[random.below(leaves.length)]!;
    };
    for (let i = 0; i < 500; i++) {
      const read = readRule(rule(made(3)));
      const plain = columnsResolved(read, read.queries[0]!, tables);
      const enriched = withColumns(read, tables)!;
      expect(printQuery(plain)).not.toContain("@reference_tables");
      for (const user of users) expect(evaluate(plain, log(user)), `${read.queries[0]!.text} of ${JSON.stringify(user)}`).toBe(evaluate(read.queries[0]!.node, enriched(log(user))));
    }
  });

  test.each<[string, Wire, string]>([
    ["a column that the join does not give", rule("@reference_tables.employees.manager:eve"), "rule/unknown-column queries[0].query"],
    ["a table without a column", rule("@reference_tables.employees:*"), "rule/unknown-column queries[0].query"],
    ["a table that is not joined", rule("@reference_tables.hosts.owner:x", { referenceTables: [] }), "rule/unknown-column queries[0].query"],
    ["a column of another query's join", rule("source:a", { queries: [{ name: "a", query: "source:a" }, { name: "b", query: "@reference_tables.employees.dept:x" }] }), "rule/unknown-column queries[1].query"],
    ["a group", rule("source:a", { queries: [{ name: "a", query: "source:a", groupByFields: ["@reference_tables.employees.dept"] }] }), "rule/column-counted queries[0].groupByFields[0]"],
    ["columns in one text", rule("source:a", { referenceTables: [{ ...join, columns: "dept" }] }), "rule/wrong-type referenceTables[0].columns"],
  ])("%s is refused", (_name, payload, expected) => {
    const read = readRuleWire(payload);
    expect(read.problems.filter(({ level }) => level !== "warning").map(({ code, place }) => `${code} ${place}`)).toContain(expected);
  });
});
