import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { afterAll, beforeAll } from "vitest";
import { loadKernel } from "../support/wasm.ts";

const root = join(import.meta.dirname, "..", "..");
/** The program as it is now, in one file, because it is started hundreds of times; beside the kernels, where it finds them. */
const bundled = join(root, "build", `serve-test-${process.pid}`);
const alive = new Set<ChildProcess>();

beforeAll(async () => {
  loadKernel("simd");
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly dependencies: Readonly<Record<string, string>> };
  const bundle = await rolldown({
    input: { main: join(root, "host/cli/main.ts"), worker: join(root, "host/engine/worker.ts"), "history-worker": join(root, "host/history/history-worker.ts"), "signal-worker": join(root, "host/signal-search/signal-worker.ts"), "feeds-worker": join(root, "host/enrich/feeds-worker.ts") }, platform: "node", logLevel: "silent",
    external: Object.keys(dependencies).map((name) => new RegExp(`^${name}(/|$)`)),
  });
  await bundle.write({ dir: bundled, format: "esm" });
  await bundle.close();
}, 240_000);

afterAll(() => {
  alive.forEach((child) => child.kill("SIGKILL"));
  rmSync(bundled, { recursive: true, force: true });
});

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

export interface Started {
  /** Kills it at this call to the disk or the database, in this manner. */
  readonly dieAt?: string;
  readonly haste?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** A real `vespid serve`, in a process of its own. */
export class ServedProcess {
  readonly child: ChildProcess;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly exited: Promise<NodeJS.Signals | number>;
  stderr = "";
  stdout = "";
  port = 0;

  private constructor(args: readonly string[], { dieAt, haste = false, env = {} }: Started) {
    this.child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...(haste || dieAt ? ["--import", join(import.meta.dirname, "haste.ts")] : []), join(bundled, "main.js"), "serve", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      // What was compiled once is not compiled anew at each start.
      env: { ...process.env, NO_COLOR: "1", NODE_COMPILE_CACHE: join(bundled, "cache"), ...(dieAt ? { VESPID_DIE_AT: dieAt } : {}), ...env },
    });
    alive.add(this.child);
    this.child.stderr!.on("data", (chunk: Buffer) => (this.stderr += chunk));
    this.child.stdout!.on("data", (chunk: Buffer) => (this.stdout += chunk));
    this.exited = once(this.child, "close").then(([code, signal]) => {
      alive.delete(this.child);
      this.#agent.destroy();
      return (signal ?? code) as NodeJS.Signals | number;
    });
  }

  /** Resolves when it listens, or has ended before it did: then `port` is 0. */
  static async start(args: readonly string[], started: Started = {}): Promise<ServedProcess> {
    const served = new ServedProcess(args, started);
    const listening = new Promise<void>((resolve) => {
      served.child.stderr!.on("data", () => {
        const [, port] = /taking logs at \w+:\/\/[^\n;,]*:(\d+)/.exec(served.stderr) ?? [];
        if (port === undefined) return;
        served.port = Number(port);
        resolve();
      });
    });
    await Promise.race([listening, served.exited]);
    return served;
  }

  /** Rejects when no answer came. */
  ask(method: "GET" | "POST", path: string, body?: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request({ port: this.port, host: "127.0.0.1", method, path, agent: this.#agent, headers: { "content-type": "application/json", ...headers } }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode!, retryAfter: response.headers["retry-after"], text }));
        response.on("error", reject);
      });
      asked.on("error", reject);
      asked.end(body);
    });
  }

  async send(events: readonly unknown[], headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return await this.ask("POST", "/api/v2/logs", JSON.stringify(events), headers);
  }

  /** A number of `/metrics`, labels and all; NaN where there is none. */
  async metric(name: string): Promise<number> {
    const { text } = await this.ask("GET", "/metrics");
    return Number(text.split("\n").find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? Number.NaN);
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  /** As a service manager does it. @returns its exit code. */
  async stop(): Promise<NodeJS.Signals | number> {
    this.child.kill("SIGTERM");
    return await this.exited;
  }
}
