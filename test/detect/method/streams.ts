import type { Random } from "../../../bench/random.ts";
import type { MethodDetector, MethodEvent, MethodMatch } from "../../../host/detect/method/method.ts";
import { type TwinMethodHit, copyHit } from "../../reference/method-hit.ts";
import { LATENESS_MS } from "./harness.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export interface StreamPlan {
  readonly count: number;
  readonly groups: number;
  /** Spans by which time goes on; some of them land on the edges of learning and forgetting. */
  readonly steps: readonly number[];
  valuesOf(random: Random): ReadonlyArray<readonly string[]>;
}

/** Events drawn by a seed: some of several groups, ties, late ones, and ones too late. */
export function drawEvents(random: Random, { count, groups, steps, valuesOf }: StreamPlan): MethodEvent[] {
  let highMs = 1_700_000_000_000;
  return Array.from({ length: count }, (_, slot) => {
    const kind = random.below(10);
    if (kind > 2) highMs += random.pick(steps);
    const lateMs = random.pick([1, 1000, MINUTE_MS, LATENESS_MS - 1, LATENESS_MS, LATENESS_MS + 1, DAY_MS]);
    const timeMs = kind === 0 ? highMs - lateMs : highMs;
    const values = valuesOf(random);
    const names = new Set(Array.from({ length: random.below(5) === 0 ? 3 : 1 }, () => `u${random.skewed(groups)}`));
    const matches = [...names].map((name): MethodMatch => ({ queryIndex: 0, groupKey: JSON.stringify([name]), group: [name], values, number: Number.NaN }));
    return { timeMs, highMs, slot, matches };
  });
}

export interface Played {
  readonly hits: readonly TwinMethodHit[];
  readonly detector: MethodDetector;
}

/** Hits of a detector that is told the time now and then, and is saved and put back into a fresh one. */
export function playDetector(events: readonly MethodEvent[], make: () => MethodDetector, random?: Random): Played {
  const hits: TwinMethodHit[] = [];
  const onHit = (hit: TwinMethodHit): void => void hits.push(copyHit(hit));
  let detector = make();
  for (const event of events) {
    detector.apply(event, onHit);
    if (random?.below(10) === 0) detector.advance(event.highMs - LATENESS_MS, onHit);
    if (random?.below(40) !== 0) continue;
    const fresh = make();
    const fault = fresh.restore(detector.save());
    if (fault !== undefined) throw new Error(fault);
    detector = fresh;
  }
  return { hits, detector };
}
