import type { MatchColumns } from "../batch/matches.ts";
import { StateFault, StateReader, StateWriter } from "./state/bytes.ts";

/** Held events, the largest batch (a slot whose text was repaired) and what is left free at the ring's end. */
const RING_BYTES = 80 * 1024 * 1024;
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
  /** Pages that were never written cost nothing; memory that could be shared is not counted as something to collect garbage for. */
  readonly #ring: Buffer = Buffer.from(new SharedArrayBuffer(RING_BYTES));
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

  /** False once no event of this slot or an earlier one can be seen any more. */
  mayBeSeen(slot: number): boolean {
    return slot >= this.#added || this.#holds(slot);
  }

  profile(slot: number): number {
    return this.#columns.profiles[slot & this.#columns.mask]!;
  }

  /** The event's bytes, copied; undefined when they gave way to later ones. */
  bytes(slot: number): Uint8Array | undefined {
    if (!this.#holds(slot)) return undefined;
    const at = slot & this.#columns.mask;
    const start = this.#columns.positions[at]! % RING_BYTES;
    // From Buffer's pool: an array buffer of its own for each event would cost more than the copy.
    const copy = Buffer.allocUnsafe(this.#columns.lengths[at]!);
    this.#ring.copy(copy, 0, start, start + copy.length);
    return copy;
  }

  /**
   * The events that can still be seen, between batches: u32 how many, f64 slot of the next event, f64 bytes charged so far; columns of
   * their f64 numbers, u32 lengths and u32 profiles; then their bytes.
   */
  save(): { readonly events: number; readonly bytes: Uint8Array } {
    let first = this.#added;
    while (first > 0 && this.#holds(first - 1)) first--;
    const writer = new StateWriter(4096 + Math.min(this.#charged, HELD_BYTES) + (this.#added - first) * 14);
    const { mask, events, lengths, positions, profiles } = this.#columns;
    writer.u32(this.#added - first);
    writer.f64(this.#added);
    writer.f64(this.#charged);
    for (let slot = first; slot < this.#added; slot++) writer.f64(events[slot & mask]!);
    for (let slot = first; slot < this.#added; slot++) writer.u32(lengths[slot & mask]!);
    for (let slot = first; slot < this.#added; slot++) writer.u32(profiles[slot & mask]!);
    for (let slot = first; slot < this.#added; slot++) {
      const start = positions[slot & mask]! % RING_BYTES;
      writer.copy(this.#ring, start, start + lengths[slot & mask]!);
    }
    return { events: this.#added - first, bytes: writer.done() };
  }

  /** Throws `StateFault` where the bytes are none that `save` wrote. Nothing may have been added before. */
  restore(bytes: Uint8Array): void {
    const reader = new StateReader(bytes);
    const count = reader.u32();
    const added = reader.f64();
    const charged = reader.f64();
    if (!Number.isSafeInteger(added) || added < count || count > HELD_SLOTS || !(charged >= 0)) throw new StateFault("the state is damaged: it cannot hold so many events");
    const numbers = reader.view(count * 8);
    const lengths = reader.view(count * 4);
    const profiles = reader.view(count * 4);
    let size = 1024;
    while (size < SLOTS && size <= added) size *= 2;
    const fresh = columns(size);
    let total = 0;
    let left = charged;
    for (let i = count - 1; i >= 0; i--) {
      const at = (added - count + i) & fresh.mask;
      const length = lengths.readUInt32LE(i * 4);
      fresh.events[at] = numbers.readDoubleLE(i * 8);
      fresh.lengths[at] = length;
      fresh.profiles[at] = profiles.readUInt32LE(i * 4);
      fresh.charges[at] = left;
      left -= length + GAP;
      total += length;
    }
    const held = reader.view(total);
    if (!reader.isDone || total > HELD_BYTES) throw new StateFault("the state is damaged: events of other lengths than it says");
    held.copy(this.#ring);
    let position = 0;
    for (let slot = added - count; slot < added; slot++) {
      fresh.positions[slot & fresh.mask] = position;
      position += fresh.lengths[slot & fresh.mask]!;
    }
    this.#columns = fresh;
    this.#written = position;
    this.#added = added;
    this.#charged = charged;
    this.now = added;
  }

  #holds(slot: number): boolean {
    if (slot < 0 || slot >= this.now || slot + HELD_SLOTS < this.now || slot + this.#columns.mask < this.#added - 1) return false;
    return this.#fits(slot);
  }

  /** Is it among the latest bytes? */
  #fits(slot: number): boolean {
    const { charges, mask } = this.#columns;
    return charges[(this.now - 1) & mask]! - charges[slot & mask]! <= HELD_BYTES;
  }

  #note(position: number, length: number, event: number, profile: number): void {
    const { mask } = this.#columns;
    // Grown only while an event would be overwritten that can still be seen.
    if (this.#added > mask && mask + 1 < SLOTS && (this.#added - mask > this.now || this.#fits(this.#added - mask - 1))) this.#grow();
    const at = this.#added++ & this.#columns.mask;
    this.#charged += length + GAP;
    this.#columns.positions[at] = position;
    this.#columns.charges[at] = this.#charged;
    this.#columns.lengths[at] = length;
    this.#columns.events[at] = event;
    this.#columns.profiles[at] = profile;
  }

  /** Each event at its place in twice as many; `mask + 1` before the next one are known. */
  #grow(): void {
    const before = this.#columns;
    const size = before.mask + 1;
    const fresh = columns(size * 2);
    // The older ones end where the columns did, and the later ones begin where they do.
    const turn = this.#added & before.mask;
    for (const name of ["positions", "charges", "events", "lengths", "profiles"] as const) {
      fresh[name].set(before[name].subarray(turn), (this.#added - size) & fresh.mask);
      fresh[name].set(before[name].subarray(0, turn), (this.#added - turn) & fresh.mask);
    }
    this.#columns = fresh;
  }

  /** Copies a run of events, from slot `first` on, whose positions count from its start. */
  #write(bytes: Uint8Array, start: number, end: number, first: number): void {
    if (first === this.#added) return;
    const length = end - start;
    let at = this.#written % RING_BYTES;
    if (at + length > RING_BYTES) {
      this.#written += RING_BYTES - at;
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
  readonly profiles: Uint32Array;
}

function columns(size: number): Columns {
  return {
    mask: size - 1, positions: new Float64Array(size), charges: new Float64Array(size), events: new Float64Array(size),
    lengths: new Uint32Array(size), profiles: new Uint32Array(size),
  };
}
