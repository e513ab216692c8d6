import { hostImports } from "./imports.ts";
import type { Variant } from "./kernel.ts";
import { compileKernel } from "./kernel-file.ts";
import { Arena } from "./memory.ts";

/** The window kernel's exports: addresses and counts. */
export interface StateKernel {
  /** 0: the memory does not hold even an empty table. */
  windowStart(struct: number): number;
  windowBatch(records: number, rowsBefore: number): void;
  /** 1: the struct describes a hit, and there may be more; 0: the batch is done. */
  windowNext(): number;
  windowEvents(flags: number): void;
  /** For saved groups, as `assembly/window/state.ts` says; addresses, 0: no memory. */
  windowGroup(rule: number, key: number, keyBytes: number, flags: number, fragment: number): number;
  windowRing(keep: number, hasValues: number, capacity: number): number;
  windowExtension(ring: number, query: number): number;
  windowReindex(keep: number): void;
  windowCandidate(rule: number, group: number): void;
  windowMark(out: number): void;
  windowResume(mark: number): void;
}

const PAGE = 65536;
/** The kernels' own constants end well below this. */
const SETUP_START = 1024 * 1024;

/** Where detectors keep what they know: an instance of the kernels with a memory of its own, in the calling thread. */
export class StateInstance {
  readonly kernel: StateKernel;
  /** For what is set up once; state begins behind it, at a multiple of 64 KB. */
  readonly arena: Arena;
  /** One past the last byte the memory may grow to. */
  readonly end: number;
  /** What state may take of it: whole pages. */
  readonly stateBytes: number;

  private constructor(kernel: StateKernel, arena: Arena, end: number, stateBytes: number) {
    this.kernel = kernel;
    this.arena = arena;
    this.end = end;
    this.stateBytes = stateBytes;
  }

  /** @param stateBytes what state may take at most; @param setupBytes room for what is set up once. */
  static async create(variant: Variant, stateBytes: number, setupBytes: number): Promise<StateInstance> {
    const setupEnd = SETUP_START + Math.ceil(setupBytes / PAGE) * PAGE;
    const bytes = Math.max(PAGE, Math.ceil(stateBytes / PAGE) * PAGE);
    // One page more, since what follows a block may be read.
    const end = Math.min(setupEnd + bytes + PAGE, 65535 * PAGE);
    const memory = new WebAssembly.Memory({ initial: setupEnd / PAGE + 2, maximum: end / PAGE + 1, shared: true });
    const instance = await WebAssembly.instantiate(await compileKernel(variant), hostImports(memory));
    return new StateInstance(instance.exports as unknown as StateKernel, new Arena(memory, SETUP_START, setupEnd), end, Math.min(bytes, end - setupEnd - PAGE));
  }
}
