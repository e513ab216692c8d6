import type { MatchColumns } from "../batch/matches.ts";

const RING_BYTES = 96 * 1024 * 1024;
/** Events give way by the bytes of those after them, gaps charged: so much less than the ring that batches and its end never matter. */
const HELD_BYTES = 72 * 1024 * 1024;
const SLOTS = 1 << 20;
const HELD_SLOTS = SLOTS - (1 << 16);
/** Charged for each event beside its bytes; what lies between two events of one copy is at most this. */
const GAP = 16;
const RUN_BYTES = 256 * 1024;

/**
 * The raw bytes of events that matched lately, so that a signal can show samples. Bounded: the oldest give way, in the
 * order of the stream and however it was cut, hence the same on every run. An event is known by its slot, counted from 0.
 */
export class RecentEvents {
  /** Slots before this one are there to be seen; the batch at hand holds more. */
  now = 0;
  #ring: Buffer = Buffer.alloc(1 << 20);
  #written = 0;
  #added = 0;
  #charged = 0;
  #source: ArrayBufferLike | undefined;
  #sourceBytes: Buffer = Buffer.alloc(0);
  #columns = columns(1024);

  /** Number of events added so far: the slot of the next one. */
  get count(): number {
    return this.#added;
  }

  /** Copies the batch's events in, one slot for each row; `firstEvent` is the number of the batch's first event in the whole stream. */
  addBatch(batch: MatchColumns, firstEvent: number, profile: number): void {
    const { row, eventStart, eventLength, count } = batch;
    let runFirst = this.#added;
    let runStart = 0;
    let runEnd = 0;
    let lastRow = -1;
    for (let i = 0; i < count; i++) {
      if (row[i] === lastRow) continue;
      lastRow = row[i]!;
      const start = eventStart[i]!;
      const end = start + eventLength[i]!;
      // Neighbours are copied together: a call costs more than their bytes.
      if (start < runEnd || start - runEnd > GAP || end - runStart > RUN_BYTES) {
        this.#write(batch.bytes, runStart, runEnd, runFirst);
        runFirst = this.#added;
        runStart = start;
      }
      runEnd = end;
      this.#note(start - runStart, end - start, firstEvent + lastRow, profile);
    }
    this.#write(batch.bytes, runStart, runEnd, runFirst);
  }

  /** Number of the event in the whole stream; -1 once it gave way to later ones. */
  eventNumber(slot: number): number {
    return this.#holds(slot) ? this.#columns.events[slot & this.#columns.mask]! : -1;
  }

  profile(slot: number): number {
    return this.#columns.profiles[slot & this.#columns.mask]!;
  }

  /** The event's bytes, copied; undefined when they gave way to later ones. */
  bytes(slot: number): Uint8Array | undefined {
    if (!this.#holds(slot)) return undefined;
    const at = slot & this.#columns.mask;
    const start = this.#columns.positions[at]! % this.#ring.length;
    // From Buffer's pool: an array buffer of its own for each event would cost more than the copy.
    const copy = Buffer.allocUnsafe(this.#columns.lengths[at]!);
    this.#ring.copy(copy, 0, start, start + copy.length);
    return copy;
  }

  #holds(slot: number): boolean {
    if (slot < 0 || slot >= this.now || slot + HELD_SLOTS < this.now) return false;
    const { charges, mask } = this.#columns;
    return charges[(this.now - 1) & mask]! - charges[slot & mask]! <= HELD_BYTES;
  }

  #note(position: number, length: number, event: number, profile: number): void {
    if (this.#added > this.#columns.mask && this.#columns.mask + 1 < SLOTS) this.#columns = columns((this.#columns.mask + 1) * 2, this.#columns);
    const at = this.#added++ & this.#columns.mask;
    this.#charged += length + GAP;
    this.#columns.positions[at] = position;
    this.#columns.charges[at] = this.#charged;
    this.#columns.lengths[at] = length;
    this.#columns.events[at] = event;
    this.#columns.profiles[at] = profile;
  }

  /** Copies a run of events, from slot `first` on, whose positions count from its start. */
  #write(bytes: Uint8Array, start: number, end: number, first: number): void {
    if (first === this.#added) return;
    const length = end - start;
    // Grown while it is young: a small run never pays for the whole ring.
    while (this.#written + length > this.#ring.length && this.#ring.length < RING_BYTES) {
      const larger = Buffer.alloc(Math.min(RING_BYTES, this.#ring.length * 2));
      this.#ring.copy(larger);
      this.#ring = larger;
    }
    let at = this.#written % this.#ring.length;
    if (at + length > this.#ring.length) {
      this.#written += this.#ring.length - at;
      at = 0;
    }
    if (this.#source !== bytes.buffer) {
      this.#source = bytes.buffer;
      this.#sourceBytes = Buffer.from(bytes.buffer);
    }
    // Buffer's copy is a plain memcpy also out of shared memory, where a typed array's goes byte by byte.
    this.#sourceBytes.copy(this.#ring, at, bytes.byteOffset + start, bytes.byteOffset + end);
    const { positions, mask } = this.#columns;
    for (let slot = first; slot < this.#added; slot++) positions[slot & mask]! += this.#written;
    this.#written += length;
  }
}

interface Columns {
  readonly mask: number;
  /** Where the bytes begin, of all ever written. */
  readonly positions: Float64Array;
  /** Bytes charged up to the event's end. */
  readonly charges: Float64Array;
  readonly events: Float64Array;
  readonly lengths: Uint32Array;
  readonly profiles: Uint16Array;
}

function columns(size: number, before?: Columns): Columns {
  const fresh: Columns = {
    mask: size - 1, positions: new Float64Array(size), charges: new Float64Array(size), events: new Float64Array(size),
    lengths: new Uint32Array(size), profiles: new Uint16Array(size),
  };
  if (before) for (const name of ["positions", "charges", "events", "lengths", "profiles"] as const) fresh[name].set(before[name]);
  return fresh;
}
