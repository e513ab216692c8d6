import { Census, type Group, type RuleCensus } from "./census.ts";
import type { EngineInput, EngineStats } from "./pipeline.ts";
import { type DetectionSetup, DetectionPipeline } from "./pipeline.ts";
import { type Rule, type Severity, severityNumber } from "./rule/rule.ts";
import { type Sensitivity, sensitivityOf } from "./rule/sensitivity.ts";
import { idleReason, standingQueries } from "./rule/standing.ts";
import type { Signal } from "./signal/signal.ts";
import { type TimeAxis, TimeCounts, timeAxis } from "./time-counts.ts";

/** What a rule would have done over the logs it was run over. */
export interface RuleBacktest {
  readonly rule: Rule;
  /** Why it judged nothing; undefined when it did. */
  readonly idle: string | undefined;
  readonly census: RuleCensus;
  readonly signals: number;
  /** In the order of the rule's cases; those that named no signal have none. */
  readonly byCase: readonly CaseBacktest[];
  /** Most signals first, then most events; also groups that only had events. */
  readonly byGroup: readonly GroupBacktest[];
  readonly groupsWithSignals: number;
  readonly times: TimeCounts;
  /** What was turned, and what came of each setting; no more than one row where nothing can be turned. */
  readonly dial: string | undefined;
  readonly sensitivity: readonly TurnedBacktest[];
}

export interface CaseBacktest {
  readonly caseName: string;
  readonly severity: Severity;
  readonly signals: number;
  readonly events: number;
  readonly firstMs?: number;
  readonly lastMs?: number;
}

export interface GroupBacktest {
  readonly group: Group;
  readonly signals: number;
  /** Gravest of its signals. */
  readonly severity?: Severity;
  /** Events the rule's queries matched for it. */
  readonly events: number;
}

export interface TurnedBacktest {
  readonly factor: number;
  readonly setting: string;
  readonly signals: number;
  readonly groups: number;
  /** Gravest severity first; none without a signal. */
  readonly bySeverity: Readonly<Partial<Record<Severity, number>>>;
}

export interface BacktestResult {
  readonly stats: EngineStats;
  readonly rules: readonly RuleBacktest[];
  /** Buckets that show every matched event and every signal; undefined when nothing matched. */
  axis(most: number): TimeAxis | undefined;
}

export type BacktestSetup = Omit<DetectionSetup, "onMatches" | "onSignal" | "onSuppressed">;

/** Runs rules, and each of them with its dial turned, over logs in one pass of one engine. */
export class Backtest {
  readonly #rules: readonly Rule[];
  readonly #pipeline: DetectionPipeline;
  readonly #census: Census;
  readonly #sensitivities: readonly Sensitivity[];

  static async create(setup: BacktestSetup): Promise<Backtest> {
    const sensitivities = setup.rules.map((rule) => sensitivityOf(rule));
    const turned = sensitivities.flatMap((each) => [...new Set(each.turned.map(({ rule }) => rule))]).filter((rule) => !setup.rules.includes(rule));
    const rules = [...setup.rules, ...turned];
    const census = new Census(setup.rules, standingQueries(rules));
    const pipeline = await DetectionPipeline.create({ ...setup, rules, onSignal() {}, onMatches: (matches, firstEvent) => census.count(matches, firstEvent) });
    return new Backtest(setup.rules, pipeline, census, sensitivities);
  }

  private constructor(rules: readonly Rule[], pipeline: DetectionPipeline, census: Census, sensitivities: readonly Sensitivity[]) {
    this.#rules = rules;
    this.#pipeline = pipeline;
    this.#census = census;
    this.#sensitivities = sensitivities;
  }

  push(bytes: Uint8Array, input: EngineInput): Promise<void> {
    return this.#pipeline.push(bytes, input);
  }

  end(partition: string): void {
    this.#pipeline.end(partition);
  }

  async close(): Promise<BacktestResult> {
    const all = await this.#pipeline.close();
    const byRule = new Map<string, Signal[]>();
    for (const signal of this.#pipeline.signals) (byRule.get(signal.ruleId) ?? byRule.set(signal.ruleId, []).get(signal.ruleId)!).push(signal);
    const rules = this.#rules.map((rule, i) => this.#ruleResult(rule, i, byRule));
    const stats = { ...all, signals: rules.reduce((sum, { signals }) => sum + signals, 0) };
    return { stats, rules, axis: (most) => timeAxis([this.#census.times, ...rules.map(({ times }) => times)], most) };
  }

  #ruleResult(rule: Rule, index: number, byRule: ReadonlyMap<string, readonly Signal[]>): RuleBacktest {
    const signals = byRule.get(rule.id) ?? [];
    const times = new TimeCounts();
    for (const signal of signals) times.add(signal.firstSeenMs);
    const { dial, turned } = this.#sensitivities[index]!;
    const byGroup = this.#byGroup(index, signals);
    return {
      rule, idle: idleReason(rule), census: this.#census.of(index), signals: signals.length, byCase: byCase(rule, signals), byGroup,
      groupsWithSignals: byGroup.filter((each) => each.signals > 0).length, times, dial,
      sensitivity: turned.map(({ factor, setting, rule: each }) => ({ factor, setting, ...tally(byRule.get(each.id) ?? []) })),
    };
  }

  /** Groups as signals show them: those of `groupSignalsBy` where the rule has it. */
  #byGroup(index: number, signals: readonly Signal[]): GroupBacktest[] {
    const { groupSignalsBy } = this.#rules[index]!;
    const shown = (group: Group): Group => (groupSignalsBy.length ? Object.fromEntries(Object.entries(group).filter(([name]) => groupSignalsBy.includes(name))) : group);
    const found = new Map<string, { -readonly [Name in keyof GroupBacktest]: GroupBacktest[Name] }>();
    const entry = (group: Group) => {
      const key = JSON.stringify(group);
      return found.get(key) ?? found.set(key, { group, signals: 0, events: 0 }).get(key)!;
    };
    for (const { group, events } of this.#census.groups(index)) entry(shown(group)).events += events;
    for (const signal of signals) {
      const each = entry(signal.group);
      each.signals++;
      if (!each.severity || severityNumber(signal.severity) > severityNumber(each.severity)) each.severity = signal.severity;
    }
    const keys = new Map([...found].map(([key, each]) => [each, key]));
    return [...found.values()].sort((a, b) => b.signals - a.signals || b.events - a.events || (keys.get(a)! < keys.get(b)! ? -1 : 1));
  }
}

function tally(signals: readonly Signal[]): Pick<TurnedBacktest, "signals" | "groups" | "bySeverity"> {
  const bySeverity: Partial<Record<Severity, number>> = {};
  for (const { severity } of signals.toSorted((a, b) => severityNumber(b.severity) - severityNumber(a.severity))) bySeverity[severity] = (bySeverity[severity] ?? 0) + 1;
  return { signals: signals.length, groups: new Set(signals.map(({ group }) => JSON.stringify(group))).size, bySeverity };
}

/** By case and severity: what an asset or environment moved stands apart. Cases no signal came of come too. */
function byCase(rule: Rule, signals: readonly Signal[]): CaseBacktest[] {
  const found = new Map<string, { -readonly [Name in keyof CaseBacktest]: CaseBacktest[Name] }>();
  const entry = (caseName: string, severity: Severity) => {
    const key = JSON.stringify([caseName, severity]);
    return found.get(key) ?? found.set(key, { caseName, severity, signals: 0, events: 0 }).get(key)!;
  };
  for (const each of rule.cases) entry(each.name, each.severity);
  for (const signal of signals) {
    const each = entry(signal.caseName, signal.severity);
    each.signals++;
    each.events += signal.eventsMatched;
    each.firstMs = Math.min(each.firstMs ?? Number.POSITIVE_INFINITY, signal.firstSeenMs);
    each.lastMs = Math.max(each.lastMs ?? Number.NEGATIVE_INFINITY, signal.lastSeenMs);
  }
  return [...found.values()];
}
