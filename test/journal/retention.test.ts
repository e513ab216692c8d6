import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Journal, type JournalOptions } from "../../host/journal/journal.ts";
import { arrivalMs, entry, folders, noise, texts } from "./support.ts";

const folder = folders();
const MINUTE = 60_000;

/** Segments of two entries each, an entry a minute. */
async function journalOf(name: string, count: number, options: JournalOptions): Promise<Journal> {
  const journal = await Journal.open(folder(name), { segmentBytes: 5000, compress: false, groupBytes: 0, ...options });
  for (let i = 0; i < count; i++) await journal.append([noise(2000, i, { arrivalMs: arrivalMs + i * MINUTE })]);
  return journal;
}

function segments(journal: Journal): number[] {
  return journal.segments.map(({ segment }) => segment);
}

describe("by age", () => {
  test("segments whose newest entry is too old go, whole, with their indexes", async () => {
    const journal = await journalOf("age", 10, { maxAgeMs: 60 * MINUTE });
    expect(segments(journal)).toEqual([1, 2, 3, 4, 5]);
    // Entry 3 is the newest of segment 2.
    expect(await journal.retain(arrivalMs + 63 * MINUTE)).toEqual([1]);
    expect(await journal.retain(arrivalMs + 63 * MINUTE + 1)).toEqual([2]);
    expect(journal.start).toEqual({ segment: 3, entry: 0 });
    expect((await texts(journal)).length).toBe(6);
    expect(readdirSync(journal.folder).filter((name) => /^000000000[12]/.test(name))).toEqual([]);
    await journal.close();
  });

  test("the growing segment goes too when nothing came for so long; its number does not come back", async () => {
    const journal = await journalOf("age-all", 3, { maxAgeMs: 60 * MINUTE });
    expect(await journal.retain(arrivalMs + 1000 * MINUTE)).toEqual([1, 2]);
    expect(await texts(journal)).toEqual([]);
    await journal.close();
    const again = await Journal.open(journal.folder);
    expect(await again.append([entry("a")])).toEqual({ segment: 3, entry: 0 });
    await again.close();
  });

  test("without a clock the newest arrival stands for it when a segment is begun", async () => {
    const journal = await journalOf("age-roll", 20, { maxAgeMs: 5 * MINUTE });
    expect(segments(journal)).toEqual([7, 8, 9, 10]);
    await journal.close();
  });
});

describe("by size", () => {
  test("the oldest go while all together are too large", async () => {
    const journal = await journalOf("size", 20, { maxBytes: 15_000 });
    expect(journal.health.totalBytes).toBeLessThanOrEqual(15_000 + 5000);
    expect(journal.health.removedSegments).toBe(10 - segments(journal).length);
    expect(segments(journal).at(-1)).toBe(10);
    await journal.retain(arrivalMs);
    expect(journal.health.totalBytes).toBeLessThanOrEqual(15_000);
    await journal.close();
  });
});

describe("keepers", () => {
  test("nothing from the earliest keeper's place on is removed", async () => {
    const journal = await Journal.open(folder("keep"), { segmentBytes: 5000, compress: false, groupBytes: 0, maxBytes: 1, maxAgeMs: 1 });
    journal.keepFrom("checkpoint", { segment: 2, entry: 2 });
    journal.keepFrom("tee", { segment: 3, entry: 1 });
    for (let i = 0; i < 10; i++) await journal.append([noise(2000, i, { arrivalMs: arrivalMs + i * MINUTE })]);
    // The checkpoint stands at the end of segment 2 and needs nothing of it; the tee needs the last entry of segment 3.
    expect(segments(journal)).toEqual([3, 4, 5]);
    expect(journal.health.overLimitBytes).toBe(journal.health.totalBytes - 1);
    journal.keepFrom("checkpoint", { segment: 4, entry: 1 });
    journal.keepFrom("tee", { segment: 4, entry: 0 });
    expect(await journal.retain(arrivalMs + 1000 * MINUTE)).toEqual([3]);
    journal.keepFrom("tee", undefined);
    journal.keepFrom("checkpoint", journal.end);
    expect(await journal.retain(arrivalMs + 1000 * MINUTE)).toEqual([4, 5]);
    await journal.close();
  });

  test("a reader whose segment is taken away reads on in it; another passes it by", async () => {
    const journal = await journalOf("reader", 10, { maxAgeMs: 9 * MINUTE });
    const reading = journal.read(journal.start);
    const late = journal.read(journal.start);
    await reading.next();
    expect(await journal.retain(arrivalMs + 15 * MINUTE)).toEqual([1, 2, 3]);
    expect((await reading.next()).value).toMatchObject({ position: { segment: 1, entry: 1 } });
    expect((await reading.next()).value).toMatchObject({ position: { segment: 4, entry: 0 } });
    expect((await late.next()).value).toMatchObject({ position: { segment: 4, entry: 0 } });
    await Promise.all([reading.return(undefined), late.return(undefined)]);
    await journal.close();
  });
});
