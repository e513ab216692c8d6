import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { pageMemory } from "../../host/engine/page-memory.ts";
import { BLOCK_BYTES, DIRECT_FROM, realDisk, wholeBlocks } from "../../host/journal/disk.ts";
import { Journal } from "../../host/journal/journal.ts";
import { everything, folders, noise } from "./support.ts";
import { random } from "./support-plain.ts";

const folder = folders();

describe("whole blocks", () => {
  const memory = pageMemory(4 * DIRECT_FROM);

  test("are those that lie alike in memory and on disk, where there are enough of them", () => {
    expect(wholeBlocks(memory, 0)).toEqual([0, 4 * DIRECT_FROM]);
    expect(wholeBlocks(memory.subarray(100, 100 + 2 * DIRECT_FROM), 100)).toEqual([BLOCK_BYTES - 100, 2 * DIRECT_FROM - 100]);
    expect(wholeBlocks(memory.subarray(100, 100 + 2 * DIRECT_FROM), 7 * BLOCK_BYTES + 100)).toEqual([BLOCK_BYTES - 100, 2 * DIRECT_FROM - 100]);
    expect(wholeBlocks(memory.subarray(0, DIRECT_FROM), BLOCK_BYTES)).toEqual([0, DIRECT_FROM]);
  });

  test("are none in few bytes, in bytes that lie otherwise, or in memory nothing is known of", () => {
    expect(wholeBlocks(memory.subarray(0, DIRECT_FROM - 1), 0)).toBeUndefined();
    expect(wholeBlocks(memory.subarray(100, 100 + DIRECT_FROM), 100)).toBeUndefined();
    expect(wholeBlocks(memory, 1)).toBeUndefined();
    expect(wholeBlocks(memory.subarray(64), 0)).toBeUndefined();
    expect(wholeBlocks(Buffer.alloc(4 * DIRECT_FROM), 0)).toBeUndefined();
  });
});

test("a file holds what was written, past the system's cache or through it, one beside the other, and over what was cut off", async () => {
  const next = random(3);
  const memory = pageMemory(1024 * 1024);
  for (let i = 0; i < memory.length; i++) memory[i] = Math.floor(next() * 256);
  const path = folder("file");
  const file = await realDisk.create(path);
  let expected = Buffer.alloc(0);
  let past = 0;
  for (let i = 0; i < 60; i++) {
    const at = expected.length;
    const length = 1 + Math.floor(next() * (i % 3 ? 400_000 : 9000));
    const from = (at % BLOCK_BYTES) + (i % 5 ? 0 : 8);
    const bytes = memory.subarray(from, from + length);
    if (wholeBlocks(bytes, at)) past++;
    await file.write(bytes, at);
    expected = Buffer.concat([expected, bytes]);
    if (i % 7 === 6) {
      expected = expected.subarray(0, Math.floor(expected.length * next()));
      await file.truncate(expected.length);
    }
    await file.sync();
    // Readers come through the cache, and see it all.
    expect(readFileSync(path).equals(expected)).toBe(true);
  }
  expect(past).toBeGreaterThan(20);
  await file.close();
});

test("frames small and large, read while others are written, come back in the next process too", async () => {
  const path = folder("frames");
  const journal = await Journal.open(path, { compress: false, segmentBytes: 2 * 1024 * 1024 });
  const sent: Buffer[] = [];
  for (let i = 0; i < 24; i++) {
    const entry = noise(i % 3 ? 150_000 + i * 777 : 100 + i, i);
    sent.push(Buffer.from(entry.bytes));
    await journal.append([entry]);
    const { entries, damage } = await everything(journal);
    expect(damage).toEqual([]);
    expect(Buffer.concat(entries.map(({ bytes }) => bytes)).equals(Buffer.concat(sent))).toBe(true);
  }
  expect(journal.segments.length).toBeGreaterThan(1);
  await journal.close();
  const again = await Journal.open(path);
  expect(again.recovery).toMatchObject({ tornBytes: 0, damage: [] });
  expect(Buffer.concat((await everything(again)).entries.map(({ bytes }) => bytes)).equals(Buffer.concat(sent))).toBe(true);
  await again.close();
});
