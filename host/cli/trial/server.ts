import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProblemError } from "../../problem.ts";
import { OPERATOR_ID } from "../../store/keys.ts";
import { type ServeConfig, defaultConfig } from "../../serve/config.ts";
import { VespidServer } from "../../serve/server.ts";
import { withPeople } from "../people-store.ts";
import { ServedRules } from "../served-rules.ts";

export interface Answer {
  readonly status: number;
  readonly body: any;
}

export interface ShownSignal {
  readonly severity: string;
  readonly title: string;
  readonly rule: string;
  readonly group: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly attributes: any;
}

const MOST_PROBLEMS = 3;

/** A whole server in a folder that is gone afterwards, asked over its own port and with keys, as anybody asks one. */
export class TrialServer {
  readonly folder: string;
  readonly #server: VespidServer;
  readonly #keys: Readonly<Record<string, string>>;
  readonly #faults: unknown[];

  private constructor(folder: string, server: VespidServer, keys: Readonly<Record<string, string>>, faults: unknown[]) {
    this.folder = folder;
    this.#server = server;
    this.#keys = keys;
    this.#faults = faults;
  }

  /** @param configOf what differs from the defaults; paths in its folder are the trial's own */
  static async start(configOf: (folder: string) => Partial<ServeConfig>): Promise<TrialServer> {
    const folder = mkdtempSync(join(tmpdir(), "vespid-trial-"));
    try {
      const data = join(folder, "data");
      const defaults = defaultConfig(folder);
      const config: ServeConfig = { ...defaults, workers: 0, stateBytes: 256 * 1024 * 1024, ...configOf(folder), data, http: { ...defaults.http, host: "127.0.0.1", port: 0 } };
      const keys = await withPeople(data, true, ({ keys: store }) => ({ "dd-api-key": store.create("api", "trial", Date.now()).key, "dd-application-key": store.create("application", "trial", Date.now(), { ownerId: OPERATOR_ID }).key }));
      const rules = new ServedRules(config);
      const found = await rules.load();
      if (!found.setup) throw new ProblemError(found.problems.filter(({ level }) => level !== "warning").slice(0, MOST_PROBLEMS));
      const faults: unknown[] = [];
      const server = await VespidServer.start(config, rules, { ...found, setup: found.setup }, { onFault: (_where, error) => void faults.push(error) });
      return new TrialServer(folder, server, keys, faults);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** @param more headers instead of the trial's keys: none asks without any */
  async ask(method: string, path: string, body?: unknown, more: Readonly<Record<string, string>> = this.#keys): Promise<Answer> {
    const bytes = body === undefined ? undefined : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
    const headers = { ...more, ...(bytes ? { "content-type": typeof body === "string" ? "text/plain" : "application/json", "content-length": String(bytes.length) } : {}) };
    return await new Promise((resolve, reject) => {
      const asked = request({ host: "127.0.0.1", port: this.#server.address.port, method, path, headers, agent: false }, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part: string) => (text += part)).on("end", () => resolve({ status: answer.statusCode!, body: read(text) })).on("error", reject);
      });
      asked.on("error", reject);
      asked.end(bytes);
    });
  }

  /** Signals of a query, gravest first, once everything that was sent is judged. */
  async signals(query: string): Promise<ShownSignal[]> {
    await this.#server.detection.storeSignals();
    const { status, body } = await this.ask("POST", "/api/v2/security_monitoring/signals/search", { filter: { query, from: "now-1d", to: "now+1h" }, sort: "-severity", page: { limit: 200 } });
    if (status !== 200) throw new Error(`the search for signals answers ${status}: ${JSON.stringify(body)}`);
    return body.data.map(({ attributes }: any) => ({ severity: attributes.severity, title: attributes.title, rule: attributes.custom.workflow.rule.id, group: attributes.custom.groupByValues ?? {}, tags: attributes.tags, attributes }));
  }

  /** Logs of a query, newest first. */
  async logs(query: string): Promise<any[]> {
    const { status, body } = await this.ask("POST", "/api/v2/logs/events/search", { filter: { query, from: "now-1d", to: "now+1h" }, page: { limit: 200 } });
    if (status !== 200) throw new Error(`the search for logs answers ${status}: ${JSON.stringify(body)}`);
    return body.data.map(({ attributes }: any) => attributes);
  }

  /** What went wrong meanwhile that nobody was answered. */
  async close(): Promise<readonly unknown[]> {
    try {
      await this.#server.close();
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
    return this.#faults;
  }
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
