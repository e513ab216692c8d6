import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPackRules } from "../../host/pack-rules.ts";
import type { Rule } from "../../host/rule/rule.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { PackStore } from "../../host/store/packs.ts";
import { packPipelines } from "../../host/packs.ts";
import { TestRules, send, serverFolder } from "../serve/support.ts";

const BASE = "/api/v2/security_monitoring/content_packs";
const rules = readPackRules("web-access");
const probe = { ddsource: "nginx", message: '192.0.2.9 - - [01/Mar/2026:10:00:00 +0000] "GET /item?id=1%27%20UNION%20SELECT%20password%20FROM%20users-- HTTP/1.1" 200 100 "-" "Mozilla/5.0"' };

/** Rules as a server has them of its settings. */
class PackRules extends TestRules {
  readonly #given: readonly Rule[];
  constructor(given: readonly Rule[], pipelines: Awaited<ReturnType<typeof packPipelines>>) {
    super([], { pipelines });
    this.#given = given;
  }
  override async load() {
    const found = await super.load();
    return { ...found, setup: { ...found.setup, rules: this.#given } };
  }
}

interface State {
  readonly id: string;
  readonly attributes: { readonly state: string; readonly cp_activation: string; readonly logs_last_collected: string; readonly filters_configured_for_logs: boolean; readonly reasons: readonly string[]; readonly parse_failure_percent: number; readonly logs_recently: number };
}

async function call(server: VespidServer, method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: any }> {
  const answer = await fetch(`http://127.0.0.1:${server.address.port}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }) });
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
}

async function stateOf(server: VespidServer, name: string): Promise<State["attributes"]> {
  const { body } = await call(server, "GET", `${BASE}/states`);
  return (body.data as State[]).find(({ id }) => id === name)!.attributes;
}

async function judging(server: VespidServer): Promise<number> {
  return (await call(server, "GET", "/api/v2/security_monitoring/rules?query=origin:default&page[size]=1")).body.meta.page.total_filtered_count;
}

async function signals(server: VespidServer): Promise<number> {
  await server.detection.storeSignals();
  return server.signals.count;
}

describe("packs of a server", () => {
  const folder = serverFolder();

  test("[CP-01][CP-02] a pack that is enabled judges the next log, one that is disabled none, and what was changed of its rules is there when it comes back", async () => {
    const data = join(folder.path, "switch");
    const own = new PackRules([], await packPipelines(["web-access"]));
    let server = await folder.start(own, { data });
    expect(await judging(server)).toBe(0);
    expect(await stateOf(server, "web-access")).toMatchObject({ state: "install", cp_activation: "never_activated", logs_last_collected: "not_seen" });
    await send(server, [probe]);
    expect(await signals(server)).toBe(0);
    expect(await stateOf(server, "web-access")).toMatchObject({ state: "activate", logs_last_collected: "within_24_hours", logs_recently: 1 });

    expect((await call(server, "PUT", `${BASE}/web-access/activate`)).status).toBe(204);
    expect(await judging(server)).toBe(rules.length);
    await send(server, [probe]);
    expect(await signals(server)).toBe(1);
    expect(await stateOf(server, "web-access")).toMatchObject({ cp_activation: "activated", logs_last_collected: "within_24_hours" });
    const changed = await call(server, "PUT", "/api/v2/security_monitoring/rules/web-sqli", { name: "Ours", isEnabled: true });
    expect(changed.body).toMatchObject({ isDefault: true });

    expect((await call(server, "POST", `${BASE}/web-access/deactivate`)).status).toBe(204);
    expect(await judging(server)).toBe(0);
    expect((await call(server, "GET", "/api/v2/security_monitoring/rules/web-sqli")).status).toBe(404);
    await send(server, [{ ...probe, message: probe.message.replace("192.0.2.9", "192.0.2.10") }]);
    // What there was is still there.
    expect(await signals(server)).toBe(1);
    expect(await stateOf(server, "web-access")).toMatchObject({ state: "activate", cp_activation: "deactivated" });

    expect((await call(server, "POST", `${BASE}/web-access/activate`)).status).toBe(204);
    expect((await call(server, "GET", "/api/v2/security_monitoring/rules/web-sqli")).body).toMatchObject({ customName: "Ours" });
    await server.close();
    server = await folder.start(own, { data });
    expect(await judging(server)).toBe(rules.length);
    expect((await call(server, "PUT", `${BASE}/nothing/activate`)).status).toBe(404);
    const trail = await call(server, "GET", "/api/v2/audit/events?filter[query]=@asset.type:content_pack");
    expect(trail.body.data).toHaveLength(3);
    expect(folder.faults).toEqual([]);
  });

  test("[CP-02] a pack of the settings counts as enabled until somebody disables it; a rule of one's own keeps its id", async () => {
    const pipelines = await packPipelines(["web-access"]);
    const data = join(folder.path, "settings");
    let server = await folder.start(new PackRules(rules, pipelines), { data });
    expect(await stateOf(server, "web-access")).toMatchObject({ state: "initializing", cp_activation: "activated" });
    await call(server, "PUT", `${BASE}/web-access/deactivate`);
    expect(await judging(server)).toBe(0);
    await server.close();
    server = await folder.start(new PackRules(rules, pipelines), { data });
    expect(await judging(server)).toBe(0);
    await server.close();
    const { pack: _, ...own } = { ...rules[0]!, isDefault: false, wire: { ...rules[0]!.wire, isDefault: false } };
    server = await folder.start(new PackRules([own], pipelines), { data });
    await call(server, "PUT", `${BASE}/web-access/activate`);
    expect(await judging(server)).toBe(rules.length - 1);
    expect((await call(server, "GET", `/api/v2/security_monitoring/rules/${own.id}`)).body).toMatchObject({ isDefault: false });
    expect(folder.faults).toEqual([]);
  });

  test("[CP-02] what the command line decides beside a server is taken up when it tends", async () => {
    const data = join(folder.path, "beside");
    const server = await folder.start(new PackRules([], await packPipelines(["web-access"])), { data });
    const sql = SqlDriver.open(join(data, "vespid.db"), migrations);
    new PackStore(sql).decide("web-access", "activated", "vespid command line", Date.now());
    sql.close();
    expect(await judging(server)).toBe(0);
    await server.control.tend(Date.now());
    expect(await judging(server)).toBe(rules.length);
  });

  test("[CP-03][CP-12] logs nobody understands, and filters that keep them out, are told; so is what no pack watches", async () => {
    const data = join(folder.path, "health");
    const server = await folder.start(new PackRules(rules, await packPipelines(["web-access"])), { data });
    await send(server, [...Array.from({ length: 9 }, () => ({ ddsource: "nginx", message: "no access log" })), probe]);
    expect(await stateOf(server, "web-access")).toMatchObject({ state: "broken", parse_failure_percent: 90, reasons: ["90 % of its logs were not understood by its pipelines"] });
    await send(server, Array.from({ length: 290 }, () => probe));
    expect((await stateOf(server, "web-access")).parse_failure_percent).toBeCloseTo(3, 0);
    expect(await stateOf(server, "web-access")).toMatchObject({ state: "active", filters_configured_for_logs: true });
    const made = await call(server, "POST", "/api/v2/security_monitoring/configuration/security_filters", { data: { type: "security_filters", attributes: { name: "auth alone", query: "source:auth", is_enabled: true, filtered_data_type: "logs", exclusion_filters: [] } } });
    expect(made.status).toBe(200);
    const { body } = await call(server, "GET", `${BASE}/states`);
    const gaps = (body.meta.coverage_gaps as ReadonlyArray<{ readonly category: string; readonly packs: readonly string[] }>);
    expect(gaps.map(({ category }) => category)).not.toContain("Web/WAF");
    expect(gaps.find(({ category }) => category === "DNS")?.packs).toContain("dns");
    await server.control.tend(Date.now());
    await server.close();
    // Read once more, nothing is counted twice.
    const again = await folder.start(new PackRules(rules, await packPipelines(["web-access"])), { data });
    expect((await stateOf(again, "web-access")).logs_recently).toBe(300);
    expect(folder.faults).toEqual([]);
  });
});
