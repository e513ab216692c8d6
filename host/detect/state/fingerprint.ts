import { createHash } from "node:crypto";
import type { Rule } from "../../rule/rule.ts";

/** Bytes of a fingerprint. */
export const FINGERPRINT_BYTES = 16;

/**
 * What a rule's state hangs on, in 16 bytes: its queries, conditions, groups, evaluation window and the options of its method.
 *
 * Name, message, tags, severities, notifications, version, keep alive and maximum duration may change without the state losing its
 * meaning. Suppressions, security filters and tables stand beside rules: they count from when they are changed.
 */
export function fingerprintOf(rule: Rule): Uint8Array {
  const { method, evaluationWindowMs } = rule.options;
  const cases = rule.cases.map((each) => [each.conditionText, each.condition === undefined, each.percentile, each.query]);
  const parts = [rule.type, method, evaluationWindowMs, rule.queries, cases, rule.filters, rule.groupSignalsBy, rule.referenceTables, rule.calculatedFields];
  // Where in its text a part of a query stands says nothing of its meaning; the text itself is in the tree.
  const text = JSON.stringify(parts, (name, value: unknown) => (name === "span" || name === "text" ? undefined : value));
  return createHash("sha256").update(text).digest().subarray(0, FINGERPRINT_BYTES);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
