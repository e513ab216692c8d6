import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { IntakeBatch } from "../../host/intake/contract.ts";
import { Journal } from "../../host/journal/journal.ts";
import { readRule } from "../../host/rule/wire.ts";
import { AUDIT_PARTITION, AuditFeed } from "../../host/serve/audit-feed.ts";
import { LiveDetection, savedPosition, savedState } from "../../host/serve/detection.ts";
import { AuditStore } from "../../host/store/audit.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { SignalStore } from "../../host/store/signals.ts";
import { loadKernel } from "../support/wasm.ts";

const rule = readRule({
  id: "each", name: "each", message: "x", isEnabled: true, type: "log_detection", tags: [], options: { detectionMethod: "threshold", evaluationWindow: 3600, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: "*", aggregation: "count", groupByFields: ["@asset.id"], dataSource: "audit" }], cases: [{ name: "", status: "info", condition: "a > 0" }],
});
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("write" as const), count: fc.integer({ min: 1, max: 5 }), isKept: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant({ kind: "wake" as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("refuse" as const), isRefusing: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: "checkpoint" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("kill" as const), isOrderly: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: "swap" as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

describe("the audit trail on its way to detection", () => {
  beforeAll(() => void loadKernel("simd"));

  test("[IN-25] [AU-07] nothing that was written down is lost or judged twice, however refusals, checkpoints, rule changes and kills fall", async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps: readonly Step[]) => {
      const folder = mkdtempSync(join(tmpdir(), "vespid-feed-"));
      const sql = SqlDriver.open(join(folder, "vespid.db"), migrations);
      const store = new AuditStore(sql);
      const signals = new SignalStore(sql);
      let written = 0;
      let isRefusing = false;
      const setup = { rules: [rule], stateBytes: 32 * 1024 ** 2 };
      const open = async () => {
        const saved = savedState(folder);
        const journal = await Journal.open(join(folder, "journal"), saved ? { checkpoint: savedPosition(saved) } : {});
        const detection = await LiveDetection.create(journal, signals, setup, saved, { folder, workers: 0, onFailure: (error) => { throw error; } });
        await detection.replay();
        const sink = { accept: async (batches: readonly IntakeBatch[]) => (isRefusing ? { reason: "disk" as const, retryAfterS: 1 } : await detection.accept(batches)) };
        const feed = new AuditFeed(store, sink, detection.marks.get(AUDIT_PARTITION), Date.now, (error) => { throw error; });
        return { journal, detection, feed };
      };
      let now = await open();
      try {
        for (const each of [...steps, { kind: "kill" as const, isOrderly: false }, { kind: "refuse" as const, isRefusing: false }]) {
          switch (each.kind) {
            case "write":
              for (let i = 0; i < each.count; i++) {
                const id = `asset-${written + 1}`;
                try {
                  sql.transaction(() => {
                    store.append({ id, timestamp: new Date(Date.now()).toISOString(), message: "m", service: "vespid", status: "info", tags: ["source:audit"], attributes: { asset: { id } } });
                    now.feed.wake();
                    if (!each.isKept) throw new Error("undone");
                  });
                  written++;
                } catch (error) {
                  expect((error as Error).message).toBe("undone");
                }
              }
              break;
            case "wake":
              now.feed.wake();
              await new Promise((resolve) => setImmediate(resolve));
              break;
            case "refuse":
              ({ isRefusing } = each);
              break;
            case "checkpoint":
              await now.detection.checkpoint();
              break;
            case "swap":
              await now.detection.swap(setup);
              break;
            case "kill":
              // Without a checkpoint of its end, which is what a kill leaves behind of what was acknowledged.
              await now.feed.close();
              if (each.isOrderly) await now.detection.close();
              await now.journal.close();
              now = await open();
          }
        }
        await now.feed.settle();
        await now.detection.storeSignals();
        expect(now.feed.handedOver).toBe(written);
        const told = signals.all().map((signal) => [JSON.parse(signal.document).group["@asset.id"] as string, signal.eventsMatched]);
        expect(told.sort()).toEqual(Array.from({ length: written }, (_, i) => [`asset-${i + 1}`, 1]).sort());
        expect(store.check().faultCount).toBe(0);
      } finally {
        await now.feed.close();
        await now.detection.close();
        await now.journal.close();
        sql.close();
        rmSync(folder, { recursive: true, force: true });
      }
    }), { numRuns: 30 });
  }, 120_000);

  test("a trail larger than a batch goes over in parts, in order; a database behind the journal goes on from its own end", async () => {
    const sql = SqlDriver.open(":memory:", migrations);
    const store = new AuditStore(sql);
    for (let i = 0; i < 450; i++) store.append({ id: String(i), timestamp: new Date(0).toISOString(), message: i % 100 ? "m" : "m".repeat(3_000_000), service: "", status: "", tags: [], attributes: {} });
    const batches: IntakeBatch[] = [];
    const feed = new AuditFeed(store, { accept: async (some) => void batches.push(...some) }, undefined, () => 0, (error) => { throw error; });
    await feed.settle();
    const ids = batches.flatMap(({ bytes }) => Buffer.from(bytes).toString().trim().split("\n").map((line) => JSON.parse(line).id as string));
    expect(ids).toEqual(Array.from({ length: 450 }, (_, i) => String(i)));
    expect(batches.length).toBeGreaterThan(4);
    expect(batches.at(-1)).toMatchObject({ mark: "450", dataSource: "audit", partition: AUDIT_PARTITION });
    expect(new AuditFeed(store, { accept: async () => undefined }, "999", () => 0, () => {}).handedOver).toBe(450);
    sql.close();
  });
});
