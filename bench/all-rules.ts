// All shipped rules, without and with their pipelines, beside the hundred rules of the bench over the same events: CPU and wall time of whole processes.
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
const FILE_BYTES = (short ? 32 : 100) * MEGABYTE;
const ROUNDS = short ? 3 : 5;
/** All rules may cost so many times what the hundred do. */
const MUST = 1.5;
const PIECE_BYTES = MEGABYTE;
const BEGINNING_BYTES = 2 * MEGABYTE;
const NEWLINE = 10;
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

/** What one side took, medians. */
interface Side {
  readonly name: string;
  /** ns an event of whole processes. */
  readonly cpuNs: number;
  readonly wallNs: number;
  /** The same of what a long file takes beyond a short one: without starting, and without compiling rules and pipelines. */
  readonly onwardNs: number;
  readonly matchesPerEvent: number;
  readonly signals: number;
  /** Percent of events that were not read on columns from their bytes: by the exact parser, or made one by one. */
  readonly slowPercent: number;
  /** CPU time by that of the hundred rules: of whole processes, and onward. */
  readonly ratio: number;
  readonly ratioOnward: number;
}

interface Row {
  readonly workload: string;
  readonly what: string;
  readonly events: number;
  readonly sides: readonly Side[];
  readonly must: number;
}

interface Program {
  readonly name: string;
  readonly args: readonly string[];
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

/** The programs over a file in turn, and over its beginning; each has run before, for its counts. The first is what the others are held against. */
async function compare(folder: string, programs: readonly Program[], workload: string, what: string, log: Uint8Array): Promise<Row> {
  progress(`${workload}: ${what}`);
  const files = [join(folder, `${workload}.ndjson`), join(folder, `${workload}-beginning.ndjson`)] as const;
  writeFileSync(files[0], log);
  writeFileSync(files[1], log.subarray(0, log.indexOf(NEWLINE, BEGINNING_BYTES) + 1));
  const stats: Stats[] = [];
  const beginnings: number[] = [];
  for (const program of programs) {
    stats.push(statsOf((await timed(program, files[0])).ran));
    beginnings.push(statsOf((await timed(program, files[1])).ran).events);
  }
  const { events } = stats[0]!;
  if (stats.some((each) => each.events !== events)) throw new Error(`${stats.map((each) => each.events).join(" and ")} events of the same file`);
  const whole: Sample[][] = programs.map(() => []);
  const onward: number[][] = programs.map(() => []);
  for (let i = 0; i < ROUNDS; i++) {
    for (const [p, program] of programs.entries()) {
      const beginning = await timed(program, files[1]);
      const all = await timed(program, files[0]);
      whole[p]!.push(all.sample);
      onward[p]!.push(all.sample.cpuMs - beginning.sample.cpuMs);
    }
  }
  const cpu = whole.map((samples) => samples.map(({ cpuMs }) => cpuMs));
  const sides = programs.map(({ name }, p): Side => ({
    name, cpuNs: perEvent(cpu[p]!, events), wallNs: perEvent(whole[p]!.map(({ wallMs }) => wallMs), events), onwardNs: perEvent(onward[p]!, events - beginnings[p]!),
    matchesPerEvent: stats[p]!.matches / events, signals: stats[p]!.signals, slowPercent: (stats[p]!.slowRows / events) * 100,
    ratio: 1 / pairedRatio(cpu[0]!, cpu[p]!), ratioOnward: 1 / pairedRatio(onward[0]!, onward[p]!),
  }));
  return { workload, what, events, sides, must: MUST };
}

function perEvent(ms: readonly number[], events: number): number {
  return (median(ms) * 1e6) / events;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "vespid-all-rules-"));
  try {
    const packs = await loadPacks();
    const names = packs.map(({ name }) => name);
    const rules = names.flatMap(readPackRules);
    const hundred = join(folder, "100.json");
    writeFileSync(hundred, JSON.stringify(benchRules(100).map(ruleWire)));
    const shipped = names.flatMap((name) => ["--rules", `pack:${name}`]);
    const programs: readonly Program[] = [
      { name: "100 rules", args: ["--pack", "none", "--rules", hundred] },
      { name: "all rules", args: ["--pack", "none", ...shipped] },
      { name: "all rules and pipelines", args: ["--pack", "all", ...shipped] },
    ];
    progress(`${rules.length} rules of ${packs.length} packs beside 100; ${FILE_BYTES / MEGABYTE} MB a file, ${ROUNDS} rounds, alternated`);
    const mix = corpus("mix", FILE_BYTES);
    const rows = [
      await compare(folder, programs, "quiet", "events of the mix that no shipped rule asks about, again and again", repeated(await unasked(mix), FILE_BYTES)),
      await compare(folder, programs, "mix", "the bench's mix: each login is asked about by three rules, and a third of them fail", mix),
    ];
    if (existsSync(recording)) rows.push(await compare(folder, programs, "recorded", "CloudTrail of an account under attack, again and again", Buffer.from(recorded(FILE_BYTES))));
    else progress(`recorded is skipped: ${recording} is absent`);
    report(rows, rules.length);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function repeated(log: Uint8Array, bytes: number): Uint8Array {
  return Buffer.concat(Array.from({ length: Math.ceil(bytes / log.length) }, () => log));
}

function report(rows: readonly Row[], rules: number): void {
  const machine = { cpu: cpus()[0]?.model ?? "unknown", node: process.version, rules, megabytes: FILE_BYTES / MEGABYTE, rounds: ROUNDS };
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify({ machine, rows })}\n`);
  else {
    process.stdout.write(`${machine.cpu}, Node ${machine.node}; ${rules} rules beside 100; medians of alternated runs, ns/event\n`);
    process.stdout.write(`${"".padEnd(28)}${"CPU".padStart(8)}${"wall".padStart(8)}${"onward".padStart(8)}${"ratio".padStart(8)}${"onward".padStart(8)}  must <= ${MUST}, onward\n`);
    for (const { workload, what, events, sides, must } of rows) {
      process.stdout.write(`${workload}: ${what}, ${events} events\n`);
      for (const side of sides) {
        const numbers = [side.cpuNs.toFixed(0), side.wallNs.toFixed(0), side.onwardNs.toFixed(0), side.ratio.toFixed(2), side.ratioOnward.toFixed(2)].map((text) => text.padStart(8)).join("");
        process.stdout.write(`  ${side.name.padEnd(26)}${numbers}  ${side.ratioOnward <= must ? "ok   " : "ABOVE"}  ${side.matchesPerEvent.toFixed(2)} matches/event, ${side.signals} signals, ${side.slowPercent.toFixed(1)} % not on columns\n`);
      }
    }
  }
  if (short) return;
  const record = join(import.meta.dirname, "record");
  mkdirSync(record, { recursive: true });
  writeFileSync(join(record, "all-rules.json"), `${JSON.stringify({ machine, rows }, null, 1)}\n`);
}

await main();
