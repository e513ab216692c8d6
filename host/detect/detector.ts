import type { MatchColumns } from "../batch/matches.ts";
import type { Rule } from "../rule/rule.ts";
import type { StandingQuery } from "../rule/standing.ts";
import type { CaseHit, EventRef } from "./hit.ts";
import { RecentEvents } from "./recent.ts";
import { ThresholdDetector } from "./threshold.ts";

export interface DetectorOptions {
  /** Events further behind the highest time seen are not analysed, and counted. */
  readonly allowedLatenessMs: number;
}

const decoder = new TextDecoder();

/** Matches in, case hits out: every rule's detector, fed in the order of the stream. */
export class Detector {
  readonly recent = new RecentEvents();
  /** Matches that came too late to be judged. */
  lateDropped = 0;
  readonly #detectors: ReadonlyArray<ThresholdDetector | undefined>;
  readonly #standing: readonly StandingQuery[];
  readonly #latenessMs: number;
  #highMs = Number.NEGATIVE_INFINITY;

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
  apply(batch: MatchColumns, firstEvent: number, profile: number): CaseHit[] {
    const hits: CaseHit[] = [];
    let ref: EventRef | undefined;
    for (let i = 0; i < batch.count; i++) {
      const timeMs = batch.timeMs[i]!;
      const highMs = Math.max(this.#highMs, batch.highMs[i]!);
      if (timeMs < highMs - this.#latenessMs) {
        this.lateDropped++;
        continue;
      }
      const event = firstEvent + batch.row[i]!;
      if (ref?.event !== event) {
        const start = batch.eventStart[i]!;
        const length = batch.eventLength[i]!;
        ref = { position: this.recent.add(batch.bytes, start, length), length, event, timeMs, profile };
      }
      const standing = this.#standing[batch.standing[i]!]!;
      const keyStart = batch.keyStart[i]!;
      const keyEnd = keyStart + batch.keyLength[i]!;
      const key = keyText(batch.bytes, keyStart, keyEnd);
      this.#detectors[standing.ruleIndex]!.apply(standing.queryIndex, key, () => keyValues(batch.bytes, keyStart, keyEnd), ref, batch.value[i]!, highMs, hits);
    }
    if (batch.batchHighMs > this.#highMs) this.#highMs = batch.batchHighMs;
    return hits;
  }
}

/** The key's bytes as a text to look groups up by: lengths and values together, so that tuples cannot run into each other. */
function keyText(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

function keyValues(bytes: Uint8Array, start: number, end: number): string[] {
  const values: string[] = [];
  const key = bytes.slice(start, end);
  const view = new DataView(key.buffer);
  let at = 0;
  while (at < key.length) {
    const length = view.getUint32(at, true);
    values.push(decoder.decode(key.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return values;
}
