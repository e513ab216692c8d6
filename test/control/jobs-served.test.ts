import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { snapshotOf } from "../../host/history/journal-source.ts";
import { judgeJournal } from "../../host/history/journal-run.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { Found, each, expectSame, setupOf } from "../history/support.ts";
import { ServedProcess } from "../serve/child.ts";
import { atConfig, serveFolders, settings, until } from "../serve/process-support.ts";
import { burst, chain, fresh, login, spread } from "../serve/rules.ts";
import { TestRules, send, serverFolder } from "../serve/support.ts";
import { Dice } from "../search/support.ts";
import { JOBS, RESULTS } from "./jobs-support.ts";

const rules = [burst, spread, fresh, chain, each];
const whole = { from: 0, to: 8_640_000_000_000_000, index: "main" };

async function ask(server: VespidServer, method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: any }> {
  const answer = await fetch(`http://127.0.0.1:${server.address.port}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }) });
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
}

async function ended(server: VespidServer, id: string): Promise<any> {
  for (;;) {
    const { attributes } = (await ask(server, "GET", `${JOBS}/${id}`)).body.data;
    if (attributes.jobStatus !== "pending" && attributes.jobStatus !== "running") return attributes;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const run = async (server: VespidServer, attributes: unknown): Promise<string> => {
  const { status, body } = await ask(server, "POST", JOBS, { data: { type: "historicalDetectionsJobCreate", attributes } });
  expect([status, body]).toEqual([201, { data: { id: expect.any(String), type: "historicalDetectionsJob" } }]);
  return body.data.id as string;
};

const resultsOf = (data: string, id: string): string[] => {
  const sql = SqlDriver.open(join(data, "vespid.db"), migrations);
  try {
    return sql.all("SELECT document FROM historical_signals WHERE job_id = ? ORDER BY signal_id", id).map(({ document }) => String(document));
  } finally {
    sql.close();
  }
};

describe("jobs of a server", () => {
  const folder = serverFolder();
  const dice = new Dice(11);
  let nr = 0;
  const batch = (size: number): unknown[] => Array.from({ length: size }, () => login(nr++, Date.now(), () => dice.next()));

  test("[HJ-01] [HJ-02] find in the journal what was detected live, byte by byte, while logs go on coming in", async () => {
    const data = join(folder.path, "live");
    const server = await folder.start(new TestRules(rules), { data });
    for (let i = 0; i < 40; i++) {
      expect(await send(server, batch(30), {}, `127.0.0.${1 + (i % 3)}`)).toBe(202);
      if (i % 10 === 5) await server.detection.tick();
    }
    await server.detection.storeSignals();
    const live = server.signals.all().sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(new Set(live.map(({ ruleId }) => ruleId)).size).toBeGreaterThan(3);
    const ids = new Map<string, string>();
    for (const { id } of rules) ids.set(id, await run(server, { fromRule: { id, ...whole } }));
    // What comes now is not part of the first job, which has begun.
    const statuses = new Set<number>();
    for (let i = 0; i < 20; i++) statuses.add(await send(server, batch(30)));
    expect([...statuses]).toEqual([202]);
    const first = await ended(server, ids.get("burst")!);
    expect(first).toMatchObject({ jobStatus: "completed", createdByName: expect.any(String) });
    expect(first.eventCount).toBeLessThan(1300);
    expectSame(resultsOf(data, ids.get("burst")!), live.filter(({ ruleId }) => ruleId === "burst").map(({ document }) => document));
    // The others began later, and see more.
    for (const id of ids.values()) await ended(server, id);
    await server.detection.storeSignals();
    const later = server.signals.all().sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const { id: ruleId } of rules) {
      const id = await run(server, { fromRule: { id: ruleId, ...whole } });
      expect(await ended(server, id)).toMatchObject({ jobStatus: "completed" });
      expectSame(resultsOf(data, id), later.filter((signal) => signal.ruleId === ruleId).map(({ document }) => document));
    }
    expect(folder.faults).toEqual([]);
  }, 120_000);

  test("[DE-01] one definition as a rule judges what comes, as a job what is there, and the job leaves nothing with the live signals", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "both") });
    const definition = { type: "log_detection", name: "Failures", message: "{{@usr.id}}", tags: [], options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 }, queries: [{ name: "a", query: "source:shop @evt.outcome:failure", groupByFields: ["@usr.id"], aggregation: "count" }], cases: [{ name: "", status: "high", condition: "a > 1" }] };
    const failure = (user: string): unknown => ({ ddsource: "shop", evt: { outcome: "failure" }, usr: { id: user } });
    const users = async (path: string): Promise<string[]> => (await ask(server, "GET", path)).body.data.map(({ attributes }: any) => attributes.custom.groupByValues["@usr.id"]).toSorted();
    const LIVE = "/api/v2/security_monitoring/signals?filter[from]=now-1h&filter[to]=now%2B1m";
    expect(await send(server, [failure("ann"), failure("ann")])).toBe(202);
    const before = await run(server, { jobDefinition: { ...definition, ...whole } });
    expect(await ended(server, before)).toMatchObject({ jobStatus: "completed" });
    await server.detection.storeSignals();
    expect([await users(`${JOBS}/${before}/histsignals`), await users(LIVE), server.signals.count]).toEqual([["ann"], [], 0]);

    const made = await ask(server, "POST", "/api/v2/security_monitoring/rules", { ...definition, isEnabled: true });
    expect(made.status).toBe(200);
    // The past is the job's: the rule sees what comes from now on.
    expect(await send(server, [failure("bob"), failure("ann"), failure("bob")])).toBe(202);
    await server.detection.storeSignals();
    expect(await users(LIVE)).toEqual(["bob"]);
    const after = await run(server, { fromRule: { id: made.body.id, ...whole } });
    expect(await ended(server, after)).toMatchObject({ jobStatus: "completed" });
    await server.detection.storeSignals();
    expect([await users(`${JOBS}/${after}/histsignals`), await users(LIVE), server.signals.count]).toEqual([["ann", "bob"], ["bob"], 1]);
    expect(folder.faults).toEqual([]);
  }, 60_000);

  test("[HJ-01] rules over audit events are run over the index audit", async () => {
    const data = join(folder.path, "audit");
    const server = await folder.start(new TestRules([burst]), { data });
    await server.detection.accept([{ profile: { format: "log" }, partition: "audit", arrivalMs: Date.now(), dataSource: "audit", bytes: new TextEncoder().encode(`${JSON.stringify({ timestamp: Date.now(), source: "audit", attributes: { evt: { name: "Access Management" }, usr: { id: "ann" } } })}\n`) }]);
    expect(await send(server, [{ evt: { name: "Access Management" }, usr: { id: "bob" } }])).toBe(202);
    const definition = { ...whole, type: "log_detection", name: "Access", message: "{{@usr.id}}", queries: [{ name: "a", query: '@evt.name:"Access Management"', groupByFields: ["@usr.id"], aggregation: "count" }], cases: [{ name: "", status: "info", condition: "a > 0" }] };
    for (const [index, user] of [["audit", "ann"], ["main", "bob"]] as const) {
      const id = await run(server, { jobDefinition: { ...definition, index } });
      expect(await ended(server, id)).toMatchObject({ jobStatus: "completed" });
      const { body } = await ask(server, "GET", `${JOBS}/${id}/histsignals`);
      expect(body.data.map(({ attributes }: any) => attributes.custom.groupByValues["@usr.id"]).filter((name: string) => name === "ann" || name === "bob")).toEqual([user]);
    }
  }, 60_000);

  test("[HJ-03] a converted result is found among signals, and is nobody's time to detect", async () => {
    const server = await folder.start(new TestRules([burst]), { data: join(folder.path, "convert") });
    expect(await send(server, batch(400))).toBe(202);
    const id = await run(server, { fromRule: { id: "burst", ...whole } });
    await ended(server, id);
    const [found] = (await ask(server, "GET", `${RESULTS}?filter[query]=${encodeURIComponent("@workflow.rule.id:burst")}`)).body.data;
    expect((await ask(server, "POST", `${JOBS}/signal_convert`, { data: { type: "historicalDetectionsJobResultSignalConversion", attributes: { jobResultIds: [found.id], notifications: [], signalMessage: "from the past", signalSeverity: "critical" } } })).status).toBe(204);
    await until("it is found", async () => (await ask(server, "POST", "/api/v2/security_monitoring/signals/search", { filter: { query: `@historical_job_id:${id}` } })).body.data.length === 1);
    const [signal] = (await ask(server, "POST", "/api/v2/security_monitoring/signals/search", { filter: { query: `@historical_job_id:${id} status:critical` } })).body.data;
    expect(signal.attributes).toMatchObject({ message: expect.stringContaining("from the past"), custom: { historical_job_id: id, workflow: { first_seen: found.attributes.custom.workflow.first_seen, triage: { state: "open" } } } });
    expect((await ask(server, "POST", "/api/v2/security_monitoring/signals/search", { filter: { query: `@historical_job_id:${id} @workflow.timings.time_to_detect:>=0` } })).body.data).toEqual([]);
  }, 60_000);
});

describe("a server that is killed", () => {
  const folders = serveFolders();

  test("[HJ-01] in the midst of a job begins it anew and finds the same", async () => {
    const path = folders("killed", { "rules.json": JSON.stringify([each]), "vespid.yaml": settings() });
    const data = join(path, "data");
    const dice = new Dice(5);
    let server = await ServedProcess.start(atConfig(path));
    for (let i = 0; i < 60; i++) expect((await server.send(Array.from({ length: 500 }, (_, k) => login(i * 500 + k, Date.now() - 60_000, () => dice.next())))).status).toBe(202);
    const asked = await server.ask("POST", JOBS, JSON.stringify({ data: { attributes: { fromRule: { id: "each", ...whole } } } }));
    expect(asked.status, asked.text).toBe(201);
    const { id } = JSON.parse(asked.text).data;
    const job = async (): Promise<any> => JSON.parse((await server.ask("GET", `${JOBS}/${id}`)).text).data.attributes;
    await until("it runs", async () => (await job()).progressRate > 0);
    expect((await job()).jobStatus).toBe("running");
    await server.kill();
    expect(resultsOf(data, id).length).toBeGreaterThan(0);
    server = await ServedProcess.start(atConfig(path));
    expect(JSON.parse((await server.ask("GET", `${JOBS}/${id}/histsignals`)).text)).toEqual({ data: [] });
    await until("it is done", async () => (await job()).jobStatus === "completed");
    const found = new Found();
    await judgeJournal({ setup: setupOf([each]), fromMs: 0, toMs: whole.to, index: "main", details: true }, snapshotOf(join(data, "journal")), { onChanges: (changes) => found.hear(changes) });
    expectSame(resultsOf(data, id), found.sorted);
    expect((await job()).signalCount).toBe(found.documents.size);
    expect(await server.stop()).toBe(0);
  }, 120_000);
});
