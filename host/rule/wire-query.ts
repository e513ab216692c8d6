import { readField } from "../query/field.ts";
import type { QueryNode } from "../query/tree.ts";
import type { MethodOptions } from "./method.ts";
import { type Members, type Reader, isMembers, join } from "./reader.ts";
import { type Aggregation, type Correlation, type RuleQuery, type RuleType, aggregations, dataSources } from "./rule.ts";
import { isLabel, labelHint } from "./wire-options.ts";

const known = [
  "name", "query", "aggregation", "groupByFields", "distinctFields", "metrics", "metric", "hasOptionalGroupByFields", "dataSource",
  "customQueryExtension", "index", "indexes", "ruleId", "correlatedByFields", "correlatedQueryIndex", "defaultRuleId",
];
export const QUERY_CAP = 10;
const CORRELATED_CAP = 3;
const GEO_METRIC = "@network.client.geoip";
const single: ReadonlyArray<MethodOptions["kind"]> = ["new_value", "anomaly_detection", "impossible_travel", "hardcoded"];

/** What a method can count with; the first is taken where a query names none. */
const takes: Readonly<Record<MethodOptions["kind"], readonly Aggregation[]>> = {
  threshold: ["count", "cardinality", "sum", "max"],
  new_value: ["new_value"],
  anomaly_detection: ["count", "cardinality", "sum"],
  content_anomaly: ["count"],
  impossible_travel: ["geo_data"],
  third_party: ["none", "count"],
  sequence_detection: ["count", "cardinality", "sum", "max"],
  hardcoded: ["none", "count"],
};

export interface QueryContext {
  readonly kind: MethodOptions["kind"];
  readonly type: RuleType;
  readonly isScheduled: boolean;
}

/** Reads `queries`: each alone, then what they must be to each other. */
export function readQueries(members: Members, context: QueryContext, reader: Reader): RuleQuery[] {
  const optional = context.kind === "third_party";
  const list = reader.list(members, "queries", "", !optional);
  if (Array.isArray(members.queries) && !list.length && !optional) reader.problem("rule/too-few", "queries", "there is no query", 'add one: { "name": "a", "query": "source:auth" }');
  if (single.includes(context.kind) && list.length > 1) {
    reader.problem("rule/too-many", "queries", `${context.kind} takes exactly one query, not ${list.length}`, "give each query a rule of its own");
  }
  const seen = new Map<string, number>();
  const queries = reader.capped(list, QUERY_CAP, "queries", "queries").map((value, i) => {
    const place = `queries[${i}]`;
    const query = readQuery(reader.members(value, place), i, place, context, isMembers(value) ? reader : reader.silent());
    const first = seen.get(query.label);
    if (first !== undefined) reader.problem("rule/duplicate-label", `${place}.name`, `queries[${first}] is named ${query.label} too`, "give each query a label of its own");
    else seen.set(query.label, i);
    return query;
  });
  checkJoins(queries, reader);
  return queries;
}

function readQuery(members: Members, index: number, place: string, context: QueryContext, reader: Reader): RuleQuery {
  reader.unknown(members, known, place);
  const isCorrelation = context.type === "signal_correlation";
  const allowed = isCorrelation ? (["event_count"] as const) : takes[context.kind];
  const aggregation = readAggregation(members, place, allowed, isCorrelation ? context.type : context.kind, reader);
  const text = reader.text(members, "query", place);
  const dataSource = reader.oneOf(members.dataSource, dataSources, `${place}.dataSource`, isCorrelation ? "security_signals" : "logs");
  if (dataSource === "app_sec_spans") reader.warning("rule/deprecated", `${place}.dataSource`, "app_sec_spans is deprecated", "use spans");
  const readsRules = isCorrelation || (context.kind === "sequence_detection" && members.ruleId !== undefined);
  if (!readsRules && text.trim() === "" && !hasProblemAt(reader, `${place}.query`)) {
    reader.problem("rule/empty-query", `${place}.query`, "Query filter cannot be empty", 'write a query such as source:auth, or "*" for every event');
  }
  const distinct = reader.fields(members, "distinctFields", place);
  const metrics = readMetrics(members, place, reader);
  checkAggregation(aggregation, distinct, metrics, place, reader);
  readIndexes(members, place, context, reader);
  const correlation = readsRules ? readCorrelation(members, place, reader) : undefined;
  // What signals are joined by is what they are grouped by.
  const groupByNames = reader.fields(members, correlation?.correlatedBy.length ? "correlatedByFields" : "groupByFields", place);
  return {
    label: readLabel(members, index, place, reader), text, aggregation, groupByNames, dataSource,
    node: readNode(members, text, place, reader),
    groupBy: groupByNames.map(readField),
    distinct: distinct.map(readField),
    metrics: metrics.map(readField),
    optionalGroupBy: reader.flag(members, "hasOptionalGroupByFields", place, false),
    ...(correlation ? { correlation } : {}),
  };
}

function hasProblemAt(reader: Reader, place: string): boolean {
  return reader.problems.some((problem) => problem.place === place);
}

/** An unnamed query is called by its position: a, b, c ... */
function readLabel(members: Members, index: number, place: string, reader: Reader): string {
  const given = reader.text(members, "name", place);
  if (given === "") return String.fromCharCode(97 + (index % 26));
  if (given.toLowerCase() === "then") reader.problem("rule/bad-label", `${place}.name`, "then is a word of conditions", "choose another label");
  else if (!isLabel(given)) reader.problem("rule/bad-label", `${place}.name`, `${given} cannot be a label`, labelHint);
  return given;
}

/** The base query, and what a user added to it. */
function readNode(members: Members, text: string, place: string, reader: Reader): QueryNode {
  const base = reader.query(text, `${place}.query`);
  const extension = reader.text(members, "customQueryExtension", place);
  if (extension.trim() === "") return base;
  return { kind: "and", nodes: [base, reader.query(extension, `${place}.customQueryExtension`)], span: base.span };
}

function readAggregation(members: Members, place: string, allowed: readonly Aggregation[], method: string, reader: Reader): Aggregation {
  const aggregation = reader.oneOf(members.aggregation, aggregations, `${place}.aggregation`, allowed[0]!);
  if (allowed.includes(aggregation)) return aggregation;
  reader.problem("rule/bad-aggregation", `${place}.aggregation`, `a ${method} rule cannot count with ${aggregation}`, `use ${allowed.join(", ")}`);
  return aggregation;
}

/** `metric` is the older form of one metric. */
function readMetrics(members: Members, place: string, reader: Reader): string[] {
  const metrics = reader.fields(members, "metrics", place);
  const old = reader.text(members, "metric", place);
  return metrics.length || old === "" ? metrics : [old];
}

function checkAggregation(aggregation: Aggregation, distinct: readonly string[], metrics: readonly string[], place: string, reader: Reader): void {
  const metricsPlace = join(place, "metrics");
  switch (aggregation) {
    case "count":
      return;
    case "cardinality":
      if (!distinct.length) reader.problem("rule/missing-distinct", join(place, "distinctFields"), "cardinality counts the distinct values of a field, and none is named", 'add "distinctFields": ["@usr.id"]');
      return;
    case "sum":
    case "max":
      if (!metrics.length) reader.problem("rule/missing-metric", metricsPlace, `${aggregation} needs a numeric field`, 'add "metrics": ["@network.bytes_written"]');
      return;
    case "new_value":
      if (metrics.length < 1 || metrics.length > 5) reader.problem("rule/missing-metric", metricsPlace, `new_value looks at 1 to 5 fields, not ${metrics.length}`, "name between one and five metrics");
      return;
    case "geo_data":
      if (metrics.some((metric) => metric !== GEO_METRIC)) reader.problem("rule/bad-metric", metricsPlace, `geo_data looks at ${GEO_METRIC} only`, `write "metrics": ["${GEO_METRIC}"]`);
      return;
    case "event_count":
    case "none":
      if (distinct.length) reader.problem("rule/bad-metric", join(place, "distinctFields"), `${aggregation} takes no distinctFields`, "take them out");
      if (metrics.length) reader.problem("rule/bad-metric", metricsPlace, `${aggregation} takes no metrics`, "take them out");
  }
}

function readIndexes(members: Members, place: string, context: QueryContext, reader: Reader): void {
  reader.text(members, "index", place);
  reader.texts(members, "indexes", place);
  for (const name of ["index", "indexes"]) {
    const given = members[name];
    const isSet = Array.isArray(given) ? given.length > 0 : given !== undefined && given !== null && given !== "";
    if (isSet && !context.isScheduled) reader.warning("rule/unused-field", join(place, name), `${name} is looked at by scheduled rules only`, "take it out, or add schedulingOptions");
  }
}

function readCorrelation(members: Members, place: string, reader: Reader): Correlation {
  const ruleId = reader.filledText(members, "ruleId", place);
  const names = reader.fields(members, "correlatedByFields", place);
  if (names.length > CORRELATED_CAP) reader.problem("rule/too-many", join(place, "correlatedByFields"), `signals are joined by at most ${CORRELATED_CAP} fields, not ${names.length}`, "take some out");
  const hasIndex = members.correlatedQueryIndex !== undefined && members.correlatedQueryIndex !== null;
  return {
    ruleId,
    correlatedBy: names.map(readField),
    ...(hasIndex ? { queryIndex: reader.whole(members, "correlatedQueryIndex", place, 0, QUERY_CAP - 1, 0) } : {}),
  };
}

/** Queries join position by position, so those that group at all group by as many fields. */
function checkJoins(queries: readonly RuleQuery[], reader: Reader): void {
  const widths = queries.map((query) => query.groupByNames.length);
  const first = widths.findIndex((width) => width > 0);
  queries.forEach((query, i) => {
    if (first < 0 || widths[i] === 0 || widths[i] === widths[first]) return;
    const member = query.correlation ? "correlatedByFields" : "groupByFields";
    reader.problem("rule/bad-join", `queries[${i}].${member}`, `joins by ${widths[i]} fields, query ${queries[first]!.label} by ${widths[first]}`, "queries of one rule group by the same number of fields, or by none");
  });
}
