import type { JournalPosition } from "../journal/contract.ts";

/** Entries of the journal from a place on, up to another. */
export function entriesBetween(segments: ReadonlyArray<{ readonly segment: number; readonly nextEntry: number }>, from: JournalPosition, to: JournalPosition): number {
  let count = 0;
  for (const { segment, nextEntry } of segments) {
    if (segment < from.segment || segment > to.segment) continue;
    count += Math.max(0, (segment === to.segment ? Math.min(nextEntry, to.entry) : nextEntry) - (segment === from.segment ? from.entry : 0));
  }
  return count;
}
