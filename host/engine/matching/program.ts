import {
  CODE_AND, CODE_AND_NOT, CODE_END, CODE_EXIT_IF_EMPTY, CODE_LAZY, CODE_LOAD, CODE_NOT, CODE_ONES, CODE_OR, CODE_POP_AND, CODE_POP_AND_NOT,
  CODE_POP_OR, CODE_PUSH, CODE_ZEROS,
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
  writer.load(expression, true);
  writer.step(CODE_END);
  return { code: writer.code, cover: coverOf(expression, facts), depth: writer.maxDepth };
}

class Writer {
  readonly code: number[] = [];
  maxDepth = 1;
  #depth = 1;
  readonly #facts: PredicateFacts;

  constructor(facts: PredicateFacts) {
    this.#facts = facts;
  }

  /** @param top the whole program, so that rows lost in a conjunction are lost for good. */
  load(node: Expression, top = false): void {
    switch (node.kind) {
      case "predicate":
        this.#ask(CODE_LOAD, node.predicate, top ? CODE_EXIT_IF_EMPTY : 0);
        return;
      case "true":
        this.step(CODE_ONES);
        return;
      case "false":
        this.step(CODE_ZEROS);
        return;
      case "not":
        this.load(node.node);
        this.step(CODE_NOT);
        return;
      case "and":
        this.#and(node.nodes, top);
        return;
      case "or":
        node.nodes.forEach((child, i) => {
          if (i === 0) this.load(child);
          else if (child.kind === "predicate") this.#ask(CODE_OR, child.predicate);
          else this.#nested(child, CODE_POP_OR);
        });
    }
  }

  /** What is known and rare comes first; what looks at values comes last, when few rows are left to look at. */
  #and(nodes: readonly Expression[], top: boolean): void {
    const order = nodes.map((node) => ({ node, weight: this.#weight(node) })).sort((a, b) => a.weight - b.weight);
    const exit = top ? CODE_EXIT_IF_EMPTY : 0;
    order.forEach(({ node }, i) => {
      if (i === 0) {
        if (node.kind !== "not") {
          if (node.kind === "predicate") this.#ask(CODE_LOAD, node.predicate, exit);
          else this.load(node);
          return;
        }
        this.step(CODE_ONES);
      }
      if (node.kind === "predicate") this.#ask(CODE_AND, node.predicate, exit);
      else if (node.kind === "not" && node.node.kind === "predicate") this.#ask(CODE_AND_NOT, node.node.predicate, exit);
      else if (node.kind === "not") this.#nested(node.node, CODE_POP_AND_NOT, exit);
      else this.#nested(node, CODE_POP_AND, exit);
    });
  }

  #weight(node: Expression): number {
    switch (node.kind) {
      case "predicate":
        return (this.#facts.eager(node.predicate) ? 0 : 3e9) + this.#facts.uses(node.predicate);
      case "not":
        return (allEager(node.node, this.#facts) ? 1e9 : 4e9) + nodeCount(node.node);
      case "and":
      case "or":
        return (allEager(node, this.#facts) ? 0.5e9 : 2e9) + nodeCount(node);
      case "true":
      case "false":
        return 0;
    }
  }

  #nested(node: Expression, join: number, exit = 0): void {
    this.step(CODE_PUSH);
    this.#depth++;
    this.maxDepth = Math.max(this.maxDepth, this.#depth);
    this.load(node);
    this.#depth--;
    this.step(join, 0, exit);
  }

  /** A step that asks a predicate. */
  #ask(code: number, predicate: number, exit = 0): void {
    this.step(code, predicate, exit | (this.#facts.eager(predicate) ? 0 : CODE_LAZY));
  }

  step(code: number, predicate = 0, flags = 0): void {
    this.code.push(((code << 28) | flags | predicate) >>> 0);
  }
}

function allEager(node: Expression, facts: PredicateFacts): boolean {
  switch (node.kind) {
    case "predicate":
      return facts.eager(node.predicate);
    case "not":
      return allEager(node.node, facts);
    case "and":
    case "or":
      return node.nodes.every((child) => allEager(child, facts));
    case "true":
    case "false":
      return true;
  }
}

function nodeCount(node: Expression): number {
  switch (node.kind) {
    case "not":
      return nodeCount(node.node);
    case "and":
    case "or":
      return node.nodes.reduce((sum, child) => sum + nodeCount(child), 0);
    case "predicate":
    case "true":
    case "false":
      return 1;
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
      const all = new Set<number>();
      for (const child of node.nodes) {
        const cover = coverOf(child, facts);
        if (!cover) return undefined;
        for (const predicate of cover) all.add(predicate);
      }
      return [...all];
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
