import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { OpenConnections, WrongKeys, senderOf } from "../../host/intake/addresses.ts";
import { hashKey, intakeKeys } from "../../host/intake/keys.ts";
import { ARRIVAL_MS, KEY, send, startIntake } from "./http-support.ts";

const body = '[{"message":"x"}]';

describe("wrong keys", () => {
  test("too many of one address get 429 with Retry-After for a while, the right key with them; then it goes on", async () => {
    let now = ARRIVAL_MS;
    const { port, sink } = await startIntake({ nowMs: () => now, limits: { wrongKeysPerAddress: 3, wrongKeysWaitMs: 60_000 } });
    const ask = async (key: string) => {
      const { status, headers } = await send(port, "/api/v2/logs", { headers: { "dd-api-key": key }, body });
      return [status, headers["retry-after"]];
    };
    for (const wrong of ["a", "b", "c"]) expect(await ask(wrong)).toEqual([403, undefined]);
    expect(await ask("d")).toEqual([429, "60"]);
    now += 20_000;
    // Whoever guesses does not hear that he was right.
    expect(await ask(KEY)).toEqual([429, "40"]);
    expect(sink.calls).toBe(0);
    now += 40_000;
    expect(await ask(KEY)).toEqual([202, undefined]);
  });

  test("who sent with a good key goes on while another behind the same address is blocked", async () => {
    const other = "k-other";
    const { port, server } = await startIntake({ limits: { wrongKeysPerAddress: 3 }, keys: intakeKeys([hashKey(KEY), hashKey(other)]) });
    const statuses: number[] = [];
    for (const key of ["a", KEY, "b", "c", "d", KEY, other]) statuses.push((await send(port, "/api/v2/logs", { headers: { "dd-api-key": key }, body })).status);
    expect(statuses).toEqual([403, 202, 403, 403, 429, 202, 429]);
    const metrics = (await send(port, "/metrics", { method: "GET" })).text;
    expect(metrics).toContain('vespid_intake_refused_total{input="datadog",reason="wrong-keys"} 2\n');
    expect(metrics).toContain("vespid_intake_blocked_addresses 1\n");
    expect(server.counts.get("datadog")!.events).toBe(2);
  });

  test.each<[string, Record<string, string>, number]>([["/services/collector", { authorization: "Splunk wrong" }, 429], ["/_bulk", { authorization: "ApiKey d3Jvbmc=" }, 429], ["/firehose", { "x-amz-firehose-access-key": "wrong" }, 503], ["/v1/logs", { "dd-api-key": "wrong" }, 429]])("%s counts them too", async (path, headers, status) => {
    const { port } = await startIntake({ limits: { wrongKeysPerAddress: 2 } });
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await send(port, path, { headers: { "content-type": "application/json", ...headers }, body: "{}" }));
    expect([answers[2]!.status, answers[2]!.headers["retry-after"]]).toEqual([status, "60"]);
    expect([401, 403]).toContain(answers[1]!.status);
  });

  test("no key is no guess, and an address that is silent for the waiting time begins anew", () => {
    const wrong = new WrongKeys(2, 1000);
    wrong.wasWrong("192.0.2.1", 0);
    wrong.wasWrong("192.0.2.1", 1000);
    expect(wrong.waitS("192.0.2.1", "k", 1000)).toBe(0);
    wrong.wasWrong("192.0.2.1", 1001);
    expect([wrong.waitS("192.0.2.1", "k", 1001), wrong.waitS("192.0.2.2", "k", 1001), wrong.waitS("192.0.2.1", "k", 2001)]).toEqual([1, 0, 0]);
  });

  test("as many addresses as there are cost only so much memory", () => {
    const wrong = new WrongKeys(1, 1000);
    for (let i = 0; i < 30_000; i++) wrong.wasWrong(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 5);
    expect(wrong.blocked(5)).toBe(10_000);
    expect(wrong.blocked(1005)).toBe(0);
  });
});

describe("connections of one address", () => {
  /** How many of `count` connections stay open, each having been answered on. */
  const opened = async (port: number, count: number, from: string): Promise<Socket[]> => {
    const sockets = await Promise.all(Array.from({ length: count }, () => new Promise<Socket>((resolve) => {
      const socket = connect({ port, host: "127.0.0.1", localAddress: from });
      onTestFinished(() => void socket.destroy());
      socket.on("error", () => {});
      socket.once("data", () => resolve(socket));
      socket.once("close", () => resolve(socket));
      socket.write("GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
    })));
    return sockets.filter((socket) => !socket.destroyed && !socket.readableEnded);
  };

  test.each([["with the fast lane", true], ["with node:http alone", false]])("are so many at a time, %s; another address has its own", async (_, lane) => {
    const { port } = await startIntake({ lane, limits: { connectionsPerAddress: 5 } });
    const mine = await opened(port, 9, "127.0.0.1");
    expect(mine.length).toBe(5);
    const others = await opened(port, 4, "127.0.0.2");
    expect(others.length).toBe(4);
    // One that is closed makes room for one.
    await new Promise((resolve) => mine[0]!.once("close", resolve).destroy());
    let again: Socket[] = [];
    while (again.length === 0) again = await opened(port, 1, "127.0.0.1");
    expect((await opened(port, 2, "127.0.0.1")).length).toBe(0);
    const { text } = await send(port, "/metrics", { method: "GET", from: "127.0.0.3" });
    expect(Number(/refused_total\{input="http",reason="connections-of-address"\} (\d+)/.exec(text)![1])).toBeGreaterThanOrEqual(6);
  });

  test("are counted under TLS too, where most of the cost is", async () => {
    const { port, server } = await startIntake({ tls: {}, limits: { connectionsPerAddress: 3 } });
    const closed = await Promise.all(Array.from({ length: 8 }, () => new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: "127.0.0.1" });
      onTestFinished(() => void socket.destroy());
      socket.on("error", () => {});
      socket.once("close", () => resolve(true));
      const look = setInterval(() => {
        if (server.counts.get("http")?.refusals.get("connections-of-address") !== 5) return;
        clearInterval(look);
        setTimeout(() => resolve(false), 200);
      }, 10);
      onTestFinished(() => clearInterval(look));
    })));
    expect(closed.filter(Boolean).length).toBe(5);
  });

  test("are given back one by one, and a sender without any costs no memory", () => {
    const connections = new OpenConnections(2);
    const first = connections.open("192.0.2.1")!;
    const second = connections.open("::ffff:192.0.2.1")!;
    expect([connections.open("192.0.2.1"), connections.senders]).toEqual([undefined, 1]);
    first();
    expect(connections.open("192.0.2.1")).toBeDefined();
    second();
    expect(connections.senders).toBe(1);
  });
});

test.each([
  ["192.0.2.7", "192.0.2.7"], ["::ffff:192.0.2.7", "192.0.2.7"], ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"], ["2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"],
  ["2001:db8::9", "2001:db8:0:0::/64"], ["::1", "0:0:0:0::/64"], ["fe80::1%eth0", "fe80:0:0:0::/64"], ["", ""],
])("the sender behind %s is %s", (address, sender) => expect(senderOf(address)).toBe(sender));
