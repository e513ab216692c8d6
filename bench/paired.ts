export type Sample = readonly number[];

export function median(values: Sample): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A baseline that moved more than this from its median says that the machine changed its speed: the pair is dropped. */
const DRIFT = 0.12;

/** Median of the per-pair ratios a / b; pairs whose baseline drifted count only when too few would be left. */
export function pairedRatio(a: Sample, b: Sample): number {
  const typical = median(a);
  const steady = a.map((_, i) => i).filter((i) => Math.abs(a[i]! / typical - 1) <= DRIFT);
  const used = steady.length >= 3 ? steady : a.map((_, i) => i);
  return median(used.map((i) => a[i]! / b[i]!));
}
