import { Flow } from "../batch/flow.ts";
import type { MatchColumns } from "../batch/matches.ts";
import type { Executor } from "../engine/executor.ts";
import type { Variant } from "../engine/kernel.ts";
import type { Pipeline } from "../event/pipeline/pipeline.ts";
import type { StoredEntry } from "../journal/contract.ts";
import { createExecutor, plainQueries } from "../matcher.ts";
import type { Field, QueryNode } from "../query/tree.ts";

export interface ScannerSetup {
  readonly pipelines: readonly Pipeline[];
  /** 0: in this thread. */
  readonly workers: number;
  readonly variant: Variant;
}

/** The event at hand. Good only while the scanner hands it out. */
export interface ScannedEvent {
  readonly entry: StoredEntry;
  /** Place among the events of its entry. */
  readonly row: number;
  readonly timeMs: number;
  /** The record as received, in the kernel's memory. */
  bytes(): Uint8Array;
  /** Texts of each field asked for, as they stand in the event; at most `VALUES_CAP` are told of each. */
  values(): string[][];
}

/** Values of a field that kernels tell of one event. */
export const VALUES_CAP = 32;
/** Fields that can be asked for. */
export const FIELDS_CAP = 8;

/** One query over entries of the journal, on the kernels. Used by one search at a time. */
export class Scanner {
  readonly #executor: Executor;
  readonly #flow: Flow;
  #onEvent: (event: ScannedEvent) => void = () => {};
  #entry: StoredEntry | undefined;
  #base = 0;
  /** Bytes that ended their worker twice. */
  lostBytes = 0;

  private constructor(executor: Executor, fields: number) {
    this.#executor = executor;
    this.#flow = new Flow(executor, {
      onMatches: (matches, _profile, firstEvent) => {
        const event = new MatchView(matches, this.#entry!, firstEvent - this.#base, fields);
        for (event.index = 0; event.index < matches.count; event.index++) this.#onEvent(event);
      },
      onMalformed() {},
      onLost: (bytes) => {
        this.lostBytes += bytes.length;
      },
    });
  }

  static async create(query: QueryNode, fields: readonly Field[], setup: ScannerSetup): Promise<Scanner> {
    const standing = plainQueries([query]).map((each) => (fields.length ? { ...each, aggregation: "texts" as const, distinct: fields } : each));
    return new Scanner(await createExecutor({ standing, pipelines: setup.pipelines, variant: setup.variant }, setup.workers), fields.length);
  }

  /** Events looked at so far. */
  get events(): number {
    return this.#flow.stats.events;
  }

  /** Whom events that match are handed to from now on, in order. */
  begin(onEvent: (event: ScannedEvent) => void): void {
    this.#onEvent = onEvent;
  }

  /** Resolves when the entry is on its way; `flush` waits for what it holds. */
  async push(entry: StoredEntry): Promise<void> {
    this.#flow.after(() => {
      this.#entry = entry;
      this.#base = this.#flow.stats.events;
    });
    const { arrivalMs, partition, profile } = entry;
    await this.#flow.push(entry.bytes, profile, arrivalMs, partition);
  }

  async flush(): Promise<void> {
    await this.#flow.flush();
  }

  close(): Promise<void> {
    return this.#executor.close();
  }
}

class MatchView implements ScannedEvent {
  index = 0;
  readonly entry: StoredEntry;
  readonly #matches: MatchColumns;
  readonly #firstRow: number;
  readonly #fields: number;

  constructor(matches: MatchColumns, entry: StoredEntry, firstRow: number, fields: number) {
    this.entry = entry;
    this.#matches = matches;
    this.#firstRow = firstRow;
    this.#fields = fields;
  }

  get row(): number {
    return this.#firstRow + this.#matches.row[this.index]!;
  }

  get timeMs(): number {
    return this.#matches.timeMs[this.index]!;
  }

  bytes(): Uint8Array {
    const start = this.#matches.eventStart[this.index]!;
    return this.#matches.bytes.subarray(start, start + this.#matches.eventLength[this.index]!);
  }

  values(): string[][] {
    const { bytes, value } = this.#matches;
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // Low half: where the texts lie. For each field their number, then length and bytes of each.
    let at = Number(value[this.index]! & 0xffffffffn);
    const out: string[][] = [];
    for (let field = 0; field < this.#fields; field++) {
      const texts: string[] = [];
      const count = view.readUInt32LE(at);
      at += 4;
      for (let i = 0; i < count; i++) {
        const length = view.readUInt32LE(at);
        texts.push(view.toString("utf8", at + 4, at + 4 + length));
        at += 4 + length;
      }
      out.push(texts);
    }
    return out;
  }
}
