import { isMembers } from "../../rule/reader.ts";

type Wire = Readonly<Record<string, unknown>>;

/** Members that are blocks of their own, once for each of a list, under the provider's name. */
const blocks: Readonly<Record<string, string>> = {
  queries: "query", cases: "case", thirdPartyCases: "third_party_case", filters: "filter", referenceTables: "reference_tables", calculatedFields: "calculated_field", actions: "action",
  rootQueries: "root_query", steps: "steps", stepTransitions: "step_transitions",
};
const queryMembers = ["query", "groupByFields", "hasOptionalGroupByFields", "distinctFields", "aggregation", "name", "dataSource", "metrics", "metric", "customQueryExtension", "index", "indexes"];
const signalQueryMembers = ["ruleId", "defaultRuleId", "correlatedByFields", "correlatedQueryIndex", "aggregation", "name", "metrics"];
const caseMembers = ["name", "status", "notifications", "condition", "query", "actions"];
const optionMembers = [
  "keepAlive", "maxSignalDuration", "detectionMethod", "evaluationWindow", "decreaseCriticalityBasedOnEnv", "hardcodedEvaluatorType", "newValueOptions", "anomalyDetectionOptions",
  "impossibleTravelOptions", "thirdPartyRuleOptions", "sequenceDetectionOptions", "contentAnomalyOptions",
];
/** What the provider wants even where it is empty. */
const always: ReadonlySet<string> = new Set(["name", "condition", "query", "groupByFields", "distinctFields", "notifications"]);

/** A rule, as calls answer it, as a resource of Datadog's Terraform provider. */
export function terraformText(rule: Wire): string {
  const isSignals = rule.type === "signal_correlation";
  const isVendors = isMembers(rule.options) && rule.options.detectionMethod === "third_party" && listOf(rule.thirdPartyCases).length > 0;
  const body = [
    line("name", rule.name), line("enabled", rule.isEnabled),
    ...(isVendors ? [] : listOf(rule.queries).map((query) => block(isSignals ? "signal_query" : "query", members(query, isSignals ? signalQueryMembers : queryMembers)))),
    ...(isMembers(rule.options) ? [block("options", members(rule.options, optionMembers))] : []),
    ...(isVendors ? listOf(rule.thirdPartyCases).map((each) => block("third_party_case", members(each, caseMembers))) : listOf(rule.cases).map((each) => block("case", members(each, caseMembers)))),
    ...listOf(rule.filters).map((each) => block("filter", members(each, ["action", "query"]))),
    ...listOf(rule.referenceTables).map((each) => block("reference_tables", members(each, ["tableName", "columnName", "logFieldPath", "checkPresence", "ruleQueryName"]))),
    ...listOf(rule.calculatedFields).map((each) => block("calculated_field", members(each, ["name", "expression"]))),
    ...(isMembers(rule.schedulingOptions) ? [block("scheduling_options", members(rule.schedulingOptions, ["rrule", "start", "timezone"]))] : []),
    line("message", rule.message), line("tags", rule.tags ?? []), line("has_extended_title", rule.hasExtendedTitle ?? false),
    ...(Array.isArray(rule.groupSignalsBy) && rule.groupSignalsBy.length ? [line("group_signals_by", rule.groupSignalsBy)] : []),
    line("type", rule.type),
  ];
  return `resource "datadog_security_monitoring_rule" "${resourceName(rule.name)}" {\n${body.map(indented).join("\n")}\n}\n`;
}

/** Letters, digits, `_` and `-`, and no digit in front. */
function resourceName(name: unknown): string {
  const plain = String(name ?? "").toLowerCase().normalize("NFKD").replaceAll(/[^a-z0-9_-]+/g, "_");
  return /^[a-z_]/.test(plain) ? plain : `_${plain}`;
}

function members(value: Wire, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const member = value[name];
    const isEmpty = member === undefined || member === null || member === "" || (Array.isArray(member) && !member.length);
    return isEmpty && (member === undefined || member === null || !always.has(name)) ? [] : written(name, member);
  });
}

function written(name: string, value: unknown): string[] {
  if (Array.isArray(value) && value.some(isMembers)) return value.filter(isMembers).map((each) => block(blocks[name] ?? snake(name), members(each, Object.keys(each))));
  return isMembers(value) ? [block(snake(name), members(value, Object.keys(value)))] : [line(snake(name), value)];
}

function block(name: string, lines: readonly string[]): string {
  return lines.length ? `${name} {\n${lines.map(indented).join("\n")}\n}` : `${name} {\n}`;
}

function line(name: string, value: unknown): string {
  return `${name} = ${literal(value)}`;
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return quoted(typeof value === "string" ? value : JSON.stringify(value ?? ""));
}

/** Texts hold what their writers like; what would begin an expression of Terraform's does not. */
function quoted(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t")
    // oxlint-disable-next-line no-control-regex
    .replaceAll(/[\u0000-\u001f\u007f]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `"${escaped.replaceAll(/[$%]\{/g, (begin) => begin[0]! + begin)}"`;
}

function indented(text: string): string {
  return text.split("\n").map((each) => `\t${each}`).join("\n");
}

/** `maxSignalDuration` as `max_signal_duration`. What is no name is none of the provider's, and cannot break out of its line. */
function snake(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase().replaceAll(/[^a-z0-9_]/g, "_");
}

function listOf(value: unknown): readonly Wire[] {
  return Array.isArray(value) ? value.filter(isMembers) : [];
}
