import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, truncateSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { JournalHealth } from "../../host/journal/contract.ts";
import { realDisk, type Disk, type DiskFile } from "../../host/journal/disk.ts";
import { JournalBroken, JournalFull } from "../../host/journal/error.ts";
import { Journal } from "../../host/journal/journal.ts";
import { listFolder } from "../../host/journal/segment.ts";
import { entry, everything, folders, lastSegmentPath, noise, textOf, texts } from "./support.ts";

const folder = folders();
const mounted: string[] = [];
afterAll(() => mounted.forEach((path) => spawnSync("umount", ["-l", path])));

/** A disk of its own, of a megabyte; undefined where mounting is not permitted. */
function smallDisk(name: string): string | undefined {
  const path = folder(name);
  mkdirSync(path);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path]).status !== 0) return undefined;
  mounted.push(path);
  return path;
}

const canMount = smallDisk("probe") !== undefined;
const canLimit = spawnSync("prlimit", ["--version"]).status === 0;

/** Leaves no byte free. @returns what gives the room back. */
function fill(disk: string): () => void {
  const path = join(disk, "ballast");
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(path, Buffer.alloc(bavail * bsize));
  return () => rmSync(path);
}

/** Appends until the journal says no. @returns the texts it took, and its answer. */
async function appendUntilRefused(journal: Journal, bytes = 30_000): Promise<{ taken: string[]; error: unknown }> {
  const taken: string[] = [];
  for (let i = 0; i < 1000; i++) {
    const one = entry(`${i} ${textOf(noise(bytes, i)).slice(0, bytes / 2)}`);
    try {
      await journal.append([one]);
    } catch (error) {
      return { taken, error };
    }
    taken.push(textOf(one));
  }
  throw new Error("the disk never became full");
}

describe.skipIf(!canMount)("a full disk (a tmpfs of a megabyte; skipped where mounting is not permitted)", () => {
  test.each([["in one segment", undefined], ["over many segments", 100_000]])("refuses, says so, loses nothing, and goes on when there is room: %s", async (name, segmentBytes) => {
    const disk = smallDisk(name.replaceAll(" ", "-"))!;
    const giveBack = ((): (() => void) => {
      writeFileSync(join(disk, "ballast"), Buffer.alloc(300_000));
      return () => rmSync(join(disk, "ballast"));
    })();
    const states: JournalHealth[] = [];
    const journal = await Journal.open(join(disk, "journal"), { reserveBytes: 0, segmentBytes, onState: (health) => states.push(health) });
    const { taken, error } = await appendUntilRefused(journal);
    expect(taken.length).toBeGreaterThan(5);
    expect(error).toBeInstanceOf(JournalFull);
    expect(error).toMatchObject({ code: "journal/full", hint: expect.stringContaining("free some space") });
    expect(journal.health).toMatchObject({ state: "full", refused: { full: 1 }, message: expect.stringContaining("no room") });
    // It tries again each time, and nothing of what failed is left between the frames.
    for (let i = 0; i < 3; i++) await expect(journal.append([noise(60_000, 1000 + i)])).rejects.toBeInstanceOf(JournalFull);
    expect(await everything(journal)).toMatchObject({ damage: [] });
    expect(await texts(journal)).toEqual(taken);
    giveBack();
    await journal.append([entry("there is room again")]);
    expect(journal.health).toMatchObject({ state: "ok", message: "" });
    expect(states.map(({ state }) => state)).toEqual(["full", "ok"]);
    await journal.close();
    const again = await Journal.open(join(disk, "journal"), { reserveBytes: 0 });
    expect(again.recovery).toMatchObject({ damage: [], tornBytes: 0 });
    expect(await texts(again)).toEqual([...taken, "there is room again"]);
    await again.close();
  });

  test("a process that starts on a full disk reads what is there, and takes more when there is room", async () => {
    const disk = smallDisk("start")!;
    const path = join(disk, "journal");
    const first = await Journal.open(path, { reserveBytes: 0 });
    for (let i = 0; i < 5; i++) await first.append([entry(`entry ${i}`)]);
    await first.close();
    // The last frame is torn, and there is no room to set it aside.
    truncateSync(lastSegmentPath(path), statSync(lastSegmentPath(path)).size - 3);
    const giveBack = fill(disk);
    const journal = await Journal.open(path, { reserveBytes: 0, checkpoint: { segment: 1, entry: 4 } });
    expect(journal.recovery).toMatchObject({ tornFile: undefined, damage: [{ reason: "short" }] });
    expect(journal.recovery.tornBytes).toBeGreaterThan(0);
    expect(await texts(journal)).toEqual([0, 1, 2, 3].map((i) => `entry ${i}`));
    await expect(journal.append([entry("no")])).rejects.toBeInstanceOf(JournalFull);
    giveBack();
    expect((await journal.append([entry("yes")])).segment).toBeGreaterThan(1);
    expect(await texts(journal)).toEqual([...[0, 1, 2, 3].map((i) => `entry ${i}`), "yes"]);
    await journal.close();
  });

  test("room is left for others", async () => {
    const disk = smallDisk("reserve")!;
    const journal = await Journal.open(join(disk, "journal"), { reserveBytes: 500_000 });
    const { taken, error } = await appendUntilRefused(journal, 60_000);
    expect(error).toBeInstanceOf(JournalFull);
    expect(statfsSync(disk).bavail * statfsSync(disk).bsize).toBeGreaterThan(400_000);
    expect(await texts(journal)).toEqual(taken);
    await journal.close();
  });
});

test.skipIf(!canLimit)("a file that may not grow (prlimit; skipped where it is missing) is a full disk, and what was acknowledged is there", async () => {
  const path = folder("limit");
  const child = `
    const { Journal } = await import(${JSON.stringify(join(import.meta.dirname, "../../host/journal/journal.ts"))});
    const journal = await Journal.open(${JSON.stringify(path)}, { compress: false });
    let taken = 0;
    try {
      for (;; taken++) await journal.append([{ profile: { format: "raw" }, partition: "", arrivalMs: 1, bytes: Buffer.alloc(5000, 65) }]);
    } catch (error) {
      console.log(JSON.stringify({ taken, code: error.code, state: journal.health.state }));
    }
    process.kill(process.pid, "SIGKILL");`;
  const { stdout } = spawnSync("prlimit", ["--fsize=100000", process.execPath, "--input-type=module", "-e", child], { encoding: "utf8" });
  expect(JSON.parse(stdout)).toEqual({ taken: 19, code: "journal/full", state: "full" });
  const journal = await Journal.open(path);
  expect(journal.recovery.tornBytes).toBe(0);
  expect((await everything(journal)).entries.length).toBe(19);
  await journal.close();
});

/** A disk whose calls fail while `faults` says so. What it fails at has been done, or half done: as real ones do. */
function faulty(faults: { write?: string; sync?: string; truncate?: string; syncs?: number }): Disk {
  const fail = (code: string): never => {
    throw Object.assign(new Error(code), { code });
  };
  const wrap = (file: DiskFile): DiskFile => ({
    ...file,
    async write(bytes, at) {
      if (!faults.write) return file.write(bytes, at);
      await file.write(bytes.subarray(0, bytes.length >> 1), at);
      return fail(faults.write);
    },
    async sync() {
      await file.sync();
      if (faults.sync && (faults.syncs = (faults.syncs ?? Infinity) - 1) >= 0) fail(faults.sync);
    },
    async truncate(length) {
      if (faults.truncate) fail(faults.truncate);
      await file.truncate(length);
    },
  });
  return { ...realDisk, create: async (path) => wrap(await realDisk.create(path)), open: async (path) => wrap(await realDisk.open(path)) };
}

describe("a disk that fails", () => {
  test.each([
    ["while writing", { write: "EIO" }, JournalBroken, 1],
    ["while writing, and cannot take it back", { write: "EIO", truncate: "EIO" }, JournalBroken, 2],
    ["while confirming", { sync: "EIO" }, JournalBroken, 2],
    ["while confirming, for want of room", { sync: "ENOSPC" }, JournalFull, 2],
    ["while writing, being read-only", { write: "EROFS" }, JournalBroken, 1],
    ["while writing, over a quota", { write: "EDQUOT" }, JournalFull, 1],
  ] as const)("%s: the group is refused, nothing of it is read, and the next one is taken", async (name, faults, kind, segment) => {
    const now: { write?: string; sync?: string; truncate?: string } = {};
    const path = folder(name.replaceAll(/\W/g, "-"));
    const journal = await Journal.open(path, { disk: faulty(now) });
    await journal.append([entry("before")]);
    Object.assign(now, faults);
    const refused = await Promise.allSettled([journal.append([entry("lost a")]), journal.append([entry("lost b")])]);
    expect(refused.map((outcome) => outcome.status === "rejected" && outcome.reason instanceof kind)).toEqual([true, true]);
    const state = kind === JournalFull ? "full" : "broken";
    expect(journal.health).toMatchObject({ state, refused: { [state]: 2 }, entries: 1 });
    await expect(journal.append([entry("lost c")])).rejects.toBeInstanceOf(kind);
    for (const key of Object.keys(now) as Array<keyof typeof now>) delete now[key];
    // After a failed sync nothing more goes to that file: its pages may be gone though it says all is well.
    expect((await journal.append([entry("after")])).segment).toBe(segment);
    expect(journal.health.state).toBe("ok");
    expect(await texts(journal)).toEqual(["before", "after"]);
    await journal.close();
    const again = await Journal.open(path);
    expect(await everything(again)).toMatchObject({ damage: [] });
    expect(await texts(again)).toEqual(["before", "after"]);
    await again.close();
    expect(listFolder(path).segments.length).toBe(segment);
  });

  test("one that fails to confirm a single time, and then says that all is well, is not believed for that file", async () => {
    const faults: { sync?: string; syncs?: number } = {};
    const journal = await Journal.open(folder("once"), { disk: faulty(faults) });
    await journal.append([entry("before")]);
    Object.assign(faults, { sync: "EIO", syncs: 1 });
    await expect(journal.append([entry("lost")])).rejects.toBeInstanceOf(JournalBroken);
    expect(await journal.append([entry("kept")])).toEqual({ segment: 2, entry: 0 });
    expect(await texts(journal)).toEqual(["before", "kept"]);
    await journal.close();
  });
});

