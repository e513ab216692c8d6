import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { FoundChanges, HistoryOutcome, HistoryRequest, JournalSnapshot } from "./contract.ts";
import type { ThreadWord, ThreadWork } from "./history-worker.ts";

export interface HistoryEvents {
  /** Stores what was found; the thread waits for it. What it throws ends the run. */
  readonly onChanges: (changes: FoundChanges) => void;
  readonly onProgress?: (share: number) => void;
}

/** A run in a thread of its own. */
export interface HistoryRun {
  /** Rejects when the rules cannot be run, or the thread died. */
  readonly done: Promise<HistoryOutcome>;
  /** Ends it before its next batch. */
  cancel(): void;
}

/** JavaScript memory of a run; what kernels hold is beside it, and has its own bound. */
const HEAP_MB = 1024;
/** A thread that does not end when it is told to is ended. */
const END_WITHIN_MS = 10_000;

/** Starts rules over a journal. The thread that takes logs does nothing for it but store what is found. */
export function startHistory(request: HistoryRequest, snapshot: JournalSnapshot, events: HistoryEvents): HistoryRun {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const work: ThreadWork = { request, snapshot, stop };
  const worker = new Worker(threadFile(), { workerData: work, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
  let ending: NodeJS.Timeout | undefined;
  const cancel = (): void => {
    Atomics.store(stop, 0, 1);
    ending ??= setTimeout(() => void worker.terminate(), END_WITHIN_MS);
  };
  const done = new Promise<HistoryOutcome>((resolve, reject) => {
    let outcome: HistoryOutcome | undefined;
    let fault: unknown;
    worker.on("message", (word: ThreadWord) => {
      if (word.kind === "progress") events.onProgress?.(word.share);
      else if (word.kind === "done") outcome = word.outcome;
      else if (word.kind === "failed") fault ??= new Error(word.reason);
      else {
        try {
          events.onChanges(word.changes);
        } catch (error) {
          fault ??= error;
          cancel();
        }
        worker.postMessage("stored");
      }
    });
    worker.on("error", (error) => (fault ??= error));
    worker.on("exit", () => {
      clearTimeout(ending);
      if (fault !== undefined) reject(fault as Error);
      else if (outcome) resolve(outcome);
      else if (Atomics.load(stop, 0)) resolve({ cancelled: true, events: 0, signals: 0, leftOut: 0, lateDropped: 0, damaged: 0 });
      else reject(new Error("the thread ended without an answer"));
    });
  });
  return { done, cancel };
}

/** The thread's file beside this one: `.js` once built, `.ts` in a clone. */
function threadFile(): string {
  const built = fileURLToPath(new URL("./history-worker.js", import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL("./history-worker.ts", import.meta.url));
}
