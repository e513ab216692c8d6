import { Type } from "typebox";
import { attack } from "../../mitre/attack.ts";
import { type CoverRule, coverageOf, densities } from "../../mitre/coverage.ts";
import { readTags } from "../../mitre/tags.ts";
import { contentFolder } from "../../packs.ts";
import type { Rule } from "../../rule/rule.ts";
import type { ControlContext } from "../context.ts";
import type { Room } from "../control.ts";
import { ok, route } from "../route.ts";
import { within } from "../signals/explore.ts";

/** What the two modes of the map count. */
const modes = ["rules", "signals"] as const;
const MOST_TAGS = 1000;

/** The ATT&CK map: by rules that are enabled, or by signals that came. */
export function mitreRoom(context: ControlContext): Room {
  return {
    routes: [
      route({
        method: "GET", path: "/api/v2/security_monitoring/mitre_attack", operationId: "getMitreAttackMap", summary: "Techniques of ATT&CK with the rules that watch them, or the signals they raised", tag: "Rules",
        permission: "security_monitoring_rules_read", isSearch: true,
        query: Type.Object({ mode: Type.Optional(Type.Enum([...modes])), density: Type.Optional(Type.Enum([...densities])), from: Type.Optional(Type.String()), to: Type.Optional(Type.String()), "filter[query]": Type.Optional(Type.String()) }),
        answers: { 200: Type.Object({ data: Type.Object({ type: Type.Literal("mitre_attack"), id: Type.String(), attributes: Type.Object({}) }) }) },
      }, async ({ query, principal }) => {
        const table = attack(contentFolder());
        const { mode = "rules", density } = query;
        const coverage = coverageOf(table, context.setup().rules as readonly Rule[] as readonly CoverRule[]);
        const signals = mode === "signals" && principal.permissions.has("security_monitoring_signals_read")
          ? await signalsByTechnique(context, { query: query["filter[query]"], from: query.from ?? "now-7d", to: query.to ?? "now", ...within(principal) }) : undefined;
        const link = (key: "tactic" | "technique", id: string): string => `/${mode}?query=${encodeURIComponent(`${key}:${id}*`)}`;
        return ok({
          data: {
            type: "mitre_attack", id: `enterprise-${table.version}`,
            attributes: {
              version: table.version, mode, total: coverage.total, covered: coverage.covered, density: coverage.counts, remarks: coverage.remarks,
              tactics: coverage.tactics.map(({ tactic, techniques, counts }) => ({
                id: tactic.id, name: tactic.name, density: counts, link: link("tactic", tactic.id), ...(signals ? { signals: signals.tactics.get(tactic.id) ?? 0 } : {}),
                techniques: techniques.filter((each) => density === undefined || each.density === density).map(({ technique, rules, density: found, subtechniques }) => ({
                  id: technique.id, name: technique.name, density: found, link: link("technique", technique.id), rules: rules.map(({ id, name }) => ({ id, name })),
                  ...(signals ? { signals: signals.techniques.get(`${tactic.id} ${technique.id}`) ?? 0 } : {}),
                  subtechniques: subtechniques.filter((sub) => sub.rules.length).map((sub) => ({ id: sub.technique.id, name: sub.technique.name, rules: sub.rules.map(({ id }) => id) })),
                })),
              })),
            },
          },
        });
      }),
    ],
  };
}

/** Signals under each tactic and technique, by the tags their rules gave them. */
async function signalsByTechnique(context: ControlContext, filter: Parameters<ControlContext["signalSearch"]["facets"]>[0] extends infer F ? Omit<F, "facets" | "limit"> : never): Promise<{ readonly tactics: ReadonlyMap<string, number>; readonly techniques: ReadonlyMap<string, number> }> {
  const table = attack(contentFolder());
  const tactics = new Map<string, number>();
  const techniques = new Map<string, number>();
  const add = (map: Map<string, number>, key: string, count: number): void => void map.set(key, (map.get(key) ?? 0) + count);
  const groups = [{ facet: "tactic", limit: MOST_TAGS }, { facet: "technique", limit: MOST_TAGS }];
  const [pairs, singles] = await Promise.all([context.signalSearch.aggregate({ filter, group_by: groups }), context.signalSearch.aggregate({ filter, group_by: [groups[0]!] })]);
  for (const { by, computes } of singles.buckets) {
    for (const { id } of table.tactics) if (by.tactic?.toUpperCase().startsWith(id)) add(tactics, id, Number(computes.c0));
  }
  for (const { by, computes } of pairs.buckets) {
    const { pairs: read } = readTags(table, [`tactic:${by.tactic}`, `technique:${by.technique}`]);
    for (const { tactic, technique } of read) if (by.tactic?.toUpperCase().startsWith(tactic.id)) add(techniques, `${tactic.id} ${technique.id.split(".", 1)[0]!}`, Number(computes.c0));
  }
  return { tactics, techniques };
}
