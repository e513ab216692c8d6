import { DAY, HOUR, type Row, ev, kase, ms, q, rule, sig } from "./words.ts";

type Members = Record<string, unknown>;

const row = (at: string, says: string, payload: Members, logs: Row["logs"], told: Row["told"], more: Partial<Row> = {}): Row => ({ at, says, rule: payload, logs, told, ...more });
const newValue = (newValueOptions: Members, query: Members = {}, options: Members = {}, cases: readonly unknown[] = [kase("new", "low")]): Members =>
  rule(cases, [q("a", { aggregation: "new_value", metrics: ["@v"], ...query })], { detectionMethod: "new_value", evaluationWindow: 0, keepAlive: 0, newValueOptions, ...options });
/** Values of user x: seconds and value. */
const vs = (...pairs: ReadonlyArray<readonly [number, unknown]>): Row["logs"] => pairs.map(([seconds, v]) => ev("a", "x", seconds, { v }));
const duration = (learningDuration: number, more: Members = {}): Members => ({ learningMethod: "duration", learningDuration, ...more });
const threshold = (learningThreshold: number, more: Members = {}): Members => ({ learningMethod: "threshold", learningThreshold, ...more });

const places = {
  london: { location: { latitude: 51.5074, longitude: -0.1278 }, city: { name: "London" }, country: { iso_code: "GB", name: "United Kingdom" } },
  paris: { location: { latitude: 48.8566, longitude: 2.3522 }, city: { name: "Paris" }, country: { iso_code: "FR", name: "France" } },
  newYork: { location: { latitude: 40.7128, longitude: -74.006 }, city: { name: "New York" }, country: { iso_code: "US", name: "United States" } },
  sydney: { location: { latitude: -33.8688, longitude: 151.2093 }, city: { name: "Sydney" }, country: { iso_code: "AU", name: "Australia" } },
  berlin: { location: { latitude: 52.52, longitude: 13.405 }, city: { name: "Berlin" }, country: { iso_code: "DE", name: "Germany" } },
};
const geo = (geoip: unknown, seconds: number, u = "x", more: Members = {}): Row["logs"][number] => ev("a", u, seconds, { network: { client: { geoip } }, ...more });
const at = (place: keyof typeof places, seconds: number, u = "x"): Row["logs"][number] => geo(places[place], seconds, u);
/** On the equator: a degree of longitude is 2 pi R / 360 = 111.195 km. */
const point = (longitude: number, seconds: number, name = `P${longitude}`): Row["logs"][number] => geo({ location: { latitude: 0, longitude }, city: { name }, country: { iso_code: "ZZ" } }, seconds);
const travel = (impossibleTravelOptions: Members = {}, options: Members = {}, query: Members = {}): Members =>
  rule([kase("far", "low")], [q("a", { aggregation: "geo_data", metrics: ["@network.client.geoip"], ...query })], { detectionMethod: "impossible_travel", evaluationWindow: 0, keepAlive: 0, impossibleTravelOptions, ...options });
const baseline = (days?: number): Members => travel({ baselineUserLocations: true, ...(days === undefined ? {} : { baselineUserLocationsDuration: days }) });

export const learned: readonly Row[] = [
  row("5", "learning ends exactly after its days", newValue(duration(1)), vs([0, 1], [DAY - 0.001, 2], [DAY, 3]), [sig("x", DAY, DAY, { count: 1, case: "new", status: "low" })]),
  row("5", "learned values are known afterwards", newValue(duration(1)), vs([0, 1], [100, 2], [DAY + 1, 1], [DAY + 2, 2]), []),
  row("5", "learning is each group's own", newValue(duration(1)), [...vs([0, 1], [2 * DAY, 1]), ev("a", "y", 2 * DAY, { v: 9 }), ev("a", "y", 2.5 * DAY, { v: 8 }), ev("a", "y", 3 * DAY, { v: 7 })], [sig("y", 3 * DAY)]),
  row("5", "30 days", newValue(duration(30, { forgetAfter: 30 })), vs([0, 1], [29.9 * DAY, 2], [30 * DAY, 3]), [sig("x", 30 * DAY)]),
  row("5", "D = 0: the first value is learned silently", newValue(duration(0)), vs([0, 1], [0, 1], [1, 2], [2, 2]), [sig("x", 1)]),
  row("5", "the default: learning of no days", newValue({}), vs([0, 1], [1, 2]), [sig("x", 1)]),
  row("5", "D = 0: also a second value of the same millisecond", newValue(duration(0)), vs([5, 1], [5, 2]), [sig("x", 5)]),
  row("5", "threshold 0: even the first value", newValue(threshold(0)), vs([0, 1], [1, 1], [2, 2]), [sig("x", 0), sig("x", 2)]),
  row("5", "threshold 1", newValue(threshold(1)), vs([0, 1], [1, 2]), [sig("x", 1)]),
  row("5", "threshold: 0 by default", newValue({ learningMethod: "threshold" }), vs([0, 1]), [sig("x", 0)]),
  row("5", "forgotten exactly after forgetAfter", newValue(duration(0, { forgetAfter: 1 })), vs([0, 1], [DAY, 1]), [sig("x", DAY)]),
  row("5", "a millisecond before it is known", newValue(duration(0, { forgetAfter: 1 })), vs([0, 1], [DAY - 0.001, 1]), []),
  row("5", "each sighting refreshes", newValue(duration(0, { forgetAfter: 1 })), vs([0, 1], [0.9 * DAY, 1], [1.8 * DAY, 1], [2.9 * DAY, 1]), [sig("x", 2.9 * DAY)]),
  row("5", "28 days by default", newValue(duration(0)), vs([0, 1], [28 * DAY - 1, 1], [56 * DAY, 1]), [sig("x", 56 * DAY)]),
  row("5", "forgetting within learning", newValue(duration(7, { forgetAfter: 1 })), vs([0, 1], [6 * DAY, 2], [7 * DAY, 2]), [sig("x", 7 * DAY)]),
  row("5", "known one day after learning ended", newValue(duration(7, { forgetAfter: 2 })), vs([0, 1], [6 * DAY, 2], [7 * DAY, 2]), []),
  row("5", "a repeat of a known value does not extend", newValue(duration(0), {}, { keepAlive: 3600 }), vs([0, 1], [10, 2], [20, 2], [30, 1], [40, 3]), [sig("x", 10, 40, { count: 2 })]),
  row("5", "several metrics: the ordered tuple", newValue(duration(0), { metrics: ["@v", "@w"] }), [[1, 1], [1, 2], [2, 1], [1, 2]].map(([v, w], i) => ev("a", "x", i, { v, w })), [sig("x", 1), sig("x", 2)]),
  row("5", "tuples are not their joined text", newValue(duration(0), { metrics: ["@v", "@w"] }), [["a", "bc"], ["ab", "c"]].map(([v, w], i) => ev("a", "x", i, { v, w })), [sig("x", 1)]),
  row("5", "an event lacking any is not usable", newValue(duration(0), { metrics: ["@v", "@w"] }), [ev("a", "x", 0, { v: 1 }), ev("a", "x", 1, { w: 1 }), ev("a", "x", 2, { v: 1, w: 1 }), ev("a", "x", 3, { v: 1, w: 2 })], [sig("x", 3)]),
  row("5", "so learning begins at the first usable one", newValue(duration(1)), [ev("a", "x", 0), ...vs([DAY, 1], [1.5 * DAY, 2], [2 * DAY, 3])], [sig("x", 2 * DAY)]),
  row("5", "null and [] are none", newValue(threshold(0)), vs([0, null], [1, []]), []),
  row("5", "the first element of an array", newValue(duration(0)), vs([0, ["p", "q"]], [1, "p"], [2, "q"], [3, ["r", "p"]]), [sig("x", 2), sig("x", 3)]),
  row("5", "a number and its text are one value", newValue(duration(0)), vs([0, 1], [1, "1"]), []),
  row("5", "case-sensitive", newValue(duration(0)), vs([0, "de"], [1, "DE"]), [sig("x", 1)]),
  row("5", "values are learned per group", newValue(duration(0)), [...vs([0, 1]), ev("a", "y", 1, { v: 2 }), ...vs([2, 2]), ev("a", "y", 3, { v: 1 })], [sig("x", 2), sig("y", 3)]),
  row("5", "no group-by: one set", newValue(duration(0), { groupByFields: [] }), [ev("a", "x", 0, { v: 1 }), ev("a", "y", 1, { v: 2 })], [sig({}, 1)]),
  row("5", "an array of groups: each learns", newValue(duration(0)), [ev("a", "x", 0, { v: 1 }), { ...ev("a", "x", 1, { v: 2, u: ["x", "y"] }) }, ev("a", "y", 2, { v: 3 })], [sig("x", 1), sig("y", 2)]),
  row("5", "an optional group", newValue(duration(0), { hasOptionalGroupByFields: true }), [{ ...ev("a", "x", 0, { v: 1, u: null }) }, { ...ev("a", "x", 1, { v: 2, u: null }) }], [sig("N/A", 1)]),
  row("5", "a metric that is a tag", newValue(duration(0), { metrics: ["env"] }), [ev("a", "x", 0, {}, { tags: ["env:p"] }), ev("a", "x", 1, {}, { tags: ["env:q"] })], [sig("x", 1)]),
  row("5", "the older name of the metric", newValue(duration(0), { metrics: undefined, metric: "@v" }), vs([0, 1], [1, 2]), [sig("x", 1)]),
  row("5", "instantaneousBaseline without stored logs changes nothing", newValue(duration(1, { instantaneousBaseline: true })), vs([0, 1], [100, 2], [DAY, 3]), [sig("x", DAY)]),
  row("5", "a case without a condition gives the severity", newValue(duration(0), {}, {}, [kase("", "critical")]), vs([0, 1], [1, 2]), [sig("x", 1, 1, { status: "critical", title: "Table rule" })]),

  row("7", "far and fast", travel(), [at("london", 0), at("newYork", HOUR)], [sig("x", HOUR, HOUR, { count: 2, case: "far", status: "low" })]),
  row("7", "at the same moment", travel(), [at("london", 0), at("newYork", 0)], [sig("x", 0, 0, { count: 2 })]),
  row("7", "near, at the same moment", travel(), [at("london", 0), at("paris", 0)], []),
  row("7", "just under 500 km", travel(), [point(0, 0), point(4.49, 1)], []),
  row("7", "just over 500 km", travel(), [point(0, 0), point(4.5, 1)], [sig("x", 1)]),
  row("7", "just under 1000 km/h", travel(), [point(0, 0), point(8.99, HOUR)], []),
  row("7", "just over 1000 km/h", travel(), [point(0, 0), point(9, HOUR)], [sig("x", HOUR)]),
  row("7", "over the date line it is near", travel(), [point(179, 0), point(-179, 60)], []),
  row("7", "consecutive events only", travel(), [at("london", 0), at("paris", HOUR), at("newYork", 8 * HOUR)], []),
  row("7", "an event without coordinates is skipped", travel(), [at("london", 0), geo({ city: { name: "X" } }, 60), geo({ location: { latitude: 40 } }, 70), geo({ location: { latitude: "north", longitude: 1 } }, 80), ev("a", "x", 90), at("newYork", HOUR)], [sig("x", HOUR)]),
  row("7", "every user by itself", travel(), [at("london", 0, "x"), at("newYork", HOUR, "y"), at("london", HOUR, "x"), at("london", 2 * HOUR, "y")], [sig("y", 2 * HOUR)]),
  row("7", "there and back are two", travel(), [at("london", 0), at("newYork", HOUR), at("london", 2 * HOUR)], [sig("x", HOUR, HOUR, { count: 2 }), sig("x", 2 * HOUR, 2 * HOUR, { count: 2 })]),
  row("7", "kept alive they are one", travel({}, { keepAlive: 21600 }), [at("london", 0), at("newYork", HOUR), at("london", 2 * HOUR)], [sig("x", HOUR, 2 * HOUR, { count: 3 })]),
  row("7", "a late event: order of time", travel(), [at("london", 300), at("newYork", 100)], [sig("x", 300, 300, { count: 2 })]),
  row("7", "detectIpTransition has no effect", travel({ detectIpTransition: true }), [at("london", 0), at("london", 1)], []),
  row("7", "grouped by two fields", travel({}, {}, { groupByFields: ["@u", "@app"] }), [geo(places.london, 0, "x", { app: 1 }), geo(places.newYork, 60, "x", { app: 2 }), geo(places.newYork, 90, "x", { app: 1 })], [sig({ "@u": "x", "@app": "1" }, 90)]),
  row("7", "the query selects", travel({}, {}, { query: "@k:a @ok:1" }), [geo(places.london, 0, "x", { ok: 1 }), geo(places.newYork, 60, "x"), geo(places.newYork, 4 * DAY, "x", { ok: 1 })], []),

  row("7", "baseline: nothing in the first 24 hours by default", baseline(), [at("london", 0), at("newYork", HOUR), at("sydney", DAY - 1)], []),
  row("7", "baseline: exactly a day later", baseline(), [at("london", 0), at("london", DAY - HOUR), at("newYork", DAY)], [sig("x", DAY)]),
  row("7", "baseline: three days", baseline(3), [at("london", 0), at("london", 2 * DAY), at("newYork", 2 * DAY + HOUR), at("london", 4 * DAY), at("sydney", 4 * DAY + HOUR)], [sig("x", 4 * DAY + HOUR)]),
  row("7", "baseline: days may be a part of one", baseline(0.5), [at("london", 0), at("london", 11 * HOUR), at("newYork", 12 * HOUR)], [sig("x", 12 * HOUR)]),
  row("7", "baseline: a known location is none", baseline(), [at("london", 0), at("newYork", HOUR), at("london", 2 * DAY), at("newYork", 2 * DAY + 60)], []),
  row("7", "baseline: the location that signalled is known from then on", baseline(), [at("london", 0), at("london", 2 * DAY), at("newYork", 2 * DAY + HOUR), at("london", 4 * DAY), at("newYork", 4 * DAY + HOUR)], [sig("x", 2 * DAY + HOUR)]),
  row("7", "baseline: an unknown one that is possible is not told, and known from then on", baseline(), [at("london", 0), at("london", 2 * DAY), at("newYork", 2 * DAY + 12 * HOUR), at("london", 4 * DAY), at("newYork", 4 * DAY + 60)], []),
  row("7", "baseline: forgotten after 30 days", baseline(), [at("london", 0), at("newYork", HOUR), at("london", 10 * DAY), at("london", 20 * DAY), at("london", 31 * DAY), at("sydney", 31 * DAY + 60), at("london", 31 * DAY + 120)], [sig("x", 31 * DAY + 60)]),
  row("7", "baseline: a forgotten location, but the way is known", baseline(), [at("london", 0), at("newYork", HOUR), at("london", 10 * DAY), at("london", 32 * DAY), at("newYork", 32 * DAY + 60)], []),
  row("7", "baseline: a forgotten location by another way", baseline(), [at("london", 0), at("newYork", HOUR), at("london", 10 * DAY), at("berlin", 32 * DAY), at("newYork", 32 * DAY + 60)], [sig("x", 32 * DAY + 60)]),
  row("7", "baseline: the same city is one location, wherever it lies", baseline(), [at("london", 0), at("london", 2 * DAY), geo({ ...places.london, location: { latitude: -10, longitude: 100 } }, 2 * DAY + 60)], []),
  row("7", "baseline: a city's name in another country is another", baseline(), [at("london", 0), at("london", 2 * DAY), geo({ location: { latitude: 42.98, longitude: -81.24 }, city: { name: "London" }, country: { iso_code: "CA" } }, 2 * DAY + 60)], [sig("x", 2 * DAY + 60)]),
  row("7", "baseline: the name of the country where the code is missing", baseline(), [geo({ ...places.london, country: { name: "United Kingdom" } }, 0), at("london", 2 * DAY), geo({ ...places.newYork, country: { name: "United States" } }, 2 * DAY + 60)], [sig("x", 2 * DAY + 60)]),
  row("7", "baseline: without a city the country is the location", baseline(), [geo({ location: places.london.location, country: { iso_code: "GB" } }, 0), geo({ location: places.london.location, country: { iso_code: "GB" } }, 2 * DAY), geo({ location: { latitude: 57.15, longitude: -2.11 }, country: { iso_code: "GB" } }, 2 * DAY + 60)], []),
  row("7", "baseline of no days: judged from the second event on", baseline(0), [at("london", 0), at("newYork", 60)], [sig("x", 60)]),
  row("7", "a baseline's days without the baseline are nothing", travel({ baselineUserLocations: false, baselineUserLocationsDuration: 7 }), [at("london", 0), at("newYork", 60)], [sig("x", 60)]),
  row("7", "suppressed by what the signal holds", travel(), [at("london", 0), at("newYork", 60), at("london", 3 * DAY), at("sydney", 3 * DAY + 60)], [sig("x", 3 * DAY + 60)], { suppressions: [{ enabled: true, rule_query: "*", suppression_query: "@network.client.geoip.country.iso_code:US", expiration_date: ms(DAY) }] }),
];
