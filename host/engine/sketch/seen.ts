import { KIND_OF_SEEN, SEEN_OVER } from "../../../assembly/layout.ts";
import { Sketch, started, type SketchRoom } from "./sketch.ts";

const WORD_BITS = 64;
const BLOCK_WORDS = 8;

/** Chance that one generation takes a value for known that it never saw, with `load` values to a block on average. */
export function falseKnownRate(load: number): number {
  let poisson = Math.exp(-load);
  let rate = 0;
  for (let i = 1; i < load + 20 * Math.sqrt(load) + 40; i++) {
    poisson *= load / i;
    rate += poisson * (1 - (1 - 1 / WORD_BITS) ** i) ** BLOCK_WORDS;
  }
  return rate;
}

/** Fewest blocks with which `capacity` values stay below the rate. */
export function blocksFor(capacity: number, rate: number): number {
  let low = 0;
  let high = 64;
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (falseKnownRate(middle) <= rate) low = middle;
    else high = middle;
  }
  return Math.max(1, Math.ceil(capacity / low));
}

/** Which hashes came before, within a span of time: Bloom filters in generations. May take a new one for known, never the other way round. */
export class Seen extends Sketch {
  /**
   * @param spanMs how long a value is remembered at least; `generations` of spanMs / (generations - 1) each
   * @param capacity values that may come within one generation
   * @param falseRate chance that a new value is taken for known, over all generations
   */
  static start(
    room: SketchRoom,
    options: { readonly spanMs: number; readonly generations?: number; readonly capacity: number; readonly falseRate: number; readonly seed?: bigint },
  ): Seen {
    const generations = options.generations ?? 4;
    const blocks = blocksFor(options.capacity, options.falseRate / generations);
    const fits = generations >= 2 && generations * blocks < 1 << 25;
    const at = room.place(fits ? room.kernel.seenBytes(generations, blocks) : 0, "seen");
    started(room.kernel.seenStart(at, generations, blocks, options.capacity, options.spanMs / (generations - 1), options.seed ?? 0n), "seen");
    return new Seen(room, at);
  }

  static fromBytes(room: SketchRoom, bytes: Uint8Array): Seen | undefined {
    const at = room.restore(bytes, KIND_OF_SEEN);
    return at === undefined ? undefined : new Seen(room, at);
  }

  /** Values put in beyond the capacity of their generation: above 0 the false rate is no longer held. */
  get over(): number {
    return this.room.arena.u32[(this.at + SEEN_OVER) >> 2]!;
  }

  /** Puts in those that are not known; a byte each, 1 = was new. */
  add(ms: number, hashes: BigUint64Array): Uint8Array {
    return this.#ask(hashes, (address, count, out) => this.room.kernel.seenAdd(this.at, ms, address, count, out));
  }

  /** A byte each, 1 = known. */
  has(ms: number, hashes: BigUint64Array): Uint8Array {
    return this.#ask(hashes, (address, count, out) => this.room.kernel.seenHas(this.at, ms, address, count, out));
  }

  merge(other: Seen): boolean {
    return this.room.kernel.seenMerge(this.at, other.at) === 1;
  }

  #ask(hashes: BigUint64Array, use: (address: number, count: number, out: number) => void): Uint8Array {
    const { room } = this;
    const out = new Uint8Array(hashes.length);
    room.feed(hashes, (address, count, from) => {
      use(address, count, room.answers);
      out.set(room.arena.u8.subarray(room.answers, room.answers + count), from);
      return count;
    });
    return out;
  }
}
