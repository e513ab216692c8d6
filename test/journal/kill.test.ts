import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { checkFolder, readFolder } from "../../host/journal/check.ts";
import { positionText, type Damage, type JournalPosition, type StoredEntry } from "../../host/journal/contract.ts";
import { Journal } from "../../host/journal/journal.ts";
import { listFolder } from "../../host/journal/segment.ts";
import { everything, folders, textOf } from "./support.ts";
import { random } from "./support-plain.ts";

const folder = folders();
/** VESPID_KILLS=1000 for the longer run. */
const KILLS = Number(process.env.VESPID_KILLS ?? 200);
const LANES = 2;
const beyondAll: JournalPosition = { segment: Infinity, entry: 0 };

/** One life of a writing process. @returns ids it acknowledged, and where. */
function live(path: string, run: number, seed: number): Promise<Map<string, string>> {
  const next = random(seed);
  // Half of them die at a chosen call to the disk, the others whenever it happens: at the start, and later.
  const steps = next() < 0.5 ? 1 + Math.floor(next() ** 2 * 120) : 0;
  const child = spawn(process.execPath, [join(import.meta.dirname, "kill-child.ts"), path, String(run), String(seed), String(steps)], { stdio: ["ignore", "pipe", "inherit"] });
  const output: Buffer[] = [];
  const kill = (): boolean => child.kill("SIGKILL");
  if (steps === 0) {
    const delay = next() * 60;
    if (next() < 0.15) setTimeout(kill, delay * 2);
    else child.stdout.once("data", () => setTimeout(kill, delay));
  }
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("close", (_code, signal) => {
      if (signal !== "SIGKILL") reject(new Error(`run ${run} ended by itself`));
      const lines = Buffer.concat(output).toString().split("\n").slice(0, -1);
      resolve(new Map(lines.map((line) => line.split(" ")).map(([id, segment, entry]) => [id!, `${segment}:${entry}`])));
    });
  });
}

/** The entry as it was sent, or the test fails. @returns its id. */
function idOf(entry: StoredEntry): string {
  const text = textOf(entry);
  const [id, crc] = text.split(" ", 2) as [string, string];
  expect(crc32(text.slice(id.length + crc.length + 2))).toBe(Number(crc));
  return id;
}

async function lane(number: number, kills: number): Promise<{ acknowledged: number; stored: number; damaged: number }> {
  const path = folder(`lane-${number}`);
  mkdirSync(path);
  const acknowledged = new Map<string, string>();
  let damaged = 0;
  for (let run = 0; run < kills; run++) {
    const before = listFolder(path).segments.at(-1) ?? 0;
    const acks = await live(path, run, 10_000 * number + run);
    const found = new Map<string, string>();
    const damage: Damage[] = [];
    for await (const entry of readFolder(path, { segment: before, entry: 0 }, beyondAll, (each) => damage.push(each))) found.set(idOf(entry), positionText(entry.position));
    for (const [id, place] of acks) {
      expect(found.get(id), `run ${run}, entry ${id}`).toBe(place);
      acknowledged.set(id, place);
    }
    // Nothing but the frame that was being written.
    expect(damage.length).toBeLessThanOrEqual(1);
    damaged += damage.length;
  }
  const journal = await Journal.open(path);
  const { entries } = await everything(journal);
  await journal.close();
  const places = new Map(entries.map((entry) => [idOf(entry), positionText(entry.position)]));
  expect(places.size, "an entry is there twice").toBe(entries.length);
  expect([...acknowledged].filter(([id, place]) => places.get(id) !== place)).toEqual([]);
  expect((await checkFolder(path, "all")).segments.flatMap((segment) => segment.damage)).toEqual([]);
  return { acknowledged: acknowledged.size, stored: entries.length, damaged };
}

test(`killed ${KILLS} times under load, at any call to the disk and at any time: all that was acknowledged is there, once, at its place`, async () => {
  const lanes = await Promise.all(Array.from({ length: LANES }, (_, i) => lane(i + 1, Math.ceil(KILLS / LANES))));
  const sum = (what: "acknowledged" | "stored" | "damaged"): number => lanes.reduce((total, each) => total + each[what], 0);
  expect(sum("acknowledged")).toBeGreaterThan(KILLS * 20);
  // The kills met frames half written and frames written that nobody was told of: else this test would show little.
  expect(sum("damaged")).toBeGreaterThan(KILLS / 50);
  expect(sum("stored")).toBeGreaterThan(sum("acknowledged"));
}, 1_200_000);
