import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type WebPage, describeWeb } from "./support.ts";

const MITRE = "/api/v2/security_monitoring/mitre_attack";
const densities = ["high", "medium", "low", "none"] as const;

interface AttackMap {
  readonly version: string;
  readonly total: number;
  readonly covered: number;
  readonly density: Readonly<Record<(typeof densities)[number], number>>;
  readonly sources: ReadonlyArray<{ readonly source: string; readonly rules: number; readonly active?: boolean }>;
  readonly tactics: ReadonlyArray<{ readonly id: string; readonly name: string; readonly href: string; readonly rules: number; readonly signals?: number; readonly techniques: ReadonlyArray<{ readonly id: string; readonly name: string; readonly density: string; readonly rules: ReadonlyArray<{ readonly id: string; readonly name: string }>; readonly rules_href: string; readonly signals?: number; readonly signals_href?: string; readonly subtechniques: readonly unknown[] }> }>;
}

const plural = (count: number, one: string): string => `${new Intl.NumberFormat("en-US").format(count)} ${one}${count === 1 ? "" : "s"}`;
const tilesOf = async ({ page }: WebPage): Promise<string[]> => await page.locator("[data-tile]").evaluateAll((tiles) => tiles.map((tile) => `${(tile as HTMLElement).dataset.tile!} ${tile.querySelector(".mitre-number")!.textContent.match(/^\d+/)?.[0] ?? "0"}`));

describeWeb("the ATT&CK map", {}, (world) => {
  const told = async (query = ""): Promise<AttackMap> => (await world().api<{ readonly data: { readonly attributes: AttackMap } }>("GET", `${MITRE}?${query}`)).data.attributes;
  const places = (map: AttackMap, mode: "rules" | "signals" = "rules"): string[] => map.tactics.flatMap(({ id, techniques }) => techniques.map((each) => `${id} ${each.id} ${mode === "signals" ? each.signals! : each.rules.length}`));
  const ready = async (opened: WebPage): Promise<void> => {
    await opened.page.locator("[data-tile]").first().waitFor();
    await opened.page.waitForLoadState("networkidle");
  };

  test("[MI-01] [MI-02] [MI-07] the version, what is covered and each place's rules are the API's; a press on a density shows as many techniques as its number says", async () => {
    const opened = await world().open();
    const { page, visit, faults } = opened;
    const map = await told();
    await visit("/security/mitre");
    await ready(opened);
    await page.getByText(`Enterprise, version ${map.version}`, { exact: true }).waitFor();
    expect(await page.getByRole("group", { name: "Rule density" }).getByRole("status").textContent()).toBe(`${map.covered} of ${map.total} techniques have a rule`);
    expect(await tilesOf(opened)).toEqual(places(map));
    for (const { name, rules } of map.tactics) await page.getByRole("region", { name, exact: true }).getByRole("paragraph").getByText(plural(rules, "rule"), { exact: true }).waitFor();
    let sum = 0;
    for (const density of densities) {
      sum += map.density[density];
      await page.getByRole("group", { name: "Rule density" }).getByRole("button", { name: new RegExp(`^${map.density[density]} ${density}`) }).click();
      await expect.poll(() => new URL(page.url()).searchParams.get("density")).toBe(density);
      expect(await tilesOf(opened)).toEqual(places(await told(`density=${density}`)));
      // A technique that no rule watches under one tactic may be watched under another.
      if (density !== "none") expect(new Set((await tilesOf(opened)).map((tile) => tile.split(" ")[1])).size).toBe(map.density[density]);
    }
    expect(sum).toBe(map.total);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("[MI-03] [MI-04] [MI-05] signals are counted as the overview counts them, and each mode's places lead to the explorer that shows what they count", async () => {
    const opened = await world().open();
    const { page, visit, faults } = opened;
    const [to, from] = [Date.now() + 60_000, Date.now() - 7 * 86_400_000];
    const { modules: [tactics] } = await world().api<{ readonly modules: ReadonlyArray<{ readonly href: string; readonly data: { readonly items: ReadonlyArray<{ readonly name: string; readonly signals: { readonly count: number; readonly href: string } }> } }> }>("GET", `/api/v2/security/overview?modules=mitre.tactics&from=${from}&to=${to}`);
    await visit(tactics!.href);
    await ready(opened);
    for (const { name, signals } of tactics!.data.items) {
      const column = page.getByRole("region", { name, exact: true });
      await column.getByRole("paragraph").getByText(plural(signals.count, "signal"), { exact: true }).waitFor();
      if (signals.count) expect(await column.getByRole("heading").getByRole("link").getAttribute("href")).toBe(signals.href);
    }
    const map = await told(`sources=all&mode=signals&from=${from}&to=${to}`);
    expect(await tilesOf(opened)).toEqual(places(map, "signals"));
    const tactic = map.tactics.find(({ techniques }) => techniques.some(({ signals = 0, rules }) => signals > 1 && rules.length > 1))!;
    const technique = tactic.techniques.find(({ signals = 0, rules }) => signals > 1 && rules.length > 1)!;
    await page.locator(`[data-tile="${tactic.id} ${technique.id}"]`).click();
    const panel = page.getByRole("complementary", { name: "Technique" });
    await panel.getByRole("link", { name: plural(technique.signals!, "signal"), exact: true }).click();
    await page.getByText(plural(technique.signals!, "signal"), { exact: true }).waitFor();
    await page.goBack();
    await panel.getByRole("link", { name: plural(technique.rules.length, "rule"), exact: true }).click();
    await page.getByText(new RegExp(`^${technique.rules.length} rules of`)).waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Rules", exact: true }).click();
    await page.getByRole("region", { name: tactic.name, exact: true }).getByRole("paragraph").getByText(plural(tactic.rules, "rule"), { exact: true }).waitFor();
    await page.getByRole("region", { name: tactic.name, exact: true }).getByRole("heading").getByRole("link").click();
    await page.getByText(new RegExp(`^${tactic.rules} rules? of`)).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("[MI-05] [MI-06] a technique is opened by keys, its rules are sorted, and a rule made from it begins with tags that the map reads", async () => {
    const opened = await world().open();
    const { page, visit, faults } = opened;
    const map = await told("source=auth");
    const tactic = map.tactics.find(({ techniques }) => techniques.some(({ rules }) => rules.length > 1))!;
    const technique = tactic.techniques.find(({ rules }) => rules.length > 1)!;
    await visit(`/security/mitre?source=auth&tactic=${tactic.id}&technique=${technique.id}`);
    await ready(opened);
    expect(await tilesOf(opened)).toEqual(places(map));
    const panel = page.getByRole("complementary", { name: "Technique" });
    await panel.getByRole("heading", { level: 2, name: `${technique.id} ${technique.name}` }).waitFor();
    const names = panel.locator(".mitre-rules tbody tr td:nth-child(2) a");
    await panel.getByRole("columnheader", { name: "Rule" }).getByRole("button").click();
    await panel.getByRole("columnheader", { name: "Rule" }).getByRole("button").click();
    await expect.poll(() => names.allTextContents()).toEqual(technique.rules.map(({ name }) => name).toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)));
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "detached" });
    await page.locator(`[data-tile="${tactic.id} ${technique.id}"]`).focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await panel.getByRole("heading", { level: 2, name: `${technique.id} ${technique.name}` }).waitFor();
    await panel.getByRole("link", { name: "Create custom rule" }).click();
    const tags = new URL(page.url()).searchParams.get("tags")!.split(",");
    expect(tags).toEqual([expect.stringMatching(new RegExp(`^tactic:${tactic.id}-[a-z-]+$`)), expect.stringMatching(new RegExp(`^technique:${technique.id}-[a-z-]+$`))]);
    await expect.poll(() => page.getByLabel("Tags, one a line").inputValue()).toBe(tags.join("\n"));
    await world().api("POST", "/api/v2/security_monitoring/rules", {
      name: "From the map", message: "Look.", isEnabled: true, type: "log_detection", tags, options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86_400 },
      queries: [{ name: "a", query: "source:nobody", aggregation: "count", groupByFields: [] }], cases: [{ name: "", status: "low", condition: "a > 0", notifications: [] }],
    });
    await visit(`/security/mitre?origin=custom&tactic=${tactic.id}&technique=${technique.id}`);
    await panel.getByRole("link", { name: "From the map" }).waitFor();
    await ready(opened);
    expect(await tilesOf(opened)).toEqual(places(await told("origin=custom")));
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("sources that sent logs lately are looked at alone until all are asked for, and the map goes to the Navigator as it is filtered", async () => {
    const opened = await world().open();
    const { page, visit } = opened;
    const [every, active] = [await told("sources=all"), await told("sources=active")];
    expect(places(every)).not.toEqual(places(active));
    expect(active.sources.filter((each) => each.active).map(({ source }) => source)).toContain("auth");
    await visit("/security/mitre");
    await ready(opened);
    expect(await page.getByLabel("Active sources only").isChecked()).toBe(true);
    expect(await tilesOf(opened)).toEqual(places(active));
    await page.getByLabel("Active sources only").uncheck();
    await expect.poll(() => tilesOf(opened)).toEqual(places(every));
    await page.getByLabel("Source", { exact: true }).selectOption("auth");
    await expect.poll(() => Object.fromEntries(new URL(page.url()).searchParams)).toEqual({ source: "auth", sources: "all" });
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Navigator layer" }).click()]);
    const layer = JSON.parse(readFileSync(await file.path(), "utf8")) as unknown;
    expect(layer).toEqual(await world().api("GET", `${MITRE}/navigator?source=auth&sources=all`));
    await page.context().close();
  });
});
