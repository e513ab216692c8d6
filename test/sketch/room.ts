import { hostImports } from "../../host/engine/imports.ts";
import { Arena } from "../../host/engine/memory.ts";
import { SketchRoom, type SketchKernel } from "../../host/engine/sketch/index.ts";
import { loadKernel, type Variant } from "../support/wasm.ts";

const ARENA_START = 1 << 20;

/** A room of its own for sketches: the kernel of a variant over a fresh memory. */
export function sketchRoom(variant: Variant, megabytes = 64): SketchRoom {
  const memory = new WebAssembly.Memory({ initial: megabytes * 16, maximum: 65_536, shared: true });
  const instance = new WebAssembly.Instance(loadKernel(variant, "assembly/sketch/all.ts"), hostImports(memory));
  return new SketchRoom(instance.exports as unknown as SketchKernel, new Arena(memory, ARENA_START, memory.buffer.byteLength));
}

/** Seeded numbers: 64 bits each, evenly spread. */
export class Stream {
  #state: bigint;

  constructor(seed: number) {
    this.#state = BigInt(seed);
  }

  next(): bigint {
    this.#state = (this.#state + 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
    let z = this.#state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & 0xffffffffffffffffn;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & 0xffffffffffffffffn;
    return z ^ (z >> 31n);
  }

  /** 0 <= number < 1 */
  unit(): number {
    return Number(this.next() >> 11n) / 2 ** 53;
  }

  below(limit: number): number {
    return Math.floor(this.unit() * limit);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  hashes(count: number): BigUint64Array {
    return BigUint64Array.from({ length: count }, () => this.next());
  }
}
