import type { EngineOptions } from "../index.ts";
import type { GeoipDatabases } from "../enrich/geoip-databases.ts";
import type { IntelFeeds } from "../enrich/intel-feeds.ts";
import type { Journal } from "../journal/journal.ts";
import type { LogSearch, LogsApi } from "../search/index.ts";
import type { SignalSearch } from "../signal-search/signal-search.ts";
import type { SqlDriver } from "../store/driver.ts";
import type { SignalStore } from "../store/signals.ts";
import type { AuditTrail } from "./audit-trail.ts";

/** What detection runs by, beside its state. */
export type Setup = Pick<EngineOptions, "rules" | "pipelines" | "suppressions" | "securityFilters" | "criticalAssets" | "referenceTables" | "stateBytes" | "allowedLatenessSeconds" | "deduplicate">;

/** Matches that opened and extended no signal; event times in milliseconds. */
export interface SuppressedCounts {
  /** Undefined where a suppression has stopped nothing yet. */
  count(suppressionId: string): { readonly matches: number; readonly firstMs: number; readonly lastMs: number; readonly byRule: Readonly<Record<string, number>> } | undefined;
  countOf(ruleId: string): number;
}

/** What detection did for rules since the server started. */
export interface RuleWork {
  readonly sinceMs: number;
  /** Judged by all rules. */
  readonly events: number;
  /** Matches of its queries by rule id; each moves what the rule remembers. */
  readonly matches: ReadonlyMap<string, number>;
}

/** What the rooms of the API work with. */
export interface ControlContext {
  readonly sql: SqlDriver;
  readonly journal: Journal;
  readonly signals: SignalStore;
  readonly audit: AuditTrail;
  readonly nowMs: () => number;
  /** The folder everything lies in. */
  readonly folder: string;
  /** As they are now: others once pipelines changed. */
  readonly logs: () => LogsApi;
  readonly logSearch: () => LogSearch;
  /** By what detection runs now. */
  readonly setup: () => Setup;
  /** By what it would run without anything of the store: files and packs alone. */
  readonly base: () => Setup;
  /** Takes what the store says now; the next batch is judged by it when this resolves. */
  readonly refresh: () => Promise<void>;
  readonly signalSearch: SignalSearch;
  /** Feeds of the settings; none when absent. */
  readonly intel?: IntelFeeds;
  /** Databases of places of the settings; none when absent. */
  readonly geoip?: GeoipDatabases;
  /** What suppressions stopped so far. */
  readonly suppressed: () => SuppressedCounts;
  readonly ruleWork: () => RuleWork;
  /** Signals that changed in the store, for whoever watches them. */
  readonly signalsChanged: (ids: readonly string[]) => void;
  /** What a person has done, as a log for rules of `dataSource: audit`. */
  readonly onFault: (where: string, error: unknown) => void;
}

/** A room that changes what detection runs by: rules, suppressions, tables. They are asked one after another, each with what came of the last. */
export interface SetupPart {
  complete(setup: Setup): Setup;
}
