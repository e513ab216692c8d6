import type { GrokArgument, GrokFilter } from "./pipeline.ts";

/** `%{matcher[(args)][:attribute[:filter[(args)]]…]}` */
export interface GrokToken {
  readonly matcher: string;
  readonly args: readonly GrokArgument[];
  /** As written; undefined when nothing is captured, empty when a filter makes attributes at the top. */
  readonly attribute: string | undefined;
  readonly filters: readonly GrokFilter[];
  /** Offset behind the closing brace. */
  readonly end: number;
}

export interface TokenFault {
  readonly message: string;
  readonly hint: string;
  readonly end: number;
}

const NAME = /[\w.-]+/y;
const ATTRIBUTE = /[^\s:{}()"']*/y;
const NUMBER = /[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y;
const BLANKS = /[ \t]*/y;
const ARGUMENT_DEPTH_CAP = 8;

class Fault extends Error {
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** Reads the token that begins at `start`, where `%{` stands. */
export function readToken(text: string, start: number): GrokToken | TokenFault {
  const scanner = new Scanner(text, start + 2);
  try {
    return scanner.token();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const close = text.indexOf("}", scanner.at);
    return { message: error.message, hint: error.hint, end: close < 0 ? text.length : close + 1 };
  }
}

class Scanner {
  readonly #text: string;
  at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.at = at;
  }

  token(): GrokToken {
    this.#take(BLANKS);
    const matcher = this.#take(NAME);
    if (matcher === "") throw new Fault("a %{…} has no matcher", "write %{word:attribute}, with the name of a matcher or of a support rule first");
    const args = this.#arguments(0);
    this.#take(BLANKS);
    const filters: GrokFilter[] = [];
    let attribute: string | undefined;
    if (this.#is(":")) {
      attribute = this.#take(ATTRIBUTE);
      while (this.#is(":")) {
        const name = this.#take(NAME);
        if (name === "") throw new Fault(`%{${matcher}:${attribute}: names no filter`, "name a filter behind the second colon, or take the colon out");
        filters.push({ name, args: this.#arguments(0) });
      }
      this.#take(BLANKS);
    }
    if (!this.#is("}")) throw new Fault(`%{${matcher}… is not closed`, "close it with }, and put texts in its parentheses in double quotes");
    return { matcher, args, attribute, filters, end: this.at };
  }

  #arguments(depth: number): GrokArgument[] {
    if (!this.#is("(")) return [];
    if (depth > ARGUMENT_DEPTH_CAP) throw new Fault("filters are nested too deep", "take some out");
    const args: GrokArgument[] = [];
    this.#take(BLANKS);
    if (this.#is(")")) return args;
    for (;;) {
      this.#take(BLANKS);
      args.push(this.#argument(depth));
      this.#take(BLANKS);
      if (this.#is(")")) return args;
      if (!this.#is(",")) throw new Fault("the arguments in parentheses do not end", "part them with commas, close with ) and put texts in double quotes");
    }
  }

  #argument(depth: number): GrokArgument {
    const quote = this.#text[this.at];
    if (quote === '"' || quote === "'") return this.#quoted(quote);
    const number = this.#take(NUMBER);
    if (number !== "") return Number(number);
    const name = this.#take(NAME);
    if (name === "") throw new Fault("an argument is missing", "write a text in double quotes, a number, true, false or a filter");
    if (name === "true" || name === "false") return name === "true";
    return [name, ...this.#arguments(depth + 1)];
  }

  /** `\` escapes itself and quotes; before any other character it stays, so regexes need no doubling. */
  #quoted(quote: string): string {
    let value = "";
    for (let at = this.at + 1; at < this.#text.length; at++) {
      const character = this.#text[at]!;
      if (character === quote) {
        this.at = at + 1;
        return value;
      }
      const next = this.#text[at + 1];
      if (character === "\\" && (next === "\\" || next === '"' || next === "'")) {
        value += next;
        at++;
      } else value += character;
    }
    throw new Fault("a quoted text has no closing quote", `close it with ${quote}, and write a quote within as \\${quote}`);
  }

  #is(character: string): boolean {
    if (this.#text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }
}
