import { matchingFiles, nameTest } from "./glob.ts";
import { isPacked } from "./packed.ts";
import type { TailSource } from "./source.ts";

/** Files all sources name, each with the first source that names it. Packed files belong to it only where files are read once. */
export function scanSources(sources: readonly TailSource[], isOnce: boolean, maxFiles: number): Map<string, TailSource> {
  const found = new Map<string, TailSource>();
  for (const source of sources) {
    const excluded = (source.exclude ?? []).map(pathTest);
    for (const path of matchingFiles(source.path, maxFiles)) {
      if (found.size >= maxFiles) return found;
      if (!found.has(path) && (isOnce || !isPacked(path)) && !excluded.some((test) => test(path))) found.set(path, source);
    }
  }
  return found;
}

/** A pattern without `/` is held against the file's name, another against the whole path, folder by folder. */
function pathTest(pattern: string): (path: string) => boolean {
  const parts = pattern.split("/").map(nameTest);
  if (parts.length === 1) return (path) => parts[0]!(path.slice(path.lastIndexOf("/") + 1));
  return (path) => {
    const names = path.split("/");
    return names.length === parts.length && parts.every((test, i) => test(names[i]!));
  };
}
