import type { TimeSpan } from "./links.ts";

const WEEK_MS = 7 * 86_400_000;

/** The last seven days, and the seven before. */
export function weeksBefore(nowMs: number): { readonly last: TimeSpan; readonly prior: TimeSpan } {
  return { last: { fromMs: nowMs - WEEK_MS, toMs: nowMs }, prior: { fromMs: nowMs - 2 * WEEK_MS, toMs: nowMs - WEEK_MS } };
}

/** In percent of what was before; null where there was nothing, and it is new. */
export function changePercent(last: number, prior: number): number | null {
  return prior === 0 ? null : ((last - prior) / prior) * 100;
}
