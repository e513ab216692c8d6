import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { HistoryIndex, HistoryRequest } from "../history/contract.ts";
import { judgeJournal } from "../history/journal-run.ts";
import { snapshotOf } from "../history/journal-source.ts";
import { HistoryJudge } from "../history/judge.ts";
import { withSources } from "../history/needed.ts";
import type { EngineStats } from "../index.ts";
import type { Rule } from "../rule/rule.ts";
import { standingQueries } from "../rule/standing.ts";
import { readTimeBound } from "../search/time-text.ts";
import { type Signal, signalText } from "../signal/signal.ts";
import { type FeedOptions, feedMerged, inputFiles } from "./feed.ts";
import { endOnErrors, loadGoodRules, loadRuleFiles } from "./load-rules.ts";
import { choosePipelines } from "./pipelines.ts";
import { UsageError } from "./problems.ts";
import { Progress } from "./progress.ts";
import { loadSettings, warnOfIdle, workersOf } from "./run.ts";
import { selectRules } from "./select-rules.ts";
import type { SettingsFiles } from "./settings.ts";
import { printSignals } from "./signals.ts";
import { byteSize, count, plural, safe, safeLine, styled } from "./text.ts";

export interface HistoryOptions extends FeedOptions, SettingsFiles {
  readonly rules?: readonly string[];
  readonly rule?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly data: string;
  readonly index: HistoryIndex;
  readonly json?: boolean;
  readonly out?: string;
  readonly workers: string;
  readonly lateness: string;
  readonly stats?: boolean;
}

/** What a run over either came to. */
interface Ran {
  readonly signals: readonly Signal[];
  readonly stats: EngineStats;
  readonly cancelled: boolean;
  /** What could not be read. */
  readonly faults: readonly string[];
}

/** Journals below this are judged in this thread: starting workers would cost more than it saves. Packed. */
const WORKER_JOURNAL_BYTES = 64 * 1024 * 1024;
/** What a server judged by last, as `served-rules.ts` keeps it. */
const GOOD_FILE = "rules.good.json";

/** `vespid history run`: exit code 2 when something could not be read, or it was interrupted. */
export async function historyRun(inputs: readonly string[], options: HistoryOptions): Promise<number> {
  const startMs = performance.now();
  const nowMs = Date.now();
  const bound = (name: "from" | "to", otherwise: number): number => (options[name] === undefined ? otherwise : readTimeBound(options[name], nowMs, `--${name}`));
  const [fromMs, toMs] = [bound("from", Number.NEGATIVE_INFINITY), bound("to", Number.POSITIVE_INFINITY)];
  if (fromMs >= toMs) throw new UsageError("--from is not before --to");
  const lateness = Number(options.lateness);
  if (!(lateness >= 0) || options.lateness.trim() === "") throw new UsageError(`--lateness ${safe(options.lateness)} is no number of seconds`);
  const known = await rulesOf(options);
  const judged = selectRules(known, options.rule).map((rule) => (options.rule?.length ? { ...rule, isEnabled: true } : rule));
  const rules = withSources(judged, known);
  warnOfIdle(judged);
  const settings = await loadSettings(options, rules);
  const pipelines = await choosePipelines(inputs.length ? options : { pipelines: options.pipelines, pack: options.pack ?? ["all"], geoip: options.geoip }, standingQueries(rules));
  const request: HistoryRequest = {
    setup: {
      rules, pipelines: pipelines.all, allowedLatenessSeconds: lateness, suppressions: settings.suppressions, securityFilters: settings.securityFilters,
      criticalAssets: settings.criticalAssets, referenceTables: settings.referenceTables,
    },
    judged: judged.map(({ id }) => id), fromMs, toMs, index: options.index,
  };
  const ran = inputs.length ? await overFiles(inputs, options, request, pipelines) : await overJournal(options, request);
  const { signals, stats } = ran;
  if (ran.cancelled) {
    process.stderr.write("interrupted: nothing is shown of what was not judged to its end\n");
    return 2;
  }
  if (options.out !== undefined) writeFileSync(options.out, options.out.endsWith(".arrow") ? (await import("./signals-arrow.ts")).signalsToArrow(signals) : signals.map((signal) => safeLine(signalText(signal))).join(""));
  if (options.out === undefined || options.json) printSignals(signals, options.json === true);
  const seconds = (performance.now() - startMs) / 1000;
  process.stderr.write(`${plural(stats.events, "event")}, ${byteSize(stats.bytes)} in ${seconds.toFixed(2)} s (${count(Math.round(stats.events / Math.max(seconds, 1e-3)))} events/s); ${plural(signals.length, "signal")}${stats.lateDropped ? `; too late to be judged: ${count(stats.lateDropped)}` : ""}\n`);
  if (options.stats) process.stderr.write(`${JSON.stringify({ ...stats, seconds, signals: signals.length })}\n`);
  for (const fault of ran.faults) process.stderr.write(`${styled("red", "vespid:", process.stderr)} ${safe(fault)}\n`);
  return ran.faults.length ? 2 : 0;
}

async function overJournal(options: HistoryOptions, request: HistoryRequest): Promise<Ran> {
  const inside = join(options.data, "journal");
  const snapshot = snapshotOf(existsSync(inside) ? inside : options.data);
  const bytes = snapshot.segments.reduce((sum, { endOffset }) => sum + endOffset, 0);
  const workers = options.workers === "auto" ? (bytes < WORKER_JOURNAL_BYTES ? 0 : Math.max(1, availableParallelism() - 1)) : workersOf(options.workers, []);
  const progress = new Progress(bytes);
  progress.begin("journal");
  let shown = 0;
  let mayGoOn = true;
  const stop = (): void => void (mayGoOn = false);
  process.once("SIGINT", stop);
  let found: Pick<Ran, "signals" | "stats"> | undefined;
  try {
    const { cancelled, damaged } = await judgeJournal({ ...request, workers }, snapshot, {
      mayGoOn: () => mayGoOn,
      onProgress(share) {
        progress.advance((share - shown) * bytes);
        shown = share;
      },
      onDone: (judge) => (found = { signals: judge.finalSignals(), stats: judge.stats }),
    });
    const faults = damaged ? [`${plural(damaged, "place")} of the journal cannot be read; see vespid journal verify`] : [];
    return { signals: [], stats: {} as EngineStats, ...found, cancelled, faults };
  } finally {
    progress.end();
    process.removeListener("SIGINT", stop);
  }
}

async function overFiles(inputs: readonly string[], options: HistoryOptions, request: HistoryRequest, pipelines: Awaited<ReturnType<typeof choosePipelines>>): Promise<Ran> {
  const files = inputFiles(inputs);
  const judge = await HistoryJudge.create({ ...request, workers: workersOf(options.workers, files) });
  const fed = await feedMerged(files, options, {
    pipelines,
    push: (bytes, { arrivalMs, ...profile }, file) => judge.take({ bytes, profile, arrivalMs, partition: file }),
    ended: (file) => judge.end(file),
  });
  const stats = await judge.finish();
  return { signals: judge.finalSignals(), stats, cancelled: false, faults: fed.faults };
}

/** Those named, or those a server last judged by. */
async function rulesOf({ rules, data }: HistoryOptions): Promise<readonly Rule[]> {
  if (rules?.length) return (await loadGoodRules(rules)).rules;
  let kept: { readonly rules: readonly string[]; readonly texts: Readonly<Record<string, string>> };
  try {
    kept = JSON.parse(readFileSync(join(data, GOOD_FILE), "utf8")) as typeof kept;
  } catch {
    throw new UsageError(`${safe(data)} holds no rules that a server judged by; name some with --rules`);
  }
  const loaded = loadRuleFiles(kept.rules, (file) => kept.texts[file] ?? "");
  await endOnErrors(loaded.problems, "in the rules the server kept; nothing was run");
  return loaded.rules;
}
