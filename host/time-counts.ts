const MINUTE_MS = 60_000;
/** Widths of a bucket, each a multiple of the one before. */
const widthsMs = [1, 5, 15, 60, 360, 1440, 10_080, 40_320].map((minutes) => minutes * MINUTE_MS);
/** Buckets held before they are joined to wider ones. */
const HELD_CAP = 4096;

/** How many events there were when, in little room: buckets widen as the time they span grows. */
export class TimeCounts {
  #level = 0;
  #counts = new Map<number, number>();

  add(timeMs: number, times = 1): void {
    if (!Number.isFinite(timeMs)) return;
    const width = widthsMs[this.#level]!;
    const start = Math.floor(timeMs / width) * width;
    this.#counts.set(start, (this.#counts.get(start) ?? 0) + times);
    if (this.#counts.size > HELD_CAP && this.#level < widthsMs.length - 1) this.#widen();
  }

  /** Width below which nothing is told apart any more. */
  get widthMs(): number {
    return widthsMs[this.#level]!;
  }

  /** Starts of the first and last bucket; undefined when nothing was counted. */
  get range(): { readonly fromMs: number; readonly toMs: number } | undefined {
    let [fromMs, toMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const start of this.#counts.keys()) {
      fromMs = Math.min(fromMs, start);
      toMs = Math.max(toMs, start);
    }
    return fromMs <= toMs ? { fromMs, toMs } : undefined;
  }

  /** Counts of the buckets of a width, from the one that holds `fromMs` on. */
  buckets({ fromMs, widthMs, count }: TimeAxis): number[] {
    const counts = Array.from({ length: count }, () => 0);
    for (const [start, times] of this.#counts) {
      const at = Math.floor((start - fromMs) / widthMs);
      if (at >= 0 && at < count) counts[at]! += times;
    }
    return counts;
  }

  #widen(): void {
    const before = this.#counts;
    this.#counts = new Map();
    this.#level++;
    for (const [start, times] of before) this.add(start, times);
  }
}

export interface TimeAxis {
  /** Start of the first bucket. */
  readonly fromMs: number;
  readonly widthMs: number;
  readonly count: number;
}

/** The narrowest buckets that show all counts side by side in at most `most` of them. */
export function timeAxis(all: readonly TimeCounts[], most: number): TimeAxis | undefined {
  const ranges = all.flatMap((counts) => counts.range ?? []);
  if (!ranges.length) return undefined;
  const first = ranges.reduce((least, { fromMs }) => Math.min(least, fromMs), Number.POSITIVE_INFINITY);
  const last = ranges.reduce((greatest, { toMs }) => Math.max(greatest, toMs), Number.NEGATIVE_INFINITY);
  const least = all.reduce((greatest, { widthMs }) => Math.max(greatest, widthMs), 0);
  const axis = (widthMs: number): TimeAxis => {
    const fromMs = Math.floor(first / widthMs) * widthMs;
    return { fromMs, widthMs, count: Math.floor((last - fromMs) / widthMs) + 1 };
  };
  const fitting = widthsMs.find((width) => width >= least && axis(width).count <= most);
  return axis(fitting ?? Math.ceil((last - first + 1) / most / widthsMs.at(-1)!) * widthsMs.at(-1)!);
}
