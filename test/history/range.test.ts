import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { LogSearch } from "../../host/search/log-search.ts";
import { partsWithin, snapshotOf } from "../../host/history/journal-source.ts";
import { madeBy } from "../../host/search/made.ts";
import { Dice } from "../search/support.ts";
import { burst, chain, both, fresh, login, spread } from "../serve/rules.ts";
import { loadKernel } from "../support/wasm.ts";
import { type Came, each, expectSame, folders, journalWith, live, overJournal, setupOf, within } from "./support.ts";

const at = folders();
const startMs = Date.parse("2026-03-02T08:00:00Z");
const MINUTE = 60_000;
const usual = {
  ...burst, id: "usual", name: "Usual", options: { detectionMethod: "anomaly_detection", evaluationWindow: 300, keepAlive: 600, maxSignalDuration: 3600, anomalyDetectionOptions: { bucketDuration: 300, detectionTolerance: 1, learningDuration: 1 } },
  queries: [{ name: "a", query: "source:sso", aggregation: "count", groupByFields: [] }], cases: [{ name: "", status: "low", condition: "a > 0.99" }],
};
const rules = [burst, spread, fresh, chain, both, each, usual];

/** Three hours of logins from two senders, one of which brings its own an hour late, with the server's clock between. */
function logins(seed: number, batches = 160): Came[] {
  const dice = new Dice(seed);
  const next = (): number => dice.next();
  let nr = 0;
  return Array.from({ length: batches }, (_, i): Came => {
    const nowMs = startMs + i * MINUTE;
    if (i % 3 === 2) return { arrivalMs: nowMs };
    const behindMs = i % 5 === 1 ? 60 * MINUTE : 0;
    const isAudit = i % 7 === 3;
    const events = Array.from({ length: 1 + Math.floor(next() * 20) }, () => login(nr++, nowMs - behindMs - next() * 5 * MINUTE, next) as Record<string, unknown> & { timestamp: number });
    return { arrivalMs: nowMs, partition: isAudit ? "audit" : behindMs ? "late" : "b", ...(isAudit ? { dataSource: "audit" as const } : {}), events };
  });
}

beforeAll(() => void loadKernel("simd"));

describe("rules over a journal", () => {
  test("[HJ-01] give over all of it what a live engine gave, byte by byte", async () => {
    const came = logins(1);
    const journal = await journalWith(at("whole"), came);
    const setup = setupOf(rules);
    const { documents, outcome } = await overJournal(journal, { setup });
    const twin = await live(came, setup);
    expectSame(documents, twin);
    const told = new Set(documents.map((text) => (JSON.parse(text) as { rule_id: string }).rule_id));
    expect(["burst", "fresh", "chain", "both", "each"].filter((id) => !told.has(id))).toEqual([]);
    expect(outcome).toMatchObject({ cancelled: false, events: came.flatMap(({ events = [] }) => events).length, signals: twin.length, leftOut: 0, damaged: 0 });
    await journal.close();
  });

  test("[HJ-01] look at the events of a range exactly, with an index of times and without", async () => {
    const came = logins(2);
    const folder = at("ranges");
    const journal = await journalWith(folder, came, { segmentBytes: 6000, together: 1 });
    const setup = setupOf(rules);
    expect(journal.segments.length).toBeGreaterThan(5);
    const times = came.flatMap(({ events = [] }) => events.map(({ timestamp }) => timestamp));
    const bounds = fc.oneof(fc.integer({ min: -70, max: 170 }).map((minutes) => startMs + minutes * MINUTE), fc.constantFrom(...times), fc.constantFrom(...times).map((ms) => ms + 1));
    const check = fc.asyncProperty(bounds, bounds, async (a, b) => {
      const [fromMs, toMs] = [Math.min(a, b), Math.max(a, b)];
      const { documents } = await overJournal(journal, { setup, fromMs, toMs });
      expectSame(documents, await live(within(came, fromMs, toMs), setup));
    });
    await fc.assert(check, { numRuns: 12 });
    const search = new LogSearch(journal, { stretchBytes: 2000 });
    await search.tend();
    await search.close();
    const parts = await partsWithin(snapshotOf(journal), madeBy([]), { fromMs: startMs, toMs: startMs + 10 * MINUTE });
    expect(parts.some(({ times: known }) => known !== undefined)).toBe(true);
    await fc.assert(check, { numRuns: 12 });
    await journal.close();
  });

  test("read no part of the journal that came before the range, nor one behind it", async () => {
    const came = logins(3);
    const journal = await journalWith(at("sparse"), came, { segmentBytes: 6000, together: 1 });
    const search = new LogSearch(journal, { stretchBytes: 2000 });
    await search.tend();
    await search.close();
    const all = await partsWithin(snapshotOf(journal), madeBy([]), { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY });
    const some = await partsWithin(snapshotOf(journal), madeBy([]), { fromMs: startMs + 40 * MINUTE, toMs: startMs + 45 * MINUTE });
    const bytes = (parts: typeof all): number => parts.reduce((sum, { offset, endOffset }) => sum + endOffset - offset, 0);
    expect(bytes(all)).toBe(journal.segments.reduce((sum, segment) => sum + segment.bytes - 64, 0));
    expect(bytes(some)).toBeLessThan(bytes(all) * 0.7);
    expect(some[0]!.segment).toBeGreaterThan(all[0]!.segment);
    expect(some.at(-1)!.segment).toBeLessThan(all.at(-1)!.segment);
    await journal.close();
  });

  test("[HJ-01] of the index main see logs, of audit what people did", async () => {
    const came = logins(4);
    const journal = await journalWith(at("index"), came);
    const watching = { ...each, id: "watching", queries: [{ ...each.queries[0], query: "@evt.outcome:success", dataSource: "audit" }] };
    for (const [index, wires] of [["main", [each]], ["audit", [watching]]] as const) {
      const setup = setupOf(wires);
      const { documents } = await overJournal(journal, { setup, index });
      expect(documents.length).toBeGreaterThan(0);
      // Live, records of unknown kind are seen by every query; here they are logs.
      const known = came.map((one) => (index === "audit" && one.events && !one.dataSource ? { ...one, dataSource: "events" as const } : one));
      expectSame(documents, await live(known, setup));
    }
    // A rule that asks about both is given this index's alone.
    const mixed = { ...burst, id: "mixed", queries: [{ ...burst.queries[0], dataSource: "audit" }, burst.queries[1]], cases: [{ name: "", status: "low", condition: "failed > 2 || passed > 0" }] };
    const ofIndex = (index: "main" | "audit"): Came[] => came.filter(({ events, dataSource }) => !events || (dataSource === "audit") === (index === "audit"));
    for (const index of ["main", "audit"] as const) {
      const { documents } = await overJournal(journal, { setup: setupOf([mixed]), index });
      expect(documents.length).toBeGreaterThan(0);
      expectSame(documents, await live(ofIndex(index), setupOf([mixed])));
    }
    await journal.close();
  });

  test("tell the first signals that opened, and count the others", async () => {
    const came = logins(5);
    const journal = await journalWith(at("most"), came);
    const setup = setupOf([each]);
    const all = await live(came, setup);
    const { documents, outcome } = await overJournal(journal, { setup, mostSignals: Math.ceil(all.length / 8) });
    expect(documents.length).toBe(Math.ceil(all.length / 8));
    expect(outcome.signals + outcome.leftOut).toBe(all.length);
    expect(all).toEqual(expect.arrayContaining(documents));
    await expect(overJournal(journal, { setup, mostSignals: 2 })).rejects.toThrow("more than 20 signals");
    await journal.close();
  });

  test("are told of the rules asked for, others judging for them", async () => {
    const came = logins(6);
    const journal = await journalWith(at("judged"), came);
    const { documents } = await overJournal(journal, { setup: setupOf(rules), judged: ["both"] });
    expect(documents.length).toBeGreaterThan(0);
    expectSame(documents, (await live(came, setupOf(rules))).filter((text) => text.includes('"rule_id":"both"')));
    await journal.close();
  });
});
