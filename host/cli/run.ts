import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createEngine } from "../index.ts";
import { readCriticalAssets, readSecurityFilters, readSuppressions } from "../rule/guards.ts";
import { type Severity, severities, severityNumber } from "../rule/rule.ts";
import { type Signal, signalJson } from "../signal/signal.ts";
import { type FeedOptions, feed, inputFiles } from "./feed.ts";
import { loadGoodRules } from "./load-rules.ts";
import { UsageError } from "./problems.ts";
import { byteSize, coloured, count, cut, safe, table, timeText } from "./text.ts";

export interface RunOptions extends FeedOptions {
  readonly rules: readonly string[];
  readonly workers: string;
  readonly json?: boolean;
  readonly out?: string;
  readonly failOn?: string;
  readonly stats?: boolean;
  readonly lateness: string;
  readonly suppressions?: string;
  readonly securityFilters?: string;
  readonly criticalAssets?: string;
  readonly malformed?: string;
}

/** Inputs below this are judged in this thread: starting workers would cost more than it saves. */
const WORKER_INPUT_BYTES = 64 << 20;

function workersOf(text: string, inputs: readonly string[]): number {
  if (text !== "auto") {
    if (!/^\d{1,3}$/.test(text)) throw new UsageError(`--workers ${text} is no number; give 0, 1, 2 ... or auto`);
    return Number(text);
  }
  let bytes = 0;
  for (const input of inputs) {
    try {
      bytes += input === "-" ? 0 : readFileSizeBytes(input);
    } catch {
      bytes += 0; // a glob or a missing file: said later, by whoever reads it
    }
  }
  return bytes < WORKER_INPUT_BYTES ? 0 : Math.max(1, availableParallelism() - 1);
}

function readFileSizeBytes(path: string): number {
  return (process.getBuiltinModule("node:fs") as typeof import("node:fs")).statSync(path).size;
}

function listFile(path: string | undefined): readonly unknown[] {
  if (path === undefined) return [];
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`${path} is not readable as JSON: ${(error as Error).message}`);
  }
  return Array.isArray(value) ? value : [value];
}

/** `vespid run`: rules over inputs, signals out. Exit code 1 when `--fail-on` was reached. */
export async function run(inputs: readonly string[], options: RunOptions): Promise<number> {
  const failOn = options.failOn;
  if (failOn !== undefined && !severities.includes(failOn as Severity)) throw new UsageError(`--fail-on ${failOn} is no severity; use one of ${severities.join(", ")}`);
  const lateness = Number(options.lateness);
  if (!(lateness >= 0)) throw new UsageError(`--lateness ${options.lateness} is no number of seconds`);
  const startMs = Date.now();
  const rules = await loadGoodRules(options.rules);
  const following = inputs.length === 0 || inputs.includes("-");
  if (options.malformed) writeFileSync(options.malformed, "");
  const engine = await createEngine({
    rules,
    workers: workersOf(options.workers, inputs),
    allowedLatenessSeconds: lateness,
    suppressions: readSuppressions(listFile(options.suppressions)),
    securityFilters: options.securityFilters ? readSecurityFilters(listFile(options.securityFilters)) : undefined,
    criticalAssets: readCriticalAssets(listFile(options.criticalAssets)),
    onSignal: ({ kind, signal }) => {
      if (following && kind === "opened") announce(signal, options.json === true);
    },
    onMalformed: options.malformed ? (_reason, bytes) => appendFileSync(options.malformed!, Buffer.concat([bytes, Buffer.from("\n")])) : undefined,
  });
  await feed(inputFiles(inputs), options, { push: (bytes, input) => engine.push(bytes, input) });
  const stats = await engine.close();
  const signals = engine.finalSignals();
  if (options.json && !following) writeAll(signals.map((signal) => `${JSON.stringify(signalJson(signal))}\n`));
  if (options.out) {
    const { signalsToArrow } = await import("../batch/signals-arrow.ts");
    writeFileSync(options.out, signalsToArrow(signals));
  }
  if (!options.json && !following) process.stdout.write(`${signalTable(signals)}\n`);
  const seconds = (Date.now() - startMs) / 1000;
  const malformed = Object.entries(stats.malformed).map(([reason, n]) => `${count(n)} ${reason}`).join(", ");
  process.stderr.write(
    `${count(stats.events)} events, ${byteSize(stats.bytes)}, ${count(stats.matches)} matches, ${count(signals.length)} signals in ${seconds.toFixed(2)} s` +
      ` (${count(Math.round(stats.events / Math.max(seconds, 0.001)))} events/s)` +
      `${malformed === "" ? "" : `; unreadable: ${malformed}`}${stats.lateDropped ? `; too late: ${count(stats.lateDropped)}` : ""}` +
      `${stats.suppressed ? `; suppressed: ${count(stats.suppressed)}` : ""}\n`);
  if (options.stats) process.stderr.write(`${JSON.stringify(stats)}\n`);
  return failOn !== undefined && signals.some((signal) => severityNumber(signal.severity) >= severityNumber(failOn as Severity)) ? 1 : 0;
}

function writeAll(lines: readonly string[]): void {
  for (let i = 0; i < lines.length; i += 1000) process.stdout.write(lines.slice(i, i + 1000).join(""));
}

function groupText(signal: Signal): string {
  return Object.entries(signal.group).map(([field, value]) => `${field}:${value}`).join(" ");
}

function announce(signal: Signal, json: boolean): void {
  process.stdout.write(json
    ? `${JSON.stringify(signalJson(signal))}\n`
    : `${coloured(signal.severity, signal.severity.padEnd(8))}  ${timeText(signal.firstSeenMs)}  ${safe(signal.title)}  ${safe(groupText(signal))}\n`);
}

/** Signals as people read them: the gravest first, then by time. */
export function signalTable(signals: readonly Signal[]): string {
  if (!signals.length) return "no signals";
  const sorted = [...signals].sort((a, b) => severityNumber(b.severity) - severityNumber(a.severity) || a.firstSeenMs - b.firstSeenMs);
  const rows = sorted.map((signal) => [
    signal.severity, timeText(signal.firstSeenMs), cut(safe(signal.title), 56), cut(safe(groupText(signal)), 48), count(signal.eventsMatched),
  ]);
  return table(["SEVERITY", "FIRST SEEN", "SIGNAL", "GROUP", "EVENTS"], rows, (text, row, column) => (row >= 0 && column === 0 ? coloured(sorted[row]!.severity, text) : text));
}
