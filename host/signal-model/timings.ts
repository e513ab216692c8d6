import type { StoredSignal } from "./stored.ts";

/** How long things took, in seconds; null where they have not come to pass (platform spec 3). */
export interface SignalTimings {
  /** From the log that triggered it to the signal; never below 0. */
  readonly timeToDetect: number;
  /** From the signal to the first time it was under review. */
  readonly timeToAcknowledge: number | null;
  /** From the signal to its latest archiving, while it is archived. */
  readonly timeToResolve: number | null;
  /** The sooner of the two. */
  readonly triageTime: number | null;
}

/** A moment such a time is told at: means over a span of time are of those that lie in it. */
export interface TimingMoments {
  readonly detectedMs: number;
  readonly acknowledgedMs?: number;
  readonly resolvedMs?: number;
}

/** What timings are made of. */
export type TimedSignal = Pick<StoredSignal, "firstSeenMs" | "createdMs"> & { readonly triage: Pick<StoredSignal["triage"], "state" | "firstUnderReviewMs" | "lastArchivedMs"> };

/** T0 is the event time of the log that made the first match. Clocks of senders may run ahead: no time is below 0. */
export function timingsOf(signal: TimedSignal): SignalTimings {
  const { detectedMs, acknowledgedMs, resolvedMs } = momentsOf(signal);
  const since = (ms: number | undefined): number | null => (ms === undefined ? null : Math.max(0, ms - detectedMs) / 1000);
  const acknowledged = since(acknowledgedMs);
  const resolved = since(resolvedMs);
  return {
    timeToDetect: Math.max(0, detectedMs - signal.firstSeenMs) / 1000, timeToAcknowledge: acknowledged, timeToResolve: resolved,
    triageTime: acknowledged === null ? resolved : resolved === null ? acknowledged : Math.min(acknowledged, resolved),
  };
}

export function momentsOf({ createdMs, triage }: TimedSignal): TimingMoments {
  return {
    detectedMs: createdMs, ...(triage.firstUnderReviewMs === undefined ? {} : { acknowledgedMs: triage.firstUnderReviewMs }),
    ...(triage.state === "archived" && triage.lastArchivedMs !== undefined ? { resolvedMs: triage.lastArchivedMs } : {}),
  };
}

/** Means in seconds of what came to pass in `[fromMs, toMs)`; null of nothing. */
export function meanTimes(signals: Iterable<TimedSignal>, fromMs: number, toMs: number): { readonly detect: number | null; readonly acknowledge: number | null; readonly resolve: number | null } {
  const sums = { detect: [0, 0], acknowledge: [0, 0], resolve: [0, 0] };
  const add = (sum: number[], atMs: number | undefined, seconds: number | null): void => {
    if (atMs === undefined || seconds === null || atMs < fromMs || atMs >= toMs) return;
    sum[0]! += seconds;
    sum[1]!++;
  };
  for (const signal of signals) {
    const times = timingsOf(signal);
    const moments = momentsOf(signal);
    add(sums.detect, moments.detectedMs, times.timeToDetect);
    add(sums.acknowledge, moments.acknowledgedMs, times.timeToAcknowledge);
    add(sums.resolve, moments.resolvedMs, times.timeToResolve);
  }
  const mean = ([sum = 0, count = 0]: number[]): number | null => (count ? sum / count : null);
  return { detect: mean(sums.detect), acknowledge: mean(sums.acknowledge), resolve: mean(sums.resolve) };
}
