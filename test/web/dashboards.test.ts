import { expect, test } from "vitest";
import { describeWeb } from "./support.ts";

interface Answer {
  readonly data: { readonly attributes: { readonly widgets: ReadonlyArray<{ readonly shown: { readonly kind: string; readonly value?: number | null; readonly rows?: ReadonlyArray<{ readonly name: string; readonly values: readonly number[] }> } }> } };
}

describeWeb("dashboards", {}, (world) => {
  test("[DA-01] the Security Operations Overview shows its eight widgets, with the server's figures", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/dashboards");
    const answer = page.waitForResponse((response) => response.url().endsWith("/api/v2/dashboards/widgets/query"));
    await page.getByRole("link", { name: "Security Operations Overview" }).click();
    const { widgets } = ((await (await answer).json()) as Answer).data.attributes;
    expect(widgets).toHaveLength(8);
    const cards = page.locator(".widget");
    await expect.poll(() => cards.count()).toBe(8);
    for (const [i, { shown }] of widgets.entries()) {
      expect(shown.kind).not.toBe("error");
      if (shown.kind !== "rows") continue;
      const text = await cards.nth(i).innerText();
      if (i !== 4) for (const { name, values } of shown.rows!) expect(text).toMatch(new RegExp(`${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\s*${values[0]}`));
    }
    const critical = widgets[2]!.shown.value!;
    expect(critical).toBeGreaterThan(0);
    const value = cards.nth(2).getByRole("link", { name: String(critical) });
    expect(await value.evaluate((element) => getComputedStyle(element).backgroundColor)).toBe("rgb(179, 38, 30)");
    await value.click();
    await page.getByText(`${critical} signal`).first().waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("one of one's own is made, gets a widget, is saved, cloned and deleted", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/dashboards");
    await page.getByLabel("Title of a new dashboard").fill("Night shift");
    await page.getByRole("button", { name: "Make" }).click();
    await page.getByRole("heading", { level: 1, name: "Night shift" }).waitFor();
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    await page.getByRole("button", { name: "Add a widget" }).click();
    await page.getByRole("button", { name: "query value" }).click();
    const dialog = page.getByRole("dialog", { name: "Edit the widget" });
    await dialog.getByLabel("Query", { exact: true }).fill("count:security_signal{severity:high}");
    await dialog.getByRole("button", { name: "Take it" }).click();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Dashboard saved").waitFor();
    const id = new URL(page.url()).pathname.split("/").at(-1)!;
    expect(await world().api("GET", `/api/v1/dashboard/${id}`)).toMatchObject({ title: "Night shift", widgets: [{ definition: { type: "timeseries" } }, { definition: { type: "query_value", requests: [{ q: "count:security_signal{severity:high}" }] } }] });
    await page.getByRole("button", { name: "Clone" }).click();
    await page.getByRole("heading", { level: 1, name: "Night shift (copy)" }).waitFor();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { level: 1, name: "Dashboards" }).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
