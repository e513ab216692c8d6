import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { writeSignals } from "../../bench/signals-data.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { overviewSignals } from "../insight/overview-signals.ts";
import { describeWeb } from "./support.ts";

const COUNT = 6000;
/** Whatever the length of the list: rows in sight, some above and below, and their cells. */
const MOST_ROWS = 64;
const MOST_ELEMENTS = 2000;
const DAY_MS = 86_400_000;

interface Shown {
  readonly index: number;
  readonly cells: readonly (string | null)[];
}

/** Rows of the table that are elements now, by their place in the list; undefined while one is awaited. */
const shown = (page: Page): Promise<{ readonly rows: readonly Shown[]; readonly elements: number } | undefined> => page.evaluate(() => {
  const grid = document.querySelector(".grid")!;
  if (grid.querySelector(".grid-wait")) return undefined;
  const rows = [...grid.querySelectorAll(".grid-row")].map((row) => ({ index: Number(row.getAttribute("aria-rowindex")) - 2, cells: [".column-severity", ".column-title", ".column-rule", ".column-events"].map((name) => row.querySelector(name)!.textContent) }));
  return { rows, elements: grid.querySelectorAll("*").length };
});

describeWeb("a list of thousands", { demo: false }, (world) => {
  test("[SI-02] has few elements wherever one is in it, and each row is the API's at its place", async () => {
    const nowMs = Date.now();
    const sql = SqlDriver.open(join(world().folder, "data", "vespid.db"), migrations);
    writeSignals(sql, overviewSignals(COUNT, nowMs, 20));
    sql.close();
    const asked = { from: nowMs - 30 * DAY_MS, to: nowMs, sort: "-timestamp", columns: ["severity", "title", "rule", "events"] };
    const { page, visit, faults } = await world().open();
    const requests: string[] = [];
    page.on("request", (request) => request.url().endsWith("/signals/rows") && requests.push(request.url()));
    await visit(`/security/signals?from=${asked.from}&to=${asked.to}&cols=${asked.columns.join()}`);
    await page.getByText(`${COUNT.toLocaleString("en-US")} signals`, { exact: true }).waitFor();

    const places = new Set<number>();
    const compare = async (): Promise<readonly Shown[]> => {
      // What was seen when nothing was awaited: the next moment may scroll on.
      let seen: Awaited<ReturnType<typeof shown>>;
      await expect.poll(async () => (seen = await shown(page)), { timeout: 30_000 }).toBeDefined();
      const { rows, elements } = seen!;
      expect(rows.length).toBeLessThanOrEqual(MOST_ROWS);
      expect(elements).toBeLessThan(MOST_ELEMENTS);
      const first = rows[0]!.index;
      expect(rows.map(({ index }) => index)).toEqual(rows.map((_, i) => first + i));
      const { count, rows: own } = await world().api<{ readonly count: number; readonly rows: ReadonlyArray<{ readonly cells: ReadonlyArray<string | number> }> }>("POST", "/api/v2/security_monitoring/signals/rows", { ...asked, skip: first, limit: rows.length });
      expect(count).toBe(COUNT);
      expect(rows.map(({ cells }) => cells)).toEqual(own.map(({ cells }) => cells.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en-US") : cell))));
      for (const { index } of rows) places.add(index);
      return rows;
    };
    await compare();
    const box = (await page.locator(".grid").boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    const isAtEnd = (): Promise<boolean> => page.evaluate(() => (({ scrollTop, clientHeight, scrollHeight }) => scrollTop + clientHeight >= scrollHeight - 2)(document.querySelector(".grid")!));
    // In leaps that pass several pages of the list at a time, and in small steps here and there.
    for (let leap = 0; !(await isAtEnd()); leap++) {
      for (let i = 0; i < 10; i++) await page.mouse.wheel(0, 2400);
      if (leap % 3 === 0) await page.mouse.wheel(0, -90);
      await compare();
    }
    expect((await compare()).at(-1)!.index).toBe(COUNT - 1);
    // Passing by asks for what is in sight when there is room to ask, not for all that was passed.
    expect(requests.length).toBeLessThanOrEqual(COUNT / 100 + 20);

    await page.evaluate(() => (document.querySelector(".grid")!.scrollTop = 0));
    await compare();
    for (let i = 0; i < 120; i++) await page.keyboard.down("j");
    await page.keyboard.up("j");
    await expect.poll(() => page.locator(".grid-row.is-active").getAttribute("aria-rowindex")).toBe("122");
    await compare();
    for (let i = 0; i < 12; i++) await page.keyboard.press("PageDown");
    await expect.poll(() => page.locator(".grid-row.is-active").getAttribute("aria-rowindex")).toBe("362");
    await compare();
    // The row that keys lead to is in sight as a whole, under the heading and above the end.
    const inSight = (): Promise<boolean> => page.evaluate(() => {
      const [grid, head, row] = [".grid", ".grid-head", ".grid-row.is-active"].map((name) => document.querySelector(name)!.getBoundingClientRect());
      return row!.top >= head!.bottom - 2 && row!.bottom <= grid!.bottom + 1;
    });
    await expect.poll(inSight).toBe(true);
    for (let i = 0; i < 60; i++) await page.keyboard.down("k");
    await page.keyboard.up("k");
    await expect.poll(() => page.locator(".grid-row.is-active").getAttribute("aria-rowindex")).toBe("302");
    await expect.poll(inSight).toBe(true);
    expect(places.size).toBeGreaterThan(400);
    expect(await page.locator(".grid-row.is-active").count()).toBe(1);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
