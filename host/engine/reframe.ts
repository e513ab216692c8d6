import { REFRAME_BYTES, REFRAME_FLAGS, REFRAME_SLACK, REFRAME_UNWRAP } from "../../assembly/layout.ts";
import type { Arena } from "./memory.ts";

export interface ReframeKernel {
  reframe(start: number, end: number, out: number, state: number): number;
  reframeEnd(out: number, state: number): number;
}

export interface ReframeOptions {
  /** Take the records out of `{"Records":[...]}`; default true. */
  readonly unwrap?: boolean;
  /** Bytes rewritten at a time; default 256 KB. */
  readonly chunkBytes?: number;
}

/**
 * Turns JSON in any arrangement (pretty-printed, one big array, values side by side) into one record a line, chunk by chunk.
 *
 * A record may span any number of chunks; nothing of the input is kept but a few bytes of state.
 */
export class Reframer {
  readonly #arena: Arena;
  readonly #kernel: ReframeKernel;
  readonly #state: number;
  readonly #input: number;
  readonly #output: number;
  readonly #chunkBytes: number;
  readonly #flags: number;

  constructor(arena: Arena, kernel: ReframeKernel, options: ReframeOptions = {}) {
    this.#arena = arena;
    this.#kernel = kernel;
    this.#chunkBytes = options.chunkBytes ?? 256 << 10;
    this.#flags = (options.unwrap ?? true) ? REFRAME_UNWRAP : 0;
    this.#state = arena.alloc(REFRAME_BYTES);
    this.#input = arena.alloc(this.#chunkBytes + REFRAME_SLACK);
    this.#output = arena.alloc(this.#chunkBytes * 2 + REFRAME_SLACK);
    this.reset();
  }

  /** Forgets what was open: the next bytes are the first of an input. */
  reset(): void {
    this.#arena.u8.fill(0, this.#state, this.#state + REFRAME_BYTES);
    this.#arena.u32[(this.#state + REFRAME_FLAGS) >>> 2] = this.#flags;
  }

  /** Lines the bytes complete or continue, as copies, in order. */
  *push(bytes: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    for (let at = 0; at < bytes.length; at += this.#chunkBytes) {
      const chunk = bytes.subarray(at, at + this.#chunkBytes);
      this.#arena.u8.set(chunk, this.#input);
      const written = this.#kernel.reframe(this.#input, this.#input + chunk.length, this.#output, this.#state);
      if (written > 0) yield this.#written(written);
    }
  }

  /** The rest of the last line, when the input has ended; empty when there is none. */
  end(): Uint8Array<ArrayBuffer> {
    const written = this.#kernel.reframeEnd(this.#output, this.#state);
    const rest = this.#written(written);
    this.reset();
    return rest;
  }

  #written(length: number): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(length);
    copy.set(this.#arena.u8.subarray(this.#output, this.#output + length));
    return copy;
  }
}
