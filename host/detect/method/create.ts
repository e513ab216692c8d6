import type { Rule } from "../../rule/rule.ts";
import type { StandingQuery } from "../../rule/standing.ts";
import type { MethodDetector } from "./method.ts";
import { AnomalyDetector } from "./anomaly.ts";
import { ImpossibleTravelDetector } from "./impossible-travel.ts";
import type { EventLookup } from "./judged-events.ts";
import { Log4ShellDetector } from "./log4shell.ts";
import { NewValueDetector } from "./new-value.ts";
import { SequenceDetector } from "./sequence.ts";
import { StateBudget } from "./state-budget.ts";
import { ThirdPartyDetector } from "./third-party.ts";

export interface MethodSetup {
  readonly allowedLatenessMs: number;
  readonly events: EventLookup;
  /** What the state of all of them may take; 1 GiB by default. */
  readonly stateBytes?: number;
}

const STATE_BYTES = 1 << 30;

/** Most of a filter's use is with few values: more than this no rule needs. */
const FILTER_BYTES = 1 << 25;

/** Detectors of the rules that are judged on the host, by number of the rule. */
export function createMethods(rules: readonly Rule[], standing: readonly StandingQuery[], setup: MethodSetup): Array<MethodDetector | undefined> {
  const live = new Set(standing.map((query) => query.ruleIndex));
  const filtering = rules.filter((rule, i) => live.has(i) && rule.options.method.kind === "new_value").length;
  // Filters grow when room is shortest: their part is laid aside.
  const bytes = setup.stateBytes ?? STATE_BYTES;
  const filterBytes = Math.min(FILTER_BYTES, bytes / 8 / Math.max(1, filtering));
  const budget = new StateBudget(bytes - filterBytes * filtering);
  return rules.map((rule, i) => (live.has(i) ? createMethod(rule, { ...setup, budget, filterBytes }) : undefined));
}

function createMethod(rule: Rule, setup: MethodSetup & { readonly budget: StateBudget; readonly filterBytes: number }): MethodDetector | undefined {
  switch (rule.options.method.kind) {
    case "new_value":
      return new NewValueDetector(rule, setup);
    case "third_party":
      return new ThirdPartyDetector(rule, setup);
    case "anomaly_detection":
      return new AnomalyDetector(rule, setup);
    case "sequence_detection":
      return new SequenceDetector(rule, setup);
    case "impossible_travel":
      return new ImpossibleTravelDetector(rule, setup);
    case "hardcoded":
      return new Log4ShellDetector(rule, setup);
    default:
      return undefined;
  }
}
