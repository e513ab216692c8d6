import { parseQuery } from "../query/parse.ts";
import type { QueryNode } from "../query/tree.ts";
import type { Problem } from "../problem.ts";

export type Members = { readonly [name: string]: unknown };

export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads members of a document, collecting what is wrong with each place. */
export class Reader {
  readonly problems: Problem[] = [];

  problem(code: string, place: string, message: string, hint?: string): void {
    this.problems.push({ code, place, message, ...(hint === undefined ? {} : { hint }) });
  }

  warning(code: string, place: string, message: string, hint?: string): void {
    this.problems.push({ code, place, message, level: "warning", ...(hint === undefined ? {} : { hint }) });
  }

  text(members: Members, name: string, place: string, required: boolean): string {
    const value = members[name];
    if (typeof value === "string") return value;
    if (value === undefined || value === null) {
      if (required) this.problem("rule/missing-field", join(place, name), `${name} is missing`, `add "${name}"`);
      return "";
    }
    this.problem("rule/wrong-type", join(place, name), `${name} must be a text, not ${kindOf(value)}`, "put it in quotes");
    return "";
  }

  flag(members: Members, name: string, place: string, fallback: boolean | undefined): boolean {
    const value = members[name];
    if (typeof value === "boolean") return value;
    if (value === undefined || value === null) {
      if (fallback === undefined) this.problem("rule/missing-field", join(place, name), `${name} is missing`, `add "${name}": true or false`);
      return fallback ?? false;
    }
    this.problem("rule/wrong-type", join(place, name), `${name} must be true or false, not ${kindOf(value)}`, "write true or false without quotes");
    return fallback ?? false;
  }

  texts(members: Members, name: string, place: string): string[] {
    const value = members[name];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) {
      this.problem("rule/wrong-type", join(place, name), `${name} must be a list of texts, not ${kindOf(value)}`, "write [\"...\"]");
      return [];
    }
    return value.flatMap((item, i) => {
      if (typeof item === "string") return [item];
      this.problem("rule/wrong-type", `${join(place, name)}[${i}]`, `must be a text, not ${kindOf(item)}`, "put it in quotes");
      return [];
    });
  }

  list(members: Members, name: string, place: string, required: boolean): readonly unknown[] {
    const value = members[name];
    if (Array.isArray(value)) return value;
    if (value === undefined || value === null) {
      if (required) this.problem("rule/missing-field", join(place, name), `${name} is missing`, `add "${name}": [...]`);
    } else this.problem("rule/wrong-type", join(place, name), `${name} must be a list, not ${kindOf(value)}`, "write [...]");
    return [];
  }

  members(value: unknown, place: string): Members {
    if (isMembers(value)) return value;
    this.problem("rule/wrong-type", place, `must be an object, not ${kindOf(value)}`, "write {...}");
    return {};
  }

  oneOf<T extends string>(value: unknown, allowed: readonly T[], place: string, fallback: T): T {
    if (value === undefined || value === null) return fallback;
    if (typeof value === "string" && (allowed as readonly string[]).includes(value)) return value as T;
    this.problem("rule/unknown-value", place, `${JSON.stringify(value)} is not known here`, `use one of ${allowed.join(", ")}`);
    return fallback;
  }

  /** A whole or decimal number inside [low, high]. */
  number(members: Members, name: string, place: string, low: number, high: number, fallback: number): number {
    const value = members[name];
    if (value === undefined || value === null) return fallback;
    if (typeof value === "number" && value >= low && value <= high) return value;
    this.problem("rule/out-of-range", join(place, name), `${name} must be a number from ${low} to ${high}, not ${JSON.stringify(value)}`, `write a number from ${low} to ${high}`);
    return fallback;
  }

  query(text: string, place: string): QueryNode {
    const parsed = parseQuery(text);
    if (parsed.ok) return parsed.node;
    for (const problem of parsed.problems) this.problems.push({ ...problem, place });
    return { kind: "all", span: { start: 0, end: 0 } };
  }

  unknown(members: Members, known: readonly string[], place: string): void {
    for (const name of Object.keys(members)) {
      if (!known.includes(name)) this.warning("rule/unknown-field", join(place, name), `${name} is not a member known here`, "check its spelling; it is kept but has no effect");
    }
  }
}

export function join(place: string, name: string): string {
  return place === "" ? name : `${place}.${name}`;
}

export function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}
