import type { Problem } from "../problem.ts";
import { canHold, conditionLabels, holdsFor, implies } from "./lint-condition.ts";
import { lintReach } from "./lint-reach.ts";
import { lintSamples } from "./lint-samples.ts";
import { matchesEverything, restsOnLeadingWildcards, saysOnlyNot } from "./lint-query.ts";
import { type Rule, type RuleQuery, severityNumber } from "./rule.ts";

type Warn = (code: string, place: string, message: string, hint: string) => void;

/** Values the tag key `security` has in Datadog. */
const classes = ["attack", "threat-intel", "compliance", "anomaly", "data-leak"];

/** What a detection engineer would want to hear of a rule that is valid. All are warnings. */
export function lintRule(rule: Rule): Problem[] {
  const problems: Problem[] = [];
  const warn: Warn = (code, place, message, hint) => problems.push({ code, place, message, hint, level: "warning" });
  lintWords(rule, warn);
  lintTests(rule, warn);
  lintTags(rule, warn);
  rule.queries.forEach((query, i) => lintQuery(rule, query, i, warn));
  lintSamples(rule, warn);
  lintReach(rule, warn);
  if (rule.options.method.kind === "threshold" && rule.type !== "signal_correlation") lintCases(rule, warn);
  return problems;
}

/** What is wrong only with rules that stand beside each other. */
export function lintRules(rules: readonly Rule[]): Array<{ readonly rule: Rule; readonly problem: Problem }> {
  const named = new Map<string, Rule>();
  return rules.flatMap((rule) => {
    const other = named.get(rule.name);
    named.set(rule.name, other ?? rule);
    if (!other) return [];
    return [{ rule, problem: { code: "lint/duplicate-name", level: "warning" as const, place: "name", message: `the rule ${other.id} has this name too`, hint: "say in the name what sets it apart" } }];
  });
}

function lintWords(rule: Rule, warn: Warn): void {
  if (rule.message.trim() === "") warn("lint/empty-message", "message", "the message is empty", "say what to check and what to do");
  rule.cases.forEach((each, i) => {
    for (const handle of each.notifications) {
      if (!handle.startsWith("@")) warn("lint/bad-handle", `cases[${i}].notifications`, `${handle} is no handle`, `write @${handle}`);
    }
    const twin = rule.cases.findIndex((other) => other.name === each.name);
    if (twin < i && each.name !== "") warn("lint/duplicate-case-name", `cases[${i}].name`, `cases[${twin}] is named ${each.name} too`, "name each case for what it shows");
  });
}

function lintTests(rule: Rule, warn: Warn): void {
  if (!rule.tests.length && !rule.scenarios.length) return warn("lint/no-test", "tests", "the rule has no test", "add a sample that must match and one that must not");
  for (const expected of [true, false]) {
    const isShown = rule.tests.some((test) => test.expected === expected) || rule.scenarios.some((scenario) => scenario.signals.length > 0 === expected);
    if (!isShown) warn("lint/one-sided-tests", "tests", `no test shows what must ${expected ? "" : "not "}match`, `add a sample with "expected": ${expected}`);
  }
}

function lintTags(rule: Rule, warn: Warn): void {
  if (!rule.tags.some((tag) => tag.startsWith("tactic:"))) warn("lint/no-tactic", "tags", "no ATT&CK tactic is named", "add a tag such as tactic:TA0006-credential-access");
  if (!rule.tags.some((tag) => tag.startsWith("technique:"))) warn("lint/no-technique", "tags", "no ATT&CK technique is named", "add a tag such as technique:T1110-brute-force");
  rule.tags.forEach((tag, i) => {
    const at = `tags[${i}]`;
    const colon = tag.indexOf(":");
    const [key, value] = [tag.slice(0, Math.max(colon, 0)), tag.slice(colon + 1)];
    if (key === "security" && !classes.includes(value)) warn("lint/security-tag", at, `${tag} is none of the usual classes`, `use one of ${classes.map((each) => `security:${each}`).join(", ")}`);
    if (key === "mitre" || key === "attack") warn("lint/tag-alias", at, `${tag} is not the usual form`, /^T\d/i.test(value) ? `write technique:${value}` : `write tactic:${value}`);
    if (rule.tags.indexOf(tag) < i) warn("lint/duplicate-tag", at, `${tag} stands twice`, "take one out");
  });
}

function lintQuery(rule: Rule, query: RuleQuery, index: number, warn: Warn): void {
  const place = `queries[${index}]`;
  const at = `${place}.query`;
  if (!query.correlation) {
    if (matchesEverything(query.node)) warn("lint/matches-everything", at, "the query matches every event", "narrow it, such as by source:");
    else if (saysOnlyNot(query.node)) warn("lint/only-negation", at, "the query says only what an event must not be", "add what it must be, such as source:");
    else if (restsOnLeadingWildcards(query.node)) warn("lint/slow-query", at, "the query rests on patterns that begin with a wildcard", "add an exact condition such as source:");
  }
  const twin = rule.queries.findIndex((other) => JSON.stringify(asked(other)) === JSON.stringify(asked(query)));
  if (twin < index) warn("lint/duplicate-query", place, `it counts the same as ${rule.queries[twin]!.label}`, "take one out");
  for (const [member, names] of [["groupByFields", query.groupByNames], ["distinctFields", fieldNames(rule, index, "distinctFields")], ["metrics", fieldNames(rule, index, "metrics")]] as const) {
    names.forEach((name, i) => {
      if (/^[a-z][\w-]*(?:\.[\w-]+)+$/i.test(name)) warn("lint/tag-or-attribute", `${place}.${member}[${i}]`, `${name} is the key of a tag`, `write @${name} for the attribute`);
    });
  }
  if (query.aggregation !== "cardinality") return;
  if (!query.groupByNames.length) warn("lint/no-group", `${place}.groupByFields`, "distinct values are counted over all events together", "group by who acts, such as @network.client.ip");
  const distinct = fieldNames(rule, index, "distinctFields");
  if (distinct.length && distinct.every((name) => query.groupByNames.includes(name))) {
    warn("lint/distinct-is-group", `${place}.distinctFields`, "within a group these fields have one value, so the count is never above 1", "count a field the query does not group by");
  }
}

/** What a query asks, without its label. */
function asked({ label: _label, ...rest }: RuleQuery): unknown {
  return { ...rest, node: undefined };
}

function fieldNames(rule: Rule, index: number, member: string): string[] {
  const queries = rule.wire.queries;
  const query: unknown = Array.isArray(queries) ? queries[index] : undefined;
  const names: unknown = typeof query === "object" && query !== null ? (query as Record<string, unknown>)[member] : undefined;
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}

function lintCases(rule: Rule, warn: Warn): void {
  const labels = rule.queries.map((query) => query.label);
  const used = new Set(rule.cases.flatMap((each) => (each.condition ? conditionLabels(each.condition) : labels)));
  rule.queries.forEach((query, i) => {
    if (!used.has(query.label)) warn("lint/unused-query", `queries[${i}]`, `no case looks at ${query.label}`, "use it in a condition or take it out");
  });
  rule.cases.forEach((each, i) => {
    const at = `cases[${i}].condition`;
    const earlier = rule.cases.slice(0, i).findIndex((other) => !other.condition?.then && implies(each.condition?.first, other.condition?.first));
    if (earlier >= 0) warn("lint/shadowed-case", `cases[${i}]`, `cases[${earlier}] is true whenever this one is, so this one is never reached`, "put the stronger condition first");
    if (!each.condition) return;
    const sides = each.condition.then ? [each.condition.first, each.condition.then] : [each.condition.first];
    if (sides.some((side) => canHold(side) === false)) warn("lint/never-fires", at, "no counts can make this true", "look at its bounds: they exclude each other");
    else if (rule.options.evaluationWindowMs === 0 && !canHoldAlone(rule, each.condition.first, each.condition.then !== undefined)) {
      warn("lint/never-fires", at, "a window of 0 sees one event of one query, and the condition needs more", "set options.evaluationWindow");
    }
    if (sides.some((side) => holdsFor(side, {}))) warn("lint/holds-for-nothing", at, "it is true where no event was counted at all", "join it with a lower bound, such as && a > 0");
  });
  const order = rule.cases.map((each) => severityNumber(each.severity));
  const risen = order.findIndex((severity, i) => i > 0 && severity > order[i - 1]!);
  if (risen > 0) warn("lint/severity-order", `cases[${risen}].status`, "a later case is graver than the one before it", "order cases from the gravest down: the first true one wins");
}

/** With a window of no length one query counts the event at hand, and the others nothing. Sums and maxima may be anything. */
function canHoldAlone(rule: Rule, node: Parameters<typeof holdsFor>[0], hasThen: boolean): boolean {
  if (hasThen) return false;
  if (rule.queries.some((query) => query.aggregation === "sum" || query.aggregation === "max")) return true;
  return rule.queries.some((query) => holdsFor(node, { [query.label]: 1 }));
}
