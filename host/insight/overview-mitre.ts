import { type CoverRule, type Coverage, coverageOf, densities } from "../mitre/coverage.ts";
import { anyOf, attackTags, tacticNamed, tagsOfSignals, techniqueNamed } from "./attack-tags.ts";
import { all, mitreHref, rulesHref, signalsHref } from "./links.ts";
import { type OverviewAsk, type OverviewModule, overviewModule } from "./overview-ask.ts";
import type { AttackCountsData } from "./overview-model.ts";

const ENABLED = "isEnabled:true";
/** Rules of silent sources count here too: the map shows them where it is asked to. */
const EVERY = { sources: "all" };

const known = new WeakMap<readonly CoverRule[], Coverage>();

/** What rules cover, once for as long as they are the same. */
export function coverageNow({ rules, attack }: Pick<OverviewAsk, "rules" | "attack">): Coverage {
  const now = rules();
  let coverage = known.get(now);
  if (!coverage) known.set(now, (coverage = coverageOf(attack(), now)));
  return coverage;
}

/** Signals by what their tags name. A signal with two tags of one technique counts once. */
async function signalsNaming({ span, numbers }: OverviewAsk, idOf: (value: string) => string | undefined): Promise<Map<string, { readonly count: number; readonly href: string }>> {
  const byId = Map.groupBy(await tagsOfSignals(numbers, span), ({ value }) => idOf(value));
  const found = [...byId].flatMap(([id, named]) => (id === undefined ? [] : [[id, named] as const]));
  return new Map(await Promise.all(found.map(async ([id, named]) => {
    const query = anyOf(named);
    return [id, { count: named.length === 1 ? named[0]!.count : await numbers.count(query, span), href: signalsHref(query, span) }] as const;
  })));
}

/** The rules with a link that finds them by the tags for which they are counted. */
function rulesNaming(rules: readonly CoverRule[], idOf: (value: string) => string | undefined, id: string, fallback: string): { readonly count: number; readonly href: string } {
  const named = rules.flatMap(({ tags }) => attackTags(tags).filter(({ value }) => idOf(value) === id));
  return { count: rules.length, href: rulesHref(all(ENABLED, named.length ? anyOf(named) : fallback)) };
}

export const mitreModules: readonly OverviewModule[] = [
  overviewModule({
    id: "mitre.covered", title: "Techniques with at least 1 rule", needs: "rules",
    href: () => mitreHref(EVERY),
    read(ask) {
      const { version, covered, total } = coverageNow(ask);
      return { version, covered, total, href: mitreHref(EVERY) };
    },
  }),
  overviewModule({
    id: "mitre.density", title: "Rule density", needs: "rules",
    href: () => mitreHref(EVERY),
    read(ask) {
      const { version, counts } = coverageNow(ask);
      return { version, densities: densities.map((density) => ({ density, count: counts[density], href: mitreHref({ ...EVERY, density }) })) };
    },
  }),
  overviewModule({
    id: "mitre.tactics", title: "Signals per tactic", needs: "signals",
    href: ({ span }) => mitreHref({ ...EVERY, mode: "signals", from: String(span.fromMs), to: String(span.toMs) }),
    async read(ask): Promise<AttackCountsData> {
      const table = ask.attack();
      const idOf = (value: string): string | undefined => tacticNamed(table, value);
      const signals = await signalsNaming(ask, idOf);
      const { version, tactics } = coverageNow(ask);
      return {
        version,
        items: tactics.map(({ tactic: { id, name }, techniques }) => {
          const rules = [...new Map(techniques.flatMap((each) => each.rules.map((rule) => [rule.id, rule] as const))).values()];
          return { id, name, signals: signals.get(id) ?? { count: 0, href: signalsHref(`tactic:${id}*`, ask.span) }, rules: rulesNaming(rules, idOf, id, `tactic:${id}*`) };
        }),
      };
    },
  }),
  overviewModule({
    id: "mitre.techniques", title: "Signals per technique", needs: "signals",
    href: ({ span }) => mitreHref({ ...EVERY, mode: "signals", from: String(span.fromMs), to: String(span.toMs) }),
    async read(ask): Promise<AttackCountsData> {
      const table = ask.attack();
      const idOf = (value: string): string | undefined => techniqueNamed(table, value);
      const signals = await signalsNaming(ask, idOf);
      const { version, tactics } = coverageNow(ask);
      const rulesOf = new Map<string, Map<string, CoverRule>>();
      for (const { technique, rules } of tactics.flatMap(({ techniques }) => techniques)) {
        const own = rulesOf.get(technique.id) ?? new Map<string, CoverRule>();
        for (const rule of rules) own.set(rule.id, rule);
        rulesOf.set(technique.id, own);
      }
      const items = [...rulesOf].flatMap(([id, rules]) => {
        const found = signals.get(id) ?? { count: 0, href: signalsHref(`technique:${id}*`, ask.span) };
        return found.count === 0 && rules.size === 0 ? [] : [{ id, name: table.techniques.get(id)!.name, signals: found, rules: rulesNaming([...rules.values()], idOf, id, `technique:${id}*`) }];
      });
      return { version, items: items.sort((a, b) => b.signals.count - a.signals.count || b.rules.count - a.rules.count || (a.id < b.id ? -1 : 1)) };
    },
  }),
];
