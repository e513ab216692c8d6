import { connect } from "node:net";
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { ApiAnswer, LogsApi } from "../../host/search/index.ts";
import type { ControlContext } from "../../host/control/context.ts";
import { logsRoom } from "../../host/control/logs/room.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import { until } from "../intake/lines-support.ts";
import { person, serveRoutes } from "../control/support.ts";
import { TestRules, send, serverFolder } from "./support.ts";

const rule = {
  id: "any", name: "any", message: "", isEnabled: true, type: "log_detection", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: "@never:there", aggregation: "count", groupByFields: [] }], cases: [{ name: "", status: "low", condition: "a > 0" }],
};

async function post(server: VespidServer, path: string, body: string | Uint8Array<ArrayBuffer>, headers: Readonly<Record<string, string>> = {}): Promise<{ status: number; text: string }> {
  const { host, port } = server.address;
  const answer = await fetch(`http://${host}:${port}${path}`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });
  return { status: answer.status, text: await answer.text() };
}

const search = (server: VespidServer, body: unknown) => post(server, "/api/v2/logs/events/search", JSON.stringify(body));

describe("a server under attack", () => {
  const folder = serverFolder();

  test("a sender who reads no answers gets only so many: they do not pile up in memory", async () => {
    const server = await folder.start(new TestRules([rule]), { keysRequired: true });
    const asked = "POST /api/v2/logs HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
    const requests = 200_000;
    const socket = connect(server.address.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    const refused = async (): Promise<number> => {
      const metrics = await (await fetch(`http://127.0.0.1:${server.address.port}/metrics`)).text();
      return Number(/^vespid_intake_refused_total\{input="datadog[^}]*reason="no-key"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
    };
    for (let sent = 0; sent < requests; sent += 1000) socket.write(asked.repeat(1000));
    let before = -1;
    let now = 0;
    // Until it answers no more.
    for (; now === 0 || now !== before; now = await refused()) {
      before = now;
      await new Promise((next) => setTimeout(next, 300));
    }
    expect(now).toBeLessThan(requests);
    // Once they are read it goes on, and every request has its answer.
    let answers = 0;
    let rest = "";
    socket.on("data", (bytes: Buffer) => {
      const text = rest + bytes.toString("latin1");
      const parts = text.split("HTTP/1.1 401");
      answers += parts.length - 1;
      rest = text.slice(-11).includes("HTTP/1.1 401") ? "" : parts.at(-1)!.slice(-11);
    });
    socket.resume();
    await until("all answers", () => answers === requests, 60_000);
    expect(await refused()).toBe(requests);
    socket.destroy();
  }, 120_000);

  test("a body of nothing but zstd frames is refused, and one of a few is taken", async () => {
    const server = await folder.start(new TestRules([rule]));
    const frame = zstdCompressSync(Buffer.from('{"message":"hi"}\n'));
    const some = (count: number): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat(Array<Buffer>(count).fill(frame)));
    expect((await post(server, "/api/v2/logs", some(200), { "content-encoding": "zstd" })).status).toBe(202);
    const many = await post(server, "/api/v2/logs", some(100_000), { "content-encoding": "zstd" });
    expect(many.status).toBe(400);
    expect(many.text).toContain("zstd frames");
    expect(server.detection.stats.events).toBe(200);
  });

  test("a path of thousands of names is refused before it is compiled, in facets, groups and queries", async () => {
    const server = await folder.start(new TestRules([rule]));
    const deep = `@${"a.".repeat(5000)}b`;
    for (const body of [{ facets: [deep] }, { filter: { query: `${deep}:x` } }, { filter: { query: `NOT (x OR CIDR(${deep}, 10.0.0.0/8))` } }]) {
      const answer = await search(server, body);
      expect(answer.status).toBe(400);
      expect(answer.text).toMatch(/5001 names|64 names deep/);
    }
    expect((await post(server, "/api/v2/logs/analytics/aggregate", JSON.stringify({ group_by: [{ facet: deep }] }))).status).toBe(400);
    expect((await search(server, { facets: [`@${"a.".repeat(63)}b`] })).status).toBe(200);
    expect(folder.faults).toEqual([]);
  });

  test("one log with thousands of values in several fields does not count in billions of groups", async () => {
    const server = await folder.start(new TestRules([rule]));
    const values = Array.from({ length: 3000 }, (_, i) => `v${i}`);
    expect(await send(server, [{ message: "combo", a: values, b: values, c: values }, { message: "combo", a: ["x", "y"], b: ["z"], c: "w" }])).toBe(202);
    const { status, text } = await post(server, "/api/v2/logs/analytics/aggregate", JSON.stringify({ filter: { query: "combo" }, group_by: ["@a", "@b", "@c"].map((facet) => ({ facet })) }));
    expect(status).toBe(200);
    expect((JSON.parse(text) as { data: { buckets: Array<{ by: unknown }> } }).data.buckets.map(({ by }) => by)).toEqual([{ "@a": "x", "@b": "z", "@c": "w" }, { "@a": "y", "@b": "z", "@c": "w" }]);
  });

  test("searches beyond those that run are told to come again, and there is room once one is over", async () => {
    const over: (() => void)[] = [];
    const slow = { search: () => new Promise<ApiAnswer>((resolve) => over.push(() => resolve({ status: 200, body: {} }))) } as unknown as LogsApi;
    const { ask } = await serveRoutes(logsRoom({ logs: () => slow } as unknown as ControlContext).routes, [person("reader")]);
    const asked = async (): Promise<number> => (await ask("POST", "/api/v2/logs/events/search", {})).status;
    const first = Array.from({ length: 8 }, asked);
    await until("all run", () => over.length === 8);
    expect(await asked()).toBe(429);
    over[0]!();
    expect(await Promise.race(first)).toBe(200);
    const next = asked();
    await until("it runs", () => over.length === 9);
    for (const each of over) each();
    expect(await Promise.all([...first, next])).toHaveLength(9);
  });

  test.skipIf(process.platform === "win32")("no file of a data folder is the world's to read, even when the folder was somebody's before", async () => {
    const data = join(folder.path, "open");
    mkdirSync(data);
    chmodSync(data, 0o755);
    // As an earlier version left it.
    writeFileSync(join(data, "vespid.db"), "");
    chmodSync(join(data, "vespid.db"), 0o666);
    const server = await folder.start(new TestRules([rule]), { data });
    expect(await send(server, [{ message: "secret" }])).toBe(202);
    await server.detection.checkpoint();
    const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
    const open = files.filter(({ parentPath, name }) => (statSync(join(parentPath, name)).mode & 0o004) !== 0 && (statSync(parentPath).mode & 0o001) !== 0);
    expect(files.map(({ name }) => name)).toContain("vespid.db");
    expect(open.map(({ name }) => name)).toEqual([]);
    expect(["vespid.db", "vespid.db-wal", "vespid.db-shm"].map((name) => statSync(join(data, name)).mode & 0o777)).toEqual([0o640, 0o640, 0o640]);
  });
});
