import type { StandingQuery } from "../rule/standing.ts";
import { MEMORY_BYTES, plansStart, slotArea } from "./geometry.ts";
import { hostImports } from "./imports.ts";
import { type Kernel, type Variant, compileKernel } from "./kernel.ts";
import { Arena } from "./memory.ts";
import { Plan } from "./plan.ts";
import type { InputProfile, Task, TaskResult } from "./task.ts";
import { repairUtf8 } from "./utf8.ts";

export { compileKernel } from "./kernel.ts";

export interface InstanceSetup {
  readonly variant: Variant;
  readonly standing: readonly StandingQuery[];
}

/** What a worker thread gets at its start. */
export interface WorkerSetup extends InstanceSetup {
  readonly slots: number;
  readonly memory?: WebAssembly.Memory;
  readonly module?: WebAssembly.Module;
}

const NEWLINE = 10;
const LINES_PER_RESULT = 1 << 16;

/** One WASM instance with its memory, and the plans of the inputs it has met. */
export class Instance {
  readonly memory: WebAssembly.Memory;
  readonly kernel: Kernel;
  readonly arena: Arena;
  readonly #standing: readonly StandingQuery[];
  readonly #plans = new Map<string, Plan>();

  private constructor(memory: WebAssembly.Memory, kernel: Kernel, setup: WorkerSetup) {
    this.memory = memory;
    this.kernel = kernel;
    this.#standing = setup.standing;
    this.arena = new Arena(memory, plansStart(setup.slots), memory.buffer.byteLength);
    kernel.tagSetup();
  }

  static async create(setup: WorkerSetup): Promise<Instance> {
    const pages = MEMORY_BYTES / 65536;
    const memory = setup.memory ?? new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const module = setup.module ?? (await compileKernel(setup.variant));
    const instance = await WebAssembly.instantiate(module, hostImports(memory));
    return new Instance(memory, instance.exports as unknown as Kernel, setup);
  }

  /** The plan of an input profile, compiled when first met. */
  plan(profile: InputProfile): Plan {
    const key = JSON.stringify(profile);
    let plan = this.#plans.get(key);
    if (!plan) {
      plan = new Plan(this.kernel, this.arena, profile, this.#standing);
      this.#plans.set(key, plan);
    }
    return plan;
  }

  run(task: Task): TaskResult {
    const plan = this.plan(task.profile);
    const slowBefore = plan.slowRows;
    const area = slotArea(task.slot);
    const u8 = this.arena.u8;
    let start = task.start;
    let length = task.length;
    let repaired = 0;
    if (!this.kernel.validateUtf8(start, start + length)) {
      const text = repairUtf8(u8.subarray(start, start + length));
      repaired = text.repairedLines;
      u8.set(text.bytes, area.repair);
      start = area.repair;
      length = text.bytes.length;
    }
    const outcome = plan.run(start, length, task.arrivalMs, area.results);
    return {
      consumed: repaired ? this.#originalOffset(task, start, outcome.consumed, length) : outcome.consumed,
      events: outcome.events,
      matches: plan.matches,
      highMs: outcome.highMs,
      withoutTime: outcome.withoutTime,
      repairedUtf8: repaired,
      malformed: outcome.malformed.slice(0, LINES_PER_RESULT),
      malformedCount: outcome.malformed.length,
      slowRows: plan.slowRows - slowBefore,
    };
  }

  /** Where in the bytes as received the same number of lines ends. */
  #originalOffset(task: Task, repairedStart: number, consumed: number, repairedLength: number): number {
    if (consumed >= repairedLength) return task.length;
    const u8 = this.arena.u8;
    let lines = 0;
    for (let i = repairedStart; i < repairedStart + consumed; i++) if (u8[i] === NEWLINE) lines++;
    let at = task.start;
    while (lines > 0) if (u8[at++] === NEWLINE) lines--;
    return at - task.start;
  }
}
