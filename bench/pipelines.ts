// What packs' pipelines cost: CPU ns an event, raw bytes to matches, with the pack's own rules; on columns, and with events made one by one.
//   npm run bench -- --pipelines [--short] [source …]
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { Flow } from "../host/batch/flow.ts";
import { loadGoodRules } from "../host/cli/load-rules.ts";
import { SAMPLE_ARRIVAL_MS, readPackSamples } from "../host/cli/pack-samples.ts";
import { makeEvents } from "../host/engine/making.ts";
import type { InputProfile } from "../host/engine/task.ts";
import { isTextFormat } from "../host/event/decode.ts";
import { createExecutor } from "../host/matcher.ts";
import { type LoadedPack, loadPacks } from "../host/packs.ts";
import { standingQueries } from "../host/rule/standing.ts";

const short = process.argv.includes("--short");
const only = process.argv.slice(2).filter((each) => !each.startsWith("--"));
const EVENTS = short ? 10_000 : 50_000;
/** Events made one by one cost many times as much. */
const MADE_EVENTS = short ? 1000 : 5000;
const ROUNDS = short ? 3 : 5;
const PIECE_BYTES = 1 << 20;
const ROOM = 64 << 20;

interface Corpus {
  readonly profile: InputProfile;
  readonly lines: readonly string[];
}

interface Row {
  readonly pack: string;
  readonly source: string;
  readonly format: string;
  readonly samples: number;
  /** ns an event. */
  readonly columns: number;
  readonly events: number;
  readonly ratio: number;
  /** Percent of events that columns were not read from. */
  readonly onHost: number;
}

function cpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

function corporaOf(pack: LoadedPack): Corpus[] {
  const groups = new Map<string, { profile: InputProfile; lines: string[] }>();
  for (const { format, source, text, golden, event } of readPackSamples(pack).samples) {
    if (!golden || !event) continue;
    const key = `${format} ${source}`;
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { profile: { format, source }, lines: [] }));
    group.lines.push(text);
  }
  return [...groups.values()];
}

/** Pieces of about a megabyte, at least so many events together. */
function piecesOf(lines: readonly string[], events: number): { readonly pieces: readonly Uint8Array[]; readonly count: number } {
  const pieces: Uint8Array[] = [];
  let piece: string[] = [];
  let bytes = 0;
  let count = 0;
  while (count < events || count % lines.length) {
    const line = `${lines[count % lines.length]}\n`;
    piece.push(line);
    bytes += line.length;
    count++;
    if (bytes < PIECE_BYTES - 100_000) continue;
    pieces.push(Buffer.from(piece.join("")));
    piece = [];
    bytes = 0;
  }
  if (piece.length) pieces.push(Buffer.from(piece.join("")));
  return { pieces, count };
}

async function measure(pack: LoadedPack, { profile, lines }: Corpus, standing: ReturnType<typeof standingQueries>): Promise<Row> {
  const found = [0, 0];
  const runs = await Promise.all([pack.pipelines, []].map(async (pipelines, i) => new Flow(await createExecutor({ standing, pipelines, variant: "simd" }, 0), {
    onMatches: (matches) => void (found[i]! += matches.count),
    onMalformed() {},
    onLost(_bytes, _profile, error) {
      throw error;
    },
  })));
  const [columns, made] = runs as [Flow, Flow];
  const many = piecesOf(lines, EVENTS);
  const few = piecesOf(lines, MADE_EVENTS);
  let ns = Number.POSITIVE_INFINITY;
  let madeNs = Number.POSITIVE_INFINITY;
  for (let round = 0; round <= ROUNDS; round++) {
    const start = cpuNs();
    for (const piece of many.pieces) await columns.push(piece, profile, SAMPLE_ARRIVAL_MS);
    await columns.flush();
    const between = cpuNs();
    for (const piece of few.pieces) {
      const { bytes } = makeEvents(piece, profile, { pipelines: pack.pipelines, arrivalMs: SAMPLE_ARRIVAL_MS, room: ROOM, withIds: false });
      await made.push(bytes, { format: "log" }, SAMPLE_ARRIVAL_MS);
    }
    await made.flush();
    const end = cpuNs();
    // The first round compiles.
    if (round === 0) continue;
    ns = Math.min(ns, between - start);
    madeNs = Math.min(madeNs, end - between);
  }
  const perSample = [found[0]! / many.count, found[1]! / few.count];
  if (Math.abs(perSample[0]! - perSample[1]!) > 1e-9) throw new Error(`${pack.name} ${profile.source}: columns match ${perSample[0]} times an event, events ${perSample[1]}`);
  return {
    pack: pack.name, source: profile.source ?? "-", format: isTextFormat(profile.format) ? "line" : profile.format, samples: lines.length,
    columns: Math.round(ns / many.count), events: Math.round(madeNs / few.count), ratio: Math.round((10 * madeNs * many.count) / (ns * few.count)) / 10,
    onHost: Math.round((1000 * columns.stats.slowRows) / columns.stats.events) / 10,
  };
}

const rows: Row[] = [];
for (const pack of await loadPacks()) {
  if (!pack.pipelines.length) continue;
  const standing = standingQueries((await loadGoodRules(pack.ruleFiles)).rules);
  for (const corpus of corporaOf(pack)) {
    if (only.length && !only.includes(corpus.profile.source ?? "")) continue;
    rows.push(await measure(pack, corpus, standing));
  }
}
console.table(rows);
if (!short && !only.length) {
  writeFileSync(join(import.meta.dirname, "record", "pipelines.json"), `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, events: EVENTS, rounds: ROUNDS, rows }, null, 2)}\n`);
}
