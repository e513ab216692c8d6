// Events per CPU second and bytes per group of each detection method, with many groups, beside the exact twin in plain
// JavaScript. `node bench/methods.ts [--short]`. Hits are held against the twin's before anything is timed.
import assert from "node:assert/strict";
import type { MatchColumns } from "../host/batch/matches.ts";
import { Detector } from "../host/detect/detector.ts";
import { ContentAnomaly } from "../host/detect/method/content.ts";
import { ImpossibleTravelDetector } from "../host/detect/method/impossible-travel.ts";
import type { MethodDetector, MethodEvent } from "../host/detect/method/method.ts";
import { NewValueDetector } from "../host/detect/method/new-value.ts";
import { ThirdPartyDetector } from "../host/detect/method/third-party.ts";
import { planRules } from "../host/detect/threshold.ts";
import { setupBytes } from "../host/detect/window-memory.ts";
import { ContentRoom } from "../host/engine/content-room.ts";
import { StateInstance } from "../host/engine/state.ts";
import type { Rule } from "../host/rule/rule.ts";
import { standingQueries } from "../host/rule/standing.ts";
import { readRule } from "../host/rule/wire.ts";
import { PlainContent } from "../test/reference/content.ts";
import { ImpossibleTravelTwin } from "../test/reference/impossible-travel.ts";
import { NewValueTwin } from "../test/reference/new-value.ts";
import { ThirdPartyTwin } from "../test/reference/third-party.ts";
import { ThresholdTwin } from "../test/reference/threshold.ts";
import { Random } from "./random.ts";

const short = process.argv.includes("--short");
const GROUPS = short ? 10_000 : 100_000;
const EVENTS = GROUPS * 5;
const RUNS = short ? 1 : 3;
const LATENESS_MS = 300_000;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 5);

/** CPU seconds of a run: the best of some, as the machine is shared. */
function cpuSeconds(run: () => void, runs = RUNS): number {
  let best = Infinity;
  for (let i = 0; i < runs; i++) {
    const before = process.cpuUsage();
    run();
    const used = process.cpuUsage(before);
    best = Math.min(best, (used.user + used.system) / 1e6);
  }
  return best;
}

interface Line {
  readonly method: string;
  readonly events: number;
  readonly seconds: number;
  readonly twinEvents: number;
  readonly twinSeconds: number;
  readonly groups: number;
  readonly stateBytes: number;
  readonly hits: number;
}

const table: Line[] = [];

function ruleOf(detectionMethod: string, options: Record<string, unknown>, query: Record<string, unknown>, more: Record<string, unknown> = {}): Rule {
  return readRule({
    id: detectionMethod, name: detectionMethod, message: "", isEnabled: true, type: "log_detection", tags: [],
    options: { detectionMethod, evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400, ...options },
    queries: [{ name: "a", query: "source:x", groupByFields: ["@u"], ...query }], cases: [{ name: "", status: "low" }], ...more,
  });
}

/** Every group comes five times within the span, in an order drawn by a seed. */
function order(seed: number): Uint32Array {
  const random = new Random(seed);
  const users = Uint32Array.from({ length: EVENTS }, (_, i) => i % GROUPS);
  for (let i = EVENTS - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [users[i], users[j]] = [users[j]!, users[i]!];
  }
  return users;
}

/** Keys as the kernel writes them: bytes read one to one, each made but once. */
const keys = Array.from({ length: GROUPS }, (_, user) => `\u0009\u0000\u0000\u0000u${String(user).padStart(8, "0")}`);
const names = Array.from({ length: GROUPS }, (_, user) => [`u${String(user).padStart(8, "0")}`]);

function eventsOf(spanMs: number, valuesOf: (user: number, random: Random, i: number) => ReadonlyArray<readonly string[]>, queryOf: (random: Random) => readonly number[] = () => [0]): MethodEvent[] {
  const random = new Random(7);
  return Array.from(order(1), (user, slot) => {
    const timeMs = START_MS + Math.floor((slot * spanMs) / EVENTS);
    const values = valuesOf(user, random, slot);
    return { timeMs, highMs: timeMs, slot, matches: queryOf(random).map((queryIndex) => ({ queryIndex, groupKey: keys[user]!, group: names[user]!, values, number: Number.NaN })) };
  });
}

interface Told {
  readonly caseIndex: number;
  readonly group: readonly string[];
  readonly timeMs: number;
  readonly slots: readonly number[];
}

function method(name: string, events: readonly MethodEvent[], make: () => MethodDetector, twin: () => { apply(event: MethodEvent): readonly Told[] }): void {
  const hits: string[] = [];
  const textOf = ({ caseIndex, group, timeMs, slots }: Told): string => `${caseIndex} ${group.join(" ")} ${timeMs} ${slots.join(",")}`;
  const note = (hit: Told): void => void hits.push(textOf(hit));
  let detector = make();
  for (const event of events) detector.apply(event, note);
  const other = twin();
  const expected = events.flatMap((event) => other.apply(event)).map(textOf);
  assert.deepEqual(hits, expected);
  const { groups, stateBytes } = detector.counts();
  const seconds = cpuSeconds(() => {
    detector = make();
    for (const event of events) detector.apply(event, () => undefined);
  });
  const twinSeconds = cpuSeconds(() => {
    const again = twin();
    for (const event of events) again.apply(event);
  });
  table.push({ method: name, events: events.length, seconds, twinEvents: events.length, twinSeconds, groups, stateBytes, hits: hits.length });
}

async function threshold(): Promise<void> {
  const rules = [ruleOf("threshold", {}, {}, { cases: [{ name: "", status: "low", condition: "a > 3" }] })];
  const users = order(1);
  const spanMs = 600_000;
  const timeOf = (i: number): number => START_MS + Math.floor((i * spanMs) / EVENTS);
  const batches: MatchColumns[] = [];
  const size = 20_000;
  for (let from = 0; from < EVENTS; from += size) {
    const count = Math.min(size, EVENTS - from);
    const bytes = Buffer.from(Array.from({ length: count }, (_, i) => keys[users[from + i]!]!).join(""), "latin1");
    const times = Float64Array.from({ length: count }, (_, i) => timeOf(from + i));
    const zeros = new Uint32Array(count);
    batches.push({
      count, timeMs: times, highMs: times, standing: zeros, row: zeros.map((_, i) => i), keyHash: new BigUint64Array(count), value: new BigUint64Array(count),
      keyStart: zeros.map((_, i) => i * 13), keyLength: zeros.map(() => 13), eventStart: zeros.map((_, i) => i * 13), eventLength: zeros.map(() => 13),
      id: new Uint32Array(count * 2), bytes: new Uint8Array(Buffer.concat([bytes, Buffer.alloc(64)])), batchHighMs: times.at(-1)!,
    });
  }
  const standing = standingQueries(rules);
  const plans = planRules(rules, standing, LATENESS_MS);
  const fresh = async (): Promise<Detector> => new Detector(plans, standing, await StateInstance.create("simd", 1 << 29, setupBytes(plans)), { allowedLatenessMs: LATENESS_MS });
  const play = (detector: Detector, hits?: string[]): void =>
    batches.forEach((batch, i) => detector.apply(batch, i * size, 0, "", ({ groupKey, timeMs }) => void hits?.push(`${groupKey} ${timeMs}`)));
  const hits: string[] = [];
  const first = await fresh();
  play(first, hits);
  const twinRun = (told?: string[]): void => {
    const twin = new ThresholdTwin(rules[0]!, LATENESS_MS);
    users.forEach((user, number) => {
      const timeMs = timeOf(number);
      for (const hit of twin.apply({ number, timeMs, highMs: timeMs, records: [{ queryIndex: 0, key: keys[user]!, values: [] }] })) told?.push(`${hit.key} ${hit.timeMs}`);
    });
  };
  const told: string[] = [];
  twinRun(told);
  assert.deepEqual(hits, told);
  let seconds = Infinity;
  for (let i = 0; i < RUNS; i++) {
    const detector = await fresh();
    seconds = Math.min(seconds, cpuSeconds(() => play(detector), 1));
  }
  table.push({ method: "threshold", events: EVENTS, seconds, twinEvents: EVENTS, twinSeconds: cpuSeconds(() => twinRun()), groups: first.counts.groups, stateBytes: first.counts.stateBytes, hits: hits.length });
}

type Judge = (key: string, timeMs: number, text: string) => boolean;

/** Values of content after so many were learned; the twin, which compares all with all, is asked the first of them only. */
async function content(name: string, plan: { readonly groups: number; readonly learned: number; readonly asked: number; readonly held: number; readonly text: (random: Random) => string }): Promise<void> {
  const options = { contentAnomalyOptions: { learningDuration: 1, forgetAfter: 7, similarityPercentageThreshold: 70 } };
  const rule = ruleOf("anomaly_threshold", options, { metrics: ["@c"] }, { cases: [{ name: "", status: "low", condition: "a > 0" }] });
  const { groups, learned, asked, held, text } = plan;
  const random = new Random(3);
  const texts = Array.from({ length: learned + asked }, () => text(random));
  const ask = (judge: Judge, from: number, to: number): boolean[] =>
    texts.slice(from, to).map((each, i) => judge(keys[(from + i) % groups]!, START_MS + Math.floor(((from + i) * 4 * DAY_MS) / texts.length), each));
  const timed = (judge: Judge, count: number): { readonly odd: boolean[]; readonly seconds: number } => {
    ask(judge, 0, learned);
    let odd: boolean[] = [];
    const seconds = cpuSeconds(() => void (odd = ask(judge, learned, learned + count)), 1);
    return { odd, seconds };
  };
  let seconds = Infinity;
  let odd: boolean[] = [];
  let counts = { groups: 0, stateBytes: 0 };
  for (let i = 0; i < RUNS; i++) {
    const judge = new ContentAnomaly(rule, await ContentRoom.create("simd", 3 << 29));
    const run = timed((key, timeMs, each) => judge.isOdd(0, key, timeMs, [[each]]), asked);
    seconds = Math.min(seconds, run.seconds);
    odd = run.odd;
    counts = judge.counts();
  }
  const twin = new PlainContent({ learningMs: DAY_MS, forgetMs: 7 * DAY_MS, similarity: 0.7, similarItems: 1 });
  const other = held ? timed((key, timeMs, each) => twin.isOdd(key, timeMs, [each]), held) : { odd: [], seconds: Number.NaN };
  assert.deepEqual(odd.slice(0, held), other.odd);
  table.push({ method: name, events: asked, seconds, twinEvents: held, twinSeconds: other.seconds, ...counts, hits: odd.filter(Boolean).length });
}

const verbs = ["connected", "failed", "accepted", "closed", "opened", "denied"];
const vocabulary = Array.from({ length: 300 }, (_, i) => `word${i}`);
/** A login line: hardly any is like another. */
const login = (random: Random): string => `${random.pick(verbs)} session for user${random.below(3000)} from 10.${random.below(4)}.${random.below(256)}.${random.below(256)} port ${random.below(60_000)}`;
/** A line of which most have been seen alike. */
const usual = (random: Random): string => `${random.pick(verbs)} session for user${random.below(50)} from host ${random.below(20)} after ${random.below(9)} tries`;
/** Eight of 300 words: every word leads to many candidates. */
const jumble = (random: Random): string => Array.from({ length: 8 }, () => random.pick(vocabulary)).join(" ");

await threshold();
const countries = ["FR", "DE", "GB", "US", "JP", "BR", "IN", "CN"];
const newValue = ruleOf("new_value", { newValueOptions: { learningDuration: 1, forgetAfter: 7 } }, { aggregation: "new_value", metrics: ["@c"] });
method("new value", eventsOf(4 * DAY_MS, (user, random) => [[random.below(10) ? countries[user & 7]! : random.pick(countries)]]), () => new NewValueDetector(newValue, { allowedLatenessMs: LATENESS_MS }), () => new NewValueTwin(newValue, LATENESS_MS));
const places = [["48.8566", "2.3522", "Paris", "FR"], ["51.5074", "-0.1278", "London", "GB"], ["35.6762", "139.6503", "Tokyo", "JP"], ["40.7128", "-74.006", "New York", "US"]].map((each) => [...each.map((text) => [text]), []]);
const travel = ruleOf("impossible_travel", { impossibleTravelOptions: { baselineUserLocations: true } }, { aggregation: "geo_data", metrics: ["@network.client.geoip"] });
method("impossible travel", eventsOf(2 * DAY_MS, (user, random) => (random.below(10) ? places[user & 3]! : random.pick(places))), () => new ImpossibleTravelDetector(travel, { allowedLatenessMs: LATENESS_MS }), () => new ImpossibleTravelTwin(travel, LATENESS_MS));
const alerts = ruleOf("third_party", { thirdPartyRuleOptions: { defaultStatus: "info", rootQueries: [{ query: "source:v", groupByFields: ["@u"] }] } }, {}, { queries: undefined, cases: undefined, thirdPartyCases: [{ name: "bad", status: "high", query: "@g:>7" }, { name: "odd", status: "low", query: "@g:>3" }] });
const grades = [[0], [0, 2], [0, 1, 2]];
const forwarded = eventsOf(DAY_MS, () => [], (random) => random.pick(grades));
// The twin reads the alerts themselves.
const records = forwarded.map(({ slot, matches }) => ({ source: "v", attributes: { u: matches[0]!.group[0]!, g: matches.length * 4 - 3 }, timestamp: slot }));
method("third party", forwarded, () => new ThirdPartyDetector(alerts, { allowedLatenessMs: LATENESS_MS }), () => {
  const twin = new ThirdPartyTwin(alerts, LATENESS_MS);
  return { apply: (event) => twin.apply(event, records[event.slot]!) };
});
await content("content, one value learned of each", { groups: GROUPS, learned: GROUPS, asked: GROUPS, held: GROUPS, text: login });
// The twin learns 10,000 values by comparing each with each: too long for a short run.
const large = { groups: 1, learned: 10_000, asked: short ? 2000 : 10_000, held: short ? 0 : 300 };
await content("content, 10,000 logins learned of one", { ...large, text: login });
await content("content, 10,000 usual lines of one", { ...large, text: usual });
await content("content, 10,000 jumbles of one", { ...large, text: jumble });

const whole = (value: number): string => (Number.isFinite(value) ? Math.round(value).toLocaleString("en") : "-");
console.log(`${"method".padEnd(38)} ${"groups".padStart(8)} ${"events/CPU s".padStart(13)} ${"twin's".padStart(11)} ${"bytes/group".padStart(12)} ${"hits".padStart(8)}`);
for (const { method: name, groups, events, seconds, twinEvents, twinSeconds, stateBytes, hits } of table) {
  console.log(`${name.padEnd(38)} ${whole(groups).padStart(8)} ${whole(events / seconds).padStart(13)} ${whole(twinEvents / twinSeconds).padStart(11)} ${whole(groups ? stateBytes / groups : Number.NaN).padStart(12)} ${whole(hits).padStart(8)}`);
}
