import type { Field, QueryNode } from "../query/tree.ts";
import { unreachable } from "../problem.ts";
import type { ThirdPartyOptions } from "./method.ts";
import type { DataSource, Rule, RuleQuery } from "./rule.ts";
import { isOnSignals, readsSignals } from "./signal-source.ts";

export { isOnSignals } from "./signal-source.ts";

/** One query of one rule as it runs on every batch. Numbers of one rule's queries follow each other. */
export interface StandingQuery {
  readonly id: number;
  readonly ruleIndex: number;
  /** Place among the queries the rule runs. Third party: root queries, then the cases' queries. */
  readonly queryIndex: number;
  readonly query: QueryNode;
  readonly groupBy: readonly Field[];
  /** A missing group value becomes `N/A` instead of leaving the event out. */
  readonly optionalGroupBy: boolean;
  /** `texts`: the values of `distinct` themselves. */
  readonly aggregation: "count" | "cardinality" | "sum" | "max" | "texts";
  readonly distinct: readonly Field[];
  readonly metric?: Field;
  /** What it asks about; anything when absent. */
  readonly dataSource?: DataSource;
}

/** Queries that no rule asks: each by its place in the list, counting what it matches. */
export function plainQueries(queries: readonly QueryNode[]): StandingQuery[] {
  return queries.map((query, id) => ({ id, ruleIndex: id, queryIndex: 0, query, groupBy: [], optionalGroupBy: false, aggregation: "count", distinct: [] }));
}

type Running = Omit<StandingQuery, "id" | "ruleIndex" | "queryIndex" | "query"> & { readonly source: RuleQuery; /** Where it is not its place in the list. */ readonly queryIndex?: number };

/**
 * The standing queries of rules this engine runs live on events; rules on signals have none.
 *
 * @param queryOf the query as it runs, with filters and exclusions worked in; the rule's own by default.
 */
export function standingQueries(rules: readonly Rule[], queryOf: (rule: Rule, query: RuleQuery) => QueryNode = (_rule, query) => query.node): StandingQuery[] {
  const standing: StandingQuery[] = [];
  rules.forEach((rule, ruleIndex) => {
    if (idleReason(rule) !== undefined || isOnSignals(rule)) return;
    runningQueries(rule).forEach(({ source, queryIndex, ...running }, i) => {
      standing.push({ id: standing.length, ruleIndex, queryIndex: queryIndex ?? i, query: queryOf(rule, source), ...(rule.options.method.kind === "third_party" ? {} : { dataSource: source.dataSource }), ...running });
    });
  });
  return standing;
}

/** Are the rule's windows the window kernel's? */
export function isWindowed(rule: Rule): boolean {
  const { kind } = rule.options.method;
  return kind === "threshold" || kind === "content_anomaly";
}

const detected: ReadonlySet<string> = new Set(["threshold", "new_value", "third_party", "anomaly_detection", "content_anomaly", "sequence_detection", "impossible_travel", "hardcoded"]);

const overSignals: ReadonlySet<string> = new Set(["threshold", "sequence_detection"]);

/** Why a rule that was accepted judges nothing; undefined when it does. */
export function idleReason(rule: Rule): string | undefined {
  if (!rule.isEnabled) return "it is disabled";
  if (rule.schedule) return "scheduled rules are not run by this release";
  if (rule.queries.some(readsSignals)) {
    if (!isOnSignals(rule)) return `query ${rule.queries.find(readsSignals)!.label} reads signals beside queries that read events, which this release does not`;
    if (!overSignals.has(rule.options.method.kind)) return `${rule.options.detectionMethod} over signals is not detected by this release`;
  }
  if (!detected.has(rule.options.method.kind)) return `${rule.options.detectionMethod} is not detected by this release`;
  return undefined;
}

/** Every rule that judges nothing, and why: for telling whoever gave it. */
export function idleRules(rules: readonly Rule[]): Array<{ readonly rule: Rule; readonly reason: string }> {
  return rules.flatMap((rule) => {
    const reason = idleReason(rule);
    return reason === undefined ? [] : [{ rule, reason }];
  });
}

const message: Field = { kind: "reserved", name: "message" };
/** What a place is known by, below the metric of an impossible travel rule. */
const geoPaths = [["location", "latitude"], ["location", "longitude"], ["city", "name"], ["country", "iso_code"], ["country", "name"]];

function runningQueries(rule: Rule): Running[] {
  const { method } = rule.options;
  switch (method.kind) {
    case "threshold":
    case "sequence_detection":
    case "anomaly_detection":
      return rule.queries.map((query) => ({ ...grouped(query), aggregation: counting(query), distinct: query.distinct, metric: query.metrics[0] }));
    case "new_value":
      return rule.queries.map((query) => ({ ...grouped(query), aggregation: "texts", distinct: query.metrics }));
    case "content_anomaly":
      return rule.queries.map((query) => ({ ...grouped(query), aggregation: "texts", distinct: query.metrics.length ? query.metrics : [message] }));
    case "impossible_travel":
      return rule.queries.map((query) => ({ ...grouped(query), aggregation: "texts", distinct: geoFields(query.metrics[0]) }));
    case "hardcoded":
      return rule.queries.map((query) => ({ ...grouped(query), aggregation: "count", distinct: [] }));
    case "third_party":
      return thirdPartyQueries(rule, method);
    default:
      return unreachable(method);
  }
}

function grouped(query: RuleQuery): Pick<Running, "source" | "groupBy" | "optionalGroupBy"> {
  return { source: query, groupBy: query.groupBy, optionalGroupBy: query.optionalGroupBy };
}

function geoFields(metric: Field | undefined): Field[] {
  const path = metric?.kind === "attribute" ? metric.path : ["network", "client", "geoip"];
  return geoPaths.map((below) => ({ kind: "attribute", path: [...path, ...below] }));
}

function thirdPartyQueries(rule: Rule, method: ThirdPartyOptions): Running[] {
  const counted = { optionalGroupBy: false, aggregation: "count", distinct: [] } as const;
  const source = (node: QueryNode, text: string): RuleQuery => ({
    label: "", text, node, aggregation: "none", groupByNames: [], groupBy: [], distinct: [], metrics: [], optionalGroupBy: false, dataSource: "logs",
  });
  return [
    // Once more without its groups: a root takes its events also where a group value is missing.
    ...method.rootQueries.flatMap((root, queryIndex) => (root.groupBy.length ? [[], root.groupBy] : [[]]).map((groupBy) => ({ ...counted, queryIndex, source: source(root.node, root.text), groupBy }))),
    ...rule.cases.map((each, i) => {
      const query = each.query ?? rule.queries[i];
      // A case without a query of its own takes whatever a root took.
      return { ...counted, queryIndex: method.rootQueries.length + i, source: query ? source(query.node, query.text) : source({ kind: "all", span: { start: 0, end: 0 } }, ""), groupBy: [] };
    }),
  ];
}

function counting(query: RuleQuery): "count" | "cardinality" | "sum" | "max" {
  switch (query.aggregation) {
    case "count":
    case "cardinality":
    case "sum":
    case "max":
      return query.aggregation;
    case "new_value":
    case "geo_data":
    case "event_count":
    case "none":
      // The reader refuses these on rules that count.
      throw new Error(`${query.aggregation} cannot be counted in a window`);
    default:
      return unreachable(query.aggregation);
  }
}
