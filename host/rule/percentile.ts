import type { Problem } from "../problem.ts";
import { parseCondition } from "./condition.ts";

export type ReadPercentile = { readonly ok: true; readonly percentile: number | undefined } | { readonly ok: false; readonly problem: Problem };

const FORM = /^\s*([\p{L}_][\p{L}\p{N}_]*)\s*>=?\s*(\d+(?:\.\d+)?|\.\d+)\s*$/u;

/**
 * Reads the condition of an anomaly case: `a > 0.995` names the percentile that bounds what is usual.
 *
 * A whole number from 1 is accepted, as older rules write it, and says nothing.
 */
export function readPercentile(text: string, labels: readonly string[]): ReadPercentile {
  const match = FORM.exec(text);
  const problem = (code: string, message: string, hint: string): ReadPercentile => ({ ok: false, problem: { code, message, hint, at: { start: 0, end: text.length } } });
  if (!match) {
    const parsed = parseCondition(text, labels);
    if (!parsed.ok && parsed.problem.code !== "rule/bad-number") return parsed;
    return problem("rule/bad-condition", "an anomaly case compares its one query with a percentile", `write such as ${labels[0] ?? "a"} > 0.995`);
  }
  const [, label, number] = match;
  if (!labels.includes(label!)) return problem("rule/unknown-label", `no query is named ${label}`, `the labels are ${labels.join(", ")}`);
  const value = Number(number);
  if (value > 0 && value < 1) return { ok: true, percentile: value };
  if (Number.isInteger(value) && value >= 1) return { ok: true, percentile: undefined };
  return problem("rule/bad-number", `${number} is no percentile`, "write a number between 0 and 1, such as 0.995");
}
