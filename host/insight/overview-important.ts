import { severities } from "../rule/rule.ts";
import { all, phrase, signalsHref } from "./links.ts";
import { type OverviewModule, overviewModule } from "./overview-ask.ts";

const OPEN = "@workflow.triage.state:open";
const MOST_ROWS = 10;

/** A rule among the rows: its highest severity with open signals, how many those are, and when the last of them was seen. */
interface Row {
  readonly rule: string;
  readonly rank: number;
  readonly count: number;
  readonly lastMs: number;
}

export const importantModules: readonly OverviewModule[] = [
  overviewModule({
    id: "important.signals", title: "Recent open signals grouped by rule", needs: "signals",
    href: ({ span }) => signalsHref(OPEN, span),
    async read({ span, numbers }) {
      const rows = new Map<string, Row>();
      const facets = [{ facet: "status", limit: severities.length }, "rule_name"];
      for (const { values: [severity, rule], count, greatest } of await numbers.greatest(OPEN, span, facets, "@workflow.timings.last_seen_at")) {
        const rank = severities.findIndex((word) => word === severity);
        if (rank > (rows.get(rule!)?.rank ?? -1)) rows.set(rule!, { rule: rule!, rank, count, lastMs: greatest });
      }
      const first = [...rows.values()].sort((a, b) => b.rank - a.rank || b.count - a.count || b.lastMs - a.lastMs || (a.rule < b.rule ? -1 : 1)).slice(0, MOST_ROWS);
      const total = await numbers.count(OPEN, span);
      if (!first.length) return { total, rules: [] };
      // Once more of these rules alone: how many of each severity, whatever others have.
      const queryOf = (rule: string): string => all(OPEN, `@workflow.rule.name:${phrase(rule)}`);
      const counts = await numbers.greatest(all(OPEN, `@workflow.rule.name:(${first.map(({ rule }) => phrase(rule)).join(" OR ")})`), span, ["rule_name", { facet: "status", limit: severities.length }], "@workflow.timings.last_seen_at");
      return {
        total,
        rules: first.map(({ rule }) => {
          const own = counts.filter(({ values }) => values[0] === rule).map(({ values, count, greatest }) => ({ severity: values[1]!, count, greatest }));
          return {
            rule, total: own.reduce((sum, { count }) => sum + count, 0), lastSeenMs: Math.max(...own.map(({ greatest }) => greatest)), href: signalsHref(queryOf(rule), span),
            severities: severities.toReversed().flatMap((severity) => own.filter((each) => each.severity === severity).map(({ count }) => ({ severity, count, href: signalsHref(all(queryOf(rule), `status:${severity}`), span) }))),
          };
        }),
      };
    },
  }),
  overviewModule({
    id: "important.cases", title: "Recent open security cases", needs: "cases", note: "this release has no case management: there are no cases to be listed",
    href: () => "/cases",
    read: () => ({ cases: [] }),
  }),
];
