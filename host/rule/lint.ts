import type { QueryNode } from "../query/tree.ts";
import type { Problem } from "../problem.ts";
import { type Comparison, type ConditionNode, labelsOf } from "./condition.ts";
import { type Rule, severityNumber } from "./rule.ts";

/** What a detection engineer would want to hear of a rule that is valid. */
export function lintRule(rule: Rule): Problem[] {
  const problems: Problem[] = [];
  const warn = (code: string, place: string, message: string, hint: string): void => {
    problems.push({ code, place, message, hint, level: "warning" });
  };
  if (!rule.tests.length) warn("lint/no-test", "tests", "the rule has no test", "add a sample that must match and one that must not");
  if (!rule.tags.some((tag) => tag.startsWith("tactic:"))) warn("lint/no-tactic", "tags", "no ATT&CK tactic is named", "add a tag such as tactic:TA0006-credential-access");
  if (!rule.tags.some((tag) => tag.startsWith("technique:"))) warn("lint/no-technique", "tags", "no ATT&CK technique is named", "add a tag such as technique:T1110-brute-force");
  if (rule.message.trim() === "") warn("lint/empty-message", "message", "the message is empty", "say what to check and what to do");
  const used = new Set(rule.cases.flatMap((each) => (each.condition ? [...labelsOf(each.condition.first), ...(each.condition.then ? labelsOf(each.condition.then) : [])] : rule.queries.map((query) => query.label))));
  rule.queries.forEach((query, i) => {
    if (!used.has(query.label)) warn("lint/unused-query", `queries[${i}]`, `no case looks at ${query.label}`, "use it in a condition or take it out");
    if (onlyLeadingWildcard(query.node)) warn("lint/slow-query", `queries[${i}].query`, "the query rests on a pattern that begins with a wildcard", "add an exact condition such as source:");
    if (query.aggregation === "cardinality" && !query.groupBy.length) warn("lint/no-group", `queries[${i}].groupByFields`, "distinct values are counted over all events together", "group by who acts, such as @network.client.ip");
  });
  if (rule.options.evaluationWindowMs === 0) {
    rule.cases.forEach((each, i) => {
      if (each.condition && needsSeveral(each.condition.first)) warn("lint/never-fires", `cases[${i}].condition`, "a window of 0 sees one event, and the condition needs more", "set options.evaluationWindow");
    });
  }
  rule.cases.forEach((each, i) => {
    const weaker = rule.cases.slice(0, i).findIndex((earlier) => implies(each.condition?.first, earlier.condition?.first));
    if (weaker >= 0) warn("lint/shadowed-case", `cases[${i}]`, `cases[${weaker}] is true whenever this one is, so this one is never reached`, "put the stronger condition first");
  });
  const order = rule.cases.map((each) => severityNumber(each.severity));
  if (order.some((severity, i) => i > 0 && severity > order[i - 1]!)) warn("lint/severity-order", "cases", "a later case is graver than an earlier one", "order cases from the gravest down: the first true one wins");
  return problems;
}

function onlyLeadingWildcard(node: QueryNode): boolean {
  switch (node.kind) {
    case "leaf":
      return node.test.kind === "wildcard" && node.test.items[0]?.kind === "any" && node.field.kind !== "freeText";
    case "and":
      return node.nodes.every(onlyLeadingWildcard);
    case "or":
      return node.nodes.some(onlyLeadingWildcard);
    case "all":
    case "not":
    case "cidr":
      return false;
  }
}

function needsSeveral(node: ConditionNode): boolean {
  if (node.kind === "and") return node.nodes.some(needsSeveral);
  if (node.kind === "or") return node.nodes.every(needsSeveral);
  if (node.kind !== "compare") return false;
  return typeof node.right === "number" && (node.op === ">" ? node.right >= 1 : node.op === ">=" && node.right > 1) && node.left.factor === 1;
}

/** Is the earlier condition true whenever this one is? Only said of single comparisons of one label with a number. */
function implies(stronger: ConditionNode | undefined, earlier: ConditionNode | undefined): boolean {
  if (!stronger || !earlier || stronger.kind !== "compare" || earlier.kind !== "compare") return false;
  const a = lowerBound(stronger);
  const b = lowerBound(earlier);
  return a !== undefined && b !== undefined && stronger.left.label === earlier.left.label && a >= b;
}

function lowerBound(node: Comparison): number | undefined {
  if (typeof node.right !== "number" || node.left.factor !== 1) return undefined;
  if (node.op === ">") return node.right + 1;
  return node.op === ">=" ? node.right : undefined;
}
