// `npm start` as a newcomer calls it: a server on a data folder, and signals within seconds.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { root } from "./support.ts";

const start = join(root, "tools", "start.mjs");
const folder = mkdtempSync(join(tmpdir(), "vespid-start-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const env = { ...process.env, NO_COLOR: "1" };

function npmStart(...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, [start, "--no-build", ...args], { cwd: root, encoding: "utf8", env, timeout: 60_000 });
}

/** Titles of the signals that were printed. */
function titles(stdout: string): string[] {
  return [...stdout.matchAll(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  \S+ +(?:opened|raised)  (.*?)  @/gm)].map(([, title]) => title!);
}

const attacks = [
  "Brute force against one account that got in - guessed", "Web scan", "Secrets and admin pages probed", "Many accounts tried from one address",
  "Root user signed in to the console", "Audit trail stopped or deleted",
];

describe.skipIf(!existsSync(join(root, "dist", "bundle")))("npm start (skipped before `npm run build`)", () => {
  const data = join(folder, "data");

  const judged = (stderr: string): number => Number(/closed: ([\d,]+) events judged/.exec(stderr)![1]!.replaceAll(",", ""));
  /** Keys that are made and taken back are events of the audit trail, which rules judge as well: a few beside the logs. */
  const isKeysMade = (events: number): boolean => events >= 2 && events <= 6;

  test("--once: makes keys, plays the bundled logs through the HTTP intake, prints their signals and ends well", () => {
    const { status, stdout, stderr } = npmStart("--once", "--data", data);
    expect(status, stderr).toBe(0);
    expect(titles(stdout)).toEqual(expect.arrayContaining(attacks));
    expect(stdout).toMatch(/^URL +http:\/\/127\.0\.0\.1:\d+$/m);
    expect(stdout).toMatch(/^API key +[\da-f]{32} /m);
    expect(stdout).toMatch(/^application key +[\da-f]{40} /m);
    expect(judged(stderr) - 1593).toSatisfy(isKeysMade);
  });

  test("a second start has the data and keys of the first, shows no key, and leaves none of its own", () => {
    const keys = (): string => spawnSync(process.execPath, [join(root, "bin", "vespid.mjs"), "keys", "list", "--data", data], { encoding: "utf8", env }).stdout;
    const before = keys();
    expect(before.match(/ (?:api|application) /g)).toEqual([" api ", " application "]);
    const { status, stdout, stderr } = npmStart("--once", "--data", data);
    expect(status, stderr).toBe(0);
    expect(titles(stdout)).toEqual(expect.arrayContaining(attacks));
    expect(stdout).not.toMatch(/[\da-f]{32}/);
    expect(judged(stderr) - 2 * 1593).toSatisfy(isKeysMade);
    expect(keys()).toBe(before);
  });

  test("serves until it is ended, at another port where the usual one is taken, and says how to choose", async () => {
    const taken = createServer();
    // Somebody else may have it already: taken all the same.
    await new Promise<void>((resolve) => taken.once("error", () => resolve()).listen(8282, "127.0.0.1", () => resolve()));
    const child = spawn(process.execPath, [start, "--no-build", "--data", join(folder, "stays")], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
    await new Promise<void>((resolve, reject) => {
      child.once("exit", () => reject(new Error(stderr)));
      child.stdout.on("data", (bytes: Buffer) => (stdout += bytes.toString()).includes("It serves until Ctrl-C") && resolve());
    });
    child.removeAllListeners("exit");
    const url = /^URL +(\S+)$/m.exec(stdout)![1]!;
    const key = /^API key +(\S+)/m.exec(stdout)![1]!;
    const answer = await fetch(`${url}/api/v2/logs`, { method: "POST", headers: { "dd-api-key": key }, body: '{"message":"hello"}' });
    expect(answer.status).toBe(202);
    expect(url).not.toMatch(/:8282$/);
    expect(stderr).toMatch(/port 8282 is taken.*npm start -- --listen 127\.0\.0\.1:PORT/);
    const ended = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    child.kill("SIGINT");
    expect(await ended).toBe(0);
    expect(judged(stderr) - 1594).toSatisfy(isKeysMade);
    taken.close();
  });

  test("an option that there is not is told, with those that there are", () => {
    const { status, stderr } = npmStart("--twice");
    expect(status).toBe(2);
    expect(stderr).toContain("--once");
  });
});
