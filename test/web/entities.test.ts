import { expect, test } from "vitest";
import { describeWeb } from "./support.ts";

const ENTITIES = "/api/v2/security/entities";
const SIGNALS = "/api/v2/security_monitoring/signals";

interface Entity {
  readonly id: string;
  readonly attributes: { readonly type: string; readonly value: string; readonly score: number; readonly severity: string; readonly score_change: number; readonly signals: number; readonly contributing_signals: number; readonly href: string };
}

interface Detail {
  readonly data: { readonly attributes: Entity["attributes"] & {
    readonly contributions: ReadonlyArray<{ readonly signal_id: string; readonly points: number }>;
    readonly rules: ReadonlyArray<{ readonly id: string; readonly name: string; readonly points: number; readonly signals: number }>;
    readonly related: ReadonlyArray<{ readonly value: string; readonly href: string }>;
    readonly queries: { readonly signals: string; readonly contributing: string; readonly logs: string; readonly suppression: string };
  } };
}

const number = (count: number): string => new Intl.NumberFormat("en-US").format(count);

describeWeb("entities", { users: { "reader@example.com": ["Datadog Read Only Role"] } }, (world) => {
  const stored = async (query = "", sort = "-score"): Promise<{ readonly data: readonly Entity[]; readonly meta: { readonly total: number; readonly types: Readonly<Record<string, number>>; readonly severities: Readonly<Record<string, number>> } }> =>
    await world().api("GET", `${ENTITIES}?page[limit]=1000&sort=${sort}&filter[query]=${encodeURIComponent(query)}`);
  const one = async (id: string): Promise<Detail["data"]["attributes"]> => (await world().api<Detail>("GET", `${ENTITIES}/${encodeURIComponent(id)}?page[limit]=1000`)).data.attributes;

  test("[OV-11] [OV-13] [OV-14] the list shows the API's scores, its facets count types and severities, headings sort, and the address holds it all", async () => {
    const { page, visit, faults } = await world().open();
    const all = await stored();
    await visit("/security/entities");
    await page.getByText(`${number(all.meta.total)} entities`, { exact: true }).waitFor();
    const facets = page.getByRole("navigation", { name: "Facets" });
    for (const [name, count] of [...Object.entries(all.meta.types), ...Object.entries(all.meta.severities).filter(([, count]) => count > 0)]) await facets.getByRole("button", { name: `${name} ${number(count)}`, exact: true }).waitFor();
    const scores = async (): Promise<string[]> => (await page.locator(".column-score").allTextContents()).slice(0, 8);
    expect(await scores()).toEqual(all.data.slice(0, 8).map(({ attributes }) => number(attributes.score)));
    await facets.getByRole("button", { name: /^user \d/ }).click();
    const users = await stored("type:user", "value");
    await page.getByText(`${number(users.meta.total)} ${users.meta.total === 1 ? "entity" : "entities"}`, { exact: true }).waitFor();
    await page.getByRole("columnheader", { name: "Entity" }).getByRole("button").click();
    await page.getByRole("columnheader", { name: "Entity" }).getByRole("button").click();
    const names = users.data.map(({ attributes }) => attributes.value);
    await expect.poll(() => page.locator(".column-value").allTextContents()).toEqual(names);
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({ query: "type:user", sort: "value" });
    await page.goto(page.url());
    await expect.poll(() => page.locator(".column-value").allTextContents()).toEqual(names);
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: names[0]! }).waitFor();
    expect(new URL(page.url()).pathname).toBe(users.data[0]!.attributes.href);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("[OV-13] [OV-14] what the overview links to is the list with as many entities as it says", async () => {
    const { page, visit } = await world().open();
    const { data: { attributes } } = await world().api<{ readonly data: { readonly attributes: { readonly types: ReadonlyArray<{ readonly count: number; readonly href: string }>; readonly severities: ReadonlyArray<{ readonly count: number; readonly href: string }> } } }>("GET", `${ENTITIES}/summary`);
    for (const { count, href } of [attributes.types[0]!, attributes.severities[0]!]) {
      expect(count).toBeGreaterThan(0);
      await visit(href);
      await page.getByText(`${number(count)} ${count === 1 ? "entity" : "entities"}`, { exact: true }).waitFor();
    }
    await page.context().close();
  });

  test("[OV-12] one shows what its score is made of, leads to its signals and logs, and its signals are judged many at once", async () => {
    const { page, visit, faults } = await world().open();
    const top = (await stored("contributing:>1")).data[0]!;
    const before = await one(top.id);
    await visit(top.attributes.href);
    await page.getByRole("heading", { level: 1, name: top.attributes.value }).waitFor();
    expect(await page.locator(".entity-number").textContent()).toBe(number(before.score));
    const rules = page.getByRole("region", { name: "Points by rule" });
    for (const { name, points, signals } of before.rules) expect(await rules.getByRole("row", { name }).getByRole("cell").allTextContents()).toEqual(expect.arrayContaining([number(points), number(signals)]));
    expect(await page.getByRole("region", { name: "Related entities" }).getByRole("link").evaluateAll((links) => links.map((link) => link.getAttribute("href")))).toEqual(before.related.map(({ href }) => href));
    await page.getByRole("img", { name: `Score over the past 14 days: now ${before.score}` }).waitFor();
    const queryOf = async (name: string): Promise<string | null> => new URL((await page.locator(".page-head").getByRole("link", { name }).getAttribute("href"))!, world().url).searchParams.get("query");
    expect([await queryOf("Signals"), await queryOf("Logs")]).toEqual([before.queries.signals, before.queries.logs]);
    const signals = page.getByRole("region", { name: "Signals of the past 14 days" });
    await signals.getByText(`${number(before.signals)} signals`, { exact: true }).waitFor();
    await signals.getByRole("button", { name: "With points" }).click();
    await signals.getByText(`${number(before.contributing_signals)} signals`, { exact: true }).waitFor();
    await expect.poll(() => signals.locator(".column-points").allTextContents()).toEqual(expect.arrayContaining([number(before.contributions[0]!.points)]));
    await signals.getByRole("button", { name: "Select all" }).click();
    await signals.getByText(`${number(before.contributing_signals)} selected`).waitFor();
    await page.keyboard.press("e");
    await page.getByRole("dialog", { name: `Archive ${before.contributing_signals} signals` }).getByRole("button", { name: "Archive" }).click();
    await expect.poll(() => page.locator(".entity-number").textContent()).toBe("0");
    await signals.getByText("0 signals", { exact: true }).waitFor();
    expect(await one(top.id)).toMatchObject({ score: 0, contributing_signals: 0, signals: before.signals });
    const { data: archived } = await world().api<{ readonly data: readonly unknown[] }>("GET", `${SIGNALS}?page[limit]=1000&filter[query]=${encodeURIComponent(`${before.queries.signals} @workflow.triage.archiveReason:false_positive`)}`);
    expect(archived).toHaveLength(before.contributing_signals);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("[OV-12] one is suppressed from here: its rules, and its logs by its own name", async () => {
    const { page, visit } = await world().open();
    const { data: [entity] } = await stored("type:user contributing:>0");
    const { queries, rules } = await one(entity!.id);
    await visit(entity!.attributes.href);
    await page.getByRole("button", { name: "Suppress…" }).click();
    await page.getByRole("dialog", { name: "Suppress signals about this entity" }).getByRole("button", { name: "Suppress" }).click();
    await page.getByText("Suppression made").waitFor();
    const { data } = await world().api<{ readonly data: ReadonlyArray<{ readonly attributes: { readonly rule_query: string; readonly suppression_query: string } }> }>("GET", "/api/v2/security_monitoring/configuration/suppressions");
    const made = data.find(({ attributes }) => attributes.suppression_query === queries.suppression)!;
    for (const { id } of rules) expect(made.attributes.rule_query).toContain(id);
    await page.context().close();
  });

  test("one that nobody knows says so; a role that may not judge is not asked to", async () => {
    const { page, visit } = await world().open({ email: "reader@example.com" });
    await visit("/security/entities/user/nobody%20at%20all");
    await page.getByText("No signal of the past 14 days is about this entity").waitFor();
    const { data: [entity] } = await stored("score:>0");
    await visit(entity!.attributes.href);
    await page.getByRole("heading", { level: 1, name: entity!.attributes.value }).waitFor();
    await page.getByRole("grid", { name: "Signals of the entity" }).waitFor();
    expect(await page.getByRole("button", { name: /Suppress|Select all/ }).count()).toBe(0);
    await page.context().close();
  });
});
