import type { Problem } from "../../host/problem.ts";
import { readRuleWire } from "../../host/rule/wire.ts";

export type Wire = Record<string, unknown>;

export const options = { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 };

/** A valid threshold rule with some members changed; `undefined` takes one out. */
export function rule(changes: Wire = {}): Wire {
  const whole: Wire = {
    name: "Failed logins", message: "Look at {{@usr.id}}.", isEnabled: true, options,
    queries: [{ name: "failed", query: "source:auth @evt.outcome:failure", groupByFields: ["@usr.id"] }, { name: "passed", query: "source:auth @evt.outcome:success", groupByFields: ["@usr.id"] }],
    cases: [{ name: "burst", status: "medium", condition: "failed > 5 && passed > 0" }],
    ...changes,
  };
  return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined));
}

/** A rule of another detection method: its options and one query. */
export function methodRule(detectionMethod: string, methodOptions: Wire, query: Wire = {}, changes: Wire = {}): Wire {
  return rule({
    options: { ...options, detectionMethod, ...methodOptions },
    queries: [{ name: "a", query: "source:auth", ...query }],
    cases: [{ name: "", status: "low" }],
    ...changes,
  });
}

export function problemsOf(wire: unknown): readonly Problem[] {
  return readRuleWire(wire).problems;
}

/** Errors and warnings as `code at place`. */
export function faults(wire: unknown): string[] {
  return problemsOf(wire).map((problem) => `${problem.code} ${problem.place ?? ""}`.trimEnd());
}
