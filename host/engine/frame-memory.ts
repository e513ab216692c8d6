const SMALLEST_BITS = 14;
const LARGEST_BITS = 25;

/**
 * Blocks of a memory that never moves, in powers of two: halves of one that are both free are one again. So bodies of any sizes
 * share the memory, whichever came before.
 */
export class FrameMemory {
  readonly #buffer: ArrayBufferLike;
  readonly #pad: number;
  readonly #start: number;
  /** Addresses of free blocks by the logarithm of their size. */
  readonly #free: Array<Set<number>> = Array.from({ length: LARGEST_BITS + 1 }, () => new Set<number>());
  /** Size's logarithm by address, of the blocks in use. */
  readonly #used = new Map<number, number>();
  readonly #mostBytes: number;
  #heldBytes = 0;

  /** @param mostBytes of bodies at once, blocks aside; @param pad bytes wanted behind every body */
  constructor(buffer: ArrayBufferLike, start: number, mostBytes: number, pad: number) {
    this.#buffer = buffer;
    this.#start = start;
    this.#mostBytes = mostBytes;
    this.#pad = pad;
    for (let at = start; at + 2 ** LARGEST_BITS <= buffer.byteLength; at += 2 ** LARGEST_BITS) this.#free[LARGEST_BITS]!.add(at);
  }

  /** Bytes of memory for so many bytes of bodies: a block may be twice as large as what is in it. */
  static sizeFor(mostBytes: number): number {
    return Math.max(1, Math.ceil((2 * mostBytes) / 2 ** LARGEST_BITS)) * 2 ** LARGEST_BITS;
  }

  /** Bytes of all bodies here. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Room for a body, with what it held before; undefined when there is none now. */
  take(length: number): Buffer | undefined {
    if (this.#heldBytes + length > this.#mostBytes) return undefined;
    const bits = Math.max(SMALLEST_BITS, 32 - Math.clz32(length + this.#pad - 1));
    if (bits > LARGEST_BITS) return undefined;
    let from = bits;
    while (from <= LARGEST_BITS && this.#free[from]!.size === 0) from++;
    if (from > LARGEST_BITS) return undefined;
    const address = this.#free[from]!.values().next().value!;
    this.#free[from]!.delete(address);
    while (from > bits) this.#free[--from]!.add(address + 2 ** from);
    this.#used.set(address, bits);
    this.#heldBytes += length;
    return Buffer.from(this.#buffer as ArrayBuffer, address, length);
  }

  /** Takes back what `take` gave, as long as it was. */
  give(buffer: Buffer): void {
    let address = buffer.byteOffset;
    let bits = this.#used.get(address);
    if (bits === undefined) throw new Error("this memory was given back before");
    this.#used.delete(address);
    this.#heldBytes -= buffer.length;
    for (; bits < LARGEST_BITS; bits++) {
      const other = this.#start + ((address - this.#start) ^ (2 ** bits));
      if (!this.#free[bits]!.delete(other)) break;
      address = Math.min(address, other);
    }
    this.#free[bits]!.add(address);
  }

  /** Do the bytes lie here? */
  holds(bytes: Uint8Array): boolean {
    return bytes.buffer === this.#buffer && bytes.byteOffset >= this.#start;
  }
}
