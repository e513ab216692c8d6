import { Census, type Group, type RuleCensus } from "./census.ts";
import { type DetectionSetup, DetectionPipeline, type EngineInput, type EngineStats } from "./pipeline.ts";
import { type Rule, type Severity, severityNumber } from "./rule/rule.ts";
import { type Sensitivity, sensitivityOf } from "./rule/sensitivity.ts";
import { signalSources } from "./rule/signal-source.ts";
import { idleReason, standingQueries } from "./rule/standing.ts";
import type { Signal } from "./signal/signal.ts";
import { type TimeAxis, TimeCounts, timeAxis } from "./time-counts.ts";
import { type SensitivityTable, sensitivityTable, turnedRules } from "./turned.ts";

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
  readonly sensitivity: SensitivityTable;
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

export interface BacktestResult {
  readonly stats: EngineStats;
  readonly rules: readonly RuleBacktest[];
  /** Buckets that show every matched event and every signal; undefined when nothing matched. */
  axis(most: number): TimeAxis | undefined;
}

export type BacktestSetup = Omit<DetectionSetup, "onMatches" | "onSignal" | "onSuppressed">;

/**
 * Runs rules, and each of them with its dial turned, over logs in one pass.
 *
 * One engine does it, but for rules that search the signals of all others: they must not see those of turned rules. These are
 * then turned in a second engine, beside the first in the same pass.
 */
export class Backtest {
  readonly #rules: readonly Rule[];
  readonly #pipelines: readonly DetectionPipeline[];
  readonly #census: Census;
  readonly #sensitivities: readonly Sensitivity[];

  static async create(setup: BacktestSetup): Promise<Backtest> {
    const sensitivities = setup.rules.map((rule) => sensitivityOf(rule));
    const turnedOf = (i: number): Rule[] => turnedRules(setup.rules[i]!, sensitivities[i]!);
    const searched = searchedRules(setup.rules);
    const isSeen = setup.rules.map((rule) => searched?.has(rule) ?? false);
    const rules = [...setup.rules, ...setup.rules.flatMap((_, i) => (isSeen[i] ? [] : turnedOf(i)))];
    const census = new Census(setup.rules, standingQueries(rules));
    const pipelines = [await DetectionPipeline.create({ ...setup, rules, onSignal() {}, onMatches: (matches, firstEvent) => census.count(matches, firstEvent) })];
    const apart = setup.rules.flatMap((_, i) => (isSeen[i] ? turnedOf(i) : []));
    // Rules that count the signals of one other find it there too.
    if (apart.length) pipelines.push(await DetectionPipeline.create({ ...setup, rules: [...setup.rules.filter((_, i) => isSeen[i]), ...apart], onSignal() {} }));
    return new Backtest(setup.rules, pipelines, census, sensitivities);
  }

  private constructor(rules: readonly Rule[], pipelines: readonly DetectionPipeline[], census: Census, sensitivities: readonly Sensitivity[]) {
    this.#rules = rules;
    this.#pipelines = pipelines;
    this.#census = census;
    this.#sensitivities = sensitivities;
  }

  async push(bytes: Uint8Array, input: EngineInput): Promise<void> {
    for (const pipeline of this.#pipelines) await pipeline.push(bytes, input);
  }

  end(partition: string): void {
    for (const pipeline of this.#pipelines) pipeline.end(partition);
  }

  async close(): Promise<BacktestResult> {
    const [first, ...others] = this.#pipelines;
    const all = await first!.close();
    for (const pipeline of others) await pipeline.close();
    const byRule = new Map<string, Signal[]>();
    const own = new Set(this.#rules.map((rule) => rule.id));
    for (const signal of [...first!.signals, ...others.flatMap((pipeline) => pipeline.signals.filter(({ ruleId }) => !own.has(ruleId)))]) (byRule.get(signal.ruleId) ?? byRule.set(signal.ruleId, []).get(signal.ruleId)!).push(signal);
    const rules = this.#rules.map((rule, i) => this.#ruleResult(rule, i, byRule));
    const stats = { ...all, signals: rules.reduce((sum, { signals }) => sum + signals, 0) };
    return { stats, rules, axis: (most) => timeAxis([this.#census.times, ...rules.map(({ times }) => times)], most) };
  }

  #ruleResult(rule: Rule, index: number, byRule: ReadonlyMap<string, readonly Signal[]>): RuleBacktest {
    const signals = byRule.get(rule.id) ?? [];
    const times = new TimeCounts();
    for (const signal of signals) times.add(signal.firstSeenMs);
    const byGroup = this.#byGroup(index, signals);
    return {
      rule, idle: idleReason(rule), census: this.#census.of(index), signals: signals.length, byCase: byCase(rule, signals), byGroup,
      groupsWithSignals: byGroup.filter((each) => each.signals > 0).length, times,
      sensitivity: sensitivityTable(rule, this.#sensitivities[index]!, (id) => byRule.get(id) ?? []),
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

/** The rules whose signals a search may see; undefined where nothing searches. Rules that lean on a search are never seen. */
function searchedRules(rules: readonly Rule[]): ReadonlySet<Rule> | undefined {
  const sources = signalSources(rules);
  const search = rules.flatMap((rule) => rule.queries).find((query) => query.dataSource === "security_signals" && query.correlation === undefined);
  return search && sources.get(search);
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
