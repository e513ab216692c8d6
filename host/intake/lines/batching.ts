import { setTimeout as delay } from "node:timers/promises";
import type { InputProfile } from "../../engine/task.ts";
import type { IntakeBatch, IntakeSink, Refusal } from "../contract.ts";
import type { LineFormat } from "./message.ts";

const NEWLINE = 10;
const FIRST_BYTES = 4 * 1024;
/** How long to wait before a sink that refused is asked again: it is in the same process, so asking is cheap. */
const FIRST_WAIT_MS = 10;
const LAST_WAIT_MS = 1000;

export interface BatchingOptions {
  /** By format: all lines of a batch are of one profile. */
  readonly profiles: Readonly<Record<LineFormat, InputProfile>>;
  /** Bytes gathered at which they are handed on without waiting. */
  readonly flushBytes: number;
  /** Milliseconds after which a line is handed on, however few there are. */
  readonly flushMs: number;
  /** Bytes held, gathered and waiting for the sink together, at which senders are asked to pause. */
  readonly heldBytes: number;
  readonly nowMs: () => number;
  /** A refusal by the sink, before it is tried again. */
  readonly onRefused: (refusal: Refusal) => void;
  /** The sink failed: our own fault, tried again like a refusal. */
  readonly onError: (error: unknown) => void;
}

/** Lines of one profile and partition on their way to become a batch. */
interface Gathering {
  readonly profile: InputProfile;
  readonly partition: string;
  readonly arrivalMs: number;
  bytes: Uint8Array<ArrayBuffer>;
  length: number;
  lines: number;
}

/**
 * Gathers lines into batches and hands them to the sink, one hand-over at a time: while the journal writes, the next batch
 * grows, so that a busy stream is written in large pieces and a quiet one at once.
 *
 * What the sink refuses is kept and offered again. Nothing is dropped but by `close`.
 */
export class Batching {
  readonly #sink: IntakeSink;
  readonly #options: BatchingOptions;
  #gathered = new Map<string, Gathering>();
  #gatheredBytes = 0;
  #handingBytes = 0;
  #handing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waiters: (() => void)[] = [];
  readonly #stop = new AbortController();
  #abandoned = 0;

  constructor(sink: IntakeSink, options: BatchingOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /** Takes a copy of one line, which must not hold a newline. */
  add(format: LineFormat, partition: string, line: Uint8Array): void {
    const id = `${format} ${partition}`;
    let gathering = this.#gathered.get(id);
    if (!gathering) {
      gathering = { profile: this.#options.profiles[format], partition, arrivalMs: this.#options.nowMs(), bytes: new Uint8Array(Math.max(FIRST_BYTES, line.length + 1)), length: 0, lines: 0 };
      this.#gathered.set(id, gathering);
    }
    const end = gathering.length + line.length;
    if (end + 1 > gathering.bytes.length) {
      const grown = new Uint8Array(Math.max(2 * gathering.bytes.length, end + 1));
      grown.set(gathering.bytes.subarray(0, gathering.length));
      gathering.bytes = grown;
    }
    gathering.bytes.set(line, gathering.length);
    gathering.bytes[end] = NEWLINE;
    gathering.length = end + 1;
    gathering.lines++;
    this.#gatheredBytes += line.length + 1;
    if (this.#handing) return;
    if (this.#gatheredBytes >= this.#options.flushBytes) this.#handOn();
    else this.#timer ??= setTimeout(() => this.#handOn(), this.#options.flushMs);
  }

  get isFull(): boolean {
    return this.#gatheredBytes + this.#handingBytes >= this.#options.heldBytes;
  }

  /** Calls back once there is room again; later, never at once. */
  whenRoom(callback: () => void): void {
    this.#waiters.push(callback);
  }

  /**
   * Hands on what is left, for at most `withinMs`.
   *
   * @returns lines that no sink took.
   */
  async close(withinMs: number): Promise<number> {
    const deadline = setTimeout(() => this.#stop.abort(), withinMs);
    while (this.#handing || this.#gathered.size > 0) {
      if (!this.#handing) this.#handOn();
      await this.#handing;
    }
    clearTimeout(deadline);
    return this.#abandoned;
  }

  #handOn(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const gathered = [...this.#gathered.values()];
    this.#gathered = new Map();
    this.#handingBytes = this.#gatheredBytes;
    this.#gatheredBytes = 0;
    this.#handing = this.#offer(gathered).then(() => {
      this.#handingBytes = 0;
      this.#handing = undefined;
      if (this.#gathered.size > 0) this.#handOn();
      if (!this.isFull) for (const callback of this.#waiters.splice(0)) callback();
    });
  }

  /** Offers until all of it is taken, or until time is over. */
  async #offer(gathered: readonly Gathering[]): Promise<void> {
    const batches: IntakeBatch[] = gathered.map(({ profile, partition, arrivalMs, bytes, length }) => ({ profile, partition, arrivalMs, bytes: bytes.subarray(0, length) }));
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LAST_WAIT_MS)) {
      try {
        const refusal = await this.#sink.accept(batches);
        if (!refusal) return;
        this.#options.onRefused(refusal);
      } catch (error) {
        this.#options.onError(error);
      }
      const isOver = await delay(waitMs, false, { signal: this.#stop.signal }).catch(() => true);
      if (!isOver) continue;
      this.#abandoned += gathered.reduce((sum, { lines }) => sum + lines, 0);
      return;
    }
  }
}
