import { readDocument } from "../../host/signal-model/document.ts";
import { entitiesOf } from "../../host/signal-model/entities.ts";
import type { StoredSignal } from "../../host/signal-model/stored.ts";

const DAY_MS = 86_400_000;
const points: Record<string, number> = { critical: 100, high: 50, medium: 5, low: 0, info: 0 };

/** Platform spec 14, signal by signal: what one adds to the score of each of its entities at an instant. */
export function pointsAt({ severity, createdMs, triage }: StoredSignal, atMs: number): number {
  if (createdMs > atMs || atMs >= createdMs + 14 * DAY_MS) return 0;
  const isNone = triage.state === "archived" && ["false_positive", "testing_or_maintenance"].includes(triage.archiveReason) && (triage.lastArchivedMs ?? 0) <= atMs;
  return isNone ? 0 : points[severity]!;
}

/** Ids of what a signal is about. */
export function idsOf(signal: StoredSignal): string[] {
  let ids = known.get(signal);
  if (!ids) known.set(signal, (ids = readIds(signal)));
  return ids;
}

const known = new WeakMap<StoredSignal, string[]>();

function readIds({ document }: StoredSignal): string[] {
  const read = readDocument(document);
  const grouped = Object.entries(read.group).map(([name, value]) => `${name}:${value}`);
  return [...new Set(entitiesOf(read).filter(({ isPrimary, text }) => isPrimary || grouped.includes(text)).map(({ type, value }) => `${type}:${value}`))];
}

/** Scores above 0 by entity. */
export function scoresAt(signals: readonly StoredSignal[], atMs: number): Map<string, number> {
  const scores = new Map<string, number>();
  for (const signal of signals) {
    const own = pointsAt(signal, atMs);
    if (own > 0) for (const id of idsOf(signal)) scores.set(id, (scores.get(id) ?? 0) + own);
  }
  return scores;
}

export function severityOf(score: number): string {
  return score >= 100 ? "critical" : score >= 50 ? "high" : score >= 25 ? "medium" : score >= 10 ? "low" : "info";
}
