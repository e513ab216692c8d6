import { beforeAll, describe, expect, test } from "vitest";
import { ProblemError } from "../../host/problem.ts";
import { readRuleWire } from "../../host/rule/wire.ts";
import type { Scenario } from "../../host/scenario.ts";
import { loadKernel, variants } from "../support/wasm.ts";
import { bytesOf, engineOf } from "./scenarios.ts";
import { guards } from "./second-reading/guards.ts";
import { learned } from "./second-reading/learned.ts";
import { accepted, refused } from "./second-reading/refused.ts";
import { series } from "./second-reading/series.ts";
import { signals } from "./second-reading/signals.ts";
import { steps } from "./second-reading/steps.ts";
import { windows } from "./second-reading/windows.ts";
import type { Row, Told } from "./second-reading/words.ts";

/** The specification read sentence by sentence a second time: each row was worked out from its text, not from what the engine says. */
const rows: readonly Row[] = [...windows, ...signals, ...guards, ...learned, ...series, ...steps];

beforeAll(() => variants.forEach((variant) => loadKernel(variant)));

async function told(row: Row, variant: "simd" | "scalar"): Promise<Told[]> {
  const scenario: Scenario = { id: "row", ...row, expect: {} };
  const engine = await engineOf(scenario, { variant });
  await engine.push(bytesOf(row.logs), { format: "log", arrivalMs: 0 });
  await engine.close();
  return engine.finalSignals().filter((signal) => signal.ruleId === (row.rule.id ?? "row")).map((signal) => ({
    group: signal.group, first: signal.firstSeenMs, last: signal.lastSeenMs, case: signal.caseName, status: signal.severity, count: signal.eventsMatched, title: signal.title, message: signal.message,
  }));
}

function fits(expected: Told, actual: Told): boolean {
  const { group, between, ...rest } = expected;
  return JSON.stringify(Object.entries(group)) === JSON.stringify(Object.entries(actual.group)) &&
    (between === undefined || (actual.first! >= between[0] && actual.first! <= between[1])) &&
    Object.entries(rest).every(([name, value]) => actual[name as keyof Told] === value);
}

/** What was to be told and was not, and what was told beside it. */
async function differences(row: Row, variant: "simd" | "scalar"): Promise<{ readonly missing: readonly Told[]; readonly unexpected: readonly Told[] }> {
  const left = await told(row, variant);
  const missing = row.told.filter((expected) => {
    const at = left.findIndex((actual) => fits(expected, actual));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return { missing, unexpected: left };
}

describe("detection rules, read a second time", () => {
  test("several hundred rows", () => expect(rows.length + refused.length + accepted.length).toBeGreaterThan(850));

  test.each(rows.map((row) => [row.at, row.says, row] as const))("[DE-02] %s: %s", async (_at, _says, row) => {
    expect(await differences(row, "simd")).toEqual({ missing: [], unexpected: [] });
  });

  test("the scalar kernel says the same", async () => {
    for (const row of rows) expect(await differences(row, "scalar"), `${row.at}: ${row.says}`).toEqual({ missing: [], unexpected: [] });
  });
});

describe("rules that must be refused", () => {
  test.each(refused.map((row) => [row.at, row.says, row] as const))("[DE-02] %s: %s", async (_at, _says, { rule, target }) => {
    const read = readRuleWire({ id: "row", ...rule });
    const problems = read.ok ? await createdProblems(rule) : read.problems;
    const places = problems.filter(({ level }) => level !== "warning").map(({ place = "" }) => place);
    // A place may say which entry of the list.
    expect(places.filter((place) => place === target || place.startsWith(`${target}[`)), `${places.join(", ")} for ${target}`).not.toEqual([]);
  });

  test.each(accepted.map((row) => [row.at, row.says, row] as const))("[DE-02] %s: %s", (_at, _says, { rule }) => {
    expect(readRuleWire({ id: "row", ...rule }).problems.filter(({ level }) => level !== "warning")).toEqual([]);
  });
});

/** What only shows beside other rules. */
async function createdProblems(rule: Row["rule"]): Promise<ProblemError["problems"]> {
  try {
    await engineOf({ id: "row", rule, logs: [], expect: {} });
    return [];
  } catch (error) {
    if (error instanceof ProblemError) return error.problems;
    throw error;
  }
}
