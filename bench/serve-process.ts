import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { type BenchRule, ruleWire } from "./rules.ts";

const root = join(import.meta.dirname, "..");

/** A server that runs in a process of its own. */
export interface ServerProcess {
  readonly port: number;
  /** Nanoseconds of all its threads, user and system. */
  cpuNs(): number;
  /** Most memory it had so far. */
  peakRssBytes(): number;
  rssBytes(): number;
  /** Lines of its standard output. */
  onLine: (line: string) => void;
  /** Samples of its metrics by name, labels included. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  /** @returns what it said on its way out. */
  stop(): Promise<string>;
}

/** A rule that makes a signal of each marked event, beside those that are measured. */
export const markedRule: Record<string, unknown> = {
  id: "marked", name: "marked", type: "log_detection", isEnabled: true, message: "marked", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 60, keepAlive: 60, maxSignalDuration: 60 },
  queries: [{ name: "a", query: "@marked:*", aggregation: "count", groupByFields: ["@marked"] }], cases: [{ name: "", status: "info", condition: "a > 0" }],
};

/** `vespid serve` on a data folder. */
export async function startVespid(folder: string, rules: readonly BenchRule[], settings: Readonly<Record<string, unknown>> = {}, nodeArgs: readonly string[] = []): Promise<ServerProcess> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "rules.json"), JSON.stringify([...rules.map(ruleWire), markedRule]));
  const config = { data: "data", rules: ["rules.json"], pack: "none", keys_required: false, http: { port: 0 }, retention: { size: "256mb" }, ...settings };
  writeFileSync(join(folder, "vespid.json"), JSON.stringify(config));
  const child = spawn(process.execPath, [...nodeArgs, join(root, "bin", "vespid.mjs"), "serve", "--json", "--config", join(folder, "vespid.json")], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  return listening(child, /taking logs at .*?:(\d+)/);
}

/** A program of this folder that takes the number of rules: `serve-naive.ts` or `serve-bare.ts`. */
export async function startProgram(name: string, rules: number): Promise<ServerProcess> {
  return listening(spawn(process.execPath, ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, name), String(rules)], { stdio: ["ignore", "pipe", "pipe"] }), /taking logs at .*?:(\d+)/);
}

async function listening(child: ChildProcess, where: RegExp): Promise<ServerProcess> {
  let said = "";
  let rest = "";
  const server: { onLine(line: string): void } = { onLine: () => {} };
  child.stdout!.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) server.onLine(line);
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const found = where.exec(said.replaceAll(/\u001b\[\d+m/g, ""));
      if (found) resolve(Number(found[1]));
    });
    child.once("exit", () => reject(new Error(`the server ended: ${said}`)));
  });
  const status = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) * 1024;
  return Object.assign(server, {
    port,
    cpuNs: () => readdirSync(`/proc/${child.pid}/task`).reduce((sum, task) => sum + Number(readFileSync(`/proc/${child.pid}/task/${task}/schedstat`, "utf8").split(" ")[0]), 0),
    peakRssBytes: () => status("VmHWM"),
    rssBytes: () => status("VmRSS"),
    async metrics() {
      const text = await new Promise<string>((resolve, reject) => {
        get({ port, host: "127.0.0.1", path: "/metrics", agent: false }, (response) => {
          let body = "";
          response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk)).on("end", () => resolve(body));
        }).on("error", reject);
      });
      return new Map(text.split("\n").flatMap((line) => (line === "" || line.startsWith("#") ? [] : [[line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))] as const])));
    },
    async stop() {
      const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
      child.kill("SIGTERM");
      await ended;
      return said;
    },
  });
}
