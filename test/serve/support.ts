import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll } from "vitest";
import { readRule } from "../../host/rule/wire.ts";
import { defaultConfig, type ServeConfig } from "../../host/serve/config.ts";
import type { RuleSetup } from "../../host/serve/detection.ts";
import { type FoundRules, type RuleSource, type ServeEvents, VespidServer } from "../../host/serve/server.ts";
import { loadKernel } from "../support/wasm.ts";

export type Payload = Record<string, unknown>;

/** Rules that a test may change while the server runs. */
export class TestRules implements RuleSource {
  payloads: readonly Payload[];
  readonly #more: Partial<RuleSetup>;
  constructor(payloads: readonly Payload[], more: Partial<RuleSetup> = {}) {
    this.payloads = payloads;
    this.#more = more;
  }
  files(): readonly string[] {
    return [];
  }
  async load(): Promise<FoundRules & { readonly setup: NonNullable<FoundRules["setup"]> }> {
    return { setup: { rules: this.payloads.map((payload) => readRule(payload)), stateBytes: 64 * 1024 ** 2, ...this.#more }, problems: [], unproved: [] };
  }
}

/** A data folder of this test's own, and servers on it that are closed behind each test. */
export function serverFolder(): { readonly path: string; start(rules: TestRules, config?: Partial<ServeConfig>, events?: Partial<ServeEvents>): Promise<VespidServer>; readonly faults: unknown[] } {
  const path = mkdtempSync(join(tmpdir(), "vespid-serve-"));
  const servers: VespidServer[] = [];
  const faults: unknown[] = [];
  beforeAll(() => void loadKernel("simd"));
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return {
    path, faults,
    async start(rules, config = {}, events = {}) {
      const defaults = defaultConfig(path);
      const server = await VespidServer.start(
        { ...defaults, data: join(path, "data"), workers: 0, keysRequired: false, ...config, http: { ...defaults.http, port: 0, ...config.http } },
        rules, await rules.load(), { onFault: (where, error) => faults.push([where, error]), ...events },
      );
      servers.push(server);
      return server;
    },
  };
}

export async function send(server: VespidServer, events: readonly unknown[], headers: Readonly<Record<string, string>> = {}, from = "127.0.0.1"): Promise<number> {
  const { port } = server.address;
  return await new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, localAddress: from, method: "POST", path: "/api/v2/logs", headers: { "content-type": "application/json", ...headers } }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode!));
    });
    asked.on("error", reject);
    asked.end(JSON.stringify(events));
  });
}

export async function ask(server: VespidServer, path: string): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`http://127.0.0.1:${server.address.port}${path}`);
  return { status: answer.status, text: await answer.text() };
}

export async function until(what: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await what())) {
    if (performance.now() > endMs) throw new Error("it did not come to be in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
