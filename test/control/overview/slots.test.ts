import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Random } from "../../../bench/random.ts";
import { SqlDriver } from "../../../host/store/driver.ts";
import { migrations } from "../../../host/store/migrations.ts";
import { PackStore, type SourceSlot } from "../../../host/store/packs.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const nowMs = Date.UTC(2026, 2, 10, 12);

describe("[OV-07] logs by source and time", () => {
  const folder = mkdtempSync(join(tmpdir(), "vespid-slots-"));
  const sql = SqlDriver.open(join(folder, "vespid.db"), migrations);
  const store = new PackStore(sql);
  afterAll(() => {
    sql.close();
    rmSync(folder, { recursive: true });
  });

  test("are as many as were added, also when old slots have become hours", () => {
    const random = new Random(4);
    const added: SourceSlot[] = Array.from({ length: 3000 }, () => ({ source: random.pick(["auth", "okta", "gcp"]), startMs: nowMs - random.below(40 * 144) * 10 * MINUTE_MS, events: 1 + random.below(50) }));
    for (let at = 0; at < added.length; at += 100) store.addDays([], added.slice(at, at + 100), "1.1");
    const recount = (fromMs: number, toMs: number, widthMs: number): unknown => {
      const sums = new Map<string, number>();
      for (const { source, startMs, events } of added) {
        if (startMs < fromMs || startMs >= toMs) continue;
        const key = `${source} ${Math.floor(startMs / widthMs) * widthMs}`;
        sums.set(key, (sums.get(key) ?? 0) + events);
      }
      return Object.fromEntries([...sums].toSorted());
    };
    const told = (fromMs: number, toMs: number, widthMs: number): unknown => Object.fromEntries(store.slots(fromMs, toMs, widthMs).map(({ source, startMs, events }) => [`${source} ${startMs}`, events] as const).toSorted());
    expect(told(nowMs - 30 * DAY_MS, nowMs, HOUR_MS)).toEqual(recount(nowMs - 30 * DAY_MS, nowMs, HOUR_MS));
    for (const _ of [1, 2]) store.tidySlots(nowMs - 2 * DAY_MS, nowMs - 31 * DAY_MS);
    for (const [days, width] of [[30, 12 * HOUR_MS], [7, 3 * HOUR_MS], [3, HOUR_MS], [1, 30 * MINUTE_MS], [1, 10 * MINUTE_MS]] as const) {
      expect(told(nowMs - days * DAY_MS, nowMs, width)).toEqual(recount(nowMs - days * DAY_MS, nowMs, width));
    }
    // What is older than a month is gone.
    expect(store.slots(0, nowMs - 31 * DAY_MS, DAY_MS)).toEqual([]);
    expect(Number(sql.get("SELECT count(*) AS count FROM source_slots WHERE start < ? AND start % ? <> 0", nowMs - 2 * DAY_MS, HOUR_MS)!.count)).toBe(0);
  });
});
