import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { matchColumns, type MatchColumns } from "../batch/matches.ts";
import { type Executor, type Slot, TaskLostError } from "./executor.ts";
import { MEMORY_BYTES, slotArea } from "./geometry.ts";
import type { InstanceSetup, WorkerSetup } from "./instance.ts";
import { compileKernel } from "./kernel-file.ts";
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
    const member = this.#workers[slot.worker]!;
    while (member.retry) await member.retry;
    try {
      return (await member.pool.run(request)) as TaskResult;
    } catch (first) {
      return await this.#again(member, request, first);
    }
  }

  /**
   * The worker is gone, with all the tasks it had; Piscina starts another on the same memory, and the bytes still lie in the
   * slots. Each is tried again by itself, so that only the one that ended the worker ends it again.
   */
  #again(member: Member, request: Task, first: unknown): Promise<TaskResult> {
    const result = (member.retry ?? Promise.resolve()).then(() => member.pool.run(request) as Promise<TaskResult>);
    const retry: Promise<void> = result.then(() => {}, () => {}).then(() => {
      if (member.retry === retry) member.retry = undefined;
    });
    member.retry = retry;
    return result.catch((second: unknown) => {
      throw new TaskLostError(second ?? first);
    });
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
    // A worker has all its tasks before it: one that asked for the next would sleep and be woken for each.
    const pool = new Piscina({ filename: workerFile(), minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: SLOTS_PER_WORKER, workerData: setup, idleTimeout: 2 ** 30 });
    return { memory, pool, retry: undefined };
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
  /** Under way while tasks of a worker that ended are tried again, one at a time. */
  retry: Promise<void> | undefined;
}

/** The worker's file beside this one: `.js` once built, `.ts` in a clone. */
function workerFile(): string {
  const built = fileURLToPath(new URL("./worker.js", import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL("./worker.ts", import.meta.url));
}
