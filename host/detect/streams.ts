/** A stream that brought nothing for so many matching events no longer holds the others' state back. */
const IDLE_ROWS = 1 << 18;

/** Nor does one that was silent for so long by the server's clock, where somebody tells it. */
export const IDLE_MS = 60_000;

interface Stream {
  highMs: number;
  /** Matching events of all streams up to its last batch. */
  rows: number;
  /** When its last batch came. */
  arrivalMs: number;
  isIdle: boolean;
}

/** A stream as it is saved. */
export type SavedStream = readonly [name: string, highMs: number, rows: number, arrivalMs: number, isIdle: boolean];

/** Highest event time of each input: what lags in one is not late for another's sake. */
export class Streams {
  readonly #streams = new Map<string, Stream>();

  highMs(name: string): number {
    return this.#streams.get(name)?.highMs ?? Number.NEGATIVE_INFINITY;
  }

  note(name: string, highMs: number, rows: number, arrivalMs = Number.NEGATIVE_INFINITY): void {
    const stream = this.#streams.get(name);
    if (!stream) this.#streams.set(name, { highMs, rows, arrivalMs, isIdle: false });
    else {
      stream.highMs = Math.max(stream.highMs, highMs);
      stream.rows = rows;
      stream.arrivalMs = arrivalMs;
      stream.isIdle = false;
    }
  }

  /**
   * The server's clock stands here: streams that were silent for `IDLE_MS` hold nothing back until they speak again.
   *
   * @returns highest event time of the stream furthest behind of those that still count; the clock itself when none does.
   */
  tick(clockMs: number): number {
    let lowMs = Number.POSITIVE_INFINITY;
    for (const stream of this.#streams.values()) {
      if (clockMs - stream.arrivalMs >= IDLE_MS) stream.isIdle = true;
      if (!stream.isIdle) lowMs = Math.min(lowMs, stream.highMs);
    }
    return lowMs === Number.POSITIVE_INFINITY ? clockMs : lowMs;
  }

  /** Nothing more comes of it. */
  end(name: string): void {
    this.#streams.delete(name);
  }

  /** In the order in which they first came. */
  entries(): SavedStream[] {
    return [...this.#streams].map(([name, { highMs, rows, arrivalMs, isIdle }]) => [name, highMs, rows, arrivalMs, isIdle]);
  }

  restore(entries: readonly SavedStream[]): void {
    for (const [name, highMs, rows, arrivalMs, isIdle] of entries) this.#streams.set(name, { highMs, rows, arrivalMs, isIdle });
  }

  /** Streams beside this one that still count at this row: their highs and the row at which they no longer do; the lowest `most`. */
  others(name: string, rows: number, most: number): Array<{ readonly highMs: number; readonly untilRow: number }> {
    const others: Array<{ readonly highMs: number; readonly untilRow: number }> = [];
    for (const [other, stream] of this.#streams) {
      const untilRow = stream.rows + IDLE_ROWS;
      if (other !== name && !stream.isIdle && untilRow > rows && stream.highMs > Number.NEGATIVE_INFINITY) others.push({ highMs: stream.highMs, untilRow });
    }
    return others.length <= most ? others : others.toSorted((a, b) => a.highMs - b.highMs).slice(0, most);
  }
}
