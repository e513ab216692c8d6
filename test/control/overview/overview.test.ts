import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { overviewIds } from "../../../host/insight/overview.ts";
import { STANDARD_ROLE_ID } from "../../../host/control/people/managed-roles.ts";
import { releases } from "../../../host/news.ts";
import { packPipelines } from "../../../host/packs.ts";
import type { VespidServer } from "../../../host/serve/server.ts";
import { TestRules, send, serverFolder, until } from "../../serve/support.ts";

const BASE = "/api/v2/security/overview";
const SIGNALS = "/api/v2/security_monitoring/signals";
const PACKS = "/api/v2/security_monitoring/content_packs";
const rule = (id: string, status: string): Record<string, unknown> => ({
  id, name: `Rule ${id}`, message: "", isEnabled: true, type: "log_detection", tags: ["tactic:TA0006-credential-access", "technique:T1110-brute-force"],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: `@evt.name:${id}`, aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status, condition: "a > 0" }],
});
const rules = [rule("login", "high"), rule("probe", "low")];
const log = (name: string, user: string, source = "auth"): unknown => ({ message: `${name} ${user}`, ddsource: source, service: "sso", evt: { name }, usr: { id: user }, network: { client: { ip: "203.0.113.7" } } });

interface Told {
  readonly status: number;
  readonly body: any;
}
type Ask = (method: string, path: string, body?: unknown) => Promise<Told>;

async function call(server: VespidServer, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Told> {
  const answer = await fetch(`http://127.0.0.1:${server.address.port}${path}`, { method, headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** Somebody with a role of their own. */
async function somebody(server: VespidServer, query: string | null, permissions?: readonly string[]): Promise<Ask> {
  const name = `user-${Math.random().toString(36).slice(2)}`;
  const all = (await call(server, "GET", "/api/v2/permissions")).body.data;
  const role = permissions === undefined
    ? (await call(server, "POST", `/api/v2/roles/${STANDARD_ROLE_ID}/clone`, { data: { type: "roles", attributes: { name } } })).body.data.id
    : (await call(server, "POST", "/api/v2/roles", { data: { type: "roles", attributes: { name }, relationships: { permissions: { data: all.filter(({ attributes }: any) => permissions.includes(attributes.name)).map(({ id }: any) => ({ id, type: "permissions" })) } } } })).body.data.id;
  expect((await call(server, "PUT", `/api/v2/roles/${role}/restriction_query`, { data: { attributes: { restriction_query: query } } })).status).toBe(200);
  const user = (await call(server, "POST", "/api/v2/users", { data: { type: "users", attributes: { email: `${name}@example.com` }, relationships: { roles: { data: [{ id: role, type: "roles" }] } } } })).body.data.id;
  const application = (await call(server, "POST", "/api/v2/application_keys", { data: { type: "application_keys", attributes: { name }, relationships: { owned_by: { data: { id: user, type: "users" } } } } })).body.data.attributes.key;
  const api = (await call(server, "POST", "/api/v2/api_keys", { data: { type: "api_keys", attributes: { name } } })).body.data.attributes.key;
  return (method, path, body) => call(server, method, path, body, { "dd-api-key": api, "dd-application-key": application });
}

describe("the overview of a server", () => {
  const folder = serverFolder();
  const start = async (name: string, more: ConstructorParameters<typeof TestRules>[1] = {}): Promise<VespidServer> => await folder.start(new TestRules(rules, more), { data: join(folder.path, name) });
  const fill = async (server: VespidServer, events: readonly unknown[]): Promise<void> => {
    expect(await send(server, events)).toBe(202);
    await server.detection.storeSignals();
  };
  const module = async (ask: Ask, id: string, more = ""): Promise<any> => {
    const { status, body } = await ask("GET", `${BASE}?modules=${id}${more}`);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.modules).toHaveLength(1);
    return body.modules[0];
  };
  const asking = (server: VespidServer): Ask => (method, path, body) => call(server, method, path, body);

  test("[OV-01] tells every module of the last seven days, on a new server and on one with signals", async () => {
    const server = await start("all");
    for (const events of [[], [log("login", "ann"), log("probe", "bob", "okta")]]) {
      if (events.length) await fill(server, events);
      const { status, body } = await call(server, "GET", BASE);
      expect(status).toBe(200);
      expect(body.to - body.from).toBe(7 * 86_400_000);
      expect(body.modules.map(({ id, order }: any) => [id, order])).toEqual(overviewIds.map((id, i) => [id, i]));
      for (const { id, data, title, visible, href } of body.modules) expect([id, data !== null, title !== "", visible, href.startsWith("/")]).toEqual([id, true, true, true, true]);
    }
    expect(folder.faults).toEqual([]);
  });

  test("[OV-02] everybody orders and hides modules for themselves", async () => {
    const server = await start("layout");
    const [ann, bob] = [await somebody(server, null), await somebody(server, null)];
    const { status, body } = await ann("PUT", `${BASE}/layout`, { order: ["perf.fp", "nothing", "news"], hidden: ["threat.isp", "nothing"] });
    expect([status, body.order.slice(0, 3), body.hidden]).toEqual([200, ["perf.fp", "news", "onboarding"], ["threat.isp"]]);
    const shown = async (ask: Ask): Promise<any[]> => (await ask("GET", BASE)).body.modules;
    expect((await shown(ann)).map(({ id }) => id).slice(0, 3)).toEqual(["perf.fp", "news", "onboarding"]);
    expect((await shown(ann)).find(({ id }) => id === "threat.isp")).toMatchObject({ visible: false, data: null });
    expect((await shown(bob)).map(({ id, visible }) => [id, visible])).toEqual(overviewIds.map((id) => [id, true]));
    expect((await module(ann, "threat.isp")).data).not.toBeNull();
    await ann("PUT", `${BASE}/layout`, {});
    expect((await shown(ann)).map(({ id, visible }) => [id, visible])).toEqual(overviewIds.map((id) => [id, true]));
    expect((await ann("PUT", `${BASE}/layout`, { order: "news" })).status).toBe(400);
  });

  test("[OV-03] [IN-29] the list of first steps is told of facts: each is done when it has happened", async () => {
    const server = await start("steps");
    const ask = asking(server);
    const open = async (): Promise<string[]> => (await module(ask, "onboarding")).data.tasks.filter(({ done }: any) => !done).map(({ id }: any) => id);
    const all = ["first_log", "first_pack", "first_notification_rule", "first_colleague", "first_triage", "geoip"];
    expect(await open()).toEqual(all);
    await call(server, "POST", "/api/v2/users", { data: { type: "users", attributes: { email: "ann@example.com" } } });
    expect(await open()).toEqual(all.filter((id) => id !== "first_colleague"));
    await fill(server, [{ message: "in", evt: { name: "login" }, usr: { id: "ann" } }]);
    expect(await open()).toEqual(["first_pack", "first_notification_rule", "first_triage", "geoip"]);
    await call(server, "PUT", `${PACKS}/web-access/activate`);
    expect(await open()).toEqual(["first_notification_rule", "first_triage", "geoip"]);
    const [{ id }] = (await call(server, "POST", `${SIGNALS}/search`, { filter: { query: "*" } })).body.data;
    await call(server, "PATCH", `${SIGNALS}/${id}/state`, { data: { attributes: { state: "under_review" } } });
    expect(await open()).toEqual(["first_notification_rule", "geoip"]);
    expect((await module(ask, "onboarding")).data.open).toBe(2);
  });

  test("[OV-04] news are the release's notes and what the feed in the data folder has, newest first; what a feed may not say is left out", async () => {
    const server = await start("news");
    const file = join(folder.path, "news", "news.json");
    expect((await module(asking(server), "news")).data.entries).toMatchObject(releases().slice(0, 5).map(({ version, changes }) => ({ kind: "release", title: `Vespid ${version}`, items: changes })));
    writeFileSync(file, JSON.stringify([
      { title: "Old", date: "2025-01-01", url: "https://example.com/old", summary: "s" }, { title: "New", date: "2026-02-01", url: "https://example.com/new" }, { title: "Script", url: "javascript:alert(1)" }, { title: "", url: "https://example.com" }, 7, null,
      ...Array.from({ length: 9 }, (_, i) => ({ title: `Older ${i}`, date: "2024-01-01", url: "http://example.com/" })),
    ]));
    const { entries } = (await module(asking(server), "news")).data;
    const told = entries.map(({ kind, title, href }: any) => [kind, title, href]);
    expect(told.slice(0, 1)).toEqual([["release", `Vespid ${releases()[0]!.version}`, expect.stringMatching(/^\//)]]);
    expect(told.filter(([kind]: [string]) => kind === "research").slice(0, 2)).toEqual([["research", "New", "https://example.com/new"], ["research", "Old", "https://example.com/old"]]);
    expect(entries).toHaveLength(5);
    writeFileSync(file, "{");
    expect((await module(asking(server), "news")).data.entries).toHaveLength(Math.min(5, releases().length));
    rmSync(file);
  });

  test("[OV-05] [OV-06] packs by what they watch and by their health, and sources that no pack reads", async () => {
    const server = await start("packs", { pipelines: await packPipelines(["web-access"]) });
    const ask = asking(server);
    await fill(server, [log("login", "ann", "home-made"), { ddsource: "nginx", message: "no access log" }]);
    await call(server, "PUT", `${PACKS}/web-access/activate`);
    let states: any[] = [];
    // What was done here is a log as well, which the pack of the audit trail reads a moment later.
    await until(async () => {
      states = (await call(server, "GET", `${PACKS}/states`)).body.data;
      return states.find(({ id }) => id === "audit-trail").attributes.status === "activate";
    });
    const { categories, other } = (await module(ask, "coverage.packs")).data;
    for (const { category, enabled, total, share, packs, href } of categories) {
      const own = states.filter(({ attributes }: any) => attributes.category === category);
      expect([category, total, enabled]).toEqual([category, own.length, own.filter(({ attributes }: any) => attributes.cp_activation === "activated").length]);
      expect(packs.map(({ id, status }: any) => [id, status])).toEqual(own.map(({ id, attributes }: any) => [id, attributes.status]));
      expect(share).toBe(total ? enabled / total : 0);
      expect(href).toBe(`/security/packs?category=${encodeURIComponent(category)}`);
    }
    expect(categories.find(({ category }: any) => category === "Web/WAF")).toMatchObject({ enabled: 1, packs: expect.arrayContaining([expect.objectContaining({ id: "web-access", enabled: true })]) });
    expect(other).toMatchObject({ count: 1, sources: [{ source: "home-made", href: expect.stringMatching(/^\/logs\?query=source%3A%22home-made%22&from=\d+&to=\d+$/) }] });
    const { statuses } = (await module(ask, "coverage.health")).data;
    expect(statuses.map(({ status }: any) => status).slice(0, 3)).toEqual(["active", "warning", "broken"]);
    for (const { status, count, packs, href } of statuses) {
      expect([status, count]).toEqual([status, states.filter(({ attributes }: any) => attributes.status === status).length]);
      expect([packs.length, href]).toEqual([count, `/security/packs?status=${status}`]);
    }
    expect(statuses.find(({ status }: any) => status === "broken").packs).toMatchObject([{ id: "web-access", reasons: ["100 % of its logs were not understood by its pipelines"] }]);
  });

  test("[OV-07] logs of the sources with most of them, the others together, as many as came", async () => {
    const server = await start("volumes");
    const sources = Array.from({ length: 13 }, (_, i) => `s${String(i).padStart(2, "0")}`);
    for (const [i, source] of sources.entries()) await fill(server, Array.from({ length: i + 1 }, (_, n) => log("nothing", `u${n}`, source)));
    for (const more of ["", "&from=now-1h", "&from=now-30d"]) {
      const { data } = await module(asking(server), "coverage.logs", more);
      expect(data.sources.map(({ source, total }: any) => [source, total])).toEqual(sources.map((source, i) => [source, i + 1]).toReversed().slice(0, 10));
      expect(data.other).toMatchObject({ sources: 3, total: 6 });
      expect(data.total).toBe(91);
      for (const each of [...data.sources, data.other]) expect(each.points.reduce((sum: number, [, value]: [number, number]) => sum + value, 0)).toBe(each.total);
      expect(data.sources[0].points.length).toBeLessThanOrEqual(62);
    }
    expect((await module(asking(server), "coverage.logs", "&from=now-9d&to=now-8d")).data).toMatchObject({ total: 0, sources: [], other: null });
  });

  test("[OV-11] [OV-13] [OV-14] entities by their risk, their types and severities", async () => {
    const server = await start("risk");
    await fill(server, [log("login", "ann"), log("login", "bob"), log("probe", "cid")]);
    const { entities } = (await module(asking(server), "risk.top")).data;
    // Both signals of high severity count for the service and the address they share.
    expect(entities.map(({ type, name, score, severity, change }: any) => [type, name, score, severity, change])).toEqual([["ip", "203.0.113.7", 100, "critical", 100], ["service", "sso", 100, "critical", 100], ["user", "ann", 50, "high", 50], ["user", "bob", 50, "high", 50]]);
    expect(entities[2]).toMatchObject({ href: "/security/entities/user/ann", updatedMs: expect.any(Number) });
    expect((await module(asking(server), "risk.types")).data.counts).toMatchObject([{ name: "user", count: 2, href: "/security/entities?query=type%3Auser" }, { count: 1 }, { count: 1 }]);
    expect((await module(asking(server), "risk.severity")).data.counts.map(({ name, count }: any) => [name, count])).toEqual([["critical", 2], ["high", 2], ["medium", 0], ["low", 0], ["info", 0]]);
  });

  test("[OV-31] the span is what is asked for, as dates, numbers or steps back from now", async () => {
    const server = await start("span");
    await fill(server, [log("login", "ann")]);
    const total = async (more: string): Promise<number> => (await module(asking(server), "important.signals", more)).data.total;
    expect(await total("")).toBe(1);
    expect(await total("&from=now-2d&to=now-1d")).toBe(0);
    expect(await total(`&from=${Date.now() - 60_000}&to=${Date.now() + 60_000}`)).toBe(1);
    expect(await total("&from=2020-01-01&to=2020-01-02")).toBe(0);
    for (const query of ["from=now&to=now-1d", "from=tomorrow", "modules=nothing", "from=now-900d"]) expect((await call(server, "GET", `${BASE}?${query}`)).status, query).toBe(400);
    expect((await module(asking(server), "perf.severity_change", "&from=2020-01-01&to=2020-01-02")).data.severities[1]).toMatchObject({ severity: "high", last: 1, prior: 0, percent: null });
  });

  test("[RB-07] numbers are of what a role lets see, and modules of what it lets read", async () => {
    const server = await start("sight");
    await fill(server, [log("login", "ann"), log("login", "bob", "okta"), log("probe", "cid", "okta")]);
    const narrow = await somebody(server, "source:okta");
    const total = async (ask: Ask): Promise<unknown> => [
      (await module(ask, "important.signals")).data.total, (await module(ask, "overview.flow")).data.total, (await module(ask, "threat.ips")).data.ips[0].total, (await module(ask, "mitre.techniques")).data.items[0].signals.count,
      (await module(ask, "coverage.logs")).data.sources.map(({ source, total: each }: any) => [source, each]), (await module(ask, "risk.top")).data.entities.length, (await module(ask, "coverage.packs")).data.other?.count ?? null,
    ];
    // The audit trail's own records are logs too, which whoever sees all sees.
    const [signals, flow, ips, technique, volumes, entities] = (await total(asking(server))) as any[];
    expect([signals, flow, ips, technique, volumes.filter(([source]: [string]) => source !== "audit"), entities]).toEqual([3, 3, 3, 3, [["okta", 2], ["auth", 1]], 4]);
    expect(await total(narrow)).toEqual([2, 2, 2, 2, [["okta", 2]], 3, null]);
    const reader = await somebody(server, null, ["security_monitoring_signals_read"]);
    const shown = (await reader("GET", BASE)).body.modules;
    const closed = shown.filter(({ data }: any) => data === null).map(({ id }: any) => id);
    expect(closed).toEqual(["coverage.packs", "coverage.health", "coverage.logs", "important.cases", "mitre.covered", "mitre.density"]);
    expect(shown.find(({ id }: any) => id === "mitre.covered").note).toContain("rules");
    expect((await (await somebody(server, null, ["dashboards_read"]))("GET", BASE)).status).toBe(403);
    expect(folder.faults).toEqual([]);
  });

  test("[MI-05] [OV-30] links to rules find as many rules as their numbers say", async () => {
    const server = await start("rules");
    await call(server, "PUT", `${PACKS}/linux-auth/activate`);
    for (const id of ["mitre.tactics", "mitre.techniques"]) {
      const { items } = (await module(asking(server), id)).data;
      const wrong: string[] = [];
      let followed = 0;
      for (const { id: name, rules: { count, href } } of items) {
        const query = new URL(href, "http://vespid").searchParams.get("query")!;
        const found = (await call(server, "GET", `/api/v2/security_monitoring/rules?${new URLSearchParams({ query, "page[size]": "1" })}`)).body.meta.page.total_filtered_count;
        if (found !== count) wrong.push(`${name}: ${count}, and ${query} finds ${found}`);
        followed++;
      }
      expect(wrong).toEqual([]);
      expect(followed).toBeGreaterThan(5);
    }
  });
});
