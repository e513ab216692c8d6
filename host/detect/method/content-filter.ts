import type { MatchColumns } from "../../batch/matches.ts";
import type { StandingQuery } from "../../rule/standing.ts";
import type { MethodCounts } from "./method.ts";

/** Is a value unlike what its group has seen? Every value asked about is history from then on. */
export interface ContentJudge {
  /** @param texts of each field that is looked at. */
  isOdd(queryIndex: number, groupKey: string, timeMs: number, texts: ReadonlyArray<readonly string[]>): boolean;
  counts(): MethodCounts;
  save(): Uint8Array;
  /** Why not, where the bytes do not fit. */
  restore(bytes: Uint8Array): string | undefined;
}

/** Takes records out of a batch whose content is like what came before: what is left is counted like any other. */
export class ContentFilter {
  readonly #judges: ReadonlyArray<ContentJudge | undefined>;
  readonly #standing: readonly StandingQuery[];
  readonly #latenessMs: number;
  readonly isIdle: boolean;
  lateDropped = 0;

  /** @param judges by number of the rule. */
  constructor(judges: ReadonlyArray<ContentJudge | undefined>, standing: readonly StandingQuery[], latenessMs: number) {
    this.#judges = judges;
    this.#standing = standing;
    this.#latenessMs = latenessMs;
    this.isIdle = !judges.some((judge) => judge !== undefined);
  }

  /** The batch's standing queries, those of records that are not to be counted replaced by none's. */
  judged(batch: MatchColumns, streamHighMs: number): Uint32Array {
    const standing = batch.standing.slice(0, batch.count);
    const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
    const none = this.#standing.length;
    for (let i = 0; i < batch.count; i++) {
      const query = this.#standing[standing[i]!]!;
      const judge = this.#judges[query.ruleIndex];
      if (!judge) continue;
      const isLate = batch.timeMs[i]! < Math.max(streamHighMs, batch.highMs[i]!) - this.#latenessMs;
      if (isLate) this.lateDropped++;
      const start = batch.keyStart[i]!;
      const key = bytes.toString("latin1", start, start + batch.keyLength[i]!);
      if (isLate || !judge.isOdd(query.queryIndex, key, batch.timeMs[i]!, textsOf(bytes, batch.value[i]!, query.distinct.length))) standing[i] = none;
    }
    return standing;
  }

  judge(ruleIndex: number): ContentJudge | undefined {
    return this.#judges[ruleIndex];
  }

  counts(): MethodCounts {
    const sum = { groups: 0, stateBytes: 0, lateDropped: this.lateDropped, evicted: 0 };
    for (const judge of this.#judges) {
      const counts = judge?.counts();
      if (!counts) continue;
      sum.groups += counts.groups;
      sum.stateBytes += counts.stateBytes;
      sum.lateDropped += counts.lateDropped;
      sum.evicted += counts.evicted;
    }
    return sum;
  }
}

/** Texts of each field, from the list the record points to. */
export function textsOf(bytes: Buffer, place: bigint, fields: number): string[][] {
  let at = Number(place & 0xffffffffn);
  return Array.from({ length: fields }, () => {
    const texts: string[] = [];
    let left = bytes.readUInt32LE(at);
    at += 4;
    for (; left > 0; left--) {
      const length = bytes.readUInt32LE(at);
      texts.push(bytes.toString("utf8", at + 4, at + 4 + length));
      at += 4 + length;
    }
    return texts;
  });
}
