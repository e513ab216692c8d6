import type { QueryNode } from "../query/tree.ts";
import type { Severity } from "../rule/rule.ts";
import type { EntityType } from "../signal-model/entities.ts";

/** An entity and its score as of one instant. Times in epoch ms. */
export interface EntityRow {
  /** `type:value` */
  readonly id: string;
  readonly type: EntityType;
  readonly value: string;
  /** Points of all its signals of the last 14 days. */
  readonly score: number;
  /** What the score is called: `critical` from 100 on. */
  readonly severity: Severity;
  /** Against the score 24 hours before. */
  readonly change: number;
  /** When the score last became another: by a signal that came, ran out or was archived as none. Undefined: it was always 0. */
  readonly updatedMs: number | undefined;
  /** Of its signals of the 14 days: their first and their last event. */
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** Signals of the 14 days, those without points among them. */
  readonly signals: number;
  /** Those that add to the score. */
  readonly contributing: number;
  readonly signalCounts: Readonly<Record<Severity, number>>;
  /** Of those signals, most first. */
  readonly sources: readonly string[];
  readonly services: readonly string[];
  readonly environments: readonly string[];
  readonly accounts: readonly string[];
  readonly tactics: readonly string[];
  readonly techniques: readonly string[];
  /** Title of the latest signal. */
  readonly lastTitle: string;
}

export interface EntityPage {
  readonly rows: readonly EntityRow[];
  /** Entities of all pages. */
  readonly total: number;
  /** Of all pages; types nobody is of are left out, every severity is there. */
  readonly byType: Readonly<Partial<Record<EntityType, number>>>;
  readonly bySeverity: Readonly<Record<Severity, number>>;
}

/** One signal's part of a score. */
export interface Contribution {
  readonly signalId: string;
  readonly title: string;
  readonly severity: Severity;
  readonly state: string;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly points: number;
  readonly createdMs: number;
  /** From then on it adds nothing. */
  readonly expiresMs: number;
}

export interface RuleContribution {
  readonly ruleId: string;
  readonly ruleName: string;
  readonly points: number;
  readonly signals: number;
  readonly lastCreatedMs: number;
  /** When the first of its points run out. */
  readonly nextExpiryMs: number;
}

export interface RiskPoint {
  /** Start of the interval. */
  readonly timeMs: number;
  /** As of the interval's last millisecond, or of the instant asked for. */
  readonly score: number;
  /** Signals created in it. */
  readonly signals: Readonly<Record<Severity, number>>;
}

/** An entity that signals have in common with another. */
export interface RelatedEntity {
  readonly id: string;
  readonly type: EntityType;
  readonly value: string;
  readonly score: number;
  readonly severity: Severity;
  /** Signals of the 14 days that both have. */
  readonly shared: number;
}

export interface EntityDetail extends EntityRow {
  /** Most points first, then the newest; as many as were asked for. */
  readonly contributions: readonly Contribution[];
  /** Most points first; a hundred at most. */
  readonly rules: readonly RuleContribution[];
  /** Oldest first, of 14 days. */
  readonly timeline: readonly RiskPoint[];
  /** Those with most signals in common first; twenty at most. */
  readonly related: readonly RelatedEntity[];
  /** Newest of the signals of the 14 days. */
  readonly lastSignalId: string;
}

export const entitySorts = ["score", "change", "value", "type", "signals", "updated", "first_seen", "last_seen"] as const;
export type EntitySortField = (typeof entitySorts)[number];

/** Which signals scores are made of: of all where `restrict` is undefined. */
export interface RiskScope {
  readonly restrict?: readonly QueryNode[];
  readonly mostMs: number;
  /** The instant of the scores. */
  readonly atMs: number;
}

export interface EntitiesQuestion extends RiskScope {
  /** Only entities to whose score a signal adds that was created since. */
  readonly fromMs?: number;
  /** Of the entities themselves; undefined: all. */
  readonly node?: QueryNode;
  readonly sort: { readonly field: EntitySortField; readonly descending: boolean };
  readonly offset: number;
  readonly limit: number;
}

export interface EntityQuestion extends RiskScope {
  readonly id: string;
  /** Of the timeline. */
  readonly intervalMs: number;
  /** Of the contributions. */
  readonly limit: number;
}
