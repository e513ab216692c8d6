import type { Pipeline } from "../event/pipeline/pipeline.ts";
import { type ScannedEvent, Scanner } from "../search/scanner.ts";
import type { HistoryRange } from "./contract.ts";
import type { KnownTimes, PastEntry } from "./judge.ts";

const NEWLINE = 10;

/** Events of an entry whose time lies in a range. Times are the kernels': those that detection goes by. */
export class TimeCut {
  readonly #range: HistoryRange;
  readonly #pipelines: readonly Pipeline[];
  #scanner: Scanner | undefined;

  constructor(range: HistoryRange, pipelines: readonly Pipeline[]) {
    this.#range = range;
    this.#pipelines = pipelines;
  }

  /**
   * The entry's bytes themselves where all of them are in range, a copy of some of them, or undefined when there is none.
   *
   * Where it is not known from elsewhere the entry is read once more, for times alone.
   */
  async within(entry: PastEntry, known?: KnownTimes): Promise<Uint8Array | undefined> {
    const { fromMs, toMs } = this.#range;
    const { clampAheadMs } = entry.profile;
    // A live event is never later than its arrival by more than this.
    const maxMs = Math.min(known?.maxMs ?? Number.POSITIVE_INFINITY, clampAheadMs === undefined ? Number.POSITIVE_INFINITY : entry.arrivalMs + clampAheadMs);
    const minMs = known?.minMs ?? Number.NEGATIVE_INFINITY;
    if (maxMs < fromMs || minMs >= toMs) return undefined;
    if ((minMs >= fromMs || fromMs === Number.NEGATIVE_INFINITY) && (maxMs < toMs || toMs === Number.POSITIVE_INFINITY)) return entry.bytes;
    return await this.#read(entry);
  }

  async close(): Promise<void> {
    await this.#scanner?.close();
    this.#scanner = undefined;
  }

  async #read(entry: PastEntry): Promise<Uint8Array | undefined> {
    let within = 0;
    let events = 0;
    await this.#scan(entry, ({ timeMs }) => {
      events++;
      if (this.#holds(timeMs)) within++;
    });
    // Mostly it is all or nothing: records are taken apart only where it is neither.
    if (within === events) return entry.bytes;
    if (within === 0) return undefined;
    const records: Uint8Array[] = [];
    await this.#scan(entry, (event) => {
      if (this.#holds(event.timeMs)) records.push(event.bytes().slice());
    });
    return joined(records);
  }

  #holds(timeMs: number): boolean {
    return timeMs >= this.#range.fromMs && timeMs < this.#range.toMs;
  }

  async #scan(entry: PastEntry, onEvent: (event: ScannedEvent) => void): Promise<void> {
    this.#scanner ??= await Scanner.create({ kind: "all", span: { start: 0, end: 0 } }, [], { pipelines: this.#pipelines, workers: 0, variant: "simd" });
    this.#scanner.begin(onEvent);
    await this.#scanner.push({ ...entry, position: { segment: 0, entry: 0 } });
    await this.#scanner.flush();
  }
}

function joined(records: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(records.reduce((sum, { length }) => sum + length + 1, 0));
  let at = 0;
  for (const record of records) {
    out.set(record, at);
    at += record.length;
    if (record.at(-1) !== NEWLINE) out[at++] = NEWLINE;
  }
  return out.subarray(0, at);
}
