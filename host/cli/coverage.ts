import { globSync } from "node:fs";
import { dirname } from "node:path";
import { writeAtomically } from "../atomic-file.ts";
import { attack } from "../mitre/attack.ts";
import { type Coverage, type Density, coverageOf, densities, navigatorLayer } from "../mitre/coverage.ts";
import { contentFolder } from "../packs.ts";
import { loadGoodRules } from "./load-rules.ts";
import { UsageError } from "./problems.ts";
import { bar, count, jsonLine, plural, safe, styled, table } from "./text.ts";

export interface CoverageOptions {
  readonly rules?: readonly string[];
  readonly tactic?: string;
  readonly density?: Density;
  readonly navigator?: string;
  readonly json?: boolean;
}

/** `vespid coverage`: what of ATT&CK rules watch, by their tags. */
export async function coverage(options: CoverageOptions): Promise<number> {
  const { rules } = await loadGoodRules(options.rules ?? globSync("*/manifest.yaml", { cwd: contentFolder() }).map((file) => `pack:${dirname(file)}`).sort());
  const table = attack(contentFolder());
  const found = coverageOf(table, rules);
  const tactic = options.tactic === undefined ? undefined : found.tactics.find(({ tactic: { id, slug } }) => id === options.tactic!.toUpperCase() || slug === options.tactic!.toLowerCase());
  if (options.tactic !== undefined && !tactic) throw new UsageError(`there is no tactic ${safe(options.tactic)}; the tactics are ${table.tactics.map(({ slug }) => slug).join(", ")}`);
  if (options.navigator !== undefined) writeAtomically(options.navigator, Buffer.from(`${JSON.stringify(navigatorLayer(found, "Vespid"), null, 2)}\n`));
  const shown = { ...found, tactics: tactic ? [tactic] : found.tactics };
  if (options.json) process.stdout.write(jsonLine(coverageJson(shown, options.density)));
  else tell(shown, options, rules.length);
  return 0;
}

/** As programs read it: the table's own figures. */
export function coverageJson({ version, tactics, total, covered, counts, remarks, unmapped }: Coverage, density?: Density): unknown {
  return {
    version, total, covered, counts, remarks, unmapped,
    tactics: tactics.map(({ tactic, techniques, counts: each }) => ({
      id: tactic.id, name: tactic.name, counts: each,
      techniques: techniques.filter((one) => density === undefined || one.density === density).map(({ technique, rules, density: found, subtechniques }) => ({
        id: technique.id, name: technique.name, density: found, rules: rules.map(({ id }) => id),
        subtechniques: subtechniques.filter((sub) => sub.rules.length).map((sub) => ({ id: sub.technique.id, name: sub.technique.name, rules: sub.rules.map(({ id }) => id) })),
      })),
    })),
  };
}

function tell({ version, tactics, total, covered, counts, remarks, unmapped }: Coverage, { tactic, density, navigator }: CoverageOptions, rules: number): void {
  process.stdout.write(`${plural(rules, "rule")} watch ${covered} of ${total} techniques of ATT&CK ${version}: ${densities.map((each) => `${counts[each]} ${each}`).join(", ")}\n\n`);
  if (tactic === undefined && density === undefined) {
    process.stdout.write(`${table(["tactic", "techniques", "watched", "", ...densities], tactics.map(({ tactic: one, techniques, counts: each }) => [`${one.id} ${one.name}`, String(techniques.length), String(techniques.length - each.none), bar((techniques.length - each.none) / techniques.length, 20), ...densities.map((name) => String(each[name]))]))}\n`);
  } else {
    for (const { tactic: one, techniques } of tactics) {
      const listed = techniques.filter((each) => density === undefined || each.density === density);
      if (!listed.length) continue;
      process.stdout.write(`${styled("bold", `${one.id} ${one.name}`)}\n${table(["technique", "density", "rules"], listed.map(({ technique, density: found, rules: watching }) => [`${technique.id} ${technique.name}`, found, watching.slice(0, 4).map(({ id }) => safe(id)).join(", ") + (watching.length > 4 ? ` and ${watching.length - 4} more` : "")]))}\n\n`);
    }
  }
  if (unmapped.length) process.stderr.write(`${plural(unmapped.length, "enabled rule")} ${unmapped.length === 1 ? "is" : "are"} not on the map: no technique among their tags\n`);
  if (remarks.length) process.stderr.write(`${count(remarks.length)} remarks on tags; --json tells them\n`);
  if (navigator !== undefined) process.stderr.write(`layer for the Navigator: ${safe(navigator)}\n`);
}
