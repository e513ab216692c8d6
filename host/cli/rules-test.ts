import { readFileSync, writeFileSync } from "node:fs";
import { extname } from "node:path";
import { createMatcher } from "../matcher.ts";
import type { QueryNode } from "../query/tree.ts";
import type { Rule, RuleTest } from "../rule/rule.ts";
import { type Scenario, runScenario } from "../scenario.ts";
import { junitXml } from "./junit.ts";
import { endOnErrors, loadRuleFiles, ruleFiles } from "./load-rules.ts";
import { UsageError } from "./problems.ts";
import { Coverage, coverageText } from "./rules-coverage.ts";
import { ownScenarios, playLogs } from "./rules-scenarios.ts";
import { count, jsonLine, plural, safe, styled } from "./text.ts";

export interface TestOutcome {
  /** File the test stands in. */
  readonly suite: string;
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** What differed, or why it was skipped. */
  readonly detail?: string;
  readonly seconds?: number;
}

export interface RulesTestOptions {
  readonly junit?: string;
  readonly json?: boolean;
  readonly workers?: string;
  /** Recorded logs that are played through all rules, for what they cover. */
  readonly logs?: readonly string[];
  /** Fail where a rule has no test, or only one-sided ones. */
  readonly strict?: boolean;
}

/** `vespid rules test`: the rules' own tests, scenarios from `.jsonl`, and what they cover. Exit code 1 when one fails. */
export async function rulesTest(paths: readonly string[], options: RulesTestOptions): Promise<number> {
  const workers = Number(options.workers ?? 0);
  if (!Number.isInteger(workers) || workers < 0) throw new UsageError(`--workers ${options.workers} is no number of threads`);
  const outcomes: TestOutcome[] = [];
  const plain: string[] = [];
  for (const file of ruleFiles(paths)) {
    const scenarios = /^\.(?:jsonl|ndjson)$/.test(extname(file)) ? readScenarios(file) : undefined;
    if (!scenarios) plain.push(file);
    else for (const [line, scenario] of scenarios) outcomes.push(await scenarioOutcome(file, line, scenario, workers));
  }
  const { rules, problems, fileOf } = loadRuleFiles(plain);
  await endOnErrors(problems, "in the rules; no test was run");
  const coverage = new Coverage(rules);
  outcomes.push(...(await ownTests(rules, fileOf, coverage)), ...(await ownScenarios(rules, fileOf, workers, coverage)));
  const signals = options.logs?.length ? await playLogs(rules, options.logs, workers, coverage) : undefined;
  const covered = report(outcomes, rules.length ? coverage : undefined, signals, options);
  const isShort = options.strict && covered && covered.both_ways < covered.rules;
  return isShort || outcomes.some((each) => each.outcome === "failed") ? 1 : 0;
}

function report(outcomes: readonly TestOutcome[], coverage: Coverage | undefined, signals: number | undefined, options: RulesTestOptions): ReturnType<Coverage["report"]> | undefined {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const { outcome } of outcomes) tally[outcome]++;
  if (options.junit) writeFileSync(options.junit, junitXml(outcomes));
  const covered = coverage?.report();
  const summary = `${count(tally.passed)} passed, ${count(tally.failed)} failed, ${count(tally.skipped)} skipped${signals === undefined ? "" : `; ${plural(signals, "signal")} in the recorded logs`}\n`;
  if (options.json) {
    for (const outcome of outcomes) process.stdout.write(jsonLine(outcome));
    if (covered) process.stdout.write(jsonLine({ coverage: covered }));
    process.stderr.write(summary);
    return covered;
  }
  for (const each of outcomes) {
    if (each.outcome !== "failed") continue;
    const detail = (each.detail ?? "").split("\n").map((line) => `    ${safe(line)}\n`).join("");
    process.stdout.write(`${styled("red", "FAIL")} ${safe(each.suite)}: ${safe(each.name)}\n${detail}`);
  }
  const reasons = new Map<string, number>();
  for (const each of outcomes) if (each.outcome === "skipped") reasons.set(each.detail ?? "", (reasons.get(each.detail ?? "") ?? 0) + 1);
  for (const [reason, times] of reasons) process.stdout.write(`${styled("yellow", "skipped")} ${count(times)}: ${safe(reason)}\n`);
  process.stdout.write(covered ? `${summary}${coverageText(covered, coverage!.hasPlayed)}\n` : summary);
  return covered;
}

/** Scenario lines with their line numbers; undefined when the file holds rules instead. */
function readScenarios(file: string): Array<[number, Scenario]> | undefined {
  const scenarios: Array<[number, Scenario]> = [];
  for (const [i, line] of readFileSync(file, "utf8").split("\n").entries()) {
    if (line.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw new UsageError(`${file}:${i + 1}: not a JSON line`);
    }
    if (isScenario(value)) scenarios.push([i + 1, value]);
    else if (scenarios.length) throw new UsageError(`${file}:${i + 1}: a scenario is {rule, logs: [...], expect: {signals: [...]}} or {rule, expect: {rejected: true}}`);
    else return undefined;
  }
  return scenarios;
}

function isScenario(value: unknown): value is Scenario {
  if (typeof value !== "object" || value === null) return false;
  const { rule, logs, expect } = value as Partial<Record<keyof Scenario, unknown>>;
  return typeof rule === "object" && rule !== null && typeof expect === "object" && expect !== null && (logs === undefined || Array.isArray(logs));
}

async function scenarioOutcome(file: string, line: number, scenario: Scenario, workers: number): Promise<TestOutcome> {
  const name = `${scenario.id ?? `line ${line}`}${scenario.why ? `: ${scenario.why}` : ""}`;
  const startMs = performance.now();
  const outcome = (result: Pick<TestOutcome, "outcome" | "detail">): TestOutcome => ({ suite: file, name, ...result, seconds: (performance.now() - startMs) / 1000 });
  try {
    const result = await runScenario({ ...scenario, id: scenario.id ?? `line-${line}`, logs: scenario.logs ?? [] }, { workers });
    switch (result.outcome) {
      case "passed":
        return outcome({ outcome: "passed" });
      case "skipped":
        return outcome({ outcome: "skipped", detail: result.reason });
      case "failed":
        return outcome({ outcome: "failed", detail: result.differences.join("\n") });
    }
  } catch (error) {
    // A scenario that ends the runner is a failed one, and the others still run.
    return outcome({ outcome: "failed", detail: error instanceof Error ? error.message : String(error) });
  }
}

interface OwnTest {
  readonly rule: Rule;
  readonly test: RuleTest;
  /** Number of the tested query among all queries. */
  readonly query: number;
}

/** The queries samples are held against; of another product's alerts, what its root queries take together, by the label tests have without a query. */
function testedQueries(rule: Rule): ReadonlyArray<{ readonly label: string; readonly node: QueryNode }> {
  const { method } = rule.options;
  if (method.kind !== "third_party" || rule.queries.length) return rule.queries;
  return [{ label: "a", node: { kind: "or", nodes: method.rootQueries.map(({ node }) => node), span: { start: 0, end: 0 } } }];
}

/** Sample logs of all rules in one batch, all queries running: the kernels and the company of a live run. */
async function ownTests(rules: readonly Rule[], fileOf: (rule: Rule) => string, coverage: Coverage): Promise<TestOutcome[]> {
  const owners = rules.flatMap((rule) => testedQueries(rule).map((query) => ({ rule, ...query })));
  const tests: OwnTest[] = [];
  let first = 0;
  for (const rule of rules) {
    const own = testedQueries(rule);
    for (const test of rule.tests) tests.push({ rule, test, query: first + own.findIndex((query) => query.label === test.queryLabel) });
    first += own.length;
  }
  if (!tests.length) return [];
  const matcher = await createMatcher({ queries: owners.map(({ node }) => node) });
  const matched = new Map<OwnTest, boolean>();
  for (const format of ["log", "intake"] as const) {
    const some = tests.filter(({ test }) => test.format === format);
    const lines = some.map(({ test }) => `${JSON.stringify(test.event)}\n`).join("");
    const before = matcher.events;
    const hits = await matcher.match(new TextEncoder().encode(lines), { format, arrivalMs: 0 });
    if (matcher.events - before !== some.length) throw new UsageError("a sample log of a test is no JSON object");
    for (const hit of hits) {
      const own = some[hit.index]!;
      matched.set(own, hit.queries.includes(own.query));
      // A sample speaks for its own rule only.
      for (const query of hit.queries) if (owners[query]!.rule === own.rule) coverage.matched(own.rule, owners[query]!.label);
    }
  }
  await matcher.close();
  return tests.map((own) => {
    const got = matched.get(own) ?? false;
    const suite = fileOf(own.rule);
    const name = `${own.rule.name}: ${own.test.name}`;
    if (got === own.test.expected) return { suite, name, outcome: "passed" };
    return { suite, name, outcome: "failed", detail: `query ${own.test.queryLabel} ${got ? "matches" : "does not match"} the sample log; expected ${own.test.expected}` };
  });
}
