import { createHash } from "node:crypto";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { Answer, RequestHead } from "../../host/intake/exchange.ts";
import { type Abandoned, BodyPool, FastLane, type FastLaneOptions } from "../../host/intake/fast.ts";
import { readHead } from "../../host/intake/fast/head.ts";
import { until } from "./lines-support.ts";

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const hash = (body: Uint8Array): string => createHash("sha256").update(body).digest("hex").slice(0, 12);

/** What both servers say of a request: its body's length and hash, its query and its key. */
function say(length: number, digest: string, query: string, key: string): string {
  return JSON.stringify({ length, digest, query, key });
}

/** A full server that answers POSTs to the path as the lane's `serve` does, and anything else with its method and path. */
function fullServer(): HttpServer {
  const server = createHttpServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const { pathname, search } = new URL(request.url!, "http://x");
      const isLogs = request.method === "POST" && pathname === "/api/v2/logs";
      const content = isLogs ? say(body.length, hash(body), new URLSearchParams(search).toString(), String(request.headers["dd-api-key"] ?? "")) : `${request.method} ${request.url} ${body.length}`;
      response.writeHead(isLogs ? 202 : 200, { "content-type": isLogs ? "application/json" : "text/plain", "content-length": Buffer.byteLength(content) });
      response.end(content);
    });
  });
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

async function serveBody(head: { query: URLSearchParams; headers: object }, body: Buffer): Promise<Answer> {
  const answer = { status: 202, body: say(body.length, hash(body), head.query.toString(), String((head.headers as Record<string, string>)["dd-api-key"] ?? "")) };
  await new Promise((resolve) => setImmediate(resolve));
  // Whoever has the body may write into it.
  body.fill(0x21);
  return answer;
}

interface LaneOptions extends Partial<FastLaneOptions> {
  serve?: (head: RequestHead, body: Buffer) => Promise<Answer>;
  refuse?: () => Answer | undefined;
  abandon?: (why: Abandoned) => Answer | undefined;
}

async function lane({ serve = serveBody, refuse, abandon = () => undefined, ...options }: LaneOptions = {}): Promise<{ lane: FastLane; port: number; server: HttpServer }> {
  const server = options.server ?? fullServer();
  const made = new FastLane({ server, visit: (head) => ({ refused: refuse?.(), serve: (body) => serve(head, body), abandon }), ...options });
  const port = await made.listen(0, "127.0.0.1");
  open.push(() => made.close(200));
  return { lane: made, port, server };
}

async function listen(server: HttpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.setNoDelay(true);
    socket.once("error", reject).on("error", () => {});
    open.push(() => socket.destroy());
  });
}

interface Heard {
  readonly status: number;
  readonly body: string;
}

/** Answers of a connection, in order. */
class Listener {
  readonly heard: Heard[] = [];
  isClosed = false;
  #rest = Buffer.alloc(0);

  constructor(socket: Socket) {
    socket.on("data", (chunk: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      this.#read();
    });
    socket.on("close", () => (this.isClosed = true));
  }

  #read(): void {
    for (;;) {
      const end = this.#rest.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = this.#rest.toString("latin1", 0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (this.#rest.length < end + 4 + length) return;
      this.heard.push({ status: Number(head.slice(9, 12)), body: this.#rest.toString("utf8", end + 4, end + 4 + length) });
      this.#rest = this.#rest.subarray(end + 4 + length);
    }
  }
}

function post(body: Uint8Array | string, more = "", path = "/api/v2/logs"): Buffer {
  const bytes = Buffer.from(body as string);
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nDD-API-KEY: k\r\nContent-Length: ${bytes.length}\r\n${more}\r\n`), bytes]);
}

describe("a plain POST of logs", () => {
  test.each([0, 1, 2, 100, 5_000, 8_100, 70_000, 1_000_000, 5 * 1024 * 1024])("of %i bytes comes whole, several on a connection", async (size) => {
    const served = await lane();
    const socket = await dial(served.port);
    const listener = new Listener(socket);
    const bodies = [1, 2, 3].map((fill) => Buffer.alloc(size, `${fill}body`));
    for (const [i, body] of bodies.entries()) {
      socket.write(post(body));
      await until("the answer", () => listener.heard.length === i + 1);
    }
    expect(listener.heard).toEqual(bodies.map((body) => ({ status: 202, body: say(size, hash(body), "", "k") })));
    expect(served.lane.handedOver).toBe(0);
  });

  test("is answered in order when several come at once", async () => {
    const served = await lane();
    const socket = await dial(served.port);
    const listener = new Listener(socket);
    const bodies = Array.from({ length: 300 }, (_, i) => Buffer.alloc((i * 977) % 3000, `${i} `));
    socket.write(Buffer.concat(bodies.map((body) => post(body))));
    await until("all answers", () => listener.heard.length === bodies.length);
    expect(listener.heard).toEqual(bodies.map((body) => ({ status: 202, body: say(body.length, hash(body), "", "k") })));
  });

  test("whose sender closes its half gets its answer", async () => {
    const served = await lane();
    const socket = connect({ port: served.port, host: "127.0.0.1", allowHalfOpen: true });
    open.push(() => socket.destroy());
    const listener = new Listener(socket);
    socket.end(post("{}"));
    await until("the answer", () => listener.heard.length === 1);
    await until("the end", () => listener.isClosed);
    expect(listener.heard[0]!.status).toBe(202);
    await until("the connection forgotten", () => served.lane.connections === 0);
  });

  test("is refused after its body has been read, and the next is taken", async () => {
    let isFull = true;
    const served = await lane({ refuse: () => (isFull ? { status: 429, body: "full", headers: { "retry-after": "7" } } : undefined) });
    const socket = await dial(served.port);
    const listener = new Listener(socket);
    socket.write(post(Buffer.alloc(3_000_000)));
    await until("the refusal", () => listener.heard.length === 1);
    isFull = false;
    socket.write(post("[]"));
    await until("the answer", () => listener.heard.length === 2);
    expect(listener.heard.map(({ status }) => status)).toEqual([429, 202]);
  });

  test("finds no room beyond the memory there is, and room again after", async () => {
    const memory = new BodyPool(3 * 1024 * 1024);
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const served = await lane({ memory, serve: async () => (await held, { status: 202, body: "{}" }) });
    const listeners: Listener[] = [];
    for (let i = 0; i < 5; i++) {
      const socket = await dial(served.port);
      listeners.push(new Listener(socket));
      socket.write(post(Buffer.alloc(1_000_000)));
    }
    await until("two refusals", () => listeners.filter(({ heard }) => heard[0]?.status === 429).length === 2);
    release();
    await until("three answers", () => listeners.filter(({ heard }) => heard[0]?.status === 202).length === 3);
    expect(memory.ownedBytes).toBe(3 * 1024 * 1024);
    const socket = await dial(served.port);
    const listener = new Listener(socket);
    // Another size: what waits is given back for it.
    socket.write(post(Buffer.alloc(2_000_000)));
    await until("an answer", () => listener.heard.length === 1);
    expect(listener.heard[0]!.status).toBe(202);
    expect(memory.ownedBytes).toBeLessThanOrEqual(3 * 1024 * 1024);
  });

  test("that fails is our fault, and says nothing of why", async () => {
    const served = await lane({ serve: async () => { throw new Error("secret"); } });
    const socket = await dial(served.port);
    const listener = new Listener(socket);
    socket.write(post("[]"));
    await until("the answer", () => listener.heard.length === 1);
    expect(listener.heard[0]!.status).toBe(500);
    expect(listener.heard[0]!.body).not.toContain("secret");
  });
});

describe("everything else", () => {
  const requests: readonly [string, string | Buffer][] = [
    ["another method", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["another path", post("abc", "", "/v1/input/key")],
    ["chunks", "POST /api/v2/logs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"],
    ["a packed body", post("abc", "Content-Encoding: gzip\r\n")],
    ["a header nobody knows", post("abc", "X-Odd: 1\r\n")],
    ["the last version", "POST /api/v2/logs HTTP/1.0\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"],
    ["a connection to be closed", post("abc", "Connection: close\r\n")],
    ["two lengths", post("abc", "Content-Length: 3\r\n")],
    ["two lengths that differ", post("abc", "Content-Length: 4\r\n")],
    ["a length with a sign", "POST /api/v2/logs HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc"],
    ["a length and chunks", post("3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n")],
    ["a folded header", post("abc", "Accept: a\r\n b\r\n")],
    ["a blank before the colon", post("abc", "Accept : a\r\n")],
    ["no host", "POST /api/v2/logs HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"],
    ["line feeds alone", "POST /api/v2/logs HTTP/1.1\nHost: x\nContent-Length: 3\n\nabc"],
    ["a control character", post("abc", "Accept: a\u0001b\r\n")],
    ["a blank in the path", "POST /api/v2/logs x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"],
    ["a question", "POST /api/v2/logs?ddsource=a%20b&ddtags=c:d HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"],
    ["no HTTP", "hello\r\n\r\n"],
    ["no request at all", "\0\0\0\0"],
    ["a long head", post("abc", `User-Agent: ${"x".repeat(10_000)}\r\n`)],
    ["a plain post", post("abc")],
    ["an empty one", post("")],
  ];

  /** What comes back over one connection until it is closed, or all answers are there. */
  async function talk(port: number, pieces: readonly Buffer[], answers: number, inTurn = false): Promise<Heard[]> {
    const socket = await dial(port);
    const listener = new Listener(socket);
    for (const [i, piece] of pieces.entries()) {
      if (socket.destroyed) break;
      await new Promise((resolve) => socket.write(piece, resolve));
      await new Promise((resolve) => setImmediate(resolve));
      if (inTurn) await until("an answer", () => listener.heard.length > i || listener.isClosed);
    }
    await until("answers or an end", () => listener.heard.length >= answers || listener.isClosed);
    socket.destroy();
    return listener.heard;
  }

  test.each(requests)("%s is answered as the full server does, alone and behind plain posts", async (_name, request) => {
    const alone = fullServer();
    const port = await listen(alone);
    const served = await lane();
    const bytes = Buffer.from(request as string);
    for (const pieces of [[bytes], [post("first"), bytes], [post("first"), post("second"), bytes, post("behind")]]) {
      expect(await talk(served.port, pieces, pieces.length, true)).toEqual(await talk(port, pieces, pieces.length, true));
    }
  });

  test("any mix in any pieces is answered as the full server does", async () => {
    const port = await listen(fullServer());
    const served = await lane();
    let seed = 5;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const kept = requests.filter(([name]) => ["another method", "another path", "chunks", "a packed body", "a header nobody knows", "a question", "a plain post", "an empty one"].includes(name));
    expect(kept).toHaveLength(8);
    for (let round = 0; round < 60; round++) {
      const count = 1 + random(8);
      const all = Buffer.concat(Array.from({ length: count }, () => (random(3) ? post(Buffer.alloc(random(random(2) ? 200 : 40_000), `${random(1000)}`)) : Buffer.from(kept[random(kept.length)]![1] as string))));
      const pieces: Buffer[] = [];
      for (let at = 0; at < all.length; ) {
        const size = 1 + random(random(2) ? 30 : 20_000);
        pieces.push(all.subarray(at, at + size));
        at += size;
      }
      const some = pieces.length > 400 ? [all] : pieces;
      expect(await talk(served.port, some, count)).toEqual(await talk(port, some, count));
    }
    expect(served.lane.handedOver).toBeGreaterThan(10);
  });

  test("a body longer than the lane takes is the full server's", async () => {
    const served = await lane({ bodyBytes: 1000 });
    const socket = await dial(served.port);
    const listener = new Listener(socket);
    const body = Buffer.alloc(200_000, "x");
    socket.write(post(body));
    await until("the answer", () => listener.heard.length === 1);
    expect(listener.heard[0]).toEqual({ status: 202, body: say(body.length, hash(body), "", "k") });
    expect(served.lane.handedOver).toBe(1);
  });
});

describe("bounds", () => {
  test("heads, bodies and silence that take too long end the connection, and its memory is free again", async () => {
    const memory = new BodyPool(16 * 1024);
    const served = await lane({ memory, headMs: 100, bodyMs: 100, idleMs: 100, sweepMs: 20 });
    for (const bytes of [Buffer.alloc(0), Buffer.from("POST /api/v2/lo"), post(Buffer.alloc(1000)).subarray(0, 300), post("{}")]) {
      const socket = await dial(served.port);
      const listener = new Listener(socket);
      socket.write(bytes);
      await until("the end", () => listener.isClosed);
    }
    await until("no connection", () => served.lane.connections === 0);
    const socket = await dial(served.port);
    const listener = new Listener(socket);
    socket.write(post(Buffer.alloc(1000)));
    await until("an answer", () => listener.heard.length === 1);
    expect(listener.heard[0]!.status).toBe(202);
  });

  test("what becomes of a body that is not handed on is told once, and answered where there is something to say", async () => {
    const told: Abandoned[] = [];
    const memory = new BodyPool(16 * 1024);
    const served = await lane({ memory, bodyMs: 100, sweepMs: 20, abandon: (why) => {
      told.push(why);
      return why === "gone" ? undefined : { status: 408, body: why };
    } });
    const answers: Heard[] = [];
    for (const [bytes, leaves] of [[post(Buffer.alloc(1000)).subarray(0, 300), false], [post(Buffer.alloc(1000)).subarray(0, 300), true], [post(Buffer.alloc(20_000)), false]] as const) {
      const socket = await dial(served.port);
      const listener = new Listener(socket);
      socket.write(bytes);
      if (leaves) setTimeout(() => socket.destroy(), 30);
      const before = told.length;
      await until("it is told", () => told.length > before && (leaves || listener.heard.length === 1));
      answers.push(...listener.heard);
      socket.destroy();
      await until("no connection", () => served.lane.connections === 0);
    }
    expect([told, answers]).toEqual([["timeout", "gone", "full"], [{ status: 408, body: "timeout" }, { status: 408, body: "full" }]]);
    expect(memory.take(10_000)).toBeDefined();
  });

  test("connections beyond the number are dropped, and count no more once they are closed", async () => {
    const served = await lane({ connections: 2 });
    for (let round = 0; round < 3; round++) {
      const sockets = await Promise.all([dial(served.port), dial(served.port)]);
      const listeners = sockets.map((socket) => new Listener(socket));
      sockets.forEach((socket) => socket.write(post("{}")));
      await until("two answers", () => listeners.every(({ heard }) => heard.length === 1));
      const third = await dial(served.port);
      await new Promise((resolve) => third.once("close", resolve));
      sockets.forEach((socket) => socket.destroy());
      await until("none", () => served.lane.connections === 0);
    }
  });

  test("closing waits for the answer that is under way", async () => {
    let answer: ((answer: Answer) => void) | undefined;
    const served = await lane({ serve: () => new Promise((resolve) => (answer = resolve)) });
    const socket = await dial(served.port);
    const listener = new Listener(socket);
    socket.write(post("[1]"));
    const idle = await dial(served.port);
    await until("it is asked", () => served.lane.connections === 1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    idle.destroy();
    const closed = served.lane.close(5000);
    answer!({ status: 202, body: "{}" });
    await closed;
    await until("the end", () => listener.isClosed);
    expect(listener.heard).toEqual([{ status: 202, body: "{}" }]);
  });

  test("the head is read as far as it is plain, and no further", () => {
    const read = (text: string) => readHead(Buffer.from(text, "latin1"));
    expect(read("POST /api/v2/logs?a=b HTTP/1.1\r\nhOsT: x \r\nContent-Length:\t3\r\n\r\nabc")).toEqual({ path: "/api/v2/logs", query: "a=b", headers: { host: "x", "content-length": "3" }, length: 3, headBytes: 63 });
    for (const part of ["", "P", "POST", "POST /", "POST /api/v2/logs HTTP/1.1\r\n"]) expect(read(part)).toBe("unfinished");
    for (const part of ["GET", "PUT /", "POST a", "\r\n", "PO\0T"]) expect(read(part)).toBe("other");
  });
});
