import { madeEvent } from "../event/made.ts";
import type { Pipeline } from "../event/pipeline/pipeline.ts";
import { readTimestamp } from "../event/timestamp.ts";
import type { InputOptions } from "./input.ts";

const NEWLINE = 10;
/** Unreadable lines passed over before a time is given up. */
const TRIES = 16;
const FIRST_STEP = 4096;

const decoder = new TextDecoder();

/** Records of one input, a line each, which stand ready; lines are counted by where they begin. */
export class TimedRecords {
  readonly bytes: Uint8Array;
  readonly input: InputOptions;
  /** Where what was not taken yet begins. */
  at = 0;
  readonly #pipelines: readonly Pipeline[];
  /** The last line's time is asked for again and again. */
  #end: { readonly timeMs: number | undefined } | undefined;

  constructor(bytes: Uint8Array, input: InputOptions, pipelines: readonly Pipeline[] = []) {
    this.bytes = bytes;
    this.#pipelines = pipelines;
    this.input = input;
  }

  /** Event time of the first readable line from `start` on; undefined when there is none near. */
  timeAt(start: number): number | undefined {
    for (let tries = 0; tries < TRIES && start < this.bytes.length; tries++) {
      const end = this.#lineEnd(start);
      const timeMs = timeOf(decoder.decode(this.bytes.subarray(start, end)), this.input, this.#pipelines);
      if (timeMs !== undefined) return timeMs;
      start = end;
    }
    return undefined;
  }

  /**
   * Takes lines up to a time: at least one, at least `leastBytes` where there are as many.
   *
   * Lines are taken to be in the order of time. Where they are not, the cut is another, and nothing is lost.
   */
  take(untilMs: number, leastBytes: number): Uint8Array {
    const { bytes, at: from } = this;
    const least = this.#lineEnd(Math.max(from, Math.min(bytes.length, from + leastBytes) - 1));
    this.at = least >= bytes.length || this.#endMs(untilMs) <= untilMs ? bytes.length : this.#cut(least, untilMs);
    return bytes.subarray(from, this.at);
  }

  /** End of the last line from `from` on that lies within the time: near it mostly, so the search begins there. */
  #cut(from: number, untilMs: number): number {
    let low = from;
    let high = this.bytes.length;
    let step = FIRST_STEP;
    // Lines that begin before `low` are taken; the one that begins at `high` is not.
    for (let start = low; low < high; start = Math.max(low, this.#lineStart(Math.min(low + step, (low + high) >>> 1)))) {
      if (this.#reaches(start, untilMs)) {
        low = this.#lineEnd(start);
        step *= 2;
      } else high = start;
    }
    return low;
  }

  #endMs(otherwise: number): number {
    this.#end ??= { timeMs: this.timeAt(this.#lineStart(this.bytes.length - 1)) };
    return this.#end.timeMs ?? otherwise;
  }

  #reaches(start: number, untilMs: number): boolean {
    return (this.timeAt(start) ?? untilMs) <= untilMs;
  }

  #lineStart(at: number): number {
    return at <= 0 ? 0 : this.bytes.lastIndexOf(NEWLINE, at - 1) + 1;
  }

  #lineEnd(at: number): number {
    const newline = this.bytes.indexOf(NEWLINE, at);
    return newline < 0 ? this.bytes.length : newline + 1;
  }
}

function timeOf(line: string, input: InputOptions, pipelines: readonly Pipeline[]): number | undefined {
  const text = line.trim();
  if (text === "") return undefined;
  const event = madeEvent(text, input, pipelines, input.arrivalMs);
  return event && (readTimestamp(event.timestamp, input.arrivalMs) ?? input.arrivalMs);
}
