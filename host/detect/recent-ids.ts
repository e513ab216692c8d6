import { StateFault, type StateReader, type StateWriter } from "./state/bytes.ts";

/** How long an id is remembered, in event time. */
export const ID_SPAN_MS = 600_000;
const WORDS = 3;
const FIRST_SLOTS = 256;
/** Slots in use, at most. */
const LOAD = 0.75;
/** A generation that none of so many events needed is given up when another begins. */
const IDLE_EVENTS = 1 << 18;
const GENERATION_CAP = 256;

/**
 * Ids of one span of event time: open addressing, a slot of three words each: lower and upper half of the id's hash, and its time within
 * the span in ms, plus one; 0 = free.
 */
interface Generation {
  readonly number: number;
  words: Uint32Array;
  count: number;
  /** Number of the event that needed it last. */
  touched: number;
}

/**
 * Which ids came within ten minutes of event time, by 64-bit hashes in generations that rotate: an id is looked for in its own generation,
 * the one before, and the one after, which an event that comes late may find there. Times are kept, so the ten minutes are exact.
 *
 * Of n ids remembered, a new one is taken for a repeat with probability n / 2^64: below 1e-11 for all that a gigabyte holds.
 * Memory is bounded: when it is short, the generation longest unused is given up, then ids are let go by unremembered. Either way
 * a repeat may pass; no event is lost by it.
 */
export class RecentIds {
  readonly #capBytes: number;
  readonly #generations = new Map<number, Generation>();
  #own: Generation | undefined;
  #before: Generation | undefined;
  #after: Generation | undefined;
  #events = 0;
  /** Ids that found no room, or had to give it up. */
  forgotten = 0;

  constructor(capBytes: number) {
    this.#capBytes = capBytes;
  }

  get bytes(): number {
    let sum = 0;
    for (const { words } of this.#generations.values()) sum += words.byteLength;
    return sum;
  }

  get ids(): number {
    let sum = 0;
    for (const { count } of this.#generations.values()) sum += count;
    return sum;
  }

  /** Was the id, by the two halves of its hash, remembered less than ten minutes from this time? If not it is from now on: a repeat does not prolong it. */
  isRepeat(low: number, high: number, timeMs: number): boolean {
    const number = Math.floor(timeMs / ID_SPAN_MS);
    if (!Number.isSafeInteger(number)) return false;
    if (this.#own?.number !== number) this.#turnTo(number);
    this.#events++;
    const own = this.#own!;
    const offset = timeMs - number * ID_SPAN_MS + 1;
    let at = slotOf(own.words, low, high);
    if (own.words[at + 2] !== 0) return true;
    if (this.#before && this.#before.words[slotOf(this.#before.words, low, high) + 2]! > offset) return true;
    if (this.#after) {
      const later = this.#after.words[slotOf(this.#after.words, low, high) + 2]!;
      if (later !== 0 && later < offset) return true;
    }
    if (WORDS * (own.count + 1) > own.words.length * LOAD) {
      if (!this.#grow(own)) {
        this.forgotten++;
        return false;
      }
      at = slotOf(own.words, low, high);
    }
    put(own, at, low, high, offset);
    return false;
  }

  /**
   * f64 events asked about, f64 ids forgotten, u32 generations; of each f64 number, f64 event that needed it last, u32 ids, and these as they
   * stand in the table, three u32 each.
   */
  save(writer: StateWriter): void {
    this.#touch();
    writer.f64(this.#events);
    writer.f64(this.forgotten);
    writer.u32(this.#generations.size);
    for (const { number, touched, words, count } of this.#generations.values()) {
      writer.f64(number);
      writer.f64(touched);
      writer.u32(count);
      const used = new Uint32Array(count * WORDS);
      // From a free slot on: put back in this order, each id finds its very slot again.
      let start = 0;
      while (words[start + 2] !== 0) start += WORDS;
      let to = 0;
      for (let i = 0; i < words.length; i += WORDS) {
        const at = (start + i) % words.length;
        if (words[at + 2] === 0) continue;
        for (let w = 0; w < WORDS; w++) used[to++] = words[at + w]!;
      }
      writer.copy(Buffer.from(used.buffer), 0, used.byteLength);
    }
  }

  /** Throws `StateFault` where the bytes are none that `save` wrote. Nothing may have been asked before. */
  restore(reader: StateReader): void {
    this.#events = reader.f64();
    this.forgotten = reader.f64();
    for (let left = reader.u32(); left > 0; left--) {
      const number = reader.f64();
      const touched = reader.f64();
      const count = reader.u32();
      const used = reader.view(count * WORDS * 4);
      if (!Number.isSafeInteger(number) || this.#generations.has(number)) throw new StateFault("the state is damaged: ids of no time");
      let slots = FIRST_SLOTS;
      while (count > slots * LOAD) slots *= 2;
      const generation: Generation = { number, words: new Uint32Array(slots * WORDS), count: 0, touched };
      for (let i = 0; i < used.length; i += WORDS * 4) {
        const [low, high, time] = [used.readUInt32LE(i), used.readUInt32LE(i + 4), used.readUInt32LE(i + 8)];
        if (time === 0 || time > ID_SPAN_MS) throw new StateFault("the state is damaged: an id of another time");
        put(generation, slotOf(generation.words, low, high), low, high, time);
      }
      this.#generations.set(number, generation);
    }
  }

  #turnTo(number: number): void {
    this.#touch();
    let own = this.#generations.get(number);
    if (!own) {
      this.#sweep();
      while (this.#generations.size >= GENERATION_CAP) this.#giveUp();
      own = { number, words: new Uint32Array(FIRST_SLOTS * WORDS), count: 0, touched: this.#events };
      this.#generations.set(number, own);
    }
    this.#own = own;
    this.#look();
  }

  #look(): void {
    this.#before = this.#generations.get(this.#own!.number - 1);
    this.#after = this.#generations.get(this.#own!.number + 1);
  }

  #touch(): void {
    for (const generation of [this.#own, this.#before, this.#after]) if (generation) generation.touched = this.#events;
  }

  /** Takes away what was not needed for long: nothing is lost by it as streams go. */
  #sweep(): void {
    for (const { number, touched } of this.#generations.values()) if (touched + IDLE_EVENTS < this.#events) this.#generations.delete(number);
  }

  /** Twice the room; false when there is none, even though every other generation was given up. */
  #grow(own: Generation): boolean {
    const { words } = own;
    if (words.byteLength * 2 > this.#capBytes) return false;
    this.#touch();
    if (this.bytes + words.byteLength > this.#capBytes) this.#sweep();
    while (this.bytes + words.byteLength > this.#capBytes) this.#giveUp();
    this.#look();
    own.words = new Uint32Array(words.length * 2);
    own.count = 0;
    for (let at = 0; at < words.length; at += WORDS) {
      if (words[at + 2] !== 0) put(own, slotOf(own.words, words[at]!, words[at + 1]!), words[at]!, words[at + 1]!, words[at + 2]!);
    }
    return true;
  }

  /** The generation longest unused goes, of equals the earliest; the one at hand stays. */
  #giveUp(): void {
    let least: Generation | undefined;
    for (const each of this.#generations.values()) {
      if (each === this.#own) continue;
      if (!least || each.touched < least.touched || (each.touched === least.touched && each.number < least.number)) least = each;
    }
    if (!least) throw new Error("no generation of ids to give up");
    this.forgotten += least.count;
    this.#generations.delete(least.number);
  }
}

/** Where the id stands, or the free slot where it belongs. */
function slotOf(words: Uint32Array, low: number, high: number): number {
  const mask = words.length / WORDS - 1;
  for (let slot = low & mask; ; slot = (slot + 1) & mask) {
    const at = slot * WORDS;
    if (words[at + 2] === 0 || (words[at] === low && words[at + 1] === high)) return at;
  }
}

function put(generation: Generation, at: number, low: number, high: number, time: number): void {
  const { words } = generation;
  words[at] = low;
  words[at + 1] = high;
  words[at + 2] = time;
  generation.count++;
}
