import type { MatchColumns } from "../../batch/matches.ts";
import type { StandingQuery } from "../../rule/standing.ts";
import type { AnomalyFacts, CaseHit, HitEvents } from "../hit.ts";
import type { RecentEvents } from "../recent.ts";
import { textsOf } from "./content-filter.ts";
import type { MethodCounts, MethodDetector, MethodEvent, MethodHit, MethodMatch, Travel } from "./method.ts";

/** Rules judged on the host, by number of the rule. */
export type MethodDetectors = ReadonlyArray<MethodDetector | undefined>;

/** Time that goes on by less is not worth a word. */
const TOLD_EVERY_MS = 10_000;

/** Events of one batch for the rules judged on the host, in the order of the events, then of the rules. */
export class MethodRunner {
  readonly #detectors: MethodDetectors;
  readonly #standing: readonly StandingQuery[];
  /** Is there any rule to be judged here? */
  readonly isIdle: boolean;
  #batch: MatchColumns | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #slot = 0;
  #streamHighMs = Number.NEGATIVE_INFINITY;
  #othersLowMs = Number.POSITIVE_INFINITY;
  readonly #allowedLatenessMs: number;
  /** What was last said to be the time that has come. */
  toldMs = Number.NEGATIVE_INFINITY;

  constructor(detectors: MethodDetectors, standing: readonly StandingQuery[], allowedLatenessMs: number) {
    this.#allowedLatenessMs = allowedLatenessMs;
    this.#detectors = detectors;
    this.#standing = standing;
    this.isIdle = !detectors.some((detector) => detector !== undefined);
  }

  /**
   * @param firstSlot slot of the batch's first event.
   * @param streamHighMs highest event time of its stream before; `othersLowMs` that of the stream furthest behind, of the others.
   */
  begin(batch: MatchColumns, firstSlot: number, streamHighMs: number, othersLowMs: number): void {
    this.#othersLowMs = othersLowMs;
    this.#batch = batch;
    this.#bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
    this.#at = 0;
    this.#slot = firstSlot - 1;
    this.#streamHighMs = streamHighMs;
  }

  /** Judges the batch's events up to a slot, this one included; each is the latest to be seen while it is judged. */
  runThrough(recent: RecentEvents, slot: number, onHit: (hit: CaseHit) => void): void {
    const batch = this.#batch;
    if (!batch || this.isIdle) return;
    const { count, row } = batch;
    while (this.#at < count) {
      const isNext = this.#at === 0 || row[this.#at] !== row[this.#at - 1];
      if (isNext && this.#slot + 1 > slot) return;
      if (isNext) {
        this.#slot++;
        this.#tellTime(Math.min(Math.max(this.#streamHighMs, batch.highMs[this.#at]!), this.#othersLowMs) - this.#allowedLatenessMs, recent, onHit);
      }
      const { ruleIndex } = this.#standing[batch.standing[this.#at]!]!;
      let end = this.#at + 1;
      while (end < count && row[end] === row[this.#at] && this.#standing[batch.standing[end]!]!.ruleIndex === ruleIndex) end++;
      const detector = this.#detectors[ruleIndex];
      if (detector) {
        recent.now = this.#slot + 1;
        detector.apply(this.#event(batch, this.#at, end), (hit) => onHit(new MethodCaseHit(ruleIndex, hit)));
      }
      this.#at = end;
    }
  }

  /** Time has come to this: open buckets end, and what waited goes on. */
  advance(timeMs: number, onHit: (hit: CaseHit) => void): void {
    this.#detectors.forEach((detector, ruleIndex) => detector?.advance(timeMs, (hit) => onHit(new MethodCaseHit(ruleIndex, hit))));
  }

  /** The same, where it has not come further yet. */
  advanceTo(timeMs: number, onHit: (hit: CaseHit) => void): void {
    if (timeMs < this.toldMs + TOLD_EVERY_MS) return;
    this.toldMs = timeMs;
    this.advance(timeMs, onHit);
  }

  /** By events, not by batches: what happens when time goes on must not hang on how the stream was cut. */
  #tellTime(timeMs: number, recent: RecentEvents, onHit: (hit: CaseHit) => void): void {
    if (timeMs < this.toldMs + TOLD_EVERY_MS) return;
    recent.now = this.#slot + 1;
    this.advanceTo(timeMs, onHit);
  }

  detector(ruleIndex: number): MethodDetector | undefined {
    return this.#detectors[ruleIndex];
  }

  counts(): MethodCounts {
    const sum = { groups: 0, stateBytes: 0, lateDropped: 0, evicted: 0, filtered: 0 };
    for (const detector of this.#detectors) {
      if (!detector) continue;
      const counts = detector.counts();
      sum.groups += counts.groups;
      sum.stateBytes += counts.stateBytes;
      sum.lateDropped += counts.lateDropped;
      sum.evicted += counts.evicted;
      sum.filtered += counts.filtered ?? 0;
    }
    return sum;
  }

  #event(batch: MatchColumns, from: number, to: number): MethodEvent {
    const matches: MethodMatch[] = [];
    for (let i = from; i < to; i++) matches.push(new Match(batch, this.#bytes, i, this.#standing[batch.standing[i]!]!));
    return { timeMs: batch.timeMs[from]!, highMs: Math.max(this.#streamHighMs, batch.highMs[from]!), slot: this.#slot, matches };
  }
}

/** A record of the batch, decoded as far as somebody looks. */
class Match implements MethodMatch {
  readonly queryIndex: number;
  readonly #batch: MatchColumns;
  readonly #bytes: Buffer;
  readonly #index: number;
  readonly #standing: StandingQuery;

  constructor(batch: MatchColumns, bytes: Buffer, index: number, standing: StandingQuery) {
    this.queryIndex = standing.queryIndex;
    this.#batch = batch;
    this.#bytes = bytes;
    this.#index = index;
    this.#standing = standing;
  }

  get groupKey(): string {
    const start = this.#batch.keyStart[this.#index]!;
    return this.#bytes.toString("latin1", start, start + this.#batch.keyLength[this.#index]!);
  }

  get group(): readonly string[] {
    const start = this.#batch.keyStart[this.#index]!;
    return textsAt(this.#bytes, start, start + this.#batch.keyLength[this.#index]!);
  }

  get values(): ReadonlyArray<readonly string[]> {
    if (this.#standing.aggregation !== "texts") return [];
    return textsOf(this.#bytes, this.#batch.value[this.#index]!, this.#standing.distinct.length);
  }

  get number(): number {
    const { value } = this.#batch;
    const bits = value[this.#index]!;
    return bits === ABSENT ? Number.NaN : numberOf(bits);
  }
}

const ABSENT = 0xffffffffffffffffn;
const bitsView = new BigUint64Array(1);
const numberView = new Float64Array(bitsView.buffer);

function numberOf(bits: bigint): number {
  bitsView[0] = bits;
  return numberView[0]!;
}

function textsAt(bytes: Buffer, start: number, end: number): string[] {
  const texts: string[] = [];
  let at = start;
  while (at + 4 <= end) {
    const from = at + 4;
    at = Math.min(end, from + bytes.readUInt32LE(at));
    texts.push(bytes.toString("utf8", from, at));
  }
  return texts;
}

/** A method's hit as every hit looks. */
class MethodCaseHit implements CaseHit {
  readonly ruleIndex: number;
  readonly #hit: MethodHit;

  constructor(ruleIndex: number, hit: MethodHit) {
    this.ruleIndex = ruleIndex;
    this.#hit = hit;
  }

  get caseIndex(): number {
    return this.#hit.caseIndex;
  }
  get group(): readonly string[] {
    return this.#hit.group;
  }
  get groupKey(): string {
    return this.#hit.groupKey;
  }
  get timeMs(): number {
    return this.#hit.timeMs;
  }
  get slot(): number {
    return this.#hit.slot;
  }
  get movedFromMs(): number | undefined {
    return this.#hit.movedFromMs;
  }
  get travel(): Travel | undefined {
    return this.#hit.travel;
  }
  get anomaly(): AnomalyFacts | undefined {
    return this.#hit.anomaly;
  }
  get newValues(): readonly string[] | undefined {
    return this.#hit.newValues;
  }

  events(which: "all" | "fresh"): HitEvents {
    const { total, perQuery, slots } = (which === "all" ? this.#hit.all : undefined) ?? this.#hit;
    return { total, perQuery, slots };
  }

  count(which: "all" | "fresh"): HitEvents {
    return this.events(which);
  }
}
