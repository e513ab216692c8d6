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
  | { readonly kind: "string"; readonly column: number; readonly low?: string; readonly high?: string; readonly includeLow: boolean; readonly includeHigh: boolean }
  | { readonly kind: "cidr"; readonly column: number; readonly blocks: readonly CidrBlock[] };

/** A query over predicates. */
export type Expression =
  | { readonly kind: "predicate"; readonly predicate: number }
  | { readonly kind: "and" | "or"; readonly nodes: readonly Expression[] }
  | { readonly kind: "not"; readonly node: Expression }
  | { readonly kind: "true" }
  | { readonly kind: "false" };

/** The distinct predicates of all queries. */
export class Predicates {
  readonly list: Predicate[] = [];
  readonly #numbers = new Map<string, number>();

  add(predicate: Predicate): Expression {
    const key = JSON.stringify(predicate);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.list.length;
      this.list.push(predicate);
      this.#numbers.set(key, number);
    }
    return { kind: "predicate", predicate: number };
  }
}
