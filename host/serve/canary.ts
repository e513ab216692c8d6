import { createMatcher } from "../matcher.ts";
import type { Rule } from "../rule/rule.ts";
import { idleReason } from "../rule/standing.ts";

/**
 * Ids of the rules that judge, and of which no sample log of their own is matched: nothing shows that they can fire at all.
 *
 * The samples pass the same kernels that logs do, all queries at once.
 */
export async function unprovedRules(rules: readonly Rule[]): Promise<string[]> {
  const judging = rules.filter((rule) => idleReason(rule) === undefined && rule.queries.some((query) => query.correlation === undefined));
  const queries = judging.flatMap((rule) => rule.queries.map((query) => query.node));
  const firstOf = new Map<Rule, number>();
  for (let i = 0, first = 0; i < judging.length; first += judging[i]!.queries.length, i++) firstOf.set(judging[i]!, first);
  const proved = new Set<Rule>(judging.filter((rule) => rule.scenarios.some((scenario) => scenario.signals.length > 0)));
  const samples = judging.flatMap((rule) => rule.tests.filter((test) => test.expected).map((test) => ({ rule, test })));
  const matcher = await createMatcher({ queries });
  try {
    for (const format of ["log", "intake"] as const) {
      const some = samples.filter(({ test }) => test.format === format);
      const lines = some.map(({ test }) => `${JSON.stringify(test.event)}\n`).join("");
      for (const hit of await matcher.match(new TextEncoder().encode(lines), { format, arrivalMs: 0 })) {
        const { rule, test } = some[hit.index]!;
        const query = firstOf.get(rule)! + rule.queries.findIndex(({ label }) => label === test.queryLabel);
        if (hit.queries.includes(query)) proved.add(rule);
      }
    }
  } finally {
    await matcher.close();
  }
  return judging.filter((rule) => !proved.has(rule)).map((rule) => rule.id);
}
