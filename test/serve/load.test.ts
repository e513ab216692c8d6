import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { random } from "../journal/support-plain.ts";
import { type Answer, ServedProcess } from "./child.ts";
import { atConfig, pause, serveFolders, settings, until } from "./process-support.ts";
import { burst, killRules, login } from "./rules.ts";
import { expectSame, journalOf, numbersOf, storedSignals, uninterrupted } from "./twin.ts";

const folder = serveFolders();
/** What `vespid serve` says it takes at most to close: ten seconds for requests under way, and some for what they brought. */
const CLOSE_MS = 20_000;

async function within<T>(what: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => (timer = setTimeout(() => reject(new Error(`not within ${ms} ms`)), ms)));
  return await Promise.race([what, late]).finally(() => clearTimeout(timer));
}

describe("the end of a server", () => {
  test("[IN-02] SIGTERM under load: no acknowledged event is unjudged, and a restart has nothing to read again", async () => {
    const path = folder("drain", { "rules.json": JSON.stringify(killRules), "vespid.yaml": settings() });
    const server = await ServedProcess.start(atConfig(path));
    const next = random(1);
    const acknowledged: number[] = [];
    const statuses = new Set<number | string>();
    let nr = 0;
    const senders = Array.from({ length: 8 }, async () => {
      for (;;) {
        const events = Array.from({ length: 20 }, () => login(nr++, Date.now(), next));
        try {
          const { status } = await server.send(events);
          statuses.add(status);
          if (status === 202) acknowledged.push(...events.map((event) => event.nr as number));
          else await pause(5);
        } catch {
          return;
        }
      }
    });
    await until("it is under way", () => acknowledged.length > 2000);
    expect(await within(server.stop(), CLOSE_MS)).toBe(0);
    await Promise.all(senders);
    expect([...statuses].filter((status) => status !== 202 && status !== 503)).toEqual([]);
    const { entries } = await journalOf(join(path, "data"));
    const inside = new Set(numbersOf(entries));
    expect(acknowledged.filter((each) => !inside.has(each))).toEqual([]);
    const twin = await uninterrupted(entries, killRules);
    expect(server.stderr).toContain(`closed: ${twin.stats.events.toLocaleString("en-US")} events judged, `);
    expectSame(storedSignals(join(path, "data")), twin.signals);
    const again = await ServedProcess.start(atConfig(path));
    expect(await again.metric("vespid_checkpoint_behind_entries")).toBe(0);
    expect(await again.metric("vespid_events_total")).toBe(twin.stats.events);
    expect(await again.stop()).toBe(0);
  });

  test("one that never ends its request holds nobody up beyond the stated time", async () => {
    const path = folder("hanging", { "rules.json": JSON.stringify([burst]), "vespid.yaml": settings() });
    const server = await ServedProcess.start(atConfig(path));
    const hanging = createConnection(server.port, "127.0.0.1");
    hanging.on("error", () => {});
    hanging.write("POST /api/v2/logs HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{");
    await pause(100);
    expect((await server.send([login(1, Date.now(), random(1))])).status).toBe(202);
    expect(await within(server.stop(), CLOSE_MS), server.stderr).toBe(0);
    hanging.destroy();
    expect(server.stderr).toContain("closed: 1 event judged");
  });
});

describe("more than it can take", () => {
  const memoryMb = (server: ServedProcess, field: "VmRSS" | "VmHWM"): number => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${server.child.pid}/status`, "utf8"))![1]) / 1024;

  test.skipIf(process.platform !== "linux")("[IN-02] the surplus is told to come again, memory stays bounded, and what was taken is judged", async () => {
    const path = folder("surplus", { "rules.json": JSON.stringify([burst]), "vespid.yaml": settings("held: 2mb\n") });
    const server = await ServedProcess.start(atConfig(path));
    const next = random(2);
    expect((await server.send([login(0, Date.now(), next)])).status).toBe(202);
    const idleMb = memoryMb(server, "VmRSS");
    let nr = 1;
    const bodies = Array.from({ length: 8 }, () => {
      const events = Array.from({ length: 900 }, () => ({ ...login(nr++, Date.now(), next), message: "x".repeat(4000) }));
      return { events: events.length, body: JSON.stringify(events) };
    });
    const answers: Answer[] = [];
    let taken = 1;
    // 48 senders that do not wait when they are told to: about ten times what may be held.
    await Promise.all(Array.from({ length: 48 }, async (_, i) => {
      for (let round = 0; round < 6; round++) {
        const { body, events } = bodies[(i + round) % bodies.length]!;
        // A connection whose body was refused may be closed just as the next one is sent over it: no answer, and nothing taken.
        const answer = await server.ask("POST", "/api/v2/logs", body).catch(() => undefined);
        if (!answer) continue;
        answers.push(answer);
        if (answer.status === 202) taken += events;
      }
    }));
    const refused = answers.filter(({ status }) => status !== 202);
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([429]));
    expect(refused.every(({ retryAfter }) => Number(retryAfter) > 0)).toBe(true);
    expect(answers.filter(({ status }) => status === 202).length).toBeGreaterThan(0);
    expect(answers.length).toBeGreaterThan(100);
    // More than a gigabyte was offered; 40 MB of bodies may be in memory, each in a copy or three until its memory is collected.
    expect(memoryMb(server, "VmHWM") - idleMb).toBeLessThan(450);
    expect(await server.metric("vespid_held_bytes")).toBe(0);
    expect(await server.stop()).toBe(0);
    expect(server.stderr).toContain(`closed: ${taken.toLocaleString("en-US")} events judged`);
  });

  test("lines over TCP are paused, never dropped", async () => {
    const path = folder("lines", { "rules.json": JSON.stringify([burst]), "vespid.yaml": settings("held: 1mb\nlines:\n  - { protocol: tcp, port: 0, needs_key: false, source: sso }\n") });
    const server = await ServedProcess.start(atConfig(path));
    const port = Number(/tcp:\/\/127\.0\.0\.1:(\d+)/.exec(server.stderr)![1]);
    const lines = 60_000;
    const connection = createConnection(port, "127.0.0.1");
    const stretch = Buffer.from(`${JSON.stringify({ evt: { outcome: "failure" }, usr: { id: "eve" }, pad: "y".repeat(500) })}\n`.repeat(1000));
    for (let sent = 0; sent < lines; sent += 1000) if (!connection.write(stretch)) await new Promise((resolve) => connection.once("drain", resolve));
    await new Promise<void>((resolve) => connection.end(resolve));
    await until("all of them are judged", async () => (await server.metric("vespid_events_total")) === lines, 60_000);
    expect(await server.metric("vespid_line_pauses_total")).toBeGreaterThan(0);
    expect(await server.stop()).toBe(0);
    expect(storedSignals(join(path, "data"))).toMatchObject([{ rule: "burst", severity: "high", events: lines }]);
  });
});
