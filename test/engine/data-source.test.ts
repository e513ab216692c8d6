import { beforeAll, describe, expect, test } from "vitest";
import { type InputProfile, createEngine } from "../../host/index.ts";
import { loadKernel } from "../support/wasm.ts";

beforeAll(() => void loadKernel("simd"));

const rule = (dataSource: string, query = "@k:f") => ({
  id: dataSource, name: dataSource, message: "", isEnabled: true, type: "log_detection", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query, aggregation: "count", groupByFields: [], dataSource }], cases: [{ name: "", status: "low", condition: "a > 0" }],
});

async function fired(dataSource: InputProfile["dataSource"], query?: string): Promise<string[]> {
  const engine = await createEngine({ rules: [rule("logs", query), rule("events", query), rule("audit", query)] });
  await engine.push(new TextEncoder().encode('{"k":"f","timestamp":1700000000000}\n'), { format: "raw", arrivalMs: 1_700_000_000_000, ...(dataSource ? { dataSource } : {}) });
  await engine.close();
  return engine.finalSignals().map(({ ruleId }) => ruleId);
}

describe("what a query asks about", () => {
  test.each([["logs", ["logs"]], ["events", ["events"]], ["audit", ["audit"]], [undefined, ["logs", "events", "audit"]]] as const)("[IN-25] [IN-26] %s", async (dataSource, rules) => {
    expect(await fired(dataSource)).toEqual(rules);
    expect(await fired(dataSource, "@k:f *:f"), "read one by one").toEqual(rules);
  });
});
