import type { Variant } from "../engine/kernel.ts";
import type { InputProfile } from "../engine/task.ts";
import type { LogEvent } from "../event/event.ts";
import { EventReader } from "../event/made.ts";
import type { Pipeline } from "../event/pipeline/pipeline.ts";
import type { Journal } from "../journal/journal.ts";
import { ProblemError } from "../problem.ts";
import { parseQuery } from "../query/parse.ts";
import { printQuery } from "../query/print.ts";
import type { QueryNode } from "../query/tree.ts";
import { without } from "./exclusions.ts";
import { Finds } from "./finds.ts";
import { Gatherer } from "./gather.ts";
import { madeBy } from "./made.ts";
import { type LogKey, type LogPlace, type SortOrder, logId, readCursor, readLogId, writeCursor } from "./order.ts";
import { Scanner, type ScannerSetup } from "./scanner.ts";
import { JournalView, readFrames, wholeSegment } from "./segments.ts";
import { Sweep, type SweepAnswer } from "./sweep.ts";
import type { TallyAnswer, TallyRequest } from "./tally.ts";

export interface LogSearchOptions {
  /** What live events pass before detection sees them: a search sees the same. */
  readonly pipelines?: readonly Pipeline[];
  /** 0, the default: in this thread. */
  readonly workers?: number;
  readonly variant?: Variant;
  /** What no search finds. */
  readonly exclusions?: readonly QueryNode[];
  /** Unpacked bytes from which a stretch of the index is closed. */
  readonly stretchBytes?: number;
}

export interface SearchRequest {
  /** Search text or its tree; everything when absent. */
  readonly query?: string | QueryNode;
  /** Event time, epoch milliseconds: from this one on, and before that one. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Logs of a page; 0 for counts alone. Default 10. */
  readonly limit?: number;
  /** Where the page before ended. It keeps that one's bounds, and sees nothing that came after it. */
  readonly cursor?: string;
  readonly sort?: SortOrder;
  /** What is to be counted over all logs that match, whatever the page. */
  readonly tallies?: readonly TallyRequest[];
  /** A search ends when it has read so many unpacked bytes, or taken so long. No limit when absent. */
  readonly mostBytes?: number;
  readonly mostMs?: number;
}

/** A log that was found. */
export interface FoundLog extends LogKey {
  readonly id: string;
  readonly profile: InputProfile;
  readonly arrivalMs: number;
  /** The record as received. */
  readonly bytes: Uint8Array;
  /** The log as queries saw it. */
  readonly event: LogEvent;
}

/** What a search cost, and what it was spared. */
export interface SearchCost {
  readonly ms: number;
  /** Unpacked bytes that were read, and those that lay in stretches passed over. */
  readonly scannedBytes: number;
  readonly skippedBytes: number;
  readonly events: number;
  readonly segments: number;
  /** Segments of which nothing was read. */
  readonly skippedSegments: number;
  readonly stretches: number;
  readonly skippedStretches: number;
  /** Segment bytes that no index tells of. */
  readonly unindexedBytes: number;
}

export interface SearchAnswer {
  readonly logs: readonly FoundLog[];
  /** For the next page; undefined when there is none. */
  readonly cursor: string | undefined;
  /** As asked, in that order. */
  readonly tallies: readonly TallyAnswer[];
  /** False when a limit ended it: there may be more logs than these, newer or older ones, and counts are too low. */
  readonly complete: boolean;
  /** Places of the journal that could not be read, and bytes that were set aside. */
  readonly damaged: number;
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly cost: SearchCost;
}

const DEFAULT_LIMIT = 10;
export const MOST_LOGS = 1000;
/** Compiled searches that are kept: pages of one follow each other. */
const KEPT_SCANNERS = 3;

/** Searches the logs of a journal, while others write there. */
export class LogSearch {
  readonly #view: JournalView;
  readonly #setup: ScannerSetup;
  readonly #exclusions: readonly QueryNode[];
  readonly #finds: Finds;
  readonly #made: string;
  readonly #reader: EventReader;
  readonly #stretchBytes: number | undefined;
  readonly #scanners = new Map<string, Scanner>();
  #tending: Promise<TendAnswer> | undefined;
  #closed = false;

  /** Throws a `ProblemError` with `search/no-journal` when there is no such folder. */
  constructor(journal: Journal | string, options: LogSearchOptions = {}) {
    this.#view = new JournalView(journal);
    this.#setup = { pipelines: options.pipelines ?? [], workers: options.workers ?? 0, variant: options.variant ?? "simd" };
    this.#exclusions = options.exclusions ?? [];
    this.#made = madeBy(this.#setup.pipelines);
    this.#finds = new Finds(this.#view, this.#made);
    this.#reader = new EventReader(this.#setup.pipelines);
    this.#stretchBytes = options.stretchBytes;
  }

  /**
   * One page, and counts. Logs are in the order of their event times, newest first by default, those of the same time by their place.
   *
   * Rejects with a `ProblemError` when the query, cursor or a bound is not right.
   */
  async search(request: SearchRequest): Promise<SearchAnswer> {
    const startMs = performance.now();
    const query = without(queryOf(request.query), this.#exclusions);
    const sort = request.sort ?? "newest";
    const limit = limitOf(request.limit);
    const text = printQuery(query);
    const asked = JSON.stringify([text, sort, this.#made]);
    const cursor = request.cursor === undefined ? undefined : readCursor(request.cursor, asked);
    const { fromMs, toMs } = cursor ?? request;
    const sweep = new Sweep({ view: this.#view, finds: this.#finds, query, sort, limit, fromMs, toMs, after: cursor?.after, end: cursor?.end, tallies: request.tallies ?? [], mostBytes: request.mostBytes, mostMs: request.mostMs, startMs, reader: this.#reader });
    const key = JSON.stringify([text, sweep.fieldNames]);
    const scanner = await this.#take(key, () => Scanner.create(query, sweep.fields, this.#setup));
    let found: SweepAnswer;
    try {
      found = await sweep.run(scanner);
    } catch (error) {
      await scanner.close();
      throw error;
    }
    this.#giveBack(key, scanner);
    const last = found.logs.at(-1);
    return {
      ...found, fromMs, toMs,
      logs: found.logs.map((log) => ({ ...log, id: logId(log), event: this.#reader.event(log.bytes, log.profile, log.arrivalMs) })),
      cursor: found.more && found.complete && last ? writeCursor({ after: last, fromMs, toMs, end: found.end }, asked) : undefined,
      cost: { ...found.cost, ms: performance.now() - startMs },
    };
  }

  /** The log of an id; undefined where the journal has none, or keeps it no more. */
  async log(id: string): Promise<FoundLog | undefined> {
    const place = readLogId(id);
    const view = place && this.#view.segments().find(({ segment }) => segment === place.segment);
    const file = view && (await this.#view.open(view.segment));
    if (!file) return undefined;
    try {
      const known = (await this.#finds.of(view))?.stretches.findLast(({ entry }) => entry <= place.entry);
      const part = { ...wholeSegment(view.endOffset), ...(known && { offset: known.offset, entry: known.entry }) };
      const wanted = readFrames(file, part, () => {}, (head) => head.firstEntry <= place.entry && place.entry < head.firstEntry + head.entries);
      for await (const { entries } of wanted) {
        const entry = entries.find(({ position }) => position.entry === place.entry);
        return entry && entry.profile.dataSource !== "audit" ? await this.#logOf(entry, place) : undefined;
      }
      return undefined;
    } finally {
      await file.close();
    }
  }

  /**
   * Makes the index of what has none: sealed segments, and what of the growing one is long enough, newest first. For whoever has
   * time: a search does not wait for it, and finds the same without.
   */
  tend(limits: { readonly mostMs?: number; readonly onSegment?: (segment: number) => void } = {}): Promise<TendAnswer> {
    this.#tending ??= this.#tend(limits).finally(() => {
      this.#tending = undefined;
    });
    return this.#tending;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#tending?.catch(() => {});
    await Promise.all([...this.#scanners.values()].map((scanner) => scanner.close()));
    this.#scanners.clear();
  }

  async #logOf(entry: Parameters<Scanner["push"]>[0], place: LogPlace): Promise<FoundLog | undefined> {
    const all = without({ kind: "all", span: { start: 0, end: 0 } }, this.#exclusions);
    const scanner = await this.#take("*", () => Scanner.create(all, [], this.#setup));
    let found: FoundLog | undefined;
    scanner.begin((event) => {
      if (event.row !== place.row) return;
      const bytes = event.bytes().slice();
      found = { ...place, id: logId(place), timeMs: event.timeMs, profile: entry.profile, arrivalMs: entry.arrivalMs, bytes, event: this.#reader.event(bytes, entry.profile, entry.arrivalMs) };
    });
    await scanner.push(entry);
    await scanner.flush();
    this.#giveBack("*", scanner);
    return found;
  }

  async #tend({ mostMs = Infinity, onSegment }: { readonly mostMs?: number; readonly onSegment?: (segment: number) => void }): Promise<TendAnswer> {
    const startMs = performance.now();
    const mayGoOn = (): boolean => !this.#closed && performance.now() - startMs < mostMs;
    const segments = this.#view.segments();
    await this.#finds.sweep(segments);
    let gatherer: Gatherer | undefined;
    let segmentsDone = 0;
    let bytes = 0;
    try {
      for (const view of [...segments].reverse()) {
        if (!mayGoOn()) return { segments: segmentsDone, bytes, complete: false };
        const known = await this.#finds.of(view);
        if (known && known.endOffset >= view.endOffset) continue;
        if (!known && this.#finds.isOthers(view.segment)) continue;
        const file = await this.#view.open(view.segment);
        if (!file) continue;
        try {
          gatherer ??= await Gatherer.create(this.#setup, this.#made, this.#stretchBytes);
          const find = await gatherer.gather(view, file, known, mayGoOn);
          const made = find.stretches.length - (known?.stretches.length ?? 0);
          if (made === 0) continue;
          bytes += find.stretches.slice(-made).reduce((sum, { rawBytes }) => sum + rawBytes, 0);
          this.#finds.store(find);
          segmentsDone++;
          onSegment?.(view.segment);
        } finally {
          await file.close();
        }
      }
      return { segments: segmentsDone, bytes, complete: mayGoOn() };
    } finally {
      await gatherer?.close();
    }
  }

  async #take(key: string, make: () => Promise<Scanner>): Promise<Scanner> {
    const kept = this.#scanners.get(key);
    if (!kept) return await make();
    this.#scanners.delete(key);
    return kept;
  }

  #giveBack(key: string, scanner: Scanner): void {
    scanner.begin(() => {});
    if (this.#closed || this.#scanners.has(key)) {
      void scanner.close();
      return;
    }
    this.#scanners.set(key, scanner);
    for (const [oldest, each] of this.#scanners) {
      if (this.#scanners.size <= KEPT_SCANNERS) break;
      this.#scanners.delete(oldest);
      void each.close();
    }
  }
}

export interface TendAnswer {
  /** Segments whose index was made or went on. */
  readonly segments: number;
  /** Unpacked bytes that were read for it. */
  readonly bytes: number;
  /** False when time was over before all was done. */
  readonly complete: boolean;
}

/** One search over a journal or its folder, with all that is made for it let go of afterwards. */
export async function searchLogs(journal: Journal | string, { pipelines, workers, variant, exclusions, ...request }: SearchRequest & Omit<LogSearchOptions, "stretchBytes">): Promise<SearchAnswer> {
  const search = new LogSearch(journal, { pipelines, workers, variant, exclusions });
  try {
    return await search.search(request);
  } finally {
    await search.close();
  }
}

function queryOf(query: string | QueryNode = "*"): QueryNode {
  return typeof query === "string" ? readQuery(query) : query;
}

/** Throws a `ProblemError` for a text that is no query. */
export function readQuery(query: string): QueryNode {
  const parsed = parseQuery(query);
  if (!parsed.ok) throw new ProblemError(parsed.problems);
  return parsed.node;
}

function limitOf(limit = DEFAULT_LIMIT): number {
  if (Number.isInteger(limit) && limit >= 0 && limit <= MOST_LOGS) return limit;
  throw new ProblemError([{ code: "search/bad-limit", message: `${limit} is no number of logs for a page`, hint: `use 0 to ${MOST_LOGS}, and the cursor for more` }]);
}
