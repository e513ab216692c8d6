import { workerData } from "node:worker_threads";
import { Instance, type WorkerSetup } from "./instance.ts";
import type { Task, TaskResult } from "./task.ts";

// Piscina wraps what it was given: its own pair first, ours second.
const setup = (Array.isArray(workerData) ? workerData[1] : workerData) as WorkerSetup;
const instance = Instance.create(setup);

/** Piscina's entry: offsets in, counts out; bytes and matches stay in the shared memory. */
export default async function run(task: Task): Promise<TaskResult> {
  return (await instance).run(task);
}
