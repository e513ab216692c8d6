import { unreachable } from "../problem.ts";
import { type Comparison, type Condition, type ConditionNode, type Term, labelsOf } from "./condition.ts";

export type Counts = Readonly<Record<string, number>>;

/** Does the condition hold for these counts? A label without a count has none. */
export function holdsFor(node: ConditionNode, counts: Counts): boolean {
  switch (node.kind) {
    case "and":
      return node.nodes.every((child) => holdsFor(child, counts));
    case "or":
      return node.nodes.some((child) => holdsFor(child, counts));
    case "compare":
      return compares(valueOf(node.left, counts), node.op, typeof node.right === "number" ? node.right : valueOf(node.right, counts));
    default:
      return unreachable(node);
  }
}

function valueOf(term: Term, counts: Counts): number {
  return term.factor * (counts[term.label] ?? 0);
}

function compares(left: number, op: Comparison["op"], right: number): boolean {
  switch (op) {
    case ">": return left > right;
    case ">=": return left >= right;
    case "<": return left < right;
    case "<=": return left <= right;
  }
}

const TRIES_CAP = 20_000;

/**
 * Can any counts make it hold? Undefined when that cannot be told.
 *
 * Between two constants that a label is compared with nothing changes, so trying each constant and its neighbours is
 * trying every number. Labels compared with each other are not decided.
 */
export function canHold(node: ConditionNode): boolean | undefined {
  const candidates = new Map<string, Set<number>>();
  if (!collect(node, candidates)) return undefined;
  const labels = [...candidates.keys()];
  if ([...candidates.values()].reduce((product, each) => product * each.size, 1) > TRIES_CAP) return undefined;
  return tryAll(node, labels, candidates, {});
}

function tryAll(node: ConditionNode, labels: readonly string[], candidates: ReadonlyMap<string, ReadonlySet<number>>, counts: Counts): boolean {
  const [label, ...rest] = labels;
  if (label === undefined) return holdsFor(node, counts);
  return [...candidates.get(label)!].some((count) => tryAll(node, rest, candidates, { ...counts, [label]: count }));
}

/** False when a label is compared with another. */
function collect(node: ConditionNode, candidates: Map<string, Set<number>>): boolean {
  if (node.kind !== "compare") return node.nodes.every((child) => collect(child, candidates));
  if (typeof node.right !== "number") return false;
  const known = candidates.get(node.left.label) ?? new Set([0, 1]);
  candidates.set(node.left.label, known);
  if (node.left.factor === 0) return true;
  const at = Math.floor(node.right / node.left.factor);
  for (const count of [at - 1, at, at + 1]) if (count >= 0) known.add(count);
  return true;
}

/** Is the earlier condition surely true whenever the later one is? An absent one is true at every event. */
export function implies(later: ConditionNode | undefined, earlier: ConditionNode | undefined): boolean {
  if (!earlier) return true;
  if (!later) return false;
  if (later.kind === "or") return later.nodes.every((child) => implies(child, earlier));
  if (earlier.kind === "and") return earlier.nodes.every((child) => implies(later, child));
  if (later.kind === "and" && later.nodes.some((child) => implies(child, earlier))) return true;
  if (earlier.kind === "or") return earlier.nodes.some((child) => implies(later, child));
  return later.kind === "compare" && earlier.kind === "compare" && comparisonImplies(later, earlier);
}

function comparisonImplies(later: Comparison, earlier: Comparison): boolean {
  if (later.left.label !== earlier.left.label || later.left.factor !== earlier.left.factor) return false;
  if (typeof later.right === "number" && typeof earlier.right === "number") {
    const [a, b] = [bound(later, later.right), bound(earlier, earlier.right)];
    return a.side === b.side && (a.side === "low" ? a.value >= b.value : a.value <= b.value);
  }
  if (typeof later.right === "number" || typeof earlier.right === "number") return false;
  const sameRight = later.right.label === earlier.right.label && later.right.factor === earlier.right.factor;
  return sameRight && (later.op === earlier.op || earlier.op === `${later.op}=`);
}

/** The comparison as an inclusive bound of whole numbers. */
function bound(node: Comparison, right: number): { readonly side: "low" | "high"; readonly value: number } {
  switch (node.op) {
    case ">": return { side: "low", value: right + 1 };
    case ">=": return { side: "low", value: right };
    case "<": return { side: "high", value: right - 1 };
    case "<=": return { side: "high", value: right };
  }
}

/** Every label of both sides of THEN. */
export function conditionLabels(condition: Condition): string[] {
  return [...new Set([...labelsOf(condition.first), ...(condition.then ? labelsOf(condition.then) : [])])];
}
