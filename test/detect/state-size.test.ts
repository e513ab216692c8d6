import { beforeAll, describe, expect, test } from "vitest";
import { stateSize } from "../../host/detect/state-size.ts";
import { createEngine } from "../../host/index.ts";
import { readRule } from "../../host/rule/wire.ts";
import { loadKernel } from "../support/wasm.ts";

beforeAll(() => loadKernel("simd"), 240_000);

const GROUPS = 20_000;
const base = { id: "r", name: "r", message: "", isEnabled: true };
const counting = (condition: string, query: Record<string, unknown> = {}) => readRule({ ...base, queries: [{ name: "a", query: "*", groupByFields: ["@user"], ...query }], cases: [{ name: "", status: "low", condition }], options: { evaluationWindow: 3600, keepAlive: 3600 } });

describe("what explain says a rule keeps is what the engine keeps", () => {
  test.each([
    ["counts", counting("a > 10")],
    ["counts of two queries", readRule({ ...base, queries: [{ name: "a", query: "*", groupByFields: ["@user"] }, { name: "b", query: "nothing", groupByFields: ["@user"] }], cases: [{ name: "", status: "low", condition: "a > 10 && b > 3" }], options: { evaluationWindow: 3600, keepAlive: 3600 } })],
    ["distinct values", counting("a > 5", { aggregation: "cardinality", distinctFields: ["@value"] })],
    ["new values", readRule({ ...base, queries: [{ name: "a", query: "*", aggregation: "new_value", metrics: ["@value"], groupByFields: ["@user"] }], cases: [{ name: "", status: "low" }], options: { detectionMethod: "new_value", keepAlive: 0, newValueOptions: { learningDuration: 1, forgetAfter: 7 } } })],
  ])("%s, of groups seen once", async (_name, rule) => {
    const engine = await createEngine({ rules: [rule] });
    const lines = Array.from({ length: GROUPS }, (_, i) => `${JSON.stringify({ timestamp: 1772359200000 + i * 100, attributes: { user: `somebody-${i}`, value: i } })}\n`).join("");
    await engine.push(new TextEncoder().encode(lines), { format: "log", arrivalMs: 0 });
    await engine.flush();
    const { groups, stateBytes } = engine.stats();
    await engine.close();
    expect(groups).toBe(GROUPS);
    const said = stateSize(rule).first;
    // Tables grow in steps of half as much again or double, so at any moment they may be half empty.
    expect(stateBytes / GROUPS / said).toBeGreaterThan(0.6);
    expect(stateBytes / GROUPS / said).toBeLessThan(1.9);
  });

  test("a busy group keeps no more than said, and most of it", async () => {
    const rule = counting("a > 500");
    const engine = await createEngine({ rules: [rule] });
    const busy = 2000;
    const lines = Array.from({ length: busy * 300 }, (_, i) => `${JSON.stringify({ timestamp: 1772359200000 + i, attributes: { user: `somebody-${i % busy}` } })}\n`).join("");
    await engine.push(new TextEncoder().encode(lines), { format: "log", arrivalMs: 0 });
    await engine.flush();
    const { stateBytes } = engine.stats();
    await engine.close();
    expect(stateBytes / busy).toBeLessThan(stateSize(rule).full * 1.3);
    expect(stateBytes / busy).toBeGreaterThan(stateSize(rule).full * 0.4);
  });

  test("methods that judge each event by itself keep nothing", () => {
    expect(stateSize(readRule({ ...base, queries: [{ query: "x", aggregation: "none" }], cases: [{ status: "low" }], options: { detectionMethod: "hardcoded", hardcodedEvaluatorType: "log4shell" } }))).toEqual({ first: 0, full: 0, keeps: "nothing" });
    expect(stateSize(readRule({ ...base, queries: [{ name: "a", query: "x" }], cases: [{ status: "low", condition: "a > 0" }], options: { evaluationWindow: 0, keepAlive: 0 } }))).toMatchObject({ first: 0, full: 0 });
  });
});
