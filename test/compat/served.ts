import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogEvent } from "../../host/event/event.ts";
import { readFolder } from "../../host/journal/check.ts";
import { createMatcher } from "../../host/matcher.ts";
import { packPipelines } from "../../host/packs.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { SignalStore } from "../../host/store/signals.ts";
import { queryOf } from "../support/query.ts";
import { loadKernel } from "../support/wasm.ts";

const vespid = join(import.meta.dirname, "..", "..", "bin", "vespid.mjs");

/** Three of a kind from one source raise it: each client sends under a source of its own. */
export function ruleOf(query: string): object {
  return {
    id: "three", name: "Three of a kind", message: "{{events_matched}} times", isEnabled: true, type: "log_detection", tags: [],
    options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
    queries: [{ name: "a", query, aggregation: "count", groupByFields: ["source"] }], cases: [{ name: "", status: "high", condition: "a > 2" }],
  };
}

export interface LineInput {
  readonly protocol: "tcp" | "udp";
  readonly source?: string;
  readonly needs_key?: boolean;
}

export interface SourceSignal {
  readonly severity: string;
  readonly eventsMatched: number;
}

/** An event as detection saw it, with its time in milliseconds. */
export type SeenEvent = LogEvent & { readonly timeMs: number };

/** A `vespid serve` as one starts it, with a key that `vespid keys create` made, and a look into its data from outside. */
export class Served {
  readonly folder = mkdtempSync(join(tmpdir(), "vespid-compat-"));
  readonly key: string;
  readonly #data = join(this.folder, "data");
  readonly #child: ChildProcess;
  stderr = "";
  url = "";
  /** In the order of the settings. */
  linePorts: readonly number[] = [];

  private constructor(query: string, lines: readonly LineInput[]) {
    writeFileSync(join(this.folder, "rule.json"), JSON.stringify(ruleOf(query)));
    const settings = { data: "data", rules: ["rule.json"], workers: 0, http: { port: 0 }, lines: lines.map((line) => ({ port: 0, ...line })) };
    writeFileSync(join(this.folder, "vespid.yaml"), JSON.stringify(settings));
    this.key = execFileSync(process.execPath, [vespid, "keys", "create", "compat", "--data", this.#data], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    this.#child = spawn(process.execPath, [vespid, "serve"], { cwd: this.folder, stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, NO_COLOR: "1" } });
  }

  static async start(query: string, lines: readonly LineInput[] = []): Promise<Served> {
    await loadKernel("simd");
    const served = new Served(query, lines);
    const child = served.#child;
    const listening = new Promise<void>((resolve, reject) => {
      child.stderr!.on("data", (chunk: Buffer) => {
        served.stderr += chunk;
        const [, url, others] = /taking logs at (\S+?)((?:, \w+:\/\/[^\s,;]+)*);/.exec(served.stderr) ?? [];
        if (url === undefined) return;
        served.url = url;
        served.linePorts = [...others!.matchAll(/:(\d+)(?=,|$)/g)].map(([, port]) => Number(port));
        resolve();
      });
      child.once("exit", (code) => reject(new Error(`vespid serve ended with ${code}: ${served.stderr}`)));
    });
    await listening;
    return served;
  }

  /** The signal of a source once it counts so many events; rejects when it does not come. */
  async signalOf(source: string, events = 3): Promise<SourceSignal> {
    const sql = SqlDriver.open(join(this.#data, "vespid.db"), migrations);
    const store = new SignalStore(sql);
    const endMs = performance.now() + 15_000;
    const sourceOf = (document: string): string | undefined => (JSON.parse(document) as { group: Record<string, string> }).group.source;
    try {
      for (;;) {
        const all = store.all();
        const found = all.find(({ document }) => sourceOf(document) === source);
        if (found && found.eventsMatched >= events) return { severity: found.severity, eventsMatched: found.eventsMatched };
        if (performance.now() > endMs) throw new Error(`no signal for ${events} events of ${source}; there are those of ${all.map(({ document, eventsMatched }) => `${sourceOf(document)} (${eventsMatched})`).join(", ") || "none"}\n${this.stderr}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } finally {
      sql.close();
    }
  }

  /** What a query finds in the journal, pipelines applied, in order of arrival. */
  async events(query: string): Promise<SeenEvent[]> {
    const matcher = await createMatcher({ queries: [queryOf(query)], pipelines: await packPipelines() });
    const found: SeenEvent[] = [];
    const damaged = (damage: unknown): never => {
      throw new Error(`the journal is damaged: ${JSON.stringify(damage)}`);
    };
    for await (const { bytes, profile, arrivalMs } of readFolder(join(this.#data, "journal"), { segment: 0, entry: 0 }, { segment: Infinity, entry: 0 }, damaged)) {
      const input = { ...profile, arrivalMs };
      for (const hit of await matcher.match(bytes, input)) found.push({ ...matcher.read(hit, input), timeMs: hit.timeMs });
    }
    await matcher.close();
    return found;
  }

  /** As `vespid keys create --application` makes it. */
  applicationKey(): string {
    return execFileSync(process.execPath, [vespid, "keys", "create", "compat", "--application", "--data", this.#data], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  }

  /** As a service manager does it. @returns its exit code. */
  async stop(): Promise<number | null> {
    const ended = once(this.#child, "close");
    this.#child.kill("SIGTERM");
    const [code] = (await ended) as [number | null];
    rmSync(this.folder, { recursive: true, force: true });
    return code;
  }
}
