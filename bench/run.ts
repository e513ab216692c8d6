import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { ROW_CAP } from "../assembly/layout.ts";
import { Extraction } from "../host/engine/extraction.ts";
import { slotArea } from "../host/engine/geometry.ts";
import { Instance } from "../host/engine/instance.ts";
import { compileKernel } from "../host/engine/kernel-file.ts";
import { createExecutor } from "../host/matcher.ts";
import { Flow } from "../host/batch/flow.ts";
import { readRule } from "../host/rule/wire.ts";
import { standingQueries } from "../host/rule/standing.ts";
import { type Corpus, corpus } from "./corpus.ts";
import { type BenchRule, benchRules, ruleWire } from "./rules.ts";
import { median, pairedRatio, type Sample } from "./paired.ts";

const short = process.argv.includes("--short");
const MEGABYTES = short ? 8 : 32;
const ROUNDS = short ? 3 : 9;
const PIECE_BYTES = 1 << 20;
const profile = { format: "intake" } as const;
const eightFields = [["ddsource"], ["timestamp"], ["status"], ["eventSource"], ["http", "status_code"], ["network", "client", "ip"], ["usr", "id"], ["evt", "name"]];

interface Row {
  readonly id: string;
  readonly what: string;
  readonly ours: number;
  readonly baseline: number;
  readonly ratio: number;
  readonly must: number;
  readonly moonshot: number;
  /** A smaller ratio is better: added cost, growth. */
  readonly lowerIsBetter?: boolean;
}

function cpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    let end = Math.min(bytes.length, at + PIECE_BYTES);
    if (end < bytes.length) end = bytes.lastIndexOf(10, end - 1) + 1;
    yield bytes.subarray(at, end);
    at = end;
  }
}

function eventsOf(bytes: Uint8Array): number {
  let events = 0;
  for (const byte of bytes) if (byte === 10) events++;
  return events;
}

/** CPU ns per event of detection: extract, derive, match, emit; bytes already in memory. */
async function detection(rules: readonly BenchRule[]): Promise<(bytes: Uint8Array) => { ns: number; counts: Uint32Array }> {
  const standing = standingQueries(rules.map((rule, i) => readRule(ruleWire(rule, i))));
  const instance = await Instance.create({ variant: "simd", standing, slots: 1, module: await compileKernel("simd") });
  const area = slotArea(0);
  const u8 = instance.arena.u8;
  return (bytes) => {
    const counts = new Uint32Array(rules.length);
    let ns = 0;
    for (const piece of pieces(bytes)) {
      u8.set(piece, area.start);
      for (let done = 0; done < piece.length; ) {
        const start = cpuNs();
        const result = instance.run({ profile, slot: 0, start: area.start + done, length: piece.length - done, arrivalMs: 0 });
        ns += cpuNs() - start;
        const matched = new Uint32Array(u8.buffer, area.results.standing, result.matches);
        for (const standingNumber of matched) counts[standing[standingNumber]!.ruleIndex]!++;
        done += result.consumed;
      }
    }
    return { ns, counts };
  };
}

/** CPU ns of extracting eight fields, nothing else. */
async function extraction(): Promise<(bytes: Uint8Array) => number> {
  const instance = await Instance.create({ variant: "simd", standing: [], slots: 1, module: await compileKernel("simd") });
  const plan = new Extraction(instance.arena, { columns: eightFields.map((path, column) => ({ column, kind: "value", path })) });
  const area = slotArea(0);
  return (bytes) => {
    let ns = 0;
    for (const piece of pieces(bytes)) {
      instance.arena.u8.set(piece, area.start);
      const end = area.start + piece.length;
      const start = cpuNs();
      plan.beginInput();
      for (let at = area.start; at < end; at += plan.consumed) {
        const stop = Math.min(end, at + 256 * 1024);
        let cut = stop;
        while (cut < end && instance.arena.u8[cut - 1] !== 10) cut++;
        instance.kernel.extract(plan.struct, at, cut);
      }
      ns += cpuNs() - start;
    }
    return ns;
  };
}

function naive(rules: readonly BenchRule[], bytes: Uint8Array): { ns: number; counts: Uint32Array } {
  const counts = new Uint32Array(rules.length);
  const windows = new Map<string, number>();
  const decoder = new TextDecoder();
  const start = cpuNs();
  for (const piece of pieces(bytes)) {
    for (const line of decoder.decode(piece).split("\n")) {
      if (line === "") continue;
      const event = JSON.parse(line);
      rules.forEach((rule, i) => {
        if (!rule.matches(event)) return;
        counts[i]!++;
        const key = `${i} ${String(rule.group(event))} ${Math.floor(event.timestamp / 60_000)}`;
        windows.set(key, (windows.get(key) ?? 0) + 1);
      });
    }
  }
  return { ns: cpuNs() - start, counts };
}

/** Native on-demand reader; undefined, with a word, where compiler or library are missing. */
function nativeReader(folder: string): ((file: string) => number) | undefined {
  const program = join(folder, "od8");
  const source = join(import.meta.dirname, "baseline", "od8.cpp");
  if (!existsSync("/usr/include/simdjson.h")) return undefined;
  try {
    execFileSync("g++", ["-O3", "-march=native", "-std=c++17", source, "-lsimdjson", "-o", program], { stdio: "pipe" });
  } catch {
    return undefined;
  }
  return (file) => Number(execFileSync(program, [file, "2"], { encoding: "utf8" }).trim().split("\n").at(-1)!.split(" ")[0]);
}

async function duckdbNs(file: string): Promise<number | undefined> {
  try {
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const database = await DuckDBInstance.create(":memory:", { threads: "1" });
    const connection = await database.connect();
    const columns = "{ddsource:'VARCHAR', timestamp:'UBIGINT', status:'VARCHAR', eventSource:'VARCHAR', service:'VARCHAR', evt:'STRUCT(name VARCHAR)', usr:'STRUCT(id VARCHAR)', network:'STRUCT(client STRUCT(ip VARCHAR))'}";
    const start = cpuNs();
    await connection.runAndReadAll(`select count(*) from read_json('${file}', format='newline_delimited', columns=${columns}) where ddsource = 'auth' and status = 'error' and usr.id like 'user1%' and evt.name is not null and network.client.ip is not null and service is not null and eventSource is null and timestamp > 0`);
    const ns = cpuNs() - start;
    connection.closeSync();
    return ns;
  } catch {
    return undefined;
  }
}

async function flowNs(rules: readonly BenchRule[], workers: number): Promise<(bytes: Uint8Array) => Promise<number>> {
  const standing = standingQueries(rules.map((rule, i) => readRule(ruleWire(rule, i))));
  const executor = await createExecutor({ standing, variant: "simd" }, workers);
  const run = async (bytes: Uint8Array): Promise<number> => {
    const flow = new Flow(executor, { onMatches() {}, onMalformed() {}, onLost() {} });
    const start = cpuNs();
    await flow.push(bytes, profile, 0);
    await flow.flush();
    return cpuNs() - start;
  };
  return Object.assign(run, { close: () => executor.close() });
}

function agree(name: string, ours: Uint32Array, theirs: Uint32Array): void {
  ours.forEach((count, i) => {
    if (count !== theirs[i]) throw new Error(`${name}: rule ${i} matched ${count} events, the plain program ${theirs[i]}`);
  });
}

function bar(value: number, full: number): string {
  const filled = Math.max(0, Math.min(20, Math.round((value / full) * 20)));
  return `${"█".repeat(filled)}${"·".repeat(20 - filled)}`;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "vespid-bench-"));
  const progress = (text: string): void => void process.stderr.write(`${text}\n`);
  try {
    const rows: Row[] = [];
    const mix = corpus("mix", MEGABYTES << 20);
    const events = eventsOf(mix);
    const file = join(folder, "mix.ndjson");
    writeFileSync(file, mix);
    const native = nativeReader(folder);
    if (!native) progress("native simdjson is skipped: it needs g++ and Debian's libsimdjson-dev");
    progress(`corpus: ${MEGABYTES} MB, ${events} events, ${Math.round(mix.length / events)} bytes each; ${ROUNDS} rounds, alternated`);

    progress("answers");
    const sizes = short ? [100, 1000] : [100, 1000, 5000];
    const packs = new Map(sizes.map((size) => [size, benchRules(size)]));
    const detectors = new Map<number, Awaited<ReturnType<typeof detection>>>();
    for (const [size, pack] of packs) detectors.set(size, await detection(pack));
    const sample = corpus("mix", 2 << 20, 3);
    for (const [size, pack] of packs) agree(`${size} rules`, detectors.get(size)!(sample).counts, naive(pack, sample).counts);

    const extract = await extraction();
    const rounds = <T>(work: () => T): T[] => Array.from({ length: ROUNDS }, work);
    extract(mix);
    for (const detect of detectors.values()) detect(mix);

    progress("against the native reader");
    const samples = rounds((): Record<string, number> => ({
      native: native ? native(file) : Number.NaN,
      extract: extract(mix) / events,
      ...Object.fromEntries([...detectors].map(([size, detect]) => [String(size), detect(mix).ns / events])),
    }));
    const column = (name: string): Sample => samples.map((each) => each[name]!);
    const against = (id: string, what: string, name: string, must: number, moonshot: number): void => {
      if (native) rows.push({ id, what, ours: median(column(name)), baseline: median(column("native")), ratio: pairedRatio(column("native"), column(name)), must, moonshot });
    };
    against("T1", "extract 8 fields, speed / native on-demand", "extract", 1, 1.7);
    against("T2", "detection with 100 rules / native on-demand", "100", 0.6, 0.95);
    against("T3", "detection with 1,000 rules / native on-demand", "1000", 0.45, 0.8);
    if (!short) against("T4", "detection with 5,000 rules / native on-demand", "5000", 0.25, 0.5);

    progress("against JSON.parse and closures");
    const few = corpus("mix", 4 << 20, 5);
    const fewEvents = eventsOf(few);
    for (const [size, must, moonshot] of [[100, 15, 30], [1000, 100, 235]] as const) {
      const plain = naive(packs.get(size)!, few).ns / fewEvents;
      const ours = median(column(String(size)));
      rows.push({ id: "T5", what: `${size} rules, speed / JSON.parse and closures`, ours, baseline: plain, ratio: plain / ours, must, moonshot });
    }
    rows.push({ id: "T6", what: "time of 1,000 rules / of 100", ours: median(column("1000")), baseline: median(column("100")), ratio: pairedRatio(column("1000"), column("100")), must: 1.7, moonshot: 1.2, lowerIsBetter: true });
    if (!short) rows.push({ id: "T6", what: "time of 5,000 rules / of 100", ours: median(column("5000")), baseline: median(column("100")), ratio: pairedRatio(column("5000"), column("100")), must: 3, moonshot: 1.75, lowerIsBetter: true });

    if (native) {
      progress("irregular shapes");
      let worst: Row | undefined;
      for (const kind of ["spaced", "shuffled", "randomKeys", "manySources"] as const satisfies readonly Corpus[]) {
        const bytes = corpus(kind, (MEGABYTES >> 1) << 20);
        const odd = join(folder, `${kind}.ndjson`);
        writeFileSync(odd, bytes);
        const count = eventsOf(bytes);
        const own = await extraction();
        own(bytes);
        const pairs = rounds(() => [native(odd), own(bytes) / count] as const);
        const row: Row = { id: "T7", what: `irregular shapes, worst (${kind}), extraction / native`, ours: median(pairs.map((pair) => pair[1])), baseline: median(pairs.map((pair) => pair[0])), ratio: pairedRatio(pairs.map((pair) => pair[0]), pairs.map((pair) => pair[1])), must: 0.5, moonshot: 0.85 };
        if (!worst || row.ratio < worst.ratio) worst = row;
      }
      rows.push(worst!);
    }

    progress("against DuckDB");
    const duck: number[] = [];
    for (let i = 0; i < Math.min(ROUNDS, 3); i++) {
      const ns = await duckdbNs(file);
      if (ns !== undefined) duck.push(ns / events);
    }
    if (duck.length) rows.push({ id: "T11", what: "100 rules, speed / DuckDB with 8 columns and a filter", ours: median(column("100")), baseline: median(duck), ratio: median(duck) / median(column("100")), must: 1.5, moonshot: 2.3 });
    else progress("DuckDB is skipped: it is not installed");

    progress("the pool");
    const local = await flowNs(packs.get(100)!, 0);
    const pooled = await flowNs(packs.get(100)!, 1);
    for (const warm of [local, pooled]) await warm(mix);
    const pool: Array<readonly [number, number]> = [];
    for (let i = 0; i < ROUNDS; i++) pool.push([await local(mix), await pooled(mix)]);
    rows.push({ id: "T12", what: "added cost of the pool over in-process", ours: median(pool.map((pair) => pair[1] / events)), baseline: median(pool.map((pair) => pair[0] / events)), ratio: pairedRatio(pool.map((pair) => pair[1]), pool.map((pair) => pair[0])) - 1, must: 0.4, moonshot: 0.1, lowerIsBetter: true });
    await Promise.all([local, pooled].map((each) => (each as unknown as { close(): Promise<void> }).close()));

    report(rows, events);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(rows: readonly Row[], events: number): void {
  const machine = { cpu: cpus()[0]?.model ?? "unknown", node: process.version, events, rowCap: ROW_CAP };
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify({ machine, rows })}\n`);
  else {
    process.stdout.write(`${machine.cpu}, Node ${machine.node}; CPU time, medians; ns per event\n`);
    for (const row of rows) {
      const good = row.lowerIsBetter ? row.ratio <= row.must : row.ratio >= row.must;
      const drawn = row.lowerIsBetter ? bar(row.moonshot, Math.max(row.ratio, row.moonshot)) : bar(row.ratio, Math.max(row.moonshot, row.ratio));
      process.stdout.write(`${row.id.padEnd(4)}${row.what.padEnd(60)}${row.ours.toFixed(0).padStart(7)}${row.baseline.toFixed(0).padStart(9)}${row.ratio.toFixed(2).padStart(9)}  must ${row.must}  moonshot ${row.moonshot}  ${drawn} ${good ? "ok" : "BELOW"}\n`);
    }
  }
  if (short) return;
  const record = join(import.meta.dirname, "record");
  mkdirSync(record, { recursive: true });
  writeFileSync(join(record, "latest.json"), `${JSON.stringify({ machine, rows }, null, 1)}\n`);
}

await main();
process.exit(0);
