import { readFileSync, writeFileSync } from "node:fs";
import { extname } from "node:path";
import { ColumnPlan } from "../engine/columns.ts";
import { Matching } from "../engine/matching/matching.ts";
import { normalizeEvent } from "../event/normalize.ts";
import { createMatcher } from "../matcher.ts";
import { printQuery } from "../query/print.ts";
import { lintRule } from "../rule/lint.ts";
import type { Rule } from "../rule/rule.ts";
import { standingQueries } from "../rule/standing.ts";
import { type Scenario, runScenario } from "../scenario.ts";
import { junitXml } from "./junit.ts";
import { loadGoodRules, loadRules, ruleFiles } from "./load-rules.ts";
import { problemText } from "./problems.ts";
import { count, cut, safe, table } from "./text.ts";

/** `vespid rules validate`: everything that is wrong, at once. Exit code 1 when something is. */
export async function rulesValidate(paths: readonly string[], options: { readonly json?: boolean }, withLint = false): Promise<number> {
  const { rules, problems, files } = await loadRules(paths);
  const found = withLint ? [...problems, ...rules.flatMap((rule) => lintRule(rule).map((problem) => ({ ...problem, message: `${rule.name}: ${problem.message}` })))] : problems;
  const errors = found.filter((problem) => problem.level !== "warning");
  const warnings = found.length - errors.length;
  if (options.json) process.stdout.write(`${JSON.stringify({ files: files.length, rules: rules.length, errors: errors.length, warnings, problems: found })}\n`);
  else {
    for (const problem of found) process.stdout.write(`${problemText(problem)}\n`);
    process.stdout.write(`${count(rules.length)} good rules in ${count(files.length)} files, ${count(errors.length)} errors, ${count(warnings)} warnings\n`);
  }
  return errors.length || (withLint && warnings) ? 1 : 0;
}

export interface TestOutcome {
  readonly suite: string;
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly detail?: string;
}

/** `vespid rules test`: the rules' own tests, and scenarios from `.jsonl`. Exit code 1 when one fails. */
export async function rulesTest(paths: readonly string[], options: { readonly junit?: string; readonly json?: boolean }): Promise<number> {
  const outcomes: TestOutcome[] = [];
  const plain: string[] = [];
  for (const file of ruleFiles(paths)) {
    const scenarios = extname(file) === ".jsonl" ? readScenarios(file) : undefined;
    if (!scenarios) plain.push(file);
    else for (const scenario of scenarios) outcomes.push(await scenarioOutcome(file, scenario));
  }
  if (plain.length) {
    for (const rule of await loadGoodRules(plain)) outcomes.push(...(await ownTests(rule)));
  }
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { outcome } of outcomes) counts[outcome]++;
  if (options.junit) writeFileSync(options.junit, junitXml(outcomes));
  if (options.json) process.stdout.write(`${JSON.stringify({ ...counts, tests: outcomes })}\n`);
  else {
    for (const each of outcomes) {
      if (each.outcome === "failed") process.stdout.write(`FAIL ${safe(each.suite)}: ${safe(each.name)}\n    ${safe(each.detail ?? "")}\n`);
    }
    const reasons = [...new Set(outcomes.filter((each) => each.outcome === "skipped").map((each) => each.detail))];
    for (const reason of reasons) process.stdout.write(`skipped: ${reason}\n`);
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  }
  return counts.failed ? 1 : 0;
}

function readScenarios(file: string): Scenario[] | undefined {
  const scenarios = readFileSync(file, "utf8").split("\n").filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as Scenario);
  return scenarios.every((scenario) => Array.isArray(scenario.logs) && scenario.rule && scenario.expect) ? scenarios : undefined;
}

async function scenarioOutcome(file: string, scenario: Scenario): Promise<TestOutcome> {
  const result = await runScenario(scenario);
  const name = `${scenario.id}${scenario.why ? `: ${scenario.why}` : ""}`;
  switch (result.outcome) {
    case "passed":
      return { suite: file, name, outcome: "passed" };
    case "skipped":
      return { suite: file, name, outcome: "skipped", detail: result.reason };
    case "failed":
      return { suite: file, name, outcome: "failed", detail: result.differences.join("\n    ") };
  }
}

async function ownTests(rule: Rule): Promise<TestOutcome[]> {
  if (!rule.tests.length) return [];
  const matcher = await createMatcher({ queries: rule.queries.map((query) => query.node) });
  const outcomes: TestOutcome[] = [];
  for (const test of rule.tests) {
    const query = rule.queries.findIndex((each) => each.label === test.queryLabel);
    // A sample is an envelope when it has attributes, else a log as shippers send it.
    const isEnvelope = typeof test.event === "object" && test.event !== null && "attributes" in test.event;
    const event = isEnvelope ? test.event : normalizeEvent(test.event, { format: "intake" });
    const hits = await matcher.match(new TextEncoder().encode(`${JSON.stringify(event)}\n`), { format: "log", arrivalMs: 0 });
    const matched = hits[0]?.queries.includes(query) ?? false;
    outcomes.push({
      suite: rule.name, name: test.name, outcome: matched === test.expected ? "passed" : "failed",
      detail: matched === test.expected ? undefined : `query ${test.queryLabel} ${matched ? "matches" : "does not match"} the sample; expected ${test.expected}`,
    });
  }
  await matcher.close();
  return outcomes;
}

/** `vespid rules explain`: what each rule needs of an event and when its queries run. */
export async function rulesExplain(paths: readonly string[], options: { readonly json?: boolean }): Promise<number> {
  const rules = await loadGoodRules(paths);
  const standing = standingQueries(rules);
  const columns = new ColumnPlan();
  const matching = new Matching(columns, standing);
  const explained = standing.map((query, i) => {
    const compiled = matching.compiled[i]!;
    return {
      rule: rules[query.ruleIndex]!.name,
      label: rules[query.ruleIndex]!.queries[query.queryIndex]!.label,
      query: printQuery(query.query),
      cover: compiled.cover ? compiled.cover.map((predicate) => matching.predicates[predicate]!).map(({ column, ...rest }) => ({ ...rest, column: columns.keys[column] })) : null,
      steps: compiled.code.length,
    };
  });
  if (options.json) process.stdout.write(`${JSON.stringify({ columns: columns.keys, predicates: matching.predicates.length, queries: explained })}\n`);
  else {
    process.stdout.write(`${table(["RULE", "QUERY", "RUNS WHEN"], explained.map((each) => [
      cut(safe(each.rule), 40), `${each.label}: ${cut(safe(each.query), 60)}`,
      each.cover ? `${each.cover.map((predicate) => ("text" in predicate ? String(predicate.text) : predicate.kind)).join(" | ").slice(0, 60)} occurs` : "always",
    ]))}\n${count(rules.length)} rules, ${count(standing.length)} standing queries, ${count(matching.predicates.length)} distinct predicates over ${count(columns.keys.length)} columns\n`);
  }
  return 0;
}
