import type { Problem } from "../problem.ts";
import { type Rule, type RuleQuery } from "./rule.ts";

/** Does the query read signals that other rules opened, instead of events? */
export function readsSignals(query: RuleQuery): boolean {
  return query.correlation !== undefined || query.dataSource === "security_signals";
}

/** Does the rule read nothing but signals? */
export function isOnSignals(rule: Rule): boolean {
  return rule.queries.length > 0 && rule.queries.every(readsSignals);
}

/** A query that searches signals, whichever rule they are of. */
function isSearch(query: RuleQuery): boolean {
  return query.correlation === undefined && query.dataSource === "security_signals";
}

/**
 * The rules whose signals each query of a rule may see; none for queries over events.
 *
 * A search sees no signal that a search had a part in: searches would feed each other, and themselves.
 */
export function signalSources(rules: readonly Rule[]): ReadonlyMap<RuleQuery, ReadonlySet<Rule>> {
  const byId = rulesById(rules);
  const searches = new Map<Rule, boolean>();
  const leansOnSearch = (rule: Rule, above: readonly Rule[]): boolean => {
    const known = searches.get(rule);
    if (known !== undefined) return known;
    const leans = rule.queries.some((query) => {
      const source = query.correlation && byId.get(query.correlation.ruleId);
      return isSearch(query) || (source !== undefined && !above.includes(source) && leansOnSearch(source, [...above, rule]));
    });
    searches.set(rule, leans);
    return leans;
  };
  const searched = new Set(rules.filter((rule) => !leansOnSearch(rule, [rule])));
  return new Map(rules.flatMap((rule) => rule.queries.map((query) => {
    const source = query.correlation && byId.get(query.correlation.ruleId);
    return [query, isSearch(query) ? searched : new Set(source ? [source] : [])] as const;
  })));
}

/** By number of the rule: is there any rule that looks into its signals further than their group? */
export function feedsSignals(rules: readonly Rule[]): boolean[] {
  const sources = signalSources(rules);
  const fed = new Set<Rule>();
  let before = -1;
  // What a rule shows of its own signals it must have from those it reads.
  while (fed.size > before) {
    before = fed.size;
    for (const rule of rules) {
      const shows = fed.has(rule) || rule.message.includes("{{") || rule.options.decreaseCriticalityBasedOnEnv;
      for (const query of rule.isEnabled ? rule.queries : []) {
        for (const source of sources.get(query)!) if (shows || isSearch(query) || !isInGroup(query, source)) fed.add(source);
      }
    }
  }
  return rules.map((rule) => fed.has(rule));
}

/** Are the fields a query joins by those the source's signals are grouped by? */
function isInGroup(query: RuleQuery, source: Rule): boolean {
  const names = source.groupSignalsBy.length ? source.groupSignalsBy : source.queries.find((each) => each.groupByNames.length)?.groupByNames ?? [];
  return query.groupByNames.every((name) => names.includes(name));
}

/** What is wrong with rules that read each other's signals: circles are errors, and rules that are not there a warning. */
export function signalProblems(rules: readonly Rule[]): Array<{ readonly rule: Rule; readonly problem: Problem }> {
  const byId = rulesById(rules);
  const problems: Array<{ readonly rule: Rule; readonly problem: Problem }> = [];
  const done = new Set<Rule>();
  const walk = (rule: Rule, path: readonly Rule[]): void => {
    if (done.has(rule)) return;
    const here = [...path, rule];
    rule.queries.forEach((query, i) => {
      if (!query.correlation) return;
      const place = `queries[${i}].ruleId`;
      const source = byId.get(query.correlation.ruleId);
      if (!source) {
        problems.push({ rule, problem: { code: "rule/unknown-source", level: "warning", place, message: `no rule here has the id ${query.correlation.ruleId}, so ${query.label} counts nothing`, hint: "load that rule too, or name one that is there" } });
        return;
      }
      const at = here.indexOf(source);
      if (at < 0) return walk(source, here);
      const circle = [...here.slice(at), source].map((each) => each.id);
      problems.push({ rule, problem: { code: "rule/signal-cycle", place, message: `rules would feed each other in a circle: ${circle.join(" reads ")}`, hint: "let one of them read the rules behind the other, not the other itself" } });
    });
    done.add(rule);
  };
  for (const rule of rules) walk(rule, []);
  return problems;
}

/** Of rules with the same id the first counts. */
function rulesById(rules: readonly Rule[]): Map<string, Rule> {
  return new Map(rules.toReversed().map((rule) => [rule.id, rule]));
}
