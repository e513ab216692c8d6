import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ServeEvents, VespidServer } from "../../host/serve/server.ts";
import { Quarantine } from "../../host/serve/quarantine.ts";
import { burst } from "./rules.ts";
import { TestRules, ask, send, serverFolder, until } from "./support.ts";

const failures = (user: string): unknown[] => Array.from({ length: 7 }, () => ({ message: "login failure", ddsource: "sso", evt: { outcome: "failure" }, usr: { id: user } }));
const users = (server: VespidServer): string[] => server.signals.all().map(({ document }) => (JSON.parse(document) as { group: Record<string, string> }).group["@usr.id"]!).sort();

describe("a batch that detection fails on", () => {
  const folder = serverFolder();
  const data = join(folder.path, "data");
  const told: string[] = [];
  /** A fault of ours: whatever is about this user throws in the middle of judging. */
  const faulty: Partial<ServeEvents> = {
    onSignal: ({ signal }) => {
      if (signal.group["@usr.id"] === "poison") throw new Error("injected fault");
    },
    onSetAside: ({ segment, entry }, reason) => told.push(`${segment}:${entry} ${reason.split("\n")[0]}`),
  };
  const start = () => folder.start(new TestRules([burst]), {}, faulty);

  test("ends the server; after two more failed starts it is set aside, and what came behind it is judged", async () => {
    const server = await start();
    expect(await send(server, failures("before"))).toBe(202);
    await until(() => server.signals.count === 1);
    // On disk, therefore acknowledged whatever detection does; what follows it in the same turn is on disk too.
    await Promise.all([send(server, failures("poison")), send(server, failures("behind"))]);
    await server.ended;
    await server.close().catch(() => {});

    for (let failed = 0; failed < 2; failed++) {
      await expect(start()).rejects.toThrow("injected fault");
      expect(JSON.parse(readFileSync(join(data, "replay.json"), "utf8"))).toMatchObject({ failures: failed + 1, reason: expect.stringContaining("injected fault") });
    }
    const again = await start();
    expect(told).toEqual([expect.stringMatching(/^\d+:\d+ Error: injected fault$/)]);
    await until(() => users(again).includes("behind"));
    expect(users(again)).toEqual(["before", "behind"]);
    expect(await send(again, failures("later"))).toBe(202);
    await until(() => users(again).includes("later"));
    expect(existsSync(join(data, "replay.json"))).toBe(false);
  });

  test("lies in quarantine/ with its bytes and its reason, counted and seen from outside until somebody takes it away", async () => {
    const server = await start();
    const folderOf = join(data, "quarantine");
    const [facts, log] = readdirSync(folderOf).sort();
    expect(JSON.parse(readFileSync(join(folderOf, facts!), "utf8"))).toMatchObject({ position: facts!.replace(".json", "").replace("-", ":"), reason: expect.stringContaining("injected fault"), failures: 2 });
    expect(readFileSync(join(folderOf, log!), "utf8")).toContain('"poison"');
    expect((await ask(server, "/metrics")).text).toContain("\nvespid_quarantined_entries 1\n");
    expect(JSON.parse((await ask(server, "/health")).text)).toEqual({ status: "degraded", degraded: ["quarantine"] });
    const ready = await ask(server, "/readyz");
    expect([ready.status, JSON.parse(ready.text)]).toMatchObject([200, { status: "degraded", degraded: ["quarantine"], quarantined_entries: 1 }]);
    expect(told).toHaveLength(1);
    rmSync(folderOf, { recursive: true });
    expect(JSON.parse((await ask(server, "/health")).text)).toEqual({ status: "ok" });
  });
});

describe("the note of a reading", () => {
  const folder = serverFolder();
  const at = (entry: number) => ({ segment: 1, entry });

  test("a process that ends without a word is no proof against an entry until it happens four times at the same one", () => {
    new Quarantine(folder.path).begin();
    for (let death = 0; death < 4; death++) {
      const reading = new Quarantine(folder.path);
      expect([reading.isCareful, reading.mayGive(at(0)), reading.mayGive(at(7))]).toEqual([true, true, true]);
    }
    const last = new Quarantine(folder.path);
    expect([last.mayGive(at(7)), last.reason]).toEqual([false, "the server ended 4 times while it was judged"]);
    expect(last.mayGive(at(8))).toBe(true);
    last.end();
    expect(new Quarantine(folder.path).isCareful).toBe(false);
  });

  test("one that was cut off only says that care is needed", () => {
    writeFileSync(join(folder.path, "replay.json"), '{"at":"1:');
    const reading = new Quarantine(folder.path);
    expect([reading.isCareful, reading.mayGive(at(0))]).toEqual([true, true]);
    reading.end();
  });
});
