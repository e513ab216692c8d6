import { describe, expect, test } from "vitest";
import { idleRules, standingQueries } from "../../host/rule/standing.ts";
import { readRule } from "../../host/rule/wire.ts";
import { methodRule, options, rule } from "./support.ts";

describe("standing queries", () => {
  const live = readRule(rule());
  const disabled = readRule(rule({ isEnabled: false }));
  const fresh = readRule(methodRule("new_value", {}, { metrics: ["@a"] }));
  const correlated = readRule(rule({ type: "signal_correlation", queries: [{ name: "a", ruleId: "x" }], cases: [{ status: "low", condition: "a > 0" }] }));
  const scheduled = readRule(rule({ schedulingOptions: { rrule: "FREQ=DAILY" } }));
  const mixed = readRule(rule({ queries: [{ name: "s", query: "*", dataSource: "security_signals" }, { name: "t", query: "*" }], cases: [{ status: "low" }] }));
  const freshSignals = readRule(methodRule("new_value", {}, { metrics: ["@a"], dataSource: "security_signals" }));
  const onSignals = readRule(rule({ queries: [{ name: "s", query: "*", dataSource: "security_signals" }], cases: [{ status: "low" }] }));

  test("ids of one rule follow each other, and what does not run has none", () => {
    const standing = standingQueries([disabled, live, fresh, correlated, scheduled, onSignals, live]);
    expect(standing.map((query) => [query.id, query.ruleIndex, query.queryIndex])).toEqual([[0, 1, 0], [1, 1, 1], [2, 2, 0], [3, 6, 0], [4, 6, 1]]);
  });

  test("[RU-08] every rule that judges nothing says why", () => {
    expect(idleRules([live, disabled, fresh, correlated, scheduled, onSignals, mixed, freshSignals]).map(({ reason }) => reason)).toEqual([
      "it is disabled", "scheduled rules are not run by this release",
      "query s reads signals beside queries that read events, which this release does not", "new_value over signals is not detected by this release",
    ]);
  });

  test("group-by, aggregation and fields go along", () => {
    const counting = readRule(rule({
      options,
      queries: [
        { name: "a", query: "x", groupByFields: ["host"], aggregation: "cardinality", distinctFields: ["@usr.id", "service"], hasOptionalGroupByFields: true },
        { name: "b", query: "y", groupByFields: ["env"], aggregation: "sum", metrics: ["@bytes"] },
      ],
      cases: [{ status: "low" }],
    }));
    expect(standingQueries([counting])).toMatchObject([
      { aggregation: "cardinality", groupBy: [{ kind: "reserved", name: "host" }], distinct: [{ kind: "attribute", path: ["usr", "id"] }, { kind: "reserved", name: "service" }], optionalGroupBy: true, metric: undefined },
      { aggregation: "sum", groupBy: [{ kind: "tag", key: "env" }], metric: { kind: "attribute", path: ["bytes"] }, optionalGroupBy: false },
    ]);
  });

  test("a query may be narrowed as it starts to run", () => {
    const [first] = standingQueries([live], (each, query) => ({ kind: "not", node: query.node, span: { start: 0, end: each.queries.length } }));
    expect(first!.query).toMatchObject({ kind: "not", node: live.queries[0]!.node });
  });
});
