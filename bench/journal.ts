// What it costs to have events on disk before they are acknowledged: with the sync shared by those that wait, and with a sync
// each. `node bench/journal.ts [--short] [--json] [FOLDER]`; the folder (a temporary one when absent) says which disk.
// What was acknowledged is read back and counted before a number is printed.
import assert from "node:assert/strict";
import { closeSync, fdatasyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { Journal, type JournalOptions } from "../host/journal/journal.ts";
import { corpus } from "./corpus.ts";
import { median } from "./paired.ts";

const short = process.argv.includes("--short");
const ROUNDS = short ? 1 : 3;
const ROUND_MS = short ? 300 : 1000;
const given = process.argv.slice(2).find((text) => !text.startsWith("-"));
const profile = { format: "intake" } as const;

interface Row {
  readonly append: string;
  readonly senders: number;
  readonly sync: "shared" | "each";
  readonly compressed: boolean;
  readonly appendsPerSecond: number;
  readonly eventsPerSecond: number;
  /** As the events came. */
  readonly megabytesPerSecond: number;
  /** As written, of what came. */
  readonly ratio: number;
  readonly appendsPerSync: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** User and system time of the whole process, the senders' small part included. */
  readonly cpuNsPerEvent: number;
}

/** Bodies of about `bytes`, whole lines, and how many lines each has. */
function bodies(bytes: number): Array<{ readonly bytes: Uint8Array; readonly events: number }> {
  const all = corpus("mix", 16 << 20);
  const out: Array<{ bytes: Uint8Array; events: number }> = [];
  for (let from = 0; from < all.length;) {
    let end = Math.min(all.length, from + bytes);
    while (end < all.length && all[end - 1] !== 10) end++;
    const body = all.subarray(from, end);
    out.push({ bytes: body, events: body.reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0) });
    from = end;
  }
  return out;
}

/** As many senders as given, each waiting for its answer before it sends again. */
async function measure(folder: string, name: string, bytes: number, senders: number, options: JournalOptions): Promise<Row> {
  const work = bodies(bytes);
  const journal = await Journal.open(folder, { ...options, reserveBytes: 0, queueBytes: 1 << 30 });
  const latencies: number[] = [];
  let appended = 0;
  let events = 0;
  let size = 0;
  const before = process.cpuUsage();
  const start = performance.now();
  await Promise.all(Array.from({ length: senders }, async (_, sender) => {
    for (let i = sender; performance.now() - start < ROUND_MS; i += senders) {
      const body = work[i % work.length]!;
      const sent = performance.now();
      await journal.append([{ profile, arrivalMs: 1_700_000_000_000 + i, partition: "http", bytes: body.bytes }]);
      latencies.push(performance.now() - sent);
      appended++;
      events += body.events;
      size += body.bytes.length;
    }
  }));
  const seconds = (performance.now() - start) / 1000;
  const cpu = process.cpuUsage(before);
  let stored = 0;
  let storedBytes = 0;
  for await (const entry of journal.read(journal.start)) {
    stored++;
    storedBytes += entry.bytes.length;
  }
  assert.deepEqual([stored, storedBytes], [appended, size]);
  const { syncs, writtenBytes } = journal.health;
  await journal.close();
  latencies.sort((a, b) => a - b);
  return {
    append: name, senders, sync: options.groupBytes === 0 ? "each" : "shared", compressed: options.compress !== false,
    appendsPerSecond: appended / seconds, eventsPerSecond: events / seconds, megabytesPerSecond: size / seconds / 1e6, ratio: writtenBytes / size, appendsPerSync: appended / syncs,
    p50Ms: latencies[latencies.length >> 1]!, p99Ms: latencies[Math.floor(latencies.length * 0.99)]!, cpuNsPerEvent: ((cpu.user + cpu.system) * 1000) / events,
  };
}

/** Median milliseconds of writing 4 KB and having it on the disk, with nothing around it. */
function plainSyncMs(folder: string): number {
  const file = openSync(join(folder, "plain"), "w");
  const block = Buffer.alloc(4096, 1);
  const times = Array.from({ length: 200 }, () => {
    const start = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - start;
  });
  closeSync(file);
  return median(times);
}

const root = given ?? mkdtempSync(join(tmpdir(), "vespid-bench-"));
mkdirSync(root, { recursive: true });
try {
  const syncMs = plainSyncMs(root);
  const rows: Row[] = [];
  for (const [name, bytes, senders] of [["one event", 1, 64], ["16 KB", 16 << 10, 64], ["1 MB", 1 << 20, 8]] as const) {
    for (const compress of [true, false]) {
      for (const groupBytes of [undefined, 0]) {
        const runs: Row[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          const folder = join(root, `journal-${rows.length}-${round}`);
          runs.push(await measure(folder, name, bytes, senders, { compress, groupBytes }));
          rmSync(folder, { recursive: true });
        }
        runs.sort((a, b) => a.eventsPerSecond - b.eventsPerSecond);
        rows.push(runs[runs.length >> 1]!);
        process.stderr.write(".");
      }
    }
  }
  process.stderr.write("\n");
  const machine = { cpu: cpus()[0]?.model ?? "unknown", node: process.version, plainSyncMs: syncMs };
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify({ machine, rows })}\n`);
  else {
    process.stdout.write(`${machine.cpu}, Node ${machine.node}; 4 KB written and synced, alone: ${syncMs.toFixed(2)} ms\n`);
    process.stdout.write("append     senders  zstd  sync      appends/s    events/s    MB/s  written  appends/sync   p50 ms   p99 ms  CPU ns/event\n");
    for (const row of rows) {
      process.stdout.write(`${row.append.padEnd(11)}${String(row.senders).padStart(7)}  ${row.compressed ? "yes " : "no  "}  ${row.sync.padEnd(6)}${row.appendsPerSecond.toFixed(0).padStart(13)}${row.eventsPerSecond.toFixed(0).padStart(12)}${row.megabytesPerSecond.toFixed(1).padStart(8)}${`${(row.ratio * 100).toFixed(0)} %`.padStart(9)}${row.appendsPerSync.toFixed(1).padStart(14)}${row.p50Ms.toFixed(2).padStart(9)}${row.p99Ms.toFixed(2).padStart(9)}${row.cpuNsPerEvent.toFixed(0).padStart(14)}\n`);
    }
  }
  if (!short) {
    const record = join(import.meta.dirname, "record");
    mkdirSync(record, { recursive: true });
    writeFileSync(join(record, "journal.json"), `${JSON.stringify({ machine, rows }, null, 1)}\n`);
  }
} finally {
  rmSync(given ? join(root, "plain") : root, { recursive: true, force: true });
}
