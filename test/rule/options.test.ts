import { describe, expect, test } from "vitest";
import { readRule } from "../../host/rule/wire.ts";
import { type Wire, faults, methodRule, options, problemsOf, rule } from "./support.ts";

const durations = [0, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
const withOptions = (changes: Wire): Wire => rule({ options: { ...options, ...changes } });

describe("durations", () => {
  test.each(durations)("[DE-50] [DE-51] [DE-52] %i seconds for all three", (seconds) => {
    expect(faults(withOptions({ evaluationWindow: seconds, keepAlive: seconds, maxSignalDuration: seconds }))).toEqual([]);
  });

  test.each<[string, Wire, string[]]>([
    ["a window off the list", { evaluationWindow: 120 }, ["rule/bad-duration options.evaluationWindow"]],
    ["a keep alive off the list", { keepAlive: 3601 }, ["rule/bad-duration options.keepAlive"]],
    ["a maximum off the list", { maxSignalDuration: 604800 }, ["rule/bad-duration options.maxSignalDuration"]],
    ["a negative window", { evaluationWindow: -60 }, ["rule/bad-duration options.evaluationWindow"]],
    ["a window in quotes", { evaluationWindow: "300" }, ["rule/bad-duration options.evaluationWindow"]],
    ["half a second", { evaluationWindow: 0.5 }, ["rule/bad-duration options.evaluationWindow"]],
    ["window over keep alive", { evaluationWindow: 3600, keepAlive: 600 }, ["rule/duration-order options.keepAlive"]],
    ["keep alive over maximum", { keepAlive: 7200, maxSignalDuration: 3600 }, ["rule/duration-order options.maxSignalDuration"]],
    ["both", { evaluationWindow: 3600, keepAlive: 1800, maxSignalDuration: 900 }, ["rule/duration-order options.keepAlive", "rule/duration-order options.maxSignalDuration"]],
    ["window over an absent keep alive", { evaluationWindow: 300, keepAlive: undefined }, ["rule/duration-order options.keepAlive"]],
    ["an unknown method", { detectionMethod: "treshold" }, ["rule/unknown-value options.detectionMethod"]],
    ["a flag that is a number", { decreaseCriticalityBasedOnEnv: 1 }, ["rule/wrong-type options.decreaseCriticalityBasedOnEnv"]],
    ["an unknown member", { keepalive: 5 }, ["rule/unknown-field options.keepalive"]],
    ["options of another method", { newValueOptions: { forgetAfter: 7 } }, ["rule/unused-options options.newValueOptions"]],
  ])("[DE-53] %s", (_name, changes, expected) => expect(faults(withOptions(changes))).toEqual(expected));

  test.each(["third_party", "impossible_travel", "sequence_detection"])("%s does not look at the window, so its order does not matter", (method) => {
    expect(faults(rule({ options: { detectionMethod: method, evaluationWindow: 3600, keepAlive: 0, maxSignalDuration: 86400 } })).filter((fault) => fault.includes("duration"))).toEqual([]);
    expect(faults(rule({ options: { detectionMethod: method, keepAlive: 3600, maxSignalDuration: 60 } }))).toContain("rule/duration-order options.maxSignalDuration");
  });

  test("a number in quotes: the hint says to take them off", () => {
    expect(problemsOf(withOptions({ evaluationWindow: "300" }))[0]!.hint).toBe("write 300 without quotes");
  });
});

describe("new value", () => {
  const newValue = (method: Wire, query: Wire = {}, changes: Wire = {}): Wire => methodRule("new_value", { newValueOptions: method }, { aggregation: "new_value", metrics: ["@usr.id"], ...query }, changes);

  test("[DE-11] defaults: learning by time, forgotten after 28 days", () => {
    expect(readRule(newValue({})).options.method).toEqual({ kind: "new_value", learning: { kind: "duration", days: 0 }, forgetAfterDays: 28, instantaneousBaseline: false });
  });

  test("[DE-12] [DE-15] as given", () => {
    expect(readRule(newValue({ learningMethod: "threshold", learningThreshold: 1, learningDuration: 7, forgetAfter: 21, instantaneousBaseline: true })).options.method)
      .toEqual({ kind: "new_value", learning: { kind: "threshold", values: 1 }, forgetAfterDays: 21, instantaneousBaseline: true });
  });

  test.each<[string, Wire, string[]]>([
    ["learning of another kind", newValue({ learningMethod: "guess" }), ["rule/unknown-value options.newValueOptions.learningMethod"]],
    ["31 days of learning", newValue({ learningDuration: 31 }), ["rule/out-of-range options.newValueOptions.learningDuration"]],
    ["half a day", newValue({ learningDuration: 0.5 }), ["rule/out-of-range options.newValueOptions.learningDuration"]],
    ["a threshold of 2", newValue({ learningThreshold: 2 }), ["rule/out-of-range options.newValueOptions.learningThreshold"]],
    ["forgetting at once", newValue({ forgetAfter: 0 }), ["rule/out-of-range options.newValueOptions.forgetAfter"]],
    ["never forgetting", newValue({ forgetAfter: 31 }), ["rule/out-of-range options.newValueOptions.forgetAfter"]],
    ["options that are a list", newValue([] as unknown as Wire), ["rule/wrong-type options.newValueOptions"]],
    ["no metric", newValue({}, { metrics: [] }), ["rule/missing-metric queries[0].metrics"]],
    ["[DE-14] six metrics", newValue({}, { metrics: ["@a", "@b", "@c", "@d", "@e", "@f"] }), ["rule/missing-metric queries[0].metrics"]],
    ["another aggregation", newValue({}, { aggregation: "count" }), ["rule/bad-aggregation queries[0].aggregation"]],
    ["two queries", newValue({}, {}, { queries: [{ query: "a", metrics: ["@a"] }, { query: "b", metrics: ["@a"] }] }), ["rule/too-many queries"]],
    ["a condition", newValue({}, {}, { cases: [{ status: "low", condition: "a > 1" }] }), ["rule/unused-condition cases[0].condition"]],
    ["two cases", newValue({}, {}, { cases: [{ status: "low" }, { status: "high" }] }), ["rule/unused-case cases[1]"]],
  ])("%s", (_name, wire, expected) => expect(faults(wire)).toEqual(expected));

  test("[DE-14] five metrics, and an aggregation left out", () => {
    expect(faults(newValue({}, { aggregation: undefined, metrics: ["@a", "@b", "@c", "@d", "@e"] }))).toEqual([]);
  });
});

describe("volume anomaly", () => {
  const anomaly = (method: Wire, query: Wire = {}, changes: Wire = {}): Wire =>
    methodRule("anomaly_detection", { anomalyDetectionOptions: method }, query, { cases: [{ name: "", status: "low", condition: "a > 0.995" }], ...changes });

  test("[DE-17] defaults and the percentile", () => {
    const read = readRule(anomaly({}));
    expect(read.options.method).toEqual({ kind: "anomaly_detection", bucketSeconds: 300, tolerance: 5, learningHours: 24, instantaneousBaseline: false });
    expect(read.cases[0]).toMatchObject({ percentile: 0.995, condition: undefined, conditionText: "a > 0.995" });
  });

  test.each([300, 600, 900, 1800, 3600, 10800])("bucket of %i s", (bucketDuration) => expect(faults(anomaly({ bucketDuration }))).toEqual([]));
  test.each([1, 6, 12, 24, 48, 168, 336])("%i h of learning", (learningDuration) => expect(faults(anomaly({ learningDuration }))).toEqual([]));

  test.each<[string, Wire, string[]]>([
    ["a bucket off the list", anomaly({ bucketDuration: 60 }), ["rule/bad-duration options.anomalyDetectionOptions.bucketDuration"]],
    ["learning off the list", anomaly({ learningDuration: 5 }), ["rule/bad-duration options.anomalyDetectionOptions.learningDuration"]],
    ["a tolerance of 0", anomaly({ detectionTolerance: 0 }), ["rule/out-of-range options.anomalyDetectionOptions.detectionTolerance"]],
    ["a tolerance of 6", anomaly({ detectionTolerance: 6 }), ["rule/out-of-range options.anomalyDetectionOptions.detectionTolerance"]],
    ["a negative baseline", anomaly({ learningPeriodBaseline: -1 }), ["rule/out-of-range options.anomalyDetectionOptions.learningPeriodBaseline"]],
    ["two queries", anomaly({}, {}, { queries: [{ query: "a" }, { query: "b" }] }), ["rule/too-many queries"]],
    ["a maximum", anomaly({}, { aggregation: "max", metrics: ["@a"] }), ["rule/bad-aggregation queries[0].aggregation"]],
    ["two comparisons", anomaly({}, {}, { cases: [{ status: "low", condition: "a > 1 && a > 2" }] }), ["rule/bad-condition cases[0].condition"]],
    ["a factor", anomaly({}, {}, { cases: [{ status: "low", condition: "2 * a > 1" }] }), ["rule/bad-condition cases[0].condition"]],
    ["a percentile of 0", anomaly({}, {}, { cases: [{ status: "low", condition: "a > 0" }] }), ["rule/bad-number cases[0].condition"]],
  ])("%s", (_name, wire, expected) => expect(faults(wire)).toEqual(expected));

  test("[DE-20] cardinality and sum are counted too, and the window is kept as sent", () => {
    expect(faults(anomaly({}, { aggregation: "cardinality", distinctFields: ["@a"] }))).toEqual([]);
    expect(readRule(anomaly({}, { aggregation: "sum", metrics: ["@a"] })).options.evaluationWindowMs).toBe(300_000);
  });

  test("a baseline for the time of learning", () => {
    expect(readRule(anomaly({ learningPeriodBaseline: 0 })).options.method).toMatchObject({ learningBaseline: 0 });
  });
});

describe.each(["content_anomaly", "anomaly_threshold"])("content anomaly as %s", (method) => {
  const content = (contentAnomalyOptions: Wire, query: Wire = {}): Wire => methodRule(method, { contentAnomalyOptions }, query, { cases: [{ name: "", status: "low", condition: "a >= 3" }] });

  test("[DE-25] [DE-26] [DE-28] defaults, and the method keeps the name it was given", () => {
    const { options: read } = readRule(content({}));
    expect(read).toMatchObject({ detectionMethod: method, method: { kind: "content_anomaly", learningDays: 7, forgetAfterDays: 7, similarityPercent: 70, similarItems: 1 } });
  });

  test.each<[string, Wire]>([
    ["learningDuration", { learningDuration: 0 }], ["learningDuration", { learningDuration: 11 }],
    ["forgetAfter", { forgetAfter: 0 }], ["forgetAfter", { forgetAfter: 11 }],
    ["similarityPercentageThreshold", { similarityPercentageThreshold: 34 }], ["similarityPercentageThreshold", { similarityPercentageThreshold: 101 }],
    ["nbSimilarItemsThreshold", { nbSimilarItemsThreshold: 0 }], ["nbSimilarItemsThreshold", { nbSimilarItemsThreshold: 21 }],
    ["nbSimilarItemsThreshold", { nbSimilarItemsThreshold: 1.5 }],
  ])("%s out of range", (member, given) => expect(faults(content(given))).toEqual([`rule/out-of-range options.contentAnomalyOptions.${member}`]));

  test("[DE-24] [DE-27] fields, window and condition", () => {
    const read = readRule(content({}, { metrics: ["@cmd", "message"] }));
    expect(read.queries[0]!.metrics).toHaveLength(2);
    expect(read.cases[0]!.condition!.first).toMatchObject({ kind: "compare", op: ">=", right: 3 });
  });
});

describe("impossible travel", () => {
  const travel = (method: Wire, query: Wire = {}, changes: Wire = {}): Wire =>
    methodRule("impossible_travel", { impossibleTravelOptions: method }, { aggregation: "geo_data", metrics: ["@network.client.geoip"], groupByFields: ["@usr.id"], ...query }, changes);

  test("[DE-33] the baseline is off, or lasts a day", () => {
    expect(readRule(travel({})).options.method).toEqual({ kind: "impossible_travel" });
    expect(readRule(travel({ baselineUserLocations: true })).options.method).toEqual({ kind: "impossible_travel", baselineDays: 1 });
    expect(readRule(travel({ baselineUserLocations: true, baselineUserLocationsDuration: 7, detectIpTransition: true })).options.method).toEqual({ kind: "impossible_travel", baselineDays: 7 });
  });

  test("[DE-34] no condition is needed, nor does an empty one matter", () => {
    expect(faults(travel({}, {}, { cases: [{ status: "high", condition: "" }] }))).toEqual([]);
  });

  test.each<[string, Wire, string[]]>([
    ["[DE-32] another metric", travel({}, { metrics: ["@usr.location"] }), ["rule/bad-metric queries[0].metrics"]],
    ["[DE-32] another metric, told the old way", travel({}, { metrics: undefined, metric: "@x" }), ["rule/bad-metric queries[0].metrics"]],
    ["another aggregation", travel({}, { aggregation: "count", metrics: [] }), ["rule/bad-aggregation queries[0].aggregation"]],
    ["a flag in quotes", travel({ baselineUserLocations: "yes" }), ["rule/wrong-type options.impossibleTravelOptions.baselineUserLocations"]],
    ["a negative duration", travel({ baselineUserLocationsDuration: -1 }), ["rule/out-of-range options.impossibleTravelOptions.baselineUserLocationsDuration"]],
  ])("%s", (_name, wire, expected) => expect(faults(wire)).toEqual(expected));
});

describe("third party", () => {
  const root = { query: "source:edr", groupByFields: ["@host.name"] };
  const vendor = (method: Wire, changes: Wire = {}): Wire => rule({
    options: { detectionMethod: "third_party", keepAlive: 0, maxSignalDuration: 86400, thirdPartyRuleOptions: { rootQueries: [root], ...method } },
    queries: [], cases: [], thirdPartyCases: [{ name: "High", query: "@severity:High", status: "high" }], ...changes,
  });

  test("[DE-35] [DE-37] root queries and cases by query", () => {
    const read = readRule(vendor({ rootQueries: [root, { query: "*" }], signalTitleTemplate: "{{@title}}" }));
    expect(read.options.method).toMatchObject({ kind: "third_party", rootQueries: [{ text: "source:edr", groupByNames: ["@host.name"] }, { text: "*", groupBy: [] }], defaultSeverity: "info", signalTitleTemplate: "{{@title}}" });
    expect(read.cases).toMatchObject([{ name: "High", severity: "high", query: { text: "@severity:High" } }]);
  });

  test("flat cases take the query of their position", () => {
    const read = readRule(vendor({}, { thirdPartyCases: undefined, queries: [{ query: "@severity:High", aggregation: "none" }], cases: [{ name: "High", status: "high" }] }));
    expect(read.cases).toMatchObject([{ name: "High", query: { text: "@severity:High" } }]);
  });

  test.each<[string, Wire, string[]]>([
    ["no root query", vendor({ rootQueries: [] }), ["rule/too-few options.thirdPartyRuleOptions.rootQueries"]],
    ["no root queries", vendor({ rootQueries: undefined }), ["rule/missing-field options.thirdPartyRuleOptions.rootQueries"]],
    ["a blank root query", vendor({ rootQueries: [{ query: "" }] }), ["rule/empty-query options.thirdPartyRuleOptions.rootQueries[0].query"]],
    ["a root query that does not parse", vendor({ rootQueries: [{ query: "a AND" }] }), ["query/missing-operand options.thirdPartyRuleOptions.rootQueries[0].query"]],
    ["an unknown default", vendor({ defaultStatus: "none" }), ["rule/unknown-value options.thirdPartyRuleOptions.defaultStatus"]],
    ["a case without a query", vendor({}, { thirdPartyCases: [{ status: "low" }] }), ["rule/missing-field thirdPartyCases[0].query"]],
    ["a case with a blank query", vendor({}, { thirdPartyCases: [{ status: "low", query: "" }] }), ["rule/empty-query thirdPartyCases[0].query"]],
    ["a case without a status", vendor({}, { thirdPartyCases: [{ query: "a" }] }), ["rule/missing-field thirdPartyCases[0].status"]],
    ["no case at all", vendor({}, { thirdPartyCases: [] }), ["rule/too-few thirdPartyCases"]],
    ["flat cases without queries", vendor({}, { thirdPartyCases: undefined, cases: [{ status: "low" }] }), ["rule/case-without-query cases"]],
    ["neither form of cases", vendor({}, { thirdPartyCases: undefined, cases: undefined }), ["rule/missing-field cases"]],
    ["eleven cases", vendor({}, { thirdPartyCases: Array.from({ length: 11 }, () => ({ query: "a", status: "low" })) }), ["rule/too-many thirdPartyCases"]],
    ["third-party cases of another method", rule({ thirdPartyCases: [{ query: "a", status: "low" }] }), ["rule/unused-field thirdPartyCases"]],
  ])("%s", (_name, wire, expected) => expect(faults(wire)).toEqual(expected));
});

describe("sequence", () => {
  const steps = [{ name: "create", condition: "a > 0", evaluationWindow: 60 }, { name: "attach", condition: "b > 0", evaluationWindow: 60 }];
  const sequence = (method: Wire, changes: Wire = {}): Wire => rule({
    options: { ...options, detectionMethod: "sequence_detection", evaluationWindow: 0, sequenceDetectionOptions: { steps, stepTransitions: [{ parent: "create", child: "attach", evaluationWindow: 900 }], ...method } },
    queries: [{ query: "@evt.name:CreateUser" }, { query: "@evt.name:AttachUserPolicy" }], cases: [{ name: "", status: "critical", condition: "attach > 0" }], ...changes,
  });
  const chain = (count: number, seconds = 60) => ({
    steps: Array.from({ length: count }, (_, i) => ({ name: `s${i}`, condition: "a > 0" })),
    stepTransitions: Array.from({ length: count - 1 }, (_, i) => ({ parent: `s${i}`, child: `s${i + 1}`, evaluationWindow: seconds })),
  });
  const lastCase = (count: number) => ({ cases: [{ status: "low", condition: `s${count - 1} > 0` }] });
  const at = "options.sequenceDetectionOptions";

  test("steps with their conditions, and the times between them", () => {
    expect(readRule(sequence({})).options.method).toMatchObject({ kind: "sequence_detection", steps: [{ name: "create", windowMs: 60_000, condition: { first: { left: { label: "a" } } } }, { name: "attach" }], transitionMs: [900_000] });
  });

  test("ten steps", () => expect(faults(sequence(chain(10), lastCase(10)))).toEqual([]));

  test.each<[string, Wire, string[]]>([
    ["eleven steps", sequence(chain(11), lastCase(11)), [`rule/too-many ${at}.steps`]],
    ["no step", sequence({ steps: [], stepTransitions: [] }), [`rule/too-few ${at}.steps`]],
    ["more than a day", sequence(chain(3, 86400), lastCase(3)), [`rule/bad-sequence ${at}.stepTransitions`]],
    ["a transition that leads nowhere", sequence({ stepTransitions: [{ parent: "create", child: "create", evaluationWindow: 60 }] }), [`rule/bad-sequence ${at}.stepTransitions[0]`]],
    ["a transition back", sequence({ stepTransitions: [{ parent: "attach", child: "create", evaluationWindow: 60 }] }), [`rule/bad-sequence ${at}.stepTransitions[0]`]],
    ["no transition", sequence({ stepTransitions: [] }), [`rule/bad-sequence ${at}.stepTransitions`]],
    ["transitions missing", sequence({ stepTransitions: undefined }), [`rule/missing-field ${at}.stepTransitions`]],
    ["a transition off the list", sequence({ stepTransitions: [{ parent: "create", child: "attach", evaluationWindow: 100 }] }), [`rule/bad-duration ${at}.stepTransitions[0].evaluationWindow`]],
    ["a step off the list", sequence({ steps: [{ ...steps[0], evaluationWindow: 5 }, steps[1]] }), [`rule/bad-duration ${at}.steps[0].evaluationWindow`]],
    ["a step without a condition", sequence({ steps: [{ name: "create" }, steps[1]] }), [`rule/missing-field ${at}.steps[0].condition`]],
    ["a step with an unknown query", sequence({ steps: [{ name: "create", condition: "z > 0" }, steps[1]] }), [`rule/unknown-label ${at}.steps[0].condition`]],
    ["a step with THEN", sequence({ steps: [{ name: "create", condition: "a > 0 THEN b > 0" }, steps[1]] }), [`rule/misplaced-then ${at}.steps[0].condition`]],
    ["steps of one name", sequence({ steps: [steps[0], { ...steps[1], name: "create" }] }, { cases: [{ status: "low", condition: "create > 0" }] }), [`rule/duplicate-label ${at}.steps[1].name`, `rule/bad-sequence ${at}.stepTransitions[0]`]],
    ["a step that cannot be a label", sequence({ steps: [{ ...steps[0], name: "Create" }, steps[1]] }), [`rule/bad-label ${at}.steps[0].name`, `rule/bad-sequence ${at}.stepTransitions[0]`]],
    ["a case over a query", sequence({}, { cases: [{ status: "low", condition: "a > 0" }] }), ["rule/unknown-label cases[0].condition"]],
    ["a case with THEN", sequence({}, { cases: [{ status: "low", condition: "create > 0 THEN attach > 0" }] }), ["rule/misplaced-then cases[0].condition"]],
    ["a case without a condition", sequence({}, { cases: [{ status: "low" }] }), ["rule/missing-field cases[0].condition"]],
    ["two cases", sequence({}, { cases: [{ status: "low", condition: "attach > 0" }, { status: "low", condition: "attach > 1" }] }), ["rule/too-many cases"]],
  ])("%s", (_name, wire, expected) => expect(faults(wire)).toEqual(expected));
});

describe("hardcoded evaluators", () => {
  test("log4shell", () => expect(readRule(methodRule("hardcoded", { hardcodedEvaluatorType: "log4shell" }, { aggregation: "none" })).options.method).toEqual({ kind: "hardcoded", evaluator: "log4shell" }));
  test("another one", () => expect(faults(methodRule("hardcoded", { hardcodedEvaluatorType: "shellshock" }))).toEqual(["rule/unknown-value options.hardcodedEvaluatorType"]));
  test("none", () => expect(faults(methodRule("hardcoded", {}))).toEqual(["rule/missing-field options.hardcodedEvaluatorType"]));
});

describe("schedules", () => {
  const scheduled = (schedulingOptions: unknown, changes: Wire = {}): Wire => rule({ schedulingOptions, ...changes });

  test.each(["FREQ=DAILY", "FREQ=HOURLY;INTERVAL=2", "RRULE:FREQ=WEEKLY;BYDAY=MO", "freq=monthly", "FREQ=MINUTELY;INTERVAL=60"])("%s", (rrule) => {
    expect(faults(scheduled({ rrule, start: "2026-03-01T10:00:00", timezone: "Europe/Paris" }))).toEqual([]);
  });

  test.each<[string, unknown, string[]]>([
    ["no recurrence", { timezone: "UTC" }, ["rule/missing-field schedulingOptions.rrule"]],
    ["an empty recurrence", { rrule: "" }, ["rule/missing-field schedulingOptions.rrule"]],
    ["DTSTART", { rrule: "DTSTART:20260301T100000Z;FREQ=DAILY" }, ["rule/bad-schedule schedulingOptions.rrule"]],
    ["DTEND", { rrule: "FREQ=DAILY;DTEND=20260301" }, ["rule/bad-schedule schedulingOptions.rrule"]],
    ["DURATION", { rrule: "FREQ=DAILY;DURATION=PT1H" }, ["rule/bad-schedule schedulingOptions.rrule"]],
    ["DTSTART on a line of its own", { rrule: "DTSTART;TZID=Europe/Paris:20260301T100000\nFREQ=DAILY" }, ["rule/bad-schedule schedulingOptions.rrule"]],
    ["every minute", { rrule: "FREQ=MINUTELY" }, ["rule/bad-schedule schedulingOptions.rrule"]],
    ["no frequency", { rrule: "INTERVAL=2" }, ["rule/bad-schedule schedulingOptions.rrule"]],
    ["another frequency", { rrule: "FREQ=OFTEN" }, ["rule/bad-schedule schedulingOptions.rrule"]],
    ["an interval of 0", { rrule: "FREQ=DAILY;INTERVAL=0" }, ["rule/bad-schedule schedulingOptions.rrule"]],
    ["another start", { rrule: "FREQ=DAILY", start: "soon" }, ["rule/bad-schedule schedulingOptions.start"]],
    ["another zone", { rrule: "FREQ=DAILY", timezone: "Mars/Olympus" }, ["rule/bad-schedule schedulingOptions.timezone"]],
    ["a text", "daily", ["rule/wrong-type schedulingOptions"]],
  ])("%s", (_name, schedule, expected) => expect(faults(scheduled(schedule))).toEqual(expect.arrayContaining(expected)));

  test("calculated fields and indexes belong to them", () => {
    const wire = scheduled({ rrule: "FREQ=DAILY" }, { calculatedFields: [{ name: "x", expression: "@a + 1" }], queries: [{ query: "a", indexes: ["main"] }], cases: [{ status: "low" }] });
    expect(faults(wire)).toEqual([]);
    expect(readRule(wire)).toMatchObject({ schedule: { rrule: "FREQ=DAILY" }, calculatedFields: [{ name: "x", expression: "@a + 1" }] });
  });
});
