import { beforeAll, describe, expect, test } from "vitest";
import { type Scenario, runScenario } from "../../host/scenario.ts";
import { hasShared, readShared } from "../support/shared.ts";
import { loadKernel, variants } from "../support/wasm.ts";

const file = "conformance/rules.jsonl";
const scenarios: Scenario[] = hasShared(file)
  ? new TextDecoder().decode(readShared(file)).trim().split("\n").map((line) => JSON.parse(line) as Scenario).filter((scenario) => scenario.method === "threshold")
  : [];

beforeAll(() => variants.forEach((variant) => loadKernel(variant)));

describe.skipIf(!scenarios.length)("threshold scenarios (skipped where ../shared is absent)", () => {
  test("there are 79 of them", () => expect(scenarios).toHaveLength(79));
  test.each(scenarios.map((scenario) => [scenario.id, scenario.why, scenario] as const))("[DE-02] %s: %s", async (_id, _why, scenario) => {
    expect(await runScenario(scenario)).toEqual({ outcome: "passed" });
  });
});
