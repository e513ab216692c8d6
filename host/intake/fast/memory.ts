/** Where bodies are read to. */
export interface BodyMemory {
  /** Room for a body of this many bytes, with what it held before; undefined when there is none now. */
  take(length: number): Buffer | undefined;
  give(buffer: Buffer): void;
}

const SMALLEST = 16 * 1024;

/**
 * Buffers used again and again, so that a body costs no fresh pages. Sizes are powers of two; all together stay below a bound,
 * whether in use or waiting.
 */
export class BodyPool implements BodyMemory {
  readonly #mostBytes: number;
  readonly #free = new Map<number, Buffer[]>();
  #ownedBytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get ownedBytes(): number {
    return this.#ownedBytes;
  }

  take(length: number): Buffer | undefined {
    const size = sizeFor(length);
    const free = this.#free.get(size)?.pop();
    if (free) return free.subarray(0, length);
    if (this.#ownedBytes + size > this.#mostBytes) this.#drop(this.#ownedBytes + size - this.#mostBytes);
    if (this.#ownedBytes + size > this.#mostBytes) return undefined;
    this.#ownedBytes += size;
    return Buffer.allocUnsafeSlow(size).subarray(0, length);
  }

  give(buffer: Buffer): void {
    const whole = Buffer.from(buffer.buffer, 0, buffer.buffer.byteLength);
    const free = this.#free.get(whole.length);
    if (free) free.push(whole);
    else this.#free.set(whole.length, [whole]);
  }

  /** Gives waiting buffers of other sizes back to the system. */
  #drop(bytes: number): void {
    let left = bytes;
    for (const [size, free] of this.#free) {
      while (left > 0 && free.pop()) {
        this.#ownedBytes -= size;
        left -= size;
      }
    }
  }
}

function sizeFor(length: number): number {
  let size = SMALLEST;
  while (size < length) size *= 2;
  return size;
}
