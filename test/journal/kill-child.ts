// Appends under load until it is killed, and tells on standard output what was acknowledged:
// node kill-child.ts FOLDER RUN SEED STEPS. With STEPS above zero it kills itself at that call to the disk: before it, in its
// midst, or after it.
import { writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { realDisk, type Disk, type DiskFile } from "../../host/journal/disk.ts";
import { Journal } from "../../host/journal/journal.ts";
import { random } from "./support-plain.ts";

const [folder, run, seed, steps] = process.argv.slice(2) as [string, string, string, string];
const next = random(Number(seed));
let left = Number(steps);

function die(): Promise<never> {
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => {});
}

/** Does `work`, or dies around it. `half` does a part of it. */
async function step<T>(work: () => Promise<T>, half?: () => Promise<unknown>): Promise<T> {
  if (left === 0 || --left > 0) return work();
  const when = next();
  if (when < 0.34) return die();
  if (half && when < 0.67) await half();
  else await work();
  return die();
}

const wrap = (file: DiskFile): DiskFile => ({
  write: (bytes, at) => step(() => file.write(bytes, at), () => file.write(bytes.subarray(0, Math.floor(next() * bytes.length)), at)),
  sync: () => step(() => file.sync()),
  truncate: (length) => step(() => file.truncate(length)),
  close: () => step(() => file.close()),
});

const disk: Disk = {
  ...realDisk,
  create: (path) => step(async () => wrap(await realDisk.create(path))),
  open: (path) => step(async () => wrap(await realDisk.open(path))),
  rename: (from, to) => step(() => realDisk.rename(from, to)),
  remove: (path) => step(() => realDisk.remove(path)),
  syncFolder: (path) => step(() => realDisk.syncFolder(path)),
};

const journal = await Journal.open(folder, { disk, segmentBytes: 200_000, groupBytes: 60_000, reserveBytes: 0 });
let sent = 0;

async function shipper(): Promise<void> {
  for (;;) {
    const entries = Array.from({ length: 1 + Math.floor(next() * 3) }, () => {
      const body = `${Math.floor(next() * 1e9)} failed login `.repeat(Math.floor(next() ** 6 * 800));
      return { profile: { format: "raw" as const, source: "kill" }, partition: "", arrivalMs: sent, bytes: Buffer.from(`${run}.${sent++} ${crc32(body)} ${body}`) };
    });
    const place = await journal.append(entries);
    // At once, in one call: what is not written here before the end was not acknowledged.
    writeSync(1, entries.map((entry, i) => `${entry.bytes.toString("latin1", 0, 40).split(" ")[0]} ${place.segment} ${place.entry + i}\n`).join(""));
  }
}

await Promise.all(Array.from({ length: 8 }, shipper));
