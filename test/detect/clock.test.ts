import { beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../host/index.ts";
import { loadKernel, variants } from "../support/wasm.ts";

beforeAll(() => variants.forEach((variant) => void loadKernel(variant)));

const START = 1_700_000_000_000;
const TEN_MINUTES = 600_000;
const rule = {
  id: "burst", name: "burst", message: "", isEnabled: true, type: "log_detection", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: "@k:f", aggregation: "count", groupByFields: ["@u"] }], cases: [{ name: "", status: "low", condition: "a > 2" }],
};
const lines = (events: readonly object[]): Uint8Array => new TextEncoder().encode(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
/** Three failures now, after an event whose clock is an hour ahead. */
const events = [{ timestamp: START + 3_600_000, k: "x" }, ...[0, 1, 2].map((second) => ({ timestamp: START + second * 1000, u: "eve", k: "f" }))];

describe.each(variants)("clocks that are ahead, %s", (variant) => {
  test.each([[TEN_MINUTES, 1, 1, 0], [undefined, 0, 0, 3]])("clamped after %s ms", async (clampAheadMs, signals, clamped, lateDropped) => {
    const engine = await createEngine({ rules: [rule], variant });
    await engine.push(lines(events), { format: "raw", arrivalMs: START + 5000, ...(clampAheadMs === undefined ? {} : { clampAheadMs }) });
    expect(await engine.close()).toMatchObject({ signals, clamped, lateDropped });
  });

  test("an event may be ahead by the allowance, to the millisecond", async () => {
    const engine = await createEngine({ rules: [rule], variant });
    const at = (timestamp: number) => ({ timestamp, u: "eve", k: "f" });
    await engine.push(lines([at(START + TEN_MINUTES), at(START + TEN_MINUTES + 1)]), { format: "raw", arrivalMs: START, clampAheadMs: TEN_MINUTES });
    expect((await engine.close()).clamped).toBe(1);
  });

  test("events made one by one are clamped too", async () => {
    const engine = await createEngine({ rules: [{ ...rule, queries: [{ ...rule.queries[0]!, query: "@k:f *:f" }] }], variant });
    await engine.push(lines(events), { format: "raw", arrivalMs: START + 5000, clampAheadMs: TEN_MINUTES });
    expect(await engine.close()).toMatchObject({ signals: 1, clamped: 1 });
  });
});
