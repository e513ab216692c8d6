import { parseQuery } from "../query/parse.ts";
import type { QueryNode } from "../query/tree.ts";
import type { Problem } from "../problem.ts";
import { nearest } from "./nearest.ts";

export type Members = { readonly [name: string]: unknown };

export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Unknown members named one by one; a document of another kind has thousands. */
const UNKNOWN_CAP = 20;
const nowhere = { start: 0, end: 0 };

/** Reads members of a document, collecting what is wrong with each place. `null` counts as absent. */
export class Reader {
  readonly problems: Problem[] = [];

  get refused(): boolean {
    return this.problems.some((problem) => problem.level !== "warning");
  }

  problem(code: string, place: string, message: string, hint?: string): void {
    this.problems.push({ code, place, message, ...(hint === undefined ? {} : { hint }) });
  }

  warning(code: string, place: string, message: string, hint?: string): void {
    this.problems.push({ code, place, message, level: "warning", ...(hint === undefined ? {} : { hint }) });
  }

  text(members: Members, name: string, place: string, required = false): string {
    const value = members[name];
    if (typeof value === "string") return value;
    if (value === undefined || value === null) {
      if (required) this.problem("rule/missing-field", join(place, name), `${name} is missing`, `add "${name}"`);
      return "";
    }
    this.#wrongType(join(place, name), name, "a text", value, "put it in quotes");
    return "";
  }

  /** A text that holds something other than blanks. */
  filledText(members: Members, name: string, place: string): string {
    const text = this.text(members, name, place, true);
    if (typeof members[name] === "string" && text.trim() === "") this.problem("rule/missing-field", join(place, name), `${name} is empty`, `say something in "${name}"`);
    return text;
  }

  flag(members: Members, name: string, place: string, fallback: boolean | undefined): boolean {
    const value = members[name];
    if (typeof value === "boolean") return value;
    if (value === undefined || value === null) {
      if (fallback === undefined) this.problem("rule/missing-field", join(place, name), `${name} is missing`, `add "${name}": true or false`);
      return fallback ?? false;
    }
    this.#wrongType(join(place, name), name, "true or false", value, "write true or false without quotes");
    return fallback ?? false;
  }

  texts(members: Members, name: string, place: string): string[] {
    const value = members[name];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) {
      this.#wrongType(join(place, name), name, "a list of texts", value, typeof value === "string" ? `write ["${value}"]` : 'write ["..."]');
      return [];
    }
    return value.flatMap((item, i) => {
      if (typeof item === "string") return [item];
      this.#wrongType(`${join(place, name)}[${i}]`, `${name}[${i}]`, "a text", item, "put it in quotes");
      return [];
    });
  }

  /** Names of fields: `@a.b`, a reserved attribute or a tag key. */
  fields(members: Members, name: string, place: string): string[] {
    const seen = new Set<string>();
    return this.texts(members, name, place).filter((field, i) => {
      const at = `${join(place, name)}[${i}]`;
      if (!isFieldName(field)) {
        this.problem("rule/bad-field", at, `${JSON.stringify(field)} is not the name of a field`, "write an attribute as @usr.id, a reserved attribute as host, a tag by its key");
        return false;
      }
      if (seen.has(field)) this.warning("rule/duplicate-field", at, `${field} stands in ${name} twice`, "take one out");
      seen.add(field);
      return true;
    });
  }

  list(members: Members, name: string, place: string, required = false): readonly unknown[] {
    const value = members[name];
    if (Array.isArray(value)) return value;
    if (value === undefined || value === null) {
      if (required) this.problem("rule/missing-field", join(place, name), `${name} is missing`, `add "${name}": [...]`);
    } else this.#wrongType(join(place, name), name, "a list", value, "write [...]");
    return [];
  }

  /** One problem when there are more than the cap; a list beyond all measure is not read to its end. */
  capped(list: readonly unknown[], cap: number, place: string, noun: string): readonly unknown[] {
    if (list.length <= cap) return list;
    this.problem("rule/too-many", place, `there are ${list.length} ${noun}`, `keep to ${cap}, and split the rule if it needs more`);
    return list.slice(0, 100);
  }

  members(value: unknown, place: string): Members {
    if (isMembers(value)) return value;
    this.#wrongType(place, place === "" ? "this" : place, "an object", value, "write {...}");
    return {};
  }

  /** For what cannot be read at all: what follows from that is not told again. */
  silent(): Reader {
    return new Reader();
  }

  /** Members of an optional object; empty when it is absent. */
  inner(members: Members, name: string, place: string): Members {
    const value = members[name];
    return value === undefined || value === null ? {} : this.members(value, join(place, name));
  }

  oneOf<T extends string>(value: unknown, allowed: readonly T[], place: string, fallback: T): T {
    if (value === undefined || value === null) return fallback;
    if (typeof value === "string" && (allowed as readonly string[]).includes(value)) return value as T;
    const near = typeof value === "string" ? nearest(value, allowed) : undefined;
    this.problem("rule/unknown-value", place, `${shown(value)} is not known here`, `${near === undefined ? "" : `did you mean ${near}? `}use one of ${allowed.join(", ")}`);
    return fallback;
  }

  /** A number inside [low, high]. */
  number(members: Members, name: string, place: string, low: number, high: number, fallback: number): number {
    const value = members[name];
    if (value === undefined || value === null) return fallback;
    if (typeof value === "number" && value >= low && value <= high) return value;
    const range = high === Number.MAX_VALUE ? `a number from ${low}` : `a number from ${low} to ${high}`;
    this.problem("rule/out-of-range", join(place, name), `${name} must be ${range}, not ${shown(value)}`, typeof value === "string" ? `write ${range} without quotes` : `write ${range}`);
    return fallback;
  }

  /** A whole number inside [low, high]. */
  whole(members: Members, name: string, place: string, low: number, high: number, fallback: number): number {
    const value = members[name];
    if (typeof value === "number" && value >= low && value <= high && !Number.isInteger(value)) {
      this.problem("rule/out-of-range", join(place, name), `${name} must be a whole number, not ${value}`, `write a whole number from ${low} to ${high}`);
      return fallback;
    }
    return this.number(members, name, place, low, high, fallback);
  }

  /** One of the listed numbers; undefined when it is none of them. */
  choice(members: Members, name: string, place: string, allowed: readonly number[], fallback: number, unit: string): number | undefined {
    const value = members[name];
    if (value === undefined || value === null) return fallback;
    if (typeof value === "number" && allowed.includes(value)) return value;
    const bare = typeof value === "string" && allowed.includes(Number(value)) && value.trim() !== "";
    this.problem("rule/bad-duration", join(place, name), `${name} cannot be ${shown(value)}`, bare ? `write ${value} without quotes` : `use one of ${allowed.join(", ")} ${unit}`);
    return undefined;
  }

  query(text: string, place: string): QueryNode {
    const parsed = parseQuery(text);
    if (parsed.ok) return parsed.node;
    for (const problem of parsed.problems) this.problems.push({ ...problem, place });
    return { kind: "all", span: nowhere };
  }

  unknown(members: Members, known: readonly string[], place: string): void {
    const unknown = Object.keys(members).filter((name) => !known.includes(name));
    for (const name of unknown.slice(0, UNKNOWN_CAP)) {
      const near = nearest(name, known);
      this.warning("rule/unknown-field", join(place, name), `${name} is not a member known here`, near === undefined ? "it is kept but has no effect" : `did you mean ${near}? as it stands it has no effect`);
    }
  }

  #wrongType(place: string, name: string, wanted: string, value: unknown, hint: string): void {
    this.problem("rule/wrong-type", place, `${name} must be ${wanted}, not ${kindOf(value)}`, hint);
  }
}

function isFieldName(text: string): boolean {
  const bare = text.startsWith("@") || text.startsWith("#") ? text.slice(1) : text;
  return bare.trim() !== "" && !/^\.|\.\.|\.$|["*]/.test(bare);
}

function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return kindOf(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export function join(place: string, name: string): string {
  return place === "" ? name : `${place}.${name}`;
}

export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  return Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : typeof value === "string" ? "a text" : `a ${typeof value}`;
}
