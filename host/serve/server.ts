import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineStats, RestoredState, SignalEvent } from "../index.ts";
import type { LineListener } from "../intake/lines.ts";
import { listenForLines } from "../intake/lines.ts";
import { IntakeServer } from "../intake/server.ts";
import { Journal } from "../journal/journal.ts";
import type { Problem } from "../problem.ts";
import { SqlDriver } from "../store/driver.ts";
import { KeyStore } from "../store/keys.ts";
import { migrations } from "../store/migrations.ts";
import { SignalStore } from "../store/signals.ts";
import type { ServeConfig } from "./config.ts";
import { LiveDetection, type RuleSetup, savedPosition, savedState } from "./detection.ts";
import { LiveKeys } from "./live-keys.ts";
import { serveMetrics } from "./metrics.ts";
import { FilesWatch } from "./rules-watch.ts";

/** Rules as they were found, good or not. */
export interface FoundRules {
  /** Undefined when an error keeps them from being used. */
  readonly setup: RuleSetup | undefined;
  readonly problems: readonly Problem[];
  /** Enabled rules whose own tests show no log that they match: they may never fire. */
  readonly unproved: readonly string[];
}

/** Where rules come from. */
export interface RuleSource {
  /** Files that are looked at for changes. */
  files(): readonly string[];
  load(): Promise<FoundRules>;
}

/** What happens, for whoever writes it down. */
export interface ServeEvents {
  onSignal?(event: SignalEvent): void;
  onReplay?(entries: number): void;
  onRules?(found: FoundRules, restored: RestoredState | undefined): void;
  onFault(where: string, error: unknown): void;
}

const STORE_MS = 500;
const TICK_MS = 30_000;
const RETAIN_MS = 60_000;
const WATCH_MS = 1000;
const KEYS_MS = 2000;
const DAY_MS = 86_400_000;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Intake, journal, detection and store of one data folder. */
export class VespidServer {
  readonly #config: ServeConfig;
  readonly #events: ServeEvents;
  readonly #rules: RuleSource;
  readonly #sql: SqlDriver;
  readonly #journal: Journal;
  readonly keys: LiveKeys;
  readonly signals: SignalStore;
  readonly detection: LiveDetection;
  readonly #intake: IntakeServer;
  readonly #lines: LineListener[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #watch: FilesWatch | undefined;
  #rulesAt: FoundRules;
  #closed: Promise<void> | undefined;
  #tellEnded: () => void = () => {};
  /** Resolves when the server ended by itself. */
  readonly ended: Promise<void> = new Promise((resolve) => (this.#tellEnded = resolve));
  /** As they were when it closed. */
  lastStats: EngineStats | undefined;
  address: Address = { host: "", port: 0 };

  private constructor(parts: ServerParts) {
    this.#config = parts.config;
    this.#events = parts.events;
    this.#rules = parts.rules;
    this.#sql = parts.sql;
    this.#journal = parts.journal;
    this.keys = parts.keys;
    this.signals = parts.signals;
    this.detection = parts.detection;
    this.#rulesAt = parts.found;
    const { http } = parts.config;
    this.#intake = new IntakeServer({
      sink: this.detection, keys: this.keys, host: http.host, port: http.port, prefix: http.prefix, plainBeyondLoopback: http.plainBeyondLoopback,
      ...(http.tls ? { tls: { cert: readFileSync(http.tls.cert), key: readFileSync(http.tls.key) } } : {}),
      metrics: () => serveMetrics(this.detection, this.#journal, this.signals, this.#rulesAt),
      onFault: (input, error) => this.#events.onFault(input, error),
    });
  }

  /**
   * Opens the data folder, judges what a stop or a kill left unjudged, and listens.
   *
   * Rejects when the folder is in use or unreadable, a rule has an error, or an address cannot be had.
   */
  static async start(config: ServeConfig, rules: RuleSource, found: FoundRules & { readonly setup: RuleSetup }, events: ServeEvents): Promise<VespidServer> {
    mkdirSync(config.data, { recursive: true, mode: 0o750 });
    const saved = savedState(config.data);
    const { days, bytes } = config.retention;
    const journal = await Journal.open(join(config.data, "journal"), {
      ...(days === undefined ? {} : { maxAgeMs: days * DAY_MS }), ...(bytes === undefined ? {} : { maxBytes: bytes }),
      ...(saved ? { checkpoint: savedPosition(saved) } : {}),
    });
    let sql: SqlDriver | undefined;
    try {
      sql = SqlDriver.open(join(config.data, "vespid.db"), migrations);
      const signals = new SignalStore(sql);
      let server: VespidServer | undefined;
      const detection = await LiveDetection.create(journal, signals, found.setup, saved, {
        folder: config.data, workers: config.workers === "auto" ? 0 : config.workers, heldBytes: config.heldBytes, onSignal: events.onSignal,
        onFailure: (error: unknown) => {
          events.onFault("detection", error);
          if (server) server.#tellEnded();
        },
      });
      server = new VespidServer({ config, rules, events, found, sql, journal, signals, detection, keys: new LiveKeys(new KeyStore(sql), "api", config.keysRequired) });
      await server.#begin();
      return server;
    } catch (error) {
      sql?.close();
      await journal.close();
      throw error;
    }
  }

  /** Stops taking, judges what it has, leaves a checkpoint and lets go of everything. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      for (const timer of this.#timers) clearInterval(timer);
      this.#watch?.close();
      await Promise.all([this.#intake.close(), ...this.#lines.map((line) => line.close())]);
      await this.detection.close();
      this.lastStats = this.detection.stats;
      await this.#journal.close();
      this.#sql.close();
    })();
    return this.#closed;
  }

  get lineAddresses(): readonly Address[] {
    return this.#lines.map(({ port }, i) => ({ host: this.#config.lines[i]!.host, port }));
  }

  async #begin(): Promise<void> {
    this.#events.onRules?.(this.#rulesAt, this.detection.restored);
    await this.detection.replay((entries) => this.#events.onReplay?.(entries));
    this.#journal.keepFrom("detection", this.detection.checkpointed);
    this.address = await this.#intake.start();
    for (const { protocol, host, port, source, service, tags, needsKey } of this.#config.lines) {
      const { tls } = this.#config.http;
      this.#lines.push(await listenForLines({
        protocol, host, port, needsKey: needsKey && this.#config.keysRequired, defaults: { ...(source ? { source } : {}), ...(service ? { service } : {}), tags },
        ...(tls && protocol === "tls" ? { tls: { cert: readFileSync(tls.cert, "utf8"), key: readFileSync(tls.key, "utf8") } } : {}),
        onError: (error) => this.#events.onFault(`${protocol}:${port}`, error),
      }, this.detection, this.keys));
    }
    this.#watch = new FilesWatch(() => this.#rules.files(), WATCH_MS, () => this.#reload());
    this.#every(STORE_MS, "store", () => this.detection.storeSignals());
    this.#every(this.#config.checkpointSeconds * 1000, "checkpoint", () => this.detection.checkpoint());
    this.#every(TICK_MS, "clock", () => this.detection.tick());
    this.#every(RETAIN_MS, "retention", () => this.#journal.retain(Date.now()));
    this.#every(KEYS_MS, "keys", async () => this.keys.refresh());
  }

  /** Other rules from the next batch on. Rules with an error change nothing. */
  async #reload(): Promise<void> {
    try {
      const found = await this.#rules.load();
      const restored = found.setup && (await this.detection.swap(found.setup));
      this.#rulesAt = found;
      this.#events.onRules?.(found, restored);
    } catch (error) {
      this.#events.onFault("rules", error);
    }
  }

  #every(everyMs: number, where: string, work: () => Promise<unknown>): void {
    let isBusy = false;
    this.#timers.push(setInterval(() => {
      if (isBusy || this.#closed) return;
      isBusy = true;
      work().catch((error: unknown) => this.#events.onFault(where, error)).finally(() => {
        isBusy = false;
      });
    }, everyMs));
  }
}

interface ServerParts {
  readonly config: ServeConfig;
  readonly rules: RuleSource;
  readonly events: ServeEvents;
  readonly found: FoundRules;
  readonly sql: SqlDriver;
  readonly journal: Journal;
  readonly signals: SignalStore;
  readonly detection: LiveDetection;
  readonly keys: LiveKeys;
}
