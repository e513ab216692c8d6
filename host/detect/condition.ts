import type { ConditionNode, Term } from "../rule/condition.ts";

/** Value of a query's aggregation over the span at hand; `enough`: more would not change the answer. */
export type LabelValue = (queryIndex: number, enough: number) => number;

/** A condition with its labels resolved to places in the rule. */
export type Judge = (value: LabelValue) => boolean;

export function compileCondition(node: ConditionNode, labels: readonly string[]): Judge {
  switch (node.kind) {
    case "and": {
      const parts = node.nodes.map((child) => compileCondition(child, labels));
      return (value) => parts.every((part) => part(value));
    }
    case "or": {
      const parts = node.nodes.map((child) => compileCondition(child, labels));
      return (value) => parts.some((part) => part(value));
    }
    case "compare": {
      const { op } = node;
      const left = labels.indexOf(node.left.label);
      const { factor } = node.left;
      if (typeof node.right === "number") {
        const limit = node.right;
        const enough = factor === 0 ? 1 : Math.floor(limit / factor) + 1;
        return (value) => compares(factor * value(left, enough), op, limit);
      }
      const right: Term = node.right;
      const rightIndex = labels.indexOf(right.label);
      return (value) => compares(factor * value(left, Number.POSITIVE_INFINITY), op, right.factor * value(rightIndex, Number.POSITIVE_INFINITY));
    }
  }
}

function compares(left: number, op: ">" | ">=" | "<" | "<=", right: number): boolean {
  switch (op) {
    case ">": return left > right;
    case ">=": return left >= right;
    case "<": return left < right;
    case "<=": return left <= right;
  }
}
