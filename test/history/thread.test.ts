import { beforeAll, describe, expect, test } from "vitest";
import { snapshotOf } from "../../host/history/journal-source.ts";
import { startHistory } from "../../host/history/thread.ts";
import { burst, fresh } from "../serve/rules.ts";
import { loadKernel } from "../support/wasm.ts";
import { type Came, Found, each, entryOf, expectSame, folders, journalWith, live, setupOf } from "./support.ts";

const at = folders();
const startMs = Date.parse("2026-03-02T08:00:00Z");

function failures(batches: number, perBatch = 40): Came[] {
  return Array.from({ length: batches }, (_, i) => ({
    arrivalMs: startMs + i * 1000,
    events: Array.from({ length: perBatch }, (_each, k) => ({ ddsource: "sso", timestamp: startMs + i * 1000 + k, evt: { outcome: k % 7 ? "failure" : "success" }, usr: { id: `user-${(i * 7 + k) % 50}` }, network: { client: { ip: `192.0.2.${k}` } } })),
  }));
}

const all = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY, index: "main", details: true } as const;
beforeAll(() => void loadKernel("simd"));

describe("a run in a thread of its own", () => {
  test("[HJ-01] gives what this thread would, and shows how far it has come", async () => {
    const came = failures(60);
    const journal = await journalWith(at("thread"), came);
    const setup = setupOf([burst, fresh]);
    for (const workers of [0, 1]) {
      const found = new Found();
      const shares: number[] = [];
      const run = startHistory({ ...all, setup, workers }, snapshotOf(journal), { onChanges: (changes) => found.hear(changes), onProgress: (share) => void shares.push(share) });
      expect(await run.done).toMatchObject({ cancelled: false, events: 2400, signals: found.documents.size });
      expectSame(found.sorted, await live(came, setup));
      expect(shares.length).toBeGreaterThan(0);
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
    }
    await journal.close();
  });

  test("sees nothing of what comes while it runs", async () => {
    const came = failures(30);
    const journal = await journalWith(at("meanwhile"), came);
    const setup = setupOf([burst]);
    const found = new Found();
    const run = startHistory({ ...all, setup }, snapshotOf(journal), { onChanges: (changes) => found.hear(changes) });
    for (const late of failures(60).slice(30)) await journal.append([entryOf(late)]);
    expect((await run.done).events).toBe(1200);
    expectSame(found.sorted, await live(came, setup));
    await journal.close();
  });

  test("[HJ-04] ends before its next batch when it is told to, and tells nothing more", async () => {
    const journal = await journalWith(at("cancel"), failures(400));
    let changes = 0;
    const run = startHistory({ ...all, setup: setupOf([each]) }, snapshotOf(journal), {
      onChanges() {
        changes++;
        run.cancel();
      },
    });
    const outcome = await run.done;
    expect(outcome.cancelled).toBe(true);
    expect(outcome.events).toBeLessThan(16_000);
    // What one batch came to is told to its end.
    expect(changes).toBeLessThan(5);
    await journal.close();
  });

  test("says why rules cannot be run, and what storing failed of", async () => {
    const journal = await journalWith(at("faults"), failures(20));
    const rows = Array.from({ length: 40_001 }, (_, i) => ({ user: `user-${i}` }));
    const tooLarge = setupOf([{ ...burst, referenceTables: [{ tableName: "t", columnName: "user", logFieldPath: "usr.id", checkPresence: true, ruleQueryName: "failed" }] }], { referenceTables: { t: rows } });
    await expect(startHistory({ ...all, setup: tooLarge }, snapshotOf(journal), { onChanges() {} }).done).rejects.toThrow("40001 rows");
    const full = startHistory({ ...all, setup: setupOf([burst]) }, snapshotOf(journal), {
      onChanges() {
        throw new Error("the disk is full");
      },
    });
    await expect(full.done).rejects.toThrow("the disk is full");
    await journal.close();
  });
});
