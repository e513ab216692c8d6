import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ADMIN_ROLE_ID } from "../../host/control/people/managed-roles.ts";
import { readSecurityFilters, readSuppressions } from "../../host/index.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { KeyStore } from "../../host/store/keys.ts";
import { migrations } from "../../host/store/migrations.ts";
import { PeopleStore } from "../../host/store/people.ts";
import { type Payload, TestRules, send, serverFolder, until } from "../serve/support.ts";
import { type Told, auditEvents, call } from "./audit-support.ts";

const BASE = "/api/v2/security_monitoring/configuration";
const SUPPRESSIONS = `${BASE}/suppressions`;
const FILTERS = `${BASE}/security_filters`;
const ASSETS = `${BASE}/critical_assets`;
const RULES = "/api/v2/security_monitoring/rules";
const rule = (id: string, more: Payload = {}, options: Payload = {}, status = "high"): Payload => ({
  id, name: `Rule ${id}`, message: "Look.", isEnabled: true, type: "log_detection", tags: [`source:${id}`, "security:attack"],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400, ...options },
  queries: [{ name: "a", query: `source:${id}`, aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "seen", status, condition: "a > 0" }], ...more,
});
const log = (source: string, user: string, more: Payload = {}): Payload => ({ message: `by ${user}`, ddsource: source, usr: { id: user }, ...more });
const wrap = (type: string, attributes: Payload): Payload => ({ data: { type, attributes } });
const suppressed = (attributes: Payload): Payload => wrap("suppressions", { name: "quiet", enabled: true, rule_query: "*", ...attributes });

const folder = serverFolder();
let servers = 0;
const start = (rules: readonly Payload[] = [rule("auth"), rule("web")], config = {}): Promise<VespidServer> => folder.start(new TestRules(rules), { data: join(folder.path, String(++servers)), ...config });
async function signalsOf(server: VespidServer): Promise<string[]> {
  await server.detection.storeSignals();
  return server.signals.all().map(({ ruleId, severity, document }) => `${ruleId} ${(JSON.parse(document) as { group: Record<string, string> }).group["@usr.id"]} ${severity}`).sort();
}
async function made(asked: Promise<Told>): Promise<any> {
  const { status, body } = await asked;
  expect([status, body.errors]).toEqual([200, undefined]);
  return body.data;
}

describe("suppressions", () => {
  test("[SU-01] [SU-04] [SU-08] [SE-05] a suppression query stops signals of the rules it names, by wildcards too, and what it stopped is counted and shown, over a restart as well", async () => {
    const server = await start();
    const { id } = await made(call(server, "POST", SUPPRESSIONS, suppressed({ rule_query: "source:auth", suppression_query: "@usr.id:service-account-*" })));
    await send(server, [log("auth", "service-account-1"), log("auth", "ann"), log("web", "service-account-1"), log("auth", "service-account-2"), log("auth", "service-account-2")]);
    expect(await signalsOf(server)).toEqual(["auth ann high", "web service-account-1 high"]);
    const stats = (at: VespidServer): Promise<any> => made(call(at, "GET", `${SUPPRESSIONS}/${id}/stats`));
    const { attributes } = await stats(server);
    expect(attributes).toMatchObject({ matches: 3, by_rule: [{ rule_id: "auth", rule_name: "Rule auth", matches: 3 }] });
    expect(attributes.samples.length).toBeGreaterThanOrEqual(2);
    expect(new Set(attributes.samples.map((sample: any) => sample.group["@usr.id"]))).toEqual(new Set(["service-account-1", "service-account-2"]));
    expect(attributes.samples[0]).toMatchObject({ rule_id: "auth", severity: "high", signal: { attributes: { usr: { id: expect.stringMatching(/^service-account/) } }, tags: expect.arrayContaining(["security:attack"]) } });
    expect(attributes.excluded).toBeUndefined();
    await server.close();
    servers--;
    const next = await start();
    expect((await stats(next)).attributes).toEqual(attributes);
    expect((await made(call(next, "GET", `${SUPPRESSIONS}/${id}`))).attributes.name).toBe("quiet");
    await send(next, [log("auth", "service-account-3")]);
    expect(await signalsOf(next)).toHaveLength(2);
    expect((await stats(next)).attributes.matches).toBe(4);
    expect((await call(next, "GET", `${SUPPRESSIONS}/aaa-bbb-ccc/stats`)).status).toBe(404);
    expect(folder.faults).toEqual([]);
  });

  test("the last hundred samples are kept, and no more", async () => {
    const server = await start();
    const { id } = await made(call(server, "POST", SUPPRESSIONS, suppressed({ suppression_query: "@usr.id:*" })));
    for (let part = 0; part < 3; part++) {
      await send(server, Array.from({ length: 90 }, (_, i) => log("auth", `user-${part * 90 + i}`, { timestamp: Date.now() - 60_000 + part * 1000 + i })));
      expect(await signalsOf(server)).toEqual([]);
    }
    const { attributes } = await made(call(server, "GET", `${SUPPRESSIONS}/${id}/stats`));
    expect([attributes.matches, attributes.samples.length, attributes.samples[0].group["@usr.id"], attributes.samples[99].group["@usr.id"]]).toEqual([270, 100, "user-269", "user-170"]);
  });

  test("[SU-02] logs of a data exclusion are not counted by the rules it is for; how many they are is looked up", async () => {
    const server = await start([rule("auth", { cases: [{ name: "seen", status: "high", condition: "a > 2" }], queries: [{ name: "a", query: "source:auth", aggregation: "count", groupByFields: [] }] }), rule("web")]);
    const { id } = await made(call(server, "POST", SUPPRESSIONS, suppressed({ rule_query: "source:auth", data_exclusion_query: "@usr.id:scanner" })));
    await send(server, [log("auth", "scanner"), log("auth", "scanner"), log("auth", "ann"), log("auth", "ann"), log("web", "scanner")]);
    expect(await signalsOf(server)).toEqual(["web scanner high"]);
    const { attributes } = await made(call(server, "GET", `${SUPPRESSIONS}/${id}/stats?to=now%2B1m`));
    expect(attributes).toMatchObject({ matches: 0, samples: [], excluded: { logs: 2, is_complete: true } });
    expect(attributes.excluded.samples).toHaveLength(2);
    await send(server, [log("auth", "ann")]);
    expect((await signalsOf(server)).length).toBe(2);
  });

  test("[SU-05] signals of third-party rules are suppressed too", async () => {
    const third = { id: "vendor", name: "Vendor alerts", message: "x", isEnabled: true, type: "log_detection", tags: [], options: { detectionMethod: "third_party", thirdPartyRuleOptions: { defaultStatus: "info", rootQueries: [{ query: "source:vendor", groupByFields: ["@usr.id"] }] } }, thirdPartyCases: [{ name: "high", query: "@level:high", status: "high" }] };
    const server = await start([third]);
    await made(call(server, "POST", SUPPRESSIONS, suppressed({ rule_query: "ruleId:vendor", suppression_query: "@usr.id:tester" })));
    await send(server, [log("vendor", "tester", { level: "high" }), log("vendor", "ann", { level: "high" })]);
    expect(await signalsOf(server)).toEqual(["vendor ann high"]);
  });

  test("[SU-07] made, listed, changed, dated, cleared and deleted, each with its version, its answer and its audit event", async () => {
    const server = await start();
    const day = Date.now() + 86_400_000;
    const one = await made(call(server, "POST", SUPPRESSIONS, suppressed({ name: "beta", suppression_query: "@usr.id:bob", tags: ["team:b", "team:a"], expiration_date: day, note: "kept" })));
    expect(one).toMatchObject({ id: expect.stringMatching(/^[a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3}$/), type: "suppressions" });
    expect(one.attributes).toMatchObject({ name: "beta", enabled: true, editable: true, rule_query: "*", suppression_query: "@usr.id:bob", data_exclusion_query: "", tags: ["team:a", "team:b"], version: 1, expiration_date: day, creator: { handle: "admin@localhost" }, note: "kept" });
    expect(one.attributes.start_date).toBeUndefined();
    const two = await made(call(server, "POST", SUPPRESSIONS, suppressed({ name: "alpha", enabled: false, rule_query: "source:web", data_exclusion_query: "@a:1", description: "of the scanner" })));
    const names = async (query: string): Promise<string[]> => (await call(server, "GET", `${SUPPRESSIONS}?${query}`)).body.data.map(({ attributes }: any) => attributes.name);
    expect(await names("")).toEqual(["alpha", "beta"]);
    expect(await names("sort=-name")).toEqual(["beta", "alpha"]);
    expect(await names("sort=expiration_date")).toEqual(["beta", "alpha"]);
    expect(await names("query=enabled:true")).toEqual(["beta"]);
    expect(await names("query=scanner")).toEqual(["alpha"]);
    expect(await names("query=team:a")).toEqual(["beta"]);
    expect((await call(server, "GET", `${SUPPRESSIONS}?page[size]=1&page[number]=1`)).body).toMatchObject({ data: [{ attributes: { name: "beta" } }], meta: { page: { pageNumber: 1, pageSize: 1, totalCount: 2 } } });

    const path = `${SUPPRESSIONS}/${one.id}`;
    await send(server, [log("auth", "bob")]);
    expect(await signalsOf(server)).toEqual([]);
    const changed = await made(call(server, "PATCH", path, wrap("suppressions", { expiration_date: null, suppression_query: "@usr.id:cid", version: 1 })));
    expect([changed.attributes.version, changed.attributes.expiration_date, changed.attributes.suppression_query, changed.attributes.note]).toEqual([2, undefined, "@usr.id:cid", "kept"]);
    await send(server, [log("auth", "bob"), log("auth", "cid")]);
    expect(await signalsOf(server)).toEqual(["auth bob high"]);
    expect((await call(server, "PATCH", path, wrap("suppressions", { name: "late", version: 1 }))).status).toBe(409);
    expect((await call(server, "PATCH", path, wrap("suppressions", { name: "late" }), { "if-match": '"1"' })).status).toBe(412);
    const history = await made(call(server, "GET", `${path}/version_history`));
    expect(history).toMatchObject({ type: "suppression_version_history", attributes: { count: 2, data: { 1: { suppression: { version: 1, expiration_date: day }, changes: [] }, 2: { suppression: { version: 2 }, changes: expect.arrayContaining([{ field: "suppression_query", change: "@usr.id:cid", type: "update" }, { field: "expiration_date", change: String(day), type: "delete" }]) } } } });
    expect((await call(server, "DELETE", path)).status).toBe(204);
    expect((await call(server, "GET", path)).body).toEqual({ errors: [`not_found(Suppression with id '${one.id}' not found)`] });
    expect((await call(server, "DELETE", path)).status).toBe(404);
    await send(server, [log("auth", "cid")]);
    expect(await signalsOf(server)).toEqual(["auth bob high", "auth cid high"]);
    const events = (await auditEvents(server, "@asset.type:suppression")).map(({ attributes }) => attributes.attributes);
    expect(events.map(({ action, asset }) => `${action} ${asset.name}`)).toEqual(["deleted beta", "modified beta", "created alpha", "created beta"]);
    expect([events[1].asset.prev_value.suppression_query, events[1].asset.new_value.suppression_query]).toEqual(["@usr.id:bob", "@usr.id:cid"]);
    expect(two.attributes.description).toBe("of the scanner");
  });

  test("[SU-07] it is in force between its dates, in event time", async () => {
    const server = await start();
    const now = Date.now();
    await made(call(server, "POST", SUPPRESSIONS, suppressed({ suppression_query: "@usr.id:*", start_date: now - 120_000, expiration_date: now - 60_000 })));
    await send(server, [log("auth", "before", { timestamp: now - 121_000 }), log("auth", "within", { timestamp: now - 90_000 }), log("auth", "first", { timestamp: now - 120_000 }), log("auth", "end", { timestamp: now - 60_000 })]);
    expect(await signalsOf(server)).toEqual(["auth before high", "auth end high"]);
  });

  test("what is wrong is told in the service's words; what is right is only looked at", async () => {
    const server = await start();
    const wrong = (attributes: Payload): Promise<Told> => call(server, "POST", `${SUPPRESSIONS}/validation`, suppressed(attributes));
    expect(await wrong({ suppression_query: "@a:1" })).toEqual({ status: 204, body: undefined });
    expect((await wrong({ suppression_query: "@a:1", rule_query: "type:(" })).body.errors).toEqual(["input_validation_error(Field 'data.attributes.rule_query' is invalid: rule query is invalid)"]);
    expect(await wrong({})).toMatchObject({ status: 400, body: { errors: [expect.stringContaining("neither a suppression_query nor a data_exclusion_query")] } });
    expect((await wrong({ suppression_query: "@a:(" })).body.error.details[0]).toMatchObject({ target: "data.attributes.suppression_query" });
    for (const attributes of [{ suppression_query: "@a:1", start_date: 5, expiration_date: 5 }, { suppression_query: "@a:1", enabled: "yes" }, { suppression_query: "@a:1", name: "" }, { suppression_query: 5 }, { rule_query: undefined, suppression_query: "@a:1" }]) {
      expect((await wrong(attributes)).status).toBe(400);
      expect((await call(server, "POST", SUPPRESSIONS, suppressed(attributes))).status).toBe(400);
    }
    expect((await call(server, "GET", SUPPRESSIONS)).body.data).toEqual([]);
    expect(await auditEvents(server, "@asset.type:suppression")).toEqual([]);
  });

  test("those that affect a rule, and one that is not there yet, are found; those of files are among them and stay as they are", async () => {
    const rules = new TestRules([rule("auth"), rule("web", { isEnabled: false })]);
    const load = rules.load.bind(rules);
    const given = readSuppressions([{ id: "fil-fil-fil", name: "of a file", rule_query: "source:auth", suppression_query: "@usr.id:robot", expiration_date: "2999-01-01" }]);
    rules.load = async () => {
      const found = await load();
      return { ...found, setup: { ...found.setup, suppressions: given } };
    };
    const server = await folder.start(rules, { data: join(folder.path, "files") });
    await made(call(server, "POST", SUPPRESSIONS, suppressed({ name: "web", rule_query: "source:web", suppression_query: "@a:1" })));
    const names = (told: Told): string[] => told.body.data.map(({ attributes }: any) => attributes.name);
    expect(names(await call(server, "GET", `${SUPPRESSIONS}/rules/auth`))).toEqual(["of a file"]);
    expect(names(await call(server, "GET", `${SUPPRESSIONS}/rules/web`))).toEqual(["web"]);
    expect((await call(server, "GET", `${SUPPRESSIONS}/rules/none`)).status).toBe(404);
    const { id: _, ...future } = rule("x", { tags: ["source:web", "source:auth"] });
    expect(names(await call(server, "POST", `${SUPPRESSIONS}/rules`, future)).sort()).toEqual(["of a file", "web"]);
    expect((await call(server, "POST", `${SUPPRESSIONS}/rules`, { name: "nothing" })).status).toBe(400);
    expect(await made(call(server, "GET", `${SUPPRESSIONS}/fil-fil-fil`))).toMatchObject({ attributes: { editable: false, version: 1, expiration_date: Date.UTC(2999, 0, 1), tags: [] } });
    expect((await call(server, "PATCH", `${SUPPRESSIONS}/fil-fil-fil`, wrap("suppressions", { enabled: false }))).status).toBe(403);
    expect((await call(server, "DELETE", `${SUPPRESSIONS}/fil-fil-fil`)).status).toBe(403);
    await send(server, [log("auth", "robot"), log("auth", "ann")]);
    expect(await signalsOf(server)).toEqual(["auth ann high"]);
  });

  test("[SU-03] legacy filters of a rule become suppressions, and go from a rule of one's own", async () => {
    const server = await start();
    const { id: _, ...wire } = rule("old", { name: "Old", filters: [{ action: "suppress", query: "@usr.id:backup" }, { action: "require", query: "@usr.id:*" }, { action: "suppress", query: "env:test" }] });
    const { body: old } = await call(server, "POST", RULES, wire);
    const done = await made(call(server, "POST", `${SUPPRESSIONS}/from_rule/${old.id}`));
    expect(done.map(({ attributes }: any) => [attributes.name, attributes.rule_query, attributes.data_exclusion_query])).toEqual([["Old: legacy filter 1", `ruleId:${old.id}`, "@usr.id:backup"], ["Old: legacy filter 2", `ruleId:${old.id}`, "env:test"]]);
    expect((await call(server, "GET", `${RULES}/${old.id}`)).body).toMatchObject({ version: 2, filters: [{ action: "require", query: "@usr.id:*" }] });
    await send(server, [log("old", "backup"), log("old", "ann"), { ...log("old", "bob"), ddtags: "env:test" }]);
    expect(await signalsOf(server)).toEqual([`${old.id} ann high`]);
    expect((await call(server, "DELETE", `${SUPPRESSIONS}/${done[0].id}`)).status).toBe(204);
    await send(server, [log("old", "backup")]);
    expect(await signalsOf(server)).toEqual([`${old.id} ann high`, `${old.id} backup high`]);
    expect((await call(server, "POST", `${SUPPRESSIONS}/from_rule/${old.id}`)).status).toBe(400);
    expect((await auditEvents(server, `@asset.id:${old.id} @action:modified`))).toHaveLength(1);
  });

  test("[SU-06] the report of a rule says what came of it and what its false positives have in common", async () => {
    const server = await start();
    await made(call(server, "POST", SUPPRESSIONS, suppressed({ suppression_query: "@usr.id:quiet" })));
    await send(server, [...["s1", "s2", "s3"].map((user) => log("auth", user, { client: { name: "nightly-scan" } })), ...["ann", "bob"].map((user) => log("auth", user, { client: { name: "browser" } })), log("auth", "ann"), log("auth", "quiet"), log("web", "s1")]);
    const signals = await signalsOf(server);
    expect(signals).toHaveLength(6);
    const report = async (): Promise<any> => (await made(call(server, "GET", `${RULES}/auth/tuning?to=now%2B1m`))).attributes;
    expect(await report()).toMatchObject({ signals: 5, matches: 6, suppressed: 1, archived: 0, false_positive_rate: null, frequent_values: [] });
    for (const { id, ruleId, document } of server.signals.all()) {
      if (ruleId !== "auth") continue;
      const isScan = document.includes("nightly-scan");
      const isBob = document.includes('"bob"');
      if (isScan || isBob) expect((await call(server, "PATCH", `/api/v2/security_monitoring/signals/${id}/state`, { data: { attributes: { state: "archived", archive_reason: isScan ? "false_positive" : "true_positive_malicious" } } })).status).toBe(200);
    }
    const told = await report();
    expect(told).toMatchObject({ signals: 5, archived: 4, false_positives: 3, false_positive_rate: 0.75, archive_reasons: { false_positive: 3, true_positive_malicious: 1 }, is_complete: true });
    expect(told.frequent_values[0]).toEqual({ field: "@client.name", value: "nightly-scan", false_positives: 3, others: 0, share: 1, suppression_query: '@client.name:"nightly-scan"' });
    const { suppression } = told.suggestion;
    await made(call(server, "POST", SUPPRESSIONS, wrap("suppressions", suppression)));
    await send(server, [log("auth", "s4", { client: { name: "nightly-scan" } }), log("auth", "dee", { client: { name: "browser" } })]);
    expect((await signalsOf(server)).filter((line) => /s4|dee/.test(line))).toEqual(["auth dee high"]);
    expect((await call(server, "GET", `${RULES}/none/tuning`)).status).toBe(404);
  });
});

describe("security filters", () => {
  test("a new server has one for all logs; others narrow, exclusions take out, and each change is a version of the whole", async () => {
    const server = await start();
    const filters = await made(call(server, "GET", FILTERS));
    expect(filters).toEqual([{ id: expect.any(String), type: "security_filters", attributes: { name: "all ingested logs", query: "*", is_enabled: true, is_builtin: true, filtered_data_type: "logs", exclusion_filters: [], version: 1 } }]);
    const builtIn = `${FILTERS}/${filters[0].id}`;
    expect((await call(server, "DELETE", builtIn)).status).toBe(403);
    expect((await call(server, "PATCH", builtIn, wrap("security_filters", { query: "source:x" }))).status).toBe(400);
    await made(call(server, "PATCH", builtIn, wrap("security_filters", { exclusion_filters: [{ name: "noise", query: "@usr.id:noise" }], version: 1 })));
    await send(server, [log("auth", "noise"), log("web", "ann")]);
    expect(await signalsOf(server)).toEqual(["web ann high"]);
    const off = await call(server, "PATCH", builtIn, wrap("security_filters", { is_enabled: false }));
    expect(off.body.meta.warning).toContain("no log is analysed");
    await send(server, [log("auth", "none")]);
    expect(await signalsOf(server)).toHaveLength(1);
    const own = await made(call(server, "POST", FILTERS, wrap("security_filters", { name: "auth only", query: "source:auth", is_enabled: true, filtered_data_type: "logs", exclusion_filters: [] })));
    await send(server, [log("auth", "bob"), log("web", "bob")]);
    expect(await signalsOf(server)).toEqual(["auth bob high", "web ann high"]);
    expect((await call(server, "POST", FILTERS, wrap("security_filters", { name: "auth only", query: "*", is_enabled: true, filtered_data_type: "logs", exclusion_filters: [] }))).status).toBe(409);
    expect((await call(server, "POST", FILTERS, wrap("security_filters", { name: "bad", query: "a:(", is_enabled: true, filtered_data_type: "logs", exclusion_filters: [] }))).status).toBe(400);
    expect((await call(server, "POST", FILTERS, wrap("security_filters", { name: "bad", query: "*", is_enabled: true, filtered_data_type: "metrics", exclusion_filters: [] }))).status).toBe(400);
    expect((await call(server, "PATCH", `${FILTERS}/${own.id}`, wrap("security_filters", { name: "x", version: 7 }))).status).toBe(409);
    expect((await call(server, "DELETE", `${FILTERS}/${own.id}`)).status).toBe(204);
    expect((await call(server, "GET", `${FILTERS}/${own.id}`)).body).toEqual({ errors: [`not_found(Security filter with id '${own.id}' not found)`] });
    const versions = await made(call(server, "GET", `${FILTERS}/versions`));
    expect(versions.map(({ attributes }: any) => [attributes.version, attributes.filters.map((filter: any) => `${filter.name} ${filter.is_enabled} ${filter.version}`)])).toEqual([
      [5, ["all ingested logs false 3"]], [4, ["all ingested logs false 3", "auth only true 1"]], [3, ["all ingested logs false 3"]], [2, ["all ingested logs true 2"]], [1, ["all ingested logs true 1"]],
    ]);
    expect((await auditEvents(server, "@asset.type:security_filter")).map(({ attributes }) => attributes.attributes.action)).toEqual(["deleted", "created", "modified", "modified"]);
    // Rejected logs are there all the same.
    expect((await call(server, "POST", "/api/v2/logs/events/search", { filter: { query: "*", from: "now-1h", to: "now+1m" }, page: { limit: 100 } })).body.data).toHaveLength(5);
  });

  test("filters of files stand in for the one for all logs until that is changed; the audit trail passes whatever they say", async () => {
    const rules = new TestRules([rule("auth"), rule("web"), rule("watch", { queries: [{ name: "a", query: "@asset.type:security_filter", dataSource: "audit", aggregation: "count", groupByFields: ["@usr.id"] }] })]);
    const load = rules.load.bind(rules);
    rules.load = async () => {
      const found = await load();
      return { ...found, setup: { ...found.setup, securityFilters: readSecurityFilters([{ name: "of a file", query: "source:auth", is_enabled: true }]) } };
    };
    const server = await folder.start(rules, { data: join(folder.path, "filters") });
    const filters = await made(call(server, "GET", FILTERS));
    expect(filters.map(({ attributes }: any) => [attributes.name, attributes.is_enabled])).toEqual([["of a file", true], ["all ingested logs", false]]);
    await send(server, [log("auth", "ann"), log("web", "ann")]);
    expect(await signalsOf(server)).toEqual(["auth ann high"]);
    await made(call(server, "PATCH", `${FILTERS}/${filters[1].id}`, wrap("security_filters", { is_enabled: true })));
    await until(async () => (await signalsOf(server)).includes("watch admin@localhost high"));
    await send(server, [log("web", "ann")]);
    expect(await signalsOf(server)).toEqual(["auth ann high", "watch admin@localhost high", "web ann high"]);
  });
});

describe("critical assets", () => {
  const asset = (attributes: Payload): Payload => wrap("critical_assets", { query: "@usr.id:boss", rule_query: "*", severity: "increase", ...attributes });

  test("[SV-01] [SV-02] [SV-03] they move the severity of a case, the highest wins, and the environment lowers what came of it", async () => {
    const server = await start([rule("auth", {}, { decreaseCriticalityBasedOnEnv: true }, "medium"), rule("web", {}, {}, "low")]);
    const made1 = await made(call(server, "POST", ASSETS, asset({})));
    await made(call(server, "POST", ASSETS, asset({ rule_query: "source:web", severity: "critical", query: "host:db*" })));
    await made(call(server, "POST", ASSETS, asset({ rule_query: "source:web", severity: "decrease" })));
    await made(call(server, "POST", ASSETS, asset({ severity: "critical", enabled: false })));
    const tagged = (user: string, env: string): Payload => ({ ...log("auth", user), ddtags: `env:${env}` });
    await send(server, [tagged("boss", "prod"), tagged("ann", "prod")]);
    expect(await signalsOf(server)).toEqual(["auth ann medium", "auth boss high"]);
    await send(server, [log("web", "boss"), { ...log("web", "cid"), hostname: "db-1" }, log("web", "dee")]);
    expect((await signalsOf(server)).slice(2)).toEqual(["web boss medium", "web cid critical", "web dee low"]);
    const lowered = await start([rule("auth", {}, { decreaseCriticalityBasedOnEnv: true }, "medium")]);
    await made(call(lowered, "POST", ASSETS, asset({})));
    await send(lowered, [tagged("boss", "staging-eu"), tagged("ann", "development"), tagged("bob", "prod-test"), tagged("cid", "testing")]);
    expect(await signalsOf(lowered)).toEqual(["auth ann info", "auth bob medium", "auth boss medium", "auth cid info"]);
    expect(made1).toMatchObject({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), type: "critical_assets", attributes: { enabled: true, editable: true, severity: "increase", version: 1, tags: [], creation_author_id: expect.any(Number), creator: { handle: "admin@localhost" } } });
  });

  test("made, found by the rules they affect, changed with their version, deleted, and written down", async () => {
    const server = await start();
    const { id } = await made(call(server, "POST", ASSETS, asset({ rule_query: "source:auth", tags: ["b", "a"], description: "the boss" })));
    expect((await made(call(server, "GET", ASSETS)))).toHaveLength(1);
    expect((await made(call(server, "GET", `${ASSETS}/rules/auth`))).map((each: any) => each.id)).toEqual([id]);
    expect(await made(call(server, "GET", `${ASSETS}/rules/web`))).toEqual([]);
    expect((await call(server, "GET", `${ASSETS}/rules/none`)).status).toBe(404);
    expect((await made(call(server, "PATCH", `${ASSETS}/${id}`, wrap("critical_assets", { severity: "info", version: 1 })))).attributes).toMatchObject({ severity: "info", version: 2, tags: ["a", "b"], description: "the boss" });
    expect((await call(server, "PATCH", `${ASSETS}/${id}`, wrap("critical_assets", { severity: "low", version: 1 }))).status).toBe(409);
    for (const attributes of [{ severity: "huge" }, { query: "" }, { rule_query: "a:(" }]) expect((await call(server, "POST", ASSETS, asset(attributes))).status).toBe(400);
    expect((await call(server, "DELETE", `${ASSETS}/${id}`)).status).toBe(204);
    expect((await call(server, "GET", `${ASSETS}/${id}`)).status).toBe(404);
    expect((await auditEvents(server, "@asset.type:critical_asset")).map(({ attributes }) => attributes.attributes.action)).toEqual(["deleted", "modified", "created"]);
  });
});

describe("people who may not", () => {
  test("are refused, and two who change one thing at once lose nothing", async () => {
    const server = await start(undefined, { keysRequired: true });
    const sql = SqlDriver.open(join(folder.path, String(servers), "vespid.db"), migrations);
    const [people, keys] = [new PeopleStore(sql), new KeyStore(sql)];
    const apiKey = keys.create("api", "all", Date.now()).key;
    const somebody = (name: string, roleId: string): Record<string, string> => {
      const user = people.addUser({ email: `${name}@example.com`, name }, Date.now());
      people.giveRole(user.id, roleId);
      return { "dd-api-key": apiKey, "dd-application-key": keys.create("application", name, Date.now(), { ownerId: user.id }).key };
    };
    const ann = somebody("ann", ADMIN_ROLE_ID);
    const reader = somebody("reader", people.addRole("readers", ["security_monitoring_suppressions_read"], Date.now()).id);
    sql.close();
    const { id } = await made(call(server, "POST", SUPPRESSIONS, suppressed({ suppression_query: "@usr.id:x*" }), ann));
    // Keys that another program made are known within seconds.
    await until(async () => (await send(server, [log("auth", "xena")], { "dd-api-key": apiKey })) === 202);
    expect(await signalsOf(server)).toEqual([]);
    expect((await call(server, "PATCH", `${SUPPRESSIONS}/${id}`, wrap("suppressions", { enabled: false }), reader)).status).toBe(403);
    expect((await call(server, "GET", FILTERS, undefined, reader)).status).toBe(403);
    const { attributes } = await made(call(server, "GET", `${SUPPRESSIONS}/${id}/stats`, undefined, reader));
    expect([attributes.matches, attributes.samples]).toEqual([1, []]);
    const both = await Promise.all(Array.from({ length: 6 }, (_, i) => call(server, "PATCH", `${SUPPRESSIONS}/${id}`, wrap("suppressions", { description: `by ${i}`, version: 1 }), ann)));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
    expect((await made(call(server, "GET", `${SUPPRESSIONS}/${id}/version_history`, undefined, ann))).attributes.count).toBe(2);
    expect(folder.faults).toEqual([]);
  });
});
