import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { builtRulesText } from "../../host/pack-rules.ts";
import { contentFolder } from "../../host/packs.ts";
import { readRuleDocument } from "../../host/rule/document.ts";

const files = globSync("*/rules/**/*.yaml", { cwd: contentFolder() }).sort();
const built = JSON.parse(builtRulesText()) as Record<string, { readonly hash: string; readonly values: readonly unknown[] }>;

test("every rule file of the packs is kept as what its YAML holds", () => {
  expect(Object.keys(built).sort()).toEqual(files.map((file) => file.replaceAll("\\", "/")));
});

test.each(files)("%s: what was kept gives the same rules, and the same places", (file) => {
  const text = readFileSync(join(contentFolder(), file), "utf8");
  const read = readRuleDocument(text, file, "yaml");
  const kept = readRuleDocument(text, file, "yaml", undefined, built[file.replaceAll("\\", "/")]!.values);
  expect(kept.rules).toEqual(read.rules);
  expect(kept.problems).toEqual(read.problems);
  const [last, twin] = [read.rules.at(-1)!, kept.rules.at(-1)!];
  expect(kept.locate(twin, "cases[0].condition")).toEqual(read.locate(last, "cases[0].condition"));
});
