import type { Locator } from "playwright-core";
import { expect, test } from "vitest";
import { describeWeb } from "./support.ts";

const RULES = "/api/v2/security_monitoring/rules";
const SIGNALS = "/api/v2/security_monitoring/signals";

interface Rule {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly isEnabled: boolean;
  readonly cases: ReadonlyArray<{ readonly condition: string }>;
}

interface Job {
  readonly sensitivity: { readonly settings: ReadonlyArray<{ readonly factor: number; readonly setting: string; readonly signals: number; readonly groups: number }> };
}

const rowsOf = async (region: Locator): Promise<string[][]> => await region.locator("tbody tr").evaluateAll((rows) => rows.map((row) => [...row.querySelectorAll("td")].slice(0, 4).map((cell) => cell.textContent.replace("as it is", ""))));

describeWeb("rules", {}, (world) => {
  test("a threshold rule is written against the logs it would match, tested, made, and fires; then changed, compared and restored", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/security/rules/new");
    await page.getByLabel("Name", { exact: true }).first().fill("Doors knocked at");
    const query = page.getByRole("combobox", { name: "Query a" });
    await query.fill("source:doors @evt.outcome:failu");
    await query.fill("source:auth @evt.outcome:failure");
    const preview = page.getByRole("tabpanel", { name: "Matching logs" });
    const { data: [matching] } = await world().api<{ readonly data: ReadonlyArray<{ readonly attributes: { readonly count: number } }> }>("POST", `${RULES}/preview`, { queries: [{ query: "source:auth @evt.outcome:failure" }], from: "now-1d" });
    await preview.getByRole("heading", { name: new RegExp(`^a: ${matching!.attributes.count} logs`) }).waitFor();
    await query.fill("source:doors @evt.outcome:failure");
    await page.getByLabel("Group by").fill("@usr.id");
    await page.getByLabel("Group by").press("Tab");
    await page.getByLabel("Condition").fill("a >");
    await page.getByRole("status").filter({ hasText: "cases[0].condition" }).waitFor();
    await page.getByLabel("Condition").fill("a > 2");
    await page.getByLabel(/^Message/).fill("Ask {{@usr.id}}.");
    await page.getByRole("tab", { name: /Unit tests/ }).click();
    await page.getByRole("button", { name: "Add a test" }).click();
    await page.getByRole("textbox", { name: /^Log/ }).fill('{"ddsource":"doors","evt":{"outcome":"failure"}}');
    await page.getByRole("button", { name: "Run the tests" }).click();
    await page.getByText("1 test of 1 as expected").waitFor();
    await page.getByText("This rule would be taken.").waitFor();
    await page.getByRole("button", { name: "Make the rule" }).click();
    await page.getByRole("heading", { level: 1, name: "Doors knocked at" }).waitFor();
    const id = decodeURIComponent(new URL(page.url()).pathname.split("/").at(-1)!);

    for (let i = 0; i < 4; i++) expect((await world().server.send([{ ddsource: "doors", usr: { id: "mallory" }, evt: { outcome: "failure" }, message: `knock ${i}` }], { "dd-api-key": world().apiKey })).status).toBe(202);
    await expect.poll(async () => (await world().api<{ readonly data: readonly unknown[] }>("GET", `${SIGNALS}?filter[query]=${encodeURIComponent(`@workflow.rule.id:${id}`)}`)).data.length, { timeout: 15_000 }).toBe(1);
    await page.getByRole("link", { name: "Signals", exact: true }).last().click();
    await page.getByText("1 signal", { exact: true }).waitFor();
    await page.goBack();

    await page.getByLabel("Condition").fill("a > 5");
    await page.getByText("This rule would be taken.").waitFor();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("version 2").waitFor();
    await page.getByRole("tab", { name: "Versions" }).click();
    const diff = page.getByRole("region", { name: "Comparison" });
    await diff.getByText('"condition": "a > 2"').waitFor();
    await diff.getByText('"condition": "a > 5"').waitFor();
    await page.getByRole("button", { name: "Unified" }).click();
    await diff.getByText(/^\+ .*"condition": "a > 5"/).waitFor();
    await page.getByRole("button", { name: "Restore" }).click();
    await page.getByText("version 3").waitFor();
    const restored = await world().api<Rule>("GET", `${RULES}/${id}`);
    expect(restored).toMatchObject({ version: 3, cases: [{ condition: "a > 2" }] });

    await page.getByRole("tab", { name: "Backtest" }).click();
    await page.getByRole("button", { name: /^Run over/ }).click();
    await page.getByText("1 signal would have been made.").waitFor();
    const { data: [job] } = await world().api<{ readonly data: ReadonlyArray<{ readonly attributes: Job }> }>("GET", "/api/v2/siem-historical-detections/jobs");
    const { settings } = job!.attributes.sensitivity;
    expect(settings.map(({ setting, signals }) => [setting, signals])).toEqual([["a > 1", 1], ["a > 2", 1], ["a > 4", 0], ["a > 8", 0]]);
    const table = page.getByRole("region", { name: "Sensitivity" });
    expect(await rowsOf(table)).toEqual(settings.map(({ factor, setting, signals, groups }) => [`${factor}×`, setting, String(signals), String(groups)]));
    expect(await table.locator("tr[aria-current]").getByRole("cell").nth(1).textContent()).toBe("a > 2as it is");
    await table.getByRole("img", { name: settings.map(({ factor, signals, groups }) => `${factor}×: ${signals} signal${signals === 1 ? "" : "s"} of ${groups} group${groups === 1 ? "" : "s"}`).join("; ") }).waitFor();
    await page.getByRole("tab", { name: "Rule", exact: true }).click();
    await page.getByLabel("Condition").fill("a > 4");
    await page.getByRole("tab", { name: "Backtest" }).click();
    await page.getByRole("button", { name: /^Run over/ }).click();
    await page.getByText("0 signals would have been made.").waitFor();
    expect((await rowsOf(table)).map(([, setting, signals]) => [setting, signals])).toEqual([["a > 2", "1"], ["a > 4", "0"], ["a > 8", "0"], ["a > 16", "0"]]);
    expect(faults).toEqual([]);
    await page.context().close();
  }, 120_000);

  test("the list is the API's, found by words and facets, and a rule is disabled from it", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/security/rules?query=source%3Aauth");
    const { meta } = await world().api<{ readonly meta: { readonly page: { readonly total_count: number; readonly total_filtered_count: number } } }>("GET", `${RULES}?query=source:auth&page[size]=1`);
    await page.getByText(`${meta.page.total_filtered_count} rules of ${meta.page.total_count}`).waitFor();
    const first = page.getByRole("row").nth(1);
    const toggle = first.getByRole("switch");
    const name = (await first.locator(".column-name").textContent())!;
    await toggle.click();
    await page.getByText(`${name} disabled`).waitFor();
    const { data } = await world().api<{ readonly data: readonly Rule[] }>("GET", `${RULES}?query=source:auth&page[size]=100`);
    expect(data.find((rule) => rule.name === name)!.isEnabled).toBe(false);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
