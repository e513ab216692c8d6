import { closeSync, openSync, statSync, writeFileSync, writeSync } from "node:fs";
import { availableParallelism } from "node:os";
import { OPEN_CAP } from "../batch/input-merge.ts";
import { isLive } from "../batch/input.ts";
import { type EngineStats, createEngine } from "../index.ts";
import { checkReferenceTables } from "../rule/reference-table.ts";
import { type Rule, type Severity, severities, severityNumber } from "../rule/rule.ts";
import { idleRules, standingQueries } from "../rule/standing.ts";
import { type Fed, type FeedOptions, feedMerged, inputFiles } from "./feed.ts";
import { endOnErrors, loadGoodRules, ruleProblemTexts } from "./load-rules.ts";
import { malformedCounts } from "./match.ts";
import { choosePipelines } from "./pipelines.ts";
import { Checkpoint, countedSince, droppedTexts } from "./checkpoint.ts";
import { tell } from "./output.ts";
import { UsageError } from "./problems.ts";
import { Settings, type SettingsFiles } from "./settings.ts";
import { Announcer, printSignals } from "./signals.ts";
import { byteSize, count, plural, safe, styled } from "./text.ts";

export interface RunOptions extends FeedOptions, SettingsFiles {
  readonly rules: readonly string[];
  readonly workers: string;
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly out?: string;
  readonly failOn?: string;
  readonly stats?: boolean;
  readonly lateness: string;
  readonly malformed?: string;
  readonly memory?: string;
  readonly deduplicate?: boolean;
  readonly checkpoint?: string;
  readonly checkpointEvery: string;
}

/** Inputs below this are judged in this thread: starting workers would cost more than it saves. */
const WORKER_INPUT_BYTES = 512 * 1024 * 1024;
/** What packed logs commonly unpack to. */
const PACKED_RATIO = 10;

/**
 * `vespid run`: rules over inputs, signals out.
 *
 * Exit code 1 when `--fail-on` was reached, 2 when an input could not be read to its end.
 */
export async function run(inputs: readonly string[], options: RunOptions): Promise<number> {
  const start = process.uptime();
  const failOn = severityOf(options.failOn);
  const latenessSeconds = secondsOf("--lateness", options.lateness);
  const checkpointSeconds = secondsOf("--checkpoint-every", options.checkpointEvery);
  const stateBytes = memoryOf(options.memory);
  const files = inputFiles(inputs);
  const workers = workersOf(options.workers, files);
  const { rules } = await loadGoodRules(options.rules);
  const settings = await loadSettings(options, rules);
  const pipelines = await choosePipelines(options, standingQueries(rules));
  warnOfIdle(rules);
  const checkpoint = options.checkpoint === undefined ? undefined : new Checkpoint(options.checkpoint, checkpointSeconds);
  const kept = options.malformed === undefined ? undefined : openSync(options.malformed, "w");
  const live = options.follow === true || (!options.json && files.some(isLive));
  const announcer = live ? new Announcer(options.json === true) : undefined;
  const engine = await createEngine({
    rules,
    pipelines: pipelines.all,
    workers,
    allowedLatenessSeconds: latenessSeconds,
    stateBytes,
    deduplicate: options.deduplicate,
    suppressions: settings.suppressions,
    securityFilters: settings.securityFilters,
    criticalAssets: settings.criticalAssets,
    referenceTables: settings.referenceTables,
    state: checkpoint?.state,
    onSignal: announcer && ((event) => announcer.hear(event)),
    onMalformed: kept === undefined ? undefined : (_reason, bytes) => {
      writeSync(kept, bytes);
      if (bytes.at(-1) !== NEWLINE) writeSync(kept, "\n");
    },
  }).catch((error: unknown) => {
    throw checkpoint?.named(error) ?? error;
  });
  if (engine.restored) {
    checkpoint!.resume(engine.restored);
    for (const text of droppedTexts(engine.restored)) tell(`${text}\n`);
  }
  const before = engine.stats();
  const stop = stopOnInterrupt(files);
  const fed = await feedMerged(files, options, {
    pipelines,
    room: () => engine.room(),
    push: async (bytes, input, file) => {
      await engine.push(bytes, { ...input, partition: file });
      checkpoint?.advance(file, bytes.length);
      if (checkpoint?.isDue) await checkpoint.write(engine);
    },
    ended: (file) => engine.end(file),
    startAt: (file, head) => checkpoint?.startAt(file, head) ?? 0,
    tooLarge: (bytes, ended, file) => {
      checkpoint?.advance(file, bytes.length, ended);
      if (kept === undefined) return;
      writeSync(kept, bytes);
      if (ended && bytes.at(-1) !== NEWLINE) writeSync(kept, "\n");
    },
  }, stop.signal);
  const state = await checkpoint?.take(engine, true);
  // What waits for time to pass waits for the next run, where there is to be one.
  const stats = countedSince(before, await engine.close({ goesOn: checkpoint !== undefined }));
  stop.done();
  if (kept !== undefined) closeSync(kept);
  const signals = engine.finalSignals().filter((signal) => !checkpoint || checkpoint.isNew(signal));
  if (options.out !== undefined) {
    const { signalsToArrow } = await import("./signals-arrow.ts");
    writeFileSync(options.out, signalsToArrow(signals));
  }
  if (!options.follow) printSignals(signals, options.json === true);
  if (state) checkpoint!.put(state);
  const seconds = process.uptime() - start;
  tell(summary(stats, fed, signals.length, seconds));
  if (options.stats) tell(`${JSON.stringify({ ...stats, malformed: malformedCounts(stats.malformed, fed.tooLarge), seconds, workers, inputs: files.length })}\n`);
  if (fed.behind) tell(`${styled("yellow", "warning", process.stderr)} ${plural(fed.behind, "input")} read after others of the same time: ${OPEN_CAP} are read at once\n`);
  for (const text of checkpoint?.texts() ?? []) tell(`${text}\n`);
  warnOfMemory(stats);
  for (const fault of fed.faults) tell(`${styled("red", "vespid:", process.stderr)} ${safe(fault)}\n`);
  if (fed.faults.length) return 2;
  return failOn !== undefined && signals.some((signal) => severityNumber(signal.severity) >= severityNumber(failOn)) ? 1 : 0;
}

const NEWLINE = 10;

function secondsOf(option: string, text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0) || text.trim() === "") throw new UsageError(`${option} ${text} is no number of seconds`);
  return seconds;
}

export function severityOf(text: string | undefined): Severity | undefined {
  if (text === undefined) return undefined;
  const severity = severities.find((each) => each === text);
  if (!severity) throw new UsageError(`--fail-on ${text} is no severity; use one of ${severities.join(", ")}`);
  return severity;
}

export function workersOf(text: string, files: readonly string[]): number {
  if (text !== "auto") {
    if (!/^\d{1,3}$/.test(text)) throw new UsageError(`--workers ${text} is no number of threads; give 0, 1, 2 ... or auto`);
    return Number(text);
  }
  const bytes = files.reduce((sum, file) => sum + (file === "-" ? 0 : (statSync(file, { throwIfNoEntry: false })?.size ?? 0) * (/\.(?:gz|zst)$/.test(file) ? PACKED_RATIO : 1)), 0);
  return bytes < WORKER_INPUT_BYTES ? 0 : Math.max(1, availableParallelism() - 1);
}

/** What stands beside the rules, with a word about tables that rules ask for in vain; an end when it has errors. */
export async function loadSettings(options: SettingsFiles, rules: readonly Rule[]): Promise<Settings> {
  const settings = new Settings(options);
  const problems = [...settings.problems, ...checkReferenceTables(rules, settings.referenceTables)];
  await endOnErrors(problems, "in what stands beside the rules; nothing was run");
  if (problems.length) for (const text of await ruleProblemTexts(problems, process.stderr)) tell(`${text}\n`);
  return settings;
}

/** Bytes of a size as people write it. */
function memoryOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([KMG]?)i?B?$/i.exec(text.trim()) ?? [];
  const bytes = Number(number) * 1024 ** " KMG".indexOf((unit || " ").toUpperCase());
  if (!(bytes >= 1024 * 1024)) throw new UsageError(`--memory ${text} is no size of 1MB or more; write it as 512MB or 2GB`);
  return Math.floor(bytes);
}

/** Whatever rules had to forget may cost a signal: that is never passed over in silence. */
function warnOfMemory({ evicted, evictedNear, refused, filtered, idsForgotten }: EngineStats): void {
  const parts = [
    ...(evicted ? [`${count(evicted)} groups or values given up${evictedNear ? `, ${count(evictedNear)} of them near a threshold` : ""}`] : []),
    ...(refused ? [`${count(refused)} matches not kept`] : []),
    ...(filtered ? [`${count(filtered)} values known by a filter only, which may miss a new one`] : []),
  ];
  if (idsForgotten) tell(`${styled("yellow", "warning", process.stderr)} ${count(idsForgotten)} ids were not remembered, so repeats may have been counted; give more with --memory\n`);
  if (parts.length) tell(`${styled("yellow", "warning", process.stderr)} rules had too little memory, so signals may be missing: ${parts.join("; ")}; give more with --memory\n`);
}

const NAMED_IDLE = 3;

/** Rules that are accepted but judge nothing are never passed over in silence. */
export function warnOfIdle(rules: readonly Rule[]): void {
  const names = new Map<string, string[]>();
  for (const { rule, reason } of idleRules(rules)) (names.get(reason) ?? names.set(reason, []).get(reason)!).push(safe(rule.name));
  for (const [reason, idle] of names) {
    const shown = idle.slice(0, NAMED_IDLE).join(", ");
    const who = idle.length === 1 ? `rule ${shown}` : `${plural(idle.length, "rule")}, ${idle.length > NAMED_IDLE ? "such as " : ""}${shown}`;
    tell(`${styled("yellow", "warning", process.stderr)} ${who}: ${reason}; ${idle.length === 1 ? "the rule does" : "they do"} nothing\n`);
  }
}

/** The first Ctrl-C ends a live input, so that its signals are still shown; the second ends the program. */
function stopOnInterrupt(files: readonly string[]): { signal: AbortSignal; done(): void } {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  if (files.some(isLive)) process.once("SIGINT", stop);
  return { signal: controller.signal, done: () => process.removeListener("SIGINT", stop) };
}

function summary(stats: EngineStats, fed: Fed, signals: number, seconds: number): string {
  const parts = [
    `${plural(stats.events, "event")}, ${byteSize(stats.bytes)} in ${seconds.toFixed(2)} s (${count(Math.round(stats.events / Math.max(seconds, 1e-3)))} events/s, ${byteSize(Math.round(stats.bytes / Math.max(seconds, 1e-3)))}/s)`,
    `${plural(signals, "signal")}`,
  ];
  const malformed = Object.entries(malformedCounts(stats.malformed, fed.tooLarge));
  if (malformed.length) parts.push(`unreadable: ${malformed.map(([reason, times]) => `${count(times)} ${reason}`).join(", ")}`);
  if (stats.lostBytes) parts.push(`set aside after a worker ended twice: ${byteSize(stats.lostBytes)}`);
  if (stats.lateDropped) parts.push(`too late to be judged: ${count(stats.lateDropped)}`);
  if (stats.duplicates) parts.push(`repeats left out: ${count(stats.duplicates)}`);
  if (stats.suppressed) parts.push(`suppressed: ${count(stats.suppressed)}`);
  if (stats.clamped) parts.push(`ahead of their arrival: ${count(stats.clamped)}`);
  if (stats.withoutTime) parts.push(`without a readable time: ${count(stats.withoutTime)}`);
  return `${parts.join("; ")}\n`;
}
