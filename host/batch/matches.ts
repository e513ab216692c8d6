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
    bytes: new Uint8Array(buffer),
    batchHighMs,
  };
}

/** What this room needs of a memory: only its bytes. */
export interface WebAssemblyMemory {
  readonly buffer: ArrayBufferLike;
}
