import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { type LineListener, type LineListenerOptions, listenForLines } from "../../host/intake/lines.ts";
import { keysOf, MemorySink, until } from "./lines-support.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const AT = Date.UTC(2026, 2, 2, 9);

async function listen(sink: MemorySink, options: Partial<LineListenerOptions> = {}, keys = keysOf(false)): Promise<LineListener> {
  const listener = await listenForLines({ protocol: "tcp", host: "127.0.0.1", port: 0, name: "lines", nowMs: () => AT, ...options }, sink, keys);
  open.push(listener);
  return listener;
}

function dial(port: number): Promise<Socket> {
  return new Promise((resolve, refuse) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.once("error", refuse).on("error", () => {});
    open.push({ close: () => socket.destroy() });
  });
}

async function send(port: number, ...pieces: readonly string[]): Promise<void> {
  const socket = await dial(port);
  for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
  socket.end();
}

const OLD = "<38>Mar  2 08:41:00 web1 sshd[411]: Failed password for deploy from 192.0.2.7 port 4022 ssh2";
const NEW = '<165>1 2026-03-02T08:41:01.250Z bastion-1 app 77 ID47 [metas ddsource="shop" ddtags="env:prod,site:lyon"][x@1 k="v"] hello';

describe("lines over TCP", () => {
  test("[IN-09] RFC 3164 and RFC 5424 give host, service, status, time, tags and syslog attributes", async () => {
    const sink = new MemorySink();
    const { port, counts } = await listen(sink);
    await send(port, `${OLD}\n${NEW}\n\nno header at all\n`);
    await until("three events", () => sink.lines().length === 3);
    const [old, modern, plain] = sink.events();
    expect(old).toMatchObject({ host: "web1", service: "sshd", source: "syslog", status: "info", message: "Failed password for deploy from 192.0.2.7 port 4022 ssh2", attributes: { syslog: { facility: 4, severity: 6, procid: "411" } } });
    expect(modern).toMatchObject({ host: "bastion-1", service: "app", source: "shop", status: "notice", tags: ["env:prod", "site:lyon"], message: "hello", timestamp: "2026-03-02T08:41:01.250Z", attributes: { syslog: { msgid: "ID47", sd: { "x@1": { k: "v" } } } } });
    expect(plain).toMatchObject({ source: "syslog", message: "no header at all" });
    expect(counts).toMatchObject({ requests: 1, events: 3, truncated: 0 });
    expect(sink.batches.every((batch) => batch.arrivalMs === AT && batch.partition === "lines/127.0.0.1")).toBe(true);
  });

  test("octet counting and lines on one port, told apart by connection", async () => {
    const sink = new MemorySink();
    const { port } = await listen(sink);
    await send(port, `${OLD.length} ${OLD}`, `${NEW.length} ${NEW}`);
    await send(port, `${OLD}\n`);
    await until("three lines", () => sink.lines().length === 3);
    expect(sink.lines().sort()).toEqual([NEW, OLD, OLD].sort());
  });

  test("a counted message of several lines is one event", async () => {
    const sink = new MemorySink();
    const { port } = await listen(sink);
    const message = "<11>1 2026-03-02T08:41:01Z h app - - - trace:\n  at a\n  at b";
    const json = '{"message":"x",\n "n":1}';
    await send(port, `${message.length} ${message}${json.length} ${json}`);
    await until("two events", () => sink.events().length === 2);
    expect(sink.events()).toMatchObject([
      { message: "trace:\n  at a\n  at b", host: "h", service: "app", source: "syslog", status: "error" },
      { message: "x", attributes: { n: 1 } },
    ]);
  });

  test("a message that is JSON gives its members, also behind a cookie", async () => {
    const sink = new MemorySink();
    const { port } = await listen(sink);
    await send(port, '<14>1 2026-03-02T08:41:01Z h app - - - @cee: {"usr":{"id":"ann"},"message":"in"}\n{"usr":{"id":"bob"},"ddsource":"shop"}\n{not json} at all\n');
    await until("three events", () => sink.events().length === 3);
    const events = sink.events().sort((a, b) => (a.message ?? "").localeCompare(b.message ?? ""));
    expect(events).toMatchObject([{ source: "shop", attributes: { usr: { id: "bob" } } }, { message: "{not json} at all" }, { message: "in", attributes: { usr: { id: "ann" } } }]);
  });

  test("a message over the limit is an event without its end; JSON so cut is text", async () => {
    const sink = new MemorySink();
    const { port, counts } = await listen(sink, { limitBytes: 100 });
    await send(port, `<13>Mar  2 08:41:00 web1 app: ${"x".repeat(200)}\n{"a":"${"y".repeat(200)}"}\nshort\n`);
    await until("three events", () => sink.events().length === 3);
    expect(counts).toMatchObject({ truncated: 2, events: 3 });
    expect(sink.lines().map((line) => line.length)).toEqual([100, 100, 5]);
    expect(sink.batches.map(({ profile }) => profile.format)).toEqual(["syslog"]);
  });

  test("settings of the listener are taken where events say nothing", async () => {
    const sink = new MemorySink();
    const { port } = await listen(sink, { defaults: { source: "cisco", service: "edge", tags: ["env:prod"] } });
    await send(port, `${OLD}\nplain\n`);
    await until("two events", () => sink.events().length === 2);
    expect(sink.events()).toMatchObject([{ source: "cisco", service: "sshd", tags: ["env:prod"] }, { source: "cisco", service: "edge" }]);
  });
});

describe("the key before a line", () => {
  const key = "k-test-000001";

  test("is taken off, whatever follows", async () => {
    const sink = new MemorySink();
    const { port, counts } = await listen(sink, {}, keysOf(true, key));
    await send(port, `${key} ${OLD}\n${key} {"message":"m","ddsource":"shop","ddtags":"env:prod"}\n${key} plain words\n${OLD.length + key.length + 1} ${key} ${OLD}\n`);
    await until("three events", () => counts.events === 3 && sink.events().length === 3);
    expect(sink.batches.map(({ profile }) => profile.format).sort()).toEqual(["intake", "syslog", "text"]);
    expect(sink.lines().sort()).toEqual([OLD, '{"message":"m","ddsource":"shop","ddtags":"env:prod"}', "plain words"].sort());
    expect(sink.events().find((event) => event.message === "plain words")!.source).toBeUndefined();
  });

  test("is asked for: without it, or with another, the connection ends and nothing of it is taken", async () => {
    const sink = new MemorySink();
    const { port, counts } = await listen(sink, {}, keysOf(true, key));
    for (const line of [OLD, `${key}x ${OLD}`, '{"message":"m"}']) {
      const socket = await dial(port);
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.write(`${line}\n${key} ${OLD}\n`);
      await closed;
    }
    expect(Object.fromEntries(counts.rejected)).toMatchObject({ "no-key": 2, "wrong-key": 1 });
    expect(sink.batches).toEqual([]);
  });

  test("may be missing where the listener lets it be, and Datadog's form is known without being asked for", async () => {
    const sink = new MemorySink();
    const { port } = await listen(sink, { needsKey: false }, keysOf(true, key));
    await send(port, `${OLD}\n${key} a b c\n0123456789abcdef0123456789abcdef {"message":"j"}\nsomething else\n`);
    await until("four events", () => sink.events().length === 4);
    expect(sink.lines().sort()).toEqual([OLD, "a b c", '{"message":"j"}', "something else"].sort());
  });
});

describe("bounds", () => {
  test("a full sink pauses the senders, holds memory and loses nothing", async () => {
    const sink = new MemorySink();
    sink.refusal = { reason: "full", retryAfterS: 1 };
    const heldBytes = 64 * 1024;
    const { port, counts } = await listen(sink, { heldBytes, flushBytes: 16 * 1024 });
    const lines = Array.from({ length: 100_000 }, (_, i) => `<13>Mar  2 08:41:00 web1 app: number ${i}`);
    const sockets = await Promise.all([dial(port), dial(port)]);
    sockets.forEach((socket, s) => socket.end(`${lines.filter((_, i) => i % 2 === s).join("\n")}\n`));
    await until("both senders paused", () => counts.pauses >= 2);
    const held = counts.bytes;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(counts.bytes).toBe(held);
    expect(held).toBeLessThan(heldBytes + 2 * 2 * 64 * 1024);
    expect(counts.refused).toBeGreaterThan(0);
    sink.refusal = undefined;
    await until("all lines", () => counts.events === lines.length && sink.lines().length === lines.length);
    expect(sink.lines().sort()).toEqual(lines.sort());
    // What was read before the pause, and one more read, is the most a hand-over can be.
    expect(sink.largest).toBeLessThan(heldBytes + 2 * 64 * 1024 + 64 * 1024);
  });

  test("many lines become few batches", async () => {
    const sink = new MemorySink();
    sink.delayMs = 5;
    const { port } = await listen(sink);
    await send(port, ...Array.from({ length: 200 }, (_, i) => `${OLD} ${i}\n`));
    await until("all lines", () => sink.lines().length === 200);
    expect(sink.batches.length).toBeLessThan(100);
  });

  test("connections above the limit are dropped, silent ones closed", async () => {
    const sink = new MemorySink();
    const listener = await listen(sink, { maxConnections: 2, idleMs: 200 });
    const first = await Promise.all([dial(listener.port), dial(listener.port)]);
    await until("two connections", () => listener.connections === 2);
    const third = await dial(listener.port);
    await new Promise((resolve) => third.once("close", resolve));
    expect(listener.counts.rejected.get("too-many-connections")).toBe(1);
    await Promise.all(first.map((socket) => new Promise((resolve) => socket.resume().once("close", resolve))));
    expect(listener.counts.rejected.get("idle-connection")).toBe(2);
    await until("no connection", () => listener.connections === 0);
  });

  test("closing hands on what is held, and says what no sink took", async () => {
    const sink = new MemorySink();
    const listener = await listen(sink, { flushMs: 60_000 });
    const socket = await dial(listener.port);
    socket.write(`${OLD}\nunfinished`);
    await until("a line", () => listener.counts.events === 1);
    expect(await listener.close()).toBe(0);
    expect(sink.lines()).toEqual([OLD, "unfinished"]);

    const full = new MemorySink();
    full.refusal = { reason: "disk", retryAfterS: 1 };
    const stuck = await listen(full);
    await send(stuck.port, `${OLD}\n${OLD}\n`);
    await until("two lines", () => stuck.counts.events === 2);
    expect(await stuck.close(200)).toBe(2);
  });

  test("each sender has a partition, up to a number", async () => {
    const sink = new MemorySink();
    const { port } = await listen(sink, { protocol: "udp", maxSenders: 2 });
    for (const address of ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.1"]) {
      const socket = createSocket("udp4");
      await new Promise<void>((resolve) => socket.bind(0, address, resolve));
      await new Promise((resolve) => socket.send(`${OLD} ${address}`, port, "127.0.0.1", resolve));
      socket.close();
      await until("it came", () => sink.lines().length > 0 && sink.lines().at(-1)!.endsWith(address));
    }
    expect(sink.batches.map(({ partition }) => partition)).toEqual(["lines/127.0.0.1", "lines/127.0.0.2", "lines", "lines/127.0.0.1"]);
  });
});

describe("lines over UDP", () => {
  test("one datagram is one message, whatever it holds", async () => {
    const sink = new MemorySink();
    const { port, counts } = await listen(sink, { protocol: "udp", limitBytes: 1000 });
    const socket = createSocket("udp4");
    open.push({ close: () => socket.close() });
    const datagrams = [`${OLD}\n`, `12 ${OLD}\0`, "<13>Mar  2 08:41:00 web1 app: two\nlines", "\n", "", `<13>${"x".repeat(2000)}`];
    for (const datagram of datagrams) await new Promise((resolve) => socket.send(datagram, port, "127.0.0.1", resolve));
    await until("four events", () => sink.events().length === 4 && counts.requests === 6);
    expect(sink.events().map(({ message }) => message).sort()).toEqual([`12 ${OLD}`, "Failed password for deploy from 192.0.2.7 port 4022 ssh2", "two\nlines", `<13>${"x".repeat(996)}`].sort());
    expect(counts).toMatchObject({ requests: 6, events: 4, truncated: 1 });
  });

  test("what comes while the sink is full is counted", async () => {
    const sink = new MemorySink();
    sink.refusal = { reason: "full", retryAfterS: 1 };
    const { port, counts } = await listen(sink, { protocol: "udp", heldBytes: 300 });
    const socket = createSocket("udp4");
    open.push({ close: () => socket.close() });
    for (let i = 0; i < 10; i++) await new Promise((resolve) => socket.send(OLD, port, "127.0.0.1", resolve));
    await until("ten datagrams", () => counts.requests === 10);
    sink.refusal = undefined;
    await until("the others", () => sink.lines().length === 4);
    expect(counts).toMatchObject({ events: 4 });
    expect(counts.refusals.get("datagram")).toBe(6);
  });
});

describe("lines over TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "vespid-tls-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const cert = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  let hasCertificate = true;
  try {
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost"], { stdio: "ignore" });
  } catch {
    hasCertificate = false;
  }

  test.skipIf(!hasCertificate)("lines come through; a sender without a certificate is refused where one is asked for", async () => {
    const sink = new MemorySink();
    const { port } = await listen(sink, { protocol: "tls", tls: { cert, key } });
    const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => socket.end(`${OLD}\n`));
    await until("a line", () => sink.lines().length === 1);

    const strict = await listen(sink, { protocol: "tls", tls: { cert, key, clientCa: cert } });
    const stranger = connectTls({ port: strict.port, host: "127.0.0.1", rejectUnauthorized: false }, () => stranger.write(`${OLD}\n`));
    stranger.on("error", () => {});
    await new Promise((resolve) => stranger.once("close", resolve));
    const known = connectTls({ port: strict.port, host: "127.0.0.1", rejectUnauthorized: false, cert: await text(cert), key: await text(key) }, () => known.end(`${NEW}\n`));
    await until("the known sender's line", () => sink.lines().length === 2);
    expect(sink.lines()).toEqual([OLD, NEW]);
    expect(strict.counts).toMatchObject({ events: 1 });

    const plain = await dial(strict.port);
    plain.write(`${OLD}\n`);
    await new Promise((resolve) => plain.once("close", resolve));
    expect(strict.counts.rejected.get("tls-handshake")).toBeGreaterThan(0);
  });

  test("without a certificate it says what is missing", async () => {
    await expect(listen(new MemorySink(), { protocol: "tls" })).rejects.toThrow("tls.cert");
  });
});

async function text(path: string): Promise<string> {
  return (await import("node:fs/promises")).readFile(path, "utf8");
}
