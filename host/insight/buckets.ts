import type { TimeSpan } from "./links.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const widths = [
  MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS, 4 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS,
  DAY_MS, 2 * DAY_MS, 4 * DAY_MS, 7 * DAY_MS, 14 * DAY_MS, 28 * DAY_MS, 56 * DAY_MS, 182 * DAY_MS,
];
const MOST_BUCKETS = 60;

/** Start of a bucket in epoch milliseconds, and its number. */
export type Point = readonly [timeMs: number, value: number];

/** The width of buckets of which a span has 60 at most, in milliseconds; not narrower than `leastMs`. */
export function bucketWidth({ fromMs, toMs }: TimeSpan, leastMs = MINUTE_MS): number {
  return widths.find((width) => width >= leastMs && (toMs - fromMs) / width <= MOST_BUCKETS) ?? Math.ceil((toMs - fromMs) / MOST_BUCKETS / DAY_MS) * DAY_MS;
}

/** Every bucket of a span, in order; where nothing is known of one it is 0. Buckets begin at multiples of their width since 1970. */
export function filled(known: ReadonlyMap<number, number>, { fromMs, toMs }: TimeSpan, widthMs: number): Point[] {
  const points: Point[] = [];
  for (let timeMs = Math.floor(fromMs / widthMs) * widthMs; timeMs < toMs; timeMs += widthMs) points.push([timeMs, known.get(timeMs) ?? 0]);
  return points;
}
