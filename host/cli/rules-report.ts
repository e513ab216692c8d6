import { Census } from "../census.ts";
import { type Executor } from "../engine/executor.ts";
import { Flow } from "../batch/flow.ts";
import { createExecutor } from "../matcher.ts";
import { attack } from "../mitre/attack.ts";
import { type Density, coverageOf } from "../mitre/coverage.ts";
import { contentFolder } from "../packs.ts";
import { DetectionPipeline, type EngineInput } from "../pipeline.ts";
import { type Rule, type Severity, severities, severityNumber } from "../rule/rule.ts";
import { type StandingQuery, idleReason, standingQueries } from "../rule/standing.ts";
import type { Pipeline } from "../event/pipeline/pipeline.ts";
import { type FeedOptions, feedMerged, inputFiles } from "./feed.ts";
import { loadGoodRules } from "./load-rules.ts";
import { choosePipelines } from "./pipelines.ts";
import { UsageError } from "./problems.ts";
import { loadSettings, workersOf } from "./run.ts";
import type { SettingsFiles } from "./settings.ts";
import { coloured, count, cut, jsonLine, plural, safe, styled, table, timeText } from "./text.ts";

export interface RulesReportOptions extends FeedOptions, SettingsFiles {
  readonly rules: readonly string[];
  readonly against: readonly string[];
  readonly quiet?: string;
  readonly workers: string;
  readonly lateness: string;
  readonly cost: boolean;
  readonly json?: boolean;
  readonly maxFalse?: string;
}

/** What came of one rule. */
export interface RuleQuality {
  readonly rule: string;
  readonly rule_id: string;
  readonly method: string;
  readonly severity: Severity | null;
  readonly pack: string | null;
  /** `fired`: it opened a signal. `matched`: its queries matched, no more. `silent`: nothing. `idle`: it judges nothing. */
  readonly outcome: "fired" | "matched" | "silent" | "idle";
  readonly idle?: string;
  readonly signals: number;
  readonly events_matched: number;
  /** Signals that began in the quiet period; null where none was named. */
  readonly quiet_signals: number | null;
  /** Of what all rules cost, each alone with the pipelines that it needs; null where it was not measured. */
  readonly cost_percent: number | null;
}

/** Everything the table and the JSON tell. Times are ISO 8601. */
export interface QualityReport {
  readonly events: number;
  readonly signals: number;
  readonly signals_per_500_events: number;
  readonly outcomes: Readonly<Record<RuleQuality["outcome"], number>>;
  readonly by_severity: Readonly<Partial<Record<Severity, number>>>;
  readonly quiet: { readonly from: string; readonly to: string; readonly signals: number; readonly rules: number } | null;
  readonly coverage: { readonly version: string; readonly techniques: number; readonly watched: number; readonly fired: number; readonly density: Readonly<Record<Density, number>> };
  /** Noisiest first. */
  readonly rules: readonly RuleQuality[];
}

/** Bytes of the logs that costs are measured over. */
const SAMPLE_BYTES = 256 * 1024;
const ROUNDS = 3;
const NAME_CELLS = 48;

interface Piece {
  readonly bytes: Uint8Array;
  readonly input: EngineInput;
}

/** `vespid rules report`: what rules are worth over recorded logs. Exit code 1 when a rule has more signals in the quiet period than `--max-false`. */
export async function rulesReport(inputs: readonly string[], options: RulesReportOptions): Promise<number> {
  const quiet = options.quiet === undefined ? undefined : periodOf(options.quiet);
  if (options.maxFalse !== undefined && (!/^\d{1,9}$/.test(options.maxFalse) || !quiet)) throw new UsageError("--max-false is a whole number, and goes with --quiet FROM..TO");
  const latenessSeconds = Number(options.lateness);
  if (!(latenessSeconds >= 0) || options.lateness.trim() === "") throw new UsageError(`--lateness ${options.lateness} is no number of seconds`);
  const files = inputFiles([...options.against, ...inputs]);
  const { rules } = await loadGoodRules(options.rules);
  const settings = await loadSettings(options, rules);
  const standing = standingQueries(rules);
  const pipelines = await choosePipelines(options, standing);
  const census = new Census(rules, standing);
  const begins = new Map<string, { readonly ruleId: string; readonly firstMs: number; readonly severity: Severity }>();
  const engine = await DetectionPipeline.create({
    rules, pipelines: pipelines.all, suppressions: settings.suppressions, securityFilters: settings.securityFilters, criticalAssets: settings.criticalAssets, referenceTables: settings.referenceTables,
    workers: workersOf(options.workers, files), variant: "simd", allowedLatenessMs: latenessSeconds * 1000, onMatches: (matches, firstEvent) => census.count(matches, firstEvent),
    onSignal: ({ signal, gone = [] }) => {
      begins.set(signal.id, { ruleId: signal.ruleId, firstMs: signal.firstSeenMs, severity: signal.severity });
      for (const { id } of gone) begins.delete(id);
    },
  });
  const pieces: Piece[] = [];
  let sampled = 0;
  const fed = await feedMerged(files, options, {
    pipelines,
    push: async (bytes, input, file) => {
      if (options.cost && sampled < SAMPLE_BYTES) {
        const some = bytes.length <= SAMPLE_BYTES ? bytes.slice() : bytes.slice(0, bytes.lastIndexOf(10, SAMPLE_BYTES) + 1 || bytes.length);
        pieces.push({ bytes: some, input });
        sampled += some.length;
      }
      await engine.push(bytes, { ...input, partition: file });
    },
    ended: (file) => engine.end(file),
  });
  const stats = await engine.close();
  const costs = options.cost ? await costsOf(rules, standing, pipelines.all, pieces) : undefined;
  const report = reportOf(rules, [...begins.values()], (i) => census.of(i).events, { events: stats.events, quiet, costs });
  process.stdout.write(options.json ? jsonLine(report) : `${textOf(report)}\n`);
  for (const fault of fed.faults) process.stderr.write(`${styled("red", "vespid:", process.stderr)} ${safe(fault)}\n`);
  if (fed.faults.length) return 2;
  const most = options.maxFalse === undefined ? Number.POSITIVE_INFINITY : Number(options.maxFalse);
  return report.rules.some((rule) => (rule.quiet_signals ?? 0) > most) ? 1 : 0;
}

interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

/** @param text `2026-03-01..2026-03-02T12:00Z`; without an offset it is UTC */
function periodOf(text: string): Period {
  const [from = "", to = "", ...more] = text.split("..");
  const time = (part: string): number => (/^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?$/.test(part) ? Date.parse(part.includes("T") ? `${part}Z` : part) : Date.parse(part));
  const [fromMs, toMs] = [time(from), time(to)];
  if (more.length || !(fromMs < toMs)) throw new UsageError(`--quiet ${safe(text)} is no period; write it as 2026-03-01..2026-03-02, or with times: 2026-03-01T08:00Z..2026-03-01T18:00Z`);
  return { fromMs, toMs };
}

export interface ReportFacts {
  readonly events: number;
  readonly quiet: Period | undefined;
  /** By rule, in any unit. */
  readonly costs: readonly number[] | undefined;
}

/** The report, of what came. */
export function reportOf(rules: readonly Rule[], signals: ReadonlyArray<{ readonly ruleId: string; readonly firstMs: number; readonly severity: Severity }>, eventsOf: (index: number) => number, { events, quiet, costs }: ReportFacts): QualityReport {
  const isQuiet = (ms: number): boolean => quiet !== undefined && ms >= quiet.fromMs && ms < quiet.toMs;
  const all = costs?.reduce((sum, each) => sum + each, 0) ?? 0;
  const quality = rules.map((rule, i): RuleQuality => {
    const own = signals.filter(({ ruleId }) => ruleId === rule.id);
    const idle = idleReason(rule);
    const matched = eventsOf(i);
    return {
      rule: rule.name, rule_id: rule.id, method: rule.options.detectionMethod, severity: rule.cases.map(({ severity }) => severity).toSorted((a, b) => severityNumber(b) - severityNumber(a))[0] ?? null, pack: rule.pack ?? null,
      outcome: idle !== undefined ? "idle" : own.length ? "fired" : matched ? "matched" : "silent", ...(idle === undefined ? {} : { idle }),
      signals: own.length, events_matched: matched, quiet_signals: quiet ? own.filter(({ firstMs }) => isQuiet(firstMs)).length : null,
      cost_percent: costs && all > 0 ? Math.round((1000 * costs[i]!) / all) / 10 : null,
    };
  });
  const outcomes = { fired: 0, matched: 0, silent: 0, idle: 0 };
  for (const { outcome } of quality) outcomes[outcome]++;
  const fired = new Set(quality.filter(({ outcome }) => outcome === "fired").map(({ rule_id: id }) => id));
  const mitre = attack(contentFolder());
  const watched = coverageOf(mitre, rules);
  const seen = coverageOf(mitre, rules.filter(({ id }) => fired.has(id)));
  return {
    events, signals: signals.length, signals_per_500_events: events ? Math.round((500_000 * signals.length) / events) / 1000 : 0, outcomes,
    by_severity: Object.fromEntries(severities.toReversed().flatMap((severity) => {
      const many = signals.filter((signal) => signal.severity === severity).length;
      return many ? [[severity, many]] : [];
    })),
    quiet: quiet ? { from: new Date(quiet.fromMs).toISOString(), to: new Date(quiet.toMs).toISOString(), signals: quality.reduce((sum, each) => sum + each.quiet_signals!, 0), rules: quality.filter((each) => each.quiet_signals! > 0).length } : null,
    coverage: { version: watched.version, techniques: watched.total, watched: watched.covered, fired: seen.covered, density: watched.counts },
    rules: quality.toSorted((a, b) => b.signals - a.signals || b.events_matched - a.events_matched || (a.rule_id < b.rule_id ? -1 : 1)),
  };
}

function textOf({ events, signals, signals_per_500_events: rate, outcomes, quiet, coverage, rules, by_severity: bySeverity }: QualityReport): string {
  const shown = rules.filter(({ outcome }) => outcome === "fired" || outcome === "matched");
  const right = (name: string) => ({ name, align: "right" as const });
  const hasCost = rules.some((each) => each.cost_percent !== null);
  const lines = [
    `${plural(rules.length, "rule")} over ${plural(events, "event")}: ${outcomes.fired} fired, ${outcomes.matched} matched and stayed silent, ${outcomes.silent} never matched, ${outcomes.idle} idle`,
    `${plural(signals, "signal")}, ${rate} for 500 events${Object.keys(bySeverity).length ? `: ${Object.entries(bySeverity).map(([severity, many]) => coloured(severity as Severity, `${many} ${severity}`)).join(", ")}` : ""}`,
    ...(quiet ? [`quiet from ${timeText(Date.parse(quiet.from))} to ${timeText(Date.parse(quiet.to))}: ${plural(quiet.signals, "false positive")} of ${plural(quiet.rules, "rule")}`] : []),
    `ATT&CK ${coverage.version}: ${coverage.watched} of ${coverage.techniques} techniques watched, ${coverage.fired} of them seen here`,
  ];
  if (shown.length) {
    lines.push("", table(["RULE", "SEVERITY", right("SIGNALS"), right("EVENTS"), ...(quiet ? [right("FALSE")] : []), ...(hasCost ? [right("COST")] : []), "ID"], shown.map((each) => [
      cut(safe(each.rule), NAME_CELLS), each.severity ?? "-", count(each.signals), count(each.events_matched), ...(quiet ? [count(each.quiet_signals ?? 0)] : []), ...(hasCost ? [`${(each.cost_percent ?? 0).toFixed(1)} %`] : []), safe(each.rule_id),
    ])));
  }
  const dear = hasCost ? rules.toSorted((a, b) => (b.cost_percent ?? 0) - (a.cost_percent ?? 0)).slice(0, 5).filter((each) => (each.cost_percent ?? 0) > 0) : [];
  if (dear.length) lines.push("", `dearest: ${dear.map((each) => `${safe(each.rule_id)} ${(each.cost_percent ?? 0).toFixed(1)} %`).join(", ")}`);
  for (const outcome of ["silent", "idle"] as const) {
    const ids = rules.filter((each) => each.outcome === outcome).map(({ rule_id: id }) => safe(id)).sort();
    if (ids.length) lines.push("", `${outcome === "silent" ? "never matched" : "idle"}: ${ids.join(", ")}`);
  }
  return lines.join("\n");
}

/** Nanoseconds each rule takes alone over the sample, the pipelines that it needs among it, beyond reading; never below nothing. */
async function costsOf(rules: readonly Rule[], standing: readonly StandingQuery[], pipelines: readonly Pipeline[], pieces: readonly Piece[]): Promise<readonly number[]> {
  const reading = await timeOf([], pipelines, pieces);
  const costs: number[] = [];
  for (let i = 0; i < rules.length; i++) {
    const own = standing.filter(({ ruleIndex }) => ruleIndex === i).map((query, id) => ({ ...query, id }));
    costs.push(own.length ? Math.max(0, (await timeOf(own, pipelines, pieces)) - reading) : 0);
  }
  return costs;
}

async function timeOf(standing: readonly StandingQuery[], pipelines: readonly Pipeline[], pieces: readonly Piece[]): Promise<number> {
  const executor: Executor = await createExecutor({ standing, pipelines, variant: "simd" }, 0);
  const flow = new Flow(executor, {
    onMatches() {},
    onMalformed() {},
    onLost(_bytes, _profile, error) {
      throw error;
    },
  });
  // A short log is read over and over, so that the clock has something to see.
  const repeats = Math.ceil(SAMPLE_BYTES / Math.max(1, pieces.reduce((sum, { bytes }) => sum + bytes.length, 0)));
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    for (let i = 0; i < repeats; i++) for (const { bytes, input: { arrivalMs, partition, ...profile } } of pieces) await flow.push(bytes, profile, arrivalMs, partition);
    await flow.flush();
    best = Math.min(best, performance.now() - startMs);
  }
  await executor.close();
  return best * 1e6;
}
