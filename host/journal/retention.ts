import { comparePositions, type JournalPosition } from "./contract.ts";
import type { SegmentIndex } from "./segment-index.ts";

export interface RetentionLimits {
  /** A segment goes when its newest entry arrived longer ago than this. Default: none goes by age. */
  readonly maxAgeMs?: number;
  /** The oldest segments go while all of them together are larger than this. Default: none goes by size. */
  readonly maxBytes?: number;
}

/** Which segments may go. Whole ones only, oldest first, never the one that grows, nothing a keeper still needs. */
export class Retention {
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  readonly #keepers = new Map<string, JournalPosition>();

  constructor(limits: RetentionLimits) {
    this.maxAgeMs = limits.maxAgeMs ?? Infinity;
    this.maxBytes = limits.maxBytes ?? Infinity;
  }

  keepFrom(keeper: string, position: JournalPosition | undefined): void {
    if (position) this.#keepers.set(keeper, position);
    else this.#keepers.delete(keeper);
  }

  isOld(index: SegmentIndex, nowMs: number): boolean {
    return nowMs - index.lastArrivalMs > this.maxAgeMs;
  }

  /** @param segments ascending; the last one is the one that grows. */
  removable(segments: readonly SegmentIndex[], nowMs: number): SegmentIndex[] {
    let total = segments.reduce((sum, index) => sum + index.bytes, 0);
    const out: SegmentIndex[] = [];
    for (const index of segments.slice(0, -1)) {
      const empty = index.nextEntry === 0;
      if (!empty && total <= this.maxBytes && !this.isOld(index, nowMs)) break;
      // A keeper at the very end of a segment needs nothing of it.
      if (!empty && [...this.#keepers.values()].some((from) => comparePositions(from, { segment: index.segment, entry: index.nextEntry }) < 0)) break;
      out.push(index);
      total -= index.bytes;
    }
    return out;
  }
}
