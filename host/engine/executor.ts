import type { MatchColumns } from "../batch/matches.ts";
import type { Task, TaskResult } from "./task.ts";

/** A place for the bytes of one task, in the memory of the instance that will read them. */
export interface Slot {
  readonly index: number;
  /** Which instance it belongs to. */
  readonly worker: number;
  readonly bytes: Uint8Array;
  readonly start: number;
}

/** Runs tasks on WASM instances: in this thread, or on a pool of workers with one memory each. */
export interface Executor {
  /** A free slot; waits when all are in use, which is how back-pressure reaches the input. */
  acquire(): Promise<Slot>;
  /** Never rejects for what the bytes hold; rejects with `TaskLostError` when the task killed two workers. */
  run(slot: Slot, task: Omit<Task, "slot">): Promise<TaskResult>;
  matches(slot: Slot, result: TaskResult): MatchColumns;
  release(slot: Slot): void;
  close(): Promise<void>;
}

/** A task that killed the worker it ran on, twice. Its bytes are set aside and reported. */
export class TaskLostError extends Error {
  constructor(cause: unknown) {
    super("a batch ended its worker twice and was set aside", { cause });
    this.name = "TaskLostError";
  }
}
