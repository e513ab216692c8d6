import { parentPort, workerData } from "node:worker_threads";
import type { FoundChanges, HistoryOutcome, HistoryRequest, JournalSnapshot } from "./contract.ts";
import { judgeJournal } from "./journal-run.ts";

/** What a thread is given, and what it says. `stop` is one number, anything but 0 once it is to end. */
export interface ThreadWork {
  readonly request: HistoryRequest;
  readonly snapshot: JournalSnapshot;
  readonly stop: Int32Array;
}

export type ThreadWord =
  | { readonly kind: "progress"; readonly share: number }
  /** Waits for a word back before it goes on: what was found is then stored. */
  | { readonly kind: "changes"; readonly changes: FoundChanges }
  | { readonly kind: "done"; readonly outcome: HistoryOutcome }
  | { readonly kind: "failed"; readonly reason: string };

const TOLD_EVERY_MS = 100;

if (parentPort && (workerData as Partial<ThreadWork> | null)?.stop) {
  const port = parentPort;
  const { request, snapshot, stop } = workerData as ThreadWork;
  const say = (word: ThreadWord): void => port.postMessage(word);
  let nextMs = 0;
  judgeJournal(request, snapshot, {
    mayGoOn: () => Atomics.load(stop, 0) === 0,
    onProgress(share) {
      const nowMs = performance.now();
      if (nowMs < nextMs) return;
      nextMs = nowMs + TOLD_EVERY_MS;
      say({ kind: "progress", share });
    },
    async onChanges(changes) {
      const answered = new Promise((resolve) => port.once("message", resolve));
      say({ kind: "changes", changes });
      await answered;
    },
  }).then(
    (outcome) => say({ kind: "done", outcome }),
    (error: unknown) => say({ kind: "failed", reason: error instanceof Error ? `${error.name === "Error" ? "" : `${error.name}: `}${error.message}` : String(error) }),
  ).finally(() => port.close());
}
