import { hostImports } from "./imports.ts";
import { compileKernel } from "./kernel-file.ts";
import { Arena } from "./memory.ts";
import { type ReframeKernel, Reframer } from "./reframe.ts";

const MEMORY_PAGES = 256;
const ARENA_START = 1 << 20;

/** JSON in any arrangement to one record a line, on a small instance of its own. */
export interface LineReframer {
  push(bytes: Uint8Array): Iterable<Uint8Array>;
  end(): Uint8Array;
}

export async function createLineReframer(): Promise<LineReframer> {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES, shared: true });
  const instance = await WebAssembly.instantiate(await compileKernel("simd"), hostImports(memory));
  const reframer = new Reframer(new Arena(memory, ARENA_START, memory.buffer.byteLength), instance.exports as unknown as ReframeKernel);
  let carried: Uint8Array = new Uint8Array(0);
  return {
    *push(bytes) {
      for (const piece of reframer.push(bytes)) {
        const end = piece.lastIndexOf(10) + 1;
        if (end > 0) yield carried.length ? Buffer.concat([carried, piece.subarray(0, end)]) : piece.subarray(0, end);
        carried = end > 0 ? piece.slice(end) : Buffer.concat([carried, piece]);
      }
    },
    end() {
      const rest = Buffer.concat([carried, reframer.end()]);
      carried = new Uint8Array(0);
      return rest;
    },
  };
}
