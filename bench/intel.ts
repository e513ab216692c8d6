// A million indicators and 50,000 blocks of addresses beside none: CPU time per event of detection, and bytes of the table.
//   npm run bench -- --intel [--short] [--json]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { slotArea } from "../host/engine/geometry.ts";
import { Instance } from "../host/engine/instance.ts";
import { compileKernel } from "../host/engine/kernel-file.ts";
import { IntelFeeds } from "../host/enrich/intel-feeds.ts";
import { createEngine } from "../host/index.ts";
import type { Pipeline } from "../host/event/pipeline/pipeline.ts";
import { withEnrichment } from "../host/event/enrichment/enrichment.ts";
import type { IntelData } from "../host/event/enrichment/intel-table.ts";
import { EventReader } from "../host/event/made.ts";
import { matches } from "../host/query/matches.ts";
import { readRule } from "../host/rule/wire.ts";
import { standingQueries } from "../host/rule/standing.ts";
import { corpus } from "./corpus.ts";
import { median, pairedRatio } from "./paired.ts";
import { Random } from "./random.ts";
import { benchRules, ruleWire } from "./rules.ts";

const short = process.argv.includes("--short");
const MEGABYTE = 1 << 20;
const MEGABYTES = short ? 8 : 24;
const ROUNDS = short ? 5 : 15;
/** Rounds before those that count: what is seldom called is compiled late. */
const WARM = 5;
const INDICATORS = { ip: 400_000, domain: 300_000, url: 200_000, hash: 100_000, block: 50_000 } as const;
/** Addresses of the events themselves that are listed, so that some match: about one event in a thousand. */
const KNOWN = 2;
const PIECE_BYTES = MEGABYTE;
const MUST = 1.25;
const profile = { format: "intake" } as const;
const progress = (text: string): void => void process.stderr.write(`${text}\n`);

interface Row {
  readonly id: string;
  readonly what: string;
  readonly events: number;
  /** Events that the rule on indicators matched, where that is told. */
  readonly matched: number | undefined;
  /** CPU ns per event. */
  readonly ours: number;
  readonly baseline: number;
  readonly ratio: number;
  readonly must: number | undefined;
}

function addressOf(number: number): string {
  return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;
}

/** A list as people load it: one indicator a line, of every kind. */
function feedText(events: Uint8Array): string {
  const random = new Random(11);
  const word = (): string => random.below(0x7fffffff).toString(36);
  const address = (): number => random.below(0x100000000);
  const makers: Readonly<Record<keyof typeof INDICATORS, () => string>> = {
    ip: () => addressOf(address()),
    domain: () => `${random.below(3) ? `${word()}.` : ""}${word()}.${random.pick(["com", "net", "top", "xyz", "co.uk"])}`,
    url: () => `http${random.below(2) ? "s" : ""}://${word()}.${random.pick(["com", "ru", "info"])}/${word()}/${word()}.exe?x=${random.below(1000)}`,
    hash: () => random.hex(random.pick([32, 40, 64])),
    block: () => {
      // As lists of blocks are: networks of hosting companies and less.
      const prefix = 24 + random.below(7);
      return `${addressOf((address() & (0xffffffff << (32 - prefix))) >>> 0)}/${prefix}`;
    },
  };
  const lines = Object.entries(INDICATORS).flatMap(([kind, count]) => {
    const made = new Set<string>();
    while (made.size < count) made.add(makers[kind as keyof typeof INDICATORS]());
    return [...made];
  });
  const known = new Set([...Buffer.from(events.buffer, events.byteOffset, 1 << 16).toString("latin1").matchAll(/"ip":"([^"]+)"/g)].map((match) => match[1]!));
  [...known].slice(-KNOWN).forEach((each, i) => (lines[i] = each));
  return lines.join("\n");
}

function linesOf(bytes: Uint8Array): string[] {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8").split("\n").slice(0, -1);
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    let end = Math.min(bytes.length, at + PIECE_BYTES);
    if (end < bytes.length) end = bytes.lastIndexOf(10, end - 1) + 1;
    yield bytes.subarray(at, end);
    at = end;
  }
}

const wires = benchRules(100).map((rule, i) => ruleWire(rule, i));
const asking = "@threat_intel.indicators_matched:* -@threat_intel.results.category:benign";
const asks = { ...wires[0]!, id: "listed", name: "listed", queries: [{ name: "a", query: asking, aggregation: "count", groupByFields: ["@threat_intel.results.indicator"] }] };

/** CPU ns that a piece of bytes takes, how many events it has, and which of them the last rule matched as far as that is told. */
type Detection = (piece: Uint8Array) => Promise<{ readonly ns: number; readonly events: number; readonly matched: readonly number[] }>;

function setup(data: IntelData | undefined): { readonly rules: Array<Record<string, unknown>>; readonly pipelines: readonly Pipeline[] } {
  return data ? { rules: [...wires, asks], pipelines: withEnrichment([], { intel: data }) } : { rules: wires, pipelines: [] };
}

/** Bytes in, signals out, in this thread: what `vespid run` does with what it has read. */
async function whole(data: IntelData | undefined): Promise<Detection> {
  const engine = await createEngine(setup(data));
  let events = 0;
  return async (piece) => {
    const before = process.cpuUsage();
    await engine.push(piece, { ...profile, arrivalMs: 0 });
    await engine.flush();
    const { user, system } = process.cpuUsage(before);
    const earlier = events;
    events = engine.stats().events;
    return { ns: (user + system) * 1000, events: events - earlier, matched: [] };
  };
}

/** The kernels alone, and what the host does between them: extraction, enrichment, matching, results. */
async function kernels(data: IntelData | undefined): Promise<Detection> {
  const { rules, pipelines } = setup(data);
  const standing = standingQueries(rules.map((wire) => readRule(wire)));
  const instance = await Instance.create({ variant: "simd", module: await compileKernel("simd"), standing, slots: 1, pipelines });
  const area = slotArea(0);
  const { u8 } = instance.arena;
  return async (piece) => {
    const matched: number[] = [];
    let ns = 0;
    let events = 0;
    u8.set(piece, area.start);
    for (let done = 0; done < piece.length; ) {
      const before = process.cpuUsage();
      const result = instance.run({ profile, slot: 0, start: area.start + done, length: piece.length - done, arrivalMs: 0 });
      const { user, system } = process.cpuUsage(before);
      ns += (user + system) * 1000;
      const numbers = new Uint32Array(u8.buffer, area.results.standing, result.matches);
      const rows = new Uint32Array(u8.buffer, area.results.row, result.matches);
      if (data) numbers.forEach((number, i) => number === standing.length - 1 && matched.push(events + rows[i]!));
      events += result.events;
      done += result.consumed;
    }
    return { ns, events, matched };
  };
}

interface Pair {
  /** CPU ns per event. */
  readonly ours: number;
  readonly baseline: number;
  readonly matched: number;
}

/** Both over each piece in turn, each first every other time: what slows the machine for a while slows both. */
async function pairs(listed: Detection, without: Detection, bytes: Uint8Array): Promise<Pair[]> {
  const all: Pair[] = [];
  for (const piece of pieces(bytes)) {
    const before = all.length % 2 ? undefined : await without(piece);
    const found = await listed(piece);
    const { ns } = before ?? (await without(piece));
    all.push({ ours: found.ns / found.events, baseline: ns / found.events, matched: new Set(found.matched).size });
  }
  return all;
}

/** The same events that the object evaluator finds listed. */
function agree(bytes: Uint8Array, data: IntelData, found: readonly number[]): void {
  const { node } = readRule(asks).queries[0]!;
  const reader = new EventReader(withEnrichment([], { intel: data }));
  const expected = linesOf(bytes).flatMap((line, i) => (matches(node, reader.event(Buffer.from(line), profile, 0)) ? [i] : []));
  if (JSON.stringify(expected) !== JSON.stringify([...new Set(found)])) throw new Error(`${found.length} events found listed, the plain program found ${expected.length}`);
}

/** What making the feed left behind is nobody's cost. */
function collectGarbage(): void {
  setFlagsFromString("--expose_gc");
  (runInNewContext("gc") as () => void)();
}

async function main(): Promise<void> {
  const mix = corpus("mix", MEGABYTES * MEGABYTE);
  const folder = mkdtempSync(join(tmpdir(), "vespid-intel-"));
  const path = join(folder, "list.txt");
  writeFileSync(path, feedText(mix));
  // As a server reads it: in a thread of its own, whose memory is gone afterwards.
  const feeds = new IntelFeeds([{ name: "list", path, refreshMs: 0 }], folder, () => 0);
  const before = process.cpuUsage();
  await feeds.load();
  const { user, system } = process.cpuUsage(before);
  rmSync(folder, { recursive: true });
  const { data } = feeds.table!;
  const [{ indicators = 0 } = {}] = feeds.states;
  progress(`${indicators} indicators in ${(data.bytes.byteLength / MEGABYTE).toFixed(1)} MB, read in ${((user + system) / 1e6).toFixed(1)} s of CPU`);
  collectGarbage();

  const sample = corpus("mix", MEGABYTE - 4096, 3);
  agree(sample, data, (await (await kernels(data))(sample)).matched);

  const rows: Row[] = [];
  const trail = new TextEncoder().encode(`${linesOf(mix).filter((line) => line.startsWith('{"ddsource":"cloudtrail"')).join("\n")}\n`);
  for (const [id, what, bytes, make, must] of [
    ["I1", "CloudTrail, logins and web logs: bytes to signals", mix, whole, MUST], ["I2", "CloudTrail: bytes to signals", trail, whole, MUST],
    ["-", "the first by the kernels alone", mix, kernels, undefined], ["-", "the second by the kernels alone", trail, kernels, undefined],
  ] as const) {
    const [listed, without] = [await make(data), await make(undefined)];
    for (let i = 0; i < WARM; i++) await pairs(listed, without, bytes);
    const all: Pair[] = [];
    for (let i = 0; i < ROUNDS; i++) all.push(...(await pairs(listed, without, bytes)));
    const matched = make === whole ? undefined : all.reduce((sum, each) => sum + each.matched, 0) / ROUNDS;
    const ours = all.map((each) => each.ours);
    const baseline = all.map((each) => each.baseline);
    rows.push({ id, what, events: linesOf(bytes).length, matched, ours: median(ours), baseline: median(baseline), ratio: 1 / pairedRatio(baseline, ours), must });
  }
  report(rows, { indicators, tableBytes: data.bytes.byteLength, loadCpuMs: Math.round((user + system) / 1000) });
}

function report(rows: readonly Row[], table: { readonly indicators: number; readonly tableBytes: number; readonly loadCpuMs: number }): void {
  const machine = { cpu: cpus()[0]?.model ?? "unknown", node: process.version };
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify({ machine, table, rows })}\n`);
  else {
    process.stdout.write(`${machine.cpu}, Node ${machine.node}; CPU time, medians of alternated pairs of a megabyte; ns per event with 100 rules: with the feed, without\n`);
    for (const { id, what, events, matched, ours, baseline, ratio, must } of rows) {
      const bar = "█".repeat(Math.round(Math.min(2, ratio) * 10)).padEnd(20, "·");
      const judged = must === undefined ? "" : `  must <= ${must}  ${ratio <= must ? "ok" : "ABOVE"}`;
      const share = matched === undefined ? "" : `  ${((matched / events) * 100).toFixed(2)} % of events listed`;
      process.stdout.write(`${id.padEnd(4)}${what.padEnd(52)}${ours.toFixed(0).padStart(6)}${baseline.toFixed(0).padStart(6)}${ratio.toFixed(2).padStart(7)}  ${bar}${judged}${share}\n`);
    }
    process.stdout.write(`table: ${table.indicators} indicators, ${(table.tableBytes / table.indicators).toFixed(1)} bytes each\n`);
  }
  if (short) return;
  const record = join(import.meta.dirname, "record");
  mkdirSync(record, { recursive: true });
  writeFileSync(join(record, "intel.json"), `${JSON.stringify({ machine, table, rows }, null, 1)}\n`);
}

await main();
process.exit(0);
