import { describe, expect, test } from "vitest";
import { readRule } from "../../host/rule/wire.ts";
import { type Wire, faults, rule } from "./support.ts";

const read = (tests: unknown[], member = "tests") => readRule(rule({ [member]: tests })).tests;

describe("[RU-17] [RU-18] a rule's own tests", () => {
  test("by label, as shippers send it", () => {
    expect(read([{ name: "bad", query: "passed", log: { ddsource: "auth", message: "x" }, expected: false }])).toEqual([{ name: "bad", queryLabel: "passed", format: "intake", event: { ddsource: "auth", message: "x" }, expected: false }]);
  });

  test("the first query and a match, unless told otherwise", () => {
    expect(read([{ log: {} }])).toMatchObject([{ name: "test 1", queryLabel: "failed", expected: true }]);
  });

  test("an envelope, by its name or by its attributes", () => {
    expect(read([{ event: { message: "x" } }])).toMatchObject([{ format: "log", event: { message: "x", attributes: {} } }]);
    expect(read([{ log: { message: "x", attributes: { a: 1 } } }])).toMatchObject([{ format: "log" }]);
  });

  test("a line of text is a message", () => expect(read([{ log: "Failed password" }])).toMatchObject([{ format: "intake", event: { message: "Failed password" } }]));

  test("Datadog's own shape", () => {
    expect(read([{ index: 1, expectedResult: false, payload: { ddsource: "auth" } }], "ruleQueryPayloads")).toMatchObject([{ queryLabel: "passed", expected: false, format: "intake" }]);
    expect(read([{ index: 0, expectedResult: true, payload: {} }])).toMatchObject([{ queryLabel: "failed", expected: true }]);
  });

  test.each<[string, Wire, string[]]>([
    ["no sample", {}, ["rule/missing-field tests[0].log"]],
    ["two samples", { log: {}, event: {} }, ["rule/misplaced-field tests[0].log"]],
    ["a sample that is a list", { log: [] }, ["rule/wrong-type tests[0].log"]],
    ["an unknown query", { query: "z", log: {} }, ["rule/unknown-label tests[0].query"]],
    ["a query number beyond the last", { index: 2, log: {} }, ["rule/unknown-label tests[0].index"]],
    ["a negative query number", { index: -1, log: {} }, ["rule/unknown-label tests[0].index"]],
    ["an expectation in quotes", { log: {}, expected: "true" }, ["rule/wrong-type tests[0].expected"]],
    ["a misspelt member", { log: {}, expect: true }, ["rule/unknown-field tests[0].expect"]],
  ])("%s", (_name, wire, expected) => expect(faults(rule({ tests: [wire] }))).toEqual(expected));

  test("tests that are not a list", () => expect(faults(rule({ tests: {} }))).toEqual(["rule/wrong-type tests"]));
});

describe("tests that play logs", () => {
  const scenarios = (test: Wire) => readRule(rule({ tests: [test] })).scenarios;

  test("logs as shippers send them and envelopes, copies, times in either form", () => {
    expect(scenarios({ name: "burst", logs: [{ ddsource: "auth", t: "2026-03-01T10:00:00Z", repeat: { count: 2, step: 1000 } }, { source: "auth", attributes: {} }], expect: { signals: [{ case: "x", first: "2026-03-01T10:00:01Z", group: { "@n": 5 } }] } })).toEqual([{
      name: "burst",
      logs: [
        { format: "intake", event: { ddsource: "auth", timestamp: 1772359200000 } }, { format: "intake", event: { ddsource: "auth", timestamp: 1772359201000 } },
        { format: "log", event: { source: "auth", attributes: {} } },
      ],
      signals: [{ case: "x", first: 1772359201000, group: { "@n": "5" } }],
    }]);
  });

  test("recorded logs by their path; such a test is no sample", () => {
    const read = readRule(rule({ tests: [{ logs: "auth.ndjson", expect: { signals: [] } }] }));
    expect([read.scenarios, read.tests]).toEqual([[{ name: "test 1", logs: "auth.ndjson", signals: [] }], []]);
  });

  test.each<[string, Wire, string[]]>([
    ["nothing expected", { logs: [] }, ["rule/missing-field tests[0].expect.signals"]],
    ["a log that is a list", { logs: [[]], expect: { signals: [] } }, ["rule/wrong-type tests[0].logs[0]"]],
    ["a time that is none", { logs: [{ t: "noon" }], expect: { signals: [] } }, ["rule/bad-date tests[0].logs[0].t"]],
    ["too many copies", { logs: [{ repeat: { count: 1e9 } }], expect: { signals: [] } }, ["rule/out-of-range tests[0].logs[0].repeat.count"]],
    ["a severity that is none", { logs: [{}], expect: { signals: [{ status: "grave" }] } }, ["rule/unknown-value tests[0].expect.signals[0].status"]],
    ["a misspelt member", { logs: [{}], expect: { signals: [{ caze: "x" }] } }, ["rule/unknown-field tests[0].expect.signals[0].caze"]],
  ])("%s", (_name, wire, expected) => expect(faults(rule({ tests: [wire] }))).toEqual(expected));
});
