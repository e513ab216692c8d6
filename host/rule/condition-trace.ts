import { unreachable } from "../problem.ts";
import type { Comparison, ConditionNode, Term } from "./condition.ts";
import { printCondition } from "./condition-print.ts";

/** A condition and each of its comparisons, with the numbers it was held against. */
export interface ConditionTrace {
  readonly text: string;
  readonly holds: boolean;
  readonly kind: ConditionNode["kind"];
  /** A comparison: both sides, and how much the left label's value would have to grow, or to shrink below 0. */
  readonly left?: number;
  readonly right?: number;
  readonly missing?: number;
  readonly label?: string;
  readonly parts: readonly ConditionTrace[];
}

/** @param valueOf the value of a label's query. */
export function traceCondition(node: ConditionNode, valueOf: (label: string) => number): ConditionTrace {
  const text = printCondition({ first: node });
  switch (node.kind) {
    case "and": {
      const parts = node.nodes.map((child) => traceCondition(child, valueOf));
      return { text, kind: "and", holds: parts.every((part) => part.holds), parts };
    }
    case "or": {
      const parts = node.nodes.map((child) => traceCondition(child, valueOf));
      return { text, kind: "or", holds: parts.some((part) => part.holds), parts };
    }
    case "compare": {
      const of = (term: Term): number => term.factor * valueOf(term.label);
      const left = of(node.left);
      const right = typeof node.right === "number" ? node.right : of(node.right);
      const holds = { ">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right }[node.op];
      return { text, kind: "compare", holds, left, right, label: node.left.label, ...(holds ? {} : { missing: missing(node, left, right) }), parts: [] };
    }
    default:
      return unreachable(node);
  }
}

/** In whole counts of the left label. */
function missing(node: Comparison, left: number, right: number): number {
  const { factor } = node.left;
  if (factor === 0) return Number.POSITIVE_INFINITY;
  const gap = (right - left) / factor;
  switch (node.op) {
    case ">": return Math.floor(gap) + 1;
    case ">=": return Math.ceil(gap);
    case "<": return Math.ceil(gap) - 1;
    case "<=": return Math.floor(gap);
  }
}

/** The comparisons that would have to hold and do not: of an `or`, those of the alternative that lacks least. */
export function lacking(trace: ConditionTrace): ConditionTrace[] {
  if (trace.holds) return [];
  if (trace.kind === "compare") return [trace];
  const each = trace.parts.map(lacking).filter((parts) => parts.length > 0);
  if (trace.kind === "and") return each.flat();
  const need = (parts: readonly ConditionTrace[]): number => parts.reduce((sum, part) => sum + Math.abs(part.missing ?? 0), 0);
  return each.reduce((least, parts) => (need(parts) < need(least) ? parts : least), each[0] ?? []);
}
