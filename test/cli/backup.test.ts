import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backup } from "../../host/cli/backup.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { TestRules, send, serverFolder, until } from "../serve/support.ts";

const rule = {
  id: "logins", name: "logins", message: "", isEnabled: true, type: "log_detection", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 3600, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: "@evt.name:login", aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "low", condition: "a > 2" }],
};
const login = (user: string): unknown => ({ message: "in", evt: { name: "login" }, usr: { id: user } });

describe("vespid backup", () => {
  const folder = serverFolder();
  let to: string;
  beforeAll(() => {
    to = mkdtempSync(join(tmpdir(), "vespid-backup-"));
  });
  afterAll(() => rmSync(to, { recursive: true, force: true }));

  test("a copy taken under load is whole, and a server on it goes on where the first one was", async () => {
    const server = await folder.start(new TestRules([rule]));
    expect(await send(server, [login("ann"), login("ann")])).toBe(202);
    await server.detection.checkpoint();
    let sent = 0;
    let isOver = false;
    const load = (async () => {
      while (!isOver) if ((await send(server, [login(`u${sent % 50}`)])) === 202) sent++;
    })();
    await until(() => sent > 50);
    expect(await backup(join(to, "copy"), { data: join(folder.path, "data"), journal: true })).toBe(0);
    isOver = true;
    await load;
    const sql = SqlDriver.open(join(to, "copy", "vespid.db"), migrations);
    sql.check();
    sql.close();
    await server.close();
    const second = await folder.start(new TestRules([rule]), { data: join(to, "copy") });
    expect(await send(second, [login("ann")])).toBe(202);
    await second.detection.storeSignals();
    expect(second.signals.all().some(({ document }) => document.includes('"@usr.id":"ann"'))).toBe(true);
    expect(folder.faults).toEqual([]);
  });

  test("without the journal it is the database alone", async () => {
    expect(await backup(join(to, "slim"), { data: join(folder.path, "data"), journal: false })).toBe(0);
    expect(existsSync(join(to, "slim", "vespid.db"))).toBe(true);
    expect(existsSync(join(to, "slim", "journal"))).toBe(false);
  });

  test.each([
    ["a folder of something else", (data: string) => { mkdirSync(join(data, "../full")); writeFileSync(join(data, "../full/x"), ""); return join(data, "../full"); }],
    ["the data folder itself", (data: string) => join(data, "inside")],
  ])("%s is no target, and nothing is written there", async (_what, target) => {
    const data = join(folder.path, "data");
    const path = target(data);
    await expect(backup(path, { data, journal: true })).rejects.toThrow(/not empty|lies in the data folder/);
    expect(existsSync(join(path, "vespid.db"))).toBe(false);
  });

  test("a damaged database is no backup: it says so, exits with 2 and leaves nothing", async () => {
    const data = join(to, "damaged");
    mkdirSync(data);
    writeFileSync(join(data, "vespid.db"), "SQLite format 3\0".padEnd(8192, "\u0001"), "latin1");
    await expect(backup(join(to, "of-damaged"), { data, journal: true })).rejects.toThrow(/store\/unreadable|store\/damaged|malformed|not a database/);
    expect(existsSync(join(to, "of-damaged"))).toBe(false);
    expect(spawnSync("ls", ["-A", to], { encoding: "utf8" }).stdout).not.toContain("unfinished");
  });
});
