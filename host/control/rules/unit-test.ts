import { createMatcher } from "../../matcher.ts";
import type { QueryNode } from "../../query/tree.ts";
import { effectiveQuery } from "../../rule/guards.ts";
import { isMembers } from "../../rule/reader.ts";
import type { Rule, RuleTest } from "../../rule/rule.ts";
import { readsSignals } from "../../rule/signal-source.ts";
import { readRuleWire } from "../../rule/wire.ts";
import type { RuleDocument } from "../../store/rules.ts";
import { badRequest, problemsError } from "../api-error.ts";
import type { Setup } from "../context.ts";

const MOST_PAYLOADS = 100;

/**
 * Unit tests of a rule's queries, by the pipelines and kernels that judge logs. Groups and counts are not looked at.
 *
 * @param payloads as Datadog's test call gives them: `{index, expectedResult, payload}`
 * @returns for each: was it as expected? Throws an `ApiError` with 400.
 */
export async function testRule(document: RuleDocument, payloads: readonly unknown[], setup: Setup): Promise<boolean[]> {
  if (payloads.length > MOST_PAYLOADS) throw badRequest(`ruleQueryPayloads: ${payloads.length} logs, and ${MOST_PAYLOADS} are taken at a time`);
  const isVendors = Array.isArray(document.thirdPartyCases) && document.thirdPartyCases.length > 0;
  const { tests: _tests, ...plain } = document;
  // Cases of a vendor's alerts are tested by their number; as tests of a rule they would name no query.
  const read = readRuleWire({ ...plain, ruleQueryPayloads: isVendors ? payloads.map((each) => (isMembers(each) ? { ...each, index: undefined } : each)) : payloads });
  if (!read.ok) throw problemsError(read.problems, "Invalid rule configuration");
  const { rule } = read;
  if (rule.queries.some(readsSignals)) throw badRequest("rule.queries: a query of signals is not tested with a log");
  const queries = queriesOf(rule, setup);
  const tests = rule.tests.map((test, i) => ({ test, query: isVendors ? indexOf(payloads[i], queries.length, i) : rule.queries.findIndex(({ label }) => label === test.queryLabel) }));
  return await outcomes(tests, queries, setup);
}

async function outcomes(tests: ReadonlyArray<{ readonly test: RuleTest; readonly query: number }>, queries: readonly QueryNode[], setup: Setup): Promise<boolean[]> {
  const results = tests.map(({ test }) => !test.expected);
  const matcher = await createMatcher({ queries, pipelines: setup.pipelines });
  try {
    for (const format of ["log", "intake"] as const) {
      const some = tests.map((each, i) => ({ ...each, i })).filter(({ test }) => test.format === format);
      const lines = some.map(({ test }) => `${JSON.stringify(test.event)}\n`).join("");
      const before = matcher.events;
      const hits = await matcher.match(new TextEncoder().encode(lines), { format, arrivalMs: 0 });
      if (matcher.events - before !== some.length) throw badRequest("ruleQueryPayloads: a payload is no log");
      for (const hit of hits) {
        const { i, test, query } = some[hit.index]!;
        if (hit.queries.includes(query)) results[i] = test.expected;
      }
    }
  } finally {
    await matcher.close();
  }
  return results;
}

/** Tables and the rule's own filters are worked in; what the server keeps out beside it is not the rule's. */
export function queriesOf(rule: Rule, setup: Setup): QueryNode[] {
  const guards = { suppressions: [], referenceTables: setup.referenceTables ?? {} };
  const { method } = rule.options;
  if (method.kind !== "third_party") return rule.queries.map((query) => effectiveQuery(rule, query, guards));
  const span = { start: 0, end: 0 };
  const roots: QueryNode = { kind: "or", nodes: method.rootQueries.map(({ node }) => node), span };
  return rule.cases.map(({ query }): QueryNode => ({ kind: "and", nodes: query ? [roots, query.node] : [roots], span }));
}

function indexOf(payload: unknown, count: number, place: number): number {
  const index = isMembers(payload) ? (payload.index ?? 0) : 0;
  if (typeof index === "number" && Number.isInteger(index) && index >= 0 && index < count) return index;
  throw badRequest(`ruleQueryPayloads[${place}].index: there is no query number ${JSON.stringify(index)}; the rule has ${count}, counted from 0`);
}
