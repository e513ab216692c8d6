import { createHash } from "node:crypto";
import { parseQuery } from "../query/parse.ts";
import { printQuery } from "../query/print.ts";
import type { QueryNode } from "../query/tree.ts";
import { ConditionFault, type ConditionNode, readCondition } from "./condition.ts";
import { type LogSource, type SourceMap, sourceMap } from "./fields.ts";
import { type Losses, and, isMembers, not, or, selectionNode } from "./selection.ts";

/** What came of one Sigma rule. */
export interface Translated {
  readonly id: string;
  readonly title: string;
  /** A rule in Datadog's JSON; undefined when it could not be made. */
  readonly rule?: Record<string, unknown>;
  /** Why not. */
  readonly faults: readonly string[];
  /** Where the rule is not quite the same. */
  readonly notes: readonly string[];
}

const severities: Readonly<Record<string, string>> = { informational: "info", low: "low", medium: "medium", high: "high", critical: "critical" };
/** Windows a rule may have, in seconds. */
const windows = [60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
/** ATT&CK's tactics by the names Sigma's tags have. */
const tactics: Readonly<Record<string, string>> = {
  reconnaissance: "TA0043", resource_development: "TA0042", initial_access: "TA0001", execution: "TA0002", persistence: "TA0003", privilege_escalation: "TA0004", defense_evasion: "TA0005", credential_access: "TA0006",
  discovery: "TA0007", lateral_movement: "TA0008", collection: "TA0009", command_and_control: "TA0011", exfiltration: "TA0010", impact: "TA0040",
};

/** One Sigma rule as a rule of ours, or why it is none. Nothing is guessed: what cannot be said here is told. */
export function translateSigma(value: unknown): Translated {
  if (!isMembers(value)) return { id: "", title: "", faults: ["this is no Sigma rule: a map with title, logsource and detection"], notes: [] };
  const title = textOf(value.title);
  const id = textOf(value.id) || createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12);
  const losses: Losses = { faults: [], notes: new Set() };
  const rule = title === "" ? void losses.faults.push("title is missing") : ruleOf(value, id, title, losses);
  return { id, title, ...(rule && !losses.faults.length ? { rule } : {}), faults: losses.faults, notes: [...losses.notes] };
}

function ruleOf(value: Readonly<Record<string, unknown>>, id: string, title: string, losses: Losses): Record<string, unknown> | undefined {
  if (value.correlation !== undefined) return void losses.faults.push("Sigma correlations are not translated; write a rule with several queries or a sequence");
  const { logsource, detection } = value;
  if (!isMembers(logsource) || !isMembers(detection)) return void losses.faults.push("logsource or detection is missing");
  const source: LogSource = { product: textOf(logsource.product), category: textOf(logsource.category), service: textOf(logsource.service) };
  const map = sourceMap(source);
  if (!map) return void losses.faults.push(`no source of ours is known for ${Object.entries(source).filter(([, text]) => text !== "").map(([name, text]) => `${name}: ${text}`).join(", ")}`);
  const { condition, timeframe, ...selections } = detection;
  const texts = Array.isArray(condition) ? condition.map(textOf) : [textOf(condition)];
  try {
    const read = texts.map((text) => readCondition(text, Object.keys(selections)));
    const counted = read.find(({ count }) => count)?.count;
    if (counted && read.length > 1) return void losses.faults.push("several conditions with a count are not translated");
    const node = or(read.map(({ node: each }) => conditionNode(each, selections, map, losses)));
    return assembled(value, { id, title, node, map, counted, seconds: windowOf(timeframe, losses) }, losses);
  } catch (error) {
    if (!(error instanceof ConditionFault)) throw error;
    return void losses.faults.push(error.message);
  }
}

interface Parts {
  readonly id: string;
  readonly title: string;
  readonly node: QueryNode;
  readonly map: SourceMap;
  readonly counted: NonNullable<ReturnType<typeof readCondition>["count"]> | undefined;
  readonly seconds: number;
}

function assembled(value: Readonly<Record<string, unknown>>, { id, title, node, map, counted, seconds }: Parts, losses: Losses): Record<string, unknown> | undefined {
  const text = `${map.query} ${node.kind === "or" ? `(${printQuery(node)})` : printQuery(node)}`;
  const parsed = parseQuery(text);
  if (!parsed.ok) return void losses.faults.push(...parsed.problems.map(({ message }) => `the query is too much for a log search: ${message}`));
  if (counted && counted.op !== ">" && counted.op !== ">=") return void losses.faults.push(`a count that must be ${counted.op} ${counted.bound} is not translated: absence is no signal`);
  const ours = (name: string): string => (Object.hasOwn(map.fields, name) ? map.fields[name]! : map.others.replace("$", name));
  const list = (name: string): string[] => (Array.isArray(value[name]) ? value[name].map(textOf) : textOf(value[name]) === "" ? [] : [textOf(value[name])]).filter((each) => each !== "");
  if (value.status === "deprecated" || value.status === "unsupported") losses.notes.add(`its authors call it ${textOf(value.status)}`);
  const message = [textOf(value.description), ...(list("falsepositives").length ? [`Known to be harmless: ${list("falsepositives").join("; ")}.`] : []), ...(list("references").length ? [`References: ${list("references").join(" ")}`] : []), ...(textOf(value.author) === "" ? [] : [`From a Sigma rule (${id}) by ${textOf(value.author)}.`])];
  return {
    id: `sigma-${id}`, name: title, type: "log_detection", isEnabled: value.status !== "deprecated" && value.status !== "unsupported", hasExtendedTitle: true,
    message: message.filter((each) => each !== "").join("\n\n"),
    tags: ["sigma", `sigma_id:${id}`, "security:attack", ...attackTags(list("tags"))],
    options: { detectionMethod: "threshold", evaluationWindow: seconds, keepAlive: Math.max(3600, seconds), maxSignalDuration: 86_400 },
    queries: [{ name: "a", query: text, groupByFields: counted ? counted.by.map(ours) : [map.entity], ...(counted ? {} : { hasOptionalGroupByFields: true }), ...(counted?.field === undefined ? { aggregation: "count" } : { aggregation: "cardinality", distinctFields: [ours(counted.field)] }) }],
    cases: [{ name: "", status: severities[textOf(value.level)] ?? "medium", condition: counted ? `a ${counted.op} ${counted.bound}` : "a > 0", notifications: [] }],
  };
}

function conditionNode(condition: ConditionNode, selections: Readonly<Record<string, unknown>>, map: SourceMap, losses: Losses): QueryNode {
  switch (condition.kind) {
    case "and": return and(condition.nodes.map((each) => conditionNode(each, selections, map, losses)));
    case "or": return or(condition.nodes.map((each) => conditionNode(each, selections, map, losses)));
    case "not": return not(conditionNode(condition.node, selections, map, losses));
    case "selection": return selectionNode(selections[condition.name], map, losses);
  }
}

/** The next of the windows there are. */
function windowOf(timeframe: unknown, losses: Losses): number {
  if (timeframe === undefined) return 300;
  const [, number, unit] = /^\s*(\d+)\s*([smhd])\s*$/i.exec(textOf(timeframe)) ?? [];
  const seconds = Number(number) * (units[unit?.toLowerCase() ?? ""] ?? Number.NaN);
  const fitting = windows.find((each) => each >= seconds);
  if (fitting === undefined) {
    losses.faults.push(`a time frame of ${textOf(timeframe)} is longer than a day`);
    return 300;
  }
  if (fitting !== seconds) losses.notes.add(`its time frame of ${textOf(timeframe)} became ${fitting} seconds`);
  return fitting;
}

function attackTags(tags: readonly string[]): string[] {
  const names = tags.filter((tag) => tag.startsWith("attack.")).map((tag) => tag.slice("attack.".length).toLowerCase());
  return names.flatMap((name) => {
    if (/^t\d{4}(?:\.\d{3})?$/.test(name)) return [`technique:${name.toUpperCase()}`];
    const known = tactics[name.replaceAll("-", "_")];
    return known ? [`tactic:${known}-${name.replaceAll("_", "-")}`] : [];
  });
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.trim() : typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
