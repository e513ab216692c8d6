import { existsSync } from "node:fs";
import { hash } from "node:crypto";
import { join } from "node:path";
import { type Change, changesBetween } from "../control/rules/changes.ts";
import { type Overrides, withOverrides } from "../control/rules/overrides.ts";
import { readPackRules } from "../pack-rules.ts";
import type { Rule } from "../rule/rule.ts";
import { SqlDriver } from "../store/driver.ts";
import { type RuleDocument, RuleStore } from "../store/rules.ts";
import { UsageError } from "./problems.ts";
import { cut, jsonLine, plural, safe, styled } from "./text.ts";

/** A rule of a pack on a server: what is one's own of it, and what this program's pack says otherwise than the one that ran there. */
export interface PackDifference {
  readonly rule: string;
  readonly name: string;
  /** `new`: it never ran there. `pack`: the pack changed it. `yours`: its users did. `both`. */
  readonly what: "new" | "pack" | "yours" | "both";
  readonly local: RuleDocument;
  /** From what ran to what will, local changes joined to both. */
  readonly pack: readonly Change[];
  /** Where both speak of one thing, and what becomes of it. */
  readonly conflicts: readonly string[];
}

const VALUE_CHARS = 100;

/** `vespid packs diff`: exit code 1 where the pack says something else than what ran. */
export function packsDiff(name: string, { data = "vespid-data", json }: { readonly data?: string; readonly json?: boolean }): number {
  const path = join(data, "vespid.db");
  if (!existsSync(path)) throw new UsageError(`${safe(data)}: no server keeps its data there`);
  const rules = readPackRules(name);
  if (!rules.length) throw new UsageError(`${safe(name)} is no pack with rules; vespid packs list tells which there are`);
  const sql = SqlDriver.openToRead(path);
  let differences: PackDifference[];
  try {
    differences = packDifferences(new RuleStore(sql), rules);
  } finally {
    sql.close();
  }
  for (const difference of differences) process.stdout.write(json ? jsonLine(difference) : textOf(difference));
  const upgraded = differences.filter(({ what }) => what !== "yours");
  process.stderr.write(differences.length ? `${plural(upgraded.length, "rule")} of the pack differ from those that ran, ${plural(differences.filter(({ what }) => what === "yours" || what === "both").length, "rule")} with changes of your own\n` : "no difference\n");
  return upgraded.length ? 1 : 0;
}

/** @param rules as the pack has them now */
export function packDifferences(store: RuleStore, rules: readonly Rule[]): PackDifference[] {
  return rules.flatMap((rule): PackDifference[] => {
    const stored = store.get(rule.id);
    if (stored?.origin !== "given") return [{ rule: rule.id, name: rule.name, what: "new", local: {}, pack: [], conflicts: [] }];
    const local = stored.document;
    const isLocal = Object.keys(local).length > 0;
    const isSame = stored.baseHash === hash("sha256", JSON.stringify(rule.wire));
    if (isSame && !isLocal) return [];
    const ran = store.version(rule.id, stored.version)?.document ?? {};
    const pack = isSame ? [] : changesBetween(ran, withOverrides(rule.wire, local as Overrides));
    return [{ rule: rule.id, name: rule.name, what: isSame ? "yours" : isLocal ? "both" : "pack", local, pack, conflicts: conflictsOf(local as Overrides, pack, rule.wire) }];
  });
}

function conflictsOf({ customName, customMessage, queries = {}, cases = {} }: Overrides, pack: readonly Change[], base: RuleDocument): string[] {
  const touches = (what: RegExp): boolean => pack.some(({ path }) => what.test(path));
  const named = (members: object): string => Object.keys(members).map((key) => key.replace(/^name:/, "")).join(", ");
  return [
    ...(Object.keys(cases).length && touches(/^(?:thirdPartyC|c)ases\b/) ? [`cases: the pack says other severities or conditions; notifications and severity of ${named(cases)} stay yours`] : []),
    ...(customMessage !== undefined && touches(/^message$/) ? ["message: the pack's is another; yours stays"] : []),
    ...(customName !== undefined && touches(/^name$/) ? [`name: the pack calls it ${String(base.name)}; ${customName} stays`] : []),
    ...(Object.keys(queries).length && touches(/^queries\[\d+\]\.(?:query|groupByFields)\b|^queries(?:\[\d+\])?$/) ? [`queries: the pack asks something else; your extension of ${named(queries)} is joined to it`] : []),
  ];
}

function textOf({ rule, name, what, local, pack, conflicts }: PackDifference): string {
  const value = (of: unknown): string => cut(safe(JSON.stringify(of) ?? ""), VALUE_CHARS);
  const words = { new: "new", pack: "changed by the pack", yours: "changed by you", both: "changed by the pack and by you" } as const;
  const lines = [
    ...Object.entries(local).map(([path, after]) => styled("cyan", `  = ${safe(path)}: ${value(after)}`)),
    ...pack.flatMap(({ path, before, after }) => [...(before === undefined ? [] : [styled("red", `  - ${safe(path)}: ${value(before)}`)]), ...(after === undefined ? [] : [styled("green", `  + ${safe(path)}: ${value(after)}`)])]),
    ...conflicts.map((text) => styled("yellow", `  ! ${safe(text)}`)),
  ];
  return [`${safe(rule)} ${safe(name)}: ${words[what]}`, ...lines].map((line) => `${line}\n`).join("");
}
