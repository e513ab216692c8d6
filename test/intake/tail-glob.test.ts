import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { matchingFiles, nameTest } from "../../host/intake/tail/glob.ts";
import { scanSources } from "../../host/intake/tail/scan.ts";
import type { TailSource } from "../../host/intake/tail.ts";
import { newFolder } from "./tail-support.ts";

function tree(...paths: readonly string[]): string {
  const folder = newFolder();
  for (const path of paths) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), "");
  }
  return folder;
}

describe("patterns of paths", () => {
  test.each<[string, string, boolean]>([
    ["*.log", "a.log", true],
    ["*.log", "a.log.1", false],
    ["*", "", true],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["[a-c]1", "b1", true],
    ["[a-c]1", "d1", false],
    ["[!a-c]1", "d1", true],
    ["[^ab]", "a", false],
    ["[]]", "]", true],
    ["a[", "a[", true],
    ["*a*b*", "xaxxbx", true],
    ["*a*b*", "xbxxax", false],
    ["**", "anything", true],
    [`${"*a".repeat(30)}b`, "a".repeat(2000), false],
  ])("%s over %s is %s", (pattern, name, expected) => expect(nameTest(pattern)(name)).toBe(expected));

  test("folders are searched as far as the pattern says, files alone are found, each once", () => {
    const folder = tree("a.log", "b.txt", "x/a.log", "x/y/a.log", "x/y/z/a.log", ".hidden.log", "x/.hidden/a.log", "folder.log/inner");
    symlinkSync(join(folder, "a.log"), join(folder, "x", "link.log"));
    symlinkSync(join(folder, "gone"), join(folder, "dangling.log"));
    const found = (pattern: string) => matchingFiles(join(folder, pattern), 100).map((path) => path.slice(folder.length + 1));
    expect(found("*.log")).toEqual(["a.log"]);
    expect(found(".*.log")).toEqual([".hidden.log"]);
    expect(found("*/*.log")).toEqual(["x/a.log", "x/link.log"]);
    expect(found("x/*/a.log")).toEqual(["x/y/a.log"]);
    expect(found("**/a.log").sort()).toEqual(["a.log", "x/.hidden/a.log", "x/a.log", "x/y/a.log", "x/y/z/a.log"]);
    expect(found("x/a.log")).toEqual(["x/a.log"]);
    expect(found("none/*.log")).toEqual([]);
    expect(matchingFiles(join(folder, "**/*.log"), 2)).toHaveLength(2);
  });

  test("a file is of the first source that names it; what is excluded or packed is of none", () => {
    const folder = tree("a.log", "a.tmp.log", "b.log", "c.log.gz", "sub/d.log");
    const sources: TailSource[] = [{ path: join(folder, "a*.log"), exclude: ["*.tmp.log"] }, { path: join(folder, "**/*"), exclude: [join(folder, "sub/*")] }];
    const names = (isOnce: boolean) => [...scanSources(sources, isOnce, 100)].map(([path, source]) => [path.slice(folder.length + 1), sources.indexOf(source)]);
    expect(names(false)).toEqual([["a.log", 0], ["a.tmp.log", 1], ["b.log", 1]]);
    expect(names(true)).toEqual([["a.log", 0], ["a.tmp.log", 1], ["b.log", 1], ["c.log.gz", 1]]);
  });
});
