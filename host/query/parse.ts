import { parseCidrBlock } from "../event/address.ts";
import type { Problem } from "../problem.ts";
import { namedField } from "./field.ts";
import { type Word, WordBuilder, characterAt, isBlank, isBoundary, keywordAt } from "./scan.ts";
import type { Bound, CidrBlock, ComparisonOp, Field, QueryNode, Test } from "./tree.ts";

export type ParsedQuery =
  | { readonly ok: true; readonly node: QueryNode }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Longest query text, in UTF-16 units. */
export const QUERY_LENGTH_CAP = 65_536;
/** Deepest nesting of groups and negations. */
export const QUERY_DEPTH_CAP = 200;

const freeText: Field = { kind: "freeText" };
const fullText: Field = { kind: "fullText" };
/** What `_exists_` and `_missing_` make of the names that follow. */
interface Existence {
  readonly kind: "existence";
  readonly negated: boolean;
}
const existing: Existence = { kind: "existence", negated: false };
const missing: Existence = { kind: "existence", negated: true };
/** What a bare value belongs to. */
type Target = Field | Existence;
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/** Names in the path of an attribute: each costs memory with every log that is asked for it, and no log is so deep. */
export const PATH_NAMES_CAP = 64;

/**
 * Reads a log search query.
 *
 * Linear in the text's length. The first fault ends the reading: what follows it could only be guessed.
 */
export function parseQuery(text: string): ParsedQuery {
  if (text.length > QUERY_LENGTH_CAP) {
    const problem = { code: "query/too-long", message: `query is ${text.length} characters long`, hint: `keep it under ${QUERY_LENGTH_CAP}`, at: { start: QUERY_LENGTH_CAP, end: text.length } };
    return { ok: false, problems: [problem] };
  }
  try {
    return { ok: true, node: new Parser(text).query() };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, problems: [error.problem] };
    throw error;
  }
}

class Fault extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  query(): QueryNode {
    this.#blanks();
    if (this.#at === this.#text.length) return { kind: "all", span: { start: 0, end: this.#text.length } };
    const node = this.#expression(freeText);
    if (this.#at < this.#text.length) this.#unopened();
    return node;
  }

  #unopened(): never {
    this.#fail("query/unbalanced-parenthesis", this.#at, this.#at + 1, "there is no opening parenthesis for this one", 'add "(" before it, or escape it as \\)');
  }

  #expression(field: Target): QueryNode {
    const nodes = [this.#conjunction(field)];
    for (;;) {
      this.#blanks();
      const keyword = keywordAt(this.#text, this.#at);
      if (keyword?.kind !== "or") break;
      this.#at += keyword.length;
      this.#operand(keyword.length);
      nodes.push(this.#conjunction(field));
    }
    return joined("or", nodes);
  }

  #conjunction(field: Target): QueryNode {
    const nodes = [this.#unary(field)];
    for (;;) {
      this.#blanks();
      if (this.#at === this.#text.length || this.#text[this.#at] === ")") break;
      const keyword = keywordAt(this.#text, this.#at);
      if (keyword?.kind === "or") break;
      if (keyword?.kind === "and") {
        this.#at += keyword.length;
        this.#operand(keyword.length);
      }
      nodes.push(this.#unary(field));
    }
    return joined("and", nodes);
  }

  #unary(field: Target): QueryNode {
    this.#blanks();
    const start = this.#at;
    const keyword = keywordAt(this.#text, this.#at);
    if (keyword && keyword.kind !== "not") {
      this.#fail("query/missing-operand", start, start + keyword.length, `${this.#text.slice(start, start + keyword.length)} has nothing on its left`, "put a condition before it, or quote it to search the word");
    }
    if (keyword || this.#text[start] === "-") {
      const length = keyword ? keyword.length : 1;
      this.#at += length;
      this.#operand(length);
      this.#enter(start);
      const node = this.#unary(field);
      this.#depth--;
      return { kind: "not", node, span: { start, end: node.span.end } };
    }
    return this.#clause(field);
  }

  /** After an operator: something to work on must follow. */
  #operand(operatorLength: number): void {
    const operatorEnd = this.#at;
    this.#blanks();
    if (this.#at < this.#text.length && this.#text[this.#at] !== ")") {
      const keyword = keywordAt(this.#text, this.#at);
      if (!keyword || keyword.kind === "not") return;
    }
    const operator = this.#text.slice(operatorEnd - operatorLength, operatorEnd);
    this.#fail("query/missing-operand", operatorEnd - operatorLength, operatorEnd, `${operator} has nothing on its right`, "put a condition after it, or quote it to search the word");
  }

  #clause(field: Target): QueryNode {
    const start = this.#at;
    const character = this.#text[start];
    // Every other place has looked whether something follows: here a query begins with it.
    if (character === undefined || character === ")") this.#unopened();
    let node: QueryNode;
    if (character === "(") return this.#group(field);
    if (this.#text.startsWith("CIDR(", start)) node = this.#cidr();
    else if (this.#text.startsWith("*:", start)) {
      this.#at += 2;
      node = this.#fielded(fullText, start);
    } else if (startsValue(character)) node = this.#value(field, start);
    else node = this.#wordClause(field, start);
    this.#separator();
    return node;
  }

  #group(field: Target): QueryNode {
    const start = this.#at++;
    this.#enter(start);
    this.#blanks();
    if (this.#text[this.#at] === ")") this.#fail("query/empty-group", start, this.#at + 1, "a group needs at least one condition", "write a condition between the parentheses, or take them out");
    if (this.#at === this.#text.length) this.#unclosed(start);
    const node = this.#expression(field);
    if (this.#text[this.#at] !== ")") this.#unclosed(start);
    this.#at++;
    this.#depth--;
    return node;
  }

  #unclosed(start: number): never {
    this.#fail("query/unbalanced-parenthesis", start, this.#text.length, "this parenthesis is never closed", 'add ")" after the last condition of the group');
  }

  /** A word that may turn out to be the name of a field. */
  #wordClause(field: Target, start: number): QueryNode {
    const word = this.#word(":");
    if (this.#text[this.#at] !== ":") return this.#wordLeaf(field, word, start, start);
    if (this.#at === start) this.#fail("query/missing-field", start, start + 1, "there is no field before the colon", "write a field before it, or escape it as \\:");
    const nameEnd = this.#at++;
    if (word.hasWildcard) this.#fail("query/wildcard-in-field", start, nameEnd, "a field name cannot hold a wildcard", "name one field, or search every field with *:value");
    if (this.#text[start] === "-" || this.#text[start] === "+" || this.#text[start] === "=") this.#unescaped(start);
    return this.#fielded(this.#fieldOf(word, start, nameEnd), start, word.text);
  }

  #fieldOf(word: Word, start: number, end: number): Field {
    const first = this.#text[start];
    if (first === "@" || first === "#") {
      const second = this.#text[start + 1]!;
      if (end - start < 2) this.#fail("query/missing-field", start, end, `${first} has no name after it`, "write the attribute's path, such as @usr.id");
      if ("-+=".includes(second)) this.#unescaped(start + 1);
      if (first === "#") return { kind: "calculated", name: word.text.slice(1) };
      return this.#attribute([word.segments[0]!.slice(1), ...word.segments.slice(1)], start, end);
    }
    return namedField(word.text);
  }

  /** After `field:`. */
  #fielded(field: Target, start: number, name?: string): QueryNode {
    const colonEnd = this.#at;
    this.#blanks();
    const character = this.#text[this.#at];
    const keyword = keywordAt(this.#text, this.#at);
    if (character === undefined || character === ")" || keyword) {
      this.#fail("query/missing-value", start, colonEnd, "there is no value after the colon", 'write a value, or "*" to ask whether the field exists');
    }
    if (name === "_exists_" || name === "_missing_") field = name === "_exists_" ? existing : missing;
    if (character === "(") return this.#group(field);
    if (field.kind === "fullText" && this.#matchAll()) {
      this.#at++;
      return { kind: "all", span: { start, end: this.#at } };
    }
    return this.#value(field, start);
  }

  /** `_exists_:f` is `f:*`, `_missing_:f` its negation. */
  #existence(target: Existence, field: Field, start: number): QueryNode {
    const span = { start, end: this.#at };
    const leaf: QueryNode = { kind: "leaf", field, test: { kind: "exists" }, span };
    return target.negated ? { kind: "not", node: leaf, span } : leaf;
  }

  /** A quoted field name. */
  #phraseField(at: number): Field {
    const text = this.#phrase();
    if (text === "" || text === "@") this.#fail("query/missing-field", at, this.#at, "there is no field between the quotes", "write the attribute's path, such as @usr.id");
    return text.startsWith("@") ? this.#attribute(text.slice(1).split("."), at, this.#at) : namedField(text);
  }

  #attribute(path: readonly string[], start: number, end: number): Field {
    if (path.length > PATH_NAMES_CAP) this.#fail("query/deep-path", start, end, "an attribute's path is too deep", `attributes are seen up to ${PATH_NAMES_CAP} names deep`);
    return { kind: "attribute", path };
  }

  /** A bare word as what the field is asked; or as the name of the field that is asked for. */
  #wordLeaf(target: Target, word: Word, at: number, start: number): QueryNode {
    if (target.kind !== "existence") return this.#leaf(target, wordTest(word), start);
    if (word.hasWildcard) this.#fail("query/wildcard-in-field", at, this.#at, "a field name cannot hold a wildcard", "name one field");
    return this.#existence(target, this.#fieldOf(word, at, this.#at), start);
  }

  #value(target: Target, start: number): QueryNode {
    const at = this.#at;
    const character = this.#text[at];
    if (target.kind === "existence") {
      if (character === '"') return this.#existence(target, this.#phraseField(at), start);
      return this.#wordLeaf(target, this.#word(), at, start);
    }
    switch (character) {
      case '"':
        return this.#leaf(target, { kind: "phrase", text: this.#phrase() }, start);
      case ">":
      case "<":
        this.#needsField(target, start);
        return this.#leaf(target, this.#comparison(), start);
      case "[":
      case "{":
        this.#needsField(target, start);
        return this.#leaf(target, this.#range(), start);
      default:
    }
    if (this.#matchAll()) {
      this.#at++;
      if (target.kind === "freeText" || target.kind === "fullText") return { kind: "all", span: { start, end: this.#at } };
      return this.#leaf(target, { kind: "exists" }, start);
    }
    return this.#wordLeaf(target, this.#word(), at, start);
  }

  #matchAll(): boolean {
    return this.#text[this.#at] === "*" && isBoundary(this.#text[this.#at + 1]);
  }

  #needsField(field: Field, start: number): void {
    if (field.kind !== "freeText") return;
    this.#fail("query/missing-field", start, start + 1, "a comparison or range needs a field", "write the field before it, such as @http.status_code:>=500");
  }

  #comparison(): Test {
    const start = this.#at;
    let op: ComparisonOp = this.#text[this.#at++] === ">" ? ">" : "<";
    if (this.#text[this.#at] === "=") {
      op = op === ">" ? ">=" : "<=";
      this.#at++;
    }
    const character = this.#text[this.#at];
    if (isBoundary(character)) this.#fail("query/missing-operand", start, this.#at, `${op} has nothing to compare with`, `write the bound right after ${op}, without a blank`);
    if (character === '"') return { kind: "comparison", op, bound: { text: this.#phrase(), quoted: true } };
    const at = this.#at;
    const builder = new WordBuilder();
    if (character === "-") {
      builder.literal("-", true);
      this.#at++;
    }
    const word = this.#word(undefined, builder);
    if (word.hasWildcard) this.#fail("query/wildcard-in-comparison", at, this.#at, "a comparison cannot hold a wildcard", "compare with a number or a text");
    const bound = bareBound(word.text);
    // A bare minus is the sign of a number, and begins nothing else.
    if (character === "-" && bound.number === undefined) this.#unescaped(at);
    return { kind: "comparison", op, bound };
  }

  #range(): Test {
    const start = this.#at;
    const includeLow = this.#text[this.#at++] === "[";
    const low = this.#bound(start);
    if (!isBlank(this.#text[this.#at])) this.#badRange(start);
    this.#blanks();
    if (!this.#text.startsWith("TO", this.#at) || !isBlank(this.#text[this.#at + 2])) this.#badRange(start);
    this.#at += 2;
    const high = this.#bound(start);
    this.#blanks();
    const close = this.#text[this.#at];
    if (close !== "]" && close !== "}") this.#badRange(start);
    this.#at++;
    return { kind: "range", low, high, includeLow, includeHigh: close === "]" };
  }

  #bound(start: number): Bound | undefined {
    this.#blanks();
    if (this.#text[this.#at] === '"') return { text: this.#phrase(), quoted: true };
    const first = this.#at;
    let text = "";
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || isBlank(character) || character === "]" || character === "}") break;
      text += this.#character();
    }
    if (this.#at === first) this.#badRange(start);
    return text === "*" && this.#at === first + 1 ? undefined : bareBound(text);
  }

  #badRange(start: number): never {
    this.#fail("query/bad-range", start, Math.min(this.#at + 1, this.#text.length), "this is not a range", "write [low TO high] or {low TO high}, with TO in capitals and * for an open side");
  }

  /** Arguments are read where they stand: a name may hold escaped commas, blanks and parentheses, a block its colons. */
  #cidr(): QueryNode {
    const start = this.#at;
    this.#at += "CIDR(".length;
    this.#blanks();
    const at = this.#at;
    if (this.#text[at] === undefined) this.#unclosed(start);
    if (this.#text[at] !== "@") this.#fail("query/bad-cidr", at, at + 1, "CIDR() takes an attribute first", "write CIDR(@network.client.ip, 10.0.0.0/8)");
    const word = this.#word(",");
    if (word.hasWildcard) this.#fail("query/wildcard-in-field", at, this.#at, "a field name cannot hold a wildcard", "name one attribute");
    const field = this.#fieldOf(word, at, this.#at);
    const blocks: CidrBlock[] = [];
    for (this.#blanks(); this.#text[this.#at] === ","; this.#blanks()) blocks.push(this.#block());
    if (this.#text[this.#at] === undefined) this.#unclosed(start);
    if (this.#text[this.#at] !== ")") this.#fail("query/bad-cidr", this.#at, this.#at + 1, "CIDR() takes its arguments with commas between them", "write CIDR(@network.client.ip, 10.0.0.0/8, 192.168.0.0/16)");
    this.#at++;
    const span = { start, end: this.#at };
    if (!blocks.length) this.#fail("query/bad-cidr", span.start, span.end, "CIDR() takes at least one block", "write CIDR(@network.client.ip, 10.0.0.0/8)");
    return { kind: "cidr", field, blocks, span };
  }

  /** A comma and the block after it. */
  #block(): CidrBlock {
    this.#at++;
    this.#blanks();
    const start = this.#at;
    while (!isBoundary(this.#text[this.#at]) && this.#text[this.#at] !== ",") this.#at++;
    const text = this.#text.slice(start, this.#at);
    const block = parseCidrBlock(text);
    if (!block) this.#fail("query/bad-cidr", start, Math.min(Math.max(start + 1, this.#at), this.#text.length), `${text === "" ? "an empty argument" : text} is not an address block`, "write address/prefix, such as 10.0.0.0/8 or 2001:db8::/32");
    return block;
  }

  /** A bare word: up to a blank, a parenthesis, the end, or the sign that ends a name where one may stand. */
  #word(nameEnd?: ":" | ",", builder = new WordBuilder()): Word {
    const start = this.#at;
    for (;;) {
      const character = this.#text[this.#at];
      if (isBoundary(character) || character === nameEnd) break;
      switch (character) {
        case ":":
          this.#unescaped(this.#at);
          break;
        case "*":
        case "?":
          builder.wildcard(character);
          this.#at++;
          continue;
        case '"': case "[": case "]": case "{": case "}": case "<": case ">": case "!": case "~": case "^":
          this.#unescaped(this.#at);
          break;
        case "-": case "+": case "=":
          if (this.#at === start && builder.empty) this.#unescaped(this.#at);
          break;
        default:
      }
      builder.literal(this.#character(), character === "\\");
    }
    return builder.build();
  }

  #phrase(): string {
    const start = this.#at++;
    let text = "";
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) {
        this.#fail("query/unclosed-quote", start, this.#text.length, "quoted value has no closing quote", 'add " before the end, or escape it as \\"');
      }
      if (character === '"') break;
      text += this.#character();
    }
    this.#at++;
    return text;
  }

  /** One character, unescaped. */
  #character(): string {
    const escaped = this.#text[this.#at] === "\\";
    if (escaped && this.#at + 1 >= this.#text.length) {
      this.#fail("query/dangling-escape", this.#at, this.#at + 1, "a backslash at the end escapes nothing", "take it out, or write \\\\ for a backslash");
    }
    const character = characterAt(this.#text, escaped ? this.#at + 1 : this.#at);
    this.#at += character.length + (escaped ? 1 : 0);
    return character;
  }

  #unescaped(at: number): never {
    const character = this.#text[at];
    this.#fail("query/unescaped-character", at, at + 1, `${character} has a meaning of its own here`, `escape it as \\${character}, or put the whole value in quotes`);
  }

  /** Between two conditions stands a blank or a parenthesis. */
  #separator(): void {
    if (isBoundary(this.#text[this.#at])) return;
    if (this.#text[this.#at - 1] === ")") return;
    this.#fail("query/missing-blank", this.#at, this.#at + 1, "a blank is missing between two conditions", "put a blank here, or escape the character before");
  }

  #leaf(field: Field, test: Test, start: number): QueryNode {
    return { kind: "leaf", field, test, span: { start, end: this.#at } };
  }

  #blanks(): void {
    while (isBlank(this.#text[this.#at])) this.#at++;
  }

  #enter(start: number): void {
    if (++this.#depth > QUERY_DEPTH_CAP) this.#fail("query/too-deep", start, start + 1, `groups are nested deeper than ${QUERY_DEPTH_CAP}`, "simplify the query");
  }

  #fail(code: string, start: number, end: number, message: string, hint: string): never {
    throw new Fault({ code, message, hint, at: { start, end } });
  }
}

function startsValue(character: string): boolean {
  return character === '"' || character === "[" || character === "{" || character === "<" || character === ">" || character === "*";
}

function wordTest(word: Word): Test {
  return word.hasWildcard ? { kind: "wildcard", items: word.items } : { kind: "equals", text: word.text };
}

function bareBound(text: string): Bound {
  return NUMBER.test(text) ? { text, number: Number(text), quoted: false } : { text, quoted: false };
}

function joined(kind: "and" | "or", nodes: readonly QueryNode[]): QueryNode {
  if (nodes.length === 1) return nodes[0]!;
  return { kind, nodes, span: { start: nodes[0]!.span.start, end: nodes.at(-1)!.span.end } };
}
