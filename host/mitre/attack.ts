import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Tactic {
  /** `TA0001` */
  readonly id: string;
  readonly name: string;
  /** `initial-access` */
  readonly slug: string;
}

export interface Technique {
  /** `T1078` or `T1078.004` */
  readonly id: string;
  readonly name: string;
  /** Slugs of the tactics it serves. */
  readonly tactics: readonly string[];
}

/** The pinned version of MITRE ATT&CK Enterprise: ids, names and which technique serves which tactic. */
export interface Attack {
  readonly version: string;
  /** In the order of an attack. */
  readonly tactics: readonly Tactic[];
  readonly techniques: ReadonlyMap<string, Technique>;
}

/**
 * Ids of later versions, which split a tactic and moved its techniques, by the pinned ones. Source: tags of rule collections that follow
 * the later layout.
 */
const laterIds: Readonly<Record<string, string>> = { "T1685": "T1562", "T1685.002": "T1562.008", "T1686": "T1562.004", "T1685.005": "T1070.001", "T1685.006": "T1070.002" };
const laterTactics: Readonly<Record<string, string>> = { "stealth": "defense-evasion", "defense-impairment": "defense-evasion" };

let read: Attack | undefined;

/** The table that comes along. */
export function attack(folder: string): Attack {
  return (read ??= readAttack(readFileSync(join(folder, "mitre-attack", "attack.tsv"), "utf8")));
}

/** One line each, tabs between: `version`, tactics, techniques. */
export function readAttack(text: string): Attack {
  const tactics: Tactic[] = [];
  const techniques = new Map<string, Technique>();
  let version = "";
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [id = "", name = "", rest = ""] = line.split("\t");
    if (id === "version") version = name;
    else if (id.startsWith("TA")) tactics.push({ id, name, slug: rest });
    else techniques.set(id, { id, name, tactics: rest.split(",") });
  }
  return { version, tactics, techniques };
}

/** The pinned id of a technique; undefined where the pinned version has none. */
export function techniqueOf({ techniques }: Attack, text: string): Technique | undefined {
  const id = /^(t\d{4}(?:\.\d{3})?)(?:$|[-_ ])/i.exec(text)?.[1]?.toUpperCase();
  return id === undefined ? undefined : techniques.get(laterIds[id] ?? id);
}

/** A tactic by its id, with or without its name behind, or by its name. */
export function tacticOf({ tactics }: Attack, text: string): Tactic | undefined {
  const plain = text.toLowerCase();
  const id = /^(ta\d{4})(?:$|[-_ ])/.exec(plain)?.[1];
  if (id !== undefined) return tactics.find((each) => each.id.toLowerCase() === id);
  const slug = plain.replaceAll(/[_ ]/g, "-");
  return tactics.find((each) => each.slug === (laterTactics[slug] ?? slug));
}
