import { unreachable } from "../../problem.ts";
import { type Comparison, type ConditionNode, type ConditionOp, type Term, labelsOf } from "../../rule/condition.ts";

/** Number of a window's query, by its place in the rule. */
export type ValueOf = (query: number) => number;

/** A condition with its labels resolved. */
export interface Judgement {
  /** Places of the labels it mentions. */
  readonly labels: readonly number[];
  holds(value: ValueOf): boolean;
}

export function judgementOf(node: ConditionNode | undefined, labels: readonly string[]): Judgement {
  // No condition is true when any query has an event.
  if (!node) return { labels: labels.map((_, i) => i), holds: (value) => labels.some((_, i) => value(i) > 0) };
  return { labels: labelsOf(node).map((label) => labels.indexOf(label)), holds: compile(node, labels) };
}

function compile(node: ConditionNode, labels: readonly string[]): (value: ValueOf) => boolean {
  if (node.kind === "compare") return compileComparison(node, labels);
  const parts = node.nodes.map((child) => compile(child, labels));
  return node.kind === "and" ? (value) => parts.every((part) => part(value)) : (value) => parts.some((part) => part(value));
}

function compileComparison(node: Comparison, labels: readonly string[]): (value: ValueOf) => boolean {
  const left = labels.indexOf(node.left.label);
  const { factor } = node.left;
  const { op, right } = node;
  if (typeof right === "number") return (value) => compares(factor * value(left), op, right);
  const other = labels.indexOf(right.label);
  return (value) => compares(factor * value(left), op, right.factor * value(other));
}

function compares(left: number, op: ConditionOp, right: number): boolean {
  switch (op) {
    case ">": return left > right;
    case ">=": return left >= right;
    case "<": return left < right;
    case "<=": return left <= right;
    default: return unreachable(op);
  }
}

/** Events of a query that settle every comparison of its count with a constant; `otherwise` where none can. */
export function eventsNeeded(nodes: ReadonlyArray<ConditionNode | undefined>, label: string, otherwise: number): number {
  let need = 1;
  const look = (node: ConditionNode | undefined): void => {
    if (!node) return;
    if (node.kind !== "compare") {
      node.nodes.forEach(look);
      return;
    }
    const terms: Array<Term | number> = [node.left, node.right];
    if (!terms.some((term) => typeof term !== "number" && term.label === label)) return;
    need = Math.max(need, typeof node.right === "number" ? Math.floor(node.right / Math.max(1, node.left.factor)) + 1 : otherwise);
  };
  nodes.forEach(look);
  return need;
}
