import {
  COMPARE_AT_LEAST, COMPARE_AT_MOST, COMPARE_GREATER, COMPARE_LESS, NODE_ABOVE, NODE_AT_LEAST, NODE_COMPARE, NODE_FALSE, NODE_TRUE,
} from "../../assembly/layout.ts";
import { unreachable } from "../problem.ts";
import type { Comparison, ConditionNode, ConditionOp } from "../rule/condition.ts";
import type { Aggregation } from "../rule/rule.ts";

/** A comparison as a step of a program: what it asks of a query's window, and where to go from its answer. */
export interface Step {
  readonly ask: Ask;
  /** Number of a step, or NODE_TRUE, NODE_FALSE. */
  readonly onTrue: number;
  readonly onFalse: number;
}

export type Ask =
  /** Has the window so many events, or distinct values? */
  | { readonly kind: typeof NODE_AT_LEAST; readonly query: number; readonly number: number; readonly turned: boolean }
  /** Does a number of the window pass the bound? */
  | { readonly kind: typeof NODE_ABOVE; readonly query: number; readonly bound: Bound; readonly turned: boolean }
  | { readonly kind: typeof NODE_COMPARE; readonly query: number; readonly factor: number; readonly op: number; readonly right: Right };

export interface Bound {
  readonly factor: number;
  readonly limit: number;
  readonly op: typeof COMPARE_GREATER | typeof COMPARE_AT_LEAST;
}
export type Right = { readonly constant: number } | { readonly query: number; readonly factor: number };

/** Steps of a condition, the first of them first; a number where the answer is the same for every window. */
export type Program = readonly Step[] | typeof NODE_TRUE | typeof NODE_FALSE;

const ops: Readonly<Record<ConditionOp, number>> = { ">": COMPARE_GREATER, ">=": COMPARE_AT_LEAST, "<": COMPARE_LESS, "<=": COMPARE_AT_MOST };

/** A condition as comparisons with jumps between them, labels resolved to places in the rule. */
export function compileCondition(condition: ConditionNode, labels: readonly string[], aggregations: readonly Aggregation[]): Program {
  // Built from the end, so that every jump leads to a step that exists; turned round at last.
  const steps: Step[] = [];
  const emit = (node: ConditionNode, onTrue: number, onFalse: number): number => {
    switch (node.kind) {
      case "and":
        return node.nodes.toReversed().reduce((next, child) => emit(child, next, onFalse), onTrue);
      case "or":
        return node.nodes.toReversed().reduce((next, child) => emit(child, onTrue, next), onFalse);
      case "compare": {
        const ask = askOf(node, labels, aggregations);
        if (typeof ask === "boolean") return ask ? onTrue : onFalse;
        return steps.push({ ask, onTrue, onFalse }) - 1;
      }
      default:
        return unreachable(node);
    }
  };
  const first = emit(condition, NODE_TRUE, NODE_FALSE);
  if (first === NODE_TRUE || first === NODE_FALSE) return first;
  // Steps before the first one asked are reached from nowhere: a comparison after a constant one.
  const used = steps.slice(0, first + 1);
  const turned = (step: number): number => (step === NODE_TRUE || step === NODE_FALSE ? step : first - step);
  return used.toReversed().map(({ ask, onTrue, onFalse }) => ({ ask, onTrue: turned(onTrue), onFalse: turned(onFalse) }));
}

function askOf(node: Comparison, labels: readonly string[], aggregations: readonly Aggregation[]): Ask | boolean {
  const query = labels.indexOf(node.left.label);
  const { factor } = node.left;
  if (typeof node.right !== "number") {
    return { kind: NODE_COMPARE, query, factor, op: ops[node.op], right: { query: labels.indexOf(node.right.label), factor: node.right.factor } };
  }
  const limit = node.right;
  if (factor === 0) return compares(0, node.op, limit);
  const aggregation = aggregations[query]!;
  switch (aggregation) {
    case "sum":
      return { kind: NODE_COMPARE, query, factor, op: ops[node.op], right: { constant: limit } };
    case "max":
      // Without any number the maximum is 0, which only these two can tell from no number above.
      if (limit === 0 && (node.op === ">=" || node.op === "<")) return { kind: NODE_COMPARE, query, factor, op: ops[node.op], right: { constant: limit } };
      return { kind: NODE_ABOVE, query, ...boundOf(factor, node.op, limit) };
    case "count":
    case "cardinality":
    case "new_value":
    case "geo_data":
    case "event_count":
    case "none": {
      const atLeast = node.op === ">" || node.op === "<=" ? Math.floor(limit / factor) + 1 : Math.ceil(limit / factor);
      const turned = node.op === "<" || node.op === "<=";
      return atLeast <= 0 ? !turned : { kind: NODE_AT_LEAST, query, number: atLeast, turned };
    }
    default:
      return unreachable(aggregation);
  }
}

/** `max < 5` is no number of at least 5. */
function boundOf(factor: number, op: ConditionOp, limit: number): { bound: Bound; turned: boolean } {
  const greater = op === ">" || op === "<=";
  return { bound: { factor, limit, op: greater ? COMPARE_GREATER : COMPARE_AT_LEAST }, turned: op === "<" || op === "<=" };
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
