import { type Rule, type Severity, severityNumber } from "./rule/rule.ts";
import type { Sensitivity } from "./rule/sensitivity.ts";
import type { Signal } from "./signal/signal.ts";

/** What came of a rule at one setting of its dial. */
export interface TurnedBacktest {
  readonly factor: number;
  /** What the dial says then, as the rule would write it. */
  readonly setting: string;
  readonly signals: number;
  readonly groups: number;
  /** Gravest severity first; none without a signal. */
  readonly bySeverity: Readonly<Partial<Record<Severity, number>>>;
}

/** How loud a rule would be if it were stricter or milder. */
export interface SensitivityTable {
  /** What is turned; undefined where nothing can be. */
  readonly dial: string | undefined;
  /** Why nothing can be turned. */
  readonly fixed: string | undefined;
  /** One row for each factor, the rule's own (1) among them; that one alone where nothing can be turned. */
  readonly settings: readonly TurnedBacktest[];
}

/** The rules that have to run beside a rule to know its table, each once. */
export function turnedRules(rule: Rule, { turned }: Sensitivity): Rule[] {
  return [...new Set(turned.map((each) => each.rule))].filter((each) => each !== rule);
}

/** @param signalsOf all signals of the rule of an id, in their final state */
export function sensitivityTable(rule: Rule, { dial, turned }: Sensitivity, signalsOf: (ruleId: string) => readonly Signal[]): SensitivityTable {
  return { dial, fixed: dial === undefined ? whyFixed(rule) : undefined, settings: turned.map(({ factor, setting, rule: { id } }) => ({ factor, setting, ...tally(signalsOf(id)) })) };
}

function tally(signals: readonly Signal[]): Pick<TurnedBacktest, "signals" | "groups" | "bySeverity"> {
  const bySeverity: Partial<Record<Severity, number>> = {};
  for (const { severity } of signals.toSorted((a, b) => severityNumber(b.severity) - severityNumber(a.severity))) bySeverity[severity] = (bySeverity[severity] ?? 0) + 1;
  return { signals: signals.length, groups: new Set(signals.map(({ group }) => JSON.stringify(group))).size, bySeverity };
}

function whyFixed({ options: { method, detectionMethod } }: Rule): string {
  switch (method.kind) {
    case "third_party":
    case "hardcoded":
      return `${detectionMethod} judges each event by itself`;
    case "impossible_travel":
      return "speed and distance of impossible_travel are fixed, and no locations are learned";
    default:
      return "no condition of it holds a number that could be moved";
  }
}
