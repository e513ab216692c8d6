import type { Rule } from "../../rule/rule.ts";

/** History a bucket is judged by. */
const HISTORY_MS = 14 * 86_400_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** A pool of fewer days is no season yet. */
const SEASON_MS = 3 * DAY_MS;
const DEFAULT_WINDOW_MS = 1_800_000;
const DEFAULT_PERCENTILE = 0.995;

/** A volume anomaly rule as it runs. Buckets are numbered from the epoch. */
export interface AnomalyPlan {
  readonly aggregation: "count" | "cardinality" | "sum";
  readonly bucketMs: number;
  readonly historyBuckets: number;
  /** Fewest buckets between a bucket and the oldest of its seasonal pool. */
  readonly seasonBuckets: number;
  /** Buckets the excess is judged over. */
  readonly windowBuckets: number;
  readonly learningMs: number;
  /** Bound while a group is learned; NaN: none. */
  readonly learningBound: number;
  readonly tolerance: number;
  /** By case. */
  readonly percentiles: readonly number[];
  readonly season: Season;
}

export function planAnomaly(rule: Rule): AnomalyPlan {
  const { method, evaluationWindowMs } = rule.options;
  const query = rule.queries[0];
  if (method.kind !== "anomaly_detection" || !query) throw new Error(`rule ${rule.id} is no volume anomaly rule`);
  const { aggregation } = query;
  if (aggregation !== "count" && aggregation !== "cardinality" && aggregation !== "sum") throw new Error(`${aggregation} is no series of a volume anomaly`);
  const bucketMs = method.bucketSeconds * 1000;
  return {
    aggregation,
    bucketMs,
    historyBuckets: HISTORY_MS / bucketMs,
    seasonBuckets: SEASON_MS / bucketMs,
    windowBuckets: Math.max(1, Math.ceil((evaluationWindowMs || DEFAULT_WINDOW_MS) / bucketMs)),
    learningMs: method.learningHours * HOUR_MS,
    learningBound: method.learningBaseline ?? Number.NaN,
    tolerance: method.tolerance,
    percentiles: rule.cases.map((each) => each.percentile ?? DEFAULT_PERCENTILE),
    season: new Season(bucketMs),
  };
}

/** Which buckets belong to the hours of day around another's: the same every day, so one day of each hour is worked out. */
export class Season {
  readonly #bucketMs: number;
  readonly #dayBuckets: number;
  /** By hour, then place in the day: seasonal buckets before that place. One place more than the day has. */
  readonly #before: Uint16Array[] = [];
  /** By hour, then place in the day: buckets to the next seasonal one, 0 where it is one itself. */
  readonly #toNext: Uint16Array[] = [];

  constructor(bucketMs: number) {
    this.#bucketMs = bucketMs;
    this.#dayBuckets = DAY_MS / bucketMs;
  }

  hourOf(bucket: number): number {
    return Math.floor((bucket * this.#bucketMs) / HOUR_MS) % 24;
  }

  /** Seasonal buckets of the hour in `[from, to)`. */
  count(hour: number, from: number, to: number): number {
    return this.#upTo(hour, to) - this.#upTo(hour, from);
  }

  /** The first seasonal bucket at or after this one. */
  next(hour: number, bucket: number): number {
    this.#prepare(hour);
    return bucket + this.#toNext[hour]![bucket % this.#dayBuckets]!;
  }

  #upTo(hour: number, bucket: number): number {
    this.#prepare(hour);
    const before = this.#before[hour]!;
    return Math.floor(bucket / this.#dayBuckets) * before[this.#dayBuckets]! + before[bucket % this.#dayBuckets]!;
  }

  #prepare(hour: number): void {
    if (this.#before[hour]) return;
    const length = this.#dayBuckets;
    const before = new Uint16Array(length + 1);
    const toNext = new Uint16Array(length);
    const isSeasonal = (place: number): boolean => {
      const apart = Math.abs(this.hourOf(place % length) - hour);
      return apart <= 1 || apart === 23;
    };
    for (let place = 0; place < length; place++) before[place + 1] = before[place]! + (isSeasonal(place) ? 1 : 0);
    for (let place = 0; place < length; place++) while (!isSeasonal(place + toNext[place]!)) toNext[place]!++;
    this.#before[hour] = before;
    this.#toNext[hour] = toNext;
  }
}
