import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IntakeCounts, IntakeKeys, IntakeSink } from "../intake/contract.ts";
import { type LineListener, type LineListenerOptions, listenForLines } from "../intake/lines.ts";
import { Tail } from "../intake/tail.ts";
import type { AgentInputs } from "./agents.ts";
import type { ServeConfig } from "./config.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface LineAddress extends Address {
  readonly protocol: LineListenerOptions["protocol"];
}

/** Milliseconds that lines and files have for what is on its way when the server closes. */
const CLOSE_MS = 3000;

/** What comes in by other doors than HTTP: lines over the network, and files that are followed. */
export class LocalInputs {
  readonly #lines: Array<{ readonly name: string; readonly listener: LineListener; readonly address: LineAddress }> = [];
  #tail: Tail | undefined;

  /** Addresses of the settings' own listeners, in their order, then those of Agents' folders. */
  get addresses(): readonly LineAddress[] {
    return this.#lines.map(({ address }) => address);
  }

  get tail(): Tail | undefined {
    return this.#tail;
  }

  /** By input, since start. */
  get counts(): ReadonlyArray<readonly [name: string, IntakeCounts]> {
    return [...this.#lines.map(({ name, listener }) => [name, listener.counts] as const), ...(this.#tail ? [["tail", this.#tail.counts] as const] : [])];
  }

  /** Times a connection was paused for want of room. */
  get pauses(): number {
    return this.#lines.reduce((sum, { listener }) => sum + listener.counts.pauses, 0);
  }

  /**
   * Listens, and follows from where the marks say that the sink has everything.
   *
   * Rejects where an address cannot be had, or positions are there that cannot be read.
   */
  async start(config: ServeConfig, agents: AgentInputs, sink: IntakeSink, keys: IntakeKeys, marks: ReadonlyMap<string, string>, onFault: (where: string, error: unknown) => void): Promise<void> {
    const { tls, plainBeyondLoopback } = config.http;
    for (const { protocol, host, port, source, service, tags, needsKey } of config.lines) {
      await this.#listen({
        protocol, host, port, needsKey: needsKey && config.keysRequired, defaults: { ...(source ? { source } : {}), ...(service ? { service } : {}), tags },
        ...(tls && protocol === "tls" ? { tls: { cert: readFileSync(tls.cert, "utf8"), key: readFileSync(tls.key, "utf8") } } : {}),
      }, sink, keys, onFault);
    }
    // An Agent asks its senders for no key, and listens to everybody; here only where that was allowed.
    for (const listener of agents.listeners) await this.#listen({ ...listener, host: plainBeyondLoopback ? "0.0.0.0" : "127.0.0.1", needsKey: false }, sink, keys, onFault);
    if (!agents.sources.length) return;
    this.#tail = new Tail({ sources: agents.sources, positionsPath: join(config.data, "tail.json"), marks, onError: (error) => onFault("tail", error) }, sink);
    await this.#tail.start();
  }

  /** Takes no more; what a file still has is read after the next start. */
  async close(): Promise<void> {
    await Promise.all([this.#tail?.stop(CLOSE_MS), ...this.#lines.map(({ listener }) => listener.close(CLOSE_MS))]);
  }

  async #listen(options: LineListenerOptions, sink: IntakeSink, keys: IntakeKeys, onFault: (where: string, error: unknown) => void): Promise<void> {
    const name = options.name ?? `syslog:${options.protocol}:${options.port}`;
    const listener = await listenForLines({ ...options, onError: (error) => onFault(name, error) }, sink, keys);
    this.#lines.push({ name, listener, address: { protocol: options.protocol, host: options.host, port: listener.port } });
  }
}
