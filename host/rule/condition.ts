import type { Problem, Span } from "../problem.ts";
import { type Token, conditionTokens } from "./condition-tokens.ts";
import { nearest } from "./nearest.ts";

export type ConditionOp = ">" | ">=" | "<" | "<=";

/** `label` or `factor * label`. */
export interface Term {
  readonly label: string;
  readonly factor: number;
}

export interface Comparison {
  readonly kind: "compare";
  readonly left: Term;
  readonly op: ConditionOp;
  readonly right: Term | number;
  /** Code units of the condition's text. */
  readonly span: Span;
}

/** A condition without THEN. */
export type ConditionNode = Comparison | { readonly kind: "and" | "or"; readonly nodes: readonly ConditionNode[]; readonly span: Span };

/** `first`, or `first THEN second`. */
export interface Condition {
  readonly first: ConditionNode;
  readonly then?: ConditionNode;
}

export type ParsedCondition = { readonly ok: true; readonly condition: Condition } | { readonly ok: false; readonly problem: Problem };

const DEPTH_CAP = 64;
const LENGTH_CAP = 10_000;
const words: Readonly<Record<string, string>> = { and: "&&", or: "||" };

class Fault extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/**
 * Reads a case condition such as `failed > 5 && success > 0`, or `a > 0 THEN b > 0`.
 *
 * The first fault ends the reading, with its place in the text and the way out.
 */
export function parseCondition(text: string, labels: readonly string[]): ParsedCondition {
  if (text.length > LENGTH_CAP) {
    return { ok: false, problem: { code: "rule/bad-condition", message: `the condition is ${text.length} characters long`, hint: `keep it under ${LENGTH_CAP}`, at: { start: LENGTH_CAP, end: text.length } } };
  }
  try {
    return { ok: true, condition: new Parser(text, labels).condition() };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, problem: error.problem };
    throw error;
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #labels: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(text: string, labels: readonly string[]) {
    this.#tokens = conditionTokens(text);
    this.#labels = labels;
  }

  condition(): Condition {
    if (this.#look().kind === "end") this.#fail("rule/empty-condition", "the condition is empty", "write one such as a > 5, or leave the member out", this.#look());
    const first = this.#or();
    if (this.#look().kind !== "then") {
      if (this.#look().kind !== "end") this.#unexpected("&&, || or the end");
      return { first };
    }
    this.#at++;
    const then = this.#or();
    if (this.#look().kind === "then") this.#fail("rule/repeated-then", "THEN stands twice", "a condition holds one THEN; a sequence rule takes longer chains", this.#look());
    if (this.#look().kind !== "end") this.#unexpected("&&, || or the end");
    return { first, then };
  }

  #look(): Token {
    return this.#tokens[this.#at]!;
  }

  #or(): ConditionNode {
    return this.#joined("or", () => this.#joined("and", () => this.#primary()));
  }

  #joined(kind: "and" | "or", part: () => ConditionNode): ConditionNode {
    const parts = [part()];
    while (this.#look().kind === kind) {
      this.#at++;
      parts.push(part());
    }
    if (parts.length === 1) return parts[0]!;
    // a && (b && c) is a && b && c: parentheses that say nothing leave no trace in the tree.
    const nodes = parts.flatMap((node) => (node.kind === kind ? node.nodes : [node]));
    return { kind, nodes, span: { start: parts[0]!.span.start, end: parts.at(-1)!.span.end } };
  }

  #primary(): ConditionNode {
    const open = this.#look();
    if (open.kind !== "open") return this.#comparison();
    if (++this.#depth > DEPTH_CAP) this.#fail("rule/bad-condition", "parentheses are nested too deep", "simplify the condition", open);
    this.#at++;
    const node = this.#or();
    const close = this.#look();
    if (close.kind === "then") this.#fail("rule/nested-then", "THEN stands inside parentheses", "put THEN between two whole conditions", close);
    if (close.kind === "end") this.#fail("rule/bad-condition", "this parenthesis is never closed", 'add ")" after the comparison', open);
    if (close.kind !== "close") this.#unexpected('&&, || or ")"');
    this.#at++;
    this.#depth--;
    return node;
  }

  #comparison(): ConditionNode {
    const start = this.#look();
    if (start.kind === "number" && this.#next().kind !== "star") {
      if (this.#next().kind !== "op") this.#unexpected("a query label");
      const whole = this.#whole(start);
      const turned = { ">": "<", ">=": "<=", "<": ">", "<=": ">=" }[this.#next().text] ?? ">";
      const label = this.#tokens[this.#at + 2]?.kind === "word" ? this.#tokens[this.#at + 2]!.text : "a";
      this.#fail("rule/number-before-operator", `the number ${start.text} stands before the operator`, `write the query label first: ${label} ${turned} ${whole}`, start);
    }
    const left = this.#term();
    const op = this.#operator();
    const right = this.#look().kind === "number" && this.#next().kind !== "star" ? this.#whole(this.#look()) : undefined;
    if (right !== undefined) this.#at++;
    const node: Comparison = { kind: "compare", left, op, right: right ?? this.#term("a number or a query label"), span: { start: start.span.start, end: this.#tokens[this.#at - 1]!.span.end } };
    if (this.#look().kind === "op") this.#fail("rule/bad-condition", "comparisons do not chain", "write two of them: a > 3 && a < 9", this.#look());
    return node;
  }

  #next(): Token {
    return this.#tokens[this.#at + 1] ?? this.#tokens.at(-1)!;
  }

  #operator(): ConditionOp {
    const op = this.#look();
    if (op.kind === "star") this.#fail("rule/bad-condition", "a label is multiplied by a whole number once", "write such as a > 3 * b", op);
    if (op.kind !== "op") this.#unexpected("an operator");
    switch (op.text) {
      case ">": case ">=": case "<": case "<=":
        this.#at++;
        return op.text;
      case "=>": case "=<":
        return this.#fail("rule/bad-operator", `${op.text} is not an operator`, `write ${op.text === "=>" ? ">=" : "<="}`, op);
      default:
        return this.#fail("rule/bad-operator", `${op.text} is not an operator of conditions`, "use >, >=, < or <=; a >= 5 && a <= 5 says equal", op);
    }
  }

  #term(wanted = "a query label"): Term {
    const token = this.#look();
    if (token.kind === "number") {
      const factor = this.#whole(token);
      this.#at += 2;
      return { label: this.#label(), factor };
    }
    const label = this.#label(wanted);
    if (this.#look().kind !== "star") return { label, factor: 1 };
    this.#at++;
    const factor = this.#look();
    if (factor.kind !== "number") this.#unexpected("a whole number");
    this.#at++;
    return { label, factor: this.#whole(factor) };
  }

  #whole(token: Token): number {
    if (/^\d+\.\d+$/.test(token.text)) this.#fail("rule/bad-number", `${token.text} is not a whole number`, "conditions compare with whole numbers from 0", token);
    if (!/^\d+$/.test(token.text)) this.#fail("rule/bad-number", `${token.text} is neither a number nor a label`, "labels begin with a letter", token);
    if (!Number.isSafeInteger(Number(token.text))) this.#fail("rule/bad-number", `${token.text} is more than can be counted`, `use at most ${Number.MAX_SAFE_INTEGER}`, token);
    return Number(token.text);
  }

  #label(wanted = "a query label"): string {
    const token = this.#look();
    if (token.kind !== "word") this.#unexpected(wanted);
    if (!this.#labels.includes(token.text)) {
      if (token.text.toLowerCase() === "not") this.#fail("rule/bad-operator", "logical NOT is not supported", "turn the comparison round: NOT a > 5 is a <= 5", token);
      if (words[token.text.toLowerCase()] !== undefined) this.#unexpected("a query label");
      const near = nearest(token.text, this.#labels);
      const choice = this.#labels.length ? `the labels are ${this.#labels.join(", ")}` : "the rule has no query to name";
      this.#fail("rule/unknown-label", `no query is named ${token.text}`, `${near === undefined ? "" : `did you mean ${near}? `}${choice}`, token);
    }
    this.#at++;
    return token.text;
  }

  #unexpected(wanted: string): never {
    const token = this.#look();
    const before = this.#tokens[this.#at - 1];
    switch (token.kind) {
      case "end":
        return this.#fail("rule/bad-condition", `the condition ends where ${wanted} is missing`, "complete the comparison, such as a > 5", token);
      case "then":
        return before === undefined
          ? this.#fail("rule/bad-condition", "nothing stands before THEN", "write what comes first: a > 0 THEN b > 0", token)
          : this.#fail("rule/bad-condition", `THEN stands where ${wanted} is missing`, "THEN stands between two whole conditions, and cannot be a label", token);
      case "close":
        return this.#fail("rule/bad-condition", before === undefined || wanted === "&&, || or the end" ? "no parenthesis is open here" : `")" stands where ${wanted} is missing`, "take it out, or complete what stands before it", token);
      case "word":
        if (words[token.text.toLowerCase()] !== undefined) return this.#fail("rule/bad-operator", `${token.text} is not an operator of conditions`, `write ${words[token.text.toLowerCase()]}`, token);
        break;
      case "other":
        return this.#strange(token, before, wanted);
      case "number": case "op": case "and": case "or": case "star": case "open":
        break;
    }
    return this.#fail("rule/bad-condition", `${token.text} stands where ${wanted} is expected`, "write comparisons such as a > 5 && b > 0", token);
  }

  #strange(token: Token, before: Token | undefined, wanted: string): never {
    switch (token.text) {
      case "!":
        return this.#fail("rule/bad-operator", "logical NOT is not supported", "turn the comparison round: !(a > 5) is a <= 5", token);
      case "=":
        return this.#fail("rule/bad-operator", "= is not an operator of conditions", "use >, >=, < or <=; a >= 5 && a <= 5 says equal", token);
      case "&": case "|":
        return this.#fail("rule/bad-operator", `a single ${token.text} is not an operator`, `write ${token.text}${token.text}`, token);
      case "-":
        if (before?.kind === "op") return this.#fail("rule/bad-number", "numbers below 0 are not counts", "conditions compare with whole numbers from 0", token);
        break;
      case ".": case ",":
        if (before?.kind === "number") return this.#fail("rule/bad-number", `${before.text}${token.text} is not a whole number`, "conditions compare with whole numbers from 0", token);
        break;
      default:
        break;
    }
    if ("+-/%^".includes(token.text)) return this.#fail("rule/bad-operator", `${token.text} is not an operator of conditions`, "only a whole number times a label can be compared, such as a > 3 * b", token);
    return this.#fail("rule/bad-condition", `${token.text} stands where ${wanted} is expected`, "write comparisons such as a > 5 && b > 0", token);
  }

  #fail(code: string, message: string, hint: string, token: Token): never {
    throw new Fault({ code, message, hint, at: token.span });
  }
}

/** Labels a condition mentions, each once, in the order in which they stand. */
export function labelsOf(node: ConditionNode): string[] {
  if (node.kind !== "compare") return [...new Set(node.nodes.flatMap(labelsOf))];
  return typeof node.right === "number" ? [node.left.label] : [...new Set([node.left.label, node.right.label])];
}
