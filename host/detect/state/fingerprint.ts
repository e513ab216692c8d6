import { createHash, hash } from "node:crypto";
import type { Rule } from "../../rule/rule.ts";
import { signalSources } from "../../rule/signal-source.ts";

/** Bytes of a fingerprint. */
export const FINGERPRINT_BYTES = 16;

/**
 * What a rule's state hangs on, in 16 bytes: its queries, conditions, groups, evaluation window and the options of its method.
 *
 * Name, message, tags, severities, notifications, version, keep alive and maximum duration may change without the state losing its
 * meaning. Suppressions, security filters and tables stand beside rules: they count from when they are changed. A content anomaly
 * alone, as Datadog documents it, learns from day 0 again whatever of it is edited.
 */
export function fingerprintOf(rule: Rule): Uint8Array {
  const { method, evaluationWindowMs } = rule.options;
  const cases = rule.cases.map((each) => [each.conditionText, each.condition === undefined, each.percentile, each.query]);
  const parts: unknown[] = [rule.type, method, evaluationWindowMs, rule.queries, cases, rule.filters, rule.groupSignalsBy, rule.referenceTables, rule.calculatedFields];
  if (method.kind === "content_anomaly") parts.push(everythingElse(rule));
  // Where in its text a part of a query stands says nothing of its meaning; the text itself is in the tree.
  const text = JSON.stringify(parts, (name, value: unknown) => (name === "span" || name === "text" ? undefined : value));
  return hash("sha256", text, "buffer").subarray(0, FINGERPRINT_BYTES);
}

/** What people may edit of a rule beside what it detects; not how often they did, which files do not say. */
function everythingElse({ name, message, tags, hasExtendedTitle, cases, options }: Rule): unknown {
  return [name, message, tags, hasExtendedTitle, cases.map((each) => [each.name, each.severity, each.notifications]), options];
}

/** By number of the rule; state of a rule that reads signals hangs on the rules they are of as well. */
export function fingerprintsOf(rules: readonly Rule[]): Uint8Array[] {
  const sources = signalSources(rules);
  const known = new Map<Rule, Uint8Array>();
  const of = (rule: Rule): Uint8Array => {
    let fingerprint = known.get(rule);
    if (fingerprint) return fingerprint;
    fingerprint = fingerprintOf(rule);
    // Told before the sources are asked for: rules that read each other in a circle are refused elsewhere.
    known.set(rule, fingerprint);
    const read = [...new Set(rule.queries.flatMap((query) => [...(sources.get(query) ?? [])]))];
    if (read.length) {
      const joined = createHash("sha256").update(fingerprint);
      for (const source of read) joined.update(`${source.id} `).update(of(source));
      known.set(rule, (fingerprint = joined.digest().subarray(0, FINGERPRINT_BYTES)));
    }
    return fingerprint;
  };
  return rules.map(of);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
