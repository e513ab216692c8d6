import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ADMIN_ROLE_ID } from "../../host/control/people/managed-roles.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import { AuditStore } from "../../host/store/audit.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { KeyStore } from "../../host/store/keys.ts";
import { migrations } from "../../host/store/migrations.ts";
import { PeopleStore } from "../../host/store/people.ts";
import { type Payload, TestRules, send, serverFolder, until } from "../serve/support.ts";
import { auditEvents, call } from "./audit-support.ts";

const RULES = "/api/v2/security_monitoring/rules";
const SIGNALS = "/api/v2/security_monitoring/signals";
const detects = (id: string, query: string, condition: string, more: Payload = {}): Payload => ({
  id, name: id, message: "Look.", isEnabled: true, type: "log_detection", tags: [`from:${id}`], options: { detectionMethod: "threshold", evaluationWindow: 3600, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query, aggregation: "count", groupByFields: [], ...more }], cases: [{ name: "burst", status: "high", condition }],
});
const login = detects("logins", "source:auth", "a > 0", { groupByFields: ["@usr.id"] });
const create = (name: string): Payload => {
  const { id: _, ...rule } = detects(name, `source:other @evt.name:${name}`, "a > 0");
  return rule;
};
const entry = (user: string): unknown => ({ message: "login", ddsource: "auth", usr: { id: user } });

describe("the trail of a server", () => {
  const folder = serverFolder();
  const start = (name: string, rules: readonly Payload[] = [login], config = {}): Promise<VespidServer> => folder.start(new TestRules(rules), { data: join(folder.path, name), ...config });
  const signalsOf = async (server: VespidServer, ruleId: string): Promise<number> => {
    await server.detection.storeSignals();
    return server.signals.all().filter((signal) => signal.ruleId === ruleId).length;
  };

  test("[AU-01] [AU-02] [AU-05] [SE-03] what is done to rules and signals is written down with before and after, and found by the event's name", async () => {
    const server = await start("done");
    await send(server, [entry("ann")]);
    await server.detection.storeSignals();
    const made = await call(server, "POST", RULES, create("mine"));
    expect(made.status).toBe(200);
    const { id } = made.body;
    expect((await call(server, "PUT", `${RULES}/${id}`, { name: "renamed" })).status).toBe(200);
    const signal = server.signals.all()[0]!.id;
    expect((await call(server, "PATCH", `${SIGNALS}/${signal}/state`, { data: { attributes: { state: "archived", archive_reason: "false_positive" } } })).status).toBe(200);
    expect((await call(server, "DELETE", `${RULES}/${id}`)).status).toBe(204);
    const role = await call(server, "POST", "/api/v2/roles", { data: { type: "roles", attributes: { name: "watchers" } } });
    expect(role.status).toBe(200);

    const events = await auditEvents(server, '@evt.name:"Cloud Security Platform"');
    expect(events.map(({ attributes: { attributes: { action, asset } } }) => `${action} ${asset.type}`)).toEqual(["deleted security_rule", "modified security_signal", "modified security_rule", "created security_rule"]);
    const [deleted, archived, changed, created] = events.map(({ attributes }) => attributes.attributes);
    expect(created.asset.prev_value).toBeNull();
    expect(created.asset.new_value).toMatchObject({ name: "mine" });
    expect([changed.asset.prev_value.name, changed.asset.new_value.name]).toEqual(["mine", "renamed"]);
    expect([archived.asset.id, archived.asset.prev_value.state, archived.asset.new_value.state]).toEqual([signal, "open", "archived"]);
    expect(deleted.asset).toMatchObject({ id, name: "renamed", new_value: null });
    expect(events[0]).toMatchObject({
      type: "audit",
      attributes: {
        message: expect.stringContaining('deleted security_rule "renamed"'), service: "vespid", tags: ["source:audit"], timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        attributes: { evt: { outcome: "success", actor: { type: "USER" } }, usr: { id: "admin@localhost" }, network: { client: { ip: "127.0.0.1" } }, http: { method: "DELETE", url_details: { path: `${RULES}/${id}` } } },
      },
    });
    expect((await auditEvents(server, '@evt.name:"Access Management" @asset.type:role')).map(({ attributes }) => attributes.attributes.asset.name)).toEqual(["watchers"]);
    expect(await auditEvents(server, "@asset.new_value.state:archived")).toHaveLength(1);
    // Logs are searched elsewhere, by people who may read these.
    const logs = await call(server, "POST", "/api/v2/logs/events/search", { filter: { query: "*", from: "now-1h", to: "now+1m" }, page: { limit: 100 } });
    expect(logs.body.data).toHaveLength(1);
    expect(folder.faults).toEqual([]);
  });

  test("[AU-03] facets count events, actions, assets, people and ways in", async () => {
    const server = await start("facets");
    for (const name of ["one", "two", "three"]) await call(server, "POST", RULES, create(name));
    await call(server, "POST", "/api/v2/roles", { data: { type: "roles", attributes: { name: "watchers" } } });
    const { status, body } = await call(server, "POST", "/api/v2/audit/events/facets", { filter: { query: "*", from: "now-1h" } });
    expect(status).toBe(200);
    const values = Object.fromEntries(body.data.map(({ attributes }: any) => [attributes.name, Object.fromEntries(attributes.values.map(({ value, count }: any) => [value, count]))]));
    expect(values).toEqual({
      "Event Name": { "Cloud Security Platform": 3, "Access Management": 1 }, Action: { created: 4 }, "Asset Type": { security_rule: 3, role: 1 }, User: { "admin@localhost": 4 }, "Auth method": { NONE: 4 },
    });
    const found = await call(server, "POST", "/api/v2/audit/events/facets", { filter: { query: "@asset.name:t*", from: "now-1h" }, facets: ["Event Name", "@asset.name"] });
    expect(found.body.data.map(({ attributes: { path, values: of } }: any) => [path, of])).toEqual([["@evt.name", [{ value: "Cloud Security Platform", count: 2 }]], ["@asset.name", [{ value: "three", count: 1 }, { value: "two", count: 1 }]]]);
  });

  test("pages go on by their cursor, both ways, also where only records tell; what is no time, order or cursor is refused", async () => {
    const server = await start("pages");
    for (let i = 0; i < 7; i++) await call(server, "POST", RULES, create(`rule-${i}`));
    for (const [sort, query] of [["timestamp", "*"], ["-timestamp", "*"], ["timestamp", "@asset.name:rule-*"], ["-timestamp", "@action:created @asset.name:rule-*"]] as const) {
      const names: string[] = [];
      let cursor: string | undefined;
      for (let pages = 0; pages < 10; pages++) {
        const { body } = await call(server, "POST", "/api/v2/audit/events/search", { filter: { query, from: "now-1h" }, sort, page: { limit: 3, ...(cursor === undefined ? {} : { cursor }) } });
        names.push(...body.data.map(({ attributes }: any) => attributes.attributes.asset.name));
        cursor = body.meta.page?.after;
        if (cursor === undefined) break;
      }
      const all = Array.from({ length: 7 }, (_, i) => `rule-${i}`);
      expect(names).toEqual(sort === "timestamp" ? all : all.reverse());
    }
    const listed = await call(server, "GET", `/api/v2/audit/events?${new URLSearchParams({ "filter[query]": "@asset.name:rule-3", "filter[from]": "now-1h", "page[limit]": "1000" }).toString()}`);
    expect(listed.body.data).toHaveLength(1);
    expect((await call(server, "GET", "/api/v2/audit/events?filter[from]=now-2h&filter[to]=now-1h")).body.data).toEqual([]);
    for (const wrong of [{ filter: { from: "yesterday" } }, { sort: "name" }, { page: { limit: 1001 } }, { page: { cursor: "x" } }, { filter: { query: "@a:(" } }]) expect((await call(server, "POST", "/api/v2/audit/events/search", wrong)).status).toBe(400);
    expect(folder.faults).toEqual([]);
  });

  test("[AU-04] without audit_logs_read people see what they did themselves, and counts of that", async () => {
    const server = await start("own", [login], { keysRequired: true });
    const sql = SqlDriver.open(join(folder.path, "own", "vespid.db"), migrations);
    const [people, keys] = [new PeopleStore(sql), new KeyStore(sql)];
    const apiKey = keys.create("api", "all", Date.now()).key;
    const somebody = (name: string, roleId: string): Record<string, string> => {
      const user = people.addUser({ email: `${name}@example.com`, name }, Date.now());
      people.giveRole(user.id, roleId);
      return { "dd-api-key": apiKey, "dd-application-key": keys.create("application", name, Date.now(), { ownerId: user.id }).key };
    };
    const ann = somebody("ann", ADMIN_ROLE_ID);
    const bob = somebody("bob", people.addRole("writers", ["security_monitoring_rules_read", "security_monitoring_rules_write"], Date.now()).id);
    sql.close();
    expect((await call(server, "POST", RULES, create("anns"), ann)).status).toBe(200);
    expect((await call(server, "POST", RULES, create("bobs"), bob)).status).toBe(200);
    const names = async (headers: Record<string, string>, query = "@asset.type:security_rule"): Promise<string[]> => (await auditEvents(server, query, headers)).map(({ attributes }) => attributes.attributes.asset.name).sort();
    expect(await names(ann)).toEqual(["anns", "bobs"]);
    expect(await names(bob)).toEqual(["bobs"]);
    const annsId = (await auditEvents(server, "@asset.name:anns", ann))[0].attributes.attributes.usr.uuid;
    for (const query of ["*", `@usr.uuid:${annsId}`, `@usr.uuid:${annsId} OR *`, "-@usr.id:bob@example.com", "@usr.id:ann@example.com"]) expect(await names(bob, query)).not.toContain("anns");
    const { body } = await call(server, "POST", "/api/v2/audit/events/facets", { filter: { query: "*", from: "now-1h" }, facets: ["User"] }, bob);
    expect(body.data[0].attributes.values).toEqual([{ value: "bob@example.com", count: 1 }]);
    expect((await call(server, "POST", "/api/v2/audit/events/search", {})).status).toBe(401);
  });

  test("[IN-25] a rule of dataSource audit fires when a rule is changed, one over logs does not hear of it", async () => {
    const server = await start("source", [login, detects("watch", '@evt.name:"Cloud Security Platform" @asset.type:security_rule', "a > 1", { dataSource: "audit", groupByFields: ["@usr.id"] }), detects("logs", "*", "a > 0")]);
    await call(server, "POST", RULES, create("first"));
    await until(async () => server.detection.marks.get("\u0000audit") === String(server.audit.head.number));
    expect(await signalsOf(server, "watch")).toBe(0);
    await call(server, "POST", RULES, create("second"));
    await until(async () => (await signalsOf(server, "watch")) === 1);
    expect(server.signals.all()[0]).toMatchObject({ ruleId: "watch", eventsMatched: 2 });
    expect(await signalsOf(server, "logs")).toBe(0);
    // What detection opens is nobody's doing: there is no loop.
    expect(server.audit.head.number).toBe(2);
    await send(server, [{ message: "x", ddsource: "audit", evt: { name: "Cloud Security Platform" }, asset: { type: "security_rule" }, usr: { id: "admin@localhost" } }]);
    expect(await signalsOf(server, "logs")).toBe(1);
    expect(server.signals.all().find(({ ruleId }) => ruleId === "watch")!.eventsMatched).toBe(2);
    expect(folder.faults).toEqual([]);
  });

  test("[AU-07] a rule fires when somebody archives signals in great numbers", async () => {
    const server = await start("mass", [login, detects("mass-archive", "@asset.type:security_signal @asset.new_value.state:archived", "a >= 20", { dataSource: "audit", groupByFields: ["@usr.id"] })]);
    await send(server, Array.from({ length: 25 }, (_, i) => entry(`user-${i}`)));
    await server.detection.storeSignals();
    const ids = server.signals.all().map(({ id }) => id);
    expect(ids).toHaveLength(25);
    const archive = (some: readonly string[]): Promise<{ status: number }> => call(server, "PATCH", `${SIGNALS}/bulk/state`, { data: some.map((id) => ({ id, type: "signal_metadata", attributes: { state: "archived", archive_reason: "none" } })) });
    expect((await archive(ids.slice(0, 19))).status).toBe(200);
    await until(async () => server.detection.marks.get("\u0000audit") === "19");
    expect(await signalsOf(server, "mass-archive")).toBe(0);
    expect((await archive(ids.slice(19))).status).toBe(200);
    await until(async () => (await signalsOf(server, "mass-archive")) === 1);
    expect(server.signals.all().find(({ ruleId }) => ruleId === "mass-archive")!.document).toContain("admin@localhost");
  });

  test("what a stop left undelivered is delivered by the next start, once", async () => {
    const rules = [detects("watch", "@asset.type:security_rule", "a > 0", { dataSource: "audit", groupByFields: ["@asset.name"] })];
    const server = await start("again", rules);
    await call(server, "POST", RULES, create("before"));
    await server.close();
    const sql = SqlDriver.open(join(folder.path, "again", "vespid.db"), migrations);
    const { record } = new AuditStore(sql).after(0, 1)[0]!;
    new AuditStore(sql).append({ ...record, id: "offline", attributes: { ...record.attributes, asset: { type: "security_rule", id: "x", name: "offline" } } });
    sql.close();
    for (let i = 0; i < 2; i++) {
      const next = await start("again", rules);
      await until(() => next.detection.marks.get("\u0000audit") === "2");
      await next.detection.storeSignals();
      expect(next.signals.all().map(({ eventsMatched, document }) => [eventsMatched, /offline|before/.exec(document)![0]]).sort()).toEqual([[1, "before"], [1, "offline"]]);
      await next.close();
    }
    expect(readdirSync(join(folder.path, "again", "journal")).length).toBeGreaterThan(0);
    expect(readFileSync(join(folder.path, "again", "vespid.db")).length).toBeGreaterThan(0);
  });
});
