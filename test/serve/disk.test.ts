import { spawnSync } from "node:child_process";
import { appendFileSync, closeSync, mkdirSync, openSync, readSync, rmSync, statSync, statfsSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { listFolder, segmentPath } from "../../host/journal/segment.ts";
import { random } from "../journal/support-plain.ts";
import { ServedProcess } from "./child.ts";
import { atConfig, serveFolders, settings, until } from "./process-support.ts";
import { burst, fresh, login, spread } from "./rules.ts";
import { expectSame, journalOf, numbersOf, storedSignals, uninterrupted } from "./twin.ts";

const folder = serveFolders();
const rules = [burst, spread, fresh];
const mounted: string[] = [];
afterAll(() => mounted.forEach((path) => spawnSync("umount", ["-l", path])));

const MEGABYTE = 1024 * 1024;

/** A data folder on a disk of its own; false where mounting is not permitted. */
function mountData(path: string, megabytes: number): boolean {
  const data = join(path, "data");
  mkdirSync(data);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", data]).status !== 0) return false;
  mounted.push(data);
  return true;
}
const canMount = mountData(folder("probe", {}), 1);

function served(name: string, more = ""): string {
  return folder(name, { "rules.json": JSON.stringify(rules), "vespid.yaml": settings(more).replace("checkpoint_seconds: 1", "checkpoint_seconds: 86400") });
}

const lastSegment = (path: string): string => {
  const journal = join(path, "data/journal");
  return segmentPath(journal, listFolder(journal).segments.at(-1)!);
};

interface Readyz {
  readonly status: string;
  readonly reason?: string;
  readonly journal: { readonly state: string; readonly message?: string; readonly lost_entries: number };
}
const readyz = async (server: ServedProcess): Promise<{ status: number; body: Readyz }> => {
  const { status, text } = await server.ask("GET", "/readyz");
  return { status, body: JSON.parse(text) as Readyz };
};

/** Sends ten batches. @returns the numbers of their events. */
async function sendSome(server: ServedProcess, next: () => number, from: number): Promise<number[]> {
  const numbers: number[] = [];
  for (let batch = 0; batch < 10; batch++) {
    const events = Array.from({ length: 20 }, (_, i) => login(from + batch * 20 + i, Date.now(), next));
    expect((await server.send(events)).status).toBe(202);
    numbers.push(...events.map(({ nr }) => nr as number));
  }
  return numbers;
}

describe("a journal that was damaged while nobody looked", () => {
  test.each<[string, (file: string, next: () => number) => void]>([
    ["half a frame at its end", (file, next) => appendFileSync(file, Buffer.from(Array.from({ length: 700 }, () => Math.floor(next() * 256))))],
    ["the head of a frame, and nothing behind it", (file) => appendFileSync(file, firstFrame(file).subarray(0, 40))],
    ["zeros at its end, as a file system leaves them", (file) => appendFileSync(file, Buffer.alloc(4096))],
  ])("%s: all that was acknowledged is judged, and the server says what it found", async (name, damage) => {
    const path = served(name.replaceAll(/\W+/g, "-"));
    const next = random(3);
    const first = await ServedProcess.start(atConfig(path));
    const numbers = await sendSome(first, next, 0);
    await first.kill();
    damage(lastSegment(path), next);
    const second = await ServedProcess.start(atConfig(path));
    expect(second.stderr).toMatch(/damage in the journal, segment \d+: [\d,]+ bytes/);
    expect(await readyz(second)).toMatchObject({ status: 200, body: { journal: { state: "ok", lost_entries: 0 } } });
    numbers.push(...(await sendSome(second, next, 1000)));
    expect(await second.stop()).toBe(0);
    const { entries, damage: left } = await journalOf(join(path, "data"));
    expect([numbersOf(entries), left]).toEqual([numbers, []]);
    expectSame(storedSignals(join(path, "data")), (await uninterrupted(entries, rules)).signals);
  });

  test("a bit flipped in its midst: that frame is lost, which is told and counted; all others are judged", async () => {
    const path = served("flipped");
    const next = random(4);
    const first = await ServedProcess.start(atConfig(path));
    const numbers = await sendSome(first, next, 0);
    await first.kill();
    const file = lastSegment(path);
    flip(file, Math.floor(statSync(file).size / 2));
    const second = await ServedProcess.start(atConfig(path));
    expect(second.stderr).toMatch(/damage in the journal, .* 1 batch lost; vespid journal verify tells more/);
    expect((await readyz(second)).body.journal).toMatchObject({ state: "ok", lost_entries: 1 });
    expect(await second.metric("vespid_journal_lost_entries_total")).toBe(1);
    await sendSome(second, next, 1000);
    expect(await second.stop()).toBe(0);
    const { entries, damage } = await journalOf(join(path, "data"));
    expect(damage).toHaveLength(1);
    expect(numbersOf(entries).filter((nr) => nr < 1000)).toHaveLength(numbers.length - 20);
    const { signals, stats } = await uninterrupted(entries, rules);
    expect(second.stderr).toContain(`closed: ${stats.events} events judged, `);
    // What was told of lost events before the kill stays told: beside these, all is as in a run over what can be read.
    const ids = new Set(signals.map(({ id }) => id));
    expectSame(storedSignals(join(path, "data")).filter(({ id }) => ids.has(id)), signals);
  });

  test("a frame that lost its end although it was acknowledged, as on a disk that lies: the loss is told, and everything else judged", async () => {
    const path = served("lying");
    const next = random(5);
    const first = await ServedProcess.start(atConfig(path));
    const numbers = await sendSome(first, next, 0);
    await first.kill();
    truncateSync(lastSegment(path), statSync(lastSegment(path)).size - 5);
    const second = await ServedProcess.start(atConfig(path));
    expect(second.stderr).toMatch(/damage in the journal/);
    const more = await sendSome(second, next, 1000);
    expect(await second.stop()).toBe(0);
    expect(numbersOf((await journalOf(join(path, "data"))).entries)).toEqual([...numbers.slice(0, -20), ...more]);
  });
});

/** Takes what is left, whoever else is writing there. */
function fillUp(file: string): void {
  for (let bytes = MEGABYTE; bytes >= 1; ) {
    try {
      appendFileSync(file, Buffer.alloc(bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      bytes = Math.floor(bytes / 16);
    }
  }
}

describe.skipIf(!canMount)("a full disk (a tmpfs; skipped where mounting is not permitted)", () => {
  /** Text that no compressor makes smaller. */
  const noise = (next: () => number, nr: number): Record<string, unknown> => ({ ...login(nr, Date.now(), next), blob: Buffer.from(Array.from({ length: 60_000 }, () => Math.floor(next() * 256))).toString("base64") });

  test.each([["room left for others is used up", 80, false], ["not a byte is left", 80, true]])("%s: senders are told to come again, health is loud, nothing acknowledged is lost, and it goes on when there is room", async (name, megabytes, isBrimful) => {
    const path = served(name.replaceAll(/\W+/g, "-"));
    mountData(path, megabytes);
    const ballast = join(path, "data/ballast");
    const { bavail, bsize } = statfsSync(join(path, "data"));
    // The journal leaves 64 MB to others.
    writeFileSync(ballast, Buffer.alloc(bavail * bsize - 69 * MEGABYTE));
    const next = random(6);
    const server = await ServedProcess.start(atConfig(path));
    expect(server.port, server.stderr).toBeGreaterThan(0);
    const numbers: number[] = [];
    let nr = 0;
    let refused;
    while (!refused) {
      const events = [noise(next, nr++), noise(next, nr++)];
      const answer = await server.send(events);
      if (answer.status === 202) numbers.push(...events.map((event) => event.nr as number));
      else refused = answer;
      expect(nr).toBeLessThan(1000);
    }
    expect(refused).toMatchObject({ status: 429, retryAfter: expect.stringMatching(/^\d+$/) });
    expect(await readyz(server)).toMatchObject({ status: 503, body: { status: "busy", reason: "disk", journal: { state: "full", message: expect.stringContaining("free some space") } } });
    expect(await server.metric('vespid_journal_state{state="full"}')).toBe(1);
    expect(await server.metric('vespid_journal_refused_total{reason="full"}')).toBeGreaterThan(0);
    if (isBrimful) {
      fillUp(`${ballast}-2`);
      // Every time somebody asks it looks again.
      for (let i = 0; i < 5; i++) expect((await server.send([login(nr++, Date.now(), next)])).status).toBe(429);
    }
    rmSync(ballast);
    rmSync(`${ballast}-2`, { force: true });
    await until("it takes logs again", async () => {
      const event = login(nr++, Date.now(), next);
      const { status } = await server.send([event]);
      if (status === 202) numbers.push(event.nr as number);
      return status === 202;
    });
    expect((await readyz(server)).status).toBe(200);
    await server.kill();
    const again = await ServedProcess.start(atConfig(path));
    const events = Array.from({ length: 40 }, () => login(nr++, Date.now(), next));
    expect((await again.send(events)).status).toBe(202);
    numbers.push(...events.map((event) => event.nr as number));
    expect(await again.stop(), again.stderr).toBe(0);
    const { entries, damage } = await journalOf(join(path, "data"));
    expect([numbersOf(entries), damage]).toEqual([numbers, []]);
    expectSame(storedSignals(join(path, "data")), (await uninterrupted(entries, rules)).signals);
  });
});

function firstFrame(file: string): Buffer {
  const bytes = Buffer.alloc(200);
  const opened = openSync(file, "r");
  readSync(opened, bytes, 0, bytes.length, 64);
  closeSync(opened);
  return bytes;
}

function flip(file: string, at: number): void {
  const byte = Buffer.alloc(1);
  const opened = openSync(file, "r+");
  readSync(opened, byte, 0, 1, at);
  byte[0]! ^= 0x10;
  writeSync(opened, byte, 0, 1, at);
  closeSync(opened);
}
