import type { FoundChanges, HistoryOutcome } from "../../history/contract.ts";
import { snapshotOf } from "../../history/journal-source.ts";
import { type HistoryRun, startHistory } from "../../history/thread.ts";
import type { JobStore, StoredJob } from "../../store/jobs.ts";
import { allPermissions } from "../permission.ts";
import type { ControlContext } from "../context.ts";
import type { Principal } from "../principal.ts";
import { type JobWork, reasonOf, rulesToRun } from "./definition.ts";

export interface JobLimits {
  /** Jobs that run at a time. */
  readonly atOnce: number;
  /** Results kept of a job. */
  readonly mostSignals: number;
  /** Threads of a job beside the one that reads; 0 for none. */
  readonly workers: number;
}

export const usualLimits: JobLimits = { atOnce: 1, mostSignals: 10_000, workers: 0 };

/** After a start others have their turn first: what the journal holds is judged again before anybody is answered. */
const BEGIN_MS = 500;

interface Running {
  readonly run: HistoryRun;
  /** Nobody waits for its answer any more. */
  isOver: boolean;
  progress: number;
  readonly done: Promise<void>;
}

/** Runs jobs that wait, a few at a time, each user's in turn; in threads of their own. */
export class JobRunner {
  readonly #context: ControlContext;
  readonly #store: JobStore;
  readonly #limits: JobLimits;
  readonly #running = new Map<string, Running>();
  /** By user: when they had their last turn, counted in turns. */
  readonly #turns = new Map<string, number>();
  #turn = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(context: ControlContext, store: JobStore, limits: JobLimits) {
    this.#context = context;
    this.#store = store;
    this.#limits = limits;
    for (const id of store.resume(context.nowMs())) this.#told(store.get(id)!, "modified", "begun anew: the server was stopped while it ran");
    if (store.pending().length) this.#later();
  }

  progressOf(id: string): number | undefined {
    return this.#running.get(id)?.progress;
  }

  /** Looks for jobs to run. */
  wake(): void {
    if (this.#isClosed) return;
    if (!this.#isServing()) return this.#later();
    while (this.#running.size < this.#limits.atOnce) {
      const id = this.#next();
      if (id === undefined) return;
      this.#start(id);
    }
  }

  /** Ends a job at once, as far as anybody can see; its thread ends before its next batch. */
  cancel(id: string): void {
    this.#store.end(id, "cancelled", "", this.#context.nowMs());
    const running = this.#running.get(id);
    if (!running) return;
    running.isOver = true;
    running.run.cancel();
  }

  /** Ends what runs; it is begun anew by the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const running of this.#running.values()) {
      running.isOver = true;
      running.run.cancel();
    }
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.wake(), BEGIN_MS);
    this.#timer.unref();
  }

  /** There is nothing to run with before the server has begun. */
  #isServing(): boolean {
    try {
      return this.#context.setup() !== undefined;
    } catch {
      return false;
    }
  }

  /** The oldest of whoever waited longest for a turn. */
  #next(): string | undefined {
    const waiting = this.#store.pending();
    const turnOf = (userId: string): number => this.#turns.get(userId) ?? -1;
    const [first] = waiting.toSorted((a, b) => turnOf(a.userId) - turnOf(b.userId));
    if (first) this.#turns.set(first.userId, this.#turn++);
    return first?.id;
  }

  #start(id: string): void {
    const { journal, nowMs } = this.#context;
    const job = this.#store.get(id)!;
    const work = job.work as JobWork;
    const number = this.#store.begin(id, nowMs());
    try {
      const snapshot = snapshotOf(journal, work.fromMs);
      const [first] = snapshot.segments;
      if (first) journal.keepFrom(keeperOf(id), { segment: first.segment, entry: 0 });
      const rules = rulesToRun(work);
      const run = startHistory(
        { setup: { ...this.#context.setup(), rules }, judged: [rules[0]!.id], fromMs: work.fromMs, toMs: work.toMs, index: work.index, details: true, workers: this.#limits.workers, mostSignals: this.#limits.mostSignals, ...(work.turned ? { turned: true } : {}) },
        snapshot, { onChanges: (changes) => this.#stage(id, number, changes), onProgress: (share) => this.#advance(id, share) },
      );
      const done = run.done.then((outcome) => this.#finish(job, number, outcome), (error: unknown) => this.#fail(job, error)).finally(() => this.#release(id));
      this.#running.set(id, { run, isOver: false, progress: 0, done });
    } catch (error) {
      this.#fail(job, error);
      journal.keepFrom(keeperOf(id), undefined);
    }
  }

  #stage(id: string, number: number, { signals, gone }: FoundChanges): void {
    if (!this.#isOver(id)) this.#store.stage(id, number, signals, gone);
  }

  #advance(id: string, share: number): void {
    const running = this.#running.get(id);
    if (running) running.progress = share;
  }

  #finish(job: StoredJob, number: number, { cancelled, events, signals, leftOut, damaged, lateDropped, sensitivity }: HistoryOutcome): void {
    if (cancelled || this.#isOver(job.id)) return;
    const note = [
      ...(leftOut ? [`${leftOut} further signals were left out; the first ${this.#limits.mostSignals} that opened are kept`] : []),
      ...(damaged ? [`${damaged} places of the journal could not be read`] : []),
      ...(lateDropped ? [`${lateDropped} matches came too late to be judged, as they do live`] : []),
    ].join("; ");
    this.#context.sql.transaction(() => {
      this.#store.complete(job.id, number, { signals, leftOut, events, note, sensitivity }, this.#context.nowMs());
      this.#told(job, "executed", `completed: ${signals} signals of ${events} events`);
    });
  }

  #fail(job: StoredJob, error: unknown): void {
    if (this.#isOver(job.id)) return;
    const note = reasonOf(error);
    this.#context.sql.transaction(() => {
      this.#store.end(job.id, "failed", note, this.#context.nowMs());
      this.#told(job, "executed", `failed: ${note}`);
    });
  }

  #release(id: string): void {
    this.#running.delete(id);
    this.#context.journal.keepFrom(keeperOf(id), undefined);
    try {
      this.wake();
    } catch (error) {
      this.#context.onFault("historical jobs", error);
    }
  }

  #isOver(id: string): boolean {
    return this.#running.get(id)?.isOver === true;
  }

  /** What happens to a job is done by whoever asked for it. */
  #told({ id, name, createdBy }: StoredJob, action: "executed" | "modified", message: string): void {
    const who: Principal = { userId: createdBy.uuid, handle: createdBy.handle, name: createdBy.name, email: createdBy.handle, authMethod: "NONE", permissions: allPermissions };
    this.#context.audit.record(who, { action, asset: { type: "historical_job", id, name }, outcome: message.startsWith("failed") ? "failure" : "success", message }, undefined, this.#context.nowMs());
  }
}

function keeperOf(id: string): string {
  return `historical job ${id}`;
}
