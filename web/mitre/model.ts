/** The map as the API tells it (host/control/mitre). */
export interface MapSubtechnique {
  readonly id: string;
  readonly name: string;
  /** Ids. */
  readonly rules: readonly string[];
  readonly signals?: number;
  readonly signals_href?: string;
}

export interface MapTechnique {
  readonly id: string;
  readonly name: string;
  readonly density: Density;
  /** Of the mode: rules or signals. */
  readonly href: string;
  readonly rules: ReadonlyArray<{ readonly id: string; readonly name: string }>;
  /** Under whatever tactic. */
  readonly rules_in_all: number;
  readonly rules_href: string;
  readonly signals?: number;
  readonly signals_href?: string;
  readonly subtechniques: readonly MapSubtechnique[];
}

export interface MapTactic {
  readonly id: string;
  readonly name: string;
  readonly density: Readonly<Record<Density, number>>;
  readonly href: string;
  readonly rules: number;
  readonly signals?: number;
  readonly techniques: readonly MapTechnique[];
}

export interface AttackMap {
  readonly version: string;
  readonly total: number;
  readonly covered: number;
  readonly density: Readonly<Record<Density, number>>;
  readonly remarks: ReadonlyArray<{ readonly rule: string; readonly text: string }>;
  /** `active` is told to those who may see all logs. */
  readonly sources: ReadonlyArray<{ readonly source: string; readonly rules: number; readonly active?: boolean }>;
  readonly tactics: readonly MapTactic[];
}

export const MITRE = "/api/v2/security_monitoring/mitre_attack";

export const densities = ["high", "medium", "low", "none"] as const;
export type Density = (typeof densities)[number];
export const densityNotes: Readonly<Record<Density, string>> = { high: "7 and more rules", medium: "3 to 6", low: "1 or 2", none: "no rule" };

export type Mode = "rules" | "signals";

const slug = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");

/** A new rule that would stand at this place of the map. */
export function newRuleTags(tactic: Pick<MapTactic, "id" | "name">, technique: Pick<MapTechnique, "id" | "name">): string {
  return `tactic:${tactic.id}-${slug(tactic.name)},technique:${technique.id}-${slug(technique.name)}`;
}

/** How much, in four steps of the greatest. */
export function heatOf(count: number, most: number): number {
  return count === 0 ? 0 : Math.max(1, Math.ceil((count / most) * 4));
}
