import { DAY, HOUR, type Row, type Told, ev, kase, ms, q, rule, sig } from "./words.ts";

type Members = Record<string, unknown>;

const row = (at: string, says: string, payload: Members, logs: Row["logs"], told: Row["told"], more: Partial<Row> = {}): Row => ({ at, says, rule: payload, logs, told, ...more });

const volume = (anomalyDetectionOptions: Members, options: Members = {}, condition: string | undefined = undefined, query: Members = {}): Members =>
  rule([kase("spike", "high", condition)], [q("a", query)], { detectionMethod: "anomaly_detection", evaluationWindow: 0, keepAlive: 21600, anomalyDetectionOptions, ...options });
/** So many events in a bucket that begins at this second: one each second. */
const burst = (start: number, count: number, more: Members = {}, u = "x"): Row["logs"] => Array.from({ length: count }, (_, i) => ev("a", u, start + i, more));
/** So many in each of some buckets. */
const flat = (from: number, buckets: number, bucket: number, count: number, u = "x"): Row["logs"] => Array.from({ length: buckets }, (_, i) => burst(from + i * bucket, count, {}, u)).flat();
/** A signal whose first match is the nth event of a burst of so many: matches before the bucket ends are those of a run in real time. */
const spike = (start: number, nth: number, of: number, more: Omit<Told, "group"> = {}): Told => ({ group: { "@u": "x" }, between: [ms(start + nth - 1), ms(start + of - 1)], last: ms(start + of - 1), ...more });
const hour = { bucketDuration: 300, learningDuration: 1 };
const alone = { evaluationWindow: 300, keepAlive: 300 };
const quiet = (bucketDuration: number, days: number, peak: (hourOfDay: number) => number): Row["logs"] =>
  Array.from({ length: (days * DAY) / bucketDuration }, (_, i) => burst(i * bucketDuration, peak(Math.floor((i * bucketDuration) / HOUR) % 24))).flat();

const content = (contentAnomalyOptions: Members, condition = "a > 0", query: Members = {}, options: Members = {}): Members =>
  rule([kase("odd", "medium", condition)], [q("a", { metrics: ["@t"], ...query })], { detectionMethod: "content_anomaly", evaluationWindow: 300, keepAlive: 300, contentAnomalyOptions: { learningDuration: 1, ...contentAnomalyOptions }, ...options });
/** Contents of user x: seconds and text. */
const ts = (...pairs: ReadonlyArray<readonly [number, unknown]>): Row["logs"] => pairs.map(([seconds, t]) => ev("a", "x", seconds, { t }));
const words = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => `w${from + i}`).join(" ");
/** Are two texts the same set of words? With a threshold of 100 % only then is the second usual. */
const same = (first: string, second: string, isSame: boolean): Row =>
  row("6.2", `"${first}" and "${second}" are ${isSame ? "the same" : "different"} words`, content({ similarityPercentageThreshold: 100 }), ts([0, first], [DAY, second]), isSame ? [] : [sig("x", DAY)]);

export const series: readonly Row[] = [
  row("6.1", "over the bound by as much as the bounds of the window: not yet", volume(hour), [...flat(0, 24, 300, 10), ...burst(7200, 70)], []),
  row("6.1", "one more", volume(hour), [...flat(0, 24, 300, 10), ...burst(7200, 71)], [spike(7200, 71, 71, { case: "spike", status: "high" })]),
  row("6.1", "matches go on while the bucket grows", volume(hour), [...flat(0, 24, 300, 10), ...burst(7200, 90)], [spike(7200, 71, 90)]),
  row("6.1", "only buckets with a bound are in the window: the first one is alone", volume(hour), [...flat(0, 12, 300, 10), ...burst(3600, 20)], []),
  row("6.1", "and is judged by itself", volume(hour), [...flat(0, 12, 300, 10), ...burst(3600, 21)], [spike(3600, 21, 21)]),
  row("6.1", "while learning there is no bound", volume(hour), [...flat(0, 11, 300, 10), ...burst(3300, 299)], []),
  row("6.1", "learning counts from the group's first event, to the bucket's start", volume(hour), [...flat(600, 11, 300, 10), ...burst(3900, 10), ...burst(4200, 21)], [spike(4200, 21, 21)]),
  row("6.1", "a second later it is one bucket more", volume(hour), [...flat(601, 11, 300, 10), ...burst(3901, 10), ...burst(4201, 21)], []),
  row("6.1", "tolerance 1: a fifth over, but also three standard deviations", volume({ ...hour, detectionTolerance: 1 }, alone), [...flat(0, 12, 300, 10), ...burst(3600, 19)], []),
  row("6.1", "which it is then", volume({ ...hour, detectionTolerance: 1 }, alone), [...flat(0, 12, 300, 10), ...burst(3600, 20)], [spike(3600, 20, 20)]),
  row("6.1", "tolerance 3: three fifths over", volume({ ...hour, detectionTolerance: 3 }, alone), [...flat(0, 12, 300, 100), ...burst(3600, 160)], []),
  row("6.1", "and one more", volume({ ...hour, detectionTolerance: 3 }, alone), [...flat(0, 12, 300, 100), ...burst(3600, 161)], [spike(3600, 161, 161)]),
  row("6.1", "a baseline while learning", volume({ bucketDuration: 300, learningPeriodBaseline: 5 }), burst(0, 11), []),
  row("6.1", "12 of 5", volume({ bucketDuration: 300, learningPeriodBaseline: 5 }), burst(0, 12), [spike(0, 12, 12)]),
  row("6.1", "a baseline of 0: the third event", volume({ bucketDuration: 300, learningPeriodBaseline: 0 }), burst(0, 3), [spike(0, 3, 3)]),
  row("6.1", "not the second", volume({ bucketDuration: 300, learningPeriodBaseline: 0 }), burst(0, 2), []),
  row("6.1", "the excess of the bucket before counts", volume({ bucketDuration: 300, learningPeriodBaseline: 5 }, { evaluationWindow: 600 }), [...burst(0, 8), ...burst(300, 13)], [spike(300, 13, 13)]),
  row("6.1", "where there was none more is needed", volume({ bucketDuration: 300, learningPeriodBaseline: 5 }, { evaluationWindow: 600 }), [...burst(0, 5), ...burst(300, 15)], []),
  row("6.1", "as much as this", volume({ bucketDuration: 300, learningPeriodBaseline: 5 }, { evaluationWindow: 600 }), [...burst(0, 5), ...burst(300, 16)], [spike(300, 16, 16)]),
  row("6.1", "a bucket at its bound is not anomalous, whatever came before it", volume({ bucketDuration: 300, learningPeriodBaseline: 5 }, { evaluationWindow: 600, keepAlive: 600 }), [...burst(0, 40), ...burst(300, 5)], [spike(0, 12, 40)]),
  row("6.1", "but one over it is, by what came before", volume({ bucketDuration: 300, learningPeriodBaseline: 5 }, { evaluationWindow: 600, keepAlive: 600 }), [...burst(0, 40), ...burst(300, 6)], [{ ...spike(0, 12, 40), last: ms(305) }]),
  row("6.1", "the percentile of the case", volume(hour, alone, "a > 0.5"), [...Array.from({ length: 12 }, (_, i) => burst(i * 300, i % 2 ? 20 : 2)).flat(), ...burst(3600, 7)], [spike(3600, 7, 7)]),
  row("6.1", "its edge", volume(hour, alone, "a >= 0.5"), [...Array.from({ length: 12 }, (_, i) => burst(i * 300, i % 2 ? 20 : 2)).flat(), ...burst(3600, 6)], []),
  row("6.1", "by default the highest of few", volume(hour, alone), [...Array.from({ length: 12 }, (_, i) => burst(i * 300, i % 2 ? 20 : 2)).flat(), ...burst(3600, 40)], []),
  row("6.1", "a whole number in the condition is ignored", volume(hour, alone, "a > 1"), [...Array.from({ length: 12 }, (_, i) => burst(i * 300, i % 2 ? 20 : 2)).flat(), ...burst(3600, 41)], [spike(3600, 41, 41)]),
  row("6.1", "silent buckets are zeros of the history", volume(hour, alone, "a > 0.5"), [...burst(0, 10), ...burst(3600, 3)], [spike(3600, 3, 3)]),
  row("6.1", "drops are nothing", volume({ ...hour, detectionTolerance: 1 }, alone), [...flat(0, 12, 300, 50), ...burst(3600, 1)], []),
  row("6.1", "a new group does not signal", volume(hour), [...flat(0, 24, 300, 10), ...burst(7200, 250, {}, "y")], []),
  row("6.1", "each group by its own history", volume(hour, alone), [...flat(0, 12, 300, 1, "y"), ...flat(0, 12, 300, 100), ...burst(3600, 100), ...burst(3600, 5, {}, "y")], [{ group: { "@u": "y" }, last: ms(3604) }]),
  row("6.1", "a sum", volume({ bucketDuration: 300, learningPeriodBaseline: 100 }, {}, undefined, { aggregation: "sum", metrics: ["@n"] }), [ev("a", "x", 0, { n: 100 }), ev("a", "x", 1, { n: "100" }), ev("a", "x", 2, { n: 1 })], [{ group: { "@u": "x" }, first: ms(2), last: ms(2) }]),
  row("6.1", "distinct values", volume({ bucketDuration: 300, learningPeriodBaseline: 0 }, {}, undefined, { aggregation: "cardinality", distinctFields: ["@v"] }), [...burst(0, 50, { v: 1 }), ev("a", "x", 60, { v: 2 }), ev("a", "x", 70, { v: 3 })], [{ group: { "@u": "x" }, first: ms(70), last: ms(70) }]),
  row("6.1", "distinct values are each bucket's own", volume({ bucketDuration: 300, learningPeriodBaseline: 0 }, alone, undefined, { aggregation: "cardinality", distinctFields: ["@v"] }), [ev("a", "x", 0, { v: 1 }), ev("a", "x", 1, { v: 2 }), ev("a", "x", 300, { v: 3 })], []),
  row("6.1", "buckets are aligned to the epoch", volume({ bucketDuration: 300, learningPeriodBaseline: 0 }, alone), [ev("a", "x", 298), ev("a", "x", 299), ev("a", "x", 300), ev("a", "x", 301)], []),
  row("6.1", "a longer bucket", volume({ bucketDuration: 900, learningPeriodBaseline: 0 }), [ev("a", "x", 298), ev("a", "x", 299), ev("a", "x", 300)], [{ group: { "@u": "x" }, first: ms(300), last: ms(300) }]),
  row("6.1", "the window is the bucket where it is shorter", volume({ bucketDuration: 1800, learningPeriodBaseline: 0 }, { evaluationWindow: 300, keepAlive: 300 }), [ev("a", "x", 0), ev("a", "x", 900), ev("a", "x", 1700)], [{ group: { "@u": "x" }, first: ms(1700), last: ms(1700) }]),
  row("6.1", "two cases: the first percentile that is passed", rule([kase("high", "high", "a > 0.9"), kase("mid", "low", "a > 0.5")], [q("a")], { detectionMethod: "anomaly_detection", ...alone, anomalyDetectionOptions: hour }), [...Array.from({ length: 12 }, (_, i) => burst(i * 300, i % 2 ? 20 : 2)).flat(), ...burst(3600, 41)], [spike(3600, 7, 41, { case: "high", status: "high" })]),
  row("6.1", "the season: fewer than three days back, the whole history", volume({ bucketDuration: 3600, learningDuration: 24 }, { evaluationWindow: 3600 }), [...quiet(3600, 2, (h) => (h === 3 ? 50 : 1)), ...quiet(3600, 2, () => 0), ...Array.from({ length: 15 }, (_, i) => burst(2 * DAY + i * HOUR, 1)).flat(), ...burst(2 * DAY + 15 * HOUR, 30)], []),
  row("6.1", "the season: the hours around this one of every day", volume({ bucketDuration: 3600, learningDuration: 24 }, { evaluationWindow: 3600 }), [...quiet(3600, 5, (h) => (h === 3 ? 50 : 1)), ...Array.from({ length: 15 }, (_, i) => burst(5 * DAY + i * HOUR, i === 3 ? 50 : 1)).flat(), ...burst(5 * DAY + 15 * HOUR, 30)], [spike(5 * DAY + 15 * HOUR, 4, 30)]),
  row("6.1", "the season: an hour beside the peak is of its pool", volume({ bucketDuration: 3600, learningDuration: 24 }, { evaluationWindow: 3600 }), [...quiet(3600, 5, (h) => (h === 3 ? 50 : 1)), ...burst(5 * DAY, 1), ...burst(5 * DAY + HOUR, 1), ...burst(5 * DAY + 2 * HOUR, 50)], []),
  row("6.1", "the season goes round midnight", volume({ bucketDuration: 3600, learningDuration: 24 }, { evaluationWindow: 3600 }), [...quiet(3600, 5, (h) => (h === 23 ? 50 : 1)), ...burst(5 * DAY, 50)], []),
  row("6.1", "but not two hours far", volume({ bucketDuration: 3600, learningDuration: 24 }, { evaluationWindow: 3600 }), [...quiet(3600, 5, (h) => (h === 23 ? 50 : 1)), ...burst(5 * DAY, 1), ...burst(5 * DAY + HOUR, 50)], [spike(5 * DAY + HOUR, 4, 50)]),
  row("6.1", "fourteen days back belong to the history", volume({ bucketDuration: 10800, learningDuration: 24 }, { evaluationWindow: 10800 }), [...burst(0, 100), ...flat(10800, 111, 10800, 1), ...burst(14 * DAY, 20)], []),
  row("6.1", "what is older does not", volume({ bucketDuration: 10800, learningDuration: 24 }, { evaluationWindow: 10800 }), [...burst(0, 100), ...flat(10800, 119, 10800, 1), ...burst(15 * DAY, 20)], [spike(15 * DAY, 4, 20)]),

  row("6.2", "learning ends exactly after its days", content({}), ts([0, "alpha beta"], [DAY - 0.001, "one two"], [DAY, "red blue"]), [sig("x", DAY, DAY, { count: 1, case: "odd", status: "medium" })]),
  row("6.2", "seven days by default", content({ learningDuration: undefined }), ts([0, "alpha beta"], [7 * DAY - 1, "one two"], [7 * DAY, "red blue"]), [sig("x", 7 * DAY)]),
  row("6.2", "learned within learning is usual after it", content({}), ts([0, "alpha beta"], [1000, "one two"], [DAY, "one two"], [DAY + 1, "beta alpha"]), []),
  row("6.2", "exactly as similar as asked for", content({}), ts([0, words(0, 10)], [DAY, words(0, 7)]), []),
  row("6.2", "a little less", content({}), ts([0, words(0, 10)], [DAY, `${words(0, 7)} extra`]), [sig("x", DAY)]),
  row("6.2", "7 of 20 at 35 %", content({ similarityPercentageThreshold: 35 }), ts([0, words(0, 20)], [DAY, words(0, 7)]), []),
  row("6.2", "7 of 21 at 35 %", content({ similarityPercentageThreshold: 35 }), ts([0, words(0, 20)], [DAY, `${words(0, 7)} extra`]), [sig("x", DAY)]),
  row("6.2", "a second copy of an odd log is usual", content({}), ts([0, "alpha beta"], [DAY, "red blue"], [DAY + 400, "red blue"]), [sig("x", DAY)]),
  row("6.2", "with three similar ones asked for the fourth copy is", content({ nbSimilarItemsThreshold: 3 }), ts([0, "alpha beta"], ...[0, 400, 800, 1200].map((each) => [DAY + each, "red blue"] as const)), [sig("x", DAY), sig("x", DAY + 400), sig("x", DAY + 800)]),
  row("6.2", "equal items count once per log", content({ nbSimilarItemsThreshold: 3 }), ts([0, "alpha beta"], [1, "alpha beta"], [2, "alpha beta"], [DAY, "alpha beta"]), []),
  row("6.2", "forgotten items are no history", content({ forgetAfter: 1 }), ts([0, "alpha beta"], [DAY + 1, "alpha beta"]), [sig("x", DAY + 1)]),
  row("6.2", "those of the last days are", content({ forgetAfter: 1 }), ts([0, "alpha beta"], [10, "alpha beta"], [DAY + 9, "alpha beta"]), []),
  row("6.2", "what holds no word is skipped, and begins no learning", content({}), ts([0, "!!! ---"], [DAY / 2, "alpha beta"], [DAY, "red blue"], [DAY + 1, "???"]), []),
  row("6.2", "an event without the field is skipped", content({}), [ev("a", "x", 0), ...ts([DAY / 2, "alpha"], [DAY, "beta"])], []),
  row("6.2", "the message by default", content({}, "a > 0", { metrics: [] }), [ev("a", "x", 0, {}, { message: "alpha beta" }), ev("a", "x", DAY, {}, { message: "alpha beta" }), ev("a", "x", DAY + 1, {}, { message: "red blue" })], [sig("x", DAY + 1)]),
  row("6.2", "several fields: one set", content({}, "a > 0", { metrics: ["@t", "@s"] }), [ev("a", "x", 0, { t: "alpha", s: "beta" }), ev("a", "x", DAY, { t: "beta alpha" }), ev("a", "x", DAY + 1, { t: "alpha", s: "red blue" })], [sig("x", DAY + 1)]),
  row("6.2", "an array: all of its texts", content({}), ts([0, ["alpha", "beta gamma"]], [DAY, "gamma beta alpha"]), []),
  row("6.2", "numbers are words", content({}), ts([0, 42], [DAY, "42"], [DAY + 1, 43]), [sig("x", DAY + 1)]),
  row("6.2", "history is per group", content({}), [...ts([0, "alpha"]), ev("a", "y", 0, { t: "beta" }), ...ts([DAY, "beta"]), ev("a", "y", DAY, { t: "beta" })], [sig("x", DAY)]),
  row("6.2", "and per query", rule(["a > 0 && b > 0"], [q("a", { metrics: ["@t"] }), q("b", { metrics: ["@t"] })], { detectionMethod: "anomaly_threshold", contentAnomalyOptions: { learningDuration: 1 } }), [ev("a", "x", 0, { t: "alpha" }), ev("b", "x", 0, { t: "beta" }), ev("a", "x", DAY, { t: "beta" }), ev("b", "x", DAY + 1, { t: "alpha" })], [sig("x", DAY + 1, DAY + 1, { count: 2 })]),
  row("6.2", "only anomalous logs are counted, and only they are looked at", content({}, "a > 0"), ts([0, "alpha beta"], [DAY, "red blue"], [DAY + 10, "alpha beta"]), [sig("x", DAY, DAY, { count: 1 })]),
  row("6.2", "three within the window", content({}, "a >= 3"), ts([0, "alpha beta"], [DAY, "b c"], [DAY + 299, "d e"], [DAY + 300, "f g"], [DAY + 301, "h i"]), [sig("x", DAY + 301, DAY + 301, { count: 3 })]),
  row("6.2", "cases in order", rule([kase("many", "high", "a > 1"), kase("one", "low", "a > 0")], [q("a", { metrics: ["@t"] })], { detectionMethod: "content_anomaly", contentAnomalyOptions: { learningDuration: 1 } }), ts([0, "alpha"], [DAY, "b"], [DAY + 1, "c"]), [sig("x", DAY, DAY + 1, { case: "many", status: "high", count: 2 })]),
  row("6.2", "suppressed, but learned", content({}), ts([0, "alpha"], [DAY, "b"], [DAY + 400, "b"]), [], { suppressions: [{ enabled: true, rule_query: "*", suppression_query: "*", expiration_date: ms(DAY + 100) }] }),
  same("User 10.0.0.1", "10.0.0.1 User", true),
  same("10.0.0.1", "10 0 1", false),
  same("10:30", "10 30", true),
  same("foo:bar", "foo bar", false),
  same("3,500", "3 500", false),
  same("a,b", "a b", true),
  same("x.2", "x 2", true),
  same("v1.2", "v1 2", false),
  same("user@example.com", "user example.com", true),
  same("/etc/passwd", "etc passwd", true),
  same("C:\\Windows\\x.exe", "C Windows x.exe", true),
  same("a-b", "a b", true),
  same("it's", "it s", false),
  same("foo_bar", "foo bar", false),
  same("2024-01-02T03:04:05Z", "2024 01 02T03 04 05Z", true),
  same("1;2", "1 2", false),
  same("1:2", "1 2", true),
  same("a;b", "a b", true),
  same("a..b", "a b", true),
  same("a.b.c", "a.b c", false),
  same("don't 'quote'", "don't quote", true),
  same("Alpha", "alpha", false),
  same("alpha alpha beta", "beta alpha", true),
  same("привет мир", "мир, привет!", true),
  same("café crème", "crème-café", true),
  same("café", "cafe", false),
  same("naïve.com", "naïve com", false),
  same("log 🔥 alpha", "log alpha", true),
  same("größe:3", "größe 3", true),
  row("6.2", "signs alone are no words", content({}), ts([0, "alpha"], [DAY, "🔥🔥 → ∑"]), []),
];
