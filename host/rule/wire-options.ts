import { readField } from "../query/field.ts";
import { unreachable } from "../problem.ts";
import type { MethodOptions, RootQuery, SequenceOptions, ThirdPartyOptions } from "./method.ts";
import { type Members, type Reader, isMembers } from "./reader.ts";
import { type DetectionMethod, type RuleOptions, detectionMethods, severities } from "./rule.ts";
import { readCondition } from "./wire-case.ts";

/** Seconds the evaluation window, keep alive and maximum signal duration may last. */
export const durations = [0, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

const optionsPlace = "options";
const known = [
  "detectionMethod", "evaluationWindow", "keepAlive", "maxSignalDuration", "decreaseCriticalityBasedOnEnv", "newValueOptions",
  "anomalyDetectionOptions", "impossibleTravelOptions", "thirdPartyRuleOptions", "sequenceDetectionOptions", "contentAnomalyOptions",
  "hardcodedEvaluatorType", "complianceRuleOptions",
];
const memberOf: Readonly<Record<MethodOptions["kind"], string | undefined>> = {
  threshold: undefined, new_value: "newValueOptions", anomaly_detection: "anomalyDetectionOptions", content_anomaly: "contentAnomalyOptions",
  impossible_travel: "impossibleTravelOptions", third_party: "thirdPartyRuleOptions", sequence_detection: "sequenceDetectionOptions",
  hardcoded: "hardcodedEvaluatorType",
};
/** Methods that do not look at the rule's own evaluation window. */
const windowless: readonly DetectionMethod[] = ["third_party", "impossible_travel", "sequence_detection"];
const STEP_CAP = 10;
const SEQUENCE_CAP_SECONDS = 86400;

/** The method alone: queries and cases are read by it. */
export function readMethod(options: unknown, reader: Reader): DetectionMethod {
  const members = isMembers(options) ? options : {};
  return reader.oneOf(members.detectionMethod, detectionMethods, "options.detectionMethod", "threshold");
}

/** Reads a rule's options; durations come out in milliseconds. */
export function readOptions(value: unknown, detectionMethod: DetectionMethod, labels: readonly string[], reader: Reader): RuleOptions {
  if (value === undefined || value === null) {
    reader.problem("rule/missing-field", optionsPlace, "options is missing", 'add "options": { "evaluationWindow": 300, "keepAlive": 3600, "maxSignalDuration": 86400 }');
  }
  const members = value === undefined || value === null ? {} : reader.members(value, optionsPlace);
  reader.unknown(members, known, optionsPlace);
  const evaluationWindow = reader.choice(members, "evaluationWindow", optionsPlace, durations, 0, "seconds");
  const keepAlive = reader.choice(members, "keepAlive", optionsPlace, durations, 0, "seconds");
  const maxSignalDuration = reader.choice(members, "maxSignalDuration", optionsPlace, durations, 86400, "seconds");
  if (evaluationWindow !== undefined && keepAlive !== undefined && evaluationWindow > keepAlive && !windowless.includes(detectionMethod)) {
    reader.problem("rule/duration-order", "options.keepAlive", `keepAlive (${keepAlive} s) is shorter than evaluationWindow (${evaluationWindow} s)`, `set keepAlive to at least ${evaluationWindow}`);
  }
  if (keepAlive !== undefined && maxSignalDuration !== undefined && keepAlive > maxSignalDuration) {
    reader.problem("rule/duration-order", "options.maxSignalDuration", `maxSignalDuration (${maxSignalDuration} s) is shorter than keepAlive (${keepAlive} s)`, `set maxSignalDuration to at least ${keepAlive}`);
  }
  return {
    detectionMethod,
    evaluationWindowMs: (evaluationWindow ?? 0) * 1000,
    keepAliveMs: (keepAlive ?? 0) * 1000,
    maxSignalDurationMs: (maxSignalDuration ?? 86400) * 1000,
    decreaseCriticalityBasedOnEnv: reader.flag(members, "decreaseCriticalityBasedOnEnv", optionsPlace, false),
    method: readMethodOptions(members, methodKind(detectionMethod), labels, reader),
  };
}

export function methodKind(method: DetectionMethod): MethodOptions["kind"] {
  return method === "anomaly_threshold" ? "content_anomaly" : method;
}

function readMethodOptions(options: Members, kind: MethodOptions["kind"], labels: readonly string[], reader: Reader): MethodOptions {
  for (const [other, name] of Object.entries(memberOf)) {
    if (other === kind || name === undefined || options[name] === undefined || options[name] === null) continue;
    reader.warning("rule/unused-options", `options.${name}`, `${name} has no effect on a ${kind} rule`, `take it out, or set detectionMethod to ${other}`);
  }
  const name = memberOf[kind];
  const members = name === undefined || kind === "hardcoded" ? {} : reader.inner(options, name, optionsPlace);
  const place = `options.${name}`;
  switch (kind) {
    case "threshold":
      return { kind };
    case "new_value":
      return readNewValue(members, place, reader);
    case "anomaly_detection":
      return readAnomaly(members, place, reader);
    case "content_anomaly":
      reader.unknown(members, ["learningDuration", "forgetAfter", "similarityPercentageThreshold", "nbSimilarItemsThreshold"], place);
      return {
        kind,
        learningDays: reader.whole(members, "learningDuration", place, 1, 10, 7),
        forgetAfterDays: reader.whole(members, "forgetAfter", place, 1, 10, 7),
        similarityPercent: reader.number(members, "similarityPercentageThreshold", place, 35, 100, 70),
        similarItems: reader.whole(members, "nbSimilarItemsThreshold", place, 1, 20, 1),
      };
    case "impossible_travel": {
      reader.unknown(members, ["baselineUserLocations", "baselineUserLocationsDuration", "detectIpTransition"], place);
      const baseline = reader.flag(members, "baselineUserLocations", place, false);
      const baselineDays = reader.number(members, "baselineUserLocationsDuration", place, 0, Number.MAX_VALUE, 1);
      reader.flag(members, "detectIpTransition", place, false);
      return baseline ? { kind, baselineDays } : { kind };
    }
    case "third_party":
      return readThirdParty(members, place, reader);
    case "sequence_detection":
      return readSequence(members, place, labels, reader);
    case "hardcoded":
      if (options.hardcodedEvaluatorType === undefined) reader.problem("rule/missing-field", place, "hardcodedEvaluatorType is missing", 'add "hardcodedEvaluatorType": "log4shell"');
      return { kind, evaluator: reader.oneOf(options.hardcodedEvaluatorType, ["log4shell"] as const, place, "log4shell") };
    default:
      return unreachable(kind);
  }
}

function readNewValue(members: Members, place: string, reader: Reader): MethodOptions {
  reader.unknown(members, ["learningMethod", "learningDuration", "learningThreshold", "forgetAfter", "instantaneousBaseline"], place);
  const method = reader.oneOf(members.learningMethod, ["duration", "threshold"] as const, `${place}.learningMethod`, "duration");
  const days = reader.whole(members, "learningDuration", place, 0, 30, 0);
  const values = reader.whole(members, "learningThreshold", place, 0, 1, 0);
  return {
    kind: "new_value",
    learning: method === "duration" ? { kind: "duration", days } : { kind: "threshold", values },
    forgetAfterDays: reader.whole(members, "forgetAfter", place, 1, 30, 28),
    instantaneousBaseline: reader.flag(members, "instantaneousBaseline", place, false),
  };
}

function readAnomaly(members: Members, place: string, reader: Reader): MethodOptions {
  reader.unknown(members, ["bucketDuration", "detectionTolerance", "learningDuration", "learningPeriodBaseline", "instantaneousBaseline"], place);
  const hasBaseline = members.learningPeriodBaseline !== undefined && members.learningPeriodBaseline !== null;
  return {
    kind: "anomaly_detection",
    bucketSeconds: reader.choice(members, "bucketDuration", place, [300, 600, 900, 1800, 3600, 10800], 300, "seconds") ?? 300,
    tolerance: reader.whole(members, "detectionTolerance", place, 1, 5, 5),
    learningHours: reader.choice(members, "learningDuration", place, [1, 6, 12, 24, 48, 168, 336], 24, "hours") ?? 24,
    ...(hasBaseline ? { learningBaseline: reader.number(members, "learningPeriodBaseline", place, 0, Number.MAX_VALUE, 0) } : {}),
    instantaneousBaseline: reader.flag(members, "instantaneousBaseline", place, false),
  };
}

function readThirdParty(members: Members, place: string, reader: Reader): ThirdPartyOptions {
  reader.unknown(members, ["rootQueries", "defaultStatus", "defaultNotifications", "signalTitleTemplate"], place);
  const list = reader.list(members, "rootQueries", place, true);
  if (Array.isArray(members.rootQueries) && !list.length) reader.problem("rule/too-few", `${place}.rootQueries`, "there is no root query", "add one that selects the vendor's alerts");
  return {
    kind: "third_party",
    rootQueries: reader.capped(list, 10, `${place}.rootQueries`, "root queries").map((root, i) => readRoot(root, `${place}.rootQueries[${i}]`, reader)),
    defaultSeverity: reader.oneOf(members.defaultStatus, severities, `${place}.defaultStatus`, "info"),
    defaultNotifications: reader.texts(members, "defaultNotifications", place),
    signalTitleTemplate: reader.text(members, "signalTitleTemplate", place),
  };
}

function readRoot(value: unknown, place: string, reader: Reader): RootQuery {
  const members = reader.members(value, place);
  reader.unknown(members, ["query", "groupByFields"], place);
  const text = reader.text(members, "query", place, true);
  if (typeof members.query === "string" && text.trim() === "") reader.problem("rule/empty-query", `${place}.query`, "Query filter cannot be empty", 'write a query such as source:guardduty, or "*" for every log');
  const groupByNames = reader.fields(members, "groupByFields", place);
  return { text, node: reader.query(text, `${place}.query`), groupByNames, groupBy: groupByNames.map(readField) };
}

function readSequence(members: Members, place: string, labels: readonly string[], reader: Reader): SequenceOptions {
  reader.unknown(members, ["steps", "stepTransitions"], place);
  const list = reader.list(members, "steps", place, true);
  if (Array.isArray(members.steps) && !list.length) reader.problem("rule/too-few", `${place}.steps`, "there is no step", "name the steps in the order in which they must happen");
  const seen = new Set<string>();
  const steps = reader.capped(list, STEP_CAP, `${place}.steps`, "steps").map((value, i) => {
    const at = `${place}.steps[${i}]`;
    const step = reader.members(value, at);
    reader.unknown(step, ["name", "condition", "evaluationWindow"], at);
    const name = reader.text(step, "name", at, true);
    if (name !== "" && !isLabel(name)) reader.problem("rule/bad-label", `${at}.name`, `${name} cannot name a step`, labelHint);
    else if (seen.has(name)) reader.problem("rule/duplicate-label", `${at}.name`, `two steps are named ${name}`, "give each step a name of its own");
    seen.add(name);
    if (step.condition === undefined || step.condition === null) reader.problem("rule/missing-field", `${at}.condition`, "condition is missing", `add "condition": "${labels[0] ?? "a"} > 0"`);
    return {
      name,
      condition: readCondition(step, at, labels, reader, false),
      windowMs: (reader.choice(step, "evaluationWindow", at, durations, 0, "seconds") ?? 0) * 1000,
    };
  });
  return { kind: "sequence_detection", steps, transitionMs: readTransitions(members, place, steps.map((step) => step.name), reader) };
}

/** Transitions must chain the steps as they stand: each from one step to the next. */
function readTransitions(members: Members, place: string, names: readonly string[], reader: Reader): number[] {
  const at = `${place}.stepTransitions`;
  const list = reader.list(members, "stepTransitions", place, names.length > 1);
  let total = 0;
  const transitions = list.map((value, i) => {
    const transition = reader.members(value, `${at}[${i}]`);
    reader.unknown(transition, ["parent", "child", "evaluationWindow"], `${at}[${i}]`);
    const seconds = reader.choice(transition, "evaluationWindow", `${at}[${i}]`, durations, 0, "seconds") ?? 0;
    total += seconds;
    if (i < names.length - 1 && (transition.parent !== names[i] || transition.child !== names[i + 1])) {
      reader.problem("rule/bad-sequence", `${at}[${i}]`, `this transition must lead from ${names[i]} to ${names[i + 1]}`, `write "parent": "${names[i]}", "child": "${names[i + 1]}"`);
    }
    return seconds * 1000;
  });
  if (Array.isArray(members.stepTransitions) && names.length > 0 && list.length !== names.length - 1) {
    reader.problem("rule/bad-sequence", at, `${names.length} steps are chained by ${names.length - 1} transitions, not ${list.length}`, "give one transition from each step to the next");
  }
  if (total > SEQUENCE_CAP_SECONDS) reader.problem("rule/bad-sequence", at, `transitions last ${total} s together`, `keep their sum within ${SEQUENCE_CAP_SECONDS} s`);
  return transitions;
}

export const labelHint = "use lower-case letters, digits and _, beginning with a letter";

/** Can it stand in a condition? */
export function isLabel(text: string): boolean {
  return /^[a-z][a-z0-9_]*$/.test(text) && text !== "then";
}
