import { type Dirent, readdirSync, statSync } from "node:fs";
import { join, parse, sep } from "node:path";

/** A folder tree deeper than this below `**` is not searched. */
const DEPTH = 16;

/**
 * Files a path pattern names, in the order of their names: `*`, `?` and `[a-z]` within a folder's name, `**` for folders of
 * any depth. Folders that cannot be read are passed over.
 *
 * @param limit no more files than this are looked for.
 */
export function matchingFiles(pattern: string, limit: number): string[] {
  const { root } = parse(pattern);
  const parts = pattern.slice(root.length).split(sep === "/" ? "/" : /[/\\]/).filter((part) => part !== "" && part !== ".");
  const found: string[] = [];
  walk(root || ".", parts, 0, found, limit);
  return found;
}

/** Does a pattern name more than one file? */
export function hasWildcard(pattern: string): boolean {
  return /[*?[]/.test(pattern);
}

function walk(folder: string, parts: readonly string[], depth: number, found: string[], limit: number): void {
  const [part, ...rest] = parts;
  if (part === undefined || found.length >= limit || depth > DEPTH) return;
  if (part === "**") {
    walk(folder, rest, depth, found, limit);
    for (const entry of entries(folder)) if (entry.isDirectory()) walk(join(folder, entry.name), parts, depth + 1, found, limit);
    return;
  }
  if (!hasWildcard(part)) {
    visit(join(folder, part), rest, depth, found, limit);
    return;
  }
  const matches = nameTest(part);
  for (const { name } of entries(folder)) {
    // As a shell does: a hidden name must be asked for.
    if (name.startsWith(".") && !part.startsWith(".")) continue;
    if (matches(name)) visit(join(folder, name), rest, depth, found, limit);
  }
}

function visit(path: string, rest: readonly string[], depth: number, found: string[], limit: number): void {
  if (rest.length > 0) walk(path, rest, depth, found, limit);
  else if (found.length < limit && isFile(path) && !found.includes(path)) found.push(path);
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    return false;
  }
}

function entries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

/** A test of one name, without a regular expression: time is the product of both lengths at most. */
export function nameTest(pattern: string): (name: string) => boolean {
  const steps = readSteps(pattern);
  return (name) => {
    let step = 0;
    let at = 0;
    let star = -1;
    let restart = 0;
    while (at < name.length) {
      const wanted = steps[step];
      if (wanted === "*") {
        star = step++;
        restart = at;
      } else if (wanted?.(name[at]!)) {
        step++;
        at++;
      } else if (star >= 0) {
        step = star + 1;
        at = ++restart;
      } else {
        return false;
      }
    }
    while (steps[step] === "*") step++;
    return step === steps.length;
  };
}

type Step = "*" | ((character: string) => boolean);

function readSteps(pattern: string): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    const close = character === "[" ? pattern.indexOf("]", at + 2) : -1;
    if (character === "*") {
      if (steps.at(-1) !== "*") steps.push("*");
    } else if (character === "?") {
      steps.push(() => true);
    } else if (close > 0) {
      steps.push(readSet(pattern.slice(at + 1, close)));
      at = close;
    } else {
      steps.push((other) => other === character);
    }
  }
  return steps;
}

function readSet(body: string): (character: string) => boolean {
  const isNegated = body[0] === "^" || body[0] === "!";
  const text = isNegated ? body.slice(1) : body;
  const ranges: [string, string][] = [];
  for (let at = 0; at < text.length; at++) {
    const isRange = text[at + 1] === "-" && at + 2 < text.length;
    ranges.push([text[at]!, text[isRange ? at + 2 : at]!]);
    if (isRange) at += 2;
  }
  return (character) => ranges.some(([low, high]) => character >= low && character <= high) !== isNegated;
}
