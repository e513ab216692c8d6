// All shipped rules, with their pipelines, beside the hundred rules of the bench over the same events: CPU and wall time of whole processes.
//   npm run bench -- --all-rules [--short] [--json]
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { createMatcher } from "../host/matcher.ts";
import { readPackRules } from "../host/pack-rules.ts";
import { loadPacks } from "../host/packs.ts";
import { standingQueries } from "../host/rule/standing.ts";
import { corpus } from "./corpus.ts";
import { median, pairedRatio } from "./paired.ts";
import { type Measured, runProgram } from "./process-child.ts";
import { benchRules, ruleWire } from "./rules.ts";

const short = process.argv.includes("--short");
const MEGABYTE = 1 << 20;
const FILE_BYTES = (short ? 32 : 200) * MEGABYTE;
const ROUNDS = short ? 3 : 7;
/** All rules may cost so many times what the hundred do. */
const MUST = 1.5;
const PIECE_BYTES = MEGABYTE;
const REPEAT_MS = 30 * 60_000;
const ARRIVAL_MS = Date.parse("2026-03-01T00:00:00Z");

const root = join(import.meta.dirname, "..");
const vespid = [join(root, "bin", "vespid.mjs"), "run", "--json", "--stats"];
const recording = join(root, "..", "shared", "data", "cloudtrail-invictus", "events.jsonl.gz");
const progress = (text: string): void => void process.stderr.write(`${text}\n`);

interface Stats {
  readonly events: number;
  readonly matches: number;
  readonly slowRows: number;
  readonly signals: number;
}

interface Sample {
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** What one side took: medians in ns an event, its start counted. */
interface Side {
  readonly cpuNs: number;
  readonly wallNs: number;
  readonly startMs: number;
  readonly matchesPerEvent: number;
  readonly signals: number;
  /** Percent of events that were not read on columns from their bytes: by the exact parser, or made one by one. */
  readonly slowPercent: number;
}

interface Row {
  readonly workload: string;
  readonly what: string;
  readonly events: number;
  readonly hundred: Side;
  readonly all: Side;
  /** CPU time of whole processes, all rules by the hundred; the same without what starting takes. */
  readonly ratio: number;
  readonly ratioStarted: number;
  readonly must: number;
}

interface Program {
  readonly args: readonly string[];
  /** CPU ms over no events, a sample a round. */
  readonly starts: number[];
}

/** Recorded CloudTrail again and again, each time later. */
function recorded(bytes: number): string {
  const events = gunzipSync(readFileSync(recording)).toString().trimEnd().split("\n").map((line) => JSON.parse(line) as { readonly eventTime: string });
  const lines: string[] = [];
  for (let size = 0, turn = 0; size < bytes; turn++) {
    for (const event of events) {
      const eventTime = new Date(Date.parse(event.eventTime) + turn * REPEAT_MS).toISOString().replace(".000Z", "Z");
      const line = `${JSON.stringify({ ddsource: "cloudtrail", ...event, eventTime })}\n`;
      lines.push(line);
      size += line.length;
    }
  }
  return lines.join("");
}

/** The events of a log that no query of a shipped rule finds. */
async function unasked(log: Uint8Array): Promise<Uint8Array> {
  const packs = await loadPacks();
  const queries = standingQueries(packs.flatMap(({ name }) => readPackRules(name))).map(({ query }) => query);
  const matcher = await createMatcher({ queries, pipelines: packs.flatMap(({ pipelines }) => pipelines) });
  const kept: string[] = [];
  const lines = Buffer.from(log).toString().trimEnd().split("\n");
  const step = Math.ceil(lines.length / Math.ceil(log.length / PIECE_BYTES));
  for (let at = 0; at < lines.length; at += step) {
    const piece = lines.slice(at, at + step);
    const found = new Set((await matcher.match(Buffer.from(`${piece.join("\n")}\n`), { format: "intake", arrivalMs: ARRIVAL_MS })).map(({ index }) => index));
    kept.push(...piece.filter((_, i) => !found.has(i)).map((line) => `${line}\n`));
  }
  await matcher.close();
  return Buffer.from(kept.join(""));
}

function statsOf({ stderr }: Measured): Stats {
  const line = stderr.split("\n").find((each) => each.startsWith('{"events"'));
  if (line === undefined) throw new Error(`no counts: ${stderr}`);
  return JSON.parse(line) as Stats;
}

async function timed({ args }: Program, file: string): Promise<{ readonly ran: Measured; readonly sample: Sample }> {
  const start = performance.now();
  const ran = await runProgram([...vespid, ...args, file]);
  return { ran, sample: { cpuMs: ran.cpuMs, wallMs: performance.now() - start } };
}

function sideOf(samples: readonly Sample[], stats: Stats, { starts }: Program): Side {
  const perEvent = (ms: number): number => (ms * 1e6) / stats.events;
  return {
    cpuNs: perEvent(median(samples.map(({ cpuMs }) => cpuMs))), wallNs: perEvent(median(samples.map(({ wallMs }) => wallMs))), startMs: median(starts),
    matchesPerEvent: stats.matches / stats.events, signals: stats.signals, slowPercent: (stats.slowRows / stats.events) * 100,
  };
}

/** Both programs over a file in turn, and over nothing; each has run before, for its counts. */
async function compare(workload: string, what: string, file: string, empty: string, hundred: Program, all: Program): Promise<Row> {
  progress(`${workload}: ${what}`);
  const stats = [statsOf((await timed(hundred, file)).ran), statsOf((await timed(all, file)).ran)] as const;
  if (stats[0].events !== stats[1].events) throw new Error(`${stats[0].events} and ${stats[1].events} events of the same file`);
  const samples = [[], []] as [Sample[], Sample[]];
  for (let i = 0; i < ROUNDS; i++) {
    for (const [side, program] of [hundred, all].entries()) {
      program.starts.push((await timed(program, empty)).sample.cpuMs);
      samples[side]!.push((await timed(program, file)).sample);
    }
  }
  const cpu = samples.map((side) => side.map(({ cpuMs }) => cpuMs)) as [number[], number[]];
  const [few, many] = [sideOf(samples[0], stats[0], hundred), sideOf(samples[1], stats[1], all)];
  return {
    workload, what, events: stats[0].events, hundred: few, all: many, must: MUST, ratio: 1 / pairedRatio(cpu[0], cpu[1]),
    ratioStarted: 1 / pairedRatio(cpu[0].map((ms) => ms - few.startMs), cpu[1].map((ms) => ms - many.startMs)),
  };
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "vespid-all-rules-"));
  const written = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  try {
    const packs = await loadPacks();
    const names = packs.map(({ name }) => name);
    const rules = names.flatMap(readPackRules);
    const hundred: Program = { args: ["--pack", "none", "--rules", written("100.json", JSON.stringify(benchRules(100).map(ruleWire)))], starts: [] };
    const all: Program = { args: ["--pack", "all", ...names.flatMap((name) => ["--rules", `pack:${name}`])], starts: [] };
    const empty = written("empty.ndjson", "");
    const mix = corpus("mix", FILE_BYTES);
    progress(`${rules.length} rules of ${packs.length} packs beside 100; ${FILE_BYTES / MEGABYTE} MB a file, ${ROUNDS} rounds, alternated`);
    const rows: Row[] = [
      await compare("quiet", "events of the mix that no shipped rule asks about", written("quiet.ndjson", await unasked(mix)), empty, hundred, all),
      await compare("mix", "the bench's mix: each login asked about by three rules, a third of them failing", written("mix.ndjson", mix), empty, hundred, all),
    ];
    if (existsSync(recording)) rows.push(await compare("recorded", "CloudTrail of an account under attack, repeated", written("recorded.ndjson", recorded(FILE_BYTES)), empty, hundred, all));
    else progress(`recorded is skipped: ${recording} is absent`);
    report(rows, rules.length);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(rows: readonly Row[], rules: number): void {
  const machine = { cpu: cpus()[0]?.model ?? "unknown", node: process.version, rules };
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify({ machine, rows })}\n`);
  else {
    process.stdout.write(`${machine.cpu}, Node ${machine.node}; ${rules} rules beside 100; whole processes, medians of alternated runs\n`);
    for (const { workload, what, events, hundred, all, ratio, ratioStarted, must } of rows) {
      process.stdout.write(`${workload}: ${what}, ${events} events\n`);
      for (const [name, side] of [["100 rules", hundred], ["all rules", all]] as const) {
        process.stdout.write(`  ${name}  CPU ${side.cpuNs.toFixed(0).padStart(7)} ns/event  wall ${side.wallNs.toFixed(0).padStart(7)} ns/event  start ${side.startMs.toFixed(0).padStart(5)} ms  ${side.matchesPerEvent.toFixed(2).padStart(5)} matches/event  ${side.signals} signals  ${side.slowPercent.toFixed(1)} % not on columns\n`);
      }
      process.stdout.write(`  ratio ${ratio.toFixed(2)} (${ratioStarted.toFixed(2)} once started)  must <= ${must}  ${ratio <= must ? "ok" : "ABOVE"}\n`);
    }
  }
  if (short) return;
  const record = join(import.meta.dirname, "record");
  mkdirSync(record, { recursive: true });
  writeFileSync(join(record, "all-rules.json"), `${JSON.stringify({ machine, rows }, null, 1)}\n`);
}

await main();
