import type { InputOptions } from "./input.ts";
import type { Pipeline } from "../event/pipeline/pipeline.ts";
import { TimedRecords } from "./input-time.ts";

/** Inputs that are read at once; more begin when others have ended. */
export const OPEN_CAP = 64;
/** How far one input may be ahead of another in event time, so that busy inputs are not cut to single events. */
const AHEAD_MS = 1000;
/** So many pieces may be as small as they come; after these a piece has a least size, so that a year of quiet logs costs no more than a busy hour. */
const FREE_PIECES = 2048;
const LEAST_BYTES = 32 * 1024;

/** Takes a piece of one input; resolves when there is room for the next. */
export type PieceTarget = (bytes: Uint8Array, input: InputOptions, name: string) => Promise<void>;

/** One input on its way into the merge: its reader puts records in, the merge takes them out. */
export class Lane {
  readonly name: string;
  /** Records being taken; undefined while the reader is about to bring more. */
  records: TimedRecords | undefined;
  ended = false;
  nextMs = Number.NEGATIVE_INFINITY;
  #taken: { resolve(): void; reject(error: unknown): void } | undefined;
  #come: (() => void) | undefined;

  readonly #pipelines: readonly Pipeline[];

  /** @param pipelines make the times that events are ordered by, where the records do not hold them. */
  constructor(name: string, pipelines: readonly Pipeline[] = []) {
    this.name = name;
    this.#pipelines = pipelines;
  }

  /** Resolves when the bytes were taken and may be used again. */
  put(bytes: Uint8Array, input: InputOptions): Promise<void> {
    if (!bytes.length) return Promise.resolve();
    this.records = new TimedRecords(bytes, input, this.#pipelines);
    this.#look();
    return new Promise((resolve, reject) => {
      this.#taken = { resolve, reject };
      this.#come?.();
    });
  }

  end(): void {
    this.ended = true;
    this.#come?.();
  }

  /** Resolves when records stand ready or the input has ended. */
  ready(): Promise<void> | undefined {
    if (this.records || this.ended) return undefined;
    return new Promise((resolve) => {
      this.#come = resolve;
    });
  }

  take(untilMs: number, leastBytes: number): { readonly bytes: Uint8Array; readonly input: InputOptions } {
    const records = this.records!;
    return { bytes: records.take(untilMs, leastBytes), input: records.input };
  }

  /** Called when the piece was handed on: frees the bytes when all were taken. */
  done(): void {
    if (this.records!.at < this.records!.bytes.length) return this.#look();
    this.records = undefined;
    this.#taken?.resolve();
    this.#taken = undefined;
  }

  fail(error: unknown): void {
    this.#taken?.reject(error);
  }

  #look(): void {
    // Where no line is readable its neighbours' time must do.
    this.nextMs = this.records!.timeAt(this.records!.at) ?? this.nextMs;
  }
}

/**
 * Inputs joined by event time: the next piece comes from the input whose next event is the earliest, and reaches about as
 * far as the next event of any other. What comes out depends on the inputs alone, as long as their records do not come in
 * other portions; ties go by the order of the lanes.
 */
export class Merge {
  readonly #open: Lane[] = [];
  readonly #waiting: Lane[];
  readonly #start: (lane: Lane) => void;
  readonly #onEnd: (lane: Lane) => void;
  #pieces = 0;
  #bytes = 0;
  #reachedMs = Number.NEGATIVE_INFINITY;
  /** Inputs that began after others had passed their time, because too many were open. */
  behind = 0;

  /** @param start begins to read an input; called when there is room for it. */
  constructor(lanes: readonly Lane[], start: (lane: Lane) => void, onEnd: (lane: Lane) => void = () => {}) {
    this.#waiting = [...lanes];
    this.#start = start;
    this.#onEnd = onEnd;
  }

  async run(target: PieceTarget): Promise<void> {
    try {
      for (let next = await this.#next(); next; next = await this.#next(next.lane, next.untilMs)) {
        const { lane, untilMs } = next;
        const piece = lane.take(untilMs, this.#pieces < FREE_PIECES + this.#bytes / LEAST_BYTES ? 0 : LEAST_BYTES);
        this.#pieces++;
        this.#bytes += piece.bytes.length;
        this.#reachedMs = Math.max(this.#reachedMs, lane.nextMs);
        await target(piece.bytes, piece.input, lane.name);
        lane.done();
      }
    } catch (error) {
      for (const lane of this.#open) lane.fail(error);
      throw error;
    }
  }

  /** @param before lane of the last piece, which goes on while it has not come as far as it may. */
  async #next(before?: Lane, beforeUntilMs = Number.NEGATIVE_INFINITY): Promise<{ readonly lane: Lane; readonly untilMs: number } | undefined> {
    await this.#fill();
    if (before && this.#open.includes(before) && before.nextMs <= beforeUntilMs) return { lane: before, untilMs: beforeUntilMs };
    let lane: Lane | undefined;
    let secondMs = Number.POSITIVE_INFINITY;
    for (const each of this.#open) {
      if (!lane) lane = each;
      else if (each.nextMs < lane.nextMs) {
        secondMs = lane.nextMs;
        lane = each;
      } else secondMs = Math.min(secondMs, each.nextMs);
    }
    return lane && { lane, untilMs: secondMs + AHEAD_MS };
  }

  /** Every open lane has records; those that have ended make room for others. */
  async #fill(): Promise<void> {
    for (;;) {
      while (this.#open.length < OPEN_CAP && this.#waiting.length) {
        const lane = this.#waiting.shift()!;
        this.#open.push(lane);
        this.#start(lane);
        await lane.ready();
        if (lane.records && lane.nextMs < this.#reachedMs - AHEAD_MS) this.behind++;
      }
      for (const lane of this.#open) await lane.ready();
      const ended = this.#open.filter((lane) => !lane.records);
      if (!ended.length) return;
      for (const lane of ended) {
        this.#open.splice(this.#open.indexOf(lane), 1);
        this.#onEnd(lane);
      }
    }
  }
}
