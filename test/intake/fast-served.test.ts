import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { intakeKeys } from "../../host/intake/keys.ts";
import { burst } from "../serve/rules.ts";
import { TestRules, serverFolder } from "../serve/support.ts";
import { seeded, sendRaw, startIntake } from "./http-support.ts";

/** A header that the fast lane leaves to node:http, and one that it reads. */
const ways = { lane: "User-Agent: test/1", node: "X-Other: 1" } as const;
type Way = keyof typeof ways;

interface Request {
  readonly body: string | Uint8Array;
  readonly query?: string;
  readonly head?: readonly string[];
}

function bytesOf({ body, query = "", head = ["Content-Type: application/json"] }: Request, way: Way): Buffer {
  const content = Buffer.from(body as string);
  return Buffer.concat([Buffer.from([`POST /api/v2/logs${query} HTTP/1.1`, "Host: x", ways[way], ...head, `Content-Length: ${content.length}`, "", ""].join("\r\n")), content]);
}

/** Status, headers that matter, and body of each answer, all requests over one connection. */
async function answersTo(port: number, requests: readonly Request[], way: Way): Promise<string[]> {
  const socket = connect(port, "127.0.0.1");
  let heard = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => (heard = Buffer.concat([heard, chunk])));
  const answers: string[] = [];
  for (const request of requests) {
    socket.write(bytesOf(request, way));
    const headEnd = (): number => heard.indexOf("\r\n\r\n");
    while (headEnd() < 0 || heard.length < headEnd() + 4 + Number(/content-length: (\d+)/i.exec(heard.toString("latin1", 0, headEnd()))?.[1])) await once(socket, "data");
    const end = headEnd();
    const [first, ...lines] = heard.toString("latin1", 0, end).split("\r\n");
    const headers = lines.map((line) => line.toLowerCase()).filter((line) => /^(?:content-type|content-length|retry-after):/.test(line)).toSorted();
    answers.push([first, ...headers, heard.toString("utf8", end + 4)].join("\n"));
    heard = Buffer.alloc(0);
  }
  socket.destroy();
  return answers;
}

const log = '{"message":"a \\u00e9 \\" b","host":"h","ddsource":"x","ddtags":"a:b,c","timestamp":1772359200000,"o":{"p":[1,null,true,"t"]}}';
const lines = (body: string | Uint8Array, count: number): string => Array.from({ length: count }, () => body).join("\n");
const wholes: readonly Request[] = [
  { body: `[${log},${log}]` }, { body: log }, { body: lines(log, 40) }, { body: `${log}${log} ${log}` }, { body: `[${log},"text",3,["x"],null]` }, { body: "[]" }, { body: "{}" }, { body: "" }, { body: " \n" },
  { body: `\ufeff[\n  ${log.replaceAll(",", ",\n  ")}\n]` }, { body: "<34>1 2026-03-01T10:00:00Z h app 1 - [a b=\"c\"] text\nplain\r\n[x] y\n", head: ["Content-Type: text/plain"] },
  { body: "[INFO] not JSON", head: [] }, { body: "[INFO] not JSON" }, { body: `${log}\n{"cut":\n${log}` }, { body: `[${log},` }, { body: `{"a":1}]` }, { body: `[${lines("1,", 20_000)}1]` }, { body: `[${Array.from({ length: 1001 }, () => "{}").join(",")}]` },
  { body: `{"Records":[{"eventVersion":"1","eventName":"n","eventSource":"s.amazonaws.com"},${log}],"x":1}` }, { body: log, query: "?ddsource=nginx&ddtags=a:b,c&service=s&hostname=%C3%A9" },
  { body: JSON.stringify({ message: `${"é\n".repeat(400_000)}`, host: "h" }) }, { body: JSON.stringify(Array.from({ length: 120_000 }, () => 1)) }, { body: `${"[".repeat(300_000)}${"]".repeat(300_000)}` }, { body: Buffer.from([0x5b, 0x22, 0xff, 0xfe, 0x22, 0x5d]) },
  { body: Buffer.alloc(5 * 1024 * 1024, `${log}\n`).fill(" ", 5 * 1024 * 1024 - 300) }, { body: Buffer.alloc(5 * 1024 * 1024 + 1, " ") }, { body: log, head: ["Content-Encoding: gzip"] }, { body: log, head: ["Content-Encoding: identity"] },
];

describe("the fast lane and node:http take the same requests in the same way", () => {
  test("whole ones and damaged ones", async () => {
    const random = seeded(31);
    const requests = [...wholes];
    for (const { body, ...rest } of wholes) {
      const bytes = Buffer.from(body as string);
      if (!bytes.length || bytes.length > 100_000) continue;
      for (let run = 0; run < 8; run++) {
        const damaged = Buffer.from(bytes);
        damaged[Math.floor(random() * damaged.length)] = '{}[],:"\\ \n\0a1'.charCodeAt(Math.floor(random() * 13));
        requests.push({ ...rest, body: damaged });
      }
    }
    const both = [];
    for (const way of ["lane", "node"] as const) {
      const { port, sink, rejected, faults, server } = await startIntake({ keys: intakeKeys([]), limits: { recordBytes: 1 << 20 } });
      const answers = await answersTo(port, requests, way);
      const batches = sink.batches.map(({ bytes, ...rest }) => ({ ...rest, lines: Buffer.from(bytes).toString("latin1").split("\n").map((line) => line.trim()).filter((line) => line !== "") }));
      both.push({ answers, batches, rejected: rejected.map(({ record }) => [record.reason, Buffer.from(record.bytes).toString("latin1")]), faults, counts: server.counts.get("datadog") });
    }
    expect(both[0]!.answers).toEqual(both[1]!.answers);
    expect(both[0]!.batches).toEqual(both[1]!.batches);
    expect(both[0]).toEqual(both[1]);
    expect(new Set(both[0]!.answers.map((answer) => answer.slice(9, 12)))).toEqual(new Set(["202", "400", "413"]));
  });

  test("those that are refused for their key, or for want of room", async () => {
    const both = [];
    for (const way of ["lane", "node"] as const) {
      const { port, sink, server } = await startIntake();
      const keys = [[], ["DD-API-KEY: wrong"], ["DD-API-KEY: k-test"]];
      const answers = await answersTo(port, keys.map((head) => ({ body: log, head })), way);
      sink.refusal = { reason: "full", retryAfterS: 7 };
      answers.push(...(await answersTo(port, [{ body: lines(log, 9), head: keys[2] }], way)));
      sink.refusal = undefined;
      sink.refuseNext.push({ reason: "disk", retryAfterS: 30 });
      answers.push(...(await answersTo(port, [{ body: log, head: keys[2] }, { body: log, head: keys[2] }], way)));
      both.push({ answers, events: sink.events.length, counts: server.counts.get("datadog") });
    }
    expect(both[0]).toEqual(both[1]);
    expect(both[0]!.answers.map((answer) => answer.slice(9, 12))).toEqual(["401", "403", "202", "429", "429", "202"]);
  });

  test("a request that the lane takes is not node's, and the other way round", async () => {
    const { port, server } = await startIntake({ keys: intakeKeys([]) });
    let handed = 0;
    server.http.on("connection", () => handed++);
    for (const [way, expected] of [["lane", 0], ["node", 1]] as const) {
      expect(await sendRaw(port, [bytesOf({ body: log }, way)], "{}")).toMatch(/^HTTP\/1\.1 202 /);
      expect(handed).toBe(expected);
    }
  });
});

describe("served end to end", () => {
  const folder = serverFolder();

  test("logs that came over the fast lane open the signals that logs over node:http open", async () => {
    const random = seeded(77);
    const startMs = Date.now() - 60_000;
    const event = (i: number): object => ({ ddsource: "sso", timestamp: startMs + i, evt: { outcome: random() < 0.9 ? "failure" : "success" }, usr: { id: `user-${Math.floor(random() * 12)}` }, message: "login" });
    const requests = Array.from({ length: 60 }, (_, i): Request => {
      const events = Array.from({ length: 25 }, (__, nr) => JSON.stringify(event(i * 25 + nr)));
      return { body: i % 3 === 0 ? events.join("\n") : i % 3 === 1 ? `[${events.join(",")}]` : `[${events.join(" ,\n")},7]` };
    });
    const both = [];
    for (const way of ["lane", "node"] as const) {
      const server = await folder.start(new TestRules([burst]), { data: join(folder.path, way) });
      const answers = await answersTo(server.address.port, requests, way);
      await server.close();
      both.push({ answers, events: server.lastStats!.events, signals: server.lastStats!.signals, faults: folder.faults });
      const again = await folder.start(new TestRules([burst]), { data: join(folder.path, way) });
      both[both.length - 1] = { ...both.at(-1)!, documents: again.signals.all().map(({ document }) => document.replaceAll(/"id":"[^"]*"/g, "")) } as never;
      await again.close();
    }
    expect(both[0]).toEqual(both[1]);
    expect(both[0]).toMatchObject({ events: 1500, faults: [] });
    expect(both[0]!.signals).toBeGreaterThan(5);
    expect(new Set(both[0]!.answers.map((answer) => answer.slice(9, 12)))).toEqual(new Set(["202"]));
  });
});
