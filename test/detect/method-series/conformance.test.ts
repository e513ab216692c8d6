import { describe, expect, test } from "vitest";
import { ProblemError } from "../../../host/problem.ts";
import { hasShared, readShared } from "../../support/shared.ts";
import { type Scenario, playScenario } from "./harness.ts";

const file = "conformance/rules.jsonl";
const scenarios: Scenario[] = hasShared(file) ? new TextDecoder().decode(readShared(file)).trim().split("\n").map((line) => JSON.parse(line) as Scenario) : [];

const feature: Readonly<Record<string, string>> = {
  "an-002": "[DE-19] ", "an-005": "[DE-18] ", "an-009": "[DE-20] ", "an-010": "[DE-19] ", "an-001": "[DE-17] ",
};

describe.skipIf(!scenarios.length).each([
  ["anomaly_detection", 10],
  ["sequence_detection", 9],
] as const)("%s scenarios (skipped where ../shared is absent)", (method, count) => {
  const own = scenarios.filter((scenario) => scenario.method === method);

  test(`there are ${count} of them`, () => expect(own).toHaveLength(count));

  test.each(own.map((scenario) => [`${feature[scenario.id] ?? ""}${scenario.id}`, scenario.why ?? "", scenario] as const))("%s: %s", (_id, _why, scenario) => {
    if (scenario.expect.rejected) expect(() => playScenario(scenario)).toThrow(ProblemError);
    else expect(playScenario(scenario)).toEqual([]);
  });
});
