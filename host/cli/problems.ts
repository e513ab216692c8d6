import type { Problem } from "../problem.ts";
import { safe, styled } from "./text.ts";

/** Bad usage or input: exit code 2. */
export class UsageError extends Error {}

const BEFORE = 60;
const AFTER = 40;

/** A problem as people read it: where, what, the query with a mark under the place, and the way out. */
export function problemText(problem: Problem, queryText?: string, stream: NodeJS.WriteStream = process.stderr): string {
  const where = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(":");
  const level = problem.level === "warning" ? styled("yellow", "warning", stream) : styled("red", "error", stream);
  const place = problem.place ? ` at ${safe(problem.place)}` : "";
  const lines = [`${where === "" ? "" : `${safe(where)}: `}${level} ${problem.code}${place}: ${safe(problem.message)}`];
  if (problem.at && queryText !== undefined) {
    const start = Math.max(0, problem.at.start - BEFORE);
    // Each character may become several when it is made safe, so the mark is measured on the safe text.
    const before = safe(queryText.slice(start, problem.at.start));
    const marked = safe(queryText.slice(problem.at.start, Math.max(problem.at.end, problem.at.start)));
    const after = safe(queryText.slice(problem.at.end, problem.at.end + AFTER));
    lines.push(`    ${before}${marked}${after}`, `    ${" ".repeat([...before].length)}${styled("red", "^".repeat(Math.max(1, Math.min([...marked].length, BEFORE))), stream)}`);
  }
  if (problem.hint) lines.push(`    ${styled("cyan", "hint:", stream)} ${safe(problem.hint)}`);
  return lines.join("\n");
}
