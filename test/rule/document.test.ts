import { describe, expect, test } from "vitest";
import type { Problem } from "../../host/problem.ts";
import { readRuleDocument } from "../../host/rule/document.ts";
import { jsonFault } from "../../host/rule/json-fault.ts";
import { rule } from "./support.ts";

const at = (problem: Problem): string => `${problem.line}:${problem.column} ${problem.code} ${problem.place ?? ""}`.trimEnd();
const good = rule({ id: "one" });
const second = rule({ id: "two" });

const tenYaml = `# ten faults, ten lines
name: Ten faults
message: 5
isEnabled: "yes"
type: log_detektion
tags: security
groupSignalsBy: ["@host"]
options:
  evaluationWindow: 301
  keepAlive: 7200
  maxSignalDuration: 3600
queries:
  - name: a
    query: 'source:auth @usr.id:"admin'
    groupByFields: ["@usr.id"]
  - name: A
    query: ""
cases:
  - status: grave
    condition: a > 3
    actions: [{}]
  - name: second
    status: low
    condition: 3 < a
`;

const tenExpected = [
  "3:10 rule/wrong-type message",
  "4:12 rule/wrong-type isEnabled",
  "5:7 rule/unknown-value type",
  "6:7 rule/wrong-type tags",
  "7:18 rule/unknown-group groupSignalsBy[0]",
  "9:21 rule/bad-duration options.evaluationWindow",
  "11:22 rule/duration-order options.maxSignalDuration",
  "14:12 query/unclosed-quote queries[0].query",
  "16:11 rule/bad-label queries[1].name",
  "17:12 rule/empty-query queries[1].query",
  "19:13 rule/unknown-value cases[0].status",
  "21:15 rule/missing-field cases[0].actions[0].type",
  "24:16 rule/number-before-operator cases[1].condition",
];

describe("a file with ten different faults and some more", () => {
  test("[RU-24] YAML: all at once, each with line, column, code and hint", () => {
    const { rules, problems } = readRuleDocument(tenYaml, "ten.yaml", "yaml");
    expect(rules).toEqual([]);
    expect(problems.map(at)).toEqual(tenExpected);
    expect(problems.every((problem) => problem.file === "ten.yaml" && problem.hint)).toBe(true);
    expect(new Set(problems.map((problem) => problem.code)).size).toBeGreaterThanOrEqual(10);
  });

  test("[RU-24] JSON: the same, where JSON has them", () => {
    const json = `{
  "name": "Ten faults",
  "message": 5,
  "isEnabled": "yes",
  "type": "log_detektion",
  "tags": "security",
  "groupSignalsBy": ["@host"],
  "options": {
    "evaluationWindow": 301,
    "keepAlive": 7200,
    "maxSignalDuration": 3600
  },
  "queries": [
    { "name": "a", "query": "source:auth @usr.id:\\"admin", "groupByFields": ["@usr.id"] },
    { "name": "A", "query": "" }
  ],
  "cases": [
    { "status": "grave", "condition": "a > 3" },
    { "name": "second", "status": "low", "condition": "3 < a" }
  ]
}`;
    const { problems } = readRuleDocument(json, "ten.json", "json");
    expect(problems.map(at)).toEqual([
      "3:14 rule/wrong-type message", "4:16 rule/wrong-type isEnabled", "5:11 rule/unknown-value type", "6:11 rule/wrong-type tags",
      "7:22 rule/unknown-group groupSignalsBy[0]", "9:25 rule/bad-duration options.evaluationWindow", "11:26 rule/duration-order options.maxSignalDuration",
      "14:29 query/unclosed-quote queries[0].query", "15:15 rule/bad-label queries[1].name", "15:29 rule/empty-query queries[1].query",
      "18:17 rule/unknown-value cases[0].status", "19:55 rule/number-before-operator cases[1].condition",
    ]);
  });
});

describe("forms of a rule file", () => {
  const ids = (text: string, kind: "json" | "jsonl" | "yaml"): string[] => readRuleDocument(text, "f", kind).rules.map((each) => each.id);

  test.each<[string, string, "json" | "jsonl" | "yaml", string[]]>([
    ["one rule", JSON.stringify(good), "json", ["one"]],
    ["a list", JSON.stringify([good, second], null, 2), "json", ["one", "two"]],
    ["under rules", JSON.stringify({ rules: [good, second] }), "json", ["one", "two"]],
    ["an API answer", JSON.stringify({ data: [good, second], meta: { page: {} } }), "json", ["one", "two"]],
    ["an empty list", "[]", "json", []],
    ["a byte order mark", `\ufeff${JSON.stringify(good)}`, "json", ["one"]],
    ["one a line", `${JSON.stringify(good)}\n\n${JSON.stringify(second)}\n`, "jsonl", ["one", "two"]],
    ["one a line, lines ended twice", `${JSON.stringify(good)}\r\n${JSON.stringify(second)}\r\n`, "jsonl", ["one", "two"]],
    ["scenario lines", JSON.stringify({ id: "s-1", rule: { ...good, id: undefined }, logs: [], expect: {} }), "jsonl", ["s-1"]],
    ["JSON as YAML", JSON.stringify([good, second]), "yaml", ["one", "two"]],
    ["several YAML documents", `---\n${JSON.stringify(good)}\n---\n${JSON.stringify(second)}\n`, "yaml", ["one", "two"]],
    ["an empty file", "", "yaml", []],
    ["comments only", "# nothing\n", "yaml", []],
  ])("[RU-24] %s", (_name, text, kind, expected) => expect(ids(text, kind)).toEqual(expected));

  test("[RU-18] YAML as people write it: folded texts, anchors, merges", () => {
    const text = `
name: Console login
message: |
  {{@usr.id}} logged in.
  Ask them.
isEnabled: true
options:
  <<: &timing { evaluationWindow: 300, keepAlive: 3600 }
  maxSignalDuration: 86400
queries:
  - query: >-
      source:cloudtrail
      @evt.name:ConsoleLogin
    groupByFields: ["@usr.id"]
cases:
  - { status: critical, condition: a > 0 }
tests:
  - { log: { ddsource: cloudtrail, evt: { name: ConsoleLogin } }, expected: true }
`;
    const { rules, problems } = readRuleDocument(text, "f.yaml", "yaml");
    expect(problems).toEqual([]);
    expect(rules[0]).toMatchObject({ message: "{{@usr.id}} logged in.\nAsk them.\n", options: { evaluationWindowMs: 300_000, keepAliveMs: 3_600_000 }, queries: [{ text: "source:cloudtrail @evt.name:ConsoleLogin" }], tests: [{ expected: true, format: "intake" }] });
  });

  test("good rules of a file are kept beside bad ones, in every form", () => {
    const bad = { ...good, id: "bad", name: 5 };
    const json = readRuleDocument(JSON.stringify([good, bad, second], null, 1), "f.json", "json");
    expect(json.rules.map((each) => each.id)).toEqual(["one", "two"]);
    const lines = readRuleDocument([good, bad, second].map((each) => JSON.stringify(each)).join("\n"), "f.jsonl", "jsonl");
    expect([lines.rules.length, lines.problems.map((problem) => [problem.line, problem.place])]).toEqual([2, [[2, "name"]]]);
    const torn = readRuleDocument(`${JSON.stringify(good)}\n{"name": \n${JSON.stringify(second)}`, "f.jsonl", "jsonl");
    expect([torn.rules.length, torn.problems.map(at)]).toEqual([2, ["2:10 rule/not-json"]]);
    const documents = readRuleDocument(`${JSON.stringify(good)}\n---\na: b: c\n---\n${JSON.stringify(second)}\n`, "f.yaml", "yaml");
    expect(documents.rules.map((each) => each.id)).toEqual(["one", "two"]);
    expect(documents.problems.map((problem) => [problem.code, problem.line])).toEqual([["rule/not-yaml", 3]]);
  });

  test("the second rule's faults are at the second rule", () => {
    const text = JSON.stringify({ rules: [good, { ...second, cases: [{ status: "low", condition: "x > 1" }] }] }, null, 2);
    const problem = readRuleDocument(text, "f.json", "json").problems[0]!;
    expect(text.split("\n")[problem.line! - 1]!.slice(problem.column! - 1)).toBe('"x > 1"');
  });

  test("a place can be asked for afterwards", () => {
    const text = JSON.stringify([good, second], null, 2);
    const read = readRuleDocument(text, "f.json", "json");
    const { line, column } = read.locate(read.rules[1]!, "cases[0].condition")!;
    expect(text.split("\n")[line - 1]!.slice(column - 1)).toBe('"failed > 5 && passed > 0"');
  });

  test("two rules of one id: the second is refused; two of one name and no id are told apart", () => {
    const twice = readRuleDocument(JSON.stringify([good, good], null, 1), "f.json", "json");
    expect([twice.rules.length, twice.problems.map((problem) => problem.code)]).toEqual([1, ["rule/duplicate-id"]]);
    const nameless = { ...good, id: undefined };
    const made = readRuleDocument(JSON.stringify([nameless, nameless, nameless]), "f.json", "json");
    expect(made.problems).toEqual([]);
    expect(new Set(made.rules.map((each) => each.id)).size).toBe(3);
  });
});

describe("texts that are not JSON", () => {
  test.each<[string, string, string]>([
    ['{"a": 1,}', "1:9", "a comma stands before the closing brace"],
    ["[1, 2,]", "1:7", "a comma stands before the closing bracket"],
    ['{"a": 1\n "b": 2}', "2:2", '" stands where "," or "}" is expected'],
    ['{\n  a: 1\n}', "2:3", "a stands where a member's name is expected"],
    ["{'a': 1}", "1:2", "' stands where a member's name is expected"],
    ['{"a": \'x\'}', "1:7", "' stands where a value is expected"],
    ['{"a": tru}', "1:7", "tru stands where a value is expected"],
    ['{"a": 01}', "1:7", "01 stands where a value is expected"],
    ['{"a": .5}', "1:7", ". stands where a value is expected"],
    ['{"a": 1, // no\n "b": 2}', "1:10", "JSON has no comments"],
    ['{"a": "x\ny"}', "1:7", "this text does not end on its line"],
    ['{"a": "\\x"}', "1:8", "\\x is not an escape of JSON"],
    ['{"a": "x', "1:7", "this text is never closed"],
    ['{"a": {"b": 1}', "1:1", "this is never closed"],
    ['{"a": ', "1:7", "the text ends where a value is missing"],
    ["", "1:1", "the text ends where a value is missing"],
    ["{} {}", "1:4", "something stands after the end of the value"],
    ['{"a" 1}', "1:6", '1 stands where ":" is expected'],
  ])("%j", (text, place, message) => {
    const { problems, rules } = readRuleDocument(text, "f.json", "json");
    expect(rules).toEqual([]);
    expect(problems.map((problem) => [`${problem.line}:${problem.column}`, problem.code, problem.message])).toEqual([[place, "rule/not-json", expect.stringContaining(message.startsWith("'") ? "" : message) as string]]);
    expect(problems[0]!.hint).toBeTruthy();
  });

  test("a fault is found exactly where JSON.parse sees one", () => {
    const whole = JSON.stringify({ a: [1, -2.5e3, "x\\\"y", true, null, {}, []], "b\u00e9": { c: "\u2028" } }, null, 1);
    let seed = 5;
    const next = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
    for (let i = 0; i < 3000; i++) {
      const from = next(whole.length);
      const text = whole.slice(0, from) + ['"', "{", "]", ",", "x", "", "\\", "0", "\n"][next(9)]! + whole.slice(from + next(3));
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      expect([text, jsonFault(text) === undefined]).toEqual([text, isJson]);
    }
  });

  test("nesting beyond measure is a fault, not a crash", () => {
    expect(readRuleDocument("[".repeat(100_000), "f.json", "json").problems).toMatchObject([{ code: "rule/not-json", message: "values are nested too deep" }]);
    expect(readRuleDocument("[".repeat(100_000), "f.yaml", "yaml").problems[0]!.code).toBe("rule/not-yaml");
  });
});

describe("texts that are not YAML", () => {
  test.each<[string, string, number]>([
    ["name: @usr", "put the text in quotes", 1],
    ["a: 1\na: 2", "keep one of the two", 2],
    ["a:\n\t- b", "indent with blanks", 2],
    ['a: "x', "", 1],
    ["a: b: c", "", 1],
  ])("%j", (text, hint, line) => {
    const { problems } = readRuleDocument(text, "f.yaml", "yaml");
    expect(problems[0]).toMatchObject({ code: "rule/not-yaml", line });
    expect(problems.map((problem) => problem.hint).join("\n")).toContain(hint);
  });

  test("aliases that multiply are refused", () => {
    const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array.from({ length: 9 }, () => `*a${i}`).join(", ")}]`);
    const { problems } = readRuleDocument(`a0: &a0 [x]\n${levels.join("\n")}\n`, "f.yaml", "yaml");
    expect(problems[0]).toMatchObject({ code: "rule/not-yaml", hint: "write the rule out, with fewer aliases and less nesting" });
  });
});

describe("three thousand rules", () => {
  const many = Array.from({ length: 3000 }, (_, i) => rule({ id: `rule-${i}`, name: `Rule ${i}`, message: "Somebody should look at {{@usr.id}} and {{@network.client.ip}}.".repeat(5) }));

  test("are read, all of them", () => {
    expect(readRuleDocument(JSON.stringify(many, null, 2), "f.json", "json").rules).toHaveLength(3000);
  });

  test("with a fault in every one, each is told", () => {
    const text = JSON.stringify(many.map((each) => ({ ...each, cases: [{ status: "low", condition: "x > 1" }] })), null, 2);
    expect(readRuleDocument(text, "f.json", "json").problems).toHaveLength(3000);
  });
});
