import { describe, expect, test } from "vitest";
import { readRule } from "../../host/rule/wire.ts";
import { writeRuleWire } from "../../host/rule/wire-write.ts";
import { methodRule, options, rule } from "./support.ts";

describe("a rule written back", () => {
  test("[RU-24] what was given, unknown members too, with a server's defaults", () => {
    const given = rule({ id: "x", colour: "red", queries: [{ query: "source:auth" }], cases: [{ status: "low" }], options: { evaluationWindow: 60, keepAlive: 60, novel: 1 } });
    expect(writeRuleWire(readRule(given))).toEqual({
      ...given, version: 1, type: "log_detection", filters: [], tags: [], hasExtendedTitle: false, isDefault: false,
      queries: [{ name: "", query: "source:auth", aggregation: "count", dataSource: "logs", groupByFields: [], distinctFields: [], hasOptionalGroupByFields: false }],
      cases: [{ name: "", notifications: [], status: "low" }],
      options: { evaluationWindow: 60, keepAlive: 60, maxSignalDuration: 86400, detectionMethod: "threshold", novel: 1 },
    });
  });

  test("nulls are left out", () => {
    expect(writeRuleWire(readRule(rule({ filters: null, customName: null })))).toMatchObject({ filters: [] });
    expect(writeRuleWire(readRule(rule({ customName: null })))).not.toHaveProperty("customName");
  });

  test("a metric is told in both its forms", () => {
    const sum = rule({ queries: [{ query: "a", aggregation: "sum", metric: "@b" }], cases: [{ status: "low" }] });
    expect(writeRuleWire(readRule(sum)).queries).toMatchObject([{ metric: "@b", metrics: ["@b"] }]);
    const travel = methodRule("impossible_travel", {}, { aggregation: "geo_data", metrics: ["@network.client.geoip"] });
    expect(writeRuleWire(readRule(travel)).queries).toMatchObject([{ metric: "@network.client.geoip", metrics: ["@network.client.geoip"] }]);
  });

  test("[DE-25] [DE-26] defaults of a content anomaly are shown", () => {
    expect(writeRuleWire(readRule(methodRule("anomaly_threshold", {}))).options).toMatchObject({
      detectionMethod: "anomaly_threshold", contentAnomalyOptions: { learningDuration: 7, forgetAfter: 7, similarityPercentageThreshold: 70, nbSimilarItemsThreshold: 1 },
    });
  });

  test("[DE-35] third-party cases are told again as queries and cases", () => {
    const wire = writeRuleWire(readRule(rule({
      options: { ...options, detectionMethod: "third_party", thirdPartyRuleOptions: { rootQueries: [{ query: "source:edr" }] } },
      queries: [], cases: [], thirdPartyCases: [{ name: "High", query: "@severity:High", status: "high", notifications: ["@a"] }],
    })));
    expect(wire.queries).toMatchObject([{ query: "@severity:High", aggregation: "none" }]);
    expect(wire.cases).toEqual([{ name: "High", status: "high", notifications: ["@a"] }]);
  });

  test("[DE-57] a correlation keeps its own members", () => {
    const wire = writeRuleWire(readRule(rule({ type: "signal_correlation", queries: [{ name: "a", ruleId: "x" }], cases: [{ status: "low", condition: "a > 0" }] })));
    expect(wire.queries).toEqual([{ name: "a", ruleId: "x", aggregation: "event_count", correlatedByFields: [] }]);
  });
});
