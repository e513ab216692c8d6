import { madeBy } from "../search/made.ts";
import type { FoundChanges, HistoryOutcome, HistoryRequest, JournalSnapshot } from "./contract.ts";
import { CLOCK_PARTITION, mayHold, partsWithin, readParts } from "./journal-source.ts";
import { HistoryJudge } from "./judge.ts";

export interface JournalRunEvents {
  /** Hears of signals, and is waited for. */
  onChanges?(changes: FoundChanges): void | Promise<void>;
  /** From 0 to 1, of the bytes that are read. */
  onProgress?(share: number): void;
  /** Asked before each batch. */
  mayGoOn?(): boolean;
  /** The engine, once it is done: for whoever wants its signals themselves. */
  onDone?(judge: HistoryJudge): void;
}

/**
 * Rules over a journal as it stood at one moment, in this thread.
 *
 * Rejects with `ProblemError` where rules cannot be run, and `TooManySignals`.
 */
export async function judgeJournal(request: HistoryRequest, snapshot: JournalSnapshot, events: JournalRunEvents): Promise<HistoryOutcome> {
  const judge = await HistoryJudge.create(request, events.onChanges && ((changes) => events.onChanges!(changes)));
  let damaged = 0;
  let isOpen = true;
  try {
    const parts = await partsWithin(snapshot, madeBy(request.setup.pipelines ?? []), request);
    const total = parts.reduce((sum, { offset, endOffset }) => sum + endOffset - offset, 0);
    let read = 0;
    const outcome = (cancelled: boolean): HistoryOutcome => {
      const { events: seen, lateDropped } = judge.stats;
      const sensitivity = cancelled ? undefined : judge.sensitivity();
      return { cancelled, events: seen, signals: judge.signals, leftOut: judge.leftOut, lateDropped, damaged, ...(sensitivity ? { sensitivity } : {}) };
    };
    for await (const { entries, times, bytes } of readParts(snapshot.folder, parts, () => damaged++)) {
      for (const entry of entries) {
        if (events.mayGoOn?.() === false) return outcome(true);
        if (entry.partition === CLOCK_PARTITION) judge.tick(entry.arrivalMs);
        else if (mayHold(times, request)) await judge.take(entry, times);
      }
      read += bytes;
      events.onProgress?.(Math.min(1, read / Math.max(1, total)));
    }
    isOpen = false;
    await judge.finish();
    events.onProgress?.(1);
    events.onDone?.(judge);
    return outcome(false);
  } finally {
    if (isOpen) await judge.close();
  }
}
