import { expect, test } from "vitest";
import { Canaries } from "../../host/control/rules/health.ts";
import { readPackRules } from "../../host/pack-rules.ts";
import { loadPacks, packPipelines } from "../../host/packs.ts";

test("no rule of a pack fails its own tests where logs pass the packs' pipelines, as the list of rules shows it", async () => {
  const rules = (await loadPacks()).flatMap(({ name }) => readPackRules(name));
  const canaries = await new Canaries().of({ rules, pipelines: await packPipelines() });
  expect(rules.length).toBeGreaterThan(300);
  expect([...canaries].filter(([, { state }]) => state === "failing")).toEqual([]);
  expect([...canaries.values()].filter(({ state }) => state === "proved").length).toBeGreaterThan(rules.length * 0.95);
});
