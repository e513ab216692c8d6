/**
 * Hands out regions of one linear memory, never takes them back.
 *
 * Addresses are byte offsets into the memory; the views cover the whole of it, so `arena.u32[address >> 2]` works.
 */
export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly end: number;
  #top: number;
  #buffer: ArrayBufferLike | undefined;
  #u8 = new Uint8Array(0);
  #u32 = new Uint32Array(0);
  #i32 = new Int32Array(0);
  #f64 = new Float64Array(0);
  #u64 = new BigUint64Array(0);
  #view = new DataView(new ArrayBuffer(0));

  /** @param start first byte that may be given out; @param end one past the last. */
  constructor(memory: WebAssembly.Memory, start: number, end: number) {
    this.memory = memory;
    this.#top = start;
    this.end = end;
  }

  /** Bytes still free. */
  get freeBytes(): number {
    return this.end - this.#top;
  }

  /** Next address that would be given out. */
  get top(): number {
    return this.#top;
  }

  /** A zeroed region of a fresh memory; `align` is a power of two. Throws when the arena is full. */
  alloc(sizeBytes: number, align = 16): number {
    const address = (this.#top + align - 1) & -align;
    const start = address >>> 0;
    if (start + sizeBytes > this.end) {
      throw new Error(`engine memory is full: ${sizeBytes} bytes wanted, ${this.freeBytes} free`);
    }
    this.#top = start + sizeBytes;
    return start;
  }

  /** Copies bytes in; 128 readable bytes follow them. */
  bytes(source: Uint8Array): number {
    const address = this.alloc(source.length + 128);
    this.u8.set(source, address);
    return address;
  }

  get u8(): Uint8Array {
    this.#refresh();
    return this.#u8;
  }
  get u32(): Uint32Array {
    this.#refresh();
    return this.#u32;
  }
  get i32(): Int32Array {
    this.#refresh();
    return this.#i32;
  }
  get f64(): Float64Array {
    this.#refresh();
    return this.#f64;
  }
  get u64(): BigUint64Array {
    this.#refresh();
    return this.#u64;
  }
  get view(): DataView {
    this.#refresh();
    return this.#view;
  }

  // A shared memory that grew answers with a longer buffer; the views follow it.
  #refresh(): void {
    const buffer = this.memory.buffer;
    if (buffer === this.#buffer) return;
    this.#buffer = buffer;
    this.#u8 = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#i32 = new Int32Array(buffer);
    this.#f64 = new Float64Array(buffer);
    this.#u64 = new BigUint64Array(buffer);
    this.#view = new DataView(buffer);
  }
}
