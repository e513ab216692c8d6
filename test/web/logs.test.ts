import { expect, test } from "vitest";
import { describeWeb } from "./support.ts";

const EVENTS = "/api/v2/logs/events";

interface Logs {
  readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: { readonly message?: string } }>;
  readonly meta: { readonly facets?: ReadonlyArray<{ readonly values: ReadonlyArray<{ readonly value: string; readonly count: number }> }> };
}

describeWeb("the log explorer", {}, (world) => {
  const counted = async (query: string): Promise<number> => {
    const { data } = await world().api<{ readonly data: { readonly buckets: ReadonlyArray<{ readonly computes: { readonly c0: number } }> } }>("POST", "/api/v2/logs/analytics/aggregate", { filter: { query, from: "now-1d", to: "now" }, compute: [{ aggregation: "count" }] });
    return data.buckets[0]!.computes.c0;
  };
  const text = (count: number): string => `${count.toLocaleString("en-US")} logs`;

  test("finds, counts by facets, and shows one log in full, from where it goes into a unit test", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/logs?from=now-1d");
    await page.getByText(text(await counted("*")), { exact: true }).waitFor();
    await page.getByRole("navigation", { name: "Facets" }).getByRole("button", { name: /^auth \d/ }).click();
    await page.getByText(text(await counted("source:auth")), { exact: true }).waitFor();
    await page.getByRole("combobox", { name: "Search logs" }).fill('source:"auth" @evt.outcome:failure');
    await page.keyboard.press("Enter");
    await page.getByText(text(await counted("source:auth @evt.outcome:failure")), { exact: true }).waitFor();
    const { data: [newest] } = await world().api<Logs>("POST", `${EVENTS}/search`, { filter: { query: "source:auth @evt.outcome:failure", from: "now-1d", to: "now" }, page: { limit: 1 } });
    await page.locator("[role=row]").nth(1).click();
    const panel = page.getByRole("complementary", { name: "Log" });
    await panel.getByText(newest!.attributes.message!).first().waitFor();
    expect(new URL(page.url()).searchParams.get("event")).toBe(newest!.id);
    await panel.getByRole("button", { name: "Use in unit test" }).click();
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe(`/security/rules/new?log=${newest!.id}`);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("[SE-04] from one log to all that hold its address, wherever it stands", async () => {
    const { page, visit } = await world().open();
    await visit("/logs?from=now-1d&query=%40network.client.ip%3A203.0.113.150");
    await page.locator("[role=row]").nth(1).click();
    const panel = page.getByRole("complementary", { name: "Log" });
    await panel.getByRole("button", { name: "203.0.113.150", exact: true }).first().click();
    await page.getByRole("button", { name: "All logs with this address, wherever it stands" }).click();
    expect(new URL(page.url()).searchParams.get("query")).toBe("@network.ip.list:203.0.113.150");
    await page.getByText(text(await counted("@network.ip.list:203.0.113.150")), { exact: true }).waitFor();
    await page.context().close();
  });

  test("messages that are alike are told as one pattern, with how many there are", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/logs?from=now-1d&query=source%3Aauth&view=patterns");
    const failed = page.getByRole("row").filter({ hasText: "Failed password for * from * port * ssh2" });
    await failed.waitFor();
    await expect.poll(async () => Number(await failed.locator("td").first().textContent())).toBe(await counted('source:auth "Failed password"'));
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
