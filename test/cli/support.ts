import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";
import { loadKernel, variants } from "../support/wasm.ts";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const main = join(root, "host", "cli", "main.ts");

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** The real command line in a process of its own. */
export async function vespid(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { NO_COLOR: _no, FORCE_COLOR: _force, ...env } = process.env;
  const child = spawn(process.execPath, [main, ...args], { cwd: options.cwd, env: { ...env, ...options.env }, stdio: ["pipe", "pipe", "pipe"] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => {}); // it may end before it has read all
  child.stdin.end(options.stdin ?? "");
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

export function startVespid(args: readonly string[], cwd: string): ReturnType<typeof spawn> {
  return spawn(process.execPath, [main, ...args], { cwd, stdio: ["pipe", "pipe", "pipe"] });
}

/** A folder of this test file's own, gone afterwards; kernels are built before. */
export function workFolder(): { readonly path: string; write(name: string, content: string | Uint8Array): string } {
  const path = mkdtempSync(join(tmpdir(), "vespid-cli-"));
  beforeAll(() => variants.forEach((variant) => loadKernel(variant)), 240_000);
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    write(name, content) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
  };
}

export const startMs = Date.parse("2026-03-01T10:00:00Z");

/** A login as an envelope, `second` seconds after the start. */
export function login(second: number, user: string, outcome: "failure" | "success", more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    message: `login ${outcome} for ${user}`, host: "bastion-1", service: "sso", source: "auth", status: "info", tags: ["env:prod"],
    timestamp: startMs + second * 1000, attributes: { evt: { name: "login", outcome }, usr: { id: user }, ...more },
  };
}

/** One user's eleven failures and a success; another's three failures. */
export const burst: ReadonlyArray<Record<string, unknown>> = [
  ...Array.from({ length: 11 }, (_, i) => login(i * 5, "admin", "failure")),
  login(60, "admin", "success"),
  ...Array.from({ length: 3 }, (_, i) => login(70 + i, "carol", "failure")),
];

export function lines(events: ReadonlyArray<unknown>): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}

/** Brute force as the handbook has it: many failures, graver when a success follows. */
export const bruteForce = {
  id: "brute-force",
  name: "Brute force",
  type: "log_detection",
  isEnabled: true,
  message: "{{@usr.id}} failed {{events_matched}} times",
  tags: ["tactic:TA0006-credential-access", "technique:T1110-brute-force", "security:attack"],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [
    { name: "failed", query: "source:auth @evt.outcome:failure", aggregation: "count", groupByFields: ["@usr.id"], distinctFields: [] },
    { name: "passed", query: "source:auth @evt.outcome:success", aggregation: "count", groupByFields: ["@usr.id"], distinctFields: [] },
  ],
  cases: [
    { name: "got in", status: "critical", notifications: [], condition: "failed > 10 && passed > 0" },
    { name: "burst", status: "medium", notifications: [], condition: "failed > 10" },
  ],
};
