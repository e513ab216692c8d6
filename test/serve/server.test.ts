import { describe, expect, test } from "vitest";
import { KeyStore } from "../../host/store/keys.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { join } from "node:path";
import { comparePositions } from "../../host/journal/contract.ts";
import { defaultConfig } from "../../host/serve/config.ts";
import { TestRules, ask, send, serverFolder, until } from "./support.ts";

const rule = (id: string, condition = "a > 4") => ({
  id, name: id, message: "{{@usr.id}} failed", isEnabled: true, type: "log_detection", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: "source:sso @evt.outcome:failure", aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "high", condition }],
});

const failure = (user: string) => ({ message: "login failure", ddsource: "sso", evt: { outcome: "failure" }, usr: { id: user } });
const times = (count: number, user: string): unknown[] => Array.from({ length: count }, () => failure(user));

describe("a server", () => {
  const folder = serverFolder();

  test("[IN-03] a log that is taken is judged, and its signal is in the store without a further event", async () => {
    const server = await folder.start(new TestRules([rule("burst")]));
    expect(await send(server, times(5, "eve"))).toBe(202);
    await until(() => server.signals.count === 1);
    expect(server.signals.all()).toMatchObject([{ ruleId: "burst", severity: "high", eventsMatched: 5 }]);
    expect(JSON.parse(server.signals.all()[0]!.document)).toMatchObject({ group: { "@usr.id": "eve" }, message: "eve failed" });
  });

  test("a sender that makes up for an hour is late for nobody but itself", async () => {
    const server = await folder.start(new TestRules([rule("burst")]), { http: { ...defaultConfig("").http, host: "0.0.0.0", port: 0, plainBeyondLoopback: true } });
    const at = (user: string, agoMs: number) => times(5, user).map((event) => ({ ...(event as object), timestamp: Date.now() - agoMs }));
    expect(await send(server, at("now", 0))).toBe(202);
    expect(await send(server, at("an hour ago", 3_600_000), {}, "127.0.0.2")).toBe(202);
    await until(() => ["now", "an hour ago"].every((user) => server.signals.all().some(({ document }) => document.includes(`"${user}"`))));
    expect(server.detection.stats.lateDropped).toBe(0);
  });

  test("goes on where it stopped: what was counted counts, what was told is the same signal", async () => {
    const rules = new TestRules([rule("burst")]);
    const first = await folder.start(rules);
    expect(await send(first, times(3, "mallory"))).toBe(202);
    await first.close();
    const second = await folder.start(rules);
    expect(second.detection.restored).toMatchObject({ dropped: [] });
    expect(await send(second, times(2, "mallory"))).toBe(202);
    await until(() => second.signals.all().some(({ document }) => document.includes("mallory")));
    const told = second.signals.all().find(({ document }) => document.includes("mallory"))!;
    expect(told.eventsMatched).toBe(5);
    await second.close();
    const third = await folder.start(rules);
    expect(await send(third, times(1, "mallory"))).toBe(202);
    await until(() => third.signals.get(told.id)!.eventsMatched === 6);
    expect(third.signals.all().filter(({ document }) => document.includes("mallory"))).toHaveLength(1);
    expect(folder.faults).toEqual([]);
  });

  test("[IN-05] no key and wrong keys stay outside; a key made while it runs lets in, and one taken back does not", async () => {
    const server = await folder.start(new TestRules([rule("burst")]), { keysRequired: true });
    expect([await send(server, times(1, "a")), await send(server, times(1, "a"), { "dd-api-key": "wrong" })]).toEqual([401, 403]);
    const sql = SqlDriver.open(join(folder.path, "data", "vespid.db"), migrations);
    const keys = new KeyStore(sql);
    const { key, stored } = keys.create("api", "shipper", Date.now());
    await until(async () => (await send(server, times(1, "a"), { "dd-api-key": key })) === 202);
    keys.revoke(stored.id);
    await until(async () => (await send(server, times(1, "a"), { "dd-api-key": key })) === 403);
    sql.close();
  });

  test("[IN-03] a log that is sent again under its id counts once with deduplicate, and is counted as left out", async () => {
    const server = await folder.start(new TestRules([rule("once")], { deduplicate: true }));
    const login = (id: string) => ({ ...failure("peggy"), event_id: id });
    expect(await send(server, ["a", "b", "c", "d"].map(login))).toBe(202);
    expect(await send(server, ["a", "b", "c"].map(login))).toBe(202);
    const metric = async (name: string): Promise<number> => Number(new RegExp(`^vespid_${name} (\\d+)$`, "m").exec((await ask(server, "/metrics")).text)![1]);
    await until(async () => (await metric("events_total")) >= 7);
    expect([await metric("duplicates_total"), await metric("ids_forgotten_total")]).toEqual([3, 0]);
    expect(server.signals.all().some(({ document }) => document.includes("peggy"))).toBe(false);
    expect(await send(server, [login("e")])).toBe(202);
    await until(() => server.signals.all().some(({ document }) => document.includes("peggy")));
  });

  test("a checkpoint is written when enough came since the last one, or at the tenth time", async () => {
    const server = await folder.start(new TestRules([rule("burst")]), { checkpointSeconds: 86_400 });
    const { detection } = server;
    const written = async (): Promise<boolean> => {
      const before = detection.checkpointed;
      await detection.checkpointWhenWorth();
      return comparePositions(before, detection.checkpointed) !== 0;
    };
    expect(await send(server, Array.from({ length: 500 }, (_, i) => ({ ...failure(`user ${i}`), text: "x".repeat(200) })))).toBe(202);
    expect(await written()).toBe(true);
    // The clock alone, nine times.
    const passes: boolean[] = [];
    for (let i = 0; i < 10; i++) {
      await detection.tick();
      passes.push(await written());
    }
    expect(passes).toEqual([...Array<boolean>(9).fill(false), true]);
    expect(await send(server, times(1, "walter"))).toBe(202);
    expect(await written()).toBe(false);
    expect(await send(server, Array.from({ length: 500 }, (_, i) => ({ ...failure(`user ${i}`), text: "x".repeat(200) })))).toBe(202);
    expect(await written()).toBe(true);
    // An end leaves one whatever came.
    expect(await send(server, times(1, "walter"))).toBe(202);
    const before = detection.checkpointed;
    await server.close();
    expect(comparePositions(before, detection.checkpointed)).toBeLessThan(0);
  });

  test("other rules from one batch to the next: what stays the same knows what it knew", async () => {
    const rules = new TestRules([rule("stays"), rule("goes", "a > 9")]);
    const server = await folder.start(rules);
    await send(server, times(4, "trent"));
    const now = { ...(await new TestRules([rule("stays"), rule("comes", "a > 1")]).load()).setup };
    const restored = await server.detection.swap(now);
    expect(restored!.dropped.map(({ ruleId }) => ruleId)).toEqual(["goes"]);
    await send(server, times(1, "trent"));
    const of = (id: string) => server.signals.all().filter(({ ruleId, document }) => ruleId === id && document.includes("trent"));
    await until(() => of("stays").length === 1);
    expect(of("stays")[0]!.eventsMatched).toBe(5);
    await send(server, times(2, "trent"));
    await until(() => of("comes").length === 1);
    expect([of("comes")[0]!.eventsMatched, of("goes")]).toEqual([3, []]);
  });
});
