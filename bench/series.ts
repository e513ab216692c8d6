// Events per second of CPU and bytes per group of the detectors that judge rules on the host, at 100,000 groups.
// `node bench/series.ts`; `--short` at a tenth of it; `--groups 20000` at as many. Hits are held against the exact twin's first.
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parseArgs } from "node:util";
import { AnomalyDetector } from "../host/detect/method/anomaly.ts";
import { CorrelationDetector } from "../host/detect/method/correlation.ts";
import type { MethodDetector, MethodEvent, MethodHit, MethodMatch } from "../host/detect/method/method.ts";
import { SequenceDetector } from "../host/detect/method/sequence.ts";
import type { Rule } from "../host/rule/rule.ts";
import { readRule } from "../host/rule/wire.ts";
import { AnomalyTwin } from "../test/reference/anomaly.ts";
import { correlationHits } from "../test/reference/correlation.ts";
import { SequenceTwin } from "../test/reference/sequence.ts";
import { Random } from "./random.ts";

const { values: options } = parseArgs({ options: { short: { type: "boolean" }, groups: { type: "string" } } });
const GROUPS = Number(options.groups ?? (options.short ? 10_000 : 100_000));
const EVENTS = GROUPS * 10;
const TWIN_GROUPS = 20;
const TWIN_EVENTS = 600;
const LATENESS_MS = 300_000;
const TOLD_EVERY_MS = 10_000;
const START_MS = Date.UTC(2024, 0, 1);
const HOUR_MS = 3_600_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

interface Bench {
  readonly name: string;
  readonly rule: Rule;
  /** Event time the stream spans. */
  readonly spanMs: number;
  /** Queries an event may match; each matches one. */
  readonly queries: number;
  create(rule: Rule): MethodDetector;
  /** Hits by the exact twin. */
  twin(rule: Rule, events: readonly MethodEvent[]): number;
}

function ruleOf(members: Record<string, unknown>): Rule {
  return readRule({ id: "rule", name: "rule", message: "", isEnabled: true, type: "log_detection", tags: [], ...members });
}

function anomaly(aggregation: "count" | "cardinality" | "sum"): Rule {
  return ruleOf({
    options: {
      detectionMethod: "anomaly_detection", evaluationWindow: 0, keepAlive: 3600, maxSignalDuration: 86_400,
      anomalyDetectionOptions: { bucketDuration: 3600, learningDuration: 24, detectionTolerance: 2 },
    },
    queries: [{ name: "a", query: "*", aggregation, groupByFields: ["@u"], distinctFields: aggregation === "cardinality" ? ["@v"] : [], metrics: aggregation === "sum" ? ["@v"] : [] }],
    cases: [{ name: "", status: "low", condition: "a > 0.995" }],
  });
}

function sequence(conditions: readonly string[], windowSeconds: number): Rule {
  return ruleOf({
    options: {
      detectionMethod: "sequence_detection", keepAlive: 3600, maxSignalDuration: 86_400,
      sequenceDetectionOptions: {
        steps: conditions.map((condition, i) => ({ name: `s${i}`, condition, evaluationWindow: windowSeconds })),
        stepTransitions: conditions.slice(1).map((_, i) => ({ parent: `s${i}`, child: `s${i + 1}`, evaluationWindow: 3600 })),
      },
    },
    queries: ["a", "b", "c"].map((name) => ({ name, query: "*", aggregation: "count", groupByFields: ["@u"] })),
    cases: [{ name: "", status: "high", condition: `s${conditions.length - 1} > 0` }],
  });
}

function correlation(condition: string): Rule {
  return ruleOf({
    type: "signal_correlation", options: { detectionMethod: "threshold", evaluationWindow: 3600, keepAlive: 3600, maxSignalDuration: 86_400 },
    queries: ["a", "b"].map((name) => ({ name, ruleId: name, aggregation: "event_count", correlatedByFields: ["@u"] })),
    cases: [{ name: "", status: "high", condition }],
  });
}

/** How one of the series detectors is run and held. */
const ofAnomaly: Pick<Bench, "spanMs" | "queries" | "create" | "twin"> = {
  spanMs: 72 * HOUR_MS, queries: 1,
  create: (rule) => new AnomalyDetector(rule, { allowedLatenessMs: LATENESS_MS }),
  twin(rule, events) {
    const twin = new AnomalyTwin(rule, LATENESS_MS);
    return events.reduce((hits, event) => hits + twin.apply(event).length, 0) + twin.advance(Number.POSITIVE_INFINITY).length;
  },
};
const ofSequence: typeof ofAnomaly = {
  spanMs: 6 * HOUR_MS, queries: 3,
  create: (rule) => new SequenceDetector(rule, { allowedLatenessMs: LATENESS_MS }),
  twin(rule, events) {
    const twin = new SequenceTwin(rule, LATENESS_MS);
    return events.reduce((hits, event) => hits + twin.apply(event).length, 0);
  },
};
const ofCorrelation: typeof ofAnomaly = {
  spanMs: 6 * HOUR_MS, queries: 2,
  create: (rule) => new CorrelationDetector(rule),
  twin: (rule, events) => correlationHits(rule, events).length,
};

const benches: readonly Bench[] = [
  { name: "anomaly, count", rule: anomaly("count"), ...ofAnomaly },
  { name: "anomaly, distinct values", rule: anomaly("cardinality"), ...ofAnomaly },
  { name: "anomaly, sum", rule: anomaly("sum"), ...ofAnomaly },
  { name: "sequence, two steps", rule: sequence(["a > 0", "b > 0"], 0), ...ofSequence },
  { name: "sequence, three steps", rule: sequence(["a > 0", "b > 0", "c > 0"], 600), ...ofSequence },
  { name: "sequence, counts", rule: sequence(["a > 2", "b > 0"], 3600), ...ofSequence },
  { name: "correlation, both", rule: correlation("a > 0 && b > 0"), ...ofCorrelation },
  { name: "correlation, THEN", rule: correlation("a > 0 THEN b > 0"), ...ofCorrelation },
];

class Match implements MethodMatch {
  readonly queryIndex: number;
  readonly groupKey: string;
  readonly values: ReadonlyArray<readonly string[]>;
  readonly number: number;

  constructor(queryIndex: number, groupKey: string, value: number) {
    this.queryIndex = queryIndex;
    this.groupKey = groupKey;
    this.values = [[String(value)]];
    this.number = value;
  }

  get group(): readonly string[] {
    return [this.groupKey];
  }
}

/** The same stream each time: groups all alike, times in order but for one event in twenty. */
function* stream(bench: Bench, groups: number, count: number, spanMs: number): Generator<MethodEvent> {
  const random = new Random(7);
  let highMs = START_MS;
  for (let slot = 0; slot < count; slot++) {
    highMs = START_MS + Math.floor((slot * spanMs) / count);
    const timeMs = random.below(20) ? highMs : highMs - random.below(LATENESS_MS / 2);
    const key = `user-${random.below(groups)}`;
    // Twins read values as texts of small whole numbers.
    yield { timeMs, highMs, slot, matches: [new Match(random.below(bench.queries), key, random.below(8))] };
  }
}

function play(detector: MethodDetector, events: Iterable<MethodEvent>, onHit: (hit: MethodHit) => void): void {
  let toldMs = Number.NEGATIVE_INFINITY;
  for (const event of events) {
    detector.apply(event, onHit);
    if (event.highMs - LATENESS_MS < toldMs + TOLD_EVERY_MS) continue;
    toldMs = event.highMs - LATENESS_MS;
    detector.advance(toldMs, onHit);
  }
}

/** CPU seconds of a run. */
function cpuSeconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

interface Row {
  readonly events: number;
  readonly groups: number;
  readonly hits: number;
  readonly told: number;
  readonly measured: number;
}

/** The whole stream; making it is timed alone and taken off. */
function measure(bench: Bench): Row {
  const making = cpuSeconds(() => {
    let seen = 0;
    for (const { matches } of stream(bench, GROUPS, EVENTS, bench.spanMs)) seen += matches[0]!.groupKey.length;
    assert(seen > 0);
  });
  collect();
  const before = process.memoryUsage();
  const detector = bench.create(bench.rule);
  let hits = 0;
  const used = cpuSeconds(() => play(detector, stream(bench, GROUPS, EVENTS, bench.spanMs), () => void hits++));
  collect();
  const after = process.memoryUsage();
  const { groups, stateBytes } = detector.counts();
  const bytes = after.heapUsed + after.external - before.heapUsed - before.external;
  return { events: EVENTS / Math.max(1e-6, used - making), groups, hits, told: stateBytes / groups, measured: bytes / groups };
}

/** Few groups and few events, where the twin, which looks at everything again each time, can follow; answers must be the same. */
function beside(bench: Bench): number {
  const events = [...stream(bench, TWIN_GROUPS, TWIN_EVENTS, bench.spanMs)];
  const detector = bench.create(bench.rule);
  const found = new Set<string>();
  const onHit = ({ groupKey, slot, timeMs }: MethodHit): void => void found.add(`${groupKey} ${slot} ${timeMs}`);
  for (const event of events) detector.apply(event, onHit);
  if (!(detector instanceof CorrelationDetector)) detector.advance(Number.POSITIVE_INFINITY, onHit);
  let expected = 0;
  const used = cpuSeconds(() => void (expected = bench.twin(bench.rule, events)));
  assert.equal(found.size, expected, bench.name);
  return events.length / Math.max(1e-6, used);
}

const whole = (number: number): string => Math.round(number).toLocaleString("en");
const columns = ["EVENTS/CPU-S", "HITS", "GROUPS AT END", "BYTES/GROUP", "TOLD", `TWIN, ${TWIN_EVENTS} EVENTS/CPU-S`];
console.log(`${whole(EVENTS)} events of ${whole(GROUPS)} groups`);
console.log(["DETECTOR".padEnd(26), ...columns.map((name) => name.padStart(14))].join("  "));
for (const bench of benches) {
  const twin = beside(bench);
  const { events, groups, hits, told, measured } = measure(bench);
  const cells = [events, hits, groups, measured, told, twin].map((value, i) => whole(value).padStart(Math.max(14, columns[i]!.length)));
  console.log([bench.name.padEnd(26), ...cells].join("  "));
}
