import type { Severity } from "../rule/rule.ts";
import type { EntityType } from "./entities.ts";
import type { ArchiveReason, TriageState } from "./stored.ts";

/** How long a signal adds to the scores of its entities, from its creation on (platform spec 14). */
export const RISK_WINDOW_MS = 14 * 86_400_000;
/** A score's change is against so long before. */
export const RISK_CHANGE_MS = 86_400_000;

/** What one signal adds to the score of each of its primary entities, once, whatever it matches later. */
export const riskPoints: Readonly<Record<Severity, number>> = { info: 0, low: 0, medium: 5, high: 50, critical: 100 };
const steps: ReadonlyArray<readonly [least: number, severity: Severity]> = [[100, "critical"], [50, "high"], [25, "medium"], [10, "low"]];

export function riskSeverity(score: number): Severity {
  return steps.find(([least]) => score >= least)?.[1] ?? "info";
}

/** Signals that turned out to be nothing count no more from then on; those archived for another reason go on counting. */
export function isNoRisk(state: TriageState, reason: ArchiveReason): boolean {
  return state === "archived" && (reason === "false_positive" || reason === "testing_or_maintenance");
}

/** What an entity is called by everywhere: `user:ann`. */
export function entityId(type: EntityType, value: string): string {
  return `${type}:${value}`;
}
