import type { LogEvent, Queryable } from "../event/event.ts";
import { matches } from "../query/matches.ts";
import type { QueryNode } from "../query/tree.ts";
import { type Severity, severities, severityNumber } from "../rule/rule.ts";

/** What a critical asset does to the severity of signals that touch it. */
export interface CriticalAsset {
  readonly ruleNode: QueryNode;
  readonly node: QueryNode;
  readonly action: "increase" | "decrease" | "no-op" | Severity;
}

/** Published table for signals of which every `env` is staging, test or dev. */
const lowered: Readonly<Record<Severity, Severity>> = { critical: "high", high: "medium", medium: "info", low: "info", info: "info" };
const NON_PRODUCTION = /^(?:staging|test|dev)/;

/** Case severity, then critical assets (the highest result wins), then the environment decrement. */
export function signalSeverity(base: Severity, assets: readonly CriticalAsset[], ruleEvent: LogEvent, signal: Queryable, decreaseByEnv: boolean): Severity {
  const results = assets
    .filter((asset) => matches(asset.ruleNode, ruleEvent) && matches(asset.node, signal))
    .map((asset) => shifted(base, asset.action));
  const highest = results.reduce<Severity | undefined>((best, each) => (!best || severityNumber(each) > severityNumber(best) ? each : best), undefined);
  const severity = highest ?? base;
  if (!decreaseByEnv) return severity;
  const environments = (signal.tags ?? []).filter((tag) => tag.startsWith("env:")).map((tag) => tag.slice(4));
  return environments.length && environments.every((env) => NON_PRODUCTION.test(env)) ? lowered[severity] : severity;
}

function shifted(base: Severity, action: CriticalAsset["action"]): Severity {
  const number = severityNumber(base);
  switch (action) {
    case "increase":
      return severities[Math.min(severities.length - 1, number + 1)]!;
    case "decrease":
      return severities[Math.max(0, number - 1)]!;
    case "no-op":
      return base;
    case "info":
    case "low":
    case "medium":
    case "high":
    case "critical":
      return action;
  }
}
