const RING_BYTES = 64 * 1024 * 1024;
const SLOTS = 1 << 20;

/**
 * The raw bytes of events that matched lately, so that a signal can show samples. Bounded: the oldest give way, in the
 * order of the stream, hence the same on every run. An event is known by its number here, counted from 0.
 */
export class RecentEvents {
  #ring: Uint8Array = new Uint8Array(1 << 20);
  #last: Uint8Array | undefined;
  #lastBuffer: Buffer = Buffer.alloc(0);
  #written = 0;
  #added = 0;
  #positions = new Float64Array(1024);
  #lengths = new Uint32Array(1024);
  #events = new Float64Array(1024);
  #profiles = new Uint16Array(1024);

  /** Copies an event in. `event` is its number in the whole stream, `profile` that of its input. */
  add(bytes: Uint8Array, start: number, length: number, event: number, profile: number): number {
    const slot = this.#added++;
    if (slot === this.#lengths.length && slot < SLOTS) this.#growSlots();
    const at = slot & (this.#lengths.length - 1);
    this.#positions[at] = length > RING_BYTES - 8 ? -1 : this.#write(bytes, start, length);
    this.#lengths[at] = length;
    this.#events[at] = event;
    this.#profiles[at] = profile;
    return slot;
  }

  /** Number of the event in the whole stream; -1 once its slot was taken by a later one. */
  eventNumber(slot: number): number {
    return this.#holds(slot) ? this.#events[slot & (this.#lengths.length - 1)]! : -1;
  }

  profile(slot: number): number {
    return this.#profiles[slot & (this.#lengths.length - 1)]!;
  }

  /** The event's bytes, copied; undefined when they gave way to later ones. */
  bytes(slot: number): Uint8Array | undefined {
    if (!this.#holds(slot)) return undefined;
    const at = slot & (this.#lengths.length - 1);
    const position = this.#positions[at]!;
    if (position < 0 || position + this.#ring.length < this.#written) return undefined;
    const start = position % this.#ring.length;
    // From Buffer's pool: an array buffer of its own for each event would cost more than the copy.
    const copy = Buffer.allocUnsafe(this.#lengths[at]!);
    copy.set(this.#ring.subarray(start, start + copy.length));
    return copy;
  }

  #holds(slot: number): boolean {
    return slot >= 0 && slot + this.#lengths.length >= this.#added;
  }

  #write(bytes: Uint8Array, start: number, length: number): number {
    // Grown while it is young: a small run never pays for the whole ring.
    while (this.#written + length + 8 > this.#ring.length && this.#ring.length < RING_BYTES) {
      const larger = new Uint8Array(this.#ring.length * 2);
      larger.set(this.#ring);
      this.#ring = larger;
    }
    // Aligned as the source is: copies out of shared memory are far slower otherwise.
    this.#written += (bytes.byteOffset + start - this.#written) & 7;
    let at = this.#written % this.#ring.length;
    if (at + length > this.#ring.length) {
      this.#written += this.#ring.length - at + ((bytes.byteOffset + start) & 7);
      at = this.#written % this.#ring.length;
    }
    // Buffer's copy is a plain memcpy also out of shared memory, where a typed array's goes byte by byte.
    this.#source(bytes).copy(this.#ring, at, start, start + length);
    const position = this.#written;
    this.#written += length;
    return position;
  }

  #source(bytes: Uint8Array): Buffer {
    if (this.#last !== bytes) {
      this.#last = bytes;
      this.#lastBuffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return this.#lastBuffer;
  }

  #growSlots(): void {
    const size = this.#lengths.length * 2;
    const positions = new Float64Array(size);
    positions.set(this.#positions);
    const lengths = new Uint32Array(size);
    lengths.set(this.#lengths);
    const events = new Float64Array(size);
    events.set(this.#events);
    const profiles = new Uint16Array(size);
    profiles.set(this.#profiles);
    this.#positions = positions;
    this.#lengths = lengths;
    this.#events = events;
    this.#profiles = profiles;
  }
}
