import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Debian, debianProgram } from "./debian.mjs";
import { type SeenEvent, Served } from "./served.ts";

const users = ["user-1", "user-2", "user-3"];
const here = hostname().toLowerCase();

function has(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

let served: Served;
let startMs = 0;
const inputs = [
  { protocol: "tcp", source: "logger-tcp", needs_key: false }, { protocol: "udp", source: "logger-udp", needs_key: false }, { protocol: "tcp", needs_key: true },
  { protocol: "tcp", source: "rsyslog-tcp", needs_key: false }, { protocol: "udp", source: "rsyslog-udp", needs_key: false }, { protocol: "tcp", source: "syslog-ng-tcp", needs_key: false },
] as const;
const portOf = (index: number): string => String(served.linePorts[index]);

beforeAll(async () => {
  served = await Served.start('"Failed password"', inputs);
  // Dates of syslog may have whole seconds only.
  startMs = Math.floor(Date.now() / 1000) * 1000;
});
afterAll(async () => expect(await served.stop()).toBe(0));

/** The events of a source, which raised its signal; their times lie within this test. */
async function seen(source: string, expected: object): Promise<readonly SeenEvent[]> {
  expect(await served.signalOf(source)).toEqual({ severity: "high", eventsMatched: 3 });
  const events = await served.events(`source:${source}`);
  expect(events.map(({ message }) => message)).toEqual(users.map((user) => expect.stringContaining(`Failed password for ${user}`)));
  for (const event of events) {
    expect(event).toMatchObject(expected);
    expect(event.timeMs).toBeGreaterThanOrEqual(startMs);
    expect(event.timeMs).toBeLessThanOrEqual(Date.now());
  }
  return events;
}

describe.skipIf(!has("curl"))("[IN-01] curl (skipped where there is none)", () => {
  const curl = (path: string, body: string | Uint8Array, ...args: readonly string[]): string =>
    execFileSync("curl", ["-sS", "-o", join(served.folder, "answer"), "-w", "%{http_code}", "-H", `DD-API-KEY: ${served.key}`, ...args, "--data-binary", "@-", `${served.url}${path}`], { input: body, encoding: "utf8" });

  test("lines of JSON, so many that it asks before it sends them", async () => {
    const padding = "x".repeat(500_000);
    const lines = users.map((user, i) => JSON.stringify({ message: `Failed password for ${user}`, hostname: "web-1", service: "login", status: "error", timestamp: startMs + i, ddtags: "env:prod", padding }));
    expect(curl("/api/v2/logs?ddsource=curl-json&ddtags=team:web", lines.join("\n"), "-H", "Content-Type: application/json", "-H", "Expect: 100-continue")).toBe("202");
    const events = await seen("curl-json", { host: "web-1", service: "login", status: "error", tags: ["env:prod", "team:web"] });
    expect(events.map(({ timeMs }) => timeMs)).toEqual([startMs, startMs + 1, startMs + 2]);
  });

  test("lines of text in gzip", async () => {
    const lines = users.map((user) => `Failed password for ${user} from 192.0.2.7 port 4711 ssh2\n`).join("");
    expect(curl("/api/v2/logs?ddsource=curl-text&service=sshd&hostname=gw-1", gzipSync(lines), "-H", "Content-Type: text/plain", "-H", "Content-Encoding: gzip")).toBe("202");
    await seen("curl-text", { host: "gw-1", service: "sshd", status: "info" });
  });

  test("what it calls a form when nobody says otherwise", async () => {
    for (const user of users) expect(curl("/v1/input?ddsource=curl-form", JSON.stringify({ message: `Failed password for ${user}`, host: "web-9" }))).toBe("200");
    await seen("curl-form", { host: "web-9" });
  });
});

describe.skipIf(!has("logger"))("[IN-09] logger (skipped where there is none)", () => {
  test.each([[0, "logger-tcp", ["--tcp", "--octet-count", "--rfc5424"]], [1, "logger-udp", ["--udp", "--rfc3164"]]] as const)("input %i, %s", async (input, source, options) => {
    for (const user of users) execFileSync("logger", ["--server", "127.0.0.1", "--port", portOf(input), ...options, "--tag", "sshd", "--id=77", "--priority", "auth.warning", `Failed password for ${user}`]);
    const [event] = await seen(source, { service: "sshd", status: "warn", attributes: { syslog: { facility: 4, severity: 4, procid: "77" } } });
    expect(here).toContain(event!.host!.toLowerCase());
  });
});

/** A daemon of Debian's in the foreground, fed through a socket of its own as a machine's log is. */
async function feed(debian: Debian, args: readonly string[], socket: string): Promise<void> {
  const child: ChildProcess = spawn(debian.path, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...debian.env } });
  let stderr = "";
  child.stderr!.on("data", (chunk: Buffer) => (stderr += chunk));
  const ended = new Promise((resolve) => child.once("close", resolve));
  stopping.push(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  for (let tries = 0; !existsSync(socket); tries++) {
    if (tries > 500 || child.exitCode !== null) throw new Error(`${debian.path} did not start: ${stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (const user of users) execFileSync("logger", ["--socket", socket, "--tag", "sshd", "--id=77", "--priority", "auth.warning", `Failed password for ${user}`]);
}

const stopping: Array<() => Promise<void>> = [];
afterAll(async () => {
  for (const stop of stopping) await stop();
});

/** One of the settings beside this file, its blanks filled in. */
function settings(name: string, blanks: Readonly<Record<string, string>>): string {
  const path = join(served.folder, name);
  writeFileSync(path, readFileSync(join(import.meta.dirname, "settings", name), "utf8").replaceAll(/\{\{(\w+)\}\}/g, (_, blank: string) => blanks[blank]!));
  return path;
}

const rsyslog = debianProgram("rsyslog");
describe.skipIf(!rsyslog || !has("logger"))("[IN-09] rsyslog (skipped where it is not installed)", () => {
  beforeAll(async () => {
    const socket = join(served.folder, "rsyslog.sock");
    const file = settings("rsyslog.conf", { socket, folder: served.folder, key: served.key, http: new URL(served.url).port, vendor: portOf(2), tcp: portOf(3), udp: portOf(4) });
    await feed(rsyslog!, ["-n", "-f", file, "-i", join(served.folder, "rsyslog.pid"), ...(rsyslog!.modules ? ["-M", rsyslog!.modules] : [])], socket);
  });
  const line = { service: "sshd", status: "warn" };

  test("omfwd with the template of Datadog's documentation: the key leads the line", async () => void (await seen("rsyslog-vendor", { service: "sshd", tags: ["env:test", "k:v"] })));
  test("omfwd over TCP, RFC 5424, octets counted", async () => void (await seen("rsyslog-tcp", { ...line, attributes: { syslog: { procid: "77" } } })));
  test("omfwd over UDP, RFC 3164", async () => void (await seen("rsyslog-udp", line)));
  test("omelasticsearch: what it calls bulk mode", async () => void (await seen("rsyslog-es", { ...line, host: here })));
});

const syslogNg = debianProgram("syslog-ng");
describe.skipIf(!syslogNg || !has("logger"))("[IN-01] syslog-ng (skipped where it is not installed)", () => {
  beforeAll(async () => {
    const socket = join(served.folder, "syslog-ng.sock");
    const file = settings("syslog-ng.conf", { socket, key: served.key, url: served.url, tcp: portOf(5) });
    const own = ["persist", "ctl", "pid"].map((name) => join(served.folder, `syslog-ng.${name}`));
    await feed(syslogNg!, ["-F", "--no-caps", "-f", file, "-R", own[0]!, "-c", own[1]!, "-p", own[2]!, ...(syslogNg!.modules ? [`--module-path=${syslogNg!.modules}`] : [])], socket);
  });
  const line = { service: "sshd", status: "warn" };

  test("http() with the body of Datadog's documentation", async () => void (await seen("syslog-ng-http", { ...line, tags: ["env:prod", "team:net"] })));
  test("http() with lines in batches", async () => void (await seen("syslog-ng-batch", line)));
  test("http() with an array of JSON", async () => void (await seen("syslog-ng-json", { service: "sshd", host: here })));
  test("syslog() over TCP", async () => void (await seen("syslog-ng-tcp", line)));
});
