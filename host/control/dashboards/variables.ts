import { phrase } from "../../insight/links.ts";

/** A part of queries that whoever looks may choose. */
export interface Variable {
  readonly name: string;
  /** Tag key or attribute the value is of. */
  readonly prefix?: string | null;
  readonly default?: string | null;
  readonly defaults?: readonly string[];
}

const ANY = "*";

/**
 * A query with its variables filled in: `$env` by `env:"prod"`, `$env.value` by the value alone, and by `*` where any value will do.
 * A name no variable has stays as it is.
 *
 * @param chosen values by name; others have their default
 */
export function filledIn(query: string, variables: readonly Variable[], chosen: Readonly<Record<string, string>>): string {
  return query.replace(/\$([A-Za-z_][A-Za-z0-9_]*)(\.value\b)?/g, (text, name: string, isValue: string | undefined) => {
    const variable = variables.find((each) => each.name === name);
    if (!variable) return text;
    const value = (Object.hasOwn(chosen, name) ? chosen[name] : (variable.defaults?.[0] ?? variable.default)) ?? ANY;
    if (value === ANY || value === "") return ANY;
    return isValue || !variable.prefix ? phrase(value) : `${variable.prefix}:${phrase(value)}`;
  });
}
