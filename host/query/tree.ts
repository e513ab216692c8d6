import type { Span } from "../problem.ts";
import type { ReservedAttribute } from "../event/event.ts";

/** A log search query as a tree. `search-syntax` sections 4-8. */
export type QueryNode =
  | { readonly kind: "all"; readonly span: Span }
  | { readonly kind: "and" | "or"; readonly nodes: readonly QueryNode[]; readonly span: Span }
  | { readonly kind: "not"; readonly node: QueryNode; readonly span: Span }
  | { readonly kind: "leaf"; readonly field: Field; readonly test: Test; readonly span: Span }
  | { readonly kind: "cidr"; readonly field: Field; readonly blocks: readonly CidrBlock[]; readonly span: Span };

/** Where a leaf looks. */
export type Field =
  /** `@a.b`: segments, unescaped. `["network","ip","list"]` is the derived list of all addresses of the event. */
  | { readonly kind: "attribute"; readonly path: readonly string[] }
  /** `host service source status trace_id timestamp`, whole value; `message` word-based; `tags` whole tag strings. */
  | { readonly kind: "reserved"; readonly name: ReservedAttribute }
  /** Any other bare name: the values of tags with that key. */
  | { readonly kind: "tag"; readonly key: string }
  /** No field: message, title, error.message, error.stack, word-based. */
  | { readonly kind: "freeText" }
  /** `*:x`: free text plus every scalar of the event, word-based. */
  | { readonly kind: "fullText" }
  /** `#name` */
  | { readonly kind: "calculated"; readonly name: string };

/** What a leaf asks of one value. */
export type Test =
  | { readonly kind: "exists" }
  /** A bare word without wildcard, unescaped. */
  | { readonly kind: "equals"; readonly text: string }
  /** A quoted text, unescaped. */
  | { readonly kind: "phrase"; readonly text: string }
  | { readonly kind: "wildcard"; readonly items: readonly GlobItem[] }
  | { readonly kind: "comparison"; readonly op: ComparisonOp; readonly bound: Bound }
  /** An absent bound is open. */
  | { readonly kind: "range"; readonly low?: Bound; readonly high?: Bound; readonly includeLow: boolean; readonly includeHigh: boolean };

export type GlobItem =
  | { readonly kind: "text"; readonly text: string }
  /** `*` */
  | { readonly kind: "any" }
  /** `?` */
  | { readonly kind: "one" };

export type ComparisonOp = ">" | ">=" | "<" | "<=";

export interface Bound {
  /** As written, unescaped. */
  readonly text: string;
  /** Present when the bound is unquoted and wholly a number. */
  readonly number?: number;
  readonly quoted: boolean;
}

export interface CidrBlock {
  readonly family: 4 | 6;
  /** 4 or 16 bytes, host bits already masked. */
  readonly bytes: readonly number[];
  readonly prefix: number;
  /** As written. */
  readonly text: string;
}
