import { appendFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { createSocket } from "node:dgram";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { random } from "../journal/support-plain.ts";
import { ServedProcess } from "./child.ts";
import { atConfig, pause, serveFolders, settings, until } from "./process-support.ts";
import { expectSame, journalOf, numbersOf, storedSignals, uninterrupted } from "./twin.ts";

const folder = serveFolders();

const failures = {
  id: "failures", name: "Failures", type: "log_detection", isEnabled: true, message: "{{@usr.id}} from {{@network.client.ip}}", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: "source:auth service:linux-auth env:production security:authentication @evt.outcome:failure", aggregation: "count", groupByFields: ["@usr.id"] }],
  cases: [{ name: "", status: "high", condition: "a > 4" }],
};
/** Counts lines of any kind by their first word. */
const lines = {
  ...failures, id: "lines", name: "Lines", queries: [{ name: "a", query: "source:app", aggregation: "count", groupByFields: ["@user"] }], cases: [{ name: "", status: "low", condition: "a > 2" }],
};

const agentConf = (path: string, source: string, service: string, more = ""): string => `logs:
  - type: file
    path: ${path}
    source: ${source}
    service: ${service}
    tags:
      - env:production
      - security:authentication
${more}`;

const stamp = (): string => new Date().toISOString();

describe("files that a Datadog Agent's folder names", () => {
  test("[IN-01] [IN-06] [IN-07] [IN-10] the how-to's conf.yaml: lines appended to auth.log become a signal", async () => {
    const path = folder("how-to", {
      "rules.json": JSON.stringify([failures]), "vespid.yaml": settings("agent_folders: [agent]\n").replace("pack: none", "pack: linux-auth").replace("keys_required: false", "keys_required: true"), "logs/auth.log": "before\n",
      "agent/datadog.yaml": "api_key: 0123456789abcdef0123456789abcdef\nsite: datadoghq.com\nlogs_enabled: true\n",
    });
    mkdirSync(join(path, "agent/conf.d/auth.d"), { recursive: true });
    writeFileSync(join(path, "agent/conf.d/auth.d/conf.yaml"), agentConf(join(path, "logs/auth.log"), "auth", "linux-auth"));
    const server = await ServedProcess.start(atConfig(path));
    expect(server.port, server.stderr).toBeGreaterThan(0);
    for (let i = 0; i < 6; i++) appendFileSync(join(path, "logs/auth.log"), `${stamp()} web1 sshd[411]: Failed password for deploy from 192.0.2.7 port 4022 ssh2\n`);
    await until("a signal", () => server.stdout.includes("deploy"));
    // The Agent that reads the same file sends with its key, and another does not get in.
    expect((await server.send([{ message: "hello" }], { "dd-api-key": "0123456789abcdef0123456789abcdef" })).status).toBe(202);
    expect((await server.send([{ message: "hello" }], { "dd-api-key": "f".repeat(32) })).status).toBe(403);
    expect(JSON.parse((await server.ask("GET", "/readyz")).text)).toMatchObject({ status: "ready", tail: { files: 1, behind_bytes: 0, unreadable: 0 } });
    expect(await server.metric('vespid_intake_events_total{input="tail"}')).toBe(6);
    expect(await server.stop()).toBe(0);
    expect(storedSignals(join(path, "data"))).toMatchObject([{ rule: "failures", severity: "high", events: 6 }]);
  });

  test("[IN-07] [IN-08] killed while files grow and rotate: every line is judged once", async () => {
    const path = folder("kill", {
      "rules.json": JSON.stringify([lines]), "vespid.yaml": settings("agent_folders: [agent]\n"), "agent/datadog.yaml": "logs_enabled: true\n",
      "logs/a.log": "", "logs/b.log": "",
    });
    const data = join(path, "data");
    const next = random(7);
    // A path alone, whose file is read on under its new name; and a pattern, whose files may come and go as they like.
    for (const [name, pattern] of [["a", "a.log"], ["b", "b.log*"]]) {
      mkdirSync(join(path, `agent/conf.d/${name}.d`), { recursive: true });
      writeFileSync(join(path, `agent/conf.d/${name}.d/conf.yaml`), agentConf(join(path, "logs", pattern!), "app", name!));
    }
    const written: number[] = [];
    let number = 0;
    let judged = 0;
    const allTaken = (server: ServedProcess) => until("everything is taken", async () => judged + ((await server.metric('vespid_intake_events_total{input="tail"}')) || 0) >= written.length);
    const write = async (file: string): Promise<void> => {
      const some = Array.from({ length: 1 + Math.floor(next() * 40) }, () => number++);
      written.push(...some);
      // A write may end inside a line.
      const text = some.map((nr) => `${JSON.stringify({ timestamp: Date.now(), user: `u${nr % 37}`, nr })}\n`).join("");
      const half = Math.floor(next() * text.length);
      appendFileSync(file, text.slice(0, half));
      if (next() < 0.3) await pause(next() * 15);
      appendFileSync(file, text.slice(half));
      await pause(next() * 8);
    };
    const [a, b] = [join(path, "logs/a.log"), join(path, "logs/b.log")];
    for (let life = 0; life < 15; life++) {
      const server = await ServedProcess.start(atConfig(path), { haste: true });
      expect(server.port, server.stderr).toBeGreaterThan(0);
      for (const endMs = Date.now() + 60 + next() * 250; Date.now() < endMs; ) {
        await write(next() < 0.5 ? a : b);
        if (next() < 0.08 && existsSync(b)) renameSync(b, `${b}.${number}`);
      }
      if (life % 3 === 1) {
        await write(a);
        await allTaken(server);
        await write(a);
        renameSync(a, `${a}.${number}`);
        await write(`${a}.${number}`);
        await write(a);
      }
      await server.kill();
      judged = numbersOf((await journalOf(data)).entries).length;
    }
    const last = await ServedProcess.start(atConfig(path), { haste: true });
    await allTaken(last);
    expect(await last.stop(), last.stderr).toBe(0);
    const { entries } = await journalOf(data);
    expect(numbersOf(entries).toSorted((one, other) => one - other)).toEqual(written);
    const twin = await uninterrupted(entries, [lines]);
    expect(twin.signals.length).toBeGreaterThan(30);
    expectSame(storedSignals(data), twin.signals);
  });

  test("[IN-09] its listeners take lines over TCP and UDP; entries that cannot be, and logs that are off, are said so", async () => {
    const [tcp, udp] = [20_000 + (process.pid % 20_000), 20_001 + (process.pid % 20_000)];
    const path = folder("listeners", {
      "rules.json": JSON.stringify([lines]), "vespid.yaml": settings("agent_folders: [agent, off, nowhere]\n"),
      "agent/datadog.yaml": "api_key: <YOUR_DATADOG_API_KEY>\nlogs_enabled: true\n",
      "agent/conf.d/gear.d/conf.yaml": `logs:\n  - { type: tcp, port: ${tcp}, source: app, service: gear }\n  - { type: udp, port: ${udp}, source: app }\n  - { type: journald }\n`,
      "off/datadog.yaml": "logs_enabled: false\n", "off/conf.d/x.d/conf.yaml": "logs:\n  - { type: file, path: /var/log/none.log, source: x }\n",
    });
    const server = await ServedProcess.start(atConfig(path));
    expect(server.port, server.stderr).toBeGreaterThan(0);
    for (const code of ["intake/agent-type", "serve/no-agent-key", "serve/logs-disabled", "serve/no-agent-folder"]) expect(server.stderr).toContain(code);
    const connection = createConnection(tcp, "127.0.0.1");
    connection.end(Array.from({ length: 4 }, () => `${JSON.stringify({ user: "over-tcp" })}\n`).join(""));
    const socket = createSocket("udp4");
    for (let i = 0; i < 4; i++) await new Promise((resolve) => socket.send(JSON.stringify({ user: "over-udp" }), udp, "127.0.0.1", resolve));
    socket.close();
    await until("both signals", () => server.stdout.includes("over-tcp") && server.stdout.includes("over-udp"));
    expect(await server.stop()).toBe(0);
  });
});
