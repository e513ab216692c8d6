import type { RuleDocument } from "../../store/rules.ts";

/** A deprecated rule stays listed, and can be cloned, for so long. */
const MONTHS_KEPT = 15;

/** `gone`: nobody sees it any more, and it is deleted. */
export type Age = "current" | "deprecated" | "gone";

/** Epoch milliseconds; undefined where the rule has no date. */
export function deprecationMs({ deprecationDate }: RuleDocument): number | undefined {
  return isTime(deprecationDate) ? deprecationDate : undefined;
}

export function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value <= 8.64e15;
}

export function ageOf(document: RuleDocument, nowMs: number): Age {
  const atMs = deprecationMs(document);
  if (atMs === undefined || nowMs < atMs) return "current";
  return nowMs < deletionMs(atMs) ? "deprecated" : "gone";
}

/** When a rule that was deprecated then is deleted: the same day fifteen months later, or the last of that month. */
export function deletionMs(deprecatedMs: number): number {
  const at = new Date(deprecatedMs);
  const day = at.getUTCDate();
  at.setUTCMonth(at.getUTCMonth() + MONTHS_KEPT, 1);
  const days = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
  at.setUTCDate(Math.min(day, days));
  return Number.isNaN(at.getTime()) ? Infinity : at.getTime();
}
