import type { Attack } from "../mitre/attack.ts";
import type { CoverRule } from "../mitre/coverage.ts";
import type { EntityRisk } from "./entities.ts";
import type { TimeSpan } from "./links.ts";
import type { NewsData, OverviewData, OverviewModuleId } from "./overview-model.ts";
import type { SignalNumbers } from "./signal-numbers.ts";

export interface OverviewPack {
  readonly id: string;
  readonly title: string;
  readonly category: string | null;
  readonly sources: readonly string[];
  readonly isEnabled: boolean;
  readonly status: string;
  readonly reasons: readonly string[];
}

/** Logs of one source, by start of a slot in epoch milliseconds. */
export interface SourceLogs {
  readonly source: string;
  readonly times: ReadonlyMap<number, number>;
}

export interface OnboardingFacts {
  readonly hasLogs: boolean;
  readonly hasPack: boolean;
  /** Null: there is no such thing in this release. */
  readonly hasNotificationRule: boolean | null;
  readonly hasColleague: boolean;
  readonly hasTriage: boolean;
  readonly hasGeo: boolean;
}

/** What modules are told of: the span asked for, as somebody may see it, and what else is known of the server. */
export interface OverviewAsk {
  readonly span: TimeSpan;
  readonly nowMs: number;
  readonly numbers: SignalNumbers;
  /** May they see some logs only? */
  readonly isRestricted: boolean;
  readonly rules: () => readonly CoverRule[];
  readonly attack: () => Attack;
  readonly packs: () => Promise<readonly OverviewPack[]>;
  /** Sources that sent logs lately; undefined for those who may not see all. */
  readonly sources: () => Promise<readonly string[] | undefined>;
  /** Logs as far as they may be seen, in slots that lie within buckets of a width. */
  readonly logs: (span: TimeSpan, widthMs: number) => Promise<{ readonly sources: readonly SourceLogs[]; readonly isPartial: boolean }>;
  readonly risk: () => EntityRisk;
  readonly news: () => NewsData["entries"];
  readonly onboarding: () => Promise<OnboardingFacts>;
  /** Signals a rule has at least to be ranked by its false positives. */
  readonly leastSignals: number;
}

/** What one must be allowed to read to be told of a module. */
export type OverviewNeed = "signals" | "rules" | "logs" | "cases" | "known";

export interface OverviewModule<I extends OverviewModuleId = OverviewModuleId> {
  readonly id: I;
  readonly title: string;
  readonly needs: OverviewNeed;
  /** The page that shows all of it. */
  readonly href: (ask: OverviewAsk) => string;
  /** Why there is nothing to be told yet, where that is so. */
  readonly note?: string;
  readonly read: (ask: OverviewAsk) => OverviewData[I] | Promise<OverviewData[I]>;
}

/** A module whose data has the shape its id says. */
export function overviewModule<I extends OverviewModuleId>(module: OverviewModule<I>): OverviewModule {
  return module as unknown as OverviewModule;
}
