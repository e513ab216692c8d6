import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Permission } from "../../host/control/permission.ts";
import { Backtest } from "../../host/backtest.ts";
import { Journal } from "../../host/journal/journal.ts";
import { parseQuery } from "../../host/query/parse.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { JobStore } from "../../host/store/jobs.ts";
import { type Came, each, entryOf, expectSame, journalWith, live, overJournal, setupOf } from "../history/support.ts";
import { both, burst, chain, fresh } from "../serve/rules.ts";
import { loadKernel } from "../support/wasm.ts";
import { JOBS, RESULTS, jobsOver } from "./jobs-support.ts";
import { person } from "./support.ts";

const root = mkdtempSync(join(tmpdir(), "vespid-jobs-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(() => void loadKernel("simd"));

const startMs = Date.parse("2026-03-02T08:00:00Z");
const range = { from: startMs - 3_600_000, to: startMs + 86_400_000, index: "main" };
const options = { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 600, maxSignalDuration: 3600 };
const definition = {
  ...range, type: "log_detection", name: "Failures", message: "{{@usr.id}} failed", tags: ["team:blue"], options,
  queries: [{ name: "a", query: "source:sso @evt.outcome:failure", aggregation: "count", groupByFields: ["@usr.id"], distinctFields: [], dataSource: "logs" }],
  cases: [{ name: "some", status: "medium", condition: "a > 3", notifications: [] }],
};

function logins(batches: number): Came[] {
  return Array.from({ length: batches }, (_, i) => ({
    arrivalMs: startMs + i * 2000,
    events: Array.from({ length: 40 }, (_each, k) => ({ ddsource: "sso", service: "login", timestamp: startMs + i * 2000 + k, evt: { outcome: k % 7 ? "failure" : "success" }, usr: { id: `user-${(i * 7 + k) % 50}` }, network: { client: { ip: `192.0.2.${(i + k) % 90}` } } })),
  }));
}

const short = logins(40);
const nodeOf = (text: string) => {
  const parsed = parseQuery(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.node;
};
const documentsOf = (sql: SqlDriver, id: string): string[] => sql.all("SELECT document FROM historical_signals WHERE job_id = ? ORDER BY signal_id", id).map(({ document }) => String(document));
const journalOf = (name: string, came: readonly Came[]) => journalWith(join(root, name), came);

describe("historical jobs", () => {
  test("[HJ-01] run a definition over the logs of a time, show how far they are, and list what they found", async () => {
    const journal = await journalOf("definition", short);
    const { run, ended, ask, context } = await jobsOver(journal, setupOf([burst]));
    const id = await run({ jobDefinition: definition, signalOutput: true });
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    const job = await ended(id);
    expect(job).toMatchObject({ jobStatus: "completed", progressRate: 1, jobName: "Failures", createdByHandle: "ann@example.com", createdByName: "ann", jobDefinition: definition, signalOutput: true, eventCount: 1600 });
    expect(job.createdAt).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00$/);
    expect(job).not.toHaveProperty("createdFromRuleId");
    expect(job).not.toHaveProperty("sensitivity");
    const { body } = await ask("GET", `${JOBS}/${id}/histsignals?page[limit]=1000`);
    expect(body.data.length).toBe(job.signalCount);
    expect(body.data.length).toBeGreaterThan(10);
    const rule = (JSON.parse(documentsOf(context.sql, id)[0]!) as { rule_id: string }).rule_id;
    expectSame(documentsOf(context.sql, id), await live(short, setupOf([{ ...definition, id: rule, isEnabled: true }])));
    expect(body.data[0]).toMatchObject({ type: "signal", attributes: { status: "medium", tags: expect.arrayContaining(["team:blue"]), custom: { historical_job_id: id, workflow: { rule: { name: "Failures" }, triage: { state: "open" } } } } });
    expect((await ask("GET", `${RESULTS}/${body.data[0].id}`)).body.data).toEqual(body.data[0]);
    await journal.close();
  });

  test("tell, where it is asked, how loud a rule is at other settings, as the backtest of files does, and find the same signals beside that", async () => {
    const journal = await journalOf("sensitivity", short);
    const rules = [burst, fresh, chain, both, each];
    const setup = setupOf(rules);
    const { run, ended, context, ask } = await jobsOver(journal, setup, [person("ann"), { ...person("bob"), restriction: [nodeOf("source:other")] }]);
    const twin = await live(short, setup);
    for (const { id: ruleId } of [burst, chain, each]) {
      const turned = await run({ fromRule: { id: ruleId, ...range }, sensitivity: true });
      const { sensitivity, signalCount } = await ended(turned);
      expectSame(documentsOf(context.sql, turned), twin.filter((text) => (JSON.parse(text) as { rule_id: string }).rule_id === ruleId));
      const engine = await Backtest.create({ rules: setup.rules, pipelines: [], suppressions: [], criticalAssets: [], referenceTables: {}, workers: 0, variant: "simd", allowedLatenessMs: 300_000 });
      for (const came of short) {
        const { bytes, profile, arrivalMs, partition } = entryOf(came);
        await engine.push(bytes, { ...profile, arrivalMs, partition });
      }
      const expected = (await engine.close()).rules.find(({ rule }) => rule.id === ruleId)!.sensitivity;
      expect(sensitivity).toEqual(JSON.parse(JSON.stringify(expected)));
      expect(sensitivity.settings.find(({ factor }: { readonly factor: number }) => factor === 1).signals).toBe(signalCount);
    }
    const id = await run({ jobDefinition: definition, sensitivity: true });
    const { settings } = (await ended(id)).sensitivity as { readonly settings: ReadonlyArray<Record<string, unknown>> };
    expect(settings.map(({ factor, setting }) => [factor, setting])).toEqual([[0.5, "a > 1"], [1, "a > 3"], [2, "a > 6"], [4, "a > 12"]]);
    expect(settings[0]).toMatchObject({ bySeverity: { medium: settings[0]!.signals } });
    expect((await ask("GET", `${JOBS}/${id}`, undefined, "bob")).body.data.attributes).not.toHaveProperty("sensitivity");
    await journal.close();
  });

  test("[HJ-02] run a rule as it is: the same signals, byte by byte, as live", async () => {
    const journal = await journalOf("rule", short);
    const rules = [burst, fresh, chain, both, each];
    const { run, ended, ask, context } = await jobsOver(journal, setupOf(rules));
    const twin = await live(short, setupOf(rules));
    for (const { id: ruleId } of rules) {
      const id = await run({ fromRule: { id: ruleId, ...range } });
      expect(await ended(id)).toMatchObject({ jobStatus: "completed", createdFromRuleId: ruleId, jobDefinition: { ...range, queries: expect.any(Array), cases: expect.any(Array) } });
      expectSame(documentsOf(context.sql, id), twin.filter((text) => (JSON.parse(text) as { rule_id: string }).rule_id === ruleId));
    }
    const id = await run({ fromRule: { id: "burst", ...range, caseIndex: 2, notifications: ["@soc"] } });
    await ended(id);
    const found = (await ask("GET", `${JOBS}/${id}/histsignals?page[limit]=1000`)).body.data;
    expect(new Set(found.map((each: any) => each.attributes.severity))).toEqual(new Set(["low"]));
    expect((await ask("POST", JOBS, { data: { attributes: { fromRule: { id: "burst", ...range, caseIndex: 3 } } } })).status).toBe(400);
    expect((await ask("POST", JOBS, { data: { attributes: { fromRule: { id: "none", ...range } } } })).status).toBe(404);
    await journal.close();
  });

  test("[HJ-01] look at the events of a range and an index, and at what is said beside a query", async () => {
    const journal = await journalOf("range", [...short, { arrivalMs: startMs, partition: "audit", dataSource: "audit", events: short[0]!.events! }]);
    const { run, ended, ask, context } = await jobsOver(journal, setupOf([burst]));
    const [from, to] = [startMs + 10_000, startMs + 31_001];
    const half = await run({ jobDefinition: { ...definition, from, to } });
    expect((await ended(half)).eventCount).toBeLessThan(1600);
    const found = (await ask("GET", `${JOBS}/${half}/histsignals?page[limit]=1000`)).body.data;
    for (const { attributes } of found) expect(Date.parse(attributes.custom.workflow.first_seen)).toBeGreaterThanOrEqual(from);
    expectSame(documentsOf(context.sql, half), (await overJournal(journal, { setup: setupOf([{ ...definition, id: (JSON.parse(documentsOf(context.sql, half)[0]!) as any).rule_id, isEnabled: true }]), fromMs: from, toMs: to })).documents);
    const narrowed = await run({ jobDefinition: { ...definition, queries: [{ ...definition.queries[0], additionalFilters: "@usr.id:user-1 OR @usr.id:user-2", customQueryExtension: "service:login" }] } });
    await ended(narrowed);
    expect(new Set(documentsOf(context.sql, narrowed).map((text) => (JSON.parse(text) as any).group["@usr.id"]))).toEqual(new Set(["user-1", "user-2"]));
    const audit = await run({ jobDefinition: { ...definition, index: "audit", queries: [{ ...definition.queries[0], dataSource: undefined, groupByFields: [] }] } });
    expect(await ended(audit)).toMatchObject({ jobStatus: "completed", signalCount: 1 });
    expect((await ask("POST", JOBS, { data: { attributes: { jobDefinition: { ...definition, index: "audit" } } } })).body.errors[0]).toMatchObject({ status: "400", detail: expect.stringContaining("run it over main") });
    await journal.close();
  });

  test("[HJ-01] [HJ-04] results are searched, sorted and paged; jobs listed, found and sorted", async () => {
    const journal = await journalOf("search", short);
    const { run, ended, ask } = await jobsOver(journal, setupOf([burst, fresh]));
    const first = await run({ fromRule: { id: "fresh", ...range } });
    const second = await run({ jobDefinition: definition }, "bob");
    await Promise.all([ended(first), ended(second)]);
    const all = (await ask("GET", `${RESULTS}?page[limit]=1000`)).body.data as any[];
    expect(all.map(({ attributes }) => attributes.timestamp)).toEqual(all.map(({ attributes }) => attributes.timestamp).sort().reverse());
    const paged: string[] = [];
    for (let cursor = ""; ; ) {
      const { body } = await ask("POST", `${RESULTS}/search`, { sort: "timestamp", page: { limit: 37, ...(cursor ? { cursor } : {}) } });
      paged.push(...body.data.map(({ id }: any) => id));
      if (!body.meta) break;
      expect(body.data).toHaveLength(37);
      expect(body.links.next).toContain("page%5Bcursor%5D=");
      cursor = body.meta.page.after;
    }
    expect(paged).toEqual(all.map(({ id }) => id).reverse());
    const medium = (await ask("POST", `${RESULTS}/search`, { filter: { query: "status:medium @usr.id:user-7" }, page: { limit: 100 } })).body.data;
    expect(medium.length).toBeGreaterThan(0);
    expect(medium).toEqual(all.filter(({ attributes }) => attributes.status === "medium" && attributes.custom.groupByValues["@usr.id"] === "user-7"));
    expect((await ask("GET", `${RESULTS}?filter[to]=${startMs}`)).body).toEqual({ data: [] });
    expect((await ask("GET", `${RESULTS}?sort=severity`)).status).toBe(400);
    expect((await ask("GET", `${RESULTS}?page[cursor]=abc`)).status).toBe(400);
    expect((await ask("GET", `${RESULTS}/${first}-000000000000000000000000`)).status).toBe(404);
    const jobs = async (query: string): Promise<unknown> => {
      const { body } = await ask("GET", `${JOBS}?${query}`);
      return [body.data.map(({ id }: any) => (id === first ? "first" : "second")), body.meta.totalCount];
    };
    expect(await jobs("sort=createdAt")).toEqual([["first", "second"], 2]);
    expect(await jobs("sort=-jobName")).toEqual([["first", "second"], 2]);
    expect(await jobs(`filter[query]=id:${second}`)).toEqual([["second"], 1]);
    expect(await jobs(`filter[query]=${encodeURIComponent("jobStatus:completed createdByHandle:bob*")}`)).toEqual([["second"], 1]);
    expect(await jobs("page[size]=1&page[number]=1&sort=createdAt")).toEqual([["second"], 2]);
    expect((await ask("GET", `${JOBS}?sort=weight`)).status).toBe(400);
    expect((await ask("GET", `${JOBS}?filter[query]=%28`)).status).toBe(400);
    await journal.close();
  });

  test("[HJ-03] results become signals with severity, message and handles as asked, once", async () => {
    const journal = await journalOf("convert", short);
    const { run, ended, ask, context, told } = await jobsOver(journal, setupOf([burst]));
    const id = await run({ jobDefinition: definition });
    await ended(id);
    const [one, two] = (await ask("GET", `${JOBS}/${id}/histsignals`)).body.data;
    const convert = (jobResultIds: readonly string[], more: object = {}) => ask("POST", `${JOBS}/signal_convert`, { data: { type: "historicalDetectionsJobResultSignalConversion", attributes: { jobResultIds, notifications: ["@soc@example.com"], signalMessage: "look at this", signalSeverity: "critical", ...more } } });
    expect((await convert([one.id, `${id}-nothing`])).status).toBe(404);
    expect(context.signals.count).toBe(0);
    expect(await convert([one.id, two.id, one.id])).toMatchObject({ status: 204, text: "" });
    expect((await convert([one.id])).status).toBe(204);
    const made = context.signals.all();
    expect(made.map((each) => each.id).sort()).toEqual([...told].sort());
    expect(made).toHaveLength(2);
    for (const signal of made) {
      const document = JSON.parse(signal.document);
      expect(signal).toMatchObject({ severity: "critical", triage: { state: "open" } });
      expect(signal.createdMs).toBeGreaterThan(signal.lastSeenMs);
      expect(document).toMatchObject({ id: signal.id, message: "look at this", severity: "critical", first_seen: signal.firstSeenMs, details: { case: { notifications: ["@soc@example.com"] }, method: { historical_job_id: id } } });
    }
    expect(made.map(({ firstSeenMs }) => new Date(firstSeenMs).toISOString()).sort()).toEqual([one, two].map(({ attributes }) => attributes.custom.workflow.first_seen).sort());
    const { searchable } = await import("../../host/signal-search/searchable.ts");
    expect((searchable(made[0]!).event.attributes as any).workflow.timings).not.toHaveProperty("time_to_detect");
    expect((await convert([one.id], { signalSeverity: "grave" })).status).toBe(400);
    expect((await convert([])).status).toBe(400);
    await journal.close();
  });

  test("[HJ-04] jobs that wait or run are cancelled, those that are done deleted with what they found; the other way round is a conflict", async () => {
    const journal = await journalOf("cancel", logins(3000));
    const { run, ended, jobOf, ask, context } = await jobsOver(journal, setupOf([each]));
    const running = await run({ fromRule: { id: "each", ...range } });
    const waiting = await run({ jobDefinition: definition });
    while (!((await jobOf(running)).progressRate > 0)) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await jobOf(waiting)).toMatchObject({ jobStatus: "pending", progressRate: 0 });
    expect((await ask("DELETE", `${JOBS}/${running}`)).status).toBe(409);
    expect((await ask("DELETE", `${JOBS}/${waiting}`)).status).toBe(409);
    expect((await ask("PATCH", `${JOBS}/${waiting}/cancel`)).status).toBe(204);
    expect((await ask("PATCH", `${JOBS}/${running}/cancel`)).status).toBe(204);
    for (const id of [running, waiting]) {
      expect(await jobOf(id)).toMatchObject({ jobStatus: "cancelled" });
      expect((await ask("PATCH", `${JOBS}/${id}/cancel`)).status).toBe(409);
      expect((await ask("GET", `${JOBS}/${id}/histsignals`)).body).toEqual({ data: [] });
    }
    const after = await run({ jobDefinition: { ...definition, to: startMs + 60_000 } });
    expect((await ended(after)).jobStatus).toBe("completed");
    expect((await jobOf(running)).jobStatus).toBe("cancelled");
    expect(documentsOf(context.sql, running)).toEqual([]);
    expect(documentsOf(context.sql, after).length).toBeGreaterThan(0);
    expect((await ask("DELETE", `${JOBS}/${after}`)).status).toBe(204);
    expect(documentsOf(context.sql, after)).toEqual([]);
    for (const [method, path] of [["GET", ""], ["PATCH", "/cancel"], ["DELETE", ""], ["GET", "/histsignals"]] as const) {
      expect((await ask(method, `${JOBS}/${after}${path}`)).status).toBe(404);
      const bad = await ask(method, `${JOBS}/inva-lid${path}`);
      expect([bad.status, bad.body.errors[0].detail]).toEqual([400, "invalid jobId"]);
    }
    await journal.close();
  });

  test("users have their turns one after another, however many jobs one of them has", async () => {
    const journal = await journalOf("fair", short);
    const { run, ended, context } = await jobsOver(journal, setupOf([burst]));
    const ids: Record<string, string> = {};
    for (const name of ["ann-1", "ann-2", "ann-3", "bob-1"]) ids[name] = await run({ jobDefinition: { ...definition, name } }, name.slice(0, 3));
    await Promise.all(Object.values(ids).map(ended));
    const order = context.sql.all("SELECT name FROM historical_jobs ORDER BY modified_at").map(({ name }) => name);
    expect(order.indexOf("bob-1")).toBe(1);
    await journal.close();
  });

  test("what a stop cuts short is begun anew, its results in place of what there was, as a whole", async () => {
    const journal = await journalOf("restart", short);
    const sql = SqlDriver.open(join(root, "restart.db"), migrations);
    const store = new JobStore(sql);
    const first = await jobsOver(journal, setupOf([burst]), undefined, {}, sql);
    const id = await first.run({ jobDefinition: definition });
    await first.ended(id);
    const whole = documentsOf(sql, id);
    await first.room.close?.();
    // As a kill leaves it: half of a second run is there.
    sql.run("UPDATE historical_jobs SET status = 'running', run = 2 WHERE id = ?", id);
    store.stage(id, 2, [{ id: "half", ruleId: "r", severity: "low", firstSeenMs: 1, lastSeenMs: 1, eventsMatched: 1, document: "{}" }], []);
    const second = await jobsOver(journal, setupOf([burst]), undefined, {}, sql);
    expect(await second.ended(id)).toMatchObject({ jobStatus: "completed", signalCount: whole.length });
    expect(documentsOf(sql, id)).toEqual(whole);
    expect(store.get(id)!.run).toBe(3);
    await second.room.close?.();
    sql.close();
    await journal.close();
  });

  test("retention takes nothing from under a job that runs", async () => {
    const journal = await Journal.open(join(root, "kept"), { segmentBytes: 1_000_000, maxAgeMs: 1, compress: false });
    journal.keepFrom("filling", journal.start);
    const came = logins(2000);
    for (let i = 0; i < came.length; i += 20) await journal.append(came.slice(i, i + 20).map(entryOf));
    const { run, ended } = await jobsOver(journal, setupOf([each]), undefined, { mostSignals: 100_000 });
    const before = journal.segments.length;
    expect(before).toBeGreaterThan(3);
    const late = await run({ fromRule: { id: "each", ...range } });
    journal.keepFrom("filling", undefined);
    // All of it is too old by now.
    expect(await journal.retain(Date.now())).toEqual([]);
    expect(await ended(late)).toMatchObject({ jobStatus: "completed", eventCount: 80_000 });
    expect((await journal.retain(Date.now())).length).toBeGreaterThanOrEqual(before - 1);
    await journal.close();
  });

  test("seeing takes both rights to read, running that to write rules, converting that to write signals; a role's queries narrow what is judged and seen", async () => {
    const journal = await journalOf("rights", short);
    const named = (name: string, ...permissions: readonly string[]) => person(name, permissions.map((each) => `security_monitoring_${each}` as Permission));
    const parsed = parseQuery("@usr.id:user-3");
    if (!parsed.ok) throw new Error();
    const people = [person("ann"), named("reader", "signals_read", "rules_read"), named("half", "signals_read"), named("runner", "rules_write"), { ...person("narrow"), restriction: [parsed.node] }];
    const { run, ended, ask, context } = await jobsOver(journal, setupOf([burst]), people);
    const id = await run({ jobDefinition: definition }, "runner");
    await ended(id);
    const [result] = (await ask("GET", `${JOBS}/${id}/histsignals`, undefined, "reader")).body.data;
    for (const path of [JOBS, `${JOBS}/${id}`, `${JOBS}/${id}/histsignals`, RESULTS, `${RESULTS}/${result.id}`]) {
      expect([path, (await ask("GET", path, undefined, "reader")).status, (await ask("GET", path, undefined, "half")).status, (await ask("GET", path, undefined, "runner")).status]).toEqual([path, 200, 403, 403]);
    }
    const body = { data: { attributes: { jobDefinition: definition } } };
    expect((await ask("POST", JOBS, body, "reader")).status).toBe(403);
    expect((await ask("PATCH", `${JOBS}/${id}/cancel`, undefined, "reader")).status).toBe(403);
    expect((await ask("DELETE", `${JOBS}/${id}`, undefined, "reader")).status).toBe(403);
    expect((await ask("POST", `${JOBS}/signal_convert`, { data: { attributes: { jobResultIds: [result.id], notifications: [], signalMessage: "", signalSeverity: "low" } } }, "runner")).status).toBe(403);
    const usersOf = (found: any): string[] => [...new Set<string>(found.body.data.map(({ attributes }: any) => attributes.custom.groupByValues["@usr.id"]))];
    expect(usersOf(await ask("GET", `${JOBS}/${id}/histsignals?page[limit]=1000`, undefined, "narrow"))).toEqual(["user-3"]);
    const own = await run({ jobDefinition: definition }, "narrow");
    await ended(own);
    expect([...new Set(documentsOf(context.sql, own).map((text) => (JSON.parse(text) as any).group["@usr.id"]))]).toEqual(["user-3"]);
    await journal.close();
  });

  test("definitions that make no sense are refused with every fault, and never a fault of ours", async () => {
    const journal = await journalOf("hostile", short.slice(0, 2));
    const { ask, faults } = await jobsOver(journal, setupOf([burst]));
    const start = (attributes: unknown) => ask("POST", JOBS, { data: { type: "historicalDetectionsJobCreate", attributes } });
    for (const attributes of [{}, { jobDefinition: definition, fromRule: { id: "burst", ...range } }]) expect((await start(attributes)).body.errors[0].detail).toContain("exactly one");
    const bad = await start({ jobDefinition: { ...definition, queries: [{ query: "source:(" }], cases: [{ status: "grave", condition: "b >" }] } });
    expect(bad.status).toBe(400);
    expect(bad.body.errors.length).toBeGreaterThan(3);
    expect((await start({ jobDefinition: { ...definition, queries: [{ ...definition.queries[0], additionalFilters: "a) OR (b" }] } })).status).toBe(400);
    expect((await start({ jobDefinition: { ...definition, from: range.to, to: range.from } })).body.errors[0].detail).toContain("before to");
    expect((await start({ jobDefinition: { ...definition, queries: [{ ...definition.queries[0], query: `@${"a.".repeat(3000)}b:1` }] } })).body.errors.map(({ detail }: any) => detail).join()).toContain("too deep");
    const odd = fc.oneof(fc.constantFrom(null, "", "(", "*", "a > 0", -1, 0, 1e300, 60, true, [], {}, "log_detection", "signal_correlation", "security_signals", "__proto__", "new_value", "third_party"), fc.jsonValue({ maxDepth: 3 }));
    const member = (names: readonly string[]) => fc.dictionary(fc.constantFrom(...names), odd, { maxKeys: 4 });
    const query = member(["name", "query", "aggregation", "dataSource", "groupByFields", "distinctFields", "metrics", "additionalFilters", "customQueryExtension", "ruleId", "correlatedByFields", "correlatedQueryIndex", "hasOptionalGroupByFields", "index", "indexes"]).map((more) => ({ ...definition.queries[0], ...more }));
    const whole = fc.record({
      top: member(["type", "tags", "message", "name", "index", "from", "to", "groupSignalsBy", "referenceTables", "calculatedFields", "thirdPartyCases", "filters"]), queries: fc.array(fc.oneof(query, odd), { maxLength: 3 }),
      cases: fc.array(fc.oneof(member(["status", "condition", "name", "notifications", "query", "customStatus"]).map((more) => ({ ...definition.cases[0], ...more })), odd), { maxLength: 3 }),
      options: fc.oneof(member(["detectionMethod", "evaluationWindow", "keepAlive", "maxSignalDuration", "newValueOptions", "anomalyDetectionOptions", "sequenceDetectionOptions", "thirdPartyRuleOptions", "impossibleTravelOptions", "hardcodedEvaluatorType"]).map((more) => ({ ...options, ...more })), odd),
    });
    await fc.assert(fc.asyncProperty(whole, async ({ top, queries, cases, options: its }) => {
      const { status, text } = await start({ jobDefinition: { ...definition, queries, cases, options: its, ...top } });
      expect([status, text]).toEqual([expect.toBeOneOf([201, 400, 429]), text]);
      expect(text).not.toContain("    at ");
    }), { numRuns: 150 });
    expect(faults).toEqual([]);
    await journal.close();
  });

  test("a rule that fires at everything is ended with its reason; more results than are kept are counted", async () => {
    const journal = await journalOf("loud", logins(60));
    const { run, ended, ask } = await jobsOver(journal, setupOf([each]), undefined, { mostSignals: 50 });
    const cut = await ended(await run({ fromRule: { id: "each", ...range } }));
    expect(cut).toMatchObject({ jobStatus: "completed", signalCount: 50, note: expect.stringContaining(`${cut.signalsLeftOut} further signals were left out`) });
    expect(cut.signalsLeftOut).toBeGreaterThan(100);
    const loud = await run({ jobDefinition: { ...definition, options: { ...options, evaluationWindow: 0, keepAlive: 0, maxSignalDuration: 0 }, cases: [{ status: "low", condition: "a > 0" }] } });
    expect(await ended(loud)).toMatchObject({ jobStatus: "failed", note: expect.stringContaining("more than 500 signals") });
    expect((await ask("GET", `${JOBS}/${loud}/histsignals`)).body).toEqual({ data: [] });
    await journal.close();
  });

  test("what is done is written down: asked for, done, cancelled, deleted", async () => {
    const journal = await journalOf("trail", short);
    const { run, ended, ask, trail, ownTrail } = await jobsOver(journal, setupOf([burst]));
    const id = await run({ jobDefinition: definition });
    await ended(id);
    const [{ id: result }] = (await ask("GET", `${JOBS}/${id}/histsignals`)).body.data;
    await ask("POST", `${JOBS}/signal_convert`, { data: { attributes: { jobResultIds: [result], notifications: [], signalMessage: "", signalSeverity: "low" } } }, "bob");
    const other = await run({ jobDefinition: { ...definition, name: "Other" } }, "bob");
    await ask("PATCH", `${JOBS}/${other}/cancel`);
    await ask("DELETE", `${JOBS}/${id}`);
    const asset = { type: "historical_job", id, name: "Failures" };
    expect(trail.map(({ who, entry }) => [who.name, entry])).toMatchObject([
      ["ann", { action: "created", asset, after: { name: "Failures" } }],
      ["bob", { action: "executed", asset, after: { jobResultIds: [result] } }],
      ["bob", { action: "created", asset: { id: other } }],
      ["ann", { action: "modified", asset: { id: other }, after: { status: "cancelled" } }],
      ["ann", { action: "deleted", asset }],
    ]);
    expect(ownTrail).toMatchObject([["ann@example.com", { action: "executed", asset, outcome: "success", message: expect.stringContaining("completed") }]]);
    await journal.close();
  });
});
