import { type Attack, type Tactic, type Technique, tacticOf, techniqueOf } from "./attack.ts";

export interface Pair {
  readonly tactic: Tactic;
  readonly technique: Technique;
}

export interface TagReading {
  /** What the tags say together: each technique under each of the tactics that are named and that it serves. */
  readonly pairs: readonly Pair[];
  /** What they say that the pinned version does not know, or that does not go together. */
  readonly remarks: readonly string[];
}

/**
 * The techniques a rule watches, by its tags: `tactic:TA0001-initial-access` beside `technique:T1078-valid-accounts`, and the shorter
 * `mitre:T1078`, `attack:initial-access` (platform spec 17.1). A technique without a tactic stands under all it serves.
 */
export function readTags(attack: Attack, tags: readonly string[]): TagReading {
  const tactics = new Map<string, Tactic>();
  const techniques = new Map<string, Technique>();
  const remarks: string[] = [];
  for (const tag of tags) {
    const at = tag.indexOf(":");
    const [key, value] = [tag.slice(0, at).toLowerCase(), tag.slice(at + 1)];
    if (at < 0 || !["tactic", "technique", "mitre", "attack"].includes(key)) continue;
    const [tactic, technique] = [tacticOf(attack, value), techniqueOf(attack, value)];
    if (technique) techniques.set(technique.id, technique);
    else if (tactic) {
      tactics.set(tactic.id, tactic);
      if (key === "technique") remarks.push(`${tag} names a tactic`);
    } else remarks.push(`${tag} is not in ATT&CK ${attack.version}`);
    if (key === "tactic" && technique) remarks.push(`${tag} names a technique`);
  }
  const pairs = [...techniques.values()].flatMap((technique) => {
    const served = attack.tactics.filter(({ slug }) => technique.tactics.includes(slug));
    const named = served.filter(({ id }) => tactics.has(id));
    if (!named.length) remarks.push(tactics.size ? `${technique.id} does not serve ${[...tactics.values()].map(({ slug }) => slug).join(", ")}; it stands under ${served.map(({ slug }) => slug).join(", ")}` : `${technique.id} has no tactic beside it; it stands under all it serves`);
    return (named.length ? named : served).map((tactic): Pair => ({ tactic, technique }));
  });
  if (tactics.size && !techniques.size) remarks.push("a tactic without a technique is not on the map");
  return { pairs, remarks };
}
