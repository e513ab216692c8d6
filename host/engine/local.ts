import { matchColumns, type MatchColumns } from "../batch/matches.ts";
import type { Executor, Slot } from "./executor.ts";
import { slotArea } from "./geometry.ts";
import { Instance, type InstanceSetup } from "./instance.ts";
import { compileKernel } from "./kernel-file.ts";
import type { Task, TaskResult } from "./task.ts";

/** One instance in the calling thread: `--workers 0`, tests, embedding where threads are not wanted. */
export class LocalExecutor implements Executor {
  readonly instance: Instance;
  readonly #slot: Slot;
  #free = true;
  readonly #waiting: Array<(slot: Slot) => void> = [];

  private constructor(instance: Instance) {
    this.instance = instance;
    const area = slotArea(0);
    this.#slot = { index: 0, worker: 0, start: area.start, bytes: new Uint8Array(instance.memory.buffer, area.start, area.capacity) };
  }

  static async create(setup: InstanceSetup): Promise<LocalExecutor> {
    return new LocalExecutor(await Instance.create({ ...setup, slots: 1, module: await compileKernel(setup.variant) }));
  }

  async acquire(): Promise<Slot> {
    if (this.#free) {
      this.#free = false;
      return this.#slot;
    }
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  async run(slot: Slot, task: Omit<Task, "slot">): Promise<TaskResult> {
    return this.instance.run({ ...task, slot: slot.index });
  }

  matches(slot: Slot, result: TaskResult): MatchColumns {
    return matchColumns(this.instance.memory, slotArea(slot.index).results, result.matches, result.highMs);
  }

  release(slot: Slot): void {
    const next = this.#waiting.shift();
    if (next) next(slot);
    else this.#free = true;
  }

  async close(): Promise<void> {}
}
