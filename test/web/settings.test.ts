import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWeb } from "./support.ts";

describeWeb("settings and data", { users: { "reader@example.com": ["Datadog Read Only Role"] } }, (world) => {
  test("[AU-06] the audit trail is a page: found by event names and facets, each deed in full with what was before and after", async () => {
    await world().api("POST", "/api/v2/security_monitoring/configuration/suppressions", { data: { type: "suppressions", attributes: { name: "drill", enabled: true, rule_query: "*", suppression_query: "@usr.id:drill" } } });
    const { page, visit, faults } = await world().open();
    await visit("/settings/audit");
    const facets = page.getByRole("navigation", { name: "Facets" });
    await facets.getByRole("button", { name: /^Cloud Security Platform/ }).click();
    expect(new URL(page.url()).searchParams.get("query")).toBe('@evt.name:"Cloud Security Platform"');
    const { data } = await world().api<{ readonly data: readonly unknown[] }>("POST", "/api/v2/audit/events/search", { filter: { query: '@evt.name:"Cloud Security Platform"', from: "now-30d", to: "now" }, page: { limit: 100 } });
    await expect.poll(() => page.getByRole("row").count()).toBe(data.length + 1);
    await page.getByRole("row").filter({ hasText: "suppression drill" }).first().click();
    const panel = page.getByRole("complementary", { name: "Deed" });
    await panel.getByText("@usr.id:drill").waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("[AU-04] without the right to all of the trail one sees one's own deeds", async () => {
    const { page, visit } = await world().open({ email: "reader@example.com" });
    await visit("/settings/audit");
    await page.getByRole("row").nth(1).waitFor();
    expect(new Set(await page.locator(".column-who").allTextContents())).toEqual(new Set(["reader@example.com"]));
    await page.context().close();
  });

  test("a key is made, shown once, lets logs in, and lets nobody in once it is deleted", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/settings/keys");
    await page.getByLabel("Name of a new key").fill("shipper");
    await page.getByRole("button", { name: "Make a key" }).click();
    const key = (await page.getByRole("dialog").locator("code").textContent())!;
    const send = async (): Promise<number> => (await world().server.send([{ ddsource: "me", message: "hello" }], { "dd-api-key": key })).status;
    expect(await send()).toBe(202);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Delete shipper" }).click();
    await page.getByText("shipper deleted").waitFor();
    await expect.poll(send, { timeout: 10_000 }).toBe(403);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("a user is added with a role of one's own making, comes in, and sees what the role lets see", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/settings/people?tab=roles");
    await page.getByRole("button", { name: "New role" }).click();
    const dialog = page.getByRole("dialog", { name: "New role" });
    await dialog.getByLabel("Name", { exact: true }).fill("Web team");
    await dialog.getByLabel(/^Logs and signals its users see/).fill("source:nginx");
    for (const name of ["Security Signals Read", "Security Rules Read"]) await dialog.getByRole("checkbox", { name, exact: true }).check();
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByText("Web team saved").waitFor();
    await page.getByRole("tab", { name: "Users" }).click();
    await page.getByRole("button", { name: "New user" }).click();
    const form = page.getByRole("dialog", { name: "New user" });
    await form.getByLabel("Email address").fill("web@example.com");
    await form.getByLabel(/^Password/).fill("correct horse battery 9");
    await form.getByRole("combobox", { name: "Role" }).selectOption({ label: "Web team" });
    await form.getByRole("button", { name: "Add" }).click();
    await page.getByText("web@example.com added").waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
    const other = await world().open({ email: "web@example.com" });
    await other.visit("/security/signals");
    const { data } = await world().api<{ readonly data: readonly unknown[] }>("GET", "/api/v2/security_monitoring/signals?filter[query]=source:nginx&page[limit]=100");
    await other.page.getByText(`${data.length} signals`, { exact: true }).waitFor();
    expect(await other.page.getByRole("link", { name: "Logs" }).count()).toBe(0);
    await other.page.context().close();
  });

  test("[CP-02] packs are a page: enabled and disabled, their rules come and go", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/security/packs");
    const rules = async (): Promise<number> => (await world().api<{ readonly meta: { readonly page: { readonly total_filtered_count: number } } }>("GET", "/api/v2/security_monitoring/rules?query=source:okta&page[size]=1")).meta.page.total_filtered_count;
    expect(await rules()).toBe(0);
    await page.getByRole("button", { name: "Enable Okta" }).click();
    await page.getByText("Okta enabled").waitFor();
    expect(await rules()).toBeGreaterThan(10);
    await page.getByRole("button", { name: "Disable Okta" }).click();
    await page.getByText("Okta disabled").waitFor();
    expect(await rules()).toBe(0);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("[RT-01] a CSV becomes a table, whose rows are added and deleted", async () => {
    const { page, visit, faults } = await world().open();
    const csv = join(world().folder, "admins.csv");
    writeFileSync(csv, "user,team\nann,web\nbob,ops\n");
    await visit("/settings/tables");
    await page.getByRole("button", { name: "New table" }).click();
    await page.getByLabel(/^CSV/).setInputFiles(csv);
    await page.getByRole("button", { name: "Make", exact: true }).click();
    await page.getByRole("link", { name: "admins" }).click();
    await page.getByRole("cell", { name: "bob", exact: true }).waitFor();
    await page.getByLabel("user", { exact: true }).fill("cleo");
    await page.getByLabel("team", { exact: true }).fill("web");
    await page.getByRole("button", { name: "Add or replace" }).click();
    await page.getByRole("cell", { name: "cleo", exact: true }).waitFor();
    await page.getByRole("button", { name: "Delete row bob" }).click();
    await page.getByRole("cell", { name: "bob", exact: true }).waitFor({ state: "detached" });
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("a suppression is made, disabled and deleted; intake shows the counters of the server; first steps are facts", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/security/suppressions");
    await page.getByRole("button", { name: "New suppression" }).click();
    const dialog = page.getByRole("dialog", { name: "New suppression" });
    await dialog.getByLabel("Name", { exact: true }).fill("noise");
    await dialog.getByLabel("Rules it is for").fill("source:nginx");
    await dialog.getByLabel("Signals that are not to be").fill("@network.client.ip:192.0.2.1");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: "Disable noise" }).click();
    await page.getByRole("button", { name: "Enable noise" }).waitFor();
    await page.getByRole("button", { name: "Delete noise" }).click();
    await page.getByRole("button", { name: "Enable noise" }).waitFor({ state: "detached" });

    await visit("/settings/intake");
    const events = await world().server.metric('vespid_intake_events_total{input="datadog"}');
    await page.getByRole("region", { name: "Inputs" }).getByRole("cell", { name: events.toLocaleString("en-US"), exact: true }).waitFor();
    await visit("/settings/onboarding");
    await page.getByRole("listitem").filter({ hasText: "Send the first log" }).getByText("done").waitFor({ state: "attached" });
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
