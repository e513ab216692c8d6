import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { violations } from "./axe.ts";
import { pagePaths, placesOf } from "./places.ts";
import { type WebPage, describeWeb } from "./support.ts";

/** VESPID_SCREENSHOTS=folder keeps a picture of every page. */
const pictures = process.env.VESPID_SCREENSHOTS;

async function settled({ page }: WebPage): Promise<void> {
  await page.getByRole("main").waitFor();
  await page.waitForLoadState("networkidle");
  await page.locator(".loading").waitFor({ state: "detached" });
}

describeWeb("every page", {}, (world) => {
  test("there is an address here for each page of the shell", async () => {
    const addresses = (await placesOf(world())).map(({ address }) => address);
    expect(pagePaths().filter((path) => !addresses.some((address) => address.startsWith(path)))).toEqual([]);
  });

  test("dark and light: axe finds nothing serious, nothing fails, nothing is asked of elsewhere, the content policy holds", async () => {
    const opened = await world().open();
    const wrong: string[] = [];
    for (const { name, address } of await placesOf(world())) {
      await opened.visit(address);
      await settled(opened);
      for (const theme of ["dark", "light"]) {
        await opened.page.evaluate((chosen) => void (document.documentElement.dataset.theme = chosen), theme);
        wrong.push(...(await violations(opened)).map((text) => `${name}, ${theme}: ${text}`), ...opened.faults.splice(0).map((text) => `${name}: ${text}`));
        if (!pictures) continue;
        mkdirSync(join(pictures, theme), { recursive: true });
        await opened.page.screenshot({ path: join(pictures, theme, `${name}.png`) });
      }
    }
    expect(wrong).toEqual([]);
    await opened.context.close();
  }, 300_000);

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
