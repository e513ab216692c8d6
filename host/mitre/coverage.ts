import type { Attack, Tactic, Technique } from "./attack.ts";
import { readTags } from "./tags.ts";

export const densities = ["high", "medium", "low", "none"] as const;
export type Density = (typeof densities)[number];

export interface CoverRule {
  readonly id: string;
  readonly name: string;
  readonly isEnabled: boolean;
  readonly tags: readonly string[];
}

export interface TechniqueCover {
  readonly technique: Technique;
  /** Enabled rules under this tactic, of it and of its sub-techniques. */
  readonly rules: readonly CoverRule[];
  /** Of all rules of the technique, under whatever tactic; none where no rule watches it under this one. */
  readonly density: Density;
  readonly subtechniques: ReadonlyArray<{ readonly technique: Technique; readonly rules: readonly CoverRule[] }>;
}

export interface TacticCover {
  readonly tactic: Tactic;
  readonly techniques: readonly TechniqueCover[];
  /** Techniques by density; together all of the tactic's. */
  readonly counts: Readonly<Record<Density, number>>;
}

export interface Coverage {
  readonly version: string;
  readonly tactics: readonly TacticCover[];
  /** Distinct techniques, sub-techniques counted with theirs: how many there are, and how many some enabled rule watches. */
  readonly total: number;
  readonly covered: number;
  /** Of distinct techniques, by all their rules. */
  readonly counts: Readonly<Record<Density, number>>;
  /** Rules whose tags say something that is not so. */
  readonly remarks: ReadonlyArray<{ readonly rule: string; readonly text: string }>;
  /** Enabled rules that are nowhere on the map. */
  readonly unmapped: readonly string[];
}

/** Of so many rules: none, 1-2, 3-6, 7 and more (platform spec 17.2). */
export function densityOf(rules: number): Density {
  return rules >= 7 ? "high" : rules >= 3 ? "medium" : rules >= 1 ? "low" : "none";
}

/** What enabled rules watch of ATT&CK. */
export function coverageOf(attack: Attack, rules: readonly CoverRule[]): Coverage {
  const under = new Map<string, Map<string, CoverRule>>();
  const remarks: Array<{ rule: string; text: string }> = [];
  const unmapped: string[] = [];
  for (const rule of rules) {
    if (!rule.isEnabled) continue;
    const reading = readTags(attack, rule.tags);
    remarks.push(...reading.remarks.map((text) => ({ rule: rule.id, text })));
    if (!reading.pairs.length) unmapped.push(rule.id);
    for (const { tactic, technique } of reading.pairs) {
      for (const key of new Set([`${tactic.id} ${technique.id}`, `${tactic.id} ${parentOf(technique.id)}`, parentOf(technique.id)])) {
        const known = under.get(key) ?? new Map<string, CoverRule>();
        under.set(key, known.set(rule.id, rule));
      }
    }
  }
  const rulesAt = (key: string): CoverRule[] => [...(under.get(key)?.values() ?? [])];
  const parents = [...attack.techniques.values()].filter(({ id }) => !id.includes("."));
  const subsOf = Map.groupBy([...attack.techniques.values()].filter(({ id }) => id.includes(".")), ({ id }) => parentOf(id));
  const tactics = attack.tactics.map((tactic): TacticCover => {
    const techniques = parents.filter((technique) => technique.tactics.includes(tactic.slug)).map((technique): TechniqueCover => {
      const found = rulesAt(`${tactic.id} ${technique.id}`);
      const subtechniques = (subsOf.get(technique.id) ?? []).map((sub) => ({ technique: sub, rules: rulesAt(`${tactic.id} ${sub.id}`) }));
      return { technique, rules: found, density: found.length ? densityOf(rulesAt(technique.id).length) : "none", subtechniques };
    });
    return { tactic, techniques, counts: countsOf(techniques.map(({ density }) => density)) };
  });
  const all = parents.map(({ id }) => densityOf(rulesAt(id).length));
  return { version: attack.version, tactics, total: parents.length, covered: all.filter((density) => density !== "none").length, counts: countsOf(all), remarks, unmapped };
}

function parentOf(id: string): string {
  return id.split(".", 1)[0]!;
}

function countsOf(all: readonly Density[]): Record<Density, number> {
  const counts = { high: 0, medium: 0, low: 0, none: 0 };
  for (const density of all) counts[density]++;
  return counts;
}

/** A layer for MITRE's Navigator, format 4.5: each technique under each tactic with as many points as it has rules. */
export function navigatorLayer({ version, tactics }: Coverage, name: string): Record<string, unknown> {
  const techniques = tactics.flatMap(({ tactic, techniques: all }) => all.flatMap(({ technique, rules, subtechniques }) => [
    { technique, rules }, ...subtechniques,
  ].filter((each) => each.rules.length).map((each) => ({
    techniqueID: each.technique.id, tactic: tactic.slug, score: each.rules.length, enabled: true, comment: each.rules.map((rule) => rule.name).join("\n"), showSubtechniques: each.technique.id.includes("."),
  }))));
  return {
    name, description: "Rules for each technique, by their tags", domain: "enterprise-attack", versions: { attack: version.split(".", 1)[0]!, navigator: "5.1.0", layer: "4.5" },
    techniques, gradient: { colors: ["#ffffff", "#f2c14e", "#2a9d55"], minValue: 0, maxValue: 7 }, sorting: 3, hideDisabled: false,
    legendItems: [{ label: "1 or 2 rules", color: "#f7dda0" }, { label: "3 to 6", color: "#f2c14e" }, { label: "7 and more", color: "#2a9d55" }],
  };
}
