import type { QueryNode } from "../query/tree.ts";
import { unreachable } from "../problem.ts";

/** Does every way to match rest on patterns that begin with a wildcard, so that no text can be looked for beforehand? */
export function restsOnLeadingWildcards(node: QueryNode): boolean {
  switch (node.kind) {
    case "leaf":
      return node.test.kind === "wildcard" && node.test.items[0]?.kind !== "text";
    case "and":
      return node.nodes.every((child) => restsOnLeadingWildcards(child) || onlyTakesAway(child)) && node.nodes.some(restsOnLeadingWildcards);
    case "or":
      return node.nodes.some(restsOnLeadingWildcards);
    case "all":
    case "not":
    case "cidr":
      return false;
    default:
      return unreachable(node);
  }
}

/** A part that only takes events away. */
function onlyTakesAway(node: QueryNode): boolean {
  return node.kind === "not" || node.kind === "all";
}

export function matchesEverything(node: QueryNode): boolean {
  switch (node.kind) {
    case "all":
      return true;
    case "and":
      return node.nodes.every(matchesEverything);
    case "or":
      return node.nodes.some(matchesEverything);
    case "leaf":
    case "not":
    case "cidr":
      return false;
    default:
      return unreachable(node);
  }
}

/** Does it say only what an event must not be? */
export function saysOnlyNot(node: QueryNode): boolean {
  switch (node.kind) {
    case "not":
      return true;
    case "and":
      return node.nodes.every((child) => saysOnlyNot(child) || child.kind === "all") && node.nodes.some(saysOnlyNot);
    case "or":
      return node.nodes.some(saysOnlyNot);
    case "all":
    case "leaf":
    case "cidr":
      return false;
    default:
      return unreachable(node);
  }
}
