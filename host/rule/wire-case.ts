import { type Condition, parseCondition } from "./condition.ts";
import type { MethodOptions } from "./method.ts";
import { readPercentile } from "./percentile.ts";
import { type Members, type Reader, isMembers } from "./reader.ts";
import { type RuleCase, type RuleQuery, type Severity, severities } from "./rule.ts";

const knownCase = ["name", "status", "condition", "notifications", "actions", "customStatus"];
const knownThirdParty = ["name", "status", "query", "notifications", "customStatus"];
const actionTypes = ["block_ip", "block_user", "user_behavior", "flag_ip"] as const;
export const CASE_CAP = 10;

/** Reads `cases`, or `thirdPartyCases` where the rule has them. */
export function readCases(members: Members, method: MethodOptions, queries: readonly RuleQuery[], reader: Reader): RuleCase[] {
  const vendor = reader.list(members, "thirdPartyCases", "");
  if (method.kind === "third_party" && vendor.length) return readThirdPartyCases(vendor, reader);
  if (vendor.length) reader.warning("rule/unused-field", "thirdPartyCases", `thirdPartyCases has no effect on a ${method.kind} rule`, "use cases, or set options.detectionMethod to third_party");
  const list = reader.list(members, "cases", "", true);
  if (Array.isArray(members.cases) && !list.length) {
    if (method.kind === "third_party") reader.problem("rule/too-few", "thirdPartyCases", "there is no case", 'add one: { "name": "High", "query": "@severity:High", "status": "high" }');
    else reader.problem("rule/too-few", "cases", "there is no case", 'add one: { "name": "", "status": "medium", "condition": "a > 0" }');
  }
  const labels = method.kind === "sequence_detection" ? method.steps.map((step) => step.name) : queries.map((query) => query.label);
  const cases = reader.capped(list, CASE_CAP, "cases", "cases").map((value, i) => {
    const each = reader.members(value, `cases[${i}]`);
    return readCase(each, `cases[${i}]`, method, labels, isMembers(value) ? reader : reader.silent());
  });
  checkCases(cases, method, reader);
  if (method.kind !== "third_party") return cases;
  if (cases.length !== queries.length) {
    reader.problem("rule/case-without-query", "cases", `${cases.length} cases stand beside ${queries.length} queries`, "a third-party case takes the query of the same position; give as many, or use thirdPartyCases");
  }
  return cases.map((each, i) => (queries[i] ? { ...each, query: { text: queries[i].text, node: queries[i].node } } : each));
}

function checkCases(cases: readonly RuleCase[], method: MethodOptions, reader: Reader): void {
  cases.forEach((each, i) => {
    if (each.condition?.then && cases.length > 1) {
      reader.problem("rule/then-needs-one-case", `cases[${i}].condition`, "THEN can only be used when the rule has a single case", "split the rule, or take the other cases out");
    }
  });
  if (method.kind === "sequence_detection" && cases.length > 1) {
    reader.problem("rule/too-many", "cases", `a sequence has one case, not ${cases.length}`, "keep the one over the last step");
  }
  if ((method.kind === "new_value" || method.kind === "impossible_travel" || method.kind === "hardcoded") && cases.length > 1) {
    reader.warning("rule/unused-case", "cases[1]", `a ${method.kind} rule looks at its first case only`, "take the others out");
  }
}

function readCase(members: Members, place: string, method: MethodOptions, labels: readonly string[], reader: Reader): RuleCase {
  reader.unknown(members, knownCase, place);
  readActions(members, place, reader);
  const common = readCommon(members, place, reader);
  const conditionText = typeof members.condition === "string" ? members.condition : "";
  switch (method.kind) {
    case "threshold":
    case "content_anomaly":
      return { ...common, conditionText, condition: readCondition(members, place, labels, reader, true) };
    case "sequence_detection":
      if (members.condition === undefined || members.condition === null) {
        reader.problem("rule/missing-field", `${place}.condition`, "condition is missing", `add "condition": "${labels.at(-1) ?? "last"} > 0"`);
      }
      return { ...common, conditionText, condition: readCondition(members, place, labels, reader, false) };
    case "anomaly_detection": {
      const text = reader.text(members, "condition", place);
      if (text.trim() === "") return { ...common, conditionText, condition: undefined };
      const read = readPercentile(text, labels);
      if (!read.ok) reader.problems.push({ ...read.problem, place: `${place}.condition` });
      return { ...common, conditionText, condition: undefined, ...(read.ok && read.percentile !== undefined ? { percentile: read.percentile } : {}) };
    }
    case "new_value":
    case "impossible_travel":
    case "third_party":
    case "hardcoded":
      if (reader.text(members, "condition", place).trim() !== "") {
        reader.warning("rule/unused-condition", `${place}.condition`, `a ${method.kind} rule does not look at a condition`, "take it out");
      }
      return { ...common, conditionText, condition: undefined };
  }
}

/** The condition of a case or step; absent when it names none. A fault carries its place in the text. */
export function readCondition(members: Members, place: string, labels: readonly string[], reader: Reader, mayThen: boolean): Condition | undefined {
  if (members.condition === undefined || members.condition === null) return undefined;
  const at = `${place}.condition`;
  const text = reader.text(members, "condition", place);
  if (typeof members.condition !== "string") return undefined;
  // Without a single query every label would be unknown, and that there is none has been said.
  if (!labels.length) return undefined;
  const parsed = parseCondition(text, labels);
  if (!parsed.ok) reader.problems.push({ ...parsed.problem, place: at });
  else if (parsed.condition.then && !mayThen) reader.problem("rule/misplaced-then", at, "THEN cannot stand in a sequence rule", "steps and their transitions already say the order");
  else return parsed.condition;
  return undefined;
}

function readCommon(members: Members, place: string, reader: Reader): Pick<RuleCase, "name" | "severity" | "notifications"> {
  if (members.status === undefined || members.status === null) reader.problem("rule/missing-field", `${place}.status`, "status is missing", `add "status": one of ${severities.join(", ")}`);
  const status = reader.oneOf(members.status, severities, `${place}.status`, "info");
  const severity: Severity = reader.oneOf(members.customStatus, severities, `${place}.customStatus`, status);
  return { name: reader.text(members, "name", place), severity, notifications: reader.texts(members, "notifications", place) };
}

/** Actions are kept and never carried out here. */
function readActions(members: Members, place: string, reader: Reader): void {
  reader.list(members, "actions", place).forEach((value, i) => {
    const action = reader.members(value, `${place}.actions[${i}]`);
    if (isMembers(value) && action.type === undefined) reader.problem("rule/missing-field", `${place}.actions[${i}].type`, "type is missing", `use one of ${actionTypes.join(", ")}`);
    reader.oneOf(action.type, actionTypes, `${place}.actions[${i}].type`, "block_ip");
  });
}

function readThirdPartyCases(list: readonly unknown[], reader: Reader): RuleCase[] {
  return reader.capped(list, CASE_CAP, "thirdPartyCases", "cases").map((value, i): RuleCase => {
    const place = `thirdPartyCases[${i}]`;
    const each = reader.members(value, place);
    reader.unknown(each, knownThirdParty, place);
    const text = reader.text(each, "query", place, true);
    if (typeof each.query === "string" && text.trim() === "") reader.problem("rule/empty-query", `${place}.query`, "Query filter cannot be empty", 'write a query such as @severity:High, or "*" for every alert');
    return { ...readCommon(each, place, reader), conditionText: "", condition: undefined, query: { text, node: reader.query(text, `${place}.query`) } };
  });
}
