import { copyFileSync, cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, appendFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkFolder } from "../../host/journal/check.ts";
import { FRAME_HEAD_BYTES, frameMark } from "../../host/journal/frame.ts";
import { Journal } from "../../host/journal/journal.ts";
import { SEGMENT_HEAD_BYTES, listFolder, newSalt, readSegmentHead, segmentPath, writeSegmentHead } from "../../host/journal/segment.ts";
import { entry, everything, flipBit, folders, lastSegmentPath, noise, textOf, texts } from "./support.ts";
import { random } from "./support-plain.ts";

const folder = folders();

/** A journal of so many frames, an entry each, and where each of them begins in its one segment. */
async function frames(path: string, count: number, text: (i: number) => string = (i) => `entry ${i} ${"lorem ipsum ".repeat(i * 7)}`): Promise<number[]> {
  const journal = await Journal.open(path, { groupBytes: 0 });
  const starts: number[] = [];
  for (let i = 0; i < count; i++) {
    starts.push(journal.segments[0]?.bytes ?? SEGMENT_HEAD_BYTES);
    await journal.append([entry(text(i))]);
  }
  await journal.close();
  return starts;
}

function numbers(list: readonly string[]): number[] {
  return list.map((text) => Number(text.split(" ")[1]));
}

describe("torn tails", () => {
  test("cut at every byte of the last frame: all before it stays, the rest is set aside, and writing goes on", async () => {
    const whole = folder("torn");
    const starts = await frames(whole, 4);
    const file = lastSegmentPath(whole);
    const bytes = readFileSync(file);
    const last = starts[3]!;
    expect(bytes.length - last).toBeGreaterThan(FRAME_HEAD_BYTES + 20);
    for (let length = last; length < bytes.length; length++) {
      const path = folder(`torn-${length}`);
      cpSync(whole, path, { recursive: true });
      truncateSync(lastSegmentPath(path), length);
      const journal = await Journal.open(path);
      expect(journal.recovery.tornBytes).toBe(length - last);
      if (length === last) expect(journal.recovery).toMatchObject({ damage: [], tornFile: undefined });
      else {
        expect(readFileSync(journal.recovery.tornFile!)).toEqual(bytes.subarray(last, length));
        expect(journal.recovery.damage).toMatchObject([{ offset: last, bytes: length - last, reason: "short" }]);
      }
      const place = await journal.append([entry("entry 99")]);
      // The place of what may have been there is not given again.
      expect(place).toEqual(length === last ? { segment: 1, entry: 3 } : { segment: 2, entry: 0 });
      const { entries, damage } = await everything(journal);
      expect(numbers(entries.map(textOf))).toEqual([0, 1, 2, 99]);
      expect(damage).toEqual([]);
      await journal.close();
      const again = await Journal.open(path);
      expect(again.recovery.tornBytes).toBe(0);
      await again.close();
      rmSync(path, { recursive: true });
    }
  });

  test("a length without content, as a machine that lost its power leaves it", async () => {
    const path = folder("zeros");
    await frames(path, 3);
    appendFileSync(lastSegmentPath(path), Buffer.alloc(5000));
    const journal = await Journal.open(path);
    expect(journal.recovery).toMatchObject({ tornBytes: 5000, damage: [{ reason: "head", bytes: 5000 }] });
    expect(numbers(await texts(journal))).toEqual([0, 1, 2]);
    await journal.close();
  });

  test.each([0, 1, 31, 63])("a segment of which only %i bytes of the head came to be", async (length) => {
    const path = folder(`head-${length}`);
    await frames(path, 3);
    writeFileSync(segmentPath(path, 2), readFileSync(segmentPath(path, 1)).subarray(0, length));
    const journal = await Journal.open(path);
    expect(journal.recovery.tornBytes).toBe(length);
    expect(await journal.append([entry("entry 3")])).toEqual({ segment: 3, entry: 0 });
    expect(numbers(await texts(journal))).toEqual([0, 1, 2, 3]);
    await journal.close();
  });

  test.each([32, 33, 50, 63])("a head of which %i bytes came to be, one copy of two, is made whole before anything follows it", async (length) => {
    const path = folder(`half-head-${length}`);
    await frames(path, 0);
    const file = segmentPath(path, 1);
    const head = writeSegmentHead(1, newSalt());
    writeFileSync(file, head.subarray(0, length));
    const journal = await Journal.open(path);
    expect(await journal.append([entry("entry 0")])).toEqual({ segment: 1, entry: 0 });
    await journal.close();
    expect(readFileSync(file).subarray(0, SEGMENT_HEAD_BYTES)).toEqual(head);
    const again = await Journal.open(path);
    const { entries, damage } = await everything(again);
    expect(entries.map(textOf)).toEqual(["entry 0"]);
    expect(damage).toEqual([]);
    expect(again.recovery.damage).toEqual([]);
    await again.close();
  });

  test("a tail torn twice keeps both", async () => {
    const path = folder("twice");
    for (let i = 0; i < 2; i++) {
      await frames(path, 2);
      truncateSync(lastSegmentPath(path), statSync(lastSegmentPath(path)).size - 1);
    }
    const journal = await Journal.open(path);
    expect(listFolder(path).torn.length).toBe(2);
    expect(numbers(await texts(journal))).toEqual([0, 0]);
    await journal.close();
  });
});

describe("flipped bits", () => {
  test("each loses the frame it is in and no other, wherever it is; it is told, and verify finds it", async () => {
    const whole = folder("flip");
    const count = 12;
    const starts = await frames(whole, count, (i) => `entry ${i} ${"x y ".repeat((i * 37) % 300)}`);
    const size = statSync(lastSegmentPath(whole)).size;
    const next = random(3);
    for (let round = 0; round < 250; round++) {
      const path = folder(`flip-${round}`);
      cpSync(whole, path, { recursive: true });
      const bit = Math.floor(next() * size * 8);
      flipBit(lastSegmentPath(path), bit);
      const hit = starts.findLastIndex((start) => start <= bit >> 3);
      const expected = Array.from({ length: count }, (_, i) => i).filter((i) => i !== hit);
      expect((await checkFolder(path, "all")).segments[0]!.damage.length, `bit ${bit}`).toBe(1);
      const journal = await Journal.open(path);
      const found = await everything(journal);
      expect(numbers(found.entries.map(textOf)), `bit ${bit}`).toEqual(expected);
      expect(found.entries.map(({ position }) => position.entry)).toEqual(expected);
      expect(journal.recovery.damage.length).toBe(1);
      // In the midst it stays where it is, and its neighbours tell how much is lost; at the end it is set aside.
      if (hit >= 0 && hit < count - 1) expect(found.damage).toMatchObject([{ segment: 1, offset: starts[hit], bytes: starts[hit + 1]! - starts[hit]!, entries: 1 }]);
      expect(journal.recovery.tornBytes).toBe(hit === count - 1 ? size - starts[hit]! : 0);
      expect((await journal.append([entry("entry 77")])).segment).toBe(hit === count - 1 ? 2 : 1);
      expect(numbers(await texts(journal))).toEqual([...expected, 77]);
      await journal.close();
      rmSync(path, { recursive: true });
    }
  });

  test("bytes that are missing in the midst lose the frames they were in, not those that follow", async () => {
    const path = folder("missing");
    const starts = await frames(path, 8);
    const bytes = readFileSync(lastSegmentPath(path));
    writeFileSync(lastSegmentPath(path), Buffer.concat([bytes.subarray(0, starts[3]! + 70), bytes.subarray(starts[5]! + 10)]));
    const journal = await Journal.open(path);
    const { entries, damage } = await everything(journal);
    expect(numbers(entries.map(textOf))).toEqual([0, 1, 2, 6, 7]);
    expect(damage).toMatchObject([{ offset: starts[3], entries: 3 }]);
    await journal.close();
  });

  test("the next frame is found wherever it begins in the chunks the file is read in", async () => {
    const chunk = 512 * 1024;
    const probe = await frames(folder("chunk-probe"), 2, () => "");
    for (let back = -2; back < 16; back++) {
      const path = folder(`chunk${back}`);
      const journal = await Journal.open(path, { groupBytes: 0, compress: false });
      // The search begins a byte after the lost head.
      const length = 1 + chunk - back - (probe[1]! - probe[0]!);
      await journal.append([entry("", { bytes: Buffer.alloc(length, 97) })]);
      await journal.append([entry("found")]);
      await journal.close();
      flipBit(lastSegmentPath(path), (SEGMENT_HEAD_BYTES + 30) * 8);
      const again = await Journal.open(path);
      expect(await texts(again)).toEqual(["found"]);
      await again.close();
      rmSync(path, { recursive: true });
    }
  });

  test("both copies of a segment's head: the file is set aside whole, those before it stay", async () => {
    const path = folder("both");
    await frames(path, 3);
    const bytes = readFileSync(lastSegmentPath(path));
    flipBit(lastSegmentPath(path), 17 * 8);
    flipBit(lastSegmentPath(path), 49 * 8);
    const journal = await Journal.open(path);
    expect(journal.recovery).toMatchObject({ tornBytes: bytes.length, damage: [{ offset: 0, bytes: bytes.length, entries: undefined }] });
    expect(statSync(journal.recovery.tornFile!).size).toBe(bytes.length);
    expect(await journal.append([entry("entry 5")])).toEqual({ segment: 2, entry: 0 });
    await journal.close();
  });
});

describe("hostile content", () => {
  test("a log that holds frames of another journal, or of this one's format, is never taken for one", async () => {
    const other = folder("hostile-source");
    await frames(other, 5, (i) => `entry ${1000 + i}`);
    const forged = readFileSync(lastSegmentPath(other));
    const path = folder("hostile");
    const journal = await Journal.open(path, { groupBytes: 0, compress: false });
    await journal.append([entry("entry 0")]);
    const start = journal.segments[0]!.bytes;
    await journal.append([entry("", { bytes: forged })]);
    await journal.append([entry("entry 2")]);
    await journal.close();
    // The head of the frame around it is lost, so that its payload is searched for the next one.
    flipBit(lastSegmentPath(path), (start + 20) * 8);
    const again = await Journal.open(path);
    const found = await everything(again);
    expect(found.entries.map(textOf)).toEqual(["entry 0", "entry 2"]);
    expect(found.damage).toMatchObject([{ offset: start, entries: 1 }]);
    await again.close();
    const head = readSegmentHead(readFileSync(lastSegmentPath(path)).subarray(0, SEGMENT_HEAD_BYTES), 1);
    expect(head.kind === "good" && readFileSync(lastSegmentPath(path)).indexOf(frameMark(head.salt))).toBe(SEGMENT_HEAD_BYTES);
  });

  test("a frame that stands there a second time is not read a second time", async () => {
    const path = folder("again");
    const starts = await frames(path, 4);
    const bytes = readFileSync(lastSegmentPath(path));
    writeFileSync(lastSegmentPath(path), Buffer.concat([bytes, bytes.subarray(starts[1], starts[2]), bytes.subarray(starts[3])]));
    const journal = await Journal.open(path);
    expect(numbers(await texts(journal))).toEqual([0, 1, 2, 3]);
    expect(journal.recovery.damage).toMatchObject([{ reason: "order" }]);
    await journal.close();
  });
});

describe("indexes", () => {
  const build = async (path: string): Promise<Journal> => {
    const journal = await Journal.open(path, { segmentBytes: 30_000, groupBytes: 0, compress: false });
    for (let i = 0; i < 120; i++) await journal.append([entry(`entry ${i}`, { bytes: Buffer.concat([Buffer.from(`entry ${i} `), noise(1000, i).bytes]), partition: `p${i % 3}`, profile: { format: "raw", source: `s${i % 5}` }, arrivalMs: 1000 + i })]);
    return journal;
  };

  test("tell time, sources, partitions and counts, the same when made anew", async () => {
    const path = folder("indexes");
    const journal = await build(path);
    const before = structuredClone(journal.segments.slice(0, -1).map((index) => ({ ...index })));
    expect(before.length).toBeGreaterThan(2);
    let first = 0;
    for (const index of before) {
      expect(index).toMatchObject({ firstArrivalMs: 1000 + first, lastArrivalMs: 1000 + first + index.entries - 1, entries: index.frames });
      expect([...index.sources.values()].reduce((sum, entries) => sum + entries, 0)).toBe(index.entries);
      expect([...index.partitions.keys()].sort()).toEqual(["p0", "p1", "p2"]);
      first += index.entries;
    }
    await journal.close();
    const damage: Array<(file: string) => void> = [(file) => rmSync(file), (file) => truncateSync(file, 0), (file) => flipBit(file, 900), (file) => copyFileSync(segmentPath(path, 1, "index"), file)];
    for (const harm of damage) {
      harm(segmentPath(path, 2, "index"));
      const again = await Journal.open(path);
      expect(again.segments.slice(0, -1).map((index) => ({ ...index }))).toEqual(before);
      expect((await everything(again)).entries.length).toBe(120);
      await again.close();
      expect((await checkFolder(path, "all")).segments.map((segment) => segment.indexState)).toEqual([...before.map(() => "good"), "open"]);
    }
  });

  test("names that senders invent do not make them grow without end", async () => {
    const journal = await Journal.open(folder("names"));
    await journal.append(Array.from({ length: 3000 }, (_, i) => entry("x", { profile: { format: "raw", source: `s${i}` } })));
    expect(journal.segments[0]!.sources.size).toBe(1000);
    expect(journal.segments[0]!.sourcesCut).toBe(true);
    await journal.close();
  });

  test("a closed segment that lost its end is found out by its index", async () => {
    const path = folder("lost-end");
    await (await build(path)).close();
    const index = (await checkFolder(path, "index")).segments[1]!.index;
    truncateSync(segmentPath(path, 2), index.bytes - 1200);
    const report = await checkFolder(path, "all");
    expect(report.segments[1]!.damage.at(-1)).toMatchObject({ segment: 2, reason: "short" });
    rmSync(segmentPath(path, 2));
    expect((await checkFolder(path, "all")).missing).toEqual([2]);
  });
});

test("a segment of a newer version is not touched", async () => {
  const path = folder("newer");
  await frames(path, 1);
  const file = lastSegmentPath(path);
  const bytes = readFileSync(file);
  const { crc32 } = await import("node:zlib");
  for (const at of [0, 32]) {
    bytes.writeUInt32LE(2, at + 4);
    bytes.writeUInt32LE(crc32(bytes.subarray(at + 16, at + 32), crc32(bytes.subarray(at, at + 12))), at + 12);
  }
  writeFileSync(file, bytes);
  await expect(Journal.open(path)).rejects.toMatchObject({ code: "journal/unreadable", message: expect.stringContaining("version 2") });
  expect(readFileSync(file)).toEqual(bytes);
  expect(Journal.isLocked(path)).toBe(false);
  expect(readFileSync(join(path, "writer"), "utf8")).toMatch(/^\d+\n$/);
});
