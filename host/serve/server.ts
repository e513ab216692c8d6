import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineStats, RestoredState, SignalEvent } from "../index.ts";
import { senderPartitions } from "../intake/lines/stream.ts";
import { agentMetadata } from "../intake/protocol/agent-metadata.ts";
import { intakeRoutes } from "../intake/routes.ts";
import { IntakeServer } from "../intake/server.ts";
import type { Damage, JournalPosition } from "../journal/contract.ts";
import { StoredTrail } from "../control/audit/trail.ts";
import { Control } from "../control/control.ts";
import type { ControlContext } from "../control/context.ts";
import { Journal } from "../journal/journal.ts";
import { type Problem, ProblemError } from "../problem.ts";
import { LogSearch, LogsApi, readExclusions } from "../search/index.ts";
import { AuditStore } from "../store/audit.ts";
import { SignalSearch } from "../signal-search/signal-search.ts";
import { SqlDriver } from "../store/driver.ts";
import { HostStore, REPORTING_MS } from "../store/hosts.ts";
import { KeyStore } from "../store/keys.ts";
import { migrations } from "../store/migrations.ts";
import { SignalStore } from "../store/signals.ts";
import { SuppressedStore } from "../store/suppressed.ts";
import { type AgentInputs, readAgents } from "./agents.ts";
import { AUDIT_PARTITION, AuditFeed } from "./audit-feed.ts";
import type { ServeConfig } from "./config.ts";
import { GeoipDatabases } from "../enrich/geoip-databases.ts";
import { IntelFeeds } from "../enrich/intel-feeds.ts";
import { LiveDetection, savedPosition, savedState } from "./detection.ts";
import { HostChecks } from "./host-checks.ts";
import { type Address, type LineAddress, LocalInputs } from "./inputs.ts";
import { LiveKeys } from "./live-keys.ts";
import { serveMetrics } from "./metrics.ts";
import { oidcSettings } from "./oidc-config.ts";
import { readinessOf } from "./readiness.ts";
import { type FoundRules, type GoodRules, RulesNow } from "./rules-now.ts";
import { FilesWatch } from "./rules-watch.ts";
import { Tee } from "./tee.ts";

export type { FoundRules, GoodRules } from "./rules-now.ts";

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
  /** Agents' files that say what cannot be done; each costs only that. */
  onProblems?(problems: readonly Problem[]): void;
  /** Entries of the journal that cannot be read. */
  onDamage?(damage: Damage): void;
  /** An entry of the journal is not judged: detection failed on it time and again. */
  onSetAside?(position: JournalPosition, reason: string): void;
  /** The other intake takes nothing any more, or takes again. */
  onTee?(problem: string | undefined): void;
  onFault(where: string, error: unknown): void;
}

const STORE_MS = 500;
/** Time for storing at each of these; what is left waits for the next. */
const STORE_FOR_MS = 100;
const TICK_MS = 30_000;
const RETAIN_MS = 60_000;
const WATCH_MS = 1000;
const TEND_MS = 60_000;
const KEYS_MS = 2000;
/** What detection refused of the audit trail, and what other programs wrote there, is handed over this often. */
const AUDIT_MS = 2000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Index of what can be found is made this often, for so long at a time: intake goes first. */
const INDEX_MS = 5000;
const INDEX_FOR_MS = 200;
/** One search reads for so long at most. */
const SEARCH_MS = 5000;
/** Senders of an input with a clock of their own; the others share one. */
const MOST_SENDERS = 256;
/** Bodies in memory at least, whatever may be held behind the door: two of the widest. */
const BODIES_BYTES = 40 * 1024 * 1024;

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
  readonly audit: AuditStore;
  #auditFeed: AuditFeed | undefined;
  readonly #intake: IntakeServer;
  readonly #inputs = new LocalInputs();
  readonly #agents: AgentInputs;
  readonly #tee: Tee | undefined;
  #lostEntries = 0;
  readonly #timers: NodeJS.Timeout[] = [];
  #watch: FilesWatch | undefined;
  readonly #intel: IntelFeeds;
  #intelWatch: FilesWatch | undefined;
  readonly #geoip: GeoipDatabases;
  #geoipWatch: FilesWatch | undefined;
  readonly #rulesNow: RulesNow;
  readonly control: Control;
  readonly #signalSearch: SignalSearch;
  /** Rules of files and packs as they last were good, without what the store says. */
  #base: GoodRules;
  #refreshing: Promise<void> | undefined;
  readonly #exclusions: ReturnType<typeof readExclusions>["exclusions"];
  #search: LogSearch;
  #pipelines: GoodRules["setup"]["pipelines"];
  #logs: LogsApi;
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
    this.audit = new AuditStore(parts.sql);
    this.control = parts.control;
    this.#signalSearch = parts.signalSearch;
    this.#base = parts.base;
    this.#intel = parts.intel;
    this.#geoip = parts.geoip;
    this.#rulesNow = new RulesNow(parts.found);
    this.#agents = parts.agents;
    this.#tee = parts.tee;
    this.#pipelines = parts.found.setup.pipelines;
    this.#exclusions = readExclusions(parts.config.searchExclusions).exclusions;
    this.#search = new LogSearch(this.#journal, { pipelines: this.#pipelines, exclusions: this.#exclusions });
    this.#logs = new LogsApi(this.#search, { mostMs: SEARCH_MS });
    const { http } = parts.config;
    const hosts = new HostStore(parts.sql);
    const inputs = intakeRoutes({ prefix: http.prefix, others: [agentMetadata((beat, arrivalMs) => hosts.beat(beat, arrivalMs))] });
    const partitions = new Map<string, (address: string) => string>();
    this.#intake = new IntakeServer({
      // A shipper that makes up for an outage is behind, and late for nobody but itself.
      partitionOf: (input, { peer }) => {
        let of = partitions.get(input);
        if (!of) partitions.set(input, (of = senderPartitions(input, MOST_SENDERS)));
        return of(peer);
      },
      routes: inputs,
      sink: this.detection, keys: this.keys, host: http.host, port: http.port, plainBeyondLoopback: http.plainBeyondLoopback,
      limits: { ...http.limits, inFlightBytes: Math.max(parts.config.heldBytes, BODIES_BYTES) },
      behind: this.control.api,
      ...(http.tls ? { tls: { cert: readFileSync(http.tls.cert), key: readFileSync(http.tls.key) } } : {}),
      metrics: () => serveMetrics(this.detection, this.#journal, this.signals, this.#rulesNow, { lostEntries: this.#lostEntries, inputs: this.#inputs, tee: this.#tee, geoip: this.#geoip, hostsReporting: hosts.countSince(Date.now() - REPORTING_MS) }),
      readiness: () => readinessOf(this.#journal, this.#lostEntries, this.detection, this.#rulesNow, this.#inputs, this.#tee, this.#geoip),
      onFault: (input, error) => this.#events.onFault(input, error),
    });
  }

  /**
   * Opens the data folder, judges what a stop or a kill left unjudged, and listens.
   *
   * Rejects when the folder is in use or unreadable, a rule has an error, or an address cannot be had.
   *
   * @param pages folder of the web pages; none are served when absent
   */
  static async start(config: ServeConfig, rules: RuleSource, base: GoodRules, events: ServeEvents, version = "dev", pages?: string): Promise<VespidServer> {
    mkdirSync(config.data, { recursive: true, mode: 0o750 });
    const saved = savedState(config.data);
    const { days, bytes } = config.retention;
    const journal = await Journal.open(join(config.data, "journal"), {
      ...(days === undefined ? {} : { maxAgeMs: days * DAY_MS }), ...(bytes === undefined ? {} : { maxBytes: bytes }),
      ...(saved ? { checkpoint: savedPosition(saved) } : {}),
      compress: config.journal.compression !== "none",
    });
    let sql: SqlDriver | undefined;
    let server: VespidServer | undefined;
    let control: Control | undefined;
    let signalSearch: SignalSearch | undefined;
    try {
      const agents = readAgents(config.agentFolders);
      events.onProblems?.(agents.problems);
      sql = SqlDriver.open(join(config.data, "vespid.db"), migrations);
      const signals = new SignalStore(sql);
      signalSearch = new SignalSearch(join(config.data, "vespid.db"));
      const intel = new IntelFeeds(config.intelFeeds, config.data, Date.now);
      const geoip = new GeoipDatabases(config.geoipFiles, Date.now);
      control = await Control.create({
        sql, journal, signals, signalSearch, intel, geoip, audit: new StoredTrail(sql, () => void (server && server.#auditFeed?.wake())), nowMs: Date.now, folder: config.data,
        logs: () => server!.#logs, logSearch: () => server!.#search, setup: () => server!.#rulesNow.found.setup, base: () => (server ? server.#base.setup : base.setup),
        suppressed: () => server!.detection.suppressed, ruleWork: () => server!.detection.ruleWork, refresh: () => server!.#refresh(), signalsChanged: () => {}, onFault: (where, error) => events.onFault(where, error),
      } satisfies ControlContext, { keysRequired: config.keysRequired, version, ...(pages === undefined ? {} : { pages }), isSecure: config.http.tls !== undefined, apiKeysChanged: () => server?.keys.refresh(), ...(config.oidc ? { oidc: oidcSettings(config.oidc) } : {}) });
      await intel.fetchDue();
      const { problems } = await intel.load();
      events.onProblems?.([...problems, ...(await geoip.load()).problems]);
      const found: GoodRules = { ...base, setup: completed(control, geoip, base.setup) };
      const detection = await LiveDetection.create(journal, signals, found.setup, saved, {
        folder: config.data, workers: config.workers === "auto" ? 0 : config.workers, heldBytes: config.heldBytes, suppressed: new SuppressedStore(sql), onSignal: events.onSignal, onSetAside: events.onSetAside,
        onGone: (ids) => void signalSearch!.gone(ids).catch((error: unknown) => void ((server && server.#closed) || events.onFault("signal search", error))),
        onFailure: (error: unknown) => {
          events.onFault("detection", error);
          if (server) server.#tellEnded();
        },
      });
      const store = new KeyStore(sql);
      const keys = new LiveKeys(store, "api", config.keysRequired, agents.keys);
      server = new VespidServer({ config, rules, events, found, base, control, signalSearch, intel, geoip, sql, journal, signals, detection, keys, agents, tee: teeOf(config, agents, journal, events) });
      await server.#begin();
      return server;
    } catch (error) {
      if (server) await server.#shut();
      else {
        await control?.close();
        await signalSearch?.close();
      }
      sql?.close();
      await journal.close();
      throw error;
    }
  }

  /** Stops taking, judges what it has, leaves a checkpoint and lets go of everything. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#shut();
      try {
        await this.detection.close();
      } finally {
        this.lastStats = this.detection.stats;
        await this.#journal.close();
        this.#sql.close();
      }
    })();
    return this.#closed;
  }

  get lineAddresses(): readonly LineAddress[] {
    return this.#inputs.addresses;
  }

  /** Files that are followed. */
  get followed(): number {
    return this.#inputs.tail?.files().length ?? 0;
  }

  /** No door is open behind it, and everything that came in has its answer. */
  async #shut(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#watch?.close();
    this.#intelWatch?.close();
    this.#geoipWatch?.close();
    await Promise.all([this.#intake.close(), this.#inputs.close()]);
    await this.#tee?.stop();
    await this.control.close();
    await this.#signalSearch.close();
    await this.#auditFeed?.close();
    await this.#search.close();
  }

  async #begin(): Promise<void> {
    this.#events.onRules?.(this.#rulesNow.found, this.detection.restored);
    const onDamage = (damage: Damage): void => {
      this.#lostEntries += damage.entries ?? 0;
      this.#events.onDamage?.(damage);
    };
    for (const damage of this.#journal.recovery.damage) this.#events.onDamage?.(damage);
    await this.detection.replay((entries) => this.#events.onReplay?.(entries), onDamage);
    this.#journal.keepFrom("detection", this.detection.checkpointed);
    this.#auditFeed = new AuditFeed(this.audit, this.detection, this.detection.marks.get(AUDIT_PARTITION), Date.now, (error) => this.#events.onFault("audit", error));
    this.#auditFeed.wake();
    this.#tee?.start((error) => this.#events.onFault("tee", error));
    this.address = await this.#intake.start();
    await this.#inputs.start(this.#config, this.#agents, this.detection, this.keys, this.detection.marks, (where, error) => this.#events.onFault(where, error));
    for (const [name, counts] of this.#inputs.counts) this.#intake.desk.counts.set(name, counts);
    this.#watch = new FilesWatch(() => this.#rules.files(), WATCH_MS, () => this.#reload());
    this.#intelWatch = new FilesWatch(() => this.#intel.files(), WATCH_MS, () => this.#reloadTables(this.#intel, "threat intelligence"));
    this.#geoipWatch = new FilesWatch(() => this.#geoip.files(), WATCH_MS, () => this.#reloadTables(this.#geoip, "GeoIP databases"));
    if (this.#agents.benchmarks) await this.#beginHostChecks(this.#agents.benchmarks.hostname);
    this.#every(STORE_MS, "store", () => this.detection.storeSignals(STORE_FOR_MS));
    this.#every(this.#config.checkpointSeconds * 1000, "checkpoint", () => this.detection.checkpointWhenWorth());
    this.#every(TICK_MS, "clock", () => this.detection.tick());
    this.#every(RETAIN_MS, "retention", () => this.#journal.retain(Date.now()));
    this.#every(AUDIT_MS, "audit", async () => this.#auditFeed?.wake());
    this.#every(KEYS_MS, "keys", async () => this.keys.refresh());
    this.#every(TEND_MS, "upkeep", async () => {
      this.audit.release(Date.now() - this.#config.auditDays * DAY_MS, this.#auditFeed?.handedOver ?? 0);
      await this.control.tend(Date.now());
      if (await this.#intel.fetchDue()) await this.#reloadTables(this.#intel, "threat intelligence");
    });
    this.#every(INDEX_MS, "index", () => this.#search.tend({ mostMs: INDEX_FOR_MS }));
  }

  async #beginHostChecks(hostname: string | undefined): Promise<void> {
    const { root, hours } = this.#config.hostChecks;
    const checks = new HostChecks(root, hostname, this.detection);
    await checks.run(Date.now()).catch((error: unknown) => this.#events.onFault("host checks", error));
    this.#every(hours * HOUR_MS, "host checks", () => checks.run(Date.now()));
  }

  /** Other rules from the next batch on. Rules with an error change nothing. */
  async #reload(): Promise<void> {
    try {
      const found = await this.#rules.load();
      const { setup } = found;
      if (setup) {
        this.#base = { ...found, setup };
        await this.#judgeBy(this.#base, true);
        return;
      }
      this.#rulesNow.refuse(`${found.problems.find(({ level }) => level !== "warning")?.code ?? "rules"}; the rules from before judge`);
      this.#events.onRules?.(found, undefined);
    } catch (error) {
      this.#rulesNow.refuse(error instanceof ProblemError ? `${error.problems[0]?.code ?? "rules"}; the rules from before judge` : "they cannot be read; the rules from before judge");
      this.#events.onFault("rules", error);
    }
  }

  /** The whole new table of indicators, or of places, from the next batch on. */
  async #reloadTables(tables: IntelFeeds | GeoipDatabases, where: string): Promise<void> {
    try {
      const { problems, isChanged } = await tables.load();
      this.#events.onProblems?.(problems);
      if (isChanged) await this.#refresh();
    } catch (error) {
      this.#events.onFault(where, error);
    }
  }

  /** Files as they were, with what the store says now; those who ask while one is on its way share the next. */
  async #refresh(): Promise<void> {
    // What went wrong with the one before is for those to hear who asked for it.
    await this.#refreshing?.catch(() => {});
    this.#refreshing ??= (async () => {
      await undefined; // whoever else writes in this turn comes along
      try {
        await this.#judgeBy(this.#base, false);
      } finally {
        this.#refreshing = undefined;
      }
    })();
    await this.#refreshing;
  }

  /** @param isTold whoever watches hears of rules on disk; those of the API are told in its answers. */
  async #judgeBy(base: GoodRules, isTold: boolean): Promise<void> {
    const setup = completed(this.control, this.#geoip, base.setup);
    const restored = await this.detection.swap(setup);
    const found = { ...base, setup };
    if (isTold) this.#rulesNow.take(found);
    else this.#rulesNow.found = found;
    if (setup.pipelines !== this.#pipelines) await this.#readWith(setup);
    if (isTold) this.#events.onRules?.(found, restored);
  }

  /** Logs are found as the pipelines of now make them. */
  async #readWith({ pipelines }: GoodRules["setup"]): Promise<void> {
    const before = this.#search;
    this.#pipelines = pipelines;
    this.#search = new LogSearch(this.#journal, { pipelines, exclusions: this.#exclusions });
    this.#logs = new LogsApi(this.#search, { mostMs: SEARCH_MS });
    await before.close();
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
  readonly found: GoodRules;
  readonly base: GoodRules;
  readonly control: Control;
  readonly signalSearch: SignalSearch;
  readonly intel: IntelFeeds;
  readonly geoip: GeoipDatabases;
  readonly sql: SqlDriver;
  readonly journal: Journal;
  readonly signals: SignalStore;
  readonly detection: LiveDetection;
  readonly keys: LiveKeys;
  readonly agents: AgentInputs;
  readonly tee: Tee | undefined;
}

/** Files and packs with what the store says, and with the databases of now. */
function completed(control: Control, geoip: GeoipDatabases, base: GoodRules["setup"]): GoodRules["setup"] {
  const setup = control.complete(base);
  return { ...setup, pipelines: geoip.complete(setup.pipelines ?? []) };
}

/** Throws a ProblemError when the key it is to send with is not there. */
function teeOf({ tee, data }: ServeConfig, agents: AgentInputs, journal: Journal, events: ServeEvents): Tee | undefined {
  if (!tee) return undefined;
  const key = tee.keyVariable === undefined ? agents.keys[0] : process.env[tee.keyVariable];
  if (tee.keyVariable !== undefined && !key) {
    throw new ProblemError([{ code: "serve/no-tee-key", message: `the environment has no ${tee.keyVariable}, which holds the key for ${tee.url}`, hint: `start it with ${tee.keyVariable}=..., or leave tee.api_key_env out`, place: "tee.api_key_env" }]);
  }
  return new Tee(journal, { url: tee.url, key, compression: tee.compression, positionPath: join(data, "tee.json"), onState: events.onTee });
}
