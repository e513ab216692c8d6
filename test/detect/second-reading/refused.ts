import { type Refused, kase, q, rule } from "./words.ts";

type Members = Record<string, unknown>;

const without = (name: string): Members => Object.fromEntries(Object.entries(rule(["a > 0"])).filter(([key]) => key !== name));
const no = (at: string, says: string, target: string, payload: Members): Refused => ({ at, says, rule: payload, target });
const query = (more: Members): Members => rule(["a > 0"], [q("a", more)]);
const options = (more: Members): Members => rule(["a > 0"], [q("a")], more);
const condition = (text: unknown, names = ["a", "b"]): Members => rule([{ name: "", status: "low", condition: text }], names.map((name) => q(name)));
const method = (detectionMethod: string, more: Members, queries: readonly unknown[], cases: readonly unknown[] = [kase("", "low")]): Members => rule(cases, queries, { detectionMethod, evaluationWindow: 0, ...more });
const newValue = (newValueOptions: Members): Members => method("new_value", { newValueOptions }, [q("a", { aggregation: "new_value", metrics: ["@v"] })]);
const anomaly = (anomalyDetectionOptions: Members, text = "a > 0.995"): Members => method("anomaly_detection", { anomalyDetectionOptions }, [q("a")], [kase("", "low", text)]);
const content = (contentAnomalyOptions: Members): Members => method("content_anomaly", { contentAnomalyOptions }, [q("a")], [kase("", "low", "a > 0")]);
const travel = (impossibleTravelOptions: Members, metrics: readonly string[] = ["@network.client.geoip"]): Members => method("impossible_travel", { impossibleTravelOptions }, [q("a", { aggregation: "geo_data", metrics })]);
const vendor = (thirdPartyRuleOptions: Members, more: Members = {}): Members => ({
  ...rule([], [], { detectionMethod: "third_party", thirdPartyRuleOptions }), cases: [], queries: [], thirdPartyCases: [{ name: "x", status: "high", query: "@s:1" }], ...more,
});
const step = (name: string, text = "a > 0", evaluationWindow = 0): Members => ({ name, condition: text, evaluationWindow });
const steps = (list: readonly unknown[], transitions: readonly unknown[], cases: readonly unknown[] = [kase("", "low", "s1 > 0")], queries: readonly unknown[] = [q("a"), q("b")]): Members =>
  method("sequence_detection", { sequenceDetectionOptions: { steps: list, stepTransitions: transitions } }, queries, cases);
const link = (parent: string, child: string, evaluationWindow: number): Members => ({ parent, child, evaluationWindow });
const of = (ruleId: string, more: Members = {}): Members => ({ name: "a", ruleId, aggregation: "event_count", correlatedByFields: ["@u"], ...more });
const correlation = (queries: readonly unknown[], more: Members = {}): Members => rule(["a > 0"], queries, {}, { type: "signal_correlation", ...more });

const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

export const refused: readonly Refused[] = [
  ...["name", "message", "isEnabled", "queries", "cases", "options"].map((name) => no("2.1", `${name} is required`, name, without(name))),
  no("2.1", "a type that is none", "type", { ...rule(["a > 0"]), type: "log" }),
  no("2.1", "a status that is none", "cases[0].status", rule([kase("", "severe", "a > 0")])),
  no("2.1", "a case without status", "cases[1].status", rule(["a > 0", { name: "x", condition: "a > 1" }])),
  no("2.1", "a custom status that is none", "cases[0].customStatus", rule([kase("", "low", "a > 0", { customStatus: "urgent" })])),
  no("2.1", "an action that is none", "cases[0].actions[0].type", rule([kase("", "low", "a > 0", { actions: [{ type: "block_all" }] })])),
  no("2.1", "a data source that is none", "queries[0].dataSource", query({ dataSource: "metrics" })),
  no("2.1", "an aggregation that is none", "queries[0].aggregation", query({ aggregation: "avg" })),
  no("2.1", "calculated fields only with a schedule", "calculatedFields", rule(["a > 0"], [q("a")], {}, { calculatedFields: [{ name: "x", expression: "1" }] })),
  no("2.1", "a method that is none", "options.detectionMethod", options({ detectionMethod: "magic" })),

  no("2.2", "blank query", "queries[0].query", query({ query: "" })),
  no("2.2", "a query of blanks", "queries[0].query", query({ query: " \t " })),
  no("2.2", "the second query is blank", "queries[1].query", rule(["a > 0"], [q("a"), q("b", { query: "" })])),
  no("2.2", "cardinality without fields", "queries[0].distinctFields", query({ aggregation: "cardinality" })),
  no("2.2", "cardinality with an empty list", "queries[0].distinctFields", query({ aggregation: "cardinality", distinctFields: [] })),
  no("2.2", "sum without a metric", "queries[0].metrics", query({ aggregation: "sum" })),
  no("2.2", "max without a metric", "queries[0].metrics", query({ aggregation: "max", metrics: [] })),
  no("2.2", "new_value without a metric", "queries[0].metrics", method("new_value", {}, [q("a", { aggregation: "new_value" })])),
  no("2.2", "new_value with six metrics", "queries[0].metrics", method("new_value", {}, [q("a", { aggregation: "new_value", metrics: many(6, (i) => `@v${i}`) })])),
  no("2.2", "geo_data looks at one metric only", "queries[0].metrics", travel({}, ["@geo"])),
  no("2.2", "its older form too", "queries[0].metrics", method("impossible_travel", {}, [q("a", { aggregation: "geo_data", metric: "@network.destination.geoip" })])),
  no("2.2", "none with distinct fields", "queries[0].distinctFields", method("hardcoded", { hardcodedEvaluatorType: "log4shell" }, [q("a", { aggregation: "none", distinctFields: ["@v"] })])),
  no("2.2", "none with metrics", "queries[0].metrics", method("hardcoded", { hardcodedEvaluatorType: "log4shell" }, [q("a", { aggregation: "none", metrics: ["@v"] })])),
  no("2.2", "event_count with metrics", "queries[0].metrics", correlation([of("x", { metrics: ["@v"] })])),
  no("2.2", "event_count with distinct fields", "queries[0].distinctFields", correlation([of("x", { distinctFields: ["@v"] })])),
  no("2.2", "eleven queries", "queries", rule(["q0 > 0"], many(11, (i) => q(`q${i}`)))),
  no("2.2", "eleven cases", "cases", rule(many(11, (i) => kase(`${i}`, "low", `a > ${i}`)))),
  no("2.2", "no case at all", "cases", rule([])),
  no("2.2", "no query at all", "queries", rule(["a > 0"], [])),
  no("2.2", "a query that does not parse", "queries[0].query", query({ query: "@a:(1 OR" })),
  no("2.2", "two queries of one label", "queries[1].name", rule(["a > 0"], [q("a"), q("a")])),
  no("2.2", "an unnamed query takes the label of its position", "queries[1].name", rule(["b > 0"], [q("b"), q("", { query: "@k:x" })])),
  no("2.2", "a label with a capital", "queries[0].name", rule(["a > 0"], [q("Failed")])),
  no("2.2", "a label that begins with a digit", "queries[0].name", rule(["a > 0"], [q("1st")])),
  no("2.2", "a label with a dash", "queries[0].name", rule(["a > 0"], [q("a-b")])),
  no("2.2", "a label that begins with _", "queries[0].name", rule(["a > 0"], [q("_a")])),

  ...["evaluationWindow", "keepAlive", "maxSignalDuration"].flatMap((name) => [120, 1, -60, 300.5, 90000, "300"].map((value) =>
    no("2.3", `${name} ${JSON.stringify(value)}`, `options.${name}`, options({ [name]: value })))),
  no("2.3", "window longer than keepAlive", "options.keepAlive", options({ evaluationWindow: 600, keepAlive: 300 })),
  no("2.3", "keepAlive is 0 where absent", "options.keepAlive", options({ evaluationWindow: 60, keepAlive: undefined })),
  no("2.3", "keepAlive longer than the maximum", "options.maxSignalDuration", options({ keepAlive: 3600, maxSignalDuration: 1800 })),
  no("2.3", "so for new values too", "options.keepAlive", method("new_value", { evaluationWindow: 300, keepAlive: 60 }, [q("a", { aggregation: "new_value", metrics: ["@v"] })])),
  no("2.3", "third party does keep the second inequality", "options.maxSignalDuration", vendor({ rootQueries: [{ query: "*", groupByFields: [] }] }, { options: { detectionMethod: "third_party", keepAlive: 86400, maxSignalDuration: 3600, thirdPartyRuleOptions: { rootQueries: [{ query: "*", groupByFields: [] }] } } })),
  no("2.3", "learning longer than 30 days", "options.newValueOptions.learningDuration", newValue({ learningDuration: 31 })),
  no("2.3", "learning below 0", "options.newValueOptions.learningDuration", newValue({ learningDuration: -1 })),
  no("2.3", "learning method", "options.newValueOptions.learningMethod", newValue({ learningMethod: "count" })),
  no("2.3", "learning threshold 2", "options.newValueOptions.learningThreshold", newValue({ learningMethod: "threshold", learningThreshold: 2 })),
  no("2.3", "forgetting after 0 days", "options.newValueOptions.forgetAfter", newValue({ forgetAfter: 0 })),
  no("2.3", "forgetting after 31 days", "options.newValueOptions.forgetAfter", newValue({ forgetAfter: 31 })),
  no("2.3", "buckets of two minutes", "options.anomalyDetectionOptions.bucketDuration", anomaly({ bucketDuration: 120 })),
  no("2.3", "tolerance 0", "options.anomalyDetectionOptions.detectionTolerance", anomaly({ detectionTolerance: 0 })),
  no("2.3", "tolerance 6", "options.anomalyDetectionOptions.detectionTolerance", anomaly({ detectionTolerance: 6 })),
  no("2.3", "learning of two hours", "options.anomalyDetectionOptions.learningDuration", anomaly({ learningDuration: 2 })),
  no("2.3", "a baseline below 0", "options.anomalyDetectionOptions.learningPeriodBaseline", anomaly({ learningPeriodBaseline: -1 })),
  no("2.3", "no root query", "options.thirdPartyRuleOptions.rootQueries", vendor({})),
  no("2.3", "a default status that is none", "options.thirdPartyRuleOptions.defaultStatus", vendor({ rootQueries: [{ query: "*", groupByFields: [] }], defaultStatus: "bad" })),
  no("2.3", "eleven steps", "options.sequenceDetectionOptions.steps", steps(many(11, (i) => step(`s${i}`)), many(10, (i) => link(`s${i}`, `s${i + 1}`, 60)), [kase("", "low", "s10 > 0")])),

  no("2.4", "a field that no query groups by", "groupSignalsBy", rule(["a > 0"], [q("a")], {}, { groupSignalsBy: ["@other"] })),
  no("2.4", "one of two", "groupSignalsBy", rule(["a > 0"], [q("a")], {}, { groupSignalsBy: ["@u", "@other"] })),
  no("2.5", "an extension that does not parse", "queries[0].customQueryExtension", query({ customQueryExtension: "(@a:1" })),

  no("4.4", "queries grouped by unequal numbers of fields", "queries[1].groupByFields", rule(["a > 0 && b > 0"], [q("a"), q("b", { groupByFields: ["@u", "@v"] })])),
  ...([
    ["a number before the operator", "3 < a"], ["an unknown label", "c > 1"], ["==", "a == 1"], ["!=", "a != 1"], ["!", "!(a > 1)"], ["! before a label", "!a > 1"], ["=", "a = 1"],
    ["+", "a + b > 3"], ["-", "a - b > 3"], ["/", "a / 2 > 3"], ["%", "a % 2 > 0"], ["a negative number", "a > -1"], ["a decimal", "a > 2.5"], ["a decimal without its zero", "a > .5"],
    ["two THEN", "a > 0 THEN b > 0 THEN a > 1"], ["THEN in parentheses", "(a > 0 THEN b > 0)"], ["THEN in inner parentheses", "a > 1 && (a > 0 THEN b > 0)"], ["something trailing", "a > 1 b"],
    ["a trailing parenthesis", "a > 1)"], ["a missing parenthesis", "(a > 1"], ["an empty text", ""], ["blanks", "   "], ["a label alone", "a"], ["a number alone", "3"], ["an operator without its right side", "a >="],
    ["&& without its right side", "a > 1 &&"], ["|| without its left side", "|| a > 1"], ["a single &", "a > 1 & b > 1"], ["a single |", "a > 1 | b > 1"], ["AND as a word", "a > 1 AND b > 1"], ["OR as a word", "a > 1 or b > 1"],
    ["a product on the right without a label", "a > 2 * 3"], ["a product of two labels", "a * b > 3"], ["two factors", "2 * 3 * a > 1"], ["a comparison of two numbers", "2 > 1"], ["THEN without its left side", "THEN b > 0"],
    ["THEN without its right side", "a > 0 THEN"], ["then as a label", "then > 0"], ["a chain", "1 < a < 5"], ["another chain", "a > 1 > 0"], ["a label in capitals", "A > 1"], ["=>", "a => 1"], ["an exponent", "a > 1e3"],
    ["a factor that is no whole number", "a * 1.5 > 3"], ["empty parentheses", "()"], ["parentheses round a term", "(a) > 3"], ["a number in quotes", "a > '3'"],
  ] as const).map(([says, text]) => no("4.5", says, "cases[0].condition", condition(text))),
  no("4.5", "a condition that is no text", "cases[0].condition", condition(5)),
  no("4.5", "the second case's condition", "cases[1].condition", rule(["a > 1", "a >"])),
  no("4.8", "THEN beside another case", "cases[0].condition", rule(["a > 0 THEN b > 0", "a > 5"], [q("a"), q("b")])),
  no("4.8", "also where it stands in the second", "cases[1].condition", rule(["a > 5", "a > 0 THEN b > 0"], [q("a"), q("b")])),

  ...(["a > 0.9 && a > 0.5", "a > 0.9 || a > 0.5", "a > 0.9 THEN a > 0.5", "2 * a > 0.9", "a * 2 > 0.9", "a < 0.9", "a <= 0.9", "a > 0", "a > 0.0", "b > 0.9", "0.9 > a", "a > a", "a > 1.5"].map((text) =>
    no("6.1", `no percentile: ${text}`, "cases[0].condition", anomaly({}, text)))),
  no("6.1", "exactly one query", "queries", method("anomaly_detection", {}, [q("a"), q("b")], [kase("", "low", "a > 0.99")])),
  no("5", "new value: exactly one query", "queries", method("new_value", {}, [q("a", { aggregation: "new_value", metrics: ["@v"] }), q("b", { aggregation: "new_value", metrics: ["@v"] })])),
  no("7", "impossible travel: exactly one query", "queries", method("impossible_travel", {}, [q("a", { aggregation: "geo_data" }), q("b", { aggregation: "geo_data" })])),
  no("1", "new_value with a count", "queries[0].aggregation", method("new_value", {}, [q("a", { aggregation: "count", metrics: ["@v"] })])),
  no("1", "threshold with new_value", "queries[0].aggregation", query({ aggregation: "new_value", metrics: ["@v"] })),
  no("1", "hardcoded without its evaluator", "options.hardcodedEvaluatorType", method("hardcoded", {}, [q("a", { aggregation: "none" })])),
  no("1", "an evaluator that is none", "options.hardcodedEvaluatorType", method("hardcoded", { hardcodedEvaluatorType: "heartbleed" }, [q("a", { aggregation: "none" })])),
  ...([["learningDuration", 0], ["learningDuration", 11], ["forgetAfter", 0], ["forgetAfter", 11], ["similarityPercentageThreshold", 34], ["similarityPercentageThreshold", 101], ["nbSimilarItemsThreshold", 0], ["nbSimilarItemsThreshold", 21]] as const).map(([name, value]) =>
    no("6.2", `${name} ${value}`, `options.contentAnomalyOptions.${name}`, content({ [name]: value }))),

  no("9", "the sum of transitions is over a day", "options.sequenceDetectionOptions.stepTransitions", steps([step("s0"), step("s1"), step("s2")], [link("s0", "s1", 86400), link("s1", "s2", 60)], [kase("", "low", "s2 > 0")])),
  no("9", "a transition is missing", "options.sequenceDetectionOptions.stepTransitions", steps([step("s0"), step("s1")], [])),
  no("9", "transitions that do not chain", "options.sequenceDetectionOptions.stepTransitions", steps([step("s0"), step("s1")], [link("s1", "s0", 60)])),
  no("9", "a branch", "options.sequenceDetectionOptions.stepTransitions", steps([step("s0"), step("s1"), step("s2")], [link("s0", "s1", 60), link("s0", "s2", 60)], [kase("", "low", "s2 > 0")])),
  no("9", "a case that names a query", "cases[0].condition", steps([step("s0"), step("s1")], [link("s0", "s1", 60)], [kase("", "low", "b > 0")])),
  no("9", "THEN in the case", "cases[0].condition", steps([step("s0"), step("s1")], [link("s0", "s1", 60)], [kase("", "low", "s0 > 0 THEN s1 > 0")])),
  no("9", "THEN in a step", "options.sequenceDetectionOptions.steps[0].condition", steps([step("s0", "a > 0 THEN b > 0"), step("s1")], [link("s0", "s1", 60)])),
  no("9", "a step names an unknown query", "options.sequenceDetectionOptions.steps[1].condition", steps([step("s0"), step("s1", "c > 0")], [link("s0", "s1", 60)])),
  no("9", "a step window off the list", "options.sequenceDetectionOptions.steps[0].evaluationWindow", steps([step("s0", "a > 0", 120), step("s1")], [link("s0", "s1", 60)])),
  no("9", "a transition window off the list", "options.sequenceDetectionOptions.stepTransitions[0].evaluationWindow", steps([step("s0"), step("s1")], [link("s0", "s1", 61)])),
  no("9", "two cases", "cases", steps([step("s0"), step("s1")], [link("s0", "s1", 60)], [kase("", "low", "s1 > 0"), kase("", "low", "s0 > 0")])),
  no("9", "two steps of one name", "options.sequenceDetectionOptions.steps[1].name", steps([step("s0"), step("s0")], [link("s0", "s0", 60)], [kase("", "low", "s0 > 0")])),

  no("10", "four fields to join by", "queries[0].correlatedByFields", correlation([of("x", { correlatedByFields: ["@a", "@b", "@c", "@d"] })])),
  no("10", "a query without its rule", "queries[0].ruleId", correlation([{ name: "a", aggregation: "event_count", correlatedByFields: ["@u"] }])),
  no("10", "a rule that reads its own signals", "queries[0].ruleId", correlation([of("self")], { id: "self" })),
  no("10", "another aggregation", "queries[0].aggregation", correlation([of("x", { aggregation: "sum", metrics: ["@v"] })])),
  no("10", "another method", "options.detectionMethod", rule(["a > 0"], [of("x")], { detectionMethod: "new_value" }, { type: "signal_correlation" })),
  no("13", "a schedule without its recurrence", "schedulingOptions.rrule", rule(["a > 0"], [q("a")], {}, { schedulingOptions: { start: "2024-01-01T00:00:00" } })),
  ...["DTSTART=20240101T000000Z;FREQ=DAILY", "FREQ=DAILY;DTEND=20250101T000000Z", "FREQ=DAILY;DURATION=PT1H", "FREQ=MINUTELY", "FREQ=SECONDLY", "FREQ=NEVER", "FREQ=HOURLY;INTERVAL=0", ""].map((rrule) =>
    no("13", `recurrence ${rrule}`, "schedulingOptions.rrule", rule(["a > 0"], [q("a")], {}, { schedulingOptions: { rrule } }))),
];

const yes = (at: string, says: string, payload: Members): Omit<Refused, "target"> => ({ at, says, rule: payload });

export const accepted: ReadonlyArray<Omit<Refused, "target">> = [
  ...["log_detection", "workload_security", "application_security", "api_security", "workload_activity"].map((type) => yes("2.1", `type ${type}`, { ...rule(["a > 0"]), type })),
  yes("2.1", "no type", Object.fromEntries(Object.entries(rule(["a > 0"])).filter(([key]) => key !== "type"))),
  ...["logs", "audit", "app_sec_spans", "spans", "security_runtime", "network", "events"].map((dataSource) => yes("2.1", `data source ${dataSource}`, query({ dataSource }))),
  yes("2.1", "actions", rule([kase("", "low", "a > 0", { actions: ["block_ip", "block_user", "user_behavior", "flag_ip"].map((type) => ({ type, options: { duration: 60 } })) })])),
  yes("2.1", "calculated fields with a schedule", rule(["a > 0"], [q("a")], {}, { schedulingOptions: { rrule: "FREQ=HOURLY;INTERVAL=2" }, calculatedFields: [{ name: "x", expression: "1 + 1" }] })),
  yes("2.1", "an index on a scheduled rule", rule(["a > 0"], [q("a", { index: "main", indexes: ["main"] })], {}, { schedulingOptions: { rrule: "FREQ=DAILY", timezone: "Europe/Berlin", start: "2024-01-01T00:00:00" } })),
  yes("2.2", "ten queries and ten cases", rule(many(10, (i) => kase(`${i}`, "low", `q${i} > 0`)), many(10, (i) => q(`q${i}`)))),
  yes("2.2", "five metrics of a new value", method("new_value", {}, [q("a", { aggregation: "new_value", metrics: many(5, (i) => `@v${i}`) })])),
  yes("2.2", "the older form of one metric", rule(["a > 0"], [q("a", { aggregation: "sum", metric: "@v" })])),
  yes("2.2", "both forms", travel({ baselineUserLocations: true, baselineUserLocationsDuration: 7, detectIpTransition: true })),
  yes("2.2", "labels with digits and _", rule(["a_1 > 0"], [q("a_1")])),
  ...[0, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400].map((value) => yes("2.3", `durations of ${value}`, options({ evaluationWindow: value, keepAlive: value, maxSignalDuration: value }))),
  yes("2.3", "no durations at all", { ...rule(["a > 0"]), options: {} }),
  yes("2.3", "third party does not look at the window", vendor({}, { options: { detectionMethod: "third_party", evaluationWindow: 3600, keepAlive: 0, thirdPartyRuleOptions: { rootQueries: [{ query: "*", groupByFields: [] }] } } })),
  yes("2.3", "nor impossible travel", method("impossible_travel", { evaluationWindow: 3600, keepAlive: 60 }, [q("a", { aggregation: "geo_data", metrics: ["@network.client.geoip"] })])),
  yes("2.3", "nor a sequence", { ...steps([step("s0"), step("s1")], [link("s0", "s1", 60)]), options: { detectionMethod: "sequence_detection", evaluationWindow: 3600, keepAlive: 60, sequenceDetectionOptions: { steps: [step("s0"), step("s1")], stepTransitions: [link("s0", "s1", 60)] } } }),
  ...[0, 1, 7, 30].map((days) => yes("2.3", `learning of ${days} days`, newValue({ learningDuration: days }))),
  ...[1, 2, 7, 14, 21, 28, 30].map((days) => yes("2.3", `forgetting after ${days} days`, newValue({ forgetAfter: days }))),
  ...[300, 600, 900, 1800, 3600, 10800].map((bucketDuration) => yes("2.3", `buckets of ${bucketDuration} s`, anomaly({ bucketDuration }))),
  ...[1, 6, 12, 24, 48, 168, 336].map((learningDuration) => yes("2.3", `learning of ${learningDuration} h`, anomaly({ learningDuration }))),
  yes("2.3", "a baseline of 0", anomaly({ learningPeriodBaseline: 0 })),
  yes("2.4", "a part of the fields", rule(["a > 0"], [q("a", { groupByFields: ["@u", "@ip"] })], {}, { groupSignalsBy: ["@ip"] })),
  yes("2.4", "a field of the second query", rule(["a > 0"], [q("a", { groupByFields: ["@u"] }), q("b", { groupByFields: ["@user"] })], {}, { groupSignalsBy: ["@user"] })),
  yes("2.4", "a field of a root query", vendor({ rootQueries: [{ query: "*", groupByFields: ["@host", "@id"] }] }, { groupSignalsBy: ["@host"] })),
  ...(["a>0", "a > 0&&b>0||a>=3", "((a > 0))", "a > b", "a >= 2 * b", "a > b * 2", "2 * a > b", "a*2>=3", "3*a<=9", "a < 5", "a <= 0", "a > 0 then b > 0", "a > 0 Then b > 0", "(a > 0 && b > 0) THEN (b > 1 || a > 5)", "a > 0 THEN a > 0", "  a  >  0  ", "a > 007"].map((text) => yes("4.5", `the grammar takes ${text}`, condition(text)))),
  yes("4.5", "no condition", rule([kase("", "low")])),
  yes("4.4", "one query without groups beside others", rule(["a > 0 && b > 0"], [q("a"), q("b", { groupByFields: [] })])),
  ...["a > 0.995", "a >= 0.9", "a>.99", "a > 1", "a >= 100"].map((text) => yes("6.1", `an anomaly's condition ${text}`, anomaly({}, text))),
  ...["count", "cardinality", "sum"].map((aggregation) => yes("6.1", `${aggregation} as a series`, method("anomaly_detection", {}, [q("a", { aggregation, distinctFields: aggregation === "cardinality" ? ["@v"] : [], metrics: aggregation === "sum" ? ["@v"] : [] })], [kase("", "low")]))),
  yes("6.2", "the ends of all ranges", content({ learningDuration: 1, forgetAfter: 10, similarityPercentageThreshold: 100, nbSimilarItemsThreshold: 20 })),
  yes("6.2", "the other ends", content({ learningDuration: 10, forgetAfter: 1, similarityPercentageThreshold: 35, nbSimilarItemsThreshold: 1 })),
  yes("6.2", "under its other name", method("anomaly_threshold", {}, [q("a"), q("b")], [kase("", "low", "a > 0 && b > 0")])),
  yes("9", "transitions of a day together", steps([step("s0"), step("s1"), step("s2")], [link("s0", "s1", 43200), link("s1", "s2", 43200)], [kase("", "low", "s2 > 0")])),
  yes("9", "ten steps", steps(many(10, (i) => step(`s${i}`)), many(9, (i) => link(`s${i}`, `s${i + 1}`, 60)), [kase("", "low", "s9 > 0")])),
  yes("9", "a step of its own", steps([step("s0")], [], [kase("", "low", "s0 > 0")])),
  yes("10", "three fields", correlation([of("x", { correlatedByFields: ["@a", "@b", "@c"] })])),
  yes("10", "ten queries", correlation(many(10, (i) => of(`r${i}`, { name: i === 0 ? "a" : `q${i}` })))),
  ...["FREQ=HOURLY", "FREQ=DAILY;INTERVAL=2", "FREQ=WEEKLY;BYDAY=MO,WE", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1"].map((rrule) => yes("13", `recurrence ${rrule}`, rule(["a > 0"], [q("a")], {}, { schedulingOptions: { rrule } }))),
];
