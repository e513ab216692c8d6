import type { AnomalyPlan } from "./anomaly-plan.ts";
import type { BucketSeries } from "./anomaly-series.ts";

/** Bounds of a group kept beyond its window, for events that come late. */
const SPARE_BUCKETS = 2;
/** Largest numbers looked for one by one; more are sorted. */
const TOP_CAP = 16;

const top = new Float64Array(TOP_CAP);
let pool = new Float64Array(512);

/** Upper bounds of the newest buckets of one group, worked out when they are asked for. */
export class BucketBounds {
  readonly #plan: AnomalyPlan;
  readonly #width: number;
  /** By bucket, round and round: the bucket, then its bound of each case. */
  readonly #ring: Float64Array;

  constructor(plan: AnomalyPlan) {
    this.#plan = plan;
    this.#width = 1 + plan.percentiles.length;
    this.#ring = new Float64Array((plan.windowBuckets + SPARE_BUCKETS) * this.#width).fill(Number.NaN);
  }

  get sizeBytes(): number {
    return this.#ring.byteLength;
  }

  /** What came before has changed for every bucket after this one. */
  forgetAfter(bucket: number): void {
    for (let at = 0; at < this.#ring.length; at += this.#width) if (this.#ring[at]! > bucket) this.#ring[at] = Number.NaN;
  }

  /** Nearest-rank quantile of the bucket's pool; NaN while the group is learned without a bound. */
  of(bucket: number, caseIndex: number, firstMs: number, series: BucketSeries): number {
    const at = (bucket % (this.#plan.windowBuckets + SPARE_BUCKETS)) * this.#width;
    if (this.#ring[at] !== bucket) {
      this.#ring[at] = bucket;
      for (let each = 0; each < this.#plan.percentiles.length; each++) {
        this.#ring[at + 1 + each] = upperBound(this.#plan, bucket, this.#plan.percentiles[each]!, firstMs, series);
      }
    }
    return this.#ring[at + 1 + caseIndex]!;
  }
}

/** First bucket of a group that has a bound. */
export function firstBounded(plan: AnomalyPlan, firstMs: number): number {
  return Number.isNaN(plan.learningBound) ? Math.ceil((firstMs + plan.learningMs) / plan.bucketMs) : Math.floor(firstMs / plan.bucketMs);
}

/** Nearest-rank quantile of the bucket's pool at a percentile, or what the rule gives while the group is learned. */
export function upperBound(plan: AnomalyPlan, bucket: number, percentile: number, firstMs: number, series: BucketSeries): number {
  if (bucket * plan.bucketMs - firstMs < plan.learningMs) return plan.learningBound;
  const oldest = Math.max(Math.floor(firstMs / plan.bucketMs), bucket - plan.historyBuckets);
  const hour = plan.season.hourOf(bucket);
  const oldestSeasonal = plan.season.next(hour, oldest);
  const isSeasonal = bucket - oldestSeasonal >= plan.seasonBuckets;
  const count = isSeasonal ? plan.season.count(hour, oldest, bucket) : bucket - oldest;
  // A hair less: 0.07 * 100 is a little more than 7 in floating point.
  const above = count - Math.max(1, Math.ceil(percentile * count - 1e-9));
  return isSeasonal ? nthLargest(plan, above, count, series, oldest, bucket, hour) : nthLargest(plan, above, count, series, oldest, bucket, -1);
}

/** The number that `above` others of the pool stand over; `hour` -1: every bucket counts. */
function nthLargest(plan: AnomalyPlan, above: number, count: number, series: BucketSeries, from: number, to: number, hour: number): number {
  const isSorted = above >= TOP_CAP;
  let found = 0;
  let kept = 0;
  let place = series.search(from);
  while (place < series.to) {
    const bucket = series.bucketAt(place);
    if (bucket >= to) break;
    if (hour >= 0) {
      const next = plan.season.next(hour, bucket);
      if (next > bucket) {
        place = series.search(next);
        continue;
      }
    }
    const value = series.valueAt(place++);
    if (isSorted) {
      if (found === pool.length) {
        const wider = new Float64Array(found * 2);
        wider.set(pool);
        pool = wider;
      }
      pool[found] = value;
    } else {
      kept = insertTop(value, kept, above + 1);
    }
    found++;
  }
  // Buckets without events are pool values too.
  const zeros = count - found;
  if (isSorted) {
    const sorted = pool.subarray(0, found).sort();
    const over = found - firstAbove(sorted);
    if (above < over) return sorted[found - 1 - above]!;
    return above < over + zeros ? 0 : sorted[count - 1 - above]!;
  }
  for (let each = 0; each < Math.min(zeros, above + 1); each++) kept = insertTop(0, kept, above + 1);
  return top[above]!;
}

/** Place of the first number above 0. */
function firstAbove(sorted: Float64Array): number {
  let place = 0;
  while (place < sorted.length && sorted[place]! <= 0) place++;
  return place;
}

/** Keeps the largest numbers, the largest first; answers how many there are. */
function insertTop(value: number, kept: number, cap: number): number {
  if (kept === cap && value <= top[cap - 1]!) return kept;
  let at = kept === cap ? cap - 1 : kept;
  while (at > 0 && top[at - 1]! < value) {
    top[at] = top[at - 1]!;
    at--;
  }
  top[at] = value;
  return Math.min(cap, kept + 1);
}
