import { dirname, join } from "node:path";
import { Census } from "../census.ts";
import { DetectionPipeline } from "../pipeline.ts";
import type { Rule, RuleScenario } from "../rule/rule.ts";
import { idleReason, standingQueries } from "../rule/standing.ts";
import { compareSignals } from "../scenario.ts";
import type { Signal } from "../signal/signal.ts";
import { type FeedOptions, feedMerged, inputFiles } from "./feed.ts";
import { choosePipelines } from "./pipelines.ts";
import { UsageError } from "./problems.ts";
import type { Coverage } from "./rules-coverage.ts";
import type { TestOutcome } from "./rules-test.ts";

/** Scenarios that stand in rules' own `tests`: each on a fresh engine. */
export async function ownScenarios(rules: readonly Rule[], fileOf: (rule: Rule) => string, workers: number, coverage: Coverage): Promise<TestOutcome[]> {
  const outcomes: TestOutcome[] = [];
  for (const rule of rules) {
    for (const scenario of rule.scenarios) outcomes.push(await outcomeOf(rule, scenario, fileOf(rule), workers, coverage));
  }
  return outcomes;
}

async function outcomeOf(rule: Rule, scenario: RuleScenario, file: string, workers: number, coverage: Coverage): Promise<TestOutcome> {
  const startMs = performance.now();
  const test = { suite: file, name: `${rule.name}: ${scenario.name}` };
  const idle = idleReason(rule);
  if (idle !== undefined) return { ...test, outcome: "skipped", detail: idle };
  const signals = await play([rule], scenario.logs, { format: "auto" }, dirname(file), workers, coverage);
  const differences = compareSignals(scenario.signals, signals);
  return { ...test, ...(differences.length ? { outcome: "failed", detail: differences.join("\n") } : { outcome: "passed" }), seconds: (performance.now() - startMs) / 1000 };
}

/** Recorded logs through all rules at once, for what they cover. */
export async function playLogs(rules: readonly Rule[], inputs: readonly string[], workers: number, coverage: Coverage): Promise<number> {
  return (await play(rules, inputs, { format: "auto" }, undefined, workers, coverage)).length;
}

/** @param logs made ones, or where recorded ones lie; @param folder that such a path is seen from. */
async function play(rules: readonly Rule[], logs: RuleScenario["logs"] | readonly string[], options: FeedOptions, folder: string | undefined, workers: number, coverage: Coverage): Promise<readonly Signal[]> {
  const standing = standingQueries(rules);
  const census = new Census(rules, standing);
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  const paths = typeof logs === "string" ? [folder === undefined ? logs : join(folder, logs)] : logs.filter((log) => typeof log === "string");
  const made = typeof logs === "string" ? [] : logs.filter((log) => typeof log !== "string");
  const pipelines = await choosePipelines(paths.length ? options : { pack: ["none"] }, standing);
  const engine = await DetectionPipeline.create({
    rules, pipelines: pipelines.all, suppressions: [], criticalAssets: [], referenceTables: {}, workers, variant: "simd", allowedLatenessMs: 300_000,
    onSignal: ({ signal, gone }) => {
      const rule = gone?.includes(signal) ? undefined : byId.get(signal.ruleId);
      if (rule) coverage.reached(rule, signal);
    },
    onMatches: (matches, firstEvent) => census.count(matches, firstEvent),
  });
  for (let i = 0; i < made.length;) {
    const { format } = made[i]!;
    let end = i;
    let text = "";
    while (end < made.length && made[end]!.format === format) text += `${JSON.stringify(made[end++]!.event)}\n`;
    await engine.push(new TextEncoder().encode(text), { format, arrivalMs: 0 });
    i = end;
  }
  if (paths.length) {
    const { faults } = await feedMerged(inputFiles(paths), options, {
      pipelines, push: (bytes, input, file) => engine.push(bytes, { ...input, partition: file }), ended: (file) => engine.end(file),
    });
    if (faults.length) throw new UsageError(faults.join("\n"));
  }
  await engine.close();
  rules.forEach((rule, i) => coverage.counted(rule, i, census));
  return engine.signals;
}
