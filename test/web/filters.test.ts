import { expect, test } from "vitest";
import { describeWeb } from "./support.ts";

const CONFIGURATION = "/api/v2/security_monitoring/configuration";
const SIGNALS = "/api/v2/security_monitoring/signals";
const number = (count: number): string => new Intl.NumberFormat("en-US").format(count);

interface Filters {
  readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: { readonly name: string; readonly query: string; readonly is_enabled: boolean; readonly exclusion_filters: readonly unknown[] } }>;
}

interface Assets {
  readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: { readonly query: string; readonly rule_query: string; readonly severity: string; readonly enabled: boolean } }>;
}

describeWeb("what is analysed, and what is critical", { users: { "reader@example.com": ["Datadog Read Only Role"] } }, (world) => {
  const filters = async (): Promise<Filters["data"]> => (await world().api<Filters>("GET", `${CONFIGURATION}/security_filters`)).data;
  const assets = async (): Promise<Assets["data"]> => (await world().api<Assets>("GET", `${CONFIGURATION}/critical_assets`)).data;
  const logs = async (query: string): Promise<number> => (await world().api<{ readonly data: { readonly buckets: ReadonlyArray<{ readonly computes: { readonly c0: number } }> } }>("POST", "/api/v2/logs/analytics/aggregate", { filter: { query, from: "now-1d", to: "now" }, compute: [{ aggregation: "count" }] })).data.buckets[0]!.computes.c0;
  const signalsOf = async (user: string): Promise<readonly string[]> => (await world().api<{ readonly data: ReadonlyArray<{ readonly attributes: { readonly severity: string } }> }>("GET", `${SIGNALS}?filter[query]=@usr.id:${user}&page[limit]=100`)).data.map(({ attributes }) => attributes.severity);
  const send = async (user: string, source = "doors"): Promise<void> => {
    expect((await world().server.send([{ ddsource: source, usr: { id: user }, evt: { outcome: "failure" }, message: "knock" }], { "dd-api-key": world().apiKey })).status).toBe(202);
  };
  const rule = { name: "Knocked", message: "Look.", isEnabled: true, type: "log_detection", tags: ["source:doors"], options: { detectionMethod: "threshold", evaluationWindow: 0, keepAlive: 0, maxSignalDuration: 0 }, queries: [{ name: "a", query: "source:(doors OR gates)", aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "low", condition: "a > 0", notifications: [] }] };

  test("[IN-04] a security filter is made with what it leaves out, and counts what it lets pass; with the built-in one off, rules see no other log, until it is back", async () => {
    await world().api("POST", "/api/v2/security_monitoring/rules", rule);
    const { page, visit, faults } = await world().open();
    await visit("/settings/filters");
    await page.getByText("1 filter", { exact: true }).waitFor();
    await page.getByRole("button", { name: "New security filter" }).click();
    const dialog = page.getByRole("dialog", { name: "New security filter" });
    await dialog.getByLabel("Name", { exact: true }).fill("Doors alone");
    await dialog.getByRole("combobox", { name: "Logs that pass" }).fill("source:(auth OR doors)");
    await dialog.getByRole("button", { name: "Add an exclusion" }).click();
    await dialog.getByLabel("Name", { exact: true }).nth(1).fill("Drills");
    await dialog.getByRole("combobox", { name: "Logs that are left out, 1" }).fill("@usr.id:drill");
    const passing = await logs("(source:(auth OR doors)) -(@usr.id:drill)");
    expect(passing).toBeGreaterThan(100);
    await dialog.getByText(`lets ${number(passing)} logs of the past day pass`).waitFor();
    await dialog.getByRole("button", { name: "Save" }).click();
    const row = page.getByRole("row", { name: "Doors alone" });
    await row.getByRole("link", { name: number(passing), exact: true }).waitFor();
    expect((await filters()).map(({ attributes: { name, query, is_enabled, exclusion_filters } }) => [name, query, is_enabled, exclusion_filters])).toEqual([
      ["all ingested logs", "*", true, []], ["Doors alone", "source:(auth OR doors)", true, [{ name: "Drills", query: "@usr.id:drill" }]],
    ]);
    await page.getByRole("button", { name: "Disable all ingested logs" }).click();
    await page.getByRole("button", { name: "Enable all ingested logs" }).waitFor();
    for (const [user, source] of [["drill", "doors"], ["gatecrasher", "gates"], ["mallory", "doors"]] as const) await send(user, source);
    await expect.poll(() => signalsOf("mallory")).toEqual(["low"]);
    expect([await signalsOf("drill"), await signalsOf("gatecrasher")]).toEqual([[], []]);
    await page.getByRole("button", { name: "Disable Doors alone" }).click();
    await page.getByRole("alert").filter({ hasText: "no security filter is enabled" }).waitFor();
    await page.getByRole("button", { name: "Enable all ingested logs" }).click();
    await page.getByRole("button", { name: "Disable all ingested logs" }).waitFor();
    await page.getByRole("alert").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Delete Doors alone" }).click();
    await page.getByRole("dialog", { name: "Delete this security filter" }).getByRole("button", { name: "Delete" }).click();
    await page.getByText("1 filter", { exact: true }).waitFor();
    await send("drill");
    await expect.poll(() => signalsOf("drill")).toEqual(["low"]);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("a critical asset is made, counts the rules and signals it is about, raises what comes next, is changed, and is taken away", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/settings/assets");
    await page.getByText("No asset is critical yet.").waitFor();
    await page.keyboard.press("n");
    const dialog = page.getByRole("dialog", { name: "New critical asset" });
    await dialog.getByRole("combobox", { name: "Signals about" }).fill("@usr.id:director");
    await dialog.getByRole("combobox", { name: "Of rules" }).fill("source:doors");
    await dialog.getByLabel("Description").fill("Signs every contract");
    await dialog.getByText("0 signals of the past month, 1 rule").waitFor();
    await dialog.getByRole("button", { name: "Save" }).click();
    const row = page.getByRole("row", { name: "@usr.id:director" });
    await row.getByText("one higher").waitFor();
    expect((await assets()).map(({ attributes: { query, rule_query, severity, enabled } }) => [query, rule_query, severity, enabled])).toEqual([["@usr.id:director", "source:doors", "increase", true]]);
    await send("director");
    await expect.poll(() => signalsOf("director")).toEqual(["medium"]);
    await page.getByRole("button", { name: "Edit @usr.id:director" }).click();
    const edit = page.getByRole("dialog", { name: "Edit the critical asset" });
    await edit.getByLabel("Severity").selectOption("critical");
    await edit.getByText("1 signal of the past month, 1 rule").waitFor();
    await edit.getByRole("combobox", { name: "Signals about" }).fill("");
    await edit.getByText("1 rule", { exact: true }).waitFor();
    await edit.getByRole("combobox", { name: "Signals about" }).fill("@usr.id:director");
    await edit.getByText("1 signal of the past month, 1 rule").waitFor();
    await edit.getByRole("button", { name: "Save" }).click();
    await row.getByText("critical", { exact: true }).waitFor();
    await send("director");
    await expect.poll(async () => (await signalsOf("director")).toSorted()).toEqual(["critical", "medium"]);
    await page.getByRole("button", { name: "Disable @usr.id:director" }).click();
    await page.getByRole("button", { name: "Enable @usr.id:director" }).waitFor();
    expect((await assets())[0]!.attributes).toMatchObject({ enabled: false, severity: "critical" });
    await page.getByRole("button", { name: "Delete @usr.id:director" }).click();
    await page.getByRole("dialog", { name: "Delete this critical asset" }).getByRole("button", { name: "Delete" }).click();
    await page.getByText("No asset is critical yet.").waitFor();
    expect(await assets()).toEqual([]);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("who may read only is offered no change", async () => {
    const { page, visit } = await world().open({ email: "reader@example.com" });
    for (const [path, title] of [["filters", "Security filters"], ["assets", "Critical assets"]] as const) {
      await visit(`/settings/${path}`);
      await page.getByRole("heading", { level: 1, name: title }).waitFor();
      await page.getByText(path === "filters" ? "all ingested logs" : "No asset is critical yet").waitFor();
      expect(await page.getByRole("main").getByRole("button").count()).toBe(0);
    }
    await page.context().close();
  });
});
