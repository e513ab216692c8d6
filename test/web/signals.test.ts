import { expect, test } from "vitest";
import { describeWeb } from "./support.ts";

const SIGNALS = "/api/v2/security_monitoring/signals";

interface Found {
  readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: { readonly title: string; readonly severity: string; readonly custom: { readonly workflow: { readonly triage: { readonly state: string; readonly archiveReason: string; readonly assignee?: { readonly handle?: string } } } } } }>;
}

describeWeb("the signal explorer", { users: { "reader@example.com": ["Datadog Read Only Role"] } }, (world) => {
  const stored = async (query: string): Promise<Found["data"]> => (await world().api<Found>("GET", `${SIGNALS}?filter[query]=${encodeURIComponent(query)}&page[limit]=100`)).data;

  test("[SI-02] lists, counts and filters what the API finds, by words and by facets, and the address holds it", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/security/signals");
    const all = await stored("");
    await page.getByText(`${all.length} signals`, { exact: true }).waitFor();
    expect(await page.getByRole("row").count()).toBe(all.length + 1);
    await page.getByRole("combobox", { name: "Search signals" }).fill("severity:critical");
    await page.keyboard.press("Enter");
    const critical = await stored("severity:critical");
    await page.getByText(`${critical.length} signal${critical.length === 1 ? "" : "s"}`, { exact: true }).waitFor();
    expect(new URL(page.url()).searchParams.get("query")).toBe("severity:critical");
    await page.getByRole("navigation", { name: "Facets" }).getByRole("button", { name: /^cloudtrail/ }).click();
    const both = await stored('severity:critical source:"cloudtrail"');
    await page.getByText(`${both.length} signal${both.length === 1 ? "" : "s"}`, { exact: true }).waitFor();
    expect(both.length).toBeGreaterThan(0);
    const address = page.url();
    const titles = await page.locator(".column-title").allTextContents();
    await page.goto(address);
    await page.getByText(`${both.length} signal`).first().waitFor();
    await expect.poll(() => page.locator(".column-title").allTextContents()).toEqual(titles);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("[SI-11] the state is a column, sorted by its heading, beside who was assigned and what was done last", async () => {
    const { page, visit } = await world().open();
    await visit("/security/signals");
    for (const title of ["Signal State", "Assignee", "Last action"]) await page.getByRole("columnheader", { name: title }).waitFor();
    await page.getByRole("columnheader", { name: "Signal State" }).getByRole("button").click();
    await expect.poll(() => new URL(page.url()).searchParams.get("sort")).toBe("-@workflow.triage.state");
    await page.context().close();
  });

  test("[SI-18] a signal is found, opened, put under review, assigned and archived by keys alone; its panel shows state and assignee", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/security/signals?query=severity%3Acritical");
    await page.getByRole("row").nth(1).waitFor();
    const [first] = await stored("severity:critical");
    await page.keyboard.press("Enter");
    const panel = page.getByRole("complementary", { name: "Signal" });
    await panel.getByRole("heading", { level: 2, name: first!.attributes.title }).waitFor();
    expect(await panel.getByRole("button", { name: "Signal state: Open" }).isVisible()).toBe(true);
    await page.keyboard.press("r");
    await panel.getByRole("button", { name: "Signal state: Under review" }).waitFor();
    await page.keyboard.press("m");
    await panel.getByRole("button", { name: "Assignee" }).getByText("admin@example.com").waitFor();
    await page.keyboard.press("e");
    const dialog = page.getByRole("dialog", { name: "Archive 1 signal" });
    await dialog.waitFor();
    for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Tab");
    await page.keyboard.type("a drill");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await panel.getByRole("button", { name: "Signal state: Archived" }).waitFor();
    const { triage } = (await world().api<{ readonly data: Found["data"][number] }>("GET", `${SIGNALS}/${first!.id}`)).data.attributes.custom.workflow;
    expect(triage).toMatchObject({ state: "archived", archiveReason: "true_positive_benign", archiveComment: "a drill", assignee: { handle: "admin@example.com" } });
    await panel.getByRole("tab", { name: "History" }).click();
    const { data: history } = await world().api<{ readonly data: readonly unknown[] }>("GET", `${SIGNALS}/${first!.id}/history`);
    expect(history.length).toBeGreaterThanOrEqual(3);
    await expect.poll(() => panel.locator(".history > li").count()).toBe(history.length);
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "detached" });
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("[SI-29] several are selected by keys and changed together", async () => {
    const { page, visit } = await world().open();
    await visit("/security/signals?query=severity%3Ahigh");
    await page.getByRole("row").nth(2).waitFor();
    await page.keyboard.press("x");
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    await page.getByText("2 selected").waitFor();
    await page.keyboard.press("r");
    await page.getByText("2 signals under review").waitFor();
    expect(await stored("severity:high @workflow.triage.state:under_review")).toHaveLength(2);
    await page.context().close();
  });

  test("the menu to escalate attaches a signal to incidents, by their numbers, or hands it over; the panel shows them", async () => {
    const { page, visit, faults } = await world().open();
    const [one] = await stored("severity:low");
    await visit(`/security/signals/${one!.id}`);
    const panel = page.getByRole("complementary", { name: "Signal" });
    await panel.getByRole("button", { name: /^Escalate investigation/ }).click();
    await panel.getByRole("button", { name: "Hand over to somebody…" }).waitFor();
    await panel.getByRole("button", { name: "Attach to incidents…" }).click();
    const dialog = page.getByRole("dialog", { name: "Attach to incidents" });
    await dialog.getByRole("textbox").fill("#17, 21");
    await dialog.getByRole("button", { name: "Attach" }).click();
    await panel.getByText("incident #17, #21").waitFor();
    const { custom } = (await world().api<{ readonly data: Found["data"][number] }>("GET", `${SIGNALS}/${one!.id}`)).data.attributes;
    expect(custom.workflow.triage).toMatchObject({ incidentIds: [17, 21] });
    await panel.getByRole("tab", { name: "History" }).click();
    await expect.poll(() => panel.locator(".history > li").count()).toBeGreaterThan(0);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("what is suppressed from a signal is there as a suppression of its rule and its group", async () => {
    const { page, visit } = await world().open();
    await visit("/security/signals?query=severity%3Amedium");
    await page.getByRole("row").nth(1).waitFor();
    await page.keyboard.press("s");
    const dialog = page.getByRole("dialog", { name: "Suppress signals like this" });
    await dialog.getByRole("button", { name: "Suppress" }).click();
    await page.getByText("Suppression made").waitFor();
    const { data } = await world().api<{ readonly data: ReadonlyArray<{ readonly attributes: { readonly rule_query: string; readonly suppression_query: string } }> }>("GET", "/api/v2/security_monitoring/configuration/suppressions");
    expect(data[0]!.attributes).toMatchObject({ rule_query: expect.stringMatching(/^ruleId:/), suppression_query: expect.stringContaining("203.0.113.9") });
    await page.context().close();
  });

  test("each place of a view has an address that shows it again: query, time, columns, sort, signal and tab", async () => {
    const { page, visit } = await world().open();
    const [one] = await stored("source:auth");
    const address = `/security/signals?query=source%3Aauth&from=now-24h&cols=severity%2Ctitle%2C%40network.client.ip&sort=-severity&signal=${one!.id}&tab=evidence`;
    await visit(address);
    await page.getByRole("columnheader", { name: "@network.client.ip" }).waitFor();
    expect(await page.getByRole("columnheader").count()).toBe(4);
    await page.getByRole("tab", { name: /Evidence/, selected: true }).waitFor();
    await page.getByText("Past day").waitFor();
    expect(await page.getByRole("combobox", { name: "Search signals" }).inputValue()).toBe("source:auth");
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe(address);
    await page.context().close();
  });

  test("a query that cannot be read says where and why, and asks nothing", async () => {
    const { page, visit } = await world().open();
    await visit("/security/signals");
    const bar = page.getByRole("combobox", { name: "Search signals" });
    await bar.fill("source:(auth OR ");
    expect(await bar.getAttribute("aria-invalid")).toBe("true");
    await page.getByRole("alert").waitFor();
    await page.keyboard.press("Enter");
    expect(new URL(page.url()).searchParams.get("query")).toBe(null);
    await page.context().close();
  });

  test("what a role does not let do is not offered", async () => {
    const { page, visit } = await world().open({ email: "reader@example.com" });
    const [one] = await stored("");
    await visit(`/security/signals/${one!.id}`);
    const panel = page.getByRole("complementary", { name: "Signal" });
    await panel.getByRole("heading", { level: 2 }).waitFor();
    expect(await panel.getByRole("button", { name: "Suppress from here" }).count()).toBe(0);
    expect(await panel.getByRole("button", { name: /Signal state/ }).count()).toBe(0);
    await page.context().close();
  });
});
