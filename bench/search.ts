// What a search over the journal costs: bytes read a second without an index, and how much of the journal a rare word, an address,
// a source or a short time passes over with one; what the index costs to make and keep.
// `node bench/search.ts [--short] [--json] [--megabytes N] [FOLDER]`. Answers with an index are held against those without one
// before a number is printed.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { Journal } from "../host/journal/journal.ts";
import { LogSearch, type SearchAnswer, type SearchRequest } from "../host/search/log-search.ts";
import { readField } from "../host/query/field.ts";
import { corpus } from "./corpus.ts";
import { median } from "./paired.ts";

const short = process.argv.includes("--short");
const flagAt = process.argv.indexOf("--megabytes");
const MEGABYTES = flagAt > 0 ? Number(process.argv[flagAt + 1]) : short ? 64 : 512;
const ROUNDS = short ? 1 : 5;
const given = process.argv.slice(2).find((text, i, all) => !text.startsWith("-") && all[i - 1] !== "--megabytes");
const BATCH_BYTES = 256 * 1024;
const RARE = "4bf92f3577b34da6a3ce929d0e0e4736";
const RARE_ADDRESS = "203.0.113.77";

interface Row {
  readonly search: string;
  readonly found: number;
  readonly bareMs: number;
  readonly bareMegabytesPerSecond: number;
  readonly indexedMs: number;
  readonly skippedSegments: number;
  readonly skippedBytes: number;
}

const folder = given ?? mkdtempSync(join(tmpdir(), "vespid-bench-search-"));
const journal = await Journal.open(join(folder, "journal"), { segmentBytes: 1 << 20, reserveBytes: 0 });
const startMs = await fill();
const rawBytes = journal.segments.reduce((sum, each) => sum + each.rawBytes, 0);
const storedBytes = journal.segments.reduce((sum, each) => sum + each.bytes, 0);

/** Seeds follow each other, so that no part is another's copy; one log in the midst has what is looked for. */
async function fill(): Promise<number> {
  let firstMs = 0;
  let written = 0;
  for (let seed = 1; written < MEGABYTES << 20; seed++) {
    const bytes = Buffer.from(corpus("mix", 8 << 20, seed));
    for (let at = 0; at < bytes.length;) {
      const end = bytes.indexOf(10, Math.min(bytes.length - 1, at + BATCH_BYTES)) + 1 || bytes.length;
      const arrivalMs = 1_800_000_000_000 + written;
      // Events of each part have the times of the corpus, which are the same in all: a day is put between the parts.
      const body = Buffer.from(bytes.toString("latin1", at, end).replaceAll("2026-01-10", new Date(Date.UTC(2026, 0, 10 + seed)).toISOString().slice(0, 10)), "latin1");
      await journal.append([{ profile: { format: "intake" }, arrivalMs, partition: "http", bytes: body }]);
      written += body.length;
      at = end;
    }
    if (seed === Math.ceil(MEGABYTES / 16)) {
      firstMs = Date.UTC(2026, 0, 10 + seed);
      await journal.append([{ profile: { format: "intake" }, arrivalMs: firstMs, partition: "http", bytes: Buffer.from(`${JSON.stringify({ timestamp: firstMs + 60_000, ddsource: "rare-source", trace: RARE, network: { client: { ip: RARE_ADDRESS } }, message: "the one" })}\n`) }]);
    }
  }
  return firstMs;
}

const searches: ReadonlyArray<{ readonly name: string; readonly request: SearchRequest }> = [
  { name: "a rare id, as an attribute", request: { query: `@trace:${RARE}`, limit: 10 } },
  { name: "a rare id, anywhere", request: { query: `*:${RARE}`, limit: 10 } },
  { name: "an address, anywhere", request: { query: `@network.ip.list:${RARE_ADDRESS}`, limit: 10 } },
  { name: "a rare source", request: { query: "source:rare-source", limit: 10 } },
  { name: "an hour", request: { query: "*", limit: 10, fromMs: startMs, toMs: startMs + 3_600_000 } },
  { name: "the newest ten of all", request: { query: "*", limit: 10 } },
  { name: "what is nowhere", request: { query: "nowheretobefound", limit: 10 } },
  { name: "a common word, counted by two facets", request: { query: "status:error", limit: 0, tallies: [{ fields: [readField("source")] }, { fields: [readField("service")] }] } },
  { name: "a wildcard that no index tells of", request: { query: "@usr.id:*zzz*", limit: 10 } },
];

async function timed(search: LogSearch, request: SearchRequest): Promise<{ readonly answer: SearchAnswer; readonly ms: number }> {
  let answer = await search.search(request); // the plan is compiled, the file system has seen the files
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const from = performance.now();
    answer = await search.search(request);
    times.push(performance.now() - from);
  }
  return { answer, ms: median(times) };
}

const bare = new LogSearch(journal);
const bareAnswers: Array<{ readonly answer: SearchAnswer; readonly ms: number }> = [];
for (const { request } of searches) bareAnswers.push(await timed(bare, request));
const tendFrom = performance.now();
const tended = await bare.tend();
const tendMs = performance.now() - tendFrom;
const indexBytes = readdirSync(journal.folder).filter((name) => name.endsWith(".find")).reduce((sum, name) => sum + statSync(join(journal.folder, name)).size, 0);
const rows: Row[] = [];
for (const [i, { name, request }] of searches.entries()) {
  const { answer: plain, ms: bareMs } = bareAnswers[i]!;
  const { answer, ms: indexedMs } = await timed(bare, request);
  assert.deepEqual(answer.logs.map(({ id }) => id), plain.logs.map(({ id }) => id));
  assert.deepEqual(answer.tallies, plain.tallies);
  rows.push({
    search: name, found: answer.logs.length, bareMs, bareMegabytesPerSecond: plain.cost.scannedBytes / 1e3 / bareMs, indexedMs,
    skippedSegments: answer.cost.skippedSegments / answer.cost.segments, skippedBytes: answer.cost.skippedBytes / rawBytes,
  });
}
const index = { rawBytes, storedBytes, segments: journal.segments.length, indexBytes, shareOfRaw: indexBytes / rawBytes, shareOfStored: indexBytes / storedBytes, gatherMegabytesPerSecond: tended.bytes / 1e3 / tendMs };
await bare.close();
await journal.close();
if (!given) rmSync(folder, { recursive: true, force: true });

if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify({ cpu: cpus()[0]?.model, index, rows })}\n`);
else {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  process.stdout.write(`${(rawBytes / 1e6).toFixed(0)} MB of logs in ${index.segments} segments, ${(storedBytes / 1e6).toFixed(0)} MB on disk; index ${(indexBytes / 1e6).toFixed(1)} MB (${percent(index.shareOfRaw)} of the logs), made at ${index.gatherMegabytesPerSecond.toFixed(0)} MB/s\n\n`);
  process.stdout.write(`${"search".padEnd(40)} ${"found".padStart(6)} ${"without ms".padStart(11)} ${"MB/s".padStart(7)} ${"with ms".padStart(9)} ${"segments passed".padStart(16)} ${"bytes passed".padStart(13)}\n`);
  for (const row of rows) process.stdout.write(`${row.search.padEnd(40)} ${String(row.found).padStart(6)} ${row.bareMs.toFixed(1).padStart(11)} ${row.bareMegabytesPerSecond.toFixed(0).padStart(7)} ${row.indexedMs.toFixed(1).padStart(9)} ${percent(row.skippedSegments).padStart(16)} ${percent(row.skippedBytes).padStart(13)}\n`);
}
