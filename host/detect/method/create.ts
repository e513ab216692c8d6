import type { Rule } from "../../rule/rule.ts";
import type { StandingQuery } from "../../rule/standing.ts";
import type { MethodDetector } from "./method.ts";
import { AnomalyDetector } from "./anomaly.ts";
import { ImpossibleTravelDetector } from "./impossible-travel.ts";
import type { EventLookup } from "./judged-events.ts";
import { Log4ShellDetector } from "./log4shell.ts";
import { NewValueDetector } from "./new-value.ts";
import { SequenceDetector } from "./sequence.ts";
import { ThirdPartyDetector } from "./third-party.ts";

export interface MethodSetup {
  readonly allowedLatenessMs: number;
  readonly events: EventLookup;
}

/** Detectors of the rules that are judged on the host, by number of the rule. */
export function createMethods(rules: readonly Rule[], standing: readonly StandingQuery[], setup: MethodSetup): Array<MethodDetector | undefined> {
  const live = new Set(standing.map((query) => query.ruleIndex));
  return rules.map((rule, i) => (live.has(i) ? createMethod(rule, setup) : undefined));
}

function createMethod(rule: Rule, setup: MethodSetup): MethodDetector | undefined {
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
