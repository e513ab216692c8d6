import type { Census } from "../census.ts";
import type { Rule } from "../rule/rule.ts";
import type { Signal } from "../signal/signal.ts";
import { count, safe, styled } from "./text.ts";

/** What the tests of rules leave unproven. Disabled rules are not counted. */
export interface CoverageReport {
  readonly rules: number;
  readonly tested: number;
  readonly both_ways: number;
  readonly queries: number;
  readonly queries_matched: number;
  readonly cases: number;
  readonly cases_reached: number;
  /** Ids of rules. */
  readonly untested: readonly string[];
  readonly without_positive: readonly string[];
  readonly without_negative: readonly string[];
  readonly never_matched: ReadonlyArray<{ readonly rule: string; readonly query: string }>;
  readonly never_reached: ReadonlyArray<{ readonly rule: string; readonly case: string }>;
}

/** Notes which queries some sample or log matched, and which cases some signal named. */
export class Coverage {
  readonly #rules: readonly Rule[];
  readonly #matched = new Map<Rule, Set<string>>();
  readonly #reached = new Map<Rule, Set<number>>();
  /** Were logs played at all? Samples alone reach no case. */
  hasPlayed = false;

  constructor(rules: readonly Rule[]) {
    this.#rules = rules.filter((rule) => rule.isEnabled);
    for (const rule of rules) {
      this.#matched.set(rule, new Set());
      this.#reached.set(rule, new Set());
    }
  }

  matched(rule: Rule, label: string): void {
    this.#matched.get(rule)?.add(label);
  }

  /** @param index of the rule among those counted. */
  counted(rule: Rule, index: number, census: Census): void {
    this.hasPlayed = true;
    const { method } = rule.options;
    const first = method.kind === "third_party" ? method.rootQueries.length : 0;
    const { perQuery } = census.of(index);
    rule.queries.forEach((query, i) => {
      if (perQuery[first + i]) this.matched(rule, query.label);
    });
  }

  /** A signal as it was when it opened or was extended. */
  reached(rule: Rule, signal: Pick<Signal, "caseName" | "severity">): void {
    const alike = rule.cases.flatMap((each, i) => (each.name === signal.caseName ? [i] : []));
    const index = alike.length > 1 ? (alike.find((i) => rule.cases[i]!.severity === signal.severity) ?? alike[0]!) : alike[0];
    if (index !== undefined) this.#reached.get(rule)?.add(index);
  }

  report(): CoverageReport {
    const rules = this.#rules;
    const isTested = (rule: Rule): boolean => rule.tests.length + rule.scenarios.length > 0;
    const shows = (rule: Rule, expected: boolean): boolean => rule.tests.some((test) => test.expected === expected) || rule.scenarios.some(({ signals }) => signals.length > 0 === expected);
    const tested = rules.filter(isTested);
    const neverMatched = rules.flatMap((rule) => rule.queries.filter((query) => !this.#matched.get(rule)!.has(query.label)).map((query) => ({ rule: rule.id, query: query.label })));
    const neverReached = rules.flatMap((rule) => rule.cases.flatMap((each, i) => (this.#reached.get(rule)!.has(i) ? [] : [{ rule: rule.id, case: each.name || `${i + 1}` }])));
    const [queries, cases] = [rules.reduce((sum, rule) => sum + rule.queries.length, 0), rules.reduce((sum, rule) => sum + rule.cases.length, 0)];
    return {
      rules: rules.length, tested: tested.length, both_ways: tested.filter((rule) => shows(rule, true) && shows(rule, false)).length,
      queries, queries_matched: queries - neverMatched.length, cases, cases_reached: cases - neverReached.length,
      untested: rules.filter((rule) => !isTested(rule)).map((rule) => rule.id),
      without_positive: tested.filter((rule) => !shows(rule, true)).map((rule) => rule.id), without_negative: tested.filter((rule) => !shows(rule, false)).map((rule) => rule.id),
      never_matched: neverMatched, never_reached: neverReached,
    };
  }
}

const NAMED = 6;

/** The report in a line, and below it what is missing, by name. */
export function coverageText(report: CoverageReport, hasPlayed: boolean): string {
  const cases = hasPlayed ? `${count(report.cases_reached)} of ${count(report.cases)} cases reached` : "no logs played, so no case reached";
  const lines = [`coverage: ${count(report.tested)} of ${count(report.rules)} rules tested, ${count(report.both_ways)} both ways; ${count(report.queries_matched)} of ${count(report.queries)} queries matched; ${cases}`];
  const names = (list: readonly string[]): string => `${list.slice(0, NAMED).map(safe).join(", ")}${list.length > NAMED ? ` and ${count(list.length - NAMED)} more` : ""}`;
  const missing: ReadonlyArray<readonly [string, readonly string[]]> = [
    ["without a test", report.untested], ["nothing shows what must match", report.without_positive], ["nothing shows what must not match", report.without_negative],
    ["queries never matched", report.never_matched.map(({ rule, query }) => `${rule} ${query}`)],
    ["cases never reached", hasPlayed ? report.never_reached.map((each) => `${each.rule} ${each.case}`) : []],
  ];
  for (const [what, list] of missing) if (list.length) lines.push(`    ${styled("yellow", what)}: ${names(list)}`);
  return lines.join("\n");
}
