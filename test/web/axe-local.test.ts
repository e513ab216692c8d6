import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pagePaths, placesOf } from "./places.ts";
import { type WebPage, describeWeb } from "./support.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** VESPID_SCREENSHOTS=folder keeps a picture of every page. */
const pictures = process.env.VESPID_SCREENSHOTS;

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly help: string;
  readonly nodes: ReadonlyArray<{ readonly target: readonly string[]; readonly failureSummary?: string }>;
}

async function settled({ page }: WebPage): Promise<void> {
  await page.getByRole("main").waitFor();
  await page.waitForLoadState("networkidle");
  await page.locator(".loading").waitFor({ state: "detached" });
}

async function violations({ page }: WebPage): Promise<string[]> {
  // By the browser's own door, which the content policy does not guard.
  await page.evaluate(axe);
  const found = await page.evaluate(async () => (await (globalThis as unknown as { readonly axe: { run(where: unknown, how: unknown): Promise<{ readonly violations: unknown }> } }).axe.run(document, { resultTypes: ["violations"] })).violations) as readonly Violation[];
  return found.filter(({ impact }) => impact === "serious" || impact === "critical").flatMap(({ id, help, nodes }) => nodes.slice(0, 3).map(({ target, failureSummary }) => `${id}: ${help} at ${target.join(" ")} (${failureSummary?.replace(/\s+/g, " ")})`));
}

describeWeb("my pages", {}, (world) => {
  test("there is an address here for each page of the shell", async () => {
    const addresses = (await placesOf(world())).map(({ address }) => address);
    expect(pagePaths().filter((path) => !addresses.some((address) => address.startsWith(path)))).toEqual([]);
  });

  test.each(["dark", "light"] as const)("%s: axe finds nothing serious, nothing fails, nothing is asked of elsewhere, the content policy holds", async (theme) => {
    const opened = await world().open({ theme });
    if (pictures) mkdirSync(join(pictures, theme), { recursive: true });
    const wrong: string[] = [];
    for (const { name, address } of (await placesOf(world())).filter(({ name }) => /^(entit|mitre)/.test(name))) {
      await opened.visit(address);
      await settled(opened);
      expect(await opened.page.evaluate(() => document.documentElement.dataset.theme)).toBe(theme);
      wrong.push(...(await violations(opened)).map((text) => `${name}: ${text}`), ...opened.faults.splice(0).map((text) => `${name}: ${text}`));
      if (pictures) await opened.page.screenshot({ path: join(pictures, theme, `${name}.png`) });
    }
    expect(wrong).toEqual([]);
    await opened.context.close();
  });

  test("every page is worked by the keyboard: the help is opened and closed, and Tab comes to what can be done", async () => {
    const opened = await world().open();
    const { page } = opened;
    for (const path of pagePaths()) {
      await opened.visit(path);
      await settled(opened);
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "What the keys do" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      const reached = new Set<string>();
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press("Tab");
        reached.add(await page.evaluate(() => (document.activeElement?.closest("main") ? "main" : document.activeElement?.closest("nav.nav") ? "nav" : (document.activeElement?.tagName ?? ""))));
        if (reached.has("main")) break;
      }
      expect([...reached], path).toContain("main");
    }
    await opened.context.close();
  });
});
