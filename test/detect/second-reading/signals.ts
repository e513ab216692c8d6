import { type Row, T0, type Told, ev, evs, kase, log, ms, q, rule, sig } from "./words.ts";

type Members = Record<string, unknown>;

const row = (at: string, says: string, payload: Members, logs: Row["logs"], told: Row["told"], more: Partial<Row> = {}): Row => ({ at, says, rule: payload, logs, told, ...more });
const any = ["a > 0"];
const each = { evaluationWindow: 0, keepAlive: 0 };
const life = (keepAlive: number, maxSignalDuration = 86400, evaluationWindow = 0): Members => ({ evaluationWindow, keepAlive, maxSignalDuration });
const env = (k: string, u: string, seconds: number, ...tags: string[]): Row["logs"][number] => ev(k, u, seconds, {}, { tags });
const decreased = (status: string, ...tags: string[]): Row["told"] => [sig("x", 0, 0, { status, ...(tags.length ? {} : {}) })];
const lowers = (status: string, more: Members = {}): Members => rule([kase("c", status, "a > 0")], [q("a")], { decreaseCriticalityBasedOnEnv: true, ...more });
/** Message of a rule as a first match of user x renders it. */
const says = (at: string, title: string, message: string, text: string, more: Members = {}, attributes: Members = {}, envelope: Members = {}): Row =>
  row(at, title, { ...rule([kase("c", "high", "a > 0")], [q("a")], {}, { message }), ...more }, [ev("a", "x", 0, attributes, envelope)], [sig("x", 0, 0, { message: text })]);
const T0_TEXT = "Fri Mar 01 00:00:00 UTC 2024";

export const signals: readonly Row[] = [
  row("3.1", "first seen is the first match, not the first event of it", rule(["a > 2"]), evs("a", "x", 0, 50, 100), [sig("x", 100, 100, { count: 3 })]),
  row("3.1", "events matched are distinct ones", rule(["a > 1"]), evs("a", "x", 0, 10, 20, 30), [sig("x", 10, 30, { count: 4 })]),
  row("3.1", "events between matches that no match took in do not count", rule(["a > 1"], [q("a")], { evaluationWindow: 60, keepAlive: 3600 }), evs("a", "x", 0, 30, 500, 1000, 1030), [sig("x", 30, 1030, { count: 4 })]),
  row("3.1", "an event of several queries is one event", rule(["a > 0"], [q("a"), q("b", { query: "@k:a" })]), evs("a", "x", 0, 1), [sig("x", 0, 1, { count: 2 })]),

  row("3.2", "keepAlive exactly: a new signal", rule(any, [q("a")], life(300)), evs("a", "x", 0, 300), [sig("x", 0), sig("x", 300)]),
  row("3.2", "a millisecond less: the same one", rule(any, [q("a")], life(300)), evs("a", "x", 0, 299.999), [sig("x", 0, 299.999)]),
  row("3.2", "keepAlive counts from the last match", rule(any, [q("a")], life(300)), evs("a", "x", 0, 200, 400, 600), [sig("x", 0, 600)]),
  row("3.2", "not from the last event: one that makes no match keeps nothing alive", rule(["a > 1"], [q("a")], life(300, 86400, 60)), evs("a", "x", 0, 10, 200, 305, 320), [sig("x", 10, 10, { count: 2 }), sig("x", 320, 320, { count: 2 })]),
  row("3.2", "exactly the maximum: the same signal", rule(any, [q("a")], life(300, 600)), evs("a", "x", 0, 200, 400, 600), [sig("x", 0, 600)]),
  row("3.2", "a millisecond more: a new one", rule(any, [q("a")], life(300, 600)), evs("a", "x", 0, 200, 400, 600.001), [sig("x", 0, 400), sig("x", 600.001)]),
  row("3.2", "the maximum counts from first seen, whatever keeps matching", rule(any, [q("a")], life(60, 60)), evs("a", "x", 0, 30, 60, 61, 90, 121, 122), [sig("x", 0, 60), sig("x", 61, 121), sig("x", 122)]),
  row("3.2", "keepAlive 0: each match its own signal, also in the same millisecond", rule(any, [q("a")], each), evs("a", "x", 5, 5, 5), [sig("x", 5), sig("x", 5), sig("x", 5)]),
  row("3.2", "maximum 0, so keepAlive 0", rule(any, [q("a")], life(0, 0)), evs("a", "x", 5, 6), [sig("x", 5), sig("x", 6)]),
  row("3.2", "keepAlive equal to the maximum", rule(any, [q("a")], life(600, 600)), evs("a", "x", 0, 599, 600, 601), [sig("x", 0, 600), sig("x", 601)]),
  row("3.2", "the maximum is a day where absent", { ...rule(any), options: { keepAlive: 86400 } }, evs("a", "x", 0, 50000, 86400, 86401), [sig("x", 0, 86400), sig("x", 86401)]),
  row("3.2", "no durations: each event a signal", { ...rule(any), options: {} }, evs("a", "x", 0, 1), [sig("x", 0), sig("x", 1)]),
  row("3.2", "the second signal's events: those of its window, though the first had them", rule(["a > 1"], [q("a")], { evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 300 }), evs("a", "x", 0, 100, 350, 420), [sig("x", 100, 350, { count: 3 }), sig("x", 420, 420, { count: 2 })]),
  row("3.2", "so too when the maximum is over", rule(["a > 2"], [q("a")], { evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 300 }), evs("a", "x", 0, 60, 120, 180, 240, 300, 360, 420, 480), [sig("x", 120, 420, { count: 8 }), sig("x", 480, 480, { count: 5 })]),
  row("3.2", "and of a match over two queries", rule(["a > 0 && b > 0"], [q("a"), q("b")], { evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 300 }), [...evs("a", "x", 0), ...evs("b", "x", 10), ...evs("a", "x", 200), ...evs("b", "x", 311)], [sig("x", 10, 200, { count: 3 }), sig("x", 311, 311, { count: 2 })]),
  row("3.2", "and of a THEN: the events behind it", rule(["a > 0 THEN b > 1"], [q("a"), q("b")], { evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 300 }), [...evs("a", "x", 0), ...evs("b", "x", 10, 20), ...evs("a", "x", 200), ...evs("b", "x", 290, 321)], [sig("x", 20, 290, { count: 3 }), sig("x", 321, 321, { count: 2 })]),
  row("3.2", "an anomalous bucket is one match, also where nothing is kept alive", rule([kase("", "low")], [q("a")], { detectionMethod: "anomaly_detection", ...each, anomalyDetectionOptions: { bucketDuration: 300, learningPeriodBaseline: 0 } }), evs("a", "x", 0, 1, 2, 3, 4), [{ group: { "@u": "x" }, last: ms(4), count: 5 }]),
  row("3.2", "signals of other groups live by themselves", rule(any, [q("a")], life(300)), [...evs("a", "x", 0), ...evs("a", "y", 200), ...evs("a", "x", 400)], [sig("x", 0), sig("y", 200), sig("x", 400)]),
  row("3.2", "out of order, the same signals", rule(any, [q("a")], life(60)), evs("a", "x", 100, 0, 50), [sig("x", 0, 100, { count: 3 })]),
  row("3.2", "a late match before the first moves it back", rule(any, [q("a")], life(300)), evs("a", "x", 100, 40), [sig("x", 40, 100)]),

  row("3.3", "counted per full group, told per projection", rule(["a > 1"], [q("a", { groupByFields: ["@u", "@ip"] })], {}, { groupSignalsBy: ["@u"] }), [1, 2, 1, 2].map((ip, i) => ev("a", "x", i, { ip })), [sig("x", 2, 3, { count: 4 })]),
  row("3.3", "two groups that do not count alone do not count together", rule(["a > 1"], [q("a", { groupByFields: ["@u", "@ip"] })], {}, { groupSignalsBy: ["@u"] }), [1, 2].map((ip, i) => ev("a", "x", i, { ip })), []),
  row("3.3", "the displayed group holds only what is named", rule(any, [q("a", { groupByFields: ["@u", "@ip"] })], {}, { groupSignalsBy: ["@ip"] }), [ev("a", "x", 0, { ip: "1" }), ev("a", "y", 1, { ip: "1" })], [sig({ "@ip": "1" }, 0, 1)]),
  row("3.3", "a field by the name the second query has for it", rule(["a > 0 && b > 0"], [q("a"), q("b", { groupByFields: ["@login"] })], {}, { groupSignalsBy: ["@login"] }), [...evs("a", "x", 0), ...evs("a", "y", 0), log(1, { k: "b", login: "x" }), log(2, { k: "b", login: "y" })], [{ ...sig("x", 1), group: { "@login": "x" } }, { ...sig("y", 2), group: { "@login": "y" } }]),
  row("3.3", "both, so it is the full group", rule(any, [q("a", { groupByFields: ["@u", "@ip"] })], {}, { groupSignalsBy: ["@u", "@ip"] }), [ev("a", "x", 0, { ip: "1" }), ev("a", "x", 1, { ip: "2" })], [sig({ "@u": "x", "@ip": "1" }, 0), sig({ "@u": "x", "@ip": "2" }, 1)]),
  row("3.3", "for new values", { ...rule([kase("", "low")], [q("a", { aggregation: "new_value", metrics: ["@v"], groupByFields: ["@u", "@ip"] })], { detectionMethod: "new_value", newValueOptions: { learningMethod: "threshold", learningThreshold: 0 } }), groupSignalsBy: ["@u"] }, [ev("a", "x", 0, { ip: 1, v: 1 }), ev("a", "x", 1, { ip: 2, v: 1 })], [sig("x", 0, 1, { count: 2 })]),

  row("3.4", "a higher severity takes over severity and name", rule([kase("many", "high", "a > 2"), kase("some", "low", "a > 0")]), evs("a", "x", 0, 1, 2), [sig("x", 0, 2, { case: "many", status: "high", title: "Table rule - many" })]),
  row("3.4", "never lower again", rule([kase("burst", "high", "a > 1"), kase("some", "low", "a > 0")], [q("a")], { evaluationWindow: 60, keepAlive: 3600 }), evs("a", "x", 0, 1, 600), [sig("x", 0, 600, { case: "burst", status: "high" })]),
  row("3.4", "an equal severity keeps the first case's name", rule([kase("two", "low", "a > 1"), kase("one", "low", "a > 0")]), evs("a", "x", 0, 1), [sig("x", 0, 1, { case: "one", status: "low" })]),
  row("3.4", "two steps up", rule([kase("three", "critical", "a > 2"), kase("two", "medium", "a > 1"), kase("one", "info", "a > 0")]), evs("a", "x", 0, 1, 2), [sig("x", 0, 2, { case: "three", status: "critical" })]),
  row("3.4", "after it has closed the next signal starts low", rule([kase("burst", "high", "a > 1"), kase("some", "low", "a > 0")], [q("a")], { evaluationWindow: 60, keepAlive: 60 }), evs("a", "x", 0, 1, 600), [sig("x", 0, 1, { case: "burst" }), sig("x", 600, 600, { case: "some", status: "low" })]),
  row("3.4", "a case that comes true over another query", rule([kase("joined", "high", "a > 0 && b > 0"), kase("one", "low", "a > 0")], [q("a"), q("b")]), [...evs("a", "x", 0), ...evs("b", "x", 1)], [sig("x", 0, 1, { case: "joined", status: "high", count: 2 })]),

  row("3.5", "the custom status wins", rule([kase("c", "low", "a > 0", { customStatus: "critical" })]), evs("a", "x", 0), [sig("x", 0, 0, { status: "critical" })]),
  ...([["critical", "high"], ["high", "medium"], ["medium", "info"], ["low", "info"], ["info", "info"]] as const).map(([from, to]) => row("3.5", `${from} becomes ${to}`, lowers(from), [env("a", "x", 0, "env:staging")], decreased(to))),
  ...["staging", "test", "dev", "dev-eu", "testing", "staging1", "development", "testbed"].map((name) => row("3.5", `${name} is no production`, lowers("critical"), [env("a", "x", 0, `env:${name}`)], decreased("high"))),
  ...["prod", "my-dev", "pretest", "qa", "", "Dev"].map((name) => row("3.5", `"${name}" is kept`, lowers("critical"), [env("a", "x", 0, `env:${name}`)], decreased("critical"))),
  row("3.5", "without an env tag nothing is lowered", lowers("critical"), [env("a", "x", 0, "environment:dev")], decreased("critical")),
  row("3.5", "an attribute is no tag", lowers("critical"), [ev("a", "x", 0, { env: "dev" })], decreased("critical")),
  row("3.5", "every value must be", lowers("critical"), [env("a", "x", 0, "env:dev", "env:prod")], decreased("critical")),
  row("3.5", "two that are", lowers("critical"), [env("a", "x", 0, "env:dev", "env:test")], decreased("high")),
  row("3.5", "tags of all the match's events", rule([kase("c", "critical", "a > 1")], [q("a")], { decreaseCriticalityBasedOnEnv: true }), [env("a", "x", 0, "env:prod"), env("a", "x", 1, "env:dev")], [sig("x", 1, 1, { status: "critical" })]),
  row("3.5", "the rule's tags are the signal's", lowers("critical", {}), [env("a", "x", 0)], decreased("critical")),
  row("3.5", "a rule tag env", { ...lowers("critical"), tags: ["env:dev"] }, [env("a", "x", 0)], decreased("high")),
  row("3.5", "raised when an event of production joins", lowers("critical"), [env("a", "x", 0, "env:dev"), env("a", "x", 1, "env:prod")], [sig("x", 0, 1, { status: "critical" })]),
  row("3.5", "the custom status is lowered too", rule([kase("c", "low", "a > 0", { customStatus: "high" })], [q("a")], { decreaseCriticalityBasedOnEnv: true }), [env("a", "x", 0, "env:dev")], decreased("medium")),

  ...([["increase", "low", "medium"], ["increase", "critical", "critical"], ["decrease", "high", "medium"], ["decrease", "medium", "low"], ["decrease", "info", "info"], ["no-op", "high", "high"], ["critical", "info", "critical"], ["info", "high", "info"]] as const).map(([severity, from, to]) =>
    row("3.5", `asset: ${severity} of ${from}`, rule([kase("c", from, "a > 0")]), evs("a", "x", 0), decreased(to), { critical_assets: [{ enabled: true, rule_query: "*", query: "host:web-1", severity }] })),
  row("3.5", "the highest result wins", rule([kase("c", "medium", "a > 0")]), evs("a", "x", 0), decreased("high"), { critical_assets: ["decrease", "increase", "low"].map((severity) => ({ enabled: true, rule_query: "*", query: "@u:x", severity })) }),
  row("3.5", "no-op beside a decrease", rule([kase("c", "medium", "a > 0")]), evs("a", "x", 0), decreased("medium"), { critical_assets: ["decrease", "no-op"].map((severity) => ({ enabled: true, rule_query: "*", query: "@u:x", severity })) }),
  row("3.5", "equal actions count once", rule([kase("c", "low", "a > 0")]), evs("a", "x", 0), decreased("medium"), { critical_assets: [1, 2, 3].map(() => ({ enabled: true, rule_query: "*", query: "@u:x", severity: "increase" })) }),
  row("3.5", "a disabled asset does nothing", rule([kase("c", "low", "a > 0")]), evs("a", "x", 0), decreased("low"), { critical_assets: [{ enabled: false, rule_query: "*", query: "*", severity: "critical" }] }),
  row("3.5", "an asset of other rules does nothing", rule([kase("c", "low", "a > 0")], [q("a")], {}, { tags: ["source:app"] }), evs("a", "x", 0), decreased("low"), { critical_assets: [{ enabled: true, rule_query: "source:other", query: "*", severity: "critical" }] }),
  row("3.5", "an asset that matches another signal does nothing", rule([kase("c", "low", "a > 0")]), evs("a", "x", 0), decreased("low"), { critical_assets: [{ enabled: true, rule_query: "*", query: "@u:y", severity: "critical" }] }),
  row("3.5", "first assets, then the environment", lowers("high"), [env("a", "x", 0, "env:dev")], decreased("high"), { critical_assets: [{ enabled: true, rule_query: "*", query: "*", severity: "increase" }] }),
  row("3.5", "increase is of the case, not of what another asset made of it", rule([kase("c", "info", "a > 0")]), evs("a", "x", 0), decreased("medium"), { critical_assets: ["medium", "increase"].map((severity) => ({ enabled: true, rule_query: "*", query: "*", severity })) }),

  row("3.11", "an unnamed case leaves the name", rule([kase("", "low", "a > 0")]), evs("a", "x", 0), [sig("x", 0, 0, { title: "Table rule", case: "" })]),
  row("3.11", "the extended title is of notifications only", rule([kase("c", "low", "a > 0")], [q("a")], {}, { hasExtendedTitle: true }), evs("a", "x", 0), [sig("x", 0, 0, { title: "Table rule - c" })]),
  row("3.11", "the custom name", rule([kase("c", "low", "a > 0")], [q("a")], {}, { isDefault: true, customName: "Mine", customMessage: "my text" }), evs("a", "x", 0), [sig("x", 0, 0, { title: "Mine - c", message: "my text" })]),
  says("3.11", "attributes", "{{@u}} from {{@net.ip}}", "x from 10.0.0.1", {}, { net: { ip: "10.0.0.1" } }),
  says("3.11", "arrays are joined by a comma", "<{{@v}}>", "<1,b,true>", {}, { v: [1, "b", true] }),
  says("3.11", "missing is empty", "<{{@nothing}}>", "<>"),
  says("3.11", "an unknown variable is empty", "<{{whatever}}>", "<>"),
  says("3.11", "a tag's value", "{{env.name}} {{[kube.cluster].name}} {{[a-b].name}}", "prod c1 z", {}, {}, { tags: ["env:prod", "kube.cluster:c1", "a-b:z"] }),
  says("3.11", "severity as a number, names", "{{severity}} {{rule_name}} {{case_name}}", "3 Table rule c"),
  says("3.11", "times as text", "{{timestamp}}|{{first_seen}}|{{last_seen}}", `${T0_TEXT}|${T0_TEXT}|${T0_TEXT}`),
  says("3.11", "times in milliseconds", "{{timestamp_epoch}} {{first_seen_epoch}} {{last_seen_epoch}}", `${T0} ${T0} ${T0}`),
  says("3.11", "counts", "{{events_matched}} {{events_matched_per_query.a}}", "1 1"),
  says("3.11", "is_match is a substring test", '{{#is_match "@u" "x"}}yes{{/is_match}}{{#is_match "@u" "q"}}no{{/is_match}}', "yes"),
  says("3.11", "and its opposite", '{{^is_match "@u" "q"}}other{{/is_match}}{{^is_match "@u" "x"}}no{{/is_match}}', "other"),
  says("3.11", "of a tag", '{{#is_match "env.name" "pro"}}p{{/is_match}}', "p", {}, {}, { tags: ["env:prod"] }),
  says("3.11", "is_exact_match", '{{#is_exact_match "env.name" "pro"}}p{{/is_exact_match}}{{#is_exact_match "env.name" "prod"}}q{{/is_exact_match}}{{^is_exact_match "env.name" "pro"}}r{{/is_exact_match}}', "qr", {}, {}, { tags: ["env:prod"] }),
  says("3.11", "if: the attribute exists", "{{#if @v}}v={{@v}}{{/if}}{{#if @w}}w{{/if}}", "v=0", {}, { v: 0 }),
  says("3.11", "blocks nest", '{{#if @v}}{{#is_match "@v" "1"}}one{{/is_match}}{{^is_match "@v" "1"}}other{{/is_match}}{{/if}}', "other", {}, { v: "2" }),
  says("3.11", "eval", '{{eval "@v * 2 + 1"}} {{eval "(@v - 1) ^ 2"}} {{eval "7 % 4"}} {{eval "round(2.6)"}} {{eval "abs(0-3)"}}', "7 4 3 3 3", {}, { v: 3 }),
  says("3.11", "eval over times", '{{eval "first_seen_epoch-15*60*1000"}}', String(T0 - 900_000)),
  says("3.11", "local_time", '{{local_time "first_seen" "Europe/Paris"}}', "2024-03-01 01:00:00+01:00"),
  says("3.11", "local_time in UTC", '{{local_time "first_seen" "UTC"}}', "2024-03-01 00:00:00+00:00"),
  says("3.11", "urlencode", '{{urlencode "@v"}}', "a%20b%26c", {}, { v: "a b&c" }),
  says("3.11", "raw braces", "{{{{raw}}}}{{@u}}{{{{/raw}}}} {{@u}}", "{{@u}} x"),
  says("3.11", "a raw test", '{{{{is_match "@u" "x"}}}}{{@u}}{{{{/is_match}}}}', "{{@u}}"),
  says("3.11", "a malformed template keeps the raw text", "{{#if @u}}never closed", "{{#if @u}}never closed"),
  says("3.11", "no variables, no change", "plain %%% text", "plain %%% text"),
  says("3.11", "a number", "{{@n}}", "1.5", {}, { n: 1.5 }),
  says("3.11", "a group value", "{{@u}}", "x"),
  row("3.11", "values of several events become an array", rule(["a > 1"], [q("a")], {}, { message: "{{@v}}" }), [ev("a", "x", 0, { v: 1 }), ev("a", "x", 1, { v: 2 })], [sig("x", 1, 1, { message: "1,2" })]),
  row("3.11", "one value of several events stays one", rule(["a > 1"], [q("a")], {}, { message: "{{@v}}" }), [ev("a", "x", 0, { v: 1 }), ev("a", "x", 1, { v: 1 })], [sig("x", 1, 1, { message: "1" })]),
  row("3.11", "counts by query", rule(["a > 1 && b > 0"], [q("a"), q("b")], {}, { message: "{{events_matched_per_query.a}}/{{events_matched_per_query.b}}/{{events_matched}}" }), [...evs("a", "x", 0, 1), ...evs("b", "x", 2)], [sig("x", 2, 2, { message: "2/1/3" })]),
  row("3.11", "within ten seconds it is not rendered again", rule(any, [q("a")], {}, { message: "{{events_matched}}" }), evs("a", "x", 0, 5, 9.999), [sig("x", 0, 9.999, { message: "1", count: 3 })]),
  row("3.11", "after ten seconds it is", rule(any, [q("a")], {}, { message: "{{events_matched}} {{last_seen_epoch}}" }), evs("a", "x", 0, 5, 12), [sig("x", 0, 12, { message: `3 ${ms(12)}` })]),
  row("3.11", "the reserved message in a signal of one", rule([kase("c", "critical", "a > 0")], [q("a", { groupByFields: [] })], {}, { message: "{{@u}} {{severity}}" }), evs("a", "x", 0), [sig({}, 0, 0, { message: "x 4" }) satisfies Told]),
];
