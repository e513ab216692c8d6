/** A stream that brought nothing for so many matching events no longer holds the others' state back. */
const IDLE_ROWS = 1 << 18;

interface Stream {
  highMs: number;
  /** Matching events of all streams up to its last batch. */
  rows: number;
}

/** Highest event time of each input: what lags in one is not late for another's sake. */
export class Streams {
  readonly #streams = new Map<string, Stream>();

  highMs(name: string): number {
    return this.#streams.get(name)?.highMs ?? Number.NEGATIVE_INFINITY;
  }

  note(name: string, highMs: number, rows: number): void {
    const stream = this.#streams.get(name);
    if (!stream) this.#streams.set(name, { highMs, rows });
    else {
      stream.highMs = Math.max(stream.highMs, highMs);
      stream.rows = rows;
    }
  }

  /** Nothing more comes of it. */
  end(name: string): void {
    this.#streams.delete(name);
  }

  /** Name, highest event time and rows of each, in the order in which they first came. */
  entries(): Array<readonly [name: string, highMs: number, rows: number]> {
    return [...this.#streams].map(([name, { highMs, rows }]) => [name, highMs, rows]);
  }

  restore(entries: ReadonlyArray<readonly [name: string, highMs: number, rows: number]>): void {
    for (const [name, highMs, rows] of entries) this.#streams.set(name, { highMs, rows });
  }

  /** Streams beside this one that still count at this row: their highs and the row at which they no longer do; the lowest `most`. */
  others(name: string, rows: number, most: number): Array<{ readonly highMs: number; readonly untilRow: number }> {
    const others: Array<{ readonly highMs: number; readonly untilRow: number }> = [];
    for (const [other, stream] of this.#streams) {
      const untilRow = stream.rows + IDLE_ROWS;
      if (other !== name && untilRow > rows && stream.highMs > Number.NEGATIVE_INFINITY) others.push({ highMs: stream.highMs, untilRow });
    }
    return others.length <= most ? others : others.toSorted((a, b) => a.highMs - b.highMs).slice(0, most);
  }
}
