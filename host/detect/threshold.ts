import { KEEP_COUNT, KEEP_DISTINCT, KEEP_MAX, KEEP_SUM, KEEP_WIDE, NODE_ABOVE, NODE_AT_LEAST, NODE_COMPARE, NODE_FALSE, NODE_TRUE } from "../../assembly/layout.ts";
import { labelsOf } from "../rule/condition.ts";
import type { Rule } from "../rule/rule.ts";
import { type StandingQuery, isWindowed } from "../rule/standing.ts";
import { type Ask, type Bound, type Program, type Step, compileCondition } from "./condition.ts";

/** What the windows of one query keep, so that every condition of the rule can be answered. */
export interface Keep {
  readonly kind: typeof KEEP_COUNT | typeof KEEP_WIDE | typeof KEEP_DISTINCT | typeof KEEP_SUM | typeof KEEP_MAX;
  /** Events or values that settle every condition. */
  readonly need: number;
  readonly capacity: number;
  /** Entries, or a sum, from which a group is half way. */
  readonly near: number;
  readonly nearValue: number;
  readonly panes: number;
  readonly paneMs: number;
  readonly bounds: readonly Bound[];
}

/** A threshold rule as the kernel runs it. */
export interface ThresholdPlan {
  readonly windowMs: number;
  readonly keeps: readonly Keep[];
  readonly cases: readonly Program[];
  /** What stands after THEN. */
  readonly after: Program | undefined;
  readonly afterQueries: number;
  /** Bits of the queries without group-by beside others that have it. */
  readonly shared: number;
}

/** Counts beyond this are kept by panes instead of single times. */
const EXACT_COUNT = 1024;
/** Entries kept for counts by panes, sums and maxima before panes come in. */
const RAW_ENTRIES = 256;
const PANES_PER_WINDOW = 64;
const PANES_CAP = 1024;
/** Distinct values kept where two queries are compared with each other. */
const DISTINCT_CAP = 65_536;
const DISTINCT_LIMIT = 1 << 20;
/** Displaced entries kept for events that come late. */
const SPARE_ENTRIES = 32;

/** By number of the rule; undefined where no standing query is the rule's. */
export function planRules(rules: readonly Rule[], standing: readonly StandingQuery[], latenessMs: number): Array<ThresholdPlan | undefined> {
  const live = new Set(standing.map((query) => query.ruleIndex));
  return rules.map((rule, i) => (live.has(i) && isWindowed(rule) ? planThreshold(rule, latenessMs) : undefined));
}

export function planThreshold(rule: Rule, latenessMs: number): ThresholdPlan {
  const windowMs = rule.options.evaluationWindowMs;
  const labels = rule.queries.map((query) => query.label);
  const aggregations = rule.queries.map((query) => query.aggregation);
  const programOf = (node: Parameters<typeof compileCondition>[0]): Program => compileCondition(node, labels, aggregations);
  const cases = rule.cases.map((each) => (each.condition ? programOf(each.condition.first) : NODE_TRUE));
  const then = rule.cases[0]?.condition?.then;
  const after = then && programOf(then);
  const asks = [...cases, ...(after === undefined ? [] : [after])].flatMap((program) => stepsOf(program).map((step) => step.ask));
  const grouped = rule.queries.some((query) => query.groupBy.length > 0);
  return {
    windowMs,
    keeps: rule.queries.map((query, i) => keepOf(query.aggregation, asks, i, windowMs, latenessMs)),
    cases,
    after,
    afterQueries: bits(then ? labelsOf(then).map((label) => labels.indexOf(label)) : []),
    shared: bits(rule.queries.flatMap((query, i) => (grouped && !query.groupBy.length ? [i] : []))),
  };
}

export function stepsOf(program: Program): readonly Step[] {
  return program === NODE_TRUE || program === NODE_FALSE ? [] : program;
}

function bits(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum | (1 << number), 0);
}

function keepOf(aggregation: Rule["queries"][number]["aggregation"], asks: readonly Ask[], query: number, windowMs: number, latenessMs: number): Keep {
  const own = asks.filter((ask) => ask.query === query);
  const compared = asks.some((ask) => ask.kind === NODE_COMPARE && (ask.query === query || ("query" in ask.right && ask.right.query === query)));
  const highest = Math.max(1, ...own.map((ask) => (ask.kind === NODE_AT_LEAST ? ask.number : 1)));
  const paneMs = Math.max(1, Math.ceil(windowMs / PANES_PER_WINDOW));
  const panes = Math.min(PANES_CAP, Math.ceil((windowMs + latenessMs) / paneMs) + 2);
  const plain = { need: 1, near: 0, nearValue: 0, panes: 0, paneMs, bounds: [] };
  // A query no condition mentions still has events, which join a hit and make groups count as present.
  if (!own.length && !compared) return { ...plain, kind: KEEP_COUNT, capacity: 1 + SPARE_ENTRIES };
  switch (aggregation) {
    case "cardinality": {
      const need = Math.min(DISTINCT_LIMIT, Math.max(highest, compared ? DISTINCT_CAP : 0));
      return { ...plain, kind: KEEP_DISTINCT, need, near: halfWay(highest), capacity: need + SPARE_ENTRIES + Math.max(8, need >> 2) };
    }
    case "sum": {
      const limits = own.flatMap((ask) => (ask.kind === NODE_COMPARE && "constant" in ask.right && ask.right.constant > 0 ? [ask.right.constant / ask.factor] : []));
      return { ...plain, kind: KEEP_SUM, capacity: RAW_ENTRIES, panes, near: limits.length ? 1 : 0, nearValue: limits.length ? Math.min(...limits) / 2 : 0 };
    }
    case "max": {
      const bounds = own.flatMap((ask) => (ask.kind === NODE_ABOVE ? [ask.bound] : []));
      return { ...plain, kind: KEEP_MAX, capacity: RAW_ENTRIES, panes: compared ? panes : 0, bounds };
    }
    case "count":
    case "new_value":
    case "geo_data":
    case "event_count":
    case "none":
      return compared || highest > EXACT_COUNT
        ? { ...plain, kind: KEEP_WIDE, need: highest, capacity: RAW_ENTRIES, panes, near: Math.min(RAW_ENTRIES / 2, halfWay(highest) || RAW_ENTRIES / 2) }
        : { ...plain, kind: KEEP_COUNT, need: highest, near: halfWay(highest), capacity: highest + SPARE_ENTRIES };
  }
}

/** From two on: a single event says nothing. */
function halfWay(need: number): number {
  return need < 2 ? 0 : Math.max(2, Math.ceil(need / 2));
}
