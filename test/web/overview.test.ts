import { expect, test } from "vitest";
import type { OverviewData, OverviewModuleId } from "../../host/insight/overview-model.ts";
import { describeWeb } from "./support.ts";

interface Module {
  readonly id: OverviewModuleId;
  readonly title: string;
  readonly data: unknown;
  readonly visible: boolean;
}

/** Every number of a module that a reader sees as it is; durations and shares are written in words. */
const shownNumbers: { readonly [K in OverviewModuleId]?: (data: OverviewData[K]) => readonly number[] } = {
  "coverage.packs": ({ categories }) => categories.map(({ enabled }) => enabled),
  "coverage.health": ({ statuses }) => statuses.filter(({ count }) => count > 0).map(({ count }) => count),
  "coverage.logs": ({ total, sources }) => [total, ...sources.map((source) => source.total)],
  "important.signals": ({ total, rules }) => [total, ...rules.flatMap(({ severities }) => severities.map(({ count }) => count).filter((count) => count > 0))],
  "risk.top": ({ entities }) => entities.map(({ score }) => score),
  "risk.types": ({ counts }) => counts.map(({ count }) => count),
  "risk.severity": ({ counts }) => counts.map(({ count }) => count),
  "threat.ips": ({ ips }) => ips.flatMap(({ total, important, lessImportant }) => [important, lessImportant, total]),
  "overview.kpi": ({ severities }) => severities.map(({ count }) => count),
  "overview.flow": ({ nodes }) => nodes.map(({ value }) => Math.round(value * 10) / 10),
  "mitre.covered": ({ covered, total }) => [covered, total],
  "mitre.density": ({ densities }) => densities.map(({ count }) => count),
  "mitre.tactics": ({ items }) => items.map(({ signals }) => signals.count),
  "perf.activity": ({ series }) => series.map(({ count }) => count),
  "perf.severity_change": ({ severities }) => severities.map(({ last }) => last),
};

describeWeb("the overview page", { users: { "second@example.com": ["Datadog Standard Role"] } }, (world) => {
  test("[OV-01] every module is there, with the API's figures", async () => {
    const { page, visit, faults } = await world().open();
    // Logs are counted on while one looks: what the page shows is held against the very answer it got.
    const answer = page.waitForResponse((response) => response.url().includes("/api/v2/security/overview?"));
    await visit("/security/overview");
    const { modules } = (await (await answer).json()) as { readonly modules: readonly Module[] };
    await page.locator("[data-module]").first().waitFor();
    let numbers = 0;
    for (const { id, title, data } of modules) {
      const card = page.locator(`[data-module="${id}"]`);
      expect(await card.count(), id).toBe(1);
      expect(await card.getByRole("heading", { level: 2 }).textContent()).toBe(title);
      const text = (await card.innerText()).replaceAll(",", "");
      const asked = shownNumbers[id] as ((data: unknown) => readonly number[]) | undefined;
      for (const number of asked?.(data) ?? []) {
        expect(text.match(/\d+(?:\.\d+)?/g)?.map(Number), `${id}: ${text}`).toContain(number);
        numbers++;
      }
    }
    expect(numbers).toBeGreaterThan(60);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("[OV-09] [OV-30] items lead to what they count", async () => {
    const { page, visit } = await world().open();
    await visit("/security/overview");
    const row = page.locator('[data-module="important.signals"] tbody tr').first();
    const pill = row.locator("a.pill").first();
    const count = await pill.textContent();
    await pill.click();
    await page.getByText(`${count} signal${count === "1" ? "" : "s"}`, { exact: true }).waitFor();
    await visit("/security/overview");
    await expect.poll(async () => (await page.locator("[data-module]").count())).toBeGreaterThan(20);
    expect((await page.locator(".overview-grid a").evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).getAttribute("href")!))).filter((href) => !/^\/(?:security|logs|settings|dashboards)\b/.test(href))).toEqual([]);
    await page.context().close();
  });

  test("[OV-02] modules are hidden and moved for oneself alone", async () => {
    const { page, visit } = await world().open();
    await visit("/security/overview");
    await page.getByRole("button", { name: "Customize page" }).click();
    await page.getByRole("checkbox", { name: "Research and release notes" }).uncheck();
    await page.getByRole("button", { name: "Move news up" }).waitFor();
    await page.getByRole("button", { name: "Move overview.kpi up" }).click();
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator('[data-module="news"]').waitFor({ state: "detached" });
    await page.reload();
    await page.locator('[data-module="overview.kpi"]').waitFor();
    const ids = await page.locator("[data-module]").evaluateAll((all) => all.map((each) => (each as HTMLElement).dataset.module));
    expect(ids).not.toContain("news");
    expect(ids.indexOf("overview.kpi")).toBe(ids.indexOf("threat.isp") - 1);
    await page.context().close();
    const other = await world().open({ email: "second@example.com" });
    await other.visit("/security/overview");
    await other.page.locator('[data-module="news"]').waitFor();
    await other.page.context().close();
  });
});
