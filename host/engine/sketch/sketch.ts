import { SKETCH_BYTES } from "../../../assembly/layout.ts";
import type { Arena } from "../memory.ts";

/** The kernels of assembly/sketch and assembly/similarity, as this host calls them. Addresses and counts; hashes and seeds are 64 bits wide. */
export interface SketchKernel {
  sketchSeal(at: number): number;
  sketchCheck(at: number, length: number, kind: number): number;
  distinctBytes(precision: number): number;
  distinctStart(at: number, bytes: number, precision: number, seed: bigint): number;
  distinctGrow(at: number, bytes: number): number;
  distinctAdd(at: number, hashes: number, count: number): number;
  distinctMerge(at: number, other: number): number;
  distinctCount(at: number): number;
  quantileBytes(bins: number): number;
  quantileStart(at: number, alpha: number, bins: number, growing: number): number;
  quantileAdd(at: number, values: number, count: number): number;
  quantileMerge(at: number, other: number): number;
  quantileCount(at: number): number;
  quantileAt(at: number, q: number): number;
  quantileAtRank(at: number, rank: number): number;
  frequencyBytes(widthBits: number, depth: number): number;
  frequencyStart(at: number, widthBits: number, depth: number, conservative: number, seed: bigint): number;
  frequencyAdd(at: number, hashes: number, weights: number, count: number): void;
  frequencyOf(at: number, hashes: number, out: number, count: number): void;
  frequencyDecay(at: number): void;
  frequencyMerge(at: number, other: number): number;
  seenBytes(generations: number, blocks: number): number;
  seenStart(at: number, generations: number, blocks: number, capacity: number, spanMs: number, seed: bigint): number;
  seenAdd(at: number, ms: number, hashes: number, count: number, out: number): number;
  seenHas(at: number, ms: number, hashes: number, count: number, out: number): number;
  seenMerge(at: number, other: number): number;
  membersBytes(buckets: number): number;
  membersStart(at: number, buckets: number, seed: bigint): number;
  membersAdd(at: number, hashes: number, count: number): number;
  membersHas(at: number, hashes: number, count: number, out: number): number;
  membersRemove(at: number, hashes: number, count: number): number;
  membersMerge(at: number, other: number): number;
  distanceKm(latitude: number, longitude: number, otherLatitude: number, otherLongitude: number): number;
  distancesKm(pairs: number, count: number, out: number): void;
  words(struct: number, text: number, length: number): number;
  wordHashes(struct: number, text: number, length: number, out: number): number;
  hashSpans(struct: number, spans: number, count: number, out: number): void;
  tokenSet(hashes: number, count: number): number;
  common(a: number, aCount: number, b: number, bCount: number): number;
  jaccard(a: number, aCount: number, b: number, bCount: number): number;
  signatureBytes(length: number): number;
  signatureStart(at: number, length: number, seed: bigint): number;
  signature(at: number, tokens: number, count: number, out: number): void;
  signatureMerge(a: number, b: number, length: number): void;
  agreeing(a: number, b: number, length: number): number;
  bandKeys(values: number, bands: number, rows: number, out: number): void;
  historyBytes(itemCap: number, setCap: number, poolCap: number, tokenCap: number, bands: number, rows: number): number;
  historyStart(at: number, itemCap: number, setCap: number, poolCap: number, tokenCap: number, threshold: number, bands: number, rows: number, seed: bigint): number;
  historyAdd(at: number, ms: number, tokens: number, count: number): number;
  historyExpire(at: number, throughMs: number): number;
  historyCount(at: number, tokens: number, count: number, limit: number): number;
  historyPass(at: number, ms: number, throughMs: number, tokens: number, count: number, limit: number): number;
  historyMerge(at: number, other: number): number;
  historyItems(at: number): number;
}

const STAGE_ENTRIES = 4096;

/** Where sketches live: a kernel, its memory, and a stage through which values reach it. */
export class SketchRoom {
  readonly kernel: SketchKernel;
  readonly arena: Arena;
  /** u64 or f64 [stageEntries], then as many bytes or u32 for answers. */
  readonly stage: number;
  readonly answers: number;
  readonly stageEntries = STAGE_ENTRIES;

  constructor(kernel: SketchKernel, arena: Arena) {
    this.kernel = kernel;
    this.arena = arena;
    this.stage = arena.alloc(STAGE_ENTRIES * 8 + 128);
    this.answers = arena.alloc(STAGE_ENTRIES * 8 + 128);
  }

  /** Hands values to `use` by the stageful; stops where fewer are taken than were given. How many were taken. */
  feed(values: BigUint64Array | Float64Array, use: (address: number, count: number, from: number) => number): number {
    for (let from = 0; from < values.length; from += STAGE_ENTRIES) {
      const part = values.subarray(from, from + STAGE_ENTRIES);
      if (part instanceof Float64Array) this.arena.f64.set(part, this.stage >> 3);
      else this.arena.u64.set(part, this.stage >> 3);
      const taken = use(this.stage, part.length, from);
      if (taken < part.length) return from + taken;
    }
    return values.length;
  }

  /** A place for a sketch; throws where `bytes` is 0, as it is for a shape that cannot be. */
  place(bytes: number, what: string): number {
    if (bytes <= 0) throw new RangeError(`${what}: no such shape`);
    return this.arena.alloc(bytes);
  }

  /** Copies stored bytes in, if they are a sound sketch of this kind; `undefined` if not. */
  restore(bytes: Uint8Array, kind: number): number | undefined {
    const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 48 || head.getUint32(SKETCH_BYTES, true) !== bytes.length) return undefined;
    const at = this.arena.alloc(bytes.length);
    this.arena.u8.set(bytes, at);
    return this.kernel.sketchCheck(at, bytes.length, kind) ? at : undefined;
  }
}

/** What all sketches can do. */
export class Sketch {
  readonly room: SketchRoom;
  readonly at: number;

  constructor(room: SketchRoom, at: number) {
    this.room = room;
    this.at = at;
  }

  get sizeBytes(): number {
    return this.room.arena.u32[(this.at + SKETCH_BYTES) >>> 2]!;
  }

  /** The stored form: a sealed copy. */
  toBytes(): Uint8Array {
    const length = this.room.kernel.sketchSeal(this.at);
    return this.room.arena.u8.slice(this.at, this.at + length);
  }
}

/** Throws unless a kernel's start answered 1. */
export function started(answer: number, what: string): void {
  if (!answer) throw new RangeError(`${what}: no such shape`);
}
