import type { Problem } from "../problem.ts";
import { lintRule } from "../rule/lint.ts";
import { loadRules, ruleProblemTexts } from "./load-rules.ts";
import { jsonLine, plural } from "./text.ts";

interface ValidateOptions {
  readonly json?: boolean;
}

/** `vespid rules validate`: everything that is wrong, at once. Exit code 1 when something is. */
export async function validate(paths: readonly string[], options: ValidateOptions): Promise<number> {
  const { rules, problems, files } = await loadRules(paths);
  const { errors } = await report(problems, rules.length, files.length, options);
  return errors ? 1 : 0;
}

/** `vespid rules lint`: also what is valid and likely not meant. Exit code 1 when there is anything to say. */
export async function lint(paths: readonly string[], options: ValidateOptions): Promise<number> {
  const { rules, problems, files, fileOf } = await loadRules(paths);
  const advice = rules.flatMap((rule) => lintRule(rule).map((problem) => ({ ...problem, file: problem.file ?? fileOf.get(rule), message: `${rule.name}: ${problem.message}` })));
  const { errors, warnings } = await report([...problems, ...advice], rules.length, files.length, options);
  return errors + warnings ? 1 : 0;
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
