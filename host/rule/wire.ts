import { createHash } from "node:crypto";
import { readField } from "../query/field.ts";
import type { QueryNode } from "../query/tree.ts";
import { type Problem, ProblemError } from "../problem.ts";
import { type Condition, parseCondition } from "./condition.ts";
import { readOptions } from "./options.ts";
import { type Members, Reader, isMembers } from "./reader.ts";
import {
  type Aggregation, type ReferenceTableJoin, type Rule, type RuleCase, type RuleFilter, type RuleOptions, type RuleQuery, type RuleTest,
  type Severity, aggregations, severities,
} from "./rule.ts";

export type ReadRule = { readonly ok: true; readonly rule: Rule; readonly problems: readonly Problem[] } | { readonly ok: false; readonly problems: readonly Problem[] };

const knownRule = [
  "id", "version", "name", "message", "isEnabled", "queries", "cases", "thirdPartyCases", "options", "type", "tags", "filters", "hasExtendedTitle",
  "groupSignalsBy", "referenceTables", "schedulingOptions", "calculatedFields", "isDefault", "isDeleted", "createdAt", "creationAuthorId",
  "updatedAt", "updateAuthorId", "deprecationDate", "defaultTags", "customName", "customMessage", "blocking", "isPartner", "isBeta", "tests",
];
const knownQuery = [
  "name", "query", "aggregation", "groupByFields", "distinctFields", "metrics", "metric", "hasOptionalGroupByFields", "dataSource",
  "customQueryExtension", "index", "indexes", "ruleId", "correlatedByFields", "correlatedQueryIndex", "defaultRuleId",
];
const knownCase = ["name", "status", "condition", "notifications", "actions", "customStatus", "query"];
const ruleTypes = ["log_detection", "signal_correlation", "workload_security", "application_security", "api_security", "workload_activity"];
const QUERY_CAP = 10;

/** Reads a rule in Datadog's JSON shape. All problems come back together; warnings never refuse it. */
export function readRuleWire(value: unknown): ReadRule {
  const reader = new Reader();
  const members = reader.members(value, "");
  const rule = isMembers(value) ? readMembers(members, reader) : undefined;
  const refused = reader.problems.some((problem) => problem.level !== "warning");
  return rule && !refused ? { ok: true, rule, problems: reader.problems } : { ok: false, problems: reader.problems };
}

/** The rule, or a `ProblemError` with everything that is wrong with it. */
export function readRule(value: unknown): Rule {
  const read = readRuleWire(value);
  if (!read.ok) throw new ProblemError(read.problems);
  return read.rule;
}

function readMembers(members: Members, reader: Reader): Rule {
  reader.unknown(members, knownRule, "");
  const name = reader.text(members, "name", "", true);
  if (name === "" && typeof members.name === "string") reader.problem("rule/missing-field", "name", "name is empty", "give the rule a name");
  const message = reader.text(members, "message", "", true);
  const isEnabled = reader.flag(members, "isEnabled", "", undefined);
  const type = reader.oneOf(members.type, ruleTypes, "type", "log_detection");
  const options = readOptions(members.options, reader);
  const queries = readQueries(members, options, reader);
  const labels = queries.map((query) => query.label);
  const cases = readCases(members, options, labels, reader);
  const groupSignalsBy = reader.texts(members, "groupSignalsBy", "");
  const fields = new Set(queries.flatMap((query) => query.groupByNames));
  groupSignalsBy.forEach((field, i) => {
    if (!fields.has(field)) reader.problem("rule/unknown-group", `groupSignalsBy[${i}]`, `${field} is not a group-by field of the rule`, `use some of ${[...fields].join(", ") || "the queries' groupByFields"}`);
  });
  checkJoins(queries, reader);
  const custom = (field: string, given: string): string => (typeof members[field] === "string" && members[field] !== "" ? members[field] : given);
  return {
    id: typeof members.id === "string" && members.id !== "" ? members.id : ruleIdOf(name, members),
    version: typeof members.version === "number" ? members.version : 1,
    name: custom("customName", name),
    message: custom("customMessage", message),
    isEnabled,
    type,
    tags: reader.texts(members, "tags", ""),
    queries,
    cases,
    options,
    filters: reader.list(members, "filters", "", false).map((filter, i) => readFilter(filter, `filters[${i}]`, reader)),
    groupSignalsBy,
    referenceTables: reader.list(members, "referenceTables", "", false).map((join, i) => readJoin(join, `referenceTables[${i}]`, labels, reader)),
    tests: reader.list(members, "tests", "", false).flatMap((test, i) => readTest(test, i, labels, reader)),
    wire: members,
  };
}

/** Three words of the name and a fingerprint of the payload: the same rule has the same id in every run. */
function ruleIdOf(name: string, members: Members): string {
  const fingerprint = createHash("sha256").update(JSON.stringify(members)).digest("hex").slice(0, 11);
  const words = name.toLowerCase().match(/[a-z0-9]+/g)?.slice(0, 4).join("-") ?? "rule";
  return `${words}-${fingerprint}`;
}

function readQueries(members: Members, options: RuleOptions, reader: Reader): RuleQuery[] {
  const thirdParty = options.detectionMethod === "third_party";
  const list = reader.list(members, "queries", "", !thirdParty);
  if (Array.isArray(members.queries) && !list.length && !thirdParty) reader.problem("rule/too-few", "queries", "there is no query", "add a query with a label");
  if (list.length > QUERY_CAP) reader.problem("rule/too-many", "queries", `there are ${list.length} queries`, `a rule has at most ${QUERY_CAP}`);
  if (["new_value", "anomaly_detection", "impossible_travel"].includes(options.detectionMethod) && list.length > 1) {
    reader.problem("rule/too-many", "queries", `${options.detectionMethod} takes exactly one query, not ${list.length}`, "split the rule");
  }
  const seen = new Map<string, number>();
  return list.map((value, i) => {
    const place = `queries[${i}]`;
    const query = readQuery(reader.members(value, place), i, place, reader);
    const first = seen.get(query.label);
    if (first !== undefined) reader.problem("rule/duplicate-label", `${place}.name`, `queries[${first}] is named ${query.label} too`, "give each query a label of its own");
    else seen.set(query.label, i);
    return query;
  });
}

function readQuery(members: Members, index: number, place: string, reader: Reader): RuleQuery {
  reader.unknown(members, knownQuery, place);
  const given = reader.text(members, "name", place, false);
  const label = given === "" ? String.fromCharCode(97 + (index % 26)) : given;
  if (!/^[a-z][a-z0-9_]*$/.test(label)) reader.problem("rule/bad-label", `${place}.name`, `${label} cannot be a label`, "use lower-case letters, digits and _, beginning with a letter");
  else if (label === "then") reader.problem("rule/bad-label", `${place}.name`, "then is a word of conditions", "choose another label");
  const aggregation = reader.oneOf(members.aggregation, aggregations, `${place}.aggregation`, "count");
  const text = reader.text(members, "query", place, false);
  const dataSource = reader.text(members, "dataSource", place, false) || "logs";
  if (text.trim() === "" && dataSource === "logs" && members.ruleId === undefined) {
    reader.problem("rule/empty-query", `${place}.query`, "Query filter cannot be empty", 'write a query such as source:auth, or "*" for every log');
  }
  const extension = reader.text(members, "customQueryExtension", place, false);
  const base = reader.query(text, `${place}.query`);
  const node: QueryNode = extension.trim() === "" ? base : { kind: "and", nodes: [base, reader.query(extension, `${place}.customQueryExtension`)], span: base.span };
  const distinctNames = reader.texts(members, "distinctFields", place);
  const metricNames = reader.texts(members, "metrics", place);
  if (!metricNames.length && typeof members.metric === "string" && members.metric !== "") metricNames.push(members.metric);
  checkAggregation(aggregation, distinctNames, metricNames, place, reader);
  const groupByNames = reader.texts(members, "groupByFields", place);
  return {
    label, text, node, aggregation, groupByNames, dataSource,
    groupBy: groupByNames.map(readField),
    distinct: distinctNames.map(readField),
    metrics: metricNames.map((name) => readField(name)),
    optionalGroupBy: reader.flag(members, "hasOptionalGroupByFields", place, false),
  };
}

function checkAggregation(aggregation: Aggregation, distinct: readonly string[], metrics: readonly string[], place: string, reader: Reader): void {
  if (aggregation === "cardinality" && !distinct.length) {
    reader.problem("rule/missing-distinct", `${place}.distinctFields`, "cardinality counts the distinct values of a field, and none is named", 'add "distinctFields": ["@usr.id"]');
  }
  if ((aggregation === "sum" || aggregation === "max") && !metrics.length) {
    reader.problem("rule/missing-metric", `${place}.metrics`, `${aggregation} needs a numeric field`, 'add "metrics": ["@network.bytes_written"]');
  }
  if (aggregation === "new_value" && (metrics.length < 1 || metrics.length > 5)) {
    reader.problem("rule/missing-metric", `${place}.metrics`, `new_value looks at 1 to 5 fields, not ${metrics.length}`, "name between one and five metrics");
  }
  if (aggregation === "geo_data" && metrics.some((metric) => metric !== "@network.client.geoip")) {
    reader.problem("rule/bad-metric", `${place}.metrics`, "geo_data looks at @network.client.geoip only", 'write "metrics": ["@network.client.geoip"]');
  }
  if ((aggregation === "event_count" || aggregation === "none") && (distinct.length || metrics.length)) {
    reader.problem("rule/bad-metric", place, `${aggregation} takes neither distinctFields nor metrics`, "take them out");
  }
}

function readCases(members: Members, options: RuleOptions, labels: readonly string[], reader: Reader): RuleCase[] {
  const list = reader.list(members, "cases", "", members.thirdPartyCases === undefined);
  const thirdParty = reader.list(members, "thirdPartyCases", "", false);
  if (!list.length && !thirdParty.length && options.detectionMethod !== "third_party" && Array.isArray(members.cases)) {
    reader.problem("rule/too-few", "cases", "there is no case", "add a case with a status and a condition");
  }
  if (list.length > QUERY_CAP) reader.problem("rule/too-many", "cases", `there are ${list.length} cases`, `a rule has at most ${QUERY_CAP}`);
  const known = options.detectionMethod === "sequence_detection" ? stepNames(members) : labels;
  const cases = list.map((value, i) => readCase(reader.members(value, `cases[${i}]`), `cases[${i}]`, options, known, reader));
  cases.forEach((each, i) => {
    if (each.condition?.then && cases.length > 1) {
      reader.problem("rule/then-needs-one-case", `cases[${i}].condition`, "THEN can only be used when the rule has a single case", "split the rule, or take the other cases out");
    }
  });
  return cases;
}

function stepNames(members: Members): string[] {
  const options = isMembers(members.options) ? members.options : {};
  const sequence = isMembers(options.sequenceDetectionOptions) ? options.sequenceDetectionOptions : {};
  return Array.isArray(sequence.steps) ? sequence.steps.flatMap((step) => (isMembers(step) && typeof step.name === "string" ? [step.name] : [])) : [];
}

function readCase(members: Members, place: string, options: RuleOptions, labels: readonly string[], reader: Reader): RuleCase {
  reader.unknown(members, knownCase, place);
  if (members.status === undefined) reader.problem("rule/missing-field", `${place}.status`, "status is missing", `add "status": one of ${severities.join(", ")}`);
  const status = reader.oneOf(members.status, severities, `${place}.status`, "info");
  const severity: Severity = reader.oneOf(members.customStatus, severities, `${place}.customStatus`, status);
  const counts = options.detectionMethod === "threshold" || options.detectionMethod === "sequence_detection" || options.detectionMethod === "content_anomaly" || options.detectionMethod === "anomaly_threshold";
  let condition: Condition | undefined;
  const text = typeof members.condition === "string" ? members.condition : "";
  if (members.condition !== undefined && members.condition !== null && typeof members.condition !== "string") reader.text(members, "condition", place, false);
  if (counts && typeof members.condition === "string") {
    const parsed = parseCondition(text, labels);
    if (parsed.ok) condition = parsed.condition;
    else reader.problems.push({ ...parsed.problem, place: `${place}.condition` });
  }
  return { name: reader.text(members, "name", place, false), severity, condition, conditionText: text, notifications: reader.texts(members, "notifications", place) };
}

/** Queries join position by position, so those that group at all must group by as many fields. */
function checkJoins(queries: readonly RuleQuery[], reader: Reader): void {
  const first = queries.find((query) => query.groupByNames.length);
  queries.forEach((query, i) => {
    if (first && query.groupByNames.length && query.groupByNames.length !== first.groupByNames.length) {
      reader.problem("rule/bad-join", `queries[${i}].groupByFields`, `groups by ${query.groupByNames.length} fields, query ${first.label} by ${first.groupByNames.length}`, "joined queries group by the same number of fields, or by none");
    }
  });
}

function readFilter(value: unknown, place: string, reader: Reader): RuleFilter {
  const members = reader.members(value, place);
  const action = reader.oneOf(members.action, ["require", "suppress"] as const, `${place}.action`, "require");
  return { action, node: reader.query(reader.text(members, "query", place, true), `${place}.query`) };
}

function readJoin(value: unknown, place: string, labels: readonly string[], reader: Reader): ReferenceTableJoin {
  const members = reader.members(value, place);
  const path = reader.text(members, "logFieldPath", place, true);
  const queryLabel = reader.text(members, "ruleQueryName", place, false) || (labels[0] ?? "a");
  if (!labels.includes(queryLabel)) reader.problem("rule/unknown-label", `${place}.ruleQueryName`, `no query is named ${queryLabel}`, `the rule's queries are ${labels.join(", ")}`);
  return {
    tableName: reader.text(members, "tableName", place, true),
    columnName: reader.text(members, "columnName", place, true),
    // An attribute path may be written with or without its @.
    field: readField(path.startsWith("@") ? path : `@${path}`),
    checkPresence: reader.flag(members, "checkPresence", place, true),
    queryLabel,
  };
}

function readTest(value: unknown, index: number, labels: readonly string[], reader: Reader): RuleTest[] {
  const place = `tests[${index}]`;
  const members = reader.members(value, place);
  const queryLabel = reader.text(members, "query", place, false) || (labels[0] ?? "a");
  if (!labels.includes(queryLabel)) reader.problem("rule/unknown-label", `${place}.query`, `no query is named ${queryLabel}`, `the rule's queries are ${labels.join(", ")}`);
  if (members.log === undefined && members.event === undefined) reader.problem("rule/missing-field", `${place}.log`, "the sample log is missing", 'add "log": {...}');
  return [{
    name: reader.text(members, "name", place, false) || `test ${index + 1}`,
    queryLabel,
    event: members.event ?? members.log,
    expected: reader.flag(members, "expected", place, true),
  }];
}
