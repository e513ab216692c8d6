import { type Problem, ProblemError, type Span } from "../problem.ts";
import { matches } from "../query/matches.ts";
import { parseQuery } from "../query/parse.ts";
import type { Field, QueryNode, Test } from "../query/tree.ts";
import { severities } from "../rule/rule.ts";
import { triageStates } from "../signal-model/stored.ts";

const attribute = (path: string): Field => ({ kind: "attribute", path: path.split(".") });

export const severityField: Field = { kind: "reserved", name: "status" };
export const stateField = attribute("workflow.triage.state");
const ruleType = attribute("workflow.rule.type");
const ruleField = (name: string): readonly Field[] => [attribute(`workflow.rule.${name}`)];

/** Names of platform spec 1.6 that are written without `@`, and where each looks. A signal is found when one of the fields fits. */
const names: Readonly<Record<string, readonly Field[]>> = {
  severity: [severityField],
  "signal.rule.name": ruleField("name"), "rule.name": ruleField("name"), rule_name: ruleField("name"),
  "signal.rule.id": ruleField("id"), "rule.id": ruleField("id"), rule_id: ruleField("id"), ruleId: ruleField("id"),
  "signal.rule.type": [ruleType], "rule.type": [ruleType], rule_type: [ruleType],
  assignee: [attribute("workflow.triage.assignee.handle"), attribute("workflow.triage.assignee.uuid")],
  archive_reason: [attribute("workflow.triage.archiveReason")],
};

/** Words of the API's rule types, as signals show them. */
const typeWords: Readonly<Record<string, readonly string[]>> = {
  log_detection: ["Log Detection"], signal_correlation: ["Signal Correlation"], workload_security: ["Workload Security"], application_security: ["Application Security"],
  api_security: ["API Security"], workload_activity: ["Workload Activity"], cloud_configuration: ["Cloud Configuration"],
  infrastructure_configuration: ["Infrastructure Configuration"], misconfiguration: ["Misconfiguration"],
  compliance: ["Cloud Configuration", "Infrastructure Configuration", "Misconfiguration"],
};
const stateWords: Readonly<Record<string, string>> = {
  ...Object.fromEntries(triageStates.map((state) => [state, state])), triage: "under_review", closed: "archived", "under review": "under_review",
};

/** The tree of a signal query, its names those of `searchable`. Throws the parser's problems, and `signals/mixed-status`. */
export function readSignalQuery(text: string, place = "query"): QueryNode {
  const parsed = parseQuery(text);
  if (!parsed.ok) throw new ProblemError(parsed.problems.map((problem) => ({ ...problem, place })));
  const mixed = mixedStatus(parsed.node, text);
  if (mixed) throw new ProblemError([{ ...mixed, place }]);
  return canonicalQuery(parsed.node);
}

/** The same for a tree: aliases of names and values are spelled out. */
export function canonicalQuery(node: QueryNode): QueryNode {
  switch (node.kind) {
    case "and":
    case "or":
      return { ...node, nodes: node.nodes.map(canonicalQuery) };
    case "not":
      return { ...node, node: canonicalQuery(node.node) };
    case "leaf":
      return canonicalLeaf(node.field, node.test, node.span);
    case "all":
      return node;
    case "cidr":
      return { ...node, field: fieldsOf(node.field)[0]! };
  }
}

/** Where a name looks: itself, when it is no alias. */
export function fieldsOf(field: Field): readonly Field[] {
  if (field.kind === "attribute") {
    const [first, ...rest] = field.path;
    if (first === "severity" && rest.length === 0) return [severityField];
    if (first === "rule" && rest.length > 0) return [{ kind: "attribute", path: ["workflow", "rule", ...rest] }];
    return [field];
  }
  if (field.kind !== "tag") return [field];
  if (Object.hasOwn(names, field.key)) return names[field.key]!;
  // `usr.id` as dashboards write it; a tag of that name is meant as well.
  return field.key.includes(".") ? [field, attribute(field.key)] : [field];
}

function canonicalLeaf(field: Field, test: Test, span: Span): QueryNode {
  if (field.kind === "reserved" && field.name === "status") return statusLeaf(test, span);
  const nodes = fieldsOf(field).map((each) => valueLeaf(each, test, span));
  return nodes.length === 1 ? nodes[0]! : { kind: "or", nodes, span };
}

/** `status` is the severity, or the triage state when it is asked for one. */
function statusLeaf(test: Test, span: Span): QueryNode {
  return wordsMeant(test) === "state" ? valueLeaf(stateField, test, span) : valueLeaf(severityField, test, span);
}

function valueLeaf(field: Field, test: Test, span: Span): QueryNode {
  const leaf = (each: Test): QueryNode => ({ kind: "leaf", field, test: each, span });
  const text = test.kind === "equals" || test.kind === "phrase" ? test.text : undefined;
  if (field === severityField) {
    const ranks = ranksMeant(test);
    return ranks ? { kind: "or", nodes: ranks.map((word) => leaf({ kind: "equals", text: word })), span } : leaf(test);
  }
  if (text === undefined || field.kind !== "attribute") return leaf(test);
  const path = field.path.join(".");
  if (path === "workflow.triage.state" && Object.hasOwn(stateWords, text)) return leaf({ kind: "equals", text: stateWords[text]! });
  if (field === ruleType && Object.hasOwn(typeWords, text)) return { kind: "or", nodes: typeWords[text]!.map((word) => leaf({ kind: "phrase", text: word })), span };
  return leaf(test);
}

/** Severities have an order of their own: `status:>=high`. Undefined: the test says nothing of one. */
function ranksMeant(test: Test): readonly string[] | undefined {
  if (test.kind !== "comparison") return undefined;
  const rank = severities.findIndex((word) => word === test.bound.text);
  if (rank < 0) return undefined;
  return severities.filter((_, i) => (test.op === ">" ? i > rank : test.op === ">=" ? i >= rank : test.op === "<" ? i < rank : i <= rank));
}

type Meant = "severity" | "state" | undefined;

/** Undefined: neither's word. A pattern that fits severities means them, even where it fits states too. */
function wordsMeant(test: Test): Meant {
  if (test.kind === "equals" || test.kind === "phrase") {
    if (severities.some((word) => word === test.text)) return "severity";
    return Object.hasOwn(stateWords, test.text) ? "state" : undefined;
  }
  if (test.kind !== "wildcard") return "severity";
  const leaf: QueryNode = { kind: "leaf", field: severityField, test, span: { start: 0, end: 0 } };
  const fits = (word: string): boolean => matches(leaf, { status: word });
  if (severities.some(fits)) return "severity";
  return triageStates.some(fits) ? "state" : undefined;
}

/** `status:(open OR high)` asks one term for two things. Terms are told apart by the text between their values. */
function mixedStatus(node: QueryNode, text: string): Problem | undefined {
  let before: { readonly end: number; readonly meant: Meant; readonly start: number } | undefined;
  let lastEnd = 0;
  for (const leaf of leavesOf(node)) {
    const between = text.slice(lastEnd, leaf.span.start);
    lastEnd = leaf.span.end;
    // A value that stands in parentheses begins where it itself does, one that stands alone where its field does.
    const isGrouped = leaf.kind === "leaf" && leaf.field.kind === "reserved" && leaf.field.name === "status" && !/^status\s*:/.test(text.slice(leaf.span.start, leaf.span.end));
    if (/:\s*\(/.test(between) || !isGrouped) before = undefined;
    if (!isGrouped) continue;
    const meant = wordsMeant(leaf.test);
    if (before && meant && before.meant !== meant) {
      return {
        code: "signals/mixed-status", at: { start: before.start, end: leaf.span.end }, message: "status is asked for a severity and a triage state at once",
        hint: "write status:(high OR critical) @workflow.triage.state:(open OR under_review)",
      };
    }
    if (meant) before = { start: before?.start ?? leaf.span.start, end: leaf.span.end, meant };
  }
  return undefined;
}

function* leavesOf(node: QueryNode): Generator<QueryNode> {
  if (node.kind === "and" || node.kind === "or") for (const child of node.nodes) yield* leavesOf(child);
  else if (node.kind === "not") yield* leavesOf(node.node);
  else yield node;
}
