import { severities } from "../rule/rule.ts";
import { all, phrase, signalsHref } from "./links.ts";
import { type OverviewAsk, type OverviewModule, overviewModule } from "./overview-ask.ts";
import type { RuleCountsData } from "./overview-model.ts";
import { IMPORTANT } from "./important.ts";
import { reachedQuery } from "./overview-signals.ts";
import { changePercent, weeksBefore } from "./week-change.ts";

const RULE_ID = "@workflow.rule.id";
const ARCHIVED = "@workflow.triage.state:archived";
const MOST_ROWS = 10;
const MONTH_MS = 31 * 86_400_000;

const ofRule = (name: string): string => `@workflow.rule.name:${phrase(name)}`;
const reasonOf = (reason: string): string => `archive_reason:${reason}`;

/** Archived within the span, whenever they were created. */
const archivedWithin = ({ span }: OverviewAsk): string => all(ARCHIVED, reachedQuery("resolved_at", span));
const archivedHref = (ask: OverviewAsk, query: string): string => signalsHref(all(archivedWithin(ask), query), { fromMs: ask.span.fromMs - MONTH_MS, toMs: ask.span.toMs });

/** Rules by how many of their signals were archived with a reason, most first. */
async function rulesArchived(ask: OverviewAsk, reason: string): Promise<RuleCountsData> {
  const groups = await ask.numbers.groups(all(archivedWithin(ask), reasonOf(reason)), undefined, [{ facet: "rule_name", limit: MOST_ROWS }]);
  return { rules: groups.map(({ values: [rule], count }) => ({ rule: rule!, count, href: archivedHref(ask, all(reasonOf(reason), ofRule(rule!))) })) };
}

export const ruleModules: readonly OverviewModule[] = [
  overviewModule({
    id: "perf.rules_change", title: "Rules by important signal change (1 week)", needs: "signals",
    href: ({ nowMs }) => signalsHref(IMPORTANT, weeksBefore(nowMs).last),
    async read({ nowMs, numbers }) {
      const { last, prior } = weeksBefore(nowMs);
      const [now, then] = await Promise.all([numbers.groups(IMPORTANT, last, ["rule_name"]), numbers.groups(IMPORTANT, prior, ["rule_name"])]);
      const before = new Map(then.map(({ values, count }) => [values[0]!, count]));
      const rules = now.map(({ values: [rule], count }) => {
        const prior = before.get(rule!) ?? 0;
        return { rule: rule!, last: count, prior, delta: count - prior, percent: changePercent(count, prior), href: signalsHref(all(IMPORTANT, ofRule(rule!)), last) };
      });
      return { rules: rules.filter(({ delta }) => delta > 0).sort((a, b) => b.delta - a.delta || (a.rule < b.rule ? -1 : 1)).slice(0, MOST_ROWS) };
    },
  }),
  overviewModule({
    id: "perf.severity_change", title: "Signals by severity change (1 week)", needs: "signals",
    href: ({ nowMs }) => signalsHref("", weeksBefore(nowMs).last),
    async read({ nowMs, numbers }) {
      const weeks = weeksBefore(nowMs);
      const facets = [{ facet: "status", limit: severities.length }];
      const [last, prior] = (await Promise.all([numbers.groups("*", weeks.last, facets), numbers.groups("*", weeks.prior, facets)])).map((groups) => new Map(groups.map(({ values, count }) => [values[0]!, count])));
      return {
        severities: severities.toReversed().map((severity) => {
          const [now, then] = [last!.get(severity) ?? 0, prior!.get(severity) ?? 0];
          return { severity, last: now, prior: then, delta: now - then, percent: changePercent(now, then), href: signalsHref(`status:${severity}`, weeks.last) };
        }),
      };
    },
  }),
  overviewModule({
    id: "perf.archived_reasons", title: "Important signals by archived reason", needs: "signals",
    href: (ask) => archivedHref(ask, IMPORTANT),
    async read(ask) {
      const groups = await ask.numbers.groups(all(archivedWithin(ask), IMPORTANT), undefined, ["archive_reason"]);
      return {
        total: groups.reduce((sum, { count }) => sum + count, 0),
        reasons: groups.map(({ values: [reason], count }) => ({ reason: reason!, count, href: archivedHref(ask, all(IMPORTANT, reasonOf(reason!))) })),
      };
    },
  }),
  overviewModule({ id: "perf.tp_malicious", title: "Rules archived with true positive (malicious)", needs: "signals", href: (ask) => archivedHref(ask, reasonOf("true_positive_malicious")), read: (ask) => rulesArchived(ask, "true_positive_malicious") }),
  overviewModule({ id: "perf.tp_benign", title: "Rules archived with true positive (benign)", needs: "signals", href: (ask) => archivedHref(ask, reasonOf("true_positive_benign")), read: (ask) => rulesArchived(ask, "true_positive_benign") }),
  overviewModule({
    id: "perf.fp", title: "Rules by false positive rate", needs: "signals",
    href: ({ span }) => signalsHref(all(ARCHIVED, reasonOf("false_positive")), span),
    async read({ span, numbers, leastSignals }) {
      const [wrong, rules] = await Promise.all([numbers.groups(all(ARCHIVED, reasonOf("false_positive")), span, [RULE_ID]), numbers.groups("*", span, [RULE_ID])]);
      const totals = new Map(rules.map(({ values: [id], count }) => [id!, count]));
      const ranked = wrong.map(({ values: [ruleId], count }) => ({ ruleId: ruleId!, falsePositives: count, total: totals.get(ruleId!) ?? count }))
        .map((rule) => ({ ...rule, percent: (rule.falsePositives / rule.total) * 100 })).filter(({ total }) => total >= leastSignals)
        .sort((a, b) => b.percent - a.percent || b.total - a.total || (a.ruleId < b.ruleId ? -1 : 1)).slice(0, MOST_ROWS);
      // A rule that was renamed is called as most of its signals call it.
      const named = ranked.length ? await numbers.groups(`${RULE_ID}:(${ranked.map(({ ruleId }) => phrase(ruleId)).join(" OR ")})`, span, [RULE_ID, { facet: "rule_name", limit: 1 }]) : [];
      const names = new Map(named.map(({ values: [id, name] }) => [id!, name!]));
      return {
        leastSignals,
        rules: ranked.map(({ ruleId, falsePositives, total, percent }) => {
          const query = `${RULE_ID}:${phrase(ruleId)}`;
          return { ruleId, rule: names.get(ruleId) ?? ruleId, falsePositives, total, percent, href: signalsHref(query, span), falsePositivesHref: signalsHref(all(query, ARCHIVED, reasonOf("false_positive")), span) };
        }),
      };
    },
  }),
];
