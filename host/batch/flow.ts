import { copyBytes } from "../engine/copy-bytes.ts";
import { type Executor, type Slot, TaskLostError } from "../engine/executor.ts";
import { SLOT_BYTES, TASK_BYTES } from "../engine/geometry.ts";
import type { InputProfile, TaskResult } from "../engine/task.ts";
import type { MatchColumns } from "./matches.ts";

const NEWLINE = 10;

/** What the flow hands on, strictly in the order the bytes came in, whatever worker finished first. */
export interface FlowSink {
  /** Match records of one task, whose rows count from `firstEvent`; valid only during the call. */
  onMatches(matches: MatchColumns, profile: InputProfile, firstEvent: number, partition: string, arrivalMs: number): void;
  onMalformed(reason: string, bytes: Uint8Array, profile: InputProfile): void;
  /** Bytes that ended their worker twice. */
  onLost(bytes: Uint8Array, profile: InputProfile, error: TaskLostError): void;
}

export interface FlowStats {
  events: number;
  bytes: number;
  matches: number;
  withoutTime: number;
  clamped: number;
  repairedUtf8: number;
  slowRows: number;
  lostBytes: number;
  malformed: Record<string, number>;
}

/** Something to be done in its place among the tasks. */
interface PendingCall {
  readonly call: () => void;
}

interface Pending {
  readonly slot: Slot;
  readonly profile: InputProfile;
  readonly arrivalMs: number;
  readonly partition: string;
  start: number;
  length: number;
  result: Promise<TaskResult>;
}

/**
 * Bytes to slots to workers, and their results back in order. The output cannot depend on the number of workers or
 * on how the bytes were cut, because nothing is handed on before everything earlier was.
 */
export class Flow {
  readonly #executor: Executor;
  readonly #sink: FlowSink;
  readonly #pending: Array<Pending | PendingCall> = [];
  #draining: Promise<void> | undefined;
  #failure: unknown;
  /** Where bytes are being put by whoever asked for room. */
  #room: Slot | undefined;
  readonly stats: FlowStats = {
    events: 0, bytes: 0, matches: 0, withoutTime: 0, clamped: 0, repairedUtf8: 0, slowRows: 0, lostBytes: 0, malformed: {},
  };

  constructor(executor: Executor, sink: FlowSink) {
    this.#executor = executor;
    this.#sink = sink;
  }

  /**
   * Memory to put records into, as many bytes as a task has: a part of it that is pushed next is judged where it lies. Waits
   * while every slot is busy; good until the next push.
   */
  async room(): Promise<Uint8Array> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#room ??= await this.#executor.acquire();
    return this.#room.bytes.subarray(0, TASK_BYTES);
  }

  /**
   * Takes whole records (a last newline may be missing). Resolves when the bytes lie in slots; waits while every slot is busy.
   *
   * A record longer than a slot is counted as `too-large` and handed to `onMalformed`. `partition` names the stream the bytes
   * belong to: each has a watermark of its own.
   */
  async push(bytes: Uint8Array, profile: InputProfile, arrivalMs: number, partition = ""): Promise<void> {
    const room = this.#room;
    this.#room = undefined;
    if (room?.bytes.buffer === bytes.buffer) {
      if (this.#failure !== undefined) throw this.#failure;
      if (bytes.length) this.#enter(room, bytes.byteOffset, bytes.length, profile, arrivalMs, partition);
      else this.#executor.release(room);
      return;
    }
    if (room) this.#executor.release(room);
    let at = 0;
    while (at < bytes.length) {
      if (this.#failure !== undefined) throw this.#failure;
      const end = pieceEnd(bytes, at);
      if (end - at > SLOT_BYTES - 8) {
        this.stats.bytes += end - at;
        this.#count("too-large", 1);
        this.#sink.onMalformed("too-large", bytes.slice(at, end), profile);
        at = end;
        continue;
      }
      const slot = await this.#executor.acquire();
      copyBytes(bytes.subarray(at, end), slot.bytes, 0);
      this.#enter(slot, slot.start, end - at, profile, arrivalMs, partition);
      at = end;
    }
  }

  /** Bytes that lie in their slot. */
  #enter(slot: Slot, start: number, length: number, profile: InputProfile, arrivalMs: number, partition: string): void {
    this.stats.bytes += length;
    this.#pending.push({ slot, profile, arrivalMs, partition, start, length, result: this.#run(slot, profile, arrivalMs, start, length) });
    this.#draining ??= this.#drain();
  }

  /** Calls once all that was pushed before has been handed on, and nothing that is pushed later. */
  after(call: () => void): void {
    this.#pending.push({ call });
    this.#draining ??= this.#drain();
  }

  /** Resolves when everything pushed so far was handed on. */
  async flush(): Promise<void> {
    while (this.#draining) await this.#draining;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #run(slot: Slot, profile: InputProfile, arrivalMs: number, start: number, length: number): Promise<TaskResult> {
    const result = this.#executor.run(slot, { profile, arrivalMs, start, length });
    result.catch(() => {}); // seen by the drain, in its turn
    return result;
  }

  async #drain(): Promise<void> {
    try {
      for (let head = this.#pending[0]; head; head = this.#pending[0]) {
        // Awaited either way: a drain that never waits would be over before it is known to run.
        await ("call" in head ? head.call() : this.#finish(head));
        this.#pending.shift();
        if (!("call" in head)) this.#executor.release(head.slot);
      }
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#draining = undefined;
    }
  }

  async #finish(task: Pending): Promise<void> {
    for (;;) {
      let result: TaskResult;
      try {
        result = await task.result;
      } catch (error) {
        if (!(error instanceof TaskLostError)) throw error;
        this.stats.lostBytes += task.length;
        const from = task.start - task.slot.start;
        this.#sink.onLost(task.slot.bytes.slice(from, from + task.length), task.profile, error);
        return;
      }
      this.#account(result, task);
      if (result.consumed >= task.length) return;
      task.start += result.consumed;
      task.length -= result.consumed;
      task.result = this.#run(task.slot, task.profile, task.arrivalMs, task.start, task.length);
    }
  }

  #account(result: TaskResult, task: Pending): void {
    const firstEvent = this.stats.events;
    this.stats.events += result.events;
    this.stats.matches += result.matches;
    this.stats.withoutTime += result.withoutTime;
    this.stats.clamped += result.clamped;
    this.stats.repairedUtf8 += result.repairedUtf8;
    this.stats.slowRows += result.slowRows;
    const matches = this.#executor.matches(task.slot, result);
    for (const bad of result.malformed) {
      this.#count(bad.reason, 1);
      this.#sink.onMalformed(bad.reason, matches.bytes.slice(bad.start, bad.start + bad.length), task.profile);
    }
    this.#sink.onMatches(matches, task.profile, firstEvent, task.partition, task.arrivalMs);
  }

  #count(reason: string, count: number): void {
    this.stats.malformed[reason] = (this.stats.malformed[reason] ?? 0) + count;
  }
}

/** End of the piece that begins at `start`: about TASK_BYTES, at a line's end; a longer line is a piece of its own. */
function pieceEnd(bytes: Uint8Array, start: number): number {
  if (bytes.length - start <= TASK_BYTES) return bytes.length;
  const newline = bytes.lastIndexOf(NEWLINE, start + TASK_BYTES - 1);
  if (newline >= start) return newline + 1;
  const next = bytes.indexOf(NEWLINE, start + TASK_BYTES);
  return next < 0 ? bytes.length : next + 1;
}
