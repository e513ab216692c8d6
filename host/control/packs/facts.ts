import { blindWithoutDatabases } from "../../engine/pipelines/places.ts";
import { type Pack, packCategories } from "../../event/pipeline/packs.ts";
import { matches } from "../../query/matches.ts";
import type { Rule } from "../../rule/rule.ts";
import type { SecurityFilter } from "../../rule/security-filter.ts";
import { idleReason, standingQueries } from "../../rule/standing.ts";
import type { SourceDay, StoredPack } from "../../store/packs.ts";
import { type PackFacts, packState, type PackState } from "./status.ts";

/** What a server knows of a pack beside the days of its sources; kept in the store, so that the command line tells the same. */
export interface KeptFacts extends Omit<PackFacts, "days" | "filters"> {
  /** What becomes of a log that is known by its source alone. */
  readonly filtersBySource: PackFacts["filters"];
}

export interface FactsSetup {
  readonly isEnabled: boolean;
  readonly stored: StoredPack | undefined;
  readonly filters: readonly SecurityFilter[] | undefined;
  /** Its rules as they judge, changes included. */
  readonly rules: readonly Rule[];
  /** Ids of every rule that judges, of this pack or not. */
  readonly judging: ReadonlySet<string>;
  /** Are addresses looked up? */
  readonly hasGeoip: boolean;
}

/** What its rules alone tell. */
export type RuleFacts = Pick<KeptFacts, "rules" | "idle" | "placeless">;

export function ruleFacts(pack: Pick<Pack, "pipelines">, { rules, judging, hasGeoip }: Pick<FactsSetup, "rules" | "judging" | "hasGeoip">): RuleFacts {
  const wanted = rules.filter((rule) => rule.isEnabled);
  return {
    rules: wanted.length,
    idle: wanted.flatMap((rule) => {
      const reason = idleReason(rule) ?? unfed(rule, judging);
      return reason === undefined ? [] : [{ id: rule.id, reason }];
    }),
    placeless: hasGeoip ? 0 : new Set(blindWithoutDatabases(pack.pipelines, standingQueries(wanted)).map(({ ruleIndex }) => ruleIndex)).size,
  };
}

/** @param ofRules as `ruleFacts` tells of the same rules: it takes its time, and whoever asks often asks it once. */
export function keptFacts(pack: Pick<Pack, "sources" | "health" | "pipelines">, setup: FactsSetup, ofRules = ruleFacts(pack, setup)): KeptFacts {
  const { isEnabled, stored, filters } = setup;
  return {
    activation: isEnabled ? "activated" : stored?.deactivatedMs === undefined ? "never_activated" : "deactivated",
    activatedMs: stored?.activatedMs, health: pack.health, filtersBySource: filtersOf(pack.sources, filters), ...ofRules,
  };
}

/** A rule that reads the signals of a rule that is not there hears nothing. */
function unfed(rule: Rule, judging: ReadonlySet<string>): string | undefined {
  const missing = rule.queries.find(({ correlation }) => correlation && !judging.has(correlation.ruleId));
  return missing && `it reads signals of ${missing.correlation!.ruleId}, which does not judge`;
}

function filtersOf(sources: readonly string[], filters: readonly SecurityFilter[] | undefined): PackFacts["filters"] {
  if (filters === undefined || !sources.length) return "passed";
  const fates = sources.map((source): PackFacts["filters"] => {
    const event = { source, attributes: {} };
    const matching = filters.filter(({ enabled, node }) => enabled && matches(node, event));
    if (!matching.length) return "unconfigured";
    return matching.some(({ exclusions }) => !exclusions.some((exclusion) => matches(exclusion, event))) ? "passed" : "excluded";
  });
  return fates.find((fate) => fate === "passed") ?? fates.find((fate) => fate === "excluded") ?? "unconfigured";
}

/** The state as of now; where logs came, they tell better than their source alone whether filters let them pass. */
export function stateOf(pack: Pick<Pack, "sources">, { filtersBySource, ...kept }: KeptFacts, days: readonly SourceDay[], nowMs: number): PackState & { readonly isFiltered: boolean } {
  // A pack across sources lives on whatever comes, and others answer for how it is understood.
  const own = pack.sources.length ? days.filter(({ source }) => pack.sources.includes(source)) : days.map((day) => ({ ...day, unparsed: 0 }));
  const passed = own.some(({ events, filtered }) => events > filtered);
  const filters = passed ? "passed" : filtersBySource;
  return { ...packState({ ...kept, days: own, filters }, nowMs), isFiltered: filters !== "passed" };
}

export interface CoverageGap {
  readonly category: string;
  /** Packs that would watch it. */
  readonly packs: readonly string[];
}

/** Categories that no enabled pack watches (CP-12). */
export function coverageGaps(packs: ReadonlyArray<Pick<Pack, "name" | "category">>, enabled: ReadonlySet<string>): CoverageGap[] {
  return packCategories.map((category) => ({ category, all: packs.filter((pack) => pack.category === category).map(({ name }) => name) }))
    .filter(({ all }) => !all.some((name) => enabled.has(name))).map(({ category, all }) => ({ category, packs: all }));
}
