import { createRequire } from "node:module";
import type * as Re2 from "re2js";

let re2: typeof Re2 | undefined;

/** A compiled regular expression whose time is linear in the text. */
export type LinearRegex = Re2.RE2JS;

/** Compiles a pattern in RE2 syntax. The library is large and loaded at the first pattern: most runs have none. */
export function linearRegex(pattern: string): LinearRegex {
  re2 ??= createRequire(import.meta.url)("re2js") as typeof Re2;
  return re2.RE2JS.compile(pattern);
}
