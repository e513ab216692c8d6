import { createMatcher } from "../../matcher.ts";
import type { QueryNode } from "../../query/tree.ts";
import type { Rule, RuleTest } from "../../rule/rule.ts";
import { readsSignals } from "../../rule/signal-source.ts";
import { idleReason } from "../../rule/standing.ts";
import type { Setup } from "../context.ts";
import { queriesOf } from "./unit-test.ts";

export const canaryStates = ["proved", "unproved", "failing", "idle"] as const;

/**
 * Can a rule fire? `proved`: a log of its own tests is matched, or a scenario of it opens signals, and no test fails. `failing`: a
 * test is not as expected. `unproved`: nothing shows it. `idle`: it judges nothing.
 */
export interface Canary {
  readonly state: (typeof canaryStates)[number];
  /** Why, where it is not proved. */
  readonly reason?: string;
}

interface Sample {
  readonly rule: Rule;
  readonly test: RuleTest;
  /** Numbers of the queries of which one has to match. */
  readonly queries: readonly number[];
}

/** Keeps what is known of rules that stay as they are; a change of one costs the work of one. */
export class Canaries {
  #known = new WeakMap<Rule, Canary>();
  /** Of rules that filter by tables, which are others after every change of the setup. */
  #filtering = new WeakMap<Rule, Canary>();
  #pipelines: Setup["pipelines"];
  #tables: Setup["referenceTables"];

  /** By rule id; of all rules that detection knows. */
  async of(setup: Setup): Promise<ReadonlyMap<string, Canary>> {
    const isRead = setup.pipelines === this.#pipelines;
    if (!isRead) this.#known = new WeakMap();
    if (!isRead || setup.referenceTables !== this.#tables) this.#filtering = new WeakMap();
    [this.#pipelines, this.#tables] = [setup.pipelines, setup.referenceTables];
    const [known, filtering] = [this.#known, this.#filtering];
    const knownOf = (rule: Rule): WeakMap<Rule, Canary> => (rule.referenceTables.length ? filtering : known);
    const rules = setup.rules as readonly Rule[];
    const missing = rules.filter((rule) => !knownOf(rule).has(rule));
    for (const [rule, canary] of missing.length ? await look(missing, setup) : []) knownOf(rule).set(rule, canary);
    return new Map(rules.map((rule) => [rule.id, knownOf(rule).get(rule)!]));
  }
}

/** All tests of all rules at once, by the pipelines and kernels that judge logs. */
async function look(rules: readonly Rule[], setup: Setup): Promise<Map<Rule, Canary>> {
  const queries: QueryNode[] = [];
  const samples: Sample[] = [];
  for (const rule of rules) {
    if (rule.queries.some(readsSignals) || !rule.tests.length) continue;
    const first = queries.length;
    const own = queriesOf(rule, setup);
    queries.push(...own);
    const isVendors = rule.options.method.kind === "third_party";
    for (const test of rule.tests) {
      const labelled = rule.queries.findIndex(({ label }) => label === test.queryLabel);
      samples.push({ rule, test, queries: isVendors || labelled < 0 ? own.map((_, i) => first + i) : [first + labelled] });
    }
  }
  const isMatched = await matched(samples, queries, setup);
  const bySample = Map.groupBy(samples.map((sample, i) => ({ sample, isMatched: isMatched[i]! })), ({ sample }) => sample.rule);
  return new Map(rules.map((rule) => [rule, canaryOf(rule, bySample.get(rule) ?? [])]));
}

async function matched(samples: readonly Sample[], queries: readonly QueryNode[], setup: Setup): Promise<boolean[]> {
  const results = samples.map(() => false);
  if (!samples.length) return results;
  const matcher = await createMatcher({ queries, pipelines: setup.pipelines });
  try {
    for (const format of ["log", "intake"] as const) {
      const some = samples.map((sample, i) => ({ sample, i })).filter(({ sample }) => sample.test.format === format);
      const take = async (few: typeof some): Promise<boolean> => {
        const before = matcher.events;
        const hits = await matcher.match(new TextEncoder().encode(few.map(({ sample }) => `${JSON.stringify(sample.test.event)}\n`).join("")), { format, arrivalMs: 0 });
        if (matcher.events - before !== few.length) return false;
        for (const hit of hits) {
          const { sample, i } = few[hit.index]!;
          if (sample.queries.some((query) => hit.queries.includes(query))) results[i] = true;
        }
        return true;
      };
      // Events are numbered without those that are none: beside one of these, each is asked by itself, and that one matches nothing.
      if (!(await take(some))) for (const each of some) await take([each]);
    }
  } finally {
    await matcher.close();
  }
  return results;
}

function canaryOf(rule: Rule, results: ReadonlyArray<{ readonly sample: Sample; readonly isMatched: boolean }>): Canary {
  const idle = idleReason(rule);
  if (idle !== undefined) return { state: "idle", reason: idle };
  const failing = results.filter(({ sample, isMatched }) => sample.test.expected !== isMatched);
  if (failing.length) return { state: "failing", reason: `${failing.length} of ${results.length} tests not as expected: ${failing.map(({ sample }) => sample.test.name).slice(0, 3).join(", ")}` };
  if (results.some(({ isMatched }) => isMatched) || rule.scenarios.some(({ signals }) => signals.length > 0)) return { state: "proved" };
  return { state: "unproved", reason: rule.queries.some(readsSignals) ? "it judges signals, and no scenario of it shows that it fires" : "no test of it has a log that it matches" };
}
