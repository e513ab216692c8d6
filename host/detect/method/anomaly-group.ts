import type { AnomalyFacts } from "../hit.ts";
import { BucketBounds, firstBounded, upperBound } from "./anomaly-bounds.ts";
import { DistinctCount } from "./anomaly-distinct.ts";
import type { AnomalyPlan } from "./anomaly-plan.ts";
import { BucketSeries } from "./anomaly-series.ts";
import type { ByteReader, ByteWriter } from "./store-bytes.ts";

/** Events named at each end of those a hit was made of. */
const NAMED = 16;

/** A bucket that events may still come to. */
export class OpenBucket {
  readonly bucket: number;
  /** Its last event, by time. */
  lastMs = Number.NEGATIVE_INFINITY;
  lastSlot = 0;
  /** Time of its latest hit; NaN: none yet. */
  hitMs = Number.NaN;
  /** Events that no hit was counted for. */
  fresh = 0;
  /** The first and last of them: time and slot, one pair after the other. */
  named: number[] = [];
  readonly distinct: DistinctCount | undefined;

  constructor(bucket: number, distinct: DistinctCount | undefined) {
    this.bucket = bucket;
    this.distinct = distinct;
  }

  add(timeMs: number, slot: number): void {
    if (timeMs > this.lastMs || (timeMs === this.lastMs && slot > this.lastSlot)) {
      this.lastMs = timeMs;
      this.lastSlot = slot;
    }
    this.fresh++;
    let at = this.named.length;
    while (at > 0 && this.named[at - 2]! > timeMs) at -= 2;
    if (at === this.named.length) this.named.push(timeMs, slot);
    else this.named.splice(at, 0, timeMs, slot);
    // What lies in the middle of many belongs to neither end.
    if (this.named.length > NAMED * 4) this.named.splice(NAMED * 2, 2);
  }

  /** Slots of the events a hit is counted for; from now on they are. */
  take(): { readonly total: number; readonly slots: readonly number[] } {
    const taken = { total: this.fresh, slots: this.named.filter((_, i) => i % 2 === 1) };
    this.fresh = 0;
    this.named = [];
    return taken;
  }
}

/** History and open buckets of one group. */
export class AnomalyGroup {
  readonly key: string;
  readonly group: readonly string[];
  firstMs = Number.POSITIVE_INFINITY;
  /** Slot of the newest event by arrival: which groups were looked at least lately. */
  lastSlot = -1;
  /** Given up for want of room. */
  isGone = false;
  readonly series: BucketSeries;
  /** By bucket. */
  readonly open: OpenBucket[] = [];
  #bounds: BucketBounds | undefined;

  constructor(key: string, group: readonly string[], series = new BucketSeries()) {
    this.key = key;
    this.group = group;
    this.series = series;
  }

  openAt(bucket: number): OpenBucket | undefined {
    for (let at = this.open.length - 1; at >= 0; at--) if (this.open[at]!.bucket === bucket) return this.open[at];
    return undefined;
  }

  start(bucket: number, plan: AnomalyPlan): OpenBucket {
    const opened = new OpenBucket(bucket, plan.aggregation === "cardinality" ? new DistinctCount() : undefined);
    let at = this.open.length;
    while (at > 0 && this.open[at - 1]!.bucket > bucket) at--;
    this.open.splice(at, 0, opened);
    return opened;
  }

  close(bucket: number): void {
    const at = this.open.findIndex((each) => each.bucket === bucket);
    if (at >= 0) this.open.splice(at, 1);
  }

  /** An event earlier than all others: learning began earlier, and so did the history. */
  beginAt(timeMs: number): void {
    if (timeMs >= this.firstMs) return;
    this.firstMs = timeMs;
    this.#bounds = undefined;
  }

  set(bucket: number, value: number): void {
    if (this.open.length > 1 && this.open.at(-1)!.bucket > bucket) this.#bounds?.forgetAfter(bucket);
    this.series.set(bucket, value);
  }

  /** The first case that the bucket is anomalous for; -1: none. */
  judge(bucket: number, plan: AnomalyPlan): number {
    const from = firstBounded(plan, this.firstMs);
    if (bucket < from) return -1;
    this.#bounds ??= new BucketBounds(plan);
    const value = this.series.get(bucket);
    return plan.percentiles.findIndex((_, caseIndex) =>
      value > this.#bounds!.of(bucket, caseIndex, this.firstMs, this.series) && this.#isExcess(Math.max(from, bucket - plan.windowBuckets + 1), bucket, caseIndex, plan));
  }

  /** The bucket beside its bound and the middle of its pool. */
  facts(bucket: number, caseIndex: number, plan: AnomalyPlan): AnomalyFacts {
    return {
      bucketStartMs: bucket * plan.bucketMs, observed: this.series.get(bucket), upper: this.#bounds!.of(bucket, caseIndex, this.firstMs, this.series),
      expected: () => upperBound(plan, bucket, 0.5, this.firstMs, this.series),
    };
  }

  /** Is what lies over the bounds of these buckets enough to be told? */
  #isExcess(from: number, to: number, caseIndex: number, plan: AnomalyPlan): boolean {
    let excess = 0;
    let bounds = 0;
    for (let bucket = from; bucket <= to; bucket++) {
      const bound = this.#bounds!.of(bucket, caseIndex, this.firstMs, this.series);
      excess += Math.max(0, this.series.get(bucket) - bound);
      bounds += Math.max(1, bound);
    }
    return excess / bounds > plan.tolerance / 5 && excess >= 3 * Math.sqrt(bounds);
  }

  get sizeBytes(): number {
    const open = this.open.reduce((sum, each) => sum + 200 + each.named.length * 8 + (each.distinct?.sizeBytes ?? 0), 0);
    return 320 + this.key.length * 2 + this.series.sizeBytes + (this.#bounds?.sizeBytes ?? 0) + open;
  }

  write(writer: ByteWriter): void {
    writer.text(this.key);
    writer.text(JSON.stringify(this.group));
    writer.f64(this.firstMs);
    writer.f64(this.lastSlot);
    writer.column(this.series.pairs());
    writer.u32(this.open.length);
    for (const each of this.open) {
      writer.column(Float64Array.of(each.bucket, each.lastMs, each.lastSlot, each.fresh, each.hitMs));
      writer.column(Float64Array.from(each.named));
      each.distinct?.write(writer);
    }
  }

  /** Undefined where the bytes are not those of a group. */
  static read(reader: ByteReader, plan: AnomalyPlan): AnomalyGroup | undefined {
    const key = reader.text();
    const names = reader.text();
    const firstMs = reader.f64();
    const lastSlot = reader.f64();
    const pairs = reader.f64s();
    const opened = reader.u32();
    if (!reader.isWhole || pairs.length % 2) return undefined;
    const group = new AnomalyGroup(key, JSON.parse(names) as string[], new BucketSeries(pairs));
    group.firstMs = firstMs;
    group.lastSlot = lastSlot;
    for (let i = 0; i < opened && reader.isWhole; i++) {
      const [bucket = 0, lastMs = 0, slot = 0, fresh = 0, hitMs = Number.NaN] = reader.f64s();
      const named = reader.f64s();
      const each = new OpenBucket(bucket, plan.aggregation === "cardinality" ? DistinctCount.read(reader) : undefined);
      each.lastMs = lastMs;
      each.lastSlot = slot;
      each.fresh = fresh;
      each.hitMs = hitMs;
      each.named = [...named];
      group.open.push(each);
    }
    return reader.isWhole ? group : undefined;
  }
}
