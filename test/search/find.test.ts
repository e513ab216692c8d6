import { existsSync, readFileSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Journal } from "../../host/journal/journal.ts";
import { segmentPath } from "../../host/journal/segment.ts";
import { findPath, readFind } from "../../host/search/find.ts";
import { LogSearch, type SearchAnswer } from "../../host/search/log-search.ts";
import { packPipelines } from "../../host/packs.ts";
import { readInterval, readTimeBound } from "../../host/search/time-text.ts";
import { loadKernel } from "../support/wasm.ts";
import { entry, folders, startMs } from "./support.ts";

const folder = folders();

beforeAll(() => {
  loadKernel("simd");
}, 240_000);

const log = (i: number, more: object = {}): ReturnType<typeof entry> => entry(`${JSON.stringify({ timestamp: startMs + i * 1000, ddsource: `s${i % 3}`, message: `word${i} ${"x".repeat(100)}`, ...more })}\n`, { arrivalMs: startMs + i * 1000 });

async function filled(name: string, count = 60): Promise<Journal> {
  const journal = await Journal.open(folder(name), { segmentBytes: 2500, groupBytes: 0, reserveBytes: 0 });
  for (let i = 0; i < count; i++) await journal.append([log(i)]);
  return journal;
}

const texts = ({ logs }: SearchAnswer): Array<string | undefined> => logs.map(({ event }) => event.message?.split(" ")[0]);

describe("the index beside a segment", () => {
  test("lets a rare word pass over all stretches but its own, and a source over those without it", async () => {
    const journal = await filled("rare");
    const search = new LogSearch(journal, { stretchBytes: 600 });
    await search.tend();
    const rare = await search.search({ query: "word31", limit: 100 });
    expect(texts(rare)).toEqual(["word31"]);
    expect(rare.cost.stretches - rare.cost.skippedStretches).toBeLessThanOrEqual(2);
    expect(rare.cost.skippedSegments).toBeGreaterThan(rare.cost.segments / 2);
    expect(rare.cost.skippedBytes).toBeGreaterThan(rare.cost.scannedBytes);
    const none = await search.search({ query: "source:elsewhere", limit: 100 });
    expect([none.logs, none.cost.skippedStretches]).toEqual([[], none.cost.stretches]);
    await search.close();
    await journal.close();
  });

  test("that is damaged, cut or of another segment is made anew", async () => {
    const journal = await filled("damaged");
    const search = new LogSearch(journal, { stretchBytes: 600 });
    await search.tend();
    await search.close();
    const paths = readdirSync(journal.folder).filter((name) => name.endsWith(".find")).map((name) => join(journal.folder, name));
    expect(paths.length).toBeGreaterThan(4);
    const [first, second, third, fourth] = paths;
    const bytes = readFileSync(first!);
    for (let bit = 0; bit < bytes.length * 8; bit += 97) {
      const wrong = Buffer.from(bytes);
      wrong[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(first!, wrong);
      expect(readFind(journal.folder, 1)).toBeUndefined();
    }
    truncateSync(second!, 20);
    writeFileSync(third!, "");
    writeFileSync(fourth!, readFileSync(paths[4]!));
    const again = new LogSearch(journal, { stretchBytes: 600 });
    const before = await again.search({ query: "word3 OR word7 OR word12 OR word17", limit: 100, sort: "oldest" });
    expect(texts(before)).toEqual(["word3", "word7", "word12", "word17"]);
    expect((await again.tend()).segments).toBe(4);
    const after = await again.search({ query: "word3 OR word7 OR word12 OR word17", limit: 100, sort: "oldest" });
    expect([texts(after), after.cost.skippedBytes > before.cost.skippedBytes]).toEqual([texts(before), true]);
    await again.close();
    await journal.close();
  });

  test("of other pipelines is let be, and not believed", async () => {
    const journal = await filled("pipelines");
    const [plain, made] = [new LogSearch(journal, { stretchBytes: 600 }), new LogSearch(journal, { stretchBytes: 600, pipelines: await packPipelines(["linux-auth"]) })];
    await plain.tend();
    const before = readFileSync(findPath(journal.folder, 1));
    expect((await made.search({ query: "word5", limit: 5 })).cost.stretches).toBe(0);
    expect(await made.tend()).toMatchObject({ segments: 0, complete: true });
    expect(readFileSync(findPath(journal.folder, 1)).equals(before)).toBe(true);
    await Promise.all([plain.close(), made.close()]);
    await journal.close();
  });

  test("of frames that a crash took away, and others replaced, is not believed", async () => {
    const name = folder("replaced");
    let journal = await Journal.open(name, { reserveBytes: 0, groupBytes: 0 });
    await journal.append([log(1)]);
    const soundBytes = journal.segments[0]!.bytes;
    await journal.append([log(2, { message: "before-the-crash" })]);
    const search = new LogSearch(journal, { stretchBytes: 1 });
    await search.tend();
    expect(readFind(name, 1)!.stretches.length).toBe(2);
    await search.close();
    await journal.close();
    truncateSync(segmentPath(name, 1), soundBytes);
    journal = await Journal.open(name, { reserveBytes: 0, groupBytes: 0 });
    await journal.append([log(2, { message: "behind--the-crash" })]);
    const again = new LogSearch(journal, { stretchBytes: 1 });
    expect(texts(await again.search({ query: "\"behind the crash\"" }))).toEqual(["behind--the-crash"]);
    expect(texts(await again.search({ query: "\"before the crash\"" }))).toEqual([]);
    await again.close();
    await journal.close();
  });

  test("goes with its segment, and a search whose segments go meanwhile ends well", async () => {
    const journal = await filled("retention");
    const search = new LogSearch(journal, { stretchBytes: 600 });
    await search.tend();
    const page = await search.search({ limit: 10, sort: "oldest" });
    const small = await Journal.open(folder("retention-2"), { segmentBytes: 2500, groupBytes: 0, reserveBytes: 0, maxBytes: 6000 });
    for (let i = 0; i < 20; i++) await small.append([log(i)]);
    const other = new LogSearch(small, { stretchBytes: 600 });
    await other.tend();
    const first = await other.search({ limit: 3 });
    for (let i = 20; i < 90; i++) await small.append([log(i)]);
    await small.retain(startMs);
    expect(texts(await other.search({ limit: 3, cursor: first.cursor }))).toEqual([]);
    expect(texts(await other.search({ limit: 1 }))).toEqual(["word89"]);
    await other.tend();
    expect(readdirSync(small.folder).filter((name) => name.endsWith(".find")).every((name) => existsSync(join(small.folder, name.replace(".find", ".journal"))))).toBe(true);
    expect(page.logs.length).toBe(10);
    await Promise.all([search.close(), other.close()]);
    await Promise.all([journal.close(), small.close()]);
  });

  test("damage in the journal is passed over and told, with an index and without", async () => {
    const journal = await filled("torn");
    const search = new LogSearch(journal, { stretchBytes: 600 });
    const path = segmentPath(journal.folder, 2);
    const bytes = readFileSync(path);
    bytes[Math.floor(bytes.length / 2)]! ^= 0xff;
    writeFileSync(path, bytes);
    const all = await search.search({ limit: 100 });
    expect([all.logs.length, all.damaged > 0, all.complete]).toEqual([59, true, true]);
    await search.tend();
    const indexed = await search.search({ limit: 100 });
    expect([texts(indexed), indexed.damaged > 0]).toEqual([texts(all), true]);
    await search.close();
    await journal.close();
  });

  test("is written where it can be; a search needs none", async () => {
    const journal = await filled("path", 5);
    expect(findPath(journal.folder, 7)).toBe(join(journal.folder, "0000000007.find"));
    expect(() => new LogSearch(folder("nowhere"))).toThrow(/no such folder/);
    await journal.close();
  });
});

describe("times as people write them", () => {
  const now = Date.parse("2026-03-31T12:34:56.789Z");
  test.each<[string | number, string]>([
    ["now", "2026-03-31T12:34:56.789Z"], ["now-15m", "2026-03-31T12:19:56.789Z"], ["now-24h", "2026-03-30T12:34:56.789Z"], ["now+1d", "2026-04-01T12:34:56.789Z"], ["now/d", "2026-03-31T00:00:00.000Z"],
    ["now-1d/d", "2026-03-30T00:00:00.000Z"], ["now/h", "2026-03-31T12:00:00.000Z"], ["now/w", "2026-03-30T00:00:00.000Z"], ["now/M", "2026-03-01T00:00:00.000Z"], ["now/y", "2026-01-01T00:00:00.000Z"],
    ["now-1M", "2026-02-28T12:34:56.789Z"], ["now-1y", "2025-03-31T12:34:56.789Z"], ["2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000Z"], ["2026-03-01T10:00:00.5+02:00", "2026-03-01T08:00:00.500Z"],
    ["2026-03-01", "2026-03-01T00:00:00.000Z"], ["1772359200", "2026-03-01T10:00:00.000Z"], [1_772_359_200_000, "2026-03-01T10:00:00.000Z"],
  ])("%s is %s", (text, iso) => {
    expect(new Date(readTimeBound(text, now, "from")).toISOString()).toBe(iso);
  });

  test.each<string | number>(["", "yesterday", "now-", "now-1", "now-15x", "now 1h", "now/", "2026-02-30T00:00:00Z", "2026-13-01", Number.NaN, "now+999999999y", "1e400"])("%s is no time", (text) => {
    expect(() => readTimeBound(text, now, "from")).toThrow(/is no time/);
  });

  test("widths", () => {
    expect(["30s", "5m", "1h", "1d", "250ms", 1000].map((text) => readInterval(text, "i"))).toEqual([30_000, 300_000, 3_600_000, 86_400_000, 250, 1000]);
    for (const bad of ["", "0", "0m", "-5m", "5 m", "1y", "1e9d", "999999999999w"]) expect(() => readInterval(bad, "i")).toThrow(/width/);
  });
});
