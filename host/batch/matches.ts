import type { ResultArea } from "../engine/task.ts";

/**
 * The matches of one task in (row, standing query) order, as structure of arrays over an instance's memory.
 * Valid until the slot is released.
 */
export interface MatchColumns {
  readonly count: number;
  /** Event time, whole ms. */
  readonly timeMs: Float64Array;
  /** Highest event time of all events up to and including this one. */
  readonly highMs: Float64Array;
  readonly standing: Uint32Array;
  readonly row: Uint32Array;
  readonly keyHash: BigUint64Array;
  /** Hash of the distinct tuple, or the bits of the metric; all ones when there is none. */
  readonly value: BigUint64Array;
  /** Group values: for each a little-endian u32 length and its UTF-8 bytes. */
  readonly keyStart: Uint32Array;
  readonly keyLength: Uint32Array;
  readonly eventStart: Uint32Array;
  readonly eventLength: Uint32Array;
  /** Hash of the event's own id, its lower and its upper half; both 0 where it has none, or nobody asked for it. */
  readonly id: Uint32Array;
  /** The memory the starts point into. */
  readonly bytes: Uint8Array;
  /** Highest event time at the end of the task. */
  readonly batchHighMs: number;
}

/** Views over the result arrays; nothing is copied. */
export function matchColumns(memory: WebAssemblyMemory, area: ResultArea, count: number, batchHighMs: number): MatchColumns {
  const buffer = memory.buffer;
  return {
    count,
    timeMs: new Float64Array(buffer, area.time, count),
    highMs: new Float64Array(buffer, area.high, count),
    standing: new Uint32Array(buffer, area.standing, count),
    row: new Uint32Array(buffer, area.row, count),
    keyHash: new BigUint64Array(buffer, area.keyHash, count),
    value: new BigUint64Array(buffer, area.value, count),
    keyStart: new Uint32Array(buffer, area.keyStart, count),
    keyLength: new Uint32Array(buffer, area.keyLength, count),
    eventStart: new Uint32Array(buffer, area.eventStart, count),
    eventLength: new Uint32Array(buffer, area.eventLength, count),
    id: new Uint32Array(buffer, area.id, count * 2),
    bytes: new Uint8Array(buffer),
    batchHighMs,
  };
}

/** Some of the matches, by their numbers, ascending: copied, but for the bytes. */
export function pickMatches(matches: MatchColumns, numbers: Uint32Array): MatchColumns {
  const count = numbers.length;
  return {
    ...matches, count,
    timeMs: picked(matches.timeMs, numbers, new Float64Array(count)), highMs: picked(matches.highMs, numbers, new Float64Array(count)),
    standing: picked(matches.standing, numbers, new Uint32Array(count)), row: picked(matches.row, numbers, new Uint32Array(count)),
    keyHash: picked(matches.keyHash, numbers, new BigUint64Array(count)), value: picked(matches.value, numbers, new BigUint64Array(count)),
    keyStart: picked(matches.keyStart, numbers, new Uint32Array(count)), keyLength: picked(matches.keyLength, numbers, new Uint32Array(count)),
    eventStart: picked(matches.eventStart, numbers, new Uint32Array(count)), eventLength: picked(matches.eventLength, numbers, new Uint32Array(count)),
    id: Uint32Array.from({ length: count * 2 }, (_, i) => matches.id[numbers[i >> 1]! * 2 + (i & 1)]!),
  };
}

function picked<T extends Float64Array | Uint32Array | BigUint64Array>(from: T, numbers: Uint32Array, to: T): T {
  for (let i = 0; i < numbers.length; i++) to[i] = from[numbers[i]!]!;
  return to;
}

/** What this room needs of a memory: only its bytes. */
export interface WebAssemblyMemory {
  readonly buffer: ArrayBufferLike;
}
