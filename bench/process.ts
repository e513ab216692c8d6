// Whole processes beside each other: what a person waits and pays for, starting and reading included.
//   npm run bench -- --process [--short] [--json]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { corpus } from "./corpus.ts";
import { median, pairedRatio } from "./paired.ts";
import { type Measured, runProgram } from "./process-child.ts";
import { AuthLogs, sprayLines, writeChunks } from "./process-data.ts";
import { type CloudRule, bruteForce, cloudColumns, cloudRules, countFailures, manyUsers } from "./process-rules.ts";
import { benchRules, ruleWire } from "./rules.ts";

const short = process.argv.includes("--short");
const MEGABYTE = 1 << 20;
const FILE_BYTES = (short ? 32 : 200) * MEGABYTE;
const MEMORY_BYTES = [(short ? 50 : 200) * MEGABYTE, (short ? 200 : 1024) * MEGABYTE] as const;
const ROUNDS = short ? 3 : 7;
/** A user with more failures than this in the whole log stands in the answer of the group count. */
const MORE_THAN = 14;
/** Users that the failures of each address are spread over. */
const SPRAYED = [100_000, 1000] as const;

const root = join(import.meta.dirname, "..");
const vespid = [join(root, "bin", "vespid.mjs"), "run"];
const baseline = (name: string): string => join(import.meta.dirname, "baseline", name);

interface Row {
  readonly id: string;
  readonly what: string;
  readonly unit: "ns/event" | "MB";
  readonly ours: number;
  readonly baseline: number;
  readonly ratio: number;
  readonly must: number;
  readonly lowerIsBetter?: boolean;
}

const progress = (text: string): void => void process.stderr.write(`${text}\n`);

/** Two programs in turn; each has run before, for its answer. */
async function pairs(ours: () => Promise<Measured>, theirs: () => Promise<Measured>): Promise<{ ours: number[]; theirs: number[] }> {
  const cpu = { ours: [] as number[], theirs: [] as number[] };
  for (let i = 0; i < ROUNDS; i++) {
    cpu.ours.push((await ours()).cpuMs);
    cpu.theirs.push((await theirs()).cpuMs);
  }
  return cpu;
}

interface Signal {
  readonly severity: string;
  readonly group: Readonly<Record<string, string>>;
  readonly first_seen: number;
}

function signalsOf(stdout: string): Signal[] {
  return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Signal);
}

function statsOf(ran: Measured): { readonly events: number; readonly matches: number } {
  return JSON.parse(ran.stderr.trim().split("\n").at(-1)!) as { events: number; matches: number };
}

function equal(what: string, ours: unknown, theirs: unknown): void {
  if (JSON.stringify(ours) !== JSON.stringify(theirs)) throw new Error(`${what}: the answers differ: ${JSON.stringify(ours).slice(0, 300)} and ${JSON.stringify(theirs).slice(0, 300)}`);
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "vespid-process-"));
  const at = (name: string): string => join(folder, name);
  const rulesFile = (name: string, rules: unknown): string => {
    writeFileSync(at(name), JSON.stringify(rules));
    return at(name);
  };
  const rows: Row[] = [];
  try {
    progress(`data: ${FILE_BYTES / MEGABYTE} MB a file; ${ROUNDS} rounds, alternated`);
    const auth = new AuthLogs(FILE_BYTES);
    writeChunks(at("auth.ndjson"), auth.chunks);
    const cloudLines = new TextDecoder().decode(corpus("mix", FILE_BYTES * 1.7)).split("\n").filter((line) => line.startsWith('{"ddsource":"cloudtrail"'));
    writeChunks(at("cloud.ndjson"), cloudLines.map((line) => `${line}\n`));
    writeFileSync(at("mix.ndjson"), corpus("mix", FILE_BYTES));
    writeFileSync(at("sample.ndjson"), corpus("mix", 4 * MEGABYTE));

    progress("P1: brute force, beside a program written for it");
    const brute = rulesFile("brute.json", [bruteForce]);
    const detect = () => runProgram([...vespid, "--rules", brute, "--json", at("auth.ndjson")]);
    const byHand = () => runProgram([baseline("brute-force.mjs"), at("auth.ndjson")]);
    const found = signalsOf((await detect()).stdout).map((signal) => `${signal.group["@usr.id"]} ${signal.first_seen} ${signal.severity}`).sort();
    equal("brute force", found, (await byHand()).stdout.trimEnd().split("\n").sort());
    progress(`  ${found.length} signals, the same`);
    addSpeed(rows, "P1", "brute force over auth logs / Node by hand", await pairs(detect, byHand), auth.events, 4);

    progress("P2: ten rules over CloudTrail, beside reading and JSON.parse alone");
    const cloud = rulesFile("cloud.json", cloudRules.map((rule) => rule.wire));
    const watch = () => runProgram([...vespid, "--rules", cloud, "--json", "--stats", at("cloud.ndjson")]);
    const readOnly = () => runProgram([baseline("read-json.mjs"), at("cloud.ndjson")]);
    equal("events and matches", [statsOf(await watch()).events, statsOf(await watch()).matches], [Number((await readOnly()).stdout), matchesOf(cloudRules, cloudLines)]);
    addSpeed(rows, "P2", "ten CloudTrail rules / reading and JSON.parse", await pairs(watch, readOnly), cloudLines.length, 3.5);

    progress("P3: a count by group, beside DuckDB");
    const count = rulesFile("count.json", [countFailures(MORE_THAN)]);
    const grouped = () => runProgram([...vespid, "--rules", count, "--json", at("auth.ndjson")]);
    const duckdb = () => runProgram([baseline("duckdb-group.mjs"), at("auth.ndjson"), String(MORE_THAN)]);
    const duck = await duckdb().catch((error: unknown) => progress(`  DuckDB is skipped: ${(error as Error).message.split("\n")[0]}`));
    if (duck) {
      const users = [...new Set(signalsOf((await grouped()).stdout).map((signal) => signal.group["@usr.id"]))].sort();
      equal("users above the count", users, duck.stdout.trimEnd().split("\n").sort());
      progress(`  ${users.length} users, the same`);
      addSpeed(rows, "P3", "failures counted by user / DuckDB", await pairs(grouped, duckdb), auth.events, 1);
    }

    progress("P6: the ten rules, beside DuckDB");
    const conditions = cloudRules.map(({ sql }) => `${sql} and usr.id is not null`);
    const filters = () => runProgram([baseline("duckdb-rules.mjs"), at("cloud.ndjson"), cloudColumns, ...conditions]);
    const counted = await filters().catch((error: unknown) => progress(`  DuckDB is skipped: ${(error as Error).message.split("\n")[0]}`));
    if (counted) {
      equal("matches by DuckDB", counted.stdout.trim().split("\n").reduce((sum, each) => sum + Number(each), 0), statsOf(await watch()).matches);
      addSpeed(rows, "P6", "ten CloudTrail rules / DuckDB", await pairs(watch, filters), cloudLines.length, 4);
    }

    progress("P7: a hundred thousand users of each address, beside a thousand");
    const spray = rulesFile("spray.json", [manyUsers]);
    const sprayed = SPRAYED.map((users) => {
      writeChunks(at(`spray-${users}.ndjson`), sprayLines(users, FILE_BYTES / 2));
      return () => runProgram([...vespid, "--workers", "0", "--rules", spray, "--stats", at(`spray-${users}.ndjson`)]);
    }) as [() => Promise<Measured>, () => Promise<Measured>];
    const sprays = statsOf(await sprayed[0]()).events;
    const many = await pairs(sprayed[0], sprayed[1]);
    rows.push({ id: "P7", what: "time of 100,000 users an address / of 1,000", unit: "ns/event", ours: perEvent(many.ours, sprays), baseline: perEvent(many.theirs, sprays), ratio: pairedRatio(many.ours, many.theirs), must: 1.3, lowerIsBetter: true });

    progress("P4: a thousand rules, beside a hundred");
    const pack = (size: number): Pack => ({ rules: benchRules(size), file: rulesFile(`${size}.json`, benchRules(size).map(ruleWire)) });
    const packs = [pack(1000), pack(100)] as const;
    const sample = new TextDecoder().decode(corpus("mix", 4 * MEGABYTE)).trimEnd().split("\n");
    for (const { rules, file } of packs) equal(`${rules.length} rules`, statsOf(await runProgram([...vespid, "--rules", file, "--stats", at("sample.ndjson")])).matches, matchesOf(rules, sample));
    const [thousand, hundred] = packs.map(({ file }) => () => runProgram([...vespid, "--rules", file, "--stats", at("mix.ndjson")])) as [() => Promise<Measured>, () => Promise<Measured>];
    const events = statsOf(await thousand()).events;
    const both = await pairs(thousand, hundred);
    rows.push({ id: "P4", what: "time of 1,000 rules / of 100", unit: "ns/event", ours: perEvent(both.ours, events), baseline: perEvent(both.theirs, events), ratio: pairedRatio(both.ours, both.theirs), must: 1.33, lowerIsBetter: true });

    progress("P5: peak memory over a long stream, beside a short one");
    const peaks: number[] = [];
    for (const bytes of MEMORY_BYTES) {
      const log = new AuthLogs(bytes, 2);
      const ran = await runProgram([...vespid, "--rules", brute, "--json", "--stats", "-"], log.chunks);
      equal("events of the stream", statsOf(ran).events, log.events);
      peaks.push(ran.rssBytes / MEGABYTE);
    }
    const [least, most] = peaks as [number, number];
    rows.push({ id: "P5", what: `peak memory, ${MEMORY_BYTES[1] / MEGABYTE} MB / ${MEMORY_BYTES[0] / MEGABYTE} MB piped in`, unit: "MB", ours: most, baseline: least, ratio: most / least, must: 1.15, lowerIsBetter: true });
    report(rows, auth.events);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Closure = Pick<CloudRule, "matches"> & { readonly group?: (event: never) => unknown };

interface Pack {
  readonly rules: readonly Closure[];
  readonly file: string;
}

/** Matches of rules as closures over parsed lines; an event without the value it is grouped by is none. */
function matchesOf(rules: readonly Closure[], lines: readonly string[]): number {
  let matches = 0;
  for (const line of lines) {
    const event = JSON.parse(line) as never;
    for (const rule of rules) if (rule.matches(event) && (!rule.group || rule.group(event) !== undefined)) matches++;
  }
  return matches;
}

function perEvent(cpuMs: readonly number[], events: number): number {
  return (median(cpuMs) * 1e6) / events;
}

function addSpeed(rows: Row[], id: string, what: string, cpu: { readonly ours: readonly number[]; readonly theirs: readonly number[] }, events: number, must: number): void {
  rows.push({ id, what, unit: "ns/event", ours: perEvent(cpu.ours, events), baseline: perEvent(cpu.theirs, events), ratio: pairedRatio(cpu.theirs, cpu.ours), must });
}

function report(rows: readonly Row[], events: number): void {
  const machine = { cpu: cpus()[0]?.model ?? "unknown", node: process.version, events };
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify({ machine, rows })}\n`);
  else {
    process.stdout.write(`${machine.cpu}, Node ${machine.node}; CPU time of whole processes, medians of alternated runs\n`);
    process.stdout.write(`${"".padEnd(56)}${"ours".padStart(9)}${"baseline".padStart(10)}${"ratio".padStart(8)}\n`);
    for (const row of rows) {
      const good = row.lowerIsBetter ? row.ratio <= row.must : row.ratio >= row.must;
      process.stdout.write(`${row.id.padEnd(4)}${row.what.padEnd(52)}${row.ours.toFixed(0).padStart(9)}${row.baseline.toFixed(0).padStart(10)}${row.ratio.toFixed(2).padStart(8)}  ${row.unit.padEnd(9)} must ${row.lowerIsBetter ? "<=" : ">="} ${row.must}  ${good ? "ok" : "BELOW"}\n`);
    }
  }
  if (short) return;
  const record = join(import.meta.dirname, "record");
  mkdirSync(record, { recursive: true });
  writeFileSync(join(record, "process.json"), `${JSON.stringify({ machine, rows }, null, 1)}\n`);
}

await main();
