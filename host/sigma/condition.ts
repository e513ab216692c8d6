/** What of a rule's selections must hold. */
export type ConditionNode =
  | { readonly kind: "and" | "or"; readonly nodes: readonly ConditionNode[] }
  | { readonly kind: "not"; readonly node: ConditionNode }
  | { readonly kind: "selection"; readonly name: string };

export interface SigmaCondition {
  readonly node: ConditionNode;
  /** `| count(field) by group > n`, the older way to count. */
  readonly count?: { readonly field: string | undefined; readonly by: readonly string[]; readonly op: string; readonly bound: number };
}

export class ConditionFault extends Error {}

const TOKEN = /\s*(\(|\)|\||[^\s()|]+)/y;
const COUNT = /^count\(\s*([^)]*?)\s*\)\s*(?:by\s+([^<>=]+?))?\s*(>=|<=|==|=|>|<)\s*(\d+)$/;

/** Reads a condition over selections of these names. Throws `ConditionFault`. */
export function readCondition(text: string, names: readonly string[]): SigmaCondition {
  const bar = text.indexOf("|");
  const counted = bar < 0 ? undefined : COUNT.exec(text.slice(bar + 1).trim());
  if (bar >= 0 && !counted) throw new ConditionFault(`the aggregation ${JSON.stringify(text.slice(bar + 1).trim())} is not a count`);
  const reader = new Reader(bar < 0 ? text : text.slice(0, bar), names);
  const node = reader.whole();
  if (!counted) return { node };
  const [, field = "", by = "", op, bound] = counted;
  return { node, count: { field: field === "" || field === "*" ? undefined : field, by: by.split(",").map((name) => name.trim()).filter((name) => name !== ""), op: op!, bound: Number(bound) } };
}

class Reader {
  readonly #tokens: string[] = [];
  readonly #names: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(text: string, names: readonly string[]) {
    this.#names = names;
    TOKEN.lastIndex = 0;
    for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) this.#tokens.push(match[1]!);
  }

  whole(): ConditionNode {
    if (!this.#tokens.length) throw new ConditionFault("the condition is empty");
    const node = this.#or();
    if (this.#at < this.#tokens.length) throw new ConditionFault(`${this.#tokens[this.#at]!} stands where nothing is expected`);
    return node;
  }

  #or(): ConditionNode {
    const nodes = [this.#and()];
    while (this.#word() === "or") {
      this.#at++;
      nodes.push(this.#and());
    }
    return nodes.length > 1 ? { kind: "or", nodes } : nodes[0]!;
  }

  #and(): ConditionNode {
    const nodes = [this.#not()];
    while (this.#word() === "and") {
      this.#at++;
      nodes.push(this.#not());
    }
    return nodes.length > 1 ? { kind: "and", nodes } : nodes[0]!;
  }

  #not(): ConditionNode {
    if (++this.#depth > 500) throw new ConditionFault("the condition is nested too deep");
    const isNot = this.#word() === "not";
    if (isNot) this.#at++;
    const node: ConditionNode = isNot ? { kind: "not", node: this.#not() } : this.#one();
    this.#depth--;
    return node;
  }

  #one(): ConditionNode {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new ConditionFault("the condition ends too early");
    if (token === "(") {
      const node = this.#or();
      if (this.#tokens[this.#at++] !== ")") throw new ConditionFault("a bracket is never closed");
      return node;
    }
    if (/^(?:1|any|all)$/i.test(token) && this.#word() === "of") {
      this.#at++;
      return this.#several(token.toLowerCase() === "all", this.#tokens[this.#at++] ?? "");
    }
    if (!this.#names.includes(token)) throw new ConditionFault(`there is no selection ${token}`);
    return { kind: "selection", name: token };
  }

  #several(isAll: boolean, pattern: string): ConditionNode {
    const found = pattern === "them" ? this.#names.filter((name) => !name.startsWith("_")) : this.#names.filter((name) => fits(name, pattern));
    if (!found.length) throw new ConditionFault(`no selection is named as ${pattern}`);
    const nodes = found.map((name): ConditionNode => ({ kind: "selection", name }));
    return nodes.length > 1 ? { kind: isAll ? "and" : "or", nodes } : nodes[0]!;
  }

  #word(): string | undefined {
    return this.#tokens[this.#at]?.toLowerCase();
  }
}

function fits(name: string, pattern: string): boolean {
  const parts = pattern.split("*");
  if (parts.length === 1) return name === pattern;
  if (!name.startsWith(parts[0]!) || !name.endsWith(parts.at(-1)!) || name.length < parts[0]!.length + parts.at(-1)!.length) return false;
  let at = parts[0]!.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - parts.at(-1)!.length;
}
