import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";

const host = join(import.meta.dirname, "..", "host");
const rooms = ["query", "rule", "lint", "template", "guard", "scenario", "state"];

/** Every text in the host that is written as a problem's code, and where. */
function codes(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const entry of readdirSync(host, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    const file = join(entry.parentPath, entry.name);
    for (const match of readFileSync(file, "utf8").matchAll(new RegExp(`"((?:${rooms.join("|")})/[^"]*)"`, "g"))) {
      const places = found.get(match[1]!) ?? new Set();
      found.set(match[1]!, places.add(relative(host, file).split(/[/\\]/)[0]!));
    }
  }
  return found;
}

test("problem codes are room/what, in small letters", () => {
  const found = [...codes().keys()].filter((code) => !code.endsWith(".ts"));
  expect(found.length).toBeGreaterThan(40);
  expect(found.filter((code) => !/^[a-z]+\/[a-z0-9-]+$/.test(code))).toEqual([]);
});

test("a code belongs to one room", () => {
  const shared = [...codes()].filter(([code, places]) => !code.endsWith(".ts") && places.size > 1 && !places.has("cli"));
  expect(shared).toEqual([]);
});
