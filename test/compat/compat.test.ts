import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Served } from "./served.ts";

const isInstalled = existsSync(join(import.meta.dirname, "node_modules", ".package-lock.json"));

/** One of the programs in `clients`, as its user would run it. */
function run(name: string, env: Readonly<Record<string, string>>): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "clients", `${name}.mjs`)], { stdio: ["ignore", "pipe", "pipe"], timeout: 60_000, env: { ...process.env, NO_COLOR: "1", ...env } });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk));
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

describe.skipIf(!isInstalled)("[IN-01] clients as their makers ship them (skipped where they are not installed)", () => {
  let served: Served;
  const fromMs = Date.now() - 60_000;
  beforeAll(async () => void (served = await Served.start('"Failed password"')));
  afterAll(async () => expect(await served.stop()).toBe(0));

  /** What a client sent is a signal, and the events of it that the store and the journal hold. */
  async function sent(name: string, source: string, env: Readonly<Record<string, string>> = {}) {
    const { code, stdout, stderr } = await run(name, { VESPID_URL: served.url, VESPID_KEY: served.key, SOURCE: source, FROM_MS: String(fromMs), ...env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await served.signalOf(source)).toEqual({ severity: "high", eventsMatched: 3 });
    const events = await served.events(`source:${source}`);
    expect(events.map(({ message, timeMs }) => [message, timeMs])).toEqual([1, 2, 3].map((number) => [`Failed password for user-${number}`, fromMs + number]));
    return { events, stdout };
  }

  test.each([["v2", "identity"], ["v2", "gzip"], ["v2", "deflate"], ["v1", "identity"], ["v1", "gzip"], ["v1", "deflate"]])("Datadog's API client, %s, %s", async (version, encoding) => {
    const { events } = await sent("datadog", `datadog-${version}-${encoding}`, { VERSION: version, ENCODING: encoding });
    for (const event of events) expect(event).toMatchObject({ host: "web-1", service: "login", status: "error", attributes: { "evt.outcome": "failure" } });
    for (const event of events) expect(event.tags?.toSorted()).toEqual(["env:prod", "site:lyon", "team:web"]);
  });

  test("OpenTelemetry's exporters: JSON and protobuf are the same events", async () => {
    const seen = [];
    for (const [encoding, compression] of [["http", "none"], ["proto", "none"], ["http", "gzip"], ["proto", "gzip"]] as const) {
      const { events } = await sent("otlp", `otel-${encoding}-${compression}`, { ENCODING: encoding, COMPRESSION: compression });
      seen.push(events.map((event) => ({ ...event, source: "", attributes: { ...event.attributes, ddsource: "" } })));
    }
    expect(seen[0]![1]).toMatchObject({
      host: "pod-7", service: "billing", status: "warn", trace_id: "5b8efff798038103d269b633813fc60c",
      attributes: {
        "evt.outcome": "failure", "usr.id": "user-2", tries: 2, share: 0.25, known: false, groups: ["a", "b"], card: { holder: { country: "FR" } }, digest: "AQL/",
        "process.pid": 4711, "otel.library.name": "checkout", "dd.span_id": "eee19b7ec3c1b174",
      },
    });
    expect(seen[0]![1]!.tags?.toSorted()).toEqual(["env:prod", "team:web", "version:2.4.1"]);
    for (const others of seen.slice(1)) expect(others).toEqual(seen[0]);
  });

  test.each([["basic", "none"], ["key", "none"], ["pair", "gzip"]])("Elasticsearch's client with %s, %s: a document over the limit does not lose the others", async (auth, compression) => {
    const source = `elastic-${auth}-${compression}`;
    const { events, stdout } = await sent("elastic", source, { AUTH: auth, COMPRESSION: compression });
    expect(JSON.parse(stdout)).toEqual({ version: "8.17.0", total: 4, successful: 3, failed: 1, dropped: [{ status: 400, type: "document_parsing_exception", operation: { create: { _index: source } } }] });
    for (const event of events) expect(event).toMatchObject({ host: "db-2", service: "auth", status: "warn", attributes: { "evt.outcome": "failure" } });
    for (const event of events) expect(event.tags?.toSorted()).toEqual(["prod", "team:web"]);
  });

  test("Splunk's logging library under winston", async () => {
    const { events } = await sent("splunk", "winston-shop");
    expect(events[1]).toMatchObject({ host: "shop-1", status: "warn", tags: ["index:main"], attributes: { meta: { service: "shop", evt: { outcome: "failure" }, usr: { id: "user-2" } }, "splunk.source": "shop.js" } });
  });

  test.each([
    ["datadog", { VERSION: "v2", ENCODING: "gzip" }, /HTTP-Code: 403\b/], ["datadog", { VERSION: "v1", ENCODING: "identity" }, /HTTP-Code: 403\b/],
    ["elastic", { AUTH: "basic", COMPRESSION: "none" }, /ResponseError: security_exception/], ["splunk", {}, /Invalid authorization/],
  ])("%s is told in its own words that its key is wrong: %o", async (name, env, words) => {
    const { code, stderr } = await run(name, { VESPID_URL: served.url, VESPID_KEY: "nobody", SOURCE: "stranger", FROM_MS: String(fromMs), ...env });
    expect(code).toBe(1);
    expect(stderr).toMatch(words);
    expect(await served.events("source:stranger")).toEqual([]);
  });
});
