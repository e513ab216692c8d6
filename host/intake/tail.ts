import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RECORD_BYTES } from "../batch/framing.ts";
import type { IntakeBatch, IntakeSink } from "./contract.ts";
import { refuse } from "./lines/stream.ts";
import { type FollowContext, FollowedPath, fileAt, fileId, type TailCounts } from "./tail/followed-path.ts";
import { FolderWatch } from "./tail/folders.ts";
import { hasWildcard } from "./tail/glob.ts";
import { OpenFiles } from "./tail/open-files.ts";
import { isPacked, readPacked } from "./tail/packed.ts";
import { type Positions, readPositionMark, readPositions, type StreamPosition, writePositions } from "./tail/positions.ts";
import { scanSources } from "./tail/scan.ts";
import type { TailSource } from "./tail/source.ts";

export type { TailCounts } from "./tail/followed-path.ts";
export type { TailSource } from "./tail/source.ts";

export interface TailOptions {
  readonly sources: readonly TailSource[];
  /** File that keeps how far each file was read; without one, every start is the first. */
  readonly positionsPath?: string;
  /**
   * Marks of batches as the sink has kept them, by partition. They are never older than the file of positions: a sink that
   * gives them makes what it holds exactly-once. Without them a kill may double what was taken and not yet noted, never lose.
   */
  readonly marks?: ReadonlyMap<string, string>;
  /** Read every file to its end, packed ones too, and stop. */
  readonly isOnce?: boolean;
  /** Milliseconds between looks at every file; changes are mostly told before. Default 1000. */
  readonly pollMs?: number;
  /** Files read at a time, each with 1 MiB of memory; default 2. */
  readonly readers?: number;
  /** Files kept open; default 256. */
  readonly maxOpen?: number;
  /** Default 20000. */
  readonly maxFiles?: number;
  /** How long a replaced file is read on; default 5000. */
  readonly graceMs?: number;
  /** Silence after which a record of several lines is complete; default 1000. */
  readonly quietMs?: number;
  readonly nowMs?: () => number;
  /** Called with faults of our own: nothing is lost by them, but somebody should know. */
  readonly onError?: (error: unknown) => void;
}

/** How one followed file stands. */
export interface TailedFile {
  readonly path: string;
  readonly behindBytes: number;
  /** What stands in the way of reading it. */
  readonly problem?: string;
}

/** How long the positions of a burst of batches are gathered before they are written. */
const NOTE_MS = 500;
const BURST_MS = 20;
/** Positions of paths that no source names any more are kept this long. */
const UNNAMED_MS = 7 * 86_400_000;
const FIRST_WAIT_MS = 10;
const LAST_WAIT_MS = 1000;

/**
 * Follows files and hands their records to the sink.
 *
 * A file's place moves when the sink has taken the records, never before. Each path is a partition of its own.
 */
export class Tail {
  readonly counts: TailCounts = { requests: 0, bytes: 0, unpackedBytes: 0, events: 0, truncated: 0, refused: 0, refusals: new Map(), rejected: new Map(), rotations: 0, rewrites: 0, lost: 0 };
  readonly #options: TailOptions;
  readonly #sink: IntakeSink;
  readonly #paths = new Map<string, FollowedPath>();
  readonly #files: OpenFiles;
  readonly #context: FollowContext;
  readonly #watch: FolderWatch;
  readonly #stop = new AbortController();
  #positions: Positions & { readonly streams: Map<string, StreamPosition> } = { patterns: [], streams: new Map() };
  readonly #dirty = new Set<FollowedPath>();
  #wakers: (() => void)[] = [];
  #isScanDue = true;
  #askScan: (() => void) | undefined;
  #isStarted = false;
  #noteTimer: NodeJS.Timeout | undefined;
  #noting: Promise<void> = Promise.resolve();
  #running: Promise<unknown> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(options: TailOptions, sink: IntakeSink) {
    this.#options = options;
    this.#sink = sink;
    this.#files = new OpenFiles(options.maxOpen ?? 256);
    this.#context = {
      files: this.#files,
      counts: this.counts,
      nowMs: options.nowMs ?? Date.now,
      graceMs: options.graceMs ?? 5000,
      quietMs: options.quietMs ?? 1000,
      isOnce: options.isOnce ?? false,
      accept: (batches) => this.#accept(batches),
      owners: new Map(),
    };
    this.#watch = new FolderWatch((path) => this.#changed(path));
  }

  /** Reads the positions and begins. Throws when positions are there and cannot be read. */
  async start(): Promise<void> {
    const { positionsPath, marks, isOnce, readers = 2, pollMs = 1000 } = this.#options;
    const noted: Positions = positionsPath === undefined ? { patterns: [], streams: new Map() } : await readPositions(positionsPath);
    const streams = new Map<string, StreamPosition>(noted.streams);
    for (const [partition, mark] of marks ?? []) {
      const position = partition.startsWith("file:") ? readPositionMark(mark) : undefined;
      if (position) streams.set(partition.slice("file:".length), position);
    }
    this.#positions = { patterns: noted.patterns, streams };
    // Also paths that name no file now: theirs may have been renamed since.
    for (const [path, { pattern }] of streams) {
      const source = this.#options.sources.find((each) => each.path === pattern);
      if (source) this.#restore(path, source);
    }
    for (const [path, position] of streams) streams.set(path, { ...position, unnamedMs: position.unnamedMs ?? this.#context.nowMs() });
    await this.#scan();
    this.#isStarted = true;
    if (positionsPath !== undefined) await this.#note();
    this.#running = Promise.all([isOnce ? undefined : this.#poll(pollMs), ...Array.from({ length: readers }, () => this.#work())]);
  }

  /** Resolves when every file has been read to its end; only for files read once. */
  async finished(): Promise<void> {
    await this.#running;
    await this.stop();
  }

  /** Ends at once: what the sink has not taken by `withinMs` is read again after the next start. */
  stop(withinMs = 2000): Promise<void> {
    this.#stopped ??= this.#end(withinMs);
    return this.#stopped;
  }

  async #end(withinMs: number): Promise<void> {
    this.#watch.close();
    this.#stop.abort();
    this.#wake();
    this.#askScan?.();
    const waiting = new AbortController();
    await Promise.race([this.#running, delay(withinMs, undefined, { signal: waiting.signal }).catch(() => {})]);
    waiting.abort();
    clearTimeout(this.#noteTimer);
    await this.#noting;
    if (this.#options.positionsPath !== undefined && this.#isStarted) await this.#note();
    await this.#files.closeAll();
  }

  get openFiles(): number {
    return this.#files.count;
  }

  /** Every followed file, in the order they were found. */
  files(): TailedFile[] {
    return [...this.#paths.values()].map(({ path, behindBytes, problem }) => ({ path, behindBytes, ...(problem === undefined ? {} : { problem }) }));
  }

  /** Looks for new files, for files that grew and for files that are gone. */
  async #scan(): Promise<void> {
    this.#isScanDue = false;
    const { sources, isOnce = false, maxFiles = 20_000 } = this.#options;
    const found = scanSources(sources, isOnce, maxFiles);
    const seen = new Set<string>();
    for (const [path, source] of found) {
      const stats = statsOf(path);
      if (!stats) continue;
      const id = fileId(stats);
      seen.add(id);
      const own = this.#paths.get(path) ?? this.#restore(path, source);
      const owner = this.#context.owners.get(id);
      const isForeign = owner !== undefined && owner !== own && (await owner.recognizes(id, path, Number(stats.size)));
      if (isForeign && owner.isDirty) this.#enqueue(owner);
      if (!own && !isForeign) this.#paths.set(path, this.#newPath(path, source));
    }
    for (const [path, followed] of this.#paths) {
      followed.forget(seen);
      if (followed.isEmpty && !found.has(path) && !followed.isBusy) this.#paths.delete(path);
      else if (followed.needsTurn(statsOf(path))) this.#enqueue(followed);
    }
    this.#watch.follow(new Set(isOnce ? [] : [...[...this.#paths.keys()].map((path) => dirname(path)), ...sources.map(({ path }) => dirname(path)).filter((folder) => !hasWildcard(folder))]));
  }

  /** A path that positions are known of. */
  #restore(path: string, source: TailSource): FollowedPath | undefined {
    const position = source.startPosition?.startsWith("force") ? undefined : this.#positions.streams.get(path);
    if (!position) return undefined;
    const followed = new FollowedPath(path, source, position, false, this.#context);
    this.#paths.set(path, followed);
    this.#positions.streams.delete(path);
    return followed;
  }

  #newPath(path: string, source: TailSource): FollowedPath {
    const { startPosition = "end" } = source;
    // A file that appears under a pattern already followed was written since: all of it is news.
    const isNews = this.#isStarted || (this.#positions.patterns.includes(source.path) && !startPosition.startsWith("force"));
    const startsAtEnd = !this.#context.isOnce && !isNews && (startPosition === "end" || startPosition === "forceEnd");
    return new FollowedPath(path, source, undefined, startsAtEnd, this.#context);
  }

  async #poll(pollMs: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#isScanDue ? 0 : pollMs);
        this.#askScan = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      // One look for a burst of changes.
      await delay(Math.min(BURST_MS, pollMs), undefined, { signal: this.#stop.signal }).catch(() => {});
      if (this.#stop.signal.aborted) break;
      await this.#scan().catch((error: unknown) => this.#options.onError?.(error));
    }
    this.#wake();
  }

  #changed(path: string | undefined): void {
    const followed = path === undefined ? undefined : this.#paths.get(path);
    if (followed) this.#enqueue(followed);
    else {
      this.#isScanDue = true;
      this.#askScan?.();
    }
  }

  #enqueue(followed: FollowedPath): void {
    if (followed.isBusy) {
      followed.isDirty = true;
      return;
    }
    this.#dirty.add(followed);
    this.#wakers.pop()?.();
  }

  #wake(): void {
    for (const wake of this.#wakers.splice(0)) wake();
  }

  /** One reader with memory of its own. */
  async #work(): Promise<void> {
    const buffer = new Uint8Array(RECORD_BYTES);
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const [followed] = this.#dirty;
      if (!followed) {
        if (this.#context.isOnce && ![...this.#paths.values()].some(({ isBusy }) => isBusy)) break;
        await new Promise<void>((resolve) => void this.#wakers.push(resolve));
        continue;
      }
      this.#dirty.delete(followed);
      followed.isBusy = true;
      followed.isDirty = false;
      let isMore = false;
      try {
        if (this.#context.isOnce && isPacked(followed.path)) await readPacked(followed, buffer, this.#arrivalOf(followed.path));
        else isMore = await followed.turn(buffer);
      } catch (error) {
        followed.problem = (error as NodeJS.ErrnoException).code ?? String(error);
        this.#options.onError?.(error);
      }
      followed.isBusy = false;
      if ((isMore || followed.isDirty) && !signal.aborted) this.#enqueue(followed);
      if (this.#context.isOnce && this.#dirty.size === 0) this.#wake();
    }
  }

  #arrivalOf(path: string): number {
    return Math.min(this.#context.nowMs(), Math.floor(Number(statsOf(path)?.mtimeMs ?? Infinity)));
  }

  /** Offers until the sink takes them; false when this ends before. */
  async #accept(batches: readonly IntakeBatch[]): Promise<boolean> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LAST_WAIT_MS)) {
      try {
        const refusal = await this.#sink.accept(batches);
        if (!refusal) {
          this.#noteSoon();
          return true;
        }
        refuse(this.counts, refusal.reason);
      } catch (error) {
        this.#options.onError?.(error);
      }
      await delay(waitMs, undefined, { signal: this.#stop.signal }).catch(() => {});
      if (this.#stop.signal.aborted) return false;
    }
  }

  #noteSoon(): void {
    if (this.#options.positionsPath === undefined || this.#noteTimer) return;
    this.#noteTimer = setTimeout(() => {
      this.#noteTimer = undefined;
      this.#noting = this.#noting.then(() => this.#note()).catch((error: unknown) => this.#options.onError?.(error));
    }, NOTE_MS);
  }

  async #note(): Promise<void> {
    const streams = new Map<string, StreamPosition>();
    const now = this.#context.nowMs();
    for (const [path, { unnamedMs = now, ...position }] of this.#positions.streams) if (now - unnamedMs < UNNAMED_MS) streams.set(path, { ...position, unnamedMs });
    for (const [path, followed] of this.#paths) if (!followed.isEmpty) streams.set(path, followed.position());
    await writePositions(this.#options.positionsPath!, { patterns: this.#options.sources.map(({ path }) => path), streams });
  }
}

function statsOf(path: string): ReturnType<typeof fileAt> {
  try {
    return fileAt(path);
  } catch {
    return undefined;
  }
}
