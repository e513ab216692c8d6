import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Signal } from "../../host/index.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import { TestRules, send, serverFolder, until } from "../serve/support.ts";

const rule = (query: string) => ({
  name: "known bad", message: "{{@threat_intel.results.category}}", isEnabled: true, type: "log_detection", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 86400 },
  queries: [{ name: "bad", query, aggregation: "count", groupByFields: ["@threat_intel.results.indicator"] }], cases: [{ name: "", status: "high", condition: "bad > 0" }],
});
const anyIndicator = "@threat_intel.indicators_matched:*";
const HOUR = 3_600_000;

async function ask(server: VespidServer, method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<{ readonly status: number; readonly body: any }> {
  const answer = await fetch(`http://127.0.0.1:${server.address.port}${path}`, {
    method, headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers }, body: body === undefined ? undefined : body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

async function groups(server: VespidServer, signals: Map<string, Signal>): Promise<string[]> {
  await server.detection.storeSignals();
  return [...signals.values()].map(({ group }) => group["@threat_intel.results.indicator"]!).sort();
}

describe("a server with feeds", () => {
  const folder = serverFolder();
  const feed = join(folder.path, "tor.csv");
  const put = (text: string): void => {
    mkdirSync(folder.path, { recursive: true });
    writeFileSync(`${feed}.new`, text);
    renameSync(`${feed}.new`, feed);
  };
  const config = (name: string) => ({ data: join(folder.path, name), intelFeeds: [{ name: "tor", path: feed, refreshMs: HOUR, category: "tor", intention: "suspicious" }] });

  test("[TI-01] [TI-06] [TI-07] [TI-08] [TI-10] signals carry what is known; another file counts from then on, and the old one no more", async () => {
    put("ip_address\n203.0.113.7\n");
    const signals = new Map<string, Signal>();
    const server = await folder.start(new TestRules([rule(anyIndicator)]), config("reload"), { onSignal: ({ signal }) => void signals.set(signal.id, signal) });
    expect(await send(server, [{ message: "from 203.0.113.7" }, { message: "from 203.0.113.8" }])).toBe(202);
    expect(await groups(server, signals)).toEqual(["203.0.113.7"]);
    const [signal] = signals.values();
    expect(signal!.message).toBe("tor");
    expect(signal!.samples[0]).toMatchObject({ message: "from 203.0.113.7", threat_intel: { indicators_matched: ["IP"], results: [{ indicator: "203.0.113.7", type: "IP", category: "tor", intention: "suspicious", source: { name: "tor" } }] } });
    const before = server.detection.given;
    put("ip_address\n203.0.113.8\n");
    await until(async () => (await ask(server, "GET", "/api/v2/security/threat-intel/lookup?value=203.0.113.8")).body.data.attributes.results.length === 1);
    // The table stands when the engine has it: what comes now is judged by it.
    await until(async () => {
      await send(server, [{ message: "to 203.0.113.8" }]);
      return (await groups(server, signals)).length === 2;
    });
    await send(server, [{ message: "again 203.0.113.7 alone" }]);
    await server.detection.storeSignals();
    expect([...signals.values()].find(({ group }) => group["@threat_intel.results.indicator"] === "203.0.113.7")!.eventsMatched).toBe(1);
    expect(server.detection.given).not.toEqual(before);
    const found = await ask(server, "POST", "/api/v2/logs/events/search", { filter: { query: "@threat_intel.results.category:tor @threat_intel.results.source.name:tor", from: "now-1h", to: "now+1h" } });
    expect(found.status).toBe(200);
    expect(new Set(found.body.data.map(({ attributes }: any) => attributes.attributes.threat_intel.results[0].indicator))).toEqual(new Set(["203.0.113.8"]));
    expect((await ask(server, "GET", "/api/v2/security/threat-intel/feeds")).body.data).toMatchObject([{ id: "tor", attributes: { indicators: 1, problem: null } }]);
    expect(folder.faults).toEqual([]);
  }, 30_000);

  test("[TI-06] a reload under load loses nothing: every log is judged once, by the one table or the other", async () => {
    put("ip_address\n203.0.113.7\n");
    const signals = new Map<string, Signal>();
    const server = await folder.start(new TestRules([rule(anyIndicator)]), { ...config("load"), workers: 1 }, { onSignal: ({ signal }) => void signals.set(signal.id, signal) });
    let sent = 0;
    let swaps = 0;
    let isDone = false;
    const sender = (async () => {
      while (!isDone) {
        expect(await send(server, Array.from({ length: 50 }, () => ({ message: "203.0.113.7 203.0.113.9", id: ++sent })))).toBe(202);
      }
    })();
    for (const text of ["203.0.113.7\n203.0.113.10", "203.0.113.9\n203.0.113.7", "203.0.113.7"]) {
      put(`ip_address\n${text}\n`);
      const known = text.split("\n").at(-1)!;
      await until(async () => {
        const { body } = await ask(server, "GET", "/api/v2/security/threat-intel/feeds");
        return body.data[0].attributes.indicators === text.split("\n").length && (await ask(server, "GET", `/api/v2/security/threat-intel/lookup?value=${known}`)).body.data.attributes.results.length === 1;
      }, 20_000);
      swaps++;
    }
    isDone = true;
    await sender;
    await server.detection.storeSignals();
    expect(swaps).toBe(3);
    const all = [...signals.values()].find(({ group }) => group["@threat_intel.results.indicator"] === "203.0.113.7")!;
    expect([all.eventsMatched, server.detection.stats.lateDropped]).toEqual([sent, 0]);
    expect(folder.faults).toEqual([]);
  }, 60_000);

  test("[TI-06] an address is asked again, its tag spares what did not change, and a fault leaves what was", async () => {
    let answer: { readonly status: number; readonly text: string; readonly tag: string } = { status: 200, text: "203.0.113.50", tag: '"1"' };
    const asked: Array<string | undefined> = [];
    const upstream = createServer((request, response) => {
      asked.push(request.headers["if-none-match"]);
      if (answer.status === 200 && request.headers["if-none-match"] === answer.tag) response.writeHead(304).end();
      else response.writeHead(answer.status, { etag: answer.tag }).end(answer.text);
    });
    await new Promise<void>((done) => upstream.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/list.txt`;
    const { IntelFeeds } = await import("../../host/enrich/intel-feeds.ts");
    let nowMs = 0;
    const feeds = new IntelFeeds([{ name: "net", url, refreshMs: HOUR }], join(folder.path, "net"), () => nowMs);
    const look = async (): Promise<unknown[]> => {
      const isNew = await feeds.fetchDue();
      const { isChanged } = await feeds.load();
      return [isNew, isChanged, feeds.table?.address4(0xcb007132), feeds.states[0]!.problem === undefined];
    };
    expect(await look()).toEqual([true, true, 1, true]);
    expect(await look()).toEqual([false, false, 1, true]);
    nowMs += HOUR;
    expect(await look()).toEqual([false, false, 1, true]);
    answer = { status: 500, text: "no", tag: '"2"' };
    nowMs += HOUR;
    expect(await look()).toEqual([false, false, 1, false]);
    answer = { status: 200, text: "203.0.113.51", tag: '"3"' };
    nowMs += HOUR;
    expect(await look()).toEqual([true, true, 0, true]);
    expect(asked).toEqual([undefined, '"1"', '"1"', '"1"']);
    upstream.close();
  });

  test("[TI-06] [TI-09] STIX: indicators are added, sent again, revoked and run out; what cannot be used is counted", async () => {
    put("ip_address\n203.0.113.7\n");
    const signals = new Map<string, Signal>();
    const server = await folder.start(new TestRules([rule(anyIndicator)]), config("stix"), { onSignal: ({ signal }) => void signals.set(signal.id, signal) });
    const indicator = (number: number, pattern: string, more: object = {}): object => ({ type: "indicator", spec_version: "2.1", id: `indicator--00000000-0000-4000-8000-00000000000${number}`, pattern, pattern_type: "stix", valid_from: "2020-01-01T00:00:00Z", ...more });
    const ingest = (objects: readonly object[], headers: Readonly<Record<string, string>> = { ti_vendor: "Acme Intel Co" }, more: object = {}) => ask(server, "POST", "/api/v2/security/threat-intel/stix", { type: "bundle", id: "bundle--1", objects, ...more }, headers);
    const known = async (value: string): Promise<any[]> => (await ask(server, "GET", `/api/v2/security/threat-intel/lookup?value=${encodeURIComponent(value)}`)).body.data.attributes.results;

    expect((await ingest([
      indicator(1, "[ipv4-addr:value = '198.51.100.7'] OR [domain-name:value IN ('bad.example', 'worse.example')]", { indicator_types: ["malicious-activity"], name: "one" }),
      indicator(2, "[file:hashes.'SHA-256' = 'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855']", { indicator_types: ["benign"] }),
      indicator(3, "[ipv6-addr:value = '2001:db8::5']", { valid_until: "2021-01-01T00:00:00Z" }), indicator(4, "[url:value = 'https://x.example/a' AND ipv4-addr:value = '192.0.2.1']"),
      indicator(5, "[process:name = 'x']"), { type: "malware", id: "malware--1" }, { type: "indicator", id: "indicator--x", pattern: 7 }, indicator(6, "[ipv4-addr:value = '192.0.2.9']", { spec_version: "2.0" }),
    ])).body).toEqual({ data: { type: "threat-intel-stix-ingest", id: "acme_intel", attributes: { added: 3, unsupported: 4, invalid: 1 } } });
    expect(await known("198.51.100.7")).toMatchObject([{ indicator: "198.51.100.7", type: "IP", category: "custom", intention: "malicious", source: { name: "acme_intel" }, additional_data: { name: "one" } }]);
    expect([await known("www.worse.example"), await known("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), await known("2001:db8::5"), await known("192.0.2.1")]).toMatchObject([[{ type: "DOMAIN" }], [{ type: "SHA256", intention: "benign" }], [], []]);
    await send(server, [{ dns: { question: { name: "worse.example" } } }]);
    expect(await groups(server, signals)).toEqual(["worse.example"]);

    expect((await ingest([indicator(1, "[ipv4-addr:value = '198.51.100.8']")])).body.data.attributes).toEqual({ added: 1, unsupported: 0, invalid: 0 });
    expect([await known("198.51.100.7"), await known("worse.example"), await known("198.51.100.8")]).toMatchObject([[], [], [{ intention: "suspicious" }]]);
    expect((await ask(server, "POST", "/api/v2/security/threat-intel/stix", gzipSync(JSON.stringify({ type: "bundle", id: "b", objects: [indicator(1, "", { revoked: true })] })), { ti_vendor: "Acme Intel Co", "content-encoding": "gzip" })).body.data.attributes).toEqual({ added: 0, unsupported: 0, invalid: 0 });
    expect(await known("198.51.100.8")).toEqual([]);
    expect((await ingest([], {})).status).toBe(400);
    expect((await ingest([], undefined, { spec_version: "2.0" })).status).toBe(400);
    expect((await ask(server, "POST", "/api/v2/security/threat-intel/stix", Buffer.from("{"), { ti_vendor: "a" })).status).toBe(400);
    const many = await Promise.all(Array.from({ length: 30 }, () => ingest([])));
    expect(many.filter(({ status }) => status === 429).length).toBeGreaterThan(5);

    // What was uploaded is there after a start, beside the feeds.
    await server.close();
    const again = await folder.start(new TestRules([rule(anyIndicator)]), config("stix"));
    const { body } = await ask(again, "GET", "/api/v2/security/threat-intel/lookup?value=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(body.data.attributes.results).toHaveLength(1);
    expect(folder.faults).toEqual([]);
  }, 30_000);
});
