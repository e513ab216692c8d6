import { beforeAll, describe, expect, test } from "vitest";
import type { Pipeline } from "../../host/event/pipeline/pipeline.ts";
import { readPipelines } from "../../host/event/pipeline/document.ts";
import { Journal } from "../../host/journal/journal.ts";
import { packPipelines } from "../../host/packs.ts";
import { readField } from "../../host/query/field.ts";
import { valuesOf } from "../../host/query/values.ts";
import { LogSearch, type SearchRequest, searchLogs } from "../../host/search/log-search.ts";
import { loadKernel } from "../support/wasm.ts";
import { randomEntry, randomQuery } from "./corpus.ts";
import { Dice, type PlainLog, allLogs, filtered, folders, node, ordered, startMs } from "./support.ts";

const folder = folders();
let pipelines: readonly Pipeline[];

const own = `
- id: words
  name: makes words that no record holds
  is_enabled: true
  filter: { query: "source:(app OR nginx)" }
  processors:
    - { type: category-processor, name: kind, is_enabled: true, target: kind, categories: [{ filter: { query: "@usr.id:root" }, name: "admin" }, { filter: { query: "*" }, name: "4711" }] }
    - { type: attribute-remapper, name: moved, is_enabled: true, sources: [usr.id], target: moved.id, preserve_source: true }
    - { type: string-builder-processor, name: text, is_enabled: true, template: "%{http.status_code}blue", target: built }
    - type: grok-parser
      name: halves
      is_enabled: true
      source: message
      samples: []
      grok: { support_rules: "", match_rules: "half .*?dep%{word:usr.name}.*" }
    - { type: date-remapper, name: date, is_enabled: true, sources: [seen] }
- id: any
  name: whatever the source
  is_enabled: true
  filter: { query: "@evt.outcome:*" }
  processors:
    - { type: string-builder-processor, name: text, is_enabled: true, template: "made%{evt.outcome}", target: built }
- id: moves
  name: only moves
  is_enabled: true
  filter: { query: "*" }
  processors:
    - { type: attribute-remapper, name: moved, is_enabled: true, sources: [evt.name], target: moved.id }
`;

beforeAll(async () => {
  loadKernel("simd");
  const read = readPipelines(own, "own.yaml");
  expect(read.problems.filter(({ level }) => level !== "warning")).toEqual([]);
  pipelines = [...(await packPipelines(["linux-auth"])), ...read.pipelines];
}, 240_000);

async function journalOf(name: string, seed: number, entries: number): Promise<Journal> {
  const dice = new Dice(seed);
  const journal = await Journal.open(folder(name), { segmentBytes: 6000, groupBytes: 0, reserveBytes: 0 });
  for (let step = 0; step < entries; step++) await journal.append([randomEntry(dice, step * 7)]);
  return journal;
}

async function everyPage(search: LogSearch, request: SearchRequest): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await search.search({ ...request, cursor });
    expect(page.complete).toBe(true);
    expect(page.logs.length).toBeLessThanOrEqual(request.limit!);
    ids.push(...page.logs.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return ids;
}

const ids = (logs: readonly PlainLog[]): string[] => logs.map(({ id }) => id);

describe("a search finds what a walk over all logs finds", () => {
  test.each([{ made: "as they came", seed: 1 }, { made: "by pipelines", seed: 2 }, { made: "by pipelines", seed: 3 }, { made: "as they came", seed: 4 }])("logs $made, seed $seed: all pages, both orders, with and without an index", async ({ made, seed }) => {
    const through = made === "by pipelines" ? pipelines : [];
    const journal = await journalOf(`twin-${seed}`, seed, 120);
    const logs = await allLogs(journal, through);
    expect(logs.length).toBeGreaterThan(200);
    const bare = new LogSearch(journal, { pipelines: through });
    const indexed = new LogSearch(journal, { pipelines: through, stretchBytes: 1500 });
    expect((await indexed.tend()).segments).toBeGreaterThan(2);
    const dice = new Dice(seed + 100);
    let found = 0;
    let skipped = 0;
    for (let i = 0; i < 60; i++) {
      const text = randomQuery(dice);
      const query = node(text);
      const sort = dice.of(["newest", "oldest"] as const);
      const bounds = dice.next() < 0.5 ? {} : { fromMs: startMs + dice.below(800_000) - 60_000, toMs: startMs + dice.below(800_000) };
      const wanted = ids(ordered(filtered(logs, { query, ...bounds }), sort));
      const request = { query, sort, ...bounds, limit: dice.of([1, 7, 50, 1000].slice(wanted.length > 60 ? 1 : 0)) };
      expect([text, await everyPage(indexed, request)]).toEqual([text, wanted]);
      if (i % 5 === 0) expect([text, await everyPage(bare, request)]).toEqual([text, wanted]);
      const counts = await indexed.search({ ...request, limit: 0, tallies: [{ fields: [] }] });
      expect([text, counts.tallies[0]!.groups[0]?.count ?? 0]).toEqual([text, wanted.length]);
      skipped += counts.cost.skippedStretches;
      found += wanted.length;
    }
    expect(found).toBeGreaterThan(500);
    expect(skipped).toBeGreaterThan(100);
    await Promise.all([bare.close(), indexed.close(), journal.close()]);
  }, 120_000);

  test("counts by fields, and over time, are those of the walk", async () => {
    const journal = await journalOf("facets", 11, 100);
    const logs = await allLogs(journal, pipelines);
    const search = new LogSearch(journal, { pipelines, stretchBytes: 1500 });
    await search.tend();
    const fields = ["@evt.name", "source", "host", "service", "status", "@usr.id", "@http.status_code", "env"];
    const query = node("-@usr.id:nobody");
    const found = await search.search({ query, limit: 0, tallies: [...fields.map((name) => ({ fields: [readField(name)] })), { fields: [readField("source"), readField("@usr.id")] }, { fields: [], intervalMs: 60_000 }, { fields: [readField("status")], intervalMs: 300_000 }] });
    const matching = filtered(logs, { query });
    const distinct = (log: PlainLog, name: string): string[] => [...new Set(valuesOf(readField(name), log.event).map(String))];
    const tallyOf = (keys: (log: PlainLog) => string[]): Record<string, number> => {
      const out: Record<string, number> = {};
      for (const log of matching) for (const key of keys(log)) out[key] = (out[key] ?? 0) + 1;
      return out;
    };
    fields.forEach((name, i) => {
      const { groups, missing } = found.tallies[i]!;
      expect(Object.fromEntries(groups.map(({ values, count }) => [values[0]!, count]))).toEqual(tallyOf((log) => distinct(log, name)));
      expect(missing).toBe(matching.filter((log) => distinct(log, name).length === 0).length);
      expect(groups.map(({ count }) => count)).toEqual(groups.map(({ count }) => count).sort((a, b) => b - a));
    });
    expect(Object.fromEntries(found.tallies[8]!.groups.map(({ values, count }) => [values.join(" & "), count]))).toEqual(
      tallyOf((log) => distinct(log, "source").flatMap((source) => distinct(log, "@usr.id").map((user) => `${source} & ${user}`))));
    expect(Object.fromEntries(found.tallies[9]!.groups[0]!.buckets.map(({ fromMs, count }) => [fromMs, count]))).toEqual(tallyOf((log) => [String(Math.floor(log.timeMs / 60_000) * 60_000)]));
    for (const { values, buckets } of found.tallies[10]!.groups) {
      expect(Object.fromEntries(buckets.map(({ fromMs, count }) => [fromMs, count]))).toEqual(tallyOf((log) => (log.event.status === values[0] ? [String(Math.floor(log.timeMs / 300_000) * 300_000)] : [])));
    }
    await search.close();
    await journal.close();
  }, 60_000);

  test("an array of more values than kernels tell is counted whole", async () => {
    const journal = await Journal.open(folder("wide"), { reserveBytes: 0 });
    const many = Array.from({ length: 100 }, (_, i) => `v${i}`);
    await journal.append([{ profile: { format: "intake" }, arrivalMs: startMs, partition: "a", bytes: Buffer.from(JSON.stringify({ list: [...many, ...many] })) }]);
    const found = await searchLogs(journal, { limit: 0, tallies: [{ fields: [readField("@list")] }] });
    expect(found.tallies[0]!.groups.map(({ values, count }) => `${values[0]} ${count}`).sort()).toEqual(many.map((value) => `${value} 1`).sort());
    await journal.close();
  });
});

describe("pages stay what they are", () => {
  test("while logs are appended, before and behind the ones shown", async () => {
    const journal = await journalOf("growing", 21, 60);
    const search = new LogSearch(journal);
    const logs = await allLogs(journal);
    const wanted = ids(ordered(logs, "newest"));
    const dice = new Dice(22);
    const first = await search.search({ limit: 17 });
    const got = first.logs.map(({ id }) => id);
    for (let { cursor } = first; cursor !== undefined;) {
      const [page] = await Promise.all([search.search({ limit: 17, cursor }), ...Array.from({ length: 5 }, () => journal.append([randomEntry(dice, dice.below(500))]))]);
      got.push(...page.logs.map(({ id }) => id));
      ({ cursor } = page);
      if (got.length % 3 === 0) await search.tend();
    }
    expect(got).toEqual(wanted);
    expect((await allLogs(journal)).length).toBeGreaterThan(wanted.length + 40);
    // A search that begins while logs come sees what was there before, and of the others what it sees is there.
    const before = ids(await allLogs(journal));
    const [during] = await Promise.all([search.search({ limit: 1000 }), ...Array.from({ length: 20 }, () => journal.append([randomEntry(dice, dice.below(500))]))]);
    const seen = during.logs.map(({ id }) => id);
    expect(seen).toEqual(expect.arrayContaining(before));
    expect(ids(ordered(await allLogs(journal), "newest")).filter((id) => seen.includes(id))).toEqual(seen);
    await search.close();
    await journal.close();
  }, 60_000);

  test("a folder is searched while another journal writes there, and what grows is indexed piece by piece", async () => {
    const journal = await journalOf("other", 31, 40);
    const search = new LogSearch(journal.folder, { stretchBytes: 1000 });
    const dice = new Dice(32);
    for (let round = 0; round < 6; round++) {
      await search.tend();
      for (let i = 0; i < 12; i++) await journal.append([randomEntry(dice, 300 + round * 20 + i)]);
      const wanted = ids(ordered(await allLogs(journal), "oldest"));
      expect(await everyPage(search, { limit: 100, sort: "oldest" })).toEqual(wanted);
    }
    // Another process, which did not make these indexes, believes them and finds the same.
    const again = new LogSearch(journal.folder, { stretchBytes: 1000 });
    const found = await again.search({ query: "no-log-says-this-word", limit: 5, tallies: [{ fields: [] }] });
    expect(found.logs).toEqual([]);
    expect(found.cost.skippedStretches).toBe(found.cost.stretches);
    expect(found.cost.stretches).toBeGreaterThan(10);
    expect(found.cost.unindexedBytes).toBeGreaterThan(0);
    await Promise.all([search.close(), again.close()]);
    await journal.close();
  }, 60_000);

  test("a cursor of another query, order or hand is refused", async () => {
    const journal = await journalOf("cursor", 41, 20);
    const search = new LogSearch(journal);
    const { cursor } = await search.search({ limit: 3 });
    await expect(search.search({ limit: 3, cursor, query: "root" })).rejects.toMatchObject({ problems: [{ code: "search/bad-cursor" }] });
    await expect(search.search({ limit: 3, cursor, sort: "oldest" })).rejects.toMatchObject({ problems: [{ code: "search/bad-cursor" }] });
    for (const bad of ["", "x", "....", cursor!.slice(0, -4), `${cursor}AAAA`, "%00", "null"]) await expect(search.search({ limit: 3, cursor: bad })).rejects.toMatchObject({ problems: [{ code: "search/bad-cursor" }] });
    await search.close();
    await journal.close();
  });
});

test("a search ends at its limits, and says so", async () => {
  const journal = await journalOf("limits", 51, 60);
  const search = new LogSearch(journal);
  const all = await search.search({ limit: 5, tallies: [{ fields: [] }] });
  const part = await search.search({ limit: 5, tallies: [{ fields: [] }], mostBytes: 3000 });
  expect([all.complete, part.complete]).toEqual([true, false]);
  expect(part.cost.scannedBytes).toBeLessThan(all.cost.scannedBytes);
  expect(part.cursor).toBeUndefined();
  expect((await search.search({ limit: 5, mostMs: 0 })).complete).toBe(false);
  await expect(search.search({ limit: 1001 })).rejects.toMatchObject({ problems: [{ code: "search/bad-limit" }] });
  await expect(search.search({ tallies: Array.from({ length: 9 }, (_, i) => ({ fields: [readField(`@f${i}`)] })) })).rejects.toMatchObject({ problems: [{ code: "search/too-many-fields" }] });
  await search.close();
  await journal.close();
});

test("newest first reads no more than it has to", async () => {
  const journal = await Journal.open(folder("short"), { segmentBytes: 4000, groupBytes: 0, reserveBytes: 0 });
  for (let i = 0; i < 200; i++) await journal.append([{ profile: { format: "intake" }, arrivalMs: startMs + i * 1000, partition: "a", bytes: Buffer.from(JSON.stringify({ timestamp: startMs + i * 1000, message: `log ${i} ${"x".repeat(200)}` })) }]);
  const search = new LogSearch(journal, { stretchBytes: 1000 });
  await search.tend();
  const newest = await search.search({ limit: 3 });
  expect(newest.logs.map(({ event }) => event.message!.split(" ")[1])).toEqual(["199", "198", "197"]);
  const oldest = await search.search({ limit: 3, sort: "oldest" });
  expect(oldest.logs.map(({ event }) => event.message!.split(" ")[1])).toEqual(["0", "1", "2"]);
  for (const { cost } of [newest, oldest]) expect(cost.events).toBeLessThan(40);
  const hour = await search.search({ fromMs: startMs + 50_000, toMs: startMs + 60_000, limit: 100 });
  expect(hour.logs.length).toBe(10);
  expect(hour.cost.events).toBeLessThan(40);
  expect(hour.cost.skippedSegments).toBeGreaterThan(hour.cost.segments / 2);
  await search.close();
  await journal.close();
});

test("a log is had by its id, as long as the journal keeps it", async () => {
  const journal = await journalOf("ids", 61, 30);
  const search = new LogSearch(journal, { pipelines });
  for (const { id, timeMs, event } of (await allLogs(journal, pipelines)).filter((_, i) => i % 4 === 0)) expect(await search.log(id)).toMatchObject({ id, timeMs, event });
  for (const none of ["", "1", "1-2", "1-2-99999", "99-0-0", "1-99999-0", "a-b-c", "1-0-0-0", "99999999999-0-0"]) expect(await search.log(none)).toBeUndefined();
  await search.close();
  await journal.close();
});
