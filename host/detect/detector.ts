import type { MatchColumns } from "../batch/matches.ts";
import type { Rule } from "../rule/rule.ts";
import type { StandingQuery } from "../rule/standing.ts";
import type { CaseHit } from "./hit.ts";
import { RecentEvents } from "./recent.ts";
import { type Match, ThresholdDetector } from "./threshold.ts";

export interface DetectorOptions {
  /** Events further behind the highest time seen are not analysed, and counted. */
  readonly allowedLatenessMs: number;
}

const HIGH_BITS = 0x1fffff;
const TWO_32 = 4294967296;

/** Matches in, case hits out: every rule's detector, fed in the order of the stream. */
export class Detector {
  readonly recent = new RecentEvents();
  /** Matches that came too late to be judged. */
  lateDropped = 0;
  readonly #detectors: ReadonlyArray<ThresholdDetector | undefined>;
  readonly #standing: readonly StandingQuery[];
  readonly #latenessMs: number;
  /** Highest event time of each partition. */
  readonly #highs = new Map<string, number>();

  constructor(rules: readonly Rule[], standing: readonly StandingQuery[], options: DetectorOptions) {
    this.#standing = standing;
    this.#latenessMs = options.allowedLatenessMs;
    const live = new Set(standing.map((query) => query.ruleIndex));
    this.#detectors = rules.map((rule, i) => (live.has(i) ? new ThresholdDetector(rule, i, options.allowedLatenessMs) : undefined));
  }

  /** Groups whose state is held now, all rules together. */
  get groupCount(): number {
    return this.#detectors.reduce((sum, detector) => sum + (detector?.groupCount ?? 0), 0);
  }

  /**
   * @param firstEvent number of the batch's first event in the whole stream.
   * @returns hits in the order in which their events came.
   */
  apply(batch: MatchColumns, firstEvent: number, profile: number, partition = ""): CaseHit[] {
    const hits: CaseHit[] = [];
    const highMs = this.#highs.get(partition) ?? Number.NEGATIVE_INFINITY;
    // 64-bit columns as halves: reading them as BigInt would make an object of each.
    const hashes = new Uint32Array(batch.keyHash.buffer, batch.keyHash.byteOffset, batch.count * 2);
    const values = new Uint32Array(batch.value.buffer, batch.value.byteOffset, batch.count * 2);
    const metrics = new Float64Array(batch.value.buffer, batch.value.byteOffset, batch.count);
    const match: Match = { queryIndex: 0, timeMs: 0, highMs: 0, slot: -1, value: Number.NaN };
    let lastRow = -1;
    for (let i = 0; i < batch.count; i++) {
      match.timeMs = batch.timeMs[i]!;
      match.highMs = Math.max(highMs, batch.highMs[i]!);
      if (match.timeMs < match.highMs - this.#latenessMs) {
        this.lateDropped++;
        continue;
      }
      const row = batch.row[i]!;
      if (row !== lastRow) {
        match.slot = this.recent.add(batch.bytes, batch.eventStart[i]!, batch.eventLength[i]!, firstEvent + row, profile);
        lastRow = row;
      }
      const standing = this.#standing[batch.standing[i]!]!;
      match.queryIndex = standing.queryIndex;
      if (standing.aggregation !== "count") {
        const low = values[i * 2]!;
        const high = values[i * 2 + 1]!;
        const isAbsent = low === 0xffffffff && high === 0xffffffff;
        match.value = isAbsent ? Number.NaN : standing.aggregation === "cardinality" ? (high & HIGH_BITS) * TWO_32 + low : metrics[i]!;
      }
      const keyStart = batch.keyStart[i]!;
      const keyHash = (hashes[i * 2 + 1]! & HIGH_BITS) * TWO_32 + hashes[i * 2]!;
      this.#detectors[standing.ruleIndex]!.apply(match, keyHash, batch.bytes, keyStart, keyStart + batch.keyLength[i]!, hits);
    }
    if (batch.batchHighMs > highMs) this.#highs.set(partition, batch.batchHighMs);
    return hits;
  }
}
