import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PeopleStore } from "../../host/store/people.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { SignalSearch } from "../../host/signal-search/signal-search.ts";
import { SignalStore } from "../../host/store/signals.ts";
import { signalsRoom } from "../../host/control/signals/room.ts";
import type { ControlContext } from "../../host/control/context.ts";
import { parseQuery } from "../../host/query/parse.ts";
import type { QueryNode } from "../../host/query/tree.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import { TestRules, send, serverFolder } from "../serve/support.ts";
import { person, serveRoutes } from "./support.ts";

const SIGNALS = "/api/v2/security_monitoring/signals";
const rule = (id: string, name: string, status: string, group = "@usr.id"): Record<string, unknown> => ({
  id, name, message: "Look at {{@usr.id}}.", isEnabled: true, type: "log_detection", tags: ["security:attack", `team:${id}`],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: `source:auth @evt.name:${id}`, aggregation: "count", groupByFields: [group] }], cases: [{ name: "burst", status, condition: "a > 0", notifications: ["@slack-soc"] }],
});
const log = (name: string, user: string, more: Record<string, unknown> = {}): unknown => ({ message: `${name} by ${user}`, ddsource: "auth", service: "sso", hostname: "web-1", ddtags: "env:prod", evt: { name }, usr: { id: user }, network: { client: { ip: "203.0.113.7" } }, ...more });

async function ask(server: VespidServer, method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: any; readonly headers: Headers; readonly text: string }> {
  const answer = await fetch(`http://127.0.0.1:${server.address.port}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }) });
  const text = await answer.text();
  return { status: answer.status, body: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : undefined, headers: answer.headers, text };
}

describe("signals of a server", () => {
  const folder = serverFolder();
  const start = async (name: string): Promise<VespidServer> => {
    const server = await folder.start(new TestRules([rule("burst", "Failed logins", "critical"), rule("probe", "Probing", "low"), rule("leak", "Data leak", "high", "@network.client.ip")]), { data: join(folder.path, name) });
    expect(await send(server, [log("burst", "ann"), log("burst", "bob"), log("probe", "ann"), log("probe", "cid"), log("leak", "dee")])).toBe(202);
    await server.detection.storeSignals();
    return server;
  };
  const find = async (server: VespidServer, query: string): Promise<string[]> => {
    const { body } = await ask(server, "POST", `${SIGNALS}/search`, { filter: { query, from: "now-24h", to: "now+1m" }, page: { limit: 100 } });
    return body.data.map(({ attributes }: any) => `${attributes.custom.workflow.rule.name} ${Object.values(attributes.custom.groupByValues).join()}`).sort();
  };

  test("[AP-01] [AP-02] [AP-03] [AP-05] [SI-01] [SI-21] the how-to's search finds open critical signals with severity, title, rule and time", async () => {
    const server = await start("search");
    const { status, body } = await ask(server, "POST", `${SIGNALS}/search`, { filter: { query: "status:open severity:critical", from: "now-24h", to: "now" }, sort: { field: "timestamp", order: "desc" }, page: { limit: 25 } });
    expect(status).toBe(200);
    expect(body.data).toHaveLength(2);
    expect(body.meta).toBeUndefined();
    const [first] = body.data;
    expect(first).toMatchObject({
      type: "signal",
      attributes: {
        severity: "critical", status: "critical", title: "Failed logins - burst", host: "web-1", service: ["sso"], tags: expect.arrayContaining(["security:attack", "env:prod"]),
        custom: { rule: { name: "Failed logins" }, workflow: { rule: { id: "burst", type: "Log Detection" }, triage: { state: "open", assignee: { id: -1, name: "Unassigned" } } }, triggeringRuleCase: { name: "burst", condition: "a > 0" }, network: { client: { ip: "203.0.113.7" } } },
      },
    });
    expect(first.attributes.timestamp).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect((await ask(server, "GET", `${SIGNALS}/${first.id}`)).body.data).toEqual(first);
    expect((await ask(server, "GET", `${SIGNALS}/nothing`)).body).toEqual({ errors: ["Signal not found"] });
    expect((await ask(server, "POST", `${SIGNALS}/search`, { filter: { query: "status:(open OR high)" } })).status).toBe(400);
  });

  test("[SI-04] [SI-06] [SI-13] [SI-17] [SI-19] [SI-22] a signal is reviewed, given to somebody, archived with a reason and opened again; searches know at once, and its history says who did what", async () => {
    const server = await start("triage");
    const { body } = await ask(server, "POST", `${SIGNALS}/search`, { filter: { query: "@usr.id:bob" } });
    const { id } = body.data[0];
    const patch = async (what: string, attributes: unknown): Promise<any> => await ask(server, "PATCH", `${SIGNALS}/${id}/${what}`, { data: { type: "signal_metadata", attributes } });
    expect((await patch("state", { state: "under_review" })).body.data).toMatchObject({ id, type: "signal_metadata", attributes: { state: "under_review", incident_ids: [], assignee: { id: -1 } } });
    expect(await find(server, "status:triage")).toEqual(["Failed logins bob"]);
    expect(await find(server, "@workflow.triage.state:open")).toHaveLength(4);
    const me = (await ask(server, "GET", "/api/v2/current_user")).body?.data?.id ?? "00000000-0000-4000-8000-000000000001";
    expect((await patch("assignee", { assignee: { uuid: me } })).body.data.attributes.assignee).toMatchObject({ uuid: me });
    expect((await patch("assignee", { assignee: { uuid: "nobody" } })).status).toBe(400);
    expect((await patch("incidents", { incident_ids: [2066] })).body.data.attributes.incident_ids).toEqual([2066]);
    expect((await patch("update", { state: "archived", archive_reason: "false_positive", archive_comment: "test <b>run</b>" })).body.data.attributes).toMatchObject({ state: "archived", archive_reason: "false_positive" });
    expect(await find(server, "status:closed archive_reason:false_positive")).toEqual(["Failed logins bob"]);
    expect((await patch("state", { state: "archived", archive_reason: "because" })).status).toBe(400);
    expect((await patch("state", { state: "open", version: 1 })).status).toBe(400);
    expect((await patch("state", { state: "open" })).status).toBe(200);
    const history = (await ask(server, "GET", `${SIGNALS}/${id}/history`)).body.data.map(({ attributes }: any) => attributes);
    expect(history.map(({ action }: any) => action).toSorted()).toEqual(["assigned", "comment", "comment", "incident_linked", "state_changed", "state_changed", "state_changed"]);
    expect(history.at(-1)).toMatchObject({ action: "state_changed", before: expect.objectContaining({ state: "open" }), after: expect.objectContaining({ state: "under_review" }) });
    expect(history.every(({ actor }: any) => actor.handle !== "")).toBe(true);
    expect((await ask(server, "PATCH", `/api/v1/security_analytics/signals/${id}/state`, { state: "archived", archiveReason: "remediated" })).status).toBe(200);
    expect((await ask(server, "PATCH", `${SIGNALS}/nothing/state`, { data: { attributes: { state: "open" } } })).body).toEqual({ errors: ["Signal not found"] });
  });

  test("[SI-29] many at once: those that are not there hold none back, and are told", async () => {
    const server = await start("bulk");
    const all = (await ask(server, "GET", `${SIGNALS}?filter[query]=*&page[limit]=100`)).body.data;
    const answer = await ask(server, "PATCH", `${SIGNALS}/bulk/state`, { data: [...all.map(({ id }: any) => ({ id, type: "signal", attributes: { state: "archived", archive_reason: "true_positive_benign" } })), { id: "none", attributes: { state: "open" } }] });
    expect(answer.body).toMatchObject({ status: "done", result: { count: 5 }, errors: [{ id: "none", detail: "Signal not found" }] });
    expect(answer.body.result.events.every(({ event }: any) => event.state === "archived" && event.incident_ids.length === 0)).toBe(true);
    expect(await find(server, "@workflow.triage.state:archived")).toHaveLength(5);
    expect((await ask(server, "PATCH", `${SIGNALS}/bulk/assignee`, { data: [{ id: all[0].id, attributes: { assignee: "" } }] })).body.result.count).toBe(1);
    expect((await ask(server, "PATCH", `${SIGNALS}/bulk/state`, { data: Array.from({ length: 501 }, () => ({ id: all[0].id, attributes: { state: "open" } })) })).status).toBe(400);
  });

  test("[AP-04] [SI-12] pages hold every signal once, also while new ones come; sorted by a facet", async () => {
    const server = await start("pages");
    const seen: string[] = [];
    let path: string | undefined = `${SIGNALS}?page[limit]=2&sort=timestamp`;
    while (path) {
      const { body } = await ask(server, "GET", path);
      seen.push(...body.data.map(({ id }: any) => id));
      path = body.links?.next;
      expect(path === undefined).toBe(body.meta?.page?.after === undefined);
      await send(server, [log("probe", `new-${seen.length}`)]);
      await server.detection.storeSignals();
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThanOrEqual(5);
    const { body } = await ask(server, "POST", `${SIGNALS}/search`, { sort: "-severity", page: { limit: 3 } });
    expect(body.data.map(({ attributes }: any) => attributes.severity)).toEqual(["critical", "critical", "high"]);
    expect((await ask(server, "GET", `${SIGNALS}?page[cursor]=nonsense`)).status).toBe(400);
    expect((await ask(server, "GET", `${SIGNALS}?page[limit]=1001`)).status).toBe(400);
  });

  test("[SI-02] [SI-14] [SI-15] [SE-11] facets count, rollups and metric queries agree with them", async () => {
    const server = await start("facets");
    const { body } = await ask(server, "POST", `${SIGNALS}/facets`, { query: "*", facets: ["Signal State", "Rule Name", "status", "@usr.id", "Acted Upon"] });
    const values = Object.fromEntries(body.data.map(({ facet, values: list }: any) => [facet, Object.fromEntries(list.map(({ value, count }: any) => [value, count]))]));
    expect(values).toMatchObject({ "Signal State": { open: 5 }, "Rule Name": { "Failed logins": 2, "Probing": 2, "Data leak": 1 }, "status": { critical: 2, low: 2, high: 1 }, "Acted Upon": { false: 5 } });
    const byRule = await ask(server, "POST", `${SIGNALS}/aggregate`, { filter: { query: "*", from: "now-1h", to: "now+1m" }, compute: [{ aggregation: "count" }], group_by: [{ facet: "@workflow.rule.name" }] });
    expect(byRule.body.data.buckets.map(({ by, computes }: any) => [Object.values(by)[0], computes.c0]).sort()).toEqual([["Data leak", 1], ["Failed logins", 2], ["Probing", 2]]);
    const now = Math.floor(Date.now() / 1000);
    const series = await ask(server, "GET", `/api/v1/query?query=${encodeURIComponent("count:security_signal{*} by {signal.rule.name}.as_count()")}&from=${now - 3600}&to=${now + 60}`);
    expect(series.body.series.map(({ scope, pointlist }: any) => [scope, pointlist.reduce((sum: number, [, value]: any) => sum + (value ?? 0), 0)]).sort()).toEqual([["signal.rule.name:Data leak", 1], ["signal.rule.name:Failed logins", 2], ["signal.rule.name:Probing", 2]]);
    const scalar = await ask(server, "POST", "/api/v2/query/scalar", { data: { attributes: { from: (now - 3600) * 1000, to: (now + 60) * 1000, queries: [{ query: "count:security_signal{status:open} by {severity}" }] } } });
    expect(scalar.body.data.attributes.columns[1].values.reduce((sum: number, value: number) => sum + value, 0)).toBe(5);
    expect((await ask(server, "POST", `${SIGNALS}/kpis`, {})).status).toBe(200);
    expect((await ask(server, "GET", "/api/v1/query?query=nonsense&from=1&to=2")).status).toBe(400);
  });

  test("[SI-16] [SI-27] related signals share an entity; exports hold what the search finds, and no formula", async () => {
    const server = await start("related");
    await send(server, [log("burst", '=HYPERLINK("https://evil.example")')]);
    await server.detection.storeSignals();
    const { body } = await ask(server, "POST", `${SIGNALS}/search`, { filter: { query: '@usr.id:ann @workflow.rule.name:"Probing"' } });
    const related = (await ask(server, "GET", `${SIGNALS}/${body.data[0].id}/related`)).body.data;
    expect(related.map(({ attributes }: any) => attributes.title)).toContain("Failed logins - burst");
    expect(related[0].meta.shared).toContain("@usr.id:ann");
    const csv = await ask(server, "POST", `${SIGNALS}/export`, { filter: { query: "severity:critical" }, format: "csv" });
    expect(csv.headers.get("content-type")).toContain("text/csv");
    expect(csv.text.trim().split("\r\n")).toHaveLength(4);
    expect(csv.text).not.toMatch(/(?:^|,)"?=HYPERLINK/m);
    expect((await ask(server, "POST", `${SIGNALS}/export`, { format: "json" })).body).toHaveLength(6);
    const { data: { attributes: { identities } } } = (await ask(server, "GET", `${SIGNALS}/${body.data[0].id}/entities`)).body;
    expect(identities).toContainEqual({ type: "user", value: "ann", query: "@usr.id:ann", is_primary: true });
    const queries = (await ask(server, "GET", `${SIGNALS}/${body.data[0].id}/investigation_queries`)).body.data;
    expect(queries[0].attributes.query_filter).toContain("@usr.id");
  });

  test("[SI-28] views are saved, shared, changed by their owner alone", async () => {
    const server = await start("views");
    const views = "/api/v2/security_monitoring/views";
    const made = await ask(server, "POST", views, { data: { type: "saved_views", attributes: { name: "Mine", page: "signals", content: { query: "status:open", columns: ["severity"] } } } });
    expect(made.status).toBe(201);
    const { id } = made.body.data;
    expect((await ask(server, "PATCH", `${views}/${id}`, { data: { type: "saved_views", attributes: { shared: true } } })).body.data.attributes).toMatchObject({ shared: true, name: "Mine", version: 2 });
    expect((await ask(server, "GET", `${views}?page=signals`)).body.data).toHaveLength(1);
    expect((await ask(server, "DELETE", `${views}/${id}`)).status).toBe(204);
    expect((await ask(server, "GET", `${views}/${id}`)).status).toBe(404);
    expect(folder.faults).toEqual([]);
  });

  test("[SI-03] [RB-04] [SI-10] who may not see a signal finds it nowhere, and who may only read changes none", async () => {
    const server = await start("sight");
    await server.close();
    const path = join(folder.path, "sight", "vespid.db");
    const sql = SqlDriver.open(path, migrations);
    const signalSearch = new SignalSearch(path);
    const people = new PeopleStore(sql);
    expect(people.users()).toBeDefined();
    const context = { sql, signals: new SignalStore(sql), signalSearch, nowMs: Date.now, signalsChanged: () => {}, onFault: () => {} } as unknown as ControlContext;
    const parsed = parseQuery("@evt.name:probe");
    const seer = { ...person("seer"), restriction: [(parsed as { node: QueryNode }).node] };
    const { ask: asked } = await serveRoutes(signalsRoom(context).routes, [person("admin"), seer, person("reader", ["security_monitoring_signals_read"])]);
    const all = (await asked("GET", `${SIGNALS}?page[limit]=100`)).body.data;
    const seen = (await asked("GET", `${SIGNALS}?page[limit]=100`, undefined, "seer")).body.data;
    expect([all.length, seen.length]).toEqual([5, 2]);
    const hidden = all.find(({ attributes }: any) => attributes.title.startsWith("Data leak"));
    expect((await asked("GET", `${SIGNALS}/${hidden.id}`, undefined, "seer")).status).toBe(404);
    expect((await asked("PATCH", `${SIGNALS}/${hidden.id}/state`, { data: { attributes: { state: "archived" } } }, "seer")).status).toBe(404);
    expect((await asked("POST", `${SIGNALS}/facets`, { facets: ["status"] }, "seer")).body.data[0].values).toMatchObject([{ value: "low", count: 2 }]);
    expect((await asked("POST", `${SIGNALS}/aggregate`, {}, "seer")).body.data.buckets[0].computes.c0).toBe(2);
    expect((await asked("POST", `${SIGNALS}/export`, { format: "json" }, "seer")).body).toHaveLength(2);
    const ann = seen.find(({ attributes }: any) => attributes.custom.usr.id === "ann");
    expect((await asked("GET", `${SIGNALS}/${ann.id}/related`, undefined, "seer")).body.data.every(({ attributes }: any) => attributes.title.startsWith("Probing"))).toBe(true);
    expect((await asked("PATCH", `${SIGNALS}/${ann.id}/state`, { data: { attributes: { state: "archived" } } }, "reader")).status).toBe(403);
    expect((await asked("PATCH", `${SIGNALS}/${ann.id}/state`, { data: { attributes: { state: "archived" } } }, "seer")).status).toBe(200);
    await signalSearch.close();
    sql.close();
  });
});
