import { ColumnPlan } from "../engine/columns.ts";
import { Matching } from "../engine/matching/matching.ts";
import type { Problem } from "../problem.ts";
import { lintRule, lintRules } from "../rule/lint.ts";
import type { Rule } from "../rule/rule.ts";
import { standingQueries } from "../rule/standing.ts";
import { lintTemplates } from "../signal/template-lint.ts";
import { loadRules, ruleProblemTexts } from "./load-rules.ts";
import { jsonLine, plural } from "./text.ts";

interface ValidateOptions {
  readonly json?: boolean;
}

/** `vespid rules validate`: everything that is wrong, at once. Exit code 1 when something is. */
export async function validate(paths: readonly string[], options: ValidateOptions): Promise<number> {
  const { rules, problems, files } = loadRules(paths);
  const { errors } = await report(problems, rules.length, files.length, options);
  return errors ? 1 : 0;
}

/** `vespid rules lint`: also what is valid and likely not meant. Exit code 1 when there is anything to say. */
export async function lint(paths: readonly string[], options: ValidateOptions): Promise<number> {
  const loaded = loadRules(paths);
  const { rules, files } = loaded;
  const alone = rules.flatMap((rule) => {
    const said = [...lintRule(rule), ...lintTemplates(rule)];
    return [...said, ...uncovered(rule, said)].map((problem) => ({ rule, problem }));
  });
  const advice = [...alone, ...lintRules(rules)].map(({ rule, problem }) => loaded.placed(rule, { ...problem, message: `${rule.name}: ${problem.message}` }));
  const { errors, warnings } = await report([...loaded.problems, ...advice].sort(inOrder(files)), rules.length, files.length, options);
  return errors + warnings ? 1 : 0;
}

/** Queries that no predicate can rule out for a batch, so that they run on every one; not those of which as much was said already. */
function uncovered(rule: Rule, said: readonly Problem[]): Problem[] {
  const standing = standingQueries([rule]);
  const { compiled } = new Matching(new ColumnPlan(), standing);
  const found = new Set(standing.flatMap((query, i) => (compiled[i]!.cover ? [] : [query.queryIndex])));
  // Queries of other products' alerts are numbered after their root queries.
  if (rule.options.method.kind === "third_party") return [];
  return [...found].flatMap((index) => {
    const place = `queries[${index}].query`;
    if (said.some((problem) => problem.place === place)) return [];
    return [{ code: "lint/no-cover", level: "warning" as const, place, message: "nothing that must be there can be looked for beforehand, so the query runs on every batch of events", hint: "join it with something an event must have, such as source: or service:" }];
  });
}

/** As they stand in the files. */
function inOrder(files: readonly string[]): (a: Problem, b: Problem) => number {
  const order = new Map(files.map((file, i) => [file, i]));
  const fileOrder = ({ file }: Problem): number => order.get(file ?? "") ?? -1;
  return (a, b) => fileOrder(a) - fileOrder(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

async function report(problems: readonly Problem[], rules: number, files: number, options: ValidateOptions): Promise<{ errors: number; warnings: number }> {
  const warnings = problems.filter((problem) => problem.level === "warning").length;
  const errors = problems.length - warnings;
  const summary = `${plural(rules, "valid rule")} in ${plural(files, "file")}, ${plural(errors, "error")}, ${plural(warnings, "warning")}\n`;
  if (options.json) {
    for (const problem of problems) process.stdout.write(jsonLine({ ...problem, level: problem.level ?? "error" }));
    process.stderr.write(summary);
  } else {
    for (const text of await ruleProblemTexts(problems, process.stdout)) process.stdout.write(`${text}\n`);
    process.stdout.write(summary);
  }
  return { errors, warnings };
}
