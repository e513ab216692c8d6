import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { matchColumns, type MatchColumns } from "../batch/matches.ts";
import { type Executor, type Slot, TaskLostError } from "./executor.ts";
import { MEMORY_BYTES, slotArea } from "./geometry.ts";
import { compileKernel, type InstanceSetup, type WorkerSetup } from "./instance.ts";
import type { Task, TaskResult } from "./task.ts";

/** Slots per worker: one is read, one waits, one is being filled or drained. */
const SLOTS_PER_WORKER = 3;

/**
 * Workers with one WASM memory each. A pool of one thread per worker, because the host fills the very memory the
 * task will run on; bytes are never cloned, tasks carry offsets.
 */
export class PoolExecutor implements Executor {
  readonly #workers: Member[];
  readonly #free: Slot[] = [];
  readonly #waiting: Array<(slot: Slot) => void> = [];
  readonly #setup: InstanceSetup;
  readonly #module: WebAssembly.Module;
  /** Workers that died and were replaced. */
  replaced = 0;

  private constructor(setup: InstanceSetup, module: WebAssembly.Module, workers: number) {
    this.#setup = setup;
    this.#module = module;
    this.#workers = Array.from({ length: workers }, () => this.#member());
    for (let index = 0; index < SLOTS_PER_WORKER; index++) {
      for (let worker = 0; worker < workers; worker++) this.#free.push(this.#slot(worker, index));
    }
  }

  static async create(setup: InstanceSetup, workers: number): Promise<PoolExecutor> {
    return new PoolExecutor(setup, await compileKernel(setup.variant), workers);
  }

  async acquire(): Promise<Slot> {
    const slot = this.#free.shift();
    if (slot) return slot;
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  async run(slot: Slot, task: Omit<Task, "slot">): Promise<TaskResult> {
    const request: Task = { ...task, slot: slot.index };
    try {
      return (await this.#workers[slot.worker]!.pool.run(request)) as TaskResult;
    } catch (first) {
      // The worker is gone; Piscina starts another on the same memory, and the bytes still lie in the slot.
      this.replaced++;
      try {
        return (await this.#workers[slot.worker]!.pool.run(request)) as TaskResult;
      } catch (second) {
        this.replaced++;
        throw new TaskLostError(second ?? first);
      }
    }
  }

  matches(slot: Slot, result: TaskResult): MatchColumns {
    return matchColumns(this.#workers[slot.worker]!.memory, slotArea(slot.index).results, result.matches, result.highMs);
  }

  release(slot: Slot): void {
    const next = this.#waiting.shift();
    if (next) next(slot);
    else this.#free.push(slot);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.pool.destroy()));
  }

  #member(): Member {
    const pages = MEMORY_BYTES / 65536;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const setup: WorkerSetup = { ...this.#setup, slots: SLOTS_PER_WORKER, memory, module: this.#module };
    return { memory, pool: new Piscina({ filename: workerFile(), minThreads: 1, maxThreads: 1, workerData: setup, idleTimeout: 2 ** 30 }) };
  }

  #slot(worker: number, index: number): Slot {
    const area = slotArea(index);
    const buffer = this.#workers[worker]!.memory.buffer;
    return { index, worker, start: area.start, bytes: new Uint8Array(buffer, area.start, area.capacity) };
  }
}

interface Member {
  readonly memory: WebAssembly.Memory;
  readonly pool: Piscina;
}

/** The worker's file beside this one: `.js` once built, `.ts` in a clone. */
function workerFile(): string {
  const built = fileURLToPath(new URL("./worker.js", import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL("./worker.ts", import.meta.url));
}
