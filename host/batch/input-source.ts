import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Bytes to be read, from wherever. */
export interface ByteSource {
  /**
   * Puts bytes at the start of `into` and answers how many; 0 at the end of the input, undefined when nothing came
   * within `waitMs`. Throws when the bytes cannot be read.
   */
  read(into: Uint8Array, waitMs?: number): Promise<number | undefined> | number | undefined;
  close(): void;
}

/** A regular file, read straight into the caller's memory. */
export class FileSource implements ByteSource {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly #descriptor: number;
  readonly #owned: boolean;

  /** @param file a path, or an open descriptor, which stays open. */
  constructor(file: string | number) {
    this.#owned = typeof file === "string";
    this.#descriptor = typeof file === "string" ? openSync(file, "r") : file;
    const facts = fstatSync(this.#descriptor);
    this.sizeBytes = facts.size;
    this.modifiedMs = Math.floor(facts.mtimeMs);
  }

  read(into: Uint8Array): number {
    return readSync(this.#descriptor, into, 0, into.length, null);
  }

  close(): void {
    if (this.#owned) closeSync(this.#descriptor);
  }
}

/** Chunks of any asynchronous producer, with a limit to how long one waits for the next. */
export class ChunkSource implements ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #pending: Promise<IteratorResult<Uint8Array>> | undefined;
  #rest: Uint8Array = new Uint8Array();
  readonly #signal: AbortSignal | undefined;

  /** @param signal ends the input when it fires, also while a chunk is waited for. */
  constructor(chunks: AsyncIterable<Uint8Array>, signal?: AbortSignal) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#signal = signal;
  }

  async read(into: Uint8Array, waitMs?: number): Promise<number | undefined> {
    while (this.#rest.length === 0) {
      this.#pending ??= this.#chunks.next();
      const next = this.#signal || waitMs !== undefined ? await within(this.#pending, waitMs, this.#signal) : await this.#pending;
      if (next === "late") return undefined;
      if (next === "aborted") return 0;
      this.#pending = undefined;
      if (next.done) {
        this.#pending = Promise.resolve(next);
        return 0;
      }
      this.#rest = next.value;
    }
    const count = Math.min(into.length, this.#rest.length);
    into.set(this.#rest.subarray(0, count));
    this.#rest = this.#rest.subarray(count);
    return count;
  }

  close(): void {
    // A producer that was left alone may fail later; nobody asks any more.
    this.#pending?.catch(() => {});
    void this.#chunks.return?.().catch(() => {});
  }
}

/**
 * What comes first. Not a race with one promise for "aborted": each race would leave its answer with that promise, and so
 * every chunk ever read would be kept.
 */
function within<T>(promise: Promise<T>, waitMs: number | undefined, signal: AbortSignal | undefined): Promise<T | "late" | "aborted"> {
  if (signal?.aborted) return Promise.resolve("aborted");
  return new Promise((resolve, reject) => {
    const timer = waitMs === undefined ? undefined : setTimeout(() => done(() => resolve("late")), waitMs);
    const abort = (): void => done(() => resolve("aborted"));
    const done = (answer: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      answer();
    };
    signal?.addEventListener("abort", abort);
    promise.then((value) => done(() => resolve(value)), (error: unknown) => done(() => reject(error as Error)));
  });
}

/** A source whose first bytes can be looked at before they are read. */
export class PeekedSource implements ByteSource {
  readonly #source: ByteSource;
  #head: Uint8Array = new Uint8Array();

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /**
   * Up to `count` first bytes; fewer when the input ends, or when it stops for `waitMs`, if given, after some came.
   * The first byte is waited for without limit.
   */
  async peek(count: number, waitMs: number | undefined): Promise<Uint8Array> {
    let ended = false;
    while (this.#head.length < count && !ended) {
      const more = new Uint8Array(count - this.#head.length);
      const read = await this.#source.read(more, this.#head.length ? waitMs : undefined);
      if (read === undefined) break;
      ended = read === 0;
      this.#head = Buffer.concat([this.#head, more.subarray(0, read)]);
    }
    return this.#head;
  }

  /** Leaves out the first bytes, which were peeked at. */
  skip(count: number): void {
    this.#head = this.#head.subarray(count);
  }

  read(into: Uint8Array, waitMs?: number): Promise<number | undefined> | number | undefined {
    if (this.#head.length === 0) return this.#source.read(into, waitMs);
    const count = Math.min(into.length, this.#head.length);
    into.set(this.#head.subarray(0, count));
    this.#head = this.#head.subarray(count);
    return count;
  }

  close(): void {
    this.#source.close();
  }
}

/** The bytes of a source as chunks, each good until the next is asked for. */
export async function* chunksOf(source: ByteSource, chunkBytes: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(chunkBytes);
  for (;;) {
    const count = (await source.read(buffer)) ?? 0;
    if (count === 0) return;
    yield buffer.subarray(0, count);
  }
}
