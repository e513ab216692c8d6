/** A point of a timeseries as the aggregate calls answer it. */
export interface TimePoint {
  readonly time: string;
  readonly value: number | null;
}

/** One number for each of `count` buckets of `widthMs` from `startMs` on; points outside are left out. */
export function bucketed(points: readonly TimePoint[], startMs: number, widthMs: number, count: number): readonly number[] {
  const values = Array.from({ length: count }, () => 0);
  for (const { time, value } of points) {
    const at = Math.floor((Date.parse(time) - startMs) / widthMs);
    if (at >= 0 && at < count) values[at] = value ?? 0;
  }
  return values;
}
