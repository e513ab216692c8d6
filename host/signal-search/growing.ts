/** Numbers below 2^32 in a row that grows, in as few bytes each as its greatest needs. */
export class Codes {
  #items: Uint8Array | Uint16Array | Uint32Array = new Uint8Array(16);
  #length = 0;
  #most = 255;

  get length(): number {
    return this.#length;
  }

  /** All items and room beyond; of use until the next `push`. */
  get items(): Uint8Array | Uint16Array | Uint32Array {
    return this.#items;
  }

  push(value: number): void {
    if (value > this.#most) this.#widen(value);
    if (this.#length === this.#items.length) this.#items = grown(this.#items, Math.max(16, this.#length * 2));
    this.#items[this.#length++] = value;
  }

  set(at: number, value: number): void {
    if (value > this.#most) this.#widen(value);
    this.#items[at] = value;
  }

  /** Zeros up to a length. */
  pad(length: number): void {
    if (length <= this.#length) return;
    if (length > this.#items.length) this.#items = grown(this.#items, Math.max(16, length, this.#items.length * 2));
    this.#length = length;
  }

  /** Gives back what was kept for growing. */
  trim(): void {
    this.#items = resized(this.#items, this.#length + (this.#length >>> 3) + 16);
  }

  get bytes(): number {
    return this.#items.byteLength;
  }

  #widen(value: number): void {
    const wider = value > 65_535 ? new Uint32Array(this.#items.length) : new Uint16Array(this.#items.length);
    wider.set(this.#items);
    this.#items = wider;
    this.#most = value > 65_535 ? 0xffff_ffff : 65_535;
  }
}

type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** The same numbers with room for `length`. */
export function grown<T extends Numbers>(items: T, length: number): T {
  const larger = new (items.constructor as new (length: number) => T)(length);
  larger.set(items as never);
  return larger;
}

/** The same numbers, as far as there is room for `length` of them. */
export function resized<T extends Numbers>(items: T, length: number): T {
  const other = new (items.constructor as new (length: number) => T)(length);
  other.set(items.subarray(0, length) as never);
  return other;
}
