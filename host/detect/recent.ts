const RING_BYTES = 64 * 1024 * 1024;

/**
 * The raw bytes of events that matched lately, so that a signal can show samples. Bounded: the oldest bytes give way, in
 * the order of the stream, hence the same on every run.
 */
export class RecentEvents {
  #ring: Uint8Array = new Uint8Array(1 << 20);
  #written = 0;

  /** Copies an event in; answers its position. */
  add(bytes: Uint8Array, start: number, length: number): number {
    if (length > RING_BYTES) return -1;
    // Grown while it is young: a small run never pays for the whole ring.
    while (this.#written + length > this.#ring.length && this.#ring.length < RING_BYTES) {
      const larger = new Uint8Array(this.#ring.length * 2);
      larger.set(this.#ring);
      this.#ring = larger;
    }
    let at = this.#written % this.#ring.length;
    if (at + length > this.#ring.length) {
      this.#written += this.#ring.length - at;
      at = 0;
    }
    this.#ring.set(bytes.subarray(start, start + length), at);
    const position = this.#written;
    this.#written += length;
    return position;
  }

  /** The event's bytes, undefined when they gave way to later ones. */
  get(position: number, length: number): Uint8Array | undefined {
    if (position < 0 || position + this.#ring.length < this.#written) return undefined;
    const at = position % this.#ring.length;
    return this.#ring.slice(at, at + length);
  }
}
