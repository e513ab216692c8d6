import type { Problem } from "../problem.ts";
import { safe } from "./text.ts";

/** Bad usage or input: exit code 2. */
export class UsageError extends Error {}

/** A problem as people read it: where, what, the query with a mark under the place, and the way out. */
export function problemText(problem: Problem, queryText?: string): string {
  const where = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(":");
  const level = problem.level === "warning" ? "warning" : "error";
  const lines = [`${where === "" ? "" : `${where}: `}${level} ${problem.code}${problem.place ? ` at ${problem.place}` : ""}: ${safe(problem.message)}`];
  if (problem.at && queryText !== undefined) {
    const start = Math.max(0, problem.at.start - 60);
    const shown = queryText.slice(start, problem.at.end + 40);
    lines.push(`    ${safe(shown)}`, `    ${" ".repeat(problem.at.start - start)}${"^".repeat(Math.max(1, Math.min(problem.at.end - problem.at.start, 60)))}`);
  }
  if (problem.hint) lines.push(`    hint: ${problem.hint}`);
  return lines.join("\n");
}
