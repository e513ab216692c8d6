// A rule as a job over a week of journal, beside the same events through `vespid run`: whole processes, CPU of all their threads.
//   npm run bench -- --history [--short] [--json]
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { CLOCK_PARTITION } from "../host/history/journal-source.ts";
import type { JournalEntry } from "../host/journal/contract.ts";
import { Journal } from "../host/journal/journal.ts";
import { LogSearch } from "../host/search/log-search.ts";
import { median, pairedRatio } from "./paired.ts";
import { type Measured, runProgram } from "./process-child.ts";
import { AuthLogs, writeChunks } from "./process-data.ts";
import { countFailures } from "./process-rules.ts";

const short = process.argv.includes("--short");
const MEGABYTE = 1 << 20;
const FILE_BYTES = (short ? 32 : 200) * MEGABYTE;
const ROUNDS = short ? 3 : 7;
const WEEK_MS = 7 * 86_400_000;
const TICK_MS = 30_000;
/** Bytes of an entry, as shippers' bodies are. */
const ENTRY_CHARS = 128 * 1024;

const vespid = join(import.meta.dirname, "..", "bin", "vespid.mjs");
const progress = (text: string): void => void process.stderr.write(`${text}\n`);

interface Row {
  readonly id: string;
  readonly what: string;
  readonly eventsPerCpuSecond: number;
  readonly baseline: number;
  readonly ratio: number;
  readonly must: number;
}

/** Logins of hours, drawn out to a week. */
function* week(log: AuthLogs): Generator<string> {
  const first: { ms?: number } = {};
  // Events are a twentieth of a second apart on average; a line has about 570 bytes.
  const stretch = WEEK_MS / ((FILE_BYTES / 570) * 50);
  for (const chunk of log.chunks) {
    yield chunk.replace(/"timestamp":(\d+)/g, (_, text: string) => {
      const ms = Number(text);
      first.ms ??= ms;
      return `"timestamp":${Math.round(first.ms + (ms - first.ms) * stretch)}`;
    });
  }
}

const timesOf = (text: string): number[] => [...text.matchAll(/"timestamp":(\d+)/g)].map(([, ms]) => Number(ms));

/** The same as a server would have taken them, its clock between. @returns the times of the first and of the last. */
async function writeJournal(folder: string, chunks: Iterable<string>): Promise<{ readonly firstMs: number; readonly lastMs: number }> {
  const journal = await Journal.open(folder);
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = 0;
  let tickMs = 0;
  for (const chunk of chunks) {
    const entries: JournalEntry[] = [];
    for (let at = 0; at < chunk.length; ) {
      const cut = chunk.indexOf("\n", Math.min(at + ENTRY_CHARS, chunk.length - 1)) + 1 || chunk.length;
      const text = chunk.slice(at, cut);
      const times = timesOf(text);
      firstMs = Math.min(firstMs, ...times);
      lastMs = Math.max(lastMs, ...times);
      entries.push({ profile: { format: "intake", clampAheadMs: 600_000 }, partition: "http", arrivalMs: lastMs + 1000, bytes: new TextEncoder().encode(text) });
      for (tickMs = Math.max(tickMs, lastMs - TICK_MS); tickMs + TICK_MS <= lastMs; tickMs += TICK_MS) entries.push({ profile: { format: "log" }, partition: CLOCK_PARTITION, arrivalMs: lastMs + 1000, bytes: new Uint8Array() });
      at = cut;
    }
    await journal.append(entries);
  }
  await journal.close();
  return { firstMs, lastMs };
}

function signalsOf({ stdout }: Measured): string[] {
  return stdout.split("\n").filter((line) => line !== "").sort();
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "vespid-history-"));
  const at = (name: string): string => join(folder, name);
  try {
    progress(`a week of logins: ${FILE_BYTES / MEGABYTE} MB; ${ROUNDS} rounds, alternated`);
    const log = new AuthLogs(FILE_BYTES);
    writeChunks(at("week.ndjson"), week(log));
    const { firstMs, lastMs } = await writeJournal(at("journal"), week(new AuthLogs(FILE_BYTES)));
    writeFileSync(at("rules.json"), JSON.stringify([countFailures(10)]));
    const common = ["--rules", at("rules.json"), "--pack", "none", "--workers", "0", "--json", "--stats"];
    const run = (): Promise<Measured> => runProgram([vespid, "run", ...common, "--format", "intake", at("week.ndjson")]);
    const job = (...range: string[]) => (): Promise<Measured> => runProgram([vespid, "history", "run", ...common, "--data", at("journal"), ...range]);
    const bounds = ["--from", String(firstMs), "--to", String(lastMs + 1)];
    const expected = signalsOf(await run());
    const rows: Row[] = [];
    const beside = async (id: string, what: string, over: () => Promise<Measured>, must: number): Promise<void> => {
      const found = signalsOf(await over());
      if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${what}: ${found.length} signals that are not the ${expected.length} of vespid run`);
      const ours: number[] = [];
      const theirs: number[] = [];
      for (let i = 0; i < ROUNDS; i++) {
        ours.push((await over()).cpuMs);
        theirs.push((await run()).cpuMs);
      }
      const perSecond = (cpuMs: readonly number[]): number => log.events / (median(cpuMs) / 1000);
      rows.push({ id, what, eventsPerCpuSecond: perSecond(ours), baseline: perSecond(theirs), ratio: pairedRatio(theirs, ours), must });
      progress(`  ${what}: ${rows.at(-1)!.ratio.toFixed(2)}`);
    };
    progress(`${expected.length} signals`);
    await beside("H1", "all of the journal / vespid run", job(), 0.6);
    await beside("H2", "a range, no index of times / vespid run", job(...bounds), 0.5);
    const search = new LogSearch(at("journal"));
    await search.tend();
    await search.close();
    await beside("H3", "a range, as a server has indexed it / vespid run", job(...bounds), 0.6);
    report(rows, log.events, statSync(at("week.ndjson")).size);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(rows: readonly Row[], events: number, bytes: number): void {
  const machine = { cpu: cpus()[0]?.model ?? "unknown", node: process.version, events, bytes };
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify({ machine, rows })}\n`);
  else {
    process.stdout.write(`${machine.cpu}, Node ${machine.node}; events of a CPU second, whole processes, medians of alternated runs\n`);
    for (const { id, what, eventsPerCpuSecond, baseline, ratio, must } of rows) {
      process.stdout.write(`${id.padEnd(4)}${what.padEnd(52)}${Math.round(eventsPerCpuSecond).toString().padStart(10)}${Math.round(baseline).toString().padStart(10)}${ratio.toFixed(2).padStart(8)}  must >= ${must}  ${ratio >= must ? "ok" : "BELOW"}\n`);
    }
  }
  if (short) return;
  const record = join(import.meta.dirname, "record");
  mkdirSync(record, { recursive: true });
  writeFileSync(join(record, "history.json"), `${JSON.stringify({ machine, rows }, null, 1)}\n`);
}

await main();
