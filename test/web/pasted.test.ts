import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Page, chromium } from "playwright-core";
import { expect, test } from "vitest";
import type { PastedAnswer, PastedMatches, PastedQuestion } from "../../host/engine/browser/contract.ts";
import { decodeEvent } from "../../host/event/decode.ts";
import { parseQuery } from "../../host/query/parse.ts";
import { chromiumPath } from "../../tools/browser.mjs";
import { evaluate } from "../reference/evaluate.ts";
import { searchVectors as vectors } from "../support/vectors.ts";
import { violations } from "./axe.ts";
import { describeWeb } from "./support.ts";

const root = join(import.meta.dirname, "../..");
const RULES = "/api/v2/security_monitoring/rules";

/** What the page shows, row by row: line, signs by query, text. */
async function rowsOf(page: Page): Promise<string[][]> {
  return await page.getByRole("region", { name: "Matches" }).locator("tbody tr").evaluateAll((rows) => rows.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.querySelector("[aria-hidden]")?.textContent ?? cell.textContent ?? "")));
}

/** A question to the worker the pages have, asked from any of them. */
async function asked(page: Page, question: PastedQuestion): Promise<PastedAnswer> {
  const worker = `/web/${readdirSync(join(root, "dist/web")).find((name) => /^worker-.*\.js$/.test(name))!}`;
  return await page.evaluate(([place, data]) => new Promise<PastedAnswer>((resolve, reject) => {
    const held = globalThis as unknown as { trustedTypes: { createPolicy(name: string, rules: object): { createScriptURL(place: string): string } }; policy?: { createScriptURL(place: string): string } };
    held.policy ??= held.trustedTypes.createPolicy("vespid-worker", { createScriptURL: (text: string) => text });
    const made = new Worker(held.policy.createScriptURL(place), { type: "module" });
    made.onmessage = (event) => (resolve(event.data as PastedAnswer), made.terminate());
    made.onerror = (event) => reject(new Error(event.message));
    made.postMessage(data);
  }), [worker, question] as const);
}

const kernelPlace = (variant: "simd" | "scalar"): string => `/web/${readdirSync(join(root, "dist/web")).find((name) => name.startsWith(`vespid.${variant}-`) && name.endsWith(".wasm"))!}`;
const matchesOf = (answer: PastedAnswer): PastedMatches => {
  if (answer.kind === "fault") throw new Error(answer.text);
  return answer.matches;
};

describeWeb("pasted logs", { demo: false }, (world) => {
  test("[SE-08] which pasted lines a rule's queries match is seen as they are typed, as the server and the reference say, and nothing of them leaves the browser", async () => {
    const opened = await world().open();
    const { page, visit, faults } = opened;
    const requests: string[] = [];
    page.on("request", (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname} ${request.url()} ${request.postData() ?? ""}`));
    await visit("/security/rules/new");
    await page.getByRole("combobox", { name: "Query a" }).fill("source:auth @evt.outcome:failure");
    await page.getByRole("button", { name: "Add a query" }).click();
    await page.getByRole("combobox", { name: "Query b" }).fill("@n:>3 OR opened");
    await page.waitForLoadState("networkidle");
    expect(requests.filter((text) => /worker|\.wasm/.test(text))).toEqual([]);

    const fetched = page.waitForResponse(/vespid\.simd-.*\.wasm$/);
    await page.getByRole("tab", { name: "Pasted logs" }).click();
    const logs = Array.from({ length: 12 }, (_, i) => JSON.stringify({ ddsource: i % 3 ? "auth" : "web", evt: { outcome: i % 2 ? "failure" : "success" }, n: i, note: "zebra-77" }));
    const lines = [...logs.slice(0, 6), "session opened for zebra-77", '{"n":9,', ...logs.slice(6)];
    await page.getByRole("textbox", { name: /^Logs:/ }).fill(lines.join("\n"));
    await page.getByRole("status").filter({ hasText: "1 record is no event" }).waitFor();
    expect((await (await fetched).body()).equals(readFileSync(join(root, "build/vespid.simd.wasm")))).toBe(true);

    const judged = async (queries: readonly string[]): Promise<string[][]> => await Promise.all(lines.map(async (text, i) => {
      const record = text.startsWith("{") ? text : JSON.stringify({ message: text });
      const event = decodeEvent(record, { format: "intake" });
      if (!event) return [String(i + 1), ...queries.map(() => "–")];
      const rule = { name: "r", type: "log_detection", message: "", isEnabled: true, tags: [], queries: queries.map((query, j) => ({ name: "ab"[j], query })), cases: [{ status: "info", condition: "a > 0" }], options: { evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 300 } };
      const { results } = await world().api<{ readonly results: readonly boolean[] }>("POST", `${RULES}/test`, { rule, ruleQueryPayloads: queries.map((_, index) => ({ index, expectedResult: true, payload: JSON.parse(record) as unknown })) });
      const references = queries.map((query) => {
        const parsed = parseQuery(query);
        return parsed.ok && evaluate(parsed.node, event);
      });
      expect(results).toEqual(references);
      return [String(i + 1), ...results.map((isMatched) => (isMatched ? "✓" : "·"))];
    }));
    const firstShown = (await rowsOf(page)).map((row) => row.slice(0, 3));
    const first = await judged(["source:auth @evt.outcome:failure", "@n:>3 OR opened"]);
    expect(firstShown).toEqual(first);
    expect(first.filter(([, a]) => a === "✓")).toHaveLength(4);
    expect((await rowsOf(page))[7]![3]).toContain("the JSON ends too early");
    await page.getByRole("status").filter({ hasText: "13 events, a matches 4, b matches 9, 1 record is no event" }).waitFor();
    expect([...(await violations(opened)), ...(await page.evaluate(() => void (document.documentElement.dataset.theme = "light")), await violations(opened))]).toEqual([]);

    await page.getByRole("combobox", { name: "Query b" }).fill("@n:(8 OR");
    await page.getByRole("region", { name: "Matches" }).getByText("Query b cannot be read").waitFor();
    expect(await page.getByRole("region", { name: "Matches" }).locator("mark").textContent()).toBe("OR");
    expect(await page.locator(".query-back mark").textContent()).toBe("OR");
    await page.getByRole("combobox", { name: "Query b" }).fill("@n:(8 OR 11)");
    await page.getByRole("status").filter({ hasText: "b matches 2" }).waitFor();
    expect((await rowsOf(page)).map((row) => row.slice(0, 3))).toEqual(await judged(["source:auth @evt.outcome:failure", "@n:(8 OR 11)"]));
    await page.getByRole("combobox", { name: /^Show/ }).selectOption("matched");
    expect(await rowsOf(page)).toHaveLength(5);

    // The text is still there after a look at another tab; as an array it is the same.
    await page.getByRole("tab", { name: "JSON" }).click();
    await page.getByRole("tab", { name: "Pasted logs" }).click();
    await page.getByRole("status").filter({ hasText: "b matches 2" }).waitFor();
    await page.getByRole("textbox", { name: /^Logs:/ }).fill(JSON.stringify(logs.map((log) => JSON.parse(log) as unknown), undefined, 2));
    await page.getByRole("status").filter({ hasText: /^12 events, a matches 4, b matches 2$/ }).waitFor();

    expect(requests.filter((text) => text.includes("zebra"))).toEqual([]);
    expect(faults).toEqual([]);
    await page.context().close();
  }, 120_000);

  test.skipIf(!vectors.length)("[SE-01] the search vectors hold in the browser, by the kernels with SIMD and without (skipped where ../shared is absent)", async () => {
    const { page, faults } = await world().open();
    const question = { queries: vectors.map(({ query }) => [query]), text: vectors.map(({ event }) => JSON.stringify(event)).join("\n"), arrivalMs: Date.parse("2026-03-01T12:00:00Z") };
    // What is no code of WebAssembly to the browser is what instructions of SIMD are to an older one.
    for (const [variant, kernels] of [["simd", { simd: kernelPlace("simd"), scalar: "/web/none" }], ["scalar", { simd: "/web/index.html", scalar: kernelPlace("scalar") }]] as const) {
      const { records, queries, variant: used } = matchesOf(await asked(page, { ...question, kernels }));
      expect(used).toBe(variant);
      expect(vectors.flatMap(({ id, query, match, error }, i) => (error ? typeof queries[i] === "object" : records[i]!.matched.includes(i) === match) ? [] : [`${id} not ${match}: ${query}`])).toEqual([]);
    }
    expect(await asked(page, { ...question, kernels: { simd: "/web/none", scalar: "/web/none" } })).toEqual({ kind: "fault", text: "the kernels could not be fetched: 404" });
    expect(faults.filter((text) => !text.includes("404"))).toEqual([]);
    await page.context().close();
  }, 120_000);

  test("where the browser shares no memory the panel says so, and leads to the server's own check", async () => {
    const browser = await chromium.launch({ executablePath: chromiumPath()!, args: ["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP plain.example 127.0.0.1"] });
    const page = await browser.newPage();
    const url = `http://plain.example:${world().server.port}`;
    await page.goto(`${url}/login`);
    await page.getByLabel("Email address").fill("admin@example.com");
    await page.getByLabel("Password").fill("correct horse battery 9");
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByRole("navigation", { name: "Pages" }).waitFor();
    await page.goto(`${url}/security/rules/new`);
    await page.getByRole("tab", { name: "Pasted logs" }).click();
    await page.getByText("only over https or on localhost").waitFor();
    await page.getByRole("button", { name: "as unit tests" }).click();
    await page.getByRole("button", { name: "Add a test" }).waitFor();
    await browser.close();
  }, 60_000);
});
