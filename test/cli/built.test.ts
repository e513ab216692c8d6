// What is shipped is the built command line: every command is called once as a user calls it.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { root } from "./support.ts";

const bin = join(root, "bin", "vespid.mjs");
const folder = mkdtempSync(join(tmpdir(), "vespid-built-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function vespid(...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, [bin, ...args], { cwd: root, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });
}

const rules = "fixtures/demo/rules";
const logs = "fixtures/demo/logs";

describe.skipIf(!existsSync(join(root, "dist", "bundle")))("the built command line (skipped before `npm run build`)", () => {
  test.each([
    [["run", "--rules", rules, logs], 0, "6 signals"],
    [["run", "--rules", rules, "--workers", "2", "--json", logs], 0, '"rule_id"'],
    [["match", "source:auth @evt.outcome:failure", logs, "--count"], 0, ""],
    [["query", "explain", "@a:1 b*"], 0, "@a"],
    [["rules", "validate", rules], 0, ""],
    [["rules", "test", rules], 0, "0 failed"],
    [["rules", "explain", rules], 0, "METHOD"],
    [["rules", "lint", rules], 0, ""],
    [["backtest", "--rules", rules, logs], 0, "TIMES"],
    [["why", "--rules", rules, "--rule", "demo-web-scan", "--event", `${logs}/web.ndjson`], 1, "Web scan"],
    [["run", "--rules", "nowhere.yaml", logs], 2, "nowhere.yaml"],
  ] as const)("vespid %s", (args, status, text) => {
    const ran = vespid(...args);
    expect(ran, ran.stderr).toMatchObject({ status });
    expect(ran.stdout + ran.stderr).toContain(text);
    expect(ran.stderr).not.toMatch(/TypeError|ReferenceError|SyntaxError/);
  });

  test("keys, serve, search and journal", async () => {
    const data = join(folder, "data");
    const key = vespid("keys", "create", "me", "--data", data).stdout.trim();
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(vespid("keys", "list", "--data", data).stdout).toContain("me");
    const server = spawn(process.execPath, [bin, "serve", "--data", data, "--rules", rules, "--listen", "127.0.0.1:0"], { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1" } });
    let told = "";
    const address = await new Promise<string>((resolve, reject) => {
      server.stderr.on("data", (chunk: Buffer) => {
        told += chunk.toString();
        const found = /taking logs at (http:\S+?)[,;]/.exec(told);
        if (found) resolve(found[1]!);
      });
      server.on("exit", () => reject(new Error(told)));
    });
    const sent = await fetch(`${address}/api/v2/logs`, { method: "POST", headers: { "dd-api-key": key }, body: '{"message":"hello","ddsource":"me"}' });
    expect(sent.status).toBe(202);
    const ended = new Promise((resolve) => server.removeAllListeners("exit").on("exit", resolve));
    server.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(vespid("search", "source:me", "--data", data).stdout).toContain("hello");
    expect(vespid("journal", "verify", join(data, "journal")).status).toBe(0);
    expect(vespid("state", "inspect", join(data, "state.vespid")).status).toBe(0);
  });
});
