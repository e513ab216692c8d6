import { globSync, statSync } from "node:fs";
import { basename, join } from "node:path";

/** A path that names nothing. */
export class MissingInputError extends Error {
  constructor(path: string) {
    super(`${path}: no such file, folder or match`);
  }
}

/**
 * Files that paths, folders and globs name; `-` stays. A folder gives all its files but hidden ones, in the order of their
 * paths.
 */
export function expandInputs(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (path === "-") return [path];
    const facts = statSync(path, { throwIfNoEntry: false });
    if (facts?.isDirectory()) return filesBelow(path);
    if (facts) return [path];
    const found = globSync(path).sort().flatMap((match) => (statSync(match).isDirectory() ? filesBelow(match) : [match]));
    if (!found.length) throw new MissingInputError(path);
    return found;
  });
}

function filesBelow(folder: string): string[] {
  return globSync("**/*", { cwd: folder, withFileTypes: true, exclude: (entry) => basename(entry.name).startsWith(".") })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
