type Value = number | string;

interface Function {
  readonly arity: 1 | 2;
  readonly apply: (x: number, y: number) => Value;
}

const one = (apply: (x: number) => Value): Function => ({ arity: 1, apply });

const functions: ReadonlyMap<string, Function> = new Map([
  ["abs", one(Math.abs)], ["int", one(Math.trunc)], ["trunc", one(Math.trunc)], ["float", one((x) => x)], ["dec", one((x) => x)],
  ["round", one(Math.round)], ["ceil", one(Math.ceil)], ["floor", one(Math.floor)], ["sgn", one(Math.sign)],
  ["to_bool", one((x) => (x === 0 ? "false" : "true"))], ["exp", one(Math.exp)], ["log10", one(Math.log10)],
  ["sin", one(Math.sin)], ["sinh", one(Math.sinh)], ["asin", one(Math.asin)], ["asinh", one(Math.asinh)],
  ["cos", one(Math.cos)], ["cosh", one(Math.cosh)], ["acos", one(Math.acos)], ["acosh", one(Math.acosh)],
  ["tan", one(Math.tan)], ["tanh", one(Math.tanh)], ["atan", one(Math.atan)], ["atanh", one(Math.atanh)],
  ["atan2", { arity: 2, apply: Math.atan2 }],
  ["humanize_bytes", one((x) => humanize(x, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"], 1024))],
  ["humanize_bits", one((x) => humanize(x, ["b", "Kb", "Mb", "Gb", "Tb", "Pb"], 1000))],
]);

function humanize(value: number, units: readonly string[], step: number): string {
  let unit = 0;
  while (Math.abs(value) >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  return `${Math.round(value * 100) / 100}${units[unit]}`;
}

export type Arithmetic =
  | { readonly kind: "value"; readonly text: string }
  /** A variable has no number, or the result is none. */
  | { readonly kind: "no-value" }
  | { readonly kind: "malformed" };

const TOKEN = /\s*(?:(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|([@A-Za-z_][\w.@]*)|([-+*/^%(),]))/gy;
const LENGTH_CAP = 1000;

class Malformed extends Error {}
class NoValue extends Error {}

/** Value of an expression over numeric variables. Never throws; `^` is a power and binds tightest, from the right. */
export function evaluateArithmetic(text: string, lookUp: (name: string) => number | undefined): Arithmetic {
  const tokens = tokensOf(text);
  if (!tokens) return { kind: "malformed" };
  try {
    const value = new Evaluator(tokens, lookUp).whole();
    if (typeof value === "string") return { kind: "value", text: value };
    return Number.isFinite(value) ? { kind: "value", text: numberText(value) } : { kind: "no-value" };
  } catch (error) {
    if (error instanceof Malformed) return { kind: "malformed" };
    if (error instanceof NoValue) return { kind: "no-value" };
    throw error;
  }
}

function tokensOf(text: string): string[] | undefined {
  if (text.length > LENGTH_CAP) return undefined;
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  let end = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    tokens.push((match[1] ?? match[2] ?? match[3])!);
    end = TOKEN.lastIndex;
  }
  return text.slice(end).trim() === "" ? tokens : undefined;
}

/** Without the dust of binary fractions: 0.3, not 0.30000000000000004. */
function numberText(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(15)));
}

/** Reads the whole expression even where a variable has no number, so that what is malformed is always told. */
class Evaluator {
  readonly #tokens: readonly string[];
  readonly #lookUp: (name: string) => number | undefined;
  #at = 0;
  #isMissing = false;

  constructor(tokens: readonly string[], lookUp: (name: string) => number | undefined) {
    this.#tokens = tokens;
    this.#lookUp = lookUp;
  }

  whole(): Value {
    const value = this.#sum();
    if (this.#at !== this.#tokens.length) throw new Malformed();
    if (this.#isMissing) throw new NoValue();
    return value;
  }

  #sum(): Value {
    let value = this.#product();
    for (;;) {
      if (this.#take("+")) value = number(value) + number(this.#product());
      else if (this.#take("-")) value = number(value) - number(this.#product());
      else return value;
    }
  }

  #product(): Value {
    let value = this.#signed();
    for (;;) {
      if (this.#take("*")) value = number(value) * number(this.#signed());
      else if (this.#take("/")) value = number(value) / number(this.#signed());
      else if (this.#take("%")) value = number(value) % number(this.#signed());
      else return value;
    }
  }

  #signed(): Value {
    if (this.#take("-")) return -number(this.#signed());
    const base = this.#primary();
    return this.#take("^") ? number(base) ** number(this.#signed()) : base;
  }

  #primary(): Value {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Malformed();
    if (token === "(") {
      const value = this.#sum();
      this.#expect(")");
      return value;
    }
    if (/^\d/.test(token)) return Number(token);
    if (!/^[@A-Za-z_]/.test(token)) throw new Malformed();
    if (this.#take("(")) return this.#call(token);
    const value = this.#lookUp(token);
    if (value === undefined) this.#isMissing = true;
    return value ?? 0;
  }

  #call(name: string): Value {
    const called = functions.get(name);
    if (!called) throw new Malformed();
    const x = number(this.#sum());
    let y = 0;
    if (called.arity === 2) {
      this.#expect(",");
      y = number(this.#sum());
    }
    this.#expect(")");
    return called.apply(x, y);
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw new Malformed();
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }
}

function number(value: Value): number {
  if (typeof value === "string") throw new Malformed();
  return value;
}
