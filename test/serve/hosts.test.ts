import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { HostStore } from "../../host/store/hosts.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import { call } from "../control/audit-support.ts";
import { TestRules, ask, send, serverFolder } from "./support.ts";

const folder = serverFolder();
const inventory = { hostname: "web-1", timestamp: 1, uuid: "x", agent_metadata: { agent_version: "7.71.2", feature_logs_enabled: true, feature_cws_enabled: true, feature_cspm_enabled: false, flavor: "agent" } };
const metadata = { internalHostname: "db-1", agentVersion: "7.70.0", os: "linux", "host-tags": { system: ["env:prod"] }, systemStats: {} };
const hosts = async (server: VespidServer, headers = {}): Promise<Record<string, any>> => {
  const { status, body } = await call(server, "GET", "/api/v2/hosts", undefined, headers);
  expect(status, JSON.stringify(body)).toBe(200);
  return Object.fromEntries(body.data.map(({ id, attributes }: any) => [id, attributes]));
};

describe("hosts of a server", () => {
  test("[XX-03] Agents tell of themselves: last seen, version and what they are switched on for; a host that only sends logs shows too", async () => {
    const data = join(folder.path, "beats");
    const server = await folder.start(new TestRules([]), { data });
    for (const [path, body] of [["/api/v1/metadata", inventory], ["/intake/", metadata], ["/intake/?api_key=x", { hostname: "mail-1", agent_version: "1.0", modules: ["logs", 7], tags: ["team:mail"] }]] as const) {
      expect(await call(server, "POST", path, body)).toEqual({ status: 202, body: { status: "ok" } });
    }
    expect(await send(server, [{ message: "a", hostname: "web-1" }, { message: "b", hostname: "web-1" }, { message: "c", hostname: "old-1" }, { message: "d" }])).toBe(202);
    const found = await hosts(server);
    expect(Object.keys(found)).toEqual(["db-1", "mail-1", "old-1", "web-1"]);
    expect(found["web-1"]).toMatchObject({ reporting: true, agent_version: "7.71.2", modules: ["logs", "workload protection"], logs: 2 });
    expect(found["db-1"]).toMatchObject({ reporting: true, agent_version: "7.70.0", os: "linux", tags: ["env:prod"], modules: [], logs: 0 });
    expect(found["mail-1"]).toMatchObject({ agent_version: "1.0", modules: ["logs"], tags: ["team:mail"] });
    expect(found["old-1"]).toMatchObject({ reporting: false, last_seen: null, agent_version: null, logs: 1 });
    for (const name of ["web-1", "db-1"]) expect(Math.abs(Date.parse(found[name].last_seen) - Date.now())).toBeLessThan(60_000);
    expect((await ask(server, "/metrics")).text).toMatch(/^vespid_hosts_reporting 3$/m);
    // What is told in parts adds up, and outlives a restart.
    await call(server, "POST", "/intake/", { internalHostname: "web-1", os: "linux", agentVersion: "7.72.0" });
    await server.close();
    const again = await folder.start(new TestRules([]), { data });
    expect((await hosts(again))["web-1"]).toMatchObject({ agent_version: "7.72.0", os: "linux", modules: ["logs", "workload protection"], logs: 2 });
    expect(folder.faults).toEqual([]);
  });

  test("no log comes of it, a key is asked for, and what names no host is taken for nothing", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "doors"), keysRequired: true });
    expect((await call(server, "POST", "/intake/", metadata)).status).toBe(401);
    expect((await call(server, "POST", "/api/v1/metadata", inventory, { "dd-api-key": "wrong" })).status).toBe(403);
    const open = await folder.start(new TestRules([]), { data: join(folder.path, "open") });
    for (const body of [{ check_metadata: {} }, { hostname: "" }, { hostname: "x".repeat(300) }, { hostname: { a: 1 } }]) expect((await call(open, "POST", "/api/v1/metadata", body)).status).toBe(202);
    expect((await call(open, "POST", "/api/v1/metadata", [1])).status).toBe(400);
    expect(await hosts(open)).toEqual({});
    expect((await ask(open, "/metrics")).text).toMatch(/^vespid_events_total 0$/m);
    expect((await call(open, "GET", "/api/v2/hosts?filter[logs_from]=soon")).status).toBe(400);
  });

  test("whose roles see some logs alone sees the hosts of these", async () => {
    const server = await folder.start(new TestRules([]), { data: join(folder.path, "sight") });
    const made = async (path: string, body: unknown): Promise<any> => (await call(server, "POST", path, { data: body })).body.data;
    const role = (await made("/api/v2/roles", { type: "roles", attributes: { name: "web alone" }, relationships: { permissions: { data: (await call(server, "GET", "/api/v2/permissions")).body.data.filter(({ attributes }: any) => attributes.name === "logs_read_data").map(({ id }: any) => ({ id, type: "permissions" })) } } })).id;
    expect((await call(server, "PUT", `/api/v2/roles/${role}/restriction_query`, { data: { attributes: { restriction_query: "host:web-*" } } })).status).toBe(200);
    const user = (await made("/api/v2/users", { type: "users", attributes: { email: "eve@example.com" }, relationships: { roles: { data: [{ id: role, type: "roles" }] } } })).id;
    const application = (await made("/api/v2/application_keys", { type: "application_keys", attributes: { name: "eve" }, relationships: { owned_by: { data: { id: user, type: "users" } } } })).attributes.key;
    const api = (await made("/api/v2/api_keys", { type: "api_keys", attributes: { name: "eve" } })).attributes.key;
    for (const name of ["web-1", "web-2", "db-1"]) await call(server, "POST", "/intake/", { internalHostname: name, agentVersion: "7.1" });
    await send(server, [{ message: "a", hostname: "web-1" }, { message: "b", hostname: "db-1" }]);
    expect(Object.keys(await hosts(server))).toEqual(["db-1", "web-1", "web-2"]);
    expect(Object.keys(await hosts(server, { "dd-api-key": api, "dd-application-key": application }))).toEqual(["web-1"]);
  });

  test("names from outside fill no disk: the least lately heard of go first", () => {
    const sql = SqlDriver.open(":memory:", migrations);
    const store = new HostStore(sql, 3);
    for (const [i, name] of ["a", "b", "c", "a", "d"].entries()) store.beat({ name, version: String(i) }, i);
    expect(store.all().map(({ name, firstSeenMs, lastSeenMs, version }) => [name, firstSeenMs, lastSeenMs, version])).toEqual([["a", 0, 3, "3"], ["c", 2, 2, "2"], ["d", 4, 4, "4"]]);
    store.release(3);
    expect(store.all().map(({ name }) => name)).toEqual(["a", "d"]);
    sql.close();
  });
});

describe("what the pipeline says of itself", () => {
  test("[XX-04] processor time, memory, queues and counts, as Prometheus reads them", async () => {
    const server = await folder.start(new TestRules([{ id: "r", name: "r", message: "", isEnabled: true, type: "log_detection", tags: [], options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 }, queries: [{ name: "a", query: "source:x", aggregation: "count", groupByFields: [] }], cases: [{ name: "", status: "low", condition: "a > 1" }] }]), { data: join(folder.path, "metrics") });
    const values = async (): Promise<Map<string, number>> => {
      const answer = await fetch(`http://127.0.0.1:${server.address.port}/metrics`);
      expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
      const text = await answer.text();
      // Every sample is of a family that was announced with its type.
      const families = new Set([...text.matchAll(/^# TYPE (\w+) (?:counter|gauge)$/gm)].map(([, name]) => name));
      const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => /^(\w+)(\{.*\})? (-?[\d.e+-]+)$/.exec(line)!);
      expect(samples.filter((sample) => !sample || !families.has(sample[1]!))).toEqual([]);
      return new Map(samples.map(([, name, labels = "", value]) => [`${name}${labels}`, Number(value)]));
    };
    const before = await values();
    for (const name of ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds", "vespid_event_loop_utilization", "vespid_held_bytes", "vespid_judged_behind_entries", "vespid_checkpoint_behind_entries", "vespid_journal_bytes", "vespid_state_bytes", "vespid_intake_active_requests"]) expect(before.has(name), name).toBe(true);
    expect(before.get("vespid_events_total")).toBe(0);
    expect(await send(server, Array.from({ length: 500 }, () => ({ ddsource: "x", message: "m" })))).toBe(202);
    await server.detection.storeSignals();
    const after = await values();
    expect([after.get("vespid_events_total"), after.get("vespid_matches_total"), after.get("vespid_signals"), after.get('vespid_intake_events_total{input="datadog"}')]).toEqual([500, 500, 1, 500]);
    expect([after.get("vespid_judged_behind_entries"), after.get("vespid_held_bytes")]).toEqual([0, 0]);
    expect(after.get("process_cpu_seconds_total")!).toBeGreaterThan(before.get("process_cpu_seconds_total")!);
    expect(after.get("vespid_journal_written_bytes_total")!).toBeGreaterThan(before.get("vespid_journal_written_bytes_total")!);
  });
});
