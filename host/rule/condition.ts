import type { Problem, Span } from "../problem.ts";

export type ConditionOp = ">" | ">=" | "<" | "<=";

/** `label` or `factor * label`. */
export interface Term {
  readonly label: string;
  readonly factor: number;
}

export type Comparison = { readonly kind: "compare"; readonly left: Term; readonly op: ConditionOp; readonly right: Term | number };

/** A condition without THEN. */
export type ConditionNode = Comparison | { readonly kind: "and" | "or"; readonly nodes: readonly ConditionNode[] };

/** `first`, or `first THEN second`. */
export interface Condition {
  readonly first: ConditionNode;
  readonly then?: ConditionNode;
}

export type ParsedCondition = { readonly ok: true; readonly condition: Condition } | { readonly ok: false; readonly problem: Problem };

interface Token {
  readonly kind: "label" | "number" | "op" | "and" | "or" | "then" | "star" | "open" | "close" | "end" | "other";
  readonly text: string;
  readonly span: Span;
}

const DEPTH_CAP = 64;
const PATTERN = /\s*(?:([A-Za-z_][A-Za-z0-9_]*)|(-?\d+(?:\.\d+)?)|(>=|<=|==|!=|>|<)|(&&)|(\|\|)|(\*)|(\()|(\))|(\S))/gy;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  PATTERN.lastIndex = 0;
  for (let match = PATTERN.exec(text); match; match = PATTERN.exec(text)) {
    const [whole, word, number, op, and, or, star, open, close, other] = match;
    const value = (word ?? number ?? op ?? and ?? or ?? star ?? open ?? close ?? other)!;
    const end = match.index + whole.length;
    const span = { start: end - value.length, end };
    const isThen = word === "THEN" || word === "then";
    const kind = word ? (isThen ? "then" : "label") : number ? "number" : op ? "op" : and ? "and" : or ? "or" : star ? "star" : open ? "open" : close ? "close" : "other";
    tokens.push({ kind, text: value, span });
  }
  tokens.push({ kind: "end", text: "", span: { start: text.length, end: text.length } });
  return tokens;
}

class Fault extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** Reads a case condition such as `failed > 5 && success > 0`, or `a > 0 THEN b > 0`. */
export function parseCondition(text: string, labels: readonly string[]): ParsedCondition {
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
    this.#tokens = tokensOf(text);
    this.#labels = labels;
  }

  condition(): Condition {
    if (this.#look().kind === "end") this.#fail("rule/empty-condition", "the condition is empty", "write one such as a > 5, or leave the member out", this.#look());
    const first = this.#or();
    let then: ConditionNode | undefined;
    if (this.#look().kind === "then") {
      this.#at++;
      then = this.#or();
      if (this.#look().kind === "then") this.#fail("rule/repeated-then", "THEN stands twice", "a condition holds one THEN; use a sequence rule for longer chains", this.#look());
    }
    if (this.#look().kind !== "end") this.#unexpected(this.#look());
    return then ? { first, then } : { first };
  }

  #look(): Token {
    return this.#tokens[this.#at]!;
  }

  #or(): ConditionNode {
    const nodes = [this.#and()];
    while (this.#look().kind === "or") {
      this.#at++;
      nodes.push(this.#and());
    }
    return nodes.length === 1 ? nodes[0]! : { kind: "or", nodes };
  }

  #and(): ConditionNode {
    const nodes = [this.#primary()];
    while (this.#look().kind === "and") {
      this.#at++;
      nodes.push(this.#primary());
    }
    return nodes.length === 1 ? nodes[0]! : { kind: "and", nodes };
  }

  #primary(): ConditionNode {
    if (this.#look().kind !== "open") return this.#comparison();
    const open = this.#look();
    if (++this.#depth > DEPTH_CAP) this.#fail("rule/bad-condition", "parentheses are nested too deep", "simplify the condition", open);
    this.#at++;
    const node = this.#or();
    if (this.#look().kind === "then") this.#fail("rule/nested-then", "THEN stands inside parentheses", "put THEN between two whole conditions", this.#look());
    if (this.#look().kind !== "close") this.#fail("rule/bad-condition", "this parenthesis is never closed", 'add ")" after the comparison', open);
    this.#at++;
    this.#depth--;
    return node;
  }

  #comparison(): ConditionNode {
    const start = this.#look();
    if (start.kind === "number" && this.#tokens[this.#at + 1]?.kind !== "star") {
      this.#fail("rule/number-before-operator", `the number ${start.text} stands before the operator`, "write the query label first, such as a > 3", start);
    }
    const left = this.#term();
    const op = this.#look();
    if (op.kind !== "op") this.#unexpected(op, "an operator");
    if (op.text === "==" || op.text === "!=") this.#fail("rule/bad-operator", `${op.text} is not an operator of conditions`, "use >, >=, < or <=", op);
    this.#at++;
    const next = this.#look();
    if (next.kind === "number" && this.#tokens[this.#at + 1]?.kind !== "star") {
      this.#at++;
      return { kind: "compare", left, op: op.text as ConditionOp, right: this.#whole(next) };
    }
    return { kind: "compare", left, op: op.text as ConditionOp, right: this.#term() };
  }

  #term(): Term {
    const token = this.#look();
    if (token.kind === "number") {
      const factor = this.#whole(token);
      this.#at += 2;
      return { label: this.#label(), factor };
    }
    const label = this.#label();
    if (this.#look().kind !== "star") return { label, factor: 1 };
    this.#at++;
    const factor = this.#look();
    if (factor.kind !== "number") this.#unexpected(factor, "a number");
    this.#at++;
    return { label, factor: this.#whole(factor) };
  }

  #whole(token: Token): number {
    if (!/^\d+$/.test(token.text)) this.#fail("rule/bad-number", `${token.text} is not a whole number`, "conditions compare with whole numbers from 0", token);
    return Number(token.text);
  }

  #label(): string {
    const token = this.#look();
    if (token.kind !== "label") this.#unexpected(token, "a query label");
    if (!this.#labels.includes(token.text)) {
      this.#fail("rule/unknown-label", `no query is named ${token.text}`, `the rule's queries are ${this.#labels.join(", ") || "none"}`, token);
    }
    this.#at++;
    return token.text;
  }

  #unexpected(token: Token, wanted = "&&, || or the end"): never {
    if (token.text === "!") this.#fail("rule/bad-operator", "logical NOT is not supported", "turn the comparison round: !(a > 5) is a <= 5", token);
    if (token.kind === "end") this.#fail("rule/bad-condition", `the condition ends where ${wanted} is missing`, "complete the comparison, such as a > 5", token);
    this.#fail("rule/bad-condition", `${token.text} stands where ${wanted} is expected`, "write comparisons such as a > 5 && b > 0", token);
  }

  #fail(code: string, message: string, hint: string, token: Token): never {
    throw new Fault({ code, message, hint, at: token.span });
  }
}

/** Labels a condition mentions. */
export function labelsOf(node: ConditionNode): string[] {
  if (node.kind !== "compare") return [...new Set(node.nodes.flatMap(labelsOf))];
  return typeof node.right === "number" ? [node.left.label] : [...new Set([node.left.label, node.right.label])];
}
