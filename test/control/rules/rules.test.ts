import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { TestRules, send, serverFolder } from "../../serve/support.ts";
import { BASE, type Wire, ask, failedLogin, loginRule, signalled } from "./support.ts";

const folder = serverFolder();
const packRule: Wire = { ...loginRule(), id: "pack-logins", isDefault: true, name: "Pack: failed logins" };
const fileRule: Wire = { ...loginRule(), id: "file-logins", name: "File: failed logins", isEnabled: false };

describe("rules", () => {
  test("[RU-07] [RU-10] [RU-11] a rule of the API judges the next log; disabled it judges no more, and deleted it is gone", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "life") });
    await send(server, [failedLogin("ann"), failedLogin("ann"), failedLogin("ann")]);
    expect(await signalled(server)).toEqual([]);
    const made = await ask(server, "POST", BASE, loginRule({ myOwn: { kept: true } }));
    expect(made.body).toMatchObject({
      id: expect.stringMatching(/^[a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3}$/), version: 1, isDefault: false, isDeleted: false, isDeprecated: false, isEnabled: true, filters: [], hasExtendedTitle: false, myOwn: { kept: true },
      creationAuthorId: expect.any(Number), createdAt: expect.any(Number), creator: { handle: expect.any(String), name: expect.any(String) },
      queries: [{ name: "a", aggregation: "count", dataSource: "logs", distinctFields: [], hasOptionalGroupByFields: false }], options: { detectionMethod: "threshold" },
    });
    expect(made.body.lint.map(({ code }: { code: string }) => code)).toContain("lint/no-test");
    expect([made.status, made.headers.get("etag"), made.body.updatedAt]).toEqual([200, '"1"', undefined]);
    const { id } = made.body;
    await send(server, [failedLogin("bob"), failedLogin("bob"), failedLogin("bob")]);
    expect(await signalled(server)).toEqual([`${id} bob`]);
    const put = await ask(server, "PUT", `${BASE}/${id}`, { isEnabled: false, version: 1 });
    expect([put.status, put.body.version, put.body.isEnabled, put.body.name, put.body.updater.handle]).toEqual([200, 2, false, "Failed logins", made.body.creator.handle]);
    await send(server, [failedLogin("eve"), failedLogin("eve"), failedLogin("eve")]);
    expect(await signalled(server)).toEqual([`${id} bob`]);
    expect((await ask(server, "DELETE", `${BASE}/${id}`)).status).toBe(204);
    expect((await ask(server, "GET", `${BASE}/${id}`))).toMatchObject({ status: 404, body: { errors: ["Not found"] } });
    expect((await ask(server, "DELETE", `${BASE}/${id}`)).body).toEqual({ errors: [`Threat detection rule not found: ${id}`] });
  });

  test("[RU-08] a restarted server judges by the rules of its store", async () => {
    const data = join(folder.path, "again");
    const first = await folder.start(new TestRules([]), { data });
    const { id } = (await ask(first, "POST", BASE, loginRule())).body;
    await first.close();
    const second = await folder.start(new TestRules([]), { data });
    await send(second, [failedLogin("bob"), failedLogin("bob"), failedLogin("bob")]);
    expect(await signalled(second)).toEqual([`${id} bob`]);
  });

  test("a rule with faults is told all of them, each with its place, and nothing is stored", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "faults") });
    const bad = loginRule({ queries: [{ name: "a", query: "source:(" }], cases: [{ name: "", status: "urgent", condition: "b > 0" }], options: { keepAlive: 61 } });
    for (const path of [BASE, `${BASE}/validation`]) {
      const { status, body } = await ask(server, "POST", path, bad);
      expect([status, body.errors[0], body.error.code, body.error.message]).toEqual([400, "Invalid rule configuration", "InvalidArgument", "Invalid rule configuration"]);
      expect(body.error.details.map(({ target }: { target: string }) => target)).toEqual(expect.arrayContaining(["queries[0].query", "cases[0].status", "cases[0].condition", "options.keepAlive"]));
      expect(body.errors).toHaveLength(body.error.details.length + 1);
    }
    expect((await ask(server, "GET", BASE)).body).toMatchObject({ data: [], meta: { page: { total_count: 0, total_filtered_count: 0 } } });
    expect((await ask(server, "POST", `${BASE}/validation`, loginRule()))).toMatchObject({ status: 204, text: "" });
    const unknownTable = loginRule({ referenceTables: [{ tableName: "nowhere", columnName: "user", logFieldPath: "@usr.id", checkPresence: true, ruleQueryName: "a" }] });
    expect((await ask(server, "POST", BASE, unknownTable)).body.errors[1]).toContain("referenceTables[0].tableName: there is no reference table nowhere");
    const deep = `@${Array.from({ length: 65 }, () => "a").join(".")}`;
    const wide = Array.from({ length: 51 }, (_, i) => `@f${i}`);
    const costly = await ask(server, "POST", BASE, loginRule({ queries: [{ name: "a", query: `source:auth -(${deep}:1)`, groupByFields: wide, distinctFields: [deep], aggregation: "cardinality" }] }));
    expect(costly.body.error.details.map(({ target }: Wire) => target)).toEqual(["queries[0].query", "queries[0].groupByFields", "queries[0].distinctFields"]);
    expect(folder.faults).toEqual([]);
  });

  test("[DE-42] cases that change places judge in their new order from the next log on, by PUT and in each version", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "order") });
    const cases = [{ name: "some", status: "low", condition: "a > 0", notifications: [] }, { name: "many", status: "critical", condition: "a > 1", notifications: ["@soc"] }];
    const made = (await ask(server, "POST", BASE, loginRule({ cases }))).body;
    const opened = async (): Promise<string[]> => {
      await server.detection.storeSignals();
      return server.signals.all().map(({ document }) => JSON.parse(document) as Wire).map(({ group, severity, title }) => `${group["@usr.id"]} ${severity} ${title}`).toSorted();
    };
    await send(server, [failedLogin("ann"), failedLogin("ann")]);
    expect(await opened()).toEqual(["ann low Failed logins - some"]);
    const put = await ask(server, "PUT", `${BASE}/${made.id}`, { cases: made.cases.toReversed(), version: 1 });
    expect([put.status, put.body.version, put.body.cases.map(({ name }: Wire) => name)]).toEqual([200, 2, ["many", "some"]]);
    await send(server, [failedLogin("bob"), failedLogin("bob")]);
    expect(await opened()).toEqual(["ann low Failed logins - some", "bob critical Failed logins - many"]);
    const history = (await ask(server, "GET", `${BASE}/${made.id}/version_history`)).body.data.attributes.data;
    expect([1, 2].map((version) => history[version].rule.cases.map(({ name }: Wire) => name))).toEqual([["some", "many"], ["many", "some"]]);
    expect(folder.faults).toEqual([]);
  });

  test("rules that would feed each other in a circle are refused", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "circle") });
    const reads = (ruleId: string, name: string): object => ({ ...loginRule(), name, type: "signal_correlation", queries: [{ name: "a", ruleId, correlatedByFields: ["@usr.id"] }] });
    const base = (await ask(server, "POST", BASE, loginRule())).body.id;
    const one = (await ask(server, "POST", BASE, reads(base, "one"))).body.id;
    const two = (await ask(server, "POST", BASE, reads(one, "two"))).body;
    expect(two.queries[0]).toMatchObject({ ruleId: one, aggregation: "event_count" });
    const circle = await ask(server, "PUT", `${BASE}/${one}`, { queries: [{ name: "a", ruleId: two.id, correlatedByFields: ["@usr.id"] }] });
    expect([circle.status, circle.body.error.details[0].target]).toEqual([400, "queries[0].ruleId"]);
    expect((await ask(server, "GET", `${BASE}/${one}`)).body.version).toBe(1);
  });

  test("[RU-01] [RU-09] rules of packs are there, enabled and default; the list is searched, sorted and paged", async () => {
    const server = await folder.start(new TestRules([packRule, fileRule]), { data: join(folder.path, "list") });
    for (const [name, status] of [["Beta", "low"], ["Alpha", "critical"]]) await ask(server, "POST", BASE, loginRule({ name, tags: ["source:okta", "tactic:TA0001"], cases: [{ name: "", status, condition: "a > 1" }] }));
    const names = async (query: string): Promise<string[]> => {
      const { status, body } = await ask(server, "GET", `${BASE}?${query}`);
      expect(status).toBe(200);
      return body.data.map(({ name }: { name: string }) => name);
    };
    expect(await names("sort=name")).toEqual(["Alpha", "Beta", "File: failed logins", "Pack: failed logins"]);
    expect(await names("sort=-highest_severity&page[size]=2")).toEqual(["Alpha", "File: failed logins"]);
    expect(await names("sort=name&page[size]=3&page[number]=1")).toEqual(["Pack: failed logins"]);
    for (const [query, found] of [["isDefault:true", ["Pack: failed logins"]], ["enabled:false", ["File: failed logins"]], ["source:okta", ["Alpha", "Beta"]], ["tactic:TA0001 severity:critical", ["Alpha"]], ["type:log_detection alpha", ["Alpha"]], ["method:new_value", []]] as const) {
      expect(await names(`sort=name&query=${encodeURIComponent(query)}`)).toEqual(found);
    }
    const page = (await ask(server, "GET", `${BASE}?query=source:okta&page[size]=1`)).body.meta.page;
    expect(page).toEqual({ total_count: 4, total_filtered_count: 2 });
    for (const bad of ["page[size]=0", "page[size]=101", "page[number]=-1", "sort=age", "query=source:("]) expect((await ask(server, "GET", `${BASE}?${bad}`)).status).toBe(400);
    expect((await ask(server, "GET", `${BASE}/pack-logins`)).body).toMatchObject({ isDefault: true, isEnabled: true, creator: { handle: "content-pack" }, creationAuthorId: 0, defaultTags: packRule.tags });
  });

  test("[RU-02] [RU-03] [RU-04] [RU-05] a default rule takes another name, message, severity, notifications, tags and a narrower query, and goes on judging by them", async () => {
    const server = await folder.start(new TestRules([packRule]), { data: join(folder.path, "defaults") });
    const path = `${BASE}/pack-logins`;
    const before = (await ask(server, "GET", path)).body;
    // As a form sends it back: everything, with what was edited.
    const { queries: [query], cases: [only], ...rest } = before;
    const put = await ask(server, "PUT", path, {
      ...rest, name: "Ours", message: "Call {{@usr.id}}.", tags: [...before.tags, "team:blue"], options: { ...before.options, decreaseCriticalityBasedOnEnv: true },
      queries: [{ ...query, customQueryExtension: "-@usr.id:robot" }], cases: [{ ...only, status: "critical", notifications: ["@slack-sec"] }],
    });
    expect(put.body).toMatchObject({
      name: "Pack: failed logins", customName: "Ours", message: "Look at {{@usr.id}}.", customMessage: "Call {{@usr.id}}.", version: 2, isDefault: true,
      tags: [...packRule.tags, "team:blue"], defaultTags: packRule.tags, options: { decreaseCriticalityBasedOnEnv: true },
      queries: [{ query: "source:auth @evt.outcome:failure", customQueryExtension: "-@usr.id:robot" }], cases: [{ status: "medium", customStatus: "critical", notifications: ["@slack-sec"] }],
    });
    await send(server, ["ann", "ann", "ann", "robot", "robot", "robot"].map(failedLogin));
    await server.detection.storeSignals();
    const documents = server.signals.all().map(({ document }) => JSON.parse(document));
    expect(documents.map(({ severity, group, rule_name, tags }) => [severity, group["@usr.id"], rule_name, tags.includes("team:blue")])).toEqual([["critical", "ann", "Ours", true]]);
    // The base stays the pack's.
    const refused = await ask(server, "PUT", path, { queries: [{ ...query, query: "*", groupByFields: [] }], options: { ...before.options, evaluationWindow: 600 }, type: "workload_security" });
    expect([refused.status, refused.body.error.details.map(({ target }: { target: string }) => target).toSorted()]).toEqual([400, ["options.evaluationWindow", "queries[0].groupByFields", "queries[0].query", "type"]]);
    expect((await ask(server, "PUT", path, { cases: [{ ...only, condition: "a > 1" }] })).status).toBe(400);
    expect((await ask(server, "PUT", path, { cases: [{ ...only, status: "urgent" }] })).body.error.details[0].target).toBe("cases[0].customStatus");
    // And back.
    const back = await ask(server, "PUT", path, { customName: null, customMessage: "", tags: [], queries: [query], cases: [only], options: before.options });
    expect(back.body).toMatchObject({ version: 3, tags: packRule.tags });
    expect([back.body.customName, back.body.customMessage, back.body.queries, back.body.cases]).toEqual([undefined, undefined, before.queries, before.cases]);
    expect((await ask(server, "DELETE", path)).status).toBe(403);
    expect((await ask(server, "PUT", path, { isEnabled: false })).body.isEnabled).toBe(false);
  });

  test("[RU-23] an upgrade of a pack replaces the base, keeps what was changed, and is a version of its own", async () => {
    const data = join(folder.path, "upgrade");
    const first = await folder.start(new TestRules([packRule]), { data });
    await ask(first, "PUT", `${BASE}/pack-logins`, { name: "Ours", queries: [{ customQueryExtension: "-@usr.id:robot" }] });
    await first.close();
    const second = await folder.start(new TestRules([{ ...packRule, queries: [{ ...packRule.queries[0], query: "source:auth @evt.outcome:(failure OR denied)" }] }]), { data });
    const { body } = await ask(second, "GET", `${BASE}/pack-logins`);
    expect(body).toMatchObject({ version: 3, customName: "Ours", updater: { handle: "content-pack" }, queries: [{ query: "source:auth @evt.outcome:(failure OR denied)", customQueryExtension: "-@usr.id:robot" }] });
    await send(second, ["ann", "ann", "ann", "robot", "robot", "robot"].map((user) => ({ ...failedLogin(user), evt: { outcome: "denied" } })));
    expect(await signalled(second)).toEqual(["pack-logins ann"]);
    await second.close();
    const third = await folder.start(new TestRules([{ ...packRule, queries: [{ ...packRule.queries[0], query: "source:auth @evt.outcome:(failure OR denied)" }] }]), { data });
    expect((await ask(third, "GET", `${BASE}/pack-logins`)).body.version).toBe(3);
  });

  test("a rule of a file is read only, and says where it can be edited", async () => {
    const server = await folder.start(new TestRules([fileRule]), { data: join(folder.path, "file") });
    for (const [method, body] of [["PUT", { isEnabled: true }], ["DELETE", undefined]] as const) {
      const answer = await ask(server, method, `${BASE}/file-logins`, body);
      expect([answer.status, answer.body.errors[0]]).toEqual([403, expect.stringMatching(/edit the file, or clone/)]);
    }
  });

  test("[RU-06] a clone is one's own: what was changed is in it, it can be rewritten, and names its origin", async () => {
    const server = await folder.start(new TestRules([packRule]), { data: join(folder.path, "clone") });
    await ask(server, "PUT", `${BASE}/pack-logins`, { name: "Ours", queries: [{ customQueryExtension: "-@usr.id:robot" }], cases: [{ name: "many", status: "high" }] });
    const clone = (await ask(server, "POST", `${BASE}/pack-logins/clone`)).body;
    expect(clone).toMatchObject({ name: "Clone of Ours", isDefault: false, isEnabled: false, version: 1, metadata: { defaultRuleId: "pack-logins" }, queries: [{ query: "(source:auth @evt.outcome:failure) (-@usr.id:robot)" }], cases: [{ status: "high" }] });
    expect(clone.customName).toBeUndefined();
    const edited = await ask(server, "PUT", `${BASE}/${clone.id}`, { isEnabled: true, queries: [{ ...clone.queries[0], query: "source:auth" }] });
    expect([edited.status, edited.body.queries[0].query]).toEqual([200, "source:auth"]);
    expect((await ask(server, "POST", `${BASE}/pack-logins/clone`, { name: "Mine", isEnabled: true })).body).toMatchObject({ name: "Mine", isEnabled: true });
    expect((await ask(server, "POST", `${BASE}/no-such-one/clone`)).status).toBe(404);
  });

  test("what is merged: members that are given, options that name no method, and null takes away", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "merge") });
    const { id } = (await ask(server, "POST", BASE, loginRule({ team: "blue", hasExtendedTitle: true }))).body;
    const put = (await ask(server, "PUT", `${BASE}/${id}`, { options: { keepAlive: 7200 }, hasExtendedTitle: null, id: "other", createdAt: 1, isDefault: true })).body;
    expect(put).toMatchObject({ id, isDefault: false, team: "blue", hasExtendedTitle: false, options: { keepAlive: 7200, evaluationWindow: 300, detectionMethod: "threshold" } });
    expect(put.createdAt).toBeGreaterThan(1);
    const replaced = (await ask(server, "PUT", `${BASE}/${id}`, { options: { detectionMethod: "threshold", evaluationWindow: 60, keepAlive: 60, maxSignalDuration: 60 } })).body;
    expect(replaced.options).toEqual({ detectionMethod: "threshold", evaluationWindow: 60, keepAlive: 60, maxSignalDuration: 60 });
  });

  test("shapes that answers fill: geo_data tells its metric twice, vendors' cases are queries and cases too, content anomalies keep their method's name", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "shapes") });
    const travel = loginRule({ options: { detectionMethod: "impossible_travel" }, queries: [{ query: "*", aggregation: "geo_data", metrics: ["@network.client.geoip"], groupByFields: ["@usr.id"] }], cases: [{ status: "low" }] });
    expect((await ask(server, "POST", BASE, travel)).body.queries[0]).toMatchObject({ metric: "@network.client.geoip", metrics: ["@network.client.geoip"] });
    const { queries: _queries, cases: _cases, ...vendor } = loginRule({ options: { detectionMethod: "third_party", thirdPartyRuleOptions: { rootQueries: [{ query: "source:guardduty", groupByFields: ["instance-id"] }], defaultStatus: "info" } }, thirdPartyCases: [{ name: "grave", query: "@severity:high", status: "high" }] });
    const made = (await ask(server, "POST", BASE, vendor)).body;
    expect(made).toMatchObject({ queries: [{ query: "@severity:high", aggregation: "none" }], cases: [{ name: "grave", status: "high" }], thirdPartyCases: [{ query: "@severity:high" }] });
    // All of it sent back is the same rule.
    const { lint: _lint, ...echo } = made;
    const { updatedAt: _at, updateAuthorId: _by, updater: _who, lint: _more, version, ...same } = (await ask(server, "PUT", `${BASE}/${made.id}`, echo)).body;
    expect([{ ...same, version: 1 }, version]).toEqual([echo, 2]);
    for (const detectionMethod of ["anomaly_threshold", "content_anomaly"]) {
      const content = loginRule({ options: { detectionMethod, contentAnomalyOptions: { learningDuration: 3 } }, queries: [{ name: "a", query: "*", aggregation: "count", groupByFields: ["@usr.id"], metrics: ["@cmd"] }], cases: [{ status: "low", condition: "a >= 1" }] });
      expect((await ask(server, "POST", BASE, content)).body.options).toMatchObject({ detectionMethod, contentAnomalyOptions: { learningDuration: 3 } });
    }
  });
});
