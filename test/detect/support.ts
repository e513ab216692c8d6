import type { MatchColumns } from "../../host/batch/matches.ts";
import { Detector, type DetectorOptions } from "../../host/detect/detector.ts";
import type { CaseHit, HitEvents } from "../../host/detect/hit.ts";
import { planRules } from "../../host/detect/threshold.ts";
import { setupBytes } from "../../host/detect/window-memory.ts";
import type { Variant } from "../../host/engine/kernel.ts";
import { StateInstance } from "../../host/engine/state.ts";
import type { Rule } from "../../host/rule/rule.ts";
import { standingQueries } from "../../host/rule/standing.ts";
import { readRule } from "../../host/rule/wire.ts";
import { ThresholdTwin } from "../reference/threshold.ts";

export const LATENESS_MS = 300_000;

export interface TestRecord {
  readonly ruleIndex: number;
  readonly queryIndex: number;
  readonly key: readonly string[];
  /** Distinct values by number, or numbers. */
  readonly values: readonly number[];
}
/** An event as the kernels would have matched it. */
export interface TestEvent {
  readonly timeMs: number;
  readonly stream?: string;
  readonly records: readonly TestRecord[];
}

/** A hit and its events, in words that compare. */
export interface SeenHit {
  readonly ruleIndex: number;
  readonly caseIndex: number;
  readonly key: string;
  readonly timeMs: number;
  readonly number: number;
  readonly all: HitEvents;
  readonly fresh: HitEvents;
}

export interface TestQuery {
  readonly name: string;
  readonly groupBy?: readonly string[];
  readonly aggregation?: string;
}

export function thresholdRule(queries: readonly TestQuery[], conditions: ReadonlyArray<string | undefined>, windowSeconds: number): Rule {
  return readRule({
    id: "rule", name: "rule", message: "", isEnabled: true, type: "log_detection", tags: [],
    options: { detectionMethod: "threshold", evaluationWindow: windowSeconds, keepAlive: 3600, maxSignalDuration: 86400 },
    queries: queries.map(({ name, groupBy = ["@u"], aggregation = "count" }) => ({
      name, query: `@q:${name}`, aggregation, groupByFields: groupBy,
      distinctFields: aggregation === "cardinality" ? ["@v"] : [], metrics: aggregation === "sum" || aggregation === "max" ? ["@v"] : [],
    })),
    cases: conditions.map((condition, i) => ({ name: `case ${i}`, status: "low", condition })),
  });
}

export async function createDetector(rules: readonly Rule[], variant: Variant, more: Partial<DetectorOptions> & { readonly stateBytes?: number } = {}): Promise<Detector> {
  const standing = standingQueries(rules);
  const plans = planRules(rules, standing, LATENESS_MS);
  const state = await StateInstance.create(variant, more.stateBytes ?? 1 << 28, setupBytes(plans));
  return new Detector(plans, standing, state, { allowedLatenessMs: LATENESS_MS, ...more });
}

const encoder = new TextEncoder();
const NO_VALUE = 0xffffffffffffffffn;
const bits = new DataView(new ArrayBuffer(8));

function valueBits(aggregation: string, value: number | undefined): bigint {
  if (aggregation === "count") return 0n;
  if (value === undefined) return NO_VALUE;
  // A hash of the value: all 64 bits play a part.
  if (aggregation === "cardinality") return BigInt.asUintN(64, BigInt(value + 1) * 0x9e3779b97f4a7c15n);
  bits.setFloat64(0, value);
  return bits.getBigUint64(0);
}

/** Match columns of a batch as an instance would leave them: records by row and standing query, keys one after the other. */
export function columnsOf(rules: readonly Rule[], events: readonly TestEvent[]): MatchColumns {
  const standing = standingQueries(rules);
  const rows = events.flatMap(({ timeMs, records }, row) =>
    records.flatMap(({ ruleIndex, queryIndex, key, values }) => {
      const id = standing.findIndex((query) => query.ruleIndex === ruleIndex && query.queryIndex === queryIndex);
      const { aggregation } = standing[id]!;
      const each = values.length ? (aggregation === "cardinality" ? values : values.slice(0, 1)) : [undefined];
      return each.map((value) => ({ row, id, timeMs, key, value: valueBits(aggregation, value) }));
    }).toSorted((a, b) => a.id - b.id));
  const texts = events.map((_, row) => encoder.encode(`event ${row}`));
  const bytes: number[] = [];
  const put = (text: Uint8Array): number => bytes.push(...text) - text.length;
  const starts = texts.map(put);
  const keys = new Map<string, { readonly start: number; readonly length: number }>();
  const keyAt = rows.map(({ row, id, key }) => {
    const name = JSON.stringify([row, id, key]);
    let place = keys.get(name);
    if (!place) {
      const text = key.flatMap((value) => {
        const own = encoder.encode(value);
        return [own.length & 255, (own.length >> 8) & 255, (own.length >> 16) & 255, 0, ...own];
      });
      place = { start: put(new Uint8Array(text)), length: text.length };
      keys.set(name, place);
    }
    return place;
  });
  let high = Number.NEGATIVE_INFINITY;
  const highs = events.map(({ timeMs }) => (high = Math.max(high, timeMs)));
  return {
    count: rows.length, timeMs: Float64Array.from(rows, (each) => each.timeMs), highMs: Float64Array.from(rows, (each) => highs[each.row]!),
    standing: Uint32Array.from(rows, (each) => each.id), row: Uint32Array.from(rows, (each) => each.row), keyHash: new BigUint64Array(rows.length),
    value: BigUint64Array.from(rows, (each) => each.value), keyStart: Uint32Array.from(keyAt, (each) => each.start),
    keyLength: Uint32Array.from(keyAt, (each) => each.length), eventStart: Uint32Array.from(rows, (each) => starts[each.row]!),
    eventLength: Uint32Array.from(rows, (each) => texts[each.row]!.length), id: new Uint32Array(rows.length * 2),
    bytes: new Uint8Array([...bytes, ...new Uint8Array(64)]), batchHighMs: high,
  };
}

function keyText(key: readonly string[]): string {
  return JSON.stringify(key);
}

/** Hits of the kernels; `cuts` are numbers of events at which a new batch begins, as does a change of stream. */
export function kernelHits(detector: Detector, rules: readonly Rule[], events: readonly TestEvent[], cuts: ReadonlySet<number>): SeenHit[] {
  const hits: SeenHit[] = [];
  // Slots count events that matched; the twin's numbers count all.
  const numbers = events.flatMap((event, number) => (event.records.length ? [number] : []));
  const named = (list: HitEvents): HitEvents => ({ ...list, slots: list.slots.map((slot) => numbers[slot]!) });
  const onHit = (hit: CaseHit): void => {
    const { ruleIndex, caseIndex, timeMs } = hit;
    hits.push({ ruleIndex, caseIndex, key: keyText(hit.group), timeMs, number: numbers[hit.slot]!, all: named(hit.events("all")), fresh: named(hit.count("fresh")) });
  };
  for (let from = 0; from < events.length; ) {
    let to = from + 1;
    while (to < events.length && !cuts.has(to) && events[to]!.stream === events[from]!.stream) to++;
    detector.apply(columnsOf(rules, events.slice(from, to)), from, 0, events[from]!.stream ?? "", onHit);
    from = to;
  }
  return hits;
}

export function twinHits(rules: readonly Rule[], events: readonly TestEvent[]): { readonly hits: SeenHit[]; readonly lateDropped: number } {
  const twins = rules.map((rule) => new ThresholdTwin(rule, LATENESS_MS));
  const hits: SeenHit[] = [];
  const highs = new Map<string, number>();
  events.forEach((event, number) => {
    const stream = event.stream ?? "";
    const highMs = Math.max(highs.get(stream) ?? Number.NEGATIVE_INFINITY, event.timeMs);
    highs.set(stream, highMs);
    twins.forEach((twin, ruleIndex) => {
      const records = event.records.filter((record) => record.ruleIndex === ruleIndex).map((record) => ({ ...record, key: keyText(record.key) }));
      if (!records.length) return;
      for (const hit of twin.apply({ number, timeMs: event.timeMs, highMs, records })) {
        const events = (list: typeof hit.all): HitEvents => ({ total: list.total, perQuery: list.perQuery, slots: list.numbers });
        hits.push({ ...hit, ruleIndex, all: events(hit.all), fresh: events(hit.fresh) });
      }
    });
  });
  return { hits, lateDropped: twins.reduce((sum, twin) => sum + twin.lateDropped, 0) };
}

/** Hits of each rule and group in their order: in which order groups are walked over is nobody's business. */
export function byGroup(hits: readonly SeenHit[]): Record<string, SeenHit[]> {
  return Object.groupBy(hits, (hit) => `${hit.ruleIndex} ${hit.key}`) as Record<string, SeenHit[]>;
}
