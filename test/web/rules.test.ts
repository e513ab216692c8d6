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

  test("a content anomaly is made in the editor by the name that Datadog's client knows; one by the other name opens as the same, and keeps it", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/security/rules/new");
    await page.getByLabel("Name", { exact: true }).first().fill("Unlike any before");
    await page.getByRole("radio", { name: "Content anomaly" }).check();
    await page.getByRole("combobox", { name: "Query a" }).fill("source:nginx");
    await page.getByLabel("Content of, message if empty").fill("@http.url");
    await page.getByLabel("Similarity, percent").fill("60");
    await page.getByLabel(/^Message/).fill("Look.");
    await page.getByText("This rule would be taken.").waitFor();
    await page.getByRole("button", { name: "Make the rule" }).click();
    await page.getByRole("heading", { level: 1, name: "Unlike any before" }).waitFor();
    const made = await world().api<Rule & { readonly options: unknown; readonly queries: readonly unknown[] }>("GET", `${RULES}/${decodeURIComponent(new URL(page.url()).pathname.split("/").at(-1)!)}`);
    expect(made).toMatchObject({
      cases: [{ condition: "a > 0" }], queries: [{ query: "source:nginx", aggregation: "count", metrics: ["@http.url"] }],
      options: { detectionMethod: "anomaly_threshold", evaluationWindow: 300, contentAnomalyOptions: { learningDuration: 7, forgetAfter: 7, similarityPercentageThreshold: 60, nbSimilarItemsThreshold: 1 } },
    });
    const { id: _id, ...body } = made as unknown as Record<string, unknown>;
    const { id } = await world().api<Rule>("POST", RULES, { ...body, name: "By its other name", options: { ...(made.options as object), detectionMethod: "content_anomaly" } });
    await visit(`/security/rules/${id}`);
    expect(await page.getByRole("radio", { name: "Content anomaly" }).isChecked()).toBe(true);
    await page.getByLabel("Condition").fill("a > 2");
    await page.getByText("This rule would be taken.").waitFor();
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("version 2").waitFor();
    expect(await world().api("GET", `${RULES}/${id}`)).toMatchObject({ cases: [{ condition: "a > 2" }], options: { detectionMethod: "content_anomaly", contentAnomalyOptions: { similarityPercentageThreshold: 60 } } });
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("each rule shows what it costs and whether its own tests show that it can fire, as the API tells", async () => {
    const { id } = await world().api<Rule>("POST", RULES, {
      name: "A test that fails", message: "Look.", isEnabled: true, type: "log_detection", tags: ["source:canary"], options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86_400 },
      queries: [{ name: "a", query: "source:nobody", aggregation: "count", groupByFields: [] }], cases: [{ name: "", status: "low", condition: "a > 0", notifications: [] }], tests: [{ name: "somebody", query: "a", expected: true, log: { ddsource: "somebody" } }],
    });
    const { page, visit, faults } = await world().open();
    const { data } = await world().api<{ readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: { readonly canary: string; readonly matches: number; readonly share: number } }> }>("GET", `${RULES}/health`);
    expect(data.find((rule) => rule.id === id)!.attributes).toMatchObject({ canary: "failing", matches: 0, share: 0 });
    const most = data.toSorted((a, b) => b.attributes.matches - a.attributes.matches)[0]!;
    expect(most.attributes.canary).toBe("proved");
    await visit("/security/rules?sort=-cost");
    const first = page.getByRole("row").nth(1);
    await expect.poll(() => first.locator(".rule-cost").getAttribute("title")).toContain(`${new Intl.NumberFormat("en-US").format(most.attributes.matches)} matches, ${Math.round(most.attributes.share * 100)} %`);
    expect(await first.locator(".column-canary").textContent()).toBe("can fire");
    await visit("/security/rules?query=source%3Acanary");
    const cell = page.getByRole("row", { name: "A test that fails" }).locator(".column-canary");
    await expect.poll(() => cell.textContent()).toBe("failing");
    expect(await cell.locator("span").getAttribute("title")).toBe("1 of 1 tests not as expected: somebody");
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("the list is the API's, found by words and facets, and a rule is disabled from it", async () => {
    const { page, visit, faults } = await world().open();
    await visit("/security/rules?query=source%3Aauth");
    const { meta } = await world().api<{ readonly meta: { readonly page: { readonly total_count: number; readonly total_filtered_count: number } } }>("GET", `${RULES}?query=source:auth&page[size]=1`);
    await page.getByText(`${meta.page.total_filtered_count} rules of ${meta.page.total_count}`).waitFor();
    const first = page.getByRole("row").nth(1);
    const toggle = first.getByRole("switch");
    const name = (await first.locator(".column-name").textContent())!;
    const canary = first.locator(".column-canary");
    await expect.poll(() => canary.textContent()).toBe("can fire");
    await toggle.click();
    await page.getByText(`${name} disabled`).waitFor();
    await expect.poll(() => canary.textContent()).toBe("idle");
    const { data } = await world().api<{ readonly data: readonly Rule[] }>("GET", `${RULES}?query=source:auth&page[size]=100`);
    expect(data.find((rule) => rule.name === name)!.isEnabled).toBe(false);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
