import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { VespidServer } from "../../../host/serve/server.ts";
import { TestRules, send, serverFolder } from "../../serve/support.ts";

const BASE = "/api/v1/dashboard";
const rule = (id: string, name: string, status: string): Record<string, unknown> => ({
  id, name, message: "", isEnabled: true, type: "log_detection", tags: [], options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: `@evt.name:${id}`, aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status, condition: "a > 0" }],
});
const log = (name: string, user: string, source = "auth", country = "France"): unknown => ({ message: `${name} by ${user}`, ddsource: source, service: "sso", evt: { name }, usr: { id: user }, network: { client: { ip: "203.0.113.7", geoip: { country: { name: country } } } } });
const own = { title: "Ours", description: "What we look at", layout_type: "ordered", widgets: [{ definition: { type: "toplist", title: "Users", requests: [{ q: "count:security_signal by {usr.id}" }] } }] };

interface Told {
  readonly status: number;
  readonly body: any;
}

async function call(server: VespidServer, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Told> {
  const answer = await fetch(`http://127.0.0.1:${server.address.port}${path}`, { method, headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
}

describe("dashboards of a server", () => {
  const folder = serverFolder();
  const start = async (name: string): Promise<VespidServer> => {
    const server = await folder.start(new TestRules([rule("burst", "Failed logins", "critical"), rule("probe", "Probing", "low"), rule("leak", "Data leak", "high")]), { data: join(folder.path, name) });
    await send(server, [log("burst", "ann"), log("burst", "bob"), log("probe", "ann", "okta", "Japan"), log("probe", "cid"), log("leak", "dee", "gcp"), log("nothing", "eve")]);
    await server.detection.storeSignals();
    return server;
  };
  const show = async (server: VespidServer, widgets: readonly unknown[], more: Record<string, unknown> = {}): Promise<any[]> => {
    const { status, body } = await call(server, "POST", "/api/v2/dashboards/widgets/query", { data: { attributes: { from: "now-1d", to: "now+1m", widgets, ...more } } });
    expect(status, JSON.stringify(body)).toBe(200);
    return body.data.attributes.widgets;
  };
  const widget = (type: string, q: string, more: Record<string, unknown> = {}): unknown => ({ definition: { type, requests: [{ q }], ...more } });

  test("[DA-01] the Security Operations Overview is there on a new server with its eight widgets, and each shows something", async () => {
    const server = await start("shipped");
    const { body: { dashboards } } = await call(server, "GET", BASE);
    expect(dashboards.map(({ title, is_default: isDefault, is_read_only: isFixed }: any) => [title, isDefault, isFixed])).toEqual([["Security Operations Overview", true, true]]);
    const { body } = await call(server, "GET", `${BASE}/${dashboards[0].id}`);
    expect(body.layout_type).toBe("ordered");
    expect(body.widgets.map(({ definition: { type, title, requests } }: any) => [title, type, requests[0].q])).toEqual([
      ["Signal Count Over Time", "timeseries", "count:security_signal by {signal.rule.name}"],
      ["Top Triggered Rules", "toplist", "count:security_signal by {signal.rule.name}.as_count()"],
      ["Critical Signals", "query_value", "count:security_signal{severity:critical}"],
      ["Signals by Source", "sunburst", "count:security_signal by {source}"],
      ["Geographic Threat Map", "geomap", "count:security_signal by {network.client.geoip.country.name}"],
      ["Top Targeted Users", "toplist", "count:security_signal by {usr.id}"],
      ["Mean Time to Triage", "query_value", "avg:security_signal.triage_time"],
      ["Open Signals by Severity", "query_table", "count:security_signal{status:open} by {severity}"],
    ]);
    expect(body.widgets[0].definition).toMatchObject({ time: { live_span: "1d" }, requests: [{ display_type: "line" }] });
    const id = (await call(server, "POST", "/api/v2/security_monitoring/signals/search", { filter: { query: "@usr.id:bob" } })).body.data[0].id;
    await call(server, "PATCH", `/api/v2/security_monitoring/signals/${id}/state`, { data: { attributes: { state: "archived" } } });
    const shown = (await show(server, body.widgets)).map((each) => each.shown);
    const rows = (i: number): unknown => shown[i].rows.map(({ name, values }: any) => [name, ...values]);
    const lines = shown[0].series.map(({ name, points }: any) => [name, points.reduce((sum: number, [, value]: [number, number]) => sum + value, 0)]);
    expect(lines.toSorted()).toEqual([["Data leak", 1], ["Failed logins", 2], ["Probing", 2]]);
    expect(rows(1)).toEqual([["Failed logins", 2], ["Probing", 2], ["Data leak", 1]]);
    expect(shown[2]).toMatchObject({ kind: "value", value: 2, format: { palette: "white_on_red" } });
    expect(rows(3)).toEqual([["auth", 3], ["gcp", 1], ["okta", 1]]);
    expect(rows(4)).toEqual([["France", 4], ["Japan", 1]]);
    expect(rows(5)).toEqual([["ann", 2], ["bob", 1], ["cid", 1], ["dee", 1]]);
    expect(shown[6].value).toBeGreaterThanOrEqual(0);
    expect(rows(7)).toEqual([["critical", 1], ["high", 1], ["medium", 0], ["low", 2], ["info", 0]]);
    expect(folder.faults).toEqual([]);
  });

  const toMs = (): number => Math.floor(Date.now() / 1000) * 1000 + 60_000;
  const scalar = async (server: VespidServer, query: string): Promise<unknown[][]> => {
    const { status, body } = await call(server, "POST", "/api/v2/query/scalar", { data: { type: "scalar_request", attributes: { from: toMs() - 86_400_000, to: toMs(), queries: [{ data_source: "metrics", name: "a", query }] } } });
    expect(status, JSON.stringify(body)).toBe(200);
    const { columns } = body.data.attributes;
    return columns.at(-1).values.map((value: number, i: number) => [...columns.slice(0, -1).map(({ values }: any) => values[i][0]), value]);
  };

  test("[DA-02] signals over time, a line for each rule", async () => {
    const server = await start("lines");
    const { body } = await call(server, "POST", "/api/v2/query/timeseries", { data: { type: "timeseries_request", attributes: { from: toMs() - 86_400_000, to: toMs(), queries: [{ data_source: "metrics", query: "count:security_signal by {signal.rule.name}" }] } } });
    const { series, values } = body.data.attributes;
    const sums = series.map(({ group_tags: tags }: any, i: number) => [tags[0], values[i].reduce((sum: number, value: number | null) => sum + (value ?? 0), 0)]);
    expect(sums.toSorted()).toEqual([["signal.rule.name:Data leak", 1], ["signal.rule.name:Failed logins", 2], ["signal.rule.name:Probing", 2]]);
  });

  test.each([
    ["[DA-03] the rules that fire most", "count:security_signal by {signal.rule.name}.as_count()", [["Failed logins", 2], ["Probing", 2], ["Data leak", 1]]],
    ["[DA-04] critical signals", "count:security_signal{severity:critical}", [[2]]],
    ["[DA-05] signals by source", "count:security_signal by {source}", [["auth", 3], ["gcp", 1], ["okta", 1]]],
    ["[DA-06] signals by country", "count:security_signal by {network.client.geoip.country.name}", [["France", 4], ["Japan", 1]]],
    ["[DA-07] signals by user", "count:security_signal by {usr.id}", [["ann", 2], ["bob", 1], ["cid", 1], ["dee", 1]]],
    ["[DA-08] no time to triage where nothing was triaged", "avg:security_signal.triage_time", [[null]]],
    ["[DA-09] open signals by severity", "count:security_signal{status:open} by {severity}", [["critical", 2], ["low", 2], ["high", 1]]],
    ["[DA-10] logs by service", "count:logs{service:sso} by {service}", [["sso", 6]]],
  ])("%s, by the calls for metrics", async (title, query, expected) => {
    const server = await start(title.slice(1, 6));
    expect(await scalar(server, query)).toEqual(expected);
    const answer = await call(server, "GET", `/api/v1/query?${new URLSearchParams({ query, from: String(toMs() / 1000 - 86_400), to: String(toMs() / 1000) })}`);
    expect([answer.status, answer.body.status]).toEqual([200, "ok"]);
  });

  test("[DA-03] a list of the most has ten rows, and as many as its query says where it says so", async () => {
    const server = await start("ten");
    await send(server, Array.from({ length: 15 }, (_, i) => log("burst", `user-${String(i).padStart(2, "0")}`)));
    await server.detection.storeSignals();
    const [ten, three] = await show(server, [widget("toplist", "count:security_signal by {usr.id}"), widget("toplist", "count:security_signal by {usr.id}.top(3, 'sum', 'desc')")]);
    expect([ten.shown.rows.length, three.shown.rows.length]).toEqual([10, 3]);
    expect(ten.shown.rows[0]).toMatchObject({ name: "ann", values: [2] });
  });

  test("[DA-01] dashboards are made, listed, read, replaced and taken away, each with its author and times, and the trail tells of it", async () => {
    const server = await start("own");
    const { status, body: made } = await call(server, "POST", BASE, own);
    expect(status).toBe(200);
    expect(made).toMatchObject({ title: "Ours", description: "What we look at", layout_type: "ordered", is_read_only: false, is_default: false, version: 1, widgets: [{ id: 1, definition: own.widgets[0]!.definition }], template_variables: [] });
    expect(made.id).toMatch(/^[a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3}$/);
    expect(made.author_handle).not.toBe("");
    expect((await call(server, "GET", `${BASE}/${made.id}`)).body).toEqual(made);
    expect((await call(server, "GET", BASE)).body.dashboards.map(({ title }: any) => title)).toEqual(["Security Operations Overview", "Ours"]);
    const changed = { ...own, title: "Ours, better", widgets: [{ id: 7, definition: { type: "note", content: "# Read me" } }, { definition: { type: "pie", requests: [{ q: "count:security_signal by {source}" }] } }] };
    expect((await call(server, "PUT", `${BASE}/${made.id}`, changed, { "if-match": '"9"' })).status).toBe(412);
    const after = (await call(server, "PUT", `${BASE}/${made.id}`, changed)).body;
    expect(after).toMatchObject({ id: made.id, title: "Ours, better", version: 2, created_at: made.created_at, widgets: [{ id: 7, definition: { type: "note" } }, { id: 1, definition: { type: "sunburst" } }] });
    expect((await call(server, "DELETE", `${BASE}/${made.id}`)).body).toEqual({ deleted_dashboard_id: made.id });
    expect((await call(server, "GET", `${BASE}/${made.id}`)).status).toBe(404);
    expect((await call(server, "DELETE", `${BASE}/${made.id}`)).status).toBe(404);
    const trail = (await call(server, "GET", "/api/v2/audit/events?filter[query]=@asset.type:dashboard")).body.data;
    expect(trail.map(({ attributes }: any) => attributes.attributes.action).toSorted()).toEqual(["created", "deleted", "modified"]);
  });

  test("[DA-01] one that comes along is not changed, and a clone of it is one's own", async () => {
    const server = await start("clone");
    const id = "security-operations-overview";
    expect((await call(server, "PUT", `${BASE}/${id}`, own)).status).toBe(403);
    expect((await call(server, "DELETE", `${BASE}/${id}`)).status).toBe(403);
    const { body: clone } = await call(server, "POST", `${BASE}/${id}/clone`);
    expect(clone).toMatchObject({ title: "Security Operations Overview (copy)", is_read_only: false, widgets: (await call(server, "GET", `${BASE}/${id}`)).body.widgets });
    expect((await call(server, "PUT", `${BASE}/${clone.id}`, { ...own, title: "Mine" })).body).toMatchObject({ title: "Mine", version: 2 });
    expect((await call(server, "POST", `${BASE}/${clone.id}/clone`, { title: "Mine again" })).body.title).toBe("Mine again");
    expect((await call(server, "POST", `${BASE}/nothing/clone`)).status).toBe(404);
  });

  test.each([
    ["an unknown type", { definition: { type: "wordcloud", requests: [] } }, "widgets[0].definition.type"],
    ["no request", { definition: { type: "toplist" } }, "widgets[0].definition"],
    ["a bad metric", { definition: { type: "toplist", requests: [{ q: "count:cpu by {host}" }] } }, "widgets[0].definition.requests[0]"],
    ["a bad filter", { definition: { type: "query_value", requests: [{ q: "count:security_signal{(}" }] } }, "widgets[0].definition.requests[0]"],
    ["a bad log filter", { definition: { type: "query_value", requests: [{ q: "count:logs{(}" }] } }, "widgets[0].definition.requests[0]"],
    ["logs measured", { definition: { type: "query_value", requests: [{ q: "avg:logs{*}" }] } }, "widgets[0].definition.requests[0]"],
    ["q beside queries", { definition: { type: "query_value", requests: [{ q: "count:logs{*}", queries: [{ name: "a", data_source: "logs" }] }] } }, "widgets[0].definition.requests[0]"],
    ["arithmetic", { definition: { type: "query_value", requests: [{ queries: [{ name: "a", data_source: "logs" }], formulas: [{ formula: "a * 2" }] }] } }, "widgets[0].definition.requests[0]"],
    ["a bad palette", { definition: { type: "query_value", requests: [{ q: "count:logs{*}", conditional_formats: [{ comparator: ">", value: 0, palette: "pink" }] }] } }, "widgets[0].definition.requests[0].conditional_formats[0].palette"],
    ["an empty note", { definition: { type: "note", content: "" } }, "widgets[0].definition.content"],
    ["a bad list", { definition: { type: "list_stream", requests: [{ response_format: "event_list", columns: [{ field: "status", width: "auto" }], query: { data_source: "security_signals_stream", query_string: "status:(open OR high)" } }] } }, "widgets[0].definition.requests[0].query.query_string"],
  ])("[DA-01] a widget with %s is refused with its place", async (_, given, place) => {
    const server = await start(`refused-${Math.random()}`);
    const { status, body } = await call(server, "POST", BASE, { ...own, widgets: [given] });
    expect(status).toBe(400);
    expect(body.errors.some((text: string) => text.startsWith(place)), JSON.stringify(body)).toBe(true);
    expect((await call(server, "GET", BASE)).body.dashboards).toHaveLength(1);
  });

  test("[DA-10] one dashboard counts and lists logs beside signals", async () => {
    const server = await start("logs");
    const shown = (await show(server, [
      widget("query_value", "count:logs{service:sso}"), widget("toplist", "count:logs{service:sso} by {usr.id}.top(2, 'sum', 'desc')"), widget("timeseries", "count:logs{*} by {source}"),
      { definition: { type: "sunburst", requests: [{ queries: [{ name: "a", data_source: "logs", search: { query: "@evt.name:(burst OR probe)" }, group_by: [{ facet: "@evt.name" }] }] }] } },
      { definition: { type: "list_stream", requests: [{ response_format: "event_list", columns: [{ field: "service", width: "auto" }, { field: "@usr.id", width: "auto" }, { field: "source", width: "auto" }], query: { data_source: "logs_stream", query_string: "@evt.name:leak" } }] } },
      { definition: { type: "list_stream", requests: [{ response_format: "event_list", columns: [{ field: "status", width: "auto" }, { field: "@usr.id", width: "auto" }], query: { data_source: "security_signals_stream", query_string: "@evt.name:leak" } }] } },
      { definition: { type: "note", content: "text" } },
    ])).map((each) => each.shown);
    expect(shown[0]).toMatchObject({ kind: "value", value: 6, href: expect.stringMatching(/^\/logs\?query=service%3Asso&/) });
    expect(shown[1].rows.map(({ name, values }: any) => [name, ...values])).toEqual([["ann", 2], ["bob", 1]]);
    const sums = shown[2].series.map(({ name, points }: any) => [name, points.reduce((sum: number, [, value]: [number, number]) => sum + value, 0)]);
    expect(sums.filter(([name]: [string]) => name !== "audit").toSorted()).toEqual([["auth", 4], ["gcp", 1], ["okta", 1]]);
    expect(shown[3].rows.map(({ name, values }: any) => [name, ...values])).toEqual([["burst", 2], ["probe", 2]]);
    expect(shown[4].rows.map(({ cells }: any) => cells)).toEqual([["sso", "dee", "gcp"]]);
    expect(shown[5].rows.map(({ cells }: any) => cells)).toEqual([["high", "dee"]]);
    expect(shown[6]).toEqual({ kind: "note" });
  });

  test("[DA-11] times to detect, acknowledge and resolve are measured by the names they have in metrics", async () => {
    const server = await start("times");
    const { data } = (await call(server, "POST", "/api/v2/security_monitoring/signals/search", { filter: { query: "*" }, page: { limit: 10 } })).body;
    for (const { id } of data.slice(0, 2)) await call(server, "PATCH", `/api/v2/security_monitoring/signals/${id}/state`, { data: { attributes: { state: "under_review" } } });
    await call(server, "PATCH", `/api/v2/security_monitoring/signals/${data[0].id}/state`, { data: { attributes: { state: "archived" } } });
    const kpis = (await call(server, "POST", "/api/v2/security_monitoring/signals/kpis", { from: "now-1d", to: "now+1m" })).body.data;
    const names = ["time_to_detect", "time_to_acknowledge", "time_to_resolve"];
    const shown = await show(server, names.map((name) => widget("query_value", `avg:datadog.security.siem_signal.${name}{*}`)));
    expect(shown.map((each) => each.shown.value)).toEqual([kpis.timeToDetect.mean, kpis.timeToAcknowledge.mean, kpis.timeToResolve.mean]);
    expect(kpis.timeToResolve.mean).toBeGreaterThanOrEqual(0);
  });

  test("a variable of the dashboard narrows its queries", async () => {
    const server = await start("variables");
    const more = { template_variables: [{ name: "user", prefix: "@usr.id", defaults: ["*"] }] };
    const widgets = [widget("query_value", "count:security_signal{$user}"), widget("query_value", "count:logs{$user service:sso}"), widget("query_value", "count:security_signal{@usr.id:$user.value}")];
    const values = async (chosen: Record<string, string>): Promise<unknown> => (await show(server, widgets, { ...more, values: chosen })).map(({ shown }) => shown.value ?? shown.errors);
    expect(await values({})).toEqual([5, 6, 5]);
    expect(await values({ user: "ann" })).toEqual([2, 2, 2]);
    expect(await values({ user: 'x" OR "' })).toEqual([0, 0, 0]);
  });

  test("[RB-07] a widget shows what its looker may see, and one whose logs they may not see says so beside the others", async () => {
    const server = await start("sight");
    const somebody = async (permissions: readonly string[], query: string | null): Promise<Record<string, string>> => {
      const name = `user-${Math.random().toString(36).slice(2)}`;
      const all = (await call(server, "GET", "/api/v2/permissions")).body.data;
      const role = (await call(server, "POST", "/api/v2/roles", { data: { type: "roles", attributes: { name }, relationships: { permissions: { data: all.filter(({ attributes }: any) => permissions.includes(attributes.name)).map(({ id }: any) => ({ id, type: "permissions" })) } } } })).body.data.id;
      expect((await call(server, "PUT", `/api/v2/roles/${role}/restriction_query`, { data: { attributes: { restriction_query: query } } })).status).toBe(200);
      const user = (await call(server, "POST", "/api/v2/users", { data: { type: "users", attributes: { email: `${name}@example.com` }, relationships: { roles: { data: [{ id: role, type: "roles" }] } } } })).body.data.id;
      const application = (await call(server, "POST", "/api/v2/application_keys", { data: { type: "application_keys", attributes: { name }, relationships: { owned_by: { data: { id: user, type: "users" } } } } })).body.data.attributes.key;
      const api = (await call(server, "POST", "/api/v2/api_keys", { data: { type: "api_keys", attributes: { name } } })).body.data.attributes.key;
      return { "dd-api-key": api, "dd-application-key": application };
    };
    const body = { data: { attributes: { from: "now-1d", to: "now+1m", widgets: [widget("query_value", "count:security_signal{*}"), widget("query_value", "count:logs{service:sso}")] } } };
    const told = async (headers: Record<string, string>): Promise<unknown> => (await call(server, "POST", "/api/v2/dashboards/widgets/query", body, headers)).body.data.attributes.widgets.map(({ shown }: any) => shown.value ?? shown.errors);
    const both = ["dashboards_read", "security_monitoring_signals_read", "logs_read_data"];
    expect(await told(await somebody(both, null))).toEqual([5, 6]);
    expect(await told(await somebody(both, "source:okta"))).toEqual([1, 1]);
    expect(await told(await somebody(both.slice(0, 2), null))).toEqual([5, ["Forbidden: this query needs logs_read_data"]]);
    expect(await told(await somebody(["dashboards_read"], null))).toEqual([["Forbidden: this query needs security_monitoring_signals_read"], ["Forbidden: this query needs logs_read_data"]]);
  });
});
