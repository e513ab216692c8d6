import { existsSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { random } from "../journal/support-plain.ts";
import { ServedProcess } from "./child.ts";
import { atConfig, pause, serveFolders, settings, until } from "./process-support.ts";
import { burst, login, spread } from "./rules.ts";
import { journalOf, numbersOf, storedSignals } from "./twin.ts";

const folder = serveFolders();

interface Came {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** Another intake, which answers as it is told and keeps what it took. */
class Upstream {
  readonly came: Came[] = [];
  answer: (came: Came, count: number) => number | undefined = () => 202;
  asked = 0;
  readonly #server: Server;
  port = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks);
        const coding = request.headers["content-encoding"];
        const text = (coding === "gzip" ? gunzipSync(body) : coding === "zstd" ? zstdDecompressSync(body) : body).toString();
        const came = { path: request.url!, headers: request.headers, text };
        const status = this.answer(came, this.asked++);
        if (status === undefined) return void request.socket.destroy();
        if (status < 300) this.came.push(came);
        response.writeHead(status).end("{}");
      });
    });
  }

  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  numbers(): number[] {
    return this.came.flatMap(({ text }) => [...text.matchAll(/"nr":(\d+)/g)].map(([, nr]) => Number(nr)));
  }
}

const open: Upstream[] = [];
afterEach(() => open.splice(0).forEach((upstream) => upstream.close()));
async function upstream(): Promise<Upstream> {
  const one = new Upstream();
  open.push(one);
  await one.listen();
  return one;
}

function served(name: string, tee: string, rules: readonly unknown[] = [burst]): string {
  return folder(name, { "rules.json": JSON.stringify(rules), "vespid.yaml": settings(`tee: ${tee}\n`) });
}

describe("[IN-01] what came in, handed on to another intake", () => {
  test.each(["gzip", "zstd", "none"])("unchanged, with its source, service, host and tags, under a key of its own (%s)", async (compression) => {
    const other = await upstream();
    const path = served(`unchanged-${compression}`, `{ url: "http://127.0.0.1:${other.port}/", api_key_env: TEE_KEY, compression: ${compression} }`);
    const server = await ServedProcess.start(atConfig(path), { env: { TEE_KEY: "the-key-of-upstream" } });
    expect(server.port, server.stderr).toBeGreaterThan(0);
    const odd = '{"message":"näme\\u00e9 \\"quoted\\"","n":1.0000000000000000001,"deep":{"a":[1, 2,  3]}}';
    const syslog = "<34>1 2026-03-02T08:41:00Z web-1 su - ID47 - 'su root' failed for lonvick";
    expect((await server.ask("POST", "/api/v2/logs?ddsource=shop&service=cart&hostname=web-1&ddtags=env:prod,team:a", `[${odd},{"nr":7}]`)).status).toBe(202);
    expect((await server.ask("POST", "/api/v2/logs?ddsource=gear", `${syslog}\n${syslog}\n`, { "content-type": "text/plain" })).status).toBe(202);
    expect((await server.ask("POST", "/api/v1/events", JSON.stringify({ title: "Deploy", text: "went out", tags: ["env:prod"] }))).status).toBe(202);
    await until("all of it is there", () => other.came.length === 3);
    // Those under way together may overtake each other.
    const of = (is: (came: Came) => boolean): Came => other.came.find(is)!;
    const [first, second, third] = [of(({ text }) => text.startsWith("[")), of(({ headers }) => headers["content-type"] === "text/plain"), of(({ path: at }) => at.startsWith("/api/v1/events"))];
    expect(first.text).toBe(`[${odd},{"nr":7}]`);
    expect(Object.fromEntries(new URL(first.path, "http://a").searchParams)).toEqual({ ddsource: "shop", service: "cart", hostname: "web-1", ddtags: "env:prod,team:a" });
    expect(first.headers).toMatchObject({ "dd-api-key": "the-key-of-upstream", "content-type": "application/json" });
    expect(second.text).toBe(`${syslog}\n${syslog}`);
    expect(second.headers["content-type"]).toBe("text/plain");
    expect(third.path).toBe("/api/v1/events");
    expect(JSON.parse(third.text)).toMatchObject({ title: "Deploy", text: "went out" });
    expect(await server.metric("vespid_tee_events_total")).toBe(5);
    expect(await server.metric("vespid_tee_behind_entries")).toBe(0);
    expect(await server.stop()).toBe(0);
  });

  test("another vespid judges the same: signals upstream are those here", async () => {
    const above = await ServedProcess.start(atConfig(folder("above", { "rules.json": JSON.stringify([burst, spread]), "vespid.yaml": settings() })));
    const path = served("below", `{ url: "http://127.0.0.1:${above.port}", compression: zstd }`, [burst, spread]);
    const server = await ServedProcess.start(atConfig(path));
    const next = random(5);
    for (let i = 0; i < 60; i++) expect((await server.send(Array.from({ length: 30 }, (_, k) => login(i * 30 + k, Date.now(), next)))).status).toBe(202);
    await until("all of it is upstream", async () => (await above.metric("vespid_events_total")) === 1800);
    expect(await server.stop()).toBe(0);
    expect(await above.stop()).toBe(0);
    const [here, there] = [path, join(path, "../above")].map((each) => storedSignals(join(each, "data")));
    expect(here!.length).toBeGreaterThan(3);
    // Signals are named by the rule, the group and the first match.
    expect(there!.map(({ id, severity, events, first, last }) => ({ id, severity, events, first, last }))).toEqual(here!.map(({ id, severity, events, first, last }) => ({ id, severity, events, first, last })));
  });

  test("one that fails, refuses and goes away: nothing held up here, everything there at last; one bad record costs only itself", async () => {
    const other = await upstream();
    const states = [503, 429, undefined, 500, 408, 202];
    other.answer = ({ text }, count) => (text.includes('"nr":13,') ? 413 : text.includes("poison") ? 400 : (states[count % states.length] as number | undefined));
    const path = served("failing", `{ url: "http://127.0.0.1:${other.port}" }`);
    const server = await ServedProcess.start(atConfig(path), { haste: true });
    const next = random(6);
    const numbers: number[] = [];
    for (let i = 0; i < 20; i++) {
      const events = Array.from({ length: 5 }, (_, k) => login(i * 5 + k, Date.now(), next));
      if (i === 10) events[2]!.message = "poison";
      expect((await server.send(events)).status).toBe(202);
      numbers.push(...events.map((event) => event.nr as number));
    }
    await until("it is said that upstream fails", async () => (await server.metric("vespid_tee_down")) === 1 || (await server.metric("vespid_tee_retries_total")) > 0);
    other.answer = ({ text }) => (text.includes('"nr":13,') ? 413 : text.includes("poison") ? 400 : 202);
    await until("all that can be is upstream", async () => (await server.metric("vespid_tee_behind_entries")) === 0, 60_000);
    expect(await server.metric("vespid_tee_refused_total")).toBe(2);
    expect(await server.metric("vespid_tee_down")).toBe(0);
    expect([...new Set(other.numbers())].toSorted((a, b) => a - b)).toEqual(numbers.filter((nr) => nr !== 13 && nr !== 52));
    expect(server.stderr).toMatch(/warning upstream (answers \d+|cannot be reached \(\w+\)); what comes is kept for it\n/);
    expect(server.stderr).toContain("the other intake takes logs again");
    expect(await server.stop()).toBe(0);
  });

  test("killed again and again, upstream away half of the time: each event reaches it at least once", async () => {
    const other = await upstream();
    const path = served("killed", `{ url: "http://127.0.0.1:${other.port}" }`);
    const next = random(8);
    let nr = 0;
    for (let life = 0; life < 8; life++) {
      let left = 3 + Math.floor(next() * 10);
      other.answer = life % 2 ? () => (left-- > 0 ? 202 : undefined) : () => 202;
      const server = await ServedProcess.start(atConfig(path), { haste: true });
      expect(server.port, server.stderr).toBeGreaterThan(0);
      for (let i = 0; i < 10 + next() * 20; i++) await server.send(Array.from({ length: 1 + Math.floor(next() * 20) }, () => login(nr++, Date.now(), next)));
      await pause(next() * 60);
      await server.kill();
    }
    other.answer = () => 202;
    expect(existsSync(join(path, "data/tee.json"))).toBe(true);
    const last = await ServedProcess.start(atConfig(path), { haste: true });
    await until("everything is upstream", async () => (await last.metric("vespid_tee_behind_entries")) === 0);
    expect(await last.stop()).toBe(0);
    const inside = numbersOf((await journalOf(join(path, "data"))).entries);
    expect(inside.length).toBe(nr);
    expect([...new Set(other.numbers())].toSorted((a, b) => a - b)).toEqual(inside.toSorted((a, b) => a - b));
    // Not all of it over and over.
    expect(other.numbers().length).toBeLessThan(2 * inside.length);
  });

  test("without the key it is told to send with, it does not start", async () => {
    const path = served("keyless", '{ url: "https://upstream.invalid", api_key_env: NO_SUCH_KEY }');
    const server = await ServedProcess.start(atConfig(path));
    expect([server.port, await server.exited]).toEqual([0, 2]);
    expect(server.stderr).toMatch(/serve\/no-tee-key.*NO_SUCH_KEY/);
  });
});
