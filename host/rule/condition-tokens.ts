import type { Span } from "../problem.ts";

export type TokenKind = "word" | "number" | "op" | "and" | "or" | "then" | "star" | "open" | "close" | "end" | "other";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly span: Span;
}

/** What is read besides the grammar, so that each gets its own answer: `==`, `->`, `2.5`, `3x`, single `&`. */
const PATTERN = /\s*(?:([\p{L}_][\p{L}\p{N}_]*)|(\d[\p{L}\p{N}_]*(?:\.\d+)?)|(=>|=<|==|!=|<>|>=|<=|>|<)|(&&)|(\|\|)|(\*)|(\()|(\))|([&|=])|(\S))/gu;
const kinds: readonly TokenKind[] = ["word", "number", "op", "and", "or", "star", "open", "close", "other", "other"];

/** Pieces of a condition, ending in one of kind `end`. Never fails: what belongs nowhere is of kind `other`. */
export function conditionTokens(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(PATTERN)) {
    const group = match.slice(1).findIndex((part) => part !== undefined);
    const value = match[group + 1]!;
    const end = match.index + match[0].length;
    const kind = kinds[group]!;
    tokens.push({ kind: kind === "word" && value.toLowerCase() === "then" ? "then" : kind, text: value, span: { start: end - value.length, end } });
  }
  tokens.push({ kind: "end", text: "", span: { start: text.length, end: text.length } });
  return tokens;
}
