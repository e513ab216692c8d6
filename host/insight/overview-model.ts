import type { Point } from "./buckets.ts";

/** What each module of the overview page tells, as its `data`. Times are epoch milliseconds, durations seconds; each `href` shows exactly what its number counts. */
export interface OverviewData {
  readonly onboarding: OnboardingData;
  readonly news: NewsData;
  readonly "coverage.packs": PackCoverageData;
  readonly "coverage.health": PackHealthData;
  readonly "coverage.logs": LogVolumeData;
  readonly "important.signals": OpenSignalsData;
  readonly "important.cases": CasesData;
  readonly "risk.top": RiskyEntitiesData;
  readonly "risk.types": EntityCountsData;
  readonly "risk.severity": EntityCountsData;
  readonly "threat.ips": ThreatIpsData;
  readonly "threat.country": WedgesData;
  readonly "threat.isp": WedgesData;
  readonly "overview.kpi": SeverityKpiData;
  readonly "overview.flow": FlowData;
  readonly "overview.mttr": ResponseTimesData;
  readonly "mitre.covered": TechniquesCoveredData;
  readonly "mitre.density": DensityData;
  readonly "mitre.tactics": AttackCountsData;
  readonly "mitre.techniques": AttackCountsData;
  readonly "perf.mttd": DetectionTimesData;
  readonly "perf.activity": ActivityData;
  readonly "perf.rules_change": RuleChangesData;
  readonly "perf.severity_change": SeverityChangesData;
  readonly "perf.archived_reasons": ReasonsData;
  readonly "perf.tp_malicious": RuleCountsData;
  readonly "perf.tp_benign": RuleCountsData;
  readonly "perf.fp": FalsePositiveData;
}

export type OverviewModuleId = keyof OverviewData;

export interface OnboardingData {
  readonly tasks: ReadonlyArray<{ readonly id: string; readonly title: string; readonly done: boolean; readonly href: string; readonly note?: string }>;
  readonly open: number;
}

export interface NewsData {
  /** Newest first, five at most. */
  readonly entries: ReadonlyArray<{
    readonly kind: "release" | "research";
    readonly title: string;
    /** ISO date; absent where none is known. */
    readonly date?: string;
    /** Of a release its notes, of research what it is about: Markdown. */
    readonly items: readonly string[];
    readonly href: string;
  }>;
}

export interface PackCoverageData {
  readonly categories: ReadonlyArray<{
    readonly category: string;
    readonly enabled: number;
    readonly total: number;
    /** Of its packs, 0 to 1. */
    readonly share: number;
    readonly packs: ReadonlyArray<{ readonly id: string; readonly title: string; readonly enabled: boolean; readonly status: string; readonly href: string }>;
    readonly href: string;
  }>;
  /** Sources whose logs come and that no pack reads; null for those who may not see all logs. */
  readonly other: { readonly count: number; readonly sources: ReadonlyArray<{ readonly source: string; readonly href: string }> } | null;
}

export interface PackHealthData {
  /** Active, warning and broken first; then those that begin, and those whose filters are missing. */
  readonly statuses: ReadonlyArray<{ readonly status: string; readonly count: number; readonly packs: ReadonlyArray<{ readonly id: string; readonly title: string; readonly reasons: readonly string[]; readonly href: string }>; readonly href: string }>;
}

export interface LogVolume {
  readonly total: number;
  readonly points: readonly Point[];
}

export interface LogVolumeData {
  readonly intervalMs: number;
  readonly total: number;
  /** Ten with most logs, most first. */
  readonly sources: ReadonlyArray<LogVolume & {
    readonly source: string;
    /** The last whole hour against the same hour of the seven days before: more than three deviations away. */
    readonly change: { readonly kind: "spike" | "drop"; readonly hourMs: number; readonly logs: number; readonly usual: number; readonly deviation: number } | null;
    readonly href: string;
  }>;
  readonly other: (LogVolume & { readonly sources: number; readonly href: string }) | null;
  /** Told of some records of each batch, which stand for the others of it; else each log was counted, by its own time. */
  readonly isEstimate: boolean;
  /** Not all could be counted in time. */
  readonly isPartial?: true;
}

export interface SeverityCount {
  readonly severity: string;
  readonly count: number;
  readonly href: string;
}

export interface OpenSignalsData {
  /** Open signals of all rules. */
  readonly total: number;
  /** Ten at most: the highest severity first, of those the most signals of it, then the latest. */
  readonly rules: ReadonlyArray<{ readonly rule: string; readonly total: number; readonly severities: readonly SeverityCount[]; readonly lastSeenMs: number; readonly href: string }>;
}

export interface CasesData {
  readonly cases: ReadonlyArray<{ readonly key: string; readonly title: string; readonly priority: string; readonly assignee: string | null; readonly href: string }>;
}

export interface RiskyEntitiesData {
  readonly entities: ReadonlyArray<{ readonly type: string; readonly name: string; readonly score: number; readonly severity: string; readonly change: number; readonly updatedMs: number | null; readonly href: string }>;
}

export interface EntityCountsData {
  readonly counts: ReadonlyArray<{ readonly name: string; readonly count: number; readonly href: string }>;
}

export interface ImportantSplit {
  readonly total: number;
  /** Critical, high and medium. */
  readonly important: number;
  readonly lessImportant: number;
}

export interface ThreatIpsData {
  readonly ips: ReadonlyArray<ImportantSplit & { readonly ip: string; readonly country: string | null; readonly href: string }>;
  /** For the map: all of them. */
  readonly countries: ReadonlyArray<ImportantSplit & { readonly country: string; readonly code: string | null; readonly href: string }>;
}

export interface Wedge {
  readonly name: string;
  readonly count: number;
  readonly href: string;
}

export interface WedgesData {
  /** Signals of the span, and those of them of which the place is not known. */
  readonly total: number;
  readonly unknown: number;
  readonly wedges: ReadonlyArray<Wedge & { readonly code?: string | null; readonly children: readonly Wedge[] }>;
}

export interface SeverityKpiData {
  readonly intervalMs: number;
  readonly severities: ReadonlyArray<SeverityCount & {
    /** In the span of the same length before. */
    readonly previous: number;
    readonly delta: number;
    /** Null: there was none before, it is new. */
    readonly percent: number | null;
    readonly points: readonly Point[];
  }>;
}

export interface FlowData {
  readonly total: number;
  /** `value` adds up to the total on each side. */
  readonly nodes: ReadonlyArray<{ readonly id: string; readonly kind: "severity" | "source" | "resolution"; readonly name: string; readonly value: number; readonly href: string }>;
  /** A signal of n sources counts 1/n on each of its ways. */
  readonly links: ReadonlyArray<{ readonly from: string; readonly to: string; readonly value: number; readonly href: string }>;
}

export interface MeanTime {
  readonly count: number;
  /** Seconds; null where it did not happen. */
  readonly mean: number | null;
  readonly href: string;
}

export interface ResponseTimesData {
  /** From creation to the first review, and to the last archiving, of those reviewed and archived in the span. */
  readonly severities: ReadonlyArray<{ readonly severity: string; readonly underReview: MeanTime; readonly archived: MeanTime }>;
}

export interface DetectionTimesData {
  readonly all: MeanTime;
  readonly severities: ReadonlyArray<MeanTime & { readonly severity: string }>;
}

export interface TechniquesCoveredData {
  readonly version: string;
  readonly covered: number;
  readonly total: number;
  readonly href: string;
}

export interface DensityData {
  readonly version: string;
  readonly densities: ReadonlyArray<{ readonly density: string; readonly count: number; readonly href: string }>;
}

export interface AttackCountsData {
  readonly version: string;
  /** Tactics in the order of an attack; techniques by signals, then by rules, those with neither left out. */
  readonly items: ReadonlyArray<{ readonly id: string; readonly name: string; readonly signals: { readonly count: number; readonly href: string }; readonly rules: { readonly count: number; readonly href: string } }>;
}

export interface ActivityData {
  readonly intervalMs: number;
  readonly series: ReadonlyArray<SeverityCount & { readonly points: readonly Point[] }>;
}

export interface WeekChange {
  /** Of the last seven days, and of the seven before. */
  readonly last: number;
  readonly prior: number;
  readonly delta: number;
  /** Null: there was none before, it is new. */
  readonly percent: number | null;
  readonly href: string;
}

export interface RuleChangesData {
  /** Important signals; risen ones only, ten at most. */
  readonly rules: ReadonlyArray<WeekChange & { readonly rule: string }>;
}

export interface SeverityChangesData {
  readonly severities: ReadonlyArray<WeekChange & { readonly severity: string }>;
}

export interface ReasonsData {
  readonly total: number;
  readonly reasons: ReadonlyArray<{ readonly reason: string; readonly count: number; readonly href: string }>;
}

export interface RuleCountsData {
  readonly rules: ReadonlyArray<{ readonly rule: string; readonly count: number; readonly href: string }>;
}

export interface FalsePositiveData {
  /** A rule of fewer signals is not ranked. */
  readonly leastSignals: number;
  readonly rules: ReadonlyArray<{ readonly ruleId: string; readonly rule: string; readonly falsePositives: number; readonly total: number; readonly percent: number; readonly href: string; readonly falsePositivesHref: string }>;
}
