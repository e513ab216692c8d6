import {
  CODE_AND, CODE_AND_NOT, CODE_END, CODE_LOAD, CODE_NOT, CODE_ONES, CODE_OR, CODE_POP_AND, CODE_POP_AND_NOT, CODE_POP_OR, CODE_PUSH,
  CODE_ZEROS,
} from "../../../assembly/layout.ts";
import type { Expression } from "./predicate.ts";

/** What is known of predicates before any event was seen. */
export interface PredicateFacts {
  /** Answered by a job for the whole column, so that its bitset tells whether it fired. */
  eager(predicate: number): boolean;
  /** How many queries use it: the fewer, the rarer it is expected to hold. */
  uses(predicate: number): number;
}

export interface CompiledQuery {
  readonly code: readonly number[];
  /** Predicates one of which must have fired for a row to match; undefined: none is known, the query always runs. */
  readonly cover: readonly number[] | undefined;
  readonly depth: number;
}

/** Compiles an expression to bitset code, and finds its cover. */
export function compileExpression(expression: Expression, facts: PredicateFacts): CompiledQuery {
  const writer = new Writer(facts);
  writer.load(expression);
  writer.code.push(CODE_END << 28);
  return { code: writer.code.map((word) => word >>> 0), cover: coverOf(expression, facts), depth: writer.maxDepth };
}

class Writer {
  readonly code: number[] = [];
  maxDepth = 1;
  #depth = 1;
  readonly #facts: PredicateFacts;

  constructor(facts: PredicateFacts) {
    this.#facts = facts;
  }

  load(node: Expression): void {
    switch (node.kind) {
      case "predicate":
        this.#op(CODE_LOAD, node.predicate);
        return;
      case "true":
        this.#op(CODE_ONES);
        return;
      case "false":
        this.#op(CODE_ZEROS);
        return;
      case "not":
        this.load(node.node);
        this.#op(CODE_NOT);
        return;
      case "and":
        this.#and(node.nodes);
        return;
      case "or":
        node.nodes.forEach((child, i) => {
          if (i === 0) this.load(child);
          else if (child.kind === "predicate") this.#op(CODE_OR, child.predicate);
          else this.#nested(child, CODE_POP_OR);
        });
    }
  }

  /** Cheapest and rarest first, so that an empty result ends the program early; negations last. */
  #and(nodes: readonly Expression[]): void {
    const order = [...nodes].sort((a, b) => this.#weight(a) - this.#weight(b));
    order.forEach((child, i) => {
      if (i === 0) {
        if (child.kind !== "not") {
          this.load(child);
          return;
        }
        this.#op(CODE_ONES);
      }
      if (child.kind === "predicate") this.#op(CODE_AND, child.predicate);
      else if (child.kind === "not" && child.node.kind === "predicate") this.#op(CODE_AND_NOT, child.node.predicate);
      else if (child.kind === "not") this.#nested(child.node, CODE_POP_AND_NOT);
      else this.#nested(child, CODE_POP_AND);
    });
  }

  #weight(node: Expression): number {
    if (node.kind === "not") return 3e9;
    if (node.kind !== "predicate") return 1e9;
    return (this.#facts.eager(node.predicate) ? 0 : 2e9) + this.#facts.uses(node.predicate);
  }

  #nested(node: Expression, join: number): void {
    this.#op(CODE_PUSH);
    this.#depth++;
    this.maxDepth = Math.max(this.maxDepth, this.#depth);
    this.load(node);
    this.#op(join);
    this.#depth--;
  }

  #op(code: number, predicate = 0): void {
    this.code.push((code << 28) | predicate);
  }
}

function coverOf(node: Expression, facts: PredicateFacts): readonly number[] | undefined {
  switch (node.kind) {
    case "predicate":
      return facts.eager(node.predicate) ? [node.predicate] : undefined;
    case "false":
      return [];
    case "true":
    case "not":
      return undefined;
    case "or": {
      const all: number[] = [];
      for (const child of node.nodes) {
        const cover = coverOf(child, facts);
        if (!cover) return undefined;
        all.push(...cover);
      }
      return [...new Set(all)];
    }
    case "and": {
      let best: readonly number[] | undefined;
      let bestCost = Number.POSITIVE_INFINITY;
      for (const child of node.nodes) {
        const cover = coverOf(child, facts);
        if (!cover) continue;
        const cost = cover.reduce((sum, predicate) => sum + facts.uses(predicate), 0);
        if (cost < bestCost) {
          best = cover;
          bestCost = cost;
        }
      }
      return best;
    }
  }
}

/** Counts in how many queries each predicate occurs. */
export function countUses(expressions: readonly Expression[], predicates: number): Uint32Array {
  const uses = new Uint32Array(predicates);
  const visit = (node: Expression, seen: Set<number>): void => {
    if (node.kind === "predicate") {
      if (!seen.has(node.predicate)) uses[node.predicate]!++;
      seen.add(node.predicate);
    } else if (node.kind === "not") visit(node.node, seen);
    else if (node.kind === "and" || node.kind === "or") for (const child of node.nodes) visit(child, seen);
  };
  for (const expression of expressions) visit(expression, new Set());
  return uses;
}
