import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { realDisk, type Disk, type DiskFile } from "../../host/journal/disk.ts";
import { Journal } from "../../host/journal/journal.ts";
import { entry, everything, folders, noise, textOf } from "./support.ts";
import { random } from "./support-plain.ts";

// A killed process leaves its writes with the system; a machine without power leaves what was synced, and of the rest anything.

const folder = folders();
const SECTOR_BYTES = 512;

/** A file as the plates have it, and what is on its way there. */
interface Plate {
  named: boolean;
  durable: Buffer;
  /** Since the last sync, in order: writes, and truncations (no bytes). */
  pending: Array<{ readonly at: number; readonly bytes: Buffer | undefined }>;
}

function applied(base: Buffer, at: number, bytes: Buffer | undefined): Buffer {
  if (!bytes) return Buffer.concat([base.subarray(0, at), Buffer.alloc(Math.max(0, at - base.length))]);
  const out = Buffer.alloc(Math.max(base.length, at + bytes.length));
  out.set(base);
  out.set(bytes, at);
  return out;
}

/** The real disk, and beside it what would be left of it. */
class Plates {
  readonly #files = new Map<string, Plate>();

  readonly disk: Disk = {
    ...realDisk,
    create: async (path) => {
      const file = await realDisk.create(path);
      this.#files.set(basename(path), { named: false, durable: Buffer.alloc(0), pending: [] });
      return this.#watch(basename(path), file);
    },
    open: () => Promise.reject(new Error("these journals are opened once")),
    remove: async (path) => {
      await realDisk.remove(path);
      this.#files.delete(basename(path));
    },
    syncFolder: async (path) => {
      await realDisk.syncFolder(path);
      for (const plate of this.#files.values()) plate.named = true;
    },
  };

  #watch(name: string, file: DiskFile): DiskFile {
    const plate = this.#files.get(name)!;
    return {
      write: async (bytes, at) => {
        plate.pending.push({ at, bytes: Buffer.from(bytes) });
        await file.write(bytes, at);
      },
      sync: async () => {
        const until = plate.pending.length;
        await file.sync();
        for (const { at, bytes } of plate.pending.splice(0, until)) plate.durable = applied(plate.durable, at, bytes);
      },
      truncate: async (length) => {
        plate.pending.push({ at: length, bytes: undefined });
        await file.truncate(length);
      },
      close: () => file.close(),
    };
  }

  /** What is found when the power is back: of what was on its way each sector may have arrived, or not, in any order. */
  after(path: string, next: () => number): void {
    mkdirSync(path);
    for (const [name, { named, durable, pending }] of this.#files) {
      if (!named && next() < 0.7) continue;
      let left: Buffer = Buffer.from(durable);
      for (const { at, bytes } of pending) {
        if (!bytes) {
          if (next() < 0.5) left = applied(left, at, undefined);
          continue;
        }
        // The length is often there before the content is.
        if (next() < 0.5) left = applied(left, at, Buffer.alloc(bytes.length));
        for (let from = 0; from < bytes.length; from += SECTOR_BYTES) {
          if (next() < 0.5) left = applied(left, at + from, bytes.subarray(from, from + SECTOR_BYTES));
        }
      }
      writeFileSync(join(path, name), left);
    }
  }
}

test("power cut 400 times under load: all that was acknowledged by then is there, once, at its place", async () => {
  const next = random(11);
  let tornAtAll = 0;
  for (let journalNumber = 0; journalNumber < 8; journalNumber++) {
    const plates = new Plates();
    const journal = await Journal.open(folder(`live-${journalNumber}`), { disk: plates.disk, segmentBytes: 60_000, groupBytes: 20_000, reserveBytes: 0 });
    const acknowledged = new Map<string, string>();
    let running = true;
    // Nobody sends while what is left is being looked at: it would only grow.
    let gate = Promise.withResolvers<void>();
    const shippers = Array.from({ length: 4 }, async (_, who) => {
      for (let i = 0; running; i++) {
        await gate.promise;
        const text = `${who}.${i}`;
        const { segment, entry: place } = await journal.append([entry(text), noise(Math.floor(next() ** 3 * 9000), i)]);
        acknowledged.set(text, `${segment}:${place}`);
      }
    });
    for (let cut = 0; cut < 50; cut++) {
      gate.resolve();
      const wait = Math.floor(next() * 12);
      for (let i = 0; i < wait; i++) await new Promise((resolve) => setImmediate(resolve));
      gate = Promise.withResolvers();
      const known = new Map(acknowledged);
      const path = folder(`cut-${journalNumber}-${cut}`);
      plates.after(path, next);
      const found = await Journal.open(path, { reserveBytes: 0 });
      if (found.recovery.tornBytes > 0) tornAtAll++;
      const { entries, damage } = await everything(found);
      const named = entries.filter(({ bytes }) => /^\d+\.\d+$/.test(Buffer.from(bytes).toString("latin1", 0, 20)));
      const places = new Map(named.map((each) => [textOf(each), `${each.position.segment}:${each.position.entry}`]));
      expect(places.size).toBe(named.length);
      expect([...known].filter(([text, place]) => places.get(text) !== place)).toEqual([]);
      expect(damage).toEqual([]);
      await found.close();
    }
    running = false;
    gate.resolve();
    await Promise.all(shippers);
    await journal.close();
  }
  expect(tornAtAll).toBeGreaterThan(40);
});
