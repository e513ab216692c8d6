const functions: Readonly<Record<string, (x: number, y: number) => number | string>> = {
  abs: Math.abs, int: Math.trunc, trunc: Math.trunc, float: (x) => x, dec: (x) => x, round: Math.round, ceil: Math.ceil, floor: Math.floor,
  sgn: Math.sign, to_bool: (x) => (x === 0 ? "false" : "true"), exp: Math.exp, log10: Math.log10, sin: Math.sin, sinh: Math.sinh, asin: Math.asin,
  asinh: Math.asinh, cos: Math.cos, cosh: Math.cosh, acos: Math.acos, acosh: Math.acosh, tan: Math.tan, tanh: Math.tanh, atan: Math.atan,
  atanh: Math.atanh, atan2: Math.atan2, humanize_bytes: (x) => humanize(x, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"], 1024),
  humanize_bits: (x) => humanize(x, ["b", "Kb", "Mb", "Gb", "Tb", "Pb"], 1000),
};

function humanize(value: number, units: readonly string[], step: number): string {
  let unit = 0;
  while (Math.abs(value) >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  return `${Math.round(value * 100) / 100}${units[unit]}`;
}

const TOKEN = /\s*(?:(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|([@A-Za-z_][\w.@]*)|([-+*/^%(),]))/gy;
const LENGTH_CAP = 1000;

/** Value of an expression over numeric variables, as text; undefined when it is malformed or a variable has no number. */
export function evaluateArithmetic(text: string, lookUp: (name: string) => number | undefined): string | undefined {
  if (text.length > LENGTH_CAP) return undefined;
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  let end = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    tokens.push((match[1] ?? match[2] ?? match[3])!);
    end = TOKEN.lastIndex;
  }
  if (text.slice(end).trim() !== "") return undefined;
  try {
    const reader = new Evaluator(tokens, lookUp);
    const value = reader.sum();
    if (!reader.done || (typeof value === "number" && !Number.isFinite(value))) return undefined;
    return String(value);
  } catch {
    return undefined;
  }
}

class Evaluator {
  readonly #tokens: readonly string[];
  readonly #lookUp: (name: string) => number | undefined;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly string[], lookUp: (name: string) => number | undefined) {
    this.#tokens = tokens;
    this.#lookUp = lookUp;
  }

  get done(): boolean {
    return this.#at === this.#tokens.length;
  }

  sum(): number | string {
    let value = this.#product();
    for (;;) {
      if (this.#take("+")) value = asNumber(value) + asNumber(this.#product());
      else if (this.#take("-")) value = asNumber(value) - asNumber(this.#product());
      else return value;
    }
  }

  #product(): number | string {
    let value = this.#power();
    for (;;) {
      if (this.#take("*")) value = asNumber(value) * asNumber(this.#power());
      else if (this.#take("/")) value = asNumber(value) / asNumber(this.#power());
      else if (this.#take("%")) value = asNumber(value) % asNumber(this.#power());
      else return value;
    }
  }

  #power(): number | string {
    const base = this.#unary();
    return this.#take("^") ? asNumber(base) ** asNumber(this.#power()) : base;
  }

  #unary(): number | string {
    if (this.#take("-")) return -asNumber(this.#unary());
    return this.#primary();
  }

  #primary(): number | string {
    if (++this.#depth > 100) throw new RangeError("too deep");
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new RangeError("ends too early");
    if (token === "(") {
      const value = this.sum();
      if (!this.#take(")")) throw new RangeError("unclosed");
      return value;
    }
    if (/^\d/.test(token)) return Number(token);
    if (Object.hasOwn(functions, token) && this.#take("(")) {
      const x = asNumber(this.sum());
      const y = this.#take(",") ? asNumber(this.sum()) : 0;
      if (!this.#take(")")) throw new RangeError("unclosed");
      return functions[token]!(x, y);
    }
    const value = this.#lookUp(token);
    if (value === undefined) throw new RangeError("no number");
    return value;
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }
}

function asNumber(value: number | string): number {
  if (typeof value === "string") throw new RangeError("not a number");
  return value;
}
