import { createEngine } from "./index.ts";
import { ProblemError } from "./problem.ts";
import { readCriticalAssets, readSecurityFilters, readSuppressions, type ReferenceTables } from "./rule/guards.ts";
import type { ExpectedSignal, Rule } from "./rule/rule.ts";
import { idleReason } from "./rule/standing.ts";
import { readRule } from "./rule/wire.ts";
import type { Signal } from "./signal/signal.ts";

export type { ExpectedSignal } from "./rule/rule.ts";

/** One line of a scenario file: a rule, its logs in arrival order, and the signals they are to give. */
export interface Scenario {
  readonly id: string;
  /** For the reader; the rule says its own. */
  readonly method?: string;
  readonly why?: string;
  readonly rule: Record<string, unknown>;
  /** Rules beside it, whose signals it may read; only those of `rule` are compared. */
  readonly also?: ReadonlyArray<Record<string, unknown>>;
  readonly suppressions?: readonly unknown[];
  readonly security_filters?: readonly unknown[];
  readonly critical_assets?: readonly unknown[];
  readonly reference_tables?: ReferenceTables;
  readonly logs: ReadonlyArray<Record<string, unknown> & { readonly t?: number; readonly repeat?: { readonly count: number; readonly step: number } }>;
  readonly expect: { readonly signals?: readonly ExpectedSignal[]; readonly rejected?: boolean; readonly target?: string };
}

export type ScenarioResult =
  | { readonly outcome: "passed" }
  | { readonly outcome: "skipped"; readonly reason: string }
  | { readonly outcome: "failed"; readonly differences: readonly string[] };

export interface ScenarioOptions {
  readonly workers?: number;
  readonly variant?: "simd" | "scalar";
}

const encoder = new TextEncoder();

/** Plays a scenario on a fresh engine, through the same kernels and detectors as any log. */
export async function runScenario(scenario: Scenario, options: ScenarioOptions = {}): Promise<ScenarioResult> {
  let signals: readonly Signal[] = [];
  try {
    // Whether a rule is refused can be told for every method, also one that is not detected yet.
    const rule = readRule({ id: scenario.id, ...scenario.rule });
    const idle = rule.isEnabled ? idleReason(rule) : undefined;
    if (idle !== undefined && !scenario.expect.rejected) return { outcome: "skipped", reason: idle };
    if (idle === undefined) signals = await playScenario(rule, scenario, options);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    if (!scenario.expect.rejected) return { outcome: "failed", differences: error.problems.map((problem) => `rule refused: ${problem.place ?? ""} ${problem.message}`) };
    const { target } = scenario.expect;
    const hit = target === undefined || error.problems.some(({ place, level }) => level !== "warning" && place !== undefined && isAt(place, target));
    return hit ? { outcome: "passed" } : { outcome: "failed", differences: [`refused, but not for ${target}: ${error.problems.map((problem) => problem.place).join(", ")}`] };
  }
  if (scenario.expect.rejected) return { outcome: "failed", differences: ["the rule was accepted"] };
  const differences = compareSignals(scenario.expect.signals ?? [], signals);
  return differences.length ? { outcome: "failed", differences } : { outcome: "passed" };
}

async function playScenario(rule: Rule, scenario: Scenario, options: ScenarioOptions): Promise<readonly Signal[]> {
  const engine = await createEngine({
    rules: [...(scenario.also ?? []).map((each) => readRule(each)), rule],
    suppressions: readSuppressions(scenario.suppressions ?? []),
    securityFilters: scenario.security_filters && readSecurityFilters(scenario.security_filters),
    criticalAssets: readCriticalAssets(scenario.critical_assets ?? []),
    referenceTables: scenario.reference_tables ?? {},
    ...options,
  });
  const lines = scenario.logs.flatMap(({ t, repeat, ...log }) =>
    Array.from({ length: repeat?.count ?? 1 }, (_, i) => {
      const at = t ?? log.timestamp;
      const timestamp = repeat && typeof at === "number" ? at + i * repeat.step : at;
      return JSON.stringify({ ...log, timestamp });
    }));
  if (lines.length) await engine.push(encoder.encode(`${lines.join("\n")}\n`), { format: "log", arrivalMs: 0 });
  await engine.close();
  return engine.finalSignals().filter((signal) => signal.ruleId === rule.id);
}

/** Is it the field, or a part of it such as an entry of a list? */
function isAt(place: string, target: string): boolean {
  return place === target || place.startsWith(`${target}[`) || place.startsWith(`${target}.`);
}

/** Order plays no part; every expected signal is used up by one that fits it. */
export function compareSignals(expected: readonly ExpectedSignal[], signals: readonly Signal[]): string[] {
  const left = [...signals];
  const differences: string[] = [];
  for (const each of expected) {
    const at = left.findIndex((signal) => fits(each, signal));
    if (at < 0) differences.push(`missing ${JSON.stringify(each)}`);
    else left.splice(at, 1);
  }
  for (const signal of left) {
    differences.push(`unexpected ${JSON.stringify({ case: signal.caseName, status: signal.severity, group: signal.group, first: signal.firstSeenMs, last: signal.lastSeenMs, count: signal.eventsMatched, title: signal.title, message: signal.message })}`);
  }
  return differences;
}

function fits(expected: ExpectedSignal, signal: Signal): boolean {
  return (
    (expected.case === undefined || expected.case === signal.caseName) && (expected.status === undefined || expected.status === signal.severity) &&
    (expected.group === undefined || sameGroup(expected.group, signal.group)) &&
    (expected.first === undefined || expected.first === signal.firstSeenMs) &&
    (expected.last === undefined || expected.last === signal.lastSeenMs) &&
    (expected.first_between === undefined || (signal.firstSeenMs >= expected.first_between[0] && signal.firstSeenMs <= expected.first_between[1])) &&
    (expected.count_at_least === undefined || signal.eventsMatched >= expected.count_at_least) &&
    (expected.title === undefined || expected.title === signal.title) &&
    (expected.message === undefined || expected.message === signal.message)
  );
}

function sameGroup(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
