import {
  BODY_ARRAY, BODY_BROKEN, BODY_BYTES, BODY_COUNT, BODY_DEEP, BODY_EMPTY, BODY_FLAGS, BODY_FOLDED, BODY_MANY, BODY_OBJECTS, BODY_PAD, BODY_RECORD_BYTES,
  BODY_SPANS, BODY_SPAN_BYTES, BODY_SPAN_CAP, BODY_STACK, BODY_STACK_CAP, BODY_TEXT,
} from "../../assembly/layout.ts";
import { FrameMemory } from "./frame-memory.ts";
import { hostImports } from "./imports.ts";
import type { Variant } from "./kernel.ts";
import { compileKernelNow } from "./kernel-file.ts";
import { Arena } from "./memory.ts";

interface FrameKernel {
  frameScan(struct: number, start: number, end: number): number;
  frameLines(struct: number): void;
}

const PAGE = 65536;
/** The kernels' own constants end well below this. */
const SETUP_START = 1024 * 1024;
const BODIES_START = 4 * 1024 * 1024;
const SPAN_CAP = 128 * 1024;
/** For two million containers within each other. */
const STACK_WORDS = 64 * 1024;
const BODIES_BYTES = 256 * 1024 * 1024;

export type BodyKind = "empty" | "text" | "array" | "objects" | "broken";
const kinds: ReadonlyMap<number, BodyKind> = new Map([[BODY_EMPTY, "empty"], [BODY_TEXT, "text"], [BODY_ARRAY, "array"], [BODY_OBJECTS, "objects"], [BODY_BROKEN, "broken"]]);

/** What a body is. Elements are those of an array, or objects side by side. */
export interface ScannedBody {
  readonly kind: BodyKind;
  readonly count: number;
  /** BODY_ODD and the others. */
  readonly flags: number;
  /** All elements are objects of the size of a record, with a byte or more between them: they can be made lines in place. */
  readonly isPlain: boolean;
}

/**
 * Looks bodies through where they were received: a memory of its own that senders' bytes are read into, and the kernel that tells
 * JSON from none there, about four times as fast as a program that looks at one byte after another.
 */
export class BodyFramer {
  readonly memory: FrameMemory;
  readonly #kernel: FrameKernel;
  readonly #u32: Uint32Array;
  readonly #struct: number;
  readonly #spans: number;
  #canMakeLines = false;

  private constructor(kernel: FrameKernel, arena: Arena, memory: FrameMemory) {
    this.#kernel = kernel;
    this.memory = memory;
    this.#struct = arena.alloc(BODY_BYTES);
    this.#spans = arena.alloc(SPAN_CAP * BODY_SPAN_BYTES);
    this.#u32 = arena.u32;
    this.#set(BODY_SPANS, this.#spans);
    this.#set(BODY_SPAN_CAP, SPAN_CAP);
    this.#set(BODY_STACK, arena.alloc(STACK_WORDS * 4));
    this.#set(BODY_STACK_CAP, STACK_WORDS);
  }

  /** @param bytes of bodies in memory at once, at most; none of it is touched before it is needed */
  static create(options: { readonly variant?: Variant; readonly module?: WebAssembly.Module; readonly bytes?: number } = {}): BodyFramer {
    const bytes = options.bytes ?? BODIES_BYTES;
    const pages = (BODIES_START + FrameMemory.sizeFor(bytes)) / PAGE;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const instance = new WebAssembly.Instance(options.module ?? compileKernelNow(options.variant ?? "simd"), hostImports(memory));
    return new BodyFramer(instance.exports as unknown as FrameKernel, new Arena(memory, SETUP_START, BODIES_START), new FrameMemory(memory.buffer, BODIES_START, bytes, BODY_PAD));
  }

  /**
   * Undefined where the kernel cannot tell: too deep, or too many elements to list.
   *
   * @param body in this memory
   */
  scan(body: Uint8Array, recordBytes: number): ScannedBody | undefined {
    this.#set(BODY_RECORD_BYTES, Math.min(recordBytes, 0xffffffff));
    const verdict = this.#kernel.frameScan(this.#struct, body.byteOffset, body.byteOffset + body.length);
    if (verdict === BODY_DEEP) return undefined;
    const isJson = verdict === BODY_ARRAY || verdict === BODY_OBJECTS;
    const flags = isJson ? this.#get(BODY_FLAGS) : 0;
    this.#canMakeLines = isJson && (flags & ~BODY_FOLDED) === 0;
    return flags & BODY_MANY ? undefined : { kind: kinds.get(verdict)!, count: isJson ? this.#get(BODY_COUNT) : 0, flags, isPlain: this.#canMakeLines };
  }

  /** Where the elements of the last body scanned begin or end, in it. */
  spanStart(body: Uint8Array, i: number): number {
    return this.#u32[(this.#spans >> 2) + 2 * i]! - body.byteOffset;
  }

  spanEnd(body: Uint8Array, i: number): number {
    return this.#u32[(this.#spans >> 2) + 2 * i + 1]! - body.byteOffset;
  }

  /** One element of the last body a line, in place, where they are plain. */
  makeLines(): void {
    if (!this.#canMakeLines) throw new Error("these elements are to be written anew");
    this.#kernel.frameLines(this.#struct);
  }

  #set(field: number, value: number): void {
    this.#u32[(this.#struct + field) >> 2] = value;
  }

  #get(field: number): number {
    return this.#u32[(this.#struct + field) >> 2]!;
  }
}
