import { unreachable } from "../problem.ts";
import type { Condition, ConditionNode, Term } from "./condition.ts";
import { conditionTokens } from "./condition-tokens.ts";

/** The condition as text, with no parenthesis it does not need. Reading it again gives the same tree. */
export function printCondition(condition: Condition): string {
  const first = nodeText(condition.first, "or");
  return condition.then ? `${first} THEN ${nodeText(condition.then, "or")}` : first;
}

function nodeText(node: ConditionNode, inside: "and" | "or"): string {
  switch (node.kind) {
    case "compare":
      return `${termText(node.left)} ${node.op} ${typeof node.right === "number" ? node.right : termText(node.right)}`;
    case "and":
      return node.nodes.map((child) => nodeText(child, "and")).join(" && ");
    case "or": {
      const text = node.nodes.map((child) => nodeText(child, "or")).join(" || ");
      return inside === "and" ? `(${text})` : text;
    }
    default:
      return unreachable(node);
  }
}

function termText(term: Term): string {
  return term.factor === 1 ? term.label : `${term.factor} * ${term.label}`;
}

/** A condition's text after a query was renamed; everything else stays as it was written. */
export function renameLabel(text: string, from: string, to: string): string {
  let out = "";
  let end = 0;
  for (const token of conditionTokens(text)) {
    if (token.kind !== "word" || token.text !== from) continue;
    out += text.slice(end, token.span.start) + to;
    end = token.span.end;
  }
  return out + text.slice(end);
}
