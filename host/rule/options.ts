import { type Members, type Reader, isMembers } from "./reader.ts";
import { type DetectionMethod, type RuleOptions, detectionMethods } from "./rule.ts";

const DURATIONS = [0, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
const known = [
  "detectionMethod", "evaluationWindow", "keepAlive", "maxSignalDuration", "decreaseCriticalityBasedOnEnv", "newValueOptions",
  "anomalyDetectionOptions", "impossibleTravelOptions", "thirdPartyRuleOptions", "sequenceDetectionOptions", "contentAnomalyOptions",
  "hardcodedEvaluatorType", "complianceRuleOptions",
];
/** Methods that do not look at the rule's own evaluation window. */
const windowless: readonly DetectionMethod[] = ["third_party", "impossible_travel", "sequence_detection"];

/** Reads a rule's options; durations come out in milliseconds. */
export function readOptions(value: unknown, reader: Reader): RuleOptions {
  const members = value === undefined ? {} : reader.members(value, "options");
  if (value === undefined) reader.problem("rule/missing-field", "options", "options is missing", 'add "options": { "evaluationWindow": 300, "keepAlive": 3600, "maxSignalDuration": 86400 }');
  reader.unknown(members, known, "options");
  const detectionMethod = reader.oneOf(members.detectionMethod, detectionMethods, "options.detectionMethod", "threshold");
  const evaluationWindow = duration(members, "evaluationWindow", 0, reader);
  const keepAlive = duration(members, "keepAlive", 0, reader);
  const maxSignalDuration = duration(members, "maxSignalDuration", 86400, reader);
  if (evaluationWindow !== undefined && keepAlive !== undefined && evaluationWindow > keepAlive && !windowless.includes(detectionMethod)) {
    reader.problem("rule/duration-order", "options.keepAlive", `keepAlive (${keepAlive} s) is shorter than evaluationWindow (${evaluationWindow} s)`, `set keepAlive to at least ${evaluationWindow}`);
  }
  if (keepAlive !== undefined && maxSignalDuration !== undefined && keepAlive > maxSignalDuration) {
    reader.problem("rule/duration-order", "options.maxSignalDuration", `maxSignalDuration (${maxSignalDuration} s) is shorter than keepAlive (${keepAlive} s)`, `set maxSignalDuration to at least ${keepAlive}`);
  }
  methodOptions(members, detectionMethod, reader);
  return {
    detectionMethod,
    evaluationWindowMs: (evaluationWindow ?? 0) * 1000,
    keepAliveMs: (keepAlive ?? 0) * 1000,
    maxSignalDurationMs: (maxSignalDuration ?? 86400) * 1000,
    decreaseCriticalityBasedOnEnv: reader.flag(members, "decreaseCriticalityBasedOnEnv", "options", false),
  };
}

function duration(members: Members, name: string, fallback: number, reader: Reader): number | undefined {
  const value = members[name];
  if (value === undefined || value === null) return fallback;
  if (typeof value === "number" && DURATIONS.includes(value)) return value;
  reader.problem("rule/bad-duration", `options.${name}`, `${JSON.stringify(value)} is not a duration this accepts`, `use one of ${DURATIONS.join(", ")} seconds`);
  return undefined;
}

/** The other methods' options are checked here even where this release does not run the method. */
function methodOptions(options: Members, method: DetectionMethod, reader: Reader): void {
  const of = (name: string): Members => (isMembers(options[name]) ? options[name] : {});
  const newValue = of("newValueOptions");
  reader.oneOf(newValue.learningMethod, ["duration", "threshold"], "options.newValueOptions.learningMethod", "duration");
  reader.number(newValue, "learningDuration", "options.newValueOptions", 0, 30, 0);
  reader.number(newValue, "learningThreshold", "options.newValueOptions", 0, 1, 0);
  reader.number(newValue, "forgetAfter", "options.newValueOptions", 1, 30, 28);
  const anomaly = of("anomalyDetectionOptions");
  choice(anomaly, "bucketDuration", [300, 600, 900, 1800, 3600, 10800], reader);
  choice(anomaly, "learningDuration", [1, 6, 12, 24, 48, 168, 336], reader);
  reader.number(anomaly, "detectionTolerance", "options.anomalyDetectionOptions", 1, 5, 5);
  reader.number(anomaly, "learningPeriodBaseline", "options.anomalyDetectionOptions", 0, Number.MAX_VALUE, 0);
  const content = of("contentAnomalyOptions");
  reader.number(content, "learningDuration", "options.contentAnomalyOptions", 1, 10, 7);
  reader.number(content, "forgetAfter", "options.contentAnomalyOptions", 1, 10, 7);
  reader.number(content, "similarityPercentageThreshold", "options.contentAnomalyOptions", 35, 100, 70);
  reader.number(content, "nbSimilarItemsThreshold", "options.contentAnomalyOptions", 1, 20, 1);
  if (method === "third_party" && reader.list(of("thirdPartyRuleOptions"), "rootQueries", "options.thirdPartyRuleOptions", true).length > 10) {
    reader.problem("rule/too-many", "options.thirdPartyRuleOptions.rootQueries", "there are more than 10 root queries", "split the rule");
  }
  if (method === "sequence_detection") sequenceOptions(of("sequenceDetectionOptions"), reader);
}

function choice(members: Members, name: string, allowed: readonly number[], reader: Reader): void {
  const value = members[name];
  if (value === undefined || value === null || (typeof value === "number" && allowed.includes(value))) return;
  reader.problem("rule/bad-duration", `options.anomalyDetectionOptions.${name}`, `${JSON.stringify(value)} is not a value this accepts`, `use one of ${allowed.join(", ")}`);
}

function sequenceOptions(options: Members, reader: Reader): void {
  const place = "options.sequenceDetectionOptions";
  const steps = reader.list(options, "steps", place, true).map((step, i) => reader.members(step, `${place}.steps[${i}]`));
  if (steps.length > 10) reader.problem("rule/too-many", `${place}.steps`, "there are more than 10 steps", "keep a sequence to 10 steps");
  const transitions = reader.list(options, "stepTransitions", place, steps.length > 1).map((t, i) => reader.members(t, `${place}.stepTransitions[${i}]`));
  let total = 0;
  transitions.forEach((transition, i) => {
    total += typeof transition.evaluationWindow === "number" ? transition.evaluationWindow : 0;
    if (transition.parent !== steps[i]?.name || transition.child !== steps[i + 1]?.name) {
      reader.problem("rule/bad-sequence", `${place}.stepTransitions[${i}]`, "transitions must lead from each step to the next", "name the steps in order, parent then child");
    }
  });
  if (total > 86400) reader.problem("rule/bad-sequence", `${place}.stepTransitions`, `transitions last ${total} s together`, "keep their sum within 86400 s");
}
