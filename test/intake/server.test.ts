import { Agent, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ProblemError } from "../../host/problem.ts";
import { hashKey, intakeKeys } from "../../host/intake/keys.ts";
import { KEY, seeded, send, sendRaw, startIntake } from "./http-support.ts";

/** A fresh certificate for localhost; undefined where openssl is not installed. */
function certificate(): { readonly key: string; readonly cert: string } | undefined {
  const folder = mkdtempSync(join(tmpdir(), "vespid-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  try {
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], { stdio: "ignore" });
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const tls = certificate();
const json = { "dd-api-key": KEY, "content-type": "application/json" };
const post = (headers: string, body = ""): string => `POST /api/v2/logs HTTP/1.1\r\nHost: x\r\nDD-API-KEY: ${KEY}\r\n${headers}\r\n${body}`;
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((next) => setTimeout(next, 5));
};

describe("hostile bodies", () => {
  test.each<[string, string, (bytes: Uint8Array) => Uint8Array]>([["/api/v2/logs", "gzip", gzipSync], ["/api/v2/logs", "deflate", deflateSync], ["/api/v2/logs", "zstd", zstdCompressSync], ["/v1/logs", "gzip", gzipSync], ["/services/collector", "zstd", zstdCompressSync], ["/_bulk", "gzip", gzipSync]])("a bomb at %s in %s stops at the limit", async (path, encoding, pack) => {
    const { port, sink, server } = await startIntake({ keys: intakeKeys([]) });
    const bomb = pack(Buffer.alloc(200 << 20, 32));
    expect(bomb.length).toBeLessThan(300_000);
    const before = process.memoryUsage().arrayBuffers;
    expect((await send(port, path, { headers: { "content-encoding": encoding }, body: bomb })).status).toBe(413);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 << 20);
    expect([sink.calls, server.inFlightBytes]).toEqual([0, 0]);
  });

  test("many members of gzip, each small, count together", async () => {
    const { port } = await startIntake();
    const member = gzipSync(Buffer.alloc(1 << 20, 32));
    expect((await send(port, "/api/v2/logs", { headers: { ...json, "content-encoding": "gzip" }, body: Buffer.concat(Array.from({ length: 6 }, () => member)) })).status).toBe(413);
    const frame = zstdCompressSync(Buffer.alloc(1 << 20, 32));
    expect((await send(port, "/api/v2/logs", { headers: { ...json, "content-encoding": "zstd" }, body: Buffer.concat(Array.from({ length: 6 }, () => frame)) })).status).toBe(413);
  });

  test("nesting of any depth neither hangs nor faults", async () => {
    const { port, faults } = await startIntake({ keys: intakeKeys([]) });
    const depth = 1_000_000;
    for (const [open, close] of [["[", "]"], ['{"a":', "}"], ['{"event":', "}"], ['{"Records":[', "]}"]] as const) {
      for (const path of ["/api/v2/logs", "/v1/input", "/v1/logs", "/services/collector", "/_bulk", "/firehose", "/gcp/pubsub", "/azure/eventhub", "/aws/eventbridge", "/loki/api/v1/push", "/api/v1/events"]) {
        const body = (open.repeat(Math.floor(2_000_000 / open.length)) + (open.endsWith("[") ? "" : "1") + close.repeat(depth)).slice(0, 4_000_000);
        const { status } = await send(port, path, { headers: path === "/v1/logs" ? json : {}, body });
        expect(status, `${path} ${open}`).toBeLessThan(500);
      }
    }
    expect(faults).toEqual([]);
  }, 60_000);

  test.each<[string, string, number]>([
    ["/api/v2/logs", "{}", 202], ["/api/v2/logs", '{"a":1}\n', 202], ["/services/collector", '{"event":1}', 413], ["/_bulk", '{"index":{}}\n{}\n', 413], ["/azure/eventhub", '{"time":1}', 413], ["/azure/eventhub", "1\n", 400],
  ])("a body at %s of nothing but %j costs a few times its size", async (path, record, status) => {
    const { port, sink, faults } = await startIntake({ keys: intakeKeys([]) });
    const count = Math.floor((path === "/api/v2/logs" ? 5_000_000 : 15_000_000) / record.length);
    expect((await send(port, path, { body: record.repeat(count) })).status).toBe(status);
    expect([faults, sink.batches.length]).toEqual([[], status === 202 ? 1 : 0]);
  });

  test("neither wrappers nor lines of what is no record fill the memory", async () => {
    const { port, rejected } = await startIntake({ keys: intakeKeys([]) });
    expect((await send(port, "/aws/cloudtrail", { body: `{"Records":[${"1,".repeat(1_000_000)}{}]}` })).status).toBe(400);
    expect((await send(port, "/api/v2/logs", { headers: { "content-type": "application/json" }, body: `{}\n${"{\n".repeat(1_000_000)}` })).status).toBe(400);
    expect((await send(port, "/firehose", { body: `{"records":[${"1,".repeat(1_000_000)}1]}` })).status).toBe(413);
    expect(rejected).toEqual([]);
  });

  test("a promise that is not kept is forgotten", async () => {
    const { port, sink, server } = await startIntake();
    await new Promise<void>((resolve) => {
      const request = httpRequest({ port, method: "POST", path: "/api/v2/logs", headers: { ...json, "content-length": "100" } });
      request.on("error", () => resolve());
      request.write('{"message":', () => setTimeout(() => request.destroy(), 20));
    });
    await until(() => server.counts.get("datadog")?.refused === 1);
    expect([...server.counts.get("datadog")!.refusals]).toEqual([["gone", 1]]);
    expect([sink.calls, server.inFlightBytes]).toEqual([0, 0]);
  });

  test("a body that comes too slowly is told so", async () => {
    const { port, sink } = await startIntake({ limits: { bodyMs: 150 } });
    const text = await sendRaw(port, [post("Content-Length: 100\r\n", '{"a'), '":', "1"], "Request Timeout", 40);
    expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[^]*"status":"408"/);
    expect(sink.calls).toBe(0);
  });

  test("a declared length over the limit is refused before a byte is read, and the sender sees why", async () => {
    const { port } = await startIntake();
    expect(await sendRaw(port, [post("Content-Length: 99999999999\r\n")], '"413"')).toMatch(/^HTTP\/1\.1 413 /);
    expect((await send(port, "/api/v2/logs", { headers: json, body: Buffer.alloc(12 << 20, 97) })).status).toBe(413);
    const chunk = `100000\r\n${"a".repeat(1 << 20)}\r\n`;
    expect(await sendRaw(port, [post("Transfer-Encoding: chunked\r\n"), ...Array.from({ length: 8 }, () => chunk), "0\r\n\r\n"], '"413"')).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("all bodies together stay within their room, and what does not fit comes again", async () => {
    const { port, sink, server } = await startIntake({ limits: { inFlightBytes: 1 << 20 } });
    const body = JSON.stringify({ message: "x".repeat(300_000) });
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(port, "/api/v2/logs", { headers: json, body })));
    const taken = answers.filter(({ status }) => status === 202).length;
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(answers.length === taken ? [202] : [202, 429]));
    expect([sink.events.length, server.inFlightBytes]).toEqual([taken, 0]);
    expect((await send(port, "/api/v2/logs", { headers: json, body: `[${JSON.stringify({ message: "y".repeat(1_100_000) })}]` })).status).toBe(429);
    expect((await send(port, "/api/v2/logs", { headers: json, body })).status).toBe(202);
  });
});

describe("hostile requests", () => {
  test("headers too large, too slow, or none", async () => {
    const { port, server } = await startIntake({ limits: { headersMs: 300 } });
    expect(await sendRaw(port, [`GET / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(20_000)}\r\n\r\n`])).toMatch(/^HTTP\/1\.1 431 /);
    expect(await sendRaw(port, ["GET / HTTP/1.1\r\nHost: x\r\n", ...Array.from({ length: 20 }, (_, i) => `X-${i}: a\r\n`)], undefined, 60)).toMatch(/^HTTP\/1\.1 408 /);
    expect(await sendRaw(port, ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not http at all\r\n\r\n"])).toMatch(/^HTTP\/1\.1 400 /);
    expect(Object.fromEntries(server.counts.get("http")!.refusals)).toEqual({ headers: 1, timeout: 1, "not-http": 1 });
  });

  test("a body whose end two headers tell differently is not taken", async () => {
    const { port, sink } = await startIntake();
    expect(await sendRaw(port, [post("Content-Length: 15\r\nTransfer-Encoding: chunked\r\n", '0\r\n\r\n{"message":"x"}')])).toMatch(/^HTTP\/1\.1 400 /);
    expect(await sendRaw(port, [post("Content-Length: 15\r\nContent-Length: 16\r\n", '{"message":"x"}')])).toMatch(/^HTTP\/1\.1 400 /);
    expect(await sendRaw(port, [post("Content-Length: -1\r\n")])).toMatch(/^HTTP\/1\.1 400 /);
    expect(await sendRaw(port, [post("Transfer-Encoding: chunked\r\n", "zz\r\n")])).toMatch(/^HTTP\/1\.1 400 /);
    expect(sink.calls).toBe(0);
  });

  test("requests one behind the other are answered in order, refused ones too", async () => {
    const { port, sink } = await startIntake();
    const of = (body: string, key = KEY): string => `POST /api/v2/logs HTTP/1.1\r\nHost: x\r\nDD-API-KEY: ${key}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const text = await sendRaw(port, [of('{"message":"a"}') + of('{"message":"b"}', "wrong") + of('{"message":"c"}') + of("{}")], /(?:HTTP\/1\.1 [^]*){4}\{\}$/);
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual(["202", "403", "202", "202"]);
    expect(sink.events.map(({ message }) => message)).toEqual(["a", "c"]);
  });

  test("chunks with extensions and trailers", async () => {
    const { port, sink } = await startIntake();
    const text = await sendRaw(port, [post("Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n", '7;x=y\r\n{"messa\r\n8\r\nge":"x"}\r\n0\r\nX-Sum: 1\r\n\r\n')], "{}");
    expect(text).toMatch(/^HTTP\/1\.1 202 /);
    expect(sink.events.map(({ message }) => message)).toEqual(["x"]);
  });

  test("Expect: 100-continue is answered first, and not at all where the request is refused", async () => {
    const { port, sink } = await startIntake();
    const taken = await sendRaw(port, [post("Expect: 100-continue\r\nContent-Length: 15\r\n"), '{"message":"x"}'], "{}", 50);
    expect(taken).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 202 /);
    sink.refusal = { reason: "full", retryAfterS: 1 };
    const refused = await sendRaw(port, [post("Expect: 100-continue\r\nContent-Length: 1000\r\n")], "queue is full");
    expect(refused).toMatch(/^HTTP\/1\.1 429 /);
    expect(refused).not.toContain("100 Continue");
  });

  test("a connection stays open over requests that are taken and refused", async () => {
    const { port, sink } = await startIntake();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    const statuses: Array<number | undefined> = [];
    for (const [key, body] of [[KEY, '{"message":"a"}'], ["wrong", "x".repeat(500_000)], [KEY, '{"message":"b"}'], [KEY, "[{"]] as const) {
      await new Promise<void>((resolve, reject) => {
        const request = httpRequest({ port, agent, method: "POST", path: "/api/v2/logs", headers: { "dd-api-key": key, "content-type": "application/json", "content-length": body.length } }, (response) => {
          statuses.push(response.statusCode);
          response.resume().on("end", resolve);
        });
        request.on("socket", (socket) => ports.add(socket.localPort ?? 0)).on("error", reject).end(body);
      });
    }
    agent.destroy();
    expect(statuses).toEqual([202, 403, 202, 400]);
    expect([ports.size <= 2, sink.events.length]).toEqual([true, 2]);
  });

  test("odd targets", async () => {
    const { port } = await startIntake();
    expect(await sendRaw(port, [`GET http://anywhere:1/api/v1/validate?api_key=${KEY} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`])).toContain('{"valid":true}');
    expect(await sendRaw(port, ["GET //x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"])).toMatch(/^HTTP\/1\.1 401 /);
    expect(await sendRaw(port, ["POST /%ff%zz/../api HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"])).toMatch(/^HTTP\/1\.1 404 /);
    expect(await sendRaw(port, ["CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"])).toBe("");
    expect((await send(port, "/api/v2/logs?ddtags=%E0%A4%A&ddsource=%", { headers: json, body: '{"a":1}' })).status).toBe(202);
  });

  test("more connections than there may be are turned away", async () => {
    const { port } = await startIntake({ limits: { connections: 2 } });
    const held = [sendRaw(port, ["GET"], undefined), sendRaw(port, ["GET"], undefined)];
    await new Promise((next) => setTimeout(next, 50));
    expect(await sendRaw(port, ["GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"])).toBe("");
    void held;
  });

  test("seeded noise on the socket never ends the server", async () => {
    const { port, faults } = await startIntake({ limits: { headersMs: 400, bodyMs: 400 } });
    const random = seeded(26);
    const heads = [post("Content-Length: 50\r\n"), post("Transfer-Encoding: chunked\r\n"), "GET / HTTP/1.1\r\n", "POST /_bulk HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 40\r\n\r\n", ""];
    await Promise.all(Array.from({ length: 60 }, () => {
      const noise = Buffer.from(Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 256)));
      return sendRaw(port, [heads[Math.floor(random() * heads.length)]!, noise], "HTTP/1.1");
    }));
    expect((await send(port, "/healthz")).status).toBe(200);
    expect(faults).toEqual([]);
  });
});

describe("the server", () => {
  test("health, readiness and metrics need no key", async () => {
    const { port, sink } = await startIntake();
    await send(port, "/api/v2/logs", { headers: { ...json, "content-encoding": "gzip" }, body: gzipSync('[{"message":"a"},1]') });
    await send(port, "/api/v2/logs", { body: "{}" });
    expect((await send(port, "/healthz")).json).toEqual({ status: "ok" });
    expect((await send(port, "/readyz")).json).toEqual({ status: "ready" });
    sink.refusal = { reason: "disk", retryAfterS: 1 };
    const busy = await send(port, "/readyz");
    expect([busy.status, busy.json]).toEqual([503, { status: "busy", reason: "disk" }]);
    const { text, headers } = await send(port, "/metrics");
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(text.split("\n").filter((line) => line.includes('input="datadog"'))).toEqual([
      'vespid_intake_requests_total{input="datadog"} 2', expect.stringMatching(/^vespid_intake_bytes_total\{input="datadog"\} \d+$/), 'vespid_intake_unpacked_bytes_total{input="datadog"} 19',
      'vespid_intake_events_total{input="datadog"} 1', 'vespid_intake_truncated_total{input="datadog"} 0', 'vespid_intake_refused_total{input="datadog",reason="no-key"} 1', 'vespid_intake_rejected_total{input="datadog",reason="not-an-object"} 1',
    ]);
  });

  test("every metric has its help and type, once", async () => {
    const { port } = await startIntake({ metrics: () => [{ name: "vespid_x", help: "X.", type: "gauge", samples: [[{ a: 'q"\\\n' }, 1.5]] }] });
    const lines = (await send(port, "/metrics")).text.trimEnd().split("\n");
    expect(lines).toContain('vespid_x{a="q\\"\\\\\\n"} 1.5');
    const names = lines.filter((line) => line.startsWith("# TYPE")).map((line) => line.split(" ")[2]);
    expect(new Set(names).size).toBe(names.length);
    expect(lines.every((line) => /^# (?:HELP|TYPE) [a-z_]+ .+$|^[a-z_]+(?:\{.*\})? [\d.]+$/.test(line))).toBe(true);
  });

  test("a prefix, and a stream by who sends", async () => {
    const { port, sink } = await startIntake({ prefix: "/siem/", partitionOf: (input, { peer }) => `${input}@${peer}` });
    expect((await send(port, "/siem/api/v2/logs", { headers: json, body: '{"message":"a"}' })).status).toBe(202);
    expect((await send(port, "/api/v2/logs", { headers: json, body: '{"message":"b"}' })).status).toBe(202);
    expect(sink.batches.map(({ partition }) => partition)).toEqual(["datadog@127.0.0.1", "datadog@127.0.0.1"]);
  });

  test("a sink that fails is our fault, told without its words", async () => {
    const { port, sink, faults, server } = await startIntake();
    sink.accept = () => Promise.reject(new Error("secret place"));
    const answer = await send(port, "/api/v2/logs", { headers: json, body: '{"message":"a"}' });
    expect([answer.status, answer.text.includes("secret"), faults.length]).toEqual([500, false, 1]);
    expect([...server.counts.get("datadog")!.refusals]).toEqual([["fault", 1]]);
  });

  test("closing finishes what was begun and takes nothing new", async () => {
    const { port, sink, server } = await startIntake({ limits: { drainMs: 5000 } });
    let letGo = (): void => {};
    const accept = sink.accept.bind(sink);
    sink.accept = async (batches) => {
      await new Promise<void>((next) => {
        letGo = next;
      });
      return accept(batches);
    };
    const pending = send(port, "/api/v2/logs", { headers: { ...json, connection: "keep-alive" }, body: '{"message":"a"}' });
    await until(() => server.counts.get("datadog")?.requests === 1 && server.inFlightBytes > 0);
    await new Promise((next) => setTimeout(next, 20));
    const closed = server.close();
    await expect(send(port, "/healthz")).rejects.toThrow(/ECONNREFUSED/);
    letGo();
    const answer = await pending;
    await closed;
    expect([answer.status, answer.headers.connection, sink.events.length]).toEqual([202, "close", 1]);
  });

  test("a request that never ends does not hold the close", async () => {
    const { port, server } = await startIntake({ limits: { drainMs: 100 } });
    const text = sendRaw(port, [post("Content-Length: 100\r\n", "{")]);
    await until(() => server.desk.active === 1);
    await server.close();
    expect(await text).toBe("");
  });

  test("another server's bodies are taken at the same desk", async () => {
    const { server, sink } = await startIntake();
    const head = { method: "POST", path: "/api/v2/logs", query: new URLSearchParams(), headers: { "dd-api-key": KEY, "content-encoding": "gzip" }, peer: "192.0.2.1", arrivalMs: 1 };
    const body = gzipSync('{"message":"a"}');
    const refused = (given: typeof head, length: number): number | undefined => server.desk.open(given, length).refused?.status;
    expect([refused(head, 6 << 20), refused({ ...head, headers: {} } as typeof head, 1), refused({ ...head, path: "/x" }, 1)]).toEqual([413, 401, 404]);
    const opened = [server.desk.open(head, body.length), server.desk.open(head, 1), server.desk.open(head, 1), server.desk.open(head, 1), server.desk.open(head, 1)];
    expect([opened.some((visit) => visit.refused), server.desk.active]).toEqual([false, 5]);
    expect([(await opened[0]!.serve(body)).status, (await opened[1]!.serve(Buffer.from("x"))).status]).toEqual([202, 400]);
    expect([opened[2]!.abandon("gone"), opened[3]!.abandon("full")?.status, opened[4]!.abandon("timeout")?.status]).toEqual([undefined, 429, 408]);
    expect([sink.events.map(({ message }) => message), server.desk.active, server.inFlightBytes]).toEqual([["a"], 0, 0]);
    expect(server.counts.get("datadog")).toMatchObject({ requests: 7, events: 1, refused: 6 });
  });

  test("[IN-28] plain HTTP beyond loopback must be asked for; TLS need not", async () => {
    await expect(startIntake({ host: "0.0.0.0" })).rejects.toThrow(ProblemError);
    await expect(startIntake({ host: "0.0.0.0" })).rejects.toMatchObject({ problems: [{ code: "intake/plain-beyond-loopback", hint: expect.any(String) }] });
    const { port } = await startIntake({ host: "0.0.0.0", plainBeyondLoopback: true });
    expect((await send(port, "/healthz")).status).toBe(200);
  });

  test.skipIf(!tls)("[IN-28] TLS (needs openssl)", async () => {
    const { port, sink } = await startIntake({ tls });
    const status = await new Promise((resolve, reject) => {
      httpsRequest({ port, host: "127.0.0.1", method: "POST", path: "/api/v2/logs", headers: json, ca: tls!.cert, servername: "localhost" }, (response) => resolve(response.statusCode)).on("error", reject).end('{"message":"a"}');
    });
    expect([status, sink.events.length]).toEqual([202, 1]);
    await expect(send(port, "/healthz")).rejects.toThrow();
  });

  test("a port that is taken is said", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((next) => other.once("listening", next));
    await expect(startIntake({ port: (other.address() as { port: number }).port })).rejects.toThrow(/EADDRINUSE/);
    other.close();
  });

  test("[IN-05] keys are kept as hashes only", () => {
    const keys = intakeKeys([hashKey("a"), hashKey("b")]);
    expect(["a", "b", "c", "", "a".repeat(5000), hashKey("a")].map((key) => keys.has(key))).toEqual([true, true, false, false, false, false]);
    expect(JSON.stringify(keys)).not.toMatch(/"a"|"b"/);
    expect(() => intakeKeys(["short"])).toThrow(/SHA-256/);
    expect(intakeKeys([]).required).toBe(false);
  });
});
