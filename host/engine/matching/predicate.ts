import type { CidrBlock, GlobItem } from "../../query/tree.ts";

/**
 * One question about one column. Eager ones are answered for a whole column at once by a job; lazy ones only when a
 * program asks.
 */
export type Predicate =
  | { readonly kind: "equal"; readonly column: number; readonly text: string; /** Canonical text of the number the term is. */ readonly number?: string }
  | { readonly kind: "glob"; readonly column: number; readonly items: readonly GlobItem[] }
  | { readonly kind: "words"; readonly column: number; readonly words: readonly string[] }
  | { readonly kind: "wordGlob" | "spanGlob"; readonly column: number; readonly items: readonly GlobItem[] }
  | { readonly kind: "exists"; readonly column: number }
  | { readonly kind: "number" | "time"; readonly column: number; readonly low: number; readonly high: number; readonly includeLow: boolean; readonly includeHigh: boolean }
  /** An absent bound is open; a side with a number is compared as a number, of the same value. `notNumbers`: never true of a value that is one. */
  | { readonly kind: "string"; readonly column: number; readonly low?: string | number; readonly high?: string | number; readonly includeLow: boolean; readonly includeHigh: boolean; readonly notNumbers?: boolean }
  | { readonly kind: "cidr"; readonly column: number; readonly blocks: readonly CidrBlock[] };

/** A query over predicates. `and` and `or` have two nodes or more, and none of their own kind. */
export type Expression =
  | { readonly kind: "predicate"; readonly predicate: number }
  | { readonly kind: "and" | "or"; readonly nodes: readonly Expression[] }
  | { readonly kind: "not"; readonly node: Expression }
  | { readonly kind: "true" }
  | { readonly kind: "false" };

export const TRUE: Expression = { kind: "true" };
export const FALSE: Expression = { kind: "false" };

/** Joins nodes, flat: constants fall away or decide, nested groups of the same kind are opened. */
export function joined(kind: "and" | "or", nodes: readonly Expression[]): Expression {
  const decisive = kind === "and" ? "false" : "true";
  const neutral = kind === "and" ? "true" : "false";
  const flat: Expression[] = [];
  for (const node of nodes) {
    if (node.kind === decisive) return node;
    if (node.kind === neutral) continue;
    if (node.kind === kind) for (const child of node.nodes) flat.push(child);
    else flat.push(node);
  }
  if (!flat.length) return kind === "and" ? TRUE : FALSE;
  return flat.length === 1 ? flat[0]! : { kind, nodes: flat };
}

export function negated(node: Expression): Expression {
  switch (node.kind) {
    case "not":
      return node.node;
    case "true":
      return FALSE;
    case "false":
      return TRUE;
    case "predicate":
    case "and":
    case "or":
      return { kind: "not", node };
  }
}

/** The distinct predicates of all queries. */
export class Predicates {
  readonly list: Predicate[] = [];
  readonly #numbers = new Map<string, number>();

  add(predicate: Predicate): Expression {
    const key = keyOf(predicate);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.list.length;
      this.list.push(predicate);
      this.#numbers.set(key, number);
    }
    return { kind: "predicate", predicate: number };
  }
}

function keyOf(predicate: Predicate): string {
  // JSON has no infinities.
  if ("low" in predicate || "high" in predicate) {
    const { kind, column, low, high, includeLow, includeHigh } = predicate;
    return JSON.stringify([kind, column, typeof low, String(low), typeof high, String(high), includeLow, includeHigh, "notNumbers" in predicate]);
  }
  return JSON.stringify(predicate);
}
