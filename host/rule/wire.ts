import { type Problem, ProblemError } from "../problem.ts";
import { type Members, Reader, isMembers } from "./reader.ts";
import { TABLES, columnOf, tableFields } from "./table-columns.ts";
import { type ReferenceTableJoin, type Rule, type RuleFilter, type RuleQuery, ruleTypes } from "./rule.ts";
import { limitProblems } from "./limits.ts";
import { ruleIdOf } from "./rule-id.ts";
import { readCases } from "./wire-case.ts";
import { methodKind, readMethod, readOptions } from "./wire-options.ts";
import { readQueries } from "./wire-query.ts";
import { readCalculatedFields, readSchedule } from "./wire-schedule.ts";
import { readScenarios, readTests } from "./wire-test.ts";

export type ReadRule =
  | { readonly ok: true; readonly rule: Rule; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Members of a rule that are read, or that a server adds to its answers. */
const known = [
  "id", "version", "name", "message", "isEnabled", "queries", "cases", "thirdPartyCases", "options", "type", "tags", "filters", "hasExtendedTitle",
  "groupSignalsBy", "referenceTables", "schedulingOptions", "calculatedFields", "isDefault", "isDeleted", "isDeprecated", "createdAt", "creationAuthorId",
  "updatedAt", "updateAuthorId", "deprecationDate", "defaultTags", "customName", "customMessage", "blocking", "isPartner", "isBeta", "metadata", "creator",
  "updater", "tests", "ruleQueryPayloads", "replacedBy",
];

/** Reads a rule in Datadog's JSON shape. All problems come back together; warnings never refuse it. */
export function readRuleWire(value: unknown): ReadRule {
  const reader = new Reader();
  const members = reader.members(value, "");
  const rule = isMembers(value) ? readMembers(members, reader) : undefined;
  if (rule) reader.problems.push(...limitProblems(rule));
  return rule && !reader.refused ? { ok: true, rule, problems: reader.problems } : { ok: false, problems: reader.problems };
}

/** The rule, or a `ProblemError` with everything that is wrong with it. */
export function readRule(value: unknown): Rule {
  const read = readRuleWire(value);
  if (!read.ok) throw new ProblemError(read.problems);
  return read.rule;
}

function readMembers(members: Members, reader: Reader): Rule {
  reader.unknown(members, known, "");
  const name = reader.filledText(members, "name", "");
  const message = reader.text(members, "message", "", true);
  const type = reader.oneOf(members.type, ruleTypes, "type", "log_detection");
  const method = readMethod(members.options, reader);
  if (type === "signal_correlation" && method !== "threshold") {
    reader.problem("rule/bad-method", "options.detectionMethod", `a signal_correlation rule detects by threshold, not by ${method}`, "set detectionMethod to threshold");
  }
  const schedule = readSchedule(members, reader);
  const queries = readQueries(members, { kind: methodKind(method), type, isScheduled: schedule !== undefined }, reader);
  const labels = queries.map((query) => query.label);
  const options = readOptions(members.options, method, labels, reader);
  const referenceTables = reader.list(members, "referenceTables", "").map((join, i) => readJoin(join, `referenceTables[${i}]`, labels, reader));
  checkColumns(queries, referenceTables, reader);
  const id = reader.text(members, "id", "");
  const customName = reader.text(members, "customName", "");
  const customMessage = reader.text(members, "customMessage", "");
  return {
    id: id === "" ? ruleIdOf(name) : id,
    version: reader.whole(members, "version", "", 1, Number.MAX_SAFE_INTEGER, 1),
    name: customName === "" ? name : customName,
    message: customMessage === "" ? message : customMessage,
    isEnabled: reader.flag(members, "isEnabled", "", undefined),
    isDefault: reader.flag(members, "isDefault", "", false),
    type,
    tags: reader.texts(members, "tags", ""),
    hasExtendedTitle: reader.flag(members, "hasExtendedTitle", "", false),
    queries,
    cases: readCases(members, options.method, queries, reader),
    options,
    filters: reader.list(members, "filters", "").map((filter, i) => readFilter(filter, `filters[${i}]`, reader)),
    groupSignalsBy: readGroupSignalsBy(members, [...queries, ...(options.method.kind === "third_party" ? options.method.rootQueries : [])], reader),
    referenceTables,
    ...(schedule ? { schedule } : {}),
    calculatedFields: readCalculatedFields(members, schedule !== undefined, reader),
    tests: readTests(members, labels, reader),
    scenarios: readScenarios(members, reader),
    wire: members,
  };
}

function readGroupSignalsBy(members: Members, queries: ReadonlyArray<Pick<RuleQuery, "groupByNames">>, reader: Reader): string[] {
  const names = reader.fields(members, "groupSignalsBy", "");
  const grouped = new Set(queries.flatMap((query) => query.groupByNames));
  names.forEach((field, i) => {
    if (!grouped.has(field)) reader.problem("rule/unknown-group", `groupSignalsBy[${i}]`, `${field} is not a group-by field of the rule`, `use some of ${[...grouped].join(", ") || "the queries' groupByFields"}`);
  });
  return names;
}

/** Legacy filters on events. The action is never guessed: the two are each other's opposite. */
function readFilter(value: unknown, place: string, reader: Reader): RuleFilter {
  const members = reader.members(value, place);
  reader.unknown(members, ["action", "query"], place);
  if (isMembers(value) && (members.action === undefined || members.action === null)) reader.problem("rule/missing-field", `${place}.action`, "action is missing", "use require or suppress");
  const action = reader.oneOf(members.action, ["require", "suppress"] as const, `${place}.action`, "require");
  return { action, node: reader.query(reader.filledText(members, "query", place), `${place}.query`) };
}

/** Columns are asked about; they are looked up behind the kernels, so nothing is counted by them. */
function checkColumns(queries: readonly RuleQuery[], joins: readonly ReferenceTableJoin[], reader: Reader): void {
  for (const [i, query] of queries.entries()) {
    const given = joins.filter(({ queryLabel }) => queryLabel === query.label).flatMap(({ tableName, columns }) => columns.map((column) => `@${TABLES}.${tableName}.${column}`));
    for (const field of tableFields(query.node)) {
      const column = columnOf(field);
      const name = `@${(field as { path: readonly string[] }).path.join(".")}`;
      if (column && given.includes(`@${TABLES}.${column.table}.${column.column}`)) continue;
      reader.problem("rule/unknown-column", `queries[${i}].query`, `no reference table of query ${query.label} gives ${name}`, given.length ? `it is given ${given.join(", ")}` : 'name the column among the columns of a reference table with this ruleQueryName');
    }
    for (const [member, fields] of [["groupByFields", query.groupBy], ["distinctFields", query.distinct], ["metrics", query.metrics]] as const) {
      fields.forEach((field, n) => {
        if (field.kind === "attribute" && field.path[0] === TABLES) reader.problem("rule/column-counted", `queries[${i}].${member}[${n}]`, "columns of reference tables are asked about, and nothing is grouped or counted by them", "group by what the table is looked up by");
      });
    }
  }
}

function readJoin(value: unknown, place: string, labels: readonly string[], reader: Reader): ReferenceTableJoin {
  const members = reader.members(value, place);
  reader.unknown(members, ["tableName", "columnName", "logFieldPath", "checkPresence", "columns", "ruleQueryName"], place);
  const queryLabel = reader.text(members, "ruleQueryName", place) || (labels[0] ?? "a");
  if (!labels.includes(queryLabel)) reader.problem("rule/unknown-label", `${place}.ruleQueryName`, `no query is named ${queryLabel}`, `the labels are ${labels.join(", ") || "none"}`);
  return {
    tableName: reader.filledText(members, "tableName", place),
    columnName: reader.filledText(members, "columnName", place),
    fieldPath: reader.filledText(members, "logFieldPath", place),
    checkPresence: reader.flag(members, "checkPresence", place, true),
    columns: reader.texts(members, "columns", place),
    queryLabel,
  };
}
