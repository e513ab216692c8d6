/** An expression of numbers, attributes, `+ - * /` and parentheses; `-` between operands has blanks around it, since names may hold dashes. */
export type Arithmetic =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "negative"; readonly of: Arithmetic }
  | { readonly kind: "operation"; readonly operator: "+" | "-" | "*" | "/"; readonly left: Arithmetic; readonly right: Arithmetic };

const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.@-])/y;
const NAME = /[A-Za-z_@][\w.@-]*/y;
const DEPTH_CAP = 50;
const LENGTH_CAP = 2000;

/** The expression, or what is wrong with it. */
export function readArithmetic(text: string): Arithmetic | string {
  if (text.length > LENGTH_CAP) return `the expression is over ${LENGTH_CAP} characters long`;
  const reader = new Reader(text);
  try {
    return reader.whole();
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

class Fault extends Error {}

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Arithmetic {
    const read = this.#sum();
    if (this.#at < this.#text.length) throw new Fault(`${JSON.stringify(this.#text.slice(this.#at, this.#at + 10))} is not expected there`);
    return read;
  }

  #sum(): Arithmetic {
    let left = this.#product();
    for (let operator = this.#operator("+-"); operator; operator = this.#operator("+-")) left = { kind: "operation", operator, left, right: this.#product() };
    return left;
  }

  #product(): Arithmetic {
    let left = this.#operand();
    for (let operator = this.#operator("*/"); operator; operator = this.#operator("*/")) left = { kind: "operation", operator, left, right: this.#operand() };
    return left;
  }

  #operand(): Arithmetic {
    this.#blanks();
    const character = this.#text[this.#at];
    if (character === "(" || character === "-") {
      if (++this.#depth > DEPTH_CAP) throw new Fault("the expression is nested too deep");
      this.#at++;
      const inner = character === "-" ? { kind: "negative" as const, of: this.#operand() } : this.#sum();
      if (character === "(" && this.#text[this.#at++] !== ")") throw new Fault("a ( is not closed");
      this.#depth--;
      this.#blanks();
      return inner;
    }
    const number = this.#take(NUMBER);
    if (number !== "") return { kind: "number", value: Number(number) };
    const name = this.#take(NAME);
    if (name === "") throw new Fault(character === undefined ? "an operand is missing at the end" : `${JSON.stringify(character)} is no operand`);
    return { kind: "name", name };
  }

  #operator(among: string): "+" | "-" | "*" | "/" | undefined {
    this.#blanks();
    const character = this.#text[this.#at];
    if (character === undefined || !among.includes(character)) return undefined;
    this.#at++;
    return character as "+";
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    this.#blanks();
    return found;
  }

  #blanks(): void {
    while (this.#text[this.#at] === " " || this.#text[this.#at] === "\t") this.#at++;
  }
}

/** The value to nine decimals; undefined when an operand has none, or when it is no finite number. */
export function evaluate(node: Arithmetic, valueOf: (name: string) => number | undefined): number | undefined {
  const value = exact(node, valueOf);
  if (!Number.isFinite(value)) return undefined;
  return Math.abs(value) < 1e12 ? Math.round(value * 1e9) / 1e9 : value;
}

/** NaN stands for a missing operand. */
function exact(node: Arithmetic, valueOf: (name: string) => number | undefined): number {
  switch (node.kind) {
    case "number":
      return node.value;
    case "name":
      return valueOf(node.name) ?? Number.NaN;
    case "negative":
      return -exact(node.of, valueOf);
    case "operation": {
      const left = exact(node.left, valueOf);
      const right = exact(node.right, valueOf);
      switch (node.operator) {
        case "+": return left + right;
        case "-": return left - right;
        case "*": return left * right;
        case "/": return left / right;
      }
    }
  }
}

/** The number that a text is as a whole. */
export function numberIn(text: string): number | undefined {
  if (!NUMERAL.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

const NUMERAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
