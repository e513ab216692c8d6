import type { LogEvent } from "../event/event.ts";
import { matches } from "../query/matches.ts";
import { parseQuery } from "../query/parse.ts";
import type { QueryNode } from "../query/tree.ts";
import { type Problem, unreachable } from "../problem.ts";
import type { Rule } from "./rule.ts";

/** The rule as an event that rule queries look at: its tags, and `type:`, `id:`, `ruleId:`, `name:` ... as tags beside them. */
export function ruleEvent(rule: Rule): LogEvent {
  const severities = [...new Set(rule.cases.map((each) => each.severity))];
  return {
    message: rule.name,
    tags: [
      ...rule.tags, `type:${rule.type}`, `rule_type:${rule.type}`, `id:${rule.id}`, `ruleId:${rule.id}`, `rule_id:${rule.id}`, `name:${rule.name}`,
      `method:${rule.options.detectionMethod}`, `isDefault:${rule.isDefault}`, `enabled:${rule.isEnabled}`, ...severities.map((severity) => `severity:${severity}`),
    ],
    attributes: {},
  };
}

/**
 * A search query read as one about rules. A rule has no host or source of its own: `source:auth` asks for its tag, and a
 * rule may have several.
 */
export function ruleNode(node: QueryNode): QueryNode {
  switch (node.kind) {
    case "all":
    case "cidr":
      return node;
    case "and":
    case "or":
      return { ...node, nodes: node.nodes.map(ruleNode) };
    case "not":
      return { ...node, node: ruleNode(node.node) };
    case "leaf": {
      const { field } = node;
      const isTag = field.kind === "reserved" && field.name !== "tags" && field.name !== "message";
      return isTag ? { ...node, field: { kind: "tag", key: field.name } } : node;
    }
    default:
      return unreachable(node);
  }
}

export type ReadSelector =
  | { readonly ok: true; readonly selects: (rule: Rule) => boolean }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Which rules a `rule_query` names: `type:log_detection source:auth`, `id:abc`, `name:"Failed logins"`, `*`. */
export function ruleSelector(ruleQuery: string): ReadSelector {
  const parsed = parseQuery(ruleQuery);
  if (!parsed.ok) return parsed;
  const node = ruleNode(parsed.node);
  return { ok: true, selects: (rule) => matches(node, ruleEvent(rule)) };
}
