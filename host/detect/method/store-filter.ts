import type { ByteReader, ByteWriter } from "./store-bytes.ts";

const DAY_MS = 86_400_000;
const PROBES = 16;
const BITS_PER_SIGHTING = 32;
const FIRST_SIGHTINGS = 2048;

interface Segment {
  readonly words: Uint32Array;
  readonly capacity: number;
  sightings: number;
  /** Of all bits, how many are set. */
  set: number;
}
interface Generation {
  readonly day: number;
  readonly segments: Segment[];
}

/**
 * Which keys were seen on which day, in Bloom filters: a sighting takes four bytes of a full one, none is ever lost, and a key
 * never seen is taken for seen about three times in ten million and full filter. Those of a day double in size as they fill.
 */
export class DayFilters {
  sightings = 0;
  readonly #budget: number;
  /** By day. */
  #generations: Generation[] = [];

  /** Beyond the budget the last filter of a day takes more than it was made for, and is wrong more often. */
  constructor(budgetBytes: number) {
    this.#budget = budgetBytes;
  }

  get isEmpty(): boolean {
    return this.#generations.length === 0;
  }

  get bytes(): number {
    return this.#generations.reduce((sum, each) => sum + bytesOf(each.segments), 0);
  }

  /** Chance that a key never seen is taken for seen, over all filters. */
  get falsePositiveRate(): number {
    const right = this.#generations.flatMap((each) => each.segments).reduce((chance, each) => chance * (1 - (each.set / (each.words.length * 32)) ** PROBES), 1);
    return 1 - right;
  }

  /** Was it seen on a day of `sinceMs` or later? Up to a day more is remembered than asked for, never less. */
  has(lo: number, hi: number, sinceMs: number): boolean {
    const since = Math.floor(sinceMs / DAY_MS);
    return this.#generations.some((each) => each.day >= since && each.segments.some((segment) => holds(segment, lo, hi)));
  }

  add(lo: number, hi: number, timeMs: number): void {
    const segments = this.#segmentsOf(Math.floor(timeMs / DAY_MS));
    if (segments.some((segment) => holds(segment, lo, hi))) return;
    let last = segments.at(-1)!;
    if (last.sightings >= last.capacity && this.bytes + last.words.length * 8 <= this.#budget) {
      last = segmentFor(last.capacity * 2);
      segments.push(last);
    }
    put(last, lo, hi);
    this.sightings++;
  }

  /** Days before this time are not asked about any more. */
  forget(beforeMs: number): void {
    const before = Math.floor(beforeMs / DAY_MS);
    if (!this.#generations.some((each) => each.day < before)) return;
    this.#generations = this.#generations.filter((each) => each.day >= before);
    this.sightings = this.#generations.flatMap((each) => each.segments).reduce((sum, each) => sum + each.sightings, 0);
  }

  save(writer: ByteWriter): void {
    writer.u32(this.#generations.length);
    for (const { day, segments } of this.#generations) {
      writer.f64(day);
      writer.u32(segments.length);
      for (const { words, sightings, set } of segments) {
        writer.u32(sightings);
        writer.u32(set);
        writer.column(words);
      }
    }
  }

  restore(reader: ByteReader): boolean {
    const generations: Generation[] = [];
    for (let left = reader.u32(); left > 0 && reader.isWhole; left--) {
      const day = reader.f64();
      const segments: Segment[] = [];
      for (let more = reader.u32(); more > 0 && reader.isWhole; more--) {
        const sightings = reader.u32();
        const set = reader.u32();
        const words = reader.u32s();
        // Probes run around a power of two.
        if (words.length === 0 || (words.length & (words.length - 1)) !== 0) return false;
        segments.push({ words, capacity: words.length, sightings, set });
      }
      if (!segments.length) return false;
      generations.push({ day, segments });
    }
    if (!reader.isWhole) return false;
    this.#generations = generations;
    this.sightings = generations.flatMap((each) => each.segments).reduce((sum, each) => sum + each.sightings, 0);
    return true;
  }

  #segmentsOf(day: number): Segment[] {
    const last = this.#generations.at(-1);
    if (last?.day === day) return last.segments;
    const found = this.#generations.find((each) => each.day === day);
    if (found) return found.segments;
    const segments = [segmentFor(FIRST_SIGHTINGS)];
    this.#generations = [...this.#generations, { day, segments }].toSorted((a, b) => a.day - b.day);
    return segments;
  }
}

function segmentFor(capacity: number): Segment {
  return { words: new Uint32Array((capacity * BITS_PER_SIGHTING) / 32), capacity, sightings: 0, set: 0 };
}

function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, each) => sum + each.words.length * 4, 0);
}

function holds({ words }: Segment, lo: number, hi: number): boolean {
  const mask = words.length * 32 - 1;
  // Odd, so that the probes of one key are all different.
  const step = hi | 1;
  for (let i = 0, bit = lo; i < PROBES; i++, bit = (bit + step) | 0) {
    const at = (bit & mask) >>> 0;
    if ((words[at >>> 5]! & (1 << (at & 31))) === 0) return false;
  }
  return true;
}

function put(segment: Segment, lo: number, hi: number): void {
  const { words } = segment;
  const mask = words.length * 32 - 1;
  const step = hi | 1;
  for (let i = 0, bit = lo; i < PROBES; i++, bit = (bit + step) | 0) {
    const at = (bit & mask) >>> 0;
    const one = 1 << (at & 31);
    if ((words[at >>> 5]! & one) !== 0) continue;
    words[at >>> 5]! |= one;
    segment.set++;
  }
  segment.sightings++;
}
