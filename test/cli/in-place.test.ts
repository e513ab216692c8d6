import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { readInput } from "../../host/batch/input.ts";
import { createEngine } from "../../host/index.ts";

const folder = mkdtempSync(join(tmpdir(), "vespid-in-place-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MEGABYTE = 1 << 20;

interface Read {
  readonly records: string[];
  readonly tooLarge: string[];
  readonly pushes: number;
}

/** @param inPlace into one memory again and again, which is spoiled after every push, as an engine's slot is. */
async function read(file: string, inPlace: boolean): Promise<Read> {
  const memory = new Uint8Array(new SharedArrayBuffer(MEGABYTE));
  const tooLarge: string[] = [];
  let text = "";
  let large = "";
  let pushes = 0;
  await readInput(file, {
    push: async (bytes) => {
      text += Buffer.from(bytes).toString();
      if (bytes.length) pushes++;
      await Promise.resolve();
      memory.fill(63);
    },
    tooLarge: (bytes, ended) => {
      large += Buffer.from(bytes).toString();
      if (!ended) return;
      tooLarge.push(large);
      large = "";
    },
  }, {
    settings: { format: "log" }, nowMs: () => 0, arrange: () => Promise.reject(new Error("not asked for")), ...(inPlace ? { room: () => Promise.resolve(memory) } : {}),
  });
  return { records: text.split("\n"), tooLarge, pushes };
}

function line(length: number, letter: string): string {
  return `{"message":"${letter.repeat(length - 14)}"}`;
}

const contents: ReadonlyArray<readonly [string, readonly string[], number]> = [
  ["nothing", [""], 0],
  ["a line without an end", [line(40, "a")], 0],
  ["lines that end where a room does", [line(MEGABYTE - 1, "a"), line(MEGABYTE / 2 - 1, "b"), line(MEGABYTE / 2 - 1, "c"), line(20, "d")], 0],
  ["lines over the ends of rooms", [...Array.from({ length: 300 }, (_, i) => line(9000 + i, "xyz"[i % 3]!)), ""], 0],
  ["a line of the largest size", [line(30, "a"), line(MEGABYTE, "b"), line(30, "c"), ""], 0],
  ["a line over it by one", [line(30, "a"), line(MEGABYTE + 1, "b"), line(30, "c"), ""], 1],
  ["a line of several rooms at the end", [line(30, "a"), line(3 * MEGABYTE, "b")], 1],
];

describe("records read where they are judged", () => {
  test.each(contents)("%s: the same as through a buffer", async (name, lines, tooLarge) => {
    const file = join(folder, name.replaceAll(" ", "-"));
    writeFileSync(file, lines.join("\n"));
    const inPlace = await read(file, true);
    const copied = await read(file, false);
    expect([inPlace.records, inPlace.tooLarge]).toEqual([copied.records, copied.tooLarge]);
    expect(inPlace.tooLarge.length).toBe(tooLarge);
    if (!tooLarge) expect(inPlace.records).toEqual(lines);
  });

  test("packed inputs too", async () => {
    const lines = contents[3]![1];
    const file = join(folder, "packed.gz");
    writeFileSync(file, gzipSync(lines.join("\n")));
    const { records, pushes } = await read(file, true);
    expect(records).toEqual(lines);
    expect(pushes).toBe(3);
  });
});

describe("an engine's room", () => {
  const rule = {
    name: "all", type: "log_detection", isEnabled: true, message: "", tags: [], options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 3600 },
    queries: [{ name: "a", query: "*", aggregation: "count", groupByFields: [], distinctFields: [] }], cases: [{ name: "", status: "low", condition: "a > 2" }],
  };
  const record = (i: number): Buffer => Buffer.from(`{"timestamp":${1_700_000_000_000 + i},"message":"m${i}"}\n`);
  const input = { format: "log", arrivalMs: 1_700_000_000_000 } as const;

  test.each([0, 2])("%i workers: pushed in place, beside it, empty or not at all, each event counts once", async (workers) => {
    const engine = await createEngine({ rules: [rule], workers });
    for (let i = 0; i < 30; i++) {
      const room = await engine.room();
      expect(room.length).toBe(MEGABYTE);
      const bytes = record(i);
      if (i % 3 === 2) {
        await engine.push(bytes, input);
        continue;
      }
      room.set(bytes, i);
      await engine.push(room.subarray(i, i + bytes.length), input);
      if (i % 5 === 0) await engine.push((await engine.room()).subarray(0, 0), input);
    }
    await engine.room();
    await engine.flush();
    const stats = await engine.close();
    expect([stats.events, stats.matches, stats.malformed]).toEqual([30, 30, {}]);
    expect(engine.finalSignals().map((signal) => signal.eventsMatched)).toEqual([30]);
  });
});
