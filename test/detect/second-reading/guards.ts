import { type Row, ev, evs, kase, log, ms, q, rule, sig } from "./words.ts";

type Members = Record<string, unknown>;

const row = (at: string, says: string, payload: Members, logs: Row["logs"], told: Row["told"], more: Partial<Row> = {}): Row => ({ at, says, rule: payload, logs, told, ...more });
const any = ["a > 0"];
const each = { evaluationWindow: 0, keepAlive: 0 };
const tagged = (payload: Members, ...tags: string[]): Members => ({ ...payload, tags });
const suppress = (suppression_query: string, more: Members = {}): Partial<Row> => ({ suppressions: [{ name: "s", enabled: true, rule_query: "*", suppression_query, ...more }] });
const exclude = (data_exclusion_query: string, more: Members = {}): Partial<Row> => ({ suppressions: [{ name: "s", enabled: true, rule_query: "*", data_exclusion_query, ...more }] });
const filtered = (...filters: Members[]): Partial<Row> => ({ security_filters: filters.map((filter, i) => ({ name: `f${i}`, is_enabled: true, filtered_data_type: "logs", exclusion_filters: [], ...filter })) });
const lists = { watch: [{ ip: "10.0.0.1", n: 5, on: true }, { ip: "10.0.0.2", n: 6, on: false }, { ip: "AbC", n: 7 }], empty: [] };
const joined = (field: string, column: string, more: Members = {}): Members => rule(any, [q("a")], each, { referenceTables: [{ tableName: "watch", columnName: column, logFieldPath: field, ruleQueryName: "a", ...more }] });
const tables: Partial<Row> = { reference_tables: lists };

export const guards: readonly Row[] = [
  row("2.1", "a disabled rule", { ...rule(any), isEnabled: false }, evs("a", "x", 0), []),
  row("2.5", "the extension is ANDed to the whole query", rule(any, [q("a", { query: "@k:a OR @k:b", customQueryExtension: "-@u:y" })], each), [...evs("a", "x", 0), ...evs("b", "y", 1), ...evs("b", "x", 2)], [sig("x", 0), sig("x", 2)]),
  row("2.5", "an extension with OR", rule(any, [q("a", { customQueryExtension: "@v:1 OR @v:2" })], each), [ev("a", "x", 0, { v: 1 }), ev("z", "x", 1, { v: 2 }), ev("a", "x", 2, { v: 2 }), ev("a", "x", 3)], [sig("x", 0), sig("x", 2)]),

  row("3.6", "a suppressed signal is none", rule(any, [q("a")], each), [...evs("a", "x", 0), ...evs("a", "y", 1)], [sig("y", 1)], suppress("@u:x")),
  row("3.6", "disabled", rule(any, [q("a")], each), evs("a", "x", 0), [sig("x", 0)], suppress("@u:x", { enabled: false })),
  row("3.6", "from the start date on, that moment included", rule(any, [q("a")], each), evs("a", "x", 9.999, 10, 11), [sig("x", 9.999)], suppress("@u:x", { start_date: ms(10) })),
  row("3.6", "until the expiration, that moment excluded", rule(any, [q("a")], each), evs("a", "x", 9.999, 10, 11), [sig("x", 10), sig("x", 11)], suppress("@u:x", { expiration_date: ms(10) })),
  row("3.6", "between the two", rule(any, [q("a")], each), evs("a", "x", 9, 10, 19, 20), [sig("x", 9), sig("x", 20)], suppress("@u:x", { start_date: ms(10), expiration_date: ms(20) })),
  row("3.6", "a suppressed match does not extend", rule(any, [q("a")], { evaluationWindow: 0, keepAlive: 300 }), evs("a", "x", 0, 200, 400), [sig("x", 0), sig("x", 400)], suppress("@u:x", { start_date: ms(100), expiration_date: ms(300) })),
  row("3.6", "the window fills all the same, and the first match that is not suppressed holds all of it", rule(["a > 2"]), evs("a", "x", 0, 1, 2, 50), [sig("x", 50, 50, { count: 4 })], suppress("@u:x", { expiration_date: ms(50) })),
  row("3.6", "what a suppressed match held is not the open signal's", rule(any, [q("a")], { evaluationWindow: 0, keepAlive: 3600 }, { message: "{{@ip}}" }), [ev("a", "x", 0, { ip: 1 }), ev("a", "x", 20, { ip: 9 }), ev("a", "x", 40, { ip: 2 })], [sig("x", 0, 40, { count: 2, message: "1,2" })], suppress("@ip:9")),
  row("3.6", "a match is suppressed by any value of its events", rule(["a > 1"]), [ev("a", "x", 0, { ip: 1 }), ev("a", "x", 1, { ip: 2 })], [], suppress("@ip:1")),
  row("3.6", "a multi-valued attribute: any value", rule(any, [q("a")], each), [ev("a", "x", 0, { ip: [1, 2, 3] })], [], suppress("@ip:2")),
  row("3.6", "once open, a signal that holds the value is suppressed for what comes", rule(any, [q("a")], { evaluationWindow: 0, keepAlive: 3600 }), [ev("a", "x", 0, { ip: 1 }), ev("a", "x", 10, { ip: 2 })], [sig("x", 0, 0)], suppress("@ip:1", { start_date: ms(5) })),
  row("3.6", "by reserved fields and tags", rule(any, [q("a")], each), [ev("a", "x", 0, {}, { host: "h9" }), ev("a", "x", 1, {}, { tags: ["env:dev"] }), ev("a", "x", 2, {}, { service: "pay" }), ev("a", "x", 3, {}, { source: "s3" }), ev("a", "x", 4)], [sig("x", 4)], suppress("host:h9 OR env:dev OR service:pay OR source:s3")),
  row("3.6", "any of several hosts, services and sources", rule(["a > 1"]), [...["x", "y", "z"].flatMap((u) => [ev("a", u, 0), ev("a", u, 1, {}, u === "x" ? { host: "h2" } : u === "y" ? { service: "pay" } : { source: "s2" })]), ...evs("a", "w", 0, 1)], [sig("w", 1)], suppress("host:h2 OR service:pay OR source:s2")),
  row("3.6", "status is the signal's severity, not that of its logs", rule([kase("c", "high", "a > 0")], [q("a")], each), evs("a", "x", 0), [], suppress("status:high")),
  row("3.6", "its logs' status is none of it", rule([kase("c", "high", "a > 0")], [q("a")], each), [ev("a", "x", 0, {}, { status: "error" })], [sig("x", 0)], suppress("status:error")),
  row("3.6", "the severity after its adjustments", rule([kase("c", "high", "a > 0")], [q("a")], { ...each, decreaseCriticalityBasedOnEnv: true }), [ev("a", "x", 0, {}, { tags: ["env:dev"] }), ev("a", "y", 0)], [sig("y", 0)], suppress("status:medium")),
  row("3.6", "only cases of that severity are stopped", rule([kase("many", "high", "a > 2"), kase("one", "low", "a > 0")]), evs("a", "x", 0, 1, 2), [sig("x", 2, 2, { case: "many", status: "high", count: 3 })], suppress("status:low")),
  row("3.6", "a group value of a tag key", rule(any, [q("a", { groupByFields: ["env"], hasOptionalGroupByFields: true })], each), [ev("a", "x", 0), ev("a", "x", 1, {}, { tags: ["env:p"] })], [sig({ env: "p" }, 1)], suppress('env:"N/A"')),
  row("3.6", "a stopped match that came late joins no two signals", rule(any, [q("a")], { evaluationWindow: 0, keepAlive: 60 }), evs("a", "x", 0, 100, 50), [sig("x", 0, 0, { count: 1 }), sig("x", 100, 100, { count: 1 })], suppress("*", { start_date: ms(40), expiration_date: ms(60) })),
  row("3.6", "by a tag of the rule", tagged(rule(any, [q("a")], each), "team:blue"), evs("a", "x", 0), [], suppress("team:blue")),
  row("3.6", "rules by tag", tagged(rule(any, [q("a")], each), "source:auth"), evs("a", "x", 0), [], suppress("*", { rule_query: "source:auth" })),
  row("3.6", "another tag", tagged(rule(any, [q("a")], each), "source:auth"), evs("a", "x", 0), [sig("x", 0)], suppress("*", { rule_query: "source:cloud" })),
  row("3.6", "by type", rule(any, [q("a")], each), evs("a", "x", 0), [], suppress("*", { rule_query: "type:log_detection" })),
  row("3.6", "by another type", rule(any, [q("a")], each), evs("a", "x", 0), [sig("x", 0)], suppress("*", { rule_query: "type:workload_security" })),
  row("3.6", "by id", rule(any, [q("a")], each), evs("a", "x", 0), [], suppress("*", { rule_query: "id:row" })),
  row("3.6", "by ruleId", rule(any, [q("a")], each), evs("a", "x", 0), [], suppress("*", { rule_query: "ruleId:row" })),
  row("3.6", "by name", rule(any, [q("a")], each), evs("a", "x", 0), [], suppress("*", { rule_query: 'name:"Table rule"' })),
  row("3.6", "by the name's beginning", rule(any, [q("a")], each), evs("a", "x", 0), [], suppress("*", { rule_query: "name:Table*" })),
  row("3.6", "several conditions on rules", tagged(rule(any, [q("a")], each), "source:auth"), evs("a", "x", 0), [], suppress("*", { rule_query: "type:log_detection source:(auth OR cloud) -name:other" })),
  row("3.6", "excluded events enter no count", rule(["a > 1"]), [ev("a", "x", 0, { bot: 1 }), ev("a", "x", 1), ev("a", "x", 2, { bot: 1 })], [], exclude("@bot:1")),
  row("3.6", "but the others do", rule(["a > 1"]), [ev("a", "x", 0, { bot: 1 }), ev("a", "x", 1), ev("a", "x", 2)], [sig("x", 2, 2, { count: 2 })], exclude("@bot:1")),
  row("3.6", "excluded from its start on, by the event's own time", rule(any, [q("a")], each), evs("a", "x", 9, 10, 11), [sig("x", 9)], exclude("@u:x", { start_date: ms(10) })),
  row("3.6", "until its expiration", rule(any, [q("a")], each), evs("a", "x", 9, 10, 11), [sig("x", 10), sig("x", 11)], exclude("@u:x", { expiration_date: ms(10) })),
  row("3.6", "excluded from selected rules only", tagged(rule(any, [q("a")], each), "source:auth"), evs("a", "x", 0), [sig("x", 0)], exclude("*", { rule_query: "source:cloud" })),
  row("3.6", "a disabled exclusion", rule(any, [q("a")], each), evs("a", "x", 0), [sig("x", 0)], exclude("*", { enabled: false })),
  row("3.6", "an excluded value is not learned", rule([kase("", "low")], [q("a", { aggregation: "new_value", metrics: ["@v"] })], { ...each, detectionMethod: "new_value", newValueOptions: { learningDuration: 0 } }), [ev("a", "x", 0, { v: 1 }), ev("a", "x", 1, { v: 2, bot: 1 }), ev("a", "x", 2, { v: 2 })], [sig("x", 2)], exclude("@bot:1")),
  row("3.6", "a suppressed value is learned", rule([kase("", "low")], [q("a", { aggregation: "new_value", metrics: ["@v"] })], { ...each, detectionMethod: "new_value", newValueOptions: { learningDuration: 0 } }), [ev("a", "x", 0, { v: 1 }), ev("a", "x", 1, { v: 2 }), ev("a", "x", 20, { v: 2 })], [], suppress("@v:2", { expiration_date: ms(10) })),
  row("3.6", "both in one suppression", rule(any, [q("a")], each), [...evs("a", "x", 0), ...evs("a", "y", 1), ...evs("a", "z", 2)], [sig("z", 2)], { suppressions: [{ name: "s", enabled: true, rule_query: "*", suppression_query: "@u:x", data_exclusion_query: "@u:y" }] }),
  row("3.6", "two suppressions", rule(any, [q("a")], each), [...evs("a", "x", 0), ...evs("a", "y", 1)], [], { suppressions: ["@u:x", "@u:y"].map((suppression_query) => ({ enabled: true, rule_query: "*", suppression_query })) }),
  row("3.6", "dates as text", rule(any, [q("a")], each), evs("a", "x", 9, 11), [sig("x", 9)], suppress("@u:x", { start_date: "2024-03-01T00:00:10Z" })),

  row("3.7", "suppress drops", rule(any, [q("a")], each, { filters: [{ action: "suppress", query: "@u:x" }] }), [...evs("a", "x", 0), ...evs("a", "y", 1)], [sig("y", 1)]),
  row("3.7", "require keeps", rule(any, [q("a")], each, { filters: [{ action: "require", query: "@u:x" }] }), [...evs("a", "x", 0), ...evs("a", "y", 1)], [sig("x", 0)]),
  row("3.7", "several: all of them", rule(any, [q("a")], each, { filters: [{ action: "require", query: "@u:(x OR y)" }, { action: "suppress", query: "@v:1" }, { action: "require", query: "host:web-1" }] }), [ev("a", "x", 0), ev("a", "x", 1, { v: 1 }), ev("a", "z", 2), ev("a", "y", 3, {}, { host: "h" }), ev("a", "y", 4)], [sig("x", 0), sig("y", 4)]),
  row("3.7", "for every query of the rule", rule(["a > 0 && b > 0"], [q("a"), q("b")], {}, { filters: [{ action: "suppress", query: "@v:1" }] }), [ev("a", "x", 0), ev("b", "x", 1, { v: 1 })], []),

  row("3.8", "no filter at all: nothing is analysed", rule(any, [q("a")], each), evs("a", "x", 0), [], { security_filters: [] }),
  row("3.8", "only disabled ones", rule(any, [q("a")], each), evs("a", "x", 0), [], filtered({ query: "*", is_enabled: false })),
  row("3.8", "one that matches", rule(any, [q("a")], each), [...evs("a", "x", 0), ...evs("a", "y", 1)], [sig("x", 0)], filtered({ query: "@u:x" })),
  row("3.8", "any of several", rule(any, [q("a")], each), [...evs("a", "x", 0), ...evs("a", "y", 1), ...evs("a", "z", 2)], [sig("x", 0), sig("y", 1)], filtered({ query: "@u:x" }, { query: "@u:y" })),
  row("3.8", "any exclusion of a filter", rule(any, [q("a")], each), [ev("a", "x", 0), ev("a", "x", 1, { v: 1 }), ev("a", "x", 2, { v: 2 })], [sig("x", 0)], filtered({ query: "*", exclusion_filters: [{ name: "1", query: "@v:1" }, { name: "2", query: "@v:2" }] })),
  row("3.8", "excluded by one, taken by another", rule(any, [q("a")], each), [ev("a", "x", 1, { v: 1 })], [sig("x", 1)], filtered({ query: "*", exclusion_filters: [{ name: "1", query: "@v:1" }] }, { query: "@u:x" })),
  row("3.8", "a disabled filter's exclusion says nothing", rule(any, [q("a")], each), [ev("a", "x", 1, { v: 1 })], [sig("x", 1)], filtered({ query: "*" }, { query: "*", is_enabled: false, exclusion_filters: [{ name: "1", query: "@v:1" }] })),

  row("3.9", "IN", joined("@ip", "ip"), [ev("a", "x", 0, { ip: "10.0.0.1" }), ev("a", "x", 1, { ip: "10.0.0.9" }), ev("a", "x", 2)], [sig("x", 0)], tables),
  row("3.9", "NOT IN keeps events without the field", joined("@ip", "ip", { checkPresence: false }), [ev("a", "x", 0, { ip: "10.0.0.1" }), ev("a", "x", 1, { ip: "10.0.0.9" }), ev("a", "x", 2)], [sig("x", 1), sig("x", 2)], tables),
  row("3.9", "a path without @", joined("ip", "ip"), [ev("a", "x", 0, { ip: "10.0.0.1" }), ev("a", "x", 1, { ip: "q" })], [sig("x", 0)], tables),
  row("3.9", "a nested path without @", joined("net.ip", "ip"), [ev("a", "x", 0, { net: { ip: "10.0.0.2" } }), ev("a", "x", 1)], [sig("x", 0)], tables),
  row("3.9", "else a tag", joined("ip", "ip"), [ev("a", "x", 0, {}, { tags: ["ip:10.0.0.1"] }), ev("a", "x", 1, {}, { tags: ["ip:z"] })], [sig("x", 0)], tables),
  row("3.9", "case-sensitive", joined("@ip", "ip"), [ev("a", "x", 0, { ip: "AbC" }), ev("a", "x", 1, { ip: "abc" }), ev("a", "x", 2, { ip: "AbCd" })], [sig("x", 0)], tables),
  row("3.9", "as text: a number of the table and of the event", joined("@n", "n"), [ev("a", "x", 0, { n: 5 }), ev("a", "x", 1, { n: "6" }), ev("a", "x", 2, { n: 55 })], [sig("x", 0), sig("x", 1)], tables),
  row("3.9", "a boolean", joined("@on", "on"), [ev("a", "x", 0, { on: true }), ev("a", "x", 1, { on: "maybe" })], [sig("x", 0)], tables),
  row("3.9", "any value of an array", joined("@ip", "ip"), [ev("a", "x", 0, { ip: ["z", "10.0.0.2"] })], [sig("x", 0)], tables),
  row("3.9", "NOT IN of an array that holds one", joined("@ip", "ip", { checkPresence: false }), [ev("a", "x", 0, { ip: ["z", "10.0.0.2"] }), ev("a", "x", 1, { ip: ["z"] })], [sig("x", 1)], tables),
  row("3.9", "an empty table: IN nothing", { ...joined("@ip", "ip"), referenceTables: [{ tableName: "empty", columnName: "ip", logFieldPath: "@ip", ruleQueryName: "a" }] }, [ev("a", "x", 0, { ip: "10.0.0.1" })], [], tables),
  row("3.9", "an empty table: NOT IN is everything", { ...joined("@ip", "ip"), referenceTables: [{ tableName: "empty", columnName: "ip", logFieldPath: "@ip", ruleQueryName: "a", checkPresence: false }] }, [ev("a", "x", 0, { ip: "10.0.0.1" })], [sig("x", 0)], tables),
  row("3.9", "only the named query", rule(["a > 0", "b > 0"], [q("a"), q("b")], each, { referenceTables: [{ tableName: "watch", columnName: "ip", logFieldPath: "@ip", ruleQueryName: "b" }] }), [ev("a", "x", 0), ev("b", "x", 1), ev("b", "x", 2, { ip: "10.0.0.1" })], [sig("x", 0), sig("x", 2)], tables),
  row("3.9", "several are ANDed", { ...joined("@ip", "ip"), referenceTables: [{ tableName: "watch", columnName: "ip", logFieldPath: "@ip", ruleQueryName: "a" }, { tableName: "watch", columnName: "n", logFieldPath: "@n", ruleQueryName: "a" }] }, [ev("a", "x", 0, { ip: "10.0.0.1", n: 9 }), ev("a", "x", 1, { ip: "10.0.0.1", n: 6 })], [sig("x", 1)], tables),
  row("3.9", "the message and the host", rule(any, [q("a")], each, { referenceTables: [{ tableName: "t", columnName: "h", logFieldPath: "host", ruleQueryName: "a" }] }), [ev("a", "x", 0, {}, { host: "web-1" }), ev("a", "x", 1, {}, { host: "web-2" })], [sig("x", 1)], { reference_tables: { t: [{ h: "web-2" }] } }),

  row("3.10", "exactly the allowed lateness is in time", rule(["a > 1"]), evs("a", "x", 300, 0.001, 0), [sig("x", 0.001, 300, { count: 3 })]),
  row("3.10", "late by exactly 300 s makes a pair at its own time", rule(["a > 1"], [q("a")], { evaluationWindow: 60, keepAlive: 60 }), evs("a", "x", 10, 300, 0), [sig("x", 10, 10, { count: 2 })]),
  row("3.10", "a millisecond later is not analysed", rule(["a > 1"], [q("a")], { evaluationWindow: 60, keepAlive: 60 }), evs("a", "x", 10, 300.001, 0), []),
  row("3.10", "the watermark is the highest time of all events, also of those no rule asks for", rule(["a > 1"], [q("a")], { evaluationWindow: 60, keepAlive: 60 }), [...evs("a", "x", 10), ...evs("nobody", "y", 400), ...evs("a", "x", 20)], []),
  row("3.10", "an event that came late is inserted; the windows after it are looked at again", rule(["a > 2"], [q("a")], { evaluationWindow: 60, keepAlive: 60 }), evs("a", "x", 0, 50, 200, 30), [sig("x", 50, 50, { count: 3 })]),
  row("3.10", "first seen moves back", rule(["a > 1"]), evs("a", "x", 0, 200, 100), [sig("x", 100, 200, { count: 3 })]),
  row("3.10", "two signals become the one they would have been", rule(any, [q("a")], { evaluationWindow: 0, keepAlive: 60 }), evs("a", "x", 0, 100, 50), [sig("x", 0, 100, { count: 3 })]),
  row("3.10", "a late event of the other query", rule(["a > 0 && b > 0"], [q("a"), q("b")]), [...evs("a", "x", 100), ...evs("b", "x", 50)], [sig("x", 100, 100, { count: 2 })]),
  row("3.10", "a late event can make a case false in between: <", rule(["a > 0 && b < 1"], [q("a"), q("b")]), [...evs("a", "x", 0), ...evs("a", "y", 1)], [sig("x", 0), sig("y", 1)]),
  row("3.10", "equal times in order of arrival", rule(["a > 0 THEN b > 0"], [q("a"), q("b")]), [...evs("b", "x", 1), ...evs("a", "x", 1), ...evs("b", "x", 1)], [sig("x", 1)]),
  row("3.10", "late values of a cardinality", rule(["a > 2"], [q("a", { aggregation: "cardinality", distinctFields: ["@v"] })]), [ev("a", "x", 0, { v: 1 }), ev("a", "x", 100, { v: 2 }), ev("a", "x", 50, { v: 3 })], [sig("x", 100, 100, { count: 3 })]),
  row("3.10", "late numbers of a sum", rule(["a > 10"], [q("a", { aggregation: "sum", metrics: ["@n"] })]), [ev("a", "x", 0, { n: 5 }), ev("a", "x", 100, { n: 5 }), ev("a", "x", 50, { n: 1 })], [sig("x", 100, 100, { count: 3 })]),
  row("3.10", "a THEN whose first part comes late", rule(["a > 1 THEN b > 0"], [q("a"), q("b")]), [...evs("a", "x", 0), ...evs("b", "x", 60), ...evs("a", "x", 30)], [sig("x", 60)]),
  row("3.10", "identical lines are counted", rule(["a > 2"]), [ev("a", "x", 0), ev("a", "x", 0), ev("a", "x", 0)], [sig("x", 0, 0, { count: 3 })]),

  row("2.1", "rules of other types look at their events alike", { ...rule(any, [q("a", { dataSource: "security_runtime" })], each), type: "workload_security" }, evs("a", "x", 0), [sig("x", 0)]),
  row("2.1", "of another data source", { ...rule(any, [q("a", { dataSource: "audit" })], each) }, evs("a", "x", 0), [sig("x", 0)]),
  row("2.1", "the envelope: message in the query", rule(any, [q("a", { query: 'message:"no entry"' })], each), [log(0, { u: "x" }, { message: "there was no entry today" }), log(1, { u: "x" })], [sig("x", 0)]),
];
